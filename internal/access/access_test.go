package access

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/sample"
)

// Functions that are put together get the answer that each gets when it is asked
// about alone.
func TestFinder_equals_each_function_asked_alone(t *testing.T) {
	for seed := range uint64(4) {
		a := New(estate.New(sample.Estate(seed, sample.Small), nil))
		by := map[string][]lamina.Function{}
		for _, f := range a.estate.Snapshot.Functions {
			by[f.Account] = append(by[f.Account], f)
		}
		results := map[iam.Result]int{}
		for account, fs := range by {
			together := a.finder(account, fs)
			for _, f := range fs {
				alone := a.finder(account, []lamina.Function{f})
				for _, c := range a.callers[account] { // also those who are not the first of a crowd
					got := *together.path(c.crowd, f)
					results[got.Result]++
					for _, answer := range []*Answer{&got.Answer, &got.Update, &got.Rest, &got.Source, &got.Signing} {
						answer.By = told(*answer, c)
					}
					if d := cmp.Diff(alone.find(c, f), got, cmpopts.IgnoreFields(Path{}, "Crowd"), cmpopts.IgnoreUnexported(Answer{}), cmpopts.SortSlices(strings.Compare)); d != "" {
						t.Errorf("seed %d: %s to %s (-alone +together):\n%s", seed, c.Principal.ARN, f.ARN, d)
					}
				}
			}
		}
		if results[iam.Allow] == 0 {
			t.Errorf("seed %d: no path to compare: %v", seed, results)
		}
	}
}

// told are the statements of what was asked about another of the caller's crowd.
func told(a Answer, c *Caller) []string {
	var out []string
	for _, ref := range a.refs {
		if ref.Of != "" {
			ref.Of = c.Subject.Name
		}
		out = append(out, ref.String())
	}
	return out
}

func TestInstance(t *testing.T) {
	for _, tt := range []struct{ pattern, want string }{
		{"arn:aws:lambda:*:111122223333:layer:approved-*:*", "arn:aws:lambda:eu-west-1:111122223333:layer:approved-1:1"},
		{"arn:*:lambda:*:*:layer:team?:7", "arn:aws:lambda:eu-west-1:111122223333:layer:team1:7"},
		{"arn:aws:lambda:eu-west-1:111122223333:layer:base", "arn:aws:lambda:eu-west-1:111122223333:layer:base:1"},
		{"arn:aws:lambda:us-east-1:111122223333:layer:base:1", ""},
		{"arn:aws:lambda:*:444455556666:layer:base:1", ""},
		{"arn:aws:lambda:*:*:layer:${aws:PrincipalTag/team}-*:1", ""},
		{"arn:aws:lambda:*:*:function:f", ""},
		{"*", ""},
	} {
		if got := strings.Join(instance(tt.pattern, "aws", "eu-west-1", "111122223333"), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.pattern, got, tt.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	trust := func(who string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{` + who + `}}]}`
	}
	for _, tt := range []struct {
		p    lamina.Principal
		want Kind
	}{
		{lamina.Principal{Kind: "User", Credentials: &lamina.Credentials{Password: true}}, Person},
		{lamina.Principal{Kind: "User"}, Other},
		{lamina.Principal{Kind: "Role", Name: "AWSReservedSSO_Admin_0123456789abcdef"}, Person},
		{lamina.Principal{Kind: "Role", Trust: trust(`"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"`)}, Pipeline},
		{lamina.Principal{Kind: "Role", Trust: trust(`"Service":"codebuild.amazonaws.com"`)}, Pipeline},
		{lamina.Principal{Kind: "Role", Trust: trust(`"Federated":"arn:aws:iam::111122223333:saml-provider/okta"`)}, Person},
		{lamina.Principal{Kind: "Role", Trust: trust(`"Service":"lambda.amazonaws.com"`)}, Workload},
		{lamina.Principal{Kind: "Role", Trust: trust(`"AWS":"111122223333"`)}, Other},
		{lamina.Principal{Kind: "Role", Trust: "{"}, Other},
	} {
		if got := KindOf(tt.p); got != tt.want {
			t.Errorf("%s %s %s: got %s, want %s", tt.p.Kind, tt.p.Name, tt.p.Trust, got, tt.want)
		}
	}
}

// Who reaches something of a kind that they reach all of gains nothing.
func TestReach_Beyond(t *testing.T) {
	type gain struct {
		Jewel Jewel
		Level Level
	}
	for name, tt := range map[string]struct {
		role, caller Reach
		want         gain
	}{
		"secrets":          {Reach{Data: Any, Secrets: Named}, Reach{}, gain{Secrets, Named}},
		"administrator":    {Reach{Secrets: Any}, Reach{Administration: Any}, gain{}},
		"the_rest":         {Reach{Data: Any, Secrets: Named}, Reach{Secrets: Any}, gain{Data, Any}},
		"perhaps":          {Reach{Secrets: Perhaps}, Reach{}, gain{Secrets, Perhaps}},
		"certain_is_first": {Reach{Data: Named, Secrets: Perhaps}, Reach{}, gain{Data, Named}},
		"named_each":       {Reach{Data: Named}, Reach{Data: Named}, gain{Data, Named}},
		"nothing":          {Reach{}, Reach{}, gain{}},
	} {
		t.Run(name, func(t *testing.T) {
			j, l := tt.role.Beyond(tt.caller)
			if d := cmp.Diff(tt.want, gain{j, l}, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
		})
	}
}
