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
