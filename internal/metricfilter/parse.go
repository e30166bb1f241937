package metricfilter

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

type parser struct {
	text string
	at   int
}

func (p *parser) wrong(format string, args ...any) error {
	return fmt.Errorf("filter pattern: at byte %d: %s", p.at, fmt.Sprintf(format, args...))
}

func (p *parser) done() bool { return p.at == len(p.text) }

func (p *parser) space() {
	p.at += len(p.text[p.at:]) - len(strings.TrimLeft(p.text[p.at:], " \t\r\n"))
}

// take skips spaces and then s, if it is next.
func (p *parser) take(s string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.text[p.at:], s)
	p.at = len(p.text) - len(rest)
	return ok
}

// until takes the text before the first of any of the bytes, or all of it.
func (p *parser) until(bytes string) string {
	rest := p.text[p.at:]
	if i := strings.IndexAny(rest, bytes); i >= 0 {
		rest = rest[:i]
	}
	p.at += len(rest)
	return rest
}

func (p *parser) or() (node, error) {
	return p.list("||", func() (node, error) { return p.list("&&", p.one, func(ns []node) node { return both(ns) }) }, func(ns []node) node { return either(ns) })
}

func (p *parser) list(op string, part func() (node, error), of func([]node) node) (node, error) {
	var all []node
	for {
		n, err := part()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if p.take(op) {
			continue
		}
		if len(all) == 1 {
			return n, nil
		}
		return of(all), nil
	}
}

// one is a condition, or a pattern in parentheses.
func (p *parser) one() (node, error) {
	if !p.take("(") {
		return p.condition()
	}
	n, err := p.or()
	if err == nil && !p.take(")") {
		err = p.wrong("want ) or an operator")
	}
	return n, err
}

// operators are those of conditions, longer ones first.
var operators = []string{"!=", ">=", "<=", "=", ">", "<"}

func (p *parser) condition() (node, error) {
	at, err := p.selector()
	if err != nil {
		return nil, err
	}
	for _, op := range operators {
		if p.take(op) {
			v, err := p.value()
			if err != nil {
				return nil, err
			}
			if op[0] == '<' || op[0] == '>' {
				if v.number == nil {
					return nil, p.wrong("want a number after %s", op)
				}
			}
			return condition{at, op, v}, nil
		}
	}
	p.space()
	switch word := strings.ToUpper(p.until(" \t\r\n)}&|")); word {
	case "IS", "NOT":
		p.space()
		word += " " + strings.ToUpper(p.until(" \t\r\n)}&|"))
		switch word {
		case "IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS":
			return state{at, word}, nil
		}
		return nil, p.wrong("want IS NULL, IS TRUE, IS FALSE or NOT EXISTS, not %q", word)
	}
	return nil, p.wrong("want an operator after %s", at)
}

// A step goes from a value to one of its fields (name), elements (index) or,
// with neither, to all of them.
type step struct {
	name  string
	index int
	kind  byte // 'n'ame, 'i'ndex, '*'
}

type selector []step

func (p *parser) selector() (selector, error) {
	if !p.take("$") {
		return nil, p.wrong("want a selector, which begins with $")
	}
	var s selector
	for !p.done() {
		switch p.text[p.at] {
		case '.':
			p.at++
			if p.at < len(p.text) && p.text[p.at] == '[' { // $.['a.b']
				continue
			}
			switch name := p.until(" \t\r\n.[]()=!<>&|{}'\""); name {
			case "":
				return nil, p.wrong("want a name after the dot")
			case "*":
				s = append(s, step{kind: '*'})
			default:
				s = append(s, step{name: name, kind: 'n'})
			}
		case '[':
			p.at++
			st, err := p.bracket()
			if err != nil {
				return nil, err
			}
			s = append(s, st)
		default:
			return s.checked(p)
		}
	}
	return s.checked(p)
}

func (s selector) checked(p *parser) (selector, error) {
	if len(s) == 0 {
		return nil, p.wrong("want a name after $")
	}
	return s, nil
}

// bracket is what comes after [: a number, a star, or a name in quotes.
func (p *parser) bracket() (step, error) {
	st := step{kind: '*'}
	switch inner := p.until("]'\""); {
	case inner == "*":
	case inner != "":
		n, err := strconv.ParseUint(inner, 10, 31)
		if err != nil {
			return st, p.wrong("want a number in brackets, not %q", inner)
		}
		st = step{index: int(n), kind: 'i'}
	case p.done() || p.text[p.at] == ']':
		return st, p.wrong("want a number, a star or a name in quotes")
	default:
		quote := p.text[p.at : p.at+1]
		p.at++
		st = step{name: p.until(quote), kind: 'n'}
		if !p.take(quote) {
			return st, p.wrong("want %s", quote)
		}
	}
	if !p.take("]") {
		return st, p.wrong("want ]")
	}
	return st, nil
}

func (s selector) String() string {
	var b strings.Builder
	b.WriteByte('$')
	for _, st := range s {
		switch {
		case st.kind == 'i':
			fmt.Fprintf(&b, "[%d]", st.index)
		case st.kind == '*':
			b.WriteString("[*]")
		case plainName(st.name):
			b.WriteString("." + st.name)
		case strings.Contains(st.name, "'"):
			b.WriteString(`["` + st.name + `"]`)
		default:
			b.WriteString("['" + st.name + "']")
		}
	}
	return b.String()
}

func plainName(s string) bool {
	return s != "" && s != "*" && !strings.ContainsAny(s, " \t\r\n.[]()=!<>&|{}'\"")
}

// A value is what a condition compares with.
type value struct {
	text   string
	quoted bool
	number *float64       // of unquoted text that is a number
	expr   *regexp.Regexp // of text between percent signs
}

func (v value) String() string {
	switch {
	case v.expr != nil:
		return "%" + v.text + "%"
	case v.quoted:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v.text) + `"`
	}
	return v.text
}

func (p *parser) value() (value, error) {
	p.space()
	switch {
	case p.done():
		return value{}, p.wrong("want a value")
	case p.text[p.at] == '"':
		s, err := p.quoted()
		return value{text: s, quoted: true}, err
	case p.text[p.at] == '%':
		return p.regexp()
	}
	v := value{text: p.until(" \t\r\n()=!<>&|{}\"%")}
	if v.text == "" {
		return v, p.wrong("want a value")
	}
	if n, err := strconv.ParseFloat(v.text, 64); err == nil && strings.Trim(v.text, "+-.0123456789eE") == "" {
		v.number = &n
	}
	return v, nil
}

// quoted is a string in double quotes; a backslash takes a quote or a backslash
// as it is.
func (p *parser) quoted() (string, error) {
	var b strings.Builder
	for p.at++; !p.done(); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return b.String(), nil
		case c == '\\' && p.at+1 < len(p.text) && strings.IndexByte(`"\`, p.text[p.at+1]) >= 0:
			p.at++
			b.WriteByte(p.text[p.at])
		default:
			b.WriteByte(c)
		}
	}
	return "", p.wrong("want a closing quote")
}

// signs are the characters besides letters and digits that AWS allows in a
// regular expression.
const signs = `:_#=@/;,-^$?[]{}|\*+.%`

// regexp is an expression between percent signs.
func (p *parser) regexp() (value, error) {
	p.at++
	start := p.at
	for ; !p.done() && p.text[p.at] != '%'; p.at++ {
		c := p.text[p.at]
		if c == '\\' {
			if p.at++; p.done() {
				break
			}
			c = p.text[p.at]
		}
		if alphanumeric := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'; !alphanumeric && strings.IndexByte(signs, c) < 0 {
			return value{}, p.wrong("AWS does not allow %q in a regular expression", c)
		}
	}
	if p.done() {
		return value{}, p.wrong("want a closing percent sign")
	}
	v := value{text: p.text[start:p.at]}
	p.at++
	expr, err := regexp.Compile(strings.ReplaceAll(v.text, `\%`, "%"))
	if err != nil {
		return value{}, p.wrong("regular expression: %v", err)
	}
	v.expr = expr
	return v, nil
}
