package checks

import (
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerGhost finds deleted layer versions that run on.
var LayerGhost = posture.Check{
	ID:          "layer-ghost",
	Ref:         "LIF-02",
	Title:       "function loads a layer version that no longer exists",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       append(posture.ListLayers, "lambda:ListFunctions"),
	Lists:       append(posture.ListLayers, "lambda:ListFunctions"),
	Remediation: "attach a version that exists: any other change of the function's layers is refused until then",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerGhost,
}

func layerGhost(in posture.Input, found func(posture.Result)) {
	ghosts := map[string][]lamina.Function{}
	for _, f := range in.Estate.Snapshot.Functions {
		for _, arn := range f.Layers {
			l, err := lamina.ParseLayerARN(arn)
			if err != nil || l.Legacy || !in.Estate.Org.Ours(l.ARN.Account) {
				continue
			}
			if _, there := in.Estate.Layer(arn); there {
				continue
			}
			ghosts[arn] = append(ghosts[arn], f)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(ghosts)) {
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			continue
		}
		r := posture.Result{Outcome: lamina.Fail, Resource: arn, Detail: "it was deleted, and still run by " + posture.Count(len(ghosts[arn]), "function"), Evidence: posture.Functions(ghosts[arn])}
		for _, action := range posture.ListLayers {
			if m, missing := in.Estate.Missing(l.ARN.Account, l.ARN.Region, action, ""); missing {
				r = posture.Result{Outcome: lamina.Unknown, Resource: arn, Detail: "whether it still exists is not known", Reason: m.Why(), Settle: m.Settle()}
			}
		}
		found(r)
	}
	for l := range in.Estate.OurLayers() {
		if len(in.Estate.Users(l.ARN)) > 0 {
			found(posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "functions load it, and it exists"})
		}
	}
}
