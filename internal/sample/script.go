package sample

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// A script is the story while it is written and played.
type script struct {
	fake    *awsfake.Fake
	random  *rand.Rand
	org     *Org
	version map[string]string // "acme-auth:7" → ARN
	steps   []step
	funcs   []fn
}

// A step happens at its time; name is its chapter, "" for noise.
type step struct {
	at         time.Time
	name, what string
	do         func()
}

type fn struct{ account, name string }

// The people and machines of the story.
var (
	terraform = func(account string) awsfake.Caller {
		return awsfake.Caller{
			Account: account, Role: "terraform", Session: "atlantis", SourceIP: "203.0.113.20",
			UserAgent: "APN/1.0 HashiCorp/1.0 Terraform/1.9.2 (+https://www.terraform.io) terraform-provider-aws/5.60.0 aws-sdk-go-v2/1.30.3",
		}
	}
	deployer = func(account string) awsfake.Caller {
		return awsfake.Caller{
			Account: account, Role: "ci-deployer", Session: "build-4711", SourceIP: "203.0.113.50",
			UserAgent: "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64 prompt/off command/lambda.add-layer-version-permission",
		}
	}
	developer = func(account string) awsfake.Caller {
		return awsfake.Caller{
			Account: account, Role: "AWSReservedSSO_Developer_0123456789abcdef", Session: "j.doe", SourceIP: "203.0.113.77",
			UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", Console: true, MFA: true,
		}
	}
	security = awsfake.Caller{
		Account: Platform, Role: "security-oncall", Session: "r.roe", SourceIP: "203.0.113.81",
		UserAgent: "aws-cli/2.17.2 Python/3.11.8 Linux/6.1 exe/x86_64 prompt/off command/lambda.remove-layer-version-permission", MFA: true,
	}
	legacy = awsfake.Caller{Account: Payments, User: "svc-legacy", SourceIP: "198.51.100.7", UserAgent: "Boto3/1.34.60 md/Botocore#1.34.60 ua/2.0 os/linux#5.15 lang/python#3.10.12"}
)

// must stops on a step that AWS would have refused: then the story is wrong.
func must(err error) {
	if err != nil {
		panic("sample: " + err.Error())
	}
}

func (s *script) as(c awsfake.Caller) awsfake.Session { return s.fake.As(c, Region) }

// publish makes the next version of a layer and remembers its zip.
func (s *script) publish(c awsfake.Caller, name string, files []file) string {
	in := awsfake.PublishLayerVersionInput{LayerName: name, CompatibleRuntimes: []string{"python3.12"}}
	in.Content.ZipFile = pack(files...)
	for _, f := range files {
		in.Uncompressed += int64(len(f.body))
	}
	arn, err := s.as(c).PublishLayerVersion(in)
	must(err)
	if slices.Contains(s.org.Accounts, c.Account) {
		s.org.zips = append(s.org.zips, LayerZip{ARN: arn, Name: zipName(arn), Data: in.Content.ZipFile})
	}
	return arn
}

func (s *script) publishOurs(c awsfake.Caller, name string, version int) {
	v := strconv.Itoa(version)
	s.version[name+":"+v] = s.publish(c, name, layerFiles(name, v))
}

func (s *script) grant(c awsfake.Caller, name string, version int, sid, principal, org string) {
	_, err := s.as(c).AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
		LayerName: name, VersionNumber: version, StatementID: sid, Action: "lambda:GetLayerVersion", Principal: principal, OrganizationID: org,
	})
	must(err)
}

// shared are the layers that platform publishes for the organisation, with the
// number of versions there are when the story begins.
var shared = []struct {
	name     string
	versions int
}{
	{"acme-auth", 6},
	{"acme-base", 3},
	{"acme-cache", 2},
	{"acme-config", 4},
	{"acme-crypto", 2},
	{"acme-http", 5},
	{"acme-logging", 4},
	{"acme-otel", 3},
	{"acme-retry", 2},
	{"acme-utils", 4},
}

// build makes the estate before the first day. Its records are outside the nine
// days and in no file.
func (s *script) build() {
	tf := terraform(Platform)
	for _, l := range shared {
		for v := 1; v <= l.versions; v++ {
			s.publishOurs(tf, l.name, v)
		}
		if l.name != "acme-auth" {
			s.grant(tf, l.name, l.versions, "organisation", "*", OrgID)
		}
	}
	s.grant(tf, "acme-auth", 6, "organisation", "*", OrgID)
	// Public since before the trail begins: only posture can see it.
	s.publishOurs(tf, "acme-legacy-utils", 1)
	s.publishOurs(tf, "acme-legacy-utils", 2)
	s.grant(tf, "acme-legacy-utils", 2, "public", "*", "")
	s.grant(tf, "acme-legacy-utils", 2, "organisation", "*", OrgID)
	s.publishOurs(terraform(Data), "acme-reports", 1)
	s.publishOurs(terraform(Payments), "payments-ledger", 1)
	// Holds nothing: attacks are tried out on it.
	s.publishOurs(terraform(Data), "lamina-sandbox", 1)
	s.org.Sandbox = s.version["lamina-sandbox:1"]

	vendor := awsfake.Caller{Account: Vendor, Role: "release", Session: "release", SourceIP: "192.0.2.60", UserAgent: "aws-cli/2"}
	for range 65 {
		s.version["datadog"] = s.publish(vendor, "Datadog-Extension", []file{{name: "extensions/datadog-agent", body: "placeholder\n", mode: 0o755}})
	}
	s.grant(vendor, "Datadog-Extension", 65, "public", "*", "")
	stranger := awsfake.Caller{Account: Stranger, User: "pub", SourceIP: "198.51.100.99", UserAgent: "aws-cli/2"}
	for range 2 {
		s.version["py-metrics"] = s.publish(stranger, "py-metrics", python("py-metrics", "0.2", "\"\"\"Metrics.\"\"\"\n"))
	}
	s.grant(stranger, "py-metrics", 2, "public", "*", "")
	s.functions()
}

var (
	services = []string{
		"auth", "billing", "cart", "catalog", "checkout", "customer", "email", "export", "fraud", "geo",
		"import", "invoice", "login", "orders", "payments", "pricing", "reports", "search", "shipping", "stock",
	}
	parts = []string{"admin", "api", "batch", "cron", "edge", "events", "hook", "stream", "sync", "worker"}
)

// functions makes 200, each with up to three of the shared layers.
func (s *script) functions() {
	for i, service := range services {
		for j, part := range parts {
			account := Payments
			switch {
			case (i+j)%5 == 0:
				account = Platform
			case (i+2*j)%3 == 0:
				account = Data
			}
			f := fn{account, service + "-" + part}
			in := awsfake.CreateFunctionInput{
				FunctionName: f.name, Role: "arn:aws:iam::" + account + ":role/" + service, Runtime: "python3.12", Handler: "app.handler",
				Timeout: 10 + i, MemorySize: 128 << (j % 4),
			}
			in.Code.S3Bucket, in.Code.S3Key = "acme-artifacts-"+account, f.name+".zip"
			for k := range (i + j) % 4 {
				l := shared[(i*3+j+k*4)%len(shared)]
				in.Layers = append(in.Layers, s.version[fmt.Sprintf("%s:%d", l.name, l.versions)])
			}
			if part == "api" && len(in.Layers) < 3 {
				in.Layers = append(in.Layers, s.version["datadog"])
			}
			if i%7 == 0 && j == 3 {
				in.Layers = append(in.Layers, s.version["acme-legacy-utils:2"])
			}
			_, err := s.as(terraform(account)).CreateFunction(in)
			must(err)
			s.funcs = append(s.funcs, f)
		}
	}
}

// at adds a chapter. The time is day (from 1) and clock of the story.
func (s *script) at(day int, clock, name, what string, do func()) {
	d, err := time.Parse(time.TimeOnly, clock)
	must(err)
	t := Start.AddDate(0, 0, day-1).Add(d.Sub(d.Truncate(24 * time.Hour)))
	s.steps = append(s.steps, step{t, name, what, do})
}

// play carries the steps out by time and keeps the records of the nine days.
func (s *script) play() {
	before := len(s.fake.Trail())
	slices.SortStableFunc(s.steps, func(a, b step) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	for _, st := range s.steps {
		s.fake.AdvanceTo(st.at)
		if st.name != "" {
			s.org.Chapters[st.name] = Chapter{At: st.at, Event: len(s.fake.Trail()) - before, What: st.what}
		}
		st.do()
	}
	s.fake.AdvanceTo(End)
	// Every step of the story is a call from one of our accounts, so the trail
	// from here on is the story's.
	s.org.events = s.fake.Trail()[before:]
	slices.SortFunc(s.org.zips, func(a, b LayerZip) int { return cmp.Compare(a.Name, b.Name) })
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	for range 256 {
		var tail [16]byte
		for i := range tail {
			tail[i] = letters[s.random.IntN(len(letters))]
		}
		s.org.tail = append(s.org.tail, string(tail[:]))
	}
}
