package checks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerVersionDrift finds layers of which functions load many versions, or old ones.
var LayerVersionDrift = posture.Check{
	ID:          "layer-version-drift",
	Ref:         "LIF-04",
	Title:       "functions load many versions of the layer, or one far behind the newest",
	Since:       "0.1",
	Severity:    lamina.Low,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       append(posture.ListLayers, posture.ListFunctions...),
	Lists:       append(posture.ListLayers, posture.ListFunctions...),
	Remediation: "attach the newest version to the functions that lag, a few at a time",
	NoFix:       "whether a function works with a newer version is known to whoever deploys it",
	Run:         layerVersionDrift,
}

// How far functions may drift apart.
const (
	manyVersions, tooManyVersions = 3, 5
	farBehind, tooFarBehind       = 5, 10
)

func layerVersionDrift(in posture.Input, found func(posture.Result)) {
	newest := map[string]lamina.LayerVersion{}
	for l := range in.Estate.OurLayers() {
		if name := layerOf(l.ARN); l.Version > newest[name].Version {
			newest[name] = l
		}
	}
	unread := in.Estate.Unread(posture.ListFunctions...)
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		loaded, behind := 0, 0
		r := posture.Result{Resource: name}
		versions := in.Estate.Versions(name)
		for i, v := range versions {
			users := slices.DeleteFunc(in.Estate.Users(v.ARN), func(f lamina.Function) bool { return f.Version != "$LATEST" })
			if len(users) == 0 {
				continue
			}
			if loaded++; loaded == 1 {
				behind = len(versions) - 1 - i
			}
			r.Evidence = append(r.Evidence, fmt.Sprintf("version %d: %s", v.Version, posture.Count(len(users), "function")))
		}
		switch {
		case loaded == 0:
			continue // layer-orphan has it
		case loaded < manyVersions && behind < farBehind:
			r.Outcome, r.Detail = lamina.Pass, "functions keep up with it"
			if len(unread) > 0 {
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether all functions keep up with it is not known", unread[0].Why(), unread[0].Settle()
			}
		default:
			r.Outcome = lamina.Fail
			r.Detail = fmt.Sprintf("functions load %s of it, the oldest %d behind the newest", posture.Count(loaded, "version"), behind)
			if loaded >= tooManyVersions || behind >= tooFarBehind {
				r.Severity = lamina.Medium
			}
		}
		r.Evidence = append(r.Evidence, "newest: "+newest[name].ARN)
		found(r)
	}
}
