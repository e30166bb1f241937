package checks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSprawl finds foreign layers that are loaded at many versions.
var LayerSprawl = posture.Check{
	ID:          "layer-sprawl",
	Ref:         "USE-05",
	Title:       "functions load many versions of one foreign layer",
	Since:       "0.1",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "agree on one version, and move the functions to it",
	NoFix:       "the change belongs to whoever deploys the functions",
	Run:         layerSprawl,
}

// sprawl is from how many versions on: two are there whenever one is rolled out.
const sprawl = 3

func layerSprawl(in posture.Input, found func(posture.Result)) {
	versions, users := map[string]map[int]bool{}, map[string][]lamina.Function{}
	for _, u := range in.ForeignUses() {
		layer := u.Layer.Unversioned()
		if versions[layer] == nil {
			versions[layer] = map[int]bool{}
		}
		versions[layer][u.Layer.Version] = true
		users[layer] = append(users[layer], u.Functions...)
	}
	for _, layer := range slices.Sorted(maps.Keys(versions)) {
		numbers := slices.Sorted(maps.Keys(versions[layer]))
		r := posture.Result{
			Outcome: lamina.Pass, Resource: layer, Detail: "it is loaded at " + posture.Count(len(numbers), "version"),
			Evidence: append([]string{fmt.Sprint("versions: ", numbers)}, posture.Functions(users[layer])...),
		}
		if len(numbers) >= sprawl {
			r.Outcome = lamina.Fail
		}
		found(r)
	}
}
