package query

import (
	"strconv"
	"strings"
	"time"
)

// Dates passes the times from lo to hi in milliseconds since 1970, both
// included. The value is read as a date field reads it, see ParseDate.
func Dates(lo, hi int64) Test { return dates{lo, hi} }

type dates struct{ lo, hi int64 }

func (t dates) Match(v string) bool {
	ms, ok := ParseDate(v, false)
	return ok && t.lo <= ms && ms <= t.hi
}

// ParseDate reads a time in Elasticsearch's default format of date fields,
// strict_date_optional_time||epoch_millis, as milliseconds since 1970; without
// an offset it is UTC. RoundUp fills missing parts as the upper end of a range
// does: hour 23, minute 59, second 59, millisecond 999, but month and day 1, so
// that "2024-05" up is the end of 1 May (ES JavaDateFormatter
// ROUND_UP_BASE_FIELDS). Time zones by name are not read.
func ParseDate(s string, roundUp bool) (ms int64, ok bool) {
	if ms, ok = parseISO(s, roundUp); ok {
		return ms, true
	}
	return parseEpoch(s)
}

// parseEpoch reads milliseconds, with a fraction that is dropped.
func parseEpoch(s string) (int64, bool) {
	whole, fraction, has := strings.Cut(s, ".")
	if rest, n := cutDigits(fraction); has && (rest != "" || n == 0) {
		return 0, false
	}
	return plainInt(whole)
}

// parseISO reads yyyy[-MM[-dd[T[HH[:mm[:ss[(.|,)fraction]]]][offset]]]].
func parseISO(s string, roundUp bool) (int64, bool) {
	p := dateParser{s: s, ok: true}
	sign := 1
	if p.cut('-') {
		sign = -1
	}
	year, month, day := sign*p.digits(4, 9999), 1, 1
	hour, minute, second, ms := 0, 0, 0, 0
	if roundUp {
		hour, minute, second, ms = 23, 59, 59, 999
	}
	zone := 0
	if p.cut('-') {
		month = p.digits(2, 12)
		if p.cut('-') {
			day = p.digits(2, 31)
			if p.cut('T') && p.s != "" {
				hour = p.digits(2, 23)
				if p.cut(':') {
					minute = p.digits(2, 59)
					if p.cut(':') {
						second = p.digits(2, 59)
						if p.cut('.') || p.cut(',') {
							ms = p.fraction()
						}
					}
				}
				zone = p.zone()
			}
		}
	}
	if !p.ok || p.s != "" {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, ms*int(time.Millisecond), time.UTC)
	if t.Day() != day { // 30 February
		return 0, false
	}
	return t.UnixMilli() - int64(zone)*1000, true
}

// A dateParser eats s from the front; ok turns false at the first surprise.
type dateParser struct {
	s  string
	ok bool
}

func (p *dateParser) cut(c byte) bool {
	if !p.ok || p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

func (p *dateParser) digits(n, most int) int {
	if !p.ok || len(p.s) < n {
		p.ok = false
		return 0
	}
	v, rest := 0, p.s[n:]
	for i := range n {
		c := p.s[i]
		if c < '0' || c > '9' {
			p.ok = false
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.s = rest
	if v > most || n == 2 && v == 0 && (most == 12 || most == 31) {
		p.ok = false
	}
	return v
}

// fraction reads up to nine digits and keeps milliseconds.
func (p *dateParser) fraction() int {
	rest, n := cutDigits(p.s)
	if n == 0 || n > 9 {
		p.ok = false
		return 0
	}
	ms := 0
	for i := range 3 {
		ms *= 10
		if i < n {
			ms += int(p.s[i] - '0')
		}
	}
	p.s = rest
	return ms
}

// zone reads the offset at the end, in seconds east of UTC.
func (p *dateParser) zone() int {
	if !p.ok || p.s == "" {
		return 0
	}
	switch p.s {
	case "Z", "UTC", "GMT", "UT":
		p.s = ""
		return 0
	}
	sign := 1
	if p.cut('-') {
		sign = -1
	} else if !p.cut('+') {
		p.ok = false
		return 0
	}
	sec := p.digits(2, 18) * 3600
	if p.s != "" {
		p.cut(':')
		sec += p.digits(2, 59) * 60
	}
	return sign * sec
}

// FormatDate is how an Event gives a time: RFC 3339 in UTC with milliseconds.
func FormatDate(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// DateHint says which forms ParseDate reads.
const DateHint = `write 2024-05-01, 2024-05-01T10:00:00Z or milliseconds since 1970`

// isDateMath reports whether s asks for a clock or for rounding.
func isDateMath(s string) bool { return strings.HasPrefix(s, "now") || strings.Contains(s, "||") }

// ParseQueryDate is ParseDate for a value in a query; err says what is wrong
// with it. Date arithmetic (now-1d, 2024-05-01||/M) is *UnsupportedError.
func ParseQueryDate(s string, roundUp bool) (ms int64, err error) {
	if isDateMath(s) {
		return 0, &UnsupportedError{Name: "date arithmetic " + strconv.Quote(s), Needs: "a clock, which a condition on a record does not have"}
	}
	ms, ok := ParseDate(s, roundUp)
	if !ok {
		return 0, &Error{Msg: strconv.Quote(s) + " is not a date", Hint: DateHint}
	}
	return ms, nil
}
