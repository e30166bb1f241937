package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SharedPrivateCode finds code, sources and names that were given away.
var SharedPrivateCode = posture.Check{
	ID:          "shared-private-code",
	Ref:         "TOX-02",
	Title:       "layer version that outsiders may read holds what is private",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1537", "T1530"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-layers.html",
	Needs:       posture.ListLayers,
	Uses:        []string{"lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy", "organizations:ListAccounts"},
	Lists:       posture.ListLayers,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   privateAnalyzers,
	Remediation: "take the grant away, and publish a version without what is private",
	NoFix:       "taking the grant away is planned from the finding about it",
	Run:         sharedPrivateCode,
}

// privateAnalyzers find what tells of who made the layer: code of no known package,
// sources, repositories, hosts and registries inside.
var privateAnalyzers = []string{"internal-names", "private-code", "private-registry", "source-control-data", "source-map"}

func sharedPrivateCode(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		r := sharedWith(in, l, "nothing private was found in what outsiders may read", privateAnalyzers)
		if r.Outcome == lamina.Fail {
			r.Severity = lamina.High // code is no credential, even where everyone has it
			r.Detail += " with it what tells of our systems"
		}
		found(r)
	}
}
