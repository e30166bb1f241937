package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// InspectorOff finds regions whose functions Inspector does not scan.
var InspectorOff = posture.Check{
	ID:          "inspector-off",
	Ref:         "VIS-06",
	Title:       "Amazon Inspector does not scan functions",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Citation:    "https://docs.aws.amazon.com/inspector/latest/user/scanning-lambda.html",
	Needs:       []string{"inspector2:BatchGetAccountStatus"},
	Uses:        append([]string{"lambda:ListLayers", "lambda:ListFunctions", "inspector2:ListCoverage"}, posture.Delegated...),
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "turn on Inspector's scanning of Lambda functions in the region",
	NoFix:       "the service costs money and belongs to the organisation's administrator",
	Run:         inspectorOff,
}

func inspectorOff(in posture.Input, found func(posture.Result)) {
	out := map[string][]string{} // by place
	for _, u := range in.Estate.Snapshot.Unscanned {
		a, err := lamina.ParseARN(u.Function)
		if f, ok := in.Estate.Function(u.Function); err != nil || ok && len(f.Layers) == 0 {
			continue
		}
		place := posture.Place{Account: a.Account, Region: a.Region}.Resource()
		out[place] = append(out[place], "left out: "+u.Function+" ("+leftOut(u.Reason)+")")
	}
	in.Watched(func(r posture.Result) {
		if r.Outcome == lamina.Pass {
			r = whole(in, r, out[r.Resource])
		}
		found(r)
	}, "inspector2:LAMBDA", "inspector2:BatchGetAccountStatus")
}

// whole is r, a Pass, unless Inspector leaves out functions that load layers.
func whole(in posture.Input, r posture.Result, out []string) posture.Result {
	a, err := lamina.ParseARN(r.Resource)
	if err != nil {
		return r
	}
	if missing, ok := in.Missing(a.Account, a.Region, r.Resource, "inspector2:ListCoverage"); ok && len(out) == 0 {
		missing.Detail = "it is on, and which functions it leaves out is not known"
		return missing
	}
	if missing, ok := in.Missing(a.Account, a.Region, r.Resource, "lambda:ListFunctions"); ok && len(out) > 0 {
		missing.Detail, missing.Evidence = "it is on, and whether the functions that it leaves out load layers is not known", out[:1]
		return missing
	}
	if len(out) > 0 {
		r.Outcome, r.Severity, r.Detail = lamina.Fail, lamina.Low, "it is on, and leaves out "+posture.Count(len(out), "function")+" with layers"
		r.Evidence = append(r.Evidence, out[:min(len(out), 5)]...)
		if n := len(out) - 5; n > 0 {
			r.Evidence = append(r.Evidence, "left out: "+posture.Count(n, "function")+" more")
		}
	}
	return r
}

// leftOut is why Inspector leaves a function out
// (https://docs.aws.amazon.com/inspector/latest/user/scanning-lambda.html).
func leftOut(reason string) string {
	switch reason {
	case "EXCLUDED_BY_TAG":
		return "its tag InspectorExclusion"
	case "SCAN_ELIGIBILITY_EXPIRED":
		return "nobody invoked or changed it for 90 days"
	case "UNSUPPORTED_RUNTIME":
		return "its runtime"
	case "ACCESS_DENIED_TO_ENCRYPTION_KEY":
		return "the key of its code"
	}
	return reason
}
