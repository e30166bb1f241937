// Package shsyntax reads what a shell script does: wrappers, extensions,
// bootstraps.
//
// It is a tokenizer with the grammar's outline (quotes, here-documents,
// substitutions, comments, lists, pipes) and no shell: nothing is expanded but
// variables that the script itself sets to constants, and nothing is run. It
// accepts any bytes. Judging is left to others. Strings appear in facts only
// with what looks like a secret left out. Start with Parse.
package shsyntax

// Facts are what one script does, in the order of lines.
type Facts struct {
	// Shebang is the interpreter: "/bin/bash", "/usr/bin/env python3"; "" without
	// one.
	Shebang string `json:"shebang,omitempty"`
	// Assigns are the variables set.
	Assigns []Assign `json:"assigns,omitempty"`
	// Commands are the simple commands with a literal name.
	Commands []Command `json:"commands,omitempty"`
	// Exec says that the script hands over to its arguments (exec "$@"), as an
	// exec wrapper must; ExecLine is where. ExecPrefix are the constant words
	// put before "$@".
	Exec       bool     `json:"exec,omitempty"`
	ExecLine   int      `json:"execLine,omitempty"`
	ExecPrefix []string `json:"execPrefix,omitempty"`
	// ExecTarget is the constant program that the script replaces itself by.
	ExecTarget string `json:"execTarget,omitempty"`
	// Sources are the files read in by . or source.
	Sources []Place `json:"sources,omitempty"`
	// Network are uses of a tool that talks to others, and of /dev/tcp.
	Network []Network `json:"network,omitempty"`
	// Pipes are things piped or substituted into an interpreter.
	Pipes []Pipe `json:"pipes,omitempty"`
	// Secrets are reads of the environment or of credentials: /proc/*/environ,
	// env, printenv, $AWS_SECRET_ACCESS_KEY, the metadata endpoints.
	Secrets []Place `json:"secrets,omitempty"`
	// Flows are reads of secrets that reach a network use.
	Flows []Flow `json:"flows,omitempty"`
	// Arch says that it chooses by uname -m or arch.
	Arch bool `json:"arch,omitempty"`
	// URLs are the constant addresses, cleaned.
	URLs []Place `json:"urls,omitempty"`
	// Writes are files that output is redirected to.
	Writes []Place `json:"writes,omitempty"`
	// Lines counts lines.
	Lines int `json:"lines"`
	// Truncated says that a limit was met; Error that a quote, bracket or
	// here-document does not end.
	Truncated bool   `json:"truncated,omitempty"`
	Error     string `json:"error,omitempty"`
}

// An Assign is one variable set.
type Assign struct {
	Name string `json:"name"`
	// Value is the text with known variables put in, cleaned; what is not known
	// stays as $NAME or $(…).
	Value string `json:"value,omitempty"`
	// Export says that commands after it see the variable; Command is the command
	// that alone sees it (NAME=v command).
	Export  bool   `json:"export,omitempty"`
	Command string `json:"command,omitempty"`
	Line    int    `json:"line"`
}

// A Command is one simple command.
type Command struct {
	// Name is without its folder; Path with it.
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
	// Args are cleaned.
	Args []string `json:"args,omitempty"`
	Line int      `json:"line"`
	// Background says that & ends it; Substituted that it stands in $( ) or ` `;
	// Decoded that it was found in a base64 constant of the script.
	Background  bool `json:"background,omitempty"`
	Substituted bool `json:"substituted,omitempty"`
	Decoded     bool `json:"decoded,omitempty"`
}

// A Place is a word at a line.
type Place struct {
	Text string `json:"text"`
	Line int    `json:"line"`
}

// A Network is one use of the network.
type Network struct {
	// Tool is "curl", "wget", "nc", "dig", "aws", "/dev/tcp" …
	Tool string `json:"tool"`
	// Host is the constant host or URL, cleaned; "" if none.
	Host string `json:"host,omitempty"`
	// Sends says that it carries data out: -d, -T, --post-file, a pipe into it, a
	// substitution in the address.
	Sends bool `json:"sends,omitempty"`
	Line  int  `json:"line"`
}

// A Pipe is a stream or text that is run.
type Pipe struct {
	// From is the command or "text" that yields the code: "curl", "base64".
	From string `json:"from"`
	// To is the interpreter: "sh", "bash", "python3", "eval".
	To string `json:"to"`
	// Decodes says that base64, xxd, gunzip, openssl or tr stands between.
	Decodes bool `json:"decodes,omitempty"`
	Line    int  `json:"line"`
}

// A Flow is a read of secrets whose output reaches the network.
type Flow struct {
	// Source is the text of the read: "/proc/self/environ", "env",
	// "$AWS_SESSION_TOKEN".
	Source     string `json:"source"`
	SourceLine int    `json:"sourceLine"`
	Sink       string `json:"sink"`
	SinkLine   int    `json:"sinkLine"`
	Host       string `json:"host,omitempty"`
}
