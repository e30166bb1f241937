package pysyntax

import (
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// A Pth is a path configuration file, which Python's site module reads in every
// folder it adds: a line that begins with import is executed, any other is a
// path (https://docs.python.org/3/library/site.html).
type Pth struct {
	// Paths are the lines that are added to sys.path, cleaned.
	Paths []string `json:"paths,omitempty"`
	// Code are the numbers of the lines that are executed.
	Code []int `json:"code,omitempty"`
	// Facts are those of the lines that are executed; nil if there is none.
	Facts *Facts `json:"facts,omitempty"`
}

// ReadPth reads a .pth file.
func ReadPth(src []byte) *Pth {
	p := &Pth{}
	text := strings.TrimPrefix(string(src[:min(len(src), MaxSource)]), "\xef\xbb\xbf")
	var code strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t"):
			if len(p.Code) < maxImports {
				p.Code = append(p.Code, n)
			}
			code.WriteString(line)
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
		case len(p.Paths) < 256:
			p.Paths = append(p.Paths, codeflow.Clean(strings.TrimRight(line, " \t")))
		}
		code.WriteByte('\n')
	}
	if len(p.Code) > 0 {
		p.Facts = Parse([]byte(code.String()))
		p.Facts.Language = "pth"
		p.Facts.Truncated = p.Facts.Truncated || len(src) > MaxSource
	}
	return p
}
