package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// AnalyzerDisagrees holds IAM Access Analyzer against the grants themselves.
var AnalyzerDisagrees = posture.Check{
	ID:          "analyzer-disagrees",
	Ref:         "EXP-11",
	Title:       "IAM Access Analyzer and the policy disagree about who can read the layer version",
	Since:       "0.1",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersionPolicy", "access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"),
	Uses:        []string{"access-analyzer:GetFinding"},
	Lists:       append(posture.ListLayers, "access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"),
	Remediation: "collect again when the analyzer has had half an hour; if they still disagree, believe the policy and tell us",
	NoFix:       "one of the two is late, or wrong: there is nothing to change",
	Run:         analyzerDisagrees,
}

func analyzerDisagrees(in posture.Input, found func(posture.Result)) {
	says := map[string][]lamina.AccessFinding{}
	for _, f := range in.Estate.Snapshot.AccessFindings {
		if f.Status != "RESOLVED" {
			says[f.Resource] = append(says[f.Resource], f)
		}
	}
	watched := watchers(in)
	for l := range in.Estate.OurLayers() {
		if l.Account == "" {
			continue // declared, not there yet
		}
		account, organization := watched[posture.Place{Account: l.Account, Region: l.Region}], watched[posture.Place{Region: l.Region}]
		findings := says[l.ARN]
		if !account && !organization && len(findings) == 0 {
			continue
		}
		if m, missing := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersionPolicy"); missing {
			m.Detail = "its policy could not be read"
			found(m)
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "IAM Access Analyzer and the policy agree"}
		outside, undetermined := false, false
		if l.Policy != nil {
			for _, g := range l.Policy.Grants {
				switch in.Estate.Org.Scope(g, l.Account) {
				case lamina.ScopeOwnAccount:
				case lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount:
					if account { // whose zone of trust is one account
						outside = true
						r.Evidence = append(r.Evidence, "statement: "+g.StatementID)
					}
				case lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
					undetermined = true
				case lamina.ScopePublic, lamina.ScopeForeignOrganization, lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount:
					outside = true
					r.Evidence = append(r.Evidence, "statement: "+g.StatementID)
				}
			}
		}
		for _, f := range findings {
			r.Evidence = append(r.Evidence, "analyzer finding: "+f.ID+" "+f.Status+" "+strings.Join(f.Principals, " "))
		}
		switch {
		case outside == (len(findings) > 0):
		case undetermined:
			r.Outcome, r.Detail, r.Reason = lamina.Unknown, "whether they agree is not known", "how far a grant reaches is not known"
			r.Settle = "collect the organisation: lamina collect --organization"
		case outside:
			r.Outcome, r.Detail = lamina.Fail, "the policy lets others read it, and IAM Access Analyzer has no finding"
		default:
			r.Outcome, r.Severity, r.Detail = lamina.Fail, lamina.High, "IAM Access Analyzer says that others can read it, and the policy has no such grant"
		}
		found(r)
	}
}

// watchers are the places of which an analyzer of external access watches the layer
// versions, and its findings were read: one whose zone of trust is the account, and
// without an account one of the organisation.
func watchers(in posture.Input) map[posture.Place]bool {
	out := map[posture.Place]bool{}
	for _, a := range in.Estate.Snapshot.Analyzers {
		if _, missing := in.Missing(a.Account, a.Region, "", "access-analyzer:ListFindings"); missing || a.Status != "ACTIVE" {
			continue
		}
		switch a.Type {
		case "ACCOUNT":
			out[posture.Place{Account: a.Account, Region: a.Region}] = true
		case "ORGANIZATION":
			out[posture.Place{Region: a.Region}] = true
		}
	}
	return out
}
