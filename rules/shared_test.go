package rules_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// A set is records of others.
type set struct {
	name    string
	records [][]byte
}

func shared(t *testing.T, name string) set {
	t.Helper()
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		t.Skip("LAMINA_TESTDATA is not set: the records of others are not read")
	}
	f, err := os.Open(filepath.Join(dir, "cloudtrail", name+".ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	out := set{name: name}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var line struct{ Event json.RawMessage }
		if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		out.records = append(out.records, line.Event)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// detectAll runs our pack over records as lamina detect does, as one window.
func detectAll(t *testing.T, cfg enrich.Config, records [][]byte) []lamina.Alert {
	t.Helper()
	var programs []*rule.Program
	for _, r := range load(t) {
		p, err := r.Compile(rule.CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	cfg.Publishers = registry(t)
	e := enrich.New(cfg)
	engine, err := detect.New(detect.Config{Programs: programs, Enricher: e, Schedule: detect.Once})
	if err != nil {
		t.Fatal(err)
	}
	w := engine.Worker()
	ev := &cloudtrail.Event{Derived: e.Values}
	open := func(raw []byte) (detect.Record, error) { return ev, ev.Reset(raw) }
	for i, raw := range records {
		rec, err := open(raw)
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if err := w.Event(rec, detect.Place{Name: "records", Offset: int64(i)}); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
	var out []lamina.Alert
	run := engine.NewRun(open, func(a lamina.Alert) error {
		out = append(out, a)
		return nil
	})
	if err := run.Finish(w); err != nil {
		t.Fatal(err)
	}
	return out
}

// accountsOf are the owner's account and the callers'.
func accountsOf(t *testing.T, records [][]byte) []string {
	t.Helper()
	var out []string
	for _, raw := range records {
		var r struct {
			RecipientAccountID string                     `json:"recipientAccountId"`
			UserIdentity       struct{ AccountID string } `json:"userIdentity"`
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r.RecipientAccountID, r.UserIdentity.AccountID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// lines is an alert a line: the rule's file, the event, severity and risk.
func lines(alerts []lamina.Alert) []string {
	var out []string
	for _, a := range alerts {
		out = append(out, fmt.Sprintf("%s %s %s %d", strings.TrimSuffix(strings.TrimPrefix(a.Rule.File, rules.Prefix), ".toml"), a.EventIDs[0], a.Severity, a.RiskScore))
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

// Who was granted what decides how bad it is: five records of one owner.
func TestShared_grants(t *testing.T) {
	records := shared(t, "lambda_layers").records
	accounts := accountsOf(t, records)
	tests := []struct {
		name string
		cfg  enrich.Config
		want []string
	}{
		{"nothing_told", enrich.Config{}, []string{
			"function-deleted lambda_layers:7 low 21",
			"layer-shared lambda_layers:1 medium 47",
			"layer-shared lambda_layers:2 medium 47",
			"layer-shared lambda_layers:3 medium 47",
			"layer-shared lambda_layers:4 critical 99",
			"layer-shared lambda_layers:5 medium 47",
		}},
		{"own_organisation", enrich.Config{OrgID: "o-exampleorgid", Accounts: accounts}, []string{
			"function-deleted lambda_layers:7 low 21",
			"layer-shared lambda_layers:1 low 21",
			"layer-shared lambda_layers:2 low 21",
			"layer-shared lambda_layers:3 high 73",
			"layer-shared lambda_layers:4 critical 99",
			"layer-shared lambda_layers:5 low 21",
		}},
		{"another_organisation", enrich.Config{OrgID: "o-anotherorgid", Accounts: accounts}, []string{
			"function-deleted lambda_layers:7 low 21",
			"layer-shared lambda_layers:1 low 21",
			"layer-shared lambda_layers:2 high 73",
			"layer-shared lambda_layers:3 high 73",
			"layer-shared lambda_layers:4 critical 99",
			"layer-shared lambda_layers:5 low 21",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := gocmp.Diff(tt.want, lines(detectAll(t, tt.cfg, records))); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// The layer rules fire once on a real detonation and are silent on everything
// else that was recorded, configuration changes without layers included.
func TestShared_layer_changes(t *testing.T) {
	for name, want := range map[string][]string{
		"stratus-red-team":          {"layer-added-to-function da929d96-8e20-475c-a810-973addd64769 low 21"},
		"invictus-aws-dataset":      nil,
		"traildiscover-logexamples": nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := shared(t, name)
			var got []string
			for _, l := range lines(detectAll(t, enrich.Config{}, s.records)) {
				if strings.HasPrefix(l, "layer-") && !strings.HasPrefix(l, "layer-share") {
					got = append(got, l)
				} else {
					t.Logf("%s: %s", name, l)
				}
			}
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// A configuration change that names no layers is none of ours, whatever it
// changes and whatever the answer lists.
func TestLayer_rules_are_silent_on_other_changes(t *testing.T) {
	var records [][]byte
	params := []string{`"timeout":9`, `"memorySize":512`, `"environment":{}`, `"handler":"a.b"`, `"role":"arn:aws:iam::111122223333:role/r"`, `"vpcConfig":{"subnetIds":[]}`, `"description":"layers"`, `"runtime":"python3.13"`, `"tracingConfig":{"mode":"Active"}`, `"layers":null`}
	for i := range 200 {
		layers := make([]string, i%5)
		for j := range layers {
			layers[j] = fmt.Sprintf(`{"arn":"arn:aws:lambda:eu-west-1:99999999999%d:layer:l%d:%d"}`, j, j, i%7+1)
		}
		records = append(records, fmt.Appendf(nil, `{"eventID":"e%d","eventTime":"2026-03-01T09:%02d:00Z","eventSource":"lambda.amazonaws.com","eventName":"UpdateFunctionConfiguration20150331v2","awsRegion":"eu-west-1","recipientAccountId":"111122223333",`+
			`"requestParameters":{"functionName":"f%d",%s},"responseElements":{"functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f%d","layers":[%s]}}`,
			i, i%60, i%3, params[i%len(params)], i%3, strings.Join(layers, ",")))
	}
	if got := lines(detectAll(t, enrich.Config{}, records)); len(got) > 0 {
		t.Errorf("%d alerts, first %s", len(got), got[0])
	}
}

// Delivering records twice and in another order changes no alert.
func TestLayer_rules_do_not_depend_on_order(t *testing.T) {
	var records [][]byte
	for i := range 60 {
		records = append(records, fmt.Appendf(nil, `{"eventID":"e%02d","eventTime":"2026-03-01T09:%02d:00Z","eventSource":"lambda.amazonaws.com","eventName":"UpdateFunctionConfiguration20150331v2","awsRegion":"eu-west-1","recipientAccountId":"111122223333",`+
			`"requestParameters":{"functionName":"f","layers":["arn:aws:lambda:eu-west-1:111122223333:layer:l%d:%d"]},"responseElements":{"functionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f"}}`, i, i/2, i%3, i%4+1))
	}
	want := lines(detectAll(t, enrich.Config{}, records))
	if len(want) < 30 {
		t.Fatalf("%d alerts", len(want))
	}
	mixed := append(slices.Clone(records), records[10:30]...)
	slices.Reverse(mixed)
	if d := gocmp.Diff(want, lines(detectAll(t, enrich.Config{}, mixed))); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
