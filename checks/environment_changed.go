package checks

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// EnvironmentChanged finds what no record of CloudTrail shows.
var EnvironmentChanged = posture.Check{
	ID:          "environment-changed",
	Ref:         "RUN-06",
	Title:       "variable that loads code was set since the earlier snapshot",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574.006", "T1578.005"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Earlier},
	Remediation: "ask who deployed the function then, and take the variable away unless they meant it",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         environmentChanged,
}

func environmentChanged(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		before, ok := in.Earlier.Function(f.ARN)
		if !ok || f.Version != "$LATEST" {
			continue
		}
		if reason := cmp.Or(f.EnvironmentError, before.EnvironmentError); reason != "" {
			found(posture.Result{
				Outcome: lamina.Unknown, Resource: f.ARN, Detail: "its environment is not known",
				Reason: "AWS could not decrypt it: " + reason, Settle: "allow kms:Decrypt on the function's key to the collector, or ask its owner",
			})
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "no variable that loads code was set or changed"}
		for _, name := range slices.Sorted(maps.Keys(f.Environment)) {
			value := f.Environment[name] // kept of variables that load code, and of no others
			if old, was := before.Environment[name]; value == "" || was && old == value {
				continue
			} else if was {
				r.Evidence = append(r.Evidence, "before: "+name+"="+old)
			}
			r.Outcome = lamina.Fail
			r.Evidence = append(r.Evidence, "environment: "+name+"="+value)
			if strings.Contains(value, "/opt/") {
				r.Severity = lamina.High
			}
		}
		if r.Outcome == lamina.Fail {
			r.Detail = "variables that load code changed between " + posture.Minute(in.Earlier.Snapshot.Taken) + " and " + posture.Minute(in.Estate.Snapshot.Taken)
			if !f.LastModified.IsZero() {
				r.Evidence = append(r.Evidence, "last modified: "+posture.Minute(f.LastModified))
			}
		}
		found(r)
	}
}
