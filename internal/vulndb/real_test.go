package vulndb_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/lamina-sec/lamina/internal/vulndb"
)

// advisories is PyPA's database as a tar archive; the test is skipped where
// there is none.
func advisories(tb testing.TB) string {
	tb.Helper()
	data := os.Getenv("LAMINA_TESTDATA")
	if data == "" {
		tb.Skip("LAMINA_TESTDATA is not set")
	}
	name := filepath.Join(data, "advisories", "pypa-advisories.tar.gz")
	if _, err := os.Stat(name); err != nil {
		tb.Skip("no advisories in LAMINA_TESTDATA")
	}
	return name
}

func realDB(tb testing.TB) *vulndb.DB {
	tb.Helper()
	b := vulndb.NewBuilder()
	if err := b.Read(tb.Context(), advisories(tb), nil); err != nil {
		tb.Fatal(err)
	}
	for _, bad := range b.Bad() {
		tb.Errorf("%s: %s", bad.File, bad.Reason)
	}
	db := open(tb, b)
	tb.Logf("%d bytes, %+v", db.Size(), b.Counts())
	return db
}

func TestReal_advisories(t *testing.T) {
	db := realDB(t)
	if err := db.Check(); err != nil {
		t.Error(err)
	}
	if c := db.Info().Counts; c != (vulndb.Counts{Read: 2661, Kept: 2651, Withdrawn: 10}) {
		t.Errorf("counts: %+v", c)
	}
	for _, tt := range []struct {
		name, version string
		want          []string
	}{
		{"urllib3", "1.26.16", []string{"CVE-2023-43804", "CVE-2023-45803"}},
		{"urllib3", "1.26.17", []string{"CVE-2023-45803"}},
		{"urllib3", "1.26.18", nil},
		{"urllib3", "2.0.6", []string{"CVE-2023-45803"}},
		{"urllib3", "2.0.7", nil},
	} {
		var got []string
		for _, m := range db.Lookup("PyPI", tt.name, tt.version) {
			got = append(got, m.IDs[0])
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s %s: got %v, want %v", tt.name, tt.version, got, tt.want)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	name := advisories(b)
	for b.Loop() {
		builder := vulndb.NewBuilder()
		if err := builder.Read(b.Context(), name, nil); err != nil {
			b.Fatal(err)
		}
		data, err := builder.Build(built)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(data)), "bytes")
	}
}

func BenchmarkOpen(b *testing.B) {
	name := filepath.Join(b.TempDir(), "lamina.db")
	builder := vulndb.NewBuilder()
	if err := builder.Read(b.Context(), advisories(b), nil); err != nil {
		b.Fatal(err)
	}
	data, err := builder.Build(built)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		db, err := vulndb.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	db := realDB(b)
	for _, q := range [][2]string{{"urllib3", "1.26.16"}, {"urllib3", "2.9"}, {"tensorflow", "2.4.0"}, {"boto3", "1.20.0"}} {
		b.Run(q[0]+"_"+q[1], func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = len(db.Lookup("PyPI", q[0], q[1]))
			}
			b.ReportMetric(float64(n), "matches")
		})
	}
}

// tarFiles yields the regular files of a tar.gz.
func tarFiles(tb testing.TB, name string) iter.Seq2[string, []byte] {
	tb.Helper()
	return func(yield func(string, []byte) bool) {
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close() //nolint:errcheck // read only
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		for r := tar.NewReader(z); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				tb.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err != nil {
				tb.Fatal(err)
			}
			if h.Typeflag == tar.TypeReg && !yield(h.Name, data) {
				return
			}
		}
	}
}
