package cloudtrail_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"

	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/source"
)

func good(i int) string {
	return fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"key":"k%d"},"readOnly":true}`, i)
}

func goods(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, good(i))
	}
	return out
}

func records(recs ...string) string { return `{"Records":[` + strings.Join(recs, ",") + `]}` }

func lines(recs ...string) string { return strings.Join(recs, "\n") + "\n" }

func gz(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, 6)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// again repeats a text n times without holding it.
func again(text string, n int64) io.Reader {
	return io.LimitReader(&loop{text: text}, int64(len(text))*n)
}

type loop struct {
	text string
	at   int
}

func (l *loop) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := copy(p[n:], l.text[l.at:])
		n, l.at = n+k, (l.at+k)%len(l.text)
	}
	return n, nil
}

func text(parts ...string) io.Reader { return strings.NewReader(strings.Join(parts, "")) }

// An animal is one hostile input and what must come of it. -1 is any number.
type animal struct {
	name        string
	in          func() io.Reader
	yielded     int64
	quarantined int64
	reason      string // in the first skip, "" when there must be none, "*" for any
}

// zoo makes the animals. Names speak of the sizes that LAMINA_LONG=1 gives; without
// it they are 32 times smaller.
func zoo(t *testing.T) []animal {
	t.Helper()
	big := int64(64 << 20)
	if os.Getenv("LAMINA_LONG") != "" {
		big = 2 << 30
	}
	a := strings.Repeat("a", 1<<16)
	of := func(s ...string) func() io.Reader { return func() io.Reader { return text(s...) } }
	deep := func(n int) string {
		return `{"eventName":"x","requestParameters":` + strings.Repeat(`{"a":[`, n/2) + strings.Repeat(`]}`, n/2) + `}`
	}
	long := func(n int) string {
		const head, tail = `{"eventName":"`, `"}`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	utf16le := func(s string) string {
		var b bytes.Buffer
		for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
			if err := binary.Write(&b, binary.LittleEndian, u); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	const bad = `{"eventVersion":"1.08","eventName":"broken"`
	zoo := []animal{
		{"empty file", of(""), 0, 0, ""},
		{"only blanks, 1 GB", func() io.Reader { return again(strings.Repeat(" \n", 1<<15), big>>17) }, 0, 0, ""},
		{"2 GB line", func() io.Reader {
			return io.MultiReader(text(lines(good(0))+`{"eventName":"`), again(a, big>>16), text("\"}\n", lines(goods(1, 3)...)))
		}, 3, 1, "record longer than"},
		{"2 GB line among records", func() io.Reader {
			return io.MultiReader(text(`{"Records":[`+good(0)+`,{"eventName":["`), again(a, big>>16), text(`"]},`+good(1)+`]}`))
		}, 2, 1, "record longer than"},
		{"2 GB of text", func() io.Reader { return io.MultiReader(again(a, big>>16), text("\n"+good(0))) }, 1, 1, "text that is no JSON object"},
		{"2 GB of members before the records", func() io.Reader {
			return io.MultiReader(text(`{"x":[1`), again(`,{"y":"z","a":[{}]}`, big/19), text(`],"Records":[`+good(0)+`]}`))
		}, 1, 0, ""},
		{"256 MB of NUL bytes", func() io.Reader {
			return io.MultiReader(text(lines(good(0))), again(strings.Repeat("\x00", 1<<16), big>>19), text("\n"+lines(good(1))))
		}, 2, 1, "NUL bytes"},
		{"256 MB of braces", func() io.Reader {
			return io.MultiReader(again(strings.Repeat("{", 1<<16), big>>19), text("\n"+good(0)))
		}, 1, 1, "a bracket or brace"},
		{"256 MB of brackets", func() io.Reader {
			return io.MultiReader(again(strings.Repeat("[", 1<<16), big>>19), text("\n"+good(0)))
		}, 1, 1, "nested deeper than 64"},
		{"256 MB of quotes", func() io.Reader { return again(strings.Repeat(`"`, 1<<16), big>>19) }, 0, 1, "text that is no JSON object"},
		{"256 MB of starts of records", func() io.Reader { return again(`{"eventVersion":"1",`, big/160) }, 0, -1, "*"},
		{"256 MB of starts of records in lists", func() io.Reader { return again(`{"eventVersion":[`, big/136) }, 0, -1, "*"},
		{"256 MB of starts of records in strings", func() io.Reader { return again(`{"eventVersion":"`, big/136) }, 0, -1, "*"},
		{"256 MB of starts at line starts", func() io.Reader { return again("{\"eventVersion\":[\"\n", big/152) }, 0, -1, "*"},
		{"256 MB of empty objects", func() io.Reader { return again(`{},`, big/24) }, 0, -1, "*"},
		{"depth 64", of(lines(deep(62), good(0))), 2, 0, ""},
		{"depth 65", of(lines(deep(64), good(0))), 1, 1, "nested deeper than 64"},
		{"depth 10,000", of(lines(good(0), deep(10_000), good(1))), 2, 1, "nested deeper than 64"},
		{"depth 10,000 among records", of(records(good(0), deep(10_000), good(1))), 2, 1, "nested deeper than 64"},
		{"longest record", of(lines(long(1<<20), good(0))), 2, 0, ""},
		{"record too long by a byte", of(lines(long(1<<20+1), good(0))), 1, 1, "record longer than 1048576 bytes"},
		{"duplicate keys", of(`{"eventName":"a","eventName":"b","eventName":"c"}`), 1, 0, ""},
		{"lone surrogates", of(`{"eventName":"\ud800","x":"\udc00\ud800"}`), 1, 0, ""},
		{"huge numbers", of(`{"eventName":1e999999,"x":123456789012345678901234567890123456789012345678901234567890.5e-400}`), 1, 0, ""},
		{"wrong number", of(`{"eventName":01}`), 0, 1, "a number is malformed"},
		{"invalid UTF-8", of("{\"eventName\":\"\xff\xfe\xc0\x80\"}"), 1, 0, ""},
		{"byte order mark", of("\ufeff" + records(good(0))), 1, 0, ""},
		{"UTF-16", of(utf16le(records(good(0)))), 0, 1, "text that is no JSON object"},
		{"CRLF", of(strings.ReplaceAll(lines(goods(0, 3)...), "\n", "\r\n")), 3, 0, ""},
		{"records are null", of(`{"Records":null}`), 0, 0, ""},
		{"record is a number", of(`{"Records":[1,` + good(0) + `]}`), 1, 1, "record is not an object"},
		{"records in a string", of(`{"eventName":"x","y":"{\"Records\":[{\"eventName\":\"fake\"}]}"}`), 1, 0, ""},
		{"records inside a record", of(records(`{"eventVersion":"1","requestParameters":{"Records":[` + good(8) + `,` + good(9) + `]},"resources":[` + good(8) + `,` + good(9) + `]}`)), 1, 0, ""},
		{"NUL byte in a string", of(records(good(0), `{"eventVersion":"`+"\x00"+`"}`, good(1))), 2, 1, "a NUL byte"},
		{"line feed in a string", of(lines(good(0), "{\"eventVersion\":\"a\nb\"}", good(1))), 2, 1, "a line ends inside a string"},
		{"trailing text", of(records(good(0)) + "\nthe end"), 1, 1, "text that is no JSON object"},
		{"truncated record", of(`{"Records":[` + good(0) + `,` + bad), 1, 1, "truncated"},
		{"truncated list", of(`{"Records":[` + good(0) + `,`), 1, 0, "truncated"},
		{"broken among records", of(records(good(0), bad, good(1))), 2, 1, "a bracket or brace"},
		{"broken among lines", of(lines(good(0), bad, good(1))), 2, 1, "a bracket or brace"},
		{"broken in a list", of(`[` + good(0) + `,` + bad + `,` + good(1) + `]`), 2, 1, "a bracket or brace"},
		{"broken among indented", of("{\n  \"Records\": [\n    " + good(0) + ",\n    " + bad + ",\n    " + good(1) + "\n  ]\n}"), 2, 1, "a bracket or brace"},
		{"broken among objects", of(good(0) + bad + good(1)), 2, 1, "a bracket or brace"},
		{"broken EventBridge line", of(lines(`{"version":"0","detail":`+good(0)+`}`, `{"version":"0","detail":`+bad, `{"version":"0","detail":`+good(1)+`}`)), 2, 1, "a bracket or brace"},
		{"broken message", of(`{"logEvents":[{"id":"1","message":"{\"eventName\":"},{"id":"2","message":"{\"eventName\":\"x\"}"}]}`), 1, 1, "message: invalid JSON"},
		{"broken CloudTrailEvent", of(`{"Events":[{"EventId":"1","CloudTrailEvent":"{]}"},{"EventId":"2","CloudTrailEvent":"{\"eventName\":\"x\"}"}]}`), 1, 1, "lookup-events: invalid JSON"},
		{"broken event.original", of(lines(`{"event":{"original":"{\"eventName\":\u0000}"}}`, `{"event":{"original":"{\"eventName\":1}"}}`)), 1, 1, "elastic: invalid JSON"},
		{"control message", of(`{"messageType":"CONTROL_MESSAGE","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}`), 0, 0, ""},
		{"digest", of(`{"awsAccountId":"111122223333","digestStartTime":"2024-01-01T00:00:00Z","logFiles":[{"s3Object":"x"}]}`), 1, 0, ""},
		{"long digest", of(`{"awsAccountId":"111122223333","digestStartTime":"2024-01-01T00:00:00Z","logFiles":[` + strings.Repeat(`{"s3Object":"x"},`, 400_000) + `{}]}`), 1, 0, ""},
		{"digest too long", of(`{"awsAccountId":"111122223333","digestStartTime":"2024-01-01T00:00:00Z","logFiles":[` + strings.Repeat(`{"s3Object":"x"},`, 600_000) + `{}]}`), 0, 1, "record longer than 8388608 bytes"},
		{"insight", of(records(`{"eventVersion":"1.08","eventType":"AwsCloudTrailInsight","insightDetails":{"state":"Start"}}`)), 1, 0, ""},
	}
	whole := gz(t, records(goods(0, 2000)...))
	for i := range 16 {
		zoo = append(zoo, animal{fmt.Sprintf("gzip cut at %d/16", i), of(whole[:len(whole)*i/16]), -1, -1, "the compressed data ends early"})
	}
	zoo[len(zoo)-16].reason = "" // an empty file
	rng := rand.New(rand.NewPCG(3, 5))
	for i := range 24 {
		b := []byte(whole)
		at := 10 + rng.IntN(len(b)-10)
		b[at] ^= 1 << rng.IntN(8)
		zoo = append(zoo, animal{fmt.Sprintf("gzip with bit flip %d", i), of(string(b)), -1, -1, "*"})
	}
	zeros := gz(t, strings.Repeat("\x00", 16<<20))
	return append(zoo, animal{"gzip bomb, 1 GB of zeros", of(strings.Repeat(zeros, 64)), 0, 1, "NUL bytes"})
}

func TestZoo(t *testing.T) {
	d := cloudtrail.NewReader(nil, cloudtrail.Limits{})
	dir := t.TempDir()
	for _, a := range zoo(t) {
		t.Run(a.name, func(t *testing.T) {
			in := a.in()
			var blob *source.Blob
			if r, ok := in.(*strings.Reader); ok {
				// What fits a file goes the whole way.
				path := filepath.Join(dir, "animal.json")
				b, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
				set, err := source.Find(t.Context(), []string{path}, source.Options{})
				if err != nil {
					t.Fatal(err)
				}
				blob = set.Blobs[0]
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			if blob != nil {
				f, err := blob.Open()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = f.Close() }()
				in = f
			}
			d.Reset(in)
			var skips []cloudtrail.Skip
			d.Skipped = func(s cloudtrail.Skip) {
				if len(skips) < 100 {
					skips = append(skips, s)
				}
			}
			last, sum := int64(-1), int64(0)
			for {
				rec, err := d.Next()
				if err != nil {
					var e *source.Error
					if !errors.Is(err, io.EOF) && !errors.As(err, &e) {
						t.Fatal(err)
					}
					break
				}
				if rec.Offset <= last {
					t.Fatalf("offset %d after %d", rec.Offset, last)
				}
				last = rec.Offset
				sum += int64(len(rec.Raw))
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			c := d.Counts()
			reason := ""
			if len(skips) > 0 {
				reason = skips[0].Reason
			}
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 10
			t.Logf("%7d yielded %7d quarantined %6d KiB %8s  %s", c.Records, c.Quarantined, allocated, took.Round(time.Millisecond), reason)
			if a.yielded >= 0 && c.Records != a.yielded || a.quarantined >= 0 && c.Quarantined != a.quarantined {
				t.Errorf("yielded %d and quarantined %d, want %d and %d; skips %+v", c.Records, c.Quarantined, a.yielded, a.quarantined, skips)
			}
			if a.reason != "*" && (a.reason != "" || len(skips) != 0) && (a.reason == "" || !strings.Contains(reason, a.reason)) {
				t.Errorf("first reason %q, want %q", reason, a.reason)
			}
			if strings.HasPrefix(a.name, "gzip with") && len(skips) > 0 && len(skips) < 100 && !strings.Contains(skips[len(skips)-1].Reason, "compressed data") {
				t.Errorf("the damage of the file is not reported: %+v", skips[len(skips)-1])
			}
			if strings.HasPrefix(a.name, "gzip with") && len(skips) == 0 && c.Records != 2000 {
				t.Errorf("records are missing and nothing says so")
			}
			if allocated > 64<<10 {
				t.Errorf("allocated %d KiB", allocated)
			}
		})
	}
}

// All formats side by side in one directory.
func TestZoo_mixed_directory(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"a.json":      records(goods(0, 3)...),
		"b.json.gz":   gz(t, records(goods(3, 6)...)),
		"c.ndjson":    lines(goods(6, 9)...),
		"d.txt":       "not a log",
		"e.json.gz":   gz(t, records(goods(9, 12)...))[:60],
		"f/g.json":    "[" + strings.Join(goods(12, 15), ",") + "]",
		"f/h.json":    "",
		"f/.ignore":   good(99),
		"f/noext":     good(15),
		"f/photo.gz":  "\xff\xd8\xff\xe0",
		"f/empty.zst": "\x28\xb5\x2f\xfd",
	}
	for name, s := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := source.Find(t.Context(), []string{dir}, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := cloudtrail.NewReader(nil, cloudtrail.Limits{})
	var got []string
	for _, b := range set.Blobs {
		f, err := b.Open()
		if err != nil {
			t.Fatal(err)
		}
		d.Reset(f)
		d.Skipped = func(s cloudtrail.Skip) {
			rel, err := filepath.Rel(dir, b.Name)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s: %s", filepath.ToSlash(rel), s.Reason))
		}
		n := 0
		for {
			if _, err = d.Next(); err != nil {
				break
			}
			n++
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d", b.Name, n)
	}
	want := []string{
		"e.json.gz: the compressed data ends early at offset 0: reading ended inside a list of records; how many are missing cannot be known",
		"f/empty.zst: the compressed data ends early at offset 0",
		"f/photo.gz: text that is no JSON object",
	}
	if len(got) != len(want) || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %q, want %q", got, want)
	}
}
