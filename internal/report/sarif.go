package report

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
// Results are written as they come and the rules they name at the end, so only
// the rules are kept in memory: the order of a JSON object's keys means nothing.
//
// Failed findings, exposures and alerts are results of kind fail; a finding that
// is unknown is of kind open ("insufficient information to decide"), so that it
// is never taken for a pass. Passed and not applicable findings are left out.

// maxNotifications is how many skipped records and warnings are kept; the rest
// is counted in one more.
const maxNotifications = 1000

const (
	sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifHome   = "https://github.com/lamina-sec/lamina"
)

type (
	sarifMessage struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		Name             string         `json:"name,omitempty"`
		ShortDescription sarifMessage   `json:"shortDescription"`
		FullDescription  *sarifMessage  `json:"fullDescription,omitempty"`
		Help             *sarifMessage  `json:"help,omitempty"`
		HelpURI          string         `json:"helpUri,omitempty"`
		Default          sarifLevel     `json:"defaultConfiguration"`
		Properties       map[string]any `json:"properties,omitempty"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifArtifact struct {
		URI       string `json:"uri"`
		URIBaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine  int    `json:"startLine,omitempty"`
		ByteOffset *int64 `json:"byteOffset,omitempty"`
		ByteLength *int   `json:"byteLength,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifSuppression struct {
		Kind          string         `json:"kind"`
		Status        string         `json:"status"`
		Justification string         `json:"justification"`
		Properties    map[string]any `json:"properties"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Baseline     string             `json:"baselineState,omitempty"`
		Message      sarifMessage       `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
		Properties    map[string]any      `json:"properties,omitempty"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"semanticVersion,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
)

type sarif struct {
	*printer
	version lamina.Version
	rules   []sarifRule
	index   map[string]int
	notes   []sarifNotification
	dropped int
	gate    lamina.Outcome
	summary *lamina.Summary
	n       int
}

func newSARIF(p *printer, _ Options) Writer { return &sarif{printer: p, index: map[string]int{}} }

func (w *sarif) Write(m lamina.Message) error {
	switch {
	case m.Version != nil:
		w.version = *m.Version
	case m.Alert != nil:
		w.result(w.alert(m.Alert))
	case m.Finding != nil:
		if m.Finding.Outcome == lamina.Fail || m.Finding.Outcome == lamina.Unknown {
			w.result(w.finding(m.Finding))
		}
	case m.Exposure != nil:
		w.result(w.exposure(m.Exposure))
	case m.Answer != nil && m.Answer.Question == gateQuestion:
		w.gate = m.Answer.Outcome
	case m.Skipped != nil:
		w.note("warning", Note(m)[0], m.Skipped.File, m.Skipped.Offset)
	case m.Warning != nil:
		w.note("note", strings.Join(Note(m), "; "), "", -1)
	case m.Summary != nil:
		w.summary = m.Summary
	}
	return w.err
}

func (w *sarif) open() {
	if w.n == 0 {
		w.str(`{"$schema":"`, sarifSchema, `","version":"2.1.0","runs":[{"columnKind":"utf16CodeUnits","results":[`)
	}
}

func (w *sarif) result(r sarifResult) {
	w.open()
	if w.n > 0 {
		w.str(",")
	}
	w.n++
	w.str("\n")
	w.json(r)
}

func (w *sarif) json(v any) {
	b, err := encode(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.bytes(b)
}

// rule returns the index of the rule with the id, which describe describes the first
// time.
func (w *sarif) rule(id string, describe func() sarifRule) int {
	i, ok := w.index[id]
	if !ok {
		i = len(w.rules)
		w.index[id] = i
		r := describe()
		r.ID = id
		w.rules = append(w.rules, r)
	}
	return i
}

func (w *sarif) alert(a *lamina.Alert) sarifResult {
	i := w.rule(a.Rule.ID, func() sarifRule {
		r := sarifRule{
			Name:             safe.Line(a.Rule.Name, 0),
			ShortDescription: sarifMessage{Text: orText(a.Rule.Name, a.Rule.ID)},
			Default:          sarifLevel{level(a.Severity)},
			Properties: map[string]any{
				"tags":              append([]string{"security"}, cleaned(a.Rule.Tags)...),
				"security-severity": score(a.Severity, a.RiskScore),
				"problem.severity":  level(a.Severity),
			},
		}
		if a.Rule.Description != "" {
			r.FullDescription = &sarifMessage{Text: paragraphs(a.Rule.Description)}
			r.Help = r.FullDescription
		}
		for _, ref := range a.Rule.References {
			if u, err := url.Parse(ref); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
				r.HelpURI = u.String()
				break
			}
		}
		return r
	})
	lines := []string{orText(a.Reason, a.Rule.Name)}
	for _, row := range alertRows(a) {
		lines = append(lines, row.Field+": "+strings.Join(row.Values, ", "))
	}
	res := sarifResult{
		RuleID: a.Rule.ID, RuleIndex: i, Kind: "fail", Level: level(a.Severity),
		Message:      sarifMessage{Text: message(lines)},
		Fingerprints: map[string]string{"laminaId/v1": a.ID},
		Suppressions: suppressions(a.Exception),
		Properties: map[string]any{
			"severity": a.Severity, "risk_score": a.RiskScore, "event.ids": cleaned(a.EventIDs), "values": lineOf(a).Values,
		},
	}
	if !a.OriginalTime.IsZero() {
		res.Properties["original_time"] = a.OriginalTime.UTC()
	}
	if a.File != "" {
		p := &sarifPhysical{Artifact: artifact(a.File)}
		if a.Offset >= 0 {
			p.Region = &sarifRegion{ByteOffset: &a.Offset}
			if n := len(a.Raw); n > 0 {
				p.Region.ByteLength = &n
			}
		}
		res.Locations = []sarifLocation{{Physical: p}}
	}
	return res
}

func (w *sarif) finding(f *lamina.Finding) sarifResult {
	i := w.rule(f.Check, func() sarifRule {
		r := sarifRule{
			ShortDescription: sarifMessage{Text: orText(f.Title, f.Check)},
			Default:          sarifLevel{level(f.Severity)},
			Properties: map[string]any{
				"tags":              append([]string{"security"}, cleaned(f.Techniques)...),
				"security-severity": score(f.Severity, -1),
				"problem.severity":  level(f.Severity),
			},
		}
		if f.Ref != "" {
			r.Properties["ref"] = f.Ref
		}
		if f.Remediation != "" {
			r.Help = &sarifMessage{Text: paragraphs(f.Remediation)}
		}
		return r
	})
	lines := append([]string{orText(f.Detail, f.Title)}, f.Evidence...)
	res := sarifResult{
		RuleID: f.Check, RuleIndex: i, Kind: "fail", Level: level(f.Severity),
		Fingerprints: map[string]string{"laminaId/v1": f.ID},
		Suppressions: suppressions(f.Exception),
		Properties:   map[string]any{"severity": f.Severity, "outcome": f.Outcome},
	}
	if f.Outcome == lamina.Unknown {
		res.Kind, res.Level = "open", "none"
		lines = append(lines, "unknown because: "+f.Reason, "to settle: "+f.Settle)
	}
	res.Message.Text = message(lines)
	if f.SHA256 != "" {
		res.Fingerprints["contentSha256/v1"] = f.SHA256
	}
	if len(f.Owners) > 0 {
		res.Properties["owners"] = cleaned(f.Owners)
	}
	if len(f.Controls) > 0 {
		res.Properties["controls"] = cleaned(controls(f.Controls))
	}
	switch f.Baseline {
	case "new":
		res.Baseline = "new"
	case "known":
		res.Baseline = "unchanged"
	}
	loc := sarifLocation{Logical: []sarifLogical{{FullyQualifiedName: safe.Line(f.Resource, 0), Kind: "resource"}}}
	if f.File != "" {
		loc.Physical = &sarifPhysical{Artifact: artifact(inside(f))}
		if f.Line > 0 {
			loc.Physical.Region = &sarifRegion{StartLine: f.Line}
		}
	}
	res.Locations = []sarifLocation{loc}
	return res
}

// inside is the file of a finding as a path from the folder lamina ran in: a file
// in an archive is after "!/", so that files of two layers are two. The file of
// what has an ARN is a path in it.
func inside(f *lamina.Finding) string {
	switch file, _ := onDisk(f); {
	case file == "" || f.Declared:
		return f.File
	case isArchive(f.Resource):
		return f.Resource + "!/" + f.File
	case file == f.Resource: // a file in an archive in a folder
		return strings.TrimSuffix(f.Resource, "/") + "/" + f.File
	default:
		return file
	}
}

func (w *sarif) exposure(e *lamina.Exposure) sarifResult {
	i := w.rule("exposure", func() sarifRule {
		return sarifRule{
			ShortDescription: sarifMessage{Text: "Findings that together let someone reach something"},
			Default:          sarifLevel{level(e.Severity)},
			Properties:       map[string]any{"tags": []string{"security"}},
		}
	})
	return sarifResult{
		RuleID: "exposure", RuleIndex: i, Kind: "fail", Level: level(e.Severity),
		Message:      sarifMessage{Text: message(append([]string{e.Title, "path: " + strings.Join(e.Path, " → ")}, e.Reasons...))},
		Locations:    []sarifLocation{{Logical: []sarifLogical{{FullyQualifiedName: safe.Line(e.Resource, 0), Kind: "resource"}}}},
		Fingerprints: map[string]string{"laminaId/v1": e.ID},
		Suppressions: []sarifSuppression{},
		Properties:   map[string]any{"severity": e.Severity, "findings": e.Findings},
	}
}

func (w *sarif) note(level, text, file string, offset int64) {
	if len(w.notes) == maxNotifications {
		w.dropped++
		return
	}
	n := sarifNotification{Level: level, Message: sarifMessage{Text: text}}
	if file != "" {
		p := &sarifPhysical{Artifact: artifact(file)}
		if offset >= 0 {
			p.Region = &sarifRegion{ByteOffset: &offset}
		}
		n.Locations = []sarifLocation{{Physical: p}}
	}
	w.notes = append(w.notes, n)
}

func (w *sarif) Close() error {
	w.open()
	if w.dropped > 0 {
		w.notes = append(w.notes, sarifNotification{
			Level: "warning", Message: sarifMessage{Text: strconv.Itoa(w.dropped) + " more records were skipped; the json format names them all"},
		})
	}
	inv := sarifInvocation{Notifications: w.notes}
	if inv.Notifications == nil {
		inv.Notifications = []sarifNotification{}
	}
	if s := w.summary; s != nil {
		inv.Successful = true
		inv.Properties = map[string]any{"coverage": safe.Line(s.Coverage, 0), "complete": s.Complete, "counts": s.Counts}
		if w.gate != "" {
			inv.Properties["gate"] = w.gate
		}
		if len(s.Incomplete) > 0 {
			inv.Properties["incomplete"] = cleaned(s.Incomplete)
		}
		if len(s.Accepted) > 0 {
			inv.Properties["accepted"] = cleaned(s.Accepted)
		}
	}
	if w.rules == nil {
		w.rules = []sarifRule{}
	}
	w.str("\n],\"tool\":{\"driver\":")
	w.json(sarifDriver{Name: "lamina", Version: w.version.Lamina, InformationURI: sarifHome, Rules: w.rules})
	w.str("},\n\"invocations\":[")
	w.json(inv)
	w.str("]}]}\n")
	return w.flush()
}

// level is what SARIF calls a severity. GitHub ranks by security-severity.
func level(s lamina.Severity) string {
	switch s {
	case lamina.Critical, lamina.High:
		return "error"
	case lamina.Medium:
		return "warning"
	case lamina.Low, lamina.Info:
		return "note"
	}
	return "warning"
}

// score is GitHub's security-severity, "0.0" to "10.0": the risk score over ten,
// or the middle of the severity's band (critical above 9, high 7, medium 4).
func score(s lamina.Severity, risk int) string {
	if risk >= 0 && risk <= 100 {
		return strconv.FormatFloat(float64(risk)/10, 'f', 1, 64)
	}
	return map[lamina.Severity]string{
		lamina.Info: "0.0", lamina.Low: "2.0", lamina.Medium: "5.5", lamina.High: "8.0", lamina.Critical: "9.5",
	}[s]
}

// suppressions is never nil: an empty array says that the result is known not to
// be suppressed (SARIF 3.27.23).
func suppressions(e *lamina.Exception) []sarifSuppression {
	if e == nil {
		return []sarifSuppression{}
	}
	return []sarifSuppression{{
		Kind: "external", Status: "accepted", Justification: safe.Line(e.Reason, 0),
		Properties: map[string]any{"id": e.ID, "owner": safe.Line(e.Owner, 0), "expires": e.Expires},
	}}
}

// artifact is a file as a URI: relative to the folder lamina ran in, or absolute.
func artifact(file string) sarifArtifact {
	switch {
	case file == "-":
		return sarifArtifact{URI: "stdin"}
	case strings.Contains(file, "://"):
		return sarifArtifact{URI: (&url.URL{Path: file}).EscapedPath()}
	}
	slash := filepath.ToSlash(file)
	abs := strings.HasPrefix(slash, "/") || len(slash) > 1 && slash[1] == ':'
	parts := strings.Split(slash, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	uri := strings.Join(parts, "/")
	if abs {
		return sarifArtifact{URI: "file:///" + strings.TrimPrefix(uri, "/")}
	}
	if strings.Contains(parts[0], ":") {
		uri = "./" + uri // or the name would be read as a scheme (RFC 3986, 4.2)
	}
	return sarifArtifact{URI: uri, URIBaseID: "%SRCROOT%"}
}

// message joins lines of plain text; each is made safe and kept short.
func message(lines []string) string {
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		if l = safe.Line(l, maxValue); l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

func paragraphs(s string) string { return strings.TrimSpace(strings.Join(safe.Lines(s), "\n")) }

// orText is the first that is not empty; SARIF wants texts of at least a character.
func orText(texts ...string) string {
	for _, t := range texts {
		if t = safe.Line(t, 0); t != "" {
			return t
		}
	}
	return "-"
}

func cleaned(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = safe.Line(s, 0)
	}
	return out
}
