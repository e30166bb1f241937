package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Change is one thing that two snapshots do not agree about.
type Change struct {
	// Kind is the list it is in, by its name in the file ("layers").
	Kind string `json:"kind"`
	// ID tells it from others of its list: an ARN where it has one.
	ID string `json:"id"`
	// What is "added", "removed", "changed", or "unread": it is in the old
	// snapshot, and where it was the new one could not look.
	What string `json:"what"`
	// Fields are what changed, of a changed thing.
	Fields []FieldChange `json:"fields,omitempty"`
	// Reason is why it was not looked at, of an unread one.
	Reason string `json:"reason,omitempty"`
}

// A FieldChange is a field and its values as JSON, "" where there was none.
type FieldChange struct {
	Field string `json:"field"`
	Old   string `json:"old,omitempty"`
	New   string `json:"new,omitempty"`
}

// aged are the fields that say when something was read.
var aged = []string{"policy_read", "details_read", "taken", "revision_id", "captured", "last"}

// identity are the fields that tell things of a list apart; those of other lists
// are their ARN, else their id.
var identity = map[string][]string{
	"targets":          {"account", "region"},
	"signing_profiles": {"version_arn"},
	"metric_filters":   {"account", "region", "log_group", "name"},
	"services":         {"account", "region", "feature"},
	"unscanned":        {"function"},
	"buckets":          {"name"},
	"code_storage":     {"account", "region"},
	"service_findings": {"account", "region", "service", "id"},
	"finding_counts":   {"account", "region", "service"},
	"config_records":   {"function"},
}

// listed are the actions that list what is in a list.
var listed = map[string][]string{
	"accounts":              {"organizations:ListAccounts"},
	"organizational_units":  {"organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent"},
	"organization_policies": {"organizations:ListPolicies"},
	"layers":                {"lambda:ListLayers", "lambda:ListLayerVersions"},
	"functions":             {"lambda:ListFunctions"},
	"code_signing_configs":  {"lambda:ListFunctions", "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig"},
	"signing_profiles":      {"signer:ListSigningProfiles"},
	"principals":            {"iam:GetAccountAuthorizationDetails"},
	"groups":                {"iam:GetAccountAuthorizationDetails"},
	"managed_policies":      {"iam:GetAccountAuthorizationDetails"},
	"trails":                {"cloudtrail:DescribeTrails"},
	"metric_filters":        {"logs:DescribeMetricFilters"},
	"alarms":                {"cloudwatch:DescribeAlarms"},
	"topics":                {"cloudwatch:DescribeAlarms", "events:ListRules", "events:ListTargetsByRule"},
	"event_rules":           {"events:ListRules"},
	"analyzers":             {"access-analyzer:ListAnalyzers"},
	"access_findings":       {"access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"},
	"unscanned":             {"inspector2:ListCoverage"},
	"config_records":        {"config:DescribeConfigurationRecorders", "config:SelectResourceConfig"},
	"buckets":               {"lambda:ListLayers", "lambda:ListLayerVersions", "lambda:GetLayerVersion", "cloudtrail:DescribeTrails", "s3:ListAllMyBuckets"},
}

// served are the actions that list what is of a service in the lists
// service_findings and finding_counts.
var served = map[string][]string{
	"inspector2":  {"inspector2:BatchGetAccountStatus", "inspector2:ListFindings"},
	"guardduty":   {"guardduty:ListDetectors", "guardduty:ListFindings", "guardduty:GetFindings"},
	"securityhub": {"securityhub:DescribeHub", "securityhub:GetFindings"},
}

// fieldsOf are the calls that fill the fields of things that other calls list.
var fieldsOf = map[string]map[string]string{
	"accounts": {
		"name": "organizations:ListAccounts", "status": "organizations:ListAccounts", "management": "organizations:ListAccounts",
		"parent_id": "organizations:ListAccountsForParent", "tags": "organizations:ListTagsForResource",
		"delegated": "organizations:ListDelegatedServicesForAccount",
	},
	"layers": {"policy": "lambda:GetLayerVersionPolicy", "code_sha256": "lambda:GetLayerVersion", "code_size": "lambda:GetLayerVersion"},
	"functions": {
		"policies": "lambda:GetPolicy", "aliases": "lambda:ListAliases", "urls": "lambda:ListFunctionUrlConfigs", "tags": "lambda:ListTags",
		"code_signing_config_arn": "lambda:GetFunctionCodeSigningConfig", "event_sources": "lambda:ListEventSourceMappings",
		"provisioned": "lambda:ListProvisionedConcurrencyConfigs",
	},
	"buckets": {"object_lock": "s3:GetBucketObjectLockConfiguration"},
}

// Diff says what is different in b, a later snapshot of the estate of a, sorted
// by kind and id. When something was read is no difference. What b does not hold
// counts as removed only where b looked: a call that was denied removes nothing.
func Diff(a, b lamina.Snapshot) ([]Change, error) {
	was, err := lists(a)
	if err != nil {
		return nil, err
	}
	is, err := lists(b)
	if err != nil {
		return nil, err
	}
	var out []Change
	for _, kind := range slices.Sorted(maps.Keys(merged(was, is))) {
		for _, id := range slices.Sorted(maps.Keys(merged(was[kind], is[kind]))) {
			o, old := was[kind][id]
			n, now := is[kind][id]
			c := Change{Kind: kind, ID: id, What: "changed"}
			switch {
			case !old:
				c.What = "added"
			case !now:
				c.What = "removed"
				actions := listed[kind]
				if kind == "service_findings" || kind == "finding_counts" {
					actions = served[o.text("service")]
				}
				if c.Reason = unread(a, b, kind, o, actions); b.Only != nil {
					c.Reason = "only some layers and functions were collected"
				}
				if c.Reason != "" {
					c.What = "unread"
				}
			default:
				lost := map[string][]string{} // fields by why they were not read
				c.Fields = slices.DeleteFunc(fields(o, n), func(f FieldChange) bool {
					action, ok := fieldsOf[kind][f.Field]
					if !ok || f.New != "" {
						return false
					}
					why := unread(a, b, kind, o, []string{action})
					if why != "" {
						lost[why] = append(lost[why], f.Field)
					}
					return why != ""
				})
				for _, why := range slices.Sorted(maps.Keys(lost)) {
					out = append(out, Change{Kind: kind, ID: id, What: "unread", Reason: strings.Join(lost[why], ", ") + ": " + why})
				}
				if len(c.Fields) == 0 {
					continue
				}
			}
			out = append(out, c)
		}
	}
	return out, nil
}

func merged[K comparable, V any](a, b map[K]V) map[K]V {
	out := maps.Clone(a)
	if out == nil {
		out = map[K]V{}
	}
	maps.Copy(out, b)
	return out
}

// An element is a member of a list, by its fields.
type element map[string]json.RawMessage

func (e element) text(field string) string {
	var s string
	if json.Unmarshal(e[field], &s) != nil {
		return string(e[field])
	}
	return s
}

// lists are the lists of a snapshot, each by what tells its members apart.
func lists(s lamina.Snapshot) (map[string]map[string]element, error) {
	data, err := json.Marshal(Canonical(s))
	if err != nil {
		return nil, fmt.Errorf("compare snapshots: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("compare snapshots: %w", err)
	}
	out := map[string]map[string]element{}
	for kind, raw := range members {
		var list []element
		if len(raw) == 0 || raw[0] != '[' || kind == "only" { // what was asked for is no part of the estate
			continue
		}
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("compare snapshots: %s: %w", kind, err)
		}
		out[kind] = make(map[string]element, len(list))
		for _, e := range list {
			out[kind][e.identity(kind)] = e
		}
	}
	return out, nil
}

func (e element) identity(kind string) string {
	by := identity[kind]
	if by == nil {
		by = []string{"id"}
		if e["arn"] != nil {
			by = []string{"arn"}
		}
	}
	var parts []string
	for _, field := range by {
		parts = append(parts, cmp.Or(e.text(field), "-"))
	}
	return strings.Join(parts, " ")
}

func fields(o, n element) []FieldChange {
	var out []FieldChange
	for _, field := range slices.Sorted(maps.Keys(merged(o, n))) {
		if !bytes.Equal(o[field], n[field]) && !slices.Contains(aged, field) {
			out = append(out, FieldChange{field, string(o[field]), string(n[field])})
		}
	}
	return out
}

// unread is why b, which is later than a, may not know of e, "" if it would.
func unread(a, b lamina.Snapshot, kind string, e element, actions []string) string {
	if kind == "targets" {
		return "" // it is the record of what was read
	}
	account, region := e.text("account"), e.text("region")
	if arn, err := lamina.ParseARN(cmp.Or(e.text("arn"), e.text("version_arn"), e.text("resource"), e.text("analyzer"), e.text("function"))); err == nil {
		account, region = cmp.Or(account, arn.Account), cmp.Or(region, arn.Region)
	}
	if !slices.ContainsFunc(slices.Concat(a.Targets, b.Targets), func(t lamina.Target) bool { return t.Account == account }) {
		// It is not of the accounts that are read, but of those that they use.
		account = ""
		if kind == "layers" {
			actions = []string{"lambda:ListFunctions"}
		}
	}
	organization := len(actions) > 0 && strings.HasPrefix(actions[0], "organizations:")
	looked := false
	for _, t := range b.Targets {
		// One account's answer is that of the organisation.
		if organization != (t.Region == "organization") || !organization && (account != "" && t.Account != account || region != "" && t.Region != region) {
			continue
		}
		if organization && len(t.Gaps) == 0 && !slices.Contains(t.Read, actions[0]) {
			return actions[0] + ": not asked"
		}
		looked = true
		for _, g := range t.Gaps {
			if len(actions) == 0 || slices.Contains(actions, g.Action) {
				return g.Action + ": " + g.Reason
			}
		}
	}
	if !looked {
		return "nothing was read of " + cmp.Or(strings.TrimSpace(account+" "+region), "it")
	}
	return ""
}
