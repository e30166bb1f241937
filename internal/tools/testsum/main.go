// Command testsum reads the output of go test -json on standard input and prints
// what a person wants of it: a line a package, the whole output of what failed,
// every skip with its reason, and last "N passed, N failed, N skipped". With -q
// packages that passed get no line.
//
// It exits 1 when a test or a package failed, when a package began and did not
// end, and when there was nothing at all: a run that was cut short is no success.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	quiet := len(os.Args) > 1 && os.Args[1] == "-q"
	ok, err := summarize(os.Stdin, os.Stdout, quiet)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
	}
	if !ok || err != nil {
		os.Exit(1)
	}
}

// An event is one line of go test -json
// (https://pkg.go.dev/cmd/test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output and build-fail
	Test       string
	Elapsed    float64
	Output     string
}

type key struct{ pkg, test string }

// maxOutput is how much of one test's output is kept: enough for a failure, not
// for a test that prints without end.
const maxOutput = 1 << 20

type summary struct {
	out                     io.Writer
	quiet                   bool
	output                  map[key]*strings.Builder
	open                    map[string]bool // packages that began and did not end
	skips                   []string
	passed, failed, skipped int
	packages                int
	broken                  bool
}

func summarize(in io.Reader, out io.Writer, quiet bool) (ok bool, err error) {
	s := &summary{out: out, quiet: quiet, output: map[key]*strings.Builder{}, open: map[string]bool{}}
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var e event
		if json.Unmarshal(sc.Bytes(), &e) != nil || e.Action == "" {
			fmt.Fprintln(out, sc.Text()) // not from a test: say it as it is
			continue
		}
		s.add(e)
	}
	for _, pkg := range slices.Sorted(keysOf(s.open)) {
		fmt.Fprintf(out, "FAIL\t%s\tdid not end\n", pkg)
		s.broken = true
	}
	if s.packages == 0 {
		fmt.Fprintln(out, "FAIL\tno package was tested")
		s.broken = true
	}
	slices.Sort(s.skips)
	for _, l := range s.skips {
		fmt.Fprintln(out, l)
	}
	if s.broken && s.failed == 0 {
		s.failed = 1
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	return !s.broken && s.failed == 0, sc.Err()
}

func keysOf(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k, open := range m {
			if open && !yield(k) {
				return
			}
		}
	}
}

func (s *summary) add(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Fprint(s.out, e.Output)
	case "build-fail":
		s.broken = true
	case "start":
		s.open[e.Package] = true
		s.packages++
	case "output":
		b := s.output[k]
		if b == nil {
			b = &strings.Builder{}
			s.output[k] = b
		}
		if b.Len() < maxOutput {
			b.WriteString(e.Output)
		}
	case "pass", "fail", "skip":
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(e)
		}
		delete(s.output, k)
	}
}

func (s *summary) text(k key) string {
	if b := s.output[k]; b != nil {
		return b.String()
	}
	return ""
}

func (s *summary) endTest(e event) {
	switch e.Action {
	case "pass":
		s.passed++
	case "fail":
		s.failed++
		fmt.Fprintf(s.out, "--- FAIL: %s %s\n%s", e.Package, e.Test, s.text(key{e.Package, e.Test}))
	case "skip":
		s.skipped++
		s.skips = append(s.skips, fmt.Sprintf("skip %s %s: %s", short(e.Package), e.Test, reason(s.text(key{e.Package, e.Test}))))
	}
}

func (s *summary) endPackage(e event) {
	s.open[e.Package] = false
	switch e.Action {
	case "pass", "skip":
		if s.quiet {
			return
		}
	}
	switch e.Action {
	case "pass":
		fmt.Fprintf(s.out, "ok  \t%s\t%.1fs\n", short(e.Package), e.Elapsed)
	case "skip":
		fmt.Fprintf(s.out, "?   \t%s\tno tests\n", short(e.Package))
	case "fail":
		s.broken = true
		fmt.Fprintf(s.out, "%sFAIL\t%s\t%.1fs\n", s.text(key{e.Package, ""}), short(e.Package), e.Elapsed)
	}
}

// short is a package without the module's name.
func short(pkg string) string {
	const module = "github.com/lamina-sec/lamina"
	if pkg == module {
		return "."
	}
	return strings.TrimPrefix(pkg, module+"/")
}

// reason is what a test said when it skipped: its lines without the frame.
func reason(output string) string {
	var said []string
	for l := range strings.Lines(output) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "=== ") || strings.HasPrefix(l, "--- ") {
			continue
		}
		// "file_test.go:12: reason"
		if _, rest, ok := strings.Cut(l, ": "); ok && strings.Contains(l[:len(l)-len(rest)], ".go:") {
			l = rest
		}
		said = append(said, l)
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, "; ")
}
