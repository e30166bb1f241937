package iam

import (
	"fmt"
	"slices"
	"strings"
)

// A Result is the answer to a request.
type Result string

// The results. Allow and Deny hold whatever the unknown keys are; Unknown says
// that it depends on them.
const (
	Allow   Result = "ALLOW"
	Deny    Result = "DENY"
	Unknown Result = "UNKNOWN"
)

// A Decision is the answer to a request and why.
type Decision struct {
	Result Result
	// Denials are the statements that deny, and decide when there are any.
	Denials []Ref
	// Missing are the kinds of policy of which none allows: a Deny without
	// Denials comes from these.
	Missing []Layer
	// Allows are the statements that allow, of every kind of policy.
	Allows []Ref
	// Residue is what an Unknown depends on; nil otherwise.
	Residue *Residue
	// InEveryCase says that keys were unknown and that it does not matter.
	InEveryCase bool
}

// A Ref names a statement where it stands.
type Ref struct {
	Edge   Edge
	Policy string // Document.Name
	// Of is the name of the caller whose own policy it is; "" of what others may have too.
	Of    string
	Level string
	Sid   string
	Index int // from 1
	Line  int // in the policy's document
}

func (r Ref) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Edge, r.Policy)
	if r.Of != "" {
		fmt.Fprintf(&b, " of %s", r.Of)
	}
	if r.Level != "" {
		fmt.Fprintf(&b, " at %s", r.Level)
	}
	fmt.Fprintf(&b, ", statement %d", r.Index)
	if r.Sid != "" {
		fmt.Fprintf(&b, " (%s)", r.Sid)
	}
	fmt.Fprintf(&b, ", line %d", r.Line)
	return b.String()
}

// A Layer is a kind of policy, at one level where it has levels.
type Layer struct {
	Edge  Edge
	Level string
}

func (l Layer) String() string {
	if l.Level == "" {
		return string(l.Edge)
	}
	return string(l.Edge) + " at " + l.Level
}

func (r *Request) ref(st *statementOf) Ref {
	of := ""
	if st.document.Own {
		of = r.Subject.Name
	}
	return Ref{Edge: edges[st.edge], Policy: st.document.Name, Of: of, Level: st.document.Level, Sid: st.Sid, Index: st.Index, Line: st.Line}
}

// Decide answers without saying why. It allocates nothing unless keys that the
// answer seems to depend on are unknown.
func (r *Request) Decide() Result {
	f := r.frame()
	t := f.quick()
	if t == maybe {
		t = f.settle(f.formula())
	}
	return result(t)
}

func result(t tri) Result {
	switch t {
	case yes:
		return Allow
	case no:
		return Deny
	case maybe:
	}
	return Unknown
}

// Evaluate answers and says why.
func (r *Request) Evaluate() Decision {
	f := r.frame()
	var d Decision
	t := f.quick()
	if t == maybe {
		x := f.formula()
		if t = f.settle(x); t == maybe {
			d.Residue = &Residue{root: x}
		} else {
			d.InEveryCase = true
		}
	}
	d.Result = result(t)
	sure := yes
	if d.InEveryCase {
		sure = maybe
	}
	for edge := range atEnd {
		if !f.counts(edge) {
			continue
		}
		_, x := f.at(edge)
		for _, st := range x.deny[edge] {
			if st.applies(r) >= sure {
				d.Denials = append(d.Denials, r.ref(st))
			}
		}
		for _, st := range x.allow[edge] {
			if st.applies(r) >= sure {
				d.Allows = append(d.Allows, r.ref(st))
			}
		}
	}
	if d.Result == Deny && (len(d.Denials) == 0 || d.InEveryCase) {
		if d.Missing = f.missing(no); d.Missing == nil && len(d.Denials) == 0 {
			d.Missing = f.missing(maybe)
		}
	}
	return d
}

// missing are the kinds of policy that do not allow, or with maybe those that
// are not sure to: policies can allow what no request can bring together.
func (f *frame) missing(most tri) []Layer {
	var out []Layer
	for _, edge := range []int{atSCP, atRCP, atEndpoint, atBoundary, atSession} {
		if !f.limits(edge) {
			continue
		}
		set, x := f.at(edge)
		for i, level := range x.level[edge] {
			if f.best(level) <= most {
				out = append(out, Layer{edges[edge], set.levels[edge][i]})
			}
		}
	}
	if f.Subject.kind == federatedUser && !f.limits(atSession) {
		out = append(out, Layer{Edge: Session})
	}
	if f.principal() && f.identity() <= most {
		out = append(out, Layer{Edge: Identity})
	}
	g := f.granted()
	short := g.any() <= most
	if f.principal() && f.sameAccount() == yes {
		// Within the account, the resource's policy is one of two ways, unless it
		// alone has authority, and what it gives to the account it only delegates.
		short = f.soleAuthority() && short || f.identity() <= most && max(g[direct], g[asRole]) <= most
	}
	if short {
		out = append(out, Layer{Edge: ResourcePolicy})
	}
	slices.SortStableFunc(out, func(a, b Layer) int { return slices.Index(edges, a.Edge) - slices.Index(edges, b.Edge) })
	return out
}

// String says the answer and why, in one line for each reason.
func (d Decision) String() string {
	var b strings.Builder
	b.WriteString(string(d.Result))
	lines := func(word string, refs []Ref) {
		for _, r := range refs {
			fmt.Fprintf(&b, "\n  %s %s", word, r)
		}
	}
	switch d.Result {
	case Allow:
		lines("by", d.Allows)
	case Deny:
		lines("denied by", d.Denials)
		for _, l := range d.Missing {
			fmt.Fprintf(&b, "\n  no %s allows it", l)
		}
	case Unknown:
		fmt.Fprintf(&b, "\n  %s", d.Residue)
		var seen []Ref
		for _, n := range d.Residue.Needs() {
			if n.Statement != (Ref{}) && !slices.Contains(seen, n.Statement) {
				seen = append(seen, n.Statement)
			}
		}
		lines("depends on", seen)
	}
	if d.InEveryCase {
		b.WriteString("\n  whatever the values of the unknown condition keys are")
	}
	return b.String()
}
