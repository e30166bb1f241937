package report

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 defines version 5 with SHA-1; nothing is protected by it
	"encoding/hex"
	"maps"
	"time"

	"github.com/lamina-sec/lamina"
)

// The ecs format is what Elasticsearch's _bulk takes: an action line and a
// document for each result. An alert's document is the event's, with the alert's
// own fields beside it under their flattened names, as Kibana's detection engine
// writes them (kibana:x-pack/solutions/security/plugins/security_solution/server/
// lib/detection_engine/rule_types/factories/utils/build_alert.ts).
//
// The index is not named: POST the file to /INDEX/_bulk. "create" makes loading
// the same file twice harmless, because _id is made from the alert's id.

// docTime is how Elasticsearch prints a date.
const docTime = "2006-01-02T15:04:05.000Z"

type ecsWriter struct {
	*printer
	now time.Time
}

func newECS(p *printer, o Options) Writer { return &ecsWriter{p, o.Now} }

func (w *ecsWriter) Write(m lamina.Message) error {
	switch {
	case m.Alert != nil && m.Alert.Exception == nil:
		id := UUID(m.Alert.ID)
		w.pair(id, alertDocument(m.Alert, id, w.now))
	case m.Finding != nil && m.Finding.Exception == nil:
		w.pair(UUID(m.Finding.ID), findingDocument(m.Finding, w.now))
	}
	return w.err
}

func (w *ecsWriter) Close() error { return w.flush() }

func (w *ecsWriter) pair(id string, doc map[string]any) {
	for _, v := range []any{map[string]any{"create": map[string]string{"_id": id}}, doc} {
		b, err := encode(v)
		if err != nil && w.err == nil {
			w.err = err
		}
		w.bytes(b)
		w.str("\n")
	}
}

// UUID is the version 5 UUID (RFC 9562) of one of our ids, in a namespace of its
// own: the same id is the same document everywhere.
func UUID(id string) string {
	h := sha1.New() //nolint:gosec // see the import
	h.Write([]byte("\x6b\xa7\xb8\x11\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8" + "https://github.com/lamina-sec/lamina#"))
	h.Write([]byte(id))
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func alertDocument(a *lamina.Alert, id string, now time.Time) map[string]any {
	doc := map[string]any{}
	maps.Copy(doc, a.Document)
	event, _ := doc["event"].(map[string]any)
	event = maps.Clone(event)
	if event == nil {
		event = map[string]any{}
	}
	for k, v := range event {
		// event.original stays in event: twice the whole record serves nobody.
		if k != "original" {
			doc["kibana.alert.original_event."+k] = v
		}
	}
	event["kind"] = "signal"
	doc["event"] = event

	at := now
	if at.IsZero() {
		at = a.OriginalTime
	}
	if !at.IsZero() {
		stamp := at.UTC().Format(docTime)
		for _, k := range []string{"@timestamp", "kibana.alert.start", "kibana.alert.last_detected", "kibana.alert.intended_timestamp"} {
			doc[k] = stamp
		}
	}
	if !a.OriginalTime.IsZero() {
		doc["kibana.alert.original_time"] = a.OriginalTime.UTC().Format(docTime)
	}
	ancestors := make([]map[string]any, 0, len(a.EventIDs))
	for _, e := range a.EventIDs {
		ancestors = append(ancestors, map[string]any{"id": e, "type": "event", "index": "", "depth": 0})
	}
	maps.Copy(doc, map[string]any{
		"kibana.alert.uuid":                  id,
		"kibana.alert.status":                "active",
		"kibana.alert.workflow_status":       "open",
		"kibana.alert.workflow_tags":         []string{},
		"kibana.alert.workflow_assignee_ids": []string{},
		"kibana.alert.depth":                 1,
		"kibana.alert.ancestors":             ancestors,
		"kibana.alert.reason":                a.Reason,
		"kibana.alert.severity":              a.Severity,
		"kibana.alert.risk_score":            a.RiskScore,
		"kibana.space_ids":                   []string{"default"},
		"lamina.alert.id":                    a.ID,
		"lamina.rule.file":                   a.Rule.File,
	})
	if s := a.Suppression; s != nil {
		terms := make([]map[string]any, 0, len(s.Terms))
		for _, t := range s.Terms {
			terms = append(terms, map[string]any{"field": t.Field, "value": t.Values})
		}
		doc["kibana.alert.suppression.terms"] = terms
		doc["kibana.alert.suppression.start"] = s.Start.UTC().Format(docTime)
		doc["kibana.alert.suppression.end"] = s.End.UTC().Format(docTime)
		doc["kibana.alert.suppression.docs_count"] = s.DocsCount
	}
	if g := a.Grant; g != nil {
		doc["lamina.grant.window.statement_id"] = g.StatementID
		doc["lamina.grant.window.from"] = g.From.UTC().Format(docTime)
		doc["lamina.grant.window.ending"] = g.Ending
		if !g.Until.IsZero() {
			doc["lamina.grant.window.until"] = g.Until.UTC().Format(docTime)
			doc["lamina.grant.window.until_event_id"] = g.UntilEvent
		}
	}
	ruleFields(doc, a)
	return doc
}

// ruleTypes are the names that Kibana gives a rule type: its category and its
// alerting type id.
var ruleTypes = map[string][2]string{
	"query":            {"Custom Query Rule", "siem.queryRule"},
	"saved_query":      {"Saved Query Rule", "siem.savedQueryRule"},
	"eql":              {"Event Correlation Rule", "siem.eqlRule"},
	"esql":             {"ES|QL Rule", "siem.esqlRule"},
	"threshold":        {"Threshold Rule", "siem.thresholdRule"},
	"new_terms":        {"New Terms Rule", "siem.newTermsRule"},
	"machine_learning": {"Machine Learning Rule", "siem.mlRule"},
	"threat_match":     {"Indicator Match Rule", "siem.indicatorRule"},
}

// parameterFields are the rule's own keys that Kibana repeats under
// kibana.alert.rule.
var parameterFields = []string{
	"author", "building_block_type", "description", "enabled", "exceptions_list", "false_positives", "from",
	"immutable", "index", "interval", "license", "max_signals", "note", "references", "risk_score_mapping",
	"rule_name_override", "severity_mapping", "setup", "tags", "threat", "timestamp_override", "to", "version",
}

func ruleFields(doc map[string]any, a *lamina.Alert) {
	r := a.Rule
	put := func(k string, v any) { doc["kibana.alert.rule."+k] = v }
	for _, k := range parameterFields {
		if v, ok := r.Parameters[k]; ok {
			if k == "index" {
				k = "indices"
			}
			put(k, v)
		}
	}
	if _, ok := r.Parameters["tags"]; !ok {
		put("tags", nonNil(r.Tags))
	}
	if _, ok := r.Parameters["references"]; !ok {
		put("references", nonNil(r.References))
	}
	if _, ok := r.Parameters["description"]; !ok {
		put("description", r.Description)
	}
	if r.Parameters != nil {
		put("parameters", r.Parameters)
	}
	put("uuid", UUID(r.ID))
	put("rule_id", r.ID)
	put("name", r.Name)
	put("type", r.Type)
	put("severity", a.Severity)
	put("risk_score", a.RiskScore)
	put("consumer", "siem")
	put("producer", "siem")
	put("revision", 0)
	if t, ok := ruleTypes[r.Type]; ok {
		put("category", t[0])
		put("rule_type_id", t[1])
	}
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// findingDocument follows ECS for a state that was evaluated
// (https://www.elastic.co/docs/reference/ecs/ecs-allowed-values-event-kind).
func findingDocument(f *lamina.Finding, now time.Time) map[string]any {
	evaluation := map[lamina.Outcome]string{
		lamina.Fail: "failed", lamina.Pass: "passed", lamina.Unknown: "unknown", lamina.NotApplicable: "not applicable",
	}[f.Outcome]
	doc := map[string]any{
		"event":    map[string]any{"kind": "state", "category": []string{"configuration"}, "type": []string{"info"}},
		"message":  f.Detail,
		"rule":     map[string]any{"id": f.Check, "name": f.Title, "reference": f.Ref},
		"resource": map[string]any{"id": f.Resource},
		"result":   map[string]any{"evaluation": evaluation, "evidence": nonNil(f.Evidence)},
		"lamina":   map[string]any{"finding": f},
		"ecs":      map[string]any{"version": "8.17.0"},
	}
	if !now.IsZero() {
		doc["@timestamp"] = now.UTC().Format(docTime)
	}
	return doc
}
