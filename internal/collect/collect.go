// Package collect reads an estate into one snapshot: which things, in what
// order, how fast, and what could not be read.
//
// A denied or failed call is never an error of the whole: it becomes a Gap of
// its target's coverage, and the reading goes on with the next thing. What a
// gap means for a verdict is for checks. Targets are read side by side, the
// calls of one target one after the other and no faster than Limits allows,
// because AWS gives an account and region 15 calls a second for all that change
// or look at Lambda, the owner's own deployments included.
//
// What cannot have changed is not read again: content of a layer version is
// immutable, and a policy that no event of CloudTrail names since it was read is
// kept with the time it was read. A run that is broken off leaves a journal of
// what it read, with which the next goes on. Start with Collect.
package collect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// Options say what is collected.
type Options struct {
	// Now is when the run starts, and the time of the snapshot.
	Now time.Time
	// Organization is what Discover found; the zero value when there is none.
	Organization Organization
	// Accounts are read in every one of their regions.
	Accounts []Account
	// Only are ARNs of layers, of versions of layers and of functions: they are read
	// with what belongs to them, and nothing else is. None means everything.
	Only []string
	// Jobs are how many targets are read at the same time, 0 for 16.
	Jobs int
	// Previous is an earlier snapshot whose readings may be kept; nil for none.
	Previous *lamina.Snapshot
	// Zips keeps the zips of the layer versions that are described; nil fetches none.
	// With FunctionCode it keeps the functions' own packages, too.
	Zips         Zips
	FunctionCode bool
	// Journal is told what was read while the run goes on; nil for nobody. It is
	// called from one goroutine at a time; its error ends the run.
	Journal func(Entry) error
	// Resume are the entries of a journal of this run.
	Resume []Entry
	// Progress is told of calls made and calls still known to be needed; nil for
	// nobody. It is called from one goroutine at a time.
	Progress func(Progress)
}

// An Account is an account to read and who reads it.
type Account struct {
	ID      string
	Session *awsread.Session
	// Regions are the regions to read; none means those the account has enabled.
	Regions []string
	// Home is the region whose endpoints answer for IAM and for the list of regions.
	Home string
}

// Progress is how far a run is.
type Progress struct {
	// Done and Known are readings of single things: how many are done, and of how
	// many it is known that they are needed.
	Done, Known int
	// TargetsDone and Targets are accounts and regions.
	TargetsDone, Targets int
}

// An Entry is a part of a run that is done: one target with all of it, or, when
// Part has no target, things of a target that is being read.
type Entry struct {
	Part lamina.Snapshot `json:"part"`
}

// policySharePerRun is the part of the policies that is read again although no
// event names them: the oldest readings, so that all are read in so many runs.
const policySharePerRun = 10

type run struct {
	Options
	known  known
	cancel context.CancelFunc

	mu       sync.Mutex
	fetching map[string]*sync.Mutex // by digest
	parts    []lamina.Snapshot
	progress Progress
	err      error // of the journal
}

// Collect reads all of o. It fails only when ctx is done or the journal fails: a
// snapshot that was broken off would pass for a small estate.
func Collect(ctx context.Context, o Options) (lamina.Snapshot, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.Now = o.Now.UTC()
	named := map[string]bool{} // one that is named twice is read once
	o.Accounts = slices.DeleteFunc(slices.Clone(o.Accounts), func(a Account) bool {
		again := named[a.ID]
		named[a.ID] = true
		return again
	})
	r := &run{Options: o, known: newKnown(o), cancel: cancel, fetching: map[string]*sync.Mutex{}}
	done := map[string]bool{}
	for _, e := range o.Resume {
		if len(e.Part.Targets) == 0 {
			continue
		}
		r.parts = append(r.parts, e.Part)
		r.progress.TargetsDone += len(e.Part.Targets)
		for _, t := range e.Part.Targets {
			done[t.Account+" "+t.Region] = true
		}
	}
	jobs := make(chan func())
	var workers sync.WaitGroup
	for range cmp.Or(max(o.Jobs, 0), 16) {
		workers.Go(func() {
			for job := range jobs {
				job() // also when ctx is done: every call in it then fails at once
			}
		})
	}
	if t := o.Organization.target; t.Account != "" && !done[t.Account+" "+t.Region] {
		r.finish(ctx, o.Organization.part())
	}
	regions := r.regions(ctx, jobs)
	for _, a := range o.Accounts {
		r.expectTargets(1 + len(regions[a.ID].regions))
	}
	for _, a := range o.Accounts {
		if !done[a.ID+" "] && o.Only == nil {
			jobs <- func() { r.finish(ctx, r.account(ctx, a, regions[a.ID])) }
		}
		for _, region := range regions[a.ID].regions {
			if !done[a.ID+" "+region] {
				jobs <- func() { r.finish(ctx, r.region(ctx, a, region)) }
			}
		}
	}
	close(jobs)
	workers.Wait()
	r.unusedPermissions(ctx)
	switch {
	case r.err != nil:
		return lamina.Snapshot{}, r.err
	case ctx.Err() != nil:
		return lamina.Snapshot{}, context.Cause(ctx)
	}
	s := merge(r.parts)
	s.Version, s.Taken = 1, o.Now
	s.OrgID, s.Only = o.Organization.ID, slices.Compact(slices.Sorted(slices.Values(o.Only)))
	known := map[string]bool{}
	for _, a := range s.Accounts {
		known[a.ID] = true
	}
	for _, a := range o.Accounts {
		if !known[a.ID] {
			s.Accounts = append(s.Accounts, lamina.Account{ID: a.ID})
		}
	}
	return s, nil
}

// enabled is what is known of an account's regions.
type enabled struct {
	regions []string
	asked   bool
	err     error // why AWS did not say
}

// regions finds the regions of every account. Where an account does not say,
// the regions of the others stand in, and its own home.
func (r *run) regions(ctx context.Context, jobs chan<- func()) map[string]enabled {
	out := make(map[string]enabled, len(r.Accounts))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, a := range r.Accounts {
		if len(a.Regions) > 0 {
			mu.Lock()
			out[a.ID] = enabled{regions: slices.Compact(slices.Sorted(slices.Values(a.Regions)))}
			mu.Unlock()
			continue
		}
		wg.Add(1)
		jobs <- func() {
			defer wg.Done()
			list, err := a.Session.In(a.Home).Regions(ctx)
			mu.Lock()
			defer mu.Unlock()
			out[a.ID] = enabled{regions: list, asked: true, err: err}
		}
	}
	wg.Wait()
	var all []string
	for _, e := range out {
		all = append(all, e.regions...)
	}
	for _, a := range r.Accounts {
		if e := out[a.ID]; e.err != nil {
			e.regions = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(all), a.Home))))
			out[a.ID] = e
		}
	}
	return out
}

// finish keeps a target that was read to its end. One whose calls failed because
// ctx is done was not.
func (r *run) finish(ctx context.Context, part lamina.Snapshot) {
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parts = append(r.parts, part)
	r.progress.TargetsDone += len(part.Targets)
	r.tell()
	r.write(part)
}

// note keeps what was read of a target that is not done.
func (r *run) note(part lamina.Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(part)
}

func (r *run) write(part lamina.Snapshot) {
	if r.Journal == nil || r.err != nil {
		return
	}
	if err := r.Journal(Entry{Part: part}); err != nil {
		r.err = fmt.Errorf("journal: %w", err)
		r.cancel()
	}
}

func (r *run) expectTargets(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Targets += n
}

// expect says that n more things are to be read; did that one was.
func (r *run) expect(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Known += n
	r.tell()
}

func (r *run) did(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress.Done += n
	r.tell()
}

func (r *run) tell() {
	if r.Progress != nil {
		r.Progress(r.progress)
	}
}

// reads reports whether the account is one of those that are read: its layers
// are described there.
func (r *run) reads(account string) bool {
	return slices.ContainsFunc(r.Accounts, func(a Account) bool { return a.ID == account })
}

// merge joins the parts of a run. What several accounts tell of the same thing
// (managed policies of AWS, foreign layers), or one twice, is kept once.
func merge(parts []lamina.Snapshot) lamina.Snapshot {
	var s lamina.Snapshot
	for _, p := range parts {
		s.Accounts = append(s.Accounts, p.Accounts...)
		s.Targets = append(s.Targets, p.Targets...)
		s.Layers = append(s.Layers, p.Layers...)
		s.Functions = append(s.Functions, p.Functions...)
		s.CodeSigningConfigs = append(s.CodeSigningConfigs, p.CodeSigningConfigs...)
		s.CodeStorage = append(s.CodeStorage, p.CodeStorage...)
		s.SigningProfiles = append(s.SigningProfiles, p.SigningProfiles...)
		s.Principals = append(s.Principals, p.Principals...)
		s.Groups = append(s.Groups, p.Groups...)
		s.ManagedPolicies = append(s.ManagedPolicies, p.ManagedPolicies...)
		s.OrganizationalUnits = append(s.OrganizationalUnits, p.OrganizationalUnits...)
		s.OrganizationPolicies = append(s.OrganizationPolicies, p.OrganizationPolicies...)
		s.Trails = append(s.Trails, p.Trails...)
		s.MetricFilters = append(s.MetricFilters, p.MetricFilters...)
		s.Alarms = append(s.Alarms, p.Alarms...)
		s.Topics = append(s.Topics, p.Topics...)
		s.EventRules = append(s.EventRules, p.EventRules...)
		s.Analyzers = append(s.Analyzers, p.Analyzers...)
		s.AccessFindings = append(s.AccessFindings, p.AccessFindings...)
		s.Services = append(s.Services, p.Services...)
		s.Unscanned = append(s.Unscanned, p.Unscanned...)
		s.ServiceFindings = append(s.ServiceFindings, p.ServiceFindings...)
		s.FindingCounts = append(s.FindingCounts, p.FindingCounts...)
		s.ConfigRecords = append(s.ConfigRecords, p.ConfigRecords...)
		s.Buckets = append(s.Buckets, p.Buckets...)
		s.Subnets = append(s.Subnets, p.Subnets...)
		s.SecurityGroups = append(s.SecurityGroups, p.SecurityGroups...)
		s.VPCEndpoints = append(s.VPCEndpoints, p.VPCEndpoints...)
		s.DNSFirewalls = append(s.DNSFirewalls, p.DNSFirewalls...)
	}
	s.Accounts = once(s.Accounts, func(a lamina.Account) string { return a.ID })
	s.Functions = once(s.Functions, func(f lamina.Function) string { return f.ARN + " " + f.Version }) // a list that changes between its pages may say one twice
	s.Principals = once(s.Principals, func(p lamina.Principal) string { return p.ARN })
	s.Groups = once(s.Groups, func(g lamina.Group) string { return g.ARN })
	s.Layers = once(s.Layers, func(l lamina.LayerVersion) string { return l.ARN })
	s.ManagedPolicies = once(s.ManagedPolicies, func(p lamina.ManagedPolicy) string { return p.ARN })
	s.Topics = once(s.Topics, func(t lamina.Topic) string { return t.ARN })
	s.Trails = once(s.Trails, func(t lamina.Trail) string { return t.ARN })
	s.Subnets = once(s.Subnets, func(n lamina.Subnet) string { return n.ID }) // one may be shared with several accounts
	s.SecurityGroups = once(s.SecurityGroups, func(g lamina.SecurityGroup) string { return g.ID })
	s.VPCEndpoints = once(s.VPCEndpoints, func(e lamina.VPCEndpoint) string { return e.ID })
	s.DNSFirewalls = once(s.DNSFirewalls, func(w lamina.DNSFirewall) string { return w.ID })
	slices.SortStableFunc(s.Buckets, func(a, b lamina.Bucket) int { return cmp.Compare(b.Account, a.Account) }) // its owner knows most
	s.Buckets = once(s.Buckets, func(b lamina.Bucket) string { return b.Name })
	s.CodeSigningConfigs = once(s.CodeSigningConfigs, func(c lamina.CodeSigningConfig) string { return c.ARN })
	return s
}

// once keeps the first of what has the same key, in an order that does not
// depend on which target was done first.
func once[T any](list []T, key func(T) string) []T {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return slices.CompactFunc(list, func(a, b T) bool { return key(a) == key(b) })
}
