package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// stdio is a Stdio for tests: nothing in it, no terminal, a clock that stands.
func stdio(t *testing.T) (Stdio, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	var out, err bytes.Buffer
	return Stdio{
		In: strings.NewReader(""), Out: &out, Err: &err,
		Env: func(string) string { return "" },
		Dir: t.TempDir(),
		Now: func() time.Time { return time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC) },
	}, &out, &err
}

func everyCommand(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, s := range c.Commands() {
		if s.IsAvailableCommand() {
			everyCommand(s, f)
		}
	}
}

func testRoot(t *testing.T) *cobra.Command {
	t.Helper()
	std, _, _ := stdio(t)
	return (&app{std: std}).root()
}

// The help of every command is examples first and fits a screen of 40 lines, 100
// columns wide.
func TestHelp_fits(t *testing.T) {
	everyCommand(testRoot(t), func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			std, out, errs := stdio(t)
			args := append(strings.Fields(c.CommandPath())[1:], "--help")
			if code := Main(t.Context(), args, std); code != 0 || errs.Len() > 0 {
				t.Fatalf("exit %d, stderr %s", code, errs)
			}
			if n := strings.Count(out.String(), "\n"); n > 40 {
				t.Errorf("%d lines, want at most 40:\n%s", n, out)
			}
			for l := range strings.Lines(out.String()) {
				if n := len([]rune(l)) - 1; n > 110 {
					t.Errorf("%d columns: %s", n, l)
				}
			}
			if c.Name() != "help" && !strings.Contains(out.String(), "\n\nExamples:\n") {
				t.Errorf("no examples:\n%s", out)
			}
		})
	})
}

// Help texts follow one style, and examples name commands and flags that exist.
func TestHelp_style(t *testing.T) {
	root := testRoot(t)
	everyCommand(root, func(c *cobra.Command) {
		if s := c.Short; s == "" || strings.HasSuffix(s, ".") || s[:1] != strings.ToLower(s[:1]) {
			t.Errorf("%s: Short %q: lower case, no full stop", c.CommandPath(), s)
		}
		for l := range strings.SplitSeq(c.Example, "\n") {
			checkCommandLine(t, root, c.CommandPath(), l)
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("%s --%s: usage %q: say what it does, no full stop", c.CommandPath(), f.Name, f.Usage)
			}
		})
	})
}

// checkCommandLine reports commands and flags in a shell line that do not exist.
func checkCommandLine(t *testing.T, root *cobra.Command, where, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	for part := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune("|;&()", r) }) {
		words := strings.Fields(part)
		i := slices.Index(words, "lamina")
		if i < 0 {
			continue
		}
		c, rest, err := root.Find(words[i+1:])
		if err != nil {
			t.Errorf("%s: %s: %v", where, line, err)
			continue
		}
		if c.HasSubCommands() && !strings.Contains(c.Use, " ") && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] == strings.ToLower(rest[0]) {
			t.Errorf("%s: %s: unknown command %q", where, line, rest[0])
		}
		for _, w := range rest {
			name, ok := strings.CutPrefix(w, "--")
			name, _, _ = strings.Cut(name, "=")
			if ok && name != "" && name != "help" && c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
				t.Errorf("%s: %s: %s has no flag --%s", where, line, c.CommandPath(), name)
			}
		}
	}
}

// Every command line that a document or a workflow of integrations shows is one that
// the program takes: commands, flags with their values and, in blocks of code, the
// number of arguments. None of them is run.
func TestDocs_command_lines_parse(t *testing.T) {
	root := os.DirFS(filepath.Join("..", ".."))
	var lines int
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && (d.Name() == "testdata" || d.Name() != "." && strings.HasPrefix(d.Name(), ".") && d.Name() != ".github") {
				return fs.SkipDir
			}
			return err
		}
		if ext := filepath.Ext(name); ext != ".md" && ext != ".yml" || name == "docs/traceability.md" { // which names what is planned
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, l := range shownCommands(string(text), filepath.Ext(name) == ".yml") {
			lines++
			if err := parses(t, l); err != nil {
				t.Errorf("%s:%d: lamina %s: %v", name, l.line, strings.Join(l.words, " "), err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if lines < 200 {
		t.Errorf("only %d command lines were found", lines)
	}
}

// A shownCommand is a command line of lamina in a text.
type shownCommand struct {
	line  int
	words []string // after lamina
	whole bool     // and not the mention of a command or a flag
}

// shownCommands finds the command lines: in Markdown in blocks and spans of code. A
// block of text shows what something prints.
func shownCommands(text string, code bool) []shownCommand {
	var out []shownCommand
	fenced := code
	long, printed := "", false
	for i, l := range strings.Split(text, "\n") {
		if fence, ok := strings.CutPrefix(strings.TrimSpace(l), "```"); ok {
			fenced, printed = !fenced, fence == "text"
			continue
		}
		if printed {
			continue
		}
		if !fenced {
			for j, span := range strings.Split(l, "`") {
				if words, ok := strings.CutPrefix(span, "lamina "); ok && j%2 == 1 {
					out = append(out, shownCommand{line: i + 1, words: strings.Fields(words)})
				}
			}
			continue
		}
		l, more := strings.CutSuffix(l, "\\")
		if long != "" {
			l = strings.TrimSpace(l)
		}
		if long += l; more {
			long = strings.TrimSpace(long) + " "
			continue
		}
		for _, words := range shellWords(long) {
			if words[0] == "lamina" {
				out = append(out, shownCommand{line: i + 1, words: words[1:], whole: true})
			}
		}
		long = ""
	}
	return out
}

// shellWords splits a line as a shell does, as far as documents need it: into
// commands, and these into words. What two spaces part from a command is said of it.
func shellWords(line string) [][]string {
	line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
	line = strings.TrimPrefix(strings.TrimPrefix(line, "- "), "run: ")
	if !strings.HasPrefix(line, "lamina ") && !strings.Contains(line, "| lamina ") && !strings.Contains(line, "&& lamina ") {
		return nil
	}
	var all [][]string
	var words []string
	var word strings.Builder
	quote, inside, redirected := rune(0), false, false
	end := func() {
		if inside && !redirected {
			words = append(words, word.String())
		}
		redirected = redirected && !inside
		inside = false
		word.Reset()
	}
	previous := rune(0)
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' && previous == ' ' || r == '#' && previous == ' ':
			return append(all, words)
		case r == ' ':
			end()
		case r == '|' || r == '&' || r == ';':
			if end(); len(words) > 0 {
				all, words = append(all, words), nil
			}
		case r == '>' || r == '<':
			end()
			redirected = true
		default:
			word.WriteRune(r)
			inside = true
		}
		previous = r
	}
	if end(); len(words) > 0 {
		all = append(all, words)
	}
	return all
}

// parses reads the command line as the program would, and stops before it runs.
func parses(t *testing.T, l shownCommand) error {
	t.Helper()
	words := slices.DeleteFunc(slices.Clone(l.words), func(w string) bool { return w == "…" || w == "..." })
	c, rest, err := testRoot(t).Find(words)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil && (l.whole || !strings.HasPrefix(err.Error(), "flag needs an argument")) {
		return err
	}
	args := c.Flags().Args()
	if c.HasSubCommands() && !strings.Contains(c.Use, " ") && len(args) > 0 && args[0] != "COMMAND" {
		return fmt.Errorf("there is no command %q", args[0])
	}
	if help, _ := c.Flags().GetBool("help"); !l.whole || help || len(words) < len(l.words) {
		return nil
	}
	return c.ValidateArgs(args)
}

// What documents would get wrong is found.
func TestDocs_command_lines_are_checked(t *testing.T) {
	for text, want := range map[string]string{
		"`lamina scna x.zip`":                                                        `there is no command "scna"`,
		"`lamina rules lnt`":                                                         `there is no command "lnt"`,
		"see `lamina posture --chek EXP-01`":                                         "unknown flag: --chek",
		"`lamina except add --reason`":                                               "",
		"```\nlamina posture a.lamina b\n```":                                        "lamina posture",
		"```\nlamina explain A-1 \\\n  --nosuch\n```":                                "unknown flag: --nosuch",
		"```\nlamina collect --rate fast\n```":                                       "invalid argument",
		"```sh\n$ cat x | lamina detect - -f json=x > y   what it does  not -z\n```": "",
		"```sh\nlamina collect && lamina posture snapshot.lamina --fail 'a b'\n```":  "unknown flag: --fail",
		"```text\nlamina scan  4 s\n```":                                             "",
	} {
		var errs []string
		for _, l := range shownCommands(text, false) {
			if err := parses(t, l); err != nil {
				errs = append(errs, err.Error())
			}
		}
		if got := strings.Join(errs, "; "); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// The pages of docs/commands are made from the commands: `make docs`, which is
// LAMINA_UPDATE=1, rewrites them.
func TestDocs_commands(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "commands")
	root := testRoot(t)
	want := map[string]string{"README.md": indexPage(root)}
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			want[c.Name()+".md"] = commandPage(c)
		}
	}
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	entries, err := fs.Glob(os.DirFS(dir), "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range entries {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/commands is not what the commands say; run make docs, and delete pages of commands that are gone (-want +got):\n%s", diff)
	}
}

const generated = "<!-- made by `make docs` from internal/cli; do not edit -->\n"

func indexPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generated + "# Commands\n\n" + root.Long + "\n")
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "\n## %s\n\n| command | what it does |\n| --- | --- |\n", strings.TrimSuffix(g.Title, ":"))
		for _, c := range root.Commands() {
			if c.GroupID == g.ID && c.IsAvailableCommand() {
				fmt.Fprintf(&b, "| [`lamina %s`](%s.md) | %s |\n", c.Name(), c.Name(), c.Short)
			}
		}
	}
	b.WriteString("\n## Global flags\n\nEvery command has them.\n\n" + flagTable(root.PersistentFlags()))
	b.WriteString("\n## Formats\n\n| format | what it is |\n| --- | --- |\n")
	for _, f := range reportFormats() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.Name, f.Doc)
	}
	b.WriteString("\n## Settings\n\n" + strings.TrimSpace(newConfig(&app{}).Long) + "\n\n" +
		"| key | environment | flag | what it sets |\n| --- | --- | --- | --- |\n")
	for _, s := range table {
		fmt.Fprintf(&b, "| `%s` | `%s` | `--%s` | %s |\n", s.key, s.env(), s.flag, escapePipes(strings.ReplaceAll(s.usage(), "`", "")))
	}
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n" +
		"| 0 | done, coverage complete, nothing at or above `--fail-on` |\n" +
		"| 1 | done, results at or above `--fail-on`; wins over 3 |\n" +
		"| 2 | usage, settings or rule error; nothing was examined |\n" +
		"| 3 | done but incomplete: something could not be examined, and nothing for code 1 |\n" +
		"| 4 | could not run: a file, the network, a bug |\n" +
		"| 5 | refused for safety |\n" +
		"| 130 | interrupted |\n")
	return b.String()
}

func commandPage(c *cobra.Command) string {
	var b strings.Builder
	b.WriteString(generated)
	everyCommand(c, func(c *cobra.Command) {
		level := strings.Repeat("#", min(len(strings.Fields(c.CommandPath()))-1, 3))
		fmt.Fprintf(&b, "%s %s\n\n%s.\n\n```\n%s\n```\n", level, c.CommandPath(), upperFirst(c.Short), useLine(c))
		if c.Long != "" {
			b.WriteString("\n" + strings.TrimSpace(c.Long) + "\n")
		}
		if c.Example != "" {
			b.WriteString("\n```\n" + strings.Trim(dedent(c.Example), "\n") + "\n```\n")
		}
		if f, _ := ownFlags(c, true); f.HasAvailableFlags() {
			b.WriteString("\n" + flagTable(f))
		}
		b.WriteString("\n")
	})
	b.WriteString("Global flags, formats, settings and exit codes: [all commands](README.md).\n")
	return b.String()
}

func flagTable(f *pflag.FlagSet) string {
	var b strings.Builder
	b.WriteString("| flag | what it does |\n| --- | --- |\n")
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		name, usage := pflag.UnquoteUsage(flag)
		left := "`--" + flag.Name
		if flag.NoOptDefVal == "" && name != "" {
			left += " " + name
		}
		left += "`"
		if flag.Shorthand != "" {
			left = "`-" + flag.Shorthand + "`, " + left
		}
		fmt.Fprintf(&b, "| %s | %s |\n", escapePipes(left), escapePipes(usage))
	})
	return b.String()
}

func escapePipes(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func dedent(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "  ")
	}
	return strings.Join(lines, "\n")
}
