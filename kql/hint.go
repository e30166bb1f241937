package kql

import (
	"strings"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/query"
)

// missing says that something is wanted where the parser stands.
func (p *parser) missing(wanted string) *query.Error {
	if p.i == len(p.src) {
		err := p.errorf(p.i, 0, "the query ends where %s should be", wanted)
		err.Hint = "add " + wanted
		if w := p.wordBefore(); isKeyword(w) {
			err.Hint = "add a condition after " + w + ", or leave it out"
		}
		return err
	}
	err := p.errorf(p.i, p.tokenLen(), "%s where %s should be", p.found(), wanted)
	switch p.next() {
	case ')', '}':
		err.Hint = "the parentheses are empty, or a condition is missing before this one"
		if w := p.wordBefore(); isKeyword(w) {
			err.Hint = "add a condition after " + w + ", or leave it out"
		}
	case '{':
		err.Hint = `braces stand only after "path:"; write \{ for the character`
	case ':', '<', '>':
		err.Hint = "name a field before it, or put the value in quotes"
	default:
		if keywordAt(p.src, p.i, "not") {
			err.Hint = "put the value in quotes, or parentheses around not …"
		}
	}
	return err
}

// unexpected says that the query should be over, or go on with and, or.
func (p *parser) unexpected() *query.Error {
	err := p.errorf(p.i, p.tokenLen(), "unexpected %s", p.found())
	word := p.wordBefore()
	glued := p.i > 0 && spaceEnd(p.src, p.i-1) != p.i
	switch c := p.next(); {
	case c == '(' && glued && isKeyword(word):
		err.Hint = "put a space after " + word + ": " + word + " (…"
	case c == ')' || c == '}':
		err.Hint = "there is no parenthesis to close; remove it, or write \\" + string(c) + " for the character"
	case c == '(' || c == '{':
		err.Hint = `put "and" or "or" before it, or write \` + string(c) + " for the character"
	case c == ':' || c == '<' || c == '>':
		err.Hint = `put "and" or "or" between two conditions; write \` + string(c) + " for the character, or put the value in quotes"
	case c == '"' && strings.HasSuffix(word, "="):
		err.Hint = "KQL compares with a colon: field: value"
	case c == '"':
		err.Hint = `put "and" or "or" before it; inside quotes write \" for the character`
	case keywordAt(p.src, p.i, "not") && glued:
		err.Hint = `a word that ends in "not" ends the value: put the value in quotes`
	case keywordAt(p.src, p.i, "not"):
		err.Hint = "write and not, or put the value in quotes"
	default:
		err.Hint = `put "and" or "or" before it, or put the value in quotes`
	}
	return err
}

// found names what stands at p.i.
func (p *parser) found() string {
	if p.next() == '"' {
		return "quote"
	}
	return `"` + p.src[p.i:p.i+p.tokenLen()] + `"`
}

// tokenLen is the length of what stands at p.i: a character, or a word.
func (p *parser) tokenLen() int {
	rest := p.src[p.i:]
	n := strings.IndexAny(rest, special+" \t\r\n\u00A0")
	switch {
	case n < 0:
		n = len(rest)
	case n == 0:
		_, n = utf8.DecodeRuneInString(rest)
	}
	if n > 40 {
		n = 40
		for !utf8.RuneStart(rest[n]) {
			n--
		}
	}
	return n
}

// wordBefore is the last word before p.i, lower-cased when it is a keyword.
func (p *parser) wordBefore() string {
	s := strings.TrimRight(p.src[:p.i], " \t\r\n\u00A0")
	i := strings.LastIndexAny(s, special+" \t\r\n\u00A0")
	if i >= 0 {
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n - 1
	}
	w := s[i+1:]
	if lower := strings.ToLower(w); isKeyword(lower) {
		return lower
	}
	return w
}

func isKeyword(w string) bool { return w == "and" || w == "or" || w == "not" }
