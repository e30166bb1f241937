package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/metricfilter"
	"github.com/lamina-sec/lamina/internal/posture"
)

// AlarmMissing finds places where layers change and no alarm tells anyone.
var AlarmMissing = posture.Check{
	ID:          "alarm-missing",
	Ref:         "VIS-04",
	Title:       "no alarm tells of changes of layers",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1562.008"},
	Citation:    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html",
	Needs:       []string{"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"},
	Uses:        []string{"logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms", "sns:ListSubscriptionsByTopic", "lambda:ListLayers", "lambda:ListFunctions"},
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "send the trail to a log group, give it a metric filter on these events, and the metric an alarm that tells a topic somebody listens to",
	NoFix:       "who is to be told is the organisation's to say: lamina guardrails prints the filter and the alarm",
	Run:         alarmMissing,
}

func alarmMissing(in posture.Input, found func(posture.Result)) {
	a := alarms{
		in: in, patterns: map[string]*metricfilter.Pattern{}, wrong: map[string]error{}, filters: map[group][]lamina.MetricFilter{},
		made: map[metric]bool{}, watching: map[metric][]lamina.Alarm{}, topics: map[string]lamina.Topic{},
	}
	for _, f := range in.Estate.Snapshot.MetricFilters {
		place := posture.Place{Account: f.Account, Region: f.Region}
		a.filters[group{place, f.LogGroup}] = append(a.filters[group{place, f.LogGroup}], f)
		a.made[metric{place, f.Namespace, f.Metric}] = true
	}
	for _, al := range in.Estate.Snapshot.Alarms {
		m := metric{posture.Place{Account: al.Account, Region: al.Region}, al.Namespace, al.Metric}
		a.watching[m] = append(a.watching[m], al)
	}
	for _, t := range in.Estate.Snapshot.Topics {
		a.topics[t.ARN] = t
	}
	for _, p := range in.Places() {
		found(a.place(p))
	}
}

// alarms are filters, alarms and topics, tried on events.
type alarms struct {
	in       posture.Input
	patterns map[string]*metricfilter.Pattern
	wrong    map[string]error
	filters  map[group][]lamina.MetricFilter
	made     map[metric]bool // by a filter
	watching map[metric][]lamina.Alarm
	topics   map[string]lamina.Topic // by ARN
}

// A group is a log group, a metric one of CloudWatch.
type (
	group struct {
		posture.Place
		name string
	}
	metric struct {
		posture.Place
		namespace, name string
	}
)

// A hearing is whether an event comes to somebody's ears, by what, or what is in
// the way.
type hearing struct {
	metricfilter.Verdict
	settle string
	by     []string
}

// or takes the better of two ways; of ways as good, what is on both.
func (h *hearing) or(o hearing) {
	switch {
	case o.Answer > h.Answer:
		*h = o
	case o.Answer == h.Answer:
		h.by = append(h.by, o.by...)
	}
}

// doubt is a way that may lead somewhere, and what would settle it.
func doubt(why, settle string) hearing {
	return hearing{Verdict: metricfilter.Verdict{Answer: metricfilter.Maybe, Why: why}, settle: settle}
}

// deaf is a way that ends.
func deaf(by string) hearing { return hearing{by: []string{by}} }

func heard(al lamina.Alarm) hearing {
	return hearing{Verdict: metricfilter.Verdict{Answer: metricfilter.Yes}, by: []string{"alarm: " + al.ARN}}
}

// tryFilter settles what a pattern does.
const tryFilter = "try the filter's pattern on such a record with aws logs test-metric-filter"

func (a *alarms) place(p posture.Place) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: p.Resource(), Detail: "an alarm tells somebody of every change of layers"}
	var unheard, unsure []string
	said := map[string]bool{}
	for _, e := range posture.Events {
		h := a.hears(p, e)
		for _, s := range h.by {
			if !said[s] {
				said[s] = true
				r.Evidence = append(r.Evidence, s)
			}
		}
		switch h.Answer {
		case metricfilter.No:
			unheard = append(unheard, e.Does)
		case metricfilter.Maybe:
			unsure, r.Reason, r.Settle = append(unsure, e.Does), h.Why, h.settle
		case metricfilter.Yes:
		}
	}
	switch {
	case len(unheard) > 0:
		r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Fail, "no alarm tells anyone when "+strings.Join(unheard, ", "), "", ""
		if len(unheard) == len(posture.Events) {
			r.Detail = "no alarm tells anyone of any change of layers"
		}
		dumb := a.dumb(p)
		if r.Evidence = append(r.Evidence, dumb...); len(dumb) > 0 {
			r.Severity = lamina.High
		}
		if m := a.in.Estate.Unread("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"); len(m) > 0 {
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "which trails log there is not known", m[0].Why(), m[0].Settle()
		}
	case len(unsure) > 0:
		r.Outcome, r.Detail = lamina.Unknown, "whether an alarm tells anyone when "+strings.Join(unsure, ", ")+" is not known"
		if len(unsure) == len(posture.Events) {
			r.Detail = "whether an alarm tells anyone of changes of layers is not known"
		}
	}
	if r.Outcome == lamina.Fail && len(r.Evidence) == 0 {
		r.Evidence = []string{"trails: none of them logs there"}
	}
	return r
}

// hears follows an event through every trail of the place. It is heard for sure
// only by every name that it may have.
func (a *alarms) hears(p posture.Place, e posture.Event) hearing {
	var names []hearing
	for _, name := range e.Names {
		var h hearing
		record, err := metricfilter.NewEvent(e.Record(name, p.Account, p.Region))
		if err != nil {
			return doubt(err.Error(), "this is a defect of lamina: please report it")
		}
		for _, t := range a.in.Estate.Snapshot.Trails {
			if p.CoveredBy(t) && a.in.Estate.Logs(t).Write {
				h.or(a.trail(t, record))
			}
		}
		names = append(names, h)
	}
	least := slices.MinFunc(names, func(x, y hearing) int { return int(x.Answer) - int(y.Answer) })
	most := slices.MaxFunc(names, func(x, y hearing) int { return int(x.Answer) - int(y.Answer) })
	if least.Answer == metricfilter.No && most.Answer != metricfilter.No {
		return doubt("AWS does not say whether the event is called "+strings.Join(e.Names, " or ")+", and the filter takes in one of them", "end the name in the pattern in a star")
	}
	return least
}

func (a *alarms) trail(t lamina.Trail, record metricfilter.Event) (h hearing) {
	if t.LogGroupARN == "" {
		return deaf("trail without log group: " + t.ARN)
	}
	arn, err := lamina.ParseARN(t.LogGroupARN)
	if err != nil {
		return doubt(err.Error(), "this is a defect of lamina: please report it")
	}
	if m, missing := a.in.Estate.Missing(arn.Account, arn.Region, "logs:DescribeMetricFilters", ""); missing {
		return doubt(m.Why(), m.Settle())
	}
	name := strings.TrimSuffix(strings.TrimPrefix(arn.Resource, "log-group:"), ":*")
	matched := false
	for _, f := range a.filters[group{posture.Place{Account: arn.Account, Region: arn.Region}, name}] {
		v := a.try(f.Pattern, record)
		if v.Answer == metricfilter.No {
			continue
		}
		next := a.metric(f)
		if v.Answer == metricfilter.Maybe && next.Answer == metricfilter.Yes {
			next.Verdict, next.settle = v, tryFilter
		}
		matched = true
		h.or(next)
	}
	if !matched {
		return deaf("log group without a filter that matches: " + name)
	}
	return h
}

// try tries a pattern, which is parsed once.
func (a *alarms) try(pattern string, record metricfilter.Event) metricfilter.Verdict {
	if _, known := a.patterns[pattern]; !known {
		a.patterns[pattern], a.wrong[pattern] = metricfilter.Parse(pattern)
	}
	if err := a.wrong[pattern]; err != nil {
		return metricfilter.Verdict{Answer: metricfilter.Maybe, Why: err.Error()}
	}
	return a.patterns[pattern].Match(record)
}

// metric follows a count of one to the alarms that watch it.
func (a *alarms) metric(f lamina.MetricFilter) (h hearing) {
	if m, missing := a.in.Estate.Missing(f.Account, f.Region, "cloudwatch:DescribeAlarms", ""); missing {
		return doubt(m.Why(), m.Settle())
	}
	watching := a.watching[metric{posture.Place{Account: f.Account, Region: f.Region}, f.Namespace, f.Metric}]
	for _, al := range watching {
		h.or(a.alarm(al))
	}
	if len(watching) == 0 {
		return deaf("metric without alarm: " + f.Namespace + " " + f.Metric)
	}
	return h
}

// alarm follows an alarm to who is told.
func (a *alarms) alarm(al lamina.Alarm) hearing {
	switch {
	case al.Comparison == "GreaterThanOrEqualToThreshold" && al.Threshold <= 1, al.Comparison == "GreaterThanThreshold" && al.Threshold < 1:
	default:
		return deaf("alarm that one event does not set off: " + al.ARN)
	}
	if !al.ActionsEnabled || len(al.Actions) == 0 {
		return deaf("alarm without action: " + al.ARN)
	}
	var h hearing
	for _, action := range al.Actions {
		arn, err := lamina.ParseARN(action)
		switch {
		case err != nil:
			h.or(doubt(err.Error(), "this is a defect of lamina: please report it"))
		case arn.Service == "lambda", arn.Service == "ssm", arn.Service == "ssm-incidents":
			h.or(heard(al))
		case arn.Service == "sns":
			h.or(a.topic(al, arn))
		default:
			h.or(deaf("action that tells nobody: " + action))
		}
	}
	return h
}

func (a *alarms) topic(al lamina.Alarm, arn lamina.ARN) hearing {
	topic, listed := a.topics[arn.String()]
	if m, missing := a.in.Estate.Missing(arn.Account, arn.Region, "sns:ListSubscriptionsByTopic", arn.String()); missing {
		return doubt(m.Why(), m.Settle())
	}
	if !listed {
		return doubt("sns:ListSubscriptionsByTopic: "+arn.String()+" was not read", "collect "+arn.Account+" in "+arn.Region)
	}
	for _, n := range topic.Confirmed {
		if n > 0 {
			return heard(al)
		}
	}
	return deaf("topic without a confirmed subscription: " + arn.String())
}

// dumb are filters and alarms that look as if they told of changes of layers, and
// never will: the first match none of the events, the second watch a metric that
// no filter makes.
func (a *alarms) dumb(p posture.Place) []string {
	var out []string
	places := map[posture.Place]bool{p: true}
	for _, t := range a.in.Estate.Snapshot.Trails {
		arn, err := lamina.ParseARN(t.LogGroupARN)
		if err != nil || !p.CoveredBy(t) {
			continue
		}
		place := posture.Place{Account: arn.Account, Region: arn.Region}
		places[place] = true
		name, all := strings.CutSuffix(arn.Resource, ":*")
		name, is := strings.CutPrefix(name, "log-group:")
		if !all || !is {
			continue
		}
		for _, f := range a.filters[group{place, name}] {
			if (strings.Contains(f.Pattern, "LayerVersion") || strings.Contains(f.Pattern, "lambda.amazonaws.com")) && a.never(f.Pattern, p) {
				out = append(out, "filter that matches no change of layers: "+f.Name)
			}
		}
	}
	for _, al := range a.in.Estate.Snapshot.Alarms {
		words := strings.ToLower(al.Name + " " + al.Namespace + " " + al.Metric)
		if !places[posture.Place{Account: al.Account, Region: al.Region}] || strings.HasPrefix(al.Namespace, "AWS/") || !strings.Contains(words, "lambda") && !strings.Contains(words, "layer") {
			continue
		}
		if _, missing := a.in.Estate.Missing(al.Account, al.Region, "logs:DescribeMetricFilters", ""); missing {
			continue
		}
		if !a.made[metric{posture.Place{Account: al.Account, Region: al.Region}, al.Namespace, al.Metric}] {
			out = append(out, "alarm on a metric that no filter makes: "+al.ARN)
		}
	}
	return out
}

// never reports whether the pattern matches none of the events for sure.
func (a *alarms) never(pattern string, p posture.Place) bool {
	for _, e := range posture.Events {
		for _, name := range e.Names {
			record, err := metricfilter.NewEvent(e.Record(name, p.Account, p.Region))
			if err != nil || a.try(pattern, record).Answer != metricfilter.No {
				return false
			}
		}
	}
	return true
}
