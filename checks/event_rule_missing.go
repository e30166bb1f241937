package checks

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/eventpattern"
	"github.com/lamina-sec/lamina/internal/metricfilter"
	"github.com/lamina-sec/lamina/internal/posture"
)

// EventRuleMissing finds places where no rule forwards that a layer was shared.
var EventRuleMissing = posture.Check{
	ID:          "event-rule-missing",
	Ref:         "VIS-05",
	Title:       "no EventBridge rule forwards shares of layers",
	Since:       "0.1",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html",
	Needs:       []string{"events:ListRules"},
	Uses:        []string{"events:ListTargetsByRule", "lambda:ListLayers", "lambda:ListFunctions"},
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "make a rule on the default bus that matches AddLayerVersionPermission by its prefix, with a target",
	NoFix:       "what is to happen on such an event is the organisation's to say: lamina guardrails prints the rule",
	Run:         eventRuleMissing,
}

func eventRuleMissing(in posture.Input, found func(posture.Result)) {
	share := posture.Events[0]
	on := map[posture.Place][]lamina.EventRule{} // the default bus
	for _, rule := range in.Estate.Snapshot.EventRules {
		if place := (posture.Place{Account: rule.Account, Region: rule.Region}); rule.Bus == "default" {
			on[place] = append(on[place], rule)
		}
	}
	for _, p := range in.Places() {
		if missing, ok := in.Missing(p.Account, p.Region, p.Resource(), "events:ListRules"); ok {
			missing.Detail = "whether a rule forwards shares is not known"
			found(missing)
			continue
		}
		r := posture.Result{Outcome: lamina.Fail, Resource: p.Resource(), Detail: "no rule that is on forwards that a layer was shared"}
		best := metricfilter.Verdict{}
		rules := 0
		for _, rule := range on[p] {
			rules++
			if blind(rule, p) {
				found(posture.Result{
					Outcome: lamina.Fail, Resource: rule.ARN, Detail: "its pattern takes in who reads layers, and a rule in the state ENABLED does not get such events",
					Evidence: []string{"state: " + rule.State, "instead: ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
				})
			}
			v := forwards(in, rule, p, share)
			if v.Answer > best.Answer {
				best = v
			}
			if v.Answer == metricfilter.Yes {
				r.Evidence = append(r.Evidence, "rule: "+rule.ARN)
			}
		}
		switch best.Answer {
		case metricfilter.Yes:
			r.Outcome, r.Detail = lamina.Pass, "a rule forwards that a layer was shared"
		case metricfilter.Maybe:
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether a rule forwards that a layer was shared is not known", best.Why, "try the pattern with aws events test-event-pattern, or collect what the reason names"
		case metricfilter.No:
			r.Evidence = []string{"rules on the default bus: " + strconv.Itoa(rules)}
		}
		found(r)
	}
}

// forwards reports whether the rule sends the event, by every name it may have,
// to a target.
func forwards(in posture.Input, rule lamina.EventRule, p posture.Place, e posture.Event) metricfilter.Verdict {
	if !strings.HasPrefix(rule.State, "ENABLED") {
		return metricfilter.Verdict{}
	}
	least, most := metricfilter.Verdict{Answer: metricfilter.Yes}, metricfilter.No
	for _, name := range e.Names {
		v := tried(rule, p, e.Record(name, p.Account, p.Region))
		if v.Answer < least.Answer {
			least = v
		}
		most = max(most, v.Answer)
	}
	if least.Answer == metricfilter.No && most != metricfilter.No {
		least = metricfilter.Verdict{Answer: metricfilter.Maybe, Why: "AWS does not say whether the event is called " + strings.Join(e.Names, " or ") + ", and the pattern takes in one of them"}
	}
	if least.Answer == metricfilter.No || len(rule.Targets) > 0 {
		return least
	}
	if m, missing := in.Estate.Missing(rule.Account, rule.Region, "events:ListTargetsByRule", rule.ARN); missing {
		return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: m.Why()}
	}
	if !strings.Contains(rule.Pattern, "lambda") { // the collector asks for targets of rules that name Lambda
		return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: "events:ListTargetsByRule: the targets of " + rule.ARN + " were not read"}
	}
	return metricfilter.Verdict{} // it sends it nowhere
}

// tried tries the rule's pattern on a CloudTrail record as EventBridge wraps it.
func tried(rule lamina.EventRule, p posture.Place, record []byte) metricfilter.Verdict {
	pattern, err := eventpattern.Parse(rule.Pattern)
	if err != nil {
		return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: err.Error()}
	}
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": "00000000-0000-4000-8000-000000000003", "detail-type": "AWS API Call via CloudTrail", "source": "aws.lambda", "account": p.Account,
		"time": "2026-01-01T00:00:00Z", "region": p.Region, "resources": []string{}, "detail": json.RawMessage(record),
	})
	if err != nil {
		return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: err.Error()}
	}
	v, err := pattern.Match(event)
	if err != nil {
		return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: err.Error()}
	}
	return v
}

// blind reports whether the rule names the reading of layers in a state in which
// it gets no events that only read.
func blind(rule lamina.EventRule, p posture.Place) bool {
	if rule.State != "ENABLED" || !strings.Contains(rule.Pattern, "GetLayerVersion") {
		return false
	}
	return tried(rule, p, posture.Event{}.Record("GetLayerVersion20181031", p.Account, p.Region)).Answer == metricfilter.Yes
}
