package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// TrailSelectors finds trails that leave out what is done to layers.
var TrailSelectors = posture.Check{
	ID:          "trail-selectors",
	Ref:         "VIS-02",
	Title:       "trail leaves out events of Lambda",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1562.008"},
	Citation:    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html",
	Needs:       []string{"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"},
	Lists:       []string{"cloudtrail:DescribeTrails"},
	Remediation: "have the trail's selectors take in management events, read and write, of every service",
	NoFix:       "what a trail costs is its owner's to weigh",
	Run:         trailSelectors,
}

func trailSelectors(in posture.Input, found func(posture.Result)) {
	for _, t := range in.Estate.Snapshot.Trails {
		if missing, ok := in.Missing(t.Account, t.HomeRegion, t.ARN, "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"); ok {
			missing.Detail = "what the trail takes in is not known"
			found(missing)
			continue
		}
		if !t.Logging {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: t.ARN, Detail: "the trail is off"})
			continue
		}
		logs := in.Estate.Logs(t)
		r := posture.Result{Outcome: lamina.Pass, Resource: t.ARN, Detail: "it takes in what reads and what changes layers"}
		switch {
		case logs.Read && logs.Write:
		case logs.Write:
			r.Outcome, r.Detail = lamina.Fail, "it leaves out what reads layers: who fetched one is not logged"
		case logs.Read:
			r.Outcome, r.Detail = lamina.Fail, "it leaves out what changes layers"
		default:
			r.Outcome, r.Detail = lamina.Fail, "it leaves out every management event of Lambda"
		}
		if r.Outcome == lamina.Fail {
			r.Evidence = selectors(t)
		}
		found(r)
	}
}

// selectors are the trail's selectors as evidence.
func selectors(t lamina.Trail) []string {
	if len(t.Advanced) == 0 {
		if t.Management == "" {
			return []string{"selectors: no management events"}
		}
		return []string{"selectors: " + t.Management}
	}
	var out []string
	for _, s := range t.Advanced {
		var fields []string
		for _, f := range s.Fields {
			fields = append(fields, f.Field)
		}
		out = append(out, "selector "+s.Name+": "+strings.Join(fields, " "))
	}
	return out
}
