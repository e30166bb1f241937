package sample

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
)

// layers makes the layers that the organisation owns.
func (g *generator) layers() {
	what := []string{"common", "utils", "auth", "logging", "pandas", "ffmpeg", "crypto", "sdk", "telemetry", "deps", "browser", "fonts", "models", "drivers"}
	for left := g.size.LayerVersions; left > 0; {
		n := len(g.series)
		l := &series{account: g.accounts[g.skewed(len(g.accounts))], region: pick(g, regions), name: fmt.Sprintf("%s-%s-%d", what[n%len(what)], []string{"py", "node", "java"}[n%3], n)}
		if g.chance(40) {
			l.account = g.platform()
		}
		l.shared = l.account == g.platform() || g.chance(15)
		count := min(left, 1+g.skewed(60))
		for v := 1; count > 0; v++ {
			if g.chance(12) {
				l.gone = append(l.gone, v)
				continue
			}
			l.versions = append(l.versions, v)
			count--
			left--
		}
		g.series = append(g.series, l)
		for i, v := range l.versions {
			g.s.Layers = append(g.s.Layers, g.version(l, v, i == len(l.versions)-1))
		}
	}
}

func (g *generator) version(l *series, n int, newest bool) lamina.LayerVersion {
	arn := l.arn(n)
	code := layerCode(arn)
	v := lamina.LayerVersion{
		ARN: arn, Account: l.account, Region: l.region, Name: l.name, Version: n, Description: fmt.Sprintf("build %d", 1000+n),
		Created: Taken.AddDate(0, 0, -900+n*10), CompatibleRuntimes: runtimesOf(l.name), CodeSHA256: digest(code), CodeSize: int64(len(code)),
	}
	if l.account == g.platform() && g.chance(30) {
		v.SigningProfileVersionARN, v.SigningJobARN = g.profile(l.region, "ci"), fmt.Sprintf("arn:aws:signer:%s:%s:/signing-jobs/%s", l.region, l.account, strings.ToLower(id(arn)))
		if g.chance(10) {
			v.SigningProfileVersionARN = g.profile(l.region, "old")
		}
	}
	if g.chance(1) {
		v.Reference = &lamina.S3Object{Bucket: "acme-layers-" + l.account, Key: l.name + "-" + strconv.Itoa(n) + ".zip", VersionID: id(arn, "object")}
	}
	if grants := g.grants(l, newest); grants != nil {
		v.Policy = &lamina.LayerPolicy{RevisionID: revision(arn), Grants: grants}
	}
	return v
}

func runtimesOf(name string) []string {
	switch {
	case strings.Contains(name, "-py-"):
		return []string{"python3.11", "python3.12"}
	case strings.Contains(name, "-node-"):
		return []string{"nodejs20.x"}
	}
	return nil
}

func revision(parts ...string) string {
	d := id(append(parts, "revision")...) + id(append(parts, "again")...)
	return strings.ToLower(d[:8] + "-" + d[8:12] + "-" + d[12:16])
}

func (g *generator) profile(region, name string) string {
	return fmt.Sprintf("arn:aws:signer:%s:%s:/signing-profiles/%s/%s", region, g.platform(), name, id(region, name))
}

// grants are those of a version: shared layers have the organisation's, and a few
// of all have one of the others.
func (g *generator) grants(l *series, newest bool) []lamina.Grant {
	var all []lamina.Grant
	add := func(sid, principal, org string) {
		all = append(all, lamina.Grant{StatementID: sid, Action: "lambda:GetLayerVersion", Principal: principal, OrganizationID: org})
	}
	if l.shared {
		add("organization", "*", OrgID)
	}
	switch n := g.random.IntN(100); {
	case n < 8:
		add("partner-account", pick(g, g.accounts), "")
	case n < 11 && !newest: // forgotten
		add("everyone", "*", "")
	case n < 12:
		add("everyone", "*", "")
	case n < 14:
		add("other-organization", "*", "o-otherexample1")
	case n < 16:
		add("unknown", Partner, "")
	case n < 17:
		add("vendor", Vendor, "")
	case n < 18:
		add("ourselves", l.account, "")
	case n < 19:
		add("closed", g.s.Accounts[len(g.s.Accounts)-1].ID, "")
	}
	return all
}

// published are layers of publishers as their documentation names them, and one
// of somebody in no list.
var published = []struct {
	account, name string
	newest        int
}{
	{Vendor, "Datadog-Extension", 65},
	{Vendor, "Datadog-Python312", 96},
	{"017000801446", "AWSLambdaPowertoolsPythonV3-python312-x86_64", 18},
	{"580247275435", "LambdaInsightsExtension", 53},
	{"336392948345", "AWSSDKPandas-Python312", 17},
	{"943013980633", "SentryPythonServerlessSDK", 150},
	{"269863060030", "thundra-lambda-python-layer", 40},
	{Stranger, "useful-tools", 9},
}

// vendors adds the versions of publishers' layers that functions load; some are
// far behind the newest.
func (g *generator) vendors() {
	for _, p := range published {
		for _, region := range slices.Compact(slices.Clone(regions)) {
			for _, back := range []int{0, 1, p.newest / 3} {
				n := p.newest - back
				arn := fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s:%d", region, p.account, p.name, n)
				g.foreign = append(g.foreign, arn)
				if p.account == Stranger && back > 1 {
					continue // its grant was removed: only functions show it
				}
				code := layerCode(arn)
				g.s.Layers = append(g.s.Layers, lamina.LayerVersion{
					ARN: arn, Account: p.account, Region: region, Name: p.name, Version: n, Created: Taken.AddDate(0, 0, -700+n), CodeSHA256: digest(code), CodeSize: int64(len(code)),
				})
			}
		}
	}
}

// functions makes functions with their versions, and what calls them.
func (g *generator) functions() {
	what := []string{"orders", "invoice", "resize", "webhook", "sync", "report", "cleanup", "notify", "search", "auth", "export", "ingest"}
	runtimes := []string{"python3.12", "python3.12", "python3.12", "nodejs20.x", "nodejs20.x", "nodejs18.x", "java21", "python3.8", "provided.al2023", "dotnet8"}
	for i := range g.size.Functions {
		account, region := g.accounts[g.skewed(len(g.accounts))], pick(g, regions)
		f := lamina.Function{
			Account: account, Region: region, Name: fmt.Sprintf("%s-%s-%d", what[i%len(what)], []string{"api", "worker", "job"}[i%3], i), Version: "$LATEST",
			Runtime: pick(g, runtimes), Handler: "app.handler", PackageType: "Zip", Architectures: []string{"x86_64"}, SnapStart: "None",
		}
		f.ARN = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", region, account, f.Name)
		f.LastModified, f.RevisionID = g.before(600), revision(f.ARN)
		if g.chance(25) {
			f.Architectures = []string{"arm64"}
		}
		f.Role = fmt.Sprintf("arn:aws:iam::%s:role/%s", account, f.Name)
		if g.chance(20) {
			f.Role = fmt.Sprintf("arn:aws:iam::%s:role/lambda-shared", account)
		}
		g.roles[f.Role] = true
		code := functionCode(f.ARN)
		f.CodeSHA256, f.CodeSize = digest(code), int64(len(code))
		if g.chance(5) { // an image has no layers, runtime and handler
			f.PackageType, f.Runtime, f.Handler = "Image", "", ""
		} else {
			f.Layers = g.attached(account, region)
		}
		g.settings(&f)
		g.s.Functions = append(g.s.Functions, f)
		g.versions(len(g.s.Functions) - 1)
	}
}

// attached is a list of layers: mostly none or one, at most five, no layer twice.
func (g *generator) attached(account, region string) []string {
	var arns []string
	taken := map[string]bool{}
	add := func(arn string) {
		if layer := arn[:strings.LastIndexByte(arn, ':')]; !taken[layer] {
			taken[layer] = true
			arns = append(arns, arn)
		}
	}
	here := func(keep func(*series) bool) []*series {
		var all []*series
		for _, l := range g.series {
			if l.region == region && keep(l) {
				all = append(all, l)
			}
		}
		return all
	}
	shared, own := here(func(l *series) bool { return l.shared }), here(func(l *series) bool { return l.account == account })
	for range min(5, []int{0, 0, 0, 0, 1, 1, 1, 2, 2, 3 + g.random.IntN(3)}[g.random.IntN(10)]) {
		switch n := g.random.IntN(100); {
		case n < 50 && len(shared) > 0:
			add(g.anyVersion(shared[g.skewed(len(shared))]))
		case n < 75 && len(own) > 0:
			add(g.anyVersion(own[g.skewed(len(own))]))
		default:
			all := slices.DeleteFunc(slices.Clone(g.foreign), func(arn string) bool { return !strings.Contains(arn, ":"+region+":") })
			add(all[g.skewed(len(all))])
		}
	}
	return arns
}

// anyVersion is the newest, an older one, or one that was deleted.
func (g *generator) anyVersion(l *series) string {
	switch {
	case len(l.gone) > 0 && g.chance(8):
		return l.arn(pick(g, l.gone))
	case g.chance(60):
		return l.arn(l.versions[len(l.versions)-1])
	}
	return l.arn(pick(g, l.versions))
}

const invoke = `{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"%s","Effect":"Allow","Principal":%s,"Action":"lambda:InvokeFunction","Resource":"%s"}]}`

// settings are a function's environment, policy, URL, queues, tags and network.
func (g *generator) settings(f *lamina.Function) {
	if g.chance(70) {
		f.Environment = map[string]string{"LOG_LEVEL": "", "TABLE_NAME": ""}
		switch {
		case g.chance(3):
			f.Environment["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/bootstrap"
		case g.chance(3):
			f.Environment["NODE_OPTIONS"] = "--require /opt/hook.js"
		}
	}
	if g.chance(40) {
		f.Tags = map[string]string{"service": f.Name[:strings.IndexByte(f.Name, '-')]}
	}
	switch n := g.random.IntN(100); {
	case n < 20:
		f.Policies = []lamina.FunctionPolicy{{RevisionID: revision(f.ARN, "policy"), Document: fmt.Sprintf(invoke, "api", `{"Service":"apigateway.amazonaws.com"}`, f.ARN)}}
	case n < 22:
		f.Policies = []lamina.FunctionPolicy{{RevisionID: revision(f.ARN, "policy"), Document: fmt.Sprintf(invoke, "all", `"*"`, f.ARN)}}
	}
	if g.chance(3) {
		f.URLs = []lamina.FunctionURL{{AuthType: pick(g, []string{"NONE", "AWS_IAM"})}}
	}
	if g.chance(15) {
		f.EventSources = []lamina.EventSourceMapping{{
			UUID: revision(f.ARN, "mapping"), SourceARN: fmt.Sprintf("arn:aws:sqs:%s:%s:%s", f.Region, f.Account, f.Name), State: "Enabled",
		}}
	}
	if g.chance(20) {
		f.Subnets, f.SecurityGroups = []string{subnetID(f.Account, f.Region, "a"), subnetID(f.Account, f.Region, "b")}, []string{"sg-" + strings.ToLower(id(f.Account, f.Region))}
		g.used[f.Account+" "+f.Region] = true
	}
	if f.PackageType == "Zip" && g.chance(6) {
		f.CodeSigningConfigARN = g.signingConfig(f.Account, f.Region)
	}
}

func subnetID(parts ...string) string { return "subnet-" + strings.ToLower(id(parts...)) }

// signingConfig is the account's configuration in the region; every third
// enforces.
func (g *generator) signingConfig(account, region string) string {
	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:code-signing-config:csc-0%s", region, account, strings.ToLower(id(account, region) + id(region, account))[:16])
	if !slices.ContainsFunc(g.s.CodeSigningConfigs, func(c lamina.CodeSigningConfig) bool { return c.ARN == arn }) {
		c := lamina.CodeSigningConfig{ARN: arn, Account: account, Region: region, UntrustedArtifact: "Warn", AllowedPublishers: []string{g.profile(region, "ci")}}
		if len(g.s.CodeSigningConfigs)%3 == 2 {
			c.UntrustedArtifact = "Enforce"
		}
		g.s.CodeSigningConfigs = append(g.s.CodeSigningConfigs, c)
	}
	return arn
}

// versions publishes some functions: their versions load what was newest then.
func (g *generator) versions(at int) {
	f := g.s.Functions[at]
	if !g.chance(30) {
		return
	}
	n := 1 + g.skewed(6)
	for v := 1; v <= n; v++ {
		p := lamina.Function{
			ARN: f.ARN + ":" + strconv.Itoa(v), Account: f.Account, Region: f.Region, Name: f.Name, Version: strconv.Itoa(v), Role: f.Role, Runtime: f.Runtime, Handler: f.Handler,
			PackageType: f.PackageType, Architectures: f.Architectures, CodeSHA256: f.CodeSHA256, CodeSize: f.CodeSize, LastModified: f.LastModified.AddDate(0, 0, v-n-1),
			RevisionID: revision(f.ARN, strconv.Itoa(v)), Environment: f.Environment, SnapStart: f.SnapStart, Subnets: f.Subnets, SecurityGroups: f.SecurityGroups,
		}
		for _, arn := range f.Layers {
			p.Layers = append(p.Layers, g.older(arn))
		}
		g.s.Functions = append(g.s.Functions, p)
	}
	f.Aliases = []lamina.Alias{{Name: "live", Version: strconv.Itoa(n)}}
	if n > 1 && g.chance(30) {
		f.Aliases = []lamina.Alias{{Name: "live", Version: "1", Weights: map[string]float64{strconv.Itoa(n): 0.1}}}
	}
	if n > 3 && len(f.Layers) > 0 { // what is deployed so often is worth keeping warm
		f.Provisioned = []lamina.Provisioned{{Qualifier: "live", Instances: n}}
	}
	for _, p := range f.Policies {
		if len(f.Layers) > 0 && strings.Contains(p.Document, "apigateway") { // a stage calls the alias that is deployed
			arn := f.ARN + ":live"
			f.Policies = []lamina.FunctionPolicy{{Qualifier: "live", RevisionID: revision(arn, "policy"), Document: fmt.Sprintf(invoke, "api", `{"Service":"apigateway.amazonaws.com"}`, arn)}}
		}
	}
	g.s.Functions[at] = f
}

// older is a version of the same layer that is not newer, if it is ours.
func (g *generator) older(arn string) string {
	for _, l := range g.series {
		if before, number, ok := cutLast(arn); ok && before+":" == strings.TrimSuffix(l.arn(0), "0") {
			n, _ := strconv.Atoi(number)
			if all := slices.DeleteFunc(slices.Clone(l.versions), func(v int) bool { return v > n }); len(all) > 0 && g.chance(70) {
				return l.arn(pick(g, all))
			}
		}
	}
	return arn
}

func cutLast(arn string) (before, after string, ok bool) {
	i := strings.LastIndexByte(arn, ':')
	if i < 0 {
		return arn, "", false
	}
	return arn[:i], arn[i+1:], true
}
