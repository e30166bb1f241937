// Package owners says which team a finding goes to: the file owners.toml, and what
// of an estate its entries are about.
//
// An entry names accounts, organisational units with all that is in them, a tag
// of the function or of its account, or a resource; the first entry that fits
// decides. A layer of somebody else goes to the teams whose functions load it,
// and what belongs to no account to the team of the management account. It
// knows no address: where a team is reached is package notify's. Nothing inside
// an estate can say whose it is but the tags that the file names. Start with Parse.
package owners

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// An Entry gives what fits all that it names to a team.
type Entry struct {
	// Team is "" for an entry whose Tag holds the team's name.
	Team string
	// Accounts are ids; Units are ids of organisational units, those below among
	// them.
	Accounts, Units []string
	// Tag and Value are a tag of the function, else of the account; any value for
	// "".
	Tag, Value string
	// Resource is a pattern for the finding's resource (exception.Glob), Check the
	// id or number of its check, with a star for any end ("GRD-*").
	Resource, Check string
}

// A File is the entries of owners.toml, in its order.
type File struct{ Entries []Entry }

// Parse reads owners.toml. It is strict: everything that is wrong is an error with
// its place, all of them at once.
func Parse(name string, data []byte) (*File, error) {
	t, err := tomlfile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	f := &File{}
	for _, e := range t.Tables("owner") {
		x := Entry{
			Team: strings.TrimSpace(e.Text("team")), Accounts: e.Texts("accounts"), Units: e.Texts("units"),
			Tag: e.Text("tag"), Value: e.Text("value"), Resource: e.Text("resource"), Check: e.Text("check"),
		}
		switch {
		case x.Team == "" && x.Tag == "":
			e.Fail("team", `write team = "…", or tag = "…" for a tag that holds the team`, "an owner has no team")
		case x.Value != "" && x.Tag == "":
			e.Fail("value", "name the tag", "value %q of no tag", x.Value)
		case x.Value != "" && x.Team == "":
			e.Fail("value", "drop value, or name a team", "tag %q with one value cannot hold the team", x.Tag)
		case len(x.Accounts)+len(x.Units) == 0 && x.Tag == "" && x.Resource == "" && x.Check == "":
			e.Fail("team", "name accounts, units, a tag, a resource or a check", "owner %q would get everything", x.Team)
		}
		for _, id := range x.Accounts {
			if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
				e.Fail("accounts", "", "account %q: want 12 digits", id)
			}
		}
		for key, pattern := range map[string]string{"resource": x.Resource, "check": x.Check} {
			if n := strings.Count(pattern, "*"); n > maxStars {
				e.Fail(key, "", "a pattern with %d stars, want at most %d", n, maxStars)
			}
		}
		e.Done()
		f.Entries = append(f.Entries, x)
	}
	t.Done()
	if err := t.Err(); err != nil {
		return nil, err
	}
	return f, nil
}

// maxStars bounds the time a pattern takes.
const maxStars = 16

// Assign sets the owners of findings about the estate, in place.
func (f *File) Assign(e *estate.Estate, findings []lamina.Finding) {
	if f == nil || len(f.Entries) == 0 {
		return
	}
	r := newRouter(f, e)
	for i := range findings {
		findings[i].Owners = r.owners(&findings[i])
	}
}

// A router is a file applied to one estate.
type router struct {
	entries    []Entry
	estate     *estate.Estate
	accounts   map[string]lamina.Account
	units      map[string]map[string]bool // the units above each account
	management string
}

func newRouter(f *File, e *estate.Estate) *router {
	r := &router{entries: f.Entries, estate: e, accounts: map[string]lamina.Account{}, units: map[string]map[string]bool{}}
	parents := map[string]string{}
	for _, u := range e.Snapshot.OrganizationalUnits {
		parents[u.ID] = u.ParentID
	}
	for _, a := range e.Snapshot.Accounts {
		r.accounts[a.ID] = a
		above := map[string]bool{}
		// A hostile snapshot may hold a circle.
		for id := a.ParentID; id != "" && !above[id]; id = parents[id] {
			above[id] = true
		}
		r.units[a.ID] = above
		if a.Management {
			r.management = a.ID
		}
	}
	return r
}

func (r *router) owners(f *lamina.Finding) []string {
	teams := map[string]bool{}
	about := []string{f.Resource}
	if len(f.Members) > 0 {
		about = nil
		for _, m := range f.Members {
			about = append(about, m.Resource)
		}
	}
	for _, resource := range about {
		for _, p := range r.places(resource) {
			if team := r.team(f, resource, p); team != "" {
				teams[team] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(teams))
}

// A place is an account and the tags of what a finding is about there.
type place struct {
	account string
	tags    map[string]string
}

// places are where a resource is, or is used when it is not ours.
func (r *router) places(resource string) []place {
	a, err := lamina.ParseARN(resource)
	if err != nil {
		return []place{{}}
	}
	if l, err := lamina.ParseLayerARN(resource); err == nil && !r.estate.Org.Ours(l.ARN.Account) {
		var out []place
		for _, f := range r.estate.Users(resource) {
			out = append(out, r.function(f))
		}
		return out
	}
	if f, ok := r.estate.Function(resource); ok {
		return []place{r.function(f)}
	}
	if a.Account == "" || a.Account == "*" {
		return []place{{account: r.management}}
	}
	return []place{{account: a.Account}}
}

// function is the place of a function; the tags are on the function as a whole.
func (r *router) function(f lamina.Function) place {
	if whole, ok := r.estate.Function(strings.TrimSuffix(f.ARN, ":"+f.Version)); ok {
		f = whole
	}
	return place{f.Account, f.Tags}
}

// team is that of the first entry that fits.
func (r *router) team(f *lamina.Finding, resource string, p place) string {
	for _, x := range r.entries {
		tag, tagged := p.tags[x.Tag]
		if !tagged {
			tag, tagged = r.accounts[p.account].Tags[x.Tag]
		}
		switch {
		case len(x.Accounts) > 0 && !slices.Contains(x.Accounts, p.account),
			len(x.Units) > 0 && !slices.ContainsFunc(x.Units, func(id string) bool { return r.units[p.account][id] }),
			x.Tag != "" && (!tagged || x.Value != "" && tag != x.Value || x.Team == "" && strings.TrimSpace(tag) == ""),
			x.Resource != "" && !exception.Glob(x.Resource, resource, false),
			x.Check != "" && !exception.Glob(x.Check, f.Check, false) && !exception.Glob(x.Check, f.Ref, false):
			continue
		}
		if x.Team != "" {
			return x.Team
		}
		return strings.TrimSpace(tag)
	}
	return ""
}
