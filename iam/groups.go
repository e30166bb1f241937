package iam

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// An organisation asks the same question very often: principals whose policies
// say the same, of resources that no policy tells apart. GroupSubjects and
// GroupObjects find these, so that each is asked once.

// GroupSubjects puts subjects together that get the same answers to the same
// questions about these objects: same account, policies that say the same, and
// the same values of every key, and the same match with every principal, that
// their policies, those of the objects or more sets (of VPC endpoints) ask for.
// It returns indices into subjects, groups in order of their first member.
// Requests may set no Keys that differ between members.
func GroupSubjects(subjects []*Subject, objects []*Object, more ...*Set) [][]int {
	for _, o := range objects {
		more = append(more, o.policies)
	}
	asked := map[string]bool{}
	named := map[string]*principalPattern{}
	for set := range different(more) {
		for _, k := range set.keys {
			asked[k] = true
		}
		for i := range set.statements {
			for j := range set.statements[i].principals {
				if p := &set.statements[i].principals[j]; !p.everyone && p.account == "" {
					named[p.Kind+" "+p.ID] = p
				}
			}
		}
	}
	theirs, names := slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(named))
	return group(subjects, func(b *strings.Builder, s *Subject) {
		fmt.Fprintf(b, "%d %q %q %q %t %t", s.kind, s.arn.Partition, s.arn.Account, s.Service+s.Federated, s.Management, s.linked)
		keys := theirs
		if s.policies != nil {
			fmt.Fprintf(b, " %s", s.policies.hash)
			keys = slices.Concat(theirs, s.policies.keys)
		}
		for _, k := range keys {
			v, ok := s.keys[k]
			if !ok && strings.HasPrefix(k, "aws:principaltag/") {
				v = s.OtherTags
			}
			fmt.Fprintf(b, " %t%d%q", ok, v.state, v.values)
		}
		for _, n := range names {
			t, way := named[n].match(s)
			fmt.Fprintf(b, " %d%d", t, way)
		}
		if s.kind == strange {
			b.WriteString(s.ARN)
		}
	})
}

// GroupObjects puts objects together of which the same answers hold for these
// subjects: same owner, policies that say the same, and the same match with
// every resource, and the same values of every key, that their policies, those
// of the subjects or more sets ask for. It returns indices into objects.
func GroupObjects(objects []*Object, subjects []*Subject, more ...*Set) [][]int {
	for _, s := range subjects {
		more = append(more, s.policies)
	}
	asked := map[string]bool{}
	resources := map[string]*resourcePattern{}
	for set := range different(more) {
		for _, k := range set.keys {
			asked[k] = true
		}
		for i := range set.statements {
			st := &set.statements[i]
			for j := range st.resources {
				p := &st.resources[j]
				resources[fmt.Sprintf("%q", p.runes)] = p
			}
		}
	}
	keys, texts := slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(resources))
	return group(objects, func(b *strings.Builder, o *Object) {
		fmt.Fprintf(b, "%t %t %q %t %t", o.ARN == "*", o.ARN == "", o.owner, o.Management, o.arn.Service == "kms" && strings.HasPrefix(o.arn.Resource, "key/"))
		fmt.Fprintf(b, " %t", o.arn.Service == "iam" && strings.HasPrefix(o.arn.Resource, "role/"))
		for _, t := range texts {
			b.WriteString(resources[t].sign(o.ARN))
		}
		own := keys
		if o.policies != nil {
			own = slices.Concat(keys, o.policies.keys)
			for i, e := range edges {
				fmt.Fprintf(b, " %s %t %q", e, o.policies.present[i], o.policies.levels[i])
			}
			var lines []string
			for i := range o.policies.statements {
				st := &o.policies.statements[i]
				line := []string{fmt.Sprintf("%s %t %t %t", st.digest, st.anything, st.Resources != nil, st.NotResources != nil)}
				for j := range st.resources {
					line = append(line, st.resources[j].sign(o.ARN))
				}
				lines = append(lines, strings.Join(line, ""))
			}
			slices.Sort(lines)
			b.WriteString(strings.Join(lines, "\n"))
		}
		for _, k := range own {
			v, ok := o.keys[k]
			if !ok && strings.HasPrefix(k, "aws:resourcetag/") {
				v = o.OtherTags
			}
			fmt.Fprintf(b, " %t%d%q", ok, v.state, v.values)
		}
	})
}

// sign is what a pattern makes of a resource. One with variables may make of it
// whatever the caller's values are, unless it cannot match at all.
func (p *resourcePattern) sign(arn string) string {
	runes := make([]rune, len(p.runes))
	for i, c := range p.runes {
		runes[i] = max(c, many)
		if c > variable0 {
			runes[i] = c
		}
	}
	switch hit := globResource(runes, arn); {
	case !hit && len(p.vars) == 0:
		return " no"
	case len(p.vars) == 0:
		return " yes"
	case !hit:
		return " never"
	}
	return " " + arn
}

// different yields the sets that say different things.
func different(sets []*Set) iter.Seq[*Set] {
	return func(yield func(*Set) bool) {
		seen := map[string]bool{}
		for _, s := range sets {
			if s == nil || seen[s.hash] {
				continue
			}
			seen[s.hash] = true
			if !yield(s) {
				return
			}
		}
	}
}

// group puts together what signs alike.
func group[T any](list []T, sign func(*strings.Builder, T)) [][]int {
	at := map[string]int{}
	var out [][]int
	for i, x := range list {
		var b strings.Builder
		sign(&b, x)
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
