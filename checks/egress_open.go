package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// EgressOpen finds functions in a VPC that holds nothing back.
var EgressOpen = posture.Check{
	ID:          "egress-open",
	Ref:         "NET-02",
	Title:       "function in a VPC can send anywhere",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1567"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html",
	Needs:       posture.ListFunctions,
	Uses:        posture.Networks,
	Lists:       posture.ListFunctions,
	Remediation: "let the function's security group send to what it needs only, or route through a firewall",
	NoFix:       "what a function must reach is its owner's to say",
	Run:         egressOpen,
}

func egressOpen(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" {
			continue
		}
		if len(f.Subnets) == 0 {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: f.ARN, Detail: "it runs in no VPC"})
			continue
		}
		found(in.Egress(f))
	}
}
