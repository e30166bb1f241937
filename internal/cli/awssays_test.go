package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

// What services say is shown the worst first, without what a terminal would obey;
// what is too much is counted, and silence is never shown where nobody was asked.
func TestFunctionsShow_what_services_say(t *testing.T) {
	const account, region = "111122223333", "eu-west-1"
	const layer = "arn:aws:lambda:" + region + ":" + account + ":layer:utils:1"
	arn := func(name string) string { return "arn:aws:lambda:" + region + ":" + account + ":function:" + name }
	s := lamina.Snapshot{
		Taken: time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC), Accounts: []lamina.Account{{ID: account}},
		Layers: []lamina.LayerVersion{{ARN: layer, Account: account, Region: region, Name: "utils", Version: 1}},
		Targets: []lamina.Target{{
			Account: account, Region: region, Taken: time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC),
			Read: []string{
				"inspector2:BatchGetAccountStatus", "inspector2:ListFindings", "guardduty:ListDetectors", "guardduty:GetDetector", "guardduty:ListFindings", "guardduty:GetFindings", "securityhub:DescribeHub",
				"config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus", "config:SelectResourceConfig",
			},
			Gaps: []lamina.Gap{{Action: "securityhub:GetFindings", Denied: true, Reason: "denied"}},
		}},
		Services: []lamina.ServiceStatus{
			{Account: account, Region: region, Feature: "inspector2:LAMBDA", Enabled: true},
			{Account: account, Region: region, Feature: "securityhub", Enabled: true},
			{Account: account, Region: region, Feature: recording, Enabled: true},
		},
		AccessFindings: []lamina.AccessFinding{{ID: "u", Kind: "UnusedPermission", Resource: "arn:aws:iam::" + account + ":role/app", Status: "ACTIVE", Unused: []string{"s3:*"}, UnusedMore: 7}},
	}
	for _, name := range []string{"busy", "quiet", "plain"} {
		f := lamina.Function{ARN: arn(name), Account: account, Region: region, Name: name, Version: "$LATEST", Role: "arn:aws:iam::" + account + ":role/" + name}
		if name != "plain" {
			f.Layers = []string{layer}
		}
		if name == "busy" {
			f.Role = "arn:aws:iam::" + account + ":role/app"
		}
		s.Functions = append(s.Functions, f)
	}
	for i := range 13 {
		s.ServiceFindings = append(s.ServiceFindings, lamina.ServiceFinding{
			ID: fmt.Sprintf("low-%02d", i), Account: account, Region: region, Service: "inspector2", Severity: "LOW", Title: "red \x1b[31m\u202eword", Resources: []string{arn("busy")},
			Packages: []lamina.ServicePackage{{Path: "app.py"}},
		})
	}
	s.ServiceFindings = append(s.ServiceFindings, lamina.ServiceFinding{
		ID: "worst", Account: account, Region: region, Service: "inspector2", Severity: "CRITICAL", Title: "CVE-2099-0001 - a", Resources: []string{arn("busy")}, Exploit: true,
		Vulnerabilities: []string{"CVE-2099-0001", "CVE-2099-0002"}, Packages: []lamina.ServicePackage{{Name: "a", Version: "1", FixedIn: "2", Layer: layer}},
	}, lamina.ServiceFinding{ID: "gone", Account: account, Region: region, Service: "guardduty", Severity: "HIGH", Resources: []string{arn("gone")}})
	s.ConfigRecords = []lamina.ConfigRecord{{Function: arn("busy")}}
	dir := t.TempDir()
	var b bytes.Buffer
	if err := snapshot.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "s.lamina"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want []string
		not  string
	}{
		{
			[]string{"functions", "show", "busy"},
			[]string{
				"\n  Inspector       CRITICAL CVE-2099-0001 - a; CVE-2099-0002; a 1, fixed in 2, in utils:1; an exploit is known; worst\n", "LOW red ", "; app.py, in its own package; low-00\n",
				"\n                  and 4 more: -f json has them\n", "\n  GuardDuty       off\n", "\n  Security Hub    not read (securityhub:GetFindings: denied)\n",
				"\n  AWS Config      has a record of it, of no time\n", "\n  Access Analyzer its role does not use s3:* and 7 more\n",
			},
			"\x1b",
		},
		{
			[]string{"functions", "show", "quiet"},
			[]string{"\n  Inspector       on, and says nothing of it\n", "\n  AWS Config      on, and has no record of it; it cannot record layers\n"},
			"Access Analyzer",
		},
		{[]string{"functions", "show", "plain"}, []string{"\n  findings        of functions without layers none are kept\n"}, "Inspector"},
		{
			[]string{"layers", "show", "utils:1"},
			[]string{"\n  Inspector       CRITICAL CVE-2099-0001 - a; CVE-2099-0002; a 1, fixed in 2, in utils:1; an exploit is known\n", "\n  AWS Config      cannot record layers\n"},
			"app.py",
		},
		{[]string{"snapshot", "show"}, []string{"1 finding of functions and layers that are not in the snapshot\n", "AWS Config has a record of 1 function; it cannot record layers\n"}, "\x1b"},
	} {
		_, out, errs := scanOf(t, dir, append(tt.args, "s.lamina", "--width", "160")...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in:\n%s%s", tt.args, want, out, errs)
			}
		}
		if strings.Contains(out, tt.not) || strings.Contains(out, "\u202e") {
			t.Errorf("%s: %q is in:\n%s", tt.args, tt.not, out)
		}
	}
}
