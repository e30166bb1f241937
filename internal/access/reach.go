package access

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// A Jewel is a kind of thing that is worth having, the more the higher.
type Jewel int

// The jewels.
const (
	Messages       Jewel = iota // send to queues, topics and buses
	Roles                       // act as other roles, or change other functions' code
	Data                        // read or write stored data
	Secrets                     // read secrets
	Administration              // grant oneself anything in the account
	jewels
)

func (j Jewel) String() string {
	return [...]string{"messages to other systems", "other roles or functions", "stored data", "secrets", "administration of the account"}[j]
}

// A Level says how much of a jewel a principal reaches.
type Level int

// The levels.
const (
	None    Level = iota
	Perhaps       // it depends on what is not known
	Named         // what its policies name
	Any           // all of the account
)

// A Reach is how far a principal gets, by Jewel. It rests on the principal's
// own policies and those above it: policies of buckets, keys and secrets are
// not asked.
type Reach [jewels]Level

// A probe is a call on something that no policy names; ACCOUNT, REGION and
// PARTITION stand for what they say.
type probe struct{ action, resource string }

func partitionOf(arn string) string {
	if a, err := lamina.ParseARN(arn); err == nil {
		return a.Partition
	}
	return "aws"
}

func fill(resource string, p lamina.Principal, region string) string {
	resource = strings.Replace(resource, "PARTITION", partitionOf(p.ARN), 1)
	return strings.Replace(strings.Replace(resource, "REGION", region, 1), "ACCOUNT", p.Account, 1)
}

// probes are the calls that each jewel takes.
var probes = [jewels][]probe{
	Messages: {
		{"sqs:SendMessage", "arn:PARTITION:sqs:REGION:ACCOUNT:" + Canary},
		{"sns:Publish", "arn:PARTITION:sns:REGION:ACCOUNT:" + Canary},
		{"events:PutEvents", "arn:PARTITION:events:REGION:ACCOUNT:event-bus/" + Canary},
	},
	Roles: {
		{"sts:AssumeRole", "arn:PARTITION:iam::ACCOUNT:role/" + Canary},
		{"lambda:UpdateFunctionCode", "arn:PARTITION:lambda:REGION:ACCOUNT:function:" + Canary},
	},
	Data: {
		{"s3:GetObject", "arn:PARTITION:s3:::" + Canary + "/1"},
		{"s3:PutObject", "arn:PARTITION:s3:::" + Canary + "/1"},
		{"dynamodb:GetItem", "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/" + Canary},
		{"dynamodb:Query", "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/" + Canary},
		{"dynamodb:Scan", "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/" + Canary},
		{"dynamodb:PutItem", "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/" + Canary},
		{"rds-data:ExecuteStatement", "arn:PARTITION:rds:REGION:ACCOUNT:cluster:" + Canary},
	},
	Secrets: {
		{"secretsmanager:GetSecretValue", "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:" + Canary},
		{"ssm:GetParameter", "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/" + Canary},
		{"ssm:GetParameters", "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/" + Canary},
		{"ssm:GetParametersByPath", "arn:PARTITION:ssm:REGION:ACCOUNT:parameter/" + Canary},
	},
	Administration: {
		{"iam:AttachRolePolicy", "arn:PARTITION:iam::ACCOUNT:role/" + Canary},
		{"iam:PutRolePolicy", "arn:PARTITION:iam::ACCOUNT:role/" + Canary},
		{"iam:UpdateAssumeRolePolicy", "arn:PARTITION:iam::ACCOUNT:role/" + Canary},
		{"iam:AttachUserPolicy", "arn:PARTITION:iam::ACCOUNT:user/" + Canary},
		{"iam:PutUserPolicy", "arn:PARTITION:iam::ACCOUNT:user/" + Canary},
		{"iam:CreateAccessKey", "arn:PARTITION:iam::ACCOUNT:user/" + Canary},
		{"iam:CreatePolicyVersion", "arn:PARTITION:iam::ACCOUNT:policy/" + Canary},
	},
}

// reachOf probes what the principal gets at in a region.
func reachOf(s *iam.Subject, p lamina.Principal, region string) Reach {
	var out Reach
	some := iam.NewObject(iam.Resource{Account: p.Account, OtherTags: iam.Absent()}, nil)
	keys, global := direct(region), direct("us-east-1") // IAM answers there
	for j, list := range probes {
		k := keys
		if Jewel(j) == Administration {
			k = global
		}
		for _, call := range list {
			if out[j] == Any {
				break
			}
			out[j] = max(out[j], level(s, call.action, fill(call.resource, p, region), some, k))
		}
	}
	return out
}

func level(s *iam.Subject, action, canary string, some *iam.Object, keys iam.Keys) Level {
	all := &iam.Request{Subject: s, Action: action, Object: iam.NewObject(iam.Resource{ARN: canary, Account: some.Account, OrgID: some.OrgID, OtherTags: iam.Absent()}, nil), Keys: keys}
	if all.Decide() == iam.Allow {
		return Any
	}
	q := &iam.Request{Subject: s, Action: action, Object: some, Keys: keys}
	if q.Decide() == iam.Deny {
		return None
	}
	if d := q.Evaluate(); d.Result == iam.Allow || d.Residue.Holds(iam.Need.OfResource) {
		return Named
	}
	return Perhaps
}

// Most is the highest jewel that is reached for certain, and whether there is one.
func (r Reach) Most() (Jewel, bool) {
	for j, l := range slices.Backward(r[:]) {
		if l >= Named {
			return Jewel(j), true
		}
	}
	return 0, false
}

// Beyond returns what r reaches and of does not: the highest jewel that it
// reaches for certain, or else perhaps, and how far.
func (r Reach) Beyond(of Reach) (Jewel, Level) {
	if of[Administration] == Any {
		return 0, None // an administrator can grant itself the rest
	}
	for _, least := range []Level{Named, Perhaps} {
		for j, l := range slices.Backward(r[:]) {
			if l >= least && of[j] < Any {
				return Jewel(j), l
			}
		}
	}
	return 0, None
}
