package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerReplaced compares digests with those of an earlier snapshot.
var LayerReplaced = posture.Check{
	ID:          "layer-replaced",
	Ref:         "INT-10",
	Title:       "layer version holds something else than it did",
	Since:       "0.1",
	Severity:    lamina.Critical,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion"),
	Lists:       posture.ListLayers,
	Beside:      []posture.Data{posture.Earlier},
	Remediation: "find out which of the two is what was published: AWS does not change a version, so one of the readings is of another account or forged",
	NoFix:       "what is wrong is not known until someone has looked",
	Run:         layerReplaced,
}

func layerReplaced(in posture.Input, found func(posture.Result)) {
	for _, l := range in.Estate.Snapshot.Layers {
		before, ok := in.Earlier.Layer(l.ARN)
		if !ok || before.CodeSHA256 == "" {
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "its digest is that of the earlier snapshot"}
		switch {
		case l.CodeSHA256 == "":
			r = posture.Result{
				Outcome: lamina.Unknown, Resource: l.ARN, Detail: "whether it is what it was is not known",
				Reason: "its digest was not read", Settle: "allow lambda:GetLayerVersion to the collector in " + l.Account,
			}
		case l.CodeSHA256 != before.CodeSHA256:
			r.Outcome, r.Detail = lamina.Fail, "its digest is another than in the earlier snapshot, and a version never changes"
			r.Evidence = []string{
				"before: " + before.CodeSHA256 + " at " + posture.Minute(in.Earlier.Snapshot.Taken),
				"now: " + l.CodeSHA256 + " at " + posture.Minute(in.Estate.Snapshot.Taken),
			}
		}
		found(r)
	}
}
