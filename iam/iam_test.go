package iam_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

const (
	layer   = "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"
	foreign = "arn:aws:lambda:eu-west-1:999999999999:layer:tools:7"
	fn      = "arn:aws:lambda:eu-west-1:111122223333:function:orders"
	dev     = "arn:aws:iam::111122223333:role/dev"
	outside = "arn:aws:iam::444455556666:role/dev"
)

// parse reads a document that a test needs whole.
func parse(tb testing.TB, text string) *iam.Policy {
	tb.Helper()
	p, err := iam.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// one is a document with one statement.
func one(statement string) string {
	return `{"Version":"2012-10-17","Statement":` + statement + `}`
}

func TestParse_keeps_what_it_does_not_understand(t *testing.T) {
	for name, tt := range map[string]struct{ doc, want string }{
		"unknown_effect":      {`{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}`, `1:24: unknown Effect "allow": want Allow or Deny`},
		"unknown_element":     {"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\n \"Unless\":{}}}", `2:11: unknown element "Unless"`},
		"unknown_top_element": {`{"Statements":[],"Statement":[]}`, `1:15: unknown element "Statements"`},
		"twice":               {`{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}`, `1:41: element "Effect" is given twice`},
		"condition_twice":     {`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"k":"true","k":"false"}}}}`, `1:96: Condition: Bool: key "k" is given twice`},
		"no_statement":        {`{"Version":"2012-10-17"}`, `1:1: no Statement`},
		"no_action":           {`{"Statement":{"Effect":"Allow","Resource":"*"}}`, `1:14: no Action`},
		"both_actions":        {`{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}}`, `1:14: both Action and NotAction`},
		"bare_principal":      {`{"Statement":{"Effect":"Allow","Action":"*","Principal":"111122223333"}}`, `1:57: Principal: a bare string can only be *, got "111122223333"`},
		"unknown_principal":   {`{"Statement":{"Effect":"Allow","Action":"*","Principal":{"Users":"x"}}}`, `1:66: Principal: unknown kind "Users"`},
		"nested_action":       {`{"Statement":{"Effect":"Allow","Action":[["*"]],"Resource":"*"}}`, `1:42: Action: want a string or a list of strings, got a list`},
		"no_service":          {`{"Statement":{"Effect":"Allow","Action":"GetItem","Resource":"*"}}`, `1:41: Action: "GetItem" names no service: want service:Name or *`},
		"empty":               {`{"Statement":{"Effect":"Allow","Action":[],"Resource":"*"}}`, `1:41: Action: the list is empty`},
		"version":             {`{"Version":"2020-01-01","Statement":[]}`, `1:12: unknown Version "2020-01-01": want 2012-10-17 or 2008-10-17`},
		"null":                {`{"Statement":{"Effect":"Allow","Action":"*","Resource":null}}`, `1:56: Resource: want a string or a list of strings, got null`},
		"a_list_of_strings":   {`{"Statement":["x"]}`, `1:15: want a statement, got a string`},
		"half_a_surrogate":    {`{"Statement":{"Effect":"Allow","Action":"s3:\ud800","Resource":"*"}}`, `1:41: Action: a character that cannot be read`},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parse(t, tt.doc).Problem()
			if !ok || got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			set := iam.Compile(iam.Document{Policy: parse(t, tt.doc), Edge: iam.Identity, Name: "p"})
			r := request(dev, "s3:GetObject", "arn:aws:s3:::b/k", set, nil)
			r.Object = iam.NewObject(iam.Resource{ARN: "arn:aws:s3:::b/k", Account: "111122223333"}, nil)
			if d := r.Evaluate(); d.Result != iam.Unknown {
				t.Errorf("what was not understood gave %s", d)
			}
		})
	}
}

func TestParse_refuses(t *testing.T) {
	for name, tt := range map[string]struct{ doc, want string }{
		"not_json":  {`{`, "policy: the document ends early"},
		"half":      {`{"Statement":[{"Effect"`, "policy: the document ends early"},
		"comma":     {`{"Statement":[],}`, "policy: 1:17: invalid character '}' looking for beginning of object key string"},
		"trailing":  {`{"Statement":{}} {}`, "policy: 1:18: something follows the document"},
		"a_list":    {`[]`, "policy: 1:1: want an object, got a list"},
		"deep":      {strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), "policy: 1:81: nested deeper than 16"},
		"many":      {`{"a":[` + strings.Repeat("1,", iam.MaxValues) + `1]}`, "policy: more than 50000 values"},
		"large":     {strings.Repeat(" ", iam.MaxPolicy) + "{}", "policy: 1048578 bytes are above the limit of 1048576"},
		"not_utf_8": {"{\"Id\":\"\xff\"}", "policy: not UTF-8"},
		"empty":     {"", "policy: the document ends early"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := iam.Parse([]byte(tt.doc))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestParse_positions(t *testing.T) {
	p := parse(t, "{\n \"Statement\": [\n  {\"Sid\": \"a\", \"Effect\": \"Allow\", \"Action\": \"x:*\"},\n\n  {\"Effect\": \"Deny\", \"NotAction\": [\"x:A\", \"x:B\"], \"NotResource\": \"*\"\n }]}")
	var got [][3]any
	for _, s := range p.Statements {
		got = append(got, [3]any{s.Index, s.Sid, s.Line})
	}
	if d := cmp.Diff([][3]any{{1, "a", 3}, {2, "", 5}}, got); d != "" {
		t.Error(d)
	}
}

func TestLayerGrants(t *testing.T) {
	got, err := iam.LayerGrants([]byte(`{"Version":"2012-10-17","Id":"default","Statement":[
		{"Sid":"everyone","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `"},
		{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}},
		{"Sid":"partner","Effect":"Allow","Principal":{"AWS":"arn:aws-us-gov:iam::444455556666:root"},"Action":"lambda:GetLayerVersion","Resource":"` + layer + `"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []lamina.Grant{
		{StatementID: "everyone", Action: "lambda:GetLayerVersion", Principal: "*"},
		{StatementID: "org", Action: "lambda:GetLayerVersion", Principal: "*", OrganizationID: "o-exampleorgid"},
		{StatementID: "partner", Action: "lambda:GetLayerVersion", Principal: "444455556666"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("grants differ (-want +got):\n%s", d)
	}
}

// A condition of an unknown kind must not turn a limited grant into a public one.
func TestLayerGrants_refuses_what_it_would_lose(t *testing.T) {
	for name, statement := range map[string]string{
		"condition": `{"Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}`,
		"deny":      `{"Effect":"Deny","Principal":"*","Action":"lambda:GetLayerVersion"}`,
		"two":       `{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666"]},"Action":"lambda:GetLayerVersion"}`,
		"element":   `{"Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Until":"tomorrow"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if g, err := iam.LayerGrants([]byte(`{"Statement":[` + statement + `]}`)); err == nil {
				t.Errorf("read as %+v", g)
			}
		})
	}
}

// request asks about a role or user of an organisation's member account, of
// which no condition key is known beyond its ARN.
func request(caller, action, resource string, own, beside *iam.Set) iam.Request {
	return iam.Request{
		Subject: iam.NewSubject(iam.Caller{ARN: caller}, own),
		Action:  action,
		Object:  iam.NewObject(iam.Resource{ARN: resource}, beside),
		Keys:    iam.Keys{},
	}
}
