package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// maxOnPageGroups is how many layers, functions, … a page groups findings by.
const maxOnPageGroups = 200

// An estateView is what a page shows of findings about an estate before their
// evidence: the same groups that text shows, and more of them.
type estateView struct {
	Checks   []checkView
	Teams    []teamView
	Sections []sectionView
	Open     []openView
	Known    int
}

type checkView struct {
	Severity, Ref, Check, Title, Fix string
	Controls                         []string
	Failed, Asked, Unknown           int
}

// A teamView is a team and its findings by severity, the worst first.
type teamView struct {
	Team   string
	Counts []int
}

type sectionView struct {
	ID, Title string
	Groups    []groupView
	More      int
	Rest      string
}

type groupView struct {
	Name, Where string
	Owners      []string
	Rows        []rowView
}

type rowView struct {
	Severity, Ref, Detail string
	// Shown are ids of findings on the page, More how many others there are.
	Shown []string
	More  int
}

type openView struct {
	Count          int
	Refs           []string
	Reason, Settle string
	More           int
}

// estate is the view of g; shown says whether the finding with an id has a place
// on the page.
func (g *grouping) view(shown map[string]bool) *estateView {
	v := &estateView{Known: g.known}
	for _, c := range g.byCheck() {
		v.Checks = append(v.Checks, checkView{
			Severity: string(c.worst), Ref: c.ref, Check: c.check, Title: c.title, Fix: c.fix, Controls: controls(c.controls), Failed: c.failed, Asked: c.asked, Unknown: c.unknown,
		})
	}
	for _, team := range g.teams.worstFirst() {
		t := teamView{Team: team}
		for _, s := range slices.Backward(lamina.Severities) {
			t.Counts = append(t.Counts, g.teams[team][s])
		}
		v.Teams = append(v.Teams, t)
	}
	for kind, title := range groupTitles {
		all := g.about(kind)
		if len(all) == 0 {
			continue
		}
		s := sectionView{ID: "about-" + strings.ToLower(strings.Trim(strings.Fields(title)[0], ",")), Title: title}
		for _, x := range all[:min(len(all), maxOnPageGroups)] {
			s.Groups = append(s.Groups, x.view(shown))
		}
		if s.More = len(all) - len(s.Groups); s.More > 0 {
			s.Rest = severities(all[len(s.Groups):])
		}
		v.Sections = append(v.Sections, s)
	}
	for _, u := range g.open() {
		settle := slices.Sorted(maps.Keys(u.settle))
		v.Open = append(v.Open, openView{Count: u.n, Refs: slices.Sorted(maps.Keys(u.refs)), Reason: u.reason, Settle: settle[0], More: len(settle) - 1})
	}
	return v
}

func (x *group) view(shown map[string]bool) groupView {
	v := groupView{Name: x.name, Where: x.where, Owners: x.owners}
	for _, r := range x.rows {
		row := rowView{Severity: string(r.severity), Ref: r.ref, Detail: r.of() + r.detail}
		for _, id := range r.ids {
			if shown[id] && len(row.Shown) < maxParts {
				row.Shown = append(row.Shown, id)
			} else {
				row.More++
			}
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
