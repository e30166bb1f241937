package checks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerSinglePoint finds layers that a large part of a region's functions load
// and that others than the pipelines may publish.
var LayerSinglePoint = posture.Check{
	ID:          "layer-single-point",
	Ref:         "TOX-07",
	Title:       "layer that many functions hang on can be published by others than the pipeline",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html",
	Needs:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"lambda:ListFunctions", "iam:GetAccountAuthorizationDetails"},
	Beside:      []posture.Data{posture.Pipelines},
	Remediation: "let the pipeline alone publish the layer, organisation-wide",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         layerSinglePoint,
}

// A layer is one that many functions hang on when it is loaded by more than a
// quarter of the functions that could load it, and by at least five.
const (
	manyOutOf   = 4
	manyAtLeast = 5
)

func layerSinglePoint(in posture.Input, found func(posture.Result)) {
	total, users := map[string]int{}, map[string][]lamina.Function{} // by region, by layer
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" || f.PackageType == "Image" { // an image has no layers
			continue
		}
		total[f.Region]++
		for _, arn := range f.Layers {
			if l, err := lamina.ParseLayerARN(arn); err == nil && in.Estate.Org.Ours(l.ARN.Account) {
				users[l.Unversioned()] = append(users[l.Unversioned()], f)
			}
		}
	}
	for _, layer := range slices.Sorted(maps.Keys(users)) {
		l, err := lamina.ParseLayerARN(layer)
		if err != nil {
			continue
		}
		found(published(in, l, users[layer], total[l.ARN.Region]))
	}
}

// published says who but the pipelines may publish a layer, when many of the
// functions there are load it.
func published(in posture.Input, l lamina.LayerARN, users []lamina.Function, of int) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: l.Unversioned(), Evidence: []string{fmt.Sprintf("functions: %d of %d in %s", len(users), of, l.ARN.Region)}}
	if len(users) < manyAtLeast || len(users)*manyOutOf <= of {
		r.Outcome, r.Detail = lamina.NotApplicable, "at most a quarter of the functions load it, or four of them"
		for _, m := range in.Estate.Unread("lambda:ListFunctions") {
			if m.Region == l.ARN.Region || m.Region == "" {
				r.Outcome, r.Detail, r.Reason, r.Settle = lamina.Unknown, "how many functions load it is not known", m.Why(), m.Settle()
			}
		}
		return r
	}
	if m, missing := in.Missing(l.ARN.Account, l.ARN.Region, r.Resource, "iam:GetAccountAuthorizationDetails"); missing {
		m.Detail = "who may publish it is not known"
		return m
	}
	r.Detail = "only pipelines and administrators may publish it"
	var others others
	for _, c := range in.Access().Callers(l.ARN.Account) {
		if c.Reach[access.Administration] != access.Any && !in.Pipeline(c.Principal.ARN) {
			others.add(c.Principal.ARN, in.Access().Publish(c, l))
		}
	}
	others.onto(&r, fmt.Sprintf("%d of %s load it, and others than pipelines may publish it", len(users), posture.Count(of, "function")), "publish it")
	return r
}

// others are the principals that are neither pipelines nor administrators, by what
// a check asks of them.
type others struct {
	may, by, perhaps []string
	why              string // of the first of perhaps
}

// add takes the answer for one of them.
func (o *others) add(arn string, answer access.Answer) {
	switch answer.Result {
	case iam.Allow:
		o.may, o.by = append(o.may, arn), append(o.by, answer.By...)
	case iam.Unknown:
		o.perhaps, o.why = append(o.perhaps, "perhaps: "+arn), cmp.Or(o.why, answer.Why)
	case iam.Deny:
	}
}

// onto makes r a Fail with the detail given if some of them may do it, and Unknown if
// only perhaps; else r stays as it is.
func (o *others) onto(r *posture.Result, fail, do string) {
	switch {
	case len(o.may) > 0:
		r.Outcome, r.Detail = lamina.Fail, fail+": "+posture.Count(len(o.may), "principal")
		slices.Sort(o.may)
		for _, p := range first(o.may) {
			r.Evidence = append(r.Evidence, "principal: "+p)
		}
		slices.Sort(o.by)
		for _, s := range first(slices.Compact(o.by)) {
			r.Evidence = append(r.Evidence, "statement: "+s)
		}
	case len(o.perhaps) > 0:
		r.Outcome, r.Detail = lamina.Unknown, "whether others than pipelines may "+do+" is not known"
		r.Reason, r.Settle = o.why, "decide what the conditions named leave open"
		slices.Sort(o.perhaps)
		r.Evidence = append(r.Evidence, first(o.perhaps)...)
	}
}
