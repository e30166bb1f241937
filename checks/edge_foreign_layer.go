package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// EdgeForeignLayer finds replicas of Lambda@Edge that name foreign layers.
var EdgeForeignLayer = posture.Check{
	ID:          "edge-foreign-layer",
	Ref:         "USE-09",
	Title:       "replica of Lambda@Edge names a foreign layer",
	Since:       "0.1",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "build what the layer brings into the function's own package: Lambda@Edge takes no layers",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         edgeForeignLayer,
}

func edgeForeignLayer(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.MasterARN == "" {
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "the replica names no foreign layer"}
		for _, arn := range f.Layers {
			if _, foreign := in.Foreign(arn); foreign {
				r.Outcome, r.Detail = lamina.Fail, "the replica names a foreign layer, which Lambda@Edge does not take"
				r.Evidence = append(r.Evidence, "layer: "+arn)
			}
		}
		if r.Outcome == lamina.Fail {
			r.Evidence = append(r.Evidence, "master: "+f.MasterARN)
		}
		found(r)
	}
}
