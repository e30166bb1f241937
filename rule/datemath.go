package rule

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads an interval as Kibana writes it: a whole number and a
// unit of s, m, h, d or w.
func ParseDuration(s string) (time.Duration, error) {
	if len(s) < 2 {
		return 0, fmt.Errorf("%q is not a duration such as 5m", s)
	}
	unit, ok := units[s[len(s)-1]]
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	switch {
	case s[len(s)-1] == 'M' || s[len(s)-1] == 'y':
		return 0, fmt.Errorf("%q: months and years are not of one length, write days", s)
	case !ok || err != nil || s[0] == '-' || s[0] == '+':
		return 0, fmt.Errorf("%q is not a duration such as 5m", s)
	case n > math.MaxInt64/int64(unit):
		return 0, fmt.Errorf("%q is too long", s)
	}
	return time.Duration(n) * unit, nil
}

var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'H': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
}

// ParseAgo reads Elasticsearch date math that is relative to now, such as
// "now-6m" or "now-1h+5m", and returns how long before now it is. Rounding
// ("now/d"), months and absolute times are refused: they are no fixed distance
// from a run's start.
func ParseAgo(s string) (time.Duration, error) {
	rest, ok := strings.CutPrefix(s, "now")
	if !ok {
		return 0, fmt.Errorf("%q is not a time relative to now such as now-6m", s)
	}
	var ago time.Duration
	for rest != "" {
		sign := rest[0]
		if sign == '/' {
			return 0, fmt.Errorf("%q: rounding is not supported in a schedule", s)
		}
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if sign != '-' && sign != '+' || n == len(rest) {
			return 0, fmt.Errorf("%q is not a time relative to now such as now-6m", s)
		}
		step := rest[1 : n+1]
		if n == 1 {
			step = "1" + step // Elasticsearch reads now-h as now-1h
		}
		d, err := ParseDuration(step)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", s, err)
		}
		if sign == '+' {
			d = -d
		}
		sum := ago + d
		if (sum > ago) != (d > 0) && d != 0 {
			return 0, fmt.Errorf("%q is too long", s)
		}
		ago, rest = sum, rest[n+1:]
	}
	return ago, nil
}

// FormatDuration writes d as ParseDuration reads it, in the largest unit that
// leaves a whole number.
func FormatDuration(d time.Duration) string {
	switch {
	case d > 0 && d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	case d > 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d > 0 && d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
