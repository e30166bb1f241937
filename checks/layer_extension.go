package checks

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// LayerExtension finds extensions that functions start.
var LayerExtension = posture.Check{
	ID:          "layer-extension",
	Ref:         "RUN-03",
	Title:       "layer starts a program of its own beside functions",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1546"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
	Needs:       posture.ListFunctions,
	Uses:        []string{"lambda:GetLayerVersion"},
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   extensionAnalyzers,
	Remediation: "make sure that whoever publishes the layer may run a program with the functions' roles, or attach a version without it",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerExtension,
}

var extensionAnalyzers = []string{"external-extension"}

func layerExtension(in posture.Input, found func(posture.Result)) {
	for _, arn := range loadedLayers(in) {
		failed, unknown, known := in.Inside(arn, extensionAnalyzers...)
		switch {
		case len(failed) > 0:
			users := in.Estate.Users(arn)
			r := byOwner(in, arn, lamina.Medium, lamina.Low, lamina.High)
			r.Detail = "a program of its own runs beside " + posture.Count(len(users), "function") + "; " + r.Detail
			r.Evidence = append(posture.Places(failed), posture.Functions(users)...)
			found(r)
		case !known:
			found(unknown)
		default:
			found(posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "it starts no program of its own"})
		}
	}
}

// loadedLayers are the ARNs of the layer versions that functions load, sorted.
func loadedLayers(in posture.Input) []string {
	var arns []string
	for _, f := range in.Estate.Snapshot.Functions {
		arns = append(arns, f.Layers...)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// byOwner is a Fail whose severity is that of ours, of a listed publisher or of an
// account nobody knows, and whose Detail names the owner.
func byOwner(in posture.Input, arn string, ours, listed, nobody lamina.Severity) posture.Result {
	r := posture.Result{Outcome: lamina.Fail, Resource: arn, Severity: ours, Detail: "the layer is ours"}
	l, foreign := in.Foreign(arn)
	if !foreign {
		return r
	}
	if p, match := in.Publisher(l); match == publishers.Listed || match == publishers.AccountOnly {
		r.Severity, r.Detail = listed, p.Name+" publishes the layer"
		return r
	}
	r.Severity, r.Detail = nobody, "nobody is known to publish from account "+l.ARN.Account
	return r
}
