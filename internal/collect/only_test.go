package collect_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// Asked for one layer version, a collection reads it with its policy, its zip and
// the functions that load it, and makes these calls and no others.
func TestCollect_only_a_layer_version(t *testing.T) {
	f := world(t)
	layer := "arn:aws:lambda:" + region + ":" + member + ":layer:layer-000:1"
	o := options(t, f)
	o.Accounts = o.Accounts[1:]
	o.Only, o.Zips = []string{layer}, &zipstore.Memory{}
	before := maps.Clone(f.Calls())
	s := collected(t, o)
	want := map[string]int{
		"lambda:ListFunctions": 1, "lambda:ListLayerVersions": 1, "lambda:GetLayerVersion": 1, "lambda:GetLayerVersionPolicy": 1,
		"lambda:GetPolicy": 3, "lambda:ListProvisionedConcurrencyConfigs": 1, "lambda:ListAliases": 2, "lambda:ListFunctionUrlConfigs": 2, "lambda:GetFunctionCodeSigningConfig": 2, "lambda:GetCodeSigningConfig": 1,
	}
	if d := cmp.Diff(want, lambdaCalls(f, before)); d != "" {
		t.Errorf("calls (-want +made):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{layer: 1}, f.Downloads()); d != "" {
		t.Errorf("zips (-want +fetched):\n%s", d)
	}
	if d := cmp.Diff([]string{"layers: 1", "functions: fn-0 fn-1 fn-1"}, inventory(s)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if l := s.Layers[0]; l.Policy == nil || l.CodeSHA256 == "" || !slices.Equal(s.Only, o.Only) {
		t.Errorf("%+v, only %v", l, s.Only)
	}
	for c, n := range f.Calls() {
		if c.Account == member && c.Action[:4] == "iam:" && n > before[c] {
			t.Errorf("%s was called", c.Action)
		}
	}
}

func inventory(s lamina.Snapshot) []string {
	out := []string{"layers: " + string(rune('0'+len(s.Layers))), "functions:"}
	for _, f := range s.Functions {
		out[1] += " " + f.Name
	}
	return out
}

// Asked for a function, it reads the layers that the function loads, those of
// others as far as they may be read; one that was deleted is simply not there.
func TestCollect_only_a_function(t *testing.T) {
	f := world(t)
	fn := "arn:aws:lambda:" + region + ":" + member + ":function:fn-2"
	only := func() lamina.Snapshot {
		o := options(t, f)
		o.Accounts = o.Accounts[1:]
		o.Only = []string{fn}
		return collected(t, o)
	}
	s := only()
	if len(s.Layers) != 1 || s.Layers[0].Account != suspended || len(s.Functions) != 1 || len(s.Targets[0].Gaps)+len(s.Targets[1].Gaps) > 0 {
		t.Errorf("%d layers, %d functions, %+v", len(s.Layers), len(s.Functions), s.Targets)
	}
	member := f.As(caller(member), region)
	own := "arn:aws:lambda:" + region + ":444455556666:layer:layer-001:1"
	if _, err := member.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "fn-2", Layers: []string{own}}); err != nil {
		t.Fatal(err)
	}
	if s := only(); len(s.Layers) != 1 || s.Layers[0].ARN != own || s.Layers[0].PolicyRead.IsZero() {
		t.Errorf("layers %+v", s.Layers)
	}
	if err := member.DeleteLayerVersion("layer-001", 1); err != nil {
		t.Fatal(err)
	}
	if s := only(); len(s.Layers) != 0 || len(s.Targets[0].Gaps)+len(s.Targets[1].Gaps) > 0 {
		t.Errorf("layers %+v, %+v", s.Layers, s.Targets)
	}
}
