package awsfake

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/lamina-sec/lamina"
)

func (f *Fake) cloudtrailOperations() map[string]rpc {
	return map[string]rpc{
		"DescribeTrails":    {do: Session.describeTrails},
		"GetEventSelectors": {do: Session.eventSelectors, of: "TrailName"},
		"GetTrailStatus":    {do: Session.trailStatus, of: "Name"},
		"ListTrails": {do: func(s Session, in input) (object, *Error) {
			return listing(in, paging{"MaxResults", "NextToken", "NextToken", 100, 100, "InvalidTokenException"}, "Trails", s.trails(true), func(t lamina.Trail) object {
				return object{{name: "TrailARN", value: t.ARN}, {name: "Name", value: t.Name}, {name: "HomeRegion", value: t.HomeRegion}}
			})
		}},
		"LookupEvents": {do: Session.lookupEvents},
	}
}

// trails are the trails that the session sees. Shadows are those of other
// regions, and that of the organisation in its members (API reference,
// DescribeTrails).
func (s Session) trails(shadows bool) []lamina.Trail {
	return only(s.f.estate.Trails, func(t lamina.Trail) bool {
		org := s.f.orgs[s.caller.Account]
		mine := t.Account == s.caller.Account || t.Organization && org != "" && s.f.orgs[t.Account] == org
		home := t.HomeRegion == s.region
		return mine && (home && t.Account == s.caller.Account || shadows && (home || t.MultiRegion))
	})
}

func (s Session) describeTrails(in input) (object, *Error) {
	names := in.list("trailNameList")
	all := only(s.trails(in.flag("includeShadowTrails", true)), func(t lamina.Trail) bool {
		return names == nil || slices.Contains(names, t.ARN) || slices.Contains(names, t.Name)
	})
	list := make([]object, 0, len(all))
	for _, t := range all {
		list = append(list, object{
			{name: "Name", value: t.Name},
			{name: "TrailARN", value: t.ARN},
			{name: "HomeRegion", value: t.HomeRegion},
			{name: "S3BucketName", value: t.Bucket},
			{name: "IncludeGlobalServiceEvents", value: true},
			{name: "IsMultiRegionTrail", value: t.MultiRegion},
			{name: "IsOrganizationTrail", value: t.Organization},
			{name: "LogFileValidationEnabled", value: t.LogValidation},
			{name: "HasCustomEventSelectors", value: t.Advanced != nil},
			{name: "HasInsightSelectors", value: false},
		}.optional("CloudWatchLogsLogGroupArn", t.LogGroupARN).optional("KmsKeyId", t.KMSKeyID))
	}
	return object{{name: "trailList", value: list}}, nil
}

// trail finds a trail by ARN, or by name when its home is here.
func (s Session) trail(name string) (lamina.Trail, *Error) {
	for _, t := range s.trails(true) {
		if t.ARN == name || t.Name == name && s.here(t.Account, t.HomeRegion) {
			return t, nil
		}
	}
	return lamina.Trail{}, &Error{
		Status: http.StatusBadRequest, Code: "TrailNotFoundException",
		Message: "Unknown trail: " + name + " for the user: " + s.caller.Account,
	}
}

func (s Session) trailStatus(in input) (object, *Error) {
	t, err := s.trail(in.text("Name"))
	if err != nil {
		return nil, err
	}
	return object{{name: "IsLogging", value: t.Logging}}, nil
}

func (s Session) eventSelectors(in input) (object, *Error) {
	t, err := s.trail(in.text("TrailName"))
	if err != nil {
		return nil, err
	}
	if t.Advanced == nil {
		kind, on := t.Management, true
		if kind == "" {
			kind, on = "All", false
		}
		return object{{name: "TrailARN", value: t.ARN}, {name: "EventSelectors", value: []object{{
			{name: "ReadWriteType", value: kind},
			{name: "IncludeManagementEvents", value: on},
			{name: "DataResources", value: []object{}},
			{name: "ExcludeManagementEventSources", value: append([]string{}, t.ExcludedEvents...)},
		}}}}, nil
	}
	var selectors []object
	for _, sel := range t.Advanced {
		var fields []object
		for _, f := range sel.Fields {
			fields = append(fields, object{{name: "Field", value: f.Field}}.
				optional("Equals", f.Equals).optional("NotEquals", f.NotEquals).
				optional("StartsWith", f.StartsWith).optional("NotStartsWith", f.NotStartsWith).
				optional("EndsWith", f.EndsWith).optional("NotEndsWith", f.NotEndsWith))
		}
		selectors = append(selectors, object{}.optional("Name", sel.Name).optional("FieldSelectors", fields))
	}
	return object{{name: "TrailARN", value: t.ARN}, {name: "AdvancedEventSelectors", value: selectors}}, nil
}

// A looked is what LookupEvents knows of a record besides its bytes.
type looked struct{ id, name, source, user, key, readOnly string }

// A lookedEvent is a record of one account and region, by its number in the trail.
type lookedEvent struct {
	event int
	looked
}

// history is how far back LookupEvents goes.
const history = 90 * 24 * time.Hour

// lookupEvents answers from the records this Fake wrote, at once, while AWS takes
// minutes. Newest come first. A resource is looked for in the whole record
// (derived).
func (s Session) lookupEvents(in input) (object, *Error) {
	bad := func(code, message string) (object, *Error) {
		return nil, &Error{Status: http.StatusBadRequest, Code: code, Message: message}
	}
	var attribute, value string
	switch attributes := in.objects("LookupAttributes"); len(attributes) {
	case 0:
	case 1:
		attribute, value = attributes[0].text("AttributeKey"), attributes[0].text("AttributeValue")
	default:
		return bad("InvalidLookupAttributesException", "one attribute can be looked up at a time")
	}
	limit := in.number("MaxResults")
	if limit <= 0 || limit > 50 {
		limit = 50
	}
	all := s.f.lookup[place{s.caller.Account, s.region}]
	from := len(all) - 1
	if token := in.text("NextToken"); token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 || n > from {
			return bad("InvalidNextTokenException", "the token is not valid")
		}
		from = n
	}
	since, until := in.time("StartTime"), in.time("EndTime")
	if oldest := s.f.now.Add(-history); since.Before(oldest) {
		since = oldest
	}
	events := []object{}
	for ; from >= 0; from-- {
		n := all[from]
		e, l := s.f.trail[n.event], n.looked
		if e.Time.Before(since) || !until.IsZero() && e.Time.After(until) || !l.matches(attribute, value, e.Raw) {
			continue
		}
		if len(events) == limit {
			break
		}
		events = append(events, object{
			{name: "EventId", value: l.id},
			{name: "EventName", value: l.name},
			{name: "EventSource", value: l.source},
			{name: "EventTime", value: e.Time.Unix()},
			{name: "ReadOnly", value: l.readOnly},
			{name: "Resources", value: []object{}},
			{name: "CloudTrailEvent", value: string(e.Raw)},
		}.optional("Username", l.user).optional("AccessKeyId", l.key))
	}
	out := object{{name: "Events", value: events}}
	if from >= 0 {
		out = append(out, member{name: "NextToken", value: strconv.Itoa(from)})
	}
	return out, nil
}

func (l looked) matches(attribute, value string, raw []byte) bool {
	switch attribute {
	case "":
		return true
	case "EventId":
		return l.id == value
	case "EventName":
		return l.name == value
	case "EventSource":
		return l.source == value
	case "ReadOnly":
		return l.readOnly == value
	case "Username":
		return l.user == value
	case "AccessKeyId":
		return l.key == value
	case "ResourceName":
		return bytes.Contains(raw, appendString(nil, value))
	}
	return false
}

// time is a time in seconds since 1970, zero when the caller did not set it.
func (in input) time(name string) time.Time {
	seconds, ok := in[name].(float64)
	if !ok || seconds < 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
