package checks

import (
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// BucketWritable finds buckets of layers that more than a pipeline can change.
var BucketWritable = posture.Check{
	ID:          "bucket-writable",
	Ref:         "INT-08",
	Title:       "object that a layer refers to can be replaced or deleted",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1525", "T1485"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-self-managed-storage.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion", "s3:GetBucketPolicy"),
	Uses:        append([]string{"iam:GetAccountAuthorizationDetails"}, posture.ServiceControl...),
	Lists:       posture.ListLayers,
	Remediation: "let one pipeline role write the bucket, and nobody delete object versions",
	NoFix:       "changing the policy of a bucket that other things use is for its owner",
	Run:         bucketWritable,
}

// changesObject are the calls that replace or take away what a layer refers to.
var changesObject = []string{"s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"}

// maxWriters is how many of those who may the evidence names.
const maxWriters = 10

func bucketWritable(in posture.Input, found func(posture.Result)) {
	writers := map[string][]*iam.Subject{} // by account, without administrators
	for _, s := range in.Stores(found) {
		account := s.Bucket.Account
		r := posture.Result{Outcome: lamina.Pass, Resource: s.Resource(), Detail: "at most one role besides administrators can change its objects"}
		policy := &iam.Policy{}
		if s.Bucket.Policy != "" {
			var err error
			if policy, err = iam.Parse([]byte(s.Bucket.Policy)); err != nil {
				policy = iam.Unreadable(err.Error())
			}
		}
		object := iam.NewObject(
			iam.Resource{ARN: "arn:aws:s3:::" + s.Bucket.Name + "/" + s.Layers[0].Reference.Key, Account: account},
			iam.Compile(iam.Document{Policy: policy, Edge: iam.ResourcePolicy, Name: s.Bucket.Name}),
		)
		outside, why := posture.Any(posture.Stranger(), object, changesObject...)
		if outside == iam.Allow {
			r.Outcome, r.Detail, r.Evidence = lamina.Fail, "its policy lets any account change its objects", []string{"policy: " + s.Bucket.Name}
			found(r)
			continue
		}
		if m, missing := in.Estate.Missing(account, "", "iam:GetAccountAuthorizationDetails", ""); missing {
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "who in the account can change its objects is not known", m.Why(), m.Settle()
			found(r)
			continue
		}
		if _, done := writers[account]; !done {
			writers[account] = in.Access().Plain(account)
		}
		able := 0
		for _, w := range writers[account] {
			switch answer, doubt := posture.Any(w, object, changesObject...); answer {
			case iam.Allow:
				able++
				r.Evidence = append(r.Evidence, "may change it: "+w.ARN)
			case iam.Unknown:
				outside, why = iam.Unknown, doubt
			case iam.Deny:
			}
		}
		switch {
		case able > 1:
			r.Outcome, r.Severity, r.Detail = lamina.Fail, lamina.Medium, strconv.Itoa(able)+" users and roles besides administrators can change its objects"
		case outside == iam.Unknown:
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "who can change its objects is not known", why, "decide what the conditions named leave open"
		}
		r.Evidence = r.Evidence[:min(len(r.Evidence), maxWriters)]
		found(r)
	}
}
