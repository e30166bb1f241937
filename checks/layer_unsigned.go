package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerUnsigned finds layers whose origin nothing proves.
var LayerUnsigned = posture.Check{
	ID:          "layer-unsigned",
	Ref:         "INT-01",
	Title:       "layer version is unsigned and functions load it unchecked",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1553.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion"),
	Uses:        []string{"lambda:ListFunctions", "lambda:GetFunctionCodeSigningConfig"},
	Lists:       posture.ListLayers,
	Remediation: "sign the layer and give its functions a code signing configuration that enforces it",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerUnsigned,
}

func layerUnsigned(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		if missing, ok := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersion"); ok {
			missing.Detail = "whether it is signed is not known"
			found(missing)
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "it is signed", Evidence: []string{"signing job: " + l.SigningJobARN}}
		if l.SigningJobARN == "" {
			r.Detail, r.Evidence = "it is not signed, and no function loads it unchecked", nil
			unchecked, unknown := uncheckedUsers(in, l.ARN)
			switch {
			case len(unchecked) > 0:
				r.Outcome, r.Detail = lamina.Fail, "it is not signed, and loaded by "+posture.Count(len(unchecked), "function")+" without code signing"
				r.Evidence = posture.Functions(unchecked)
			case unknown != nil:
				r = *unknown
				r.Resource, r.Detail = l.ARN, "whether its functions check signatures is not known"
			}
		}
		found(r)
	}
}

// uncheckedUsers returns the functions that load the version and have no code
// signing configuration, and an Unknown if not all of that could be read.
func uncheckedUsers(in posture.Input, layer string) (unchecked []lamina.Function, unknown *posture.Result) {
	for _, f := range in.Estate.Users(layer) {
		whole := posture.Whole(in.Estate, f)
		if missing, ok := in.Missing(f.Account, f.Region, whole.ARN, "lambda:GetFunctionCodeSigningConfig"); ok {
			unknown = &missing
		} else if whole.CodeSigningConfigARN == "" {
			unchecked = append(unchecked, f)
		}
	}
	if m := in.Estate.Unread("lambda:ListFunctions"); len(m) > 0 && unknown == nil {
		unknown = &posture.Result{Outcome: lamina.Unknown, Reason: m[0].Why(), Settle: m[0].Settle()}
	}
	return unchecked, unknown
}
