package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// InspectorOff finds regions whose functions Inspector does not scan.
var InspectorOff = posture.Check{
	ID:          "inspector-off",
	Ref:         "VIS-06",
	Title:       "Amazon Inspector does not scan functions",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Citation:    "https://docs.aws.amazon.com/inspector/latest/user/scanning-lambda.html",
	Needs:       []string{"inspector2:BatchGetAccountStatus"},
	Uses:        append([]string{"lambda:ListLayers", "lambda:ListFunctions"}, posture.Delegated...),
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "turn on Inspector's scanning of Lambda functions in the region",
	NoFix:       "the service costs money and belongs to the organisation's administrator",
	Run: func(in posture.Input, found func(posture.Result)) {
		in.Watched(found, "inspector2:LAMBDA", "inspector2:BatchGetAccountStatus")
	},
}
