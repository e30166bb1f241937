// Package estate is a snapshot indexed so that questions are lookups: which
// functions load a layer version, who a grant reaches, what could not be read.
//
// It holds no opinions: whether something is bad is for checks. It refuses
// nothing: a snapshot with holes gives an Estate with the same holes, and
// Missing says where they are. Start with New.
package estate

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// An Estate is an indexed snapshot. It is not changed after New and may be used
// from many goroutines; what it returns belongs to it and must not be changed.
type Estate struct {
	Snapshot lamina.Snapshot
	Org      Org

	layers    map[string]int
	versions  map[string][]int // by unversioned ARN, oldest first
	users     map[string][]int
	functions map[string]int // by ARN
	managed   map[string]int // by ARN
	groups    map[string]int // by ARN
	accounts  map[string]int
	units     map[string]int
	configs   map[string]int // code signing configurations, by ARN
	buckets   map[string]int
	said      map[string][]int // by ARN, findings of services
	subnets   map[string]int   // by id
	security  map[string]int   // security groups, by id
	control   map[string][]int // service control policies, by what they are attached to
	only      map[string]bool
	worked    *worked
	coverage  map[question]reading
}

type target struct{ account, region string }

type question struct {
	target
	action string
}

// A reading is how far one action of one target was answered.
type reading struct {
	read  bool
	gaps  []lamina.Gap
	whole int            // the first gap of all of the target, -1 for none
	of    map[string]int // the first gap of each resource
}

func (r reading) with(g lamina.Gap) reading {
	if r.of == nil {
		r.of, r.whole = map[string]int{}, -1
	}
	if len(g.Resources) == 0 && r.whole < 0 {
		r.whole = len(r.gaps)
	}
	for _, resource := range g.Resources {
		if !has(r.of, resource) {
			r.of[resource] = len(r.gaps)
		}
	}
	r.gaps = append(r.gaps, g)
	return r
}

// about is the first gap that the resource is in.
func (r reading) about(resource string) (lamina.Gap, bool) {
	first := r.whole
	switch of, ok := r.of[resource]; {
	case len(r.gaps) == 0:
		return lamina.Gap{}, false
	case resource == "":
		first = 0
	case ok && (first < 0 || of < first):
		first = of
	}
	if first < 0 {
		return lamina.Gap{}, false
	}
	return r.gaps[first], true
}

// New indexes s. vendor says whether an account is a listed publisher; nil
// means that none is.
func New(s lamina.Snapshot, vendor func(account string) bool) *Estate {
	accounts := make([]string, len(s.Accounts))
	for i, a := range s.Accounts {
		accounts[i] = a.ID
	}
	e := &Estate{
		Snapshot:  s,
		Org:       NewOrg(s.OrgID, accounts, vendor),
		layers:    make(map[string]int, len(s.Layers)),
		versions:  map[string][]int{},
		users:     map[string][]int{},
		functions: make(map[string]int, len(s.Functions)),
		managed:   index(s.ManagedPolicies, func(p *lamina.ManagedPolicy) string { return p.ARN }),
		groups:    index(s.Groups, func(g *lamina.Group) string { return g.ARN }),
		accounts:  index(s.Accounts, func(a *lamina.Account) string { return a.ID }),
		units:     index(s.OrganizationalUnits, func(u *lamina.OrganizationalUnit) string { return u.ID }),
		configs:   index(s.CodeSigningConfigs, func(c *lamina.CodeSigningConfig) string { return c.ARN }),
		buckets:   index(s.Buckets, func(b *lamina.Bucket) string { return b.Name }),
		said:      map[string][]int{},
		subnets:   index(s.Subnets, func(n *lamina.Subnet) string { return n.ID }),
		security:  index(s.SecurityGroups, func(g *lamina.SecurityGroup) string { return g.ID }),
		control:   map[string][]int{},
		worked:    &worked{},
		coverage:  map[question]reading{},
	}
	for i, l := range s.Layers {
		e.layers[l.ARN] = i
		layer := unversioned(l.ARN)
		e.versions[layer] = append(e.versions[layer], i)
	}
	for _, vs := range e.versions {
		slices.SortFunc(vs, func(a, b int) int { return cmp.Compare(s.Layers[a].Version, s.Layers[b].Version) })
	}
	for i, f := range s.Functions {
		e.functions[f.ARN] = i
		for _, l := range f.Layers {
			e.users[l] = append(e.users[l], i)
		}
	}
	for i, f := range s.ServiceFindings {
		about := slices.Clone(f.Resources)
		for _, p := range f.Packages {
			about = append(about, p.Layer)
		}
		slices.Sort(about)
		for _, arn := range slices.Compact(about) {
			if arn != "" {
				e.said[arn] = append(e.said[arn], i)
			}
		}
	}
	for _, t := range s.Targets {
		at := target{t.Account, t.Region}
		if t.Region == organization {
			at.account = "" // one account answers for all
		}
		for _, action := range t.Read {
			e.coverage[question{at, action}] = reading{read: true}
		}
		for _, g := range t.Gaps {
			e.coverage[question{at, g.Action}] = e.coverage[question{at, g.Action}].with(g)
		}
	}
	for i, p := range s.OrganizationPolicies {
		if p.Type != "SERVICE_CONTROL_POLICY" {
			continue
		}
		for _, t := range p.Targets {
			if known := e.control[t]; len(known) == 0 || known[len(known)-1] != i {
				e.control[t] = append(known, i)
			}
		}
	}
	if s.Only != nil {
		e.only = make(map[string]bool, len(s.Only))
		for _, arn := range s.Only {
			e.only[arn] = true
		}
	}
	return e
}

// index is where in the list each key stands first.
func index[T any](list []T, key func(*T) string) map[string]int {
	out := make(map[string]int, len(list))
	for i := range list {
		if k := key(&list[i]); !has(out, k) {
			out[k] = i
		}
	}
	return out
}

func has(m map[string]int, k string) bool {
	_, ok := m[k]
	return ok
}

func unversioned(arn string) string {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return arn
	}
	return l.Unversioned()
}

// Layer returns the layer version with the ARN.
func (e *Estate) Layer(arn string) (lamina.LayerVersion, bool) {
	i, ok := e.layers[arn]
	if !ok {
		return lamina.LayerVersion{}, false
	}
	return e.Snapshot.Layers[i], true
}

// Versions returns the known versions of the layer with the unversioned ARN,
// oldest first.
func (e *Estate) Versions(layerARN string) []lamina.LayerVersion {
	var vs []lamina.LayerVersion
	for _, i := range e.versions[layerARN] {
		vs = append(vs, e.Snapshot.Layers[i])
	}
	return vs
}

// Newest returns the newest known version of the layer with the unversioned ARN.
func (e *Estate) Newest(layerARN string) (lamina.LayerVersion, bool) {
	known := e.versions[layerARN]
	if len(known) == 0 {
		return lamina.LayerVersion{}, false
	}
	return e.Snapshot.Layers[known[len(known)-1]], true
}

// OurLayers returns the layer versions that accounts of ours own, those that
// infrastructure code declares among them, in the snapshot's order.
func (e *Estate) OurLayers() iter.Seq[lamina.LayerVersion] {
	return func(yield func(lamina.LayerVersion) bool) {
		for _, l := range e.Snapshot.Layers {
			if (l.Account == "" || e.Org.Ours(l.Account)) && !yield(l) {
				return
			}
		}
	}
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

// Said returns what services of AWS say of functions, versions of functions and
// layer versions with any of the ARNs, each finding once, in the snapshot's order. A
// finding about a package of a layer is one of the layer, too.
func (e *Estate) Said(arns ...string) []lamina.ServiceFinding {
	var at []int
	for _, arn := range arns {
		at = append(at, e.said[arn]...)
	}
	slices.Sort(at)
	var out []lamina.ServiceFinding
	for _, i := range slices.Compact(at) {
		out = append(out, e.Snapshot.ServiceFindings[i])
	}
	return out
}

// Qualifiers are the qualifiers of an ARN of the function that lead to the version:
// the version itself, the aliases that point to it, and for "$LATEST" none ("").
func Qualifiers(whole lamina.Function, version string) []string {
	names := []string{version}
	if version == "$LATEST" {
		names = append(names, "")
	}
	for _, a := range whole.Aliases {
		if _, weighted := a.Weights[version]; weighted || a.Version == version {
			names = append(names, a.Name)
		}
	}
	return names
}

// Function returns the function, or version of one, with the ARN.
func (e *Estate) Function(arn string) (lamina.Function, bool) {
	i, ok := e.functions[arn]
	if !ok {
		return lamina.Function{}, false
	}
	return e.Snapshot.Functions[i], true
}

// Missing says why the answer of an IAM action is not known for one resource of
// an account and region, and ok says that it is not. A resource of "" asks for
// the whole of the target: it is missing when any part is. What the snapshot
// does not say was read is missing, so that a snapshot of an older collector
// passes nothing. For services without regions, and for AWS Organizations, what
// region and account are does not matter.
func (e *Estate) Missing(account, region, action, resource string) (m Missing, ok bool) {
	switch {
	case ofOrganization(action):
		account, region = "", organization
	case global(action):
		region = ""
	}
	m = Missing{Account: account, Region: region, Action: action, Resource: resource}
	r, known := e.coverage[question{target{account, region}, action}]
	if r.read {
		return m, false
	}
	if !known {
		m.Reason, m.Unasked = NotCollected, true
		return m, true
	}
	g, gap := r.about(resource)
	m.Reason, m.Denied = g.Reason, g.Denied
	return m, gap
}

// NotCollected is the Reason for an action that the collector did not ask.
const NotCollected = "not collected"

// A Missing is an answer that the snapshot does not hold.
type Missing struct {
	Account, Region, Action, Resource string
	Denied                            bool
	// Unasked says that the snapshot holds no attempt.
	Unasked bool
	Reason  string
}

// Why is the reason of an UNKNOWN.
func (m Missing) Why() string { return m.Action + ": " + m.Reason }

// Settle is what would settle an UNKNOWN.
func (m Missing) Settle() string {
	switch {
	case m.Account == "" && m.Denied:
		return fmt.Sprintf("allow %s to the collector in the management account, or to a delegated administrator", m.Action)
	case m.Account == "":
		return "read it with lamina collect --organization"
	case m.Denied:
		return fmt.Sprintf("allow %s to the collector in %s", m.Action, m.Account)
	}
	return fmt.Sprintf("collect %s again, with %s allowed", m.Account, m.Action)
}

// Unread returns what is missing of whole targets for any of the IAM actions,
// sorted by account, region and action: a gap of a list, and every account of
// ours of which nothing was read.
func (e *Estate) Unread(actions ...string) []Missing {
	if len(actions) == 1 {
		return e.unread(actions[0])
	}
	var out []Missing
	for _, action := range actions {
		out = append(out, e.unread(action)...)
	}
	sortMissing(out)
	return out
}

func sortMissing(list []Missing) {
	slices.SortFunc(list, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Action, b.Action))
	})
}

func (e *Estate) unread(action string) []Missing {
	return e.worked.missing.get(action, func() []Missing {
		list := e.findUnread(action)
		sortMissing(list)
		return list
	})
}

func (e *Estate) findUnread(action string) []Missing {
	if ofOrganization(action) {
		if m, ok := e.Missing("", "", action, ""); ok {
			return []Missing{m}
		}
		return nil
	}
	asked := map[string]bool{}
	var out []Missing
	for _, t := range e.Snapshot.Targets {
		if global(action) != (t.Region == "" && t.Account != "") || t.Region == organization {
			continue
		}
		asked[t.Account] = true
		if m, ok := e.Missing(t.Account, t.Region, action, ""); ok {
			out = append(out, m)
		}
	}
	for _, a := range e.Snapshot.Accounts {
		if !asked[a.ID] {
			out = append(out, Missing{Account: a.ID, Region: "*", Action: action, Unasked: true, Reason: "the account was not collected"})
		}
	}
	return out
}

// global reports whether the action belongs to a service without regions.
func global(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return service == "iam" || service == "account"
}

// organization is the region of the target that AWS Organizations answered.
const organization = "organization"

// ofOrganization reports whether one account answers the action for all.
func ofOrganization(action string) bool { return strings.HasPrefix(action, "organizations:") }

// CodeSigningConfig returns the code signing configuration with the ARN.
func (e *Estate) CodeSigningConfig(arn string) (lamina.CodeSigningConfig, bool) {
	i, ok := e.configs[arn]
	if !ok {
		return lamina.CodeSigningConfig{}, false
	}
	return e.Snapshot.CodeSigningConfigs[i], true
}

// Subnet returns the subnet with the id.
func (e *Estate) Subnet(id string) (lamina.Subnet, bool) {
	i, ok := e.subnets[id]
	if !ok {
		return lamina.Subnet{}, false
	}
	return e.Snapshot.Subnets[i], true
}

// SecurityGroup returns the security group with the id.
func (e *Estate) SecurityGroup(id string) (lamina.SecurityGroup, bool) {
	i, ok := e.security[id]
	if !ok {
		return lamina.SecurityGroup{}, false
	}
	return e.Snapshot.SecurityGroups[i], true
}

// Bucket returns the bucket with the name.
func (e *Estate) Bucket(name string) (lamina.Bucket, bool) {
	i, ok := e.buckets[name]
	if !ok {
		return lamina.Bucket{}, false
	}
	return e.Snapshot.Buckets[i], true
}
