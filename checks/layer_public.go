package checks

import (
	"github.com/lamina-sec/lamina"
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
	Needs:      append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Lists:      posture.ListLayers,
	Remediation: "remove the statement; what was fetched while it stood cannot be called back, " +
		"so treat what the layer holds as known",
	Fixes: []string{"remove-public-grant"},
	Run:   layerPublic,
}

func layerPublic(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		found(in.Grants(l, "no statement names everyone", func(g lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
			return posture.Result{Detail: "its policy grants " + g.Action + " to everyone"}, scope == lamina.ScopePublic
		}))
	}
}
