// Package estate is a snapshot indexed so that questions are lookups: which
// functions load a layer version, who a grant reaches, what could not be read.
//
// It holds no opinions: whether something is bad is for checks. It refuses
// nothing: a snapshot with holes gives an Estate with the same holes, and
// Unread says where they are. Start with New.
package estate

import (
	"cmp"
	"slices"

	"github.com/lamina-sec/lamina"
)

// An Estate is an indexed snapshot. It is not changed after New and may be used
// from many goroutines; what it returns belongs to it and must not be changed.
type Estate struct {
	Snapshot lamina.Snapshot
	Org      Org

	layers map[string]int
	users  map[string][]int
}

// New indexes s. vendor says whether an account is a listed publisher; nil
// means that none is.
func New(s lamina.Snapshot, vendor func(account string) bool) *Estate {
	e := &Estate{
		Snapshot: s,
		Org:      NewOrg(s.OrgID, s.Accounts, vendor),
		layers:   make(map[string]int, len(s.Layers)),
		users:    map[string][]int{},
	}
	for i, l := range s.Layers {
		e.layers[l.ARN] = i
	}
	for i, f := range s.Functions {
		for _, l := range f.Layers {
			e.users[l] = append(e.users[l], i)
		}
	}
	return e
}

// Layer returns the layer version with the ARN.
func (e *Estate) Layer(arn string) (lamina.LayerVersion, bool) {
	i, ok := e.layers[arn]
	if !ok {
		return lamina.LayerVersion{}, false
	}
	return e.Snapshot.Layers[i], true
}

// Users returns the functions, and published versions of functions, that load
// the layer version, in the snapshot's order.
func (e *Estate) Users(layerARN string) []lamina.Function {
	var fs []lamina.Function
	for _, i := range e.users[layerARN] {
		fs = append(fs, e.Snapshot.Functions[i])
	}
	return fs
}

// Unread returns the gaps left by any of the IAM actions, sorted by account,
// region and action.
func (e *Estate) Unread(actions ...string) []lamina.Gap {
	var gaps []lamina.Gap
	for _, g := range e.Snapshot.Coverage {
		if slices.Contains(actions, g.Action) {
			gaps = append(gaps, g)
		}
	}
	slices.SortFunc(gaps, func(a, b lamina.Gap) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Reason, b.Reason))
	})
	return gaps
}
