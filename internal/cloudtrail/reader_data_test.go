package cloudtrail

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Real records come out of every frame as they went in.
func TestReader_on_real_records(t *testing.T) {
	data := os.Getenv("LAMINA_TESTDATA")
	if data == "" {
		t.Skip("LAMINA_TESTDATA is not set: no records by others to read")
	}
	files, err := filepath.Glob(filepath.Join(data, "cloudtrail", "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no records in %s: %v", data, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range bytes.Lines(text) {
			var x struct{ Event json.RawMessage }
			if err := json.Unmarshal(line, &x); err != nil {
				t.Fatal(err)
			}
			want = append(want, string(x.Event))
		}
		var compact []string
		for _, w := range want {
			var b bytes.Buffer
			if err := json.Compact(&b, []byte(w)); err != nil {
				t.Fatal(err)
			}
			compact = append(compact, b.String())
		}
		indented := func(recs []string) string {
			var b bytes.Buffer
			if err := json.Indent(&b, []byte(`{"Records":[`+strings.Join(recs, ",")+`]}`), "", "    "); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		embed := func(recs []string) string {
			var b strings.Builder
			for _, r := range recs {
				q, err := json.Marshal(r)
				if err != nil {
					t.Fatal(err)
				}
				b.WriteString(`{"event":{"original":` + string(q) + "}}\n")
			}
			return b.String()
		}
		for _, c := range []struct {
			name, in string
			want     []string
			same     bool // byte for byte
		}{
			{"as they are", string(text), want, true},
			{"records", `{"Records":[` + strings.Join(compact, ",") + `]}`, compact, true},
			{"lines", strings.Join(compact, "\n"), compact, true},
			{"indented", indented(compact), compact, false},
			{"embedded", embed(want), want, true},
		} {
			got := readAll(&dribble{c.in, 30_000, io.EOF}, Limits{})
			if len(got.Skips) > 0 || len(got.Records) != len(c.want) {
				t.Errorf("%s, %s: %d records of %d, skips %v", filepath.Base(file), c.name, len(got.Records), len(c.want), got.Skips)
				continue
			}
			for i := range c.want {
				r := got.Records[i]
				if !c.same {
					var b bytes.Buffer
					if err := json.Compact(&b, []byte(r)); err != nil {
						t.Fatal(err)
					}
					r = b.String()
				}
				if r != c.want[i] {
					t.Errorf("%s, %s: record %d is\n%s\nwant\n%s", filepath.Base(file), c.name, i, r, c.want[i])
					break
				}
			}
		}
		t.Logf("%s: %d records", filepath.Base(file), len(want))
	}
}
