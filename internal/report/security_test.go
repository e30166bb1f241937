package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
)

// The formats of security products over three streams. LAMINA_UPDATE=1 rewrites
// what is expected.
func TestSecurityFormats_golden(t *testing.T) {
	for _, format := range []string{"csv", "ocsf", "asff"} {
		for name, messages := range map[string][]lamina.Message{"mixed": golden(t), "gate": gated(), "estate": estateMessages(t)} {
			file := filepath.Join("testdata", "formats", name+"."+format)
			got := render(t, format, Options{Now: time.Date(2026, 6, 20, 9, 0, 0, 0, time.UTC)}, messages)
			got = strings.ReplaceAll(got, "\r\n", "\n") // as git keeps it
			if os.Getenv("LAMINA_UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-want +got), LAMINA_UPDATE=1 accepts:\n%s", file, d)
			}
		}
	}
}

// objects are the JSON objects of an output of lines.
func objects(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		switch v := v.(type) {
		case map[string]any:
			all = append(all, v)
		case []any:
			if len(v) > maxBatch {
				t.Errorf("%d findings in a batch", len(v))
			}
			for _, x := range v {
				o, _ := x.(map[string]any)
				all = append(all, o)
			}
		}
	}
	return all
}

// at is the value at a path of keys and "0" for the first of an array, nil if
// there is none.
func at(v any, path ...string) any {
	for _, k := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[k]
		case []any:
			if len(x) == 0 {
				return nil
			}
			v = x[0]
		default:
			return nil
		}
	}
	return v
}

// What schema.ocsf.io/1.3.0 requires of the three classes is there, and the
// numbers go together: type_uid = class_uid × 100 + activity_id, and captions are those
// of their ids.
func TestOCSF_schema(t *testing.T) {
	classes := map[float64]string{2002: "Vulnerability Finding", 2003: "Compliance Finding", 2004: "Detection Finding"}
	seen := map[float64]bool{}
	for _, messages := range [][]lamina.Message{golden(t), gated(), estateMessages(t), scanned(false), hostile("=1+1")} {
		for _, e := range objects(t, render(t, "ocsf", Options{Now: time.Unix(1, 0)}, messages)) {
			class, _ := e["class_uid"].(float64)
			seen[class] = true
			if e["class_name"] != classes[class] || e["category_uid"] != 2.0 || e["category_name"] != "Findings" || e["type_uid"] != class*100+1 || e["activity_id"] != 1.0 {
				t.Errorf("the numbers do not go together: %v", e)
			}
			if _, ok := e["time"].(float64); !ok {
				t.Errorf("time is %v", e["time"])
			}
			captions := []string{"Unknown", "Informational", "Low", "Medium", "High", "Critical"}
			if id, _ := e["severity_id"].(float64); id < 1 || id > 5 || e["severity"] != captions[int(id)] {
				t.Errorf("severity %v %v", e["severity_id"], e["severity"])
			}
			for _, path := range [][]string{
				{"finding_info", "uid"}, {"finding_info", "title"}, {"metadata", "version"}, {"metadata", "product", "vendor_name"}, {"metadata", "product", "name"}, {"cloud", "provider"},
			} {
				if s, _ := at(e, path...).(string); s == "" {
					t.Errorf("%s: no %s", at(e, "finding_info", "uid"), strings.Join(path, "."))
				}
			}
			switch class {
			case 2003:
				status := map[float64]string{1: "Pass", 2: "Warning", 3: "Fail"}
				id, _ := at(e, "compliance", "status_id").(float64)
				if at(e, "compliance", "status") != status[id] || at(e, "compliance", "standards", "0") == nil || at(e, "compliance", "control") == "" {
					t.Errorf("compliance %v", e["compliance"])
				}
				if outcome := at(e, "unmapped", "outcome"); outcome == "UNKNOWN" && id != 2 || outcome == "PASS" && id != 1 || outcome == "FAIL" && id != 3 {
					t.Errorf("%v has status %v", outcome, id)
				}
			case 2002:
				if at(e, "vulnerabilities", "0", "cve", "uid") == nil {
					t.Errorf("vulnerabilities %v", e["vulnerabilities"])
				}
			}
		}
	}
	if !seen[2003] || !seen[2004] {
		t.Errorf("classes %v", seen)
	}
	out := render(t, "ocsf", Options{}, []lamina.Message{{Finding: &lamina.Finding{
		ID: "F-1", Check: "known-vulnerability", Title: "t", Severity: lamina.High, Outcome: lamina.Fail, Resource: "l.zip", Vulnerability: &lamina.Vulnerability{PURL: "pkg:pypi/a@1", IDs: []string{"CVE-2026-1"}},
	}}})
	if !strings.Contains(out, `"class_uid":2002`) || !strings.Contains(out, `"cve":{"uid":"CVE-2026-1"}`) {
		t.Error(out)
	}
}

// What BatchImportFindings demands is there and within its limits, and batches are
// of one account and region.
func TestASFF_limits(t *testing.T) {
	messages := estateMessages(t)
	last := messages[len(messages)-1]
	messages = messages[:len(messages)-1]
	for i := range 250 {
		messages = append(messages, lamina.Message{Finding: &lamina.Finding{
			ID: fmt.Sprintf("F-%d", i), Check: "c", Title: strings.Repeat("漢t", 300), Severity: lamina.Severities[i%5], Outcome: lamina.Fail, Detail: strings.Repeat("d ", 2000),
			Resource: "arn:aws-cn:lambda:cn-north-1:111122223333:layer:x:" + strconv.Itoa(i+1), Accounts: []string{"111122223333"}, Remediation: strings.Repeat("r", 600),
			Controls: slices.Repeat([]lamina.Control{{Framework: "f", ID: "1"}}, 40),
		}})
	}
	out := render(t, "asff", Options{Now: time.Unix(0, 0)}, append(messages, last))
	for batch := range strings.Lines(out) {
		all := objects(t, batch)
		for _, f := range all {
			if f["AwsAccountId"] != all[0]["AwsAccountId"] || f["ProductArn"] != all[0]["ProductArn"] {
				t.Errorf("a batch of several accounts or regions: %v, %v", f["ProductArn"], all[0]["ProductArn"])
			}
		}
	}
	arn := regexp.MustCompile(`^arn:aws(-cn)?:securityhub:[a-z0-9-]+:([0-9]{12}):product/([0-9]{12})/default$`)
	all := objects(t, out)
	if len(all) < 260 {
		t.Errorf("%d findings", len(all))
	}
	for _, f := range all {
		for key, most := range map[string]int{"SchemaVersion": 10, "Id": 512, "ProductArn": 2048, "GeneratorId": 512, "AwsAccountId": 12, "CreatedAt": 30, "UpdatedAt": 30, "Title": maxASFFTitle, "Description": maxASFFText} {
			s, _ := f[key].(string)
			if n := utf8.RuneCountInString(s); n == 0 || n > most {
				t.Errorf("%s has %d characters", key, n)
			}
		}
		product, _ := f["ProductArn"].(string)
		if m := arn.FindStringSubmatch(product); m == nil || m[2] != f["AwsAccountId"] || m[3] != m[2] {
			t.Errorf("ProductArn %v", f["ProductArn"])
		}
		if label, _ := at(f, "Severity", "Label").(string); !slices.Contains([]string{"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}, label) {
			t.Errorf("Severity %v", f["Severity"])
		}
		if s := at(f, "Compliance", "Status"); s != "FAILED" && s != "WARNING" {
			t.Errorf("Compliance %v", s)
		}
		if kind, _ := at(f, "Types", "0").(string); at(f, "Resources", "0", "Id") == nil || at(f, "Resources", "0", "Type") == nil || !strings.Contains(kind, "/") {
			t.Errorf("%v", f)
		}
		if r, _ := at(f, "Compliance", "RelatedRequirements").([]any); len(r) > maxASFFRelated {
			t.Errorf("%d requirements", len(r))
		}
		if s, _ := at(f, "Remediation", "Recommendation", "Text").(string); utf8.RuneCountInString(s) > maxASFFFix {
			t.Errorf("a fix of %d characters", len(s))
		}
		if at(f, "Resources", "0", "Type") == "AwsLambdaLayerVersion" && at(f, "Resources", "0", "Details", "AwsLambdaLayerVersion", "Version") == nil {
			t.Errorf("a layer version without its number: %v", f["Resources"])
		}
	}
	if !strings.Contains(out, `"AwsLambdaLayerVersion":{"CompatibleRuntimes":["python3.12"],"CreatedDate":"2026-05-01T00:00:00Z","Version":7}`) {
		t.Error("what is known of a layer version is not there")
	}
}

// No string from outside becomes a formula, another row, or something that cannot
// be seen.
func TestSecurityFormats_hostile(t *testing.T) {
	for _, evil := range []string{
		"=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", ` "=1`, "＝1", "a\r\nF-FORGED,critical", `a","b`, "x\x1b[2J\u202e\u200b\x00\xff", `{"a":1}`, "\u2028",
	} {
		messages := append(hostile(evil), lamina.Message{Finding: &lamina.Finding{
			ID: evil, Check: evil, Ref: evil, Title: evil, Severity: lamina.Low, Outcome: lamina.Fail, Resource: "arn:aws:lambda:eu-west-1:111122223333:layer:" + evil, Detail: evil,
			Accounts: []string{"111122223333"}, Owners: []string{evil}, Controls: []lamina.Control{{Framework: evil, ID: evil}}, Evidence: []string{evil},
		}})
		out := render(t, "csv", Options{Verbose: true}, messages)
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		if n := len(rows); n != 8 {
			t.Errorf("%q: %d rows", evil, n)
		}
		for _, row := range rows {
			for _, cell := range row {
				if s := strings.TrimLeft(cell, ` "`); s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") || strings.HasPrefix(s, "＝") {
					t.Errorf("%q: a formula: %q", evil, cell)
				}
			}
		}
		for _, format := range []string{"csv", "ocsf", "asff"} {
			out := render(t, format, Options{Verbose: true}, messages)
			if i := strings.IndexFunc(strings.ReplaceAll(out, "\r\n", "\n"), invisible); i >= 0 {
				t.Errorf("%q in %s: %q", evil, format, out[max(0, i-20):min(len(out), i+20)])
			}
			if format != "csv" {
				objects(t, out)
			}
		}
	}
}
