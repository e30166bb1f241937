package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// A function's own package is judged with the layers that it loads: what is wrong
// in it, and what a layer does to it, are the function's; what shows in the layer
// alone stays the layer's. A layer that is not kept hides what is in /opt, and
// nothing of the package.
func TestLook_functions(t *testing.T) {
	var zips zipstore.Memory
	keep := func(files ...string) (sum string) {
		data := zipOf(t, files...)
		digest := sha256.Sum256(data)
		sum = base64.StdEncoding.EncodeToString(digest[:])
		if err := zips.Put(sum, int64(len(data)), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		return sum
	}
	key := "AK" + "IA" + "QYLPMN5HFIQR7XYA"
	code := keep("lib.py", "KEY = \""+key+"\"\n")
	layer := keep("python/app.py", "def handler(event, context):\n    return 1\n", "python/pyyaml/x.py", "# nothing\n")
	const (
		layerARN = "arn:aws:lambda:eu-west-1:111122223333:layer:base:1"
		goneARN  = "arn:aws:lambda:eu-west-1:111122223333:layer:gone:1"
		own      = "arn:aws:lambda:eu-west-1:111122223333:function:own"
		dark     = "arn:aws:lambda:eu-west-1:111122223333:function:dark"
	)
	function := func(arn, sum string, layers ...string) lamina.Function {
		return lamina.Function{
			ARN: arn, Account: "111122223333", Region: "eu-west-1", Version: "$LATEST", Runtime: "python3.12", Handler: "app.handler",
			PackageType: "Zip", CodeSHA256: sum, Layers: layers, Architectures: []string{"x86_64"},
		}
	}
	e := estate.New(lamina.Snapshot{
		Layers: []lamina.LayerVersion{{ARN: layerARN, Account: "111122223333", CodeSHA256: layer}},
		Functions: []lamina.Function{
			function(own, code, layerARN), function(own+":1", code, layerARN), function(dark, code, layerARN, goneARN), function(own+"-unkept", "AAAA", layerARN),
		},
	}, nil)
	k := look{shelf: &zips, known: &content.Scan{}, analyzers: analyzers.All, jobs: 2}
	out, err := k.all(t.Context(), e.Snapshot.Layers)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.functions(t.Context(), e, out); err != nil {
		t.Fatal(err)
	}
	failed := map[string][]string{}
	for arn, c := range out.all() {
		ids := map[string]bool{}
		for _, f := range c.Findings {
			if f.Resource != arn || ids[f.ID] {
				t.Errorf("%s holds %s of %s", arn, f.ID, f.Resource)
			}
			ids[f.ID] = true
			if f.Outcome == lamina.Fail && (f.Check == "baked-secret" || f.Check == "handler-in-layer") {
				failed[arn] = append(failed[arn], f.Check)
			}
			if strings.Contains(f.Detail+strings.Join(f.Evidence, ""), key) {
				t.Errorf("%s shows the key", f.ID)
			}
		}
	}
	want := map[string][]string{own: {"baked-secret", "handler-in-layer"}, own + ":1": {"baked-secret", "handler-in-layer"}, dark: {"baked-secret"}}
	if d := cmp.Diff(want, failed); d != "" {
		t.Errorf("-want +failed:\n%s", d)
	}
	i := slices.IndexFunc(out.code[own].Findings, func(f lamina.Finding) bool { return f.Check == "handler-in-layer" })
	if got := out.code[own].Findings[i].Detail; !strings.HasPrefix(got, "of "+layerARN+", as the function loads it: ") {
		t.Errorf("detail %q", got)
	}
}
