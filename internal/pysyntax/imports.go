package pysyntax

import (
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// An opener is a compound statement whose block is open.
type opener struct {
	indent int
	fn     bool // a function: what is in it runs later
	cond   bool // an if, try, loop, with or match: what is in it may not run
}

// Imports reads the import statements of src, in their order, without a tree: it
// skips strings, comments and brackets and looks at the first word of statements
// only. It is what Parse finds, less the dynamic imports, and many times faster.
func Imports(src []byte) []Import {
	s := scanner{src: strings.TrimPrefix(string(src), "\xef\xbb\xbf"), line: 1}
	var out []Import
	var open []opener
	for s.pos < len(s.src) {
		indent, ok := s.indent()
		if !ok {
			continue
		}
		for len(open) > 0 && open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		lazy, cond := false, false
		for _, o := range open {
			lazy, cond = lazy || o.fn, cond || o.cond
			if o.fn {
				cond = false
			}
		}
		out = s.statements(out, &open, indent, lazy, cond)
	}
	return out
}

type scanner struct {
	src  string
	pos  int
	line int
	// waste is what broken f-strings cost so far.
	waste int
}

func (s *scanner) indent() (int, bool) {
	col := 0
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case ' ':
			col++
		case '\t':
			col = col/8*8 + 8
		case '\f':
			col = 0
		case '\r':
		case '\n':
			s.pos++
			s.line++
			return 0, false
		case '#':
			s.comment()
			return 0, false
		default:
			return col, true
		}
		s.pos++
	}
	return 0, false
}

func (s *scanner) comment() {
	if i := strings.IndexByte(s.src[s.pos:], '\n'); i >= 0 {
		s.pos += i + 1
		s.line++
	} else {
		s.pos = len(s.src)
	}
}

// word is the name at hand; it is not consumed.
func (s *scanner) word() string {
	i := s.pos
	for i < len(s.src) && i-s.pos < 16 {
		if k := classOf[s.src[i]]; k != cName && k != cDigit {
			break
		}
		i++
	}
	return s.src[s.pos:i]
}

// statements reads one logical line.
func (s *scanner) statements(out []Import, open *[]opener, indent int, lazy, cond bool) []Import {
	first := true
	for s.pos < len(s.src) {
		start := s.pos
		switch c := s.src[s.pos]; c {
		case 'i':
			if w := s.word(); w == "import" {
				var done bool
				if out, done = s.parse(out, lazy, cond); done {
					return out
				}
				continue
			}
		case 'f':
			if w := s.word(); w == "from" {
				var done bool
				if out, done = s.parse(out, lazy, cond); done {
					return out
				}
				continue
			}
		}
		if first {
			first = false
			switch w := s.word(); w {
			case "def", "async":
				*open = append(*open, opener{indent: indent, fn: w == "def" || strings.HasPrefix(strings.TrimLeft(s.src[s.pos+5:], " \t"), "def")})
				(*open)[len(*open)-1].cond = !(*open)[len(*open)-1].fn
				if (*open)[len(*open)-1].fn {
					lazy, cond = true, false
				}
			case "if", "elif", "else", "try", "except", "finally", "for", "while", "match", "case":
				*open = append(*open, opener{indent: indent, cond: true})
				cond = true
			}
			if len(*open) > 256 {
				*open = (*open)[:256]
			}
		}
		if s.skip() {
			return out
		}
		for s.pos < len(s.src) && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t') {
			s.pos++
		}
		if s.pos == start {
			s.pos++
		}
	}
	return out
}

// dull says of a byte that skip may pass over it.
var dull = func() (t [256]bool) {
	for c := range 256 {
		switch byte(c) {
		case '\n', '#', '"', '\'', '(', ')', '[', ']', '{', '}', '\\', ';', ':':
		default:
			t[c] = true
		}
	}
	return t
}()

// skip goes behind the end of the statement: true at the end of the logical
// line, false where another statement may begin on it.
func (s *scanner) skip() bool {
	depth := 0
	src, i := s.src, s.pos
	for i < len(src) {
		c := src[i]
		if dull[c] {
			i++
			continue
		}
		switch c {
		case '\n':
			s.line++
			i++
			if depth == 0 {
				s.pos = i
				return true
			}
		case '#':
			j := strings.IndexByte(src[i:], '\n')
			if j < 0 {
				s.pos = len(src)
				return true
			}
			i += j
		case '"', '\'':
			i = s.skipString(i)
		case '(', '[', '{':
			depth++
			i++
		case ')', ']', '}':
			depth = max(0, depth-1)
			i++
		case '\\':
			if i+1 < len(src) && src[i+1] == '\n' {
				s.line++
				i++
			} else if i+2 < len(src) && src[i+1] == '\r' && src[i+2] == '\n' {
				s.line++
				i += 2
			}
			i++
		case ';', ':':
			i++
			if depth == 0 {
				s.pos = i
				return false
			}
		}
	}
	s.pos = len(src)
	return true
}

func (s *scanner) skipString(i int) int {
	src := s.src
	format := false
	if i > 0 {
		switch src[i-1] | 0x20 {
		case 'f', 't', 'r':
			format = formatPrefix(src, i)
		}
	}
	if format {
		end, lines := skipString(src, i, true, 0, &s.waste)
		s.line += lines
		return end
	}
	q := src[i]
	if i+2 < len(src) && src[i+1] == q && src[i+2] == q {
		j := i + 3
		for {
			k := strings.IndexByte(src[j:], q)
			if k < 0 {
				s.line += strings.Count(src[i:], "\n")
				return len(src)
			}
			j += k
			// An escaped quote does not end the string.
			esc := 0
			for b := j - 1; b >= i+3 && src[b] == '\\'; b-- {
				esc++
			}
			if esc%2 == 0 && j+2 < len(src) && src[j+1] == q && src[j+2] == q {
				s.line += strings.Count(src[i:j], "\n")
				return j + 3
			}
			if j++; j >= len(src) {
				s.line += strings.Count(src[i:], "\n")
				return len(src)
			}
		}
	}
	for i++; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
			if i < len(src) && src[i] == '\n' {
				s.line++
			}
			if i+1 < len(src) && src[i] == '\r' && src[i+1] == '\n' {
				i++
				s.line++
			}
		case '\n':
			return i
		case q:
			return i + 1
		}
	}
	return len(src)
}

// formatPrefix says whether the letters before a quote are a prefix of their own
// and not the end of a name.
func formatPrefix(src string, i int) bool {
	j := i
	for j > 0 && i-j < 4 && (classOf[src[j-1]] == cName || classOf[src[j-1]] == cDigit) {
		j--
	}
	return i-j <= 2 && stringPrefix(src[j:i]) && strings.ContainsAny(src[j:i], "fFtT")
}

// parse hands the statement at hand to the parser. done says that the logical
// line ends with it.
func (s *scanner) parse(out []Import, lazy, cond bool) ([]Import, bool) {
	end := *s
	done := end.skip()
	text := s.src[s.pos:end.pos]
	if !done {
		text = strings.TrimRight(text, ";:")
	}
	var f Facts
	p := parser{lex: newLexer(text, nil), arena: codeflow.NewArena(256), f: &f}
	p.lex.start, p.lex.line = false, s.line
	p.advance()
	line := int32(s.line) //nolint:gosec // there are fewer lines than bytes
	var stmts []stmt
	if p.accept("import") {
		stmts = p.importStmt(nil, line)
	} else if p.accept("from") {
		stmts = p.fromStmt(nil, line)
	}
	if !p.failed && (p.tok.kind == tNewline || p.tok.kind == tEOF) {
		for i := range stmts {
			if len(out) >= maxImports {
				break
			}
			im := *stmts[i].Import
			im.Lazy, im.Conditional = lazy, cond
			out = append(out, im)
		}
	}
	*s = end
	for s.pos < len(s.src) && !done && (s.src[s.pos] == ' ' || s.src[s.pos] == '\t') {
		s.pos++
	}
	return out, done
}

// maxImports is how many imports of one file are kept.
const maxImports = 4096
