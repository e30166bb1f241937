package report

import (
	"io"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// bom writes the packages of a stream, and the known vulnerabilities among its
// findings, as a bill of materials.
type bom struct {
	*printer
	doc    sbom.Document
	layers int
	write  func(*sbom.Document, io.Writer) error
}

func newCycloneDX(p *printer, o Options) Writer {
	return &bom{printer: p, doc: sbom.Document{Created: created(o)}, write: (*sbom.Document).WriteCycloneDX}
}

func newSPDX(p *printer, o Options) Writer {
	return &bom{printer: p, doc: sbom.Document{Created: created(o)}, write: (*sbom.Document).WriteSPDX}
}

// created is the time that the document says it was made at. Without one the
// same layer gives the same bytes at any time.
func created(o Options) time.Time {
	if o.Now.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return o.Now.UTC()
}

func (w *bom) Write(m lamina.Message) error {
	switch {
	case m.Version != nil:
		w.doc.Tool = m.Version.Lamina
	case m.Content != nil:
		if w.layers++; w.layers == 1 {
			w.doc.Name, w.doc.SHA256 = m.Content.Resource, m.Content.SHA256
		} else {
			w.doc.Name, w.doc.SHA256 = w.doc.Name+" "+m.Content.Resource, ""
		}
	case m.Package != nil:
		p := m.Package
		c := sbom.Component{
			Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version, How: sbom.How(p.How), Program: p.Program, License: strings.Join(p.Licenses, " AND "),
			LicenseText: p.LicenseText, Integrity: p.Integrity, Requires: p.Requires,
		}
		if len(p.Files) > 0 {
			c.File, c.Also = p.Files[0], p.Files[1:]
		}
		w.doc.Components = append(w.doc.Components, c)
	case m.Finding != nil && m.Finding.Vulnerability != nil && len(m.Finding.Vulnerability.IDs) > 0:
		w.vulnerability(m.Finding)
	case m.Summary != nil:
		w.doc.Incomplete = !m.Summary.Complete
	}
	return w.err
}

func (w *bom) vulnerability(f *lamina.Finding) {
	v := f.Vulnerability
	x := sbom.Vulnerability{
		ID: v.IDs[0], Aliases: v.IDs[1:], Source: "OSV", URL: "https://osv.dev/vulnerability/" + v.IDs[0], Summary: v.Summary,
		Severity: string(f.Severity), Vector: v.CVSS, Affects: []string{v.PURL}, Fixed: v.Fixed,
	}
	if f.Severity == lamina.Info || f.Outcome != lamina.Fail {
		x.Severity = "unknown"
	}
	w.doc.Vulnerabilities = append(w.doc.Vulnerabilities, x)
}

func (w *bom) Close() error {
	w.doc.Components = sbom.Merge(w.doc.Components)
	var b strings.Builder
	if err := w.write(&w.doc, &b); err != nil {
		return err
	}
	w.str(b.String())
	return w.flush()
}
