package checks

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerVersionGrowth finds layers that are published in a loop.
var LayerVersionGrowth = posture.Check{
	ID:          "layer-version-growth",
	Ref:         "LIF-10",
	Title:       "layer gets many versions in a day",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1499"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html",
	Needs:       posture.ListLayers,
	Lists:       posture.ListLayers,
	Remediation: "find what publishes it, and publish when the content changes",
	NoFix:       "the loop is in whatever publishes; deleting versions does not stop it",
	Run:         layerVersionGrowth,
}

// How many versions a day are many.
const perDay, farTooManyPerDay = 20, 100

func layerVersionGrowth(in posture.Input, found func(posture.Result)) {
	layers := map[string]bool{}
	for l := range in.Estate.OurLayers() {
		layers[layerOf(l.ARN)] = true
	}
	for _, name := range slices.Sorted(maps.Keys(layers)) {
		// Numbers are given in order and never again: those between two versions
		// that exist were published between their times, deleted or not.
		versions := in.Estate.Versions(name)
		most, first := 0, 0
		var from, to lamina.LayerVersion
		for i, v := range versions {
			for v.Created.Sub(versions[first].Created) > 24*time.Hour {
				first++
			}
			if n := v.Version - versions[first].Version + 1; n > most && i > first {
				most, from, to = n, versions[first], v
			}
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: name, Detail: fmt.Sprintf("fewer than %d versions on any day", perDay)}
		if most >= perDay {
			r.Outcome, r.Detail = lamina.Fail, fmt.Sprintf("%d versions within a day", most)
			if most >= farTooManyPerDay {
				r.Severity = lamina.Medium
			}
			r.Evidence = []string{
				fmt.Sprintf("version %d: %s", from.Version, posture.Minute(from.Created)),
				fmt.Sprintf("version %d: %s", to.Version, posture.Minute(to.Created)),
				"there still: " + posture.Count(len(versions), "version"),
			}
		}
		found(r)
	}
}
