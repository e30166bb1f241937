package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// configureUses are what make answers about who may configure a function better.
var configureUses = slices.Concat(posture.ListLayers, posture.ServiceControl, []string{
	"lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy", "lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig", "lambda:ListTags",
})

// EnvironmentPath finds users and roles that guardrails keep from attaching
// layers, and that have code run by an environment variable.
var EnvironmentPath = posture.Check{
	ID:          "environment-path",
	Ref:         "PTH-04",
	Title:       "user or role kept from layers gains a function's role by an environment variable",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1574.006"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"},
	Uses:        configureUses,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "cut the edge that the evidence names: a guardrail on lambda:Layer does not stop changes of the environment",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         environmentPath,
}

func environmentPath(in posture.Input, found func(posture.Result)) {
	l := gains{in: in, found: found, none: "nobody who is kept from layers gains anything by its functions' environment", fail: func(w way) posture.Result {
		r := posture.Result{
			Outcome: lamina.Fail, Severity: lamina.High,
			Detail: w.who() + " may attach no layer to " + posture.Count(len(w.functions), "function") + ", but set NODE_OPTIONS, which holds code, and so reach " + w.what(),
		}
		if w.jewel == access.Messages {
			r.Severity = lamina.Medium
		}
		return r
	}}
	l.roles(func(t access.Target) []access.Path {
		var paths []access.Path
		node, layered := on(func(f *lamina.Function) bool { return strings.HasPrefix(f.Runtime, "nodejs") }), on(layered)
		for _, p := range t.Configures {
			inline, loads := node(p), layered(p)
			switch {
			case len(inline.Functions) > 0: // the variable holds the code
				paths = append(paths, inline)
			case len(loads.Functions) > 0:
				loads.Result, loads.Why = iam.Unknown, "which files of its layers a variable can have run is not known"
				paths = append(paths, loads)
			}
		}
		return paths
	})
}

// on keeps of a path the functions that are as asked.
func on(as func(*lamina.Function) bool) func(access.Path) access.Path {
	type list struct {
		first **lamina.Function
		n     int
	}
	known := map[list][]*lamina.Function{} // paths share their functions
	return func(p access.Path) access.Path {
		key := list{&p.Functions[0], len(p.Functions)}
		functions, ok := known[key]
		if !ok {
			functions = slices.DeleteFunc(slices.Clone(p.Functions), func(f *lamina.Function) bool { return !as(f) })
			known[key] = functions
		}
		p.Functions = functions
		return p
	}
}

func layered(f *lamina.Function) bool { return len(f.Layers) > 0 }
