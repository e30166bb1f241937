package history

import (
	"cmp"
	"slices"
	"time"
)

// An Ending says how a Window ended.
type Ending string

// The endings.
const (
	// Open: no event ended it. The grant may still be there.
	Open Ending = "open"
	// Removed: RemoveLayerVersionPermission.
	Removed Ending = "removed"
	// Deleted: the layer version was deleted. Nobody new can fetch or attach
	// it; functions that load it keep their copy, and so does whoever
	// downloaded it.
	Deleted Ending = "version_deleted"
	// Unseen: a later grant under the same statement id shows that it had
	// ended by then, by a call that is not in the log. Window.To is the latest
	// it can have been.
	Unseen Ending = "unseen"
)

// A Window is the time in which one statement granted a layer version.
type Window struct {
	// LayerVersion is the ARN with the version.
	LayerVersion string
	StatementID  string
	// Principal and OrganizationID are as the caller wrote them; "" when the
	// grant was made before the log begins.
	Principal, OrganizationID string
	// From is when it was made, zero for before the log begins; To is when it
	// ended, zero for Open.
	From, To time.Time
	// FromEvent and ToEvent are the ids of the events that say so, or "".
	FromEvent, ToEvent string
	Ending             Ending
}

// GrantWindows are the windows of a layer version, by its ARN, oldest first. A
// window without From was open when the log began.
func (h *History) GrantWindows(layerVersionARN string) []Window {
	var out []Window
	open := map[string]int{}
	end := func(i int, f *fact, how Ending) {
		out[i].To, out[i].ToEvent, out[i].Ending = f.at, f.id, how
		delete(open, out[i].StatementID)
	}
	for _, f := range h.facts(layerKind, layerVersionARN) {
		switch f.change {
		case granted:
			// Lambda refuses a statement id that is in use.
			if i, is := open[f.values[0]]; is {
				end(i, &f, Unseen)
			}
			open[f.values[0]] = len(out)
			out = append(out, Window{
				LayerVersion: layerVersionARN, StatementID: f.values[0], Principal: f.values[1], OrganizationID: f.values[2],
				From: f.at, FromEvent: f.id, Ending: Open,
			})
		case revoked:
			i, is := open[f.values[0]]
			if !is {
				i = len(out)
				out = append(out, Window{LayerVersion: layerVersionARN, StatementID: f.values[0]})
			}
			end(i, &f, Removed)
		case deleted:
			for _, i := range open {
				end(i, &f, Deleted)
			}
		case set, gone:
			// Facts of functions are under other keys.
		}
	}
	slices.SortStableFunc(out, func(a, b Window) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.StatementID, b.StatementID))
	})
	return out
}
