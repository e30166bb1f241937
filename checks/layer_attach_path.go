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

// LayerAttachPath finds users and roles that gain a function's role by attaching
// a layer to the function.
var LayerAttachPath = posture.Check{
	ID:         "layer-attach-path",
	Ref:        "PTH-01",
	Title:      "user or role gains a function's role by attaching a layer to it",
	Since:      "0.1",
	Severity:   lamina.High,
	Techniques: []string{"T1648", "T1098.003", "T1548.005"},
	Citation:   "https://docs.aws.amazon.com/lambda/latest/dg/permissions-user-layer.html",
	Needs:      []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"},
	Uses: slices.Concat(posture.ListLayers, posture.ServiceControl, []string{
		"lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy", "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig", "lambda:ListTags",
	}),
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "cut the edge that the evidence names: it is the fewest statements to change; or allow only approved layers with lambda:Layer, organisation-wide",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         layerAttachPath,
}

func layerAttachPath(in posture.Input, found func(posture.Result)) {
	for _, t := range in.Access().Targets() {
		if !t.Known {
			found(unknownRole(t.Role))
			continue
		}
		lead(in, t.Role, t.Functions, t.Paths, "nobody gains anything by attaching a layer to its functions", func(w way) posture.Result {
			r := posture.Result{Outcome: lamina.Fail, Severity: lamina.High, Detail: fmt.Sprintf("%s may attach a layer to %s and so reach %s", w.who(), posture.Count(len(w.functions), "function"), w.what())}
			switch {
			case w.jewel >= access.Secrets && w.many():
				r.Severity = lamina.Critical
			case w.jewel == access.Messages || w.existing:
				r.Severity = lamina.Medium
			}
			if w.existing {
				r.Detail += ", with code that is in a layer already"
			}
			return r
		}, found)
	}
}

// A way is the paths of one group of callers to one jewel of a role.
type way struct {
	jewel     access.Jewel
	level     access.Level
	paths     []access.Path
	perhaps   []access.Path // of which it is not known
	functions []lamina.Function
	existing  bool // none of them brings a layer of their own
}

func (w way) who() string { return posture.Count(len(w.paths), "principal") }

func (w way) what() string {
	if w.level == access.Named {
		return w.jewel.String() + " that its policies name"
	}
	return w.jewel.String()
}

// many reports whether a pipeline, or more than five people, are among the callers.
func (w way) many() bool {
	people := 0
	for _, p := range w.paths {
		switch p.Caller.Kind {
		case access.Pipeline:
			return true
		case access.Person:
			people++
		case access.Workload, access.Other:
		}
	}
	return people > maxPeople
}

// maxPeople is how many people may do something before it counts as anybody.
const maxPeople = 5

func unknownRole(role string) posture.Result {
	return posture.Result{
		Outcome: lamina.Unknown, Resource: role, Detail: "what it reaches is not known",
		Reason: "the role was not read, or was deleted", Settle: "allow iam:GetAccountAuthorizationDetails to the collector in the role's account",
	}
}

// lead makes results of the paths that lead to a role, or by a layer to several:
// a Fail for each jewel that callers gain, else Unknown where that hangs on what
// is not known, else a Pass.
func lead(in posture.Input, resource string, functions []lamina.Function, paths []access.Path, pass string, fail func(way) posture.Result, found func(posture.Result)) {
	ways := map[access.Jewel]*way{}
	var open []access.Path
	for _, p := range paths {
		jewel, level := p.Reach.Beyond(p.Caller.Reach)
		switch {
		case p.Known && level == access.None:
			continue
		case !p.Known || p.Result != iam.Allow || level == access.Perhaps:
			open = append(open, p)
			continue
		}
		w := ways[jewel]
		if w == nil {
			w = &way{jewel: jewel, level: level, existing: true}
			ways[jewel] = w
		}
		w.paths = append(w.paths, p)
		w.existing = w.existing && p.Way == access.Existing
		for _, f := range p.Functions {
			if !slices.ContainsFunc(w.functions, func(g lamina.Function) bool { return g.ARN == f.ARN }) {
				w.functions = append(w.functions, f)
			}
		}
	}
	for _, jewel := range slices.Sorted(maps.Keys(ways)) {
		w := ways[jewel]
		w.perhaps = open
		slices.SortFunc(w.functions, func(x, y lamina.Function) int { return cmp.Compare(x.ARN, y.ARN) })
		r := fail(*w)
		r.Resource, r.Key, r.Evidence = resource, jewel.String(), append(r.Evidence, w.evidence()...)
		found(r)
	}
	switch {
	case len(ways) > 0:
	case len(open) > 0:
		r := posture.Result{
			Outcome: lamina.Unknown, Resource: resource, Detail: "whether " + posture.Count(len(open), "principal") + " gain anything is not known",
			Reason: cmp.Or(open[0].Why, "what the role reaches hangs on conditions"), Settle: "decide what the conditions named leave open",
		}
		for _, p := range open[:min(len(open), maxPeople)] {
			r.Evidence = append(r.Evidence, "perhaps: "+p.Caller.Principal.ARN)
		}
		found(r)
	default:
		for _, f := range functions {
			if r, missing := in.Missing(f.Account, f.Region, f.ARN, "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"); missing {
				r.Resource, r.Detail = resource, "who may is not known"
				found(r)
				return
			}
		}
		found(posture.Result{Outcome: lamina.Pass, Resource: resource, Detail: pass})
	}
}

// evidence is who, by which layer and statements, over which functions, and the
// cheapest edge to cut.
func (w way) evidence() []string {
	var out []string
	for _, p := range w.paths[:min(len(w.paths), maxPeople)] {
		line := fmt.Sprintf("principal: %s (%s)", p.Caller.Principal.ARN, p.Caller.Kind)
		switch p.Way {
		case access.Publish:
			line += ", publishes " + p.Layer
		case access.Foreign:
			line += ", brings a layer of an account of their own"
		case access.Existing:
			line += ", takes " + p.Layer
		}
		out = append(out, line)
	}
	if n := len(w.paths) - maxPeople; n > 0 {
		out = append(out, fmt.Sprintf("principals: %d more", n))
	}
	if n := len(w.perhaps); n > 0 {
		out = append(out, fmt.Sprintf("principals: %d more perhaps: %s", n, cmp.Or(w.perhaps[0].Why, "what is reached hangs on conditions")))
	}
	var by []string
	for _, p := range w.paths {
		by = append(by, p.By...)
	}
	slices.Sort(by)
	for _, s := range first(slices.Compact(by)) {
		out = append(out, "statement: "+s)
	}
	return append(append(out, posture.Functions(w.functions)...), "cut: "+access.Cut(w.paths))
}

// first are the first few, and how many more there are.
func first(list []string) []string {
	if n := len(list) - maxPeople; n > 0 {
		return append(slices.Clone(list[:maxPeople]), fmt.Sprintf("%d more", n))
	}
	return list
}
