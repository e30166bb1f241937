package vulndb

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of one record. The largest honest ones list some thousand packages or
// versions.
const (
	// MaxRecord is the size in bytes above which Parse refuses a record.
	MaxRecord = 8 << 20
	// maxYAML is less, because a YAML parser needs much more memory than JSON's.
	maxYAML     = 2 << 20
	maxAffected = 20_000
	maxEvents   = 10_000 // of a range
	maxVersions = 100_000
	maxVersion  = 256 // bytes; comparing is quadratic in the digits of a number
	maxName     = 512 // bytes
	maxID       = 128 // bytes
	maxAliases  = 256
	maxImports  = 4096
	maxSummary  = 160 // bytes that are kept
)

// A Record is what of an OSV record is kept
// (https://ossf.github.io/osv-schema/).
type Record struct {
	ID        string
	Aliases   []string
	Summary   string    // one line, at most 160 bytes
	Modified  time.Time // that of publishing if it is not said, or not between 1970 and 9999
	Published time.Time // zero if it is not said, or not between 1970 and 9999
	Withdrawn bool
	Rating    Rating
	Affected  []Affected
}

// Affected is one package of a record.
type Affected struct {
	Ecosystem, Name string
	Versions        []string
	Ranges          []Range
	Imports         []Import
	Rating          Rating // when the database rates packages, not records
}

// A Range is a list of events in the order of their versions, or, as OSV allows,
// in any order.
type Range struct {
	Type   string // SEMVER, ECOSYSTEM or GIT
	Events []Event
}

// An Event is a point of a range.
type Event struct {
	Kind    EventKind
	Version string
}

// An EventKind says what begins or ends at an event.
type EventKind uint8

// The kinds. Introduced and Fixed count from their version on, LastAffected
// after it; Limit ends what the range speaks of.
const (
	Introduced EventKind = iota
	Fixed
	LastAffected
	Limit
)

// An Import is a Go package that holds the vulnerable code
// (https://go.dev/doc/security/vuln/database#schema).
type Import struct {
	Path    string   `json:"path"`
	Symbols []string `json:"symbols,omitempty"` // none means all
}

// errForeign is a file that is something else than a record.
var errForeign = errors.New("not an osv record: it has neither modified nor affected")

// loose is text, or nothing if the file has something else there: the fields
// marked as database specific are anybody's.
type loose string

func (l *loose) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*l = loose(s)
	}
	return nil
}

func (l *loose) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*l = loose(n.Value)
	}
	return nil
}

// specific is what is understood of the fields database_specific and
// ecosystem_specific.
type specific struct {
	Severity loose    `json:"severity" yaml:"severity"`
	Imports  []Import `json:"imports" yaml:"imports"`
}

func (s *specific) UnmarshalJSON(b []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(b, &fields) != nil {
		return nil //nolint:nilerr // not an object: nothing that is understood
	}
	var imports []Import
	if json.Unmarshal(fields["imports"], &imports) == nil {
		s.Imports = imports
	}
	if v, ok := fields["severity"]; ok {
		return s.Severity.UnmarshalJSON(v)
	}
	return nil
}

func (s *specific) UnmarshalYAML(n *yaml.Node) error {
	var fields map[string]yaml.Node
	if n.Decode(&fields) != nil {
		return nil //nolint:nilerr // the same
	}
	imports, severity := fields["imports"], fields["severity"]
	var all []Import
	if imports.Decode(&all) == nil {
		s.Imports = all
	}
	return s.Severity.UnmarshalYAML(&severity)
}

// wire is a record as the file has it.
type wire struct {
	ID        string       `json:"id" yaml:"id"`
	Aliases   []string     `json:"aliases" yaml:"aliases"`
	Summary   string       `json:"summary" yaml:"summary"`
	Details   string       `json:"details" yaml:"details"`
	Modified  time.Time    `json:"modified" yaml:"modified"`
	Published *time.Time   `json:"published" yaml:"published"`
	Withdrawn *time.Time   `json:"withdrawn" yaml:"withdrawn"`
	Severity  []wireRating `json:"severity" yaml:"severity"`
	Specific  specific     `json:"database_specific" yaml:"database_specific"`
	Affected  []struct {
		Package struct {
			Ecosystem string `json:"ecosystem" yaml:"ecosystem"`
			Name      string `json:"name" yaml:"name"`
		} `json:"package" yaml:"package"`
		Versions []string     `json:"versions" yaml:"versions"`
		Severity []wireRating `json:"severity" yaml:"severity"`
		Ranges   []struct {
			Type   string `json:"type" yaml:"type"`
			Events []struct {
				Introduced   string `json:"introduced" yaml:"introduced"`
				Fixed        string `json:"fixed" yaml:"fixed"`
				LastAffected string `json:"last_affected" yaml:"last_affected"`
				Limit        string `json:"limit" yaml:"limit"`
			} `json:"events" yaml:"events"`
		} `json:"ranges" yaml:"ranges"`
		Specific specific `json:"database_specific" yaml:"database_specific"`
		Own      specific `json:"ecosystem_specific" yaml:"ecosystem_specific"`
	} `json:"affected" yaml:"affected"`
}

type wireRating struct {
	Type  loose `json:"type" yaml:"type"`
	Score loose `json:"score" yaml:"score"`
}

// Parse reads one record in JSON.
func Parse(data []byte) (Record, error) {
	if len(data) > MaxRecord {
		return Record{}, fmt.Errorf("osv record of %d bytes is above the limit of %d", len(data), MaxRecord)
	}
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return Record{}, fmt.Errorf("osv record: %w", err)
	}
	return w.record()
}

// ParseYAML reads one record in YAML, as PyPA's advisory database keeps them.
func ParseYAML(data []byte) (_ Record, err error) {
	if len(data) > maxYAML {
		return Record{}, fmt.Errorf("osv record of %d bytes is above the limit of %d for YAML", len(data), maxYAML)
	}
	// The library reports some errors by panics that it does not always catch.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("osv record: yaml: %v", r)
		}
	}()
	var w wire
	if err := yaml.Unmarshal(data, &w); err != nil {
		return Record{}, fmt.Errorf("osv record: %w", err)
	}
	return w.record()
}

// record checks w and keeps what is needed.
func (w *wire) record() (Record, error) {
	r := Record{
		ID: w.ID, Modified: w.Modified.UTC(), Withdrawn: w.Withdrawn != nil,
		Summary: summarise(w.Summary, w.Details),
		Rating:  rate(w.Severity, string(w.Specific.Severity)),
	}
	switch {
	case w.Modified.IsZero() && len(w.Affected) == 0:
		return Record{}, errForeign
	case w.ID == "":
		return Record{}, errors.New("osv record: the id is missing")
	case !plainID(w.ID):
		return Record{}, fmt.Errorf("osv record: id %q is not 1 to %d letters, digits and -._:/", clip(w.ID, 40), maxID)
	case len(w.Aliases) > maxAliases:
		return Record{}, fmt.Errorf("osv record %s: %d aliases are above the limit of %d", w.ID, len(w.Aliases), maxAliases)
	case len(w.Affected) > maxAffected:
		return Record{}, fmt.Errorf("osv record %s: %d affected packages are above the limit of %d", w.ID, len(w.Affected), maxAffected)
	}
	if w.Published != nil && inTime(w.Published.UTC()) {
		r.Published = w.Published.UTC()
	}
	// The repositories of Go and PyPA have records of the year 1: their time is
	// known when they are exported.
	if !inTime(r.Modified) {
		r.Modified = r.Published
	}
	// An alias that is no id is left out: it is no reason to lose the record.
	for _, a := range w.Aliases {
		if plainID(a) && a != w.ID {
			r.Aliases = append(r.Aliases, a)
		}
	}
	for i := range w.Affected {
		a, err := w.affected(i)
		if err != nil {
			return Record{}, fmt.Errorf("osv record %s: affected[%d]: %w", w.ID, i, err)
		}
		r.Affected = append(r.Affected, a)
	}
	return r, nil
}

func (w *wire) affected(i int) (Affected, error) {
	in := &w.Affected[i]
	a := Affected{
		Ecosystem: in.Package.Ecosystem, Name: in.Package.Name, Versions: in.Versions,
		Imports: append(in.Own.Imports, in.Specific.Imports...),
		Rating:  rate(in.Severity, string(in.Specific.Severity)),
	}
	if a.Rating.Severity == "" {
		a.Rating.Severity = stated(string(in.Own.Severity))
	}
	switch {
	case len(a.Ecosystem) > maxName || len(a.Name) > maxName:
		return a, fmt.Errorf("a name of more than %d bytes", maxName)
	case (a.Ecosystem == "") != (a.Name == ""):
		return a, errors.New("a package needs both an ecosystem and a name")
	case len(a.Versions) > maxVersions:
		return a, fmt.Errorf("%d versions are above the limit of %d", len(a.Versions), maxVersions)
	case len(a.Imports) > maxImports:
		return a, fmt.Errorf("%d imports are above the limit of %d", len(a.Imports), maxImports)
	}
	for _, v := range a.Versions {
		if len(v) > maxVersion {
			return a, fmt.Errorf("a version of more than %d bytes", maxVersion)
		}
	}
	for j, wr := range in.Ranges {
		if len(wr.Events) > maxEvents {
			return a, fmt.Errorf("ranges[%d]: %d events are above the limit of %d", j, len(wr.Events), maxEvents)
		}
		if wr.Type != "SEMVER" && wr.Type != "ECOSYSTEM" && wr.Type != "GIT" {
			return a, fmt.Errorf("ranges[%d]: type %q is not SEMVER, ECOSYSTEM or GIT", j, clip(wr.Type, 40))
		}
		r := Range{Type: wr.Type}
		for k, e := range wr.Events {
			n := len(r.Events)
			for kind, v := range [...]string{Introduced: e.Introduced, Fixed: e.Fixed, LastAffected: e.LastAffected, Limit: e.Limit} {
				if len(v) > maxVersion {
					return a, fmt.Errorf("ranges[%d].events[%d]: a version of more than %d bytes", j, k, maxVersion)
				}
				if v != "" {
					r.Events = append(r.Events, Event{EventKind(kind), v})
				}
			}
			if len(r.Events) != n+1 {
				return a, fmt.Errorf("ranges[%d].events[%d]: want exactly one of introduced, fixed, last_affected and limit", j, k)
			}
		}
		a.Ranges = append(a.Ranges, r)
	}
	return a, nil
}

// inTime keeps out dates that no integer of seconds or calendar is made for.
func inTime(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 10000 }

// plainID reports whether s can be an advisory's id: it is printed, put into
// paths and URLs, and typed.
func plainID(s string) bool {
	if s == "" || len(s) > maxID {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && strings.IndexByte("-._:/", c) < 0 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c)
}

// summarise is the summary, or else the beginning of the details, as one line.
func summarise(summary, details string) string {
	s := summary
	if strings.TrimSpace(s) == "" {
		s = clip(details, 4096)
		if title, rest, ok := strings.Cut(strings.TrimSpace(s), "\n"); ok && strings.HasPrefix(title, "#") {
			s = rest // a heading like "Impact" says nothing
		}
		s = skipIntroduction(strings.Join(strings.Fields(s), " "))
	}
	s = strings.ToValidUTF8(strings.Join(strings.Fields(clip(s, 4096)), " "), "\ufffd")
	if len(s) <= maxSummary {
		return s
	}
	s = clip(s, maxSummary-len("…"))
	if i := strings.LastIndexByte(s, ' '); i > maxSummary/2 {
		s = s[:i]
	}
	return s + "…"
}

// skipIntroduction leaves out a first sentence that says what the package is,
// like "Acme is an auth server." The reader knows, and there is little room.
func skipIntroduction(s string) string {
	first, rest, ok := strings.Cut(s, ". ")
	words := strings.Fields(clip(first, 200))
	if !ok || len(rest) < 20 {
		return s
	}
	for i := 1; i < min(4, len(words)-1); i++ {
		if a := words[i+1]; words[i] == "is" && (a == "a" || a == "an" || a == "the") {
			return rest
		}
	}
	return s
}

// clip is the first n bytes of s, or fewer so that no rune is cut.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
