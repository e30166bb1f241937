package iac

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Overlay is the live estate as it would be once the code is deployed. The code
// must have been read with Options.Live set to the same estate. What the code
// declares takes the place of what has its ARN; what it adds to without declaring
// it is added to. Nothing is taken away: which resources a deployment removes is
// not in the code.
func (c *Code) Overlay(live lamina.Snapshot) lamina.Snapshot {
	s := live
	s.Layers = overlay(live.Layers, c.Snapshot.Layers, func(l lamina.LayerVersion) string { return l.ARN }, c.layerOver)
	s.Functions = overlay(live.Functions, c.Snapshot.Functions, func(f lamina.Function) string { return f.ARN }, c.functionOver)
	s.Principals = overlay(live.Principals, c.Snapshot.Principals, func(p lamina.Principal) string { return p.ARN }, c.principalOver)
	s.ManagedPolicies = overlay(live.ManagedPolicies, c.Snapshot.ManagedPolicies, func(p lamina.ManagedPolicy) string { return p.ARN }, func(old, own lamina.ManagedPolicy) lamina.ManagedPolicy {
		if _, declared := c.places[own.ARN]; declared {
			return own
		}
		return old
	})
	s.CodeSigningConfigs = overlay(live.CodeSigningConfigs, c.Snapshot.CodeSigningConfigs, func(x lamina.CodeSigningConfig) string { return x.ARN }, second)
	s.Accounts = overlay(live.Accounts, c.Snapshot.Accounts, func(a lamina.Account) string { return a.ID }, func(old, _ lamina.Account) lamina.Account { return old })
	s.Targets = slices.Clone(live.Targets)
	doubts := map[string][]lamina.Gap{}
	for _, l := range c.Snapshot.Layers {
		if !c.partial[l.ARN] { // what is signed is not in the code
			doubts["lambda:GetLayerVersion"] = append(doubts["lambda:GetLayerVersion"], lamina.Gap{Resources: []string{l.ARN}, Reason: NotInCode})
		}
	}
	for _, u := range c.Unresolved {
		doubts[u.Action] = append(doubts[u.Action], lamina.Gap{Resources: []string{u.Resource}, Reason: place(u.At) + ": " + u.Property + ": " + u.Why})
	}
	for i, t := range s.Targets {
		for _, action := range slices.Sorted(maps.Keys(doubts)) {
			if j := slices.Index(t.Read, action); j >= 0 {
				t.Read = slices.Delete(slices.Clone(t.Read), j, j+1)
				t.Gaps = slices.Clone(t.Gaps)
				for _, g := range doubts[action] {
					g.Action = action
					t.Gaps = append(t.Gaps, g)
				}
			}
		}
		s.Targets[i] = t
	}
	return s
}

func second[T any](_, own T) T { return own }

// overlay is live with own put over it, sorted by key.
func overlay[T any](live, own []T, key func(T) string, over func(old, own T) T) []T {
	out := slices.Clone(live)
	at := make(map[string]int, len(live))
	for i, x := range live {
		at[key(x)] = i
	}
	for _, x := range own {
		if i, there := at[key(x)]; there {
			out[i] = over(out[i], x)
		} else {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return out
}

// layerOver adds grants: a declared version is always a new one.
func (c *Code) layerOver(old, own lamina.LayerVersion) lamina.LayerVersion {
	if own.Policy == nil {
		return old
	}
	p := lamina.LayerPolicy{}
	if old.Policy != nil {
		p = *old.Policy
	}
	p.Grants = slices.Concat(p.Grants, own.Policy.Grants)
	old.Policy = &p
	return old
}

func (c *Code) functionOver(old, own lamina.Function) lamina.Function {
	out := old
	if !c.partial[own.ARN] {
		out = own
		out.Policies, out.Aliases, out.URLs, out.EventSources = old.Policies, old.Aliases, old.URLs, old.EventSources
		out.CodeSHA256, out.CodeSize, out.LastModified, out.DetailsRead = old.CodeSHA256, old.CodeSize, old.LastModified, old.DetailsRead
		out.Role, out.CodeSigningConfigARN = cmp.Or(own.Role, old.Role), cmp.Or(own.CodeSigningConfigARN, old.CodeSigningConfigARN)
	}
	out.Policies = slices.Concat(old.Policies, own.Policies)
	out.URLs = slices.Concat(old.URLs, own.URLs)
	out.EventSources = slices.Concat(old.EventSources, own.EventSources)
	out.Aliases = overlay(old.Aliases, own.Aliases, func(a lamina.Alias) string { return a.Name }, second)
	return out
}

func (c *Code) principalOver(old, own lamina.Principal) lamina.Principal {
	out := old
	if !c.partial[own.ARN] {
		out.Inline, out.Attached, out.Boundary, out.Trust = nil, nil, own.Boundary, cmp.Or(own.Trust, old.Trust)
	}
	out.Inline = overlay(out.Inline, own.Inline, func(p lamina.InlinePolicy) string { return p.Name }, second)
	out.Attached = slices.Concat(out.Attached, own.Attached)
	slices.Sort(out.Attached)
	out.Attached = slices.Compact(out.Attached)
	return out
}

// JudgeOverlay makes of the findings of checks over the live estate, before, and
// over the estate as it would be, after, what the code would newly expose: what
// fails that did not, or fails worse. Estate counts the answers of the rest.
func (c *Code) JudgeOverlay(before, after []lamina.Finding, checks []Check) Judgement {
	var j Judgement
	failed := map[string]lamina.Severity{}
	for _, f := range before {
		if f.Outcome == lamina.Fail {
			failed[f.ID] = f.Severity
		}
	}
	for _, f := range after {
		was, there := failed[f.ID]
		if f.Outcome != lamina.Fail || there && was.Rank() >= f.Severity.Rank() || c.isNew(f.Resource) && observes(checks, f.Check) {
			j.Estate++
			continue
		}
		if at, here := c.Place(f); here {
			f.File, f.Line, f.Declared = at.File, at.Line, true
		}
		j.Findings = append(j.Findings, f)
	}
	j.Findings = append(j.Findings, c.unresolved(checks)...)
	return j
}

// isNew reports whether the code declares the resource: nothing has looked at it yet.
func (c *Code) isNew(resource string) bool {
	_, declared := c.places[resource]
	return declared && !c.partial[resource]
}

// observes reports whether the check rests on what another service saw.
func observes(checks []Check, id string) bool {
	return slices.ContainsFunc(checks, func(k Check) bool {
		return k.ID == id && slices.ContainsFunc(k.Needs, func(action string) bool {
			service, _, _ := strings.Cut(action, ":")
			return slices.Contains([]string{"access-analyzer", "cloudtrail", "guardduty", "inspector2", "securityhub"}, service)
		})
	})
}
