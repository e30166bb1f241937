package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
)

// outputs are the renderings that each golden file holds of its messages.
var outputs = []struct {
	name, format string
	o            Options
}{
	{"text-80", "text", Options{Width: 80, Explain: []string{"odd name|x.json", "--org-id", "o-exampleorgid"}}},
	{"text-120-verbose", "text", Options{Width: 120, Verbose: true}},
	{"text-color", "text", Options{Width: 100, Color: true}},
	{"table-80", "table", Options{Width: 80}},
	{"table-whole", "table", Options{Width: Unlimited, Verbose: true}},
	{"json", "json", Options{}},
	{"ndjson", "ndjson", Options{}},
	{"sarif", "sarif", Options{}},
	{"markdown", "markdown", Options{}},
	{"ecs", "ecs", Options{}},
}

// TestGolden renders the messages of each testdata/*.txtar in every format.
// LAMINA_UPDATE=1 rewrites what is expected.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			messages := parseMessages(t, section(ar, "messages"))
			got := []txtar.File{{Name: "messages", Data: section(ar, "messages")}}
			for _, o := range outputs {
				out := render(t, o.format, o.o, messages)
				got = append(got, txtar.File{Name: o.name, Data: []byte(out)})
				if want := string(section(ar, o.name)); out != want && os.Getenv("LAMINA_UPDATE") == "" {
					t.Errorf("%s (-want +got), LAMINA_UPDATE=1 accepts:\n%s", o.name, cmp.Diff(want, out))
				}
			}
			if os.Getenv("LAMINA_UPDATE") != "" {
				ar.Files = got
				if err := os.WriteFile(name, txtar.Format(ar), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func section(ar *txtar.Archive, name string) []byte {
	for _, f := range ar.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func parseMessages(t *testing.T, b []byte) []lamina.Message {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.DisallowUnknownFields()
	var out []lamina.Message
	for {
		var m lamina.Message
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
}

func golden(t *testing.T) []lamina.Message {
	t.Helper()
	ar, err := txtar.ParseFile("testdata/mixed.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return parseMessages(t, section(ar, "messages"))
}

func render(t *testing.T, format string, o Options, messages []lamina.Message) string {
	t.Helper()
	var b strings.Builder
	w, err := New(format, &b, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Any saved json can be rendered again: every format is the same from the saved
// stream as from the first run.
func TestRead_gives_the_stream_back(t *testing.T) {
	messages := golden(t)
	saved := render(t, "json", Options{}, messages)
	var again []lamina.Message
	if err := Read(strings.NewReader(saved), func(m lamina.Message) error {
		again = append(again, m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, o := range outputs {
		if diff := cmp.Diff(render(t, o.format, o.o, messages), render(t, o.format, o.o, again)); diff != "" {
			t.Errorf("%s differs after a round trip (-first +again):\n%s", o.name, diff)
		}
	}
}

func TestRead_errors(t *testing.T) {
	const version = `{"version":{"messages":1,"lamina":"x","command":"y"}}`
	const summary = `{"summary":{"command":"y","counts":{},"complete":true,"coverage":""}}`
	tests := []struct{ name, in, want string }{
		{"empty", ``, "EOF"},
		{"not_json", `hello`, "invalid character"},
		{"another_document", `{"Records":[]}`, "want version"},
		{"newer", `{"version":99,"messages":[]}`, "message version 99 is not one this lamina reads (1 to 1)"},
		{"zero", `{"version":0,"messages":[]}`, "message version 0"},
		{"fraction", `{"version":1.5,"messages":[]}`, "message version 1.5"},
		{"no_messages", `{"version":1,"results":[]}`, "want messages"},
		{"cut_short", `{"version":1,"messages":[` + version + `]}`, "it ends without a summary"},
		{"cut_in_the_middle", `{"version":1,"messages":[` + version + `,{"alert":{`, "message 2: unexpected EOF"},
		{"no_version_first", `{"version":1,"messages":[` + summary + `]}`, "message 1: want the version first"},
		{"two_kinds", `{"version":1,"messages":[` + version + `,{"warning":{"text":"a"},"skipped":{"file":"b","offset":0,"records":0,"reason":"c"}}]}`, "exactly one kind of message, got 2"},
		{"nothing", `{"version":1,"messages":[` + version + `,{}]}`, "got 0"},
		{"after_summary", `{"version":1,"messages":[` + version + `,` + summary + `,{"warning":{"text":"a"}}]}`, "the summary is not the last"},
		{"no_outcome", `{"version":1,"messages":[` + version + `,{"finding":{"severity":"low"}}]}`, `unknown outcome ""`},
		{"bad_severity", `{"version":1,"messages":[` + version + `,{"alert":{"severity":"bad"}}]}`, `unknown severity "bad"`},
		{"long_message", `{"version":1,"messages":[` + version + `,{"warning":{"text":"` + strings.Repeat("a", 2*maxMessage) + `"}}]}`, "a message is longer than 16 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Read(strings.NewReader(tt.in), func(lamina.Message) error { return nil })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// An alert line of ndjson has exactly these keys: programs and tests of others
// rest on them.
func TestNDJSON_alert_keys(t *testing.T) {
	line := render(t, "ndjson", Options{}, []lamina.Message{{Alert: &lamina.Alert{}}})
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, k := range []string{
		"rule.id", "rule.file", "rule.name", "severity", "risk_score", "event.ids", "values", "alert.id",
		"original_time", "reason", "file", "offset",
	} {
		if _, ok := got[k]; !ok {
			keys = append(keys, "missing "+k)
		}
		delete(got, k)
	}
	for k := range got {
		keys = append(keys, "unexpected "+k)
	}
	if len(keys) > 0 {
		t.Errorf("%s: %v", line, keys)
	}
}

// No format lets a character through that a terminal acts on or a reader cannot
// see, wherever it stands in a message.
func TestNo_format_shows_raw_control_characters(t *testing.T) {
	const evil = "a\x1b[2J\u202e\u200b\u009b\x00\xffz\nlamina: error: forged"
	messages := []lamina.Message{
		{Version: &lamina.Version{Messages: 1}},
		{Alert: &lamina.Alert{
			ID: evil, Rule: lamina.RuleRef{ID: evil, File: evil, Name: evil, Type: evil, Description: evil, Tags: []string{evil}, References: []string{evil}},
			Severity: lamina.High, EventIDs: []string{evil}, Values: map[string][]string{evil: {evil}}, Reason: evil,
			Fields: []lamina.FieldValues{{Field: evil, Values: []string{evil}}}, Document: map[string]any{evil: evil}, File: evil,
			Exception: &lamina.Exception{ID: evil, Reason: evil, Owner: evil, Expires: evil},
		}},
		{Finding: &lamina.Finding{
			ID: evil, Check: evil, Ref: evil, Title: evil, Severity: lamina.Low, Outcome: lamina.Unknown, Resource: evil, File: evil,
			Line: 1, Detail: evil, Evidence: []string{evil}, Reason: evil, Settle: evil, Techniques: []string{evil},
		}},
		{Exposure: &lamina.Exposure{ID: evil, Title: evil, Severity: lamina.Info, Resource: evil, Who: evil, Path: []string{evil}, Reasons: []string{evil}}},
		{Answer: &lamina.Answer{Asks: evil, Text: evil, Evidence: []string{evil}, Outcome: lamina.Pass}},
		{Plan: &lamina.Plan{ID: evil, Fix: evil, Exposure: evil, Steps: []lamina.Step{{Action: evil, Resource: evil, Args: map[string]string{evil: evil}}}, Breaks: []string{evil}}},
		{Skipped: &lamina.Skipped{File: evil, Reason: evil}},
		{Warning: &lamina.Warning{Subject: evil, Text: evil, Hint: evil}},
		{Summary: &lamina.Summary{Coverage: evil, Incomplete: []string{evil}, Counts: map[string]int64{evil: 1}}},
	}
	for _, o := range outputs {
		if o.o.Color {
			continue
		}
		out := render(t, o.format, o.o, messages)
		if i := strings.IndexFunc(out, func(r rune) bool {
			return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar && o.format != "json" && o.format != "ndjson")
		}); i >= 0 {
			t.Errorf("%s: %q", o.name, out[max(0, i-20):min(len(out), i+20)])
		}
		if strings.Contains(out, "\nlamina: error") {
			t.Errorf("%s: a line is forged:\n%s", o.name, out)
		}
	}
	for _, m := range messages {
		for _, l := range Note(m) {
			if strings.ContainsAny(l, "\x1b\n\u202e") {
				t.Errorf("note: %q", l)
			}
		}
	}
}

// Text fits the width it is given, except for words that may not be broken.
func TestText_fits(t *testing.T) {
	for _, width := range []int{80, 100, 120} {
		out := render(t, "text", Options{Width: width, Verbose: true}, golden(t))
		for l := range strings.Lines(out) {
			l = strings.TrimSuffix(l, "\n")
			words := strings.Fields(l)
			if n := len([]rune(l)); n > width && len(words) > 1 && len([]rune(words[len(words)-1])) < width/2 {
				t.Errorf("width %d: %d columns: %s", width, n, l)
			}
		}
	}
}

// The command at the end can be pasted into a shell, whatever the file is called.
func TestShellWord(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "trail/a.json.gz", "trail/a.json.gz"},
		{"space", "a b", "'a b'"},
		{"quote", "it's", `'it'\''s'`},
		{"command", "$(rm -rf x);", "'$(rm -rf x);'"},
		{"flag", "--rules", "--rules"},
		{"empty", "", "''"},
		{"letters", "東京.json", "東京.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ShellWord(tt.in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A comment never grows over the cap, whatever is found, and says what it left out.
func TestMarkdown_is_capped(t *testing.T) {
	messages := []lamina.Message{{Version: &lamina.Version{Messages: 1}}}
	for i := range 5000 {
		messages = append(messages, lamina.Message{Finding: &lamina.Finding{
			ID: fmt.Sprintf("F-%08d", i), Check: "c", Title: strings.Repeat("title ", 10), Severity: lamina.Severities[i%5],
			Outcome: lamina.Fail, Resource: "arn:aws:lambda:eu-west-1:111122223333:layer:x:1", Detail: strings.Repeat("detail ", 20),
		}})
	}
	messages = append(messages, lamina.Message{Summary: &lamina.Summary{Complete: true, Coverage: "all"}})
	for _, limit := range []int{5_000, 60_000} {
		out := render(t, "markdown", Options{MaxBytes: limit}, messages)
		if len(out) > limit {
			t.Errorf("%d bytes, want at most %d", len(out), limit)
		}
		if len(out) < limit/2 {
			t.Errorf("%d bytes of %d are used", len(out), limit)
		}
		if !strings.Contains(out, "of 5,000 results are shown") || strings.Contains(out, "**LOW**") {
			t.Errorf("want the worst results and how many are missing:\n%s", out[len(out)-400:])
		}
		if strings.Count(out, "<details>") != strings.Count(out, "</details>") {
			t.Error("a details block is left open")
		}
	}
}

// The same alert is the same document everywhere, and loading it twice changes nothing.
func TestUUID(t *testing.T) {
	const want = "version 5, variant 1"
	u := UUID("A-ABCDEFGH")
	got := fmt.Sprintf("version %c, variant %d", u[14], strings.IndexByte("89ab", u[19])/4+1)
	if got != want || len(u) != 36 || u != UUID("A-ABCDEFGH") || u == UUID("A-ABCDEFGI") {
		t.Errorf("%s: got %s, want %s", u, got, want)
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	write := func(s string) *File {
		t.Helper()
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, s); err != nil {
			t.Fatal(err)
		}
		return f
	}
	want := func(content string, files int) {
		t.Helper()
		b, err := os.ReadFile(path)
		if string(b) != content {
			t.Errorf("got %q, %v, want %q", b, err, content)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != files {
			t.Errorf("%d files are left, want %d: %v, %v", len(entries), files, entries, err)
		}
	}
	f := write("one")
	want("", 1) // the temporary file only
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	want("one", 1)
	if err := write("half").Abort(); err != nil {
		t.Fatal(err)
	}
	want("one", 1)
	if err := write("two").Commit(); err != nil {
		t.Fatal(err)
	}
	want("two", 1)
	if _, err := Create(filepath.Join(dir, "missing", "x")); err == nil || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("a missing folder: %v", err)
	}
	if _, err := Create(dir); err == nil {
		t.Error("a folder was opened as a file")
	}
}

func TestNew_unknown_format(t *testing.T) {
	_, err := New("sariff", io.Discard, Options{})
	var u *UnknownFormatError
	if !errors.As(err, &u) || u.Name != "sariff" {
		t.Errorf("got %v", err)
	}
}

// A failing disk is reported once, by every format.
func TestWrite_errors_are_reported(t *testing.T) {
	for _, f := range Formats() {
		w, err := New(f.Name, failing{}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range append(golden(t), estateMessages(t)[1:]...) {
			if err = w.Write(m); err != nil {
				break
			}
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: got %v, want %v", f.Name, err, errDisk)
		}
	}
}

var errDisk = errors.New("disk full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errDisk }

func FuzzRead(f *testing.F) {
	ar, err := txtar.ParseFile("testdata/mixed.txtar")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(section(ar, "json"))
	f.Add([]byte(`{"version":1,"messages":[{"version":{}},{"summary":{}}]}`))
	f.Add([]byte(`{"version":1,"messages":[[[[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var messages []lamina.Message
		err := Read(bytes.NewReader(b), func(m lamina.Message) error {
			messages = append(messages, m)
			return nil
		})
		if err != nil {
			return
		}
		for _, o := range outputs {
			render(t, o.format, o.o, messages)
		}
	})
}
