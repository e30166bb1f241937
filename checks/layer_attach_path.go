package checks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
	l := gains{in: in, found: found, none: "nobody gains anything by attaching a layer to its functions", fail: func(w way) posture.Result {
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
	}}
	l.roles(func(t access.Target) []access.Path { return t.Paths })
}

// A way is the paths of one group of callers to one jewel of a role, or of roles
// that are alike.
type way struct {
	jewel     access.Jewel
	level     access.Level
	resources []string
	paths     []access.Path
	perhaps   []access.Path // of which it is not known
	reached   map[string]*lamina.Function
	functions []lamina.Function // those reached, sorted by ARN
	existing  bool              // none of them brings a layer of their own
}

func (w way) who() string { return posture.Count(principals(w.paths), "principal") }

// principals is how many go the paths.
func principals(paths []access.Path) int {
	_, n := access.Steps(paths, 0)
	return n
}

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
		switch p.Crowd.First().Kind {
		case access.Pipeline:
			return true
		case access.Person:
			people += p.Crowd.Len()
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

// gains makes results of the paths that lead to roles, or by layers to several: a
// Fail for each jewel that callers gain, else Unknown where that hangs on what is
// not known, else a Pass. Roles of which no policy tells one from another, that the
// same callers gain the same way, are one result.
type gains struct {
	in    posture.Input
	found func(posture.Result)
	none  string // the detail of a Pass
	fail  func(way) posture.Result

	alike map[string]*way
}

// roles looks at the paths to each role that functions run as.
func (l *gains) roles(paths func(access.Target) []access.Path) {
	for _, t := range l.in.Access().Targets() {
		if !t.Known {
			l.found(unknownRole(t.Role))
			continue
		}
		like := t.Role
		if group, ok := l.in.Access().Alike(t.Role); ok && !l.in.Apart {
			like = strconv.Itoa(group)
		}
		l.add(t.Role, like, t.Functions, paths(t))
	}
	l.end()
}

// add takes in what leads to the resource. Resources with the same word in like
// may be one result.
func (l *gains) add(resource, like string, functions []lamina.Function, paths []access.Path) {
	ways := map[access.Jewel]*way{}
	var open []access.Path
	for _, p := range paths {
		jewel, level := p.Reach.Beyond(p.Crowd.First().Reach)
		switch {
		case p.Known && level == access.None:
			continue
		case !p.Known || p.Result != iam.Allow || level == access.Perhaps:
			open = append(open, p)
			continue
		}
		w := ways[jewel]
		if w == nil {
			w = &way{jewel: jewel, level: level, existing: true, reached: map[string]*lamina.Function{}}
			ways[jewel] = w
		}
		w.paths = append(w.paths, p)
		w.existing = w.existing && p.Way == access.Existing
	}
	for jewel, w := range ways {
		w.perhaps = open
		key := strings.Join([]string{like, strconv.Itoa(int(jewel)), w.sign()}, "\n")
		if l.alike == nil {
			l.alike = map[string]*way{}
		}
		if l.alike[key] == nil {
			l.alike[key] = w
		}
		same := l.alike[key]
		same.resources = append(same.resources, resource)
		seen := map[**lamina.Function]int{}
		for _, p := range w.paths {
			if list := &p.Functions[0]; seen[list] < len(p.Functions) { // paths share theirs
				seen[list] = len(p.Functions)
				for _, f := range p.Functions {
					same.reached[f.ARN] = f
				}
			}
		}
	}
	switch {
	case len(ways) > 0:
	case len(open) > 0:
		perhaps, n := access.Steps(open, maxPeople)
		r := posture.Result{
			Outcome: lamina.Unknown, Resource: resource, Detail: "whether " + posture.Count(n, "principal") + " gain anything is not known",
			Reason: cmp.Or(perhaps[0].Path.Why, "what the role reaches hangs on conditions"), Settle: "decide what the conditions named leave open",
		}
		for _, s := range perhaps {
			r.Evidence = append(r.Evidence, "perhaps: "+s.Caller.Principal.ARN)
		}
		l.found(r)
	default:
		for _, f := range functions {
			if r, missing := l.in.Missing(f.Account, f.Region, f.ARN, "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"); missing {
				r.Resource, r.Detail = resource, "who may is not known"
				l.found(r)
				return
			}
		}
		l.found(posture.Result{Outcome: lamina.Pass, Resource: resource, Detail: l.none})
	}
}

// end reports the ways.
func (l *gains) end() {
	for _, w := range l.alike {
		for _, arn := range slices.Sorted(maps.Keys(w.reached)) {
			w.functions = append(w.functions, *w.reached[arn])
		}
		r := l.fail(*w)
		r.Resources, r.Key, r.Evidence = w.resources, w.jewel.String(), append(r.Evidence, w.evidence()...)
		l.found(r)
	}
}

// sign is the same for ways that say the same of their callers.
func (w *way) sign() string {
	var b strings.Builder
	for _, p := range w.paths {
		p.Crowd.Sign(&b)
		for _, s := range []string{string(p.Way), strings.Join(p.By, "\t"), strings.Join(p.Update.By, "\t"), strings.Join(p.Signing.By, "\t")} {
			b.WriteString(s)
			b.WriteByte('\n')
		}
	}
	for _, p := range w.perhaps {
		p.Crowd.Sign(&b)
		b.WriteString("?" + p.Why + "\n")
	}
	return b.String()
}

// evidence is who, by which layer and statements, over which functions, and the
// cheapest edge to cut.
func (w way) evidence() []string {
	var out []string
	steps, n := access.Steps(w.paths, maxPeople)
	for _, s := range steps {
		line := fmt.Sprintf("principal: %s (%s)", s.Caller.Principal.ARN, s.Caller.Kind)
		switch s.Path.Way {
		case access.Publish:
			line += ", publishes " + s.Path.Layer
		case access.Foreign:
			line += ", brings a layer of an account of their own"
		case access.Existing:
			line += ", takes " + s.Path.Layer
		}
		out = append(out, line)
	}
	if n > maxPeople {
		out = append(out, fmt.Sprintf("principals: %d more", n-maxPeople))
	}
	if steps, n := access.Steps(w.perhaps, 1); n > 0 {
		out = append(out, fmt.Sprintf("principals: %d more perhaps: %s", n, cmp.Or(steps[0].Path.Why, "what is reached hangs on conditions")))
	}
	by, n := access.Statements(w.paths, func(p access.Path) access.Answer { return p.Answer }, maxPeople)
	for _, s := range by {
		out = append(out, "statement: "+s)
	}
	if n > maxPeople {
		out = append(out, fmt.Sprintf("statement: %d more", n-maxPeople))
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
