package checks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// PathUndecided counts the paths that are there, or not, by what is not known.
var PathUndecided = posture.Check{
	ID:          "path-undecided",
	Ref:         "PTH-14",
	Title:       "paths to functions' roles hang on what is not known",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1648"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Uses:        configureUses,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "settle what the reason names: read what was not read, or decide what the condition leaves open",
	NoFix:       "there is nothing to change before it is known",
	Run:         pathUndecided,
}

func pathUndecided(in posture.Input, found func(posture.Result)) {
	type account struct {
		certain int
		open    map[string]int // by what they hang on
		who     map[string]access.Crowds
	}
	by := map[string]*account{}
	for _, t := range in.Access().Targets() {
		id := t.Functions[0].Account
		x := by[id]
		if x == nil {
			x = &account{open: map[string]int{}, who: map[string]access.Crowds{}}
			by[id] = x
		}
		if !t.Known {
			x.open["the role "+t.Role+" was not read, or was deleted"]++
			continue
		}
		for _, p := range t.Paths {
			_, level := p.Reach.Beyond(p.Crowd.First().Reach)
			switch {
			case level == access.None:
			case p.Result == iam.Allow && level != access.Perhaps:
				x.certain += p.Crowd.Len()
			default:
				why := cmp.Or(p.Why, "what "+t.Role+" reaches hangs on conditions")
				x.open[why] += p.Crowd.Len()
				if x.who[why] == nil {
					x.who[why] = access.Crowds{}
				}
				x.who[why].Add(p.Crowd)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		x := by[id]
		if len(x.open) == 0 {
			found(posture.Result{Outcome: lamina.Pass, Resource: "arn:*:iam::" + id + ":root", Detail: posture.Count(x.certain, "path") + " by which somebody gains a function's role, none of which hangs on what is not known"})
			continue
		}
		most := x.certain
		for _, n := range x.open {
			most += n
		}
		for _, why := range slices.Sorted(maps.Keys(x.open)) {
			r := posture.Result{
				Outcome: lamina.Unknown, Resource: "arn:*:iam::" + id + ":root", Key: why,
				Detail: fmt.Sprintf("between %d and %d paths by which somebody gains a function's role: %d of them hang on one thing", x.certain, most, x.open[why]),
				Reason: why, Settle: "decide what the reason leaves open, or collect again with what is missing allowed",
			}
			who, n := x.who[why].First(maxPeople)
			for _, c := range who {
				r.Evidence = append(r.Evidence, "principal: "+c.Principal.ARN)
			}
			if n > maxPeople {
				r.Evidence = append(r.Evidence, fmt.Sprintf("principal: %d more", n-maxPeople))
			}
			found(r)
		}
	}
}
