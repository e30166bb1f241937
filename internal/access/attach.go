package access

import (
	"cmp"
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

// A Path is how one caller may run code as a function's role by attaching a
// layer to it.
type Path struct {
	Caller *Caller
	// Role is the function's, Reach what it reaches; Known says that it was read.
	Role  string
	Reach Reach
	Known bool
	// Answer is that of all calls together, never Deny. Update, Source and Signing are its
	// edges: the change of the function, the layer, and its signature.
	Answer
	Way    Way
	Layer  string // ARN of the version that would be attached
	Update Answer
	Rest   Answer // the change of the rest of the function's configuration
	Source Answer
	// Signing is how code signing is passed, zero where nothing enforces it.
	Signing Answer
	// Functions are those of the role that the caller may do this to. They belong to
	// the Access and must not be changed.
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
		for _, c := range a.callers[t.Functions[0].Account] {
			if c.Principal.ARN == role {
				continue
			}
			var attach, configure *Path
			for i := range t.Functions {
				f := &t.Functions[i]
				p := a.finders[f.Account].path(c, *f)
				p.Role, p.Reach, p.Known = role, reach, t.Known
				if p.Result != iam.Deny {
					attach = better(attach, p, f)
				}
				if p.Result != iam.Allow && p.Rest.Result != iam.Deny {
					rest := Path{Caller: c, Role: role, Reach: reach, Known: t.Known, Answer: p.Rest, Update: p.Rest, Rest: p.Rest}
					if p.Result == iam.Unknown {
						rest.Result, rest.Why = iam.Unknown, cmp.Or(p.Rest.Why, p.Why)
					}
					configure = better(configure, rest, f)
				}
			}
			if attach != nil {
				t.Paths = append(t.Paths, *attach)
			}
			if configure != nil {
				t.Configures = append(t.Configures, *configure)
			}
		}
		out = append(out, t)
	}
	return out
}

// better joins what a caller may do to one more function of a role: what is
// certain goes before what is not, and a layer of the caller's own before one
// that is there. A path has the functions of its best way alone.
func better(best *Path, p Path, f *lamina.Function) *Path {
	p.Functions = []*lamina.Function{f}
	if best == nil {
		return &p
	}
	switch cmp.Or(rank(p.Result == iam.Allow)-rank(best.Result == iam.Allow), rank(p.Way != Existing)-rank(best.Way != Existing)) {
	case 1:
		return &p
	case 0:
		best.Functions = append(best.Functions, f)
	}
	return best
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
	paths := map[string]*Path{}
	asked := map[string]Path{}
	source := map[*Caller]Answer{}
	for i := range a.users[layer] {
		f := &a.users[layer][i]
		if f.Account != l.ARN.Account {
			continue
		}
		reach, known := a.reach[f.Role]
		for _, c := range a.callers[f.Account] {
			if _, level := reach.Beyond(c.Reach); known && level == None || c.Principal.ARN == f.Role {
				continue
			}
			publish, ok := source[c]
			if !ok {
				publish = a.Publish(c, l)
				source[c] = publish
			}
			if publish.Result == iam.Deny {
				continue
			}
			key := c.Principal.ARN + " " + x.class[f.ARN]
			p, ok := asked[key]
			if !ok {
				update := ask(c.Subject, updateConfiguration, x.objects[f.ARN], direct(f.Region).Set("lambda:Layer", iam.Is(l.Versioned())))
				sign := x.sign(c, *f)
				p = Path{Caller: c, Answer: update.and(publish).and(sign), Way: Publish, Layer: l.Versioned(), Update: update, Source: publish, Signing: sign}
				asked[key] = p
			}
			if p.Result == iam.Deny {
				continue
			}
			p.Role, p.Reach, p.Known = f.Role, reach, known
			paths[c.Principal.ARN+" "+f.Role] = better(paths[c.Principal.ARN+" "+f.Role], p, f)
		}
	}
	var out []Path
	for _, key := range slices.Sorted(maps.Keys(paths)) {
		out = append(out, *paths[key])
	}
	return out
}

// A finder finds paths in one account. Functions that no policy tells apart are
// asked about once.
type finder struct {
	*Access
	account string
	objects map[string]*iam.Object // by function
	class   map[string]string      // by function
	found   map[string]Path        // by caller and class
	// layers are the account's own, by region, shared those of other accounts of
	// ours that are granted to it; granted is the policy of such a layer.
	layers  map[string][]string
	shared  map[string][]*lamina.LayerVersion
	granted *iam.Set

	mu    sync.Mutex
	asked map[string]Answer // of also
}

func (a *Access) finder(account string, fs []lamina.Function) *finder {
	x := &finder{Access: a, account: account, objects: map[string]*iam.Object{}, class: map[string]string{}, found: map[string]Path{}, layers: map[string][]string{}, shared: map[string][]*lamina.LayerVersion{}, granted: grantedTo(account), asked: map[string]Answer{}}
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
	for _, i := range a.layers.of[account] {
		l := &a.estate.Snapshot.Layers[i]
		x.layers[l.Region] = append(x.layers[l.Region], l.ARN)
	}
	for _, i := range slices.Sorted(slices.Values(slices.Concat(a.layers.wide, a.layers.granted[account]))) {
		if l := &a.estate.Snapshot.Layers[i]; l.Account != account {
			x.shared[l.Region] = append(x.shared[l.Region], l)
		}
	}
	return x
}

// attachable says where in the snapshot the layers are that an account may attach:
// its own, those of others that are granted to it alone, and those that are granted
// to the organisation or to everyone.
type attachable struct {
	of, granted map[string][]int
	wide        []int
}

func attachables(e *estate.Estate) attachable {
	out := attachable{of: map[string][]int{}, granted: map[string][]int{}}
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
			out.wide = append(out.wide, i)
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

// path is whether and how the caller may attach a layer to the function.
func (x *finder) path(c *Caller, f lamina.Function) Path {
	key := c.Principal.ARN + " " + x.class[f.ARN]
	p, ok := x.found[key]
	if !ok {
		p = x.find(c, f)
		x.found[key] = p
	}
	return p
}

func (x *finder) find(c *Caller, f lamina.Function) Path {
	object := x.objects[f.ARN]
	update := func(layer iam.Value) Answer {
		return ask(c.Subject, updateConfiguration, object, direct(f.Region).Set("lambda:Layer", layer))
	}
	best := Path{Caller: c, Answer: Answer{Result: iam.Deny}, Rest: update(iam.Absent())}
	if best.Rest.Result == iam.Deny && !x.choosy {
		return best
	}
	keys := direct(f.Region)
	updates := map[string]Answer{}
	// try takes the layer into account. What costs nothing goes first: most
	// layers are not to be had for the same reason.
	try := func(way Way, layer string, source func() Answer, signing Answer) iam.Result {
		if signing.Result == iam.Deny {
			return iam.Deny
		}
		value := iam.Is(layer)
		if layer == "" {
			value = iam.Present()
		}
		u, ok := updates[layer]
		if !ok {
			u = update(value)
			updates[layer] = u
		}
		if u.Result == iam.Deny {
			return iam.Deny
		}
		from := source()
		all := u.and(from).and(signing)
		if all.Result == iam.Allow && best.Result != iam.Allow || all.Result == iam.Unknown && best.Result == iam.Deny {
			best = Path{Caller: c, Answer: all, Way: way, Layer: layer, Update: u, Rest: best.Rest, Source: from, Signing: signing}
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
		if try(way, arn, source, sign) == iam.Allow {
			return best
		}
	}
	// Of layers that are there, the first that may be attached says enough, and
	// what leaves one open leaves the next open.
	for _, arn := range x.layers[f.Region] {
		if try(Existing, arn, func() Answer { return Answer{Result: iam.Allow} }, x.signed(arn, f)) != iam.Deny {
			return best
		}
	}
	if ask(c.Subject, "lambda:GetLayerVersion", x.object("", "", x.org, x.granted), keys).Result != iam.Deny {
		for _, l := range x.shared[f.Region] {
			source := func() Answer {
				return ask(c.Subject, "lambda:GetLayerVersion", x.object(l.ARN, l.Account, x.org, x.granted), keys)
			}
			if try(Existing, l.ARN, source, x.signed(l.ARN, f)) != iam.Deny {
				return best
			}
		}
	}
	for _, action := range []string{"lambda:ListLayers", "lambda:ListLayerVersions"} {
		if m, missing := x.estate.Missing(f.Account, f.Region, action, ""); missing {
			try(Existing, "", func() Answer { return Answer{Result: iam.Unknown, Why: m.Why()} }, sign)
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
// that a change with one may be allowed where one without is not.
func layerPatterns(s lamina.Snapshot) (patterns []string, choosy bool) {
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
					values = append(values, c.Values...)
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
	return slices.Sorted(maps.Keys(seen)), choosy
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

// signed is whether a layer that is there passes the function's code signing.
func (x *finder) signed(layer string, f lamina.Function) Answer {
	arn := x.signing(f)
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
		var statements []string
		whole := true
		for _, p := range paths {
			by := e.of(p).By
			whole = whole && len(by) > 0
			statements = append(statements, by...)
		}
		slices.Sort(statements)
		if statements = slices.Compact(statements); !whole || fewest > 0 && len(statements) >= fewest {
			continue
		}
		fewest = len(statements)
		best = e.call + ", allowed by " + statements[0]
		if fewest > 1 {
			best += " and " + strconv.Itoa(fewest-1) + " more"
		}
	}
	return best
}

// Also adds a call on the path's functions that is needed besides, and keeps the
// functions that it is allowed on; ok is false where there is none.
func (a *Access) Also(p Path, action string, alone func(lamina.Function) bool) (Path, bool) {
	var out *Path
	for _, f := range p.Functions {
		one := p
		if !alone(*f) {
			one.Answer = p.and(a.finders[f.Account].also(p.Caller, action, *f))
		}
		if one.Result != iam.Deny {
			out = better(out, one, f)
		}
	}
	if out == nil {
		return p, false
	}
	return *out, true
}

// also is whether the caller may make the call on the function, asked once about
// functions that no policy tells apart.
func (x *finder) also(c *Caller, action string, f lamina.Function) Answer {
	key := action + " " + c.Principal.ARN + " " + x.class[f.ARN]
	x.mu.Lock()
	defer x.mu.Unlock()
	answer, ok := x.asked[key]
	if !ok {
		answer = ask(c.Subject, action, x.objects[f.ARN], direct(f.Region))
		x.asked[key] = answer
	}
	return answer
}
