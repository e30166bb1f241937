package corpus

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type record struct {
	EventVersion, EventTime, EventSource, EventName, EventID, AWSRegion, ErrorCode string
	UserIdentity                                                                   struct{ Type string }
	RequestParameters, ResponseElements                                            json.RawMessage
	ReadOnly                                                                       *bool
	RecipientAccountID                                                             string
}

func TestGenerate_looks_like_a_trail(t *testing.T) {
	dir := t.TempDir()
	stats, err := Generate(dir, Options{Seed: 1, Bytes: 40 << 20, ShareEvery: 2000})
	if err != nil {
		t.Fatal(err)
	}
	ratio := float64(stats.Bytes) / float64(stats.Compressed)
	mean := float64(stats.Bytes) / float64(stats.Events)
	failed := float64(stats.Errors) / float64(stats.Events)
	t.Logf("%+v: ratio %.2f, mean record %.0f bytes, errors %.1f %%", stats, ratio, mean, 100*failed)
	if ratio < 8 || ratio > 10 {
		t.Errorf("gzip -6 gives %.2f, want 8 to 10 as on real trails", ratio)
	}
	if mean < 1100 || mean > 1300 {
		t.Errorf("mean record of %.0f bytes, want about 1.2 KB", mean)
	}
	if failed < 0.07 || failed > 0.13 {
		t.Errorf("%.1f %% errors, want about 10", 100*failed)
	}
	if want := stats.Events / 2000; stats.Shares < want/2 || stats.Shares > want {
		t.Errorf("%d shares, want about %d", stats.Shares, want)
	}
	calls, types, ids := map[string]int{}, map[string]int{}, map[string]bool{}
	events, shares := 0, 0
	each(t, dir, func(path string, text []byte) {
		var doc struct{ Records []record }
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if !strings.HasPrefix(string(text), `{"Records":[{"eventVersion":"`) || !strings.HasSuffix(string(text), "}]}") {
			t.Errorf("%s is not laid out as CloudTrail does", path)
		}
		for _, r := range doc.Records {
			calls[r.EventSource+" "+r.EventName]++
			types[r.UserIdentity.Type]++
			if ids[r.EventID] || r.EventID == "" || r.ReadOnly == nil || len(r.RequestParameters) == 0 || r.EventTime == "" {
				t.Fatalf("%s: record %+v", path, r)
			}
			ids[r.EventID] = true
			if strings.HasPrefix(r.EventName, "AddLayerVersionPermission") {
				shares++
			}
			if !strings.Contains(path, r.RecipientAccountID+"_CloudTrail_"+r.AWSRegion) {
				t.Errorf("%s holds a record of %s in %s", path, r.RecipientAccountID, r.AWSRegion)
			}
		}
		events += len(doc.Records)
	})
	if events != stats.Events || shares != stats.Shares {
		t.Errorf("%d events with %d shares in the files, %d with %d in the statistics", events, shares, stats.Events, stats.Shares)
	}
	t.Logf("%d different calls, identities %v", len(calls), types)
	if len(calls) < 80 || len(types) < 3 {
		t.Errorf("%d different calls, identities %v", len(calls), types)
	}
}

func TestGenerate_is_the_same_for_the_same_options(t *testing.T) {
	sum := func(seed uint64) string {
		dir := t.TempDir()
		if _, err := Generate(dir, Options{Seed: seed, Bytes: 2 << 20}); err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		each(t, dir, func(path string, text []byte) {
			fmt.Fprintf(h, "%s %d\n", path, len(text))
			h.Write(text)
		})
		return hex.EncodeToString(h.Sum(nil))
	}
	if a, b := sum(1), sum(1); a != b {
		t.Errorf("the same seed gives %s and %s", a, b)
	}
	if a, b := sum(1), sum(2); a == b {
		t.Error("another seed gives the same bytes")
	}
}

// each reads the files of a corpus in order.
func each(t *testing.T, dir string, do func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		zr, err := gzip.NewReader(f)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(zr)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		do(filepath.ToSlash(rel), text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
