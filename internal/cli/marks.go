package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/framework"
	"github.com/lamina-sec/lamina/internal/gate"
	"github.com/lamina-sec/lamina/internal/owners"
	"github.com/lamina-sec/lamina/internal/posture"
)

// markFlags are the flags of commands that judge an estate: what is accepted,
// what was there before, and whose it is.
type markFlags struct {
	exceptions, frameworks []string
	baseline               string
}

func (f *markFlags) register(a *app, c *cobra.Command) {
	fl := c.Flags()
	fl.StringArrayVar(&f.exceptions, "exceptions", nil, "accepted risk: `FILE`, else ./exceptions.toml if it is there; may be repeated")
	fl.StringVar(&f.baseline, "baseline", "", "what was there before: `FILE` of -f json; only new findings count and are listed")
	fl.StringArrayVar(&f.frameworks, "framework", nil, "only what bears on controls of `NAME`: "+strings.Join(frameworkNames(), ", "))
	a.settingFlag(c, "owners")
}

// marks are what the user's files say of the findings about an estate.
type marks struct {
	files    []string // that were read
	accepted []exception.Item
	baseline *gate.Baseline
	owners   *owners.File
	// frameworks are those that were asked for, none for all.
	frameworks []string
	// ids are the findings of the target that are shown, none for all.
	ids    []string
	target string
	counts exception.Counts
	known  int
}

// ownOwners is where teams are written down when nothing else is said.
const ownOwners = "owners.toml"

// marks reads the files. Nothing inside a target is read.
func (a *app) marks(f markFlags, targets ...string) (*marks, error) {
	for _, name := range f.frameworks {
		if !slices.Contains(frameworkNames(), name) {
			return nil, usagef(cmp.Or(didYouMean(name, frameworkNames()), "there are "+strings.Join(frameworkNames(), ", ")), "unknown framework %q", name)
		}
	}
	j := &marks{files: a.exceptionFiles(f.exceptions, targets), frameworks: f.frameworks}
	var err error
	if j.accepted, err = a.loadExceptions(j.files, targets...); err != nil {
		return nil, err
	}
	if f.baseline != "" {
		findings, err := a.savedFindings(f.baseline, targets)
		if err != nil {
			return nil, err
		}
		j.baseline = gate.NewBaseline(f.baseline, findings)
		j.files = append(j.files, f.baseline)
	}
	name := a.conf.text("owners")
	if name == "" && exists(a.path(ownOwners)) && a.notExamined(ownOwners, targets) == nil {
		name = ownOwners
	}
	if name == "" {
		return j, nil
	}
	data, err := a.readOwn(name, targets)
	if err != nil {
		return nil, err
	}
	if j.owners, err = owners.Parse(name, data); err != nil {
		return nil, tomlError(err, "an owner is [[owner]] with a team and what it owns; docs/posture.md has an example")
	}
	j.files = append(j.files, name)
	for _, x := range j.owners.Entries {
		if x.Check != "" && !slices.ContainsFunc(checks.All, func(c posture.Check) bool {
			return exception.Glob(x.Check, c.ID, false) || exception.Glob(x.Check, c.Ref, false)
		}) {
			a.note("warning: %s: there is no check %s", name, x.Check)
		}
	}
	return j, nil
}

// asked are the checks that bear on the frameworks that were asked for.
func (j *marks) asked(list []posture.Check) []posture.Check {
	if len(j.frameworks) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(c posture.Check) bool { return len(framework.Of(c.Ref, j.frameworks...)) == 0 })
}

func frameworkNames() []string {
	names := make([]string, len(framework.All))
	for i, f := range framework.All {
		names[i] = f.Name
	}
	return names
}

func didYouMean(word string, of []string) string {
	if g := nearest(word, of); g != "" {
		return "did you mean " + g + "?"
	}
	return ""
}

// apply marks the findings: whose they are, on which controls they bear, which are accepted, which the
// baseline has.
func (j *marks) apply(e *estate.Estate, list []posture.Check, findings []lamina.Finding, now time.Time) {
	j.owners.Assign(e, findings)
	for i := range findings {
		// What passed is evidence for who asks for a framework, and repeats a table
		// for who does not.
		if f := &findings[i]; len(j.frameworks) > 0 || f.Outcome == lamina.Fail || f.Outcome == lamina.Unknown {
			f.Controls = framework.Of(f.Ref, j.frameworks...)
		}
	}
	j.acceptUnknown(e, list, findings, now)
	counts, _ := exception.Apply(j.accepted, findings, now)
	j.counts.Add(counts)
	if j.baseline == nil {
		return
	}
	for i := range findings {
		f := &findings[i]
		switch {
		case f.Outcome != lamina.Fail:
		case j.baseline.Knows(f):
			f.Baseline = "known"
			j.known++
		default:
			f.Baseline = "new"
		}
	}
}

// acceptUnknown marks the answers that are unknown because of calls that a
// coverage accepts: all of the calls that may be the reason, in the finding's
// region if it has one.
func (j *marks) acceptUnknown(e *estate.Estate, list []posture.Check, findings []lamina.Finding, now time.Time) {
	if !slices.ContainsFunc(j.accepted, func(x exception.Item) bool { return x.Coverage }) {
		return
	}
	type words struct{ why, settle string }
	causes := map[words][]estate.Missing{}
	for _, m := range missing(e, list) {
		k := words{m.Why(), m.Settle()}
		causes[k] = append(causes[k], m)
	}
	for i := range findings {
		f := &findings[i]
		if f.Outcome != lamina.Unknown {
			continue
		}
		of := causes[words{f.Reason, f.Settle}]
		if a, err := lamina.ParseARN(f.Resource); err == nil {
			if here := slices.DeleteFunc(slices.Clone(of), func(m estate.Missing) bool { return m.Region != a.Region }); len(here) > 0 {
				of = here
			}
		}
		var by *exception.Item
		open, lapsed := len(of) == 0, ""
		for _, m := range of {
			x, expired := exception.Accepting(j.accepted, m.Account, m.Region, m.Action, now)
			if x == nil {
				open = true
			} else if by == nil || x.Expires.Before(by.Expires) {
				by = x
			}
			if expired != nil {
				lapsed = fmt.Sprintf("re-opened: coverage %s (%s) expired on %s", expired.ID, expired.Owner, expired.Expires.Format(time.DateOnly))
			}
		}
		switch {
		case !open:
			f.Exception = by.Noun()
			j.counts.Suppressed++
			if by.Within(now, exception.SoonDays*24*time.Hour) {
				j.counts.Expiring++
			}
		case lapsed != "":
			f.Evidence = append(slices.Clone(f.Evidence), lapsed)
			j.counts.Expired++
		}
	}
}

// missing is every answer of what the checks need that the estate does not hold.
func missing(e *estate.Estate, list []posture.Check) []estate.Missing {
	var out []estate.Missing
	for _, t := range e.Snapshot.Targets {
		for _, g := range t.Gaps {
			m := estate.Missing{Account: t.Account, Region: t.Region, Action: g.Action, Denied: g.Denied, Reason: g.Reason}
			if strings.HasPrefix(g.Action, "organizations:") {
				m.Account = "" // one account answers for all
			}
			out = append(out, m)
		}
	}
	actions := map[string]bool{}
	for _, c := range list {
		for _, action := range slices.Concat(c.Needs, c.Uses, c.Lists) {
			actions[action] = true
		}
	}
	for action := range actions {
		for _, t := range e.Snapshot.Targets {
			if m, ok := e.Missing(t.Account, t.Region, action, ""); ok && m.Reason == estate.NotCollected {
				out = append(out, m)
			}
		}
		for _, m := range e.Unread(action) {
			if m.Region == "*" {
				out = append(out, m)
			}
		}
	}
	return out
}

// writeLayers sends what is known of the layer versions that failed findings are
// about.
func writeLayers(r *results, e *estate.Estate, findings []lamina.Finding, clean cleaner) error {
	about := map[string]bool{}
	for _, f := range findings {
		about[f.Resource] = about[f.Resource] || f.Outcome == lamina.Fail
		for _, m := range f.Members {
			about[m.Resource] = about[m.Resource] || f.Outcome == lamina.Fail
		}
	}
	for _, l := range e.Snapshot.Layers {
		if about[l.ARN] {
			clean.strings(&l.ARN, &l.Name, &l.Description, &l.LicenseInfo)
			if l.Policy != nil {
				p := *l.Policy
				p.Grants = slices.Clone(p.Grants)
				for i := range p.Grants {
					clean.strings(&p.Grants[i].StatementID, &p.Grants[i].Principal)
				}
				l.Policy = &p
			}
			if err := r.Write(lamina.Message{Layer: &l}); err != nil {
				return err
			}
		}
	}
	return nil
}

// summarise adds what was accepted and what is known to the summary's counts.
func (j *marks) summarise(sum *lamina.Summary) {
	for name, n := range map[string]int{
		"suppressed": j.counts.Suppressed, "suppressed_ending_in_14_days": j.counts.Expiring,
		"reopened_expired": j.counts.Expired, "reopened_changed": j.counts.Changed, "known": j.known,
	} {
		if n > 0 {
			sum.Counts[name] = int64(n)
		}
	}
}

// gapsOf says what a snapshot could not read.
func gapsOf(s lamina.Snapshot) []string {
	open, _ := gapsUnder(s, nil, time.Time{})
	return open
}

// gapsUnder says what a snapshot could not read: a line for the actions that failed
// for one reason in the same targets. What a coverage accepts is apart, under its
// name; what one accepted until it ended says so.
func gapsUnder(s lamina.Snapshot, items []exception.Item, now time.Time) (open, accepted []string) {
	type call struct{ action, reason, by string }
	type lapse struct{ where, reason, by string }
	at := map[call][]string{}
	by := map[string]*exception.Item{}
	for _, t := range s.Targets {
		for _, g := range t.Gaps {
			k := call{action: g.Action, reason: g.Reason}
			in, ended := exception.Accepting(items, t.Account, t.Region, g.Action, now)
			if x := cmp.Or(in, ended); x != nil {
				k.by = x.ID
				by[x.ID] = x
			}
			where := strings.TrimSpace(t.Account + " " + t.Region)
			if n := len(g.Resources); n > 0 {
				where += " (" + count(n, "resource") + ")"
			}
			at[k] = append(at[k], where)
		}
	}
	actions := map[lapse][]string{}
	for k, where := range at {
		slices.Sort(where)
		line := where[0]
		if n := len(where) - 1; n > 0 {
			line += fmt.Sprintf(" and %d more", n)
		}
		l := lapse{line, k.reason, k.by}
		actions[l] = append(actions[l], k.action)
	}
	for _, k := range slices.SortedFunc(maps.Keys(actions), func(a, b lapse) int {
		return cmp.Or(cmp.Compare(a.by, b.by), slices.Compare(actions[a], actions[b]), cmp.Compare(a.reason, b.reason), cmp.Compare(a.where, b.where))
	}) {
		list := actions[k]
		slices.Sort(list)
		line := strings.Join(first(list, 3), ", ")
		if n := len(list) - 3; n > 0 {
			line += fmt.Sprintf(" and %d more actions", n)
		}
		line += ": " + k.reason + " in " + k.where
		switch x := by[k.by]; {
		case x == nil:
			open = append(open, line)
		case x.Expired(now):
			open = append(open, line+fmt.Sprintf(" (accepted by %s (%s) until %s, which has passed)", x.ID, x.Owner, x.Expires.Format(time.DateOnly)))
		default:
			accepted = append(accepted, fmt.Sprintf("%s until %s (%s): %s: %s", x.ID, x.Expires.Format(time.DateOnly), x.Owner, x.Reason, line))
		}
	}
	return open, accepted
}
