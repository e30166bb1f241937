package checks

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/posture"
)

// PublisherChanged finds layers whose newest version somebody else published.
var PublisherChanged = posture.Check{
	ID:          "publisher-changed",
	Ref:         "LIF-05",
	Title:       "newest version of the layer was published by hand, or by another principal than those before",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       posture.ListLayers,
	Uses:        posture.ListFunctions,
	Lists:       append(posture.ListLayers, posture.ListFunctions...),
	Beside:      []posture.Data{posture.Logs},
	Remediation: "ask who published it; if nobody knows, compare it with the version before and go back",
	NoFix:       "whether the version is meant to be is not known",
	Run:         publisherChanged,
}

func publisherChanged(in posture.Input, found func(posture.Result)) {
	published := map[string][]history.Entry{} // by layer, oldest first
	for _, e := range in.Log.Entries {
		if e.API == "PublishLayerVersion" && !e.Refused && e.Caller != "" {
			published[layerOf(e.Layer)] = append(published[layerOf(e.Layer)], e)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(published)) {
		l, err := lamina.ParseLayerARN(name)
		es := published[name]
		newest := es[len(es)-1]
		if err != nil || !in.Estate.Org.Ours(l.ARN.Account) {
			continue
		}
		if _, there := in.Estate.Layer(newest.Layer); !there {
			continue // deleted, and nobody can attach it any more
		}
		r := posture.Result{Resource: newest.Layer, Evidence: []string{moment("published", newest)}}
		who := history.Who(newest.Caller)
		before := ""
		for _, e := range es[:len(es)-1] {
			if person(e.Caller) {
				continue // whoever takes over from a person is no surprise
			}
			if before = history.Who(e.Caller); before == who {
				break
			}
		}
		if before != "" {
			r.Evidence = append(r.Evidence, "before: "+before)
		}
		switch {
		case person(newest.Caller):
			r.Outcome, r.Detail = lamina.Fail, "a person published it: "+who
		case before != "" && before != who:
			r.Outcome, r.Detail = lamina.Fail, who+" published it, which published none of the versions before"
		case before == who:
			r.Outcome, r.Detail = lamina.Pass, "who published it published versions before"
		default:
			r.Outcome, r.Detail = lamina.NotApplicable, "the logs hold no version before that a role published"
		}
		found(r)
	}
	in.Quiet(found, "no layer was published in the time of the logs", maps.Keys(published))
}

// person reports whether the caller is a user, the root of an account, or the
// session of somebody who signed in by IAM Identity Center: pipelines are roles.
func person(caller string) bool {
	a, err := lamina.ParseARN(caller)
	return err == nil && (strings.HasPrefix(a.Resource, "user/") || a.Resource == "root" || strings.HasPrefix(a.Resource, "assumed-role/AWSReservedSSO_"))
}
