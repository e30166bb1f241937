package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummarize(t *testing.T) {
	const p = `"Package":"github.com/lamina-sec/lamina/kql"`
	tests := []struct {
		name, in, want string
		ok             bool
	}{
		{
			"passes_and_skips",
			`{"Action":"start",` + p + `}
{"Action":"run",` + p + `,"Test":"TestA"}
{"Action":"output",` + p + `,"Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"pass",` + p + `,"Test":"TestA"}
{"Action":"output",` + p + `,"Test":"TestB","Output":"    b_test.go:7: LAMINA_TESTDATA is not set\n"}
{"Action":"skip",` + p + `,"Test":"TestB"}
{"Action":"pass",` + p + `,"Elapsed":1.25}
`,
			"ok  \tkql\t1.2s\nskip kql TestB: LAMINA_TESTDATA is not set\n1 passed, 0 failed, 1 skipped\n",
			true,
		},
		{
			"fails",
			`{"Action":"start",` + p + `}
{"Action":"output",` + p + `,"Test":"TestA","Output":"    a_test.go:7: got 1\n"}
{"Action":"fail",` + p + `,"Test":"TestA"}
{"Action":"output",` + p + `,"Output":"FAIL\n"}
{"Action":"fail",` + p + `,"Elapsed":0.1}
`,
			"--- FAIL: github.com/lamina-sec/lamina/kql TestA\n    a_test.go:7: got 1\nFAIL\nFAIL\tkql\t0.1s\n0 passed, 1 failed, 0 skipped\n",
			false,
		},
		{
			"does_not_build",
			`{"ImportPath":"x","Action":"build-output","Output":"# x\nx.go:1: oops\n"}
{"ImportPath":"x","Action":"build-fail"}
{"Action":"start",` + p + `}
{"Action":"fail",` + p + `,"Elapsed":0}
`,
			"# x\nx.go:1: oops\nFAIL\tkql\t0.0s\n0 passed, 1 failed, 0 skipped\n",
			false,
		},
		{
			"cut_short",
			`{"Action":"start",` + p + `}
{"Action":"pass",` + p + `,"Test":"TestA"}
`,
			"FAIL\tgithub.com/lamina-sec/lamina/kql\tdid not end\n1 passed, 1 failed, 0 skipped\n",
			false,
		},
		{"nothing", "", "FAIL\tno package was tested\n0 passed, 1 failed, 0 skipped\n", false},
		{"not_json", "go: cannot find main module\n", "go: cannot find main module\nFAIL\tno package was tested\n0 passed, 1 failed, 0 skipped\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := summarize(strings.NewReader(tt.in), &out, false)
			if err != nil || ok != tt.ok {
				t.Errorf("got %v, %v, want %v", ok, err, tt.ok)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}
