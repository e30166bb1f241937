package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerUndocumented finds layer versions that say nothing about themselves.
var LayerUndocumented = posture.Check{
	ID:          "layer-undocumented",
	Ref:         "LIF-08",
	Title:       "layer version says neither what it is nor under which licence",
	Since:       "0.1",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html",
	Needs:       posture.ListLayers,
	Lists:       posture.ListLayers,
	Remediation: "publish with a description that names the source and the build, and with the licence",
	NoFix:       "what a version says of itself cannot be changed after it is published",
	Run:         layerUndocumented,
}

func layerUndocumented(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "it says what it is"}
		if strings.TrimSpace(l.Description) == "" && strings.TrimSpace(l.LicenseInfo) == "" {
			if newest, _ := in.Estate.Newest(layerOf(l.ARN)); newest.ARN != l.ARN {
				continue // only what is published next can be better
			}
			r.Outcome, r.Detail, r.Evidence = lamina.Fail, "it has no description and no licence", []string{"description: none", "licence: none"}
		}
		found(r)
	}
}
