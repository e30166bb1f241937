package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// GuardDutyOff finds regions where nobody watches what functions send.
var GuardDutyOff = posture.Check{
	ID:          "guardduty-off",
	Ref:         "VIS-08",
	Title:       "GuardDuty does not watch functions",
	Since:       "0.1",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/guardduty/latest/ug/lambda-protection.html",
	Needs:       []string{"guardduty:ListDetectors", "guardduty:GetDetector"},
	Uses:        append([]string{"lambda:ListLayers", "lambda:ListFunctions"}, posture.Delegated...),
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "turn on GuardDuty's Lambda protection in the region",
	NoFix:       "the service costs money and belongs to the organisation's administrator",
	Run: func(in posture.Input, found func(posture.Result)) {
		in.Watched(found, "guardduty:LAMBDA_NETWORK_LOGS", "guardduty:ListDetectors", "guardduty:GetDetector")
	},
}
