package corpus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	hexDigits = "0123456789abcdef"
	decimals  = "0123456789"
	base32    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	base62    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	base64    = base62 + "+/"
)

// A piece of a template is literal text, or a word that stands for a value.
type piece struct {
	text string
	word string
	n    int // of <hex:N> and the like
}

// A call is a compiled template.
type call struct {
	*template
	params, response, extra, resources []piece
}

type generator struct {
	opt      Options
	rng      *rand.Rand
	calls    map[string][]*call // by service
	shares   []*call
	accounts []*account
	clock    time.Time
	since    int // events since the last that shared a layer
	stats    Stats
	buf      []byte
}

type account struct {
	id      string
	regions []string
	actors  []*actor
}

// An identity is what userIdentity says of an actor.
type identity uint8

const (
	user identity = iota
	role
	console // a role of the identity centre
	chained // a role assumed by a role
	service
	root
)

// An actor is a principal with what it has to do with.
type actor struct {
	account  *account
	identity identity
	name     string
	id       string // principal id
	role     string
	roleID   string
	key      string // a user's access key
	ip       string
	agent    string
	calls    []*call // each as often as its weight
	names    map[string][]string
}

// A session is a run of an actor's calls under one set of credentials.
type session struct {
	*actor
	region  string
	name    string
	key     string
	created time.Time
	run     []*call // the calls that repeat
	pick    map[string]string
	tls     string
	odd     bool // uses newer members of the record
}

func (g *generator) random(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.rng.IntN(len(alphabet))]
	}
	return string(b)
}

func one[T any](g *generator, of []T) T { return of[g.rng.IntN(len(of))] }

func (g *generator) uuid() string {
	h := g.random(hexDigits, 32)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// compile cuts the templates into pieces.
func (g *generator) compile() error {
	g.calls = map[string][]*call{}
	for i := range templates {
		t := &templates[i]
		c := &call{template: t}
		for _, x := range []struct {
			from string
			to   *[]piece
		}{{t.params, &c.params}, {t.response, &c.response}, {t.extra, &c.extra}, {t.resources, &c.resources}} {
			p, err := cut(x.from)
			if err != nil {
				return fmt.Errorf("template %s %s: %w", t.service, t.name, err)
			}
			*x.to = p
		}
		if t.flags&share != 0 {
			g.shares = append(g.shares, c)
		} else {
			g.calls[t.service] = append(g.calls[t.service], c)
		}
	}
	return nil
}

// words are the ones that templates may use, apart from <arn:…>.
var words = []string{
	"i", "vol", "sg", "subnet", "vpc", "eni", "ami", "rtb", "snap", "igw",
	"role", "user", "bucket", "fn", "layer", "table", "queue", "topic", "group", "stack", "cluster", "secret", "param", "key", "db", "repo",
	"acct", "region", "who", "other", "uuid", "hex", "b64", "dig", "time", "long", "epoch", "n", "ip", "cidr", "obj", "desc", "sensitiveDataRemoved",
}

func cut(s string) ([]piece, error) {
	var out []piece
	for s != "" {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			return append(out, piece{text: s}), nil
		}
		end := strings.IndexByte(s[i:], '>')
		if end < 0 {
			return nil, fmt.Errorf("%q: a < without >", s[i:])
		}
		p := piece{text: s[:i], word: s[i+1 : i+end]}
		s = s[i+end+1:]
		if p.word == "sensitiveDataRemoved" { // as AWS writes it
			out = append(out, piece{text: p.text + "<" + p.word + ">"})
			continue
		}
		base, arg, ok := strings.Cut(p.word, ":")
		switch {
		case base == "arn" && slices.Contains(words, arg):
		case !slices.Contains(words, base):
			return nil, fmt.Errorf("unknown word <%s>", p.word)
		case ok:
			n, err := strconv.Atoi(arg)
			if err != nil {
				return nil, fmt.Errorf("<%s>: %w", p.word, err)
			}
			p.word, p.n = base, n
		}
		out = append(out, p)
	}
	return out, nil
}

var (
	regions = []string{"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"}
	nouns   = []string{"billing", "orders", "catalog", "search", "ingest", "export", "payments", "reports", "portal", "mailer", "ledger", "stock", "events", "audit", "images", "metrics", "session", "checkout", "profile", "archive"}
	verbs   = []string{"api", "worker", "handler", "sync", "processor", "consumer", "loader", "cron", "gateway", "stream", "store", "proxy"}
	stages  = []string{"prod", "stage", "dev", "test"}
	agents  = []string{
		"aws-cli/2.15.%d Python/3.11.6 Linux/5.10.205-195.807.amzn2.x86_64 exe/x86_64.amzn.2 prompt/off command/%s.list",
		"Boto3/1.34.%d md/Botocore#1.34.%d ua/2.0 os/linux#5.10.0-1160 md/arch#x86_64 lang/python#3.11.7 cfg/retry-mode#legacy",
		"APN/1.0 HashiCorp/1.0 Terraform/1.5.%d (+https://www.terraform.io) terraform-provider-aws/5.%d.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.21.0 os/linux lang/go#1.20.7",
		"aws-sdk-go/1.44.%d (go1.21.5; linux; amd64) amazon-ssm-agent/",
		"aws-sdk-java/2.20.%d Linux/5.10.192-183.736.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.8+7-LTS vendor/Amazon.com_Inc. io/async",
		"aws-sdk-js/3.4%d.0 ua/2.0 os/linux#5.10.0 lang/js md/nodejs#18.18.2 api/dynamodb#3.4%d.0 exec-env/AWS_Lambda_nodejs18.x",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.%d.0 Safari/537.36",
		"AWS Internal",
		"Prowler/3.11.%d Boto3/1.28.%d md/Botocore#1.31.%d ua/2.0 os/linux lang/python#3.11",
	}
)

// people makes accounts and actors.
func (g *generator) people(accounts, actors int) {
	for range accounts {
		g.accounts = append(g.accounts, &account{id: "0000" + g.random(decimals, 8), regions: []string{one(g, regions), one(g, regions)}})
	}
	for range actors {
		a := g.actor(one(g, g.accounts))
		a.account.actors = append(a.account.actors, a)
	}
	for _, a := range g.accounts {
		for len(a.actors) < 2 {
			a.actors = append(a.actors, g.actor(a))
		}
	}
}

func (g *generator) actor(acct *account) *actor {
	a := &actor{account: acct, names: map[string][]string{}}
	switch n := g.rng.IntN(100); {
	case n < 56:
		a.identity = user
	case n < 72:
		a.identity = role
	case n < 77:
		a.identity = console
	case n < 80:
		a.identity = chained
	case n < 97:
		a.identity = service
	default:
		a.identity = root
	}
	a.name = one(g, nouns) + "-" + one(g, verbs)
	a.id = "AIDA" + g.random(base32, 17)
	a.role = one(g, nouns) + "-" + one(g, verbs) + "-" + one(g, stages) + "-role"
	a.roleID = "AROA" + g.random(base32, 17)
	a.key = "AKIA" + g.random(base32, 16)
	a.ip = one(g, []string{"192.0.2.", "198.51.100.", "203.0.113.", "10.0.17."}) + strconv.Itoa(1+g.rng.IntN(254))
	agent := one(g, agents)
	args := []any{}
	for i := range strings.Count(agent, "%") {
		if strings.Contains(agent, "%s") && i == 1 {
			args = append(args, one(g, profiles[0]))
		} else {
			args = append(args, g.rng.IntN(90))
		}
	}
	a.agent = fmt.Sprintf(agent, args...)
	if a.identity == console {
		a.role, a.name = "AWSReservedSSO_"+one(g, []string{"AdministratorAccess", "ReadOnlyAccess", "PowerUser"})+"_"+g.random(hexDigits, 16), one(g, nouns)+"."+one(g, nouns)+"@example.com"
	}
	for _, svc := range one(g, profiles) {
		for _, c := range g.calls[svc] {
			if (c.flags&byService != 0) != (a.identity == service) || c.flags&signIn != 0 && a.identity > console && a.identity != root {
				continue
			}
			for range c.weight {
				a.calls = append(a.calls, c)
			}
		}
	}
	if len(a.calls) == 0 { // a service that no profile lets do anything
		for _, svc := range []string{"sts", "kms", "ec2"} {
			for _, c := range g.calls[svc] {
				if c.flags&byService != 0 {
					a.calls = append(a.calls, c)
				}
			}
		}
	}
	return a
}

func (g *generator) session(acct *account, region string) *session {
	s := &session{
		actor: one(g, acct.actors), region: region, pick: map[string]string{},
		created: g.clock.Add(-time.Duration(g.rng.IntN(3600)) * time.Second),
	}
	s.name, s.key = s.actor.name, "ASIA"+g.random(base32, 16)
	if s.identity == user {
		s.key = s.actor.key
	}
	if s.identity == role && g.rng.IntN(2) == 0 {
		s.name = "i-" + g.random(hexDigits, 17)
	}
	s.tls = one(g, []string{
		"", "", // not all services say so
		`"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"`,
		`"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256"`,
	})
	s.odd = g.rng.IntN(3) == 0
	return s
}

// next chooses a call: mostly one of a few that the session repeats.
func (g *generator) next(s *session) *call {
	if g.since++; g.since >= g.opt.ShareEvery && s.identity != service {
		g.since = 0
		return one(g, g.shares)
	}
	if len(s.run) == 0 || g.rng.IntN(30) == 0 {
		s.run = s.run[:0]
		for range 2 + g.rng.IntN(6) {
			s.run = append(s.run, one(g, s.calls))
		}
	}
	if g.rng.IntN(4) != 0 { // on to other resources
		clear(s.pick)
	}
	return one(g, s.run)
}

// event appends one record.
func (g *generator) event(b []byte, s *session) []byte {
	c := g.next(s)
	failed := g.rng.IntN(8) == 0
	if c.flags&share != 0 {
		g.stats.Shares++
		if failed = g.stats.Shares%2 == 0; failed {
			g.stats.SharesDenied++
		}
	}
	if c.flags&(byService|signIn) != 0 {
		failed = false
	}
	version := "1.08"
	if s.odd {
		version = "1.09"
	}
	if c.flags&v111 != 0 {
		version = "1.11"
	}
	b = append(b, `{"eventVersion":"`...)
	b = append(b, version...)
	b = append(b, `","userIdentity":`...)
	b = g.userIdentity(b, s)
	b = append(b, `,"eventTime":"`...)
	b = g.clock.AppendFormat(b, time.RFC3339)
	b = append(b, `","eventSource":"`...)
	b = append(b, c.service...)
	b = append(b, `.amazonaws.com","eventName":"`...)
	b = append(b, c.name...)
	b = append(b, `","awsRegion":"`...)
	b = append(b, s.region...)
	b = append(b, `","sourceIPAddress":"`...)
	if s.identity == service {
		b = append(b, `lambda.amazonaws.com","userAgent":"lambda.amazonaws.com"`...)
	} else {
		b = append(b, s.ip...)
		b = append(b, `","userAgent":"`...)
		b = append(b, s.agent...)
		b = append(b, '"')
	}
	if failed {
		g.stats.Errors++
		b = g.failure(b, s, c)
	}
	b = append(b, `,"requestParameters":`...)
	if failed && c.flags&hidden != 0 || len(c.params) == 0 {
		b = append(b, "null"...)
	} else {
		b = g.fill(b, s, c.params)
	}
	b = append(b, `,"responseElements":`...)
	if failed || len(c.response) == 0 {
		b = append(b, "null"...)
	} else {
		b = g.fill(b, s, c.response)
	}
	if len(c.extra) > 0 {
		b = append(b, `,"additionalEventData":`...)
		b = g.fill(b, s, c.extra)
	}
	if c.flags&signIn == 0 {
		b = append(b, `,"requestID":"`...)
		b = append(b, g.uuid()...)
		b = append(b, '"')
	}
	b = append(b, `,"eventID":"`...)
	b = append(b, g.uuid()...)
	b = append(b, `","readOnly":`...)
	b = strconv.AppendBool(b, c.flags&writes == 0)
	if len(c.resources) > 0 {
		b = append(b, `,"resources":`...)
		b = g.fill(b, s, c.resources)
	}
	if c.flags&signIn != 0 {
		b = append(b, `,"eventType":"AwsConsoleSignIn","managementEvent":true,"recipientAccountId":"`...)
	} else {
		b = append(b, `,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"`...)
	}
	b = append(b, s.account.id...)
	b = append(b, '"')
	if s.identity == service {
		b = append(b, `,"sharedEventID":"`...)
		b = append(b, g.uuid()...)
		b = append(b, '"')
	}
	b = append(b, `,"eventCategory":"Management"`...)
	if s.identity != service && s.tls != "" {
		b = append(b, `,"tlsDetails":{`...)
		b = append(b, s.tls...)
		b = append(b, `,"clientProvidedHostHeader":"`...)
		b = append(b, c.service...)
		b = append(b, '.')
		b = append(b, s.region...)
		b = append(b, `.amazonaws.com"}`...)
	}
	if s.identity == console {
		b = append(b, `,"sessionCredentialFromConsole":"true"`...)
	}
	return append(b, '}')
}

func (g *generator) userIdentity(b []byte, s *session) []byte {
	acct := s.account.id
	switch s.identity {
	case user:
		return fmt.Appendf(b, `{"type":"IAMUser","principalId":"%s","arn":"arn:aws:iam::%s:user/%s","accountId":"%s","accessKeyId":"%s","userName":"%s"}`,
			s.id, acct, s.name, acct, s.key, s.name)
	case service:
		return append(b, `{"type":"AWSService","invokedBy":"lambda.amazonaws.com"}`...)
	case root:
		return fmt.Appendf(b, `{"type":"Root","principalId":"%s","arn":"arn:aws:iam::%s:root","accountId":"%s","accessKeyId":"%s","sessionContext":{"sessionIssuer":{},"webIdFederationData":{},"attributes":{"creationDate":"%s","mfaAuthenticated":"true"}}}`,
			acct, acct, acct, s.key, s.created.Format(time.RFC3339))
	case role, console, chained:
	}
	path, mfa, source := "role/", "false", ""
	switch s.identity {
	case console:
		path, mfa = "role/aws-reserved/sso.amazonaws.com/"+s.region+"/", "true"
	case chained:
		source = `,"sourceIdentity":"` + s.id[:8] + `"`
	case user, role, service, root:
	}
	b = fmt.Appendf(b, `{"type":"AssumedRole","principalId":"%s:%s","arn":"arn:aws:sts::%s:assumed-role/%s/%s","accountId":"%s","accessKeyId":"%s","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"%s","arn":"arn:aws:iam::%s:%s%s","accountId":"%s","userName":"%s"},"webIdFederationData":{}%s,"attributes":{"creationDate":"%s","mfaAuthenticated":"%s"}`,
		s.roleID, s.name, acct, s.role, s.name, acct, s.key, s.roleID, acct, path, s.role, acct, s.role, source, s.created.Format(time.RFC3339), mfa)
	if s.name[0] == 'i' && s.name[1] == '-' {
		b = append(b, `,"ec2RoleDelivery":"2.0"`...)
	}
	return append(b, `}}`...)
}

// failure appends what a call that failed has beside what the others have.
func (g *generator) failure(b []byte, s *session, c *call) []byte {
	who := "arn:aws:iam::" + s.account.id + ":user/" + s.name
	if s.identity != user {
		who = "arn:aws:sts::" + s.account.id + ":assumed-role/" + s.role + "/" + s.name
	}
	action := c.service + ":" + strings.TrimRight(strings.TrimSuffix(c.name, "v2"), decimals)
	switch n := g.rng.IntN(10); {
	case c.flags&share != 0 || n < 6 && c.service != "ec2":
		return fmt.Appendf(b, `,"errorCode":"AccessDenied","errorMessage":"User: %s is not authorized to perform: %s on resource: arn:aws:%s:%s:%s:* because no identity-based policy allows the %s action"`,
			who, action, c.service, s.region, s.account.id, action)
	case n < 6:
		return fmt.Appendf(b, `,"errorCode":"Client.UnauthorizedOperation","errorMessage":"You are not authorized to perform this operation. User: %s is not authorized to perform: %s because no identity-based policy allows the %s action. Encoded authorization failure message: %s"`,
			who, action, action, g.random(base62+"-_", 200+g.rng.IntN(200)))
	case n < 8:
		return append(b, `,"errorCode":"ThrottlingException","errorMessage":"Rate exceeded"`...)
	}
	return append(b, `,"errorCode":"ResourceNotFoundException","errorMessage":"The specified resource does not exist."`...)
}

// fill appends a template with its words replaced.
func (g *generator) fill(b []byte, s *session, pieces []piece) []byte {
	for i := range pieces {
		p := &pieces[i]
		b = append(b, p.text...)
		if p.word != "" {
			b = g.word(b, s, p)
		}
	}
	return b
}

func (g *generator) word(b []byte, s *session, p *piece) []byte {
	switch p.word {
	case "uuid":
		return append(b, g.uuid()...)
	case "hex":
		return append(b, g.random(hexDigits, p.n)...)
	case "b64":
		return append(b, g.random(base64, p.n)...)
	case "dig":
		return append(append(b, hexDigits[1+g.rng.IntN(9)]), g.random(decimals, p.n-1)...)
	case "n":
		return strconv.AppendInt(b, int64(1+g.rng.IntN(p.n)), 10)
	case "time":
		return g.clock.AppendFormat(b, "2006-01-02T15:04:05.000-0700")
	case "long":
		return g.clock.AppendFormat(b, "Jan 2, 2006 3:04:05 PM")
	case "epoch":
		return strconv.AppendInt(b, g.clock.Unix(), 10)
	case "acct":
		return append(b, s.account.id...)
	case "other":
		return append(b, one(g, g.accounts).id...)
	case "region":
		return append(b, s.region...)
	case "who":
		return append(b, s.name...)
	}
	if kind, ok := strings.CutPrefix(p.word, "arn:"); ok {
		return g.arn(b, s, kind)
	}
	return append(b, g.named(s, p.word)...)
}

// idPrefixes are those of EC2.
var idPrefixes = map[string]string{
	"i": "i-", "vol": "vol-", "sg": "sg-", "subnet": "subnet-", "vpc": "vpc-", "eni": "eni-", "ami": "ami-", "rtb": "rtb-", "snap": "snap-", "igw": "igw-",
}

// named is the name or id of the resource of a kind that the session is at. An
// actor has a handful of each.
func (g *generator) named(s *session, kind string) string {
	if v, ok := s.pick[kind]; ok {
		return v
	}
	pool := s.names[kind]
	if most := poolSize(kind); len(pool) < most && (len(pool) == 0 || g.rng.IntN(2) == 0) {
		pool = append(pool, g.name(kind))
		s.names[kind] = pool
	}
	v := one(g, pool)
	s.pick[kind] = v
	return v
}

func poolSize(kind string) int {
	switch kind {
	case "i", "fn", "eni", "vol":
		return 200
	case "obj", "ip":
		return 400
	}
	return 20
}

func (g *generator) name(kind string) string {
	if prefix, ok := idPrefixes[kind]; ok {
		return prefix + g.random(hexDigits, 17)
	}
	word := one(g, nouns) + "-" + one(g, verbs)
	switch kind {
	case "key":
		return g.uuid()
	case "ip":
		return fmt.Sprintf("10.%d.%d.%d", g.rng.IntN(4), g.rng.IntN(256), 1+g.rng.IntN(254))
	case "cidr":
		return fmt.Sprintf("10.%d.%d.0/24", g.rng.IntN(4), g.rng.IntN(256))
	case "obj":
		return fmt.Sprintf("%s/%04d/%02d/%s.zip", word, 2024, 1+g.rng.IntN(12), g.random(hexDigits, 32))
	case "bucket":
		return "example-" + word + "-" + one(g, stages) + "-" + g.random(hexDigits, 8)
	case "param":
		return "/" + one(g, stages) + "/" + word + "/" + one(g, []string{"db-password", "api-key", "token", "url"})
	case "secret":
		return one(g, stages) + "/" + word
	case "group":
		return "/aws/lambda/" + word
	case "desc":
		return word
	}
	return word + "-" + one(g, stages)
}

func (g *generator) arn(b []byte, s *session, kind string) []byte {
	name := g.named(s, kind)
	acct, region := s.account.id, s.region
	switch kind {
	case "role":
		return fmt.Appendf(b, "arn:aws:iam::%s:role/%s", acct, name)
	case "user":
		return fmt.Appendf(b, "arn:aws:iam::%s:user/%s", acct, name)
	case "bucket":
		return append(append(b, "arn:aws:s3:::"...), name...)
	case "fn":
		return fmt.Appendf(b, "arn:aws:lambda:%s:%s:function:%s", region, acct, name)
	case "layer":
		return fmt.Appendf(b, "arn:aws:lambda:%s:%s:layer:%s", region, acct, name)
	case "table":
		return fmt.Appendf(b, "arn:aws:dynamodb:%s:%s:table/%s", region, acct, name)
	case "queue":
		return fmt.Appendf(b, "arn:aws:sqs:%s:%s:%s", region, acct, name)
	case "topic":
		return fmt.Appendf(b, "arn:aws:sns:%s:%s:%s", region, acct, name)
	case "secret":
		return fmt.Appendf(b, "arn:aws:secretsmanager:%s:%s:secret:%s-AbCdEf", region, acct, name)
	case "param":
		return fmt.Appendf(b, "arn:aws:ssm:%s:%s:parameter%s", region, acct, name)
	case "key":
		return fmt.Appendf(b, "arn:aws:kms:%s:%s:key/%s", region, acct, name)
	}
	return append(b, name...)
}
