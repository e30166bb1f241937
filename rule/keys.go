package rule

import "slices"

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

// nearest is the candidate that s is most likely a slip of, or "": at most two
// edits away, and at most a third of its length.
func nearest(s string, candidates []string) string {
	best, at := "", min(3, len(s)/3+1)
	for _, c := range candidates {
		if d := distance(s, c, at); d < at {
			best, at = c, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours between a and b, or limit if it is at least that.
func distance(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return min(prev[len(b)], limit)
}
