package access

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// Accounts are those that have users or roles, sorted.
func (a *Access) Accounts() []string { return slices.Sorted(maps.Keys(a.people)) }

// OnAny says of each user and role of the account, in the snapshot's order,
// whether it may make the call on what no policy names, in any of the regions
// where the account has functions or layers, or might. resource is an ARN in which
// PARTITION, REGION and ACCOUNT stand for what they say; keys are condition keys of
// the call, each with its value, in which they do too.
func (a *Access) OnAny(account, action, resource string, keys ...string) iter.Seq2[lamina.Principal, Answer] {
	return func(yield func(lamina.Principal, Answer) bool) {
		for p, answer := range a.onAny(account, action, resource, keys) {
			if !yield(p.Principal, answer) {
				return
			}
		}
	}
}

func (a *Access) onAny(account, action, resource string, keys []string) iter.Seq2[person, Answer] {
	regions := a.regions[account]
	switch {
	case strings.HasPrefix(action, "iam:"):
		regions = []string{"us-east-1"} // IAM answers there
	case len(regions) == 0:
		regions = []string{""}
	}
	return func(yield func(person, Answer) bool) {
		best := map[int][]string{} // the region that says most, by group; none where all deny it
		for _, p := range a.people[account] {
			at, known := best[p.group]
			if !known {
				at = regions
			}
			answer := Answer{Result: iam.Deny}
			var where []string
			for _, region := range at {
				k := direct(region)
				if region == "" {
					k.Set("aws:RequestedRegion", iam.Present())
				}
				for i := 0; i+1 < len(keys); i += 2 {
					k.Set(keys[i], iam.Is(fill(keys[i+1], p.Principal, region)))
				}
				here := ask(p.subject, action, a.object(fill(resource, p.Principal, region), account, a.org, nil), k)
				if answer.Result == iam.Deny && here.Result != iam.Deny || here.Result == iam.Allow {
					answer, where = here, []string{region}
				}
				if here.Result == iam.Allow {
					break
				}
			}
			best[p.group] = where
			if !yield(p, answer) {
				return
			}
		}
	}
}

// Plain returns the users and roles of the account that people or programs can
// act as and that may not give themselves every permission: what else an
// administrator may do says nothing.
func (a *Access) Plain(account string) []*iam.Subject {
	var out []*iam.Subject
	for p, answer := range a.onAny(account, "iam:PutRolePolicy", "arn:PARTITION:iam::ACCOUNT:role/"+Canary, nil) {
		if answer.Result != iam.Allow {
			out = append(out, p.subject)
		}
	}
	return out
}

// Able is whether the user or role may make the call about one thing of an account
// of ours, where it is.
func (a *Access) Able(s *iam.Subject, action string, on lamina.ARN) Answer {
	return ask(s, action, a.object(on.String(), on.Account, a.org, nil), direct(on.Region))
}
