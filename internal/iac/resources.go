package iac

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A resource is one declared resource in CloudFormation's words, whatever the
// language it was declared in.
type resource struct {
	// id stands for it: FILE#Name. logical is its name in the code.
	id, logical string
	kind        string
	at          lamina.Origin
	props       value
}

// templateTypes are the types that bear on layers.
var templateTypes = []string{
	"AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::RolePolicy",
	"AWS::Lambda::Alias", "AWS::Lambda::CodeSigningConfig", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Function",
	"AWS::Lambda::LayerVersion", "AWS::Lambda::LayerVersionPermission", "AWS::Lambda::Permission", "AWS::Lambda::Url",
	"AWS::Serverless::Function", "AWS::Serverless::LayerVersion",
}

// A builder makes a snapshot of resources.
type builder struct {
	opt                *Options
	account, partition string

	resources  []resource
	seen, read int
	files      []string
	kinds      map[string]bool
	skipped    []lamina.Skipped
	unresolved []Unresolved

	layers     declared[*lamina.LayerVersion]
	functions  declared[*lamina.Function]
	principals declared[*lamina.Principal]
	attached   map[string][]*lamina.Principal // by the ARN of the policy, in their order
	has        map[attachment]bool
	layerNames map[string]bool // of the first resources, that were looked at
	looked     int
	live       map[string]string // ARNs of roles of the live estate that are ours, by name
	policies   map[string]lamina.ManagedPolicy
	signing    map[string]lamina.CodeSigningConfig
	ours       map[string]bool
	partial    map[string]bool
	places     map[string]lamina.Origin
	longest    int // key of places
	parameters map[string]bool
}

func newBuilder(opt *Options) *builder {
	b := &builder{
		opt: opt, account: cmp.Or(opt.Account, unknownAccount), partition: "aws",
		kinds: map[string]bool{}, layers: newDeclared[*lamina.LayerVersion](), functions: newDeclared[*lamina.Function](),
		principals: newDeclared[*lamina.Principal](), attached: map[string][]*lamina.Principal{}, has: map[attachment]bool{}, layerNames: map[string]bool{}, policies: map[string]lamina.ManagedPolicy{}, signing: map[string]lamina.CodeSigningConfig{},
		ours: map[string]bool{}, partial: map[string]bool{}, places: map[string]lamina.Origin{},
		parameters: map[string]bool{},
	}
	switch {
	case strings.HasPrefix(opt.Region, "cn-"):
		b.partition = "aws-cn"
	case strings.HasPrefix(opt.Region, "us-gov-"):
		b.partition = "aws-us-gov"
	}
	b.ours[b.account] = true
	for _, a := range opt.Accounts {
		b.ours[a] = true
	}
	return b
}

// settle notes where the code itself says that it is deployed.
func (b *builder) settle(account, region string) {
	b.ours[account] = true
	if b.opt.Account == "" && b.account == unknownAccount && len(b.resources) == 0 {
		delete(b.ours, unknownAccount)
		b.account = account
		if b.opt.Region == "" {
			b.opt.Region = region
		}
	}
}

// lambda is the ARN of something of Lambda where the code would be deployed.
func (b *builder) lambda(what string) string {
	return strings.Join([]string{"arn", b.partition, "lambda", b.opt.Region, b.account, what}, ":")
}

// isARN reports whether what stands for a resource is its ARN already: of one that
// a plan found deployed.
func isARN(id string) bool { return strings.HasPrefix(id, "arn:") }

// function is the ARN and the name of a declared function.
func (b *builder) function(id string, name value) (arn, short string) {
	short = id
	if name.kind == text {
		short = name.text
	}
	if b.opt.Live == nil || isARN(id) {
		return id, short
	}
	return b.lambda("function:" + short), short
}

// layer is the ARN of the version that a declared layer would get: the one after
// those that are there.
func (b *builder) layer(id string, name value) string {
	if b.opt.Live == nil || isARN(id) {
		return id
	}
	short := id
	if name.kind == text {
		short = name.text
	}
	newest := 0
	for _, l := range b.opt.Live.Layers {
		if l.Name == short && l.Account == b.account && l.Region == b.opt.Region {
			newest = max(newest, l.Version)
		}
	}
	return b.lambda("layer:" + short + ":" + strconv.Itoa(newest+1))
}

// role is the ARN and the name of a declared role: policies are worked out for
// callers, which have ARNs.
func (b *builder) role(id string, name, path value) (arn, short string) {
	short = id
	if name.kind == text {
		short = name.text
	}
	if isARN(id) {
		return id, short
	}
	p := "/"
	if path.kind == text {
		p = path.text
	}
	return "arn:" + b.partition + ":iam::" + b.account + ":role" + p + short, short
}

// managed is the ARN of a declared managed policy.
func (b *builder) managed(id string, name value) string {
	if b.opt.Live == nil || isARN(id) {
		return id
	}
	short := id
	if name.kind == text {
		short = name.text
	}
	return "arn:" + b.partition + ":iam::" + b.account + ":policy/" + short
}

// doubtful notes that a value is not known.
func (b *builder) doubtful(action, resource, property string, at lamina.Origin, v value) {
	if v.kind == unknown && v.at.Line != 0 {
		at = v.at
	}
	why := v.why
	if v.kind != unknown {
		why = "it is no text"
	}
	b.unresolved = append(b.unresolved, Unresolved{Action: action, Resource: resource, Property: property, At: at, Why: why})
}

// at notes where the code declares a resource, or a line of evidence about it.
func (b *builder) at(resource, evidence string, o lamina.Origin) {
	key := resource
	if evidence != "" {
		key += "\x00" + evidence
	}
	if _, there := b.places[key]; !there {
		b.longest = max(b.longest, len(key))
		b.places[key] = o
	}
}

// code makes the snapshot.
func (b *builder) code() *Code {
	steps := []struct {
		kinds []string
		take  func(resource)
	}{
		{[]string{"AWS::Lambda::LayerVersion"}, b.takeLayer},
		{[]string{"AWS::Lambda::LayerVersionPermission"}, b.takeGrant},
		{[]string{"AWS::IAM::Role"}, b.takeRole},
		{[]string{"AWS::IAM::ManagedPolicy"}, b.takeManaged},
		{[]string{"AWS::IAM::Policy", "AWS::IAM::RolePolicy"}, b.takePolicy},
		{[]string{"AWS::Lambda::CodeSigningConfig"}, b.takeSigning},
		{[]string{"AWS::Lambda::Function"}, b.takeFunction},
		{[]string{"AWS::Lambda::Url"}, b.takeURL},
		{[]string{"AWS::Lambda::Permission"}, b.takePermission},
		{[]string{"AWS::Lambda::Alias"}, b.takeAlias},
		{[]string{"AWS::Lambda::EventSourceMapping"}, b.takeSource},
	}
	for _, s := range steps {
		for _, r := range b.resources {
			if slices.Contains(s.kinds, r.kind) {
				s.take(r)
			}
		}
	}
	s := lamina.Snapshot{Version: 1, OrgID: b.opt.OrgID}
	for _, l := range b.layers.sorted() {
		s.Layers = append(s.Layers, *l)
	}
	for _, f := range b.functions.sorted() {
		s.Functions = append(s.Functions, *f)
	}
	for _, p := range b.principals.sorted() {
		s.Principals = append(s.Principals, *p)
	}
	for _, k := range slices.Sorted(maps.Keys(b.policies)) {
		s.ManagedPolicies = append(s.ManagedPolicies, b.policies[k])
	}
	for _, k := range slices.Sorted(maps.Keys(b.signing)) {
		s.CodeSigningConfigs = append(s.CodeSigningConfigs, b.signing[k])
	}
	for _, a := range slices.Sorted(maps.Keys(b.ours)) {
		s.Accounts = append(s.Accounts, lamina.Account{ID: a})
	}
	s.Targets = b.targets()
	slices.SortStableFunc(b.unresolved, func(x, y Unresolved) int {
		return cmp.Or(cmp.Compare(x.At.File, y.At.File), cmp.Compare(x.At.Line, y.At.Line), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Property, y.Property))
	})
	slices.Sort(b.files)
	slices.SortFunc(b.skipped, func(x, y lamina.Skipped) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Reason, y.Reason))
	})
	b.skipped = slices.Compact(b.skipped)
	return &Code{
		Snapshot: s, Unresolved: b.unresolved, Files: slices.Compact(b.files), Skipped: b.skipped, Kinds: slices.Sorted(maps.Keys(b.kinds)),
		Parameters: slices.Sorted(maps.Keys(b.parameters)), Resources: b.seen, Read: b.read, partial: b.partial, places: b.places, longest: b.longest,
	}
}

// answered are the IAM actions whose answers the code gives for what it declares.
var answered = []string{
	"lambda:GetCodeSigningConfig", "lambda:GetFunctionCodeSigningConfig", "lambda:GetLayerVersionPolicy", "lambda:GetPolicy",
	"lambda:ListAliases", "lambda:ListFunctionUrlConfigs",
}

// listed are those that list an account: code answers for what it declares, and
// never that there is nothing else.
var listed = []string{"lambda:ListFunctions", "lambda:ListLayerVersions", "lambda:ListLayers"}

// targets say what the code answers: of what it declares everything but what is
// not resolved, of all else nothing.
func (b *builder) targets() []lamina.Target {
	elsewhere := append([]string{"elsewhere"}, slices.Sorted(maps.Keys(b.partial))...)
	gap := func(action string) []lamina.Gap {
		gaps := []lamina.Gap{{Action: action, Resources: elsewhere, Reason: NotInCode}}
		for _, u := range b.unresolved {
			if u.Action == action {
				gaps = append(gaps, lamina.Gap{Action: action, Resources: []string{u.Resource}, Reason: place(u.At) + ": " + u.Property + ": " + u.Why})
			}
		}
		return gaps
	}
	here := lamina.Target{Account: b.account, Region: b.opt.Region}
	for _, action := range slices.Concat(answered, listed) {
		here.Gaps = append(here.Gaps, gap(action)...)
	}
	organization := lamina.Target{Region: "organization", Read: slices.Clone(organizationActions)}
	if b.opt.Region == "" { // one target answers with and without a region
		here.Gaps = append(here.Gaps, gap("iam:GetAccountAuthorizationDetails")...)
		return []lamina.Target{here, organization}
	}
	return []lamina.Target{{Account: b.account, Gaps: gap("iam:GetAccountAuthorizationDetails")}, here, organization}
}

// organizationActions tell of service control policies. The code is taken for
// being under none: what its own policies allow is what it is judged by.
var organizationActions = []string{
	"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListAccounts", "organizations:ListAccountsForParent",
	"organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots", "organizations:ListTargetsForPolicy",
}

func (b *builder) takeLayer(r resource) {
	name := r.props.get("LayerName")
	arn := b.layer(r.id, name)
	l := &lamina.LayerVersion{
		ARN: arn, Account: b.account, Region: b.opt.Region, Name: cmp.Or(name.text, r.logical), Description: r.props.get("Description").text,
		CompatibleRuntimes: r.props.get("CompatibleRuntimes").texts(), CompatibleArchitectures: r.props.get("CompatibleArchitectures").texts(),
		LicenseInfo: r.props.get("LicenseInfo").text, Origin: &lamina.Origin{File: r.at.File, Line: r.at.Line},
	}
	if parsed, err := lamina.ParseLayerARN(arn); err == nil {
		l.Version = parsed.Version
	}
	if content := r.props.get("Content", "ContentUri"); content.get("S3ObjectStorageMode").text == "REFERENCE" {
		l.Reference = &lamina.S3Object{
			Bucket: content.get("S3Bucket", "Bucket").text, Key: content.get("S3Key", "Key").text, VersionID: content.get("S3ObjectVersion", "Version").text,
		}
	}
	b.layers.add(arn, l.Name, l)
	b.at(arn, "", r.at)
}

// takeGrant reads a statement of a layer's policy. Only a layer's owner can make
// one, so the account of a layer that is named is ours.
func (b *builder) takeGrant(r resource) {
	target := r.props.get("LayerVersionArn")
	arn, known := target.known()
	if !known || arn == "" {
		arn = r.id // a layer of ours, whichever
	}
	l := b.layers.byARN[arn]
	if named, ok := b.layers.named[arn]; ok && l == nil { // as Terraform may
		l, arn = b.layers.byARN[named], named
	}
	if l == nil {
		l = &lamina.LayerVersion{ARN: arn, Account: b.account, Region: b.opt.Region, Name: arn, Origin: &lamina.Origin{File: r.at.File, Line: r.at.Line}}
		if parsed, err := lamina.ParseLayerARN(arn); err == nil {
			l.Account, l.Region, l.Name, l.Version = parsed.ARN.Account, parsed.ARN.Region, parsed.Name, parsed.Version
			b.ours[l.Account] = true
		}
		b.layers.byARN[arn], b.partial[arn] = l, true // not by name: who names a layer means one that is declared
		b.at(arn, "", r.at)
	}
	g := lamina.Grant{StatementID: r.logical, Action: "lambda:GetLayerVersion", Origin: &lamina.Origin{File: r.at.File, Line: r.at.Line}}
	if id := r.props.get("StatementId"); id.kind == text {
		g.StatementID = id.text
	}
	if action := r.props.get("Action"); action.kind == text {
		g.Action = action.text
	}
	at := r.at
	for _, p := range []struct {
		name string
		to   *string
	}{{"Principal", &g.Principal}, {"OrganizationId", &g.OrganizationID}} {
		v := r.props.get(p.name)
		s, known := v.known()
		if !known {
			b.doubtful("lambda:GetLayerVersionPolicy", arn, p.name, r.at, v)
			return
		}
		if *p.to = s; p.name == "Principal" && v.at.Line != 0 {
			at = v.at
		}
	}
	if l.Policy == nil {
		l.Policy = &lamina.LayerPolicy{}
	}
	l.Policy.Grants = append(l.Policy.Grants, g)
	b.at(arn, "statement: "+g.StatementID, at)
}

func (b *builder) takeFunction(r resource) {
	p := r.props
	arn, short := b.function(r.id, p.get("FunctionName"))
	f := &lamina.Function{
		ARN: arn, Account: b.account, Region: b.opt.Region, Name: short, Version: "$LATEST",
		Role: b.roleOf(p.get("Role")), Runtime: p.get("Runtime").text, Handler: p.get("Handler").text, PackageType: cmp.Or(p.get("PackageType").text, "Zip"),
		Architectures: p.get("Architectures").texts(), KMSKeyARN: p.get("KmsKeyArn").text, SnapStart: p.get("SnapStart").get("ApplyOn").text,
		Subnets: named(p.get("VpcConfig").get("SubnetIds")), SecurityGroups: named(p.get("VpcConfig").get("SecurityGroupIds")),
		CodeSigningConfigARN: p.get("CodeSigningConfigArn").text, Origin: &lamina.Origin{File: r.at.File, Line: r.at.Line},
	}
	b.at(arn, "", r.at)
	if csc := p.get("CodeSigningConfigArn"); csc.kind == unknown {
		b.doubtful("lambda:GetFunctionCodeSigningConfig", arn, "CodeSigningConfigArn", r.at, csc)
	}
	layers := p.get("Layers")
	for i, item := range layers.each() {
		property := fmt.Sprintf("Layers[%d]", i)
		if layers.kind == unknown {
			property = "Layers"
		}
		if item.kind != text {
			b.doubtful("lambda:ListFunctions", arn, property, layers.at, item)
			if from, ok := b.parameter(item.parameter); ok {
				f.LayerParameters = append(f.LayerParameters, from)
				b.at(arn, "parameter: "+from.ARN, item.at)
			}
			continue
		}
		f.Layers = append(f.Layers, item.text)
		b.at(arn, "foreign layer: "+item.text, item.at)
		b.at(item.text, "function: "+arn, item.at)
	}
	env := p.get("Environment")
	variables := env.get("Variables")
	if variables.kind == unknown {
		b.doubtful("lambda:ListFunctions", arn, "Environment", env.at, variables)
	}
	for _, name := range variables.names() {
		v := variables.fields[name]
		if f.Environment == nil {
			f.Environment = map[string]string{}
		}
		f.Environment[name] = ""
		b.at(arn, "environment: "+name, v.at)
		switch {
		case b.opt.Keep == nil:
		case v.kind == text:
			f.Environment[name] = b.opt.Keep(name, v.text)
		case b.opt.Keep(name, "/opt/x") != "": // one whose value matters
			b.doubtful("lambda:ListFunctions", arn, "Environment."+name, v.at, v)
		}
	}
	for _, t := range p.get("Tags").each() {
		if k := t.get("Key"); k.kind == text {
			b.tag(f, k.text, t.get("Value").text)
		}
	}
	if tags := p.get("Tags"); tags.kind == object {
		for _, k := range tags.names() {
			b.tag(f, k, tags.fields[k].text)
		}
	}
	b.functions.add(arn, f.Name, f)
}

// maxParameter is the length of the longest name of an SSM parameter, or its ARN.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
const maxParameter = 2048

// parameterRunes are what a name may be made of, with what parts its version off.
const parameterRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:"

// parameter is the SSM parameter that code names, "NAME" or "NAME:VERSION", or by
// its ARN; ok is false for what is no name of one.
func (b *builder) parameter(name string) (p lamina.LayerParameter, ok bool) {
	if name == "" || len(name) > maxParameter || strings.Trim(name, parameterRunes) != "" {
		return p, false
	}
	if isARN(name) {
		return lamina.LayerParameter{ARN: name}, true
	}
	name, version, _ := strings.Cut(name, ":")
	account := b.account
	if strings.HasPrefix(name, "/aws/") { // AWS's own, in every account
		account = ""
	}
	p.ARN = strings.Join([]string{"arn", b.partition, "ssm", b.opt.Region, account, "parameter/" + strings.TrimPrefix(name, "/")}, ":")
	p.Version = version
	return p, true
}

// named are the items of a list: one that is not known has its place for a name,
// which nothing that was read has.
func named(v value) []string {
	var out []string
	for _, item := range v.each() {
		if s, known := item.known(); known {
			out = append(out, s)
		} else {
			out = append(out, place(item.at))
		}
	}
	return out
}

func (b *builder) tag(f *lamina.Function, key, value string) {
	if f.Tags == nil {
		f.Tags = map[string]string{}
	}
	f.Tags[key] = value
}

// named finds the declared function that a text names by ARN or by name, or makes
// one of which nothing else is said: the estate may have it.
func (b *builder) named(r resource, v value) *lamina.Function {
	ref, known := v.known()
	if !known || ref == "" {
		return nil
	}
	if f := b.functions.byARN[ref]; f != nil {
		return f
	}
	var arn, name string
	if a, err := lamina.ParseARN(ref); err == nil && a.Service == "lambda" {
		parts := strings.Split(a.Resource, ":")
		if len(parts) > 2 { // of a version or an alias
			a.Resource = strings.Join(parts[:2], ":")
		}
		arn, name = a.String(), parts[min(1, len(parts)-1)]
	} else {
		name, _, _ = strings.Cut(ref, ":")
		arn = b.lambda("function:" + name)
	}
	if first, ok := b.functions.named[name]; ok && first < arn && arn == b.lambda("function:"+name) {
		return b.functions.byARN[first]
	}
	if f := b.functions.byARN[arn]; f != nil {
		return f
	}
	if first, ok := b.functions.named[name]; ok && arn == b.lambda("function:"+name) {
		return b.functions.byARN[first]
	}
	f := &lamina.Function{ARN: arn, Account: b.account, Region: b.opt.Region, Name: name, Version: "$LATEST", Origin: &lamina.Origin{File: r.at.File, Line: r.at.Line}}
	if a, err := lamina.ParseARN(arn); err == nil {
		f.Account, f.Region = a.Account, a.Region
	}
	b.functions.add(arn, f.Name, f)
	b.partial[arn] = true
	b.at(arn, "", r.at)
	return f
}

func (b *builder) takeURL(r resource) {
	target := r.props.get("TargetFunctionArn")
	f := b.named(r, target)
	if f == nil {
		b.doubtful("lambda:ListFunctionUrlConfigs", r.id, "TargetFunctionArn", r.at, target)
		return
	}
	auth := r.props.get("AuthType")
	s, known := auth.known()
	if !known {
		b.doubtful("lambda:ListFunctionUrlConfigs", f.ARN, "AuthType", r.at, auth)
		return
	}
	at := r.at
	if auth.at.Line != 0 {
		at = auth.at
	}
	f.URLs = append(f.URLs, lamina.FunctionURL{Qualifier: r.props.get("Qualifier").text, AuthType: s})
	b.at(f.ARN, "function URL: AuthType "+s, at)
}

func (b *builder) takePermission(r resource) {
	f := b.named(r, r.props.get("FunctionName"))
	if f == nil {
		return
	}
	if d, doubt := r.props.doubt(); doubt {
		b.doubtful("lambda:GetPolicy", f.ARN, "the permission "+r.logical, r.at, d)
		return
	}
	s := map[string]any{"Sid": r.logical, "Effect": "Allow", "Action": cmp.Or(r.props.get("Action").text, "lambda:InvokeFunction"), "Resource": f.ARN}
	switch who := r.props.get("Principal").text; {
	case who == "*":
		s["Principal"] = "*"
	case strings.Contains(who, ".amazonaws.com"):
		s["Principal"] = map[string]string{"Service": who}
	default:
		s["Principal"] = map[string]string{"AWS": who}
	}
	conditions := map[string]any{}
	for _, c := range []struct{ property, operator, key string }{
		{"SourceArn", "ArnLike", "aws:SourceArn"},
		{"SourceAccount", "StringEquals", "aws:SourceAccount"},
		{"PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"},
		{"FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"},
	} {
		if v := r.props.get(c.property); v.kind == text {
			m, _ := conditions[c.operator].(map[string]string)
			if m == nil {
				m = map[string]string{}
			}
			m[c.key] = v.text
			conditions[c.operator] = m
		}
	}
	if len(conditions) > 0 {
		s["Condition"] = conditions
	}
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{s}})
	if err != nil {
		return // texts and maps of texts are JSON
	}
	f.Policies = append(f.Policies, lamina.FunctionPolicy{Document: string(doc)})
	b.at(f.ARN, "statement: "+r.logical, r.at)
}

func (b *builder) takeAlias(r resource) {
	if f := b.named(r, r.props.get("FunctionName")); f != nil && r.props.get("Name").kind == text {
		f.Aliases = append(f.Aliases, lamina.Alias{Name: r.props.get("Name").text, Version: cmp.Or(r.props.get("FunctionVersion").text, "$LATEST")})
	}
}

func (b *builder) takeSource(r resource) {
	if f := b.named(r, r.props.get("FunctionName")); f != nil {
		f.EventSources = append(f.EventSources, lamina.EventSourceMapping{UUID: r.id, SourceARN: r.props.get("EventSourceArn").text})
	}
}

func (b *builder) takeSigning(r resource) {
	policy := r.props.get("CodeSigningPolicies").get("UntrustedArtifactOnDeployment")
	if policy.kind == unknown {
		b.doubtful("lambda:GetCodeSigningConfig", r.id, "UntrustedArtifactOnDeployment", r.at, policy)
		return
	}
	b.signing[r.id] = lamina.CodeSigningConfig{
		ARN: r.id, Account: b.account, Region: b.opt.Region, UntrustedArtifact: cmp.Or(policy.text, "Warn"),
		AllowedPublishers: r.props.get("AllowedPublishers").get("SigningProfileVersionArns").texts(),
	}
	b.at(r.id, "", r.at)
}

// readAtMost reads up to limit bytes, and refuses more.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New("it is longer than it said")
	}
	return data, err
}
