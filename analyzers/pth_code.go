package analyzers

import (
	"cmp"
	"path"
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
			for _, word := range []string{"exec(", "eval(", "compile(", "b64decode", "fromhex", "os.system", "subprocess", "urlopen", "socket", "marshal"} {
				if strings.Contains(line, word) {
					r.Severity = lamina.High
					r.Evidence = append(r.Evidence, "word: "+word)
				}
			}
			if strings.HasPrefix(path.Base(f.Path), "distutils-precedence") || strings.HasSuffix(f.Path, "-nspkg.pth") {
				r.Severity = lamina.Low // setuptools writes these
			}
		}
		if st.Maybe != "" {
			r.Detail += "; " + st.Maybe
		}
		found(r)
	}
	return nil
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
