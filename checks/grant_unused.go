package checks

import (
	"fmt"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GrantUnused finds grants inside the organisation that nobody uses.
var GrantUnused = posture.Check{
	ID:          "grant-unused",
	Ref:         "EXP-07",
	Title:       "grant to accounts of ours that none of them uses",
	Since:       "0.1",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/permissions-layer-cross-account.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Uses:        posture.ListFunctions,
	Lists:       append(posture.ListLayers, posture.ListFunctions...),
	Beside:      []posture.Data{posture.Logs},
	Remediation: "remove the statement: functions that load the version keep it",
	NoFix:       "a deployment that has not run yet may count on the grant: its owner decides",
	Run:         grantUnused,
}

// unusedAfter is how long a grant may wait for its first use.
const unusedAfter = 90 * 24 * time.Hour

func grantUnused(in posture.Input, found func(posture.Result)) {
	silent := silentRegions(in)
	for _, l := range in.SharedLayers() {
		if l.Unknown != nil {
			found(*l.Unknown)
			continue
		}
		inside := slices.DeleteFunc(slices.Clone(l.Windows), func(w posture.SharedWindow) bool { return w.Ending != history.Open || w.Outside() })
		if len(inside) == 0 {
			continue
		}
		r := posture.Result{Resource: l.ARN}
		for _, w := range inside {
			r.Evidence = append(r.Evidence, w.String())
		}
		since := in.Log.To.Add(-unusedAfter)
		young := slices.ContainsFunc(inside, func(w posture.SharedWindow) bool { return w.From.After(since) })
		switch {
		case used(in, l):
			r.Outcome, r.Detail = lamina.Pass, "an account of ours that it is granted to uses it"
		case young:
			r.Outcome, r.Detail = lamina.NotApplicable, "it was granted within 90 days"
		case silent == nil, silent[l.Region]:
			continue // the runner says what was not logged, or not read
		case in.Log.From.After(since):
			r.Outcome, r.Detail = lamina.Unknown, "whether it was fetched within 90 days is not known"
			r.Reason = fmt.Sprintf("the logs that were read cover %d of 90 days", int(in.Log.To.Sub(in.Log.From).Hours()/24))
			r.Settle = "give the logs of 90 days with --trail"
		default:
			r.Outcome, r.Detail = lamina.Fail, "no other account of ours loads it, and none fetched it within 90 days"
		}
		found(r)
	}
}

// used reports whether an account other than the owner's loads or fetched it.
func used(in posture.Input, l posture.SharedLayer) bool {
	for account := range consumers(in, l) {
		if account != l.Account {
			return true
		}
	}
	return slices.ContainsFunc(in.Log.About(l.ARN), func(e history.Entry) bool {
		return !e.Refused && (e.API == "GetLayerVersion" || e.API == "GetLayerVersionByArn") && e.CallerAccount != l.Account &&
			in.Estate.Org.Ours(e.CallerAccount) && in.Log.To.Sub(e.At) <= unusedAfter
	})
}
