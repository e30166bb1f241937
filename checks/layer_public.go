package checks

import (
	"slices"

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
	Analyzers:  givenAway,
	Remediation: "remove the statement; what was fetched while it stood cannot be called back, " +
		"so treat what the layer holds as known",
	Fixes: []string{"remove-public-grant"},
	Run:   layerPublic,
}

func layerPublic(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		given := giftsOf(in, l)
		r := in.Sharing(l, "no statement names everyone", func(g lamina.Grant, scope lamina.GrantScope) (posture.Result, bool) {
			return posture.Result{Severity: worse(lamina.High, given), Detail: "its policy grants " + g.Action + " to everyone"}, scope == lamina.ScopePublic
		})
		if r.Outcome == lamina.Fail {
			r.Evidence = append(r.Evidence, posture.Places(given)...)
		}
		found(r)
	}
}

// givenAway are the analyzers of what nobody outside should get: credentials,
// and what is said of people.
var givenAway = []string{"baked-secret", "personal-data"}

// giftsOf are the findings of givenAway in the layer version. One of Low or less
// is of what may be meant to be known.
func giftsOf(in posture.Input, l lamina.LayerVersion) []lamina.Finding {
	failed, _, _ := in.Inside(l.ARN, givenAway...)
	return slices.DeleteFunc(failed, func(f lamina.Finding) bool { return f.Severity.Rank() < lamina.Medium.Rank() })
}

// worse is a severity one step up where something was given away.
func worse(s lamina.Severity, given []lamina.Finding) lamina.Severity {
	if len(given) == 0 {
		return s
	}
	return lamina.Severities[min(s.Rank()+1, len(lamina.Severities)-1)]
}
