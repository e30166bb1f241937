package checks

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerNotRead finds layer versions of which it is not known who can read them.
var LayerNotRead = posture.Check{
	ID:          "layer-not-read",
	Ref:         "EXP-10",
	Title:       "grants of a layer version could not be read",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy"),
	Lists:       posture.ListLayers,
	Remediation: "allow the collector the action that was denied",
	NoFix:       "what is missing is a permission of the collector: lamina iam policy collect prints it",
	Run:         layerNotRead,
}

func layerNotRead(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		if r, missing := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersionPolicy"); missing {
			r.Detail = "who can read it is not known"
			found(r)
			continue
		}
		found(posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "its policy was read", Evidence: []string{"policy: read"}})
	}
}
