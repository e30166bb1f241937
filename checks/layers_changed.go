package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// LayersChanged holds what functions load against what they loaded.
var LayersChanged = posture.Check{
	ID:          "layers-changed",
	Ref:         "LIF-06",
	Title:       "function loads other layers than in the earlier snapshot",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1578.005"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Earlier},
	Remediation: "ask whether a deployment changed it; if none did, set the list back and find out who may change it",
	NoFix:       "which of the two lists is right is known to whoever deploys the function",
	Run:         layersChanged,
}

func layersChanged(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" {
			continue
		}
		was, known := in.Earlier.Function(f.ARN)
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "it loads the layers that it loaded"}
		switch {
		case known && slices.Equal(was.Layers, f.Layers):
		case known:
			r = changed(in, was, f)
		default:
			r.Outcome, r.Detail = lamina.NotApplicable, "it was not there"
			if m, missing := in.Earlier.Missing(f.Account, f.Region, "lambda:ListFunctions", ""); missing {
				r.Outcome, r.Detail = lamina.Unknown, "what it loaded is not known"
				r.Reason, r.Settle = "the earlier snapshot: "+m.Why(), "give a snapshot in which the account's functions were read"
			}
		}
		found(r)
	}
}

// changed is the Fail of a function whose list of layers is not what it was.
func changed(in posture.Input, was, is lamina.Function) posture.Result {
	r := posture.Result{Outcome: lamina.Fail, Resource: is.ARN, Severity: lamina.Low, Detail: "it loads other versions of its layers"}
	names := func(arns []string) (out []string) {
		for _, arn := range arns {
			out = append(out, layerOf(arn))
		}
		return out
	}
	before, after := names(was.Layers), names(is.Layers)
	var added, foreign []string
	for i, name := range after {
		if slices.Contains(before, name) {
			continue
		}
		added = append(added, is.Layers[i])
		if l, outside := in.Foreign(is.Layers[i]); outside {
			if _, match := in.Publisher(l); match == publishers.Unverified {
				foreign = append(foreign, is.Layers[i])
			}
		}
	}
	removed := slices.DeleteFunc(slices.Clone(before), func(name string) bool { return slices.Contains(after, name) })
	switch {
	case len(foreign) > 0:
		r.Severity, r.Detail = lamina.High, "a layer of somebody unknown was added: "+foreign[0]
	case len(added) > 0:
		r.Severity, r.Detail = lamina.Medium, "a layer was added: "+added[0]
	case len(removed) > 0:
		r.Severity, r.Detail = lamina.Medium, "a layer was taken off: "+removed[0]
	case !slices.Equal(before, after):
		r.Severity, r.Detail = lamina.Medium, "its layers are in another order: of files with one name the last wins"
	}
	r.Evidence = []string{"was: " + strings.Join(was.Layers, " "), "is: " + strings.Join(is.Layers, " ")}
	if in.Log != nil {
		for _, e := range slices.Backward(in.Log.Entries) {
			if e.Function == is.ARN && slices.Equal(e.Layers, is.Layers) {
				r.Evidence = append(r.Evidence, moment("changed", e))
				break
			}
		}
	}
	if n := len(added); n > 1 {
		r.Evidence = append(r.Evidence, "added: "+posture.Count(n, "layer"))
	}
	return r
}
