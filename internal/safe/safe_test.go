package safe

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestSinks(t *testing.T) {
	tests := []struct {
		name string
		f    func(string) string
		in   string
		want string
	}{
		{"terminal_plain", Terminal, "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3", "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"},
		{"terminal_letters", Terminal, "Müller 東京 🔑", "Müller 東京 🔑"},
		{"terminal_ansi", Terminal, "a\x1b[2Jb", `a\x1b[2Jb`},
		{"terminal_osc_title", Terminal, "\x1b]0;owned\a", `\x1b]0;owned\x07`},
		{"terminal_c1_csi", Terminal, "\u009b31m", `\u009b31m`},
		{"terminal_newline", Terminal, "one\r\ntwo\tthree", `one\r\ntwo\tthree`},
		{"terminal_bidi", Terminal, "user\u202etxt.exe", `user\u202etxt.exe`},
		{"terminal_zero_width", Terminal, "pay\u200bments", `pay\u200bments`},
		{"terminal_tag", Terminal, "a\U000e0041b", `a\U000e0041b`},
		{"terminal_invalid", Terminal, "a\xffb", `a\xffb`},
		{"terminal_replacement", Terminal, "a\ufffdb", `a\ufffdb`},
		{"terminal_no_break_space", Terminal, "a\u00a0b", `a\u00a0b`},
		{"terminal_variation_selector", Terminal, "a\ufe0fb", `a\ufe0fb`},
		{"markdown_link", Markdown, "[x](javascript:1)", `\[x\](javascript:1)`},
		{"markdown_html", Markdown, "<img src=x>", `&lt;img src=x&gt;`},
		{"markdown_table", Markdown, "a|b", `a\|b`},
		{"markdown_autolink", Markdown, "https://x.invalid www.x.invalid", `https\://x.invalid www\.x.invalid`},
		{"markdown_heading", Markdown, "# x\n# y", `\# x\\n\# y`},
		{"markdown_list", Markdown, "- x", `\- x`},
		{"markdown_ordered_list", Markdown, "12. x 1.2", `12\. x 1.2`},
		{"markdown_rule", Markdown, "---", `\---`},
		{"markdown_arn", Markdown, "arn:aws:lambda:eu-west-1:111122223333:layer:x-1", "arn:aws:lambda:eu-west-1:111122223333:layer:x-1"},
		{"code_plain", MarkdownCode, "@someone #1", "`@someone #1`"},
		{"code_backticks", MarkdownCode, "a``b", "```a``b```"},
		{"code_edge_backtick", MarkdownCode, "`a", "`` `a ``"},
		{"code_pipe", MarkdownCode, "a|b", "`a\\|b`"},
		{"code_empty", MarkdownCode, "", ""},
		{"html_tag", HTML, `<script>"x"&'y'`, "&lt;script&gt;&#34;x&#34;&amp;&#39;y&#39;"},
		{"html_newline_kept", HTML, "a\nb\x00", "a\nb\\x00"},
		{"csv_formula", CSV, `=HYPERLINK("x")`, `'=HYPERLINK("x")`},
		{"csv_minus", CSV, "-1", "'-1"},
		{"csv_at", CSV, "@SUM(1)", "'@SUM(1)"},
		{"csv_space_first", CSV, "  =1", "'  =1"},
		{"csv_full_width", CSV, "＝1", "'＝1"},
		{"csv_tab", CSV, "\t=1", `\t=1`},
		{"csv_plain", CSV, "utils:3", "utils:3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.f(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	tests := []struct {
		name  string
		in    string
		limit int
		want  string
	}{
		{"folds_space", " a\n\t b ", 0, "a b"},
		{"keeps_short", "abc", 3, "abc"},
		{"cuts", "abcd", 3, "ab…"},
		{"cuts_wide", "東京都港区", 3, "東京…"},
		{"one", "abc", 1, "…"},
		{"escapes", "a\x1bb", 0, `a\x1bb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Line(tt.in, tt.limit); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	got := Lines("a\r\n\tb\x1b\n")
	if diff := cmp.Diff([]string{"a", `    b\x1b`, ""}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	in := "{\"a\": \"x\u202ey\u009b\x7f\U000e0041é\",\n \"b\": 1}"
	got := string(JSON([]byte(in)))
	if want := `{"a": "x\u202ey\u009b\u007f\udb40\udc41é",` + "\n" + ` "b": 1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if doc := []byte(`{"a":"plain é"}`); &JSON(doc)[0] != &doc[0] {
		t.Error("a clean document was copied")
	}
}

// dangerous reports a character that no sink may let through.
func dangerous(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}

func FuzzSafe(f *testing.F) {
	for _, s := range []string{
		"", "plain", "\x1b[31m\x07", "\u202eevil\u2066", "a\xff\xfe", "=1+1", "`|``", "<b>&", "\u2028\u2029\ufeff",
		"\U000e0001\U000e0041", "\u00ad", "a\r\nb\tc", "\x9b", "'=1", " ", "@x", strings.Repeat("\u200b", 100),
	} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		term := Terminal(s)
		sinks := map[string]string{
			"Terminal": term, "Markdown": Markdown(s), "MarkdownCode": MarkdownCode(s), "CSV": CSV(s), "Line": Line(s, limit),
		}
		for name, out := range sinks {
			if i := strings.IndexFunc(out, dangerous); i >= 0 {
				t.Errorf("%s(%q) = %q lets %q through", name, s, out, out[i:])
			}
			if !utf8.ValidString(out) {
				t.Errorf("%s(%q) = %q is not UTF-8", name, s, out)
			}
			if len(out) > 8*len(s)+8 {
				t.Errorf("%s(%q) is %d bytes long", name, s, len(out))
			}
		}
		if len(term) > 4*len(s) {
			t.Errorf("Terminal(%q) is %d bytes long", s, len(term))
		}
		for name, f := range map[string]func(string) string{"Terminal": Terminal, "CSV": CSV} {
			if once := f(s); f(once) != once {
				t.Errorf("%s is not idempotent: %q, then %q", name, once, f(once))
			}
		}
		if limit > 0 {
			if n := utf8.RuneCountInString(Line(s, limit)); n > limit {
				t.Errorf("Line(%q, %d) has %d characters", s, limit, n)
			}
		}
		if h := HTML(s); strings.ContainsAny(h, "<>\"'") || strings.ContainsFunc(h, func(r rune) bool { return r != '\n' && r != '\t' && dangerous(r) }) {
			t.Errorf("HTML(%q) = %q", s, h)
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write([]string{CSV(s)}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if c := strings.TrimLeft(b.String(), `" '`); c != b.String() && strings.ContainsAny(c[:min(1, len(c))], "=+-@") && !strings.Contains(b.String(), "'") {
			t.Errorf("CSV(%q) starts a formula: %q", s, b.String())
		}
		checkJSON(t, s)
	})
}

// checkJSON asserts that JSON changes the text of a document and not its meaning.
func checkJSON(t *testing.T, s string) {
	t.Helper()
	doc, err := json.Marshal(map[string]any{s: []string{s}})
	if err != nil {
		t.Fatal(err)
	}
	out := JSON(doc)
	if i := bytes.IndexFunc(out, dangerous); i >= 0 {
		t.Errorf("JSON(%s) = %s", doc, out)
	}
	var before, after any
	if err := json.Unmarshal(doc, &before); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &after); err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("JSON(%s) = %s means %v, %v", doc, out, after, err)
	}
}
