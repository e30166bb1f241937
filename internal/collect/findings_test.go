package collect_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

// manyFindings adds to the world: findings of every service, more than a page of
// each, copies of them in Security Hub, those of a function without layers and those
// of another account, which its administrator is told of, too.
func manyFindings(t *testing.T) *awsfake.Fake {
	t.Helper()
	f := world(t)
	if _, err := f.As(caller(member), region).CreateFunction(awsfake.CreateFunctionInput{
		FunctionName: "plain", Role: "arn:aws:iam::" + member + ":role/app", Runtime: "python3.12", Handler: "a.b",
	}); err != nil {
		t.Fatal(err)
	}
	const function = "arn:aws:lambda:" + region + ":" + member + ":function:"
	var all []lamina.ServiceFinding
	add := func(service, product, account, id string, resources ...string) {
		all = append(all, lamina.ServiceFinding{
			ID: id, Account: account, Region: region, Service: service, Product: product, Severity: "LOW", Type: "x", First: start, Last: start, Resources: resources,
		})
	}
	for i := range 120 {
		add("guardduty", "", member, fmt.Sprintf("arn:aws:guardduty:%s:%s:detector/d/finding/%03d", region, member, i+2), function+"fn-0")
		add("inspector2", "", member, fmt.Sprintf("arn:aws:inspector2:%s:%s:finding/%03d", region, member, i+2), function+"fn-0")
		add("securityhub", "aws/inspector", member, fmt.Sprintf("copy/%03d", i), function+"fn-0")
	}
	add("securityhub", "aws/guardduty", member, "copy/guardduty", function+"fn-0")
	for _, service := range []string{"guardduty", "inspector2", "securityhub"} {
		add(service, "aws/securityhub", member, "plain/"+service, function+"plain")
		add(service, "aws/securityhub", suspended, "other/"+service, strings.ReplaceAll(function, member, suspended)+"other")
	}
	f.Load(lamina.Snapshot{ServiceFindings: all})
	return f
}

// Every finding that is listed is kept, or counted as what it is; a page of each
// service's list, and fifty findings of GuardDuty, are a call.
func TestCollect_findings(t *testing.T) {
	f := manyFindings(t)
	before := maps.Clone(f.Calls())
	s := collected(t, options(t, f))
	made := map[string]int{}
	for c, n := range f.Calls() {
		if n -= before[c]; c.Account == member && (strings.Contains(c.Action, "Finding") || strings.HasPrefix(c.Action, "config:Select")) {
			made[c.Action] += n
		}
	}
	want := map[string]int{
		"inspector2:ListFindings": 2, "guardduty:ListFindings": 3, "guardduty:GetFindings": 3, "securityhub:GetFindings": 2, "config:SelectResourceConfig": 1,
		"access-analyzer:ListFindings": 1 + 2, "access-analyzer:GetFinding": 1 + 1,
	}
	if d := cmp.Diff(want, made); d != "" {
		t.Errorf("calls (-want +made):\n%s", d)
	}
	counts := []lamina.FindingCount{
		{Account: member, Region: region, Service: "inspector2", Listed: 122, Kept: 121, Layerless: 1},
		{Account: member, Region: region, Service: "guardduty", Listed: 122, Kept: 121, Layerless: 1},
		{Account: member, Region: region, Service: "securityhub", Listed: 124, Kept: 2, Copies: 121, Layerless: 1},
	}
	if d := cmp.Diff(counts, s.FindingCounts); d != "" {
		t.Errorf("counts (-want +got):\n%s", d)
	}
	whole(t, s)
	for _, x := range s.ServiceFindings {
		if x.Account != member || strings.HasSuffix(x.Resources[0], ":plain") || strings.HasPrefix(x.Product, "aws/inspector") {
			t.Errorf("kept %+v", x)
		}
	}
}

// whole checks that the counts add up.
func whole(t *testing.T, s lamina.Snapshot) {
	t.Helper()
	kept := 0
	for _, n := range s.FindingCounts {
		if n.Listed != n.Kept+n.Layerless+n.Copies+n.Closed+n.Unnamed {
			t.Errorf("counted in is not counted out: %+v", n)
		}
		kept += n.Kept
	}
	if kept != len(s.ServiceFindings) {
		t.Errorf("%d findings are kept, %d counted", len(s.ServiceFindings), kept)
	}
}

// What a service could not be asked itself is kept of what Security Hub repeats, and
// without a list of functions every finding is.
func TestCollect_findings_denied(t *testing.T) {
	f := manyFindings(t)
	for _, tt := range []struct {
		action       string
		copies, kept int
	}{
		{"inspector2:ListFindings", 1, 122},
		{"guardduty:ListFindings", 120, 3},
		{"guardduty:GetFindings", 120, 3},
		{"inspector2:BatchGetAccountStatus", 1, 122},
		{"guardduty:ListDetectors", 120, 3},
		{"lambda:ListFunctions", 121, 3},
	} {
		f.Deny(func(c awsfake.Call) bool { return c.Action == tt.action })
		s := collected(t, options(t, f))
		f.Deny(nil)
		whole(t, s)
		i := slices.IndexFunc(s.FindingCounts, func(n lamina.FindingCount) bool { return n.Service == "securityhub" })
		if n := s.FindingCounts[i]; n.Copies != tt.copies || n.Kept != tt.kept {
			t.Errorf("without %s: %+v", tt.action, n)
		}
		service, _, _ := strings.Cut(tt.action, ":")
		if slices.ContainsFunc(s.ServiceFindings, func(x lamina.ServiceFinding) bool { return x.Service == service }) {
			t.Errorf("without %s: there are findings of %s", tt.action, service)
		}
		for _, target := range s.Targets {
			if target.Account == member && target.Region == region && slices.Contains(target.Read, tt.action) {
				t.Errorf("%s counts as read", tt.action)
			}
		}
	}
}

// The analyzer of an organisation says what roles of other accounts do not use; of
// roles of functions without layers nothing is asked.
func TestCollect_unused_permissions(t *testing.T) {
	f := world(t)
	const analyzer = "arn:aws:access-analyzer:" + region + ":" + management + ":analyzer/all"
	f.Load(lamina.Snapshot{
		Analyzers: []lamina.AccessAnalyzer{{ARN: analyzer, Account: management, Region: region, Type: "ORGANIZATION_UNUSED_ACCESS", Status: "ACTIVE"}},
		AccessFindings: []lamina.AccessFinding{
			{ID: "u-1", Kind: "UnusedPermission", Analyzer: analyzer, Resource: "arn:aws:iam::" + member + ":role/app", Status: "ACTIVE", Updated: start, Unused: []string{"sqs:*"}},
			{ID: "u-2", Kind: "UnusedPermission", Analyzer: analyzer, Resource: "arn:aws:iam::" + member + ":role/other", Status: "ACTIVE", Updated: start, Unused: []string{"sqs:*"}},
		},
	})
	said := func(s lamina.Snapshot) (ids []string) {
		for _, x := range s.AccessFindings {
			if x.Kind == "UnusedPermission" {
				ids = append(ids, x.ID+" "+strings.Join(x.Unused, ","))
			}
		}
		slices.Sort(ids)
		return ids
	}
	if d := cmp.Diff([]string{"f-3 lambda:InvokeFunction,s3:*", "u-1 sqs:*"}, said(collected(t, options(t, f)))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	f.Deny(func(c awsfake.Call) bool {
		return c.Action == "access-analyzer:GetFinding" && c.Caller.Account == management
	})
	s := collected(t, options(t, f))
	if d := cmp.Diff([]string{"f-3 lambda:InvokeFunction,s3:*", "u-1 "}, said(s)); d != "" {
		t.Errorf("denied (-want +got):\n%s", d)
	}
	for _, target := range s.Targets {
		gap := slices.ContainsFunc(target.Gaps, func(g lamina.Gap) bool { return g.Action == "access-analyzer:GetFinding" && g.Denied })
		if gap != (target.Account == management && target.Region == region) || gap == slices.Contains(target.Read, "access-analyzer:GetFinding") && target.Region == region {
			t.Errorf("%s %s: gaps %+v", target.Account, target.Region, target.Gaps)
		}
	}
}
