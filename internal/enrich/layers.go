package enrich

import (
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// Whose a layer is, beyond the matches of the publisher list.
const (
	ownAccount          = "own_account"
	organizationAccount = "organization_account"
	ownerAWS            = "aws"
	ownerVendor         = "vendor"
)

// How much a layer's owner speaks for it.
const (
	trusted    = "trusted"
	unverified = "unverified"
	suspect    = "suspect"
)

// trustRisk is the risk of a layer by its owner, on Elastic's scale.
var trustRisk = map[string]int{trusted: 21, unverified: 47, suspect: 73}

func (e *Enricher) function(c *history.Call, out fields) {
	if f, ok := c.Function(); ok {
		out.set("lamina.function.arn", f.ARN)
		out.set("lamina.function.name", f.Name)
		out.set("lamina.function.account", f.Account)
		out.set("lamina.function.qualifier", f.Qualifier)
	}
}

// deletion tells the deletion of a version from that of the function.
func (e *Enricher) deletion(c *history.Call, out fields) {
	e.function(c, out)
	switch f, ok := c.Function(); {
	case !ok:
		// A denied call names nothing.
	case f.Qualifier != "":
		out.set("lamina.function.deletion", "version")
	default:
		out.set("lamina.function.deletion", "function")
	}
}

// layers fills what one record tells of a function's layers.
func (e *Enricher) layers(c *history.Call, out fields) {
	e.function(c, out)
	layers, named := c.RequestedLayers()
	if c.API == "CreateFunction" || c.API == "UpdateFunctionConfiguration" {
		out.setBool("lamina.layers.named", named)
	}
	if !named {
		layers, _ = c.ResultingLayers()
	}
	out.set("lamina.layers.current", slices.Clone(layers)...)
}

// layerChanges compares the layers a call names with those before it.
func (e *Enricher) layerChanges(c *history.Call, out fields) {
	now, named := c.RequestedLayers()
	f, ok := c.Function()
	if !named || !ok {
		return
	}
	var was []string
	known := c.API == "CreateFunction" // a new function had none
	if !known {
		e.seeSnapshot(f.ARN)
		was, known = e.history.LayersBefore(f.ARN, c.Time, c.ID)
	}
	out.setBool("lamina.layers.previous_known", known)
	out.set("lamina.layers.previous", slices.Clone(was)...)

	d := compare(was, now)
	out.set("lamina.layers.added", d.added...)
	if known {
		out.set("lamina.layers.removed", d.removed...)
		out.set("lamina.layers.version_changed", d.changed...)
		out.setBool("lamina.layers.reordered", d.reordered)
	}
	e.owners(slices.Concat(d.added, d.changed), f.Account, out)
	var gone []string
	for _, l := range d.removed {
		if p, m := e.lookup(l); m == publishers.Listed {
			gone = append(gone, p.Name)
		}
	}
	out.set("lamina.layers.removed_publisher", unique(gone)...)
}

// seeSnapshot tells the history what the snapshot has of a function.
func (e *Enricher) seeSnapshot(functionARN string) {
	if i, ok := e.snapshot[functionARN]; ok {
		e.history.SeeLayers(functionARN, e.estate.Snapshot.Functions[i].Layers, e.estate.Snapshot.Taken)
	}
}

// A diff is how a list of layer versions differs from the one before.
type diff struct {
	added, removed, changed []string
	reordered               bool
}

// compare compares lists of layer versions by layer: a layer in another version
// is changed, not removed and added.
func compare(was, now []string) diff {
	var d diff
	before := make(map[string]string, len(was))
	for _, l := range was {
		before[layerOf(l)] = l
	}
	after := make(map[string]bool, len(now))
	var stayed []string
	for _, l := range now {
		k := layerOf(l)
		after[k] = true
		switch old, is := before[k]; {
		case !is:
			d.added = append(d.added, l)
		default:
			stayed = append(stayed, k)
			if old != l {
				d.changed = append(d.changed, l)
			}
		}
	}
	var order []string
	for _, l := range was {
		if k := layerOf(l); after[k] {
			order = append(order, k)
		} else {
			d.removed = append(d.removed, l)
		}
	}
	d.reordered = !slices.Equal(order, stayed)
	return d
}

// layerOf is the layer of a layer version; what is no layer ARN is its own.
func layerOf(s string) string {
	if l, err := lamina.ParseLayerARN(s); err == nil {
		return l.Unversioned()
	}
	return s
}

// lookup is what the publisher list says of a layer version.
func (e *Enricher) lookup(layerARN string) (publishers.Publisher, publishers.Match) {
	l, err := lamina.ParseLayerARN(layerARN)
	if err != nil {
		return publishers.Publisher{}, publishers.Unverified
	}
	return e.publishers.Lookup(l.ARN.Account, l.ARN.Region, l.Name)
}

// owners fills lamina.layers.owner.* and the trust of the layers a call brought.
func (e *Enricher) owners(layers []string, functionAccount string, out fields) {
	if len(layers) == 0 {
		return
	}
	var accounts, scopes, names, states []string
	worst := trusted
	for _, l := range layers {
		account, scope, p := e.owner(l, functionAccount)
		accounts, scopes = append(accounts, account), append(scopes, scope)
		names, states = append(names, p.Name), append(states, string(p.Status))
		if t := trustOf(scope, p.Status); trustRisk[t] > trustRisk[worst] {
			worst = t
		}
	}
	out.set("lamina.layers.owner.account", unique(accounts)...)
	out.set("lamina.layers.owner.scope", unique(scopes)...)
	out.set("lamina.layers.owner.publisher", unique(names)...)
	out.set("lamina.layers.owner.status", unique(states)...)
	out.set("lamina.layers.trust", worst)
	out.set("lamina.layers.risk_score", strconv.Itoa(trustRisk[worst]))
}

// owner says whose a layer version is, seen from a function in that account.
func (e *Enricher) owner(layerARN, functionAccount string) (account, scope string, p publishers.Publisher) {
	l, err := lamina.ParseLayerARN(layerARN)
	switch {
	case err != nil:
		return "", string(publishers.Unverified), p
	case l.Legacy:
		return "", ownerAWS, p
	case l.ARN.Account == functionAccount:
		return l.ARN.Account, ownAccount, p
	case e.org.Ours(l.ARN.Account):
		return l.ARN.Account, organizationAccount, p
	}
	p, m := e.publishers.Lookup(l.ARN.Account, l.ARN.Region, l.Name)
	switch {
	case m == publishers.Listed && p.Kind == publishers.AWS:
		scope = ownerAWS
	case m == publishers.Listed:
		scope = ownerVendor
	default:
		scope = string(m)
	}
	return l.ARN.Account, scope, p
}

func trustOf(scope string, s publishers.Status) string {
	switch {
	case s.Gone(), scope == string(publishers.UnexpectedName), scope == string(publishers.UnexpectedRegion):
		return suspect
	case scope == string(publishers.Unverified), scope == string(publishers.AccountOnly):
		return unverified
	}
	return trusted
}

// unique keeps the first of equal texts.
func unique(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
