package checks

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// AnalyzerMissing finds regions with layers where Access Analyzer does not look.
var AnalyzerMissing = posture.Check{
	ID:          "analyzer-missing",
	Ref:         "VIS-07",
	Title:       "no external access analyzer watches the region",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html",
	Needs:       []string{"lambda:ListLayers", "access-analyzer:ListAnalyzers"},
	Uses:        posture.Delegated,
	Lists:       []string{"lambda:ListLayers"},
	Remediation: "create an external access analyzer for the organisation in the region",
	NoFix:       "an analyzer belongs to the organisation's administrator",
	Run:         analyzerMissing,
}

func analyzerMissing(in posture.Input, found func(posture.Result)) {
	type place struct{ account, region string }
	places := map[place]bool{}
	for l := range in.Estate.OurLayers() {
		if l.Account != "" {
			places[place{l.Account, l.Region}] = true
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
	}) {
		r := posture.Result{Outcome: lamina.Fail, Resource: "arn:*:lambda:" + p.region + ":" + p.account + ":layer:*", Detail: "IAM Access Analyzer does not look at its layers", Evidence: []string{"analyzers: none of the region covers the account"}}
		organization := false // whether only an organisation's analyzer looks
		for _, a := range in.Estate.Snapshot.Analyzers {
			if a.Status != "ACTIVE" || a.Region != p.region {
				continue
			}
			if a.Type == "ORGANIZATION" || a.Type == "ACCOUNT" && a.Account == p.account {
				organization = a.Type == "ORGANIZATION" && (organization || r.Outcome != lamina.Pass)
				r.Outcome, r.Detail, r.Evidence = lamina.Pass, "IAM Access Analyzer looks at its layers", []string{"analyzer: " + a.ARN}
			}
		}
		if r.Outcome == lamina.Fail {
			for _, m := range in.Estate.Unread("access-analyzer:ListAnalyzers") {
				if m.Region == p.region || m.Region == "*" {
					r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "whether an analyzer covers it is not known", m.Why(), m.Settle()
				}
			}
		}
		if r.Outcome == lamina.Pass && organization {
			r = in.Administered(r, "access-analyzer.amazonaws.com")
		}
		found(r)
	}
}
