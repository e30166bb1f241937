package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/detect"
)

func Test_readInput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want, err string }{
		{"plain", "a = 1\n", "a = 1\n", ""},
		{"of just the limit", "1234567890", "1234567890", ""},
		{"beyond the limit", "12345678901", "", "is too large"},
		{"a byte order mark, as Windows editors write it", "\xef\xbb\xbfa = 1", "a = 1", ""},
		{"UTF-16", "\xff\xfea\x00", "", "save it as UTF-8"},
		{"UTF-16 the other way round", "\xfe\xff\x00a", "", "save it as UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(name, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readInput(name, 10)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if err != nil || string(got) != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
	if _, err := readInput(filepath.Join(t.TempDir(), "none"), 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// The second pass may have a million records to open; it ends when the run does.
func Test_cancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	open := cancelled(ctx, func([]byte) (detect.Record, error) { n++; return nil, nil })
	if _, err := open(nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := open(nil); !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("error %v after %d records, want context.Canceled after 1", err, n)
	}
}

// A name of a megabyte does not make an error of a megabyte.
func Test_clip(t *testing.T) {
	t.Parallel()
	if got := clip(strings.Repeat("é", 1<<20)); len(got) > maxLine+len("…") || !strings.HasSuffix(got, "é…") {
		t.Errorf("%d bytes ending in %q", len(got), got[len(got)-8:])
	}
	if got := clip("short"); got != "short" {
		t.Errorf("got %q", got)
	}
}

func TestParseSize(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "7": 7, "7B": 7, "2KiB": 2048, "256MiB": 256 << 20, "1TiB": 1 << 40} {
		if got, err := parseSize(in); err != nil || got != want {
			t.Errorf("parseSize(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "KiB", "-1", "+1", "1.5GiB", "1kb", "1 MiB", "9999999999TiB", "99999999999999999999", "1MiBMiB"} {
		if got, err := parseSize(in); err == nil {
			t.Errorf("parseSize(%q) = %d, want an error", in, got)
		}
	}
}
