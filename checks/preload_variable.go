package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// PreloadVariable finds variables that make a runtime load a layer's file.
var PreloadVariable = posture.Check{
	ID:          "preload-variable",
	Ref:         "RUN-02",
	Title:       "function loads code from /opt by an environment variable",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1574.006"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "take the variable away, or take the layer in-house",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         preloadVariable,
}

func preloadVariable(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.EnvironmentError != "" {
			found(posture.Result{
				Outcome: lamina.Unknown, Resource: f.ARN, Detail: "its environment is not known",
				Reason: "AWS could not decrypt it: " + f.EnvironmentError, Settle: "allow kms:Decrypt on the function's key to the collector, or ask its owner",
			})
			continue
		}
		loads := false
		for _, name := range preloads {
			if value, set := f.Environment[name]; set && strings.Contains(value, "/opt/") {
				loads = true
				found(activated(in, f, name, value))
			}
		}
		if !loads && len(f.Layers) > 0 {
			found(posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "no variable loads code from /opt"})
		}
	}
}

// preloads are the variables by which the runtimes of Lambda load code before a
// handler; internal/runtimes has the page of each.
var preloads = []string{
	"DOTNET_STARTUP_HOOKS", "JAVA_TOOL_OPTIONS", "LD_AUDIT", "LD_PRELOAD", "NODE_OPTIONS", "PERL5OPT", "PYTHONPATH", "RUBYOPT",
}
