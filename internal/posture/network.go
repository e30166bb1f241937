package posture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// Networks are the IAM actions that tell where functions can send.
var Networks = []string{"ec2:DescribeSubnets", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups"}

// anywhere are the destinations of a security group that leave nothing out.
var anywhere = []string{"0.0.0.0/0", "::/0"}

// Egress says whether the function can send to the internet: Fail when it can,
// Pass when it cannot, Unknown when that is not known, with the reason. Ports and
// network access lists are not looked at.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
func (in Input) Egress(f lamina.Function) Result {
	r := Result{Outcome: lamina.Fail, Resource: f.ARN, Detail: "it runs in no VPC and reaches the whole internet", Evidence: []string{"subnets: none"}}
	if len(f.Subnets) == 0 {
		return r
	}
	if missing, ok := in.Missing(f.Account, f.Region, f.ARN, Networks...); ok {
		missing.Detail = "where its network lets it send is not known"
		return missing
	}
	r = Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "its network has no way to the internet"}
	open := false
	for _, id := range f.SecurityGroups {
		group, listed := in.Estate.SecurityGroup(id)
		if !listed {
			return unlisted(f, "security group "+id)
		}
		for _, to := range group.Egress {
			if slices.Contains(anywhere, to) {
				open = true
				r.Evidence = append(r.Evidence, "security group: "+id+" to "+to)
			}
		}
	}
	if !open {
		r.Detail = "its security groups let it send to named destinations only"
		return r
	}
	for _, id := range f.Subnets {
		subnet, listed := in.Estate.Subnet(id)
		if !listed {
			return unlisted(f, "subnet "+id)
		}
		for _, to := range subnet.DefaultRoutes {
			evidence := fmt.Sprintf("default route of %s: %s", id, to)
			switch kind, _, _ := strings.Cut(to, "-"); kind {
			case "nat", "eigw":
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Fail, "its VPC lets it send anywhere on the internet", "", ""
				r.Evidence = append(r.Evidence, evidence)
			case "igw":
				if r.Outcome == lamina.Pass { // a function has no public address of IPv4
					r.Outcome, r.Detail = lamina.Unknown, "whether it reaches the internet over IPv6 is not known"
					r.Reason, r.Settle = evidence+" serves functions in dual-stack subnets only", "whether the function may use IPv6 in its VPC"
				}
			default:
				if r.Outcome == lamina.Pass {
					r.Outcome, r.Detail = lamina.Unknown, "where its default route leads is not known"
					r.Reason, r.Settle = evidence+" leads into another network", "the routes and firewalls behind "+to
				}
			}
		}
	}
	return r
}

func unlisted(f lamina.Function, what string) Result {
	return Result{
		Outcome: lamina.Unknown, Resource: f.ARN, Detail: "where its network lets it send is not known", Reason: what + " was not listed",
		Settle: "collect the account that owns it, or see whether it still exists",
	}
}

// Through simulates an administrator of the endpoint's account who makes a call
// through the endpoint about a resource of an account that nobody knows, which
// lets everyone in. What is denied, the endpoint's policy denies.
func Through(e lamina.VPCEndpoint, action, resource string) (iam.Result, string) {
	everything := iam.Statement{Index: 1, Line: 1, Effect: iam.EffectAllow, Actions: []string{"*"}, Resources: []string{"*"}}
	open := everything
	open.Principals = []iam.Principal{{Kind: "*", ID: "*"}}
	policy := &iam.Policy{Version: "2012-10-17", Statements: []iam.Statement{open}} // an endpoint without a policy of its own
	if e.Policy != "" {
		var err error
		if policy, err = iam.Parse([]byte(e.Policy)); err != nil {
			policy = iam.Unreadable(err.Error())
		}
	}
	subject := iam.NewSubject(
		iam.Caller{ARN: "arn:aws:iam::" + e.Account + ":role/" + Canary, OtherTags: iam.Absent()},
		iam.Compile(iam.Document{Policy: &iam.Policy{Version: "2012-10-17", Statements: []iam.Statement{everything}}, Edge: iam.Identity, Name: Canary}),
	)
	object := iam.NewObject(
		iam.Resource{ARN: resource, Account: "999999999999", OrgID: iam.Is("o-stranger00"), OtherTags: iam.Absent()},
		iam.Compile(iam.Document{Policy: &iam.Policy{Version: "2012-10-17", Statements: []iam.Statement{open}}, Edge: iam.ResourcePolicy, Name: "stranger"}),
	)
	d := (&iam.Request{Subject: subject, Action: action, Object: object, Endpoint: iam.Compile(iam.Document{Policy: policy, Edge: iam.Endpoint, Name: e.ID})}).Evaluate()
	if d.Result == iam.Unknown {
		return d.Result, d.Residue.String()
	}
	return d.Result, ""
}

// Watched says of each place with layers or functions whether a feature of a
// service is on there.
func (in Input) Watched(found func(Result), feature string, actions ...string) {
	on := map[Place]bool{}
	for _, s := range in.Estate.Snapshot.Services {
		if s.Feature == feature {
			on[Place{s.Account, s.Region}] = s.Enabled
		}
	}
	for _, p := range in.Places() {
		if missing, ok := in.Missing(p.Account, p.Region, p.Resource(), actions...); ok {
			missing.Detail = "whether it is on is not known"
			found(missing)
			continue
		}
		r := Result{Outcome: lamina.Pass, Resource: p.Resource(), Detail: "it is on", Evidence: []string{"feature: " + feature}}
		if !on[p] {
			r.Outcome, r.Detail = lamina.Fail, "it is off"
		}
		service, _, _ := strings.Cut(feature, ":")
		found(in.Administered(r, service+".amazonaws.com"))
	}
}

// Administered is r, a Pass that a service of AWS watches, unless the account that
// administers the service for the organisation is no longer active: nobody hears
// then what it finds. service is its service principal. Where AWS Organizations was
// not asked, nothing is said of that.
func (in Input) Administered(r Result, service string) Result {
	s := in.Estate.Snapshot
	if r.Outcome != lamina.Pass || s.OrgID == "" {
		return r
	}
	for _, action := range Delegated {
		switch m, missing := in.Estate.Missing("", "", action, ""); {
		case missing && m.Unasked:
			return r
		case missing:
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, r.Detail+", and who administers it is not known", m.Why(), m.Settle()
			return r
		}
	}
	delegated := false
	for _, a := range s.Accounts {
		if !slices.Contains(a.Delegated, service) {
			continue
		}
		delegated = true
		r.Evidence = append(r.Evidence, "administrator: "+a.ID)
		if a.Status != "" && a.Status != "ACTIVE" {
			r.Outcome, r.Detail = lamina.Fail, r.Detail+", and the account that administers it is "+strings.ToLower(strings.ReplaceAll(a.Status, "_", " "))
		}
	}
	if !delegated {
		r.Evidence = append(r.Evidence, "administrator: none is delegated")
	}
	return r
}
