package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SecurityHubOff finds regions without Security Hub.
var SecurityHubOff = posture.Check{
	ID:          "securityhub-off",
	Ref:         "VIS-09",
	Title:       "findings about layers have no Security Hub to go to",
	Since:       "0.1",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources-awslambda.html",
	Needs:       []string{"securityhub:DescribeHub"},
	Uses:        append([]string{"lambda:ListLayers", "lambda:ListFunctions"}, posture.Delegated...),
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "turn on Security Hub in the region, or send findings to another system",
	NoFix:       "the service costs money and belongs to the organisation's administrator",
	Run: func(in posture.Input, found func(posture.Result)) {
		in.Watched(found, "securityhub", "securityhub:DescribeHub")
	},
}
