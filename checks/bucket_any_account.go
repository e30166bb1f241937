package checks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// BucketAnyAccount finds buckets of layers that let Lambda read for any account.
var BucketAnyAccount = posture.Check{
	ID:          "bucket-any-account",
	Ref:         "INT-09",
	Title:       "bucket of a referenced layer admits Lambda on behalf of any account",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1078.004"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-self-managed-storage.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion", "s3:GetBucketPolicy"),
	Lists:       posture.ListLayers,
	Remediation: "add a condition on aws:SourceAccount or aws:SourceArn, with accounts and layers of your own, to the statement",
	NoFix:       "changing the policy of a bucket that other things use is for its owner",
	Run:         bucketAnyAccount,
}

func bucketAnyAccount(in posture.Input, found func(posture.Result)) {
	for _, s := range in.Stores(found) {
		r := posture.Result{Outcome: lamina.Pass, Resource: s.Resource(), Detail: "its policy admits Lambda for accounts that it names, or not at all", Evidence: []string{"layers: " + strconv.Itoa(len(s.Layers))}}
		if s.Bucket.Policy == "" {
			r.Detail = "it has no policy"
			found(r)
			continue
		}
		policy, err := iam.Parse([]byte(s.Bucket.Policy))
		if err != nil {
			policy = iam.Unreadable(err.Error())
		}
		for _, st := range policy.Statements {
			toLambda := slices.ContainsFunc(st.Principals, func(p iam.Principal) bool {
				return p.Kind == "Service" && strings.HasPrefix(p.ID, "lambda.amazonaws.com")
			})
			if st.Effect != iam.EffectAllow || !toLambda || slices.ContainsFunc(st.Conditions, namesSource) {
				continue
			}
			r.Outcome, r.Detail = lamina.Fail, "its policy lets Lambda read on behalf of any account"
			r.Evidence = append(r.Evidence, "statement "+strconv.Itoa(st.Index)+": line "+strconv.Itoa(st.Line))
		}
		if p, ok := policy.Problem(); ok && r.Outcome == lamina.Pass {
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "its policy is not understood", p.String(), "the document as S3 holds it"
		}
		found(r)
	}
}

// namesSource reports whether the condition holds a service to accounts or
// resources that it names. A negated operator, or one that lets a call without
// the key through, names none.
func namesSource(c iam.Condition) bool {
	key, op := strings.ToLower(c.Key), strings.ToLower(c.Operator)
	return slices.Contains([]string{"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"}, key) &&
		!strings.Contains(op, "not") && !strings.HasSuffix(op, "ifexists") && !strings.HasPrefix(op, "forallvalues:") && op != "null" && !slices.Contains(c.Values, "*")
}
