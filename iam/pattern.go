package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A pattern is text with wildcards and policy variables. Runes below zero are
// not text: many and one are wildcards, and anything from variable0 downwards
// is the variable with that index.
type pattern struct {
	text  string // what it says, when it has no variables
	runes []rune
	vars  []variable
}

// A variable is ${key} or ${key, 'default'}
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
type variable struct {
	key        string // lower case
	fallback   string
	hasDefault bool
}

const (
	many      rune = -1 // *
	one       rune = -2 // ?
	variable0 rune = -10
)

// compilePattern reads s. With wild, * and ? are wildcards; with vars, ${…} is
// a variable, and ${*}, ${?}, ${$} are the three characters themselves.
func compilePattern(s string, wild, vars bool) (pattern, error) {
	var p pattern
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case wild && r == '*':
			r = many
		case wild && r == '?':
			r = one
		case vars && strings.HasPrefix(s[i:], "${"):
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return p, errors.New("a policy variable has no end")
			}
			size = end + 1
			switch name := s[i+2 : i+end]; name {
			case "*", "?", "$":
				r = rune(name[0])
			default:
				v, err := readVariable(name)
				if err != nil {
					return p, err
				}
				r = variable0 - rune(len(p.vars)) //nolint:gosec // bounded by the size of a document
				p.vars = append(p.vars, v)
			}
		}
		p.runes = append(p.runes, r)
		i += size
	}
	if len(p.vars) == 0 && !wild {
		p.text = string(p.runes)
	}
	return p, nil
}

func readVariable(s string) (variable, error) {
	name, rest, has := strings.Cut(s, ",")
	v := variable{key: strings.ToLower(strings.TrimSpace(name)), hasDefault: has}
	if v.key == "" || strings.ContainsAny(v.key, "${'") {
		return v, fmt.Errorf("policy variable %q names no key", s)
	}
	if has {
		rest = strings.TrimSpace(rest)
		if len(rest) < 2 || rest[0] != '\'' || rest[len(rest)-1] != '\'' {
			return v, fmt.Errorf("policy variable %q: want its default in single quotes", s)
		}
		v.fallback = rest[1 : len(rest)-1]
	}
	return v, nil
}

// expand puts the values of variables into p.runes, or a part of them. missing is the key of a variable that
// has no value and no default; doubt is one whose value is not known, in which
// case runes has * in its place, so that what does not match these runes
// matches for no value. frail says that a variable may turn out to be missing.
func (p *pattern) expand(part []rune, r *Request) (runes []rune, missing, doubt string, frail bool) {
	if len(p.vars) == 0 {
		return part, "", "", false
	}
	runes = make([]rune, 0, len(part))
	for _, c := range part {
		if c > variable0 {
			runes = append(runes, c)
			continue
		}
		v := p.vars[variable0-c]
		switch value := r.lookup(v.key); {
		case value.state == isKnown && len(value.values) == 1:
			runes = append(runes, []rune(value.values[0])...)
		case value.state == isAbsent && v.hasDefault:
			runes = append(runes, []rune(v.fallback)...)
		case value.state == isAbsent:
			missing = v.key
			runes = append(runes, many)
		default:
			doubt = v.key
			frail = frail || value.state == isUnknown && !v.hasDefault
			runes = append(runes, many)
		}
	}
	return runes, missing, doubt, frail
}

// glob matches s in time O(len(p)·len(s)) and without memory: on a mismatch it
// goes back to the last * only, which is enough for this language.
func glob(p []rune, s string) bool {
	j, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		c, size := rune(s[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case j < len(p) && p[j] == many:
			star, mark = j, i
			j++
		case j < len(p) && (p[j] == one || p[j] == c):
			j, i = j+1, i+size
		case star >= 0:
			_, size = utf8.DecodeRuneInString(s[mark:])
			mark += size
			j, i = star+1, mark
		default:
			return false
		}
	}
	for j < len(p) && p[j] == many {
		j++
	}
	return j == len(p)
}

// literal reports whether s is the text of p, which has no wildcards.
func literal(p []rune, s string) bool {
	i := 0
	for _, c := range p {
		if i == len(s) {
			return false
		}
		d, size := rune(s[i]), 1
		if d >= utf8.RuneSelf {
			d, size = utf8.DecodeRuneInString(s[i:])
		}
		if c != d {
			return false
		}
		i += size
	}
	return i == len(s)
}

// globResource matches an ARN with a pattern of a Resource element. A * that
// ends one of the first five segments can reach beyond the colon, another one
// in them cannot
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html).
func globResource(p []rune, s string) bool {
	if !glob(p, s) {
		return false // the plain reading matches whatever the strict one does
	}
	colons, strict := 0, false
	for i, c := range p {
		if c == ':' {
			colons++
		}
		if colons < 5 && (c == one || c == many && i+1 < len(p) && p[i+1] != ':') {
			strict = true
		}
	}
	return !strict || globSegments(p, s)
}

// globSegments is the strict reading, by the set of positions that p can be in.
func globSegments(p []rune, s string) bool {
	tokens := segmentTokens(p)
	at := newStates(tokens)
	for _, c := range s {
		at = at.step(tokens, c)
	}
	return at.accepts(tokens)
}

// splitARN splits a pattern at its first five colons, or reports false.
func splitARN(p []rune) ([6][]rune, bool) {
	var parts [6][]rune
	for i := range 5 {
		at := slices.Index(p, ':')
		if at < 0 {
			return parts, false
		}
		parts[i], p = p[:at], p[at+1:]
	}
	parts[5] = p
	return parts, true
}

// globARN matches each of the six parts of an ARN on its own, as ArnLike and
// ArnEquals do.
func globARN(parts *[6][]rune, s string) bool {
	for i := range 5 {
		part, rest, ok := strings.Cut(s, ":")
		if !ok || !glob(parts[i], part) {
			return false
		}
		s = rest
	}
	return glob(parts[5], s)
}

// A token is one position of a pattern seen as an automaton.
type token struct {
	r     rune // literal, many or one
	fold  bool // a letter of either case
	fence bool // a wildcard that does not match a colon
}

// segmentTokens gives the wildcards of a Resource pattern their reach.
func segmentTokens(p []rune) []token {
	out := make([]token, len(p))
	colons := 0
	for i, c := range p {
		if c == ':' {
			colons++
		}
		out[i] = token{r: c, fence: colons < 5 && (c == one || c == many && i+1 < len(p) && p[i+1] != ':')}
	}
	return out
}

// states is the set of positions an automaton can be in, as bits.
type states []uint64

func newStates(tokens []token) states {
	s := make(states, len(tokens)/64+1)
	s.add(tokens, 0)
	return s
}

// add puts position i in, and what follows a * without reading anything.
func (s states) add(tokens []token, i int) {
	for {
		s[i/64] |= 1 << (i % 64)
		if i == len(tokens) || tokens[i].r != many {
			return
		}
		i++
	}
}

func (s states) step(tokens []token, c rune) states {
	next := make(states, len(s))
	for i, t := range tokens {
		if s[i/64]>>(i%64)&1 == 0 || t.fence && c == ':' {
			continue
		}
		switch {
		case t.r == many:
			next.add(tokens, i)
		case t.r == one, t.r == c, t.fold && strings.EqualFold(string(t.r), string(c)):
			next.add(tokens, i+1)
		}
	}
	return next
}

func (s states) accepts(tokens []token) bool {
	n := len(tokens)
	return s[n/64]>>(n%64)&1 == 1
}
