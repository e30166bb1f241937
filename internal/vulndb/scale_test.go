package vulndb_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/vulndb"
)

// TestScale builds a database of the size of all of osv.dev's ecosystems that
// layers are made of: 60,000 advisories and 200,000 malicious packages.
func TestScale(t *testing.T) {
	if os.Getenv("LAMINA_LONG") == "" {
		t.Skip("LAMINA_LONG is not set")
	}
	b := vulndb.NewBuilder()
	start := time.Now()
	for i := range 60_000 {
		e := []string{"PyPI", "npm", "Maven", "Go"}[i%4]
		typ := map[string]string{"PyPI": "ECOSYSTEM", "Maven": "ECOSYSTEM"}[e]
		if typ == "" {
			typ = "SEMVER"
		}
		b.Add("r.json", []byte(record(fmt.Sprintf("GHSA-%04x-%04x", i, i*7919%65536), e, fmt.Sprintf("example.com/package-%d", i%9000),
			`"ranges":[`+events(fmt.Sprintf("%s introduced=0 fixed=1.%d.%d introduced=2.0.0 fixed=2.%d.%d", typ, i%30, i%9, i%17, i%5))+`]`,
			fmt.Sprintf(`"aliases":["CVE-2025-%d"]`, i), `"summary":"A summary of about the length that advisories of GitHub have, which is seventy"`,
			`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}]`)))
	}
	for i := range 200_000 {
		b.Add("r.json", []byte(record(fmt.Sprintf("MAL-2025-%d", i), "npm", fmt.Sprintf("@evil%d/package-name-%d", i%1000, i),
			`"ranges":[`+events("SEMVER introduced=0")+`]`, fmt.Sprintf(`"summary":"Malicious code in package-name-%d (npm)"`, i))))
	}
	read := time.Since(start)
	data, err := b.Build(built)
	if err != nil {
		t.Fatal(err)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	t.Logf("read %v, built %v, %d bytes, %d MiB from the system", read, time.Since(start)-read, len(data), mem.Sys>>20)
	name := filepath.Join(t.TempDir(), "lamina.db")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	db, err := vulndb.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // read only
	opened := time.Since(start)
	start = time.Now()
	if err := db.Check(); err != nil {
		t.Error(err)
	}
	t.Logf("opened in %v, checked in %v", opened, time.Since(start))
	start = time.Now()
	const n = 20_000
	for i := range n {
		db.Lookup("PyPI", fmt.Sprintf("example.com/package-%d", i%18_000), "1.10.2")
	}
	t.Logf("%v a lookup, every second of a package with advisories", time.Since(start)/n)
	if limit := 40 << 20; len(data) > limit {
		t.Errorf("%d bytes are more than %d", len(data), limit)
	}
	if opened > 100*time.Millisecond {
		t.Errorf("opened in %v", opened)
	}
}
