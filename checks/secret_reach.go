package checks

import (
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SecretReach says whose hands a credential is in.
var SecretReach = posture.Check{
	ID:          "secret-reach",
	Ref:         "TOX-08",
	Title:       "credential in a layer is handed to every function that loads it",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1552.001"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-layers.html",
	Needs:       posture.ListFunctions,
	Uses:        []string{"lambda:GetLayerVersion"},
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   secretAnalyzers,
	Remediation: "move the credential to AWS Secrets Manager, let only the role that needs it read it, and replace it",
	NoFix:       "a credential is replaced where it is issued, which no call of Lambda does",
	Run:         secretReach,
}

func secretReach(in posture.Input, found func(posture.Result)) {
	for _, arn := range loadedLayers(in) {
		failed, unknown, known := in.Inside(arn, secretAnalyzers...)
		switch {
		case len(failed) > 0:
			users := in.Estate.Users(arn)
			var roles, accounts []string
			for _, f := range users {
				roles, accounts = append(roles, f.Role), append(accounts, f.Account)
			}
			roles, accounts = slices.Compact(slices.Sorted(slices.Values(roles))), slices.Compact(slices.Sorted(slices.Values(accounts)))
			r := posture.Result{
				Outcome: lamina.Fail, Resource: arn,
				Detail: posture.Count(len(failed), "credential") + " in it, for " + posture.Count(len(users), "function") + " with " + posture.Count(len(roles), "role") + " in " + posture.Count(len(accounts), "account"),
			}
			r.Evidence = posture.Places(failed)
			for _, role := range roles[:min(len(roles), 5)] {
				r.Evidence = append(r.Evidence, "role: "+role)
			}
			if n := len(roles) - 5; n > 0 {
				r.Evidence = append(r.Evidence, "roles: "+strconv.Itoa(n)+" more")
			}
			found(r)
		case !known:
			found(unknown)
		default:
			found(posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "no credential was found in it"})
		}
	}
}
