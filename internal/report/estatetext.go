package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// How much of an estate text shows; the rest is counted, and -v, table, json and
// the other formats have all of it.
const (
	// fewFindings are shown one by one, with evidence and fix.
	fewFindings = 5
	// maxGroups is how many layers, functions, … are named, maxRows how many rows
	// each has, maxOpen how many reasons for unknown answers.
	maxGroups = 10
	maxRows   = 4
	maxOpen   = 6
	// fewGroups are named where there are manyGroups: nobody reads on.
	fewGroups, manyGroups = 5, 50
	// manyAccounts is from how many accounts on it is said which are the worst.
	manyAccounts = 6
)

// estateText keeps the findings about an estate until the stream ends, when there is
// an order for people in them.
type estateText struct {
	grouping *grouping
	few      []lamina.Finding
	// grouped says that there is more than was printed.
	grouped bool
}

// hold keeps a finding about an estate; text prints the others as they come.
func (w *text) hold(f *lamina.Finding) bool {
	if w.o.Verbose || w.o.Live || !ofEstate(f) {
		return false
	}
	if w.estate.grouping == nil {
		w.estate.grouping = newGrouping()
	}
	g := w.estate.grouping
	g.add(f)
	if g.findings <= fewFindings && f.Baseline != "known" && (f.Outcome == lamina.Fail || f.Outcome == lamina.Unknown) {
		w.estate.few = append(w.estate.few, *f)
	}
	return true
}

// release prints what was held.
func (w *text) release() {
	g := w.estate.grouping
	if g == nil {
		return
	}
	w.estate.grouping = nil
	if g.findings <= fewFindings {
		for _, f := range w.estate.few {
			w.detailed(&f)
		}
	} else {
		w.estate.grouped = true
		w.byCheck(g)
		w.tally("TEAM", "team", g.teams, 1)
		w.tally("ACCOUNT", "account", g.accounts, manyAccounts)
		for kind, title := range groupTitles {
			w.groups(title, g.about(kind))
		}
		w.open(g)
		w.covered(g)
	}
	if g.known > 0 {
		w.block()
		w.fitted(0, count(int64(g.known), "finding")+" that the baseline has, not listed here")
	}
}

// byCheck is the table of the checks that found something.
func (w *text) byCheck(g *grouping) {
	checks := g.byCheck()
	if len(checks) == 0 {
		return
	}
	w.block()
	const severity, number = len("CRITICAL"), len("EXP-01")
	found := len("FOUND")
	tally := func(c *checkCount) string {
		s := thousands(int64(c.failed)) + " of " + thousands(int64(c.asked))
		if c.unknown > 0 {
			s += ", " + thousands(int64(c.unknown)) + " unknown"
		}
		return s
	}
	for _, c := range checks {
		found = max(found, width(tally(c)))
	}
	line := func(sev, ref, n, what, color string) {
		w.str(w.paint(color, sev), pad(sev, severity), ref, pad(ref, number), n, pad(n, found))
		w.flowFitted(severity+number+found+6, what)
		w.str("\n")
	}
	line("SEVERITY", "CHECK", "FOUND", "WHAT", "")
	for _, c := range checks {
		line(strings.ToUpper(string(c.worst)), safe.Line(c.ref, 0), tally(c), c.title, severityColor(c.worst))
		if c.fix != "" && c.worst.Rank() >= lamina.High.Rank() {
			w.fitted(severity+number+4, "fix: "+c.fix)
		}
		// Of one framework, which was asked for, the controls have a place here.
		if len(g.frameworks) == 1 && len(c.controls) > 0 {
			w.fitted(severity+number+4, "controls: "+strings.Join(controls(c.controls), ", "))
		}
	}
}

// tally is the table of whose or where the findings are, the worst first; none for
// fewer than least.
func (w *text) tally(title, one string, t tally, least int) {
	if len(t) < least {
		return
	}
	w.block()
	names := t.worstFirst()
	const number = len("CRITICAL")
	for _, s := range slices.Backward(lamina.Severities) {
		head := strings.ToUpper(string(s))
		w.str(strings.Repeat(" ", number-len(head)), head, "  ")
	}
	w.str(title, "\n")
	for _, name := range names[:min(len(names), maxGroups)] {
		for _, s := range slices.Backward(lamina.Severities) {
			n := thousands(int64(t[name][s]))
			w.str(strings.Repeat(" ", max(0, number-len(n))), n, "  ")
		}
		w.str(cut(safe.Line(name, 0), max(w.o.Width-len(lamina.Severities)*(number+2), 10)), "\n")
	}
	if n := len(names) - maxGroups; n > 0 {
		w.fitted(0, "and "+count(int64(n), "more "+one))
	}
}

// fitted is wrap, but words that are longer than the line are cut: other formats
// have them whole.
func (w *text) fitted(indent int, s string) {
	w.str(strings.Repeat(" ", indent))
	w.flowFitted(indent, s)
	w.str("\n")
}

// flowFitted prints s from column indent on and returns the column it stops at.
func (w *text) flowFitted(indent int, s string) int {
	words := strings.Split(safe.Line(s, maxValue), " ")
	for i := range words {
		words[i] = cut(words[i], w.o.Width-indent)
	}
	return w.flowWords(indent, indent, strings.Join(words, " "))
}

// groups is a section: what was found about some things, the worst first.
func (w *text) groups(title string, groups []*group) {
	if len(groups) == 0 {
		return
	}
	w.block()
	head := fmt.Sprintf("%s with findings: %s", title, thousands(int64(len(groups))))
	if len(groups) > 1 {
		head += ", worst first"
	}
	w.str(w.paint("1", head), "\n")
	shown := groups[:min(len(groups), maxGroups)]
	if len(groups) >= manyGroups {
		shown = groups[:fewGroups]
	}
	if len(groups) == len(shown)+1 {
		shown = groups // a line about one more takes as much place
	}
	for _, g := range shown {
		w.str("\n")
		name := safe.Line(g.name, maxValue)
		w.str(w.paint("1", cut(name, w.o.Width-width(g.where)-2)))
		if g.where != "" {
			w.str("  ", w.dim(safe.Line(g.where, maxValue)))
		}
		w.str("\n")
		if len(g.owners) > 0 {
			w.fitted(2, "owner: "+some(g.owners, maxParts))
		}
		w.groupRows(g.rows)
	}
	if n := len(groups) - len(shown); n > 0 {
		w.str("\n")
		w.fitted(0, fmt.Sprintf("and %s more of them: %s", thousands(int64(n)), severities(groups[len(shown):])))
	}
}

// severities says how many findings of which severity groups have.
func severities(groups []*group) string {
	counts := map[lamina.Severity]int{}
	for _, g := range groups {
		for _, r := range g.rows {
			counts[r.severity] += len(r.ids)
		}
	}
	var parts []string
	for _, s := range slices.Backward(lamina.Severities) {
		if n := counts[s]; n > 0 {
			parts = append(parts, thousands(int64(n))+" "+string(s))
		}
	}
	return strings.Join(parts, ", ")
}

func (w *text) groupRows(rows []*groupRow) {
	const indent = len("  CRITICAL  EXP-01  ")
	shown := rows[:min(len(rows), maxRows)]
	if len(rows) == len(shown)+1 {
		shown = rows
	}
	for _, r := range shown {
		sev, ref := strings.ToUpper(string(r.severity)), safe.Line(r.ref, 0)
		w.str("  ", w.paint(severityColor(r.severity), sev), pad(sev, len("CRITICAL")), ref, pad(ref, len("EXP-01")))
		id := r.ids[0]
		if n := len(r.ids) - 1; n > 0 {
			id += fmt.Sprintf(" and %d more", n)
		}
		at := w.flowFitted(indent, r.of()+r.detail)
		if at+2+width(id) > w.o.Width {
			w.str("\n", strings.Repeat(" ", indent-2))
		}
		w.str("  ", w.dim(safe.Line(id, 0)), "\n")
	}
	if n := len(rows) - len(shown); n > 0 {
		w.str("  and ", count(int64(n), "more row"), "\n")
	}
}

// open is what could not be answered, by what would settle it.
func (w *text) open(g *grouping) {
	all := g.open()
	if len(all) == 0 {
		return
	}
	n := 0
	for _, u := range all {
		n += u.n
	}
	w.block()
	w.str(w.paint("1", "Unknown, which is not passed: "+count(int64(n), "answer")), "\n")
	for _, u := range all[:min(len(all), maxOpen)] {
		w.str("\n")
		w.fitted(2, count(int64(u.n), "answer")+" of "+some(slices.Sorted(maps.Keys(u.refs)), maxParts)+", because "+u.reason)
		settle := slices.Sorted(maps.Keys(u.settle))
		if more := len(settle) - 1; more > 0 {
			settle[0] += "; and " + thousands(int64(more)) + " more like it"
		}
		w.fitted(4, "to settle: "+settle[0])
	}
	if more := len(all) - maxOpen; more > 0 {
		w.str("\n")
		rest := 0
		for _, u := range all[maxOpen:] {
			rest += u.n
		}
		w.fitted(2, count(int64(rest), "answer")+" for "+count(int64(more), "more reason"))
	}
}

// some names the first n of a list and counts the rest.
func some(list []string, n int) string {
	s := strings.Join(list[:min(len(list), n)], ", ")
	if more := len(list) - n; more > 0 {
		s += " and " + thousands(int64(more)) + " more"
	}
	return s
}

// covered is the accepted risk.
func (w *text) covered(g *grouping) {
	all := g.covered()
	if len(all) == 0 {
		return
	}
	w.block()
	w.str(w.paint("1", "Accepted"), "\n")
	for _, a := range all {
		w.fitted(2, fmt.Sprintf("%s under %s until %s (%s): %s", count(int64(a.n), "result"), a.exception.ID, a.exception.Expires, a.exception.Owner, a.exception.Reason))
	}
}

// next is what to run next, where findings are grouped. A comment that does not
// fit is left out.
func (w *text) next() {
	if !w.estate.grouped {
		return
	}
	for i, l := range w.o.Next {
		label := "next      "
		if i > 0 {
			label = strings.Repeat(" ", summaryLabel)
		}
		if width(label)+width(l) > w.o.Width {
			l, _, _ = strings.Cut(l, " # ")
		}
		w.str(label, safe.Terminal(strings.TrimRight(l, " ")), "\n")
	}
}
