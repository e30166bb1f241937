package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/rule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine runs one rule.
func engine(tb testing.TB, query string) *detect.Engine {
	tb.Helper()
	r, err := rule.Parse("test.toml", []byte("[rule]\nrule_id = \"t\"\nname = \"t\"\ndescription = \"d\"\ntype = \"query\"\nlanguage = \"kuery\"\nseverity = \"low\"\nrisk_score = 21\nquery = '''"+query+"'''\n"))
	if err != nil {
		tb.Fatal(err)
	}
	p, err := r.Compile(rule.CompileOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	e, err := detect.New(detect.Config{Programs: []*rule.Program{p}, Schedule: detect.Once})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func event(id int, action string) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","eventTime":"2026-06-18T13:%02d:00Z","eventSource":"lambda.amazonaws.com","eventName":%q,"eventID":"e%d","recipientAccountId":"111122223333","requestParameters":{"functionName":"f"}}`, id%60, action, id)
}

func zipped(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// write makes a folder of files and finds them.
func write(tb testing.TB, files map[string][]byte) *source.Set {
	tb.Helper()
	dir := tb.TempDir()
	for name, data := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	set, err := source.Find(tb.Context(), []string{dir}, source.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// What comes in is evaluated, a digest, or set aside with file, offset and
// reason; the rest of a damaged file, and the other files, go on.
func TestRun_counts_everything(t *testing.T) {
	good := `{"Records":[` + event(1, "Invoke") + "," + event(2, "GetFunction") + `]}`
	gz := zipped(t, good)
	set := write(t, map[string][]byte{
		"a.json.gz":       gz,
		"b/cut.json.gz":   zipped(t, strings.Repeat(good+"\n", 400))[:600],
		"c/broken.ndjson": []byte(event(3, "Invoke") + "\n" + `{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","x":{"y":tru}}` + "\n" + event(4, "Invoke") + "\n"),
		"d/digest.json":   []byte(`{"awsAccountId":"111122223333","digestStartTime":"2026-06-18T12:00:00Z","digestEndTime":"2026-06-18T13:00:00Z","logFiles":[]}`),
		"e/empty.json":    []byte(`{"Records":[]}`),
	})
	for jobs := range 4 {
		var skipped []string
		eng := engine(t, "event.action: Invoke")
		ws, c, err := ingest.Run(t.Context(), set.Blobs, eng, ingest.Options{Jobs: jobs, Skipped: func(s lamina.Skipped) error {
			skipped = append(skipped, fmt.Sprintf("%s %d", filepath.Base(s.File), s.Records))
			if s.Reason == "" {
				t.Errorf("%s was set aside without a reason", s.File)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if c.Records != c.Evaluated+c.Digests+c.Quarantined+c.Outside || c.Files != 5 || c.FailedFiles != 1 || c.Digests != 1 || c.Quarantined < 1 {
			t.Errorf("jobs %d: counts %+v", jobs, c)
		}
		if len(skipped) < 2 || !strings.HasPrefix(skipped[0], "cut.json.gz") || skipped[len(skipped)-1] != "broken.ndjson 1" {
			t.Errorf("jobs %d: skipped %q", jobs, skipped)
		}
		ids := map[string]bool{}
		ev := &cloudtrail.Event{}
		run := eng.NewRun(func(b []byte) (detect.Record, error) { return ev, ev.Reset(b) }, func(a lamina.Alert) error {
			ids[a.EventIDs[0]] = true
			return nil
		})
		if err := run.Finish(ws...); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(map[string]bool{"e1": true, "e3": true, "e4": true}, ids); d != "" {
			t.Errorf("jobs %d: alerts (-want +got):\n%s", jobs, d)
		}
	}
}

// A million broken lines cost neither memory nor output, and are all counted.
func TestRun_bounds_what_it_names(t *testing.T) {
	set := write(t, map[string][]byte{"bad.ndjson": []byte(strings.Repeat(`{"eventName":"x","y":[tru]}`+"\n", 5000))})
	var named, records int
	_, c, err := ingest.Run(t.Context(), set.Blobs, engine(t, "event.action: x"), ingest.Options{Skipped: func(s lamina.Skipped) error {
		named++
		records += s.Records
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Quarantined != 5000 || records != 5000 || named > 1001 {
		t.Errorf("%d quarantined, %d records in %d lines, want 5000 in at most 1001", c.Quarantined, records, named)
	}
}

func TestRun_stops_when_cancelled(t *testing.T) {
	files := map[string][]byte{}
	for i := range 50 {
		files[fmt.Sprintf("%d.json", i)] = []byte(strings.Repeat(event(i, "Invoke")+"\n", 100))
	}
	set := write(t, files)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := ingest.Run(ctx, set.Blobs, engine(t, "event.action: x"), ingest.Options{Jobs: 2, Progress: func(n int, _ int64) {
		if n == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	stop := errors.New("the disk is full")
	set = write(t, map[string][]byte{"bad.json": []byte("{\"a\"")})
	if _, _, err := ingest.Run(t.Context(), set.Blobs, engine(t, "event.action: x"), ingest.Options{Skipped: func(lamina.Skipped) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("error %v, want that of Skipped", err)
	}
}
