package checks

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerShortLived finds layers that came, ran and went within a day.
var LayerShortLived = posture.Check{
	ID:          "layer-short-lived",
	Ref:         "WIN-06",
	Title:       "layer version was published, attached and taken away within a day",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html",
	Needs:       append(posture.ListLayers, posture.ListFunctions...),
	Lists:       append(posture.ListLayers, posture.ListFunctions...),
	Beside:      []posture.Data{posture.Logs},
	Remediation: "find out what the version held and what the function did meanwhile: its role's calls in that time, and where its traffic went",
	NoFix:       "it is over; what it did is a matter of triage",
	Run:         layerShortLived,
}

// day is how long such a version lives.
const day = 24 * time.Hour

// A life is what the logs say of one layer version.
type life struct {
	published, gone history.Entry
	attached        map[string]history.Entry // first, by function
	how             string
}

func layerShortLived(in posture.Input, found func(posture.Result)) {
	lives := map[string]*life{}
	loaded := map[string][]string{} // layers by function, as its last call said
	newest := map[string]string{}   // version by layer
	for _, e := range in.Log.Entries {
		if e.API == "PublishLayerVersion" && !e.Refused {
			lives[e.Layer] = &life{published: e, attached: map[string]history.Entry{}}
			newest[layerOf(e.Layer)] = e.Layer
		}
		if l := lives[e.Layer]; l != nil && e.API == "DeleteLayerVersion" && !e.Refused && l.gone.ID == "" && newest[layerOf(e.Layer)] == e.Layer {
			l.gone, l.how = e, "deleted"
		}
		if e.Function == "" || e.Refused {
			continue
		}
		for _, arn := range loaded[e.Function] {
			// A newer version in its place is an update, not a retreat.
			if l := lives[arn]; l != nil && l.gone.ID == "" && !slices.ContainsFunc(e.Layers, func(now string) bool { return layerOf(now) == layerOf(arn) }) {
				l.gone, l.how = e, "detached"
			}
		}
		for _, arn := range e.Layers {
			if l := lives[arn]; l != nil {
				if _, is := l.attached[e.Function]; !is {
					l.attached[e.Function] = e
				}
			}
		}
		loaded[e.Function] = e.Layers
	}
	failed := map[string]bool{}
	for _, arn := range slices.Sorted(maps.Keys(lives)) {
		l := lives[arn]
		if l.gone.ID == "" || len(l.attached) == 0 || l.gone.At.Sub(l.published.At) > day {
			continue
		}
		failed[arn] = true
		r := posture.Result{
			Outcome: lamina.Fail, Resource: arn, Detail: fmt.Sprintf("it was published, attached to %s and %s within %s", posture.Count(len(l.attached), "function"), l.how, l.gone.At.Sub(l.published.At).Round(time.Minute)),
			Evidence: []string{moment("published", l.published)},
		}
		for _, f := range slices.Sorted(maps.Keys(l.attached)) {
			r.Evidence = append(r.Evidence, moment("attached to "+f, l.attached[f]))
		}
		r.Evidence = append(posture.Calls(r.Evidence), moment(l.how, l.gone))
		found(r)
	}
	in.Quiet(found, "no layer version was published, attached and taken away within a day", maps.Keys(failed))
}

// layerOf is the layer of a version's ARN.
func layerOf(arn string) string {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return arn
	}
	return l.Unversioned()
}

func moment(what string, e history.Entry) string {
	return fmt.Sprintf("%s: %s by %s, event %s", what, posture.Minute(e.At), e.Caller, e.ID)
}
