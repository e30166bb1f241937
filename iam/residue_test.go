package iam_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/iam"
)

// conditional is a request of a role whose one Allow has this condition, and
// whose one Deny, when there is any, that one.
func conditional(t *testing.T, allow, deny string) iam.Request {
	t.Helper()
	statements := `{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*","Condition":` + allow + `}`
	if deny != "" {
		statements = "[" + statements + `,{"Sid":"D","Effect":"Deny","Action":"*","Resource":"*","Condition":` + deny + `}]`
	}
	own := iam.Compile(iam.Document{Edge: iam.Identity, Name: "p", Policy: parse(t, one(statements))})
	return request(dev, "lambda:GetLayerVersion", layer, own, nil)
}

func TestResidue_says_when(t *testing.T) {
	for _, tt := range []struct{ allow, deny, want string }{
		{`{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, "", "allowed if aws:MultiFactorAuthPresent is true"},
		{`{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}`, "", "allowed if (aws:MultiFactorAuthPresent is true or it is absent)"},
		{`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/24"]}}`, "", "allowed if aws:SourceIp is in 10.0.0.0/8 or 192.0.2.0/24"},
		{`{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, "", "allowed if aws:SourceIp is not in 10.0.0.0/8"},
		{`{"StringLike":{"aws:PrincipalTag/team":"red-*"},"Null":{"svc:k":"false"}}`, "", "allowed if aws:PrincipalTag/team is like red-* and svc:k is present"},
		{`{"StringNotEquals":{"aws:PrincipalTag/team":"red"}}`, "", "allowed if aws:PrincipalTag/team is not red"},
		{`{"StringEqualsIgnoreCase":{"aws:PrincipalTag/team":"red"}}`, "", "allowed if aws:PrincipalTag/team is, in any case of letters, red"},
		{`{"NumericLessThanEquals":{"s3:max-keys":"10"}}`, "", "allowed if s3:max-keys is at most 10"},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"}}`, "", "allowed if aws:CurrentTime is above 2026-01-01"},
		{`{"NumericNotEquals":{"s3:max-keys":"10"}}`, "", "allowed if s3:max-keys is not 10"},
		{`{"ForAllValues:StringLike":{"svc:k":"a*"}}`, "", "allowed if every value of svc:k is like a*"},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, `{"Bool":{"aws:ViaAWSService":"true"}}`, "allowed if aws:ViaAWSService is not true and aws:SecureTransport is true"},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, `{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`, "allowed if aws:SourceVpce is vpce-1 and aws:SecureTransport is true"},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, `{"ForAnyValue:StringLike":{"svc:k":"a*"}}`, "allowed if not (a value of svc:k is like a*) and aws:SecureTransport is true"},
		{`{"StringMatches":{"svc:k":"a"}}`, "", "allowed if svc:k satisfies StringMatches a"},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, `{"StringMatches":{"svc:k":"a"}}`, "allowed if not (svc:k satisfies StringMatches a) and aws:SecureTransport is true"},
		{`{"ForAnyValues:StringLike":{"svc:k":"a"}}`, "", "allowed if svc:k satisfies ForAnyValues:StringLike a"},
		{`{"StringEquals":{"svc:k":"${aws:PrincipalTag/team}"}}`, "", "allowed if svc:k is ${aws:PrincipalTag/team}"},
		{`{"NumericEquals":{"svc:k":"ten"}}`, "", "allowed if svc:k is ten"},
	} {
		r := conditional(t, tt.allow, tt.deny)
		d := r.Evaluate()
		if d.Result != iam.Unknown || d.Residue.String() != tt.want {
			t.Errorf("%s %s:\nwant %s\ngot  %s", tt.allow, tt.deny, tt.want, d)
		}
	}
}

// Conditions on one unknown key hang together: what no value can bring about, or
// every value does, is not Unknown.
func TestEvaluate_sees_what_hangs_together(t *testing.T) {
	for name, tt := range map[string]struct {
		allow, deny string
		want        iam.Result
	}{
		"every_value_or_none":       {`{"StringLikeIfExists":{"svc:k":"*"}}`, "", iam.Allow},
		"two_values_at_once":        {`{"StringEquals":{"svc:k":"a"},"StringLike":{"svc:k":"b*"}}`, "", iam.Deny},
		"like_one_and_not_another":  {`{"StringLike":{"svc:k":"ab*"},"StringNotLike":{"svc:k":"a*"}}`, "", iam.Deny},
		"like_both":                 {`{"StringLike":{"svc:k":"a*"},"StringNotLike":{"svc:k":"ab*"}}`, "", iam.Unknown},
		"absent_and_present":        {`{"Null":{"svc:k":"true"},"StringEquals":{"svc:k":"a"}}`, "", iam.Deny},
		"a_deny_of_what_is_allowed": {`{"Bool":{"aws:SecureTransport":"false"}}`, `{"Bool":{"aws:SecureTransport":"false"}}`, iam.Deny},
		"above_and_below":           {`{"NumericGreaterThan":{"svc:k":"5"},"NumericLessThan":{"svc:k":"5"}}`, "", iam.Deny},
		"between":                   {`{"NumericGreaterThan":{"svc:k":"5"},"NumericLessThan":{"svc:k":"6"}}`, "", iam.Unknown},
		"outside_of_what_is_around": {`{"IpAddress":{"aws:SourceIp":"10.1.0.0/16"},"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, "", iam.Deny},
		"any_and_all":               {`{"ForAnyValue:StringEquals":{"svc:k":"a"},"ForAllValues:StringEquals":{"svc:k":"b"}}`, "", iam.Deny},
		"an_arn_of_two_accounts":    {`{"ArnLike":{"svc:k":"arn:aws:s3:*:111122223333:*"},"ArnEquals":{"svc:k":"arn:aws:s3:*:444455556666:*"}}`, "", iam.Deny},
		"case_of_letters":           {`{"StringEqualsIgnoreCase":{"svc:k":"AB"},"StringNotEqualsIgnoreCase":{"svc:k":"ab"}}`, "", iam.Deny},
		"bytes":                     {`{"BinaryEquals":{"svc:k":"YQ=="}}`, `{"BinaryEquals":{"svc:k":"YQ=="}}`, iam.Deny},
		"an_unknown_operator_twice": {`{"StringMatches":{"svc:k":"a"}}`, `{"StringMatches":{"svc:k":"a"}}`, iam.Deny},
	} {
		t.Run(name, func(t *testing.T) {
			r := conditional(t, tt.allow, tt.deny)
			d := r.Evaluate()
			if d.Result != tt.want {
				t.Errorf("want %s, got %s", tt.want, d)
			}
			if d.InEveryCase != (tt.want != iam.Unknown) || d.Result == iam.Deny && len(d.Missing)+len(d.Denials) == 0 {
				t.Errorf("the explanation does not say that no key matters: %s", d)
			}
		})
	}
}

func TestEvaluate_asks_for_facts(t *testing.T) {
	grant := func(principal string) *iam.Set {
		return iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: "b", Policy: parse(t, one(`{"Effect":"Allow","Principal":`+principal+`,"Action":"*","Resource":"*"}`))})
	}
	admin := iam.Compile(iam.Document{Edge: iam.Identity, Name: "admin", Policy: parse(t, one(everything))})
	bucket := "arn:aws:s3:::b/k"
	for name, tt := range map[string]struct {
		request iam.Request
		want    string
	}{
		"whose_bucket":   {request(dev, "s3:GetObject", bucket, admin, nil), "allowed if the resource is in the caller's account"},
		"which_session":  {request(dev, "lambda:X", fn, nil, grant(`{"AWS":"arn:aws:sts::111122223333:assumed-role/dev/s1"}`)), "allowed if the caller is AWS arn:aws:sts::111122223333:assumed-role/dev/s1"},
		"which_id":       {request(dev, "lambda:X", fn, nil, grant(`{"AWS":"`+roleID+`"}`)), "allowed if the caller is AWS " + roleID},
		"canonical_user": {request(dev, "lambda:X", fn, admin, iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: "b", Policy: parse(t, one(`{"Effect":"Deny","Principal":{"CanonicalUser":"79a59df900b949e5"},"Action":"*","Resource":"*"}`))})), "allowed if it is not so that the caller is CanonicalUser 79a59df900b949e5"},
		"wildcard":       {request(dev, "lambda:X", fn, nil, grant(`{"AWS":"arn:aws:iam::111122223333:role/*"}`)), `allowed if principal "arn:aws:iam::111122223333:role/*": a wildcard cannot be a part of a principal`},
		"unreadable":     {request(dev, "lambda:X", fn, iam.Compile(iam.Document{Edge: iam.Identity, Name: "p", Policy: iam.Unreadable("iam:GetRolePolicy was denied")}), nil), "allowed if it is not so that the statement applies as Deny (1:1: iam:GetRolePolicy was denied) and the statement applies as Allow (1:1: iam:GetRolePolicy was denied)"},
		"strange_caller": {request("arn:aws:sts::111122223333:self", "lambda:X", fn, admin, nil), `allowed if the caller "arn:aws:sts::111122223333:self" may do so (it is neither user, role, root nor federated user)`},
		"tag_in_name":    {request(dev, "s3:GetObject", "arn:aws:lambda:eu-west-1:111122223333:function:red", iam.Compile(iam.Document{Edge: iam.Identity, Name: "p", Policy: parse(t, one(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:lambda:*:*:function:${aws:PrincipalTag/team}"}`))}), nil), "allowed if the resource is one that the statement names"},
	} {
		t.Run(name, func(t *testing.T) {
			if d := tt.request.Evaluate(); d.Result != iam.Unknown || d.Residue.String() != tt.want {
				t.Errorf("want %s\ngot  %s", tt.want, d)
			}
		})
	}
}

// A key of which nothing is said is unknown, unless the request says that there
// are no others.
func TestRequest_rest(t *testing.T) {
	r := conditional(t, `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`, "")
	got := []iam.Result{r.Decide()}
	r.Rest = iam.Absent()
	got = append(got, r.Decide())
	r.Keys.Set("aws:multifactorauthpresent", iam.Is("true"))
	got = append(got, r.Decide())
	if d := cmp.Diff([]iam.Result{iam.Unknown, iam.Deny, iam.Allow}, got); d != "" {
		t.Error(d)
	}
	// The keys of CreateFunction are absent from other calls.
	r = conditional(t, `{"Null":{"lambda:Layer":"true"}}`, "")
	if d := r.Evaluate(); d.Result != iam.Allow {
		t.Error(d)
	}
}

// Combinations beyond the limit are not tried, and the answer stays Unknown.
func TestEvaluate_gives_up_in_time(t *testing.T) {
	var conditions []string
	for i := range 40 {
		conditions = append(conditions, fmt.Sprintf(`"svc:k%d":["%s*b*c*d*%d","a%d*"]`, i, strings.Repeat("a?", 60), i, i))
	}
	all := "{" + strings.Join(conditions, ",") + "}"
	r := conditional(t, `{"StringLikeIfExists":`+all+`}`, `{"StringNotLikeIfExists":`+all+`}`)
	if got := r.Decide(); got != iam.Unknown {
		t.Error(got)
	}
	// Thousands of statements that all ask for one unknown key.
	var statements []string
	for i := range 3000 {
		statements = append(statements, fmt.Sprintf(`{"Effect":"%s","Action":"*","Resource":"*","Condition":{"StringLike":{"svc:k":["*%d?a*b","%s"]},"NumericLessThan":{"svc:n":"%d"},"IpAddress":{"aws:SourceIp":"10.%d.0.0/16"}}}`,
			[]string{"Allow", "Deny"}[i%2], i, strings.Repeat(string(rune('a'+i%26)), i%50), i, i%256))
	}
	own := iam.Compile(iam.Document{Edge: iam.Identity, Name: "p", Policy: parse(t, one("["+strings.Join(statements, ",")+"]"))})
	r = request(dev, "lambda:GetLayerVersion", layer, own, nil)
	if d := r.Evaluate(); d.Result != iam.Unknown || len(d.Residue.Needs()) != 9000 {
		t.Errorf("%s with %d needs", d.Result, len(d.Residue.Needs()))
	}
	// And a few with as many values as fit.
	for _, condition := range []string{`"StringLike":{"svc:k":["%d*"`, `"NumericEquals":{"svc:k":["%d"`, `"IpAddress":{"svc:k":["10.0.%d.0/24"`} {
		head, value, _ := strings.Cut(condition, "[")
		var list []string
		for i := range 20_000 {
			list = append(list, fmt.Sprintf(value, i%250))
		}
		values := head + "[" + strings.Join(list, ",")
		r = conditional(t, "{"+values+"]}}", "{"+strings.Replace(values, `":{`, `IfExists":{`, 1)+"]}}")
		if got := r.Decide(); got == iam.Allow {
			t.Errorf("%s: %s", condition, got)
		}
	}
	// Patterns that would go back and forth without end in a bad matcher.
	r = conditional(t, `{"StringLike":{"svc:k":"`+strings.Repeat("*a", 5000)+`"}}`, "")
	r.Keys.Set("svc:k", iam.Is(strings.Repeat("a", 4000)))
	if got := r.Decide(); got != iam.Deny {
		t.Error(got)
	}
}

func TestSet_is_safe_for_concurrent_use(t *testing.T) {
	subject := member(t, dev, guardrail(t, "p2-no-foreign-layers"))
	o := granted(t, layer, ownOrg, toOrg)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				r := iam.Request{Subject: subject, Action: "lambda:GetLayerVersion", Object: o}
				if i%2 == 1 {
					r.Action = fmt.Sprint("lambda:Get", i)
				}
				if d := r.Decide(); d != iam.Allow && i%2 == 0 {
					t.Error(d)
				}
			}
		})
	}
	wg.Wait()
}

// Every partition has its accounts: an ARN of another does not match.
func TestEvaluate_in_every_partition(t *testing.T) {
	for _, p := range []string{"aws", "aws-cn", "aws-us-gov", "aws-iso-b"} {
		in := func(arn string) string { return strings.Replace(arn, "arn:aws:", "arn:"+p+":", 1) }
		beside := iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: "l", Policy: parse(t, one(`{"Effect":"Allow","Principal":{"AWS":"`+in("arn:aws:iam::444455556666:root")+`"},"Action":"lambda:GetLayerVersion","Resource":"`+in(layer)+`"}`))})
		admin := iam.Compile(iam.Document{Edge: iam.Identity, Name: "admin", Policy: parse(t, one(everything))})
		r := request(in(outside), "lambda:GetLayerVersion", in(layer), admin, beside)
		if d := r.Evaluate(); d.Result != iam.Allow {
			t.Errorf("%s: %s", p, d)
		}
		r = request("arn:aws-other:iam::444455556666:role/dev", "lambda:GetLayerVersion", in(layer), admin, beside)
		if d := r.Evaluate(); d.Result != iam.Deny {
			t.Errorf("%s from another partition: %s", p, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"*"}}`), "lambda:GetLayerVersion")
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":"iam:*","NotResource":["a*b?","${aws:username}"],"Condition":{"Null":{"k":"true"},"ForAnyValue:ArnLike":{"k":"arn:*:*:*:*:*"}}}]}`), "iam:PassRole")
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":["111122223333"]},"Action":"s3:*"}]}`), "s3:GetObject")
	f.Fuzz(func(t *testing.T, doc []byte, action string) {
		p, err := iam.Parse(doc)
		if err != nil {
			return
		}
		allow, deny := parse(t, one(everything)), parse(t, one(`{"Effect":"Deny","Action":"*","Resource":"*"}`))
		for _, edge := range []iam.Edge{iam.Identity, iam.Boundary, iam.SCP} {
			documents := []iam.Document{{Edge: edge, Policy: p}, {Edge: iam.Identity, Policy: allow}}
			r := request(dev, action, layer, iam.Compile(documents...), nil)
			before := r.Evaluate()
			r = request(dev, action, layer, iam.Compile(append(documents, iam.Document{Edge: edge, Policy: deny})...), nil)
			if after := r.Evaluate(); after.Result != iam.Deny {
				t.Errorf("%s became %s by a Deny of everything", before, after)
			}
		}
		r := request(dev, action, layer, nil, iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Policy: p}))
		if d := r.Evaluate(); d.Result != r.Decide() {
			t.Errorf("Decide says %s, Evaluate %s", r.Decide(), d)
		}
	})
}

func FuzzEvaluate(f *testing.F) {
	f.Add(uint64(1), uint64(1))
	f.Add(uint64(seed), uint64(43197))
	f.Fuzz(func(t *testing.T, set, n uint64) {
		p := policies(seed, set).ask(seed, n)
		if problem, _, _ := p.check(); problem != "" {
			t.Errorf("%s\n%s%s", problem, p, p.request.Evaluate())
		}
	})
}
