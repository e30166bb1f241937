package checks

import (
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// URLForeignLayer finds foreign code behind an open door.
var URLForeignLayer = posture.Check{
	ID:          "url-foreign-layer",
	Ref:         "NET-04",
	Title:       "function that anyone may call over HTTP loads a foreign layer",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1190"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
	Needs:       append(posture.ListFunctions, "lambda:ListFunctionUrlConfigs"),
	Uses:        []string{"lambda:ListAliases"},
	Lists:       posture.ListFunctions,
	Remediation: "demand AWS_IAM of the URL, or take the layer in-house",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         urlForeignLayer,
}

func urlForeignLayer(in posture.Input, found func(posture.Result)) {
	public := map[string][]lamina.Function{}
	for _, u := range in.ForeignUses() {
		for _, f := range u.Functions {
			public[f.ARN] = append(public[f.ARN], f)
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(public)) {
		f := public[arn][0]
		whole := posture.Whole(in.Estate, f)
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "it has no URL that is open to all"}
		leads := estate.Qualifiers(whole, f.Version)
		for _, u := range whole.URLs {
			if u.AuthType == "NONE" && slices.Contains(leads, u.Qualifier) {
				r.Outcome, r.Detail = lamina.Fail, "it runs a layer that is not ours and answers anyone"
				r.Evidence = []string{"function URL: AuthType NONE"}
				for _, l := range f.Layers {
					if _, foreign := in.Foreign(l); foreign {
						r.Evidence = append(r.Evidence, "foreign layer: "+l)
					}
				}
			}
		}
		if missing, ok := in.Missing(f.Account, f.Region, whole.ARN, "lambda:ListFunctionUrlConfigs", "lambda:ListAliases"); ok && r.Outcome != lamina.Fail {
			missing.Resource, missing.Detail = f.ARN, "whether it has a URL is not known"
			r = missing
		}
		found(r)
	}
}
