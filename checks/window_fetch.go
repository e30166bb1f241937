package checks

import (
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// WindowFetch finds who of ours fetched a layer without using it.
var WindowFetch = posture.Check{
	ID:          "window-fetch",
	Ref:         "WIN-02",
	Title:       "account that does not use the layer version fetched it while it was shared",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1530"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersion.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy", "lambda:ListFunctions"),
	Lists:       append(posture.ListLayers, "lambda:ListFunctions"),
	Beside:      []posture.Data{posture.Logs},
	Remediation: "ask who fetched it and why; narrow the grant to the accounts that load the layer",
	NoFix:       "what was fetched cannot be taken back; removing the grant is for the checks about sharing",
	Run:         windowFetch,
}

func windowFetch(in posture.Input, found func(posture.Result)) {
	silent := silentRegions(in)
	for _, l := range in.SharedLayers() {
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "no account of ours fetched it, but to use it, in the time of the logs"}
		consumers := consumers(in, l)
		var strangers []string
		for _, e := range in.Log.About(l.ARN) {
			fetched := e.API == "GetLayerVersion" || e.API == "GetLayerVersionByArn"
			if e.Refused || !fetched && e.Function == "" || e.CallerAccount == l.Account || !in.Estate.Org.Ours(e.CallerAccount) {
				continue
			}
			what := "attached: "
			if fetched {
				what = "fetched: "
				if !consumers[e.CallerAccount] && !slices.Contains(strangers, e.CallerAccount) {
					strangers = append(strangers, e.CallerAccount)
				}
			}
			r.Evidence = append(r.Evidence, fmt.Sprintf("%s%s by %s, event %s", what, posture.Minute(e.At), e.Caller, e.ID))
		}
		switch {
		case len(strangers) > 0:
			slices.Sort(strangers)
			if m, missing := in.Missing(strangers[0], l.Region, l.ARN, "lambda:ListFunctions"); missing {
				m.Detail = "account " + strangers[0] + " fetched it, and whether a function there loads it is not known"
				m.Evidence = r.Evidence
				r = m
				break
			}
			r.Outcome, r.Detail = lamina.Fail, "account "+strangers[0]+" fetched it, and no function there loads it"
			if n := len(strangers) - 1; n > 0 {
				r.Detail = fmt.Sprintf("account %s and %d more fetched it, and no function there loads it", strangers[0], n)
			}
		case l.Unknown != nil:
			r = *l.Unknown
		case silent == nil, silent[l.Region]:
			continue // the runner says what was not logged, or not read
		}
		r.Evidence = posture.Calls(r.Evidence)
		found(r)
	}
}

// consumers are the accounts that load the layer version, or did by the logs.
func consumers(in posture.Input, l posture.SharedLayer) map[string]bool {
	accounts := map[string]bool{}
	for _, f := range in.Estate.Users(l.ARN) {
		accounts[f.Account] = true
	}
	for _, e := range in.Log.About(l.ARN) {
		if a, err := lamina.ParseARN(e.Function); err == nil {
			accounts[a.Account] = true
		}
	}
	return accounts
}

// silentRegions are those with a place that has functions and of which there are no
// records; nil when not all functions are known.
func silentRegions(in posture.Input) map[string]bool {
	if len(in.Estate.Unread("lambda:ListFunctions")) > 0 {
		return nil
	}
	out := map[string]bool{}
	for _, f := range in.Estate.Snapshot.Functions {
		if !in.Log.Covers(f.Account, f.Region) {
			out[f.Region] = true
		}
	}
	return out
}
