package sample

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/lamina-sec/lamina"
)

// A Size says how large a generated organisation is.
type Size struct {
	Accounts, Functions int
	// LayerVersions are those the organisation owns; publishers' come on top.
	LayerVersions int
}

// The sizes that tests and benchmarks use.
var (
	Small = Size{Accounts: 4, Functions: 40, LayerVersions: 24}
	Large = Size{Accounts: 200, Functions: 10_000, LayerVersions: 2_000}
)

// Estate generates an organisation as a snapshot of it would have it: the same
// seed and size give the same. A few accounts own most functions and layers, a
// few layers have most versions, and most functions load no layer or one. Grants
// of every scope are in it, functions that load versions which were deleted,
// layers of publishers and of a stranger, published versions that are behind,
// signing, guards that work and guards that do not, and places that could not be
// read. Account ids that are no examples are computed.
func Estate(seed uint64, size Size) lamina.Snapshot {
	g := &generator{
		size:   size,
		random: rand.New(rand.NewPCG(seed, 0xe57a7e)), //nolint:gosec // a reproducible sample
		s:      lamina.Snapshot{Version: 1, Taken: Taken, OrgID: OrgID},
		roles:  map[string]bool{}, used: map[string]bool{},
	}
	g.organization()
	g.layers()
	g.vendors()
	g.functions()
	g.identities()
	g.watch()
	g.networks()
	g.coverage()
	return g.s
}

// Taken is when a generated organisation was looked at.
var Taken = time.Date(2026, 6, 20, 9, 0, 0, 0, time.UTC)

// regions of the organisation; most of it is in the first.
var regions = []string{Region, Region, Region, Region, Region, Region, "us-east-1", "us-east-1", "us-east-1", "eu-central-1"}

type generator struct {
	size     Size
	random   *rand.Rand
	s        lamina.Snapshot
	accounts []string        // those that are active
	series   []*series       // layers that the organisation owns
	foreign  []string        // layer versions of publishers
	roles    map[string]bool // ARNs that exist
	used     map[string]bool // "account region" with functions in a VPC
}

// A series is a layer and its versions.
type series struct {
	account, region, name string
	versions              []int // that exist
	gone                  []int // deleted
	shared                bool  // with the organisation
}

func (l *series) arn(version int) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s:%d", l.region, l.account, l.name, version)
}

// skewed is a number below n; small ones are much more frequent.
func (g *generator) skewed(n int) int {
	x := g.random.Float64()
	return min(n-1, int(float64(n)*x*x*x))
}

func (g *generator) chance(percent float64) bool { return g.random.Float64()*100 < percent }

func pick[T any](g *generator, from []T) T { return from[g.random.IntN(len(from))] }

// before is a time up to some days ago, in whole seconds.
func (g *generator) before(days int) time.Time {
	return Taken.Add(-time.Duration(g.random.Int64N(int64(days)*24*3600)) * time.Second)
}

// id is a short identifier that is the same for the same parts.
func id(parts ...string) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(parts)))
	return base32.StdEncoding.EncodeToString(sum[:])[:10]
}

// digest is the SHA-256 of code as AWS states it.
func digest(code []byte) string {
	sum := sha256.Sum256(code)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// layerCode is the zip of a generated layer version, functionCode that of a
// function; Play publishes the same.
func layerCode(arn string) []byte {
	return pack(file{name: "python/lib.py", body: "ARN = " + strconv.Quote(arn) + "\n"})
}

func functionCode(arn string) []byte {
	return pack(file{name: "app.py", body: "ARN = " + strconv.Quote(arn) + "\n"})
}

// The first accounts have a purpose; the platform's owns the shared layers.
func (g *generator) management() string { return g.s.Accounts[0].ID }
func (g *generator) platform() string   { return g.accounts[min(1, len(g.accounts)-1)] }

const (
	rootID     = "r-acme"
	fullAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	// The second seeks to keep foreigners from layers and denies everybody's
	// GetLayerVersion: the key is absent from normal calls.
	onlyApproved = `{"Version":"2012-10-17","Statement":[{"Sid":"OnlyApprovedLayers","Effect":"Deny","Action":["lambda:CreateFunction","lambda:UpdateFunctionConfiguration"],"Resource":"*","Condition":{"ForAnyValue:StringNotLike":{"lambda:Layer":["arn:aws:lambda:*:%s:layer:*","arn:aws:lambda:*:464622532012:layer:Datadog-Extension:*"]}}}]}`
	misguided    = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"lambda:GetLayerVersion","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:SourceAccount":"%s"}}}]}`
	onlyRegions  = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotAction":["iam:*","organizations:*","sts:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1","eu-central-1"]}}}]}`
)

func (g *generator) organization() {
	units := []lamina.OrganizationalUnit{{ID: rootID, Name: "Root"}}
	for _, u := range []struct{ id, name, parent string }{
		{"core", "Core", rootID},
		{"work", "Workloads", rootID},
		{"prod", "Production", "ou-acme-work"},
		{"test", "Test", "ou-acme-work"},
		{"play", "Sandbox", rootID},
		{"gone", "Suspended", rootID},
	} {
		units = append(units, lamina.OrganizationalUnit{ID: "ou-acme-" + u.id, Name: u.name, ParentID: u.parent})
	}
	g.s.OrganizationalUnits = units
	teams := []string{"payments", "search", "identity", "data", "platform", "mobile", "logistics"}
	for i := range g.size.Accounts {
		a := lamina.Account{ID: strconv.Itoa(500_000_000_000 + i*7_919_919), Status: "ACTIVE"}
		switch {
		case i == 0:
			a.Name, a.ParentID, a.Management = "management", rootID, true
		case i == 1:
			a.Name, a.ParentID = "platform", "ou-acme-core"
			a.Delegated = []string{"access-analyzer.amazonaws.com", "inspector2.amazonaws.com"}
		case i > 10 && i%40 == 0:
			a.Name, a.ParentID, a.Status = fmt.Sprintf("old-%03d", i), "ou-acme-gone", "SUSPENDED"
		default:
			team := teams[i%len(teams)]
			unit := []string{"prod", "prod", "test", "play"}[i%4]
			a.Name, a.ParentID, a.Tags = fmt.Sprintf("%s-%s-%03d", team, unit, i), "ou-acme-"+unit, map[string]string{"team": team}
		}
		g.s.Accounts = append(g.s.Accounts, a)
		if a.Status == "ACTIVE" {
			g.accounts = append(g.accounts, a.ID)
		}
	}
	policy := func(id, name, document string, targets ...string) {
		slices.Sort(targets)
		g.s.OrganizationPolicies = append(g.s.OrganizationPolicies, lamina.OrganizationPolicy{
			ID: id, Name: name, Type: "SERVICE_CONTROL_POLICY", Document: document, Targets: targets,
		})
	}
	everywhere := []string{}
	for _, u := range units {
		everywhere = append(everywhere, u.ID)
	}
	for _, a := range g.s.Accounts {
		everywhere = append(everywhere, a.ID)
	}
	policy("p-FullAWSAccess", "FullAWSAccess", fullAccess, everywhere...)
	policy("p-approved1", "only-approved-layers", fmt.Sprintf(onlyApproved, g.platform()), "ou-acme-prod")
	policy("p-regions12", "only-our-regions", onlyRegions, "ou-acme-work")
	policy("p-source123", "keep-foreigners-out", fmt.Sprintf(misguided, g.platform()), "ou-acme-play")
}

// globalReads and regionalReads are the IAM actions that a complete collection
// calls, without regions and in each.
var (
	globalReads = []string{
		"account:ListRegions", "iam:GenerateCredentialReport", "iam:GetAccountAuthorizationDetails", "iam:GetCredentialReport",
	}
	organizationReads = []string{
		"organizations:DescribeOrganization", "organizations:DescribePolicy", "organizations:ListAccounts", "organizations:ListAccountsForParent",
		"organizations:ListDelegatedAdministrators", "organizations:ListDelegatedServicesForAccount", "organizations:ListOrganizationalUnitsForParent", "organizations:ListPolicies", "organizations:ListRoots", "organizations:ListTargetsForPolicy",
	}
	regionalReads = []string{
		"access-analyzer:GetFinding", "access-analyzer:ListAnalyzers", "access-analyzer:ListFindings", "cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors",
		"cloudtrail:GetTrailStatus", "cloudtrail:LookupEvents", "cloudwatch:DescribeAlarms",
		"config:DescribeConfigurationRecorderStatus", "config:DescribeConfigurationRecorders", "config:SelectResourceConfig", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups",
		"ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints", "events:ListRules", "events:ListTargetsByRule", "guardduty:GetDetector", "guardduty:GetFindings", "guardduty:ListDetectors", "guardduty:ListFindings",
		"inspector2:BatchGetAccountStatus", "inspector2:ListCoverage", "inspector2:ListFindings", "lambda:GetAccountSettings", "lambda:GetCodeSigningConfig", "lambda:GetFunctionCodeSigningConfig", "lambda:GetLayerVersion",
		"lambda:GetLayerVersionPolicy", "lambda:GetPolicy", "lambda:ListAliases", "lambda:ListEventSourceMappings", "lambda:ListFunctionUrlConfigs",
		"lambda:ListFunctions", "lambda:ListLayerVersions", "lambda:ListLayers", "lambda:ListProvisionedConcurrencyConfigs", "logs:DescribeMetricFilters", "route53resolver:ListFirewallDomainLists", "route53resolver:ListFirewallDomains",
		"route53resolver:ListFirewallRuleGroupAssociations", "route53resolver:ListFirewallRules", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy",
		"s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:ListAllMyBuckets",
		"securityhub:DescribeHub", "securityhub:GetFindings", "signer:ListSigningProfiles", "sns:ListSubscriptionsByTopic",
	}
)

// codeStorage is Lambda's default quota.
const codeStorage = 300 << 30

// coverage says that all was read, but for a region that a policy closes and the
// revoked layers of a stranger.
func (g *generator) coverage() {
	exists := map[string]bool{}
	for _, v := range g.s.Layers {
		exists[v.ARN] = true
	}
	kept := map[string]int64{}       // "account region" → bytes
	revoked := map[string][]string{} // "account region" → layer versions
	for _, l := range g.s.Layers {
		kept[l.Account+" "+l.Region] += l.CodeSize
	}
	for _, f := range g.s.Functions {
		kept[f.Account+" "+f.Region] += f.CodeSize
		for _, arn := range f.Layers {
			l, err := lamina.ParseLayerARN(arn)
			if err == nil && !exists[arn] && slices.Contains(g.foreign, arn) && l.ARN.Account == Stranger {
				revoked[f.Account+" "+f.Region] = append(revoked[f.Account+" "+f.Region], arn)
			}
		}
	}
	g.s.Targets = append(g.s.Targets, lamina.Target{Account: g.management(), Region: "organization", Taken: Taken, Read: organizationReads})
	for i, account := range g.accounts {
		g.s.Targets = append(g.s.Targets, lamina.Target{Account: account, Taken: Taken, Read: globalReads})
		for _, region := range slices.Compact(slices.Clone(regions)) {
			t := lamina.Target{Account: account, Region: region, Taken: Taken, Read: regionalReads}
			g.s.CodeStorage = append(g.s.CodeStorage, lamina.CodeStorage{Account: account, Region: region, Used: kept[account+" "+region], Limit: codeStorage})
			if arns := revoked[account+" "+region]; arns != nil {
				slices.Sort(arns)
				t.Read = slices.DeleteFunc(slices.Clone(t.Read), func(a string) bool { return a == "lambda:GetLayerVersion" })
				t.Gaps = []lamina.Gap{{Action: "lambda:GetLayerVersion", Resources: slices.Compact(arns), Denied: true, Reason: "AccessDeniedException: no resource-based policy allows it"}}
			}
			g.s.Targets = append(g.s.Targets, t)
		}
		if i%50 == 7 {
			closed := lamina.Target{Account: account, Region: "ap-southeast-2", Taken: Taken}
			for _, action := range regionalReads {
				closed.Gaps = append(closed.Gaps, lamina.Gap{Action: action, Denied: true, Reason: "AccessDeniedException: with an explicit deny in a service control policy"})
			}
			g.s.Targets = append(g.s.Targets, closed)
		}
	}
}
