package checks

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// AttachAndRun finds users and roles that need not wait for what they attached.
var AttachAndRun = posture.Check{
	ID:         "attach-and-run",
	Ref:        "PTH-03",
	Title:      "user or role gains a function's role by a layer, and the function runs at once",
	Since:      "0.1",
	Severity:   lamina.High,
	Techniques: []string{"T1648"},
	Citation:   "https://docs.aws.amazon.com/lambda/latest/dg/lambda-invocation.html",
	Needs:      []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"},
	Uses: slices.Concat(posture.ListLayers, posture.ServiceControl, []string{
		"lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy", "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig", "lambda:ListTags",
		"lambda:ListAliases", "lambda:ListFunctionUrlConfigs", "lambda:ListEventSourceMappings",
	}),
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "cut the edge that the evidence names; who attaches layers need not invoke",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         attachAndRun,
}

func attachAndRun(in posture.Input, found func(posture.Result)) {
	known := map[string]bool{}
	runs := func(f *lamina.Function) bool {
		is, ok := known[f.ARN]
		if !ok {
			is = triggered(in.Access(), *f)
			known[f.ARN] = is
		}
		return is
	}
	l := gains{in: in, found: found, none: "nobody who gains it can have its functions run", fail: func(w way) posture.Result {
		r := posture.Result{
			Outcome: lamina.Fail, Severity: lamina.High,
			Detail: w.who() + " may attach a layer to " + posture.Count(len(w.functions), "function") + " and have it run at once, and so reach " + w.what(),
		}
		if w.jewel == access.Messages || w.existing {
			r.Severity = lamina.Medium
		}
		n := 0
		for i := range w.functions {
			if runs(&w.functions[i]) {
				n++
			}
		}
		if n > 0 {
			r.Evidence = []string{"run by others: " + posture.Count(n, "function") + " with an event source, a URL open to all, or a service that may invoke it"}
		}
		return r
	}}
	l.roles(func(t access.Target) []access.Path {
		var paths []access.Path
		for _, p := range t.Paths {
			if fast, ok := in.Access().Also(p, "lambda:InvokeFunction", runs); ok {
				paths = append(paths, fast)
				continue
			}
			for _, f := range p.Functions {
				if m, missing := in.Missing(f.Account, f.Region, f.ARN, "lambda:ListFunctionUrlConfigs", "lambda:ListEventSourceMappings", "lambda:ListAliases"); missing {
					p.Result, p.Why = iam.Unknown, m.Reason
					paths = append(paths, p)
					break
				}
			}
		}
		return paths
	})
}

// triggered reports whether something runs the unpublished function without its
// attacker: an event source, a URL that is open to all, a service its policy lets in.
func triggered(a *access.Access, f lamina.Function) bool {
	leads := estate.Qualifiers(f, "$LATEST")
	return slices.ContainsFunc(f.EventSources, func(m lamina.EventSourceMapping) bool {
		return slices.Contains(leads, m.Qualifier) && (m.State == "" || m.State == "Enabled")
	}) ||
		slices.ContainsFunc(f.URLs, func(u lamina.FunctionURL) bool { return slices.Contains(leads, u.Qualifier) && u.AuthType == "NONE" }) ||
		a.ServicesInvoke(f)
}
