package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// journalEvery is after how many readings of one target the journal is told.
const journalEvery = 200

// A reader reads one target.
type reader struct {
	*coverage
	run       *run
	client    *awsread.Client
	account   string
	region    string
	detector  string          // of GuardDuty, "" when there is none, or it is not known
	holds     map[string]bool // layer versions whose policy needs no reading
	shared    []lamina.Trail  // of the organisation, which other accounts own
	unwritten lamina.Snapshot // read, and not yet in the journal
	part      lamina.Snapshot
}

// reader makes the reader of a target; services without regions are asked in
// the account's home.
func (r *run) reader(a Account, region string) *reader {
	return &reader{coverage: newCoverage(), run: r, client: a.Session.In(cmp.Or(region, a.Home)), account: a.ID, region: region}
}

// done closes the target.
func (d *reader) done() lamina.Snapshot {
	read, gaps := d.target()
	d.part.Targets = []lamina.Target{{Account: d.account, Region: d.region, Taken: d.run.Now, Read: read, Gaps: gaps}}
	return d.part
}

// account reads what an account has without regions.
func (r *run) account(ctx context.Context, a Account, known enabled) lamina.Snapshot {
	d := r.reader(a, "")
	if known.asked {
		d.note("account:ListRegions", "", known.err)
	}
	auth, err := d.client.Authorization(ctx)
	auth.Principals, err = own(d, auth.Principals, err, func(p lamina.Principal) (arn, account, region string) { return p.ARN, p.Account, "" })
	auth.Groups, err = own(d, auth.Groups, err, func(g lamina.Group) (arn, account, region string) { return g.ARN, g.Account, "" })
	d.note("iam:GetAccountAuthorizationDetails", "", err)
	creds, err := d.client.Credentials(ctx)
	if e, ok := errors.AsType[*awsread.Error](err); ok && e.Action == "iam:GenerateCredentialReport" {
		d.note(e.Action, "", err)
		err = fmt.Errorf("%s: %w", e.Action, e.Err)
	}
	d.note("iam:GetCredentialReport", "", err)
	for i, p := range auth.Principals {
		if c, ok := creds[p.ARN]; ok && p.Kind == "User" {
			auth.Principals[i].Credentials = &c
		}
	}
	d.part.Principals, d.part.Groups, d.part.ManagedPolicies = auth.Principals, auth.Groups, auth.ManagedPolicies
	return d.done()
}

// region reads one region of an account.
func (r *run) region(ctx context.Context, a Account, region string) lamina.Snapshot {
	d := r.reader(a, region)
	if r.Only != nil {
		d.only(ctx)
		return d.done()
	}
	d.holds = d.unchanged(ctx)
	d.layers(ctx)
	d.functions(ctx)
	d.storage(ctx)
	d.signing(ctx)
	d.watch(ctx)
	d.services(ctx)
	d.networks(ctx)
	d.buckets(ctx)
	d.findings(ctx)
	return d.done()
}

// storage reads how full the code storage is.
func (d *reader) storage(ctx context.Context) {
	used, limit, err := d.client.CodeStorage(ctx)
	if d.note("lambda:GetAccountSettings", "", err) {
		d.part.CodeStorage = []lamina.CodeStorage{{Account: d.account, Region: d.region, Used: used, Limit: limit}}
	}
}

func (d *reader) layers(ctx context.Context) {
	names, err := d.client.Layers(ctx)
	if d.note("lambda:ListLayers", "", err) {
		d.begin("lambda:ListLayerVersions", "lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy")
	}
	var all []lamina.LayerVersion
	for _, name := range names {
		vs, err := d.versions(ctx, name)
		d.note("lambda:ListLayerVersions", name, err)
		all = append(all, vs...)
	}
	d.run.expect(len(all))
	for _, v := range all {
		if ctx.Err() != nil {
			return
		}
		d.layer(ctx, v)
	}
	d.flush()
}

// own keeps what is of the target, of an answer about what is the target's. Anything
// else is the mistake of whoever answered, such as an emulator that does not keep
// accounts apart, and then the answer is not to be trusted to be whole.
func own[T any](d *reader, answer []T, err error, of func(T) (arn, account, region string)) ([]T, error) {
	other := ""
	answer = slices.DeleteFunc(answer, func(x T) bool {
		arn, account, region := of(x)
		if account == d.account && region == d.region {
			return false
		}
		other = cmp.Or(other, arn)
		return true
	})
	if err == nil && other != "" {
		err = fmt.Errorf("the answer is about %s", other)
	}
	return answer, err
}

// versions lists the versions of a layer of the account.
func (d *reader) versions(ctx context.Context, name string) ([]lamina.LayerVersion, error) {
	vs, err := d.client.LayerVersions(ctx, name)
	return own(d, vs, err, func(v lamina.LayerVersion) (arn, account, region string) { return v.ARN, v.Account, v.Region })
}

// list lists the account's functions and their versions.
func (d *reader) list(ctx context.Context) ([]lamina.Function, error) {
	fs, err := d.client.Functions(ctx)
	return own(d, fs, err, func(f lamina.Function) (arn, account, region string) { return f.ARN, f.Account, f.Region })
}

func (d *reader) layer(ctx context.Context, v lamina.LayerVersion) {
	defer d.run.did(1)
	known, ok := d.run.known.version(v)
	var at awsread.Location
	if ok { // the content of a version never changes
		policy, read := v.Policy, v.PolicyRead
		v = known
		v.Policy, v.PolicyRead = policy, read
		d.note("lambda:GetLayerVersion", v.ARN, nil)
	} else {
		described, where, err := d.client.Locate(ctx, v.ARN)
		if d.note("lambda:GetLayerVersion", v.ARN, err) {
			v, at = described, where
		}
	}
	d.zip(ctx, v, at)
	if d.run.known.read[v.ARN] || d.holds[v.ARN] {
		v.Policy, v.PolicyRead = known.Policy, known.PolicyRead
		d.note("lambda:GetLayerVersionPolicy", v.ARN, nil)
	} else {
		d.policy(ctx, &v)
	}
	d.part.Layers = append(d.part.Layers, v)
	d.unwritten.Layers = append(d.unwritten.Layers, v)
	if len(d.unwritten.Layers) >= journalEvery {
		d.flush()
	}
}

func (d *reader) policy(ctx context.Context, v *lamina.LayerVersion) {
	p, err := d.client.Policy(ctx, v.ARN)
	if d.note("lambda:GetLayerVersionPolicy", v.ARN, err) {
		v.Policy, v.PolicyRead = p, d.run.Now
	}
}

func (d *reader) flush() {
	if len(d.unwritten.Layers)+len(d.unwritten.Functions) == 0 {
		return
	}
	d.run.note(d.unwritten)
	d.unwritten = lamina.Snapshot{}
}

func (d *reader) functions(ctx context.Context) {
	fs, err := d.list(ctx)
	if d.note("lambda:ListFunctions", "", err) {
		d.beginFunctions()
	}
	sources, err := d.client.EventSources(ctx)
	d.note("lambda:ListEventSourceMappings", "", err)
	n := 0
	for _, f := range fs {
		if f.Version == "$LATEST" {
			n++
		}
	}
	d.run.expect(n)
	loading := loaders(fs)
	for i := range fs {
		if ctx.Err() != nil {
			return
		}
		f := &fs[i]
		if f.Version != "$LATEST" {
			continue
		}
		f.EventSources = sources[f.ARN]
		if d.details(ctx, f, loading[f.ARN]) {
			d.unwritten.Functions = append(d.unwritten.Functions, *f)
		}
		if len(d.unwritten.Functions) >= journalEvery {
			d.flush()
		}
		d.run.did(1)
	}
	d.flush()
	d.part.Functions = fs
	d.code(ctx, fs)
	d.foreign(ctx)
}

// foreign describes the layer versions that the functions load and that are not
// described where they are.
func (d *reader) foreign(ctx context.Context) {
	for _, arn := range d.loaded() {
		if ctx.Err() != nil {
			return
		}
		if l, err := lamina.ParseLayerARN(arn); err != nil || d.run.reads(l.ARN.Account) {
			continue
		}
		d.describe(ctx, arn)
	}
}

// loaded are the ARNs of the layer versions that the functions load, sorted.
func (d *reader) loaded() []string {
	var arns []string
	for _, f := range d.part.Functions {
		arns = append(arns, f.Layers...)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// describe reads a layer version of another account, also one that was described
// before: whether we may still read it shows in the answer.
func (d *reader) describe(ctx context.Context, arn string) {
	v, at, err := d.client.Locate(ctx, arn)
	if d.note("lambda:GetLayerVersion", arn, err) {
		d.part.Layers = append(d.part.Layers, v)
		d.zip(ctx, v, at)
	} else if old, ok := d.run.known.layers[arn]; ok {
		d.part.Layers = append(d.part.Layers, old)
	}
}

// beginFunctions says that all functions are known.
func (d *reader) beginFunctions() {
	d.begin("lambda:GetPolicy", "lambda:GetFunctionCodeSigningConfig", "lambda:ListAliases", "lambda:ListFunctionUrlConfigs", "lambda:ListProvisionedConcurrencyConfigs", "lambda:GetCodeSigningConfig")
	if d.run.FunctionCode {
		d.begin("lambda:GetFunction")
	}
}

// A loader is a function of which a version loads a layer.
type loader struct {
	versions  []string // published ones that load a layer
	published bool     // whether there is a published version
}

// loaders are the functions of which a version loads a layer, by their ARN.
func loaders(fs []lamina.Function) map[string]*loader {
	out := map[string]*loader{}
	for _, f := range fs {
		if len(f.Layers) > 0 && out[whole(f)] == nil {
			out[whole(f)] = &loader{}
		}
	}
	for _, f := range fs {
		l := out[whole(f)]
		if l == nil || f.Version == "$LATEST" {
			continue
		}
		l.published = true
		if len(f.Layers) > 0 {
			l.versions = append(l.versions, f.Version)
		}
	}
	return out
}

// details reads what belongs to a function as a whole, and reports whether all of
// it answered. l is nil when no version loads a layer: then the policies of those
// aliases alone are read that run what a layer would be attached to.
func (d *reader) details(ctx context.Context, f *lamina.Function, l *loader) bool {
	answered := true
	note := func(action string, err error) {
		answered = d.note(action, f.ARN, err) && answered
	}
	if old, ok := d.run.known.functions[f.ARN]; ok && old.RevisionID == f.RevisionID {
		f.Policies, f.Aliases, f.URLs, f.Provisioned = old.Policies, old.Aliases, old.URLs, old.Provisioned
		f.CodeSigningConfigARN, f.DetailsRead = old.CodeSigningConfigARN, old.DetailsRead
		for _, action := range []string{"lambda:GetPolicy", "lambda:ListAliases", "lambda:ListFunctionUrlConfigs", "lambda:ListProvisionedConcurrencyConfigs", "lambda:GetFunctionCodeSigningConfig"} {
			note(action, nil)
		}
		return answered
	}
	f.DetailsRead = d.run.Now
	var err error
	f.Aliases, err = d.client.Aliases(ctx, f.ARN)
	note("lambda:ListAliases", err)
	qualifiers := []string{""}
	if l != nil {
		qualifiers = append(qualifiers, l.versions...)
	}
	for _, a := range f.Aliases {
		if l != nil || a.Version == "$LATEST" {
			qualifiers = append(qualifiers, a.Name)
		}
	}
	slices.Sort(qualifiers)
	for _, q := range qualifiers {
		p, err := d.client.FunctionPolicy(ctx, f.ARN, q)
		note("lambda:GetPolicy", err)
		if p != nil {
			f.Policies = append(f.Policies, *p)
		}
	}
	f.URLs, err = d.client.URLs(ctx, f.ARN)
	note("lambda:ListFunctionUrlConfigs", err)
	if l != nil && l.published {
		f.Provisioned, err = d.client.Provisioned(ctx, f.ARN)
		note("lambda:ListProvisionedConcurrencyConfigs", err)
	}
	if f.PackageType != "Image" { // those have no code signing: AWS refuses the question
		f.CodeSigningConfigARN, err = d.client.CodeSigning(ctx, f.ARN)
		note("lambda:GetFunctionCodeSigningConfig", err)
	}
	return answered
}

func (d *reader) signing(ctx context.Context) {
	configs := map[string]bool{}
	for _, f := range d.part.Functions {
		if f.CodeSigningConfigARN != "" {
			configs[f.CodeSigningConfigARN] = true
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(configs)) {
		c, err := d.client.CodeSigningConfig(ctx, arn)
		if d.note("lambda:GetCodeSigningConfig", arn, err) {
			d.part.CodeSigningConfigs = append(d.part.CodeSigningConfigs, c)
		}
	}
	profiles, err := d.client.SigningProfiles(ctx, d.account)
	d.note("signer:ListSigningProfiles", "", err)
	d.part.SigningProfiles = profiles
}

// watch reads who would notice.
func (d *reader) watch(ctx context.Context) {
	trails, err := d.client.Trails(ctx)
	if d.note("cloudtrail:DescribeTrails", "", err) {
		d.begin("cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors")
	}
	for _, t := range trails {
		if t.Account != d.account {
			d.shared = append(d.shared, t)
			continue
		}
		t.Logging, err = d.client.TrailLogging(ctx, t.ARN)
		d.note("cloudtrail:GetTrailStatus", t.ARN, err)
		d.note("cloudtrail:GetEventSelectors", t.ARN, d.client.TrailSelectors(ctx, &t))
		d.part.Trails = append(d.part.Trails, t)
	}
	d.part.MetricFilters, err = d.client.MetricFilters(ctx, d.account)
	d.note("logs:DescribeMetricFilters", "", err)
	d.part.Alarms, err = d.client.Alarms(ctx, d.account)
	if d.note("cloudwatch:DescribeAlarms", "", err) {
		d.begin("sns:ListSubscriptionsByTopic")
	}
	rules, err := d.client.EventRules(ctx, d.account)
	if d.note("events:ListRules", "", err) {
		d.begin("events:ListTargetsByRule")
	}
	topics := map[string]bool{}
	for i, r := range rules {
		if !strings.Contains(r.Pattern, "lambda") { // it cannot match an event of Lambda
			continue
		}
		targets, err := d.client.EventTargets(ctx, r.ARN[strings.LastIndex(r.ARN, "/")+1:])
		d.note("events:ListTargetsByRule", r.ARN, err)
		rules[i].Targets = targets
		for _, t := range targets {
			topics[t] = true
		}
	}
	d.part.EventRules = rules
	for _, a := range d.part.Alarms {
		for _, action := range a.Actions {
			topics[action] = true
		}
	}
	for _, arn := range slices.Sorted(maps.Keys(topics)) {
		if a, err := lamina.ParseARN(arn); err != nil || a.Service != "sns" || a.Region != d.region {
			continue
		}
		t, err := d.client.Topic(ctx, arn)
		if d.note("sns:ListSubscriptionsByTopic", arn, err) {
			d.part.Topics = append(d.part.Topics, t)
		}
	}
	analyzers, err := d.client.Analyzers(ctx, d.account)
	if d.note("access-analyzer:ListAnalyzers", "", err) {
		d.begin("access-analyzer:ListFindings", "access-analyzer:GetFinding")
	}
	d.part.Analyzers = analyzers
	for _, a := range analyzers {
		if a.Status == "ACTIVE" && strings.HasSuffix(a.Type, "_UNUSED_ACCESS") {
			unused, err := d.client.UnusedAccess(ctx, a.ARN)
			d.note("access-analyzer:ListFindings", a.ARN, err)
			d.part.AccessFindings = append(d.part.AccessFindings, unused...)
		}
		if a.Status != "ACTIVE" || a.Type != "ACCOUNT" && a.Type != "ORGANIZATION" {
			continue
		}
		fs, err := d.client.AccessFindings(ctx, a.ARN)
		d.note("access-analyzer:ListFindings", a.ARN, err)
		for i := range fs {
			d.note("access-analyzer:GetFinding", fs[i].Resource, d.client.AccessFinding(ctx, &fs[i]))
		}
		d.part.AccessFindings = append(d.part.AccessFindings, fs...)
	}
}

// services asks which services of AWS watch functions.
func (d *reader) services(ctx context.Context) {
	inspector, err := d.client.Inspector(ctx, d.account)
	if d.note("inspector2:BatchGetAccountStatus", "", err) {
		d.begin("inspector2:ListCoverage")
	}
	d.part.Services = append(d.part.Services, inspector...)
	if slices.ContainsFunc(inspector, func(s lamina.ServiceStatus) bool { return s.Enabled && s.Feature == "inspector2:LAMBDA" }) {
		d.part.Unscanned, err = d.client.Unscanned(ctx, d.account)
		d.note("inspector2:ListCoverage", "", err)
	}
	detectors, err := d.client.Detectors(ctx)
	if d.note("guardduty:ListDetectors", "", err) {
		d.begin("guardduty:GetDetector")
		if len(detectors) == 0 {
			detectors = []string{""}
		}
	}
	for _, id := range detectors[:min(len(detectors), 1)] {
		d.detector = id
		s, err := d.client.GuardDuty(ctx, d.account, id)
		if id == "" || d.note("guardduty:GetDetector", "", err) {
			d.part.Services = append(d.part.Services, s)
		}
	}
	recorded, err := d.client.Recorders(ctx, d.account)
	if d.note("config:DescribeConfigurationRecorders", "", err) {
		d.begin("config:DescribeConfigurationRecorderStatus", "config:SelectResourceConfig")
	}
	if err == nil && recorded.Enabled {
		var unread error
		d.part.ConfigRecords, unread = d.client.ConfigRecords(ctx)
		d.note("config:SelectResourceConfig", "", unread)
		recorded.Enabled, err = d.client.Recording(ctx)
		d.note("config:DescribeConfigurationRecorderStatus", "", err)
	}
	if err == nil {
		d.part.Services = append(d.part.Services, recorded)
	}
	hub, err := d.client.SecurityHub(ctx, d.account)
	if d.note("securityhub:DescribeHub", "", err) {
		d.part.Services = append(d.part.Services, hub)
	}
}

// networks reads the networks that functions run in.
func (d *reader) networks(ctx context.Context) {
	subnets, groups := map[string]bool{}, map[string]bool{}
	for _, f := range d.part.Functions {
		for _, id := range f.Subnets {
			subnets[id] = true
		}
		for _, id := range f.SecurityGroups {
			groups[id] = true
		}
	}
	if !d.answered("lambda:ListFunctions") { // then there may be more
		return
	}
	d.begin("ec2:DescribeSubnets", "ec2:DescribeSecurityGroups")
	if len(subnets) > 0 {
		var err error
		d.part.SecurityGroups, err = d.client.SecurityGroups(ctx, d.account, slices.Sorted(maps.Keys(groups)))
		d.note("ec2:DescribeSecurityGroups", "", err)
		d.part.Subnets, err = d.client.Subnets(ctx, d.account, slices.Sorted(maps.Keys(subnets)))
		if !d.note("ec2:DescribeSubnets", "", err) {
			return
		}
	}
	d.begin("ec2:DescribeRouteTables", "ec2:DescribeVpcEndpoints")
	if len(d.part.Subnets) > 0 {
		d.note("ec2:DescribeRouteTables", "", d.client.Routes(ctx, d.part.Subnets))
		var err error
		d.part.VPCEndpoints, err = d.client.VPCEndpoints(ctx, d.account, d.part.Subnets)
		d.note("ec2:DescribeVpcEndpoints", "", err)
	}
	d.dnsFirewalls(ctx)
}

// dnsFirewalls reads the rule groups of the subnets' VPCs, and of lists that are
// not AWS's own whether they hold every domain.
func (d *reader) dnsFirewalls(ctx context.Context) {
	d.begin("route53resolver:ListFirewallRuleGroupAssociations")
	if len(d.part.Subnets) > 0 {
		var err error
		d.part.DNSFirewalls, err = d.client.DNSFirewalls(ctx, d.account, d.part.Subnets)
		if !d.note("route53resolver:ListFirewallRuleGroupAssociations", "", err) {
			return
		}
	}
	d.begin("route53resolver:ListFirewallRules", "route53resolver:ListFirewallDomainLists")
	rules := map[string][]lamina.DNSRule{} // by group
	lists := map[string]bool{}             // whether each holds every domain
	for i, w := range d.part.DNSFirewalls {
		if _, known := rules[w.Group]; !known {
			var err error
			rules[w.Group], err = d.client.DNSRules(ctx, w.Group)
			d.note("route53resolver:ListFirewallRules", w.Group, err)
		}
		d.part.DNSFirewalls[i].Rules = slices.Clone(rules[w.Group])
		for _, r := range rules[w.Group] {
			if r.Domains != "" {
				lists[r.Domains] = false
			}
		}
	}
	if len(lists) > 0 {
		own, err := d.client.OwnDomainLists(ctx)
		if !d.note("route53resolver:ListFirewallDomainLists", "", err) {
			return
		}
		maps.DeleteFunc(lists, func(id string, _ bool) bool { return !own[id] })
	}
	d.begin("route53resolver:ListFirewallDomains")
	for _, id := range slices.Sorted(maps.Keys(lists)) {
		var err error
		lists[id], err = d.client.EveryDomain(ctx, id)
		d.note("route53resolver:ListFirewallDomains", id, err)
	}
	for _, w := range d.part.DNSFirewalls {
		for i, r := range w.Rules {
			w.Rules[i].Every = lists[r.Domains]
		}
	}
}

// buckets reads the buckets that hold layers of which Lambda keeps no copy, and of
// those that trails write to whose they are and whether files can go from them. Of
// the organisation's trail each account finds out whether the bucket is its own.
func (d *reader) buckets(ctx context.Context) {
	d.begin("s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning")
	buckets := map[string]lamina.Bucket{}
	for _, l := range d.part.Layers {
		if l.Reference != nil {
			buckets[l.Reference.Bucket] = lamina.Bucket{Name: l.Reference.Bucket}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(buckets)) {
		b := buckets[name]
		var err error
		b.Policy, err = d.client.BucketPolicy(ctx, name)
		if d.note("s3:GetBucketPolicy", name, err) {
			b.Account = d.account // AWS tells nobody else
		}
		b.Versioning, err = d.client.BucketVersioning(ctx, name)
		d.note("s3:GetBucketVersioning", name, err)
		b.PublicAccessBlocked, err = d.client.PublicAccessBlocked(ctx, name)
		d.note("s3:GetBucketPublicAccessBlock", name, err)
		buckets[name] = b
	}
	if d.answered("cloudtrail:DescribeTrails") {
		d.begin("s3:ListAllMyBuckets", "s3:GetBucketObjectLockConfiguration")
	}
	for _, t := range slices.Concat(d.part.Trails, d.shared) {
		b := buckets[t.Bucket]
		b.Name = t.Bucket
		own, err := d.client.OwnsBucket(ctx, t.Bucket)
		if d.note("s3:ListAllMyBuckets", t.Bucket, err) && own {
			b.Account = d.account
			b.ObjectLock, err = d.client.ObjectLocked(ctx, t.Bucket)
			d.note("s3:GetBucketObjectLockConfiguration", t.Bucket, err)
			buckets[t.Bucket] = b
		}
	}
	for _, name := range slices.Sorted(maps.Keys(buckets)) {
		d.part.Buckets = append(d.part.Buckets, buckets[name])
	}
}
