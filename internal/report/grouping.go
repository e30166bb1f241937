package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A grouping is the findings of checks about an estate, in the order in which a
// person looks at them: which checks found something, then what they are about,
// the worst first, then what could not be answered, by what would settle it.
// Findings of many versions of a layer or function that say the same are one row.
type grouping struct {
	checks   map[string]*checkCount
	groups   map[string]*group
	unknown  map[string]*unknownGroup
	accepted map[string]*acceptedGroup
	teams    tally
	accounts tally
	findings int // that are shown one by one where there are few
	known    int // that the baseline has
	// frameworks are those of controls that findings name.
	frameworks map[string]bool
}

// A tally counts findings by whose they are, or where, and by severity.
type tally map[string]map[lamina.Severity]int

func (t tally) add(to []string, s lamina.Severity) {
	for _, x := range to {
		if t[x] == nil {
			t[x] = map[lamina.Severity]int{}
		}
		t[x][s]++
	}
}

// worstFirst is who has findings, those with the worst first.
func (t tally) worstFirst() []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		for _, s := range slices.Backward(lamina.Severities) {
			if d := t[b][s] - t[a][s]; d != 0 {
				return d
			}
		}
		return strings.Compare(a, b)
	})
}

// A checkCount is what one check said, and of how many things.
type checkCount struct {
	check, ref, title, fix string
	worst                  lamina.Severity
	failed, unknown, asked int
	controls               []lamina.Control
}

// What a group is about, in the order of the sections.
const (
	aboutLayer = iota
	aboutFunction
	aboutPrincipal
	aboutRest
)

var groupTitles = [...]string{"Layers", "Functions", "Users and roles", "Organisation, accounts and others"}

// A group is what was found about one layer, function, principal or other
// resource, all versions of it together.
type group struct {
	kind        int
	name, where string
	owners      []string
	// worst is the rank of the worst finding and count how many there are of it.
	worst, count int
	rows         []*groupRow
}

// A groupRow is findings of one check about one group that say the same.
type groupRow struct {
	severity           lamina.Severity
	check, ref, detail string
	// parts are the versions, or the files, that it is about; whole says that it is
	// about all of it.
	parts []string
	whole bool
	ids   []string
}

// An unknownGroup is the answers that one reason hides.
type unknownGroup struct {
	reason string
	n      int
	// refs are the numbers of the checks, settle what would settle it, in one place
	// or another.
	refs, settle map[string]bool
}

type acceptedGroup struct {
	exception lamina.Exception
	n         int
}

func newGrouping() *grouping {
	return &grouping{
		checks: map[string]*checkCount{}, groups: map[string]*group{},
		unknown: map[string]*unknownGroup{}, accepted: map[string]*acceptedGroup{}, teams: tally{}, accounts: tally{}, frameworks: map[string]bool{},
	}
}

// ofEstate reports whether the finding is one of the checks of the catalogue,
// which are about an estate and not about one file.
func ofEstate(f *lamina.Finding) bool { return f.Ref != "" }

func (g *grouping) add(f *lamina.Finding) {
	c := g.checks[f.Check]
	if c == nil {
		c = &checkCount{check: f.Check, ref: f.Ref, title: f.Title, worst: lamina.Info}
		g.checks[f.Check] = c
	}
	n := max(len(f.Members), 1)
	if f.Outcome != lamina.NotApplicable {
		c.asked += n
	}
	switch {
	case f.Outcome != lamina.Fail && f.Outcome != lamina.Unknown:
	case f.Exception != nil:
		a := g.accepted[f.Exception.ID]
		if a == nil {
			a = &acceptedGroup{exception: *f.Exception}
			g.accepted[f.Exception.ID] = a
		}
		a.n += n
		g.findings++
	case f.Baseline == "known":
		g.known++
	case f.Outcome == lamina.Unknown:
		c.unknown += n
		g.findings++
		u := g.unknown[f.Reason]
		if u == nil {
			u = &unknownGroup{reason: f.Reason, refs: map[string]bool{}, settle: map[string]bool{}}
			g.unknown[f.Reason] = u
		}
		u.refs[f.Ref], u.settle[f.Settle] = true, true
		u.n++
	default:
		c.failed += n
		c.fix = f.Remediation
		if len(f.Controls) > 0 {
			c.controls = f.Controls // those of the check, the same in all its findings
		}
		for _, control := range f.Controls {
			g.frameworks[control.Framework] = true
		}
		g.teams.add(f.Owners, f.Severity)
		g.accounts.add(f.Accounts, f.Severity)
		if f.Severity.Rank() > c.worst.Rank() {
			c.worst = f.Severity
		}
		g.findings++
		g.fail(f)
	}
}

func (g *grouping) fail(f *lamina.Finding) {
	kind, name, where, parts, several := subjects(f)
	key := strconv.Itoa(kind) + name + "\x00" + where
	to := g.groups[key]
	if to == nil {
		to = &group{kind: kind, name: name, where: where, worst: -1}
		g.groups[key] = to
	}
	switch rank := f.Severity.Rank(); {
	case rank > to.worst:
		to.worst, to.count = rank, 1
	case rank == to.worst:
		to.count++
	}
	for _, team := range f.Owners {
		if !slices.Contains(to.owners, team) {
			to.owners = append(to.owners, team)
			slices.Sort(to.owners)
		}
	}
	detail := several + cmp.Or(f.Detail, f.Title)
	i := slices.IndexFunc(to.rows, func(r *groupRow) bool {
		return r.check == f.Check && r.severity == f.Severity && r.detail == detail
	})
	if i < 0 {
		i = len(to.rows)
		to.rows = append(to.rows, &groupRow{severity: f.Severity, check: f.Check, ref: f.Ref, detail: detail})
	}
	r := to.rows[i]
	r.ids = append(r.ids, f.ID)
	for _, part := range parts {
		r.whole = r.whole || part == ""
		if !slices.Contains(r.parts, part) {
			r.parts = append(r.parts, part)
		}
	}
}

// subjects is subject for what may be about several things. Versions of one layer
// or function are parts of it; other things have a place of their own together,
// and several says how many of them there are.
func subjects(f *lamina.Finding) (kind int, name, where string, parts []string, several string) {
	if len(f.Members) == 0 {
		kind, name, where, part := subject(f)
		return kind, name, where, []string{part}, ""
	}
	names := map[string]bool{}
	places := map[string]bool{}
	for _, m := range f.Members {
		one := *f
		one.Resource = m.Resource
		var part string
		kind, name, where, part = subject(&one)
		names[name], places[where] = true, true
		parts = append(parts, part)
	}
	if len(places) > 1 { // regions, as a rule, of one account
		where, _, _ = strings.Cut(where, " ")
	}
	if len(names) == 1 {
		return kind, name, where, parts, ""
	}
	what := [...]string{"layers", "functions", "users and roles", "resources"}[kind]
	if kind == aboutPrincipal && !slices.ContainsFunc(slices.Collect(maps.Keys(names)), func(name string) bool { return !strings.HasPrefix(name, "role ") }) {
		what = "roles"
	}
	return kind, "several " + what, where, []string{""}, thousands(int64(len(names))) + " " + what + ": "
}

// subject is what a finding is about: a name, where it is, and the part of it
// (version or line of a file) that is meant.
func subject(f *lamina.Finding) (kind int, name, where, part string) {
	if f.File != "" {
		part = strings.TrimPrefix(place(f), f.Resource+" ")
	}
	if l, err := lamina.ParseLayerARN(f.Resource); err == nil && l.Name != "*" {
		if l.Version > 0 && part == "" {
			part = strconv.Itoa(l.Version)
		}
		return aboutLayer, l.Name, strings.TrimSpace(l.ARN.Account + " " + l.ARN.Region), part
	}
	a, err := lamina.ParseARN(f.Resource)
	if err != nil {
		return aboutRest, f.Resource, "", part
	}
	where = strings.TrimSpace(strings.ReplaceAll(a.Account+" "+a.Region, "*", ""))
	head, rest, _ := strings.Cut(a.Resource, ":")
	switch {
	case a.Service == "lambda" && head == "function" && rest != "":
		name, version, _ := strings.Cut(rest, ":")
		return aboutFunction, name, where, cmp.Or(part, version)
	case a.Service == "iam" && rest == "" && head != "*":
		return aboutPrincipal, strings.Replace(head, "/", " ", 1), where, part
	case strings.Trim(a.Resource, "*:") == "" && where != "":
		return aboutRest, "account and region", where, part
	}
	return aboutRest, a.Service + " " + a.Resource, where, part
}

// byCheck is the checks that found something, worst first.
func (g *grouping) byCheck() []*checkCount {
	out := slices.DeleteFunc(slices.Collect(maps.Values(g.checks)), func(c *checkCount) bool { return c.failed == 0 })
	slices.SortFunc(out, func(a, b *checkCount) int {
		return cmp.Or(b.worst.Rank()-a.worst.Rank(), b.failed-a.failed, cmp.Compare(a.ref, b.ref))
	})
	return out
}

// about is the groups of a kind, worst first, their rows too.
func (g *grouping) about(kind int) []*group {
	out := slices.DeleteFunc(slices.Collect(maps.Values(g.groups)), func(x *group) bool { return x.kind != kind })
	slices.SortFunc(out, func(a, b *group) int {
		return cmp.Or(b.worst-a.worst, b.count-a.count, len(b.rows)-len(a.rows), cmp.Compare(a.name, b.name), cmp.Compare(a.where, b.where))
	})
	for _, x := range out {
		slices.SortFunc(x.rows, func(a, b *groupRow) int {
			return cmp.Or(b.severity.Rank()-a.severity.Rank(), cmp.Compare(a.ref, b.ref), cmp.Compare(a.detail, b.detail))
		})
		for _, r := range x.rows {
			slices.SortFunc(r.parts, func(a, b string) int {
				x, _ := strconv.Atoi(a)
				y, _ := strconv.Atoi(b)
				return cmp.Or(x-y, cmp.Compare(a, b))
			})
		}
	}
	return out
}

// open is what could not be answered, the most first.
func (g *grouping) open() []*unknownGroup {
	return slices.SortedFunc(maps.Values(g.unknown), func(a, b *unknownGroup) int {
		return cmp.Or(b.n-a.n, cmp.Compare(a.reason, b.reason))
	})
}

// covered is what exceptions cover, by the exception's id.
func (g *grouping) covered() []*acceptedGroup {
	return slices.SortedFunc(maps.Values(g.accepted), func(a, b *acceptedGroup) int { return cmp.Compare(a.exception.ID, b.exception.ID) })
}

// of says which parts a row is about: "versions 1-6, 9", "" for the whole.
func (r *groupRow) of() string {
	if r.whole {
		return ""
	}
	var out []string
	numbers := true
	for i := 0; i < len(r.parts); i++ {
		first, err := strconv.Atoi(r.parts[i])
		numbers = numbers && err == nil
		last := i
		for err == nil && last+1 < len(r.parts) && r.parts[last+1] == strconv.Itoa(first+last+1-i) {
			last++
		}
		if last > i+1 {
			out = append(out, r.parts[i]+"-"+r.parts[last])
			i = last
			continue
		}
		out = append(out, r.parts[i])
	}
	if n := len(out) - maxParts; n > 1 {
		out = append(out[:maxParts], "and "+thousands(int64(n))+" more")
	}
	s := strings.Join(out, ", ")
	switch {
	case !numbers:
		return s + ": "
	case len(r.parts) == 1:
		return "version " + s + ": "
	}
	return "versions " + s + ": "
}

// maxParts is how many versions, or ranges of versions, a row names.
const maxParts = 6
