package checks

import (
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// TrailMissing finds accounts and regions whose layers change unseen.
var TrailMissing = posture.Check{
	ID:          "trail-missing",
	Ref:         "VIS-01",
	Title:       "changes of layers are not logged",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1562.008"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       []string{"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"},
	Uses:        []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "have a multi-region trail log read and write management events",
	NoFix:       "a trail costs money and belongs to the organisation: lamina guardrails prints one",
	Run:         trailMissing,
}

func trailMissing(in posture.Input, found func(posture.Result)) {
	for _, p := range in.Places() {
		r := posture.Result{Outcome: lamina.Fail, Resource: p.Resource(), Detail: "no trail that is on logs management events there", Evidence: []string{}}
		for _, t := range in.Estate.Snapshot.Trails {
			if !p.CoveredBy(t) {
				continue
			}
			switch logs := in.Estate.Logs(t); {
			case logs.Read && logs.Write:
				r.Outcome, r.Detail = lamina.Pass, "a trail logs what reads and what changes layers"
				r.Evidence = []string{"trail: " + t.ARN}
			case logs.Write && r.Outcome != lamina.Pass:
				r.Severity, r.Detail = lamina.Medium, "changes are logged, and who fetched a layer is not"
				r.Evidence = append(r.Evidence, "trail without read events: "+t.ARN)
			}
		}
		if r.Outcome == lamina.Fail {
			if m := in.Estate.Unread("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"); len(m) > 0 {
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether a trail logs there is not known", m[0].Why(), m[0].Settle()
			} else if len(r.Evidence) == 0 {
				r.Evidence = []string{fmt.Sprintf("trails: %d, none of them for this place", len(in.Estate.Snapshot.Trails))}
			}
		}
		found(r)
	}
}
