package checks

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SigningViolated finds layers that a function would not be allowed to take today.
var SigningViolated = posture.Check{
	ID:          "signing-violated",
	Ref:         "INT-03",
	Title:       "function enforces code signing and loads a layer that violates it",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1553.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	Needs:       append(posture.ListFunctions, "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig", "lambda:GetLayerVersion"),
	Lists:       posture.ListFunctions,
	Remediation: "sign the layer with an allowed profile and attach that version: the next deployment of the function is refused",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         signingViolated,
}

func signingViolated(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		whole := posture.Whole(in.Estate, f)
		c, ok := in.Estate.CodeSigningConfig(whole.CodeSigningConfigARN)
		if len(f.Layers) == 0 || ok && c.UntrustedArtifact != "Enforce" {
			continue
		}
		if missing, gap := in.Missing(f.Account, f.Region, whole.ARN, "lambda:GetFunctionCodeSigningConfig"); gap {
			missing.Resource, missing.Detail = f.ARN, "whether it checks signatures is not known"
			found(missing)
			continue
		}
		if whole.CodeSigningConfigARN == "" {
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "all its layers are signed by profiles it allows", Evidence: []string{"code signing configuration: " + whole.CodeSigningConfigARN}}
		if !ok {
			r.Outcome, r.Detail = lamina.Unknown, "what its code signing configuration says is not known"
			r.Reason, r.Settle = "the configuration was not read", "allow lambda:GetCodeSigningConfig to the collector in "+f.Account
			found(r)
			continue
		}
		for _, arn := range f.Layers {
			l, known := in.Estate.Layer(arn)
			switch {
			case !known || l.CodeSHA256 == "":
				if r.Outcome != lamina.Fail {
					r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "who signed "+arn+" is not known", "the layer version was not described", "allow lambda:GetLayerVersion to the collector, and to the account on the layer"
				}
			case l.SigningProfileVersionARN == "":
				r.Outcome, r.Detail = lamina.Fail, "it loads a layer that nobody signed"
				r.Evidence = append(r.Evidence, "unsigned: "+arn)
			case !slices.Contains(c.AllowedPublishers, l.SigningProfileVersionARN):
				r.Outcome, r.Detail = lamina.Fail, "it loads a layer signed by a profile that it does not allow"
				r.Evidence = append(r.Evidence, "signed by "+l.SigningProfileVersionARN+": "+arn)
			}
		}
		if r.Outcome == lamina.Fail {
			r.Reason, r.Settle = "", ""
		}
		found(r)
	}
}
