package checks

import (
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerPublic finds layer versions that every AWS account may read.
var LayerPublic = posture.Check{
	ID:         "layer-public",
	Ref:        "EXP-01",
	Title:      "layer version can be read by everyone",
	Since:      "0.1",
	Severity:   lamina.High,
	Techniques: []string{"T1537", "T1552.001"},
	Citation:   "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:      []string{"lambda:ListLayers", "lambda:ListLayerVersions", "lambda:GetLayerVersionPolicy"},
	Remediation: "remove the statement; what was fetched while it stood cannot be called back, " +
		"so treat what the layer holds as known",
	Fixes: []string{"remove-public-grant"},
	Run:   layerPublic,
}

func layerPublic(in posture.Input, found func(posture.Result)) {
	for _, m := range in.Estate.Unread("lambda:ListLayers", "lambda:ListLayerVersions") {
		found(posture.Result{
			Outcome: lamina.Unknown, Resource: "arn:*:lambda:" + m.Region + ":" + m.Account + ":layer:*", Key: m.Action + m.Reason,
			Detail: "not every layer of the account and region is known", Reason: m.Why(), Settle: m.Settle(),
		})
	}
	for _, l := range in.Estate.Snapshot.Layers {
		found(layerVersionPublic(in.Estate, l))
	}
}

func layerVersionPublic(e *estate.Estate, l lamina.LayerVersion) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "no statement names everyone", Evidence: []string{"policy: none"}}
	if l.Policy != nil {
		r.Evidence = []string{fmt.Sprintf("policy: %d statements at revision %s", len(l.Policy.Grants), l.Policy.RevisionID)}
		for _, g := range l.Policy.Grants {
			if g.Principal == "*" && g.OrganizationID == "" {
				r.Outcome = lamina.Fail
				r.Detail = "its policy grants " + g.Action + " to everyone"
				r.Evidence = append(r.Evidence, "statement: "+g.StatementID)
			}
		}
	}
	if m, missing := e.Missing(l.Account, l.Region, "lambda:GetLayerVersionPolicy", l.ARN); missing && r.Outcome != lamina.Fail {
		return posture.Result{
			Outcome: lamina.Unknown, Resource: l.ARN, Detail: "its policy could not be read", Reason: m.Why(), Settle: m.Settle(),
		}
	}
	return r
}
