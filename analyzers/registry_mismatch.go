package analyzers

import (
	"fmt"
	"path"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// RegistryMismatch finds: file is not the one that its registry published.
var RegistryMismatch = content.Analyzer{
	ID:          "registry-mismatch",
	Title:       "file is not the one that its registry published",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1554"},
	Citation:    "https://packaging.python.org/en/latest/specifications/binary-distribution-format/",
	Remediation: "install the package again from its registry; if the change is wanted, publish a package of your own under another name",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         registryMismatch,
}

func registryMismatch(s *content.Scan, layer int, found func(content.Result)) error {
	all, err := s.Published(layer)
	switch {
	case err != nil:
		return err
	case all == nil:
		found(noIndex)
		return nil
	}
	var rewritten []content.Difference
	for _, p := range all.Packages {
		c := p.Component
		var differ []content.Result
		for _, d := range p.Differs {
			if d.File.Kind == content.Pyc {
				rewritten = append(rewritten, d)
				continue
			}
			differ = append(differ, mismatch(p, d))
		}
		content.Fold(differ, found, "more "+c.Root, func(more int) string {
			return content.Count(more, "more file") + " of " + c.Name + " are others than were published"
		})
		if p.Locked == "other" {
			found(content.Result{
				Outcome: lamina.Fail, File: c.File, Key: "integrity " + c.Root, Severity: lamina.Medium,
				Detail:   fmt.Sprintf("npm's lock file names another archive than the index has of %s %s", c.Name, c.Version),
				Evidence: []string{"package: " + c.PURL(), "lock file: " + c.Integrity, "published: " + p.Artefact.File + ", sha256 " + hexOf(p.Artefact.SHA256)},
			})
		}
		for _, d := range p.Rewritten {
			if path.Base(d.File.Path) != "RECORD" { // no installer leaves it
				rewritten = append(rewritten, d)
			}
		}
	}
	if n := len(rewritten); n > 0 {
		r := content.Result{
			Outcome: lamina.Fail, Key: "rewritten", Severity: lamina.Info,
			Detail: "other bytes than were published in " + content.Count(n, "file") + " of the kinds that installers write anew",
		}
		for _, d := range rewritten[:min(n, content.MostAlike)] {
			r.Evidence = append(r.Evidence, "file: "+d.File.Path)
		}
		found(r)
	}
	unproven(all, found)
	return nil
}

// noIndex is the answer without an index.
var noIndex = content.Result{Outcome: lamina.NotApplicable, Detail: "no index of published files was given (--hashes)"}

// mismatch says which file differs, and how bad that is.
func mismatch(p *content.Compared, d content.Difference) content.Result {
	c, f := p.Component, d.File
	r := content.Result{
		Outcome: lamina.Fail, File: f.Path, Severity: lamina.Medium,
		Detail: fmt.Sprintf("its registry published another file here as %s %s", c.Name, c.Version),
		Evidence: []string{
			"package: " + c.PURL(), "artefact: " + d.From, "file sha256: " + f.SHA256.String(), "published sha256: " + hexOf(d.Want),
		},
	}
	switch f.Kind {
	case content.Python, content.PthFile, content.JavaScript, content.Shell, content.Script, content.Ruby, content.ELF, content.JSON, content.Class, content.Archive, content.Link:
		r.Severity = lamina.High
	case content.Other, content.Pyc, content.Foreign, content.Text:
	}
	switch {
	case p.Artefact.Kind == artefact.SourceDist:
		r.Severity = lamina.Medium
		r.Detail += ": only its source is in the index, which a build may change"
	case c.Ecosystem == sbom.PyPI && f.Path == c.Root+"/WHEEL":
		r.Severity = lamina.Low
		r.Detail += ": another build of it was installed, or one of one's own"
	case c.Ecosystem == sbom.PyPI && path.Dir(f.Path) == c.Root:
		r.Severity = lamina.Medium
	case f.Kind == content.ELF && p.Unproven:
		r.Outcome, r.Reason = lamina.Unknown, "the layer has another build of it than those in the index"
		r.Settle = "that build in the index: lamina db hashes build"
	}
	if p.Others > 0 {
		r.Evidence = append(r.Evidence, "artefacts of the version: "+strconv.Itoa(p.Others+1))
	}
	return r
}

// unproven reports what the index says nothing of, and what is not there.
func unproven(all *content.Comparison, found func(content.Result)) {
	if n := len(all.Absent); n > 0 {
		r := content.Result{
			Outcome: lamina.Unknown, Key: "absent", Detail: content.Count(n, "package") + " not compared with what was published",
			Reason: "no artefact of them is in the index", Settle: "those artefacts, from the registry: lamina db hashes build",
		}
		for _, c := range all.Absent[:min(n, content.MostAlike)] {
			r.Evidence = append(r.Evidence, "package: "+c.PURL())
		}
		found(r)
	}
	if n := len(all.Compiled); n > 0 {
		found(content.Result{
			Outcome: lamina.NotApplicable, Key: "compiled", Detail: content.Count(n, "package") + " compiled or linked into programs have no files to compare",
		})
	}
	missing, packages := 0, 0
	for _, p := range all.Packages {
		if missing += p.Missing; p.Missing > 0 {
			packages++
		}
	}
	if missing > 0 {
		found(content.Result{
			Outcome: lamina.Fail, Key: "missing", Severity: lamina.Info,
			Detail:   fmt.Sprintf("%s that %s were published with are not in the layer, as is usual where it was made small", content.Count(missing, "file"), content.Count(packages, "package")),
			Evidence: []string{fmt.Sprintf("missing files: %d", missing)},
		})
	}
	if len(all.Packages)+len(all.Absent)+len(all.Compiled) == 0 {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "the layer declares no packages of a registry"})
	}
}

func hexOf(d sbom.Digest) string { return content.Digest(d).String() }
