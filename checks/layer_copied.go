package checks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerCopied finds the same bytes under several names.
var LayerCopied = posture.Check{
	ID:          "layer-copied",
	Ref:         "LIF-11",
	Title:       "same content lies in several layers",
	Since:       "0.1",
	Severity:    lamina.Info,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionContentOutput.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion"),
	Lists:       posture.ListLayers,
	Remediation: "keep one and point the functions to it: what is found in one copy is in all of them",
	NoFix:       "which copy is to stay is a decision",
	Run:         layerCopied,
}

func layerCopied(in posture.Input, found func(posture.Result)) {
	same := map[string][]lamina.LayerVersion{}
	for _, l := range in.Estate.Snapshot.Layers {
		if in.Estate.Org.Ours(l.Account) {
			if m, missing := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersion"); missing {
				m.Detail = "its digest is not known"
				found(m)
				continue
			}
		}
		if l.CodeSHA256 != "" {
			same[l.CodeSHA256] = append(same[l.CodeSHA256], l)
		}
	}
	for _, sum := range slices.Sorted(maps.Keys(same)) {
		versions := same[sum]
		slices.SortFunc(versions, func(a, b lamina.LayerVersion) int { return cmp.Compare(a.ARN, b.ARN) })
		ours := slices.IndexFunc(versions, func(l lamina.LayerVersion) bool { return in.Estate.Org.Ours(l.Account) })
		if ours < 0 {
			continue
		}
		names := map[string]bool{}
		r := posture.Result{Outcome: lamina.Pass, Resource: versions[ours].ARN, Detail: "no other layer that was read has its content"}
		for _, l := range versions {
			names[layerOf(l.ARN)] = true
			r.Evidence = append(r.Evidence, "copy: "+l.ARN)
		}
		if len(names) == 1 {
			r.Evidence = nil
			found(r)
			continue
		}
		r.Outcome, r.Detail = lamina.Fail, fmt.Sprintf("its content lies in %d layers", len(names))
		for _, l := range versions {
			if bad := worst(in.Contents[l.ARN].Findings); bad == lamina.Critical || bad == lamina.High {
				r.Severity, r.Detail = lamina.High, fmt.Sprintf("its content, which has findings, lies in %d layers", len(names))
			}
		}
		r.Evidence = append([]string{"CodeSha256: " + sum}, posture.Calls(r.Evidence)...)
		found(r)
	}
}

// worst is the severity of the worst finding that fails, "" for none.
func worst(findings []lamina.Finding) lamina.Severity {
	var w lamina.Severity
	for _, f := range findings {
		if f.Outcome == lamina.Fail && f.Severity.Rank() > w.Rank() {
			w = f.Severity
		}
	}
	return w
}
