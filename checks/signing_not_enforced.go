package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SigningNotEnforced finds functions whose code signing configuration refuses nothing.
var SigningNotEnforced = posture.Check{
	ID:          "signing-not-enforced",
	Ref:         "INT-02",
	Title:       "code signing of a function only warns",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1553.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	Needs:       append(posture.ListFunctions, "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig"),
	Lists:       posture.ListFunctions,
	Remediation: "set UntrustedArtifactOnDeployment to Enforce once every layer of the function is signed",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         signingNotEnforced,
}

func signingNotEnforced(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" || f.PackageType == "Image" {
			continue
		}
		if missing, ok := in.Missing(f.Account, f.Region, f.ARN, "lambda:GetFunctionCodeSigningConfig"); ok {
			missing.Detail = "whether it checks signatures is not known"
			found(missing)
			continue
		}
		if f.CodeSigningConfigARN == "" {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: f.ARN, Detail: "it has no code signing configuration"})
			continue
		}
		c, ok := in.Estate.CodeSigningConfig(f.CodeSigningConfigARN)
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "untrusted code is refused", Evidence: []string{"code signing configuration: " + f.CodeSigningConfigARN}}
		switch {
		case !ok:
			r.Outcome, r.Detail = lamina.Unknown, "what its code signing configuration says is not known"
			r.Reason, r.Settle = "the configuration was not read", "allow lambda:GetCodeSigningConfig to the collector in "+f.Account
		case c.UntrustedArtifact != "Enforce":
			r.Outcome, r.Detail = lamina.Fail, "untrusted code and layers are let through with a warning"
		}
		found(r)
	}
}
