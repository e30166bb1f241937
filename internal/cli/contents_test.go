package cli

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// A spoilt shelf has one zip that is what it was; another was changed, one cannot
// be opened, and the rest is not there.
type spoilt struct{ zip []byte }

func (s spoilt) Open(sum string) (zipstore.Zip, int64, error) {
	switch sum {
	case "good":
		return closed{bytes.NewReader(s.zip)}, int64(len(s.zip)), nil
	case "changed":
		return nil, 0, zipstore.ErrChanged
	case "locked":
		return nil, 0, &fs.PathError{Op: "open", Path: "/zips/locked", Err: fs.ErrPermission}
	}
	return nil, 0, fmt.Errorf("%s: %w", sum, fs.ErrNotExist)
}

type closed struct{ io.ReaderAt }

func (closed) Close() error { return nil }

// A zip that was changed, or cannot be opened, makes its layer unknown, and no other.
func TestLook_spoilt(t *testing.T) {
	k := look{shelf: spoilt{zipOf(t, "python/a.py", "x = 1\n")}, known: &content.Scan{}, analyzers: analyzers.All, jobs: 1}
	arn := func(name string) string { return "arn:aws:lambda:eu-west-1:111122223333:layer:" + name + ":1" }
	var layers []lamina.LayerVersion
	for _, sum := range []string{"good", "changed", "locked", "gone"} {
		layers = append(layers, lamina.LayerVersion{ARN: arn(sum), CodeSHA256: sum})
	}
	got, err := k.all(t.Context(), layers)
	if err != nil {
		t.Fatal(err)
	}
	if s := got.coverage(); !strings.Contains(s, "1/4 zips of layer versions opened") {
		t.Error(s)
	}
	in := posture.Input{Contents: got.contents}
	for sum, want := range map[string]string{
		"good":    "",
		"changed": "the zip that is kept cannot be used: the zip does not have the digest that AWS states",
		"locked":  "the zip that is kept cannot be used: permission denied",
		"gone":    "its zip was not read",
	} {
		_, unknown, ok := in.Inside(arn(sum), "baked-secret")
		if ok != (want == "") || !strings.Contains(unknown.Reason, want) || strings.Contains(unknown.Reason, "/zips") {
			t.Errorf("%s: known %t, because %q", sum, ok, unknown.Reason)
		}
		if !ok && !strings.Contains(unknown.Settle, "with lamina collect --content DIR") {
			t.Errorf("%s: to settle: %q", sum, unknown.Settle)
		}
	}
}
