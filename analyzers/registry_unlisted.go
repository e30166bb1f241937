package analyzers

import (
	"fmt"
	"path"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// RegistryUnlisted finds: code in a package that its registry did not publish.
var RegistryUnlisted = content.Analyzer{
	ID:          "registry-unlisted",
	Title:       "code in a package that its registry did not publish",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1554"},
	Citation:    "https://packaging.python.org/en/latest/specifications/binary-distribution-format/",
	Remediation: "install the package again from its registry, and keep code of your own in a folder of its own",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         registryUnlisted,
}

func registryUnlisted(s *content.Scan, layer int, found func(content.Result)) error {
	all, err := s.Published(layer)
	switch {
	case err != nil:
		return err
	case all == nil:
		found(noIndex)
		return nil
	}
	for _, p := range all.Packages {
		c := p.Component
		var added []content.Result
		var native, built, others []*content.File
		for _, f := range p.Unlisted {
			switch {
			case !carriesCode(f):
				others = append(others, f)
			case p.Artefact.Kind == artefact.SourceDist:
				built = append(built, f)
			case f.Kind == content.ELF && p.Unproven:
				native = append(native, f)
			default:
				added = append(added, unlistedResult(c, p.Artefact, f))
			}
		}
		content.Fold(added, found, "more "+c.Root, func(more int) string {
			return content.Count(more, "more file") + " of code that " + c.Name + " was not published with"
		})
		unjudged(c, native, "native ", "the layer has another build of it than those in the index", found)
		unjudged(c, built, "built ", "only its source is in the index, to which a build adds", found)
		if n := len(others); n > 0 {
			r := content.Result{
				Outcome: lamina.Fail, File: others[0].Path, Key: "others " + c.Root, Severity: lamina.Info,
				Detail:   fmt.Sprintf("%s %s was not published with, none of them code", content.Count(n, "file")+" that", c.Name),
				Evidence: []string{"package: " + c.PURL()},
			}
			for _, f := range others[:min(n, content.MostAlike)] {
				r.Evidence = append(r.Evidence, "file: "+f.Path)
			}
			found(r)
		}
	}
	if len(all.Packages)+len(all.Absent) == 0 {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "the layer declares no packages whose files could be compared"})
	}
	if n := len(all.Absent); n > 0 {
		found(content.Result{
			Outcome: lamina.Unknown, Key: "absent", Detail: content.Count(n, "package") + " not searched for code that was added",
			Reason: "no artefact of them is in the index", Settle: "those artefacts, from the registry: lamina db hashes build",
		})
	}
	return nil
}

// unjudged reports files of which the index cannot say whether they were added.
func unjudged(c sbom.Component, files []*content.File, key, reason string, found func(content.Result)) {
	if len(files) == 0 {
		return
	}
	found(content.Result{
		Outcome: lamina.Unknown, File: files[0].Path, Key: key + c.Root, Detail: content.Count(len(files), "file") + " of " + c.Name + " in no artefact of the index",
		Reason: reason, Settle: "the artefact that was installed: lamina db hashes build",
	})
}

// carriesCode reports whether a file is code, whatever it is named.
func carriesCode(f *content.File) bool {
	switch f.Kind {
	case content.Python, content.Pyc, content.PthFile, content.JavaScript, content.Shell, content.Script, content.Ruby, content.ELF, content.Foreign, content.Class, content.Archive:
		return true
	case content.Other, content.Link, content.JSON, content.Text:
	}
	return strings.HasSuffix(f.Path, ".py")
}

// unlistedResult says which file was added, and how bad that is.
func unlistedResult(c sbom.Component, a artefact.Artefact, f *content.File) content.Result {
	r := content.Result{
		Outcome: lamina.Fail, File: f.Path, Severity: lamina.High,
		Detail:   fmt.Sprintf("%s %s was not published with it", c.Name, c.Version),
		Evidence: []string{"package: " + c.PURL(), "artefact: " + a.File, "file sha256: " + f.SHA256.String()},
	}
	switch base := path.Base(f.Path); {
	case (base == "lextab.py" || base == "yacctab.py" || base == "parsetab.py") && (f.Code == nil || len(f.Code.Imports) == 0):
		r.Severity = lamina.Info
		r.Detail += ": parsers write such tables when they first run"
	case f.Kind == content.ELF && len(c.Hooks) > 0:
		r.Severity = lamina.Medium
		r.Detail += ": its install script may have built it"
	case content.Test(f.Path):
		r.Severity = lamina.Medium
	}
	return r
}
