package rule

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/query"
)

// metadataKeys are the keys of [metadata] in the order they are written
// (elastic/detection-rules, RuleMeta), and lamina, which is ours.
var metadataKeys = []string{
	"creation_date", "updated_date", "maturity", "integration", "min_stack_version", "min_stack_comments",
	"bypass_bbr_timing", "deprecation_date", "endgame", "extended", "integration_min_version", "os_type_list",
	"query_schema_validation", "related_endpoint_rules", "promotion", "security_ml_packages", "shadow", "lamina",
}

// ruleKeys are the keys of [rule] in the order they are written: who it is,
// what it says, what it looks for, how often, and what else it carries. The
// names are those of Kibana's rule schema; run-time fields of an exported rule
// come last.
var ruleKeys = []string{
	"rule_id", "name", "description", "author", "license", "enabled", "version",
	"severity", "risk_score", "severity_mapping", "risk_score_mapping", "rule_name_override", "building_block_type",
	"type", "language", "index", "data_view_id", "query", "saved_id", "filters", "event_category_override", "tiebreaker_field",
	"timestamp_field", "timestamp_override", "timestamp_override_fallback_disabled",
	"from", "to", "interval", "max_signals",
	"threshold", "new_terms", "new_terms_fields", "history_window_start", "alert_suppression",
	"machine_learning_job_id", "anomaly_threshold",
	"threat_index", "threat_query", "threat_language", "threat_filters", "threat_mapping", "threat_indicator_path",
	"concurrent_searches", "items_per_search",
	"tags", "references", "false_positives", "note", "setup", "investigation_fields", "related_integrations", "required_fields",
	"exceptions_list", "actions", "response_actions", "throttle", "threat", "meta", "namespace", "outcome", "alias_target_id",
	"alias_purpose", "output_index", "timeline_id", "timeline_title",
	"id", "immutable", "rule_source", "revision", "created_at", "created_by", "updated_at", "updated_by", "execution_summary",
	"transform",
}

// rootKeys are the tables of a file. transform is elastic/detection-rules' table
// of Osquery and Investigate blocks for the note.
var rootKeys = []string{"metadata", "rule", "transform"}

// order sorts names the way they are written: known ones in the order of the
// table, the rest after them by name.
func order(names, table []string) {
	rank := func(s string) int {
		if i := slices.Index(table, s); i >= 0 {
			return i
		}
		return len(table)
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if x, y := rank(a), rank(b); x != y {
			return x - y
		}
		if a < b {
			return -1
		}
		if a > b {
			return 1
		}
		return 0
	})
}

// nearest is the candidate that s is most likely a slip of, or "": the one that
// differs in case only, else the one that differs least.
func nearest(s string, candidates []string) string {
	if i := slices.IndexFunc(candidates, func(c string) bool { return strings.EqualFold(c, s) }); i >= 0 {
		return candidates[i]
	}
	return query.Nearest(s, slices.Values(candidates))
}
