// Package awsfake is AWS in one process, with the documented semantics: layers
// and functions of AWS Lambda in any number of accounts, regions and
// partitions, under a virtual clock, writing the CloudTrail records that its
// calls would leave.
//
// Calls are made through a Session, or over HTTP by any client of the APIs (the
// real SDK, without sockets: give it Client). The same seed and the same calls
// give the same identifiers and the same trail, byte for byte.
//
// What it knows of Lambda: layer versions whose numbers are never used again,
// policies per version with revision ids that guard changes, grants to an
// account, an organisation or everyone that are enforced on foreign reads and
// attachments, functions that keep a layer version after it was deleted or its
// grant was removed but can no longer name it in a new list, published versions
// that keep their layers, aliases, function policies, code signing that warns or
// enforces, URLs, event source mappings, and pages of AWS's sizes.
//
// What a collector reads of other services is put in by Load as the nouns of a
// snapshot, and answered in each service's protocol: STS, IAM, Account
// Management, Organizations (to the management account and delegated
// administrators), CloudTrail, CloudWatch, CloudWatch Logs, SNS, EventBridge,
// IAM Access Analyzer, Inspector, GuardDuty, Security Hub, Signer, S3 and EC2.
//
// Deny and DenySCP refuse calls in each service's words, Faults inject errors,
// Throttle makes request quotas hold, OptIn enables regions, Calls counts. All
// calls leave records in CloudTrail's shapes, which LookupEvents finds (denied
// calls have no parameters; environment variables and code are left out).
//
// # Limitations
//
// It does not verify signatures: the access key id in the Authorization header
// names the caller, the region in it the region, the service the API. Identity
// policies and service control policies are not evaluated: a caller may do
// everything in its own account unless Deny or DenySCP say otherwise. Function
// policies are kept, not enforced. Of trust policies only what trusted says is
// evaluated, and AssumeRole is recorded in the caller's account only. Nobody calls
// functions: Session.Note writes records of calls that are not carried out. Code
// given as an object of S3 that PutObject did not make is empty. Only Lambda can
// be changed by calls. Alarms never fire, metric filters match nothing, trails
// deliver nothing, analyzers find nothing by themselves. Metric filters have one
// transformation, subnets a route table each. Capacity providers, destinations and durable functions do not exist. Records of other
// services list parameters by name. Texts of errors for which no record was found
// are our own words. What nobody here could verify on AWS is marked derived
// beside it.
package awsfake

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lamina-sec/lamina"
)

// A Fake is one AWS. Its methods may be called from many goroutines; that the
// same calls give the same trail holds for calls from one.
type Fake struct {
	mu          sync.Mutex // guards all below, for the length of a call
	now         time.Time
	random      *rand.Rand
	orgs        map[string]string   // account → organisation
	partition   map[string]string   // account → partition, "aws" when absent
	keys        map[string]key      // by access key id
	ids         map[Caller]ids      // what identifies a caller, made once
	layers      map[layerKey]*layer // what exists
	names       map[place][]string  // layer names in order of creation
	functions   map[funcKey]*function
	funcNames   map[place][]string
	signing     map[place][]*signingConfig
	mappings    map[place][]*mapping
	objects     map[objectKey]Object
	estate      lamina.Snapshot     // what services other than Lambda hold
	delegated   map[string][]string // account → service principals
	reports     map[string]*report  // credential reports, by account
	optedIn     map[string][]string // account → regions
	sessionsEnd time.Time           // what AssumeRole says, unless zero
	deny        func(Call) bool
	denySCP     func(Call) bool
	fault       func(Call) *Fault
	counts      map[Count]int
	downloads   map[string]int
	buckets     map[bucketKey]*bucket // nil while nothing is throttled
	trail       []Event
	lookup      map[place][]lookedEvent
	handlers    map[string]http.Handler // by the service's name in a signature
}

// place is one region of one account.
type place struct{ account, region string }

// New returns an empty AWS whose clock stands at start.
func New(seed uint64, start time.Time) *Fake {
	f := &Fake{
		now:       start.UTC(),
		random:    rand.New(rand.NewPCG(seed, seed^0x1a3b5c7d9e)), //nolint:gosec // ids of a simulation, which must be reproducible
		orgs:      map[string]string{},
		partition: map[string]string{},
		keys:      map[string]key{},
		delegated: map[string][]string{},
		reports:   map[string]*report{},
		optedIn:   map[string][]string{},
		ids:       map[Caller]ids{},
		layers:    map[layerKey]*layer{},
		names:     map[place][]string{},
		functions: map[funcKey]*function{},
		funcNames: map[place][]string{},
		signing:   map[place][]*signingConfig{},
		mappings:  map[place][]*mapping{},
		objects:   map[objectKey]Object{},
		lookup:    map[place][]lookedEvent{},
		counts:    map[Count]int{},
		downloads: map[string]int{},
	}
	f.handlers = map[string]http.Handler{
		lambda.scope:         f.lambdaRoutes(),
		sts.scope:            f.forms(&sts, f.stsOperations()),
		iam.scope:            f.forms(&iam, f.iamOperations()),
		account.scope:        f.paths(&account, f.accountPaths()...),
		config.scope:         f.targets(&config, f.configOperations()),
		organizations.scope:  f.targets(&organizations, f.organizationsOperations()),
		cloudtrail.scope:     f.targets(&cloudtrail, f.cloudtrailOperations()),
		cloudwatch.scope:     f.cloudwatchHandler(),
		logs.scope:           f.targets(&logs, f.logsOperations()),
		sns.scope:            f.forms(&sns, f.snsOperations()),
		events.scope:         f.targets(&events, f.eventsOperations()),
		accessAnalyzer.scope: f.paths(&accessAnalyzer, f.analyzerPaths()...),
		inspector.scope:      f.paths(&inspector, f.inspectorPaths()...),
		guardDuty.scope:      f.paths(&guardDuty, f.guardDutyPaths()...),
		securityHub.scope:    f.paths(&securityHub, f.securityHubPaths()...),
		signer.scope:         f.paths(&signer, f.signerPaths()...),
		s3.scope:             f.bucketHandler(),
		dnsFirewall.scope:    f.targets(&dnsFirewall, f.dnsFirewallOperations()),
		ec2.scope:            f.forms(&ec2, f.ec2Operations()),
	}
	return f
}

// Now is the virtual time.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Advance moves the clock. Calls take no time of their own.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// AdvanceTo moves the clock to t, which must not lie before Now.
func (f *Fake) AdvanceTo(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.Before(f.now) {
		panic(fmt.Sprintf("awsfake: the clock stands at %s and cannot go back to %s", f.now, t))
	}
	f.now = t.UTC()
}

// Organization puts accounts into an organisation.
func (f *Fake) Organization(id string, accounts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range accounts {
		f.orgs[a] = id
	}
}

// Partition puts an account into a partition other than "aws".
func (f *Fake) Partition(partition string, accounts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range accounts {
		f.partition[a] = partition
	}
}

// A Call is what fault injection decides on.
type Call struct {
	Caller   Caller
	Region   string
	Action   string // the IAM action, "lambda:GetLayerVersion"
	Resource string // an ARN or "*"
}

// Deny makes every call for which it returns true fail as if no identity policy
// allowed it. nil denies nothing.
func (f *Fake) Deny(denied func(Call) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deny = denied
}

// A Fault is an error that the service makes up.
type Fault struct {
	Err Error
	// After lets the call take effect before it fails, as a lost answer does.
	After bool
}

// DenySCP is Deny by a service control policy, as that of an organisation that
// keeps to some regions: the answer names the kind of policy.
func (f *Fake) DenySCP(denied func(Call) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.denySCP = denied
}

// Faults makes calls fail for which it returns a Fault. It is asked once a call,
// with the lock held: it must not use the Fake. nil injects nothing.
func (f *Fake) Faults(fault func(Call) *Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// An Error is a service error.
type Error struct {
	Status        int
	Code, Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// A Caller is who calls, as CloudTrail's userIdentity will have it.
type Caller struct {
	Account string
	// Role and Session make an assumed role; User an IAM user; neither the root
	// user. Service is the service that calls with the role on the account's
	// behalf ("cloudformation.amazonaws.com"); without a role it calls as itself.
	Role, Session, User, Service string
	SourceIP, UserAgent          string
	MFA, Console                 bool
}

func (c Caller) kind() string {
	switch {
	case c.Role != "":
		return "AssumedRole"
	case c.User != "":
		return "IAMUser"
	case c.Service != "":
		return "AWSService"
	}
	return "Root"
}

func (c Caller) arn(partition string) string {
	switch {
	case c.Role != "":
		return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", partition, c.Account, c.Role, c.Session)
	case c.User != "":
		return fmt.Sprintf("arn:%s:iam::%s:user/%s", partition, c.Account, c.User)
	}
	return fmt.Sprintf("arn:%s:iam::%s:root", partition, c.Account)
}

// ids are made from who the caller is. They end in EXAMPLE, as those of AWS's
// documentation do, so that nobody takes a key for a secret.
type ids struct {
	accessKey, principal string
	// before and after are userIdentity without the session's time of creation,
	// which stands between them when there is a session.
	before, after []byte
}

// idsOf returns the caller's ids; the lock must be held.
func (f *Fake) idsOf(c Caller) ids {
	i, ok := f.ids[c]
	if ok {
		return i
	}
	key, principal := "AKIA", "AIDA"
	if c.Role != "" || c.Console {
		key = "ASIA"
	}
	if c.Role != "" {
		principal = "AROA"
	}
	i.accessKey = key + c.hash("key", c.Session)[:9] + "EXAMPLE"
	i.principal = principal + c.hash("principal")[:10] + "EXAMPLE"
	if c.Role == "" && c.User == "" {
		i.principal = c.Account
	}
	identity := f.as(c, "").identity(i).append(nil, api)
	i.before = identity
	if before, after, ok := bytes.Cut(identity, []byte(created)); ok {
		i.before, i.after = before, after
	}
	f.ids[c] = i
	return i
}

func (c Caller) hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(append(parts, c.Account, c.Role, c.User), "\x00")))
	return base32.StdEncoding.EncodeToString(sum[:])
}

// A key is who signs with an access key, and until when; a zero time is for ever.
type key struct {
	caller Caller
	until  time.Time
}

// Credentials registers the caller and returns what an SDK signs with.
func (f *Fake) Credentials(c Caller) (accessKeyID, secretAccessKey string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.idsOf(c).accessKey
	f.keys[id] = key{caller: c}
	return id, "not-verified"
}

// A Session is a caller in a region.
type Session struct {
	f      *Fake
	caller Caller
	region string
	arns   string // the partition
	served string // the URL under which a socket serves the fake, "" without one
}

// As returns a session of the caller in the region.
func (f *Fake) As(c Caller, region string) Session {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.as(c, region)
}

// as is As with the lock held.
func (f *Fake) as(c Caller, region string) Session {
	return Session{f: f, caller: c, region: region, arns: f.partitionOf(c.Account)}
}

// partitionOf is the partition of an account; the lock must be held.
func (f *Fake) partitionOf(account string) string { return cmp.Or(f.partition[account], "aws") }

func (s Session) partition() string { return s.arns }

// uuid and token are identifiers from the seed; the lock must be held.
func (f *Fake) uuid() string {
	var b [16]byte
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], f.random.Uint64())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	return string(s[:])
}

// do runs one call of Lambda.
func (s Session) do(op operation, resource string, params object, effect func() (object, *Error)) (object, error) {
	return s.call(&lambda, op, resource, params, effect)
}

// call runs one call under the lock: what refuses it first, then the effect,
// then the record. effect returns what the API answers.
func (s Session) call(svc *service, op operation, resource string, params object, effect func() (object, *Error)) (object, error) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	call := Call{Caller: s.caller, Region: s.region, Action: svc.prefix + ":" + op.action(), Resource: resource}
	s.f.counts[Count{s.caller.Account, s.region, call.Action}]++
	if err := s.refused(svc, call); err != nil {
		s.record(svc, op, params, nil, err)
		return nil, err
	}
	var fault *Fault
	if s.f.fault != nil {
		fault = s.f.fault(call)
	}
	if fault != nil && !fault.After {
		s.record(svc, op, params, nil, &fault.Err)
		return nil, &fault.Err
	}
	out, err := effect()
	s.record(svc, op, params, out, err)
	if err != nil {
		return nil, err
	}
	if fault != nil {
		return nil, &fault.Err
	}
	return out, nil
}

// refused is the error of a call that does not get as far as the service.
func (s Session) refused(svc *service, call Call) *Error {
	switch {
	case s.f.throttled(svc, call):
		return svc.speaks.slow()
	case s.f.denySCP != nil && s.f.denySCP(call):
		return s.deniedBy(svc, call.Action, call.Resource, "with an explicit deny in a service control policy")
	case s.f.deny != nil && s.f.deny(call):
		return s.deniedBy(svc, call.Action, call.Resource, because("identity", call.Action))
	}
	return nil
}

// denied is the sentence of a 403 of Lambda (spec posture F8).
func (s Session) denied(action, resource, policy string) *Error {
	return s.deniedBy(&lambda, action, resource, because(policy, action))
}

func because(policy, action string) string {
	return fmt.Sprintf("because no %s-based policy allows the %s action", policy, action)
}

func invalid(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidParameterValueException", Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: "ResourceNotFoundException", Message: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "ResourceConflictException", Message: fmt.Sprintf(format, args...)}
}

func stale() *Error {
	return &Error{
		Status: http.StatusPreconditionFailed, Code: "PreconditionFailedException",
		Message: "The RevisionId provided does not match the latest RevisionId. Read the policy or configuration again to get the latest RevisionId.",
	}
}

// digest is the SHA-256 that the API shows of code.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}
