package codeflow

import "strings"

// Literals looks through a file that has no tree for the constants of interest,
// and marks its facts Partial.
func Literals(f *Facts, text string) *Facts {
	f.Partial = true
	line := 1
	seen := map[string]bool{}
	const stop = "\n\"'`<>(){}[];, \t\r"
	for i := 0; i < len(text); {
		c := text[i]
		if strings.IndexByte(stop, c) >= 0 {
			if c == '\n' {
				line++
			}
			i++
			continue
		}
		j := i + 1
		for j < len(text) && strings.IndexByte(stop, text[j]) < 0 {
			j++
		}
		word := text[i:j]
		i = j
		if len(word) < 4 || len(word) > 1<<16 {
			continue
		}
		kind := classify(word)
		if kind == "" || kind == StringHost {
			continue
		}
		s := String{Kind: kind, Bytes: len(word), Where: Where{Line: line}}
		if kind == StringBlob {
			s.Entropy = Entropy(word)
		} else {
			s.Value = Clean(word)
		}
		if seen[s.Kind+s.Value+itoa(int64(line))] {
			continue
		}
		seen[s.Kind+s.Value+itoa(int64(line))] = true
		if len(f.Strings) >= maxStrings {
			f.Truncated = true
			break
		}
		f.Strings = append(f.Strings, s)
	}
	return f
}

// A Collector puts constants of interest into facts, each once.
type Collector struct {
	Facts *Facts
	seen  map[string]bool
}

// Add keeps a constant that stands at a line, if it is of interest.
func (c *Collector) Add(s string, where Where) {
	if len(s) < 4 {
		return
	}
	kind, _ := inspect(s)
	if kind == "" {
		return
	}
	x := String{Kind: kind, Bytes: len(s), Where: where}
	if kind == StringBlob {
		x.Entropy = Entropy(s[:min(len(s), 1<<16)])
	} else {
		x.Value = Clean(s)
	}
	k := x.Kind + x.Value + itoa(int64(x.Line))
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if c.seen[k] {
		return
	}
	c.seen[k] = true
	add(c.Facts, &c.Facts.Strings, maxStrings, x)
}
