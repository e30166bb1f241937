package approval_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/approval"
)

var (
	now    = time.Date(2026, 6, 18, 13, 0, 0, 0, time.UTC)
	digest = strings.Repeat("ab", 32)
)

const file = `# what we use
[[layer]]
id      = "datadog"
layer   = "arn:aws:lambda:*:464622532012:layer:Datadog-Extension:65"
reason  = "tracing"
owner   = "platform@corp.example"
expires = 2026-06-18

[[share]]
id      = "sdk"
layer   = "arn:aws:lambda:eu-west-1:111122223333:layer:sdk:*"
to      = "444455556666"
reason  = "contract"
owner   = "partners@corp.example"
expires = 2026-12-31
`

func parse(t *testing.T, text string) []approval.Item {
	t.Helper()
	f, err := approval.Parse("approvals.toml", []byte(text), now)
	if err != nil {
		t.Fatal(err)
	}
	return f.Items
}

func TestParse(t *testing.T) {
	want := []approval.Item{
		{
			Kind: "layer", ID: "datadog", Layer: "arn:aws:lambda:*:464622532012:layer:Datadog-Extension:65", Reason: "tracing", Owner: "platform@corp.example",
			Expires: time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC), File: "approvals.toml", Line: 2,
		},
		{
			Kind: "share", ID: "sdk", Layer: "arn:aws:lambda:eu-west-1:111122223333:layer:sdk:*", To: "444455556666", Reason: "contract", Owner: "partners@corp.example",
			Expires: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), File: "approvals.toml", Line: 9,
		},
	}
	if d := cmp.Diff(want, parse(t, file)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestParse_refuses(t *testing.T) {
	item := func(change ...string) string {
		lines := map[string]string{
			"id": `"x"`, "layer": `"arn:aws:lambda:*:464622532012:layer:X:1"`, "reason": `"r"`, "owner": `"o"`, "expires": "2026-12-31",
		}
		kind := "layer"
		for _, c := range change {
			k, v, _ := strings.Cut(c, "=")
			if k == "kind" {
				kind = v
				continue
			}
			lines[k] = v
		}
		var b strings.Builder
		b.WriteString("[[" + kind + "]]\n")
		for _, k := range []string{"id", "layer", "to", "digest", "scope", "reason", "owner", "expires", "more"} {
			if lines[k] != "" {
				b.WriteString(k + " = " + lines[k] + "\n")
			}
		}
		return b.String()
	}
	parse(t, item()) // is fine as it is
	for name, tt := range map[string]struct{ text, want string }{
		"no_id":           {item("id="), "id"},
		"twice":           {item() + item(), "there twice"},
		"every_account":   {item(`layer="arn:aws:lambda:*:*:layer:X:1"`), "is of no one account"},
		"every_layer":     {item(`layer="arn:aws:lambda:*:464622532012:layer:*:*"`), "is every layer of the account"},
		"no_version":      {item(`layer="arn:aws:lambda:*:464622532012:layer:X"`), "names no version"},
		"no_layer":        {item(`layer="X:1"`), "is no layer version"},
		"many_stars":      {item(`layer="arn:aws:lambda:*:464622532012:layer:a*b*c*d*e*f*g*h*i:1"`), "more than 8 stars"},
		"no_reason":       {item("reason="), "has no reason"},
		"no_owner":        {item(`owner=" "`), "has no owner"},
		"no_end":          {item("expires="), "never ends"},
		"too_long":        {item("expires=2027-06-19"), "lasts until 2027-06-19"},
		"wrong_digest":    {item(`digest="sha256:ab"`), "64 hex digits"},
		"wrong_scope":     {item(`scope=["prod"]`), `scope "prod"`},
		"unknown_key":     {item(`more="x"`), `unknown key "more"`},
		"share_to_nobody": {item("kind=share", `to="them"`), "is nobody"},
		"share_to_absent": {item("kind=share"), "is nobody"},
		"layer_to":        {item(`to="444455556666"`), `unknown key "to"`},
		"share_scope":     {item("kind=share", `to="everyone"`, `scope=["444455556666"]`), `unknown key "scope"`},
		"unknown_table":   {"[[layers]]\nid = \"x\"\n", "layers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := approval.Parse("approvals.toml", []byte(tt.text), now)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestSet(t *testing.T) {
	const text = `
[[layer]]
id = "version"
layer = "arn:aws:lambda:*:464622532012:layer:Ext:65"
reason = "r"
owner = "o"
expires = 2026-12-31
[[layer]]
id = "content"
layer = "arn:aws:lambda:*:464622532012:layer:Ext:*"
digest = "sha256:abababababababababababababababababababababababababababababababab"
reason = "r"
owner = "o"
expires = 2026-12-31
[[layer]]
id = "ended"
layer = "arn:aws:lambda:*:464622532012:layer:Old:1"
reason = "r"
owner = "o"
expires = 2026-06-17
[[layer]]
id = "some"
layer = "arn:aws:lambda:*:464622532012:layer:Some:1"
scope = ["444455556666", "ou-acme-prod", "arn:aws:lambda:*:*:function:checkout-*"]
reason = "r"
owner = "o"
expires = 2026-12-31
[[share]]
id = "partner"
layer = "arn:aws:lambda:eu-west-1:111122223333:layer:sdk:*"
to = "444455556666"
reason = "r"
owner = "o"
expires = 2026-12-31
[[share]]
id = "world"
layer = "arn:aws:lambda:eu-west-1:111122223333:layer:open:1"
to = "everyone"
reason = "r"
owner = "o"
expires = 2026-12-31
[[share]]
id = "org"
layer = "arn:aws:lambda:eu-west-1:111122223333:layer:open:2"
to = "o-a1b2c3d4e5"
reason = "r"
owner = "o"
expires = 2026-12-31
`
	s := &approval.Set{Items: parse(t, text), Now: now}
	layer := func(name string) string { return "arn:aws:lambda:eu-west-1:464622532012:layer:" + name }
	ours := func(name string) string { return "arn:aws:lambda:eu-west-1:111122223333:layer:" + name }
	use := func(arn, sum, function, account string, units ...string) approval.Verdict {
		return s.Use(approval.Use{Layer: arn, Digest: sum, Function: function, Account: account, Units: units})
	}
	share := func(arn, to, org string) approval.Verdict {
		return s.Share(arn, "", lamina.Grant{Principal: to, OrganizationID: org})
	}
	for name, tt := range map[string]struct {
		got        approval.Verdict
		by, lapsed string
	}{
		"version":                  {use(layer("Ext:65"), "", "f", "1"), "version", "not approved: approval content (o) until 2026-12-31 is for sha256:abababababab…, and the content is not known"},
		"another_version":          {use(layer("Ext:66"), "", "f", "1"), "", "not approved: approval content (o) until 2026-12-31 is for sha256:abababababab…, and the content is not known"},
		"content":                  {use(layer("Ext:66"), digest, "f", "1"), "content", ""},
		"other_content":            {use(layer("Ext:66"), strings.Repeat("cd", 32), "f", "1"), "", "not approved: approval content (o) until 2026-12-31 is for sha256:abababababab…, and the content is sha256:cdcdcdcdcdcd…"},
		"another_account":          {use("arn:aws:lambda:eu-west-1:464622532013:layer:Ext:65", digest, "f", "1"), "", ""},
		"ended":                    {use(layer("Old:1"), "", "f", "1"), "", "re-opened: approval ended (o) ended on 2026-06-17"},
		"out_of_scope":             {use(layer("Some:1"), "", "f", "111122223333"), "", ""},
		"account_in_scope":         {use(layer("Some:1"), "", "f", "444455556666"), "some", ""},
		"unit_in_scope":            {use(layer("Some:1"), "", "f", "1", "ou-acme-prod", "r-acme"), "some", ""},
		"function_in_scope":        {use(layer("Some:1"), "", "arn:aws:lambda:eu-west-1:111122223333:function:checkout-api:3", "111122223333"), "some", ""},
		"by_content":               {s.Content(digest), "content", ""},
		"by_no_content":            {s.Content(""), "", ""},
		"partner":                  {share(ours("sdk:3"), "444455556666", ""), "partner", ""},
		"partner_as_root":          {share(ours("sdk:3"), "arn:aws:iam::444455556666:root", ""), "partner", ""},
		"partner_is_not_everyone":  {share(ours("sdk:3"), "*", ""), "", ""},
		"everyone":                 {share(ours("open:1"), "*", ""), "world", ""},
		"everyone_is_no_partner":   {share(ours("open:1"), "444455556666", ""), "", ""},
		"organisation":             {share(ours("open:2"), "*", "o-a1b2c3d4e5"), "org", ""},
		"organisation_is_not_all":  {share(ours("open:2"), "*", ""), "", ""},
		"a_share_approves_no_use":  {use(ours("open:1"), "", "f", "1"), "", ""},
		"a_nil_set":                {(*approval.Set)(nil).Content(digest), "", ""},
		"an_approval_is_no_prefix": {use(layer("Ext:655"), "", "f", "1"), "", "not approved: approval content (o) until 2026-12-31 is for sha256:abababababab…, and the content is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			by := ""
			if tt.got.By != nil {
				by = tt.got.By.ID
			}
			if by != tt.by || strings.Join(tt.got.Lapsed, "; ") != tt.lapsed {
				t.Errorf("by %q, lapsed %q; want %q, %q", by, tt.got.Lapsed, tt.by, tt.lapsed)
			}
		})
	}
}

// What is written reads back as it was, and the rest of the file stays.
func TestAppend(t *testing.T) {
	for name, data := range map[string]string{"new": "", "old": file, "windows": strings.ReplaceAll(file, "\n", "\r\n"), "no_newline": strings.TrimSpace(file)} {
		t.Run(name, func(t *testing.T) {
			x := approval.Item{
				Kind: "layer", ID: "new", Layer: "arn:aws:lambda:*:464622532012:layer:X:1", Digest: digest, Scope: []string{"ou-acme-prod", "444455556666"},
				Reason: "a \"quoted\"\nreason \x7f", Owner: "ö", Expires: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
			}
			out, err := approval.Append("approvals.toml", []byte(data), x, now)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(out, []byte(data)) || name == "windows" && bytes.Contains(bytes.ReplaceAll(out, []byte("\r\n"), nil), []byte("\n")) {
				t.Errorf("the file became %q", out)
			}
			items := parse(t, string(out))
			got := items[len(items)-1]
			got.File, got.Line = "", 0
			if d := cmp.Diff(x, got); d != "" {
				t.Errorf("-written +read:\n%s", d)
			}
		})
	}
	if _, err := approval.Append("approvals.toml", []byte(file), approval.Item{Kind: "layer", ID: "sdk"}, now); err == nil {
		t.Error("an approval that says nothing was written")
	}
}

func TestLint(t *testing.T) {
	items := parse(t, file+`
[[layer]]
id = "to-come"
layer = "arn:aws:lambda:*:464622532012:layer:Y:*"
reason = "r"
owner = "o"
expires = 2026-12-31
`)
	items[0].Expires = now.AddDate(0, 0, -2)
	s := &approval.Set{Items: items, Now: now}
	about := s.About(
		[]approval.Use{{Layer: "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:65"}},
		[]lamina.LayerVersion{{ARN: "arn:aws:lambda:eu-west-1:111122223333:layer:sdk:4", Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{{Principal: "999999999999"}}}}},
	)
	var got []string
	for _, p := range approval.Lint(items, about, now) {
		got = append(got, p.Kind+" "+p.ID)
	}
	if d := cmp.Diff([]string{"expired datadog", "unused sdk", "broad to-come", "unused to-come"}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestRules(t *testing.T) {
	s := &approval.Set{Items: parse(t, file), Now: now}
	got, err := json.Marshal(s.Rules("list"))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"description":"owner: partners@corp.example; reason: contract","entries":[` +
		`{"field":"lamina.layer.arn","operator":"included","type":"wildcard","value":"arn:aws:lambda:eu-west-1:111122223333:layer:sdk:*"},` +
		`{"field":"lamina.grant.account","operator":"included","type":"match","value":"444455556666"}],` +
		`"expire_time":"2027-01-01T00:00:00Z","item_id":"sdk","list_id":"list","name":"approved: arn:aws:lambda:eu-west-1:111122223333:layer:sdk:* to 444455556666","namespace_type":"single","type":"simple"}]`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file))
	f.Add([]byte("[[layer]]\nlayer = \"arn:aws:lambda:*:464622532012:layer:*:*\"\ndigest = \"sha256:\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := approval.Parse("approvals.toml", data, now)
		if err != nil {
			return
		}
		s := &approval.Set{Items: parsed.Items, Now: now}
		for _, x := range parsed.Items {
			if x.Owner == "" || x.Reason == "" || x.Expires.After(now.AddDate(1, 0, 1)) {
				t.Errorf("accepted %+v", x)
			}
			// No approval speaks for an account that it does not spell out.
			arn := "arn:aws:lambda:eu-west-1:999999999999:layer:anything:1"
			if v := s.Use(approval.Use{Layer: arn, Digest: x.Digest}); v.By != nil && !strings.Contains(v.By.Layer, "999999999999") {
				t.Errorf("%+v approves %s", *v.By, arn)
			}
		}
	})
}
