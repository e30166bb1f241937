package checks

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// RuleMissing finds what is in the estate, or could be done to it, without any
// rule that would have told.
var RuleMissing = posture.Check{
	ID:          "rule-missing",
	Ref:         "VIS-10",
	Title:       "no rule tells of a share, a foreign layer or a path that was found",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1537", "T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       told,
	Uses:        append([]string{"lambda:GetLayerVersionPolicy"}, posture.ServiceControl...),
	Lists:       told,
	Beside:      []posture.Data{posture.Rules},
	Remediation: "run a rule for these calls, or narrow the exceptions of the one that there is",
	NoFix:       "which rules run is decided where they run",
	Run:         ruleMissing,
}

// told are the actions that list what a rule should tell of.
var told = slices.Concat(posture.ListLayers, posture.ListFunctions, []string{"iam:GetAccountAuthorizationDetails"})

// maxWays is how many ways to one role are tried: who they are matters to
// exceptions, and many are the same to them.
const maxWays = 3

func ruleMissing(in posture.Input, found func(posture.Result)) {
	deeds := slices.Concat(shares(in), attachments(in), ways(in))
	alerts, err := in.Alerting.Rules(deeds)
	if err == nil && len(alerts) != len(deeds) {
		err = fmt.Errorf("%d answers for %d calls", len(alerts), len(deeds))
	}
	if err != nil {
		found(posture.Result{Outcome: lamina.Unknown, Resource: "check:rule-missing", Detail: "the rules were not asked", Reason: err.Error(), Settle: "lamina rules lint says what is wrong with them"})
		return
	}
	type account struct {
		deeds  int
		unseen []string
		rules  map[string]bool
	}
	by := map[string]*account{}
	for i, d := range deeds {
		a := by[d.Account]
		if a == nil {
			a = &account{rules: map[string]bool{}}
			by[d.Account] = a
		}
		a.deeds++
		if len(alerts[i]) == 0 {
			a.unseen = append(a.unseen, "call: "+d.API+" "+d.Of)
		}
		for _, rule := range alerts[i] {
			a.rules["rule: "+rule] = true
		}
	}
	unread := map[string]string{} // why an account is not known whole
	settle := map[string]string{}
	for _, m := range in.Estate.Unread(told...) {
		unread[m.Account], settle[m.Account] = m.Why(), m.Settle()
	}
	for l := range in.Estate.OurLayers() {
		if m, missing := in.Estate.Missing(l.Account, l.Region, "lambda:GetLayerVersionPolicy", l.ARN); missing {
			unread[l.Account], settle[l.Account] = m.Why(), m.Settle()
		}
	}
	for _, acc := range in.Estate.Snapshot.Accounts {
		a := by[acc.ID]
		r := posture.Result{Outcome: lamina.Pass, Resource: "arn:*:lambda:*:" + acc.ID + ":*"}
		switch why := unread[acc.ID]; {
		case a != nil && len(a.unseen) > 0 && in.Alerting.Unrun == 0:
			r.Outcome, r.Detail, r.Evidence = lamina.Fail, fmt.Sprintf("no rule alerts on %d of %s", len(a.unseen), posture.Count(a.deeds, "call")), posture.Calls(a.unseen)
		case a != nil && len(a.unseen) > 0:
			r.Outcome, r.Detail, r.Evidence = lamina.Unknown, fmt.Sprintf("whether a rule alerts on %d of %s is not known", len(a.unseen), posture.Count(a.deeds, "call")), posture.Calls(a.unseen)
			r.Reason, r.Settle = posture.Count(in.Alerting.Unrun, "rule")+" cannot be run here", "lamina rules ls names them: see whether one of them would"
		case why != "":
			r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "not everything that a rule should tell of is known", why, settle[acc.ID]
		case a == nil:
			r.Outcome, r.Detail = lamina.NotApplicable, "nothing was found that a rule should tell of"
		default:
			r.Detail, r.Evidence = "rules alert on all of "+posture.Count(a.deeds, "call"), slices.Sorted(maps.Keys(a.rules))
		}
		found(r)
	}
}

// shares are the calls that made the grants beyond the organisation.
func shares(in posture.Input) []posture.Deed {
	var out []posture.Deed
	for l := range in.Estate.OurLayers() {
		if l.Policy == nil {
			continue
		}
		for _, g := range l.Policy.Grants {
			if !(posture.SharedWindow{Scope: in.Estate.Org.Scope(g, l.Account)}).Outside() {
				continue
			}
			request := map[string]any{
				"layerName": l.Name, "versionNumber": l.Version, "statementId": g.StatementID, "action": g.Action, "principal": g.Principal,
			}
			if g.OrganizationID != "" {
				request["organizationId"] = g.OrganizationID
			}
			out = append(out, posture.Deed{
				Account: l.Account, Region: l.Region, API: "AddLayerVersionPermission", Request: request,
				Response: map[string]any{"statement": "{}", "revisionId": l.Policy.RevisionID}, Of: "on " + l.ARN + " for " + g.Principal,
			})
		}
	}
	return out
}

// attachments are the calls that put layers of others into functions: of each
// layer version one for each account that loads it.
func attachments(in posture.Input) []posture.Deed {
	var out []posture.Deed
	for _, u := range in.ForeignUses() {
		seen := map[string]bool{}
		for _, f := range u.Functions {
			if !seen[f.Account] {
				seen[f.Account] = true
				out = append(out, attach(f, u.ARN, ""))
			}
		}
	}
	return out
}

// ways are the calls by which users and roles could run code as a role that
// reaches what they do not.
func ways(in posture.Input) []posture.Deed {
	var out []posture.Deed
	for _, t := range in.Access().Targets() {
		gain := slices.DeleteFunc(slices.Clone(t.Paths), func(p access.Path) bool {
			_, level := p.Reach.Beyond(p.Crowd.First().Reach)
			return !p.Known || p.Result != iam.Allow || level < access.Named
		})
		steps, _ := access.Steps(gain, maxWays)
		for _, s := range steps {
			p, layer := s.Path, s.Path.Layer
			if l, err := lamina.ParseLayerARN(layer); err != nil || l.Version == 0 {
				layer = "arn:aws:lambda:" + p.Functions[0].Region + ":999999999999:layer:" + access.Canary + ":1" // of an account of their own
			}
			out = append(out, attach(*p.Functions[0], layer, s.Caller.Principal.ARN))
		}
	}
	return out
}

func attach(f lamina.Function, layer, caller string) posture.Deed {
	d := posture.Deed{
		Account: f.Account, Region: f.Region, API: "UpdateFunctionConfiguration", Caller: caller,
		Request: map[string]any{"functionName": f.Name, "layers": []string{layer}},
		Response: map[string]any{
			"functionName": f.Name, "functionArn": f.ARN, "role": f.Role, "runtime": f.Runtime, "handler": f.Handler, "version": f.Version,
			"layers": []map[string]any{{"arn": layer, "codeSize": 1}}, "environment": map[string]any{},
		},
		Of: "of " + f.Name + " with " + layer,
	}
	if caller != "" {
		d.Of += " by " + caller
	}
	return d
}
