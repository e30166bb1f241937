package lamina

import "time"

// MessageVersion is the version of the message stream. Readers accept this
// version and the two before.
const MessageVersion = 1

// A Message is one line of the output stream. Exactly one field is set. The
// first message of a stream is Version, the last is Summary.
type Message struct {
	Version *Version `json:"version,omitempty"`
	// Rule is the whole rule of alerts that follow it. The json writer sends each
	// rule once, so that an alert need only name it (id, file, name, type); no
	// engine writes this message.
	Rule    *RuleRef `json:"rule,omitempty"`
	Content *Content `json:"content,omitempty"`
	// Layer is a layer version that findings after it are about.
	Layer    *LayerVersion `json:"layer,omitempty"`
	Package  *Package      `json:"package,omitempty"`
	Alert    *Alert        `json:"alert,omitempty"`
	Finding  *Finding      `json:"finding,omitempty"`
	Exposure *Exposure     `json:"exposure,omitempty"`
	Answer   *Answer       `json:"answer,omitempty"`
	Plan     *Plan         `json:"plan,omitempty"`
	Skipped  *Skipped      `json:"skipped,omitempty"`
	Warning  *Warning      `json:"warning,omitempty"`
	Summary  *Summary      `json:"summary,omitempty"`
}

// A Version opens a stream.
type Version struct {
	// Messages is MessageVersion.
	Messages int `json:"messages"`
	// Lamina is the program's version, Command what was run ("detect").
	Lamina  string `json:"lamina"`
	Command string `json:"command"`
	// Categorization names the pinned package version of the CloudTrail
	// categorisation table that events were mapped with.
	Categorization string `json:"categorization,omitempty"`
	// Run is what was examined and how; nil for commands that need no files, and
	// in streams of versions that did not say it.
	Run *RunInfo `json:"run,omitempty"`
	// Taken is when the estate that was examined was read; zero for what has no
	// such time.
	Taken time.Time `json:"taken,omitzero"`
}

// A RunInfo is what it takes to examine the same again.
type RunInfo struct {
	// Targets are the files, folders and globs as the user typed them, from the
	// folder the command ran in; "-" is standard input.
	Targets []string `json:"targets"`
	// Settings are the settings that decide the result and were not left at their
	// default, by their key in lamina.toml, wherever they came from; and "schedule", "since" and
	// "until" where they were given. Paths are as in Targets.
	Settings map[string][]string `json:"settings"`
}

// A Skipped is input that was not evaluated: a whole file, or a part of one.
// Every stage counts in = out + skipped.
type Skipped struct {
	// File is the source's name as the user would type it; an entry of an
	// archive or an envelope is appended after "!".
	File string `json:"file"`
	// Offset is the byte offset in the decompressed stream, or -1.
	Offset int64 `json:"offset"`
	// Bytes is the length of what was skipped, or 0 if unknown.
	Bytes int64 `json:"bytes,omitempty"`
	// Records is how many records were given up, 0 if that cannot be known.
	Records int `json:"records"`
	// Reason is one line without a full stop.
	Reason string `json:"reason"`
}

// A Warning is something a person should know that is no result.
type Warning struct {
	// Subject is what it is about: a rule file, an option.
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	Hint    string `json:"hint,omitempty"`
}

// A Summary closes a stream: what was counted in and out, and how complete the
// answer is.
type Summary struct {
	Command string `json:"command"`
	// Counts are named totals, e.g. "events_in", "events_evaluated",
	// "events_quarantined", "alerts", "findings". Writers print severities first, the
	// worst on top, then the others by name.
	Counts map[string]int64 `json:"counts"`
	// Complete says that nothing was skipped and no outcome is Unknown.
	Complete bool `json:"complete"`
	// Incomplete gives the reasons when Complete is false.
	Incomplete []string `json:"incomplete,omitempty"`
	// Accepted is what could not be examined and is accepted, each with the
	// exception that says so; it does not make the answer incomplete.
	Accepted []string `json:"accepted,omitempty"`
	// Failed lists the ids that reached --fail-on, in stream order.
	Failed []string `json:"failed,omitempty"`
	// Coverage is the one line every output ends with.
	Coverage string `json:"coverage"`
}
