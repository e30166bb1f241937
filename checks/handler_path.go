package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// HandlerPath finds users and roles that guardrails keep from attaching layers,
// and that choose which code of the layers that are there is run.
var HandlerPath = posture.Check{
	ID:          "handler-path",
	Ref:         "PTH-05",
	Title:       "user or role kept from layers may make what is in a layer the handler or the runtime",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574.007"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"},
	Uses:        configureUses,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "cut the edge that the evidence names: a guardrail on lambda:Layer does not stop changes of handler and runtime",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         handlerPath,
}

func handlerPath(in posture.Input, found func(posture.Result)) {
	l := gains{in: in, found: found, none: "nobody who is kept from layers chooses what of them runs", fail: func(w way) posture.Result {
		r := posture.Result{
			Outcome: lamina.Fail, Severity: lamina.Medium,
			Detail: w.who() + " may attach no layer to " + posture.Count(len(w.functions), "function") + ", but have anything in its layers run as handler or runtime, with a role that reaches " + w.what(),
		}
		if w.jewel == access.Messages {
			r.Severity = lamina.Low
		}
		return r
	}}
	l.roles(func(t access.Target) []access.Path {
		var paths []access.Path
		layered := on(layered)
		for _, p := range t.Configures {
			if p = layered(p); len(p.Functions) > 0 {
				paths = append(paths, p)
			}
		}
		return paths
	})
}
