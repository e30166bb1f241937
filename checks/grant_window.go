package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GrantWindow says from when to when each layer version could be read.
var GrantWindow = posture.Check{
	ID:          "grant-window",
	Ref:         "WIN-01",
	Title:       "layer version could be read from outside the organisation for a time",
	Since:       "0.1",
	Severity:    lamina.Info,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Lists:       posture.ListLayers,
	Beside:      []posture.Data{posture.Logs},
	Remediation: "nothing by itself: the times say which of the other findings reach back, and how far",
	NoFix:       "what was granted in the past cannot be taken back",
	Run:         grantWindow,
}

func grantWindow(in posture.Input, found func(posture.Result)) {
	for _, l := range in.SharedLayers() {
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "nobody outside the organisation could read it in the time of the logs"}
		for _, w := range l.Windows {
			r.Evidence = append(r.Evidence, w.String())
			if w.Outside() {
				r.Outcome, r.Detail = lamina.Fail, "it could be read from outside the organisation: by "+w.Reach()
			}
		}
		switch {
		case r.Outcome == lamina.Fail:
		case l.Unknown != nil:
			r = *l.Unknown
		case !in.Log.Covers(l.Account, l.Region):
			continue // the runner says what was not logged
		}
		found(r)
	}
}
