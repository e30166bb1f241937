package checks

import (
	"slices"

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
	Uses:        []string{"s3:ListAllMyBuckets", "s3:GetBucketObjectLockConfiguration"},
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
			found(r)
			continue
		}
		found(bucketOf(in, t, r))
	}
}

// bucketOf is r, a Pass, unless files can be taken out of the trail's bucket by
// whoever administers an account that the trail logs: its own, and of the
// organisation's trail every one.
func bucketOf(in posture.Input, t lamina.Trail, r posture.Result) posture.Result {
	if missing, ok := in.Missing(t.Account, t.HomeRegion, t.Bucket, "s3:ListAllMyBuckets"); ok {
		missing.Resource, missing.Detail = t.ARN, "it writes digests; whose its bucket is, is not known"
		return missing
	}
	i := slices.IndexFunc(in.Estate.Snapshot.Buckets, func(b lamina.Bucket) bool { return b.Name == t.Bucket && b.Account != "" })
	switch {
	case i >= 0 && in.Estate.Snapshot.Buckets[i].Account == t.Account:
	case !t.Organization:
		r.Detail += ", and its bucket is another account's"
		return r
	case i < 0:
		r = posture.Result{
			Outcome: lamina.Unknown, Resource: t.ARN, Detail: "it writes digests; whether its bucket has object lock is not known",
			Reason: "bucket " + t.Bucket + " is of none of the accounts that were read", Settle: "collect the account that has it",
		}
		if m := in.Estate.Unread("s3:ListAllMyBuckets"); len(m) > 0 {
			r.Reason, r.Settle = "bucket "+t.Bucket+" is of none of the accounts that were read, and not of all could be: "+m[0].Why(), m[0].Settle()
		}
		return r
	}
	b := in.Estate.Snapshot.Buckets[i]
	missing, ok := in.Missing(b.Account, t.HomeRegion, t.Bucket, "s3:GetBucketObjectLockConfiguration")
	if b.Account != t.Account {
		r.Evidence = append(r.Evidence, "account of the bucket: "+b.Account)
	}
	switch {
	case b.ObjectLock:
		r.Detail += ", and its bucket has object lock"
	case ok:
		missing.Resource, missing.Detail = t.ARN, "it writes digests; whether its bucket has object lock is not known"
		return missing
	default:
		r.Outcome, r.Severity = lamina.Fail, lamina.Low
		r.Detail = "its bucket is in " + map[bool]string{true: "the", false: "an"}[b.Account == t.Account] + " account that it logs, without object lock: digests tell that a file is gone, and nothing keeps it from going"
	}
	return r
}
