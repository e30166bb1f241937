package posture

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
)

// unlogged is an Unknown about the places that have layers or functions and of
// which no record was read. Others may have had nothing to log.
func (in Input) unlogged() []Result {
	dark := map[history.Place]bool{}
	see := func(account, region string) {
		if account != "" && in.Estate.Org.Ours(account) && !in.Log.Covers(account, region) {
			dark[history.Place{Account: account, Region: region}] = true
		}
	}
	for l := range in.Estate.OurLayers() {
		see(l.Account, l.Region)
	}
	for _, f := range in.Estate.Snapshot.Functions {
		see(f.Account, f.Region)
	}
	if len(dark) == 0 {
		return nil
	}
	places := slices.SortedFunc(maps.Keys(dark), func(a, b history.Place) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	r := Result{
		Outcome: lamina.Unknown, Resource: "arn:*:lambda:*:*:*", Key: string(Logs), Detail: "not everything that happened is known",
		Reason: "the logs that were read hold no record of " + places[0].Account + " in " + places[0].Region, Settle: "give its trail with --trail",
	}
	if n := len(places) - 1; n > 0 {
		r.Reason += fmt.Sprintf(" and of %d more accounts and regions", n)
		r.Settle = "give their trails with --trail"
	}
	for _, p := range places[:min(len(places), maxEvidence)] {
		r.Evidence = append(r.Evidence, "not logged: "+p.Account+" "+p.Region)
	}
	return []Result{r}
}

// Times says when the logs begin and end.
func (in Input) Times() string {
	return Minute(in.Log.From) + " to " + Minute(in.Log.To)
}

// Minute writes a time.
func Minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// A SharedLayer is a layer version of ours and the times in which grants let
// more than its account read it.
type SharedLayer struct {
	ARN             string
	Account, Region string
	Windows         []SharedWindow
	// Unknown says what is not known of it, nil when that is nothing: a grant
	// whose reach cannot be told, a policy that was not read.
	Unknown *Result
}

// A SharedWindow is a window and how far the grant reached.
type SharedWindow struct {
	history.Window
	Scope lamina.GrantScope
}

// Outside reports whether the grant reached beyond the organisation.
func (w SharedWindow) Outside() bool {
	switch w.Scope {
	case lamina.ScopePublic, lamina.ScopeForeignOrganization, lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount:
		return true
	case lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount, lamina.ScopeOwnAccount, lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
	}
	return false
}

// Reach says who could read.
func (w SharedWindow) Reach() string {
	switch w.Scope {
	case lamina.ScopePublic:
		return "everyone"
	case lamina.ScopeForeignOrganization:
		return "organisation " + w.OrganizationID
	case lamina.ScopeOwnOrganization:
		return "the whole organisation"
	case lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount, lamina.ScopeOrganizationAccount, lamina.ScopeOwnAccount:
		return "account " + Principal(w.Principal)
	case lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
	}
	return "somebody who is not known"
}

// Principal is the account of a principal that is written as an ARN.
func Principal(s string) string {
	if a, err := lamina.ParseARN(s); err == nil && a.Account != "" {
		return a.Account
	}
	return s
}

// String says when it was open.
func (w SharedWindow) String() string {
	from, to := "from before the logs begin", "open still"
	if !w.From.IsZero() {
		from = "from " + Minute(w.From)
	}
	switch w.Ending {
	case history.Removed:
		to = "removed " + Minute(w.To)
	case history.Deleted:
		to = "the version was deleted " + Minute(w.To)
	case history.Unseen:
		to = "ended unseen before " + Minute(w.To)
	case history.Open:
	}
	return "window: " + w.StatementID + " to " + w.Reach() + ", " + from + ", " + to
}

// SharedLayers returns the layer versions of ours that a grant let more than
// their account read at some time, as far as the logs and the policies tell,
// those that were deleted since among them. It is sorted by ARN.
func (in Input) SharedLayers() []SharedLayer {
	var out []SharedLayer
	seen := map[string]bool{}
	for l := range in.Estate.OurLayers() {
		seen[l.ARN] = true
		m, missing := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersionPolicy")
		read := cmp.Or(l.PolicyRead, in.Estate.Snapshot.Taken)
		if missing {
			read = time.Time{}
		}
		s := in.shared(SharedLayer{ARN: l.ARN, Account: l.Account, Region: l.Region}, l.Policy, read)
		if missing {
			m.Detail = "its policy could not be read"
			s.Unknown = &m
		}
		if len(s.Windows) > 0 || s.Unknown != nil {
			out = append(out, s)
		}
	}
	for _, e := range in.Log.Entries {
		l, err := lamina.ParseLayerARN(e.Layer)
		if e.StatementID == "" || seen[e.Layer] || err != nil || !in.Estate.Org.Ours(l.ARN.Account) {
			continue
		}
		seen[e.Layer] = true
		s := in.shared(SharedLayer{ARN: e.Layer, Account: l.ARN.Account, Region: l.ARN.Region}, nil, in.Estate.Snapshot.Taken)
		if m, missing := in.Missing(s.Account, s.Region, s.ARN, ListLayers...); missing {
			m.Detail = "whether it still exists is not known"
			s.Unknown = &m
		}
		if len(s.Windows) > 0 || s.Unknown != nil {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b SharedLayer) int { return cmp.Compare(a.ARN, b.ARN) })
	return out
}

// shared fills in the windows of s, which had the policy when it was read; read
// is zero when it was not.
func (in Input) shared(s SharedLayer, policy *lamina.LayerPolicy, read time.Time) SharedLayer {
	windows := in.Log.Windows(s.ARN)
	stands := map[string]lamina.Grant{}
	if policy != nil {
		for _, g := range policy.Grants {
			stands[g.StatementID] = g
		}
	}
	for i, w := range windows {
		_, stood := stands[w.StatementID]
		switch {
		case w.Ending == history.Open && !stood && w.From.Before(read):
			windows[i].Ending, windows[i].To = history.Unseen, read
		case w.Ending == history.Open || !w.To.Before(read):
			delete(stands, w.StatementID) // the logs know of it
		}
	}
	for _, sid := range slices.Sorted(maps.Keys(stands)) {
		g := stands[sid]
		windows = append(windows, history.Window{
			LayerVersion: s.ARN, StatementID: sid, Principal: g.Principal, OrganizationID: g.OrganizationID, Ending: history.Open,
		})
	}
	for _, w := range windows {
		scope := in.Estate.Org.Scope(lamina.Grant{Principal: w.Principal, OrganizationID: w.OrganizationID}, s.Account)
		switch scope {
		case lamina.ScopeOwnAccount:
			continue
		case lamina.ScopeUndetermined:
			s.Unknown = &Result{
				Outcome: lamina.Unknown, Resource: s.ARN, Detail: "how far the grant " + w.StatementID + " reached is not known",
				Reason: "which accounts and organisation are ours is not known", Settle: "collect the organisation: lamina collect --organization",
			}
		case lamina.ScopeUnknownPrincipal:
			s.Unknown = &Result{
				Outcome: lamina.Unknown, Resource: s.ARN, Detail: "how far the grant " + w.StatementID + " reached is not known",
				Reason: "it was made before the logs begin, and removed " + Minute(w.To), Settle: "give the logs of before as well",
			}
		case lamina.ScopePublic, lamina.ScopeForeignOrganization, lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount, lamina.ScopeOwnOrganization, lamina.ScopeOrganizationAccount:
		}
		s.Windows = append(s.Windows, SharedWindow{w, scope})
	}
	return s
}

// Quiet passes the accounts of ours whose layers and functions are known and of
// whose every such place there are records, but for those that the ARNs failed
// belong to.
func (in Input) Quiet(found func(Result), pass string, failed iter.Seq[string]) {
	logged := map[string]bool{} // by account
	see := func(account, region string) {
		if account != "" && in.Estate.Org.Ours(account) {
			so, known := logged[account]
			logged[account] = (so || !known) && in.Log.Covers(account, region)
		}
	}
	for l := range in.Estate.OurLayers() {
		see(l.Account, l.Region)
	}
	for _, f := range in.Estate.Snapshot.Functions {
		see(f.Account, f.Region)
	}
	for _, m := range in.Estate.Unread(slices.Concat(ListLayers, ListFunctions)...) {
		logged[m.Account] = false
	}
	for arn := range failed {
		if a, err := lamina.ParseARN(arn); err == nil {
			logged[a.Account] = false
		}
	}
	for _, account := range slices.Sorted(maps.Keys(logged)) {
		if logged[account] {
			found(Result{Outcome: lamina.Pass, Resource: "arn:*:lambda:*:" + account + ":*", Detail: pass, Evidence: []string{"logs: " + in.Times()}})
		}
	}
}

// maxCalls is how many calls evidence names.
const maxCalls = 10

// Calls cuts evidence of calls short and says so.
func Calls(evidence []string) []string {
	if len(evidence) <= maxCalls {
		return evidence
	}
	return append(evidence[:maxCalls:maxCalls], fmt.Sprintf("more: %d", len(evidence)-maxCalls))
}
