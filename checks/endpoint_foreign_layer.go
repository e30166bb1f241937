package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// EndpointForeignLayer finds endpoints through which foreign layers come in.
var EndpointForeignLayer = posture.Check{
	ID:          "endpoint-foreign-layer",
	Ref:         "GRD-09",
	Title:       "endpoint of Lambda lets foreign layers in",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-endpoints.html",
	Needs:       []string{"ec2:DescribeVpcEndpoints"},
	Uses:        []string{"lambda:ListFunctions", "ec2:DescribeSubnets"},
	Lists:       []string{"lambda:ListFunctions", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints"},
	Remediation: "have the endpoint's policy allow lambda:GetLayerVersion on layers of your organisation and named publishers only",
	NoFix:       "what passes an endpoint is known to those who run the network: lamina guardrails prints a policy",
	Run: func(in posture.Input, found func(posture.Result)) {
		endpoints(in, found, "a stranger's layer passes", map[string][2]string{"lambda": {"lambda:GetLayerVersion", strangeLayer}})
	},
}
