package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// ExecWrapper finds wrapper scripts that foreign layers may bring.
var ExecWrapper = posture.Check{
	ID:          "exec-wrapper",
	Ref:         "RUN-01",
	Title:       "function starts through a script that a layer not of ours may bring",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1574.006"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "take AWS_LAMBDA_EXEC_WRAPPER away, or take the layer in-house",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         execWrapper,
}

func execWrapper(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		value, set := f.Environment["AWS_LAMBDA_EXEC_WRAPPER"]
		switch {
		case f.EnvironmentError != "":
			found(posture.Result{
				Outcome: lamina.Unknown, Resource: f.ARN, Detail: "its environment is not known",
				Reason: "AWS could not decrypt it: " + f.EnvironmentError, Settle: "allow kms:Decrypt on the function's key to the collector, or ask its owner",
			})
		case set:
			found(activated(in, f, "AWS_LAMBDA_EXEC_WRAPPER", value))
		case len(f.Layers) > 0:
			found(posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "it has no exec wrapper"})
		}
	}
}

// activated says what it means that the variable's value names files.
func activated(in posture.Input, f lamina.Function, name, value string) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Key: name, Detail: name + " names nothing under /opt"}
	if !strings.Contains(value, "/opt/") {
		return r
	}
	r.Outcome, r.Evidence = lamina.Fail, []string{"environment: " + name + "=" + value}
	r.Severity, r.Detail = lamina.Low, name+" loads a file of a layer of ours"
	for _, arn := range f.Layers {
		l, foreign := in.Foreign(arn)
		if !foreign {
			continue
		}
		r.Evidence = append(r.Evidence, "foreign layer: "+arn)
		if p, match := in.Publisher(l); match == publishers.Listed || match == publishers.AccountOnly {
			if r.Severity != lamina.High {
				r.Severity, r.Detail = lamina.Medium, name+" loads a file that a layer of "+p.Name+" may bring"
			}
			continue
		}
		r.Severity, r.Detail = lamina.High, name+" loads a file that a layer of an account nobody knows may bring"
	}
	return r
}
