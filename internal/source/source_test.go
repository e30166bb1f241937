package source

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func names(set *Set, dir string) []string {
	var out []string
	for _, b := range set.Blobs {
		rel, err := filepath.Rel(dir, b.Name)
		if err != nil || b.Name == Stdin {
			rel = b.Name
		}
		out = append(out, filepath.ToSlash(rel))
	}
	return out
}

func mustFind(t *testing.T, opt Options, targets ...string) *Set {
	t.Helper()
	set, err := Find(t.Context(), targets, opt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestParsePlace(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		path string
		want Place
	}{
		{
			"AWSLogs/111122223333/CloudTrail/us-east-2/2014/03/05/111122223333_CloudTrail_us-east-2_20140305T0045Z_i51bHbQzUzrX3BcS.json.gz",
			Place{KindCloudTrail, "", "111122223333", "us-east-2", at("2014-03-05T00:45:00Z"), at("2014-03-05T00:46:00Z")},
		},
		{
			"b/AWSLogs/o-exampleorgid/111122223333/CloudTrail/eugov-eastcentral-1r/2024/12/31/111122223333_CloudTrail_eugov-eastcentral-1r_20241231T2355Z_abc.json.gz",
			Place{KindCloudTrail, "o-exampleorgid", "111122223333", "eugov-eastcentral-1r", at("2024-12-31T23:55:00Z"), at("2024-12-31T23:56:00Z")},
		},
		{
			"AWSLogs/111122223333/CloudTrail-Digest/us-gov-west-1/2024/01/02/111122223333_CloudTrail-Digest_us-gov-west-1_my_trail-1_us-gov-west-1_20240102T030405Z.json.gz",
			Place{KindDigest, "", "111122223333", "us-gov-west-1", at("2024-01-02T03:04:05Z"), at("2024-01-02T03:05:05Z")},
		},
		{
			"111122223333_CloudTrail-Insight_cn-north-1_20240102T0300Z_xYz.json.gz",
			Place{KindInsight, "", "111122223333", "cn-north-1", at("2024-01-02T03:00:00Z"), at("2024-01-02T03:01:00Z")},
		},
		{
			"AWSLogs/111122223333/CloudTrail/eu-west-1/2024/02/29/other-name.json.gz",
			Place{KindCloudTrail, "", "111122223333", "eu-west-1", at("2024-02-29T00:00:00Z"), at("2024-03-01T00:00:00Z")},
		},
		{"AWSLogs/111122223333/CloudTrail/eu-west-1/2024/13/29/x.json", Place{Kind: KindCloudTrail, Account: "111122223333", Region: "eu-west-1"}},
		{"logs/2024/01/02/events.json", Place{}},
		{"111122223333_Config_us-east-1_20240102T0300Z_x.json.gz", Place{}},
	} {
		if diff := cmp.Diff(c.want, ParsePlace(c.path)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.path, diff)
		}
	}
}

func TestFind_orders_and_prunes(t *testing.T) {
	dir := t.TempDir()
	day := func(d, hm string) string {
		return "AWSLogs/111122223333/CloudTrail/us-east-1/2024/05/" + d + "/111122223333_CloudTrail_us-east-1_202405" + d + "T" + hm + "Z_x.json.gz"
	}
	write(t, dir, map[string]string{
		day("01", "2200"): "a", day("01", "2330"): "b", day("02", "0010"): "c", day("02", "1200"): "d", day("03", "0005"): "e", day("03", "0200"): "f",
		"zz/plain.json":  "{}",
		"notes.md":       "# hello",
		"odd":            `[{"eventName":"x"}]`,
		".hidden/x.json": "{}",
		"x.bin":          "\x1f\x8b\x08",
	})
	set := mustFind(t, Options{
		Since: time.Date(2024, 5, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2024, 5, 3, 0, 0, 0, 0, time.UTC),
	}, dir, filepath.Join(dir, "odd"))
	want := []string{day("01", "2330"), day("02", "0010"), day("02", "1200"), day("03", "0005"), "odd", "x.bin", "zz/plain.json"}
	if diff := cmp.Diff(want, names(set, dir)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if set.Pruned != 2 || set.PrunedBytes != 2 || len(set.Ignored) != 2 || len(set.Skipped) != 0 {
		t.Errorf("pruned %d (%d bytes), ignored %v, skipped %v", set.Pruned, set.PrunedBytes, set.Ignored, set.Skipped)
	}
	if all := mustFind(t, Options{}, dir); len(all.Blobs) != 9 || all.Pruned != 0 {
		t.Errorf("without a window: %d blobs, %d pruned", len(all.Blobs), all.Pruned)
	}
}

func TestFind_globs(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/1.json": "{}", "a/b/2.json": "{}", "a/b/c/3.json": "{}", "a/b/c/3.txt": "x", "d/4.json": "{}"})
	for _, c := range []struct {
		pattern string
		want    []string
	}{
		{"a/*.json", []string{"a/1.json"}},
		{"a/**/*.json", []string{"a/1.json", "a/b/2.json", "a/b/c/3.json"}},
		{"**/3.*", []string{"a/b/c/3.json", "a/b/c/3.txt"}},
		{"[ad]/?.json", []string{"a/1.json", "d/4.json"}},
		{"a/**", []string{"a/1.json", "a/b/2.json", "a/b/c/3.json"}},
		{"*/b", []string{"a/b/2.json", "a/b/c/3.json"}},
	} {
		set := mustFind(t, Options{}, filepath.Join(dir, filepath.FromSlash(c.pattern)))
		if diff := cmp.Diff(c.want, names(set, dir)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.pattern, diff)
		}
	}
}

func TestFind_says_what_was_meant(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"trails/today.json": "{}", "today.json": "{}"})
	for _, c := range []struct{ target, reason, hint string }{
		{"tody.json", "no such file or directory", "did you mean " + filepath.Join(dir, "today.json") + "?"},
		{"trials/today.json", "no such file or directory", "did you mean " + filepath.Join(dir, "trails") + string(filepath.Separator) + "?"},
		{"something-else", "no such file or directory", ""},
		{"*.gz", "no file matches", ""},
		{"nodir/*.gz", "no such file or directory", ""},
		{"[a", "the pattern is malformed: a [ is not closed", ""},
	} {
		_, err := Find(t.Context(), []string{filepath.Join(dir, c.target)}, Options{})
		var te *TargetError
		if !errors.As(err, &te) {
			t.Fatalf("%s: %v", c.target, err)
		}
		if te.Reason != c.reason || te.Hint != c.hint {
			t.Errorf("%s: %q, hint %q", c.target, te.Reason, te.Hint)
		}
	}
}

func TestFind_survives_links(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a/1.json": "{}"})
	for from, to := range map[string]string{"a/loop": dir, "a/self": "self", "z.json": filepath.Join(dir, "a", "1.json"), "gone.json": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(dir, filepath.FromSlash(from))); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	set := mustFind(t, Options{}, dir)
	if diff := cmp.Diff([]string{"a/1.json"}, names(set, dir)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(set.Skipped) != 3 {
		t.Errorf("skipped %v", set.Skipped)
	}
}

func TestBlob_opens_what_is_there(t *testing.T) {
	text := strings.Repeat(`{"eventName":"x"}`+"\n", 1000)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	two := zip(t, text[:100]) + zip(t, text[100:])
	for _, c := range []struct {
		name, stored, want string
		err                error
	}{
		{"plain", text, text, nil},
		{"empty", "", "", nil},
		{"one byte", "x", "x", nil},
		{"gzip", zip(t, text), text, nil},
		{"two members", two, text, nil},
		{"padding", two + "\x00\x00\x00", text, nil},
		{"zstd", string(enc.EncodeAll([]byte(text), nil)), text, nil},
		{"other data behind", two + "hello", text, ErrCorrupt},
		{"cut header", zip(t, text)[:5], "", ErrTruncated},
		{"cut in the second member", two[:len(two)-20], "", ErrTruncated},
		{"cut trailer", zip(t, text)[:len(zip(t, text))-4], text, ErrTruncated},
		{"wrong checksum", func() string {
			b := []byte(zip(t, text))
			b[len(b)-6] ^= 1
			return string(b)
		}(), text, ErrCorrupt},
		{"damaged header", "\x1f\x8b\x01aaaaaaaaaaaaaaaaaaaaa", "", ErrCorrupt},
		{"bomb", zip(t, strings.Repeat("\x00", 40_000)), strings.Repeat("\x00", 20_000), ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(path, []byte(c.stored), 0o600); err != nil {
				t.Fatal(err)
			}
			set := mustFind(t, Options{Inflated: 20_000}, path)
			r, err := set.Blobs[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if !errors.Is(err, c.err) {
				t.Fatalf("got error %v, want %v", err, c.err)
			}
			var e *Error
			if c.err != nil && (!errors.As(err, &e) || e.Offset != int64(len(got)) || e.Name != path) {
				t.Errorf("error %#v after %d bytes", err, len(got))
			}
			if c.want != "" && string(got) != c.want || !strings.HasPrefix(text, string(got)) && c.name != "bomb" && c.name != "one byte" {
				t.Errorf("got %d bytes, want %d", len(got), len(c.want))
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if _, err := r.Read(make([]byte, 1)); err == nil {
				t.Error("a closed Blob can be read")
			}
		})
	}
}

func TestBlob_reads_stdin(t *testing.T) {
	set := mustFind(t, Options{Stdin: strings.NewReader(zip(t, "hello")), Inflated: 1}, "-", "-")
	if len(set.Blobs) != 1 || set.Blobs[0].Name != Stdin {
		t.Fatalf("%v", names(set, "/"))
	}
	r, err := set.Blobs[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1, 0, 0, 255, 255})
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0})
	f.Fuzz(func(t *testing.T, stored []byte) {
		b := &Blob{Name: Stdin, stdin: bytes.NewReader(stored), inflated: 1 << 20, length: -1}
		r, err := b.Open()
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if n > 1<<20 && compression(stored) != plain {
			t.Errorf("%d bytes came out", n)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Offset != n) {
			t.Errorf("%v after %d bytes", err, n)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// An interrupted copy leaves a compressed file without a byte; that is no file
// without records.
func TestBlob_empty_compressed_file(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.json.gz": "", "b.json": ""})
	set := mustFind(t, Options{}, filepath.Join(dir, "a.json.gz"), filepath.Join(dir, "b.json"))
	for i, want := range []error{ErrTruncated, nil} {
		in, err := set.Blobs[i].Open()
		if err == nil {
			_, err = io.ReadAll(in)
			if cerr := in.Close(); cerr != nil {
				t.Error(cerr)
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", set.Blobs[i].Name, err, want)
		}
	}
}
