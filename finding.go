package lamina

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// idLength is how many base32 characters an id has: 50 bits, so that among a
// million ids two are the same once in two thousand runs. The start of an id is
// accepted wherever it is unambiguous.
const idLength = 10

// ID makes the id people type: prefix, a hyphen, and base32 characters of the
// SHA-256 of the parts joined by NUL. The same parts give the same id in every
// format, URL and exception file.
func ID(prefix string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return prefix + "-" + base32.StdEncoding.EncodeToString(sum[:10])[:idLength]
}

// A Finding is one fact about one resource, or about one place in a layer.
type Finding struct {
	// ID is ID("F", check, resource, discriminator…).
	ID string `json:"id"`
	// Check is the id of the check or analyzer ("layer-public"), Ref its number
	// in the catalogue ("EXP-01") or "".
	Check string `json:"check"`
	Ref   string `json:"ref,omitempty"`
	Title string `json:"title"`
	// Severity is that of a Fail; for other outcomes it is what a Fail would have.
	Severity Severity `json:"severity"`
	Outcome  Outcome  `json:"outcome"`
	// Resource is the ARN, or the file name for a bare zip. With Members it is what
	// their ARNs have in common, and * for the rest.
	Resource string `json:"resource"`
	// Members are what it is about when that is several things that are alike in all
	// that it says, sorted by resource; none when it is about one.
	Members []Member `json:"members,omitempty"`
	// File and Line are the place in a layer or IaC project; Line is from 1, 0 if none.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Declared says that File is infrastructure code, as the user would type it,
	// that declares the resource, and not a file in the resource.
	Declared bool `json:"declared,omitempty"`
	// SHA256 is the hex digest of that file, or of the whole layer when File is
	// "": an exception and a baseline hold only while it stays the same. It is ""
	// for what is no file.
	SHA256 string `json:"sha256,omitempty"`
	// Detail says what was seen, in one sentence without a full stop.
	Detail string `json:"detail"`
	// Evidence is what the outcome rests on, each "kind: value".
	Evidence []string `json:"evidence,omitempty"`
	// Reason and Settle explain Unknown: why, and what would settle it.
	Reason string `json:"reason,omitempty"`
	Settle string `json:"settle,omitempty"`
	// Suppressed is the reason for which what was found does not count
	// ("verified public content"); the outcome is NotApplicable then.
	Suppressed string `json:"suppressed,omitempty"`
	// Techniques are MITRE ATT&CK ids.
	Techniques []string `json:"techniques,omitempty"`
	// Remediation is what to do, in a sentence; Fixes are ids of fixes that can plan it.
	Remediation string   `json:"remediation,omitempty"`
	Fixes       []string `json:"fixes,omitempty"`
	// Vulnerability is set if the finding is about one.
	Vulnerability *Vulnerability `json:"vulnerability,omitempty"`
	// Accounts are the accounts of ours that it is about, sorted: whose resource it
	// is, or who uses it when it is somebody else's; the management account of what
	// is the organisation's.
	Accounts []string `json:"accounts,omitempty"`
	// Owners are the teams that the finding goes to, sorted, as the user's file of
	// owners says; none when it says nothing.
	Owners []string `json:"owners,omitempty"`
	// Controls are what the finding bears on in frameworks of controls, sorted.
	Controls []Control `json:"controls,omitempty"`
	// Baseline is "known" when the baseline of the run has the finding, "new" when
	// it has not, "" when there is no baseline.
	Baseline string `json:"baseline,omitempty"`
	// Exception covers the finding; nil if none does.
	Exception *Exception `json:"exception,omitempty"`
}

// A Member is one of the things that a finding is about.
type Member struct {
	// ID is the id of the same finding about this one alone.
	ID       string `json:"id"`
	Resource string `json:"resource"`
}

// A Control is one control of a framework, by its id.
type Control struct {
	Framework string `json:"framework"` // "nist-800-53"
	ID        string `json:"id"`        // "AC-6"
}

// A Content says what a layer is, in numbers.
type Content struct {
	// Resource is the file as the user would type it, or the layer version's ARN.
	Resource string `json:"resource"`
	// Kind is what it was read as: "layer zip", "directory", "function zip".
	Kind string `json:"kind"`
	// SHA256 is the hex digest of the zip, "" of a directory.
	SHA256 string `json:"sha256,omitempty"`
	// Size is the zip's bytes, Inflated the bytes of all its files.
	Size     int64 `json:"size,omitempty"`
	Inflated int64 `json:"inflated"`
	// Files counts files, those inside archives in the layer among them; Read
	// those of them whose content was read; Nested those inside the Archives that
	// were opened.
	Files    int `json:"files"`
	Read     int `json:"read"`
	Nested   int `json:"nested,omitempty"`
	Archives int `json:"archives,omitempty"`
	// Runtimes are the runtimes it is laid out for ("python3.12"), as far as its
	// folders say.
	Runtimes []string `json:"runtimes,omitempty"`
}

// A Package is one package that a layer brings.
type Package struct {
	// Resource is the layer.
	Resource string `json:"resource"`
	// PURL is the package URL (https://github.com/package-url/purl-spec).
	PURL string `json:"purl"`
	// Ecosystem is OSV's name ("PyPI", "npm", "Maven", "Go", …).
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	// Licenses are SPDX expressions; LicenseText is what is declared where none can
	// be made of it.
	Licenses    []string `json:"licenses,omitempty"`
	LicenseText string   `json:"license_text,omitempty"`
	// How says how it is known to be there: installed, vendored, embedded, own,
	// guessed, locked.
	How string `json:"how"`
	// Program says that it runs by itself.
	Program bool `json:"program,omitempty"`
	// Integrity is the registry's digest of it, as the lock file writes it.
	Integrity string `json:"integrity,omitempty"`
	// Requires are the packages it says it needs.
	Requires []string `json:"requires,omitempty"`
	// Files are the places it was read from.
	Files []string `json:"files,omitempty"`
}

// A Vulnerability is what a finding about a known vulnerability says of it.
type Vulnerability struct {
	// PURL is the package it is in.
	PURL string `json:"purl"`
	// IDs are all its names, the preferred one first.
	IDs     []string `json:"ids"`
	Summary string   `json:"summary,omitempty"`
	// CVSS is the vector, Score its base score.
	CVSS  string  `json:"cvss,omitempty"`
	Score float64 `json:"score,omitempty"`
	// Fixed are the versions that mend it.
	Fixed []string `json:"fixed,omitempty"`
	// KEV says that it is known to be exploited, EPSS how probable that is within
	// 30 days.
	KEV  bool    `json:"kev,omitempty"`
	EPSS float64 `json:"epss,omitempty"`
}

// An Exposure is a set of findings that together let someone reach something.
type Exposure struct {
	ID       string   `json:"id"` // ID("E", …)
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Resource string   `json:"resource"`
	// Who can reach it ("everyone", an account id, an organisation id).
	Who      string   `json:"who"`
	Findings []string `json:"findings"`
	// Path is the chain of resources from Who to what is reached.
	Path []string `json:"path"`
	// Reasons explain the severity, one fact each.
	Reasons []string `json:"reasons"`
}

// An Answer is a triage question answered.
type Answer struct {
	Question string  `json:"question"` // the question's id
	Asks     string  `json:"asks"`
	Alert    string  `json:"alert"`
	Outcome  Outcome `json:"outcome"`
	// Text is the answer; for Unknown it says "not observable" or what is missing.
	Text     string   `json:"text"`
	Evidence []string `json:"evidence"`
	Reason   string   `json:"reason,omitempty"`
	Settle   string   `json:"settle,omitempty"`
}

// A Plan is data: one remedy for one exposure. Carrying it out is respond's.
type Plan struct {
	Version  int    `json:"version"`
	ID       string `json:"id"` // ID("P", …)
	Fix      string `json:"fix"`
	Exposure string `json:"exposure"`
	Steps    []Step `json:"steps"`
	// Breaks says what the plan could break, and what cannot be known.
	Breaks []string `json:"breaks"`
}

// A Step is one reversible call.
type Step struct {
	// Action is the IAM action, e.g. "lambda:RemoveLayerVersionPermission".
	Action   string `json:"action"`
	Resource string `json:"resource"`
	// Args are the call's arguments by AWS name.
	Args map[string]string `json:"args"`
	// RevisionID is the precondition: the call is refused if the policy moved.
	RevisionID string `json:"revision_id"`
	// Undo is the call that restores the state before, nil if there is none.
	Undo *Step `json:"undo,omitempty"`
}

// An Alert says that a rule matched.
type Alert struct {
	// ID is ID("A", rule_id, recipientAccountId, eventID or group key + window).
	ID       string   `json:"alert.id"`
	Rule     RuleRef  `json:"rule"`
	Severity Severity `json:"severity"`
	// RiskScore is 0..100.
	RiskScore int `json:"risk_score"`
	// EventIDs are the events' event.id, oldest first; Events their raw records.
	EventIDs []string `json:"event.ids"`
	// OriginalTime is @timestamp of the (newest) event; zero when it has none.
	OriginalTime time.Time `json:"original_time,omitzero"`
	// Values are the fields the rule's query read, as the event had them.
	Values map[string][]string `json:"values"`
	// Reason is the sentence Elastic would print.
	Reason string `json:"reason"`
	// Fields are the investigation fields, in the rule's order.
	Fields []FieldValues `json:"fields,omitempty"`
	// Document is the whole ECS document of the event, nested, for the ecs writer.
	Document map[string]any `json:"document,omitempty"`
	// Raw is the record as it was read. It is in no format. A consumer of alerts
	// that keeps one keeps a copy of it.
	Raw []byte `json:"-"`
	// Suppression is set when the rule folds matches of a group into one alert.
	Suppression *Suppression `json:"suppression,omitempty"`
	// Grant is how long what the event granted stood, nil when it granted no
	// layer version or that is not known.
	Grant *GrantWindow `json:"grant,omitempty"`
	// File and Offset say where the record was read.
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	// Exception covers the alert; nil if none does.
	Exception *Exception `json:"exception,omitempty"`
}

// An Exception is the accepted risk that covers a finding or an alert: the
// result is still reported, marked, and does not count for --fail-on.
type Exception struct {
	ID      string `json:"id"`
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	Expires string `json:"expires"` // YYYY-MM-DD
}

// Suppression says what an alert stands for besides its own event
// (kibana.alert.suppression.*).
type Suppression struct {
	// Terms are the group_by fields and the group's values.
	Terms []FieldValues `json:"terms"`
	// Start and End are the times of the first and the last event folded.
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
	// DocsCount is how many events were folded, not counting the alert's own.
	DocsCount int `json:"docs_count"`
	// Created is the run of the rule that made the alert.
	Created time.Time `json:"-"`
}

// A GrantWindow is the time in which one statement granted a layer version, as
// far as the events that were read tell.
type GrantWindow struct {
	// Layer is the ARN with the version.
	Layer       string    `json:"layer"`
	StatementID string    `json:"statement_id"`
	From        time.Time `json:"from"`
	// Until is when it ended, zero when nothing that was read ends it.
	Until time.Time `json:"until,omitzero"`
	// Ending is how: "open", "removed", "version_deleted", or "unseen" when a
	// later grant of the same statement shows that it had ended before Until.
	Ending string `json:"ending"`
	// UntilEvent is the event.id that says so, or "".
	UntilEvent string `json:"until_event.id,omitempty"`
}

// String is the window in a sentence without a full stop, beginning with "stood"
// or "stands".
func (g *GrantWindow) String() string {
	if g.Until.IsZero() {
		return "stands since " + g.From.UTC().Format(time.RFC3339) + ", as far as was read"
	}
	s := "stood for " + g.Until.Sub(g.From).Round(time.Second).String() + ", until " + g.Until.UTC().Format(time.RFC3339) + ": "
	switch g.Ending {
	case "removed":
		return s + "removed by event " + g.UntilEvent
	case "version_deleted":
		return s + "the layer version was deleted by event " + g.UntilEvent
	}
	return s + "then it was granted again by event " + g.UntilEvent + ", so it had ended before, unseen"
}

// FieldValues is one field and its values.
type FieldValues struct {
	Field  string   `json:"field"`
	Values []string `json:"values"`
}

// A RuleRef names the rule of an alert, with what the writers print of it.
type RuleRef struct {
	ID   string `json:"id"`   // rule_id
	File string `json:"file"` // as the user would type it, "builtin:NAME.toml" for ours
	Name string `json:"name"`
	Type string `json:"type"`
	// Description, Tags, References, Threat, Note… for SARIF and ecs.
	Description string            `json:"description,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	References  []string          `json:"references,omitempty"`
	Techniques  []string          `json:"techniques,omitempty"`
	Parameters  map[string]any    `json:"parameters,omitempty"` // the whole rule as Kibana's JSON, for kibana.alert.rule.*
	Extra       map[string]string `json:"extra,omitempty"`
}
