package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Groups puts subjects together that get the same answers to the same
// questions: same account, policies that say the same, and the same values of
// every key, and the same match with every principal, that their own policies
// or those of the objects ask for. It returns indices into subjects, groups in
// order of their first member. Requests may set no Keys that differ between
// members.
func Groups(subjects []*Subject, objects []*Object) [][]int {
	asked, named := map[string]bool{}, map[string]principalPattern{}
	seen := map[*Set]bool{nil: true}
	for _, o := range objects {
		if seen[o.policies] {
			continue
		}
		seen[o.policies] = true
		for _, k := range o.policies.keys {
			asked[k] = true
		}
		for i := range o.policies.statements {
			for _, p := range o.policies.statements[i].principals {
				if !p.everyone && p.account == "" {
					named[p.Kind+" "+p.ID] = p
				}
			}
		}
	}
	theirs := slices.Sorted(maps.Keys(asked))
	names := slices.Sorted(maps.Keys(named))
	at := map[string]int{}
	var out [][]int
	for i, s := range subjects {
		var b strings.Builder
		fmt.Fprintf(&b, "%d %q %q %q %t %t", s.kind, s.arn.Partition, s.arn.Account, s.Service+s.Federated, s.Management, s.linked)
		keys := theirs
		if s.policies != nil {
			fmt.Fprintf(&b, " %s", s.policies.hash)
			keys = slices.Concat(theirs, s.policies.keys)
		}
		for _, k := range keys {
			v, ok := s.keys[k]
			if !ok && strings.HasPrefix(k, "aws:principaltag/") {
				v = s.OtherTags
			}
			fmt.Fprintf(&b, " %t%d%q", ok, v.state, v.values)
		}
		for _, n := range names {
			p := named[n]
			t, way := p.match(s)
			fmt.Fprintf(&b, " %d%d", t, way)
		}
		if s.kind == strange {
			b.WriteString(s.ARN)
		}
		g, ok := at[b.String()]
		if !ok {
			g = len(out)
			at[b.String()] = g
			out = append(out, nil)
		}
		out[g] = append(out[g], i)
	}
	return out
}
