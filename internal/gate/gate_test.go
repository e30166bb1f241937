package gate_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/gate"
)

func TestJudge(t *testing.T) {
	var b bytes.Buffer
	if err := zip.NewWriter(&b).Close(); err != nil {
		t.Fatal(err)
	}
	a := func(id string, severity lamina.Severity, found bool, err error) content.Analyzer {
		return content.Analyzer{ID: id, Severity: severity, Run: func(_ *content.Scan, _ int, f func(content.Result)) error {
			if found {
				f(content.Result{Outcome: lamina.Fail, Evidence: []string{"x: y"}})
			}
			return err
		}}
	}
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		analyzers []content.Analyzer
		data      []byte
		want      lamina.Outcome
		because   int
	}{
		"clean":             {[]content.Analyzer{a("a", lamina.High, false, nil)}, b.Bytes(), lamina.Pass, 0},
		"below":             {[]content.Analyzer{a("a", lamina.Medium, true, nil)}, b.Bytes(), lamina.Pass, 0},
		"at":                {[]content.Analyzer{a("a", lamina.High, true, nil)}, b.Bytes(), lamina.Fail, 1},
		"unknown":           {[]content.Analyzer{a("a", lamina.Low, false, boom)}, b.Bytes(), lamina.Unknown, 1},
		"fail_wins":         {[]content.Analyzer{a("a", lamina.High, true, boom), a("b", lamina.Low, false, boom)}, b.Bytes(), lamina.Fail, 1},
		"not_a_zip":         {[]content.Analyzer{a("a", lamina.Low, false, nil)}, []byte("x"), lamina.Unknown, 1},
		"no_analyzer_looks": {nil, b.Bytes(), lamina.Unknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := gate.Judge("x.zip", bytes.NewReader(tt.data), int64(len(tt.data)), tt.analyzers, lamina.High)
			if v.Outcome != tt.want || len(v.Because) != tt.because {
				t.Errorf("got %s because %v, want %s and %d", v.Outcome, v.Because, tt.want, tt.because)
			}
		})
	}
}
