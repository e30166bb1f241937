package exception

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// A Problem is something about an exception that Parse accepts and a person
// should look at.
type Problem struct {
	Item Item   `json:"-"`
	ID   string `json:"id"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Kind is expired, broad, overlapping, unused or unknown.
	Kind string `json:"kind"`
	Msg  string `json:"message"`
	Hint string `json:"hint,omitempty"`
}

// Lint looks for exceptions that have expired, that are about whole resources or
// accounts, about what isCheck does not know as a check, that another
// covers, and, when findings is not nil, that are about none of them. Problems are
// in the order of the exceptions.
func Lint(items []Item, isCheck func(string) bool, findings []lamina.Finding, now time.Time) []Problem {
	var out []Problem
	add := func(x Item, kind, msg, hint string) {
		out = append(out, Problem{Item: x, ID: x.ID, File: x.File, Line: x.Line, Kind: kind, Msg: msg, Hint: hint})
	}
	for i, x := range items {
		m := x.Match
		if x.Expired(now) {
			add(x, "expired", "expired on "+x.Expires.Format(time.DateOnly)+": its findings are open again", "decide again, with a new date, or delete it")
		}
		if !x.Coverage && m.Finding == "" && m.Check == "" && m.Technique == "" && m.CVE == "" {
			add(x, "broad", "covers every finding of every check ("+m.String()+")", "name a finding, a check, a technique or a vulnerability")
		}
		if x.Coverage && m.Account == "" && m.Region == "" && strings.Contains(m.Action, "*") {
			add(x, "broad", "covers calls of every account and region ("+m.String()+")", "name the account or the region, or one action")
		}
		if m.Check != "" && !isCheck(m.Check) {
			add(x, "unknown", "there is no check "+m.Check, "lamina posture checks lists those of estates; patterns are for resources and files")
		}
		for j, y := range items {
			if i == j || !y.covers(x) || x.covers(y) && i < j {
				continue // of two that say the same the first is kept
			}
			add(x, "overlapping", fmt.Sprintf("%s covers all it does, until %s", y.ID, y.Expires.Format(time.DateOnly)), "delete one of them")
			break
		}
	}
	if findings != nil {
		all := slices.Clone(findings)
		for _, f := range findings {
			for _, m := range f.Members {
				all = append(all, alone(f, m))
			}
		}
		_, unused := Apply(items, all, now)
		for _, x := range unused {
			if x.Coverage {
				continue // no finding is what it is about
			}
			add(x, "unused", "no finding is what it is about ("+x.Match.String()+")", "delete it if what it accepted is gone")
		}
	}
	at := map[string]int{}
	for i, x := range items {
		at[fmt.Sprint(x.File, "\x00", x.ID)] = i
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Compare(at[fmt.Sprint(a.File, "\x00", a.ID)], at[fmt.Sprint(b.File, "\x00", b.ID)])
	})
	return out
}

// covers reports whether all that other covers x covers too, and as long.
func (x Item) covers(other Item) bool {
	if x.Coverage != other.Coverage || x.Content != "" && x.Content != other.Content || x.Expires.Before(other.Expires) {
		return false
	}
	theirs := other.Match.keys()
	for i, k := range x.Match.keys() {
		ours, their := *k.value, *theirs[i].value
		switch {
		case ours == "" || ours == their:
		case their != "" && ((k.name == "resource" || x.Coverage) && Glob(ours, their, false) || k.name == "file" && Glob(ours, their, true)):
		default:
			return false
		}
	}
	// Without content x may not cover what other does.
	return x.Content != "" || other.Content == ""
}
