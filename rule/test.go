package rule

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

// An EventMaker makes the event of a case's record, with what the case's
// options and earlier records tell of it. Each event it returns must be its own
// and stay valid.
type EventMaker func(c Case) (ecs.Event, error)

// A Report is what came out of a rule's tests.
type Report struct {
	Program *Program
	Suite   *Suite
	Results []Result
	// Alerts is a line for each case that gives an alert, in the order of the
	// suite: rule_id, case, severity and risk score, name, two blanks between.
	Alerts []byte
	// GoldenDiffers says that the suite has alerts.golden and it is not Alerts.
	GoldenDiffers bool
	// Implied are the suite's; Mutate reads them.
	Implied []Implied
	// Mutants are the changed queries of Mutate, in the order of the query.
	Mutants []Mutant
	// Untried counts the changes that a query was too large to try.
	Untried int
}

// A Result is what came out of one case.
type Result struct {
	Case Case
	// Got is Hit or Miss; "" when Err is set.
	Got Expect
	// Excepted says that the query matched and an exception took the event out.
	Excepted bool
	// Clause explains the query on the record.
	Clause query.Clause
	// Err is why the record could not be made an event.
	Err error

	event ecs.Event
}

// Failed reports whether the case came out otherwise than it says. A todo never
// fails.
func (r Result) Failed() bool { return r.Err != nil || r.Case.Want != Todo && r.Got != r.Case.Want }

// Fixed reports whether a todo matches by now.
func (r Result) Fixed() bool { return r.Err == nil && r.Case.Want == Todo && r.Got == Hit }

// Failures counts the failed cases; alerts that differ from alerts.golden count
// as one.
func (r *Report) Failures() int {
	n := 0
	for _, x := range r.Results {
		if x.Failed() {
			n++
		}
	}
	if r.GoldenDiffers {
		n++
	}
	return n
}

// Survivors are the mutants that no case noticed and that no Implied covers.
func (r *Report) Survivors() []Mutant {
	return slices.DeleteFunc(slices.Clone(r.Mutants), func(m Mutant) bool { return m.KilledBy != "" || m.Because != "" })
}

// Test runs the cases of s against p. A program that Needs something has no
// predicate of its own and cannot be tested.
func Test(p *Program, s *Suite, makeEvent EventMaker) (*Report, error) {
	if p.Predicate == nil {
		return nil, &Error{File: p.Rule.File, Pos: p.Rule.Pos("type"), Msg: "the rule cannot be tested: it needs " + p.Needs, Err: &query.UnsupportedError{Name: "a rule of type " + string(p.Rule.Type), Needs: p.Needs}}
	}
	rep := &Report{Program: p, Suite: s, Implied: s.Implied}
	var alerts bytes.Buffer
	for _, c := range s.Cases {
		res := Result{Case: c}
		ev, err := makeEvent(c)
		if err != nil {
			res.Err = fmt.Errorf("%s:%d: case %s: %w", c.File, c.Line, c.Name, err)
			rep.Results = append(rep.Results, res)
			continue
		}
		res.event = ev
		res.Clause = p.Predicate.Explain(ev)
		res.Got = Miss
		if p.Predicate.Match(ev) {
			res.Excepted = p.Exceptions != nil && p.Exceptions.Match(ev)
			if !res.Excepted {
				res.Got = Hit
				fmt.Fprintf(&alerts, "%s  %s  %s %d  %s\n", p.Rule.ID, c.Name, p.Rule.SeverityOf(ev), p.Rule.RiskScoreOf(ev), oneLine(p.Rule.NameOf(ev)))
			}
		}
		rep.Results = append(rep.Results, res)
	}
	rep.Alerts = alerts.Bytes()
	rep.GoldenDiffers = s.Golden != nil && !bytes.Equal(bytes.TrimSpace(s.Golden), bytes.TrimSpace(rep.Alerts))
	return rep, nil
}

// oneLine is s without line ends, which would break the golden file's form.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
