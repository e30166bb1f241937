// Package publishers knows who publishes Lambda layers: which account, under
// which layer names, whether the publisher still exists, and where that is
// written. No AWS interface answers this, so it is a list kept by hand, with a
// dated source for every claim.
//
// It judges names, never content: an account in no list is unverified, which is
// not a reproach, and a listed account with a layer name it is not known for is
// unexpected, which is a reason to look. Start with Builtin, then
// Registry.Lookup.
package publishers

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Kind says what sort of publisher one is.
type Kind string

// The kinds.
const (
	// AWS is a service or project of Amazon Web Services itself.
	AWS Kind = "aws"
	// Vendor is a company.
	Vendor Kind = "vendor"
	// Community is a project or a person.
	Community Kind = "community"
)

// A Status says whether a publisher, or one of its accounts, is still there.
type Status string

// The statuses. Unknown is the honest one for a publisher whose accounts are
// on record and of which no recent word was found.
const (
	Active     Status = "active"
	Superseded Status = "superseded"
	Abandoned  Status = "abandoned"
	Defunct    Status = "defunct"
	Unknown    Status = "unknown"
)

// Gone says that nobody is expected to repair layers of this status.
func (s Status) Gone() bool { return s == Abandoned || s == Defunct }

// A Match is what a Lookup found.
type Match string

// The matches, from best to worst; Unverified is the absence of an entry and
// not a verdict.
const (
	// Listed: the account publishes layers of this name in this region.
	Listed Match = "listed"
	// AccountOnly: the account belongs to a known vendor of which no layers
	// are listed.
	AccountOnly Match = "account_only"
	// UnexpectedRegion: the account and the name are listed, for other regions.
	UnexpectedRegion Match = "unexpected_region"
	// UnexpectedName: the account is listed, with other layer names.
	UnexpectedName Match = "unexpected_name"
	// Unverified: no entry names the account.
	Unverified Match = "unverified"
)

// matchRank orders matches for an account with several entries.
var matchRank = map[Match]int{Listed: 0, AccountOnly: 1, UnexpectedRegion: 2, UnexpectedName: 3, Unverified: 4}

// A Publisher is one entry of the registry.
type Publisher struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// Status is that of the account found, for a Publisher out of a Lookup:
	// an account the publisher has left is superseded.
	Status Status `json:"status"`
	// SupersededBy is the publisher id, or the account id, to use instead.
	SupersededBy string `json:"superseded_by,omitempty"`
	// Layers are the layer names, where * stands for any text; none when only
	// the accounts are known.
	Layers []string `json:"layers,omitempty"`
	// Accounts publish in every region.
	Accounts []string `json:"accounts,omitempty"`
	// Regional are the accounts that publish in one region each; a region ending
	// in * stands for all that begin so.
	Regional map[string]string `json:"regional,omitempty"`
	// Former are accounts the publisher has left.
	Former []Former `json:"former,omitempty"`
	// License is the SPDX expression the publisher gives for the layers' code.
	License string `json:"license,omitempty"`
	// Feed is where the newest versions are announced: a URL or an SSM
	// parameter path.
	Feed string `json:"feed,omitempty"`
	// Note is a sentence a reader of a verdict needs.
	Note     string     `json:"note,omitempty"`
	Evidence []Evidence `json:"evidence"`
	// Source is the file the entry comes from, "builtin" for our own.
	Source string `json:"source"`
	// from is where in its file the entry stands, nil when it was not read from
	// TOML.
	from *origin
}

// An origin is the place of an entry in a TOML file.
type origin struct {
	name  string
	data  []byte
	index int
}

// at is the place of an account of p, current ones only.
func (p *Publisher) at(account string) *Error {
	path := fmt.Sprintf("publisher.%d", p.from.index)
	if i := slices.Index(p.Accounts, account); i >= 0 {
		path += ".accounts." + strconv.Itoa(i)
	} else {
		regions := slices.Sorted(maps.Keys(p.Regional))
		if i := slices.IndexFunc(regions, func(r string) bool { return p.Regional[r] == account }); i >= 0 {
			path += ".regional." + regions[i]
		}
	}
	c := checker{name: p.from.name, data: p.from.data}
	e := c.fail(path, "")
	if p.Source == "builtin" {
		e.File = "builtin:" + e.File
	}
	return e
}

// A Former is an account that a publisher has left.
type Former struct {
	Account string `json:"account" toml:"account"`
	// Layers are its layer names; none means those of the publisher.
	Layers       []string `json:"layers,omitempty" toml:"layers"`
	Status       Status   `json:"status" toml:"status"`
	SupersededBy string   `json:"superseded_by,omitempty" toml:"superseded_by"`
}

// Evidence is where a claim about a publisher can be read, and when it was.
type Evidence struct {
	URL string `json:"url"`
	// Seen is the day the page was read, YYYY-MM-DD; "" when the entry's
	// source does not say.
	Seen string `json:"seen,omitempty"`
	// Says is what it is evidence of.
	Says string `json:"says,omitempty"`
}

// A Registry is a set of publishers, found by account. It is immutable and safe
// for concurrent use.
type Registry struct {
	list      []Publisher
	byAccount map[string][]entry
	releases  []Release
}

// A List is what a file says.
type List struct {
	Publishers []Publisher
	Releases   []Release
}

// A Release is what a publisher says a layer version of theirs holds. None comes
// with Lamina: nobody keeps a list of them.
type Release struct {
	// Layer is the version; its region * stands for every one.
	Layer lamina.LayerARN
	// Digest is the SHA-256 of the zip in hex.
	Digest string
	// Source is where it is written.
	Source string
}

// Of reports whether the release is of the layer, at any version.
func (x Release) Of(l lamina.LayerARN) bool {
	a, b := x.Layer.ARN, l.ARN
	return x.Layer.Name == l.Name && a.Partition == b.Partition && a.Account == b.Account && (a.Region == "*" || a.Region == b.Region)
}

// An entry is one account of one publisher.
type entry struct {
	publisher int
	regions   []string // empty for every region
	former    int      // index in Former, or -1
}

//go:embed publishers.toml
var builtin []byte

// Builtin is the registry that comes with Lamina.
func Builtin() (*Registry, error) {
	list, err := ParseTOML("publishers.toml", builtin)
	if err != nil {
		return nil, fmt.Errorf("the publisher list of this program: %w", err)
	}
	for i := range list.Publishers {
		list.Publishers[i].Source = "builtin"
	}
	return New(list)
}

// BuiltinTOML is the built-in list as it is written, to start a list from.
func BuiltinTOML() []byte { return bytes.Clone(builtin) }

// New makes a registry. A later entry with the id of an earlier one takes its
// place, so a file of the user's can correct ours.
func New(lists ...List) (*Registry, error) {
	r := &Registry{byAccount: map[string][]entry{}}
	at := map[string]int{}
	for _, list := range lists {
		r.releases = append(r.releases, list.Releases...)
		seen := map[string]bool{}
		for _, p := range list.Publishers {
			if seen[p.ID] {
				return nil, fmt.Errorf("%s: publisher %q is listed twice", p.Source, p.ID)
			}
			seen[p.ID] = true
			if i, ok := at[p.ID]; ok {
				r.list[i] = p
				continue
			}
			at[p.ID] = len(r.list)
			r.list = append(r.list, p)
		}
	}
	slices.SortFunc(r.list, func(a, b Publisher) int { return strings.Compare(a.ID, b.ID) })
	for i, p := range r.list {
		for _, a := range p.Accounts {
			r.byAccount[a] = append(r.byAccount[a], entry{publisher: i, former: -1})
		}
		regions := map[string][]string{}
		for region, a := range p.Regional {
			regions[a] = append(regions[a], region)
		}
		for _, a := range slices.Sorted(maps.Keys(regions)) {
			slices.Sort(regions[a])
			r.byAccount[a] = append(r.byAccount[a], entry{publisher: i, regions: regions[a], former: -1})
		}
		for j, f := range p.Former {
			r.byAccount[f.Account] = append(r.byAccount[f.Account], entry{publisher: i, former: j})
		}
	}
	for _, a := range slices.Sorted(maps.Keys(r.byAccount)) {
		if err := r.shared(a); err != nil {
			return nil, err
		}
	}
	for _, entries := range r.byAccount {
		// Who is known for layers answers before who is known for an account.
		slices.SortStableFunc(entries, func(a, b entry) int {
			return min(1, len(r.list[b.publisher].Layers)) - min(1, len(r.list[a.publisher].Layers))
		})
	}
	return r, nil
}

// shared refuses an account that two active publishers have now: which of them
// answers would depend on their ids. Lists of accounts without layers
// (ParseAccounts) only add what nobody else says, and are not asked.
func (r *Registry) shared(account string) error {
	var has []*Publisher
	for _, e := range r.byAccount[account] {
		p := &r.list[e.publisher]
		if e.former < 0 && p.Status == Active && p.from != nil && !slices.Contains(has, p) {
			has = append(has, p)
		}
	}
	if len(has) < 2 {
		return nil
	}
	// The user's own file is the one to change.
	if has[0].Source != "builtin" && has[1].Source == "builtin" {
		has[0], has[1] = has[1], has[0]
	}
	first, second := has[0].at(account), has[1].at(account)
	second.Msg = fmt.Sprintf("publisher %q: account %s is also of publisher %q at %s:%d:%d, and both are active",
		has[1].ID, account, has[0].ID, first.File, first.Line, first.Col)
	second.Hint = "an entry with the id of an earlier one takes its place; an account that was left goes under former"
	return second
}

// All lists the publishers by id. The caller must not change it.
func (r *Registry) All() []Publisher { return r.list }

// Releases are what the files list, in their order. The caller must not change it.
func (r *Registry) Releases() []Release { return r.releases }

// Len is the number of publishers.
func (r *Registry) Len() int { return len(r.list) }

// Accounts is the number of different accounts.
func (r *Registry) Accounts() int { return len(r.byAccount) }

// Lookup says who publishes the layer of that name in that account and region.
// An empty region matches every region. When the account has several entries,
// the best match answers, and among equals the first by id.
func (r *Registry) Lookup(account, region, layer string) (Publisher, Match) {
	best, match := Publisher{}, Unverified
	for _, e := range r.byAccount[account] {
		p, m := r.publisher(e), UnexpectedName
		switch {
		case len(p.Layers) == 0:
			m = AccountOnly
		case !slices.ContainsFunc(p.Layers, func(pattern string) bool { return glob(pattern, layer) }):
		case region != "" && len(e.regions) > 0 && !slices.ContainsFunc(e.regions, func(pattern string) bool { return glob(pattern, region) }):
			m = UnexpectedRegion
		default:
			m = Listed
		}
		if matchRank[m] < matchRank[match] {
			best, match = p, m
		}
	}
	return best, match
}

// Account says whose account it is, whatever it publishes; when several
// publishers have it, one that is known for layers answers.
func (r *Registry) Account(account string) (Publisher, bool) {
	entries := r.byAccount[account]
	if len(entries) == 0 {
		return Publisher{}, false
	}
	return r.publisher(entries[0]), true
}

// publisher is the entry's publisher as seen from its account.
func (r *Registry) publisher(e entry) Publisher {
	p := r.list[e.publisher]
	if e.former < 0 {
		return p
	}
	f := p.Former[e.former]
	p.Status, p.SupersededBy = f.Status, f.SupersededBy
	if len(f.Layers) > 0 {
		p.Layers = f.Layers
	}
	return p
}

// glob matches s as a whole against a pattern in which * is any text.
func glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	for {
		part, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], more
	}
}
