package cloudtrail

import "time"

// layoutMillis is how the pipeline writes dates: UTC, milliseconds.
const layoutMillis = "2006-01-02T15:04:05.000Z"

// appendMillis appends t as the pipeline writes dates.
func appendMillis(dst []byte, t time.Time) []byte { return t.AppendFormat(dst, layoutMillis) }

// parseISO reads a time in the forms that Elasticsearch's date processor calls
// ISO8601: a date may end after the year or the month, a time after the hour or
// the minute, a fraction has one to nine digits after a dot or a comma, and a
// time without zone is UTC. The result is cut to the millisecond.
func parseISO(s string) (time.Time, bool) {
	p := clock{rest: s}
	p.year = p.digits(4)
	if p.next('-') {
		p.month = p.positive()
		if p.next('-') {
			p.day = p.positive()
			if p.next('T') {
				p.hour = p.digits(2)
				if p.next(':') {
					p.minute = p.digits(2)
					if p.next(':') {
						p.second = p.digits(2)
						p.fraction()
					}
				}
				p.zone(false)
			}
		}
	}
	return p.time()
}

// parseSession reads the creation date of a session, which may also be in the
// basic forms with a zone, 20060102T150405Z (basic_date_time,
// basic_date_time_no_millis).
func parseSession(s string) (time.Time, bool) {
	if t, ok := parseISO(s); ok {
		return t, true
	}
	p := clock{rest: s}
	p.year, p.month, p.day = p.digits(4), p.positive(), p.positive()
	p.bad = !p.next('T') || p.bad
	p.hour, p.minute, p.second = p.digits(2), p.digits(2), p.digits(2)
	p.fraction()
	p.zone(true)
	return p.time()
}

// A clock reads the parts of a time one after the other. It allocates nothing,
// not even for what is no time.
type clock struct {
	rest                                          string
	bad                                           bool
	year, month, day, hour, minute, second, nanos int
	offset                                        time.Duration // east of UTC
}

// next takes c if it comes next.
func (p *clock) next(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// digits takes n digits.
func (p *clock) digits(n int) int {
	if len(p.rest) < n {
		p.bad = true
		return 0
	}
	v := 0
	for i := range n {
		d := p.rest[i] - '0'
		if d > 9 {
			p.bad = true
			return 0
		}
		v = v*10 + int(d)
	}
	p.rest = p.rest[n:]
	return v
}

// positive takes two digits that are not 00.
func (p *clock) positive() int {
	v := p.digits(2)
	p.bad = p.bad || v == 0
	return v
}

// fraction takes an optional fraction of a second.
func (p *clock) fraction() {
	if !p.next('.') && !p.next(',') {
		return
	}
	n := 0
	for n < len(p.rest) && p.rest[n]-'0' <= 9 {
		n++
	}
	if n == 0 || n > 9 {
		p.bad = true
		return
	}
	p.nanos = p.digits(n)
	for range 9 - n {
		p.nanos *= 10
	}
}

// zone takes Z, +15, +1504 or +15:04.
func (p *clock) zone(required bool) {
	sign := time.Duration(1)
	switch {
	case p.rest == "":
		p.bad = p.bad || required
		return
	case p.next('Z'):
		return
	case p.next('-'):
		sign = -1
	case !p.next('+'):
		p.bad = true
		return
	}
	hours, minutes := p.digits(2), 0
	if p.next(':') || p.rest != "" {
		minutes = p.digits(2)
	}
	if hours > 18 || minutes > 59 { // the offsets that java.time has
		p.bad = true
	}
	p.offset = sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute)
}

func (p *clock) time() (time.Time, bool) {
	month, day := max(p.month, 1), max(p.day, 1)
	if p.bad || p.rest != "" || month > 12 || p.hour > 23 || p.minute > 59 || p.second > 59 {
		return time.Time{}, false
	}
	t := time.Date(p.year, time.Month(month), day, p.hour, p.minute, p.second, p.nanos, time.UTC)
	if t.Day() != day { // 30 February has moved on
		return time.Time{}, false
	}
	return t.Add(-p.offset).Truncate(time.Millisecond), true
}
