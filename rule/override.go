package rule

import (
	"math"
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina/ecs"
)

// SeverityOf is the severity of an alert on ev: that of the severity_mapping
// whose field has its value, the most severe one when several have, otherwise
// the rule's (Kibana, build_severity_from_mapping.ts).
func (r *Rule) SeverityOf(ev ecs.Event) string {
	severity, rank := r.Severity, -1
	for _, m := range r.SeverityMapping {
		if n := severityRank(m.Severity); n >= rank && slices.Contains(ev.Values(ecs.Lookup(m.Field)), m.Value) {
			severity, rank = m.Severity, n
		}
	}
	return severity
}

func severityRank(s string) int {
	for i, x := range Severities {
		if x.Name == s {
			return i
		}
	}
	return -1
}

// RiskScoreOf is the risk score of an alert on ev: the largest number from 0 to
// 100 among the values of the first risk_score_mapping's field, otherwise the
// rule's (Kibana, build_risk_score_from_mapping.ts, which reads one mapping).
func (r *Rule) RiskScoreOf(ev ecs.Event) int {
	if len(r.RiskScoreMapping) == 0 {
		return r.RiskScore
	}
	best := -1.0
	for _, v := range ev.Values(ecs.Lookup(r.RiskScoreMapping[0].Field)) {
		if n, err := strconv.ParseFloat(v, 64); err == nil && n >= 0 && n <= 100 {
			best = max(best, n)
		}
	}
	if best < 0 {
		return r.RiskScore
	}
	return int(math.Round(best))
}

// NameOf is the name of an alert on ev: the first value of the field that
// rule_name_override names, otherwise the rule's name.
func (r *Rule) NameOf(ev ecs.Event) string {
	if r.RuleNameOverride != "" {
		if v := ev.Values(ecs.Lookup(r.RuleNameOverride)); len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return r.Name
}
