package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// LayerAbandonedPublisher finds layers that nobody mends any more.
var LayerAbandonedPublisher = posture.Check{
	ID:          "layer-abandoned-publisher",
	Ref:         "USE-03",
	Title:       "functions load a layer that its publisher has given up",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1195.001"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "move to what replaces it, or take the layer in-house",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerAbandonedPublisher,
}

func layerAbandonedPublisher(in posture.Input, found func(posture.Result)) {
	for _, u := range in.ForeignUses() {
		p, match := in.Publisher(u.Layer)
		r := posture.Result{Outcome: lamina.Pass, Resource: u.ARN, Detail: "its publisher is not known to have given it up"}
		switch {
		case match == publishers.Unverified:
			r.Outcome, r.Detail = lamina.NotApplicable, "its publisher is not known"
		case p.Status == publishers.Abandoned || p.Status == publishers.Defunct || p.Status == publishers.Superseded:
			r.Outcome, r.Detail, r.Evidence = lamina.Fail, p.Name+" is "+string(p.Status), posture.Functions(u.Functions)
			if p.SupersededBy != "" {
				r.Detail += ": " + p.SupersededBy + " takes its place"
			}
			for _, e := range p.Evidence {
				r.Evidence = append(r.Evidence, "source: "+e.URL)
			}
		}
		found(r)
	}
}
