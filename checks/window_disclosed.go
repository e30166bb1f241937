package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// WindowDisclosed says which layers count as disclosed.
var WindowDisclosed = posture.Check{
	ID:          "window-disclosed",
	Ref:         "WIN-03",
	Title:       "content of the layer version counts as disclosed",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Lists:       posture.ListLayers,
	Beside:      []posture.Data{posture.Logs},
	Remediation: "replace every credential that is or was in it, and take what else it holds as known outside",
	NoFix:       "a credential is replaced where it is issued, which no call of Lambda does",
	Run:         windowDisclosed,
}

func windowDisclosed(in posture.Input, found func(posture.Result)) {
	for _, l := range in.SharedLayers() {
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "nobody outside the organisation could fetch it in the time of the logs"}
		for _, w := range l.Windows {
			if w.Outside() {
				r.Outcome = lamina.Fail
				r.Detail = w.Reach() + " could fetch it: whether anybody outside did is not observable"
				r.Evidence = append(r.Evidence, w.String())
			}
		}
		for _, f := range in.Contents[l.ARN].Findings {
			if r.Outcome == lamina.Fail && f.Outcome == lamina.Fail && f.Severity.Rank() >= lamina.High.Rank() {
				r.Severity = lamina.High
				r.Evidence = append(r.Evidence, "content: "+f.ID+" "+f.Check)
			}
		}
		switch {
		case r.Outcome == lamina.Fail:
			r.Evidence = posture.Calls(r.Evidence)
		case l.Unknown != nil:
			r = *l.Unknown
		case !in.Log.Covers(l.Account, l.Region):
			continue // the runner says what was not logged
		}
		found(r)
	}
}
