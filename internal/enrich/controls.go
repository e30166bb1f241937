package enrich

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
)

// signingRisk is the risk of a change of code signing: a function that loses
// its check most, a configuration that only warns or trusts somebody new next.
// A configuration can be deleted only when no function uses it.
var signingRisk = map[string]int{
	"detached":           73,
	"warn":               47,
	"publishers_changed": 47,
	"attached":           21,
	"deleted":            21,
}

// codeSigning fills lamina.code_signing.*
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html).
// Whether a configuration that is attached replaces another is not in the
// record.
func (e *Enricher) codeSigning(c *history.Call, out fields) {
	e.function(c, out)
	arn := c.Param("codeSigningConfigArn")
	if arn == "" {
		arn = c.Result("codeSigningConfigArn")
	}
	out.set("lamina.code_signing.arn", arn)
	if c.Hidden() {
		return
	}
	changes := map[string]string{
		"CreateCodeSigningConfig":         "created",
		"UpdateCodeSigningConfig":         "updated",
		"DeleteCodeSigningConfig":         "deleted",
		"PutFunctionCodeSigningConfig":    "attached",
		"DeleteFunctionCodeSigningConfig": "detached",
	}
	change := []string{changes[c.API]}
	policy := c.ParamAt("codeSigningPolicies", "untrustedArtifactOnDeployment")
	switch policy {
	case "Warn":
		change = append(change, "warn")
	case "Enforce":
		change = append(change, "enforce")
	default:
		if c.API == "CreateCodeSigningConfig" {
			// The default when the caller says nothing.
			change = append(change, "warn")
		}
	}
	if c.API == "UpdateCodeSigningConfig" && c.HasParam("allowedPublishers") {
		change = append(change, "publishers_changed")
	}
	risk := 0
	for _, ch := range change {
		risk = max(risk, signingRisk[ch])
	}
	if risk > 0 {
		out.set("lamina.code_signing.risk_score", strconv.Itoa(risk))
	}
	out.set("lamina.code_signing.policy", policy)
	out.set("lamina.code_signing.change", change...)
}

// guardrail fills lamina.guardrail.*. A record shows no policy of a guardrail:
// whether an update weakened it cannot be derived.
func (e *Enricher) guardrail(c *history.Call, out fields) {
	id := c.Param("guardrailIdentifier")
	if id == "" {
		id = c.ParamAt("guardrailInferenceConfig", "guardrailIdentifier")
	}
	out.set("lamina.guardrail.id", id)
	if c.Hidden() {
		return
	}
	change := map[string]string{
		"DeleteGuardrail":                      "deleted",
		"UpdateGuardrail":                      "updated",
		"DeleteEnforcedGuardrailConfiguration": "enforcement_removed",
		"PutEnforcedGuardrailConfiguration":    "enforcement_changed",
	}[c.API]
	if c.API == "DeleteGuardrail" && c.Param("guardrailVersion") != "" {
		change = "version_deleted"
	}
	out.set("lamina.guardrail.change", change)
}

// reasoning fills lamina.reasoning_policy.*. The ARN of a version of a policy
// ends in its number.
func (e *Enricher) reasoning(c *history.Call, out fields) {
	arn := c.Param("policyArn")
	out.set("lamina.reasoning_policy.arn", arn)
	if c.Hidden() {
		return
	}
	change := map[string]string{
		"DeleteAutomatedReasoningPolicy":            "deleted",
		"UpdateAutomatedReasoningPolicy":            "updated",
		"UpdateAutomatedReasoningPolicyAnnotations": "annotations_updated",
	}[c.API]
	if a, err := lamina.ParseARN(arn); err == nil && c.API == "DeleteAutomatedReasoningPolicy" && strings.Contains(a.Resource, ":") {
		change = "version_deleted"
	}
	out.set("lamina.reasoning_policy.change", change)
}
