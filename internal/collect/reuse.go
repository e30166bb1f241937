package collect

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
)

// eventNames are the calls that change a layer version's policy, with and
// without the API date that CloudTrail appends to some names.
var eventNames = []string{
	"AddLayerVersionPermission", "AddLayerVersionPermission20181031",
	"RemoveLayerVersionPermission", "RemoveLayerVersionPermission20181031",
}

const (
	// eventLag is how late an event may appear in the event history: AWS says
	// within about five minutes on average, and promises nothing.
	eventLag = time.Hour
	// eventHistory is how far back the event history goes.
	eventHistory = 90 * 24 * time.Hour
)

// known is what an earlier snapshot, or this run before it was broken off, read.
// It is not changed once it is made.
type known struct {
	layers map[string]lamina.LayerVersion // by ARN
	// functions and read are of this run alone: functions by ARN, and layer
	// versions whose policy it read.
	functions map[string]lamina.Function
	read      map[string]bool
}

func newKnown(o Options) known {
	r := known{layers: map[string]lamina.LayerVersion{}, functions: map[string]lamina.Function{}, read: map[string]bool{}}
	if o.Previous != nil {
		for _, l := range o.Previous.Layers {
			r.layers[l.ARN] = l
		}
	}
	for _, e := range o.Resume {
		for _, l := range e.Part.Layers {
			r.layers[l.ARN] = l
			if l.PolicyRead.Equal(o.Now) {
				r.read[l.ARN] = true
			}
		}
		for _, f := range e.Part.Functions {
			if f.DetailsRead.Equal(o.Now) {
				r.functions[f.ARN] = f
			}
		}
	}
	return r
}

// version returns what AWS said of the same version earlier. A version number
// is never used again, so that the time of its making proves it.
func (r known) version(v lamina.LayerVersion) (lamina.LayerVersion, bool) {
	old, ok := r.layers[v.ARN]
	return old, ok && old.CodeSHA256 != "" && old.Created.Equal(v.Created)
}

// unchanged finds out which policies of the target still hold: those that no
// event names since they were read, but for the oldest share of them. Where the
// events cannot be read, or do not reach back far enough, none does.
func (d *reader) unchanged(ctx context.Context) map[string]bool {
	prev := d.run.Previous
	if prev == nil || d.run.Now.Sub(prev.Taken) > eventHistory-eventLag {
		return nil
	}
	i := slices.IndexFunc(prev.Targets, func(t lamina.Target) bool {
		return t.Account == d.account && t.Region == d.region && slices.Contains(t.Read, "lambda:GetLayerVersionPolicy")
	})
	if i < 0 {
		return nil
	}
	var held []lamina.LayerVersion
	for _, l := range prev.Layers {
		if l.Account == d.account && l.Region == d.region && !l.PolicyRead.IsZero() {
			held = append(held, l)
		}
	}
	if len(held) == 0 {
		return nil
	}
	// The snapshot before this one saw to what came before it.
	since := prev.Taken.Add(-eventLag)
	changed := map[string]bool{}
	for _, name := range eventNames {
		records, err := d.client.Events(ctx, name, since)
		if !d.note("cloudtrail:LookupEvents", "", err) {
			return nil
		}
		for _, raw := range records {
			arn, ok := named(raw, d.account, d.region)
			if !ok {
				return nil // an event that cannot be understood may name any layer
			}
			changed[arn] = true
		}
	}
	slices.SortFunc(held, func(a, b lamina.LayerVersion) int {
		return cmp.Or(a.PolicyRead.Compare(b.PolicyRead), cmp.Compare(a.ARN, b.ARN))
	})
	again := (len(held) + policySharePerRun - 1) / policySharePerRun
	holds := map[string]bool{}
	for _, l := range held[again:] {
		if !changed[l.ARN] {
			holds[l.ARN] = true
		}
	}
	return holds
}

// named returns the ARN of the layer version that the record's call named.
func named(raw, account, region string) (string, bool) {
	var r struct {
		RequestParameters struct {
			LayerName     string `json:"layerName"`
			VersionNumber int    `json:"versionNumber"`
		} `json:"requestParameters"`
		UserIdentity struct {
			ARN string `json:"arn"`
		} `json:"userIdentity"`
	}
	if err := json.Unmarshal([]byte(raw), &r); err != nil || r.RequestParameters.LayerName == "" || r.RequestParameters.VersionNumber <= 0 {
		return "", false
	}
	name := r.RequestParameters.LayerName
	l, err := lamina.ParseLayerARN(name)
	if err != nil {
		partition := "aws"
		if a, err := lamina.ParseARN(r.UserIdentity.ARN); err == nil {
			partition = a.Partition
		}
		l = lamina.LayerARN{ARN: lamina.ARN{Partition: partition, Service: "lambda", Region: region, Account: account}, Name: name}
	}
	l.Version = r.RequestParameters.VersionNumber
	return l.Versioned(), true
}
