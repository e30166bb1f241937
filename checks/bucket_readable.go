package checks

import (
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// BucketReadable finds buckets of layers that others may read.
var BucketReadable = posture.Check{
	ID:          "bucket-readable",
	Ref:         "EXP-09",
	Title:       "bucket of a referenced layer can be read from outside the organisation",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1530"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-self-managed-storage.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock"),
	Lists:       posture.ListLayers,
	Remediation: "take outsiders out of the bucket's policy, and turn its public access block on: whoever reads the object needs no grant of the layer",
	NoFix:       "changing the policy of a bucket that other things use is for its owner",
	Run:         bucketReadable,
}

// readsObject are the calls that give what a layer refers to.
var readsObject = []string{"s3:GetObject", "s3:GetObjectVersion"}

func bucketReadable(in posture.Input, found func(posture.Result)) {
	for _, s := range in.Stores(found) {
		l := s.Layers[0]
		if m, missing := in.Missing(l.Account, l.Region, s.Bucket.Name, "s3:GetBucketPublicAccessBlock"); missing {
			m.Resource, m.Detail = s.Resource(), "whether its policy can open it to everyone is not known"
			found(m)
			continue
		}
		found(readable(in, s))
	}
}

// readable asks the bucket's policy about everyone, and about each account
// outside ours that it names.
func readable(in posture.Input, s posture.Stored) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: s.Resource(), Detail: "its policy lets nobody outside read its objects", Evidence: []string{"layers: " + strconv.Itoa(len(s.Layers))}}
	if s.Bucket.Policy == "" {
		return r
	}
	policy, err := iam.Parse([]byte(s.Bucket.Policy))
	if err != nil {
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "its policy is not understood", err.Error(), "the document as S3 holds it"
		return r
	}
	object := iam.NewObject(
		iam.Resource{ARN: "arn:aws:s3:::" + s.Bucket.Name + "/" + s.Layers[0].Reference.Key, Account: s.Bucket.Account},
		iam.Compile(iam.Document{Policy: policy, Edge: iam.ResourcePolicy, Name: s.Bucket.Name}),
	)
	worse := func(who string, subject *iam.Subject) {
		switch answer, why := posture.Any(subject, object, readsObject...); {
		case answer == iam.Allow:
			if r.Outcome != lamina.Fail {
				r.Outcome, r.Reason, r.Settle = lamina.Fail, "", ""
				r.Detail = who + " may read what " + posture.Count(len(s.Layers), "layer version") + " of ours hold"
			}
			r.Evidence = append(r.Evidence, "may read: "+who)
		case answer == iam.Unknown && r.Outcome == lamina.Pass:
			r.Outcome, r.Detail = lamina.Unknown, "whether "+who+" may read its objects is not known"
			r.Reason, r.Settle = why, "decide what the conditions named leave open"
		}
	}
	if !s.Bucket.PublicAccessBlocked { // or AWS ignores what the policy says of everyone
		worse("any account", posture.Stranger())
	}
	for _, account := range strangers(in, policy) {
		worse("account "+account, posture.Outsider(account))
	}
	return r
}

// strangers are the accounts outside ours that the policy's statements name,
// sorted.
func strangers(in posture.Input, policy *iam.Policy) []string {
	var out []string
	for _, st := range policy.Statements {
		for _, p := range st.Principals {
			account := posture.Principal(p.ID)
			if p.Kind == "AWS" && len(account) == len("111122223333") && !in.Estate.Org.Ours(account) {
				out = append(out, account)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
