package content_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

func analyzers() []content.Analyzer {
	a := func(id string, run func(*content.Scan, int, func(content.Result)) error) content.Analyzer {
		return content.Analyzer{ID: id, Severity: lamina.High, Run: run}
	}
	return []content.Analyzer{
		a("quiet", func(*content.Scan, int, func(content.Result)) error { return nil }),
		a("panics", func(*content.Scan, int, func(content.Result)) error { panic("boom") }),
		a("stops", func(_ *content.Scan, _ int, found func(content.Result)) error {
			found(content.Result{Outcome: lamina.Fail, File: "a", Evidence: []string{"x: y"}})
			return errors.New("checksum differs")
		}),
		a("careless", func(_ *content.Scan, _ int, found func(content.Result)) error {
			found(content.Result{Outcome: lamina.Fail, File: "a"})
			return nil
		}),
	}
}

func outcomes(fs []lamina.Finding) string {
	var s []string
	for _, f := range fs {
		s = append(s, f.Check+" "+f.File+" "+string(f.Outcome))
	}
	return strings.Join(s, "\n")
}

func TestRun(t *testing.T) {
	var b bytes.Buffer
	if err := zip.NewWriter(&b).Close(); err != nil {
		t.Fatal(err)
	}
	fs, skipped := content.Run(analyzers(), "x.zip", bytes.NewReader(b.Bytes()), int64(b.Len()), content.Options{})
	want := "careless a UNKNOWN\npanics  UNKNOWN\nquiet  PASS\nstops  UNKNOWN\nstops a FAIL"
	if got := outcomes(fs); got != want || skipped != nil {
		t.Errorf("got\n%s\nwant\n%s\nskipped %v", got, want, skipped)
	}
}

// An archive that cannot be opened is never clean.
func TestRun_not_a_zip(t *testing.T) {
	fs, skipped := content.Run(analyzers(), "x.zip", strings.NewReader("no zip"), 6, content.Options{})
	want := "unreadable-layer  UNKNOWN"
	if got := outcomes(fs); got != want || len(skipped) != 1 {
		t.Errorf("got\n%s\nwant\n%s\nskipped %v", got, want, skipped)
	}
}
