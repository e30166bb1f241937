package vulndb_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

const vexHead = `{"@context":"https://openvex.dev/ns/v0.2.0","author":"us","timestamp":"2026-01-01T00:00:00Z","statements":[`

func TestVEX_find(t *testing.T) {
	v := &vulndb.VEX{}
	err := v.Read("ours.json", []byte(vexHead+`
		{"vulnerability":{"name":"CVE-1","aliases":["GHSA-1"]},"products":[{"@id":"pkg:pypi/Acme_Auth@1.0"}],"status":"not_affected","justification":"component_not_present"},
		{"vulnerability":{"name":"CVE-2"},"products":[{"@id":"pkg:pypi/acme-auth"}],"status":"fixed"},
		{"vulnerability":{"name":"CVE-2"},"products":[{"@id":"pkg:pypi/acme-auth@3"}],"status":"affected","action_statement":"update","timestamp":"2026-02-01T00:00:00Z"},
		{"vulnerability":{"name":"CVE-3"},"products":[{"@id":"arn:aws:lambda:eu-west-1:111122223333:layer:x:1","subcomponents":[{"@id":"pkg:npm/%40acme/auth@1"}]}],"status":"not_affected","impact_statement":"no"},
		{"vulnerability":{"name":"CVE-4"},"products":[{"@id":"urn:x","identifiers":{"purl":"pkg:npm/a@1?arch=arm64"}}],"status":"under_investigation"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	old := []byte(`{"@context":"https://openvex.dev/ns","author":"old","timestamp":"2025-01-01T00:00:00Z","statements":[
		{"vulnerability":"CVE-1","products":["pkg:pypi/acme-auth@1.0"],"status":"affected","action_statement":"x"}]}`)
	if err := v.Read("old.json", old); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ id, purl, within, want string }{
		{"CVE-1", "pkg:pypi/acme-auth@1.0", "", "not_affected"}, // the later statement, though read first
		{"GHSA-1", "pkg:pypi/acme.auth@1.0", "", "not_affected"},
		{"CVE-1", "pkg:pypi/acme-auth@1.1", "", ""},
		{"CVE-1", "pkg:npm/acme-auth@1.0", "", ""},
		{"CVE-9", "pkg:pypi/acme-auth@1.0", "", ""},
		{"CVE-2", "pkg:pypi/acme-auth@2", "", "fixed"},
		{"CVE-2", "pkg:pypi/acme-auth@3", "", "affected"},
		{"CVE-3", "pkg:npm/@acme/auth@1", "", ""},
		{"CVE-3", "pkg:npm/@acme/auth@1", "arn:aws:lambda:eu-west-1:111122223333:layer:x:1", "not_affected"},
		{"CVE-3", "pkg:npm/%40acme/auth@1", "arn:aws:lambda:eu-west-1:111122223333:layer:x:2", ""},
		{"CVE-4", "pkg:npm/a@1", "", ""},
		{"CVE-4", "pkg:npm/a@1?arch=arm64&x=y", "", "under_investigation"},
	} {
		s, ok := v.Find([]string{"X-0", tt.id}, tt.purl, tt.within)
		if string(s.Status) != tt.want || ok != (tt.want != "") {
			t.Errorf("%s in %s within %q: got %q, %v, want %q", tt.id, tt.purl, tt.within, s.Status, ok, tt.want)
		}
	}
	var none *vulndb.VEX
	if _, ok := none.Find([]string{"CVE-1"}, "pkg:pypi/a@1"); ok {
		t.Error("no document says something")
	}
}

func TestVEX_wrong(t *testing.T) {
	for name, text := range map[string]string{
		"no_json":           `{`,
		"something_else":    `{"bomFormat":"CycloneDX"}`,
		"no_vulnerability":  vexHead + `{"products":[{"@id":"pkg:npm/a"}],"status":"fixed"}]}`,
		"no_product":        vexHead + `{"vulnerability":{"name":"CVE-1"},"status":"fixed"}]}`,
		"nameless_product":  vexHead + `{"vulnerability":{"name":"CVE-1"},"products":[{}],"status":"fixed"}]}`,
		"unknown_status":    vexHead + `{"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:npm/a"}],"status":"ignored"}]}`,
		"no_justification":  vexHead + `{"vulnerability":{"name":"CVE-1"},"products":[{"@id":"pkg:npm/a"}],"status":"not_affected"}]}`,
		"hostile_vuln_name": vexHead + `{"vulnerability":{"name":"CVE-1\u001b[2J"},"products":[{"@id":"pkg:npm/a"}],"status":"fixed"}]}`,
	} {
		v := &vulndb.VEX{}
		if err := v.Read(name, []byte(text)); err == nil || !strings.HasPrefix(err.Error(), name) || v.Len() != 0 {
			t.Errorf("%s: got %v, %d statements", name, err, v.Len())
		}
	}
}

func TestVEX_write(t *testing.T) {
	var b bytes.Buffer
	findings := []vulndb.VEXFinding{
		{PURL: "pkg:pypi/b@1", Match: vulndb.Match{IDs: []string{"CVE-2"}, Outcome: lamina.Unknown, Reason: "cannot be compared"}},
		{PURL: "pkg:pypi/a@1", Match: vulndb.Match{IDs: []string{"CVE-1", "GHSA-1"}, Outcome: lamina.Fail, Fixed: []string{"1.2", "2.0"}}},
		{PURL: "pkg:pypi/c@1", Match: vulndb.Match{IDs: []string{"CVE-3"}, Outcome: lamina.Fail}, Said: &vulndb.VEXStatement{Status: vulndb.NotAffected, Justification: "component_not_present", Note: "gone"}},
	}
	if err := vulndb.WriteVEX(&b, vulndb.VEXHeader{Author: "us", Tooling: "t", Time: built}, findings); err != nil {
		t.Fatal(err)
	}
	want := `{
  "@context": "https://openvex.dev/ns/v0.2.0",
  "@id": "urn:lamina:vex:ID",
  "author": "us",
  "timestamp": "2026-01-02T03:04:05Z",
  "version": 1,
  "tooling": "t",
  "statements": [
    {
      "vulnerability": {
        "name": "CVE-1",
        "aliases": [
          "GHSA-1"
        ]
      },
      "products": [
        {
          "@id": "pkg:pypi/a@1"
        }
      ],
      "status": "affected",
      "action_statement": "update to 1.2 or 2.0"
    },
    {
      "vulnerability": {
        "name": "CVE-2"
      },
      "products": [
        {
          "@id": "pkg:pypi/b@1"
        }
      ],
      "status": "under_investigation",
      "status_notes": "cannot be compared"
    },
    {
      "vulnerability": {
        "name": "CVE-3"
      },
      "products": [
        {
          "@id": "pkg:pypi/c@1"
        }
      ],
      "status": "not_affected",
      "justification": "component_not_present",
      "impact_statement": "gone"
    }
  ]
}
`
	got := b.String()
	i := strings.Index(got, "urn:lamina:vex:") + len("urn:lamina:vex:")
	if d := cmp.Diff(want, got[:i]+"ID"+got[i+32:]); d != "" {
		t.Error(d)
	}
	v := &vulndb.VEX{}
	if err := v.Read("again", b.Bytes()); err != nil || v.Len() != 3 {
		t.Errorf("what was written cannot be read: %v", err)
	}
}

func FuzzVEX(f *testing.F) {
	f.Add([]byte(vexHead+`{"vulnerability":"CVE-1","products":["pkg:npm/a@1"],"status":"fixed"}]}`), "pkg:npm/a@1")
	f.Fuzz(func(_ *testing.T, data []byte, purl string) {
		v := &vulndb.VEX{}
		if v.Read("fuzz", data) == nil {
			v.Find([]string{"CVE-1"}, purl)
		}
	})
}

func TestPURL(t *testing.T) {
	for text, want := range map[string]vulndb.PURL{
		"pkg:pypi/urllib3@1.26.16":               {Type: "pypi", Name: "urllib3", Version: "1.26.16"},
		"pkg:npm/%40acme/auth@1.0.0-rc.1%2Bb":    {Type: "npm", Name: "@acme/auth", Version: "1.0.0-rc.1+b"},
		"pkg:npm/@acme/auth":                     {Type: "npm", Name: "@acme/auth"},
		"pkg:maven/org.acme/auth@1?type=jar#sub": {Type: "maven", Name: "org.acme:auth", Version: "1", Qualifiers: map[string]string{"type": "jar"}},
		"pkg:golang/example.com/m/v2@v2.0.1":     {Type: "golang", Name: "example.com/m/v2", Version: "v2.0.1"},
		"pkg:GOLANG/stdlib@1.22":                 {Type: "golang", Name: "stdlib", Version: "1.22"},
	} {
		got, err := vulndb.ParsePURL(text)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", text, err, d)
		}
	}
	for _, text := range []string{"", "pkg:", "pkg:npm", "pkg:npm/", "npm/a", "pkg:npm/a%zz", "pkg:npm//a//b@1", "pkg:/@1"} {
		if p, err := vulndb.ParsePURL(text); err == nil && text != "pkg:npm//a//b@1" {
			t.Errorf("%q gives %+v", text, p)
		}
	}
	for _, q := range [][4]string{
		{"PyPI", "Acme_Auth", "1.0", "pkg:pypi/acme-auth@1.0"},
		{"npm", "@acme/auth", "1.0.0+b", "pkg:npm/%40acme/auth@1.0.0+b"},
		{"Maven", "org.acme:auth", "1", "pkg:maven/org.acme/auth@1"},
		{"Go", "example.com/m", "", "pkg:golang/example.com/m"},
		{"Debian:12", "acme", "1", ""},
		{"npm", "0/", "0", ""},
	} {
		if got := vulndb.PackageURL(q[0], q[1], q[2]); got != q[3] {
			t.Errorf("%v: got %s", q, got)
		}
	}
}

func FuzzPURL(f *testing.F) {
	f.Add("npm", "@acme/a b", "1.0+x y/z@")
	f.Fuzz(func(t *testing.T, ecosystem, name, version string) {
		s := vulndb.PackageURL(ecosystem, name, version)
		p, err := vulndb.ParsePURL(s)
		if s == "" || err != nil {
			return
		}
		e, err := p.Ecosystem()
		if err != nil || p.Version != version || vulndb.Name(e, p.Name) != vulndb.Name(e, name) {
			t.Errorf("%q %q %q → %s → %+v", ecosystem, name, version, s, p)
		}
	})
}
