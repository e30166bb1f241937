package approval

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// A Problem is something about an approval that Parse accepts and a person should
// look at.
type Problem struct {
	ID   string `json:"id"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Kind is expired, broad or unused.
	Kind string `json:"kind"`
	Msg  string `json:"message"`
	Hint string `json:"hint,omitempty"`
}

// Lint looks for approvals that have ended, that approve versions nobody has
// seen, and, when about is not nil, that are not in it (see Set.About).
func Lint(items []Item, about map[string]bool, now time.Time) []Problem {
	var out []Problem
	for _, x := range items {
		add := func(kind, msg, hint string) {
			out = append(out, Problem{ID: x.ID, File: x.File, Line: x.Line, Kind: kind, Msg: msg, Hint: hint})
		}
		if x.Expired(now) {
			add("expired", "ended on "+x.Expires.Format(time.DateOnly)+": it approves nothing", "decide again, with a new date, or delete it")
		}
		version := x.Layer[strings.LastIndex(x.Layer, ":")+1:]
		switch {
		case x.Kind == Layer && strings.Contains(version, "*") && x.Digest == "":
			add("broad", "approves versions that are not published yet", "name the version, or give the digest of its content")
		case x.Kind == Share && x.To == "everyone" && strings.Contains(version, "*"):
			add("broad", "shares versions that are not published yet with everyone", "name the version")
		}
		if about != nil && !about[x.ID] {
			add("unused", "nothing in the snapshot is what it is about", "delete it if what it approved is gone")
		}
	}
	return out
}

// About are the ids of the approvals, in force or not, that are about one of the
// uses or about a grant of one of the layers.
func (s *Set) About(uses []Use, layers []lamina.LayerVersion) map[string]bool {
	out := map[string]bool{}
	for _, x := range s.Items {
		one := Set{Items: []Item{x}, Now: s.Now}
		about := func(v Verdict) bool { return v.By != nil || v.Lapsed != nil }
		out[x.ID] = slices.ContainsFunc(uses, func(u Use) bool { return about(one.Use(u)) }) ||
			slices.ContainsFunc(layers, func(l lamina.LayerVersion) bool {
				return l.Policy != nil && slices.ContainsFunc(l.Policy.Grants, func(g lamina.Grant) bool { return about(one.Share(l.ARN, "", g)) })
			})
	}
	return out
}

// Rules are rule exceptions, one a line, as Kibana exports and lamina detect
// --exceptions takes them, for the list of the rule that alerts about grants: one
// for each share in force. Approved layers make none: a call that attaches an
// approved layer may attach another one too.
func (s *Set) Rules(list string) []map[string]any {
	var out []map[string]any
	for _, x := range s.Items {
		if x.Kind != Share || x.Expired(s.Now) || x.Digest != "" { // a rule does not see the content
			continue
		}
		entry := func(field, kind, value string) map[string]any {
			return map[string]any{"field": field, "operator": "included", "type": kind, "value": value}
		}
		layer := entry("lamina.layer.arn", "match", x.Layer)
		if strings.Contains(x.Layer, "*") {
			layer = entry("lamina.layer.arn", "wildcard", x.Layer)
		}
		to := entry("lamina.grant.account", "match", x.To)
		switch {
		case x.To == "everyone":
			to = entry("lamina.grant.scope", "match", "public")
		case strings.HasPrefix(x.To, "o-"):
			to = entry("lamina.grant.organization_id", "match", x.To)
		}
		out = append(out, map[string]any{
			"list_id": list, "item_id": x.ID, "name": fmt.Sprintf("approved: %s to %s", x.Layer, x.To), "description": "owner: " + x.Owner + "; reason: " + x.Reason,
			"type": "simple", "namespace_type": "single",
			// Ours hold to the end of the day, Elastic's to the moment.
			"expire_time": x.Expires.AddDate(0, 0, 1).Format(time.RFC3339), "entries": []any{layer, to},
		})
	}
	return out
}
