package analyzers

import (
	"cmp"
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// LicenceConflict finds: package whose licence binds who passes it on.
var LicenceConflict = content.Analyzer{
	ID:          "licence-conflict",
	Title:       "package has a licence that binds who passes the layer on",
	Since:       "0.2",
	Severity:    lamina.Low,
	Citation:    "https://spdx.org/licenses/",
	Remediation: "ask who answers for licences before the layer is shared, or take another package",
	NoFix:       "what a licence allows is for people to decide",
	Run:         licenceConflict,
}

func licenceConflict(s *content.Scan, layer int, found func(content.Result)) error {
	seen := map[string]bool{}
	for _, c := range s.Layers[layer].Packages() {
		duty, id := content.DutyOf(c.License)
		if c.How == sbom.Locked || duty == content.NoDuty || seen[c.PURL()] {
			continue
		}
		seen[c.PURL()] = true
		r := content.Result{
			Outcome: lamina.Fail, File: c.File, Key: c.PURL(), Severity: lamina.Low,
			Evidence: []string{"package: " + c.PURL(), "licence: " + c.License},
		}
		who := cmp.Or(c.Name, "it") + " " + c.Version
		switch duty {
		case content.Network:
			r.Detail = fmt.Sprintf("%s is under %s, which asks for the source of what is offered with it, even as a service", who, id)
		case content.Limited:
			r.Detail = fmt.Sprintf("%s is under %s, which limits what it may be used for", who, id)
		case content.Source, content.NoDuty:
			r.Severity = lamina.Info // a layer that nobody else gets passes nothing on
			r.Detail = fmt.Sprintf("%s is under %s, which asks for the source of what is passed on with it", who, id)
		}
		found(r)
	}
	return nil
}
