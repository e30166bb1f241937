// Package posture is the contract of a check and the runner of checks over an
// estate.
//
// A check is a value: facts about itself and a Run that looks things up in the
// Input and says what it found, three-valued. The runner turns that into
// findings, adds what is not known of whole accounts and regions, and does not
// trust a check: one that panics, or that returns an
// outcome without what must go with it, becomes UNKNOWN with its id. This
// package names no check; package checks holds them. Start with Run.
package posture

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/approval"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// A Check asks one thing of an estate.
type Check struct {
	// ID is the file's name with hyphens ("layer-public"); Ref its number in the
	// catalogue ("EXP-01").
	ID, Ref string
	Title   string
	// Since is the release it came with.
	Since string
	// Severity is that of a failing Result which sets none.
	Severity lamina.Severity
	// Techniques are MITRE ATT&CK ids.
	Techniques []string
	// Citation is the page that the check's reading of AWS rests on.
	Citation string
	// Needs are the IAM actions without which it cannot answer: with any of them
	// denied, no Result may be Pass for what was hidden. Uses are those that make
	// an answer better.
	Needs, Uses []string
	// Beside are what it cannot answer without besides the snapshot.
	Beside []Data
	// Analyzers are those whose findings it asks Inside for.
	Analyzers []string
	// Lists are those of Needs that list what it looks at. Where one was not
	// answered the runner adds an Unknown for the account and region.
	Lists []string
	// Remediation is what to do, in a sentence. Fixes are the fixes that plan it;
	// NoFix says why there is none.
	Remediation string
	Fixes       []string
	NoFix       string
	// Run looks at in and calls found for each resource it has an answer for.
	Run func(in Input, found func(Result))
	// Said, where there is one, finds what services of AWS say already when what the
	// check needs Beside was not given. It may find Fails alone: the check counts as
	// not asked.
	Said func(in Input, found func(Result))
}

// Data is something that is read besides the snapshot, when the user gives it.
type Data string

// The kinds of Data.
const (
	// Logs are CloudTrail records: Input.Log.
	Logs Data = "logs"
	// Contents are layers that were opened: Input.Contents.
	Contents Data = "contents"
	// Earlier is a snapshot of before: Input.Earlier.
	Earlier Data = "earlier"
	// Pipelines are the roles that layers are meant to be published by: Input.Pipeline.
	Pipelines Data = "pipelines"
	// Releases are digests of layer versions as their publishers say them:
	// Input.Publishers.
	Releases Data = "releases"
	// Code is infrastructure code put over the estate.
	Code Data = "infrastructure code"
	// Rules are those that watch the logs: Input.Alerting.
	Rules Data = "rules"
	// Rest is what the collection of single layers and functions leaves out.
	Rest Data = "the rest of the estate"
)

// Settle is what gives the data.
func (d Data) Settle() string {
	switch d {
	case Logs:
		return "give CloudTrail files or folders with --trail"
	case Contents:
		return "fetch it with lamina collect --content DIR, and give it with --content DIR"
	case Earlier:
		return "give an earlier snapshot with --earlier"
	case Pipelines:
		return "name the roles that publish layers with --pipeline ARN"
	case Releases:
		return "list the digests that publishers give in a file for --publishers"
	case Code:
		return "scan the code that deploys them with lamina scan CODE --onto SNAPSHOT"
	case Rules:
		return "give the rules that are in use with --rules"
	case Rest:
		return "collect without --layer and --function"
	}
	return ""
}

// lacking is the reason of an UNKNOWN for want of the data.
func (d Data) lacking() string {
	switch d {
	case Earlier:
		return "no earlier snapshot was read"
	case Pipelines:
		return "no pipelines were named"
	case Releases:
		return "no releases were listed"
	case Code:
		return "no infrastructure code was read"
	case Rest:
		return "only some layers or functions were collected"
	case Rules:
		return "no rules were given"
	case Logs, Contents:
	}
	return "no " + string(d) + " were read"
}

// An Input is what a check may look at.
type Input struct {
	Estate *estate.Estate
	// Log is what the logs that were read say of layers; nil when none were given.
	Log *history.Log
	// Earlier is the estate as it was before; nil when no snapshot of it was given.
	Earlier *estate.Estate
	// Contents are what is in the layers, by layer version ARN: a layer that is not
	// a key was not opened, and nil says that none was given.
	Contents map[string]Content
	// Approvals say which layers of others and which grants are meant; nil approves
	// nothing.
	Approvals *approval.Set
	// Publishers says whose a foreign layer is; nil knows nobody.
	Publishers *publishers.Registry
	// Apart asks for a finding about each resource, where checks put together
	// those that are alike: code has a line for each.
	Apart bool
	// Pipeline reports whether layers are meant to be published by the role; nil
	// when nobody said by which.
	Pipeline func(arn string) bool
	// Alerting says which rules would see a call; nil when none were given.
	Alerting *Alerting

	access func() *access.Access
}

// Access says who may do what in the estate. Run works it out once for all checks.
func (in Input) Access() *access.Access {
	if in.access == nil {
		return access.New(in.Estate)
	}
	return in.access()
}

// Publisher returns who publishes the layer, as far as the registry knows.
func (in Input) Publisher(l lamina.LayerARN) (publishers.Publisher, publishers.Match) {
	if in.Publishers == nil {
		return publishers.Publisher{}, publishers.Unverified
	}
	return in.Publishers.Lookup(l.ARN.Account, l.ARN.Region, l.Name)
}

// Lacks returns the first Data that the check needs and that was not given.
func (in Input) Lacks(c Check) (Data, bool) {
	for _, d := range c.Beside {
		switch {
		case d == Logs && in.Log == nil, d == Contents && in.Contents == nil, d == Earlier && in.Earlier == nil, d == Pipelines && in.Pipeline == nil,
			d == Rules && in.Alerting == nil,
			d == Code && !slices.ContainsFunc(in.Estate.Snapshot.Functions, func(f lamina.Function) bool { return f.Origin != nil }),
			d == Releases && (in.Publishers == nil || len(in.Publishers.Releases()) == 0):
			return d, true
		}
	}
	if in.Estate != nil && in.Estate.Snapshot.Only != nil && slices.ContainsFunc(c.Needs, func(action string) bool { return !in.Estate.Asked(action) }) {
		return Rest, true
	}
	return "", false
}

// Missing returns the Unknown for a resource of which one of the IAM actions
// was not answered.
func (in Input) Missing(account, region, resource string, actions ...string) (Result, bool) {
	for _, action := range actions {
		if m, ok := in.Estate.Missing(account, region, action, resource); ok {
			return Result{Outcome: lamina.Unknown, Resource: resource, Detail: "it was not read whole", Reason: m.Why(), Settle: m.Settle()}, true
		}
	}
	return Result{}, false
}

// A Result is what a check found out about one resource.
type Result struct {
	Outcome  lamina.Outcome
	Resource string
	// Resources are given in place of Resource for several that are alike in all
	// that the result says.
	Resources []string
	// Key tells apart several results of one check about one resource.
	Key string
	// Severity is "" for the check's own.
	Severity lamina.Severity
	Detail   string
	Evidence []string
	// Reason and Settle must be set with Unknown.
	Reason, Settle string
}

// Run runs the checks over in, several at a time, and returns their findings, sorted by check,
// resource and id.
func Run(checks []Check, in Input) []lamina.Finding {
	in.access = sync.OnceValue(func() *access.Access { return access.New(in.Estate) })
	of := make([][]lamina.Finding, len(checks))
	var next atomic.Int64
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) { // checks only look at what they are given
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(checks)); i = next.Add(1) - 1 {
				of[i] = in.findings(checks[i])
				slices.SortStableFunc(of[i], func(a, b lamina.Finding) int {
					return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.ID, b.ID))
				})
			}
		})
	}
	work.Wait()
	of = slices.DeleteFunc(of, func(fs []lamina.Finding) bool { return len(fs) == 0 })
	slices.SortStableFunc(of, func(a, b []lamina.Finding) int { return cmp.Compare(a[0].Check, b[0].Check) })
	return slices.Concat(of...)
}

// Said returns what services of AWS say of what the checks ask, of those that lack
// what they need beside the snapshot; sorted as Run's.
func Said(checks []Check, in Input) []lamina.Finding {
	var said []Check
	for _, c := range checks {
		if d, lacks := in.Lacks(c); lacks && d != Rest && c.Said != nil {
			c.Run, c.Beside, c.Lists = onlyFails(c.Said), nil, nil
			said = append(said, c)
		}
	}
	return Run(said, in)
}

// onlyFails is run without any answer that is not proven.
func onlyFails(run func(Input, func(Result))) func(Input, func(Result)) {
	return func(in Input, found func(Result)) {
		run(in, func(r Result) {
			if r.Outcome == lamina.Fail {
				found(r)
			}
		})
	}
}

// findings is what one check says.
func (in Input) findings(c Check) []lamina.Finding {
	results, err := run(c, in)
	if err != nil {
		results = append(results, Result{
			Outcome: lamina.Unknown, Resource: "check:" + c.ID, Detail: "the check did not finish",
			Reason: err.Error(), Settle: "this is a defect of lamina: please report it",
		})
	}
	findings := make([]lamina.Finding, 0, len(results))
	for _, r := range results {
		f := finding(c, r)
		f.Accounts = in.accounts(r.resources())
		findings = append(findings, f)
	}
	return findings
}

// resources are what the result is about.
func (r Result) resources() []string {
	if len(r.Resources) == 0 {
		return []string{r.Resource}
	}
	return r.Resources
}

// accounts are the accounts of ours that resources belong to, or that use them;
// the organisation belongs to the management account.
func (in Input) accounts(resources []string) []string {
	var out []string
	for _, resource := range resources {
		a, err := lamina.ParseARN(resource)
		switch {
		case err != nil:
			continue
		case in.Estate.Org.Ours(a.Account):
			out = append(out, a.Account)
			continue
		}
		if a.Service == "organizations" {
			for _, account := range in.Estate.Snapshot.Accounts {
				if account.Management {
					out = append(out, account.ID)
				}
			}
		}
		for _, f := range in.Estate.Users(resource) {
			out = append(out, f.Account)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func run(c Check, in Input) (results []Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if d, lacks := in.Lacks(c); lacks {
		return []Result{{
			Outcome: lamina.Unknown, Resource: "check:" + c.ID, Detail: "it was not asked", Reason: d.lacking(), Settle: d.Settle(),
		}}, nil
	}
	if slices.Contains(c.Beside, Logs) {
		results = append(results, in.unlogged()...)
	}
	for _, m := range in.Estate.Unread(c.Lists...) {
		if m.Unasked && in.Estate.Snapshot.Only != nil {
			continue
		}
		results = append(results, Result{
			Outcome: lamina.Unknown, Resource: strings.Join([]string{"arn", "*", service(m.Action), cmp.Or(m.Region, "*"), cmp.Or(m.Account, "*"), "*"}, ":"), Key: m.Action,
			Detail: "not everything there is known", Reason: m.Why(), Settle: m.Settle(),
		})
	}
	c.Run(in, func(r Result) {
		if len(r.Resources) > 0 {
			r.Resources = slices.DeleteFunc(slices.Clone(r.Resources), func(arn string) bool { return !in.Estate.Within(arn) })
			if len(r.Resources) == 0 {
				return
			}
		} else if !in.Estate.Within(r.Resource) {
			return
		}
		results = append(results, r)
	})
	return results, nil
}

func service(action string) string {
	s, _, _ := strings.Cut(action, ":")
	return s
}

func finding(c Check, r Result) lamina.Finding {
	if err := r.valid(); err != nil {
		r.Outcome, r.Reason, r.Settle = lamina.Unknown, err.Error(), "this is a defect of lamina: please report it"
	}
	id, members := lamina.ID("F", c.ID, r.Resource, r.Key), []lamina.Member(nil)
	if len(r.Resources) > 0 {
		id, members = r.join(c)
	}
	f := lamina.Finding{
		ID: id, Members: members, Check: c.ID, Ref: c.Ref, Title: c.Title,
		Severity: cmp.Or(r.Severity, c.Severity), Outcome: r.Outcome, Resource: r.Resource,
		Detail: r.Detail, Evidence: r.Evidence, Reason: r.Reason, Settle: r.Settle, Techniques: c.Techniques,
	}
	if r.Outcome == lamina.Fail {
		f.Remediation, f.Fixes = c.Remediation, c.Fixes
	}
	return f
}

// join makes of several resources one, and evidence of the first of them. The id
// is another when one comes or goes.
func (r *Result) join(c Check) (id string, members []lamina.Member) {
	slices.Sort(r.Resources)
	for _, arn := range slices.Compact(r.Resources) {
		members = append(members, lamina.Member{ID: lamina.ID("F", c.ID, arn, r.Key), Resource: arn})
	}
	id, r.Resource = together(c.ID, members)
	if len(members) == 1 {
		return id, nil
	}
	r.Evidence = append(named(members), r.Evidence...)
	return id, members
}

// together are the id and the resource of a finding about the members.
func together(check string, members []lamina.Member) (id, resource string) {
	if len(members) == 1 {
		return members[0].ID, members[0].Resource
	}
	ids, arns := []string{check, ""}, make([]string, 0, len(members))
	for _, m := range members {
		ids, arns = append(ids, m.ID), append(arns, m.Resource)
	}
	return lamina.ID("F", ids...), common(arns)
}

// named is evidence: the first of the members, and how many there are besides.
func named(members []lamina.Member) []string {
	var out []string
	for _, m := range members[:min(len(members), maxEvidence)] {
		out = append(out, kind(m.Resource)+": "+m.Resource)
	}
	if n := len(members) - maxEvidence; n > 0 {
		out = append(out, kind(members[0].Resource)+"s: "+strconv.Itoa(n)+" more")
	}
	return out
}

// Part is what remains of a finding of Run about several things when it is about
// some of its members alone. Its evidence is that of all, but for the names.
func (in Input) Part(f lamina.Finding, members []lamina.Member) lamina.Finding {
	rest := f.Evidence[len(named(f.Members)):]
	f.ID, f.Resource = together(f.Check, members)
	f.Evidence, f.Members = slices.Clone(rest), nil
	if len(members) > 1 {
		f.Evidence, f.Members = append(named(members), rest...), members
	}
	resources := make([]string, len(members))
	for i, m := range members {
		resources[i] = m.Resource
	}
	f.Accounts = in.accounts(resources)
	return f
}

// kind is what the ARN is of, as evidence says it.
func kind(arn string) string {
	a, err := lamina.ParseARN(arn)
	switch {
	case err == nil && a.Service == "lambda" && strings.HasPrefix(a.Resource, "layer:"):
		return "layer version"
	case err == nil && a.Service == "lambda":
		return "function"
	case err == nil && strings.HasPrefix(a.Resource, "user/"):
		return "user"
	case err == nil && a.Service == "iam":
		return "role"
	}
	return "resource"
}

// common is what ARNs have in common, and * where they differ.
func common(arns []string) string {
	parts := strings.SplitN(arns[0], ":", 6)
	for _, arn := range arns[1:] {
		others := strings.SplitN(arn, ":", 6)
		if len(parts) < 6 || len(others) < 6 {
			return "*"
		}
		for i, other := range others[:5] {
			if parts[i] != other {
				parts[i] = "*"
			}
		}
		parts[5] = alike(parts[5], others[5])
	}
	return strings.Join(parts, ":")
}

// alike is what the ends of two ARNs have in common up to a colon or slash, and *.
func alike(a, b string) string {
	end := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			break
		}
		if a[i] == ':' || a[i] == '/' {
			end = i + 1
		}
	}
	if a == b {
		return a
	}
	return a[:end] + "*"
}

func (r Result) valid() error {
	switch {
	case !r.Outcome.Valid():
		return fmt.Errorf("the check gave the outcome %q", r.Outcome)
	case r.Resource == "" && len(r.Resources) == 0:
		return errors.New("the check named no resource")
	case r.Outcome == lamina.Unknown && (r.Reason == "" || r.Settle == ""):
		return errors.New("the check gave no reason, or nothing that would settle it")
	case r.Outcome == lamina.Fail && len(r.Evidence) == 0:
		return errors.New("the check failed the resource without evidence")
	case strings.HasSuffix(r.Detail, "."):
		return errors.New("the check's detail ends in a full stop")
	}
	return nil
}
