package awsfake

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// cloudwatchHandler takes the three protocols that CloudWatch speaks; SDKs differ
// in which they choose.
func (f *Fake) cloudwatchHandler() http.Handler {
	operations := f.cloudwatchOperations()
	packed, targets, forms := f.packed(&cloudwatch, operations), f.targets(&cloudwatchJSON, operations), f.forms(&cloudwatchQuery, operations)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Smithy-Protocol") != "":
			packed.ServeHTTP(w, r)
		case r.Header.Get("X-Amz-Target") != "":
			targets.ServeHTTP(w, r)
		default:
			forms.ServeHTTP(w, r)
		}
	})
}

// cloudwatchOperations know metric alarms.
func (f *Fake) cloudwatchOperations() map[string]rpc {
	pages := paging{"MaxRecords", "NextToken", "NextToken", 50, 100, "InvalidNextToken"}
	return map[string]rpc{"DescribeAlarms": {do: func(s Session, in input) (object, *Error) {
		names, prefix := in.list("AlarmNames"), in.text("AlarmNamePrefix")
		all := only(s.f.estate.Alarms, func(a lamina.Alarm) bool {
			return s.here(a.Account, a.Region) && strings.HasPrefix(a.Name, prefix) && (names == nil || slices.Contains(names, a.Name))
		})
		return listing(in, pages, "MetricAlarms", all, func(a lamina.Alarm) object {
			return object{
				{name: "AlarmName", value: a.Name},
				{name: "AlarmArn", value: a.ARN},
				{name: "ActionsEnabled", value: a.ActionsEnabled},
				{name: "AlarmActions", value: append([]string{}, a.Actions...)},
				{name: "Namespace", value: a.Namespace},
				{name: "MetricName", value: a.Metric},
				{name: "Statistic", value: "Sum"},
				{name: "Period", value: 300},
				{name: "EvaluationPeriods", value: 1},
				{name: "Threshold", value: a.Threshold},
				{name: "ComparisonOperator", value: a.Comparison},
				{name: "TreatMissingData", value: "notBreaching"},
				{name: "StateValue", value: "OK"},
			}
		})
	}}}
}

// logsOperations know metric filters with one transformation each.
func (f *Fake) logsOperations() map[string]rpc {
	pages := paging{"limit", "nextToken", "nextToken", 50, 50, "InvalidParameterException"}
	return map[string]rpc{"DescribeMetricFilters": {do: func(s Session, in input) (object, *Error) {
		is := func(name, value string) bool { return in.text(name) == "" || in.text(name) == value }
		all := only(s.f.estate.MetricFilters, func(m lamina.MetricFilter) bool {
			return s.here(m.Account, m.Region) && strings.HasPrefix(m.Name, in.text("filterNamePrefix")) &&
				is("logGroupName", m.LogGroup) && is("metricName", m.Metric) && is("metricNamespace", m.Namespace)
		})
		return listing(in, pages, "metricFilters", all, func(m lamina.MetricFilter) object {
			return object{
				{name: "filterName", value: m.Name},
				{name: "filterPattern", value: m.Pattern},
				{name: "logGroupName", value: m.LogGroup},
				{name: "metricTransformations", value: []object{{
					{name: "metricName", value: m.Metric}, {name: "metricNamespace", value: m.Namespace}, {name: "metricValue", value: "1"},
				}}},
			}
		})
	}}}
}

// snsOperations know topics and who listens to them; the endpoints are made up.
func (f *Fake) snsOperations() map[string]rpc {
	pages := paging{"", "NextToken", "NextToken", 100, 100, "InvalidParameter"}
	mine := func(s Session) []lamina.Topic {
		return only(s.f.estate.Topics, func(t lamina.Topic) bool {
			a, err := lamina.ParseARN(t.ARN)
			return err == nil && s.here(a.Account, a.Region)
		})
	}
	find := func(s Session, in input) (lamina.Topic, *Error) {
		for _, t := range mine(s) {
			if t.ARN == in.text("TopicArn") {
				return t, nil
			}
		}
		return lamina.Topic{}, &Error{Status: http.StatusNotFound, Code: "NotFound", Message: "Topic does not exist"}
	}
	return map[string]rpc{
		"ListTopics": {do: func(s Session, in input) (object, *Error) {
			return listing(in, pages, "Topics", mine(s), func(t lamina.Topic) object { return object{{name: "TopicArn", value: t.ARN}} })
		}},
		"GetTopicAttributes": {of: "TopicArn", do: func(s Session, in input) (object, *Error) {
			t, err := find(s, in)
			if err != nil {
				return nil, err
			}
			count := func(by map[string]int) (n int) {
				for _, c := range by {
					n += c
				}
				return n
			}
			return object{{name: "Attributes", value: dict{
				"TopicArn": t.ARN, "Owner": s.caller.Account,
				"SubscriptionsConfirmed": strconv.Itoa(count(t.Confirmed)), "SubscriptionsPending": strconv.Itoa(count(t.Pending)),
			}}}, nil
		}},
		"ListSubscriptionsByTopic": {of: "TopicArn", do: func(s Session, in input) (object, *Error) {
			t, err := find(s, in)
			if err != nil {
				return nil, err
			}
			var all []object
			add := func(by map[string]int, arn func(n int) string) {
				for _, protocol := range slices.Sorted(maps.Keys(by)) {
					for range by[protocol] {
						all = append(all, object{
							{name: "SubscriptionArn", value: arn(len(all))},
							{name: "Owner", value: s.caller.Account},
							{name: "Protocol", value: protocol},
							{name: "Endpoint", value: protocol + "-" + strconv.Itoa(len(all)) + "@example.com"},
							{name: "TopicArn", value: t.ARN},
						})
					}
				}
			}
			add(t.Confirmed, func(n int) string { return t.ARN + ":00000000-0000-4000-8000-" + pad(n) })
			add(t.Pending, func(int) string { return "PendingConfirmation" })
			return listing(in, pages, "Subscriptions", all, func(o object) object { return o })
		}},
	}
}

func pad(n int) string {
	digits := strconv.Itoa(n)
	return strings.Repeat("0", max(0, 12-len(digits))) + digits
}

// eventsOperations know rules that match events.
func (f *Fake) eventsOperations() map[string]rpc {
	pages := paging{"Limit", "NextToken", "NextToken", 100, 100, "ValidationException"}
	mine := func(s Session, in input) []lamina.EventRule {
		bus := in.text("EventBusName")
		return only(s.f.estate.EventRules, func(r lamina.EventRule) bool {
			return s.here(r.Account, r.Region) && (bus == r.Bus || bus == "" && r.Bus == "default")
		})
	}
	name := func(r lamina.EventRule) string { return r.ARN[strings.LastIndexByte(r.ARN, '/')+1:] }
	return map[string]rpc{
		"ListRules": {do: func(s Session, in input) (object, *Error) {
			all := only(mine(s, in), func(r lamina.EventRule) bool { return strings.HasPrefix(name(r), in.text("NamePrefix")) })
			return listing(in, pages, "Rules", all, func(r lamina.EventRule) object {
				return object{
					{name: "Name", value: name(r)},
					{name: "Arn", value: r.ARN},
					{name: "State", value: r.State},
					{name: "EventBusName", value: r.Bus},
				}.optional("EventPattern", r.Pattern)
			})
		}},
		"ListTargetsByRule": {of: "Rule", do: func(s Session, in input) (object, *Error) {
			for _, r := range mine(s, in) {
				if name(r) == in.text("Rule") {
					return listing(in, pages, "Targets", r.Targets, func(arn string) object {
						return object{{name: "Id", value: digest([]byte(arn))[:8]}, {name: "Arn", value: arn}}
					})
				}
			}
			return nil, &Error{Status: http.StatusBadRequest, Code: "ResourceNotFoundException", Message: "Rule " + in.text("Rule") + " does not exist on EventBus default."}
		}},
	}
}
