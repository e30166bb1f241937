package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/sample"
)

func whoCan(t *testing.T, s lamina.Snapshot, q Question, layer string) map[string]Standing {
	t.Helper()
	var err error
	if q.Layer, err = lamina.ParseLayerARN(layer); err != nil {
		t.Fatal(err)
	}
	out := map[string]Standing{}
	for _, st := range WhoCan(estate.New(s, nil), q) {
		out[st.Principal[strings.LastIndexByte(st.Principal, '/')+1:]] = st
	}
	return out
}

// small is an account with users of every answer, and a layer that is granted to
// another account of ours and to a stranger.
func small() lamina.Snapshot {
	policy := func(effect, action, more string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":%q,"Action":%q,"Resource":"*"%s}]}`, effect, action, more)
	}
	user := func(account, name string, inline ...string) lamina.Principal {
		p := lamina.Principal{ARN: "arn:aws:iam::" + account + ":user/" + name, Account: account, Kind: "User", Name: name, Path: "/"}
		for _, doc := range inline {
			p.Inline = append(p.Inline, lamina.InlinePolicy{Name: "p", Document: doc})
		}
		return p
	}
	mfa := `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`
	lost := user("111122223333", "lost")
	lost.Attached = []string{"arn:aws:iam::111122223333:policy/lost"}
	return lamina.Snapshot{
		Accounts: []lamina.Account{{ID: "111122223333", Status: "ACTIVE"}, {ID: "444455556666", Status: "ACTIVE"}},
		Targets: []lamina.Target{
			{Region: "organization", Read: []string{"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots", "organizations:ListTargetsForPolicy"}},
			{Account: "111122223333", Region: "eu-west-1", Read: []string{"lambda:GetLayerVersionPolicy", "lambda:ListTags"}},
			{Account: "444455556666", Region: "eu-west-1", Read: []string{"lambda:GetLayerVersionPolicy", "lambda:ListTags"}},
		},
		Principals: []lamina.Principal{
			user("111122223333", "able", policy("Allow", "lambda:*", "")), user("111122223333", "careful", policy("Allow", "lambda:*", mfa)),
			user("111122223333", "denied", policy("Allow", "lambda:*", ""), policy("Deny", "lambda:*Layer*", "")), user("111122223333", "nobody"), lost,
			user("444455556666", "granted", policy("Allow", "lambda:*", "")), user("444455556666", "alone"),
		},
		Layers: []lamina.LayerVersion{{
			ARN: "arn:aws:lambda:eu-west-1:111122223333:layer:team:1", Account: "111122223333", Region: "eu-west-1", Name: "team", Version: 1,
			Policy: &lamina.LayerPolicy{Grants: []lamina.Grant{
				{StatementID: "ours", Action: "lambda:GetLayerVersion", Principal: "444455556666"}, {StatementID: "theirs", Action: "lambda:GetLayerVersion", Principal: "999999999999"},
			}},
		}},
	}
}

func TestWhoCan(t *testing.T) {
	function := &lamina.Function{ARN: "arn:aws:lambda:eu-west-1:111122223333:function:f", Account: "111122223333", Region: "eu-west-1", Version: "$LATEST"}
	const team = "arn:aws:lambda:eu-west-1:111122223333:layer:team:1"
	for name, tt := range map[string]struct {
		question Question
		layer    string
		want     map[string]Verdict
	}{
		"read": {
			Question{Action: "lambda:GetLayerVersion"},
			team,
			map[string]Verdict{"able": Yes, "careful": OnlyIf, "denied": No, "nobody": No, "lost": NotKnown, "granted": Yes, "alone": No},
		},
		"publish": {
			Question{Action: "lambda:PublishLayerVersion"},
			team,
			map[string]Verdict{"able": Yes, "careful": OnlyIf, "denied": No, "nobody": No, "lost": NotKnown, "granted": No, "alone": No},
		},
		"attach_own": { // a Deny of layer actions does not stop changes of functions
			Question{Action: "lambda:UpdateFunctionConfiguration", Function: function},
			team,
			map[string]Verdict{"able": Yes, "careful": OnlyIf, "denied": Yes, "nobody": No, "lost": NotKnown, "granted": No, "alone": No},
		},
		"attach_anothers": {
			Question{Action: "lambda:UpdateFunctionConfiguration", Function: function},
			"arn:aws:lambda:eu-west-1:999999999999:layer:tools:1",
			map[string]Verdict{"able": OnlyIf, "careful": OnlyIf, "denied": No, "nobody": No, "lost": NotKnown, "granted": No, "alone": No},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]Verdict{}
			for who, s := range whoCan(t, small(), tt.question, tt.layer) {
				got[who] = s.Verdict
				if s.Verdict != No && len(s.Statements) == 0 || s.Verdict == No && len(s.Statements)+len(s.Missing) == 0 {
					t.Errorf("%s: %s, and no statement says why", who, s.Verdict)
				}
				if (s.Verdict == OnlyIf || s.Verdict == NotKnown) != (s.Condition != "") {
					t.Errorf("%s: %s with the condition %q", who, s.Verdict, s.Condition)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A layer policy that was not read makes nobody of other accounts a no.
func TestWhoCan_without_the_layers_policy(t *testing.T) {
	s := small()
	s.Targets[1].Read, s.Layers[0].Policy = nil, nil
	got := whoCan(t, s, Question{Action: "lambda:GetLayerVersion"}, s.Layers[0].ARN)
	for who, want := range map[string]Verdict{"granted": NotKnown, "able": NotKnown, "denied": No} {
		if got[who].Verdict != want && (who != "able" || got[who].Verdict != Yes) {
			t.Errorf("%s: got %s, want %s", who, got[who].Verdict, want)
		}
	}
}

// Each cell of the matrix is what who-can answers about one function and layer.
func TestMatrix_equals_WhoCan(t *testing.T) {
	for seed := range uint64(2) {
		s := sample.Estate(seed, sample.Small)
		e := estate.New(s, nil)
		all := func(string) bool { return true }
		cells := 0
		for _, row := range New(e).Matrix(func(lamina.Function) bool { return true }, all) {
			for _, cell := range row.Cells {
				for _, layer := range cell.Layers {
					l, err := lamina.ParseLayerARN(layer)
					if err != nil {
						continue // any stranger's
					}
					f, _ := e.Function(row.Functions[len(row.Functions)-1])
					want := map[Verdict][]string{}
					for _, st := range WhoCan(e, Question{Action: updateConfiguration, Layer: l, Function: &f}) {
						want[st.Verdict] = append(want[st.Verdict], st.Principal)
						condition, conditional := cell.Conditions[st.Principal]
						if conditional != (st.Condition != "") || condition != st.Condition {
							t.Errorf("seed %d: %s on %s by %s hangs on %q, want %q", seed, layer, f.ARN, st.Principal, condition, st.Condition)
						}
					}
					cells++
					for verdict, got := range map[Verdict][]string{Yes: cell.Yes, OnlyIf: cell.OnlyIf, NotKnown: cell.Unknown} {
						if strings.Join(got, " ") != strings.Join(want[verdict], " ") {
							t.Errorf("seed %d: %s on %s, %s: got %v, want %v", seed, layer, f.ARN, verdict, got, want[verdict])
						}
					}
				}
			}
		}
		if cells == 0 {
			t.Errorf("seed %d: no cells", seed)
		}
	}
}

// A cell says what a conditional answer hangs on: of the function, of the layer, or
// of both.
func TestMatrix_conditions(t *testing.T) {
	s := small()
	s.Functions = []lamina.Function{{ARN: "arn:aws:lambda:eu-west-1:111122223333:function:f", Account: "111122223333", Region: "eu-west-1", Name: "f", Version: "$LATEST", Role: "arn:aws:iam::111122223333:role/f", Layers: []string{"arn:aws:lambda:eu-west-1:999999999999:layer:x:1"}}}
	got := map[string]string{}
	for _, row := range New(estate.New(s, nil)).Matrix(func(lamina.Function) bool { return true }, func(string) bool { return true }) {
		for _, cell := range row.Cells {
			for who, condition := range cell.Conditions {
				got[who[strings.LastIndexByte(who, '/')+1:]+" "+cell.Layers[0]] = condition
			}
		}
	}
	const mfa, lost = "allowed if aws:MultiFactorAuthPresent is true", "allowed if it is not so that the statement applies as Deny (1:1: the policy was not read) and the statement applies as Allow (1:1: the policy was not read)"
	want := map[string]string{}
	for _, layer := range []string{s.Layers[0].ARN, s.Functions[0].Layers[0], AnyStranger} {
		want["careful "+layer], want["lost "+layer] = mfa, lost
	}
	const lent = "allowed if the layer's owner grants it"
	want["able "+s.Functions[0].Layers[0]] = lent
	for _, who := range []string{"careful ", "lost "} {
		want[who+s.Functions[0].Layers[0]] += "; and " + lent
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
