package query

import (
	"bytes"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
)

// Long passes the whole numbers from lo to hi, both included. A value that is
// no number passes nothing, as a malformed value is not indexed; decimals are
// cut off, as a long field stores them.
func Long(lo, hi int64) Test { return long{lo, hi} }

type long struct{ lo, hi int64 }

func (t long) Match(v string) bool {
	n, ok := longValue(v)
	return ok && t.lo <= n && n <= t.hi
}

// longValue is what a long field stores of a document's text.
func longValue(v string) (int64, bool) {
	if n, ok := plainInt(v); ok {
		return n, true
	}
	f, ok := parseDouble(v)
	if !ok || f <= -0x1p63 || f >= 0x1p63 {
		return 0, false
	}
	return int64(f), true
}

// plainInt parses -?[0-9]{1,18} without allocating on failure.
func plainInt(v string) (int64, bool) {
	digits := strings.TrimPrefix(v, "-")
	if digits == "" || len(digits) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(digits) {
		c := digits[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(v) {
		n = -n
	}
	return n, true
}

// ParseLong reads a number of a query on a long field. Exact is false when it
// has decimals; then n is the whole number below it.
func ParseLong(s string) (n int64, exact, ok bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true, true
	}
	if !isDecimal(s) {
		return 0, false, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 { // 1e999999999 must not be written out
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e < -400 || e > 400 {
			return 0, false, false
		}
	}
	r, good := new(big.Rat).SetString(s)
	if !good {
		return 0, false, false
	}
	// For a positive denominator Int.Div rounds towards minus infinity.
	q := new(big.Int).Div(r.Num(), r.Denom())
	if !q.IsInt64() {
		return 0, false, false
	}
	return q.Int64(), r.IsInt(), true
}

// LongRange is Long for bounds as a query writes them; ok is false when one of
// them is no number that a long can be compared with.
func LongRange(lo, hi Bound[string]) (t Test, ok bool) {
	l, h := int64(math.MinInt64), int64(math.MaxInt64)
	none := false
	if lo.Set {
		n, exact, good := ParseLong(lo.Value)
		if !good {
			return nil, false
		}
		l = n
		if !exact || lo.Open {
			none = n == math.MaxInt64
			l = n + 1
		}
	}
	if hi.Set {
		n, exact, good := ParseLong(hi.Value)
		if !good {
			return nil, false
		}
		h = n
		if exact && hi.Open {
			none = none || n == math.MinInt64
			h = n - 1
		}
	}
	if none {
		return Terms(), true
	}
	return Long(l, h), true
}

// Double passes the numbers between lo and hi.
func Double(lo, hi Bound[float64]) Test { return double{lo, hi} }

type double struct{ lo, hi Bound[float64] }

func (t double) Match(v string) bool {
	f, ok := parseDouble(v)
	return ok && (!t.lo.Set || f > t.lo.Value || f == t.lo.Value && !t.lo.Open) &&
		(!t.hi.Set || f < t.hi.Value || f == t.hi.Value && !t.hi.Open)
}

// ParseDouble reads a finite number.
func ParseDouble(s string) (float64, bool) { return parseDouble(s) }

// parseDouble looks before it parses, because a failed ParseFloat allocates.
func parseDouble(s string) (float64, bool) {
	if !isDecimal(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// isDecimal reports whether s is [+-]?digits[.digits][e[+-]digits] with a digit
// before the exponent, and short enough to be meant as a number.
func isDecimal(s string) bool {
	if len(s) > 512 {
		return false
	}
	s = strings.TrimLeft(s[:min(1, len(s))], "+-") + s[min(1, len(s)):]
	s, digits := cutDigits(s)
	if rest, ok := strings.CutPrefix(s, "."); ok {
		var more int
		s, more = cutDigits(rest)
		digits += more
	}
	if digits == 0 {
		return false
	}
	if s == "" {
		return true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return false
	}
	s = s[1:]
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	s, digits = cutDigits(s)
	return s == "" && digits > 0
}

func cutDigits(s string) (rest string, n int) {
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[n:], n
}

// Bool passes "true" when yes is allowed and "false" when no is.
func Bool(yes, no bool) Test {
	switch {
	case yes && no:
		return Terms("true", "false")
	case yes:
		return Terms("true")
	case no:
		return Terms("false")
	}
	return Terms()
}

// IPs passes the addresses in one of the blocks. An IPv4 address and the IPv6
// address that maps it are the same, as in an ip field.
func IPs(blocks ...netip.Prefix) Test { return ips(blocks) }

type ips []netip.Prefix

func (t ips) Match(v string) bool {
	a, ok := ParseIP(v)
	if !ok {
		return false
	}
	for _, b := range t {
		if b.Contains(a) {
			return true
		}
	}
	return false
}

// IPRange passes the addresses between lo and hi, in the order of an ip field,
// in which IPv4 addresses stand at ::ffff:0:0/96.
func IPRange(lo, hi Bound[netip.Addr]) Test { return ipRange{lo, hi} }

type ipRange struct{ lo, hi Bound[netip.Addr] }

func (t ipRange) Match(v string) bool {
	a, ok := ParseIP(v)
	return ok && (!t.lo.Set || within(compareIP(a, t.lo.Value), t.lo.Open)) &&
		(!t.hi.Set || within(compareIP(t.hi.Value, a), t.hi.Open))
}

func compareIP(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	return bytes.Compare(x[:], y[:])
}

// ParseIP reads an address as an ip field does: no zone, and an IPv6 address
// that maps an IPv4 address is that IPv4 address.
func ParseIP(s string) (netip.Addr, bool) {
	// A failed netip.ParseAddr allocates; most texts that are no address stop here.
	colon, dot := false, false
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		case c == '.':
			dot = true
		case c == ':':
			colon = true
		default:
			return netip.Addr{}, false
		}
	}
	if len(s) > 45 || !colon && !dot {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

// ParseCIDR reads "address/bits". Bits of the address beyond the mask are cut
// off. A block of mapped IPv4 addresses is the IPv4 block.
func ParseCIDR(s string) (netip.Prefix, bool) {
	addr, bits, ok := strings.Cut(s, "/")
	if !ok {
		return netip.Prefix{}, false
	}
	a, ok := ParseIP(addr)
	n, err := strconv.Atoi(bits)
	if !ok || err != nil || n < 0 || bits[0] == '+' {
		return netip.Prefix{}, false
	}
	if a.Is4() && strings.Contains(addr, ":") {
		n -= 96
	}
	p, err := a.Prefix(n)
	return p, err == nil
}
