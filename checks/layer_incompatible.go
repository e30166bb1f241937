package checks

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerIncompatible finds functions whose layers were made for something else.
var LayerIncompatible = posture.Check{
	ID:          "layer-incompatible",
	Ref:         "USE-10",
	Title:       "layer is loaded by functions it was not made for",
	Since:       "0.1",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html",
	Needs:       posture.ListFunctions,
	Uses:        append(posture.ListLayers, "lambda:GetLayerVersion"),
	Lists:       posture.ListFunctions,
	Remediation: "load the layer that its publisher made for the function's runtime and architecture",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerIncompatible,
}

func layerIncompatible(in posture.Input, found func(posture.Result)) {
	users := map[string][]lamina.Function{}
	for _, f := range in.Estate.Snapshot.Functions {
		for _, arn := range f.Layers {
			users[arn] = append(users[arn], f)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(users)) {
		fs := users[arn]
		l, known := in.Estate.Layer(arn)
		if !known {
			found(posture.Result{
				Outcome: lamina.Unknown, Resource: arn, Detail: "what it was made for is not known",
				Reason: "the layer version is not in the snapshot", Settle: "read it with lambda:GetLayerVersion, or see LIF-02 and USE-06 where it is gone or its grant is",
			})
			continue
		}
		if len(l.CompatibleRuntimes)+len(l.CompatibleArchitectures) == 0 {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: arn, Detail: "its publisher does not say what it was made for"})
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "it was made for the functions that load it"}
		var odd []lamina.Function
		for _, f := range fs {
			if lacks(l.CompatibleRuntimes, f.Runtime) || len(f.Architectures) > 0 && lacks(l.CompatibleArchitectures, f.Architectures[0]) {
				odd = append(odd, f)
			}
		}
		if len(odd) > 0 {
			r.Outcome, r.Detail = lamina.Fail, "it is loaded by "+posture.Count(len(odd), "function")+" of another runtime or architecture"
			r.Evidence = append([]string{"made for: " + strings.Join(slices.Concat(l.CompatibleRuntimes, l.CompatibleArchitectures), " ")}, posture.Functions(odd)...)
		}
		found(r)
	}
}

// lacks reports whether the list says something, and not this.
func lacks(list []string, s string) bool {
	return len(list) > 0 && s != "" && !slices.Contains(list, s)
}
