package opt

import (
	"cmp"
	"slices"
	"strings"
)

// A Change says what sort of difference it is.
type Change string

// The changes.
const (
	Added   Change = "added"
	Removed Change = "removed"
	// Bytes: the content, the link's text or the permissions differ.
	Bytes Change = "changed"
	// Moved: another supplier has it, with the same bytes.
	Moved Change = "moved"
)

// A Difference is what two views of one function do not have in common: two
// versions of a layer, or two orders of layers.
type Difference struct {
	Paths   []PathChange   `json:"paths"`
	Imports []ImportChange `json:"imports"`
	Init    []StepChange   `json:"init"`
}

// A PathChange is a path of /opt at which something else is seen.
type PathChange struct {
	Path   string `json:"path"`
	Change Change `json:"change"`
	// Before and After are who supplies it, with layers by their names.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// An ImportChange is a name that comes from elsewhere, or has other bytes.
type ImportChange struct {
	Name   string     `json:"name"`
	Change Change     `json:"change"`
	Before Resolution `json:"before"`
	After  Resolution `json:"after"`
}

// A StepChange is a step of Init that is new, gone or different.
type StepChange struct {
	Change Change `json:"change"`
	Before *Step  `json:"before,omitempty"`
	After  *Step  `json:"after,omitempty"`
}

// Diff compares what a function sees in a and in b: all of /opt, the names that
// the layers of either supply with those given, and what runs at the start.
// Without what is Moved it is empty if the function cannot tell the two apart.
func Diff(a, b *View, names ...string) Difference {
	return Difference{Paths: diffPaths(a, b), Imports: diffImports(a, b, names), Init: diffInit(a, b)}
}

func diffPaths(a, b *View) []PathChange {
	out := []PathChange{}
	was, is := a.Files(), b.Files()
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0].Path < is[0].Path:
			out = append(out, PathChange{Path: was[0].Path, Change: Removed, Before: a.short(was[0].From)})
			was = was[1:]
		case len(was) == 0 || was[0].Path > is[0].Path:
			out = append(out, PathChange{Path: is[0].Path, Change: Added, After: b.short(is[0].From)})
			is = is[1:]
		default:
			c := PathChange{Path: was[0].Path, Before: a.short(was[0].From), After: b.short(is[0].From)}
			switch {
			case !same(was[0].File, is[0].File):
				c.Change = Bytes
			case moved(a, was[0].From, b, is[0].From):
				c.Change = Moved
			}
			if c.Change != "" {
				out = append(out, c)
			}
			was, is = was[1:], is[1:]
		}
	}
	return out
}

// short is a supplier in a word: a layer's name, or the kind.
func (v *View) short(o Origin) string {
	if o.Kind == FromLayer && o.Layer >= 1 && o.Layer <= len(v.in.Layers) {
		return v.in.Layers[o.Layer-1].Name
	}
	return string(o.Kind)
}

// moved reports whether another supplier has something. Two layers are different
// ones if one view has both; that app:2 has what app:1 had is no news.
func moved(a *View, x Origin, b *View, y Origin) bool {
	if x.Kind != FromLayer || y.Kind != FromLayer {
		return x.Kind != y.Kind
	}
	before, after := a.short(x), b.short(y)
	return before != after && (slices.Contains(a.Layers(), after) || slices.Contains(b.Layers(), before))
}

func diffImports(a, b *View, names []string) []ImportChange {
	names = slices.Concat(names, a.Supplies(), b.Supplies())
	slices.Sort(names)
	out := []ImportChange{}
	for _, name := range slices.Compact(names) {
		c := ImportChange{Name: name, Before: a.Resolve(name), After: b.Resolve(name)}
		x, y := c.Before.From, c.After.From
		switch {
		case x.Kind == y.Kind && x.Kind == FromNowhere:
		case x.Kind == FromNowhere:
			c.Change = Added
		case y.Kind == FromNowhere:
			c.Change = Removed
		case x.Kind != y.Kind, c.Before.Path != c.After.Path, !a.alike(c.Before.Path, b, c.After.Path):
			c.Change = Bytes
		case moved(a, x, b, y):
			c.Change = Moved
		}
		if c.Change != "" {
			out = append(out, c)
		}
	}
	return out
}

// alike reports whether a path leads to the same bytes in both views.
func (v *View) alike(x string, w *View, y string) bool {
	x, _, _ = strings.Cut(x, "!/") // of an archive it is the archive that counts
	y, _, _ = strings.Cut(y, "!/")
	p, target := v.Follow(x)
	q, other := w.Follow(y)
	return target == other && (target != Regular || same(p.File, q.File))
}

func diffInit(a, b *View) []StepChange {
	type key struct {
		what      What
		path, env string
		line      int
	}
	of := func(s Step) key { return key{s.What, s.Path, s.Key, s.Line} }
	out := []StepChange{}
	was, is := a.Init(), b.Init()
	before, after := map[key]bool{}, map[key]*Step{}
	for i, s := range is {
		after[of(s)] = &is[i]
	}
	for _, s := range was {
		before[of(s)] = true
		n := after[of(s)]
		c := StepChange{Before: &s, After: n}
		switch {
		case n == nil:
			c.Change = Removed
		case !a.alike(s.Path, b, n.Path) || s.Fails != n.Fails || s.Maybe != n.Maybe || s.From.Kind != n.From.Kind:
			c.Change = Bytes
		case moved(a, s.From, b, n.From):
			c.Change = Moved
		default:
			continue
		}
		out = append(out, c)
	}
	for i, s := range is {
		if !before[of(s)] {
			out = append(out, StepChange{Change: Added, After: &is[i]})
		}
	}
	slices.SortStableFunc(out, func(x, y StepChange) int { return cmp.Compare(x.path(), y.path()) })
	return out
}

func (c StepChange) path() string {
	if c.After != nil {
		return c.After.Path
	}
	return c.Before.Path
}
