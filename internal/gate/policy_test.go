package gate_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/gate"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

const wholePolicy = `# What a layer of ours must be.
fail_on          = "medium"
new_only         = true
require_complete = false

[analyzers.a]
severity = "critical"
reason   = "we were bitten"
[analyzers.b]
off    = true
reason = "it is the vendor's layer"

[layer]
max_unzipped_mb = 200
max_files       = 20000
runtimes        = ["python3.12", "python3.13"]
architectures   = ["arm64"]
forbidden_paths = ["extensions/**"]
require_record  = true

[licences]
allowed = ["MIT"]
denied  = ["AGPL-*"]

[vulnerabilities]
max_severity      = "low"
only_fixable      = true
max_data_age_days = 7
`

func TestParsePolicy(t *testing.T) {
	yes := true
	want := gate.Policy{
		Name: "p.toml", FailOn: lamina.Medium, NewOnly: &yes,
		Overrides: map[string]gate.Override{
			"a": {Severity: lamina.Critical, Reason: "we were bitten"},
			"b": {Off: true, Reason: "it is the vendor's layer"},
		},
		Layer: gate.LayerRules{
			MaxUnzipped: 200_000_000, MaxFiles: 20000, Runtimes: []string{"python3.12", "python3.13"}, Architectures: []string{"arm64"},
			ForbiddenPaths: []string{"extensions/**"}, RequireRecord: true,
		},
		Allowed: []string{"MIT"}, Denied: []string{"AGPL-*"},
		Vulnerabilities: gate.VulnerabilityRules{Max: lamina.Low, OnlyFixable: true, MaxAge: 7 * 24 * time.Hour},
	}
	if d := cmp.Diff(want, policy(t, wholePolicy)); d != "" {
		t.Error(d)
	}
	empty := gate.Default()
	empty.Name = "p.toml"
	if d := cmp.Diff(empty, policy(t, "")); d != "" {
		t.Error("an empty file is not the default: " + d)
	}
}

func TestParsePolicy_errors(t *testing.T) {
	for name, tt := range map[string]struct{ in, want, hint string }{
		"misspelt":         {"fail_no = \"high\"", `p.toml:1:1: unknown key "fail_no"`, "did you mean fail_on?"},
		"severity":         {"fail_on = \"hihg\"", `fail_on: unknown value "hihg"`, "did you mean high?"},
		"type":             {"new_only = \"yes\"", "new_only: want true or false, got a text in quotes", ""},
		"unknown_analyzer": {"[analyzers.known-vulnerabilty]\noff = true\nreason = \"r\"", `p.toml:1:12: unknown key "known-vulnerabilty"`, "did you mean known-vulnerability?"}, //nolint:misspell // the misspelt key is what is tested
		"no_reason":        {"[analyzers.a]\noff = true", "p.toml:1:12: a: the change has no reason", "say why"},
		"no_change":        {"[analyzers.a]\nreason = \"r\"", "a is changed in nothing", "write off = true"},
		"both":             {"[analyzers.a]\noff = true\nseverity = \"low\"\nreason = \"r\"", "a is off, and has a severity", "keep one"},
		"no_files":         {"[layer]\nmax_files = 0", "p.toml:2:13: max_files: no layer keeps this limit", "leave the key out"},
		"bytes":            {"[layer]\nmax_unzipped_mb = 262144000", "max_unzipped_mb: 262144000 is no limit", "it is in megabytes"},
		"architecture":     {"[layer]\narchitectures = [\"amd64\"]", `architectures: "amd64" is none of Lambda's`, "x86_64 or arm64"},
		"absolute":         {"[layer]\nforbidden_paths = [\"/opt/extensions/**\"]", `forbidden_paths: "/opt/extensions/**" begins with a slash`, "paths are"},
		"nothing_allowed":  {"[licences]\nallowed = []", "allowed: the list is empty", "leave the key out"},
		"age":              {"[vulnerabilities]\nmax_data_age_days = 0", "max_data_age_days: 0 is no number of days", ""},
		"max_severity":     {"[vulnerabilities]\nmax_severity = \"\"", `max_severity: unknown value ""`, "want one of none, info"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gate.ParsePolicy("p.toml", []byte(tt.in), []string{"a", "known-vulnerability"})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if e, ok := errors.AsType[*tomlfile.Error](err); !ok || !strings.HasPrefix(e.Hint, tt.hint) {
				t.Errorf("hint %q, want %q", e.Hint, tt.hint)
			}
		})
	}
}

// The schema names the keys that the parser reads, table by table.
func TestSchema(t *testing.T) {
	type table struct {
		Properties map[string]json.RawMessage
	}
	b, err := json.Marshal(gate.Schema([]string{"a"}))
	if err != nil {
		t.Fatal(err)
	}
	var root table
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	within := func(path string) []string {
		at := root
		for key := range strings.SplitSeq(path, ".") {
			if key == "" {
				continue
			}
			raw := at.Properties[key]
			at = table{}
			if err := json.Unmarshal(raw, &at); err != nil {
				t.Fatal(path, err)
			}
		}
		return slices.Sorted(maps.Keys(at.Properties))
	}
	for _, path := range []string{"", "layer", "licences", "vulnerabilities", "analyzers.a"} {
		in := "zzzzzzzzzzzzzzzz = 1\n"
		if path != "" {
			in = "[" + path + "]\n" + in
		}
		_, err := gate.ParsePolicy("p", []byte(in), []string{"a"})
		var known []string
		joined, ok := err.(interface{ Unwrap() []error }) // all parts are wanted
		if !ok {
			t.Fatalf("[%s]: got %v, want several errors", path, err)
		}
		for _, e := range joined.Unwrap() {
			if te, ok := errors.AsType[*tomlfile.Error](e); ok && strings.Contains(te.Msg, "zzzz") {
				known = strings.Split(strings.TrimPrefix(te.Hint, "known keys: "), ", ")
			}
		}
		slices.Sort(known)
		if d := cmp.Diff(within(path), slices.Compact(known)); d != "" {
			t.Errorf("[%s] (-schema +parser):\n%s", path, d)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(wholePolicy)
	f.Fuzz(func(t *testing.T, data string) {
		p, err := gate.ParsePolicy("p", []byte(data), []string{"a", "b"})
		if err != nil {
			return
		}
		for id, o := range p.Overrides {
			if o.Reason == "" || o.Off == (o.Severity != "") {
				t.Errorf("%s: %+v", id, o)
			}
		}
	})
}
