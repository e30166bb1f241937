package jssyntax

import (
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// Imports finds the modules that src asks for by a literal name, in their order,
// without a tree: require("m"), import("m"), import … from "m", export … from
// "m". It passes over comments. What stands in a string or template that reads
// like one of these is found as well, so there may be too many, not too few.
// Computed names are found with an empty Module. A require by a name that does
// not end in require is not followed: Parse does.
func Imports(src []byte) []Import {
	s := string(src)
	var out []Import
	line, at := 1, 0
	for i := 0; i+7 < len(s) && len(out) < 4096; i++ {
		switch s[i] {
		case '/':
			switch {
			case s[i+1] == '/' && (i == 0 || s[i-1] != ':' && s[i-1] != '"' && s[i-1] != '\'' && s[i-1] != '\\'):
				j := strings.IndexByte(s[i:], '\n')
				if j < 0 {
					return out
				}
				i += j - 1
			case s[i+1] == '*' && (i == 0 || strings.IndexByte(" \t\n;{}(),", s[i-1]) >= 0):
				j := strings.Index(s[i+2:], "*/")
				if j < 0 {
					continue // a regular expression or a string
				}
				i += j + 3
			}
		case 'r', 'R':
			if strings.HasPrefix(s[i+1:], "equire") && (i == 0 || s[i-1] != '.' || i > 2 && s[i-3:i] == "...") {
				j := i + len("require")
				if strings.HasPrefix(s[j:], "__") {
					j += 2
				}
				im, end := called(s, j, codeflow.ImportRequire)
				if end > 0 && (im.Module != "" || i == 0 || !identByte(s[i-1])) {
					line, at = line+strings.Count(s[at:i], "\n"), i
					im.Line = line
					out = append(out, im)
					i = end - 1
				}
			}
		case 'i':
			if strings.HasPrefix(s[i:], "import") && (i == 0 || !identByte(s[i-1]) && s[i-1] != '.') {
				j := i + len("import")
				im, end := called(s, j, codeflow.ImportDynamic)
				if end == 0 {
					im, end = from(s, j, codeflow.ImportPlain)
				}
				if end > 0 {
					line, at = line+strings.Count(s[at:i], "\n"), i
					im.Line = line
					out = append(out, im)
					i = end - 1
				}
			}
		case 'e':
			if strings.HasPrefix(s[i:], "export") && (i == 0 || !identByte(s[i-1]) && s[i-1] != '.') {
				if im, end := from(s, i+len("export"), codeflow.ImportExport); end > 0 {
					line, at = line+strings.Count(s[at:i], "\n"), i
					im.Line = line
					out = append(out, im)
					i = end - 1
				}
			}
		}
	}
	return out
}

func blanks(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// literal reads a quoted name; end is 0 if there is none.
func literal(s string, i int) (name string, end int) {
	if i >= len(s) || s[i] != '"' && s[i] != '\'' && s[i] != '`' {
		return "", 0
	}
	j := strings.IndexByte(s[i+1:min(len(s), i+512)], s[i])
	if j <= 0 || strings.ContainsAny(s[i+1:i+1+j], "\n${}") {
		return "", 0
	}
	name, _ = unescape(s[i+1 : i+1+j])
	return codeflow.Clean(name), i + j + 2
}

// called reads ("m") behind require or import.
func called(s string, i int, kind string) (im Import, end int) {
	i = blanks(s, i)
	if i >= len(s) || s[i] != '(' {
		return im, 0
	}
	i = blanks(s, i+1)
	im.Kind = kind
	name, end := literal(s, i)
	if end > 0 {
		if k := blanks(s, end); k < len(s) && (s[k] == ')' || s[k] == ',') {
			im.Module = name
		}
		return im, end
	}
	return im, i
}

// from reads … from "m", or "m" alone, behind import or export.
func from(s string, i int, kind string) (im Import, end int) {
	im.Kind = kind
	j := blanks(s, i)
	if name, end := literal(s, j); end > 0 && kind == codeflow.ImportPlain {
		im.Module = name
		return im, end
	}
	// names, braces and commas only, up to from
	for limit := min(len(s), i+1<<14); j < limit; {
		switch c := s[j]; {
		case identByte(c):
			k := j
			for k < limit && identByte(s[k]) {
				k++
			}
			if s[j:k] == "from" {
				if name, end := literal(s, blanks(s, k)); end > 0 {
					im.Module = name
					return im, end
				}
			}
			j = k
		case c == '{' || c == '}' || c == ',' || c == '*' || c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '"' || c == '\'':
			j++
		case c == '/' && j+1 < limit && (s[j+1] == '/' || s[j+1] == '*'):
			stop := "\n"
			if s[j+1] == '*' {
				stop = "*/"
			}
			k := strings.Index(s[j:limit], stop)
			if k < 0 {
				return im, 0
			}
			j += k + len(stop)
		default:
			return im, 0
		}
	}
	return im, 0
}
