package access

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/iam"
)

// A Crowd is callers of one account whom nothing tells apart but their names: they
// are of one kind, hold the same policies, and these ask for nothing in which they
// differ. What one may do the others may. An organisation has many roles and few
// crowds; where each role runs one function, a crowd without that role is still one.
type Crowd struct {
	*crowd
	but *Caller // one that is left out, nil for none
}

type crowd struct {
	all   []*Caller // by ARN
	named []*Caller // in the order of what names them in a text
}

// crowdsOf puts the callers, which are sorted by ARN, into crowds. group has the same
// number for those of which no policy tells one from another.
func crowdsOf(callers []*Caller, group map[string]int) []*crowd {
	type alike struct {
		group    int
		kind     Kind
		policies *iam.Set
	}
	var out []*crowd
	at := map[alike]*crowd{}
	for _, c := range callers {
		key := alike{group[c.Principal.ARN], c.Kind, c.Subject.Policies()}
		if at[key] == nil {
			at[key] = &crowd{}
			out = append(out, at[key])
		}
		c.crowd = at[key]
		c.crowd.all = append(c.crowd.all, c)
	}
	for _, x := range out {
		x.named = slices.SortedStableFunc(slices.Values(x.all), func(a, b *Caller) int { return cmp.Compare(a.Subject.Name+",", b.Subject.Name+",") })
	}
	return out
}

// without is the crowd but for the caller, which may be none of it, or nil.
func (x *crowd) without(c *Caller) Crowd {
	if c == nil || c.crowd != x {
		return Crowd{crowd: x}
	}
	return Crowd{x, c}
}

// Len is how many they are.
func (w Crowd) Len() int {
	if w.but != nil {
		return len(w.all) - 1
	}
	return len(w.all)
}

// First is the first of them by ARN. There is one in every Path.
func (w Crowd) First() *Caller {
	for c := range w.Each() {
		return c
	}
	return nil
}

// Each yields them by ARN.
func (w Crowd) Each() iter.Seq[*Caller] { return w.in(w.all) }

func (w Crowd) in(list []*Caller) iter.Seq[*Caller] {
	return func(yield func(*Caller) bool) {
		for _, c := range list {
			if c != w.but && !yield(c) {
				return
			}
		}
	}
}

// Sign writes what is the same for the same callers.
func (w Crowd) Sign(b *strings.Builder) {
	b.WriteString(w.all[0].Principal.ARN)
	if w.but != nil {
		b.WriteString(" but " + w.but.Principal.ARN)
	}
	b.WriteByte('\n')
}

// with is everybody of two crowds of which one is all or part of the other.
func (w Crowd) with(other Crowd) Crowd {
	if w.but != other.but {
		w.but = nil
	}
	return w
}

// Crowds are callers, each once.
type Crowds map[*crowd]Crowd

// Add takes in the callers of a crowd.
func (x Crowds) Add(w Crowd) {
	if known, ok := x[w.crowd]; ok {
		w = known.with(w)
	}
	x[w.crowd] = w
}

// First returns the first few of them by ARN, and how many there are.
func (x Crowds) First(few int) (first []*Caller, n int) {
	for _, w := range x {
		n += w.Len()
		first = append(first, take(w.Each(), few)...)
	}
	slices.SortFunc(first, func(a, b *Caller) int { return cmp.Compare(a.Principal.ARN, b.Principal.ARN) })
	return first[:min(len(first), few)], n
}

func take[T any](seq iter.Seq[T], n int) []T {
	var out []T
	for x := range seq {
		if len(out) == n {
			break
		}
		out = append(out, x)
	}
	return out
}

// A Step is one caller of a path.
type Step struct {
	Path   *Path
	Caller *Caller
}

// Steps returns the first few of those who may go the paths, by ARN and role, and how
// many there are.
func Steps(paths []Path, few int) (first []Step, n int) {
	for i := range paths {
		p := &paths[i]
		n += p.Crowd.Len()
		for _, c := range take(p.Crowd.Each(), few) {
			first = append(first, Step{p, c})
		}
	}
	slices.SortFunc(first, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Caller.Principal.ARN, b.Caller.Principal.ARN), cmp.Compare(a.Path.Role, b.Path.Role))
	})
	return first[:min(len(first), few)], n
}

// Statements returns the first few of the statements, in their order, that allow
// what of says of the paths, and how many there are.
func Statements(paths []Path, of func(Path) Answer, few int) (first []string, n int) {
	type own struct {
		crowd     *crowd
		statement iam.Ref
	}
	shared, owned := map[string]bool{}, map[own]Crowd{}
	for _, p := range paths {
		for _, ref := range of(p).refs {
			if ref.Of == "" {
				shared[ref.String()] = true
				continue
			}
			ref.Of = ""
			key, w := own{p.Crowd.crowd, ref}, p.Crowd
			if known, ok := owned[key]; ok {
				w = known.with(w)
			}
			owned[key] = w
		}
	}
	n = len(shared)
	for text := range shared {
		first = append(first, text)
	}
	for key, w := range owned {
		n += w.Len()
		for _, c := range take(w.in(w.named), few) {
			key.statement.Of = c.Subject.Name
			first = append(first, key.statement.String())
		}
	}
	slices.Sort(first)
	first = slices.Compact(first)
	return first[:min(len(first), few)], n
}
