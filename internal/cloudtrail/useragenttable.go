package cloudtrail

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ua-parser/uap-go/uaparser"
)

// ua-parser's table is 1,200 expressions tried in order, which takes
// milliseconds for a header that none fits. Nearly every expression needs some
// words to be there, so most are ruled out by looking for those first.

// An agentPattern is one expression of the table; T is what a match fills.
type agentPattern[T any] struct {
	// words are lower-case; a line without any of them cannot match. None
	// means that nothing is known.
	words []string
	match func(line string, to *T)
}

// An agentTable is the table with its words.
type agentTable struct {
	agents  []agentPattern[uaparser.UserAgent]
	systems []agentPattern[uaparser.Os]
	devices []agentPattern[uaparser.Device]
}

// agentTables is built when a rule first asks for what only the table knows: it
// takes longer than a small trail. AWS's own tools are known without it.
var agentTables = sync.OnceValue(func() *agentTable {
	p, err := uaparser.New()
	if err != nil {
		// The table is part of the program and its own tests compile it.
		panic("cloudtrail: user agent table: " + err.Error())
	}
	t := &agentTable{}
	for _, x := range p.UA {
		t.agents = append(t.agents, agentPattern[uaparser.UserAgent]{wordsOf(x.Reg), x.Match})
	}
	for _, x := range p.OS {
		t.systems = append(t.systems, agentPattern[uaparser.Os]{wordsOf(x.Reg), x.Match})
	}
	for _, x := range p.Device {
		t.devices = append(t.devices, agentPattern[uaparser.Device]{wordsOf(x.Reg), x.Match})
	}
	return t
})

// firstMatch tries the patterns in order until one fills what done asks for.
func firstMatch[T any](patterns []agentPattern[T], line, lower string, done func(*T) bool) T {
	var to T
	for i := range patterns {
		p := &patterns[i]
		if len(p.words) > 0 && !containsAny(lower, p.words) {
			continue
		}
		if p.match(line, &to); done(&to) {
			return to
		}
	}
	return to
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// foldAgent lowers a line so that whatever a case-insensitive expression takes
// for an ASCII letter is that letter.
func foldAgent(line string) string {
	for i := range len(line) {
		if line[i] >= utf8.RuneSelf {
			return strings.ToLower(strings.ToUpper(line))
		}
	}
	return strings.ToLower(line)
}

// maxWords bounds the alternatives of one expression.
const maxWords = 64

// wordsOf returns lower-case words of which every match of re contains one, or
// nil.
func wordsOf(re *regexp.Regexp) []string {
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil
	}
	return needed(parsed)
}

func needed(re *syntax.Regexp) []string {
	switch op := re.Op; {
	case op == syntax.OpLiteral:
		w := strings.ToLower(string(re.Rune))
		for i := range len(w) {
			if w[i] >= utf8.RuneSelf {
				return nil
			}
		}
		return []string{w}
	case op == syntax.OpCapture || op == syntax.OpPlus || op == syntax.OpRepeat && re.Min > 0:
		return needed(re.Sub[0])
	case op == syntax.OpConcat:
		var best []string
		for _, s := range re.Sub {
			if w := needed(s); shortest(w) > shortest(best) {
				best = w
			}
		}
		return best
	case op == syntax.OpAlternate:
		var all []string
		for _, s := range re.Sub {
			w := needed(s)
			if w == nil || len(all)+len(w) > maxWords {
				return nil
			}
			all = append(all, w...)
		}
		return all
	}
	return nil
}

// shortest is the length of the shortest word, 0 for none.
func shortest(words []string) int {
	n := 0
	for i, w := range words {
		if i == 0 || len(w) < n {
			n = len(w)
		}
	}
	return n
}
