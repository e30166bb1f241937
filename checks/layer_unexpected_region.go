package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// LayerUnexpectedRegion finds layers from the wrong one of a publisher's regional accounts.
var LayerUnexpectedRegion = posture.Check{
	ID:          "layer-unexpected-region",
	Ref:         "USE-07",
	Title:       "functions load a publisher's layer from an account it does not use in that region",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "use the ARN that the publisher documents for the region",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerUnexpectedRegion,
}

func layerUnexpectedRegion(in posture.Input, found func(posture.Result)) {
	for _, u := range in.ForeignUses() {
		p, match := in.Publisher(u.Layer)
		r := posture.Result{Outcome: lamina.Pass, Resource: u.ARN, Detail: "the account is that of its publisher in the region"}
		switch match {
		case publishers.UnexpectedRegion:
			r.Outcome, r.Evidence = lamina.Fail, posture.Functions(u.Functions)
			r.Detail = p.Name + " is not known to publish from account " + u.Layer.ARN.Account + " in " + u.Layer.ARN.Region
		case publishers.Unverified, publishers.AccountOnly, publishers.UnexpectedName:
			r.Outcome, r.Detail = lamina.NotApplicable, "no region is known for it"
		case publishers.Listed:
		}
		found(r)
	}
}
