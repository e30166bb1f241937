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
	Uses:        append([]string{"lambda:ListLayers", "lambda:ListFunctions", "config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus"}, posture.Delegated...),
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "turn on Security Hub in the region, or send findings to another system",
	NoFix:       "the service costs money and belongs to the organisation's administrator",
	Run: func(in posture.Input, found func(posture.Result)) {
		recorded := map[string]string{}
		for _, s := range in.Estate.Snapshot.Services {
			if s.Feature == "config:AWS::Lambda::Function" {
				recorded[posture.Place{Account: s.Account, Region: s.Region}.Resource()] = map[bool]string{
					true: "AWS Config: records functions, and cannot record layers", false: "AWS Config: records no functions, and cannot record layers",
				}[s.Enabled]
			}
		}
		in.Watched(func(r posture.Result) {
			if says := recorded[r.Resource]; says != "" && r.Outcome != lamina.Unknown {
				r.Evidence = append(r.Evidence, says)
			}
			found(r)
		}, "securityhub", "securityhub:DescribeHub")
	},
}
