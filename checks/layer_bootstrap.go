package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerBootstrap finds layers that start in place of a runtime of AWS.
var LayerBootstrap = posture.Check{
	ID:          "layer-bootstrap",
	Ref:         "RUN-04",
	Title:       "layer is the runtime of functions",
	Since:       "0.1",
	Severity:    lamina.Info,
	Techniques:  []string{"T1574.007"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html",
	Needs:       posture.ListFunctions,
	Uses:        []string{"lambda:GetLayerVersion"},
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   bootstrapAnalyzers,
	Remediation: "put the bootstrap into the function, or take the layer in-house",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerBootstrap,
}

var bootstrapAnalyzers = []string{"custom-bootstrap"}

func layerBootstrap(in posture.Input, found func(posture.Result)) {
	for _, arn := range loadedLayers(in) {
		users := slices.DeleteFunc(in.Estate.Users(arn), func(f lamina.Function) bool { return !strings.HasPrefix(f.Runtime, "provided") })
		if len(users) == 0 {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: arn, Detail: "no function without a runtime of AWS loads it"})
			continue
		}
		failed, unknown, known := in.Inside(arn, bootstrapAnalyzers...)
		switch {
		case len(failed) > 0:
			r := byOwner(in, arn, lamina.Info, lamina.Low, lamina.High)
			r.Detail = "it is the runtime of " + posture.Count(len(users), "function") + ", unless the package brings another; " + r.Detail
			r.Evidence = append(posture.Places(failed), posture.Functions(users)...)
			found(r)
		case !known:
			found(unknown)
		default:
			found(posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "it has no bootstrap"})
		}
	}
}
