package analyzers

import (
	"fmt"
	"path"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// RecordMismatch finds: file is not the one its package installed.
var RecordMismatch = content.Analyzer{
	ID:          "record-mismatch",
	Title:       "file is not the one its package installed",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1554"},
	Citation:    "https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file",
	Remediation: "install the package again from its registry and compare; if the change is wanted, build a package of your own with it",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         recordMismatch,
}

func recordMismatch(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	// Two packages may list one file: it is what one of them installed.
	listed := map[string][]sbom.FileHash{}
	for _, c := range l.Packages() {
		for _, h := range c.Files {
			if l.File(h.Path) != nil {
				listed[h.Path] = append(listed[h.Path], h)
			}
		}
	}
	for _, c := range l.Packages() {
		compiled, other := 0, 0
		var scripts []*content.File
		var differ []content.Result
		for _, h := range c.Files {
			f := l.File(h.Path)
			if f == nil || len(listed[h.Path]) == 0 {
				continue
			}
			all := listed[h.Path]
			delete(listed, h.Path) // whoever else lists it says no more of it
			if h.SHA256 == (sbom.Digest{}) && h.Other != "" && len(all) == 1 && h.Size == f.Size {
				other++
			}
			if asListed(f, all) {
				continue
			}
			if f.Kind == content.Pyc {
				compiled++
				continue
			}
			if script(c, h, f) {
				scripts = append(scripts, f)
				continue
			}
			differ = append(differ, recordResult(c, h, f))
		}
		content.Fold(differ, found, "more "+c.Root, func(more int) string {
			return content.Count(more, "more file") + " of " + c.Name + " are others than were installed"
		})
		if len(scripts) > 0 {
			r := content.Result{
				Outcome: lamina.Fail, File: scripts[0].Path, Key: "scripts " + c.Root, Severity: lamina.Low,
				Detail:   fmt.Sprintf("other bytes than were installed in %s of %s, no more than fit in a first line: installers write the interpreter's path there", content.Count(len(scripts), "script"), c.Name),
				Evidence: []string{"package: " + c.PURL()},
			}
			for _, f := range scripts[:min(len(scripts), 10)] {
				r.Evidence = append(r.Evidence, "script: "+f.Path)
			}
			found(r)
		}
		if compiled > 0 {
			found(content.Result{
				Outcome: lamina.Fail, File: c.File, Key: "compiled " + c.Root, Severity: lamina.Info,
				Detail:   fmt.Sprintf("other bytes than were installed in %s of %s: it was compiled again", content.Count(compiled, "compiled file"), c.Name),
				Evidence: []string{"package: " + c.PURL(), fmt.Sprintf("compiled files: %d", compiled)},
			})
		}
		if other > 0 {
			found(content.Result{
				Outcome: lamina.Unknown, File: c.File, Key: "other " + c.Root, Detail: fmt.Sprintf("the size that is listed in %s of %s", content.Count(other, "file"), c.Name),
				Reason: "their digests are listed by another algorithm than SHA-256", Settle: "a RECORD with SHA-256, which pip writes",
			})
		}
	}
	return nil
}

// asListed reports whether nothing that is listed of the file contradicts it.
func asListed(f *content.File, all []sbom.FileHash) bool {
	for _, h := range all {
		if h.SHA256 != (sbom.Digest{}) && [32]byte(h.SHA256) == [32]byte(f.SHA256) ||
			h.SHA256 == (sbom.Digest{}) && (h.Size < 0 || h.Size == f.Size) {
			return true
		}
	}
	return false
}

// maxShebang is how long the first line of a script may be
// (https://man7.org/linux/man-pages/man2/execve.2.html).
const maxShebang = 255

// script reports whether the file is one of the scripts that installers write anew,
// and has about the size that is listed.
func script(c sbom.Component, h sbom.FileHash, f *content.File) bool {
	return path.Dir(f.Path) == path.Join(path.Dir(c.Root), "bin") && (f.Kind == content.Python || f.Kind == content.Shell) &&
		h.Size >= 0 && max(f.Size-h.Size, h.Size-f.Size) <= maxShebang
}

// recordResult says which file differs, and how bad that is.
func recordResult(c sbom.Component, h sbom.FileHash, f *content.File) content.Result {
	r := content.Result{
		Outcome: lamina.Fail, File: f.Path, Severity: lamina.Medium,
		Detail:   fmt.Sprintf("%s %s installed another file here", c.Name, c.Version),
		Evidence: []string{"package: " + c.PURL(), "file sha256: " + f.SHA256.String()},
	}
	if h.SHA256 != (sbom.Digest{}) {
		listed, _ := h.SHA256.MarshalText() // it never fails
		r.Evidence = append(r.Evidence, "listed sha256: "+string(listed))
	}
	if h.Size >= 0 && h.Size != f.Size {
		r.Evidence = append(r.Evidence, fmt.Sprintf("size: %d bytes, listed %d", f.Size, h.Size))
	}
	switch f.Kind {
	case content.Python, content.PthFile, content.JavaScript, content.Shell, content.Script, content.Ruby, content.ELF, content.JSON, content.Class, content.Archive, content.Link:
		r.Severity = lamina.High
	case content.Other, content.Pyc, content.Foreign, content.Text:
	}
	switch base := path.Base(f.Path); {
	case path.Dir(f.Path) == c.Root && (base == "INSTALLER" || base == "REQUESTED" || base == "direct_url.json"):
		r.Severity = lamina.Low
		r.Detail = fmt.Sprintf("what installed %s %s was written over", c.Name, c.Version)
	case f.Binary != nil && f.Binary.Stripped && f.Size < h.Size:
		r.Severity = lamina.Medium
		r.Detail += ": a larger one, and this one has no symbols, as if they had been stripped"
	}
	return r
}
