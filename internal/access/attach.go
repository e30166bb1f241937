package access

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
	"github.com/lamina-sec/lamina/internal/estate"
)

// A Way is how a caller comes by a layer to attach.
type Way string

// The ways, from the one that gives most to the one that gives least: code of
// the caller's own choice twice, and code that is there already.
const (
	Publish  Way = "publish"  // publishes one in the function's account
	Foreign  Way = "foreign"  // has one of an account of their own
	Existing Way = "existing" // takes one that is there
)

// A Path is how callers whom nothing tells apart may run code as a function's role
// by attaching a layer to it.
type Path struct {
	Crowd Crowd
	// Role is the function's, Reach what it reaches; Known says that it was read.
	Role  string
	Reach Reach
	Known bool
	// Answer is that of all calls together, never Deny. Update, Source and Signing are its
	// edges: the change of the function, the layer, and its signature. What they say of
	// statements, and Answer does, is for Statements.
	Answer
	Way    Way
	Layer  string // ARN of the version that would be attached
	Update Answer
	Rest   Answer // the change of the rest of the function's configuration
	Source Answer
	// Signing is how code signing is passed, zero where nothing enforces it.
	Signing Answer
	// Functions are those of the role that the callers may do this to. They belong to
	// the Access and must not be changed; paths may share them.
	Functions []*lamina.Function
}

// A Target is a role that functions run as, and who may run code as it.
type Target struct {
	Role      string
	Known     bool              // the role was read
	Functions []lamina.Function // $LATEST, by ARN
	// Paths lead in by a layer; Configures are callers who may change the rest of
	// a function's configuration, and for whom no layer is to be had; where that is
	// not known, this is not either.
	Paths, Configures []Path
}

// Targets returns the roles that functions run as, by ARN.
func (a *Access) Targets() []Target { return a.targets() }

func (a *Access) makeTargets() []Target {
	by := map[string][]lamina.Function{}
	accounts := map[string][]lamina.Function{}
	for _, f := range a.estate.Snapshot.Functions {
		if f.Version != "$LATEST" || f.Role == "" {
			continue
		}
		by[f.Role] = append(by[f.Role], f)
		accounts[f.Account] = append(accounts[f.Account], f)
	}
	for account, fs := range accounts {
		a.finders[account] = a.finder(account, fs)
	}
	var out []Target
	for _, role := range slices.Sorted(maps.Keys(by)) {
		t := Target{Role: role, Functions: by[role]}
		slices.SortFunc(t.Functions, func(x, y lamina.Function) int { return cmp.Compare(x.ARN, y.ARN) })
		var reach Reach
		reach, t.Known = a.reach[role]
		functions := make([]*lamina.Function, len(t.Functions))
		for i := range t.Functions {
			functions[i] = &t.Functions[i]
		}
		sets := a.sets(functions)
		for _, c := range a.crowds[t.Functions[0].Account] {
			who := c.without(a.named[role])
			if who.Len() == 0 {
				continue
			}
			attach, configure := choice{of: sets}, choice{of: sets}
			for i, f := range sets.first {
				p := a.finders[f.Account].path(c, *f)
				if p.Result != iam.Deny {
					attach.take(i, *p)
				}
				if p.Result != iam.Allow && p.Rest.Result != iam.Deny {
					rest := Path{Answer: p.Rest, Update: p.Rest, Rest: p.Rest}
					if p.Result == iam.Unknown {
						rest.Result, rest.Why = iam.Unknown, cmp.Or(p.Rest.Why, p.Why)
					}
					configure.take(i, rest)
				}
			}
			for _, x := range []struct {
				choice
				list *[]Path
			}{{attach, &t.Paths}, {configure, &t.Configures}} {
				if len(x.sets) > 0 {
					p := x.path()
					p.Crowd, p.Role, p.Reach, p.Known = who, role, reach, t.Known
					*x.list = append(*x.list, p)
				}
			}
		}
		byFirst(t.Paths)
		byFirst(t.Configures)
		out = append(out, t)
	}
	return out
}

// byFirst sorts paths by the first of their callers, and by role.
func byFirst(paths []Path) {
	slices.SortFunc(paths, func(x, y Path) int {
		return cmp.Or(cmp.Compare(x.Crowd.First().Principal.ARN, y.Crowd.First().Principal.ARN), cmp.Compare(x.Role, y.Role))
	})
}

// sets are functions in parts that no policy tells apart, of which all ask once.
type sets struct {
	functions []*lamina.Function
	first     []*lamina.Function // of each part
	part      []int              // of each function
	united    map[string][]*lamina.Function
}

func (a *Access) sets(functions []*lamina.Function) *sets {
	s := &sets{functions: functions, united: map[string][]*lamina.Function{}}
	at := map[[2]string]int{}
	for _, f := range functions {
		key := [2]string{f.Account, a.finders[f.Account].class[f.ARN]}
		i, ok := at[key]
		if !ok {
			i = len(s.first)
			at[key], s.first = i, append(s.first, f)
		}
		s.part = append(s.part, i)
	}
	return s
}

// union are the functions of the parts, in their order: the same slice for the same
// parts.
func (s *sets) union(parts []int) []*lamina.Function {
	if len(parts) == len(s.first) {
		return s.functions
	}
	var b strings.Builder
	in := make(map[int]bool, len(parts))
	for _, i := range parts {
		b.WriteString(strconv.Itoa(i) + " ")
		in[i] = true
	}
	out, ok := s.united[b.String()]
	if !ok {
		for i, f := range s.functions {
			if in[s.part[i]] {
				out = append(out, f)
			}
		}
		s.united[b.String()] = out
	}
	return out
}

// A choice joins what callers may do to the parts of a role's functions: what is
// certain goes before what is not, and a layer of the callers' own before one that
// is there. It has the parts of its best way alone.
type choice struct {
	of   *sets
	best Path
	sets []int
}

func (c *choice) take(part int, p Path) {
	switch d := c.best.compare(p); {
	case len(c.sets) == 0 || d < 0:
		c.best, c.sets = p, []int{part}
	case d == 0:
		c.sets = append(c.sets, part)
	}
}

func (c *choice) path() Path {
	p := c.best
	p.Functions = c.of.union(c.sets)
	return p
}

// compare is below zero when the other path is the better one.
func (p Path) compare(other Path) int {
	return cmp.Or(rank(p.Result == iam.Allow)-rank(other.Result == iam.Allow), rank(p.Way != Existing)-rank(other.Way != Existing))
}

func rank(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Movers returns who may publish a version of the layer, with the unversioned
// ARN, and move functions of its account that load it to that version, and so
// run code as their roles: a path for each caller and role. Callers who reach
// already what the role does are left out.
func (a *Access) Movers(layer string) []Path {
	a.Targets() // makes the finders
	l, err := lamina.ParseLayerARN(layer)
	x := a.finders[l.ARN.Account]
	if err != nil || x == nil {
		return nil
	}
	l.Version = 1
	for _, v := range a.estate.Versions(layer) {
		l.Version = max(l.Version, v.Version+1)
	}
	roles := map[string][]*lamina.Function{}
	for i := range a.users[layer] {
		if f := &a.users[layer][i]; f.Account == l.ARN.Account {
			roles[f.Role] = append(roles[f.Role], f)
		}
	}
	var out []Path
	type question struct {
		crowd *crowd
		class string
	}
	asked := map[question]Path{}
	source := map[*crowd]Answer{}
	for role, functions := range roles {
		reach, known := a.reach[role]
		sets := a.sets(functions)
		for _, c := range a.crowds[l.ARN.Account] {
			who := c.without(a.named[role])
			if who.Len() == 0 {
				continue
			}
			if _, level := reach.Beyond(c.all[0].Reach); known && level == None {
				continue
			}
			publish, ok := source[c]
			if !ok {
				publish = a.Publish(c.all[0], l)
				source[c] = publish
			}
			if publish.Result == iam.Deny {
				continue
			}
			best := choice{of: sets}
			for i, f := range sets.first {
				key := question{c, x.class[f.ARN]}
				p, ok := asked[key]
				if !ok {
					update := ask(c.all[0].Subject, updateConfiguration, x.objects[f.ARN], direct(f.Region).Set("lambda:Layer", iam.Is(l.Versioned())))
					sign := x.sign(c.all[0], *f)
					p = Path{Answer: update.and(publish).and(sign), Way: Publish, Layer: l.Versioned(), Update: update, Source: publish, Signing: sign}
					asked[key] = p
				}
				if p.Result != iam.Deny {
					best.take(i, p)
				}
			}
			if len(best.sets) > 0 {
				p := best.path()
				p.Crowd, p.Role, p.Reach, p.Known = who, role, reach, known
				out = append(out, p)
			}
		}
	}
	byFirst(out)
	return out
}

// A finder finds paths in one account. Functions that no policy tells apart are
// asked about once.
type finder struct {
	*Access
	account string
	objects map[string]*iam.Object // by function
	class   map[string]string      // by function
	found   map[asking]*Path
	// granted is the policy of a layer of another account that is granted to the
	// account; there are the layers that are there, worked out where they are asked for.
	granted *iam.Set
	there   map[stock][]int
	signed  map[string]*signers // of layers, by region

	mu    sync.Mutex
	asked map[asking]Answer // of also
}

// An asking is a question that callers whom nothing tells apart and functions that
// no policy tells apart have one answer to.
type asking struct {
	crowd         *crowd
	action, class string
}

func (a *Access) finder(account string, fs []lamina.Function) *finder {
	x := &finder{Access: a, account: account, objects: map[string]*iam.Object{}, class: map[string]string{}, found: map[asking]*Path{}, there: map[stock][]int{}, signed: map[string]*signers{}, granted: grantedTo(account), asked: map[asking]Answer{}}
	var subjects []*iam.Subject
	for _, c := range a.callers[account] {
		subjects = append(subjects, c.Subject)
	}
	objects := make([]*iam.Object, len(fs))
	for i, f := range fs {
		objects[i] = a.function(f)
	}
	for n, group := range iam.GroupObjects(objects, subjects) {
		for _, i := range group {
			f := fs[i]
			x.objects[f.ARN] = objects[i]
			x.class[f.ARN] = strings.Join([]string{strconv.Itoa(n), f.Region, a.signing(f)}, " ")
		}
	}
	return x
}

// A stock is the layer versions in a region that pass a code signing configuration:
// the account's own, or those of others.
type stock struct {
	region, signing string
	others          bool
}

// own are the account's layer versions in the region, as places in the snapshot.
func (x *finder) own(region string) []int {
	return x.stocked(stock{region: region, signing: "all"}, func() []int {
		return slices.DeleteFunc(slices.Clone(x.layers.of[x.account]), func(i int) bool { return x.estate.Snapshot.Layers[i].Region != region })
	})
}

func (x *finder) stocked(s stock, find func() []int) []int {
	list, ok := x.there[s]
	if !ok {
		list = find()
		x.there[s] = list
	}
	return list
}

// offers are the layer versions that are there for functions of the region with that
// signing: the first of those that no condition tells apart, but for code signing,
// which tells each from the next.
func (x *finder) offers(region, signing string, others bool) []int {
	return x.stocked(stock{region, signing, others}, func() []int {
		var all []int
		if others {
			for i := range x.shared(region) {
				all = append(all, i)
			}
		} else {
			all = x.own(region)
		}
		switch {
		case signing != "" && signing != "?":
			return x.signers(stock{region: region, others: others}, all).pass(x.estate, signing)
		case others: // which of them may be read is a question of each
			return all
		}
		seen := map[string]bool{}
		var first []int
		for _, i := range all {
			if !seen[x.alike[i]] {
				seen[x.alike[i]] = true
				first = append(first, i)
			}
		}
		return first
	})
}

// signers say which layer versions a code signing configuration may let pass.
type signers struct {
	by     map[string][]int // by the version of the profile that signed them
	unread []int            // of which that is not known
}

func (x *finder) signers(s stock, layers []int) *signers {
	key := fmt.Sprint(s.region, " ", s.others)
	out := x.signed[key]
	if out != nil {
		return out
	}
	out = &signers{by: map[string][]int{}}
	for _, i := range layers {
		l := &x.estate.Snapshot.Layers[i]
		out.by[l.SigningProfileVersionARN] = append(out.by[l.SigningProfileVersionARN], i)
		if _, missing := x.estate.Missing(l.Account, l.Region, "lambda:GetLayerVersion", l.ARN); missing {
			out.unread = append(out.unread, i)
		}
	}
	x.signed[key] = out
	return out
}

// pass are those that may pass the configuration, in the snapshot's order.
func (s *signers) pass(e *estate.Estate, signing string) []int {
	config, _ := e.CodeSigningConfig(signing)
	out := slices.Clone(s.unread)
	for _, p := range config.AllowedPublishers {
		out = append(out, s.by[p]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shared yields the layer versions of other accounts of ours, in the region, that are
// granted to the account, in the snapshot's order.
func (x *finder) shared(region string) iter.Seq2[int, *lamina.LayerVersion] {
	return func(yield func(int, *lamina.LayerVersion) bool) {
		wide, own := x.layers.wide[region], x.layers.granted[x.account]
		for len(wide)+len(own) > 0 {
			list := &wide
			if len(wide) == 0 || len(own) > 0 && own[0] < wide[0] {
				list = &own
			}
			i := (*list)[0]
			*list = (*list)[1:]
			if l := &x.estate.Snapshot.Layers[i]; l.Region == region && l.Account != x.account && !yield(i, l) {
				return
			}
		}
	}
}

// attachable says where in the snapshot the layers are that an account may attach:
// its own, those of others that are granted to it alone, and those that are granted
// to the organisation or to everyone.
type attachable struct {
	of, granted map[string][]int // by account
	wide        map[string][]int // by region
}

func attachables(e *estate.Estate) attachable {
	out := attachable{of: map[string][]int{}, granted: map[string][]int{}, wide: map[string][]int{}}
	for i, l := range e.Snapshot.Layers {
		out.of[l.Account] = append(out.of[l.Account], i)
		if l.Policy == nil {
			continue
		}
		wide, to := false, map[string]bool{}
		for _, g := range l.Policy.Grants {
			switch e.Org.Scope(g, l.Account) {
			case lamina.ScopePublic, lamina.ScopeOwnOrganization:
				wide = true
			case lamina.ScopeOrganizationAccount:
				account := g.Principal
				if a, err := lamina.ParseARN(account); err == nil {
					account = a.Account
				}
				to[account] = true
			case lamina.ScopeOwnAccount, lamina.ScopeForeignOrganization, lamina.ScopeUnknownAccount, lamina.ScopeVendorAccount, lamina.ScopeUndetermined, lamina.ScopeUnknownPrincipal:
			}
		}
		if wide {
			out.wide[l.Region] = append(out.wide[l.Region], i)
			continue
		}
		for account := range to {
			out.granted[account] = append(out.granted[account], i)
		}
	}
	return out
}

// grantName stands for the policy of a layer that is taken to be granted.
const grantName = "the layer's grant"

// grantedTo is the policy of a layer version that is granted to the account, or
// to everyone ("*").
func grantedTo(account string) *iam.Set {
	kind := "AWS"
	if account == "*" {
		kind = account
	}
	return iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: grantName, Policy: &iam.Policy{Version: "2012-10-17", Statements: []iam.Statement{{
		Index: 1, Line: 1, Effect: iam.EffectAllow, Actions: []string{"lambda:GetLayerVersion"}, Resources: []string{"*"}, Principals: []iam.Principal{{Kind: kind, ID: account}},
	}}}})
}

// signing is the code signing configuration that a function's layers must pass:
// "" for none, and "?" where that is not known.
func (a *Access) signing(f lamina.Function) string {
	if f.CodeSigningConfigARN == "" {
		if _, missing := a.estate.Missing(f.Account, f.Region, "lambda:GetFunctionCodeSigningConfig", f.ARN); missing {
			return "?"
		}
		return ""
	}
	c, ok := a.estate.CodeSigningConfig(f.CodeSigningConfigARN)
	switch {
	case !ok:
		return "?"
	case c.UntrustedArtifact != "Enforce":
		return ""
	}
	return c.ARN
}

// path is whether and how the callers may attach a layer to the function.
func (x *finder) path(c *crowd, f lamina.Function) *Path {
	key := asking{crowd: c, class: x.class[f.ARN]}
	p, ok := x.found[key]
	if !ok {
		p = nothing
		if one := x.find(c.all[0], f); one.Result != iam.Deny || one.Rest.Result != iam.Deny {
			p = &one
		}
		x.found[key] = p
	}
	return p
}

// nothing is the path of those who may change nothing of a function.
var nothing = &Path{Answer: Answer{Result: iam.Deny}, Rest: Answer{Result: iam.Deny}}

func (x *finder) find(c *Caller, f lamina.Function) Path {
	object := x.objects[f.ARN]
	update := func(layer iam.Value) Answer {
		return ask(c.Subject, updateConfiguration, object, direct(f.Region).Set("lambda:Layer", layer))
	}
	best := Path{Answer: Answer{Result: iam.Deny}, Rest: update(iam.Absent())}
	if best.Rest.Result == iam.Deny && !x.choosy {
		return best
	}
	keys := direct(f.Region)
	updates := map[string]Answer{}
	// try takes the layer into account. What costs nothing goes first: most
	// layers are not to be had for the same reason.
	try := func(way Way, layer, like string, source func() Answer, signing Answer) iam.Result {
		if signing.Result == iam.Deny {
			return iam.Deny
		}
		value := iam.Is(layer)
		if layer == "" {
			value = iam.Present()
		}
		u, ok := updates[like]
		if !ok {
			u = update(value)
			updates[like] = u
		}
		if u.Result == iam.Deny {
			return iam.Deny
		}
		from := source()
		all := u.and(from).and(signing)
		if all.Result == iam.Allow && best.Result != iam.Allow || all.Result == iam.Unknown && best.Result == iam.Deny {
			best = Path{Answer: all, Way: way, Layer: layer, Update: u, Rest: best.Rest, Source: from, Signing: signing}
		}
		return all.Result
	}
	sign := x.sign(c, f)
	for _, arn := range x.candidates(f) {
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			continue
		}
		way, source := Publish, func() Answer {
			return ask(c.Subject, "lambda:PublishLayerVersion", x.object(l.Unversioned(), f.Account, x.org, nil), keys)
		}
		if l.ARN.Account != f.Account {
			way, source = Foreign, func() Answer {
				return ask(c.Subject, "lambda:GetLayerVersion", x.object(arn, l.ARN.Account, iam.Is(strangerOrganization), x.granted), keys)
			}
		}
		if try(way, arn, x.like(arn), source, sign) == iam.Allow {
			return best
		}
	}
	// Of layers that are there, the first that may be attached says enough, and
	// what leaves one open leaves the next open.
	signing := x.signing(f)
	for _, i := range x.offers(f.Region, signing, false) {
		arn := x.estate.Snapshot.Layers[i].ARN
		if try(Existing, arn, x.alike[i], func() Answer { return Answer{Result: iam.Allow} }, x.passes(arn, signing)) != iam.Deny {
			return best
		}
	}
	if ask(c.Subject, "lambda:GetLayerVersion", x.object("", "", x.org, x.granted), keys).Result != iam.Deny {
		for _, i := range x.offers(f.Region, signing, true) {
			l := &x.estate.Snapshot.Layers[i]
			source := func() Answer {
				return ask(c.Subject, "lambda:GetLayerVersion", x.object(l.ARN, l.Account, x.org, x.granted), keys)
			}
			if try(Existing, l.ARN, x.alike[i], source, x.passes(l.ARN, signing)) != iam.Deny {
				return best
			}
		}
	}
	for _, action := range []string{"lambda:ListLayers", "lambda:ListLayerVersions"} {
		if m, missing := x.estate.Missing(f.Account, f.Region, action, ""); missing {
			try(Existing, "", "any", func() Answer { return Answer{Result: iam.Unknown, Why: m.Why()} }, sign)
		}
	}
	return best
}

// candidates are the layers that a caller might bring: one that no policy names
// and one for each layer that a policy names, in the function's account and in a
// stranger's.
func (x *finder) candidates(f lamina.Function) []string {
	partition := partitionOf(f.ARN)
	var own, foreign []string
	for _, pattern := range append([]string{"arn:*:lambda:*:*:layer:" + Canary + ":*"}, x.names...) {
		own = append(own, instance(pattern, partition, f.Region, f.Account)...)
		foreign = append(foreign, instance(pattern, partition, f.Region, stranger)...)
	}
	return slices.Concat(own, foreign)
}

// instance is a layer version of the account and region that the pattern of an
// ARN matches, if there is one.
func instance(pattern, partition, region, account string) []string {
	parts := strings.SplitN(pattern, ":", 7)
	if len(parts) < 7 || parts[5] != "layer" || strings.Contains(pattern, "${") {
		return nil
	}
	for i, is := range map[int]string{1: partition, 2: "lambda", 3: region, 4: account} {
		if parts[i] != is && strings.Trim(parts[i], "*") != "" {
			return nil
		}
		parts[i] = is
	}
	name, version, _ := strings.Cut(parts[6], ":")
	one := strings.NewReplacer("*", "1", "?", "1")
	if strings.Trim(version, "0123456789") != "" || version == "" {
		version = "1"
	}
	parts[6] = one.Replace(name) + ":" + version
	return []string{strings.Join(parts, ":")}
}

// layerPatterns are the layers that policies name: as resources, and as what may
// be attached. choosy says that some policy asks which layers are attached, so
// that a change with one may be allowed where one without is not; asked are all
// that a condition on that asks for.
func layerPatterns(e *estate.Estate) (patterns, asked []string, choosy bool) {
	s := e.Snapshot
	seen := map[string]bool{}
	read := map[string]bool{}
	look := func(document string) {
		if read[document] || !strings.Contains(strings.ToLower(document), "layer") {
			return
		}
		read[document] = true
		p, err := iam.Parse([]byte(document))
		if err != nil {
			return // the evaluator makes it Unknown
		}
		for _, st := range p.Statements {
			values := slices.Concat(st.Resources, st.NotResources)
			for _, c := range st.Conditions {
				if strings.EqualFold(c.Key, "lambda:Layer") {
					choosy = true
					values, asked = append(values, c.Values...), append(asked, c.Values...)
				}
			}
			for _, v := range values {
				if strings.Contains(v, ":layer:") {
					seen[v] = true
				}
			}
		}
	}
	for _, p := range s.Principals {
		for _, i := range p.Inline {
			look(i.Document)
		}
	}
	for _, g := range s.Groups {
		for _, i := range g.Inline {
			look(i.Document)
		}
	}
	for _, p := range s.ManagedPolicies {
		look(p.Document)
	}
	for _, p := range s.OrganizationPolicies {
		look(p.Document)
	}
	for _, f := range s.Functions {
		for _, p := range f.Policies {
			if !strings.Contains(strings.ToLower(p.Document), "lambda:layer") {
				continue
			}
			for _, st := range e.Policy(p.Document).Statements {
				for _, c := range st.Conditions {
					if strings.EqualFold(c.Key, "lambda:Layer") {
						asked = append(asked, c.Values...)
					}
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), asked, choosy
}

// sign is whether the caller gets a layer of its own past the function's code
// signing: by having it signed, or by taking the demand away.
func (x *finder) sign(c *Caller, f lamina.Function) Answer {
	arn := x.signing(f)
	switch arn {
	case "":
		return Answer{Result: iam.Allow}
	case "?":
		return Answer{Result: iam.Unknown, Why: "whether the function demands signed layers is not known"}
	}
	best := ask(c.Subject, "lambda:DeleteFunctionCodeSigningConfig", x.objects[f.ARN], direct(f.Region))
	other := func(a Answer) {
		if best.Result == iam.Deny || best.Result == iam.Unknown && a.Result == iam.Allow {
			best = a
		}
	}
	other(ask(c.Subject, "lambda:UpdateCodeSigningConfig", x.object(arn, f.Account, x.org, nil), direct(f.Region)))
	config, _ := x.estate.CodeSigningConfig(arn)
	for _, profile := range config.AllowedPublishers {
		// arn:…:/signing-profiles/NAME/VERSION: jobs are started with the profile.
		if a, err := lamina.ParseARN(profile); err == nil && strings.Count(a.Resource, "/") == 3 {
			a.Resource = a.Resource[:strings.LastIndexByte(a.Resource, '/')]
			other(ask(c.Subject, "signer:StartSigningJob", x.object(a.String(), a.Account, x.org, nil), direct(f.Region)))
		}
	}
	return best
}

// passes is whether a layer that is there passes the code signing of a function.
func (x *finder) passes(layer, arn string) Answer {
	switch arn {
	case "":
		return Answer{Result: iam.Allow}
	case "?":
		return Answer{Result: iam.Unknown, Why: "whether the function demands signed layers is not known"}
	}
	l, _ := x.estate.Layer(layer)
	config, _ := x.estate.CodeSigningConfig(arn)
	if slices.Contains(config.AllowedPublishers, l.SigningProfileVersionARN) {
		return Answer{Result: iam.Allow}
	}
	if _, missing := x.estate.Missing(l.Account, l.Region, "lambda:GetLayerVersion", l.ARN); missing {
		return Answer{Result: iam.Unknown, Why: "whether " + layer + " is signed is not known"}
	}
	return Answer{Result: iam.Deny}
}

// Cut says which edge of the paths is the cheapest to cut: the call that takes
// the fewest statements to change, of those that every path needs. Where a layer
// comes from is not one of these: who may not publish may have another.
func Cut(paths []Path) string {
	best, fewest := "what the role may do", 0
	for _, e := range []struct {
		call string
		of   func(Path) Answer
	}{
		{updateConfiguration, func(p Path) Answer { return p.Update }},
		{"what passes code signing", func(p Path) Answer { return p.Signing }},
	} {
		statements, n := Statements(paths, e.of, 1)
		whole := !slices.ContainsFunc(paths, func(p Path) bool { return len(e.of(p).By) == 0 })
		if !whole || fewest > 0 && n >= fewest {
			continue
		}
		fewest = n
		best = e.call + ", allowed by " + statements[0]
		if fewest > 1 {
			best += " and " + strconv.Itoa(fewest-1) + " more"
		}
	}
	return best
}

// Also adds a call on the path's functions that is needed besides, and keeps the
// functions that it is allowed on; ok is false where there is none.
func (a *Access) Also(p Path, action string, alone func(*lamina.Function) bool) (Path, bool) {
	type part struct {
		Path
		ok bool
	}
	parts := map[asking]part{}
	of := func(f *lamina.Function) part {
		key := asking{action: "alone"}
		if !alone(f) {
			key = asking{class: f.Account + " " + a.finders[f.Account].class[f.ARN]}
		}
		one, known := parts[key]
		if !known {
			one.Path = p
			if key.action == "" {
				one.Answer = p.and(a.finders[f.Account].also(p.Crowd.crowd, action, *f))
			}
			one.ok = one.Result != iam.Deny
			parts[key] = one
		}
		return one
	}
	var best *Path
	n := 0
	for _, f := range p.Functions {
		one := of(f)
		switch {
		case !one.ok:
		case best == nil || best.compare(one.Path) < 0:
			best, n = &one.Path, 1
		case best.compare(one.Path) == 0:
			n++
		}
	}
	if best == nil {
		return p, false
	}
	out := *best
	if n < len(p.Functions) {
		out.Functions = make([]*lamina.Function, 0, n)
		for _, f := range p.Functions {
			if one := of(f); one.ok && best.compare(one.Path) == 0 {
				out.Functions = append(out.Functions, f)
			}
		}
	}
	return out, true
}

// also is whether the callers may make the call on the function, asked once about
// functions that no policy tells apart.
func (x *finder) also(c *crowd, action string, f lamina.Function) Answer {
	key := asking{c, action, x.class[f.ARN]}
	x.mu.Lock()
	defer x.mu.Unlock()
	answer, ok := x.asked[key]
	if !ok {
		answer = ask(c.all[0].Subject, action, x.objects[f.ARN], direct(f.Region))
		x.asked[key] = answer
	}
	return answer
}
