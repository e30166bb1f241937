package analyzers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// ObfuscatedCode finds: code hides what it does.
var ObfuscatedCode = content.Analyzer{
	ID:          "obfuscated-code",
	Title:       "code hides what it does",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1027"},
	Citation:    "https://attack.mitre.org/techniques/T1027/",
	Remediation: "do not run it: get the package from its registry and compare",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         obfuscatedCode,
}

func obfuscatedCode(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if f.Binary != nil && f.Binary.Packer == "UPX" {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "packed", Severity: lamina.Medium,
				Detail: "the program is packed by UPX, so that what it does cannot be read", Evidence: []string{"packer: UPX", "file sha256: " + f.SHA256.String()},
			})
		}
		if slices.Contains(f.Marks, content.RunsHidden) && !content.Test(f.Path) {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "marks", Severity: lamina.Medium,
				Detail: "it runs text, and it decodes text", Evidence: []string{"kind: " + string(f.Kind), "file sha256: " + f.SHA256.String()},
			})
		}
		if f.Code == nil || content.Test(f.Path) {
			continue
		}
		for i, m := range f.Code.Imports {
			if strings.HasPrefix(m.Module, "data:") {
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: m.Line, Key: "import" + strconv.Itoa(i),
					Detail: "it imports a module whose code is in the name", Evidence: []string{"import: data:", "file sha256: " + f.SHA256.String()},
				})
			}
		}
		for i, c := range f.Code.Calls {
			if c.Kind == codeflow.CallCode && c.Decoded {
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: "call" + strconv.Itoa(i),
					Detail:   c.Callee + " runs what is decoded there",
					Evidence: []string{"call: " + c.Callee, fmt.Sprintf("decoded: %d bytes", c.DecodedBytes), "file sha256: " + f.SHA256.String()},
				})
			} else if c.Folded && (c.Kind == codeflow.CallProcess || c.Kind == codeflow.CallCode || c.Kind == codeflow.CallHTTP || c.Kind == codeflow.CallSocket) {
				r := content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: "folded" + strconv.Itoa(i), Severity: lamina.Medium,
					Detail:   "the name or an argument of " + c.Callee + " is put together so that it cannot be read",
					Evidence: []string{"call: " + c.Callee, "file sha256: " + f.SHA256.String()},
				}
				if c.Callee == "Function" && !c.Named && !speaks(c.Args) {
					r.Severity = lamina.Low // templates and polyfills make functions of joined text
				}
				found(r)
			} else if c.Kind == codeflow.CallCode && speaks(c.Args) {
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: c.Line, Key: "text" + strconv.Itoa(i), Severity: lamina.Medium,
					Detail: c.Callee + " runs code that stands in a text", Evidence: []string{"call: " + c.Callee, "file sha256: " + f.SHA256.String()},
				})
			}
		}
		if signs := hides(f.Code.Measures); len(signs) > 0 {
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "measures", Severity: lamina.Medium,
				Detail:   "it is written as obfuscators write: " + strings.Join(signs, ", "),
				Evidence: []string{"signs: " + strings.Join(signs, ", "), "file sha256: " + f.SHA256.String()},
			})
		}
	}
	return nil
}

// speaks reports whether code that is put together loads modules or reads the
// process.
func speaks(code []string) bool {
	for _, c := range code {
		for _, word := range []string{"process.env", "child_process", ".request(", "https://", "__import__", "urlopen", "subprocess", "os.environ"} {
			if strings.Contains(c, word) {
				return true
			}
		}
	}
	return false
}

// hides names the marks of an obfuscator, nil if there are fewer than two.
func hides(m codeflow.Measures) []string {
	var signs []string
	add := func(is bool, sign string) {
		if is {
			signs = append(signs, sign)
		}
	}
	add(m.HexNames >= 5 && m.HexNames*3 > m.Names, "names like _0x1a2b")
	add(m.ConfusingNames >= 5 && m.ConfusingNames*4 > m.Names, "names of l, I, O and 0")
	add(m.Rotated, "a rotated array of strings")
	add(m.StringArray >= 50 && m.HexNames > 0, "a large array of strings")
	add(m.EscapedBytes >= 64 && m.EscapedBytes*2 > m.StringBytes, "letters written as escapes")
	add(m.MixedScriptNames > 0, "names that mix alphabets")
	add(m.Folded >= 5, "strings put together from pieces")
	if len(signs) < 2 {
		return nil
	}
	return signs
}
