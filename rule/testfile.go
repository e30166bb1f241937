package rule

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// TestFile is where the tests of a rule file are kept: testdata/NAME.txtar
// beside it.
func TestFile(file string) string {
	dir, base := path.Split(strings.ReplaceAll(file, `\`, "/"))
	return dir + "testdata/" + strings.TrimSuffix(base, ".toml") + ".txtar"
}

// TestLines is the other place tests are kept in: NAME.test.ndjson beside the
// rule.
func TestLines(file string) string {
	return strings.TrimSuffix(strings.ReplaceAll(file, `\`, "/"), ".toml") + ".test.ndjson"
}

// An Expect is what a test case says of its record.
type Expect string

// What a record should do.
const (
	Hit  Expect = "hit"  // the rule matches it
	Miss Expect = "miss" // the rule does not match it
	Todo Expect = "todo" // the rule should match it and does not yet; reported, never failed
)

// A Case is one record and what the rule should make of it.
type Case struct {
	// Name is the case's file in the archive, or its name or line.
	Name   string
	Want   Expect
	Record []byte
	// Before are the records that came earlier, oldest first: what history
	// within the input is made from.
	Before [][]byte
	// Options are what a run would be told on the command line, by the flag's
	// name without hyphens ("org-id", "account").
	Options map[string][]string
	// File and Line say where the case stands.
	File string
	Line int
}

// A Suite is the tests of one rule.
type Suite struct {
	File string
	// Comment is the text before the first file of the archive.
	Comment string
	Cases   []Case
	// Golden is the file alerts.golden, nil if there is none.
	Golden []byte
	// Implied are changes of the query that no record can show.
	Implied []Implied

	data   []byte
	golden [2]int // where Golden stands in data
}

// An Implied says that no record can show a change of the query, because other
// clauses imply the one that is changed, and why that is so.
type Implied struct {
	// Clause is part of what Mutant.Change says.
	Clause  string
	Because string
}

// goldenName is the name of the file with the expected alerts.
const goldenName = "alerts.golden"

// ParseSuite reads a txtar archive of tests:
//
//	match/NAME.json    a CloudTrail record the rule must match
//	nomatch/NAME.json  one it must not match
//	todo/NAME.json     one it should match and does not yet
//	before/NAME.json   records that came before, in order of their names
//	options            lines "org-id = o-example": the flags of the run
//	implied            lines "CLAUSE because REASON": changes that Mutate need not
//	                   have noticed, since other clauses imply the clause
//	alerts.golden      a line an alert, see Report.Alerts
//
// Anything else in it is an error.
func ParseSuite(file string, data []byte) (*Suite, error) {
	s := &Suite{File: file, data: data}
	t := newText(file, data)
	if len(data) > MaxExport {
		return nil, Errors{{File: file, Msg: fmt.Sprintf("the file has %d bytes, more than the %d an archive may have", len(data), MaxExport)}}
	}
	var errs Errors
	var before []Case
	options := map[string][]string{}
	comment, members := splitArchive(data)
	s.Comment = string(comment)
	for _, m := range members {
		pos := t.pos(m.at, m.headerLen)
		dir, name := path.Split(m.name)
		c := Case{Name: name, Record: bytes.TrimSpace(m.data), File: file, Line: pos.Line}
		switch {
		case dir == "match/" && name != "":
			c.Want = Hit
		case dir == "nomatch/" && name != "":
			c.Want = Miss
		case dir == "todo/" && name != "":
			c.Want = Todo
		case dir == "before/" && name != "":
			before = append(before, c)
			continue
		case m.name == "options":
			errs = append(errs, parseOptions(t, m, options)...)
			continue
		case m.name == "implied":
			implied, bad := parseImplied(t, m)
			s.Implied, errs = append(s.Implied, implied...), append(errs, bad...)
			continue
		case m.name == goldenName:
			s.Golden, s.golden = m.data, [2]int{m.start, m.start + len(m.data)}
			continue
		default:
			errs = append(errs, &Error{
				File: file, Pos: pos, Msg: fmt.Sprintf("unknown file %q in the archive", m.name),
				Hint: "put records under match/, nomatch/, todo/ or before/",
			})
			continue
		}
		if i := slices.IndexFunc(s.Cases, func(d Case) bool { return d.Name == c.Name }); i >= 0 {
			errs = append(errs, &Error{File: file, Pos: pos, Msg: fmt.Sprintf("a case called %q is already at line %d", c.Name, s.Cases[i].Line)})
			continue
		}
		s.Cases = append(s.Cases, c)
	}
	slices.SortFunc(before, func(a, b Case) int { return strings.Compare(a.Name, b.Name) })
	for i := range s.Cases {
		s.Cases[i].Options = options
		for _, b := range before {
			s.Cases[i].Before = append(s.Cases[i].Before, b.Record)
		}
	}
	return s, errs.err()
}

// parseOptions reads lines "name = value"; a name may repeat.
func parseOptions(t *text, m member, into map[string][]string) Errors {
	var errs Errors
	off := m.start
	for line := range bytes.Lines(m.data) {
		pos := t.pos(off, len(line))
		off += len(line)
		s := strings.TrimSpace(string(line))
		if s == "" || s[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(s, "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"`)
		if !ok || name == "" {
			errs = append(errs, &Error{File: t.name, Pos: pos, Msg: fmt.Sprintf("an option is written name = value, not %q", s)})
			continue
		}
		into[name] = append(into[name], value)
	}
	return errs
}

func parseImplied(t *text, m member) ([]Implied, Errors) {
	var out []Implied
	var errs Errors
	off := m.start
	for line := range bytes.Lines(m.data) {
		pos := t.pos(off, len(line))
		off += len(line)
		s := strings.TrimSpace(string(line))
		if s == "" || s[0] == '#' {
			continue
		}
		clause, why, ok := strings.Cut(s, " because ")
		if !ok {
			errs = append(errs, &Error{File: t.name, Pos: pos, Msg: fmt.Sprintf("write CLAUSE because REASON, not %q", s)})
			continue
		}
		out = append(out, Implied{strings.TrimSpace(clause), strings.TrimSpace(why)})
	}
	return out, errs
}

// ParseTestLines reads tests of which each line is an object:
//
//	{"name": "public", "expect": "hit", "event": {…}, "before": [{…}], "options": {"org-id": ["o-example"]}}
//
// expect is hit, miss or todo; name, before and options may be left out.
func ParseTestLines(file string, data []byte) (*Suite, error) {
	s := &Suite{File: file, data: data}
	if len(data) > MaxExport {
		return nil, Errors{{File: file, Msg: fmt.Sprintf("the file has %d bytes, more than the %d a test file may have", len(data), MaxExport)}}
	}
	t := newText(file, data)
	var errs Errors
	off := 0
	for line := range bytes.Lines(data) {
		start := off
		off += len(line)
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		v, err := parseJSON(t, start, line)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if v.Kind != Table {
			errs = append(errs, &Error{File: file, Pos: v.Pos, Msg: fmt.Sprintf("a test must be an object, not %s", v.Kind)})
			continue
		}
		d := decoder{t: t}
		c := d.testLine(v)
		if c.Name == "" {
			c.Name = fmt.Sprintf("line %d", c.Line)
		}
		if len(d.errs) > 0 {
			errs = append(errs, d.errs...)
			continue
		}
		s.Cases = append(s.Cases, c)
	}
	return s, errs.err()
}

func (d *decoder) testLine(v *Value) Case {
	c := Case{
		Name: d.str(v, "name", "name"), Want: Expect(d.need(v, "expect", "expect")),
		File: d.t.name, Line: v.Pos.Line, Options: map[string][]string{},
	}
	d.oneOf(v, "expect", "expect", string(c.Want), texts([]Expect{Hit, Miss, Todo}))
	for _, e := range v.Keys {
		if !slices.Contains([]string{"name", "expect", "event", "before", "options"}, e.Name) {
			d.fail(e.Pos, "", "unknown key %s", e.Name)
		}
	}
	if e := d.table(v, "event", "event"); e != nil {
		c.Record = appendJSON(nil, e)
	} else if len(d.errs) == 0 {
		d.fail(v.Pos, "", "event is missing")
	}
	for _, b := range d.tables(v, "before", "before") {
		c.Before = append(c.Before, appendJSON(nil, b))
	}
	if o := d.table(v, "options", "options"); o != nil {
		for _, e := range o.Keys {
			c.Options[e.Name] = d.list(o, "options."+e.Name, e.Name, true)
		}
	}
	return c
}

// WithGolden is the archive's bytes with alerts.golden replaced, or added.
func (s *Suite) WithGolden(golden []byte) []byte {
	if s.Golden != nil {
		return slices.Concat(s.data[:s.golden[0]], golden, s.data[s.golden[1]:])
	}
	out := slices.Clone(s.data)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	return append(append(out, "-- "+goldenName+" --\n"...), golden...)
}

// A member is a file of a txtar archive
// (https://pkg.go.dev/golang.org/x/tools/txtar).
type member struct {
	name      string
	data      []byte
	at        int // offset of its header
	headerLen int
	start     int // offset of its data
}

func splitArchive(data []byte) (comment []byte, members []member) {
	off := 0
	end := func(at int) {
		if n := len(members); n > 0 {
			members[n-1].data = data[members[n-1].start:at]
		} else {
			comment = data[:at]
		}
	}
	for line := range bytes.Lines(data) {
		trimmed := bytes.TrimRight(line, "\r\n")
		if name, ok := header(trimmed); ok {
			end(off)
			members = append(members, member{name: name, at: off, headerLen: len(trimmed), start: off + len(line)})
		}
		off += len(line)
	}
	end(off)
	return comment, members
}

func header(line []byte) (string, bool) {
	s, ok := strings.CutPrefix(string(line), "-- ")
	if !ok {
		return "", false
	}
	s, ok = strings.CutSuffix(s, " --")
	s = strings.TrimSpace(s)
	return s, ok && s != ""
}
