package content

import (
	"io/fs"
	"sync"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/bininfo"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/sbom"
	"github.com/lamina-sec/lamina/internal/secret"
	"github.com/lamina-sec/lamina/internal/shsyntax"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

// A Scan is what analyzers judge: one to five layers in the order in which the
// function lists them, and what is known of the function.
type Scan struct {
	Layers []*Layer
	// Function is nil when only layers are given.
	Function *Function
	// Baseline is the version of the first layer that is trusted, nil if none was
	// given.
	Baseline *Layer
	// Advisories are the known vulnerabilities, nil if there is no database.
	Advisories *vulndb.DB
	// VEX are the user's statements about vulnerabilities, nil if there are none.
	VEX *vulndb.VEX
	// Hashes are indexes of what registries published, none if none was given.
	Hashes []*artefact.Index
	// Now is the time of the scan, for ages.
	Now time.Time
	// Fingerprints says that those of credentials are worth showing: they were made
	// with a key of the user's, who can compare them with others.
	Fingerprints bool

	view   lazy[*opt.View]
	places lazy[map[string][]spot] // by fingerprint
	built  lazy[map[string]int]    // native modules by runtime
	usage  lazy[*Usage]

	comparing sync.Mutex
	compared  map[int]compared // by layer
}

// A Function is what a function's configuration and package say.
type Function struct {
	// Code is its package, nil if it was not given.
	Code *Layer
	// Handler ("app.handler"), Runtime ("python3.12") and Architecture
	// ("x86_64") are as AWS writes them, "" if not given.
	Handler, Runtime, Architecture string
	// Env are the environment variables. Values are as given; a Finding never
	// shows one whole.
	Env map[string]string
}

// A Layer is one layer, read.
type Layer struct {
	// Name is the file as the user would type it, or the layer version's ARN.
	Name string
	// SHA256 is the lower-case hex digest of the archive, "" for a directory;
	// Size the archive's bytes.
	SHA256 string
	Size   int64
	// Err says why the layer could not be opened; the rest is empty then.
	Err error
	// Entries and Oddities are those of the archive.
	Entries  []layerfs.Entry
	Oddities []layerfs.Oddity
	// Files are the files, those in archives in the layer among them, sorted by path.
	Files []*File
	// Inflated is the bytes of all files of the layer itself.
	Inflated int64
	// Skipped are the parts that could not be read.
	Skipped []lamina.Skipped
	// Cached counts the files whose facts came from the cache.
	Cached int

	// Imports says that the imports of every script were read, not only of those
	// that do something of interest.
	Imports bool

	byPath map[string]*File
	worked lazy[*inventory]
}

// File returns the file at path, or nil.
func (l *Layer) File(path string) *File { return l.byPath[path] }

// A File is one file of a layer and what its bytes say.
type File struct {
	// Path is as in layerfs.File.
	Path string      `json:"path"`
	Mode fs.FileMode `json:"mode"`
	Size int64       `json:"size"`
	// SHA256 is of the inflated bytes.
	SHA256 Digest `json:"sha256"`
	// Nested says that it is in an archive in the layer, Hidden that its name does
	// not lead to it: an unpacker may still write it.
	Nested bool `json:"nested,omitempty"`
	Hidden bool `json:"hidden,omitempty"`
	Facts
}

// A Digest is a SHA-256; it is written in hex.
type Digest [32]byte

// Facts are what the bytes of one file say, whatever the rest of the layer is.
// They never hold a secret.
type Facts struct {
	Kind Kind `json:"kind"`
	// Link is where a symbolic link points, as written.
	Link string `json:"link,omitempty"`
	// Components are the packages this file declares.
	Components []sbom.Component `json:"components,omitempty"`
	// Secrets are the credentials in it.
	Secrets []secret.Hit `json:"secrets,omitempty"`
	// Code is what a script does: Python, its bytecode, a .pth file, JavaScript;
	// nil if it is none or holds nothing that matters.
	Code *codeflow.Facts `json:"code,omitempty"`
	// Shell is what a shell script does; nil if it is none.
	Shell *shsyntax.Facts `json:"shell,omitempty"`
	// Binary is what an executable or library says of itself; nil if it is none.
	Binary *bininfo.Info `json:"binary,omitempty"`
	// Compiled is the head of a compiled Python file; nil if it is none.
	Compiled *Compiled `json:"compiled,omitempty"`
	// Registries are the hosts that it tells a package manager to use.
	Registries []string `json:"registries,omitempty"`
	// Personal counts what a data file says of people; nil if it says nothing.
	Personal *Personal `json:"personal,omitempty"`
	// Marks are the words of interest that stand anywhere in it, text or not.
	Marks []Mark `json:"marks,omitempty"`
	// Text is the whole of a .pth file.
	Text string `json:"text,omitempty"`
	// Suppressed counts what had the form of a credential and is none, by reason.
	Suppressed map[string]int `json:"suppressed,omitempty"`
	// Hooks are the commands that a package.json runs when it is installed.
	Hooks []Hook `json:"hooks,omitempty"`
	// Loads is what of a .pth file or package.json decides what is loaded, as
	// opt.Reduce gives it.
	Loads []byte `json:"loads,omitempty"`
}

// A Hook is a command that installing a package runs.
type Hook struct {
	// Name is "preinstall", "install", "postinstall" or "prepare"; Command the
	// text, shortened.
	Name    string `json:"name"`
	Command string `json:"command"`
}

// A Kind is what sort of file it is, by its first bytes and then by its name.
type Kind string

// The kinds.
const (
	Other      Kind = ""
	Link       Kind = "link"
	Python     Kind = "python"
	Pyc        Kind = "pyc"
	PthFile    Kind = "pth"
	JavaScript Kind = "javascript"
	Shell      Kind = "shell"
	Script     Kind = "script" // another interpreter's, by its #! line
	Ruby       Kind = "ruby"
	ELF        Kind = "elf"
	Foreign    Kind = "foreign-binary" // PE and Mach-O, which Lambda cannot run
	Class      Kind = "java-class"
	Archive    Kind = "archive"
	JSON       Kind = "json"
	Text       Kind = "text"
)
