// Package exception is accepted risk written down: the file exceptions.toml,
// what each of its exceptions covers, and when it stops to.
//
// An exception names what it covers, says why and until when, and whose decision
// it is. One that covers what stands in a file (a secret, malicious behaviour,
// drift) holds for that content only, by its SHA-256: another key in the same
// line is another finding. A covered finding is still reported, marked; an
// expired exception brings its finding back, and the finding says so. A coverage
// accepts in the same way that something could not be examined. Nothing
// inside what is scanned can except anything: files are named by the user.
//
// It reads and changes bytes; opening and saving files is the caller's. Start
// with Parse and File.Apply.
package exception

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

const (
	// MaxDays is how many days ahead an exception may expire.
	MaxDays = 365
	// DefaultDays is how many days it lasts when nothing else is said.
	DefaultDays = 90
	// SoonDays is how many days before its end an exception is said to expire soon.
	SoonDays = 14
)

// A File is the exceptions of one file.
type File struct {
	Name  string
	Items []Item
}

// An Item is one exception.
type Item struct {
	// ID is unique in its file.
	ID string `json:"id"`
	// Coverage says that it is about what could not be examined, and about no
	// finding: a [[coverage]].
	Coverage bool  `json:"coverage,omitempty"`
	Match    Match `json:"match"`
	// Content is the SHA-256 in hex that Finding.SHA256 must be, "" for any.
	Content string `json:"content,omitempty"`
	Reason  string `json:"reason"`
	Owner   string `json:"owner"`
	// Expires is the last day on which it holds, in UTC.
	Expires time.Time `json:"expires"`
	// File and Line are where it stands.
	File string `json:"file"`
	Line int    `json:"line"`
}

// A Match says which findings are meant: those that satisfy all that is not "".
type Match struct {
	// Finding is the id of one finding.
	Finding string `json:"finding,omitempty"`
	// Check is the id or the catalogue number of a check or analyzer.
	Check string `json:"check,omitempty"`
	// Resource and File are patterns (see Glob) for the layer and the path in it.
	Resource string `json:"resource,omitempty"`
	File     string `json:"file,omitempty"`
	// Technique is a MITRE ATT&CK id; T1552 means its sub-techniques too.
	Technique string `json:"technique,omitempty"`
	// CVE is the id of a vulnerability, CVE-… or another database's.
	CVE string `json:"cve,omitempty"`

	// Account, Region and Action are patterns for where the collector made a call
	// and which it was ("lambda:ListLayers"); only a Coverage has them, and nothing
	// else.
	Account string `json:"account,omitempty"`
	Region  string `json:"region,omitempty"`
	Action  string `json:"action,omitempty"`
}

// keys are the keys of match and the fields they set, in the order of the file.
func (m *Match) keys() []struct {
	name  string
	value *string
} {
	return []struct {
		name  string
		value *string
	}{
		{"finding", &m.Finding},
		{"check", &m.Check},
		{"resource", &m.Resource},
		{"file", &m.File},
		{"technique", &m.Technique},
		{"cve", &m.CVE},
		{"account", &m.Account},
		{"region", &m.Region},
		{"action", &m.Action},
	}
}

func (m Match) String() string {
	var parts []string
	for _, k := range m.keys() {
		if *k.value != "" {
			parts = append(parts, k.name+" "+*k.value)
		}
	}
	return strings.Join(parts, ", ")
}

// everything reports whether the match leaves nothing out.
func (m Match) everything() bool {
	return m.Finding == "" && m.Check == "" && m.Technique == "" && m.CVE == "" && anything(m.Resource) && anything(m.File)
}

// Parse reads exceptions.toml. It is strict: everything that is wrong is an
// error with its place, all of them at once (the parts are *tomlfile.Error), and
// then no exception is returned. The name is used in messages and results. An
// exception that has expired by now is no error.
func Parse(name string, data []byte, now time.Time) (*File, error) {
	t, err := tomlfile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name}
	ids := map[string]bool{}
	for _, e := range t.Tables("exception") {
		f.Items = append(f.Items, item(name, e, ids, now))
	}
	for _, e := range t.Tables("coverage") {
		f.Items = append(f.Items, coverage(name, e, ids, now))
	}
	t.Done()
	if err := t.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

func item(name string, e *tomlfile.Table, ids map[string]bool, now time.Time) Item {
	x := header(name, e, ids, now)
	if m := e.Table("match"); m != nil {
		x.Match = match(m, x.ID)
	} else if !e.Has("match") {
		e.Fail("match", `write match = { check = "…" } or { finding = "F-…" }`, "exception %q does not say what it covers", x.ID)
	}
	if content := e.Text("content"); content != "" {
		hex, ok := strings.CutPrefix(content, "sha256:")
		if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
			e.Fail("content", "lamina except add writes it", "exception %q: content is not sha256: and 64 hex digits", x.ID)
		}
		x.Content = hex
	}
	e.Done()
	return x
}

// header is what every exception says: its id, and why, who and until when.
func header(name string, e *tomlfile.Table, ids map[string]bool, now time.Time) Item {
	x := Item{ID: e.Text("id"), File: name, Line: e.Line("")}
	switch {
	case x.ID == "":
		e.Fail("id", "give it a name of its own", "an exception has no id")
	case !isID(x.ID):
		e.Fail("id", "", "exception id %q: want letters, digits, dots, hyphens and underscores, at most 100", x.ID)
	case ids[x.ID]:
		e.Fail("id", "give each exception an id of its own", "exception %q is there twice", x.ID)
	}
	ids[x.ID] = true
	if x.Reason = strings.TrimSpace(e.Text("reason")); x.Reason == "" {
		e.Fail("reason", "say why the risk is accepted", "exception %q has no reason", x.ID)
	}
	if x.Owner = strings.TrimSpace(e.Text("owner")); x.Owner == "" {
		e.Fail("owner", "say who decided it", "exception %q has no owner", x.ID)
	}
	x.Expires = e.Date("expires")
	switch {
	case !e.Has("expires"):
		e.Fail("expires", "write expires = "+Day(now).AddDate(0, 0, DefaultDays).Format(time.DateOnly), "exception %q never ends", x.ID)
	case x.Expires.After(Day(now).AddDate(0, 0, MaxDays)):
		e.Fail("expires", fmt.Sprintf("the longest is %d days, until %s", MaxDays, Day(now).AddDate(0, 0, MaxDays).Format(time.DateOnly)),
			"exception %q lasts until %s", x.ID, x.Expires.Format(time.DateOnly))
	}
	return x
}

func match(t *tomlfile.Table, id string) Match {
	var m Match
	for _, k := range m.keys() {
		if k.name == "account" {
			break // the rest is a coverage's
		}
		*k.value = t.Text(k.name)
		if t.Has(k.name) && *k.value == "" {
			t.Fail(k.name, "leave the key out", "exception %q: %s is empty", id, k.name)
		}
	}
	// Those who come from SARIF call a check a rule.
	if r := t.Text("rule"); r != "" {
		if m.Check != "" {
			t.Fail("rule", "keep one of them", "exception %q: rule and check are the same", id)
		}
		m.Check = r
	}
	known := t.Done()
	for _, k := range []struct{ key, pattern string }{{"resource", m.Resource}, {"file", m.File}} {
		if n := strings.Count(k.pattern, "*"); n > maxStars {
			t.Fail(k.key, "", "exception %q: a pattern with %d stars, want at most %d", id, n, maxStars)
		}
	}
	if known && m.everything() {
		t.Fail("", "name a finding, a check, a technique or a vulnerability, or say more of the resource or file",
			"exception %q would cover everything", id)
	}
	return m
}

func isID(s string) bool {
	return len(s) <= 100 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// Day is the day of t in UTC.
func Day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Expired reports whether x has ended by now.
func (x Item) Expired(now time.Time) bool { return Day(now).After(x.Expires) }

// Within reports whether x is in force and ends within d of now.
func (x Item) Within(now time.Time, d time.Duration) bool {
	return !x.Expired(now) && !x.Expires.After(Day(now).Add(d))
}

// fits reports whether f is one of the findings that x is about, whatever its
// content is and whenever that was decided. One about several things is when x
// names it, or is about each of them.
func (x Item) fits(f *lamina.Finding) bool {
	if len(f.Members) > 0 && x.Match.Finding != f.ID {
		return !slices.ContainsFunc(f.Members, func(m lamina.Member) bool {
			one := alone(*f, m)
			return !x.fits(&one)
		})
	}
	m := x.Match
	switch {
	case x.Coverage,
		m.Finding != "" && m.Finding != f.ID,
		m.Check != "" && m.Check != f.Check && (f.Ref == "" || m.Check != f.Ref),
		m.Resource != "" && !Glob(m.Resource, f.Resource, false),
		m.File != "" && !Glob(m.File, f.File, true),
		m.Technique != "" && !slices.ContainsFunc(f.Techniques, func(t string) bool { return t == m.Technique || strings.HasPrefix(t, m.Technique+".") }),
		m.CVE != "" && !mentions(f, m.CVE):
		return false
	}
	return true
}

// mentions reports whether the finding is about the vulnerability id.
func mentions(f *lamina.Finding, id string) bool {
	for _, s := range append([]string{f.Title, f.Detail}, f.Evidence...) {
		for word := range strings.FieldsFuncSeq(s, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}) {
			if strings.EqualFold(word, id) {
				return true
			}
		}
	}
	return false
}

// packageCheck is about which package is there, not about the bytes of a file: what
// is accepted of a package holds wherever its metadata stands.
const packageCheck = "known-vulnerability"

// NeedsContent reports whether an exception for f must be bound to its content:
// f is about the bytes of a file and about something an attacker does (a secret,
// behaviour, drift: it has an ATT&CK technique), or says that bytes changed.
func NeedsContent(f *lamina.Finding) bool {
	if f.SHA256 == "" || f.Check == packageCheck {
		return false
	}
	return len(f.Techniques) > 0 || strings.Contains(f.Check, "secret") || strings.Contains(f.Check, "drift")
}

// Counts are what a run's exceptions did.
type Counts struct {
	// Suppressed findings are covered; Expiring of them end within SoonDays.
	Suppressed, Expiring int
	// Expired findings are back because their exception ended, Changed because
	// the content is no longer what was accepted.
	Expired, Changed int
}

// Add adds d to c.
func (c *Counts) Add(d Counts) {
	c.Suppressed += d.Suppressed
	c.Expiring += d.Expiring
	c.Expired += d.Expired
	c.Changed += d.Changed
}

// A verdict is what exceptions say of one finding.
type verdict struct {
	about            []int    // the exceptions that are about it
	best             *Item    // that covers it, and ends last; nil for none
	lapsed           []string // why others do not
	expired, changed bool
}

// A lookup is exceptions by what they can be looked up by: the id of a finding, or a
// resource without a star. The others are asked about every finding.
type lookup struct {
	items             []Item
	finding, resource map[string][]int
	others            []int
}

func lookupOf(items []Item) lookup {
	l := lookup{items: items, finding: map[string][]int{}, resource: map[string][]int{}}
	for j, x := range items {
		switch m := x.Match; {
		case m.Finding != "":
			l.finding[m.Finding] = append(l.finding[m.Finding], j)
		case m.Resource != "" && !strings.Contains(m.Resource, "*"):
			l.resource[m.Resource] = append(l.resource[m.Resource], j)
		default:
			l.others = append(l.others, j)
		}
	}
	return l
}

// about are the exceptions that may be about the finding, in their order. One that
// names a resource is about none of several.
func (l lookup) about(f *lamina.Finding) []int {
	list := [][]int{l.others, l.finding[f.ID]}
	switch len(f.Members) {
	case 0:
		list = append(list, l.resource[f.Resource])
	case 1:
		list = append(list, l.resource[f.Members[0].Resource], l.finding[f.Members[0].ID])
	}
	out := slices.Concat(list...)
	slices.Sort(out)
	return slices.Compact(out)
}

func (l lookup) judge(f *lamina.Finding, now time.Time) verdict {
	var v verdict
	for _, j := range l.about(f) {
		x := &l.items[j]
		if !x.fits(f) {
			continue
		}
		v.about = append(v.about, j)
		switch {
		case x.Expired(now):
			v.lapsed = append(v.lapsed, fmt.Sprintf("re-opened: exception %s (%s) expired on %s", x.ID, x.Owner, x.Expires.Format(time.DateOnly)))
			v.expired = true
		case x.Content != "" && x.Content != f.SHA256:
			v.lapsed = append(v.lapsed, fmt.Sprintf("re-opened: exception %s (%s) is for sha256:%.12s…, the content has changed", x.ID, x.Owner, x.Content))
			v.changed = true
		case x.Content == "" && NeedsContent(f):
			v.lapsed = append(v.lapsed, fmt.Sprintf("not covered: exception %s (%s) names no content, which a finding of %s needs", x.ID, x.Owner, f.Check))
		case v.best == nil || x.Expires.After(v.best.Expires):
			v.best = x
		}
	}
	return v
}

// Divide makes of each finding about several things, of which exceptions are about
// some alone, one finding for those of which they say the same, so that Apply covers
// what was accepted and nothing else. part is the finding for some of its members;
// the one that is left says how many were accepted, since its evidence is of all.
func Divide(items []Item, findings []lamina.Finding, part func(lamina.Finding, []lamina.Member) lamina.Finding, now time.Time) []lamina.Finding {
	if len(items) == 0 {
		return findings
	}
	list, out := lookupOf(items), make([]lamina.Finding, 0, len(findings))
	for _, f := range findings {
		if len(f.Members) == 0 || f.Outcome != lamina.Fail && f.Outcome != lamina.Unknown || f.Exception != nil || list.judge(&f, now).best != nil {
			out = append(out, f)
			continue
		}
		said := map[string][]lamina.Member{}
		by := map[string]*Item{}
		var names []string
		accepted := 0
		for _, m := range f.Members {
			one := alone(f, m)
			v := list.judge(&one, now)
			key := strings.Join(v.lapsed, "\n")
			if v.best != nil {
				key = v.best.File + "\x00" + v.best.ID // ids are unique in one file
				if by[key] == nil {
					by[key], names = v.best, append(names, v.best.ID)
				}
				accepted++
			}
			said[key] = append(said[key], m)
		}
		if len(said) == 1 {
			out = append(out, f)
			continue
		}
		slices.Sort(names)
		for _, key := range slices.Sorted(maps.Keys(said)) {
			p := part(f, said[key])
			if by[key] == nil && accepted > 0 {
				p.Evidence = append(slices.Clip(p.Evidence), fmt.Sprintf("accepted: %d of %d, by exception %s", accepted, len(f.Members), strings.Join(names, ", ")))
			}
			out = append(out, p)
		}
	}
	return out
}

// alone is the finding about one of its members.
func alone(f lamina.Finding, m lamina.Member) lamina.Finding {
	f.ID, f.Resource, f.Members = m.ID, m.Resource, nil
	return f
}

// Apply marks the findings that the exceptions cover, failed and unknown ones,
// and writes into the evidence of those that an exception no longer covers why.
// Findings that somebody already excepted stay as they are. It returns the counts and the
// exceptions that were about none of the findings. Of several exceptions that
// cover a finding the one that ends last is named.
func Apply(items []Item, findings []lamina.Finding, now time.Time) (Counts, []Item) {
	var c Counts
	list, used := lookupOf(items), make([]bool, len(items))
	for i := range findings {
		f := &findings[i]
		if f.Outcome != lamina.Fail && f.Outcome != lamina.Unknown || f.Exception != nil {
			continue
		}
		v := list.judge(f, now)
		for _, j := range v.about {
			used[j] = true
		}
		switch {
		case v.best != nil:
			f.Exception = v.best.Noun()
			c.Suppressed++
			if v.best.Within(now, SoonDays*24*time.Hour) {
				c.Expiring++
			}
			continue
		case v.expired:
			c.Expired++
		case v.changed:
			c.Changed++
		}
		if v.lapsed != nil {
			f.Evidence = append(slices.Clone(f.Evidence), v.lapsed...)
		}
	}
	var unused []Item
	for j, x := range items {
		if !used[j] {
			unused = append(unused, x)
		}
	}
	return c, unused
}

// Noun is x as results show it.
func (x Item) Noun() *lamina.Exception {
	return &lamina.Exception{ID: x.ID, Reason: x.Reason, Owner: x.Owner, Expires: x.Expires.Format(time.DateOnly)}
}

// For is an exception for one finding: by its id, so that it is about this place
// only, and by its content where there is one; when id is that of one of its members,
// for that one alone. It refuses a finding that neither failed nor is unknown. It has
// no reason, owner or end yet.
func For(f *lamina.Finding, id string) (Item, error) {
	if i := slices.IndexFunc(f.Members, func(m lamina.Member) bool { return m.ID == id }); i >= 0 {
		one := alone(*f, f.Members[i])
		f = &one
	}
	switch {
	case f.Outcome != lamina.Fail && f.Outcome != lamina.Unknown:
		return Item{}, fmt.Errorf("%s is %s: only what failed or is unknown can be accepted", f.ID, f.Outcome)
	case f.ID == "":
		return Item{}, errors.New("the finding has no id")
	}
	return Item{ID: cmp.Or(slug(f.Check+"-"+f.ID), "exception"), Match: Match{Finding: f.ID}, Content: f.SHA256}, nil
}

// slug keeps of s what an id may hold.
func slug(s string) string {
	s = strings.Map(func(r rune) rune {
		if isID(string(r)) {
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), 100)]
}
