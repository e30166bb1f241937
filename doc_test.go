package lamina_test

import (
	"bytes"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/cli"
)

// The tests in this file keep the documents true: a table equals the code it
// describes, a link leads somewhere, a test that is named exists, a word that
// the glossary forbids is not used. A document that names code and is neither
// tested here nor generated should not be written.

// plannedCapabilities are the words a document may write after "planned:".
var plannedCapabilities = []string{
	"build/gate/publish", "collect", "content", "evidence", "exposure", "guardrails", "plan/apply", "posture",
	"sensor", "serve", "stateful rules", "triage", "validate",
}

// read returns a text file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// repositoryFiles lists the files below the root that belong to the source,
// with forward slashes.
func repositoryFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); p != "." && (strings.HasPrefix(n, ".") && n != ".ci" || n == "bin" || n == "dist") {
				return fs.SkipDir
			}
			return nil
		}
		if p != ".git" { // a file in a second working tree
			files = append(files, filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// documents lists the Markdown files that people read, NOTICE not among them.
func documents(t *testing.T) []string {
	t.Helper()
	return slices.DeleteFunc(repositoryFiles(t), func(f string) bool {
		return path.Ext(f) != ".md" || strings.Contains("/"+f, "/testdata/")
	})
}

// prose returns the text of a Markdown document line by line with code blocks,
// code spans and link targets blanked, so that line numbers stay.
func prose(text string) []string {
	lines := strings.Split(text, "\n")
	fenced := false
	for i, l := range lines {
		if fence := strings.HasPrefix(strings.TrimSpace(l), "```"); fence || fenced {
			fenced = fence != fenced
			lines[i] = ""
			continue
		}
		lines[i] = linkTarget.ReplaceAllString(codeSpan.ReplaceAllString(l, "``"), "]()")
	}
	return lines
}

var (
	codeSpan   = regexp.MustCompile("`[^`]*`")
	linkTarget = regexp.MustCompile(`\]\([^)]*\)`)
	linkRef    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
)

// A row is one line of a Markdown table.
type row struct {
	line  int // from 1
	cells []string
}

// tableRows returns the rows of every table of the document whose header row
// has the given cells, without the header and the ruler.
func tableRows(text string, header ...string) []row {
	var rows []row
	in := false
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if !strings.HasPrefix(l, "|") {
			in = false
			continue
		}
		cells := splitRow(l)
		switch {
		case slices.Equal(cells, header):
			in = true
		case in && strings.Trim(l, "|-: ") != "":
			rows = append(rows, row{i + 1, cells})
		}
	}
	return rows
}

// splitRow splits a table line at the bars that no backslash precedes.
func splitRow(l string) []string {
	l = strings.ReplaceAll(strings.Trim(l, "|"), `\|`, "\x00")
	cells := strings.Split(l, "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))
	}
	return cells
}

// testFunctions are the test functions of the tree as "dir.TestName", with
// "lamina" for the root.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, f := range repositoryFiles(t) {
		if !strings.HasSuffix(f, "_test.go") {
			continue
		}
		dir := path.Dir(f)
		if dir == "." {
			dir = "lamina"
		}
		for _, m := range testFunction.FindAllStringSubmatch(read(t, f), -1) {
			found[dir+"."+m[1]] = true
		}
	}
	return found
}

var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	evidencePart = regexp.MustCompile(`(?:^|; )(test|planned|refused): `)
)

// checkEvidence checks a table cell that says what proves a row: one or more of
// "test: `internal/detect.TestX`, `cmd/lamina/testdata/script/y.txtar`",
// "planned: CAPABILITY" and "refused: reason", separated by "; ".
func checkEvidence(t *testing.T, where, cell string, tests map[string]bool, kinds ...string) {
	t.Helper()
	starts := evidencePart.FindAllStringSubmatchIndex(cell, -1)
	if len(starts) == 0 || starts[0][0] != 0 {
		t.Errorf("%s: evidence %q does not begin with one of %q", where, cell, kinds)
		return
	}
	for i, s := range starts {
		end := len(cell)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		kind, body := cell[s[2]:s[3]], strings.TrimSpace(cell[s[1]:end])
		if !slices.Contains(kinds, kind) {
			t.Errorf("%s: evidence may be %q here, not %q", where, kinds, kind)
		}
		switch {
		case body == "":
			t.Errorf("%s: nothing after %q", where, kind+":")
		case kind == "planned":
			for c := range strings.SplitSeq(body, ", ") {
				if !slices.Contains(plannedCapabilities, c) {
					t.Errorf("%s: planned %q is none of the capabilities %q", where, c, plannedCapabilities)
				}
			}
		case kind == "test":
			names := codeSpan.FindAllString(body, -1)
			if len(names) == 0 {
				t.Errorf("%s: %q names no test in backquotes", where, body)
			}
			for _, n := range names {
				n = strings.Trim(n, "`")
				if path.Ext(n) == ".txtar" {
					if _, err := os.Stat(n); err != nil {
						t.Errorf("%s: no test script %s", where, n)
					}
				} else if !tests[n] {
					t.Errorf("%s: no test function %s (want directory.TestName, lamina.TestName for the root)", where, n)
				}
			}
		}
	}
}

// TestArchitectureTable compares the package table of ARCHITECTURE.md with may
// and with the package comments. LAMINA_UPDATE=1 rewrites the table; the last
// column, which only people can write, is kept.
func TestArchitectureTable(t *testing.T) {
	const file = "ARCHITECTURE.md"
	header := []string{"package", "owns", "may import", "do not add"}
	text := read(t, file)
	kept := map[string][]string{}
	for _, r := range tableRows(text, header...) {
		if len(r.cells) != len(header) {
			t.Fatalf("%s:%d: want %d cells, got %d", file, r.line, len(header), len(r.cells))
		}
		kept[strings.Trim(r.cells[0], "`")] = r.cells
	}
	var want strings.Builder
	fmt.Fprintf(&want, "| %s |\n| --- | --- | --- | --- |\n", strings.Join(header, " | "))
	for _, m := range may {
		owns, refuses := synopsis(t, m.pkg), ""
		if k := kept[m.pkg]; k != nil {
			refuses = k[3]
			if owns == "" {
				owns = k[1] // not written yet: what it will own
			}
		}
		if owns == "" || refuses == "" {
			t.Errorf("%s: say of package %s what it owns and what must not be added to it", file, m.pkg)
		}
		imports := m.imports
		switch imports {
		case "":
			imports = "–"
		case "*":
			imports = "anything above"
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", m.pkg, escape(owns), imports, escape(refuses))
	}
	from := strings.Index(text, "| "+strings.Join(header, " | ")+" |")
	if from < 0 {
		t.Fatalf("%s has no table %q", file, header)
	}
	length := strings.Index(text[from:], "\n\n") + 1
	got := text[from : from+length]
	if got == want.String() {
		return
	}
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(text[:from]+want.String()+text[from+length:]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s differs from may in arch_test.go and the package comments (LAMINA_UPDATE=1 rewrites it; -got +want):\n%s",
		file, cmp.Diff(strings.Split(got, "\n"), strings.Split(want.String(), "\n")))
}

// synopsis is the first sentence of the package comment in dir without the
// words "Package name", or "" when there is no such package.
func synopsis(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc == nil {
			continue
		}
		s := new(doc.Package).Synopsis(f.Doc.Text())
		for _, prefix := range []string{"Package ", "Command "} {
			if rest, ok := strings.CutPrefix(s, prefix); ok {
				_, s, _ = strings.Cut(rest, " ")
			}
		}
		return strings.TrimSuffix(s, ".")
	}
	return ""
}

func escape(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// TestDocumentLinks follows every relative link and every mention of a file or
// directory of the repository in backquotes.
func TestDocumentLinks(t *testing.T) {
	anchors := map[string][]string{}
	for _, f := range documents(t) {
		anchors[f] = headings(read(t, f))
	}
	tops := map[string]bool{}
	for _, m := range may {
		top, _, _ := strings.Cut(m.pkg, "/")
		tops[top] = true
	}
	tops["docs"], tops[".ci"], tops["tools"] = true, true, true
	for _, f := range documents(t) {
		fenced := false
		for i, l := range strings.Split(read(t, f), "\n") {
			where := f + ":" + strconv.Itoa(i+1)
			if fence := strings.HasPrefix(strings.TrimSpace(l), "```"); fence || fenced {
				fenced = fence != fenced
				continue
			}
			for _, m := range linkRef.FindAllStringSubmatch(codeSpan.ReplaceAllString(l, "``"), -1) {
				checkLink(t, where, f, m[1], anchors)
			}
			for _, c := range codeSpan.FindAllString(l, -1) {
				name := strings.TrimSuffix(strings.Trim(c, "`"), "/")
				top, rest, ok := strings.Cut(name, "/")
				if !ok || rest == "" || !tops[top] || !repositoryPath.MatchString(name) || isPackage(name) || isTest(name) {
					continue
				}
				if _, err := os.Stat(filepath.FromSlash(name)); err != nil {
					t.Errorf("%s: %s does not exist", where, name)
				}
			}
		}
	}
}

var repositoryPath = regexp.MustCompile(`^[\w./-]+$`)

// isPackage reports whether name is a package of the graph, written or not.
func isPackage(name string) bool {
	for _, m := range may {
		if m.pkg == name {
			return true
		}
	}
	return false
}

// isTest reports whether name reads directory.TestName; checkEvidence looks those up.
func isTest(name string) bool {
	_, fn, ok := strings.Cut(path.Base(name), ".")
	return ok && (strings.HasPrefix(fn, "Test") || strings.HasPrefix(fn, "Fuzz") || strings.HasPrefix(fn, "Benchmark"))
}

func checkLink(t *testing.T, where, from, target string, anchors map[string][]string) {
	t.Helper()
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return
	}
	file, anchor, _ := strings.Cut(target, "#")
	p := from
	if file != "" {
		p = path.Join(path.Dir(from), file)
	}
	if _, err := os.Stat(filepath.FromSlash(p)); err != nil {
		t.Errorf("%s: link %s: no such file", where, target)
		return
	}
	if anchor != "" && !slices.Contains(anchors[p], anchor) {
		t.Errorf("%s: link %s: no such heading in %s", where, target, p)
	}
}

// headings are the anchors of a document's headings as GitHub and GitLab make them.
func headings(text string) []string {
	var ids []string
	for l := range strings.SplitSeq(text, "\n") {
		h := strings.TrimLeft(l, "#")
		if h == l || !strings.HasPrefix(h, " ") {
			continue
		}
		id := strings.Map(func(r rune) rune {
			switch {
			case r == ' ' || r == '-':
				return '-'
			case r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127:
				return r
			}
			return -1
		}, strings.ToLower(strings.TrimSpace(h)))
		ids = append(ids, id)
	}
	return ids
}

// TestTraceability checks the numbering of docs/traceability.md, the tests it
// names and, when the founding documents are at hand, that no line of them was
// left out.
func TestTraceability(t *testing.T) {
	const file = "docs/traceability.md"
	tests := testFunctions(t)
	covered := map[int]map[int]bool{1: {}, 2: {}}
	counts := map[int]int{}
	for _, r := range tableRows(read(t, file), "#", "line", "the document says", "Lamina", "evidence") {
		where := file + ":" + strconv.Itoa(r.line)
		if len(r.cells) != 5 {
			t.Errorf("%s: want 5 cells, got %d", where, len(r.cells))
			continue
		}
		document, _, _ := strings.Cut(r.cells[0], ".")
		n, err := strconv.Atoi(document)
		if err != nil || covered[n] == nil {
			t.Errorf("%s: %q is not the number of a statement", where, r.cells[0])
			continue
		}
		counts[n]++
		if want := fmt.Sprintf("%d.%d", n, counts[n]); r.cells[0] != want {
			t.Errorf("%s: number %s, want %s", where, r.cells[0], want)
		}
		for part := range strings.SplitSeq(r.cells[1], ", ") {
			first, last, ranged := strings.Cut(part, "–")
			if !ranged {
				last = first
			}
			lo, err1 := strconv.Atoi(first)
			hi, err2 := strconv.Atoi(last)
			if err1 != nil || err2 != nil || lo > hi {
				t.Errorf("%s: %q is not a line or a range of lines", where, part)
			}
			for l := lo; l <= hi; l++ {
				covered[n][l] = true
			}
		}
		for i, c := range r.cells {
			if c == "" {
				t.Errorf("%s: cell %d is empty", where, i+1)
			}
		}
		checkEvidence(t, where, r.cells[4], tests, "test", "planned", "refused")
	}
	if counts[1] == 0 || counts[2] == 0 {
		t.Fatalf("%s: %d and %d statements", file, counts[1], counts[2])
	}
	t.Logf("%d and %d statements", counts[1], counts[2])

	data := os.Getenv("LAMINA_TESTDATA")
	if data == "" {
		t.Log("LAMINA_TESTDATA is not set: whether every line is covered was not checked")
		return
	}
	texts, err := filepath.Glob(filepath.Join(data, "..", "founding", "[12]-*.txt"))
	if err != nil || len(texts) != 2 {
		t.Logf("the founding documents are not beside LAMINA_TESTDATA (found %d): whether every line is covered was not checked", len(texts))
		return
	}
	for i, name := range texts {
		for l, text := range strings.Split(read(t, name), "\n") {
			if strings.TrimSpace(text) != "" && !covered[i+1][l+1] {
				t.Errorf("%s: no statement covers line %d of document %d: %.60q", file, l+1, i+1, text)
			}
		}
	}
}

// TestGuarantees checks that every promise names a test that exists, and that
// the claims of SECURITY.md name one or say what is planned.
func TestGuarantees(t *testing.T) {
	tests := testFunctions(t)
	for _, d := range []struct {
		file   string
		header []string
		kinds  []string
	}{
		{"docs/guarantees.md", []string{"promise", "how", "evidence"}, []string{"test"}},
		{"SECURITY.md", []string{"threat", "what stands against it", "evidence"}, []string{"test", "planned"}},
	} {
		rows := tableRows(read(t, d.file), d.header...)
		if len(rows) == 0 {
			t.Errorf("%s has no table %q", d.file, d.header)
		}
		for _, r := range rows {
			checkEvidence(t, d.file+":"+strconv.Itoa(r.line), r.cells[len(r.cells)-1], tests, d.kinds...)
		}
	}
}

// TestGlossaryWords fails on a word that docs/glossary.md tells people not to
// use. Code and quotations in backquotes are not looked at.
func TestGlossaryWords(t *testing.T) {
	const file = "docs/glossary.md"
	rows := tableRows(read(t, file), "term", "means", "do not say")
	if len(rows) == 0 {
		t.Fatalf("%s has no table of terms", file)
	}
	type word struct {
		re   *regexp.Regexp
		term string
	}
	var words []word
	last, lastLine := "", 0
	for _, r := range rows {
		if len(r.cells) != 3 || !strings.HasSuffix(r.cells[1], ".") {
			t.Errorf("%s:%d: want a term, a sentence with a full stop, and forbidden words or –", file, r.line)
			continue
		}
		key := strings.ToLower(r.cells[0])
		if r.line == lastLine+1 && key < last {
			t.Errorf("%s:%d: %s is not in alphabetical order", file, r.line, r.cells[0])
		}
		last, lastLine = key, r.line
		for _, w := range codeSpan.FindAllString(r.cells[2], -1) {
			quoted := strings.ReplaceAll(regexp.QuoteMeta(strings.Trim(w, "`")), " ", `[\s-]+`)
			words = append(words, word{regexp.MustCompile(`(?i)\b` + quoted + `\b`), r.cells[0]})
		}
	}
	for _, f := range append(documents(t), "NOTICE") {
		if f == file {
			continue
		}
		for i, l := range prose(read(t, f)) {
			for _, w := range words {
				if m := w.re.FindString(l); m != "" {
					t.Errorf("%s:%d: %q is a word we do not use; see %q in %s", f, i+1, m, w.term, file)
				}
			}
		}
	}
}

// TestDecisions checks that decisions are numbered without a gap, have the same
// four parts and are listed in the index.
func TestDecisions(t *testing.T) {
	files, err := filepath.Glob("docs/decisions/[0-9]*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	index := read(t, "docs/decisions/README.md")
	for i, f := range files {
		base := filepath.Base(f)
		if number := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(base, number) {
			t.Errorf("%s: the next number is %s", f, number)
		}
		text := read(t, f)
		at := 0
		for _, part := range []string{"\n## Question\n", "\n## What we do\n", "\n## What lost, and why\n", "\n## What would change our mind\n"} {
			n := strings.Index(text[at:], part)
			if n < 0 {
				t.Errorf("%s: no part %q, or not in its place", f, strings.TrimSpace(part))
				break
			}
			at += n
		}
		if n := strings.Count(text, "\n"); n > 80 {
			t.Errorf("%s has %d lines; a decision is one page", f, n)
		}
		if !strings.Contains(index, "]("+base+")") {
			t.Errorf("docs/decisions/README.md does not list %s", base)
		}
	}
}

// licenceMarks are words that stand in the text of a licence and in no other
// that we take.
var licenceMarks = map[string]string{
	"Apache-2.0":   "Apache License",
	"BSD-2-Clause": "Redistribution and use in source and binary forms",
	"BSD-3-Clause": "Redistribution and use in source and binary forms",
	"ISC":          "Permission to use, copy, modify, and/or distribute this software",
	"MIT":          "Permission is hereby granted, free of charge",
	"MPL-2.0":      "Mozilla Public License",
	"Unlicense":    "This is free and unencumbered software",
}

// TestNotice compares NOTICE with the modules that our packages and their tests
// need, and the licence it names with the text in the module.
func TestNotice(t *testing.T) {
	noticed := map[string]string{} // module → licence
	for l := range strings.SplitSeq(read(t, "NOTICE"), "\n") {
		if m := noticeLine.FindStringSubmatch(l); m != nil {
			noticed[m[1]] = m[2]
		}
	}
	linked, all := listModules(t, false), listModules(t, true)
	for m := range linked {
		if noticed[m] == "" {
			t.Errorf("NOTICE does not name %s, which is linked", m)
		}
	}
	for m, licence := range noticed {
		dir, ok := all[m]
		if !ok {
			t.Errorf("NOTICE names %s, which neither the packages nor their tests use", m)
			continue
		}
		mark := licenceMarks[licence]
		if mark == "" {
			t.Errorf("NOTICE: %s: licence %q is none we take", m, licence)
			continue
		}
		names, err := filepath.Glob(filepath.Join(dir, "*LICENSE*"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(names, func(n string) bool {
			b, err := os.ReadFile(n)
			return err == nil && bytes.Contains(bytes.Join(bytes.Fields(b), []byte(" ")), []byte(mark))
		}) {
			t.Errorf("NOTICE: no licence file of %s reads like %s", m, licence)
		}
	}
}

var noticeLine = regexp.MustCompile(`^- (\S+), ([^\s,]+), `)

// listModules asks the go command which modules of others the packages need on
// the systems we build for, with or without their tests, and where each is.
func listModules(t *testing.T, tests bool) map[string]string {
	t.Helper()
	modules := map[string]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		args := []string{"list", "-e", "-deps", "-test=" + strconv.FormatBool(tests), "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}", "./..."}
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %s: %v", strings.Join(args, " "), err)
		}
		for l := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
			if name, dir, ok := strings.Cut(l, "\t"); ok {
				modules[name] = dir
			}
		}
	}
	return modules
}

// TestDependenciesAreDecided checks that every module this code imports has a
// line with its reason, and that no line outlived its module.
func TestDependenciesAreDecided(t *testing.T) {
	files, err := filepath.Glob("docs/decisions/*-dependencies.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no decision on dependencies: %v", err)
	}
	file := files[len(files)-1]
	rows := tableRows(read(t, file), "module", "version", "licence", "adds", "for")
	required := map[string]string{} // module → version
	for l := range strings.SplitSeq(read(t, "go.mod"), "\n") {
		if f := strings.Fields(strings.TrimPrefix(l, "require ")); len(f) >= 2 && strings.HasPrefix(f[1], "v") {
			required[f[0]] = f[1]
		}
	}
	imported := map[string]bool{}
	for _, f := range repositoryFiles(t) {
		if path.Ext(f) != ".go" || strings.HasPrefix(f, "tools/") || strings.Contains("/"+f, "/testdata/") {
			continue
		}
		src, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, s := range src.Imports {
			p, owner := strings.Trim(s.Path.Value, `"`), ""
			for m := range required {
				if (p == m || strings.HasPrefix(p, m+"/")) && len(m) > len(owner) {
					owner = m
				}
			}
			if owner != "" {
				imported[owner] = true
			}
		}
	}
	decided := map[string]bool{}
	for _, r := range rows {
		where := file + ":" + strconv.Itoa(r.line)
		name := strings.Trim(r.cells[0], "`")
		decided[name] = true
		if !imported[name] {
			t.Errorf("%s: nothing imports %s", where, name)
		} else if len(r.cells) == 5 && r.cells[1] != required[name] {
			t.Errorf("%s: %s is %s here and %s in go.mod", where, name, r.cells[1], required[name])
		}
	}
	for m := range imported {
		if !decided[m] {
			t.Errorf("%s has no line for %s", file, m)
		}
	}
}

// TestMakeTargets checks that a make target a document names exists.
func TestMakeTargets(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	mention := regexp.MustCompile("(?m)(?:`|^\\$ |^)make ([a-z][a-z-]*)")
	for _, f := range documents(t) {
		for _, m := range mention.FindAllStringSubmatch(read(t, f), -1) {
			if !targets[m[1]] {
				t.Errorf("%s: make %s: no such target in the Makefile", f, m[1])
			}
		}
	}
}

// plannedCommands are commands that documents speak of and that do not exist yet.
var plannedCommands = []string{
	"apply", "build", "evidence", "guardrails", "plan",
	"publish", "rollback", "serve", "triage", "validate",
}

// TestCommandsInDocuments compares every mention of a command or flag with
// docs/commands, which is made from the program.
func TestCommandsInDocuments(t *testing.T) {
	pages := map[string]string{}
	files, err := filepath.Glob("docs/commands/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no docs/commands: %v", err)
	}
	for _, f := range files {
		pages[strings.TrimSuffix(filepath.Base(f), ".md")] = read(t, f)
	}
	global := pages["README"]
	for _, c := range plannedCommands {
		if pages[c] != "" {
			t.Errorf("lamina %s exists: take it out of plannedCommands", c)
		}
	}
	command := regexp.MustCompile("(?:^|`|\\$ |\\| )lamina ([a-z]+)([^`]*)")
	flag := regexp.MustCompile(`--[a-z][a-z-]+`)
	for _, f := range documents(t) {
		if strings.HasPrefix(f, "docs/commands/") {
			continue
		}
		fenced := false
		for i, l := range strings.Split(read(t, f), "\n") {
			where := f + ":" + strconv.Itoa(i+1)
			spans := codeSpan.FindAllString(l, -1)
			if fence := strings.HasPrefix(strings.TrimSpace(l), "```"); fence || fenced {
				fenced, spans = fence != fenced, []string{l}
			}
			for _, s := range spans {
				page := ""
				if m := command.FindStringSubmatch(s); m != nil {
					if page = pages[m[1]]; page == "" && m[1] != "help" && !slices.Contains(plannedCommands, m[1]) {
						t.Errorf("%s: there is no command lamina %s", where, m[1])
					}
					if page == "" {
						continue
					}
				} else if !strings.HasPrefix(s, "`--") {
					continue // another program's flags
				}
				for _, name := range flag.FindAllString(s, -1) {
					known := name == "--help" || strings.Contains(global, "`"+name) || strings.Contains(global, name+" ") || strings.Contains(page, name)
					for _, p := range pages {
						known = known || page == "" && strings.Contains(p, "`"+name)
					}
					if !known {
						t.Errorf("%s: no such flag %s", where, name)
					}
				}
			}
		}
	}
}

// TestDocs_readme_session runs the commands of the console blocks of README.md, one
// after the other in an empty folder, and compares what they print on standard
// output and standard error with what the block shows. LAMINA_UPDATE=1 rewrites
// the output.
func TestDocs_readme_session(t *testing.T) {
	const file, fence = "README.md", "```console\n"
	text := read(t, file)
	written, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	before, blocks := text, 0
	for at := 0; ; blocks++ {
		from := strings.Index(text[at:], fence)
		if from < 0 {
			break
		}
		from += at + len(fence)
		length := strings.Index(text[from:], "```")
		if length < 0 {
			t.Fatalf("%s: a console block has no end", file)
		}
		shown := text[from : from+length]
		var got strings.Builder
		for l := range strings.Lines(shown) {
			command, ok := strings.CutPrefix(l, "$ ")
			if !ok {
				continue
			}
			args := strings.Fields(command)
			if args[0] != "lamina" {
				t.Fatalf("%s: %q is not lamina", file, args[0])
			}
			got.WriteString(l)
			cli.Main(t.Context(), args[1:], cli.Stdio{
				In: strings.NewReader(""), Out: &got, Err: &got, Dir: ".",
				Env: func(string) string { return "" },
				Now: func() time.Time { return time.Date(2026, 6, 21, 0, 0, 0, 0, time.UTC) },
			})
		}
		if d := cmp.Diff(shown, got.String()); d != "" {
			if os.Getenv("LAMINA_UPDATE") == "" {
				t.Errorf("%s: the session prints something else (LAMINA_UPDATE=1 rewrites it; -shown +got):\n%s", file, d)
			}
			text = text[:from] + got.String() + text[from+length:]
		}
		at = from + len(got.String())
	}
	if blocks == 0 {
		t.Fatalf("%s shows no session", file)
	}
	if os.Getenv("LAMINA_UPDATE") != "" && text != before {
		if err := os.WriteFile(written, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
