package query

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern   string
		fold      Case
		match, no []string
	}{
		{"abc", CaseSensitive, []string{"abc"}, []string{"ab", "abcd", "ABC", ""}},
		{"", CaseSensitive, []string{""}, []string{"a"}},
		{"*", CaseSensitive, []string{"", "a", "a\nb"}, nil},
		{"**", CaseSensitive, []string{"", "a"}, nil},
		{"a*", CaseSensitive, []string{"a", "ab"}, []string{"ba", ""}},
		{"*a", CaseSensitive, []string{"a", "ba"}, []string{"ab"}},
		{"*a*", CaseSensitive, []string{"a", "bab"}, []string{"b"}},
		{"ab*ba", CaseSensitive, []string{"abba", "abxba"}, []string{"aba"}},
		{"a*b*c", CaseSensitive, []string{"abc", "axbxc", "abbcc"}, []string{"acb", "abcx"}},
		{`a\*b`, CaseSensitive, []string{"a*b"}, []string{"axb"}},
		{`a\?b\\`, CaseSensitive, []string{`a?b\`}, []string{`axb\`}},
		{`a\`, CaseSensitive, []string{`a\`}, []string{"a"}},
		{"a?c", CaseSensitive, []string{"abc", "aéc", "a😀c"}, []string{"ac", "abbc"}},
		{"?", CaseSensitive, []string{"a"}, []string{"", "ab"}},
		{"*?b*", CaseSensitive, []string{"ab", "xxab"}, []string{"b", "ba"}},
		{"*?", CaseSensitive, []string{"a", "ab"}, []string{""}},
		{"AbC*", FoldASCII, []string{"abcd", "ABC"}, []string{"ab"}},
		{"É*", FoldASCII, []string{"É"}, []string{"é"}},
		{"É*", FoldUnicode, []string{"é", "ÉA"}, []string{"e"}},
		{"*\xff*", CaseSensitive, []string{"\xff"}, nil},
	} {
		w := Wildcard(c.pattern, c.fold)
		for _, v := range c.match {
			if !w.Match(v) {
				t.Errorf("%q does not match %q", c.pattern, v)
			}
		}
		for _, v := range c.no {
			if w.Match(v) {
				t.Errorf("%q matches %q", c.pattern, v)
			}
		}
	}
}

// Every specialised form means what a regular expression means.
func TestWildcard_is_a_regular_expression(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(letters string, n int) string {
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	matches := 0
	for range 50_000 {
		pattern, v := text("ab*?", 7), text("ab", 8)
		re := regexp.MustCompile(`(?s)\A` + strings.NewReplacer("*", ".*", "?", ".").Replace(pattern) + `\z`)
		want := re.MatchString(v)
		if want {
			matches++
		}
		w := Wildcard(pattern, CaseSensitive)
		if got := w.Match(v); got != want {
			t.Fatalf("%q on %q: %v", pattern, v, got)
		}
		if got := Wildcard(strings.ToUpper(pattern), FoldASCII).Match(v); got != want {
			t.Fatalf("%q folded on %q: %v", pattern, v, got)
		}
		if e, p, ok := requiredOf(w); ok && want && !slices.Contains(e, v) && !slices.ContainsFunc(p, func(p string) bool { return strings.HasPrefix(v, p) }) {
			t.Fatalf("%q matches %q without %q, %q", pattern, v, e, p)
		}
	}
	t.Logf("%d matches", matches)
}

func TestEscapeWildcard(t *testing.T) {
	for _, s := range []string{"", "a", "*", `\`, "?", `a*b?c\d`, "é*"} {
		if w := Wildcard(EscapeWildcard(s), CaseSensitive); !w.Match(s) || w.Match(s+"x") {
			t.Errorf("%q escaped is %q, which does not match it alone", s, EscapeWildcard(s))
		}
	}
}

func TestTerms_of_any_number(t *testing.T) {
	for _, n := range []int{0, 1, 2, 8, 9, 100} {
		var terms []string
		for i := range n {
			terms = append(terms, fmt.Sprint("t", i))
		}
		test := Terms(terms...)
		for _, s := range terms {
			if !test.Match(s) {
				t.Errorf("%d terms: %q does not match", n, s)
			}
		}
		if test.Match("t") || test.Match("") {
			t.Errorf("%d terms match another", n)
		}
		exact, _, ok := requiredOf(test)
		slices.Sort(terms)
		slices.Sort(exact)
		if !ok || !slices.Equal(exact, terms) {
			t.Errorf("%d terms require %q", n, exact)
		}
	}
}

func TestSome_joins_terms(t *testing.T) {
	if _, ok := Some(Terms("a"), Terms("b", "c")).(termList); !ok {
		t.Error("lists of terms are not joined")
	}
	s := Some(Terms("a"), Wildcard("b*", CaseSensitive), Terms())
	exact, prefixes, ok := requiredOf(s)
	if d := cmp.Diff([]any{[]string{"a"}, []string{"b"}, true}, []any{exact, prefixes, ok}); d != "" {
		t.Error(d)
	}
	if !s.Match("a") || !s.Match("bx") || s.Match("x") {
		t.Error("some matches the wrong values")
	}
	if _, _, ok := requiredOf(Some(Terms("a"), Any())); ok {
		t.Error("any value requires nothing")
	}
}

func TestParseDate(t *testing.T) {
	for _, c := range []struct {
		s        string
		down, up string // "" when it is no date
	}{
		{"2024", "2024-01-01T00:00:00.000Z", "2024-01-01T23:59:59.999Z"},
		{"2024-02", "2024-02-01T00:00:00.000Z", "2024-02-01T23:59:59.999Z"},
		{"2024-02-29", "2024-02-29T00:00:00.000Z", "2024-02-29T23:59:59.999Z"},
		{"2024-02-29T", "2024-02-29T00:00:00.000Z", "2024-02-29T23:59:59.999Z"},
		{"2024-02-29T10", "2024-02-29T10:00:00.000Z", "2024-02-29T10:59:59.999Z"},
		{"2024-02-29T10Z", "2024-02-29T10:00:00.000Z", "2024-02-29T10:59:59.999Z"},
		{"2024-02-29T10:30+02:00", "2024-02-29T08:30:00.000Z", "2024-02-29T08:30:59.999Z"},
		{"2024-02-29T10:30:15", "2024-02-29T10:30:15.000Z", "2024-02-29T10:30:15.999Z"},
		{"2024-02-29T10:30:15.1", "2024-02-29T10:30:15.100Z", "2024-02-29T10:30:15.100Z"},
		{"2024-02-29T10:30:15,123456789-0130", "2024-02-29T12:00:15.123Z", "2024-02-29T12:00:15.123Z"},
		{"1714557600000", "2024-05-01T10:00:00.000Z", "2024-05-01T10:00:00.000Z"},
		{"1714557600000.75", "2024-05-01T10:00:00.000Z", "2024-05-01T10:00:00.000Z"},
		{"-1", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
		{"20240501", "1970-01-01T05:37:20.501Z", "1970-01-01T05:37:20.501Z"},
		{"2023-02-29", "", ""},
		{"2024-13", "", ""},
		{"2024-00-01", "", ""},
		{"2024-1-1", "", ""},
		{"2024-02-29 10:30", "", ""},
		{"2024-02-29T24", "", ""},
		{"2024-02-29T10:30:15.", "", ""},
		{"2024-02-29T10:30:15.1234567890", "", ""},
		{"2024-02-29T10:30:15+", "", ""},
		{"2024-02-29T10:30:15Europe/Paris", "", ""},
		{"-", "", ""},
		{"", "", ""},
		{"1.", "", ""},
		{"99999999999999999999", "", ""},
	} {
		for _, up := range []bool{false, true} {
			want := c.down
			if up {
				want = c.up
			}
			ms, ok := ParseDate(c.s, up)
			got := ""
			if ok {
				got = FormatDate(ms)
			}
			if got != want {
				t.Errorf("ParseDate(%q, %v) = %q, want %q", c.s, up, got, want)
			}
		}
	}
}

func TestParseLong(t *testing.T) {
	for _, c := range []struct {
		s     string
		n     int64
		exact bool
		ok    bool
	}{
		{"7", 7, true, true},
		{"-7", -7, true, true},
		{"+7", 7, true, true},
		{"7.0", 7, true, true},
		{"7.", 7, true, true},
		{".5", 0, false, true},
		{"-0.5", -1, false, true},
		{"1e3", 1000, true, true},
		{"15E-1", 1, false, true},
		{"9223372036854775807", 1<<63 - 1, true, true},
		{"9223372036854775808", 0, false, false},
		{"1e999999999", 0, false, false},
		{"1e30", 0, false, false},
		{"0x10", 0, false, false},
		{"1_000", 0, false, false},
		{"", 0, false, false},
		{".", 0, false, false},
		{"e5", 0, false, false},
		{"1e", 0, false, false},
		{"seven", 0, false, false},
		{"+-7", 0, false, false},
	} {
		n, exact, ok := ParseLong(c.s)
		if n != c.n || exact != c.exact || ok != c.ok {
			t.Errorf("ParseLong(%q) = %d, %v, %v", c.s, n, exact, ok)
		}
	}
}

func TestLong_reads_what_a_document_has(t *testing.T) {
	for v, want := range map[string]bool{
		"5": true, "5.9": true, "5e0": true, "6": false, "x": false, "": false, "-5": false, "123456789012345678901": false, "NaN": false, "Inf": false,
	} {
		if got := Long(5, 5).Match(v); got != want {
			t.Errorf("%q: %v", v, got)
		}
	}
}

func TestParseIP_and_blocks(t *testing.T) {
	for s, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:DB8::1": "2001:db8::1", "fe80::1%eth0": "", "10.0.0": "",
		"010.0.0.1": "", "": "", "host.example": "", "1": "", strings.Repeat(":", 100): "",
	} {
		a, ok := ParseIP(s)
		if got := a.String(); ok != (want != "") || ok && got != want {
			t.Errorf("ParseIP(%q) = %v, %v", s, a, ok)
		}
	}
	for s, want := range map[string]string{
		"10.1.2.3/8": "10.0.0.0/8", "::ffff:10.1.2.3/104": "10.0.0.0/8", "::ffff:10.1.2.3/95": "", "10.0.0.0/33": "", "10.0.0.0/": "",
		"10.0.0.0/-1": "", "10.0.0.0/+8": "", "10.0.0.0": "", "::/0": "::/0", "/8": "",
	} {
		p, ok := ParseCIDR(s)
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("ParseCIDR(%q) = %v, %v", s, p, ok)
		}
	}
	if t4 := IPRange(Bound[netip.Addr]{}, Bound[netip.Addr]{}); !t4.Match("::") || !t4.Match("1.2.3.4") || t4.Match("x") {
		t.Error("an open range passes the addresses")
	}
}

func tokens(s string) []string {
	var out []string
	for {
		tok, rest := nextToken(s)
		if tok == "" {
			return out
		}
		out = append(out, tok)
		s = rest
	}
}

// The expected tokens are what Unicode annex 29 says of word boundaries.
func TestNextToken(t *testing.T) {
	for _, c := range []struct {
		s    string
		want []string
	}{
		{"", nil},
		{" -- !", nil},
		{"The quick, brown-fox.", []string{"The", "quick", "brown", "fox"}},
		{"can't won’t 'x'", []string{"can't", "won’t", "x"}},
		{"a.b.c a. .b a..b", []string{"a.b.c", "a", "b", "a", "b"}},
		{"10.0.0.1 1,000.5 1;2 1.a a.1", []string{"10.0.0.1", "1,000.5", "1;2", "1", "a", "a", "1"}},
		{"a:b a:1", []string{"a:b", "a", "1"}},
		{"snake_case __x _1", []string{"snake_case", "__x", "_1"}},
		{"v2beta1 x86", []string{"v2beta1", "x86"}},
		{"arn:aws:iam::111122223333:role/x", []string{"arn:aws:iam", "111122223333", "role", "x"}},
		{"{principal=*, a=b}", []string{"principal", "a", "b"}},
		{"日本語 text", []string{"日", "本", "語", "text"}},
		{"e\u0301te\u0301", []string{"e\u0301te\u0301"}},
		{"a\u200db", []string{"a\u200db"}},
		{strings.Repeat("x", 256), []string{strings.Repeat("x", 255), "x"}},
	} {
		if d := cmp.Diff(c.want, tokens(c.s)); d != "" {
			t.Errorf("%q: %s", c.s, d)
		}
	}
}

func FuzzNextToken(f *testing.F) {
	f.Add("a.b 1,2 日本 e\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		n := 0
		for _, tok := range tokens(s) {
			n += len(tok)
		}
		if n > len(s) {
			t.Errorf("%q: the tokens are longer than the text", s)
		}
		Words(s, true).Match(s)
		WordTest(s).Match(s)
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("2024-05-01T10:00:00.5+02:00")
	f.Fuzz(func(t *testing.T, s string) {
		lo, ok := ParseDate(s, false)
		hi, ok2 := ParseDate(s, true)
		if ok != ok2 || lo > hi {
			t.Errorf("%q is %d to %d", s, lo, hi)
		}
		if ok && lo > 0 && lo < 1<<45 {
			if again, ok := ParseDate(FormatDate(lo), false); !ok || again != lo {
				t.Errorf("%q is %d, printed and read again %d", s, lo, again)
			}
		}
	})
}
