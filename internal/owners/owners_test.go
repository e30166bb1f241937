package owners_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/owners"
)

const file = `
[[owner]]
team = "guards"
check = "GRD-*"

[[owner]]
team = "search"
tag = "team"
value = "find"

[[owner]]
tag = "team"

[[owner]]
team = "workloads"
units = ["ou-acme-work"]

[[owner]]
team = "platform"
accounts = ["111122223333"]
resource = "arn:aws:lambda:*"
`

func TestAssign(t *testing.T) {
	f, err := owners.Parse("owners.toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	e := estate.New(lamina.Snapshot{
		Accounts: []lamina.Account{
			{ID: "111122223333", Management: true, ParentID: "r-acme"},
			{ID: "444455556666", ParentID: "ou-acme-prod"},
			{ID: "777788889999", ParentID: "ou-acme-circle", Tags: map[string]string{"team": "data "}},
		},
		OrganizationalUnits: []lamina.OrganizationalUnit{
			{ID: "r-acme"},
			{ID: "ou-acme-work", ParentID: "r-acme"},
			{ID: "ou-acme-prod", ParentID: "ou-acme-work"},
			{ID: "ou-acme-circle", ParentID: "ou-acme-circle2"},
			{ID: "ou-acme-circle2", ParentID: "ou-acme-circle"},
		},
		Functions: []lamina.Function{
			{ARN: "arn:aws:lambda:eu-west-1:111122223333:function:a", Account: "111122223333", Version: "$LATEST", Tags: map[string]string{"team": "find"}},
			{ARN: "arn:aws:lambda:eu-west-1:111122223333:function:a:1", Account: "111122223333", Version: "1", Layers: []string{"arn:aws:lambda:eu-west-1:999999999999:layer:x:1"}},
			{ARN: "arn:aws:lambda:eu-west-1:444455556666:function:b", Account: "444455556666", Version: "$LATEST", Layers: []string{"arn:aws:lambda:eu-west-1:999999999999:layer:x:1"}},
		},
	}, nil)
	for resource, want := range map[string]string{
		"arn:aws:lambda:eu-west-1:111122223333:function:a":     "search",
		"arn:aws:lambda:eu-west-1:111122223333:function:a:1":   "search", // the tags of the whole
		"arn:aws:lambda:eu-west-1:444455556666:layer:y:1":      "workloads",
		"arn:aws:lambda:eu-west-1:777788889999:layer:z:1":      "data",
		"arn:aws:lambda:eu-west-1:999999999999:layer:x:1":      "search workloads", // those who load it
		"arn:aws:lambda:eu-west-1:111122223333:layer:own:1":    "platform",
		"arn:aws:iam::111122223333:role/admin":                 "",
		"arn:aws:iam::444455556666:role/admin":                 "workloads",
		"arn:*:organizations:::o-exampleorgid":                 "",
		"template.yaml":                                        "",
		"arn:aws:lambda:eu-west-1:999999999999:layer:unused:1": "",
	} {
		fs := []lamina.Finding{{Check: "x", Ref: "EXP-01", Resource: resource}}
		f.Assign(e, fs)
		if got := strings.Join(fs[0].Owners, " "); got != want {
			t.Errorf("%s: %q, want %q", resource, got, want)
		}
	}
	fs := []lamina.Finding{{Check: "guardrail-share", Ref: "GRD-03", Resource: "arn:*:organizations:::o-exampleorgid"}}
	f.Assign(e, fs)
	if d := cmp.Diff([]string{"guards"}, fs[0].Owners); d != "" {
		t.Error(d)
	}
}

func TestParse_refuses(t *testing.T) {
	for text, want := range map[string]string{
		`[[owner]]` + "\n" + `accounts = ["111122223333"]`:                                         "o.toml:1:3: an owner has no team",
		`[[owner]]` + "\n" + `team = "x"`:                                                          `o.toml:2:8: owner "x" would get everything`,
		`[[owner]]` + "\n" + `team = "x"` + "\n" + `accounts = ["12"]`:                             `account "12": want 12 digits`,
		`[[owner]]` + "\n" + `team = "x"` + "\n" + `value = "y"`:                                   `value "y" of no tag`,
		`[[owner]]` + "\n" + `tag = "x"` + "\n" + `value = "y"`:                                    `cannot hold the team`,
		`[[owner]]` + "\n" + `team = "x"` + "\n" + `resource = "` + strings.Repeat("*a", 17) + `"`: "17 stars",
		`[[owner]]` + "\n" + `team = "x"` + "\n" + `account = "111122223333"`:                      `unknown key "account"`,
		`[[owners]]` + "\n" + `team = "x"`:                                                         `unknown`,
	} {
		if _, err := owners.Parse("o.toml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := owners.Parse("o.toml", data)
		if err != nil {
			return
		}
		e := estate.New(lamina.Snapshot{Accounts: []lamina.Account{{ID: "111122223333"}}}, nil)
		x.Assign(e, []lamina.Finding{{Resource: "arn:aws:lambda:eu-west-1:111122223333:layer:a:1"}})
	})
}
