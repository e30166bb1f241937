package detect

import (
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/query"
	"github.com/lamina-sec/lamina/rule"
)

// An Explanation says why a rule did or did not match one event.
type Explanation struct {
	Rule lamina.RuleRef `json:"rule"`
	// Event names the event, At says where it was read.
	EventID  string    `json:"event.id"`
	Account  string    `json:"cloud.account.id,omitempty"` // recipientAccountId
	Provider string    `json:"event.provider"`
	Action   string    `json:"event.action"`
	Time     time.Time `json:"@timestamp"`
	File     string    `json:"file"`
	Offset   int64     `json:"offset"`
	// Match is whether the query matched and no exception applied.
	Match bool `json:"match"`
	// Clause is the query clause by clause, with the values seen.
	Clause query.Clause `json:"clause"`
	// Exception is the exceptions likewise, when the query matched and one of
	// them applied.
	Exception *query.Clause `json:"exception,omitempty"`
	// Needs is what the rule waits for; its query is explained all the same.
	Needs string `json:"needs,omitempty"`
	// Severity and RiskScore are what the alert has or would have.
	Severity  lamina.Severity `json:"severity"`
	RiskScore int             `json:"risk_score"`
	// Others are the other rules of the engine that match the event.
	Others []lamina.RuleRef `json:"others"`
}

// Explain explains p for the event with the given account and id among what the
// workers kept (see Worker.Keep): the events before it are observed first, so that
// fields with history have the values they had when its turn came, and those
// after it at the end, so that the history can be asked what became of it. It
// reports false when no worker kept the event.
func (r *Run) Explain(p *rule.Program, account, id string, workers ...*Worker) (Explanation, bool, error) {
	var all []*candidate
	for _, w := range workers {
		w.shelf.seal()
		all = append(all, w.candidates...)
	}
	slices.SortFunc(all, order)
	var x Explanation
	found := false
	for _, c := range all {
		rec, err := r.openAt(c)
		if err != nil {
			return Explanation{}, false, err
		}
		if !c.time.IsZero() && r.engine.enricher != nil {
			r.engine.enricher.Observe(rec)
		}
		if !found && c.id == id && c.account == account {
			x, found = r.explain(p, rec, c), true
		}
	}
	return x, found, nil
}

func (r *Run) explain(p *rule.Program, rec Record, c *candidate) Explanation {
	x := Explanation{
		Rule: Ref(p.Rule), EventID: c.id, Account: c.account, Provider: rec.Provider(), Action: rec.Action(), Time: c.time,
		File: c.place.Name, Offset: c.place.Offset,
		Clause: p.Predicate.Explain(rec), Needs: p.Needs,
		Severity: lamina.Severity(p.Rule.SeverityOf(rec)), RiskScore: p.Rule.RiskScoreOf(rec), Others: []lamina.RuleRef{},
	}
	x.Match = x.Clause.Match
	if x.Match && p.Exceptions != nil {
		if e := p.Exceptions.Explain(rec); e.Match {
			x.Match, x.Exception = false, &e
		}
	}
	for i := range r.engine.rules {
		o := &r.engine.rules[i]
		if o.Rule.ID != p.Rule.ID && o.Predicate.Match(rec) && (o.Exceptions == nil || !o.Exceptions.Match(rec)) {
			x.Others = append(x.Others, o.ref)
		}
	}
	return x
}
