package checks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// The tests of checks describe an estate in lines of words and key=value pairs:
//
//	org o-exampleorgid
//	account 444455556666 status=SUSPENDED parent=ou-1 collected=false administers=guardduty.amazonaws.com
//	target 111122223333 us-east-1             everything was read there
//	gap 111122223333 eu-west-1 lambda:ListLayers denied
//	gap 111122223333 eu-west-1 lambda:GetLayerVersionPolicy throttled acme-auth:7
//	unit ou-prod parent=r-1
//	layer acme-auth:7 runtimes=python3.12 signed=PROFILE-VERSION-ARN
//	grant acme-auth:7 SID * org=o-exampleorgid
//	function billing layers=acme-auth:7,arn:… role=billing env.NODE_OPTIONS=--require
//	function billing:3 layers=acme-auth:6
//	function new code=template.yaml parameters=/layers/common,/layers/pinned:3
//	alias billing live 3
//	function api door=apigateway.amazonaws.com at=live   the door is the alias's
//	function api policy={"Statement":…} at=live
//	trail org group=arn:aws:logs:eu-west-1:111122223333:log-group:trail:*
//	filter layers trail { $.eventName = "*LayerVersion*" }
//	alarm layers layers arn:aws:sns:eu-west-1:111122223333:alerts threshold=1
//	topic alerts confirmed=email
//	subnet private nat-1
//	sg open 0.0.0.0/0
//	endpoint s3 com.amazonaws.eu-west-1.s3 {"Statement":…}
//	dns GROUP vpc-1 priority=101 ALLOW:list BLOCK:* BLOCK:@DNS_TUNNELING BLOCK:list?TXT
//	service inspector2:LAMBDA on
//	unscanned billing EXCLUDED_BY_TAG
//	said billing inspector2 HIGH CVE-2099-0001 epss=0.9 in=acme-auth:7 package=old version=1.0 fixed=1.1
//	recorded billing
//	rule share ENABLED {"source":["aws.lambda"]} targets=arn:…
//
// log_test.go says how logs and an earlier estate are written beside it.
// What names no account and region is of 111122223333 and eu-west-1; account=
// and region= say others. A line "unread ACTION" takes an action away from all.
const (
	home       = "111122223333"
	homeRegion = "eu-west-1"
)

// actions are all actions the collector knows.
func actions() []string {
	var all []string
	for _, c := range awsread.Calls {
		all = append(all, c.Action)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

type estateText struct {
	t       *testing.T
	s       lamina.Snapshot
	targets map[string]*lamina.Target
}

func parseEstate(t *testing.T, text string) lamina.Snapshot {
	t.Helper()
	e := &estateText{t: t, targets: map[string]*lamina.Target{}}
	e.s.Taken = time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	e.target(home, "")
	e.target(home, homeRegion)
	e.target("", "organization")
	accounts := map[string]bool{home: true}
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") || slices.Contains(besides, words[0]) || contentWord(words[0]) {
			continue
		}
		plain, values := pairs(words[1:])
		if err := e.line(words[0], plain, values); err != nil {
			t.Fatalf("line %d %q: %v", i+1, line, err)
		}
		if words[0] == "account" && values["collected"] != "false" {
			accounts[plain[0]] = true
		}
	}
	for id := range accounts {
		if !slices.ContainsFunc(e.s.Accounts, func(a lamina.Account) bool { return a.ID == id }) {
			e.s.Accounts = append(e.s.Accounts, lamina.Account{ID: id, Status: "ACTIVE"})
		}
		e.target(id, "")
		e.target(id, homeRegion)
	}
	for _, key := range slices.Sorted(maps.Keys(e.targets)) {
		e.s.Targets = append(e.s.Targets, *e.targets[key])
	}
	slices.SortFunc(e.s.Accounts, func(a, b lamina.Account) int { return strings.Compare(a.ID, b.ID) })
	return e.s
}

// pairs parts plain words from key=value pairs.
func pairs(words []string) (plain []string, values map[string]string) {
	values = map[string]string{}
	for _, w := range words {
		if k, v, ok := strings.Cut(w, "="); ok && !strings.ContainsAny(w[:1], `{($=&|!"`) {
			values[k] = v
		} else {
			plain = append(plain, w)
		}
	}
	return plain, values
}

// target is the account and region with everything read.
func (e *estateText) target(account, region string) *lamina.Target {
	key := account + " " + region
	if e.targets[key] == nil {
		e.targets[key] = &lamina.Target{Account: account, Region: region, Read: actions()}
	}
	return e.targets[key]
}

func (e *estateText) layerARN(name string, v map[string]string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	account, region := or(v["account"], home), or(v["region"], homeRegion)
	e.target(account, region)
	return "arn:aws:lambda:" + region + ":" + account + ":layer:" + name
}

func or(v, def string) string {
	if v == "" {
		return def
	}
	return v
}

func (e *estateText) line(kind string, p []string, v map[string]string) error {
	account, region := or(v["account"], home), or(v["region"], homeRegion)
	switch kind {
	case "org":
		e.s.OrgID = p[0]
	case "account":
		e.s.Accounts = append(e.s.Accounts, lamina.Account{
			ID: p[0], Status: or(v["status"], "ACTIVE"), ParentID: v["parent"], Management: v["management"] == "true", Delegated: list(v["administers"]),
		})
	case "target":
		e.target(p[0], p[1])
	case "gap":
		t := e.target(strings.TrimPrefix(p[0], "-"), strings.TrimPrefix(p[1], "-"))
		t.Read = slices.DeleteFunc(t.Read, func(a string) bool { return a == p[2] })
		g := lamina.Gap{Action: p[2], Reason: p[3], Denied: p[3] == "denied"}
		for _, r := range p[4:] {
			g.Resources = append(g.Resources, e.layerARN(r, v))
		}
		t.Gaps = append(t.Gaps, g)
	case "layer":
		return e.layer(p, v)
	case "grant":
		arn := e.layerARN(p[0], v)
		i := slices.IndexFunc(e.s.Layers, func(l lamina.LayerVersion) bool { return l.ARN == arn })
		if i < 0 {
			return fmt.Errorf("no layer %s", arn)
		}
		l := &e.s.Layers[i]
		if l.Policy == nil {
			l.Policy = &lamina.LayerPolicy{RevisionID: "r-1"}
		}
		l.Policy.Grants = append(l.Policy.Grants, lamina.Grant{StatementID: p[1], Action: "lambda:GetLayerVersion", Principal: p[2], OrganizationID: v["org"]})
	case "function":
		e.function(p, v, account, region)
	case "alias":
		arn := "arn:aws:lambda:" + region + ":" + account + ":function:" + p[0]
		i := slices.IndexFunc(e.s.Functions, func(f lamina.Function) bool { return f.ARN == arn })
		if i < 0 {
			return fmt.Errorf("no function %s", arn)
		}
		e.s.Functions[i].Aliases = append(e.s.Functions[i].Aliases, lamina.Alias{Name: p[1], Version: p[2]})
	case "policy":
		e.s.ManagedPolicies = append(e.s.ManagedPolicies, lamina.ManagedPolicy{ARN: "arn:aws:iam::aws:policy/" + p[0], Name: p[0], Document: p[1]})
	case "group":
		e.s.Groups = append(e.s.Groups, lamina.Group{ARN: "arn:aws:iam::" + account + ":group/" + p[0], Account: account, Name: p[0], Attached: policies(v["attached"])})
	case "role", "user":
		e.principal(kind, p[0], v, account)
	case "unit":
		e.s.OrganizationalUnits = append(e.s.OrganizationalUnits, lamina.OrganizationalUnit{ID: p[0], ParentID: v["parent"]})
	case "scp":
		return e.scp(p, v)
	case "csc":
		e.s.CodeSigningConfigs = append(e.s.CodeSigningConfigs, lamina.CodeSigningConfig{
			ARN: cscARN(p[0], account, region), Account: account, Region: region, UntrustedArtifact: p[1], AllowedPublishers: p[2:],
		})
	case "profile":
		e.s.SigningProfiles = append(e.s.SigningProfiles, lamina.SigningProfile{VersionARN: p[0], Name: p[0][strings.LastIndex(p[0], "/")+1:], Account: account, Region: region, Status: p[1]})
	case "bucket":
		e.s.Buckets = append(e.s.Buckets, lamina.Bucket{Name: p[0], Account: v["account"], Versioning: v["versioning"], Policy: v["policy"], PublicAccessBlocked: v["blocked"] == "true", ObjectLock: v["lock"] == "true"})
	case "subnet":
		e.s.Subnets = append(e.s.Subnets, lamina.Subnet{ID: p[0], Account: account, Region: region, VPC: or(v["vpc"], "vpc-1"), Owner: v["owner"], DefaultRoutes: p[1:]})
	case "dns":
		return e.dns(p, v, account, region)
	case "sg":
		e.s.SecurityGroups = append(e.s.SecurityGroups, lamina.SecurityGroup{ID: p[0], Account: account, Region: region, VPC: "vpc-1", Egress: p[1:]})
	case "endpoint":
		e.s.VPCEndpoints = append(e.s.VPCEndpoints, lamina.VPCEndpoint{ID: p[0], Account: account, Region: region, VPC: "vpc-1", Service: p[1], Policy: strings.Join(p[2:], " ")})
	case "service":
		e.s.Services = append(e.s.Services, lamina.ServiceStatus{Account: account, Region: region, Feature: p[0], Enabled: p[1] == "on"})
	case "unscanned":
		e.s.Unscanned = append(e.s.Unscanned, lamina.Unscanned{Function: "arn:aws:lambda:" + region + ":" + account + ":function:" + p[0], Reason: p[1]})
	case "said":
		epss, err := strconv.ParseFloat(or(v["epss"], "0"), 64)
		in := v["in"]
		if in != "" {
			in = e.layerARN(in, v)
		}
		e.s.ServiceFindings = append(e.s.ServiceFindings, lamina.ServiceFinding{
			ID: "finding", Account: account, Region: region, Service: p[1], Severity: p[2], Title: p[3], Vulnerabilities: p[3:], EPSS: epss,
			Resources: []string{"arn:aws:lambda:" + region + ":" + account + ":function:" + p[0]},
			Packages:  []lamina.ServicePackage{{Name: v["package"], Version: v["version"], FixedIn: v["fixed"], Layer: in}},
		})
		return err
	case "recorded":
		e.s.ConfigRecords = append(e.s.ConfigRecords, lamina.ConfigRecord{Function: "arn:aws:lambda:" + region + ":" + account + ":function:" + p[0], Captured: e.s.Taken})
	case "rule":
		e.s.EventRules = append(e.s.EventRules, lamina.EventRule{
			ARN: "arn:aws:events:" + region + ":" + account + ":rule/" + p[0], Account: account, Region: region, Bus: "default", State: p[1], Pattern: strings.Join(p[2:], " "), Targets: list(v["targets"]),
		})
	case "filter":
		e.s.MetricFilters = append(e.s.MetricFilters, lamina.MetricFilter{Account: account, Region: region, LogGroup: p[1], Name: p[0], Namespace: "Trail", Metric: or(v["metric"], p[0]), Pattern: strings.Join(p[2:], " ")})
	case "alarm":
		threshold, err := strconv.ParseFloat(or(v["threshold"], "1"), 64)
		e.s.Alarms = append(e.s.Alarms, lamina.Alarm{
			ARN: "arn:aws:cloudwatch:" + region + ":" + account + ":alarm:" + p[0], Account: account, Region: region, Name: p[0], Namespace: "Trail", Metric: p[1],
			ActionsEnabled: v["actions"] != "off", Actions: p[2:], Comparison: or(v["comparison"], "GreaterThanOrEqualToThreshold"), Threshold: threshold,
		})
		return err
	case "topic":
		topic := lamina.Topic{ARN: "arn:aws:sns:" + region + ":" + account + ":" + p[0], Pending: map[string]int{"email": 1}}
		if v["confirmed"] != "" {
			topic.Confirmed = map[string]int{v["confirmed"]: 1}
		}
		e.s.Topics = append(e.s.Topics, topic)
	case "trail":
		e.s.Trails = append(e.s.Trails, lamina.Trail{
			ARN: "arn:aws:cloudtrail:" + region + ":" + account + ":trail/" + p[0], Account: account, Name: p[0], HomeRegion: region,
			MultiRegion: v["multi"] == "true", Organization: v["organization"] == "true", Logging: v["logging"] != "false", Management: or(v["management"], "All"),
			LogGroupARN: v["group"], LogValidation: v["validation"] == "true", Bucket: v["bucket"],
		})
	case "analyzer":
		e.s.Analyzers = append(e.s.Analyzers, lamina.AccessAnalyzer{
			ARN: "arn:aws:access-analyzer:" + region + ":" + account + ":analyzer/" + p[0], Account: account, Region: region, Type: p[1], Status: or(v["status"], "ACTIVE"),
		})
	case "storage":
		used, _ := strconv.ParseInt(v["used"], 10, 64)
		limit, _ := strconv.ParseInt(v["limit"], 10, 64)
		e.s.CodeStorage = append(e.s.CodeStorage, lamina.CodeStorage{Account: p[0], Region: p[1], Used: used << 20, Limit: limit << 20})
	case "access":
		e.s.AccessFindings = append(e.s.AccessFindings, lamina.AccessFinding{ID: p[1], Kind: v["kind"], Resource: e.layerARN(p[0], v), Status: or(v["status"], "ACTIVE"), Public: true, Principals: []string{"AWS:*"}})
	default:
		return fmt.Errorf("unknown word %q", kind)
	}
	return nil
}

func policies(names string) []string {
	var arns []string
	for _, n := range list(names) {
		arns = append(arns, "arn:aws:iam::aws:policy/"+n)
	}
	return arns
}

func (e *estateText) principal(kind, name string, v map[string]string, account string) {
	p := lamina.Principal{
		ARN: "arn:aws:iam::" + account + ":" + kind + "/" + name, Account: account, Kind: strings.ToUpper(kind[:1]) + kind[1:], Name: name, ID: "A" + strings.ToUpper(name), Path: "/",
		Attached: policies(v["attached"]),
	}
	for _, g := range list(v["groups"]) {
		p.Groups = append(p.Groups, "arn:aws:iam::"+account+":group/"+g)
	}
	if b := policies(v["boundary"]); len(b) > 0 {
		p.Boundary = b[0]
	}
	if v["oidc"] != "" || v["trusts"] != "" {
		p.Trust = trust(account, v)
	}
	if v["mfa"] != "" {
		p.Credentials = &lamina.Credentials{Password: v["mfa"] != "none", MFA: v["mfa"] == "true"}
	}
	if days, err := strconv.Atoi(v["keys"]); err == nil {
		p.Credentials.AccessKeys = []time.Time{e.s.Taken.Add(-time.Duration(days) * 24 * time.Hour)}
	}
	e.s.Principals = append(e.s.Principals, p)
}

// trust is the trust policy of a role that a provider's tokens take, with any
// sub claim, one like sub=, or another claim= besides; or that trusts= take, with
// an external= id or where=KEY=VALUE.
func trust(account string, v map[string]string) string {
	st := map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]string{"AWS": v["trusts"]}}
	equals, like := map[string]string{}, map[string]string{}
	if host := v["oidc"]; host != "" {
		st["Action"], st["Principal"] = "sts:AssumeRoleWithWebIdentity", map[string]string{"Federated": "arn:aws:iam::" + account + ":oidc-provider/" + host}
		equals[host+":aud"] = "sts.amazonaws.com"
		if v["sub"] != "" {
			like[host+":sub"] = v["sub"]
		}
		if v["claim"] != "" {
			like[host+":"+v["claim"]] = "acme/*"
		}
	}
	if v["external"] != "" {
		equals["sts:ExternalId"] = v["external"]
	}
	if key, value, ok := strings.Cut(v["where"], "="); ok {
		equals[key] = value
	}
	condition := map[string]any{}
	if len(equals) > 0 {
		condition["StringEquals"] = equals
	}
	if len(like) > 0 {
		condition["StringLike"] = like
	}
	st["Condition"] = condition
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": st})
	if err != nil {
		panic(err) // strings alone
	}
	return string(doc)
}

// scp attaches a policy to nodes: one that allows everything, one of iam's
// guardrails, or one that denies an action under conditions.
//
//	scp full r-1 allow=*
//	scp p1 ou-prod guardrail=p1-only-approved-layers
//	scp loose ou-prod deny=lambda:GetLayerVersion condition={"StringNotEqualsIfExists":{"aws:SourceAccount":"111122223333"}}
func (e *estateText) scp(p []string, v map[string]string) error {
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	switch {
	case v["guardrail"] != "":
		data, err := os.ReadFile(filepath.Join("..", "iam", "testdata", "guardrails", v["guardrail"]+".json"))
		if err != nil {
			return err
		}
		doc = string(data)
	case v["deny"] != "":
		doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"` + v["deny"] + `","Resource":"*","Condition":` + or(v["condition"], "{}") + `}]}`
	}
	e.s.OrganizationPolicies = append(e.s.OrganizationPolicies, lamina.OrganizationPolicy{ID: "p-" + p[0], Name: p[0], Type: "SERVICE_CONTROL_POLICY", Document: doc, Targets: p[1:]})
	return nil
}

// dns associates a rule group with a VPC: rules are ACTION:LIST, where the list *
// holds every domain, ACTION:@PROTECTION, or either with ?TYPE of records.
func (e *estateText) dns(p []string, v map[string]string, account, region string) error {
	priority, err := strconv.Atoi(or(v["priority"], "101"))
	w := lamina.DNSFirewall{ID: "assoc-" + p[0], Account: account, Region: region, VPC: p[1], Group: p[0], Priority: priority}
	for _, word := range p[2:] {
		action, what, _ := strings.Cut(word, ":")
		what, kind, _ := strings.Cut(what, "?")
		r := lamina.DNSRule{Action: action, Domains: what, QueryType: kind}
		if protection, ok := strings.CutPrefix(what, "@"); ok {
			r.Domains, r.Protection = "", protection
		} else if what == "*" {
			r.Domains, r.Every = "all", true
		}
		w.Rules = append(w.Rules, r)
	}
	e.s.DNSFirewalls = append(e.s.DNSFirewalls, w)
	return err
}

func cscARN(name, account, region string) string {
	return "arn:aws:lambda:" + region + ":" + account + ":code-signing-config:" + name
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func (e *estateText) layer(p []string, v map[string]string) error {
	arn := e.layerARN(p[0], v)
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return err
	}
	created := e.s.Taken.Add(-100 * 24 * time.Hour)
	if days, err := strconv.Atoi(v["days"]); err == nil {
		created = e.s.Taken.Add(-time.Duration(days) * 24 * time.Hour)
	}
	lv := lamina.LayerVersion{
		ARN: arn, Account: l.ARN.Account, Region: l.ARN.Region, Name: l.Name, Version: l.Version, Created: created,
		CodeSHA256: or(v["sha"], "sum-of-"+p[0]), CodeSize: 1000, CompatibleRuntimes: list(v["runtimes"]), CompatibleArchitectures: list(v["arch"]),
		Description: v["description"], LicenseInfo: v["license"], SigningProfileVersionARN: v["signed"],
	}
	if v["signed"] != "" {
		lv.SigningJobARN = "arn:aws:signer:eu-west-1:111122223333:/signing-jobs/1"
	}
	if mib, err := strconv.ParseInt(v["mib"], 10, 64); err == nil {
		lv.CodeSize = mib << 20
	}
	if v["bucket"] != "" {
		lv.Reference = &lamina.S3Object{Bucket: v["bucket"], Key: "layer.zip", VersionID: v["object"]}
	}
	e.s.Layers = append(e.s.Layers, lv)
	return nil
}

func (e *estateText) function(p []string, v map[string]string, account, region string) {
	e.target(account, region)
	name, version, published := strings.Cut(p[0], ":")
	f := lamina.Function{
		ARN: "arn:aws:lambda:" + region + ":" + account + ":function:" + name, Account: account, Region: region, Name: name, Version: "$LATEST",
		Role: "arn:aws:iam::" + account + ":role/" + or(v["role"], name), Runtime: or(v["runtime"], "python3.12"), Handler: "app.handler",
		PackageType: or(v["package"], "Zip"), MasterARN: v["master"], Architectures: []string{or(v["arch"], "x86_64")},
	}
	if published {
		f.Version, f.ARN = version, f.ARN+":"+version
	}
	for _, l := range list(v["layers"]) {
		f.Layers = append(f.Layers, e.layerARN(l, v))
	}
	for k, value := range v {
		if name, ok := strings.CutPrefix(k, "env."); ok {
			if f.Environment == nil {
				f.Environment = map[string]string{}
			}
			f.Environment[name] = value
		}
	}
	for _, p := range list(v["parameters"]) {
		name, number, _ := strings.Cut(p, ":")
		owner := account
		if strings.HasPrefix(name, "/aws/") {
			owner = ""
		}
		f.LayerParameters = append(f.LayerParameters, lamina.LayerParameter{ARN: "arn:aws:ssm:" + region + ":" + owner + ":parameter" + name, Version: number})
	}
	if v["code"] != "" {
		f.Origin = &lamina.Origin{File: v["code"], Line: 1}
	}
	f.Subnets, f.SecurityGroups = list(v["subnets"]), list(v["groups"])
	f.SnapStart, f.EnvironmentError = v["snapstart"], v["enverror"]
	if v["door"] != "" {
		f.Policies = []lamina.FunctionPolicy{{Qualifier: v["at"], Document: `{"Statement":[{"Effect":"Allow","Principal":{"Service":"` + v["door"] + `"},"Action":"lambda:InvokeFunction"}]}`}}
	}
	if v["policy"] != "" {
		f.Policies = []lamina.FunctionPolicy{{Qualifier: v["at"], Document: v["policy"]}}
	}
	if v["csc"] != "" {
		f.CodeSigningConfigARN = cscARN(v["csc"], account, region)
	}
	for _, q := range list(v["provisioned"]) {
		f.Provisioned = append(f.Provisioned, lamina.Provisioned{Qualifier: q, Instances: 2})
	}
	if v["url"] != "" {
		f.URLs = []lamina.FunctionURL{{Qualifier: v["at"], AuthType: v["url"]}}
	}
	e.s.Functions = append(e.s.Functions, f)
}

// without denies the action everywhere and takes out what it had told.
func without(s *lamina.Snapshot, action string) {
	for i := range s.Targets {
		t := &s.Targets[i]
		t.Read = slices.DeleteFunc(slices.Clone(t.Read), func(a string) bool { return a == action })
		t.Gaps = append(slices.Clone(t.Gaps), lamina.Gap{Action: action, Denied: true, Reason: "denied"})
	}
	for i := range s.Layers {
		l := &s.Layers[i]
		switch action {
		case "lambda:GetLayerVersion":
			l.CodeSHA256, l.SigningProfileVersionARN, l.SigningJobARN, l.Reference = "", "", "", nil
		case "lambda:GetLayerVersionPolicy":
			l.Policy = nil
		}
	}
	for i := range s.Functions {
		f := &s.Functions[i]
		switch action {
		case "lambda:GetFunctionCodeSigningConfig":
			f.CodeSigningConfigARN = ""
		case "lambda:ListFunctionUrlConfigs":
			f.URLs = nil
		case "lambda:ListProvisionedConcurrencyConfigs":
			f.Provisioned = nil
		case "lambda:ListAliases":
			f.Aliases = nil
		}
	}
	for i := range s.Trails {
		switch action {
		case "cloudtrail:GetTrailStatus":
			s.Trails[i].Logging = false
		case "cloudtrail:GetEventSelectors":
			s.Trails[i].Management, s.Trails[i].Advanced = "", nil
		}
	}
	switch action {
	case "lambda:ListLayers", "lambda:ListLayerVersions":
		s.Layers = nil
	case "iam:GetAccountAuthorizationDetails":
		s.Principals, s.Groups, s.ManagedPolicies = nil, nil, nil
	case "iam:GetCredentialReport":
		for i := range s.Principals {
			s.Principals[i].Credentials = nil
		}
	case "lambda:ListFunctions":
		s.Functions, s.CodeSigningConfigs = nil, nil
	case "lambda:GetCodeSigningConfig", "lambda:GetFunctionCodeSigningConfig":
		s.CodeSigningConfigs = nil
	case "signer:ListSigningProfiles":
		s.SigningProfiles = nil
	case "s3:GetBucketVersioning", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock":
		s.Buckets = nil
	case "cloudtrail:DescribeTrails":
		s.Trails = nil
	case "inspector2:ListCoverage":
		s.Unscanned = nil
	case "inspector2:ListFindings", "guardduty:ListFindings", "guardduty:GetFindings", "securityhub:GetFindings":
		service, _, _ := strings.Cut(action, ":")
		s.ServiceFindings = slices.DeleteFunc(slices.Clone(s.ServiceFindings), func(x lamina.ServiceFinding) bool { return x.Service == service })
	case "config:SelectResourceConfig":
		s.ConfigRecords = nil
	case "ec2:DescribeSubnets", "ec2:DescribeRouteTables":
		s.Subnets = nil
	case "ec2:DescribeSecurityGroups":
		s.SecurityGroups = nil
	case "route53resolver:ListFirewallRuleGroupAssociations":
		s.DNSFirewalls = nil
	case "route53resolver:ListFirewallRules", "route53resolver:ListFirewallDomainLists", "route53resolver:ListFirewallDomains":
		for i, w := range s.DNSFirewalls {
			for j := range w.Rules {
				w.Rules[j].Every = false
			}
			if action == "route53resolver:ListFirewallRules" {
				s.DNSFirewalls[i].Rules = nil
			}
		}
	case "ec2:DescribeVpcEndpoints":
		s.VPCEndpoints = nil
	case "inspector2:BatchGetAccountStatus", "guardduty:ListDetectors", "guardduty:GetDetector", "securityhub:DescribeHub":
		s.Services = nil
	case "events:ListRules":
		s.EventRules = nil
	case "events:ListTargetsByRule":
		for i := range s.EventRules {
			s.EventRules[i].Targets = nil
		}
	case "logs:DescribeMetricFilters":
		s.MetricFilters = nil
	case "cloudwatch:DescribeAlarms":
		s.Alarms = nil
	case "sns:ListSubscriptionsByTopic":
		s.Topics = nil
	case "lambda:GetAccountSettings":
		s.CodeStorage = nil
	case "access-analyzer:ListAnalyzers":
		s.Analyzers, s.AccessFindings = nil, nil
	case "access-analyzer:ListFindings":
		s.AccessFindings = nil
	case "organizations:DescribePolicy", "organizations:ListPolicies", "organizations:ListTargetsForPolicy":
		s.OrganizationPolicies = nil
	case "organizations:ListRoots", "organizations:ListOrganizationalUnitsForParent", "organizations:ListAccountsForParent":
		s.OrganizationalUnits = nil
	case "organizations:DescribeOrganization":
		s.OrgID, s.Accounts = "", nil
	case "organizations:ListAccounts":
		var collected []lamina.Account
		for _, a := range s.Accounts {
			if slices.ContainsFunc(s.Targets, func(t lamina.Target) bool { return t.Account == a.ID }) {
				collected = append(collected, lamina.Account{ID: a.ID})
			}
		}
		s.Accounts = collected
	}
}
