package publishers_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/publishers"
)

func builtin(t *testing.T) *publishers.Registry {
	t.Helper()
	r, err := publishers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBuiltin_lookups(t *testing.T) {
	r := builtin(t)
	tests := []struct {
		name, account, region, layer string
		id                           string
		status                       publishers.Status
		match                        publishers.Match
	}{
		{"vendor", "464622532012", "eu-west-1", "Datadog-Extension", "datadog", publishers.Active, publishers.Listed},
		{"vendor_in_govcloud", "002406178527", "us-gov-west-1", "Datadog-Python39", "datadog", publishers.Active, publishers.Listed},
		{"vendor_govcloud_account_elsewhere", "002406178527", "us-east-1", "Datadog-Python39", "datadog", publishers.Active, publishers.UnexpectedRegion},
		{"look_alike_name_inside_a_listed_account", "464622532012", "eu-west-1", "datadog-extension", "datadog", publishers.Active, publishers.UnexpectedName},
		{"one_digit_off", "464622532013", "eu-west-1", "Datadog-Extension", "", "", publishers.Unverified},
		{"aws_by_region", "027255383542", "us-east-1", "AWS-AppConfig-Extension", "aws-appconfig-extension", publishers.Active, publishers.Listed},
		{"aws_by_region_elsewhere", "027255383542", "eu-west-1", "AWS-AppConfig-Extension", "aws-appconfig-extension", publishers.Active, publishers.UnexpectedRegion},
		{"region_not_known", "027255383542", "", "AWS-AppConfig-Extension", "aws-appconfig-extension", publishers.Active, publishers.Listed},
		{"aws_china", "488211338238", "cn-north-1", "LambdaInsightsExtension", "aws-lambda-insights", publishers.Active, publishers.Listed},
		{"account_that_was_left", "113088814899", "us-east-1", "Klayers-python38-requests", "klayers", publishers.Superseded, publishers.Listed},
		{"account_that_was_left_with_its_own_names", "901920570463", "us-east-1", "aws-otel-python-amd64-ver-1-11-1", "aws-otel-distro", publishers.Superseded, publishers.Listed},
		{"defunct", "066549572091", "us-east-1", "epsagon-node-layer", "epsagon", publishers.Defunct, publishers.Listed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, m := r.Lookup(tt.account, tt.region, tt.layer)
			if p.ID != tt.id || p.Status != tt.status || m != tt.match {
				t.Errorf("Lookup(%s, %s, %s) = %q %q %q, want %q %q %q", tt.account, tt.region, tt.layer, p.ID, p.Status, m, tt.id, tt.status, tt.match)
			}
		})
	}
}

// Every listed layer name is found in every account it is listed for: the
// registry cannot contradict itself.
func TestBuiltin_finds_what_it_lists(t *testing.T) {
	r := builtin(t)
	for _, p := range r.All() {
		for _, l := range p.Layers {
			name := strings.ReplaceAll(l, "*", "x")
			for _, a := range p.Accounts {
				if _, m := r.Lookup(a, "eu-west-1", name); m != publishers.Listed {
					t.Errorf("%s: %s in %s is %s", p.ID, name, a, m)
				}
			}
			for region, a := range p.Regional {
				if _, m := r.Lookup(a, strings.ReplaceAll(region, "*", "east-1"), name); m != publishers.Listed {
					t.Errorf("%s: %s in %s of %s is %s", p.ID, name, a, region, m)
				}
			}
		}
	}
}

func TestBuiltin_claims_have_dated_evidence(t *testing.T) {
	r := builtin(t)
	for _, p := range r.All() {
		for _, e := range p.Evidence {
			if e.Seen == "" || e.Says == "" {
				t.Errorf("%s: evidence %s needs a day and what it says", p.ID, e.URL)
			}
		}
		if p.Status.Gone() && p.Note == "" {
			t.Errorf("%s: a publisher that is gone needs a note", p.ID)
		}
	}
	t.Logf("%d publishers, %d accounts", r.Len(), r.Accounts())
}

func TestNew_a_file_of_the_user_corrects_ours(t *testing.T) {
	mine, err := publishers.ParseTOML("mine.toml", []byte(`version = 1
[[publisher]]
id = "datadog"
name = "Datadog, as we use it"
kind = "vendor"
status = "active"
layers = ["Datadog-Extension"]
accounts = ["464622532012"]
[[publisher.evidence]]
url = "https://example.com/decision"
seen = 2026-01-02
`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := publishers.New(publishers.List{Publishers: builtin(t).All()}, mine)
	if err != nil {
		t.Fatal(err)
	}
	p, m := r.Lookup("464622532012", "eu-west-1", "Datadog-Python312")
	if m != publishers.UnexpectedName || p.Source != "mine.toml" {
		t.Errorf("got %s from %s, want unexpected_name from mine.toml", m, p.Source)
	}
	if r.Len() != builtin(t).Len() {
		t.Errorf("%d publishers, want %d", r.Len(), builtin(t).Len())
	}
}

// A digest is written as sha256sum prints it or as AWS does, and a release is of
// one layer.
func TestRelease(t *testing.T) {
	list, err := publishers.ParseTOML("mine.toml", []byte(`version = 1
[[release]]
layer = "arn:aws:lambda:*:464622532012:layer:Datadog-Extension:80"
digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
source = "the release page"
[[release]]
layer = "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:81"
digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
source = "the release page"
`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := publishers.New(publishers.List{Publishers: builtin(t).All()}, list)
	if err != nil {
		t.Fatal(err)
	}
	releases := r.Releases()
	if len(releases) != 2 || releases[0].Digest != releases[1].Digest {
		t.Fatalf("got %+v, want two releases of one digest", releases)
	}
	for _, tt := range []struct {
		arn  string
		want [2]bool
	}{
		{"arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:1", [2]bool{true, true}},
		{"arn:aws:lambda:us-east-1:464622532012:layer:Datadog-Extension:80", [2]bool{true, false}},
		{"arn:aws:lambda:eu-west-1:111122223333:layer:Datadog-Extension:80", [2]bool{}},
		{"arn:aws-cn:lambda:eu-west-1:464622532012:layer:Datadog-Extension:80", [2]bool{}},
		{"arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension-ARM:80", [2]bool{}},
	} {
		l, err := lamina.ParseLayerARN(tt.arn)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{releases[0].Of(l), releases[1].Of(l)}; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.arn, got, tt.want)
		}
	}
}

func TestParse_places_errors(t *testing.T) {
	const head = "version = 1\n[[publisher]]\nid = \"a\"\nname = \"A\"\nkind = \"vendor\"\nstatus = \"active\"\n"
	const ev = "[[publisher.evidence]]\nurl = \"https://example.com/\"\nseen = 2026-01-02\n"
	const release = "version = 1\n[[release]]\nlayer = \"arn:aws:lambda:*:464622532012:layer:Datadog-Extension:80\"\n"
	tests := []struct{ name, file, in, want string }{
		{"unknown_key", "p.toml", head + "acounts = [\"111122223333\"]\n" + ev, `p.toml:7:1: unknown key "acounts"`},
		{"not_toml", "p.toml", "version = 1\n[[publisher]\n", "p.toml:2:"},
		{"version", "p.toml", "version = 2\n", "p.toml:1:11: version 2: this program reads version 1"},
		{"account", "p.toml", head + "accounts = [\"111122223333\",\n  \"11112222333\"]\n" + ev, `p.toml:8:3: publisher "a": account "11112222333" is not 12 digits`},
		{"regional", "p.toml", head + "[publisher.regional]\neu-west-1 = \"x\"\n" + ev, `p.toml:8:13: publisher "a": account "x" of region "eu-west-1" is not 12 digits`},
		{"second_publisher", "p.toml", head + "accounts = [\"111122223333\"]\n" + ev + "[[publisher]]\nid = \"B\"\n", `p.toml:12:6: publisher id "B": want lower-case letters, digits and hyphens`},
		{"twice", "p.toml", head + "accounts = [\"111122223333\"]\n" + ev + strings.TrimPrefix(head, "version = 1\n"), `p.toml:12:6: publisher "a" is listed twice`},
		{"no_account", "p.toml", head + ev, `p.toml:2:3: publisher "a" has no account: give accounts, regional or former`},
		{"no_evidence", "p.toml", head + "accounts = [\"111122223333\"]\n", `p.toml:2:3: publisher "a" has no evidence: give an [[publisher.evidence]] with url and seen`},
		{"undated", "p.toml", head + "accounts = [\"111122223333\"]\n[[publisher.evidence]]\nurl = \"https://example.com/\"\n", `p.toml:8:13: publisher "a": evidence https://example.com/ has no date: give seen = YYYY-MM-DD`},
		{"every_name", "p.toml", head + "layers = [\"*\"]\naccounts = [\"111122223333\"]\n" + ev, `p.toml:7:11: publisher "a": a layer name of "*" would expect every name; leave layers out when the names are not known`},
		{"status", "p.toml", strings.Replace(head, "active", "fine", 1) + ev, `p.toml:6:10: publisher "a": status "fine" is not active, superseded, abandoned, defunct or unknown`},
		{"release_of_no_version", "p.toml", "version = 1\n[[release]]\nlayer = \"arn:aws:lambda:*:464622532012:layer:Datadog-Extension\"\n", `p.toml:3:9: release "arn:aws:lambda:*:464622532012:layer:Datadog-Extension": want the ARN of a layer version; its region may be * for every one`},
		{"release_of_any_name", "p.toml", "version = 1\n[[release]]\nlayer = \"arn:aws:lambda:*:464622532012:layer:*:80\"\n", `p.toml:3:9: release "arn:aws:lambda:*:464622532012:layer:*:80": want the ARN`},
		{"release_digest", "p.toml", release + "digest = \"sha256:00\"\n", `p.toml:4:10: release arn:aws:lambda:*:464622532012:layer:Datadog-Extension:80: digest "sha256:00" is neither`},
		{"release_source", "p.toml", release + "digest = \"sha256:" + strings.Repeat("00", 32) + "\"\n", `p.toml:2:3: release arn:aws:lambda:*:464622532012:layer:Datadog-Extension:80 has no source`},
		{"release_key", "p.toml", release + "sha256 = \"\"\n", `p.toml:4:1: unknown key "sha256"`},
		{"yaml_account", "a.yaml", "- name: 'A'\n  accounts: ['111122223333']\n- name: 'B'\n  accounts: [11112222333]\n", `a.yaml:3:3: vendor "B": account "11112222333" is not 12 digits; quote account ids that begin with 0`},
		{"yaml_shape", "a.yaml", "a: b\n", "a.yaml:1:1: want a list of vendors, each with name, source and accounts"},
		{"yaml_type", "a.yml", "- name: [x]\n", "a.yml:1:1: not YAML:"},
		{"yaml_syntax", "a.yml", "- name: 'x\n", "a.yml:"},
		{"yaml_empty", "a.yml", "", "a.yml: the file is empty"},
		{"yaml_no_name", "a.yml", "- accounts: ['111122223333']\n", "a.yml:1:3: a vendor without a name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := publishers.Parse(tt.file, []byte(tt.in))
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			if _, ok := errors.AsType[*publishers.Error](err); !ok {
				t.Errorf("error is a %T", err)
			}
			if !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParseAccounts_reads_the_known_accounts_layout(t *testing.T) {
	got, err := publishers.ParseAccounts("a.yaml", []byte(`# comment
- name: 'Some Vendor!'
  source: ['https://example.com/']
  accounts: ['111122223333', '444455556666']
  later_key: ignored
- name: 'Log delivery'
  type: 'aws'
  enabled: false
  accounts: ['123456789012']
- name: 'Some vendor'
  accounts: ['555566667777']
- name: 'No accounts any more'
  accounts: []
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []publishers.Publisher{
		{ID: "accounts-some-vendor", Name: "Some Vendor!", Kind: publishers.Vendor, Status: publishers.Unknown, Accounts: []string{"111122223333", "444455556666"}, Evidence: []publishers.Evidence{{URL: "https://example.com/"}}, Source: "a.yaml"},
		{ID: "accounts-aws-log-delivery", Name: "AWS Log delivery", Kind: publishers.AWS, Status: publishers.Superseded, Accounts: []string{"123456789012"}, Note: "marked as no longer used by the list", Source: "a.yaml"},
		{ID: "accounts-some-vendor-2", Name: "Some vendor", Kind: publishers.Vendor, Status: publishers.Unknown, Accounts: []string{"555566667777"}, Source: "a.yaml"},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(publishers.Publisher{})); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	r, err := publishers.New(publishers.List{Publishers: builtin(t).All()}, publishers.List{Publishers: got})
	if err != nil {
		t.Fatal(err)
	}
	if p, m := r.Lookup("111122223333", "eu-west-1", "x"); m != publishers.AccountOnly || p.Name != "Some Vendor!" {
		t.Errorf("got %q %s, want account_only", p.Name, m)
	}
	if p, ok := r.Account("111122223333"); !ok || p.Name != "Some Vendor!" {
		t.Errorf("Account = %q %v", p.Name, ok)
	}
}

func TestParseAccounts_known_aws_accounts(t *testing.T) {
	dir := os.Getenv("LAMINA_TESTDATA")
	if dir == "" {
		t.Skip("LAMINA_TESTDATA is not set: the list of known accounts is not read")
	}
	data, err := os.ReadFile(filepath.Join(dir, "publishers", "known_aws_accounts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := publishers.Parse("known_aws_accounts.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := publishers.New(publishers.List{Publishers: builtin(t).All()}, list)
	if err != nil {
		t.Fatal(err)
	}
	only, err := publishers.New(list)
	if err != nil {
		t.Fatal(err)
	}
	if only.Len() != 238 {
		t.Errorf("%d entries, want 238", only.Len())
	}
	t.Logf("%d entries, %d accounts", only.Len(), only.Accounts())
	if p, m := r.Lookup("464622532012", "us-east-1", "Datadog-Extension"); m != publishers.Listed || p.ID != "datadog" {
		t.Errorf("the list of accounts hides our entry: %s %s", p.ID, m)
	}
	if p, _ := r.Account("464622532012"); p.ID != "datadog" {
		t.Errorf("the list of accounts hides our entry: %s", p.ID)
	}
	if p, m := r.Lookup("454464851268", "us-east-1", "x"); m != publishers.AccountOnly || p.Name != "Cloudhealth" {
		t.Errorf("got %q %s", p.Name, m)
	}
}

// A registry of nothing but keys that the layout does not have is refused at the
// first, as fast as it is read.
func TestParse_bounds_the_keys(t *testing.T) {
	many := "version = 1\n" + strings.Repeat("[[exception]]\n", 70_000)
	if _, err := publishers.Parse("p.toml", []byte(many)); err == nil || !strings.HasPrefix(err.Error(), `p.toml:2:3: unknown key "exception"`) {
		t.Errorf("got %.200v", err)
	}
	many = "version = 1\n" + strings.Repeat("[[publisher]]\nx = 1\n", 40_000)
	if _, err := publishers.Parse("p.toml", []byte(many)); err == nil || !strings.HasPrefix(err.Error(), `p.toml:3:1: unknown key "x"`) {
		t.Errorf("got %.200v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("p.toml", []byte("version = 1\n[[publisher]]\nid = \"a\"\nname = \"A\"\nkind = \"vendor\"\nstatus = \"active\"\naccounts = [\"111122223333\"]\n[[publisher.evidence]]\nurl = \"https://example.com/\"\nseen = 2026-01-02\n"))
	f.Add("p.toml", []byte("[[publisher]]\n[publisher.regional]\n\"us-*\" = \"1\"\n[[publisher.former]]\n"))
	f.Add("p.toml", []byte("version = 1\n[[release]]\nlayer = \"arn:aws:lambda:*:111122223333:layer:a:1\"\ndigest = \"sha256:00\"\nsource = \"x\"\n"))
	f.Add("a.yaml", []byte("- name: 'A'\n  source: ['x']\n  accounts: ['111122223333']\n"))
	f.Add("a.yaml", []byte("- &a [*a]\n"))
	f.Add("a.yaml", []byte("- name: &x y\n  accounts: [*x, *x]\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		list, err := publishers.Parse(name, data)
		if err != nil {
			return
		}
		r, err := publishers.New(list)
		if err != nil {
			return
		}
		for _, p := range r.All() {
			for _, a := range p.Accounts {
				if _, m := r.Lookup(a, "eu-west-1", "layer"); m == publishers.Unverified {
					t.Errorf("account %s of %s is unverified", a, p.ID)
				}
			}
		}
	})
}
