package sample

import (
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// watch makes what would notice: the organisation's trail, alarms in the first
// accounts, rules, analyzers and their findings, and services.
func (g *generator) watch() {
	m := g.management()
	g.s.Trails = []lamina.Trail{{
		ARN: "arn:aws:cloudtrail:" + Region + ":" + m + ":trail/organization", Account: m, Name: "organization", HomeRegion: Region, MultiRegion: true, Organization: true,
		Logging: true, LogValidation: true, Bucket: "acme-trail-" + m, LogGroupARN: "arn:aws:logs:" + Region + ":" + m + ":log-group:trail:*", Management: "All",
	}}
	g.s.Buckets = append(g.s.Buckets, lamina.Bucket{Name: "acme-trail-" + m, Account: m, ObjectLock: true})
	for i, account := range g.accounts {
		topic := "arn:aws:sns:" + Region + ":" + account + ":alerts"
		if i < 3 || i%30 == 0 {
			g.s.MetricFilters = append(g.s.MetricFilters, lamina.MetricFilter{
				Account: account, Region: Region, LogGroup: "trail", Name: "layers", Namespace: "Security", Metric: "LayerChanges",
				Pattern: `{ ($.eventSource = "lambda.amazonaws.com") && (($.eventName = "AddLayerVersionPermission*") || ($.eventName = "PublishLayerVersion*")) }`,
			})
			g.s.Alarms = append(g.s.Alarms, lamina.Alarm{
				ARN: "arn:aws:cloudwatch:" + Region + ":" + account + ":alarm:layers", Account: account, Region: Region, Name: "layers", Namespace: "Security", Metric: "LayerChanges",
				ActionsEnabled: i%60 != 0 || i == 0, Actions: []string{topic}, Comparison: "GreaterThanOrEqualToThreshold", Threshold: 1,
			})
			t := lamina.Topic{ARN: topic, Confirmed: map[string]int{"email": 1, "sqs": 1}}
			if i%4 == 2 { // nobody confirmed
				t = lamina.Topic{ARN: topic, Pending: map[string]int{"email": 1}}
			}
			g.s.Topics = append(g.s.Topics, t)
		}
		if i%10 == 1 {
			g.s.EventRules = append(g.s.EventRules, lamina.EventRule{
				ARN: "arn:aws:events:" + Region + ":" + account + ":rule/layers", Account: account, Region: Region, Bus: "default", State: "ENABLED",
				Pattern: `{"source":["aws.lambda"],"detail":{"eventName":[{"prefix":"PublishLayerVersion"}]}}`, Targets: []string{"arn:aws:sqs:" + Region + ":" + account + ":layers"},
			})
		}
		for _, region := range slices.Compact(slices.Clone(regions)) {
			if i%5 != 4 {
				g.s.Analyzers = append(g.s.Analyzers, lamina.AccessAnalyzer{
					ARN: analyzer(account, region), Account: account, Region: region, Type: "ACCOUNT", Status: "ACTIVE",
				})
			}
			for _, feature := range []string{"config:AWS::Lambda::Function", "guardduty:LAMBDA_NETWORK_LOGS", "inspector2:LAMBDA", "inspector2:LAMBDA_CODE", "securityhub"} {
				g.s.Services = append(g.s.Services, lamina.ServiceStatus{Account: account, Region: region, Feature: feature, Enabled: (i+len(feature))%3 != 0})
			}
		}
	}
	for _, region := range slices.Compact(slices.Clone(regions)) {
		g.s.SigningProfiles = append(g.s.SigningProfiles,
			lamina.SigningProfile{VersionARN: g.profile(region, "ci"), Name: "ci", Account: g.platform(), Region: region, Status: "Active"},
			lamina.SigningProfile{VersionARN: g.profile(region, "old"), Name: "old", Account: g.platform(), Region: region, Status: "Revoked"})
	}
	g.findings()
	g.unused()
	g.buckets()
	g.unscanned()
	g.said()
}

// unscanned are functions that Inspector leaves out where it is on.
func (g *generator) unscanned() {
	on := map[string]bool{}
	for _, s := range g.s.Services {
		on[s.Account+" "+s.Region] = on[s.Account+" "+s.Region] || s.Feature == "inspector2:LAMBDA" && s.Enabled
	}
	for i, f := range g.s.Functions {
		if i%40 == 3 && f.Version == "$LATEST" && on[f.Account+" "+f.Region] {
			g.s.Unscanned = append(g.s.Unscanned, lamina.Unscanned{Function: f.ARN, Reason: []string{"EXCLUDED_BY_TAG", "SCAN_ELIGIBILITY_EXPIRED"}[i/40%2]})
		}
	}
}

func analyzer(account, region string) string {
	return "arn:aws:access-analyzer:" + region + ":" + account + ":analyzer/external"
}

// findings are what the analyzers, which know an account as their zone of trust,
// say of layers; one in twenty is missing yet.
func (g *generator) findings() {
	has := map[string]bool{}
	for _, a := range g.s.Analyzers {
		has[a.ARN] = true
	}
	for _, v := range g.s.Layers {
		if v.Policy == nil || !has[analyzer(v.Account, v.Region)] || g.chance(5) {
			continue
		}
		for _, gr := range v.Policy.Grants {
			if gr.Principal == v.Account {
				continue
			}
			g.s.AccessFindings = append(g.s.AccessFindings, lamina.AccessFinding{
				ID: revision(v.ARN, gr.StatementID), Analyzer: analyzer(v.Account, v.Region), Resource: v.ARN, Status: "ACTIVE",
				Public: gr.Principal == "*" && gr.OrganizationID == "", Principals: []string{"AWS:" + gr.Principal}, Updated: g.before(30),
			})
		}
	}
}

// unused are roles that nobody took for a while, as an analyzer in the platform's
// account says of it.
func (g *generator) unused() {
	arn := "arn:aws:access-analyzer:" + Region + ":" + g.platform() + ":analyzer/unused"
	g.s.Analyzers = append(g.s.Analyzers, lamina.AccessAnalyzer{ARN: arn, Account: g.platform(), Region: Region, Type: "ACCOUNT_UNUSED_ACCESS", Status: "ACTIVE"})
	for _, p := range g.s.Principals {
		if p.Account == g.platform() && p.Kind == "Role" && strings.Contains(p.Name, "admin") {
			g.s.AccessFindings = append(g.s.AccessFindings, lamina.AccessFinding{
				ID: revision(p.ARN, "unused"), Kind: "UnusedIAMRole", Analyzer: arn, Resource: p.ARN, Status: "ACTIVE", Updated: Taken.AddDate(0, 0, -3),
			})
		}
	}
	seen := map[string]bool{} // roles of the platform's functions with layers; every other has what it does not use
	for _, f := range g.s.Functions {
		if f.Account != g.platform() || len(f.Layers) == 0 || seen[f.Role] {
			continue
		}
		seen[f.Role] = true
		if len(seen)%2 == 1 {
			g.s.AccessFindings = append(g.s.AccessFindings, lamina.AccessFinding{
				ID: revision(f.Role, "permissions"), Kind: "UnusedPermission", Analyzer: arn, Resource: f.Role, Status: "ACTIVE", Updated: Taken.AddDate(0, 0, -2),
				Unused: []string{"dynamodb:*", "s3:DeleteObject", "s3:PutObject"},
			})
		}
	}
}

// buckets hold the layers of which Lambda keeps no copy; every other keeps no
// versions.
func (g *generator) buckets() {
	owners := map[string]string{}
	for _, v := range g.s.Layers {
		if v.Reference != nil {
			owners[v.Reference.Bucket] = v.Account
		}
	}
	for i, name := range slices.Sorted(maps.Keys(owners)) {
		g.s.Buckets = append(g.s.Buckets, lamina.Bucket{
			Name: name, Account: owners[name], Versioning: []string{"Enabled", "Suspended"}[i%2], PublicAccessBlocked: true,
			Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::` + name + `/*"}]}`,
		})
	}
}

// networks makes two subnets and a security group wherever a function needs them.
func (g *generator) networks() {
	for i, at := range slices.Sorted(maps.Keys(g.used)) {
		account, region, _ := strings.Cut(at, " ")
		vpc := "vpc-" + strings.ToLower(id(account, region))
		for _, zone := range []string{"a", "b"} {
			n := lamina.Subnet{ID: subnetID(account, region, zone), Account: account, Region: region, VPC: vpc}
			if i%3 > 0 {
				n.DefaultRoutes = []string{"nat-" + strings.ToLower(id(vpc, zone))}
			}
			g.s.Subnets = append(g.s.Subnets, n)
		}
		group := lamina.SecurityGroup{ID: "sg-" + strings.ToLower(id(account, region)), Account: account, Region: region, VPC: vpc, Egress: []string{"0.0.0.0/0"}}
		if i%4 == 3 {
			group.Egress = []string{"10.0.0.0/8", "pl-" + strings.ToLower(id(vpc))}
			g.s.VPCEndpoints = append(g.s.VPCEndpoints, lamina.VPCEndpoint{
				ID: "vpce-" + strings.ToLower(id(vpc, "endpoint")), Account: account, Region: region, VPC: vpc, Service: "com.amazonaws." + region + ".lambda", Policy: fullAccess,
			})
		}
		g.s.SecurityGroups = append(g.s.SecurityGroups, group)
		if i%2 == 1 { // every fourth lets only what it names through; the others hold back what AWS has on its lists
			w := lamina.DNSFirewall{
				ID: "rslvr-frgassoc-" + strings.ToLower(id(vpc, "dns")), Account: account, Region: region, VPC: vpc, Group: "rslvr-frg-" + strings.ToLower(id(account, region, "dns")), Priority: 101,
				Rules: []lamina.DNSRule{{Action: "BLOCK", Domains: "rslvr-fdl-managed-malware"}},
			}
			if i%4 == 3 {
				w.Rules = append(w.Rules,
					lamina.DNSRule{Action: "ALLOW", Domains: "rslvr-fdl-" + strings.ToLower(id(vpc, "ours"))},
					lamina.DNSRule{Action: "BLOCK", Domains: "rslvr-fdl-" + strings.ToLower(id(vpc, "rest")), Every: true})
			}
			g.s.DNSFirewalls = append(g.s.DNSFirewalls, w)
		}
	}
}

// said is what services that are on say of functions with layers, and of layers;
// what AWS Config has a record of; and how many findings of Inspector Security Hub
// repeats, which Play makes. No vulnerability of that name exists.
func (g *generator) said() {
	on := map[string]bool{}
	for _, s := range g.s.Services {
		on[s.Feature+" "+s.Account+" "+s.Region] = s.Enabled
	}
	counts := map[string]*lamina.FindingCount{}
	say := func(x lamina.ServiceFinding, account, region string) {
		x.Account, x.Region, x.First, x.Last = account, region, Taken.AddDate(0, 0, -20), Taken.AddDate(0, 0, -1)
		key := x.Service + " " + account + " " + region
		if counts[key] == nil {
			counts[key] = &lamina.FindingCount{Account: account, Region: region, Service: x.Service}
		}
		counts[key].Listed++
		counts[key].Kept++
		g.s.ServiceFindings = append(g.s.ServiceFindings, x)
	}
	left := map[string]bool{}
	for _, u := range g.s.Unscanned {
		left[u.Function] = true
	}
	n := 0
	for _, f := range g.s.Functions {
		if f.Version != "$LATEST" {
			continue
		}
		at := f.Account + " " + f.Region
		if on["config:AWS::Lambda::Function "+at] {
			g.s.ConfigRecords = append(g.s.ConfigRecords, lamina.ConfigRecord{Function: f.ARN, Captured: Taken.AddDate(0, 0, -4)})
		}
		if len(f.Layers) == 0 {
			continue
		}
		n++
		if n%4 == 1 && on["inspector2:LAMBDA "+at] && !left[f.ARN] {
			epss := 0.02
			if slices.ContainsFunc(f.URLs, func(u lamina.FunctionURL) bool { return u.AuthType == "NONE" }) {
				epss = 0.71
			}
			say(lamina.ServiceFinding{
				ID: "arn:aws:inspector2:" + f.Region + ":" + f.Account + ":finding/" + revision(f.ARN, "inspector"), Service: "inspector2", Type: "PACKAGE_VULNERABILITY",
				Severity: "HIGH", Title: "CVE-2099-0001 - samplelib", Resources: []string{f.ARN}, Vulnerabilities: []string{"CVE-2099-0001"}, EPSS: epss,
				Packages: []lamina.ServicePackage{{Name: "samplelib", Version: "1.4.0", FixedIn: "1.4.2", Path: "python/samplelib-1.4.0.dist-info/METADATA", Layer: f.Layers[0]}},
			}, f.Account, f.Region)
		}
		if n%6 == 3 && on["securityhub "+at] {
			say(lamina.ServiceFinding{
				ID: "acme/" + revision(f.ARN, "hub"), Service: "securityhub", Product: "aws/securityhub", Type: "Software and Configuration Checks/AWS Security Best Practices",
				Severity: "MEDIUM", Title: "Lambda functions should use supported runtimes", Resources: []string{f.ARN},
			}, f.Account, f.Region)
		}
		if n%9 == 2 && on["guardduty:LAMBDA_NETWORK_LOGS "+at] {
			say(lamina.ServiceFinding{
				ID: "arn:aws:guardduty:" + f.Region + ":" + f.Account + ":detector/sample/finding/" + revision(f.ARN, "guardduty"), Service: "guardduty", Type: "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom",
				Severity: "MEDIUM", Title: "A function sends to an address on a list of threats.", Resources: []string{f.ARN},
			}, f.Account, f.Region)
		}
	}
	for _, v := range g.s.Layers {
		public := v.Policy != nil && slices.ContainsFunc(v.Policy.Grants, func(gr lamina.Grant) bool { return gr.Principal == "*" && gr.OrganizationID == "" })
		if public && on["securityhub "+v.Account+" "+v.Region] {
			say(lamina.ServiceFinding{
				ID: "acme/" + revision(v.ARN, "hub"), Service: "securityhub", Product: v.Account + "/default", Type: "Effects/Data Exposure", Severity: "HIGH", Title: "Layer is public", Resources: []string{v.ARN},
			}, v.Account, v.Region)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(counts)) {
		c := *counts[key]
		if c.Service == "securityhub" && on["inspector2:LAMBDA "+c.Account+" "+c.Region] {
			c.Copies = 1
			c.Listed++
		}
		g.s.FindingCounts = append(g.s.FindingCounts, c)
	}
}
