package collect_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/collect"
)

// A run that would read less than an earlier snapshot holds says what would be
// lost; accounts that were closed are not, nor is anything where more is read.
func TestLost(t *testing.T) {
	f := world(t)
	const layer, function = "arn:aws:lambda:eu-west-1:444455556666:layer:layer-000", "arn:aws:lambda:eu-west-1:444455556666:function:fn-1"
	run := func(change func(*collect.Options)) collect.Options {
		o := options(t, f)
		if change != nil {
			change(&o)
		}
		return o
	}
	whole := collected(t, options(t, f))
	with := func(change func(*lamina.Snapshot)) lamina.Snapshot {
		s := whole
		change(&s)
		return s
	}
	only := func(arns ...string) func(*collect.Options) {
		return func(o *collect.Options) { o.Only = arns }
	}
	without := func(o *collect.Options) { o.Organization = collect.Organization{ID: "o-exampleorgid"} }
	for name, tt := range map[string]struct {
		had  lamina.Snapshot
		run  collect.Options
		want []string
	}{
		"the same": {whole, run(nil), nil},
		"another region": {whole, run(func(o *collect.Options) {
			for i := range o.Accounts {
				o.Accounts[i].Regions = []string{"us-east-1"}
			}
		}), []string{"account " + management + " in " + region, "account " + member + " in " + region}},
		"all regions": {whole, run(func(o *collect.Options) {
			for i := range o.Accounts {
				o.Accounts[i].Regions = nil
			}
		}), nil},
		"one account":          {whole, run(func(o *collect.Options) { o.Accounts = o.Accounts[:1] }), []string{"account " + member}},
		"no organisation":      {whole, run(without), []string{"the units and policies of the organisation"}},
		"another organisation": {whole, run(func(o *collect.Options) { o.Organization.ID = "o-other" }), []string{"organisation o-exampleorgid"}},
		"an account was closed": {with(func(s *lamina.Snapshot) {
			s.Targets = slices.Concat(s.Targets, []lamina.Target{{Account: suspended, Region: region}})
		}), run(nil), nil},
		"an account left": {with(func(s *lamina.Snapshot) {
			s.Targets = slices.Concat(s.Targets, []lamina.Target{{Account: "999999999999", Region: region}})
		}), run(nil), nil},
		"whose account is not known": {
			with(func(s *lamina.Snapshot) {
				s.OrgID, s.Targets = "", []lamina.Target{{Account: "999999999999"}, {Account: "999999999999", Region: region}}
			}),
			run(nil),
			[]string{"account 999999999999"},
		},
		"a layer of everything": {whole, run(only(layer)), []string{"everything beside " + layer}},
		"everything of a layer": {with(func(s *lamina.Snapshot) { s.Only = []string{layer} }), run(nil), nil},
		"another thing":         {with(func(s *lamina.Snapshot) { s.Only = []string{layer} }), run(only(function)), []string{layer}},
		"a version of a layer":  {with(func(s *lamina.Snapshot) { s.Only = []string{layer} }), run(only(layer + ":1")), []string{layer}},
		"more":                  {with(func(s *lamina.Snapshot) { s.Only = []string{layer + ":1"} }), run(only(layer, function)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, collect.Lost(tt.had, tt.run)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
