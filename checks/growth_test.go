package checks_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/sample"
)

// Twice as much of one thing makes at most about twice as much work, whatever the
// thing is: functions with roles of their own that are administrators or deployers,
// versions and grants of one layer, accounts that share with all others, alarms,
// answers that are missing. Work is what is allocated, in objects and in bytes, which does not depend on
// the machine; LAMINA_LONG asks it of sizes at which a second loop would show in
// time too.
func TestWork_grows_with_what_there_is(t *testing.T) {
	n := 100
	if os.Getenv("LAMINA_LONG") != "" {
		n = 1000
	}
	for name, grow := range growths {
		t.Run(name, func(t *testing.T) {
			list := checks.All
			work := func(n int) (objects, bytes float64) {
				s := lamina.Snapshot{Version: 1, Taken: sample.Taken, OrgID: "o-exampleorgid", ManagedPolicies: []lamina.ManagedPolicy{
					{ARN: administrator, Name: "AdministratorAccess", Document: allowing("*", "*")},
				}}
				g := growth{Snapshot: &s}
				grow(&g, n)
				g.close()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				in := posture.Input{Estate: estate.New(s, nil)}
				for _, c := range list {
					if _, lacks := in.Lacks(c); !lacks {
						posture.Run([]posture.Check{c}, in)
					}
				}
				runtime.ReadMemStats(&after)
				return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
			}
			work(10) // what is made once
			objects, bytes := work(n)
			more, larger := work(2 * n)
			// A part does not grow: what is left would be 4 with a second loop.
			if r := more / objects; r > 2.3 {
				t.Errorf("%d make %.0f allocations, %d make %.0f: %.2f times as many", n, objects, 2*n, more, r)
			}
			if r := larger / bytes; r > 2.5 {
				t.Errorf("%d take %.0f bytes, %d take %.0f: %.2f times as many", n, bytes, 2*n, larger, r)
			}
		})
	}
}

const (
	growthHome    = "111122223333"
	growthRegion  = "eu-west-1"
	administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// A growth is a snapshot in the making: all of it was read, but for what is missing.
type growth struct {
	*lamina.Snapshot
	accounts []string
	missing  map[string][]string // resources by action
}

var growths = map[string]func(g *growth, n int){
	"functions with administrators": func(g *growth, n int) {
		for i := range n {
			g.function(growthHome, i, g.role(growthHome, i, "", administrator), g.layer(growthHome, "common", 1))
		}
	},
	"half change functions and half read secrets": func(g *growth, n int) {
		for i := range n {
			policy := allowing("lambda:*", "*")
			if i%2 == 0 {
				policy = allowing("secretsmanager:*", "*")
			}
			g.function(growthHome, i, g.role(growthHome, i, policy), g.layer(growthHome, "common", 1))
		}
	},
	"all change functions that read secrets": func(g *growth, n int) {
		for i := range n {
			g.role(growthHome, n+i, allowing("lambda:*", "*"))
			g.function(growthHome, i, g.role(growthHome, i, allowing("secretsmanager:*", "*")), g.layer(growthHome, "common", 1))
		}
	},
	"functions of one role": func(g *growth, n int) {
		role := g.role(growthHome, 0, allowing("s3:*", "*"))
		for i := range n {
			g.function(growthHome, i, role, g.layer(growthHome, "common", 1))
		}
	},
	"functions that demand signatures": func(g *growth, n int) {
		g.role(growthHome, n, allowing("lambda:*", "*"))
		for i := range n {
			arn := g.layer(growthHome, fmt.Sprintf("l%d", i), 1)
			g.function(growthHome, i, g.role(growthHome, i, allowing("s3:*", "*")), arn)
			f, l := &g.Functions[i], &g.Layers[i]
			f.CodeSigningConfigARN = fmt.Sprintf("arn:aws:lambda:%s:%s:code-signing-config:csc-%d", growthRegion, growthHome, i)
			l.SigningProfileVersionARN = fmt.Sprintf("arn:aws:signer:%s:%s:/signing-profiles/p%d/v", growthRegion, growthHome, i)
			g.CodeSigningConfigs = append(g.CodeSigningConfigs, lamina.CodeSigningConfig{ARN: f.CodeSigningConfigARN, Account: growthHome, Region: growthRegion, UntrustedArtifact: "Enforce", AllowedPublishers: []string{l.SigningProfileVersionARN}})
		}
	},
	"versions of a layer that a policy does not approve": func(g *growth, n int) {
		g.role(growthHome, 1, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*","Condition":{"ForAllValues:StringLike":{"lambda:Layer":["arn:aws:lambda:*:444455556666:layer:approved:*"]}}}]}`)
		g.function(growthHome, 1, g.role(growthHome, 2, allowing("s3:*", "*")), g.layer(growthHome, "common", 1))
		for i := range n {
			g.layer(growthHome, "common", i+2)
		}
	},
	"layers that functions load": func(g *growth, n int) {
		g.role(growthHome, n, allowing("lambda:*", "*"))
		role := g.role(growthHome, 0, allowing("s3:*", "*"))
		for i := range n {
			g.function(growthHome, i, role, g.layer(growthHome, fmt.Sprintf("l%d", i), 1))
		}
	},
	"grants of a layer version": func(g *growth, n int) {
		g.function(growthHome, 0, g.role(growthHome, 0, allowing("s3:*", "*")), g.layer(growthHome, "common", 1))
		p := &lamina.LayerPolicy{}
		for i := range n {
			p.Grants = append(p.Grants, lamina.Grant{StatementID: fmt.Sprintf("s%d", i), Action: "lambda:GetLayerVersion", Principal: "444455556666"})
		}
		g.Layers[0].Policy = p
	},
	"layers of others": func(g *growth, n int) {
		role := g.role(growthHome, 0, allowing("s3:*", "*"))
		for i := range n {
			g.function(growthHome, i, role, fmt.Sprintf("arn:aws:lambda:%s:999999999999:layer:l%d:1", growthRegion, i))
		}
	},
	"accounts that share a layer with all": func(g *growth, n int) {
		for i := range n {
			account := fmt.Sprintf("1%011d", i)
			arn := g.layer(account, "common", 1)
			g.Layers[i].Policy = &lamina.LayerPolicy{Grants: []lamina.Grant{{StatementID: "all", Action: "lambda:GetLayerVersion", Principal: "*", OrganizationID: g.OrgID}}}
			g.role(account, 1, "", administrator)
			g.function(account, i, g.role(account, 0, allowing("s3:*", "*")), arn)
		}
	},
	"answers that are missing": func(g *growth, n int) {
		role := g.role(growthHome, 0, allowing("s3:*", "*"))
		for i := range n {
			arn := g.layer(growthHome, fmt.Sprintf("l%d", i), 1)
			g.function(growthHome, i, role, arn)
			for _, action := range []string{"lambda:GetPolicy", "lambda:ListTags", "lambda:ListAliases"} {
				g.missing[action] = append(g.missing[action], g.Functions[i].ARN)
			}
			g.missing["lambda:GetLayerVersionPolicy"] = append(g.missing["lambda:GetLayerVersionPolicy"], arn)
		}
	},
	"networks": func(g *growth, n int) {
		role := g.role(growthHome, 0, allowing("s3:*", "*"))
		for i := range n {
			g.function(growthHome, i, role, fmt.Sprintf("arn:aws:lambda:%s:999999999999:layer:l:1", growthRegion))
			f, vpc := &g.Functions[i], fmt.Sprintf("vpc-%d", i)
			f.Subnets, f.SecurityGroups = []string{fmt.Sprintf("subnet-%d", i)}, []string{fmt.Sprintf("sg-%d", i)}
			g.Subnets = append(g.Subnets, lamina.Subnet{ID: f.Subnets[0], Account: growthHome, Region: growthRegion, VPC: vpc, DefaultRoutes: []string{"nat-1"}})
			g.SecurityGroups = append(g.SecurityGroups, lamina.SecurityGroup{ID: f.SecurityGroups[0], Account: growthHome, Region: growthRegion, VPC: vpc, Egress: []string{"0.0.0.0/0"}})
			g.DNSFirewalls = append(g.DNSFirewalls, lamina.DNSFirewall{ID: fmt.Sprintf("fw-%d", i), Account: growthHome, Region: growthRegion, VPC: vpc, Group: "g", Rules: []lamina.DNSRule{{Action: "BLOCK", Domains: "d", Every: true}}})
		}
	},
	"alarms": func(g *growth, n int) {
		g.function(growthHome, 0, g.role(growthHome, 0, allowing("s3:*", "*")), g.layer(growthHome, "common", 1))
		g.Trails = []lamina.Trail{{ARN: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", Account: growthHome, Name: "t", HomeRegion: growthRegion, MultiRegion: true, Logging: true, LogGroupARN: "arn:aws:logs:eu-west-1:111122223333:log-group:g:*", Management: "All"}}
		for i := range n {
			name := fmt.Sprintf("m%d", i)
			g.MetricFilters = append(g.MetricFilters, lamina.MetricFilter{Account: growthHome, Region: growthRegion, LogGroup: "g", Name: name, Pattern: `{ $.eventName = "PublishLayerVersion*" }`, Namespace: "n", Metric: name})
			g.Alarms = append(g.Alarms, lamina.Alarm{ARN: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:" + name, Account: growthHome, Region: growthRegion, Name: name, Namespace: "n", Metric: name, ActionsEnabled: true, Actions: []string{"arn:aws:sns:eu-west-1:111122223333:" + name}, Comparison: "GreaterThanOrEqualToThreshold", Threshold: 1})
			g.Topics = append(g.Topics, lamina.Topic{ARN: "arn:aws:sns:eu-west-1:111122223333:" + name, Confirmed: map[string]int{"email": 1}})
		}
	},
	"versions and aliases of a function": func(g *growth, n int) {
		g.function(growthHome, 0, g.role(growthHome, 0, allowing("s3:*", "*")), g.layer(growthHome, "common", 1))
		whole := g.Functions[0]
		for i := range n {
			v := whole
			v.Version = strconv.Itoa(i + 1)
			v.ARN += ":" + v.Version
			g.Functions = append(g.Functions, v)
			g.Functions[0].Aliases = append(g.Functions[0].Aliases, lamina.Alias{Name: "a" + v.Version, Version: v.Version})
		}
	},
}

func allowing(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
}

func (g *growth) account(id string) {
	if g.missing == nil {
		g.missing = map[string][]string{}
	}
	if len(g.accounts) == 0 || g.accounts[len(g.accounts)-1] != id {
		g.accounts = append(g.accounts, id)
	}
}

func (g *growth) role(account string, i int, inline string, attached ...string) string {
	g.account(account)
	p := lamina.Principal{
		ARN: fmt.Sprintf("arn:aws:iam::%s:role/r%d", account, i), Account: account, Kind: "Role", Name: fmt.Sprintf("r%d", i), ID: fmt.Sprintf("AROA%d", i), Path: "/", Attached: attached,
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	}
	if inline != "" {
		p.Inline = []lamina.InlinePolicy{{Name: "own", Document: inline}}
	}
	g.Principals = append(g.Principals, p)
	return p.ARN
}

func (g *growth) function(account string, i int, role string, layers ...string) {
	g.account(account)
	g.Functions = append(g.Functions, lamina.Function{
		ARN: fmt.Sprintf("arn:aws:lambda:%s:%s:function:f%06d", growthRegion, account, i), Account: account, Region: growthRegion, Name: fmt.Sprintf("f%06d", i), Version: "$LATEST",
		Role: role, Runtime: "python3.12", Handler: "app.handler", PackageType: "Zip", Layers: layers, LastModified: sample.Taken, DetailsRead: sample.Taken,
	})
}

// layer is a layer version, which is made when it is not there.
func (g *growth) layer(account, name string, version int) string {
	g.account(account)
	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s:%d", growthRegion, account, name, version)
	if len(g.Layers) == 0 || g.Layers[len(g.Layers)-1].ARN != arn {
		g.Layers = append(g.Layers, lamina.LayerVersion{ARN: arn, Account: account, Region: growthRegion, Name: name, Version: version, Created: sample.Taken, CodeSHA256: "digest of " + arn})
	}
	return arn
}

// close says what was read: what a generated organisation says of itself.
func (g *growth) close() {
	var global, regional, organization []string
	for _, t := range sample.Estate(5, sample.Small).Targets {
		switch {
		case t.Region == "organization":
			organization = t.Read
		case t.Region == "":
			global = t.Read
		case len(t.Gaps) == 0:
			regional = append(strings.Fields("lambda:ListTags"), t.Read...)
		}
	}
	g.OrganizationalUnits = []lamina.OrganizationalUnit{{ID: "r-root", Name: "Root"}}
	everywhere := []string{"r-root"}
	for i, id := range g.accounts {
		everywhere = append(everywhere, id)
		g.Accounts = append(g.Accounts, lamina.Account{ID: id, Status: "ACTIVE", ParentID: "r-root"})
		here := lamina.Target{Account: id, Region: growthRegion, Taken: sample.Taken}
		for _, action := range regional {
			if arns := g.missing[action]; i == 0 && arns != nil {
				here.Gaps = append(here.Gaps, lamina.Gap{Action: action, Resources: arns, Denied: true, Reason: "AccessDeniedException"})
			} else {
				here.Read = append(here.Read, action)
			}
		}
		g.Targets = append(g.Targets, lamina.Target{Account: id, Taken: sample.Taken, Read: global}, here)
	}
	g.Targets = append(g.Targets, lamina.Target{Account: g.accounts[0], Region: "organization", Taken: sample.Taken, Read: organization})
	g.OrganizationPolicies = []lamina.OrganizationPolicy{{ID: "p-FullAWSAccess", Name: "FullAWSAccess", Type: "SERVICE_CONTROL_POLICY", Document: allowing("*", "*"), Targets: everywhere}}
}
