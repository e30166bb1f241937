package awsread_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// answering is a client that gets the answers, one a call, the last again and again,
// and what it was asked.
func answering(answers ...string) (*awsread.Client, *[]string) {
	var asked []string
	server := carrier(func(r *http.Request) (*http.Response, error) {
		var body []byte
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
		}
		asked = append(asked, r.URL.Path+" "+string(body))
		answer := answers[min(len(asked), len(answers))-1]
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
	})
	return awsread.New(awsread.Options{
		Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "x", HTTP: &http.Client{Transport: server}, Endpoint: "https://aws.invalid", Attempts: 1,
	}).In("eu-west-1"), &asked
}

const account, fn = "111122223333", "arn:aws:lambda:eu-west-1:111122223333:function:f"

// What AWS writes becomes a finding; the rest of it, its description above all, is
// not kept, and what is long or no ARN of a function or layer version is cut off.
func TestClient_findings(t *testing.T) {
	const layer = "arn:aws:lambda:eu-west-1:111122223333:layer:utils:7"
	at := time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC)
	c, asked := answering(fmt.Sprintf(`{"findings":[
	{"findingArn":"i-1","type":"PACKAGE_VULNERABILITY","severity":"CRITICAL","title":%q,"description":"long","exploitAvailable":"YES","epss":{"score":0.9},"firstObservedAt":%d,"lastObservedAt":%d,
	 "resources":[{"id":%q,"type":"AWS_LAMBDA_FUNCTION"},{"id":"arn:aws:ec2:eu-west-1:111122223333:instance/i-1"}],
	 "packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2026-0001","vulnerablePackages":[{"name":"p","version":"1","fixedInVersion":"2","filePath":"python/p","sourceLambdaLayerArn":%q},{"name":"q","version":"1","sourceLambdaLayerArn":"no ARN"}]}},
	{"findingArn":"i-2","type":"CODE_VULNERABILITY","severity":"HIGH","epss":{"score":7},"resources":[{"id":%q}],
	 "codeVulnerabilityDetails":{"cwes":["CWE-94","CWE-78","CWE-94"],"filePath":{"filePath":"app.py"}}},
	{}]}`, strings.Repeat("é", 90)+" word "+strings.Repeat("é", 200), at.Unix(), at.Unix(), fn+":$LATEST", layer, fn+":3"))
	got, err := c.InspectorFindings(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	want := []lamina.ServiceFinding{
		{
			ID: "i-1", Account: account, Region: "eu-west-1", Service: "inspector2", Type: "PACKAGE_VULNERABILITY", Severity: "CRITICAL", Title: strings.Repeat("é", 90) + " word …",
			Resources: []string{fn}, Vulnerabilities: []string{"CVE-2026-0001"}, EPSS: 0.9, Exploit: true, First: at, Last: at,
			Packages: []lamina.ServicePackage{{Name: "p", Version: "1", FixedIn: "2", Path: "python/p", Layer: layer}, {Name: "q", Version: "1"}},
		},
		{
			ID: "i-2", Account: account, Region: "eu-west-1", Service: "inspector2", Type: "CODE_VULNERABILITY", Severity: "HIGH", Resources: []string{fn + ":3"},
			Vulnerabilities: []string{"CWE-78", "CWE-94"}, Packages: []lamina.ServicePackage{{Path: "app.py"}},
		},
		{Account: account, Region: "eu-west-1", Service: "inspector2"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Inspector (-want +got):\n%s", d)
	}
	if len(*asked) != 1 || !strings.Contains((*asked)[0], `"awsAccountId":[{"comparison":"EQUALS","value":"`+account+`"}]`) || !strings.Contains((*asked)[0], `"value":"ACTIVE"`) {
		t.Errorf("asked %q", *asked)
	}

	c, asked = answering(`{"findingIds":["1"]}`)
	ids, err := c.DutyFindingIDs(t.Context(), account, "d")
	if err != nil || len(ids) != 1 || !strings.Contains((*asked)[0], `"accountId":{"equals":["`+account+`"]}`) || !strings.Contains((*asked)[0], `"service.archived":{"equals":["false"]}`) {
		t.Errorf("%v %v, asked %q", ids, err, *asked)
	}
	c, _ = answering(`{"findings":[
	{"arn":"g-1","type":"Backdoor:Lambda/C&CActivity.B","severity":8,"title":"t","description":"long","resource":{"lambdaDetails":{"functionArn":"` + fn + `","functionVersion":"3"}},
	 "service":{"eventFirstSeen":"2026-06-18T12:00:00.000Z","eventLastSeen":"yesterday"}},
	{"arn":"g-2","severity":0,"resource":{"lambdaDetails":{"functionArn":"` + fn + `:3","functionVersion":"3"}}},
	{"arn":"g-3","severity":9.5,"resource":{"lambdaDetails":{"functionArn":"` + fn + `","functionVersion":"$LATEST"}}},
	{"arn":"g-4","severity":1,"resource":{"resourceType":"Instance"}},{"arn":"g-5"}]}`)
	got, err = c.DutyFindings(t.Context(), account, "d", []string{"1", "2", "3", "4"}) // one more is answered than asked for
	if err != nil {
		t.Fatal(err)
	}
	want = []lamina.ServiceFinding{
		{ID: "g-1", Type: "Backdoor:Lambda/C&CActivity.B", Severity: "HIGH", Title: "t", Resources: []string{fn + ":3"}, First: at},
		{ID: "g-2", Severity: "UNTRIAGED", Resources: []string{fn + ":3"}},
		{ID: "g-3", Severity: "CRITICAL", Resources: []string{fn}},
		{ID: "g-4", Severity: "LOW"},
	}
	for i := range want {
		want[i].Account, want[i].Region, want[i].Service = account, "eu-west-1", "guardduty"
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("GuardDuty (-want +got):\n%s", d)
	}

	c, asked = answering(`{"Findings":[
	{"Id":"s-1","ProductArn":"arn:aws:securityhub:eu-west-1::product/aws/inspector","Types":["a","b"],"Severity":{"Label":"HIGH"},"Title":"t","Description":"long","FirstObservedAt":"2026-06-18T12:00:00Z",
	 "Resources":[{"Id":"` + layer + `"},{"Id":"AWS::::Account:111122223333"}],
	 "Vulnerabilities":[{"Id":"CVE-2026-0001","EpssScore":0.5,"ExploitAvailable":"YES","VulnerablePackages":[{"Name":"p","Version":"1","SourceLayerArn":"` + layer + `"}]}]},
	{"Id":"s-2","Compliance":{"Status":"PASSED"}},{"Id":"s-3","Workflow":{"Status":"SUPPRESSED"}},{"Id":"s-4","Workflow":{"Status":"RESOLVED"}},
	{"Id":"s-5","Compliance":{"Status":"FAILED"},"Workflow":{"Status":"NEW"}}]}`)
	got, closed, err := c.HubFindings(t.Context(), account)
	if err != nil || closed != 3 {
		t.Fatal(closed, err)
	}
	want = []lamina.ServiceFinding{
		{
			ID: "s-1", Account: account, Region: "eu-west-1", Service: "securityhub", Product: "aws/inspector", Type: "a", Severity: "HIGH", Title: "t", Resources: []string{layer},
			Vulnerabilities: []string{"CVE-2026-0001"}, EPSS: 0.5, Exploit: true, Packages: []lamina.ServicePackage{{Name: "p", Version: "1", Layer: layer}}, First: at,
		},
		{ID: "s-5", Account: account, Region: "eu-west-1", Service: "securityhub", Severity: "UNTRIAGED"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Security Hub (-want +got):\n%s", d)
	}
	if !strings.Contains((*asked)[0], `"Region":[{"Comparison":"EQUALS","Value":"eu-west-1"}]`) || !strings.Contains((*asked)[0], `"Value":"`+account+`"`) {
		t.Errorf("asked %q", *asked)
	}

	c, asked = answering(`{"Results":["{\"arn\":\"`+fn+`\",\"configurationItemCaptureTime\":\"2026-06-18T12:00:00.000Z\"}"],"NextToken":"n"}`, `{"Results":["{\"arn\":\"`+fn+`2\"}"]}`)
	records, err := c.ConfigRecords(t.Context())
	if d := cmp.Diff([]lamina.ConfigRecord{{Function: fn, Captured: at}, {Function: fn + "2"}}, records); d != "" || err != nil {
		t.Errorf("Config %v (-want +got):\n%s", err, d)
	}
	if len(*asked) != 2 || strings.Contains((*asked)[0], "configuration,") || !strings.Contains((*asked)[0], "SELECT arn, configurationItemCaptureTime WHERE") {
		t.Errorf("asked %q", *asked)
	}
}

// An answer that is none is an error of the action, and what came before it stays.
func TestClient_findings_malformed(t *testing.T) {
	for action, call := range map[string]func(c *awsread.Client) error{
		"inspector2:ListFindings": func(c *awsread.Client) error { _, err := c.InspectorFindings(t.Context(), account); return err },
		"guardduty:ListFindings":  func(c *awsread.Client) error { _, err := c.DutyFindingIDs(t.Context(), account, "d"); return err },
		"guardduty:GetFindings": func(c *awsread.Client) error {
			_, err := c.DutyFindings(t.Context(), account, "d", []string{"1"})
			return err
		},
		"securityhub:GetFindings":      func(c *awsread.Client) error { _, _, err := c.HubFindings(t.Context(), account); return err },
		"config:SelectResourceConfig":  func(c *awsread.Client) error { _, err := c.ConfigRecords(t.Context()); return err },
		"access-analyzer:ListFindings": func(c *awsread.Client) error { _, err := c.UnusedPermissions(t.Context(), "a"); return err },
		"access-analyzer:GetFinding": func(c *awsread.Client) error {
			return c.UnusedBy(t.Context(), &lamina.AccessFinding{ID: "x", Analyzer: "a"})
		},
	} {
		for _, answer := range []string{
			`{"findings":3,"findingIds":3,"Findings":3,"Results":3,"findingDetails":3}`, `[`, `{"findings":[{"findingArn":1}],"findingIds":[1],"Findings":[{"Id":1}],"Results":["no JSON"],"findingDetails":[1]}`,
		} {
			c, _ := answering(answer)
			if err := call(c); err != nil {
				if e, ok := errors.AsType[*awsread.Error](err); !ok || e.Action != action || e.Denied {
					t.Errorf("%s, %s: %v", action, answer, err)
				}
			} else if strings.HasPrefix(answer, "[") || strings.HasSuffix(answer, "3}") {
				t.Errorf("%s takes %s", action, answer)
			}
		}
	}
}

// A list that does not end is cut, and said to be, whether its pages hold much or
// nothing.
func TestClient_findings_endless(t *testing.T) {
	one := strings.TrimSuffix(strings.Repeat(`{"findingArn":"i","Id":"s"},`, 100), ",")
	id := strings.TrimSuffix(strings.Repeat(`"i",`, 100), ",")
	for name, answer := range map[string]string{
		"full":  `{"nextToken":"n%[1]d","NextToken":"n%[1]d","findings":[` + one + `],"Findings":[` + one + `],"findingIds":[` + id + `]}`,
		"empty": `{"nextToken":"n","NextToken":"n"}`,
	} {
		calls := map[string]int{"full": 101, "empty": 2}[name]
		list := func(what string, read func(c *awsread.Client) (int, error)) {
			answers := []string{answer}
			if name == "full" {
				answers = nil
				for i := range calls {
					answers = append(answers, fmt.Sprintf(answer, i))
				}
			}
			c, asked := answering(answers...)
			n, err := read(c)
			if err == nil || !strings.Contains(err.Error(), "not read to the end") || len(*asked) != calls || n != map[string]int{"full": 10_000}[name] {
				t.Errorf("%s, %s: %d findings in %d calls: %v", what, name, n, len(*asked), err)
			}
		}
		list("Inspector", func(c *awsread.Client) (int, error) {
			fs, err := c.InspectorFindings(t.Context(), account)
			return len(fs), err
		})
		list("GuardDuty", func(c *awsread.Client) (int, error) {
			fs, err := c.DutyFindingIDs(t.Context(), account, "d")
			return len(fs), err
		})
		list("Security Hub", func(c *awsread.Client) (int, error) {
			fs, _, err := c.HubFindings(t.Context(), account)
			return len(fs), err
		})
	}
	c, _ := answering(`{"NextToken":"n"}`)
	if _, err := c.ConfigRecords(t.Context()); err == nil || !strings.Contains(err.Error(), "not read to the end") {
		t.Errorf("Config: %v", err)
	}
}

// Whatever AWS answers, nothing panics, and what is kept is bounded and about
// functions and layer versions alone.
func FuzzFindings(f *testing.F) {
	f.Add(`{"findings":[{"findingArn":"i","severity":"HIGH","epss":{"score":1e308},"resources":[{"id":"` + fn + `:$LATEST"}],"packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2099-0001","vulnerablePackages":[{"name":"p","sourceLambdaLayerArn":"arn:aws:lambda:eu-west-1:111122223333:layer:l:1"}]}}]}`)
	f.Add(`{"findings":[{"arn":"g","severity":-1,"resource":{"lambdaDetails":{"functionArn":"` + fn + `","functionVersion":":"}},"service":{"eventFirstSeen":"0000-00-00T00:00:00Z"}}]}`)
	f.Add(`{"Findings":[{"Id":"s","ProductArn":":product/","GeneratorId":"lamina/","Resources":[{"Id":"arn:aws:lambda:::layer:x:99999999999999999999"}],"Vulnerabilities":[{},{"VulnerablePackages":[{}]}]}]}`)
	f.Add(`{"Results":["{\"arn\":\"` + fn + `\",\"configurationItemCaptureTime\":\"x\"}"]}`)
	f.Add(`{"findingDetails":[{"unusedPermissionDetails":{"serviceNamespace":"s3","actions":[{"action":"GetObject"},{}]}}]}`)
	f.Add(`{"nextToken":"a","NextToken":"a","findings":[{"findingArn":"i"}]}`) // the next page is the same again
	f.Fuzz(func(t *testing.T, answer string) {
		c, _ := answering(answer)
		ctx := t.Context()
		a, _ := c.InspectorFindings(ctx, account)
		b, _ := c.DutyFindings(ctx, account, "d", []string{"1", "2"})
		h, _, _ := c.HubFindings(ctx, account)
		for _, x := range slices.Concat(a, b, h) {
			if len(x.ID) > 600 || len(x.Title) > 600 || len(x.Resources) > 50 || len(x.Packages) > 50 || len(x.Vulnerabilities) > 50 || x.EPSS < 0 || x.EPSS > 1 {
				t.Errorf("%+v", x)
			}
			about := slices.Clone(x.Resources)
			for _, p := range x.Packages {
				about = append(about, p.Layer)
			}
			for _, arn := range about {
				if parsed, err := lamina.ParseARN(arn); arn != "" && (err != nil || parsed.Service != "lambda") {
					t.Errorf("about %q", arn)
				}
			}
		}
		_, _ = c.ConfigRecords(ctx)
		_, _ = c.DutyFindingIDs(ctx, account, "d")
		u := lamina.AccessFinding{ID: "x", Analyzer: "a"}
		if _ = c.UnusedBy(ctx, &u); len(u.Unused) > 200 || !slices.IsSorted(u.Unused) {
			t.Errorf("%+v", u)
		}
	})
}
