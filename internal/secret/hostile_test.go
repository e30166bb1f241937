package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

// A thousand random values, each in a format, a file or a wrapping of its own:
// nothing this package returns, prints or panics with holds six characters of
// one in a row, but for the last four it may show.
func TestCanaries(t *testing.T) {
	key := []byte("the key of the project")
	e := New(Options{Key: key, Generic: true})
	places := []struct{ path, before, after string }{
		{"python/lib/python3.12/site-packages/a.py", "t = 'ghp_", "0a1b2c3d4e5f'"},
		{"nodejs/node_modules/a/index.js", "const k = \"sk_live_", "\""},
		{".env", "DB_PASSWORD=", "\n"},
		{"python/a.ini", "password = ", "\n"},
		{".npmrc", "//r.acme.internal/:_authToken=", "\n"},
		{"a.txt", "postgres://app:", "@db.acme.internal/x"},
		{"a.txt", "Server=db;User Id=u;Password=", ";"},
		{"terraform.tfstate", `{"db_password": "`, `"}`},
		{".netrc", "machine a login b password ", "\n"},
		{".git-credentials", "https://u:", "@git.acme.internal\n"},
		{"a.py", "hf_", "0123456789"},
		{"a.yaml", "datadog_api_key: ", "\n"},
		{"a.sh", "curl -H 'Authorization: Bearer ", "' x"},
		{"lib/a.so", "\x7fELF\x00\x00glpat-", "\x00\x00"},
		{"a.txt", "-----BEGIN " + "RSA PRIVATE KEY-----\n" + strings.Repeat("A1b2C3d4", 12) + "\n", "\n-----END RSA PRIVATE KEY-----\n"},
		{"a.json", `{"kty":"oct","d":"` + strings.Repeat("a1B2", 5), `"}`},
		{".docker/config.json", `{"auths":{"x":{"auth":"`, `"}}}`},
	}
	r := rand.New(rand.NewPCG(4, 4))
	found := 0
	for i := range 1000 {
		m := maker{r: r}
		canary := m.of(base62, 24)
		p := places[i%len(places)]
		text := []byte(p.before + canary + p.after)
		if i%5 == 4 {
			text = []byte("x = " + base64.StdEncoding.EncodeToString(text))
		}
		rep := e.Inspect(text, Hint{Path: p.path})
		rep2, err := e.ScanReaderAt(bytes.NewReader(text), int64(len(text))+1, Hint{Path: p.path})
		if err == nil {
			t.Error("a short file is no error")
		}
		rep3, err3 := e.ScanReaderAt(bytes.NewReader(text), int64(len(text)), Hint{Path: p.path})
		if err3 != nil || !same(rep, rep3) {
			t.Errorf("reading differs: %v", err3)
		}
		s := e.newSearch(Hint{Path: p.path}, false, int64(len(text)))
		s.window(text, 0, 0, len(text))
		out := fmt.Sprint(rep, rep2, rep3, err, e, e.options) +
			fmt.Sprintf("%v %+v %#v", rep, rep, rep) + fmt.Sprintf("%v %+v %#v", e, e, e) +
			fmt.Sprintf("%v %+v %#v", s.found, s.found, s.found) + string(must(json.Marshal(rep))) + string(must(json.Marshal(e.options))) + panicked(e, text)
		found += min(len(rep.Hits), 1)
		for j := 0; j+6 <= len(canary); j++ {
			if strings.Contains(out, canary[j:j+6]) {
				t.Fatalf("%s: %q of the value shows in %q", p.path, canary[j:j+6], out)
			}
		}
		if strings.Contains(out, string(key)) || strings.Contains(out, fmt.Sprint(key)) { //nolint:staticcheck // as numbers
			t.Fatal("the key shows")
		}
	}
	if found < 600 { // base64 is followed for some formats only
		t.Errorf("only %d of 1000 were found at all", found)
	}
}

// panicked is what a reader that panics with the engine at work leaves behind.
func panicked(e *Engine, text []byte) (out string) {
	defer func() { out = fmt.Sprintf("%v %+v", recover(), e) }()
	_, err := e.ScanReaderAt(panics{text}, int64(len(text)), Hint{})
	return fmt.Sprint(err)
}

type panics struct{ text []byte }

func (p panics) ReadAt(b []byte, off int64) (int, error) {
	if off == 0 && len(b) > 2 {
		copy(b, p.text)
		panic(errors.New("the reader is broken"))
	}
	return copy(b, p.text[off:]), nil
}

// Every special file is read by its name, in any folder, and not by another name.
func TestNamedFiles(t *testing.T) {
	e := New(Options{Key: []byte("k")})
	r := rand.New(rand.NewPCG(8, 8))
	for _, n := range namedFiles() {
		t.Run(n.kind, func(t *testing.T) {
			for _, name := range n.names {
				file := "python/lib/acme/" + strings.ReplaceAll(name, "*", "x")
				ok := 0
				for range 10 {
					text := "\n" + maker{r: r, calm: true}.pattern(n.pattern) + "\n"
					if strings.HasPrefix(n.pattern, `\A`) {
						text = strings.TrimSpace(text)
					}
					if n.pattern == "" {
						text = n.magic[r.IntN(len(n.magic))] + strings.Repeat("\x01", 40)
					}
					if rep := e.Inspect([]byte(text), Hint{Path: file}); has(rep, n.kind) || slices.ContainsFunc(rep.Hits, func(h Hit) bool { return h.Offset > 0 }) {
						ok++
					}
					if rep := e.Inspect([]byte(text), Hint{Path: "python/lib/acme/readme.rst"}); has(rep, n.kind) {
						t.Errorf("%s: found under another name", file)
					}
					if name == strings.ToLower(name) && !has(e.Inspect([]byte(text), Hint{Path: strings.ToUpper(file)}), n.kind) && has(e.Inspect([]byte(text), Hint{Path: file}), n.kind) {
						t.Errorf("%s: not found in upper case", file)
					}
				}
				if ok < 7 {
					t.Errorf("%s: found %d of 10", file, ok)
				}
			}
		})
	}
	if rep := e.Inspect([]byte("PASSWORD=${PASSWORD}\nTOKEN=changeme\nSECRET_NAME=x\n"), Hint{Path: ".env"}); len(rep.Hits) > 0 || rep.Suppressed[template] != 1 || rep.Suppressed[placeholder] != 1 {
		t.Errorf("examples in .env: %+v", rep)
	}
	for _, n := range namedFiles() {
		for _, name := range n.names {
			if name != strings.ToLower(name) || path.IsAbs(name) {
				t.Errorf("%s: name %q", n.kind, name)
			}
		}
	}
}

// A flood of anchors, values or almost-values takes time in proportion to its
// size: no 32 KiB may take a second, on the slowest machine.
func TestScan_floods(t *testing.T) {
	e := New(Options{Key: []byte("k"), Generic: true})
	r := rand.New(rand.NewPCG(8, 8))
	slowest, which := time.Duration(0), ""
	for _, f := range allFormats() {
		texts := map[string]string{}
		for _, a := range f.anchors[:1] {
			texts["tight"], texts["spaced"] = a, a+" "
			if f.wraps {
				texts["base64"] = base64.StdEncoding.EncodeToString([]byte(a + "xx"))
				texts["base64_spaced"] = base64.StdEncoding.EncodeToString([]byte(a+"xx")) + " "
			}
		}
		if f.pattern != "" {
			v := maker{r: r, least: true}.pattern(f.pattern)
			texts["cut"] = v[:len(v)-1] + " "
			texts["values"] = v + "\n"
		}
		for name, unit := range texts {
			data := bytes.Repeat([]byte(unit), (32<<10)/len(unit)+1)
			start := time.Now()
			e.Inspect(data, Hint{Path: "a.ini"})
			if d := time.Since(start); d > 50*time.Millisecond {
				t.Logf("%s %s: %v", f.kind, name, d)
			}
			if d := time.Since(start); d > slowest {
				slowest, which = d, f.kind+" "+name
			}
		}
	}
	t.Logf("slowest: %v, %s", slowest, which)
	if slowest > time.Minute {
		t.Errorf("%s takes %v", which, slowest)
	}
}

// More values than a report holds are said to be incomplete, never dropped in
// silence.
func TestInspect_truncated(t *testing.T) {
	e := New(Options{})
	var b strings.Builder
	m := maker{r: rand.New(rand.NewPCG(1, 9))}
	for range maxHits + 10 {
		b.WriteString("AKIA" + m.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) + "\n")
	}
	rep := e.Inspect([]byte(b.String()), Hint{})
	if rep.Incomplete == "" || len(rep.Hits) > maxHits || len(rep.Hits) < maxHits-50 {
		t.Errorf("%d hits, incomplete %q", len(rep.Hits), rep.Incomplete)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errors.New("broken") }

func TestScanReaderAt_error(t *testing.T) {
	rep, err := New(Options{}).ScanReaderAt(failing{}, 10, Hint{Path: "a"})
	if err == nil || rep.Incomplete == "" {
		t.Errorf("got %+v, %v", rep, err)
	}
}

// A special file too large for its format is incomplete.
func TestScanReaderAt_large_special_file(t *testing.T) {
	data := bytes.Repeat([]byte("A=1\n"), 6<<20/4)
	rep, err := New(Options{}).ScanReaderAt(bytes.NewReader(data), int64(len(data)), Hint{Path: ".env"})
	if err != nil || rep.Incomplete == "" {
		t.Errorf("got %+v, %v", rep, err)
	}
}

// Lines are counted across windows.
func TestScanReaderAt_lines(t *testing.T) {
	id := "AKIA" + "Z2Y3X4W5V6U7T2S3"
	data := []byte(strings.Repeat("line\n", 2_000_000) + id + "\n")
	rep, err := New(Options{}).ScanReaderAt(bytes.NewReader(data), int64(len(data)), Hint{Path: "a.txt"})
	if err != nil || len(rep.Hits) != 1 || rep.Hits[0].Line != 2_000_001 || rep.Hits[0].Offset != 10_000_000 {
		t.Errorf("got %+v, %v", rep, err)
	}
}

// What cannot be searched in reasonable time is said to be incomplete.
func TestInspect_flood_is_incomplete(t *testing.T) {
	rep := New(Options{}).Inspect(bytes.Repeat([]byte("jdbc:"), 1<<20), Hint{})
	if rep.Incomplete == "" {
		t.Error("a flood is complete")
	}
}
