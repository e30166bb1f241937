package checks

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// PipelineTrust finds roles of pipelines that more than one branch of one
// repository can take, and that change layers or functions.
var PipelineTrust = posture.Check{
	ID:          "pipeline-trust",
	Ref:         "PTH-07",
	Title:       "role that changes layers or functions can be taken by more than one branch of one repository",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1078.004"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
	Needs:       []string{"iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"iam:GetAccountAuthorizationDetails"},
	Remediation: "name the repository and the branch or environment in the role's trust policy, with StringEquals on the sub claim",
	NoFix:       "a trust policy that is wrong stops the pipeline: it is its owner's to change",
	Run:         pipelineTrust,
}

func pipelineTrust(in posture.Input, found func(posture.Result)) {
	for _, account := range in.Estate.Snapshot.Accounts {
		for _, c := range in.Access().Callers(account.ID) {
			trust, err := iam.Parse([]byte(c.Principal.Trust))
			if c.Principal.Kind != "Role" || err == nil && len(providers(trust)) == 0 {
				continue
			}
			r := posture.Result{Outcome: lamina.Pass, Resource: c.Principal.ARN, Detail: "one branch or environment of one repository can take it"}
			if err != nil {
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "who can take it is not known", "its trust policy was not read: "+err.Error(), "the trust policy as IAM holds it"
				found(r)
				continue
			}
			found(taken(r, c, trust))
		}
	}
}

// providers are the OpenID Connect providers of pipelines that the trust policy names.
func providers(trust *iam.Policy) []string {
	var out []string
	for _, s := range trust.Statements {
		for _, p := range s.Principals {
			if p.Kind == "Federated" && access.OfPipelines(p.ID) {
				out = append(out, p.ID)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// taken tries to take the role with tokens that should not be enough.
func taken(r posture.Result, c *access.Caller, trust *iam.Policy) posture.Result {
	role := iam.NewObject(iam.Resource{ARN: c.Principal.ARN, Account: c.Principal.Account}, iam.Compile(iam.Document{Policy: trust, Edge: iam.ResourcePolicy, Name: "trust policy of " + c.Principal.Name}))
	for _, provider := range providers(trust) {
		_, host, _ := strings.Cut(provider, ":oidc-provider/")
		subject := iam.NewSubject(iam.Caller{Federated: provider}, nil)
		for _, token := range tokens(trust, host) {
			keys := iam.Keys{}.Set(host+":sub", iam.Is(token.sub)).Set(host+":aud", iam.Is("sts.amazonaws.com"))
			d := (&iam.Request{Subject: subject, Action: "sts:AssumeRoleWithWebIdentity", Object: role, Keys: keys}).Evaluate()
			switch {
			case d.Result == iam.Allow && r.Outcome != lamina.Fail:
				r = posture.Result{Outcome: lamina.Fail, Resource: r.Resource, Severity: token.severity, Detail: token.who + " can take it, and it " + does(c)}
				for _, ref := range d.Allows {
					r.Evidence = append(r.Evidence, "statement: "+ref.String())
				}
				r.Evidence = append(r.Evidence, "token: "+host+":sub="+token.sub)
			case d.Result == iam.Unknown && r.Outcome == lamina.Pass:
				r.Outcome, r.Detail = lamina.Unknown, "whether "+token.who+" can take it is not known"
				r.Reason, r.Settle = d.Residue.String(), "decide what the conditions named leave open"
			}
		}
	}
	return r
}

// does says what a caller may change.
func does(c *access.Caller) string {
	var able []string
	for _, x := range []struct{ action, does string }{
		{"lambda:PublishLayerVersion", "publish"},
		{"lambda:UpdateFunctionConfiguration", "attach"},
		{"lambda:AddLayerVersionPermission", "share"},
		{"lambda:DeleteLayerVersion", "delete"},
	} {
		if c.May[x.action] >= access.Named {
			able = append(able, x.does)
		}
	}
	code := c.May["lambda:UpdateFunctionCode"] >= access.Named
	switch {
	case len(able) > 0 && code:
		return "may " + strings.Join(able, ", ") + " layers, and change functions' code"
	case len(able) > 0:
		return "may " + strings.Join(able, ", ") + " layers"
	case code:
		return "may change functions' code"
	}
	return "may perhaps change layers or functions"
}

// A token is one that a stranger, or somebody in a repository, can get.
type token struct {
	sub, who string
	severity lamina.Severity
}

// tokens are those that should not be enough, the worst first: of a repository of
// a stranger, of another one of the same owner, of a branch that anybody with
// write access makes, and of a pull request. GitHub's and GitLab's subjects are
// known (https://docs.github.com/en/actions/reference/security/oidc,
// https://docs.gitlab.com/ci/cloud_services/); of other providers only the first.
func tokens(trust *iam.Policy, host string) []token {
	out := []token{{access.Canary, "whoever gets a token of " + host, lamina.Critical}}
	owners, repositories := map[string]bool{}, map[string]bool{}
	gitlab := false
	for _, s := range trust.Statements {
		for _, c := range s.Conditions {
			if !strings.EqualFold(c.Key, host+":sub") {
				continue
			}
			for _, v := range c.Values {
				parts := strings.Split(v, ":")
				if len(parts) < 2 || parts[0] != "repo" && parts[0] != "project_path" {
					continue
				}
				gitlab = gitlab || parts[0] == "project_path"
				if sub := strings.NewReplacer("*", access.Canary, "?", "1").Replace(v); sub != v {
					t := token{sub, "more than one branch of " + parts[1], lamina.High}
					if strings.ContainsAny(parts[1], "*?") {
						t.who, t.severity = "any repository like "+parts[1], lamina.Critical
					}
					out = append(out, t)
				}
				owner, name, _ := strings.Cut(parts[1], "/")
				if !strings.ContainsAny(owner, "*?") {
					owners[owner] = true
					if name != "" && !strings.ContainsAny(name, "*?") {
						repositories[parts[1]] = true
					}
				}
			}
		}
	}
	subject := func(repository, rest, theirs string) string {
		if gitlab {
			return "project_path:" + repository + ":" + theirs
		}
		return "repo:" + repository + ":" + rest
	}
	branch, theirs := "ref:refs/heads/"+access.Canary, "ref_type:branch:ref:"+access.Canary
	out = append(out, token{subject(access.Canary+"/"+access.Canary, branch, theirs), "any repository of anybody", lamina.Critical})
	for _, owner := range slices.Sorted(maps.Keys(owners)) {
		out = append(out, token{subject(owner+"/"+access.Canary, branch, theirs), "any repository of " + owner, lamina.Critical})
	}
	for _, repository := range slices.Sorted(maps.Keys(repositories)) {
		out = append(out, token{subject(repository, branch, theirs), "any branch of " + repository, lamina.High})
		if !gitlab {
			out = append(out, token{"repo:" + repository + ":pull_request", "any pull request to " + repository, lamina.High})
		}
	}
	slices.SortStableFunc(out, func(x, y token) int { return cmp.Compare(y.severity.Rank(), x.severity.Rank()) })
	return out
}
