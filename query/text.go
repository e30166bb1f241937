package query

import (
	"unicode"
	"unicode/utf8"
)

// Words passes the texts of which some token is a token of s, or, for a phrase,
// those that hold all tokens of s one after the other. Tokens are those of
// Elasticsearch's standard analyzer, see nextToken. A text without tokens
// matches nothing.
func Words(s string, phrase bool) Test {
	var w words
	for {
		tok, rest := nextToken(s)
		if tok == "" {
			break
		}
		w.tokens = append(w.tokens, lowered(tok))
		s = rest
	}
	w.phrase = phrase
	return w
}

func lowered(s string) []rune {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		out = append(out, unicode.ToLower(r))
	}
	return out
}

type words struct {
	tokens [][]rune
	phrase bool
}

func (w words) Match(v string) bool {
	for len(w.tokens) > 0 {
		tok, rest := nextToken(v)
		if tok == "" {
			return false
		}
		if w.phrase && equalFold(tok, w.tokens[0]) && startsWith(rest, w.tokens[1:]) {
			return true
		}
		if !w.phrase {
			for _, want := range w.tokens {
				if equalFold(tok, want) {
					return true
				}
			}
		}
		v = rest
	}
	return false
}

func startsWith(v string, tokens [][]rune) bool {
	for _, want := range tokens {
		tok, rest := nextToken(v)
		if tok == "" || !equalFold(tok, want) {
			return false
		}
		v = rest
	}
	return true
}

func equalFold(tok string, want []rune) bool {
	i := 0
	for _, r := range tok {
		if i == len(want) || unicode.ToLower(r) != want[i] {
			return false
		}
		i++
	}
	return i == len(want)
}

// WordTest passes the texts of which some token, lower-cased, passes the
// wildcard pattern (Lucene syntax, see Wildcard).
func WordTest(pattern string) Test { return wordTest{parseWildcard(pattern, FoldUnicode)} }

type wordTest struct{ w *wildcard }

func (t wordTest) Match(v string) bool {
	for {
		tok, rest := nextToken(v)
		if tok == "" {
			return false
		}
		if t.w.Match(tok) {
			return true
		}
		v = rest
	}
}

// WordRange passes the texts of which some token, lower-cased, is between lo
// and hi in code point order.
func WordRange(lo, hi Bound[string]) Test { return wordRange{lo, hi} }

type wordRange struct{ lo, hi Bound[string] }

func (t wordRange) Match(v string) bool {
	for {
		tok, rest := nextToken(v)
		if tok == "" {
			return false
		}
		if (!t.lo.Set || within(compareLower(tok, t.lo.Value), t.lo.Open)) &&
			(!t.hi.Set || within(-compareLower(tok, t.hi.Value), t.hi.Open)) {
			return true
		}
		v = rest
	}
}

// compareLower compares the lower-cased token with a term by code point, which
// in UTF-8 is the order of the bytes.
func compareLower(tok, term string) int {
	for {
		a, n := firstRune(tok)
		b, m := firstRune(term)
		switch {
		case n == 0 && m == 0:
			return 0
		case n == 0:
			return -1
		case m == 0:
			return 1
		}
		if a = unicode.ToLower(a); a != b {
			return int(a) - int(b)
		}
		tok, term = tok[n:], term[m:]
	}
}

// maxToken is where the standard analyzer cuts a long token, in characters.
const maxToken = 255

// nextToken is the first token of s and what follows it; "" when there is none.
// It follows the word boundaries of Unicode annex 29 that the standard analyzer
// uses: letters, digits and underscores stick together; `.` and `'` join two
// letters or two digits, `:` two letters, `,` and `;` two digits; an ideograph
// and a hiragana character is a token of its own.
func nextToken(s string) (tok, rest string) {
	start, end := -1, 0
	prev, joined := wordOther, wordOther // joined: what stands between prev and here, wordOther for nothing
	count := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		k := kindOf(r)
		switch {
		case start < 0:
			if k == wordSingle {
				return s[i : i+n], s[i+n:]
			}
			if k == wordLetter || k == wordDigit || k == wordUnder {
				start, end, prev, count = i, i+n, k, 1
			}
		case k == wordExtend:
			if joined == wordOther {
				end = i + n
			}
		case joined == wordOther && k.joins():
			joined = k
		case joined != wordOther && !bridges(prev, joined, k), !k.solid():
			return s[start:end], s[end:]
		default:
			joined = wordOther
			end, prev = i+n, k
			count++
		}
		if count == maxToken {
			return s[start:end], s[end:]
		}
		i += n
	}
	if start < 0 {
		return "", ""
	}
	return s[start:end], s[end:]
}

// A wordKind is a class of characters in annex 29, as far as we follow it.
type wordKind int

const (
	wordOther  wordKind = iota
	wordLetter          // ALetter, Hebrew, Katakana
	wordDigit           // Numeric
	wordUnder           // ExtendNumLet
	wordSingle          // ideographs and hiragana: one token each
	wordExtend          // Extend, Format: belongs to what stands before
	wordDot             // MidNumLet, Single_Quote: joins letters, and digits
	wordColon           // MidLetter: joins letters
	wordComma           // MidNum: joins digits
)

func (k wordKind) solid() bool { return k == wordLetter || k == wordDigit || k == wordUnder }

func (k wordKind) joins() bool { return k == wordDot || k == wordColon || k == wordComma }

func bridges(prev, mid, next wordKind) bool {
	switch {
	case prev == wordLetter && next == wordLetter:
		return mid == wordDot || mid == wordColon
	case prev == wordDigit && next == wordDigit:
		return mid == wordDot || mid == wordComma
	}
	return false
}

func kindOf(r rune) wordKind {
	if r < utf8.RuneSelf {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return wordLetter
		case '0' <= r && r <= '9':
			return wordDigit
		}
		switch r {
		case '_':
			return wordUnder
		case '.', '\'':
			return wordDot
		case ':':
			return wordColon
		case ',', ';':
			return wordComma
		}
		return wordOther
	}
	switch r {
	case '\u2018', '\u2019', '\u2024', '\uFE52', '\uFF07', '\uFF0E':
		return wordDot
	case '\u00B7', '\u0387', '\u05F4', '\u2027', '\uFE13', '\uFE55', '\uFF1A':
		return wordColon
	case '\u037E', '\u0589', '\u060C', '\u060D', '\u066C', '\u07F8', '\u2044', '\uFE10', '\uFE14', '\uFE50', '\uFE54', '\uFF0C', '\uFF1B':
		return wordComma
	}
	switch {
	case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Mc, r), unicode.Is(unicode.Me, r), unicode.Is(unicode.Cf, r):
		return wordExtend
	case unicode.Is(unicode.Han, r), unicode.Is(unicode.Hiragana, r):
		return wordSingle
	case unicode.Is(unicode.Nd, r):
		return wordDigit
	case unicode.Is(unicode.Pc, r):
		return wordUnder
	case unicode.IsLetter(r), unicode.Is(unicode.Nl, r):
		return wordLetter
	}
	return wordOther
}
