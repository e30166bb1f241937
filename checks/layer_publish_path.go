package checks

import (
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerPublishPath finds users and roles that gain functions' roles by a new
// version of a layer that the functions load.
var LayerPublishPath = posture.Check{
	ID:          "layer-publish-path",
	Ref:         "PTH-02",
	Title:       "user or role gains functions' roles by publishing the next version of their layer",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/creating-deleting-layers.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails", "lambda:GetPolicy"},
	Uses:        slices.Concat(posture.ServiceControl, []string{"lambda:GetFunctionCodeSigningConfig", "lambda:GetCodeSigningConfig", "lambda:ListTags"}),
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Remediation: "cut the edge that the evidence names, or let the pipeline alone publish the layer, organisation-wide",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         layerPublishPath,
}

func layerPublishPath(in posture.Input, found func(posture.Result)) {
	users := map[string][]lamina.Function{}
	for _, f := range in.Estate.Snapshot.Functions {
		for _, arn := range f.Layers {
			l, err := lamina.ParseLayerARN(arn)
			if err == nil && f.Version == "$LATEST" && l.ARN.Account == f.Account {
				users[l.Unversioned()] = append(users[l.Unversioned()], f)
			}
		}
	}
	l := gains{in: in, found: found, none: "nobody gains anything by publishing a version of it", fail: func(w way) posture.Result {
		r := posture.Result{
			Outcome: lamina.Fail, Severity: lamina.High,
			Detail: w.who() + " may publish a version of it and move " + posture.Count(len(w.functions), "function") + " to that, and so reach " + w.what(),
		}
		switch {
		case w.jewel >= access.Secrets && w.many():
			r.Severity = lamina.Critical
		case w.jewel == access.Messages:
			r.Severity = lamina.Medium
		}
		return r
	}}
	for _, layer := range slices.Sorted(maps.Keys(users)) {
		l.add(layer, layer, users[layer], in.Access().Movers(layer))
	}
	l.end()
}
