package posture

import (
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Content is what was found in the zip of a layer version.
type Content struct {
	// Findings are those of every analyzer that looked into it.
	Findings []lamina.Finding
	Packages []lamina.Package
	// Loaded are the files for which Loads holds.
	Loaded []LoadedFile
}

// A LoadedFile is a file of a layer that runs, or is loaded, without an import
// that asks for it.
type LoadedFile struct {
	// Path is below /opt, SHA256 of the content, in hex, or of a link what it says.
	Path, SHA256 string
	// Alone says that it starts by itself, and not only because a search path finds
	// it first.
	Alone bool
}

// Loads says whether the file of a layer is a LoadedFile: an extension, a custom
// runtime, what Python runs as it starts, and what is on the search paths of
// programs and libraries
// (https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html).
func Loads(file string) (loaded, alone bool) {
	base := path.Base(file)
	switch {
	case file == "bootstrap", strings.HasPrefix(file, "extensions/"),
		strings.HasPrefix(file, "python/") && (base == "sitecustomize.py" || base == "usercustomize.py" || path.Ext(base) == ".pth"):
		return true, true
	}
	dir, _, _ := strings.Cut(file, "/")
	return dir == "bin" || dir == "lib", false
}

// unreadable is the check of the one finding about a zip that could not be
// opened, where no analyzer could look.
const unreadable = "unreadable-layer"

// Inside returns what the analyzers found in the layer version. Where one of
// them did not look, or not everywhere, ok is false and the Unknown says why; what
// the others found is there nevertheless.
func (in Input) Inside(arn string, analyzers ...string) (failed []lamina.Finding, unknown Result, ok bool) {
	unknown = Result{Outcome: lamina.Unknown, Resource: arn, Detail: "what is in it is not known"}
	c, opened := in.Contents[arn]
	if !opened {
		unknown.Reason, unknown.Settle = "its zip was not read", Contents.Settle()
		return nil, unknown, false
	}
	looked := map[string]bool{}
	for _, f := range c.Findings {
		if f.Check != unreadable && !slices.Contains(analyzers, f.Check) {
			continue
		}
		looked[f.Check] = true
		switch f.Outcome {
		case lamina.Fail:
			failed = append(failed, f)
		case lamina.Unknown:
			if unknown.Reason == "" {
				unknown.Reason, unknown.Settle = f.Check+": "+f.Reason, f.Settle
			}
		case lamina.Pass, lamina.NotApplicable:
		}
	}
	for _, a := range analyzers {
		if !looked[a] && unknown.Reason == "" {
			unknown.Reason, unknown.Settle = a+" did not look into it", Contents.Settle()
		}
	}
	return failed, unknown, unknown.Reason == ""
}

// Looked reports whether the analyzer looked into the layer version: some are
// left out where the data they need cannot be had.
func (in Input) Looked(arn, analyzer string) bool {
	return slices.ContainsFunc(in.Contents[arn].Findings, func(f lamina.Finding) bool { return f.Check == analyzer })
}

// Places is evidence: where in the layer the findings are, and which check says so.
func Places(fs []lamina.Finding) []string {
	var out []string
	for _, f := range fs[:min(len(fs), maxEvidence)] {
		s := f.Check + ": "
		if f.File != "" {
			s += f.File + ": "
		}
		out = append(out, s+f.Detail)
	}
	if n := len(fs) - maxEvidence; n > 0 {
		out = append(out, "more: "+Count(n, "finding"))
	}
	return out
}
