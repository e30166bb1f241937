package estate

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Logged says which management events of Lambda a trail writes.
type Logged struct{ Read, Write bool }

// Logs says which management events of Lambda the trail's selectors take in. It
// does not look at whether the trail is on.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
func (e *Estate) Logs(t lamina.Trail) Logged {
	if len(t.Advanced) == 0 {
		return Logged{Read: t.Management == "All" || t.Management == "ReadOnly", Write: t.Management == "All" || t.Management == "WriteOnly"}
	}
	var l Logged
	for _, s := range t.Advanced {
		l.Read = l.Read || selects(s, "true")
		l.Write = l.Write || selects(s, "false")
	}
	return l
}

// selects reports whether the selector takes in a management event of Lambda
// with the value of readOnly. Conditions on other fields may leave out some of
// them, and are taken for leaving out all.
func selects(s lamina.EventSelector, readOnly string) bool {
	for _, f := range s.Fields {
		value, known := map[string]string{"eventCategory": "Management", "readOnly": readOnly, "eventSource": "lambda.amazonaws.com"}[f.Field]
		if !known || !matches(f, value) {
			return false
		}
	}
	return len(s.Fields) > 0
}

func matches(f lamina.FieldSelector, value string) bool {
	has := func(list []string, ok func(string) bool) bool { return len(list) == 0 || slices.ContainsFunc(list, ok) }
	lacks := func(list []string, ok func(string) bool) bool { return !slices.ContainsFunc(list, ok) }
	equal := func(s string) bool { return s == value }
	starts := func(s string) bool { return strings.HasPrefix(value, s) }
	ends := func(s string) bool { return strings.HasSuffix(value, s) }
	return has(f.Equals, equal) && has(f.StartsWith, starts) && has(f.EndsWith, ends) &&
		lacks(f.NotEquals, equal) && lacks(f.NotStartsWith, starts) && lacks(f.NotEndsWith, ends)
}
