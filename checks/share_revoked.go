package checks

import (
	"maps"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/posture"
)

// ShareRevoked finds who shares a layer outside and takes it back at once.
var ShareRevoked = posture.Check{
	ID:          "share-revoked",
	Ref:         "WIN-04",
	Title:       "layer version was shared outside and taken back within the hour by the same principal",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1537"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_RemoveLayerVersionPermission.html",
	Needs:       append(posture.ListLayers, posture.ListFunctions...),
	Lists:       append(posture.ListLayers, posture.ListFunctions...),
	Beside:      []posture.Data{posture.Logs},
	Remediation: "ask the principal why; what somebody outside could fetch meanwhile counts as fetched",
	NoFix:       "the grant is gone; what its maker may still do is for the checks about who may share",
	Run:         shareRevoked,
}

// burst is how long a grant stands that was meant for one fetch.
const burst = time.Hour

func shareRevoked(in posture.Input, found func(posture.Result)) {
	who := map[string][]string{} // evidence by principal
	seen := map[string]bool{}
	for _, e := range in.Log.Entries {
		l, err := lamina.ParseLayerARN(e.Layer)
		if e.API != "AddLayerVersionPermission" || seen[e.Layer] || err != nil {
			continue
		}
		seen[e.Layer] = true
		for _, w := range in.Log.Windows(e.Layer) {
			scope := in.Estate.Org.Scope(lamina.Grant{Principal: w.Principal, OrganizationID: w.OrganizationID}, l.ARN.Account)
			shared := posture.SharedWindow{Window: w, Scope: scope}
			if w.From.IsZero() || w.Ending != history.Removed || w.To.Sub(w.From) >= burst || !shared.Outside() {
				continue
			}
			made, _ := in.Log.Entry(w.FromEvent)
			ended, _ := in.Log.Entry(w.ToEvent)
			if p := history.Who(made.Caller); p != "" && p == history.Who(ended.Caller) {
				who[p] = append(who[p], e.Layer+" "+shared.String())
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(who)) {
		found(posture.Result{
			Outcome: lamina.Fail, Resource: p, Evidence: posture.Calls(who[p]),
			Detail: "it shared outside the organisation and took back within the hour: " + posture.Count(len(who[p]), "grant"),
		})
	}
	in.Quiet(found, "nobody shared a layer outside the organisation and took it back within the hour", maps.Keys(who))
}
