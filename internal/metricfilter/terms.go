package metricfilter

import "strings"

// terms are words and phrases that a log event has somewhere in its text.
type terms struct {
	all, none, some []string
}

// terms reads words, phrases in quotes, both with a minus sign or a question
// mark before them, and a regular expression between percent signs.
func (p *parser) terms() (node, error) {
	if p.text[p.at] == '%' {
		v, err := p.regexp()
		return expression{v}, err
	}
	var t terms
	for p.space(); !p.done(); p.space() {
		list := &t.all
		switch p.text[p.at] {
		case '-':
			list, p.at = &t.none, p.at+1
		case '?':
			list, p.at = &t.some, p.at+1
		}
		var word string
		if !p.done() && p.text[p.at] == '"' {
			var err error
			if word, err = p.quoted(); err != nil {
				return nil, err
			}
		} else if word = p.until(" \t\r\n\""); word == "" {
			return nil, p.wrong("want a term")
		}
		*list = append(*list, word)
	}
	return t, nil
}

func (t terms) match(e Event) Verdict {
	has := func(s string) bool { return strings.Contains(e.text, s) }
	holds := true
	for _, s := range t.all {
		holds = holds && (strings.TrimSpace(s) == "" || has(s)) // " " is everything
	}
	for _, s := range t.none {
		holds = holds && !has(s)
	}
	some := len(t.some) == 0
	for _, s := range t.some {
		some = some || has(s)
	}
	switch {
	case len(t.some) > 0 && len(t.all)+len(t.none) > 0 && holds && !some:
		return Verdict{Maybe, "AWS ignores optional terms beside others in some places"}
	case holds && some:
		return Verdict{Answer: Yes}
	}
	return Verdict{Answer: No}
}

func (t terms) String() string {
	var all []string
	for _, list := range []struct {
		sign  string
		words []string
	}{{"", t.all}, {"-", t.none}, {"?", t.some}} {
		for _, w := range list.words {
			all = append(all, list.sign+value{text: w, quoted: true}.String())
		}
	}
	return strings.Join(all, " ")
}

// An expression is a regular expression over the text of a log event.
type expression struct{ v value }

func (x expression) match(e Event) Verdict { return Verdict{Answer: x.v.like(e.text)} }

func (x expression) String() string { return x.v.String() }
