package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// TrailIntegrity finds trails whose files can be changed without a trace.
var TrailIntegrity = posture.Check{
	ID:          "trail-integrity",
	Ref:         "VIS-03",
	Title:       "trail's files can be changed unnoticed",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1562.008"},
	Citation:    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html",
	Needs:       []string{"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus"},
	Lists:       []string{"cloudtrail:DescribeTrails"},
	Remediation: "turn on log file validation, and keep the bucket in an account of its own, with object lock",
	NoFix:       "a trail belongs to the organisation's administrator",
	Run:         trailIntegrity,
}

func trailIntegrity(in posture.Input, found func(posture.Result)) {
	for _, t := range in.Estate.Snapshot.Trails {
		if missing, ok := in.Missing(t.Account, t.HomeRegion, t.ARN, "cloudtrail:GetTrailStatus"); ok {
			missing.Detail = "whether the trail is on is not known"
			found(missing)
			continue
		}
		if !t.Logging {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: t.ARN, Detail: "the trail is off"})
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: t.ARN, Detail: "digests tell whether its files were changed", Evidence: []string{"bucket: " + t.Bucket}}
		if !t.LogValidation {
			r.Outcome, r.Detail = lamina.Fail, "it writes no digests: a file that was changed or taken away looks like any other"
		}
		found(r)
	}
}
