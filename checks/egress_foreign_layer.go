package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// EgressForeignLayer finds foreign code that can send what it sees anywhere.
var EgressForeignLayer = posture.Check{
	ID:          "egress-foreign-layer",
	Ref:         "NET-01",
	Title:       "function with a foreign layer can send anywhere",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1567"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html",
	Needs:       posture.ListFunctions,
	Uses:        posture.Networks,
	Lists:       posture.ListFunctions,
	Remediation: "run the function in a VPC that lets it send to what it needs only, or take the layer in-house",
	NoFix:       "what a function must reach is its owner's to say",
	Run:         egressForeignLayer,
}

func egressForeignLayer(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if len(f.Layers) == 0 {
			continue
		}
		foreign, known := foreignLayers(in, f)
		severity := lamina.Medium
		if known {
			severity = lamina.Low
		}
		if len(foreign) == 0 {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: f.ARN, Detail: "all its layers are ours"})
			continue
		}
		r := in.Egress(f)
		r.Severity, r.Evidence = severity, append(foreign, r.Evidence...)
		found(r)
	}
}

// foreignLayers is evidence of the layers of accounts not known to be ours that a
// function loads; known says that publishers whom we know publish all of them.
func foreignLayers(in posture.Input, f lamina.Function) (evidence []string, known bool) {
	known = true
	for _, arn := range f.Layers {
		l, ok := in.Foreign(arn)
		if !ok {
			continue
		}
		evidence = append(evidence, "layer: "+arn)
		_, match := in.Publisher(l)
		known = known && match == publishers.Listed
	}
	return evidence, known
}
