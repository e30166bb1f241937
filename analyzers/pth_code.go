package analyzers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// PthCode finds: .pth file runs code when Python starts.
var PthCode = content.Analyzer{
	ID:          "pth-code",
	Title:       ".pth file runs code when Python starts",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1546.018"},
	Citation:    "https://docs.python.org/3/library/site.html",
	Remediation: "move the code into a module that something imports by name",
	NoFix:       "a published layer version cannot be changed",
	Run:         pthCode,
}

func pthCode(s *content.Scan, layer int, found func(content.Result)) error {
	v := s.View()
	for i, st := range v.Init() {
		if st.What != opt.PthImport || st.From != content.OfLayer(layer) {
			continue
		}

		r := content.Result{Outcome: lamina.Fail, File: content.InLayer(st.Path), Line: st.Line, Key: strconv.Itoa(i), Detail: cmp.Or(st.Why, "the line runs when Python starts"), Evidence: []string{"runs: " + st.Path}}
		if f := s.Layers[layer].File(r.File); f != nil {
			line := lineOf(f.Text, st.Line)
			r.Evidence = append(r.Evidence, "file sha256: "+f.SHA256.String())
			for _, word := range []string{"exec(", "eval(", "compile(", "b64decode", "fromhex", "os.system", "subprocess", "urlopen", "socket", "marshal", "Popen", "ctypes", "map(chr"} {
				if strings.Contains(line, word) {
					r.Severity = lamina.High
					r.Evidence = append(r.Evidence, "word: "+word)
				}
			}
			if slices.Contains(setuptoolsPth, f.SHA256.String()) || namespacePth(line) {
				r.Severity = lamina.Low
				r.Detail += "; setuptools writes this line"
			}
		}
		if st.Maybe != "" {
			r.Detail += "; " + st.Maybe
		}
		found(r)
	}
	return nil
}

// setuptoolsPth are the distutils-precedence.pth of the setuptools wheels that
// Python's ensurepip carries: up to release 58, and since.
var setuptoolsPth = []string{
	"7ea7ffef3fe2a117ee12c68ed6553617f0d7fd2f0590257c25c484959a3b7373",
	"2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224",
}

// namespaceWords are the names in a line with which setuptools makes a namespace
// package (PROJECT-nspkg.pth). None of them runs code that is not in the line.
var namespaceWords = strings.Fields(`import sys types os has_mfs version_info p path join _getframe f_locals importlib and __import__
	util machinery m modules setdefault module_from_spec PathFinder find_spec dirname or ModuleType mp __dict__ not in append`)

// namespacePth reports whether a line does nothing but what namespaceWords name,
// and imports nothing but importlib by a string.
func namespacePth(line string) bool {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			continue // a string, which names a package
		}
		if before, ok := strings.CutSuffix(part, "__import__("); ok {
			text, _, _ := strings.Cut(strings.TrimPrefix(line[strings.Index(line, part)+len(before):], "__import__('"), "'")
			if text != "importlib.util" && text != "importlib.machinery" {
				return false
			}
		}
		for _, word := range strings.FieldsFunc(part, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
			if !slices.Contains(namespaceWords, word) {
				return false
			}
		}
	}
	return strings.Contains(line, "setdefault")
}

// lineOf is line n of a text, from 1.
func lineOf(text string, n int) string {
	for l := range strings.Lines(text) {
		if n--; n == 0 {
			return l
		}
	}
	return ""
}
