package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/posture"
)

// EndpointOpen finds endpoints through which data reaches strangers' accounts.
var EndpointOpen = posture.Check{
	ID:          "endpoint-open",
	Ref:         "NET-03",
	Title:       "endpoint of a function's VPC lets data out to any account",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1567"},
	Citation:    "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
	Needs:       []string{"ec2:DescribeVpcEndpoints"},
	Uses:        []string{"lambda:ListFunctions", "ec2:DescribeSubnets"},
	Lists:       []string{"lambda:ListFunctions", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints"},
	Remediation: "give the endpoint a policy that allows resources of your organisation and named accounts only",
	NoFix:       "what passes an endpoint is known to those who run the network: lamina guardrails prints a policy",
	Run: func(in posture.Input, found func(posture.Result)) {
		endpoints(in, found, "a call about a stranger's account passes", map[string][2]string{
			"lambda": {"lambda:InvokeFunction", "arn:aws:lambda:us-east-1:999999999999:function:lamina-canary"},
			"s3":     {"s3:PutObject", "arn:aws:s3:::lamina-canary/x"},
			"sts":    {"sts:AssumeRole", "arn:aws:iam::999999999999:role/lamina-canary"},
		})
	},
}

// endpoints tries a call through the endpoints of each service.
func endpoints(in posture.Input, found func(posture.Result), passes string, calls map[string][2]string) {
	for _, e := range in.Estate.Snapshot.VPCEndpoints {
		service := e.Service[strings.LastIndexByte(e.Service, '.')+1:]
		call, ok := calls[service]
		if !ok {
			continue
		}
		r := posture.Result{
			Outcome: lamina.Pass, Resource: "arn:*:ec2:" + e.Region + ":" + e.Account + ":vpc-endpoint/" + e.ID, Detail: "its policy stops " + call[0] + " on a stranger's resource",
			Evidence: []string{"service: " + e.Service, "VPC: " + e.VPC},
		}
		switch result, why := posture.Through(e, call[0], call[1]); result {
		case iam.Allow:
			r.Outcome, r.Detail = lamina.Fail, passes+": "+call[0]
		case iam.Unknown:
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether its policy stops "+call[0]+" on a stranger's resource is not known", why, "decide what the conditions named leave open"
		case iam.Deny:
		}
		found(r)
	}
}
