package cloudtrail

import "time"

// layoutMillis is how the pipeline writes dates: UTC, milliseconds.
const layoutMillis = "2006-01-02T15:04:05.000Z"

// isoLayouts are the forms of ISO 8601 that Elasticsearch's date processor
// reads (its format iso8601): a date may end after the year or the month, a
// time after the hour or the minute, and the zone may be missing. Go reads a
// fraction after the seconds with any of them.
var isoLayouts = func() []string {
	var out []string
	for _, clock := range []string{"15:04:05", "15:04", "15"} {
		for _, zone := range []string{"Z07:00", "Z0700", "Z07", ""} {
			out = append(out, "2006-01-02T"+clock+zone)
		}
	}
	return append(out, "2006-01-02", "2006-01", "2006")
}()

// basicLayouts are basic_date_time and basic_date_time_no_millis, which session
// creation dates may have too.
var basicLayouts = []string{
	"20060102T150405Z0700",
	"20060102T150405Z07:00",
}

// parseISO reads a time to the millisecond; a time without zone is UTC.
func parseISO(s string) (time.Time, bool) { return parseTime(s, isoLayouts) }

// parseTime reads s by the first layout that fits. The form CloudTrail writes,
// 2023-07-10T11:42:00Z, is read without trying layouts, since failing ones
// allocate.
func parseTime(s string, layouts []string) (time.Time, bool) {
	if len(s) < len("2006") || len(s) > len("2006-01-02T15:04:05.999999999+00:00") {
		return time.Time{}, false
	}
	if t, ok := parsePlain(s); ok {
		return t, true
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}

// parsePlain reads 2006-01-02T15:04:05Z with an optional fraction of three
// digits.
func parsePlain(s string) (time.Time, bool) {
	if len(s) != len("2006-01-02T15:04:05Z") && len(s) != len("2006-01-02T15:04:05.000Z") || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[len(s)-1] != 'Z' {
		return time.Time{}, false
	}
	millis := 0
	if len(s) == 24 {
		if s[19] != '.' {
			return time.Time{}, false
		}
		millis = number(s[20:23])
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	if min(year, month, day, hour, minute, second, millis) < 0 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, millis*1e6, time.UTC)
	return t, t.Day() == day // 30 February would have moved on
}

// number reads decimal digits; -1 for anything else.
func number(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// appendMillis appends t as the pipeline writes dates.
func appendMillis(dst []byte, t time.Time) []byte { return t.AppendFormat(dst, layoutMillis) }

// parseSession reads the creation date of a session, which may be in the basic
// forms too.
func parseSession(s string) (time.Time, bool) {
	if t, ok := parseISO(s); ok {
		return t, true
	}
	return parseTime(s, basicLayouts)
}
