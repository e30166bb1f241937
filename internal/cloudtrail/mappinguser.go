package cloudtrail

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
)

// userNames is who called, as far as the user fields say it.
type userNames struct {
	name, id, email string
	// service is the AWS service that acts on its own; then there is no user.
	service string
	// session is the last part of a session's ARN, local the part before the
	// "@" when it is an address.
	session, local string
	// taken says that the name comes from additionalEventData, which loses it.
	taken bool
}

// serviceRole marks the ARN of a service-linked role.
const serviceRole = ":role/aws-service-role/"

// users reads the user fields of the record.
func (e *Event) users() *userNames {
	u := &e.userName
	if e.userGen == e.gen {
		return u
	}
	e.userGen = e.gen
	*u = userNames{}
	kind := e.subText(subUserType)
	u.service = e.serviceActor(kind)
	if u.service == "" {
		u.name = e.subText(subUserName)
		u.id = e.subText(subUserPrincipalID)
		if kind == "AssumedRole" || kind == "FederatedUser" {
			if n := e.subText(subIssuerUserName); n != "" {
				u.name = n
			}
		}
	}
	switch kind {
	case "AssumedRole", "FederatedUser", "IdentityCenterUser":
		u.session = sessionName(e.subText(subUserARN))
		if at := strings.IndexByte(u.session, '@'); at >= 0 {
			u.local, u.email = u.session[:at], u.session
		}
	}
	if kind == "IdentityCenterUser" && u.id == "" {
		u.id = e.subText(subUserBehalfUserID)
	}
	if u.name == "" && e.Action() == "UserAuthentication" {
		// Not by way of member, which asks users.
		if v := e.value(KeyAdditionalEventData); len(v) > 0 {
			if n := e.scalarOf(e.child(e.tree(v), "UserName")); n != "" {
				u.name, u.taken = n, true
			}
		}
	}
	if u.email == "" && strings.IndexByte(u.name, '@') > 0 {
		u.email = u.name
	}
	return u
}

// takeUserName removes UserName from the decoded additionalEventData when it
// became user.name: the pipeline moves it before it prints the rest.
func (e *Event) takeUserName(n int32) {
	if e.Action() != "UserAuthentication" || !e.users().taken {
		return
	}
	for c := range e.children(n) {
		if e.nodes[c].key == "UserName" {
			e.nodes[c].gone = true
		}
	}
}

// serviceActor names the AWS service that acts, which is told by the identity
// type or a service-linked role, never by invokedBy alone: the console sets
// that for people.
func (e *Event) serviceActor(kind string) string {
	switch kind {
	case "AWSService":
		return e.subText(subUserInvokedBy)
	case "AssumedRole":
		_, rest, ok := strings.Cut(e.subText(subIssuerARN), serviceRole)
		if !ok {
			return ""
		}
		if by := e.subText(subUserInvokedBy); by != "" {
			return by
		}
		if slash := strings.IndexByte(rest, '/'); slash > 0 {
			return rest[:slash]
		}
	}
	return ""
}

// sessionName is what follows the last slash of an ARN of the security token
// service, or "".
func sessionName(arn string) string {
	rest, ok := strings.CutPrefix(arn, "arn:")
	if !ok {
		return ""
	}
	partition, rest, ok := strings.Cut(rest, ":")
	if !ok || partition == "" || !strings.HasPrefix(rest, "sts:") || strings.IndexByte(rest, '\n') >= 0 {
		return ""
	}
	for i := range len(partition) {
		if c := partition[i]; (c < 'a' || c > 'z') && c-'0' > 9 && c != '-' {
			return ""
		}
	}
	slash := strings.LastIndexByte(rest, '/')
	if slash < 0 {
		return ""
	}
	return rest[slash+1:]
}

// relatedUsers lists the users the record names, each once.
func (e *Event) relatedUsers() []string {
	u := e.users()
	names := [...]string{
		u.session, u.local,
		e.findText(KeyRequestParameters, "userName"),
		e.findText(KeyRequestParameters, "newUserName"),
		e.findText(KeyResponseElements, "user", "userId"),
		u.id, u.name,
		e.subText(subUserBehalfUserID),
	}
	from := len(e.list)
	for _, n := range names {
		e.unique(from, n)
	}
	return e.upTo(from)
}

// relatedIPs lists the caller's address and that of a service event.
func (e *Event) relatedIPs() []string {
	a, b := e.text(KeySourceIPAddress), e.findText(KeyServiceEventDetails, "sourceIpAddress")
	from := len(e.list)
	if isAddress(a) {
		e.unique(from, a)
	}
	if isAddress(b) {
		e.unique(from, b)
	}
	return e.upTo(from)
}

// relatedHosts lists host names that are not AWS's own, and instances.
func (e *Event) relatedHosts() []string {
	host := ""
	if e.subText(subTLSVersion) != "tlsVersion" {
		host = e.subText(subTLSHost)
	}
	address := e.text(KeySourceIPAddress)
	computer := e.findText(KeyRequestParameters, "computerName")
	resources := e.resourceNodes()
	from := len(e.list)
	if !strings.HasSuffix(host, ".amazonaws.com") {
		e.unique(from, host)
	}
	if !isAddress(address) && strings.Contains(address, ".") && !strings.Contains(address, " ") && !strings.HasSuffix(address, ".amazonaws.com") {
		e.unique(from, address)
	}
	e.unique(from, computer)
	for _, r := range resources {
		if arn := e.stringOf(e.resourceMember(r, "ARN", "arn")); strings.Contains(arn, ":instance/") {
			e.instance(from, arn[strings.LastIndexByte(arn, '/')+1:])
		}
	}
	for _, k := range [...]Key{KeyRequestParameters, KeyResponseElements} {
		n := e.member(k)
		for _, name := range [...]string{"instanceId", "target", "resourceId"} {
			e.instance(from, e.stringOf(e.child(n, name)))
		}
		if ids := e.child(n, "instanceIds"); ids != 0 && e.nodes[ids].kind == nodeList {
			for c := range e.children(ids) {
				e.instance(from, e.stringOf(c))
			}
		}
		if items := e.child(e.child(n, "instancesSet"), "items"); items != 0 && e.nodes[items].kind == nodeList {
			for c := range e.children(items) {
				e.instance(from, e.stringOf(e.child(c, "instanceId")))
			}
		}
	}
	return e.upTo(from)
}

// instance lists v when it is the id of an EC2 instance.
func (e *Event) instance(from int, v string) {
	if len(v) >= 10 && strings.HasPrefix(v, "i-") {
		e.unique(from, v)
	}
}

// stringOf is the text of a node when it is a JSON string, else "".
func (e *Event) stringOf(n int32) string {
	if n == 0 || e.nodes[n].kind != nodeText {
		return ""
	}
	return e.nodes[n].text
}

// resourceNodes are the resources of the record without repetitions, in the
// order of the HashMap that the pipeline keeps them in. It is nil when the
// record has no list of them.
func (e *Event) resourceNodes() []int32 {
	n := e.member(KeyResources)
	if n == 0 || e.nodes[n].kind != nodeList {
		return nil
	}
	if e.resGen == e.gen {
		return e.res
	}
	e.resGen, e.res = e.gen, e.res[:0]
	if e.seen == nil {
		e.seen = map[string]int32{}
	}
	clear(e.seen)
	from := len(e.hashes)
	for c := range e.children(n) {
		if e.nodes[c].kind != nodeObject {
			continue
		}
		// The key is arn_account_type with what is there; one with ARN wins
		// over arn, as the pipeline renames the first to the second.
		at := len(e.arena)
		e.arena = e.appendMember(e.arena, c, "ARN", "arn")
		e.arena = append(e.arena, '_')
		e.arena = e.appendMember(e.arena, c, "accountId", "account_id")
		e.arena = append(e.arena, '_')
		e.arena = e.appendMember(e.arena, c, "type", "type")
		key := e.keep(at)
		if i, ok := e.seen[key]; ok {
			e.res[i] = c
			continue
		}
		e.seen[key] = int32(len(e.res)) //nolint:gosec // fewer than there are nodes
		e.res = append(e.res, c)
		e.hashes = append(e.hashes, uint64(javaHash(key)))
	}
	javaOrder(e.hashes[from:])
	at := len(e.kids)
	for _, h := range e.hashes[from:] {
		e.kids = append(e.kids, e.res[low(h)])
	}
	copy(e.res, e.kids[at:])
	e.hashes, e.kids = e.hashes[:from], e.kids[:at]
	return e.res
}

func (e *Event) appendMember(dst []byte, n int32, name, renamed string) []byte {
	if c := e.resourceMember(n, name, renamed); c != 0 {
		return e.appendJava(dst, c)
	}
	return dst
}

// resourceMember is the member of a resource under the name CloudTrail uses or
// the one the pipeline gives it.
func (e *Event) resourceMember(n int32, name, renamed string) int32 {
	if c := e.child(n, name); c != 0 {
		return c
	}
	return e.child(n, renamed)
}

// resources lists one member of each resource. What is no list keeps its own
// names, of which only type is mapped.
func (e *Event) resources(name, renamed string) []string {
	nodes := e.resourceNodes()
	from := len(e.list)
	if n := e.member(KeyResources); n != 0 && e.nodes[n].kind == nodeObject {
		e.addLeaves(e.child(n, renamed))
	}
	for _, r := range nodes {
		e.addLeaves(e.resourceMember(r, name, renamed))
	}
	return e.upTo(from)
}

// digestNames are the members of a digest file under the names they have in
// the flattened field; dates are written as the pipeline writes them.
var digestNames = []struct {
	key, member string
	date        bool
}{
	{"end_time", "digestEndTime", true},
	{"log_files", "logFiles", false},
	{"newest_event_time", "newestEventTime", true},
	{"oldest_event_time", "oldestEventTime", true},
	{"previous_hash_algorithm", "previousDigestHashAlgorithm", false},
	{"previous_hash_value", "previousDigestHashValue", false},
	{"previous_s3_bucket", "previousDigestS3Bucket", false},
	{"previous_s3_object", "previousDigestS3Object", false},
	{"previous_signature", "previousDigestSignature", false},
	{"public_key_fingerprint", "digestPublicKeyFingerprint", false},
	{"s3_bucket", "digestS3Bucket", false},
	{"signature_algorithm", "digestSignatureAlgorithm", false},
	{"start_time", "digestStartTime", true},
}

// digest is the node of a member of a digest file, or 0.
func (e *Event) digest(member string) int32 {
	n := e.record()
	c := e.child(n, member)
	if c == 0 && member == "digestPublicKeyFingerprint" {
		c = e.child(n, "publicKeyFingerprint")
	}
	return c
}

// digestMember lists the values of a member of a digest file.
func (e *Event) digestMember(member string) []string {
	if !e.mayBeDigest() {
		return nil
	}
	return e.leaves(e.digest(member))
}

// mayBeDigest keeps API calls, which are all but one record in thousands, from
// being decoded whole only to find no digest in them.
func (e *Event) mayBeDigest() bool {
	return e.top[KeyOther].End > 0 || e.top[KeyLogFiles].End > 0 ||
		e.top[KeyDigestStartTime].End > 0 || e.top[KeyDigestEndTime].End > 0
}

// digestDate is a time of a digest file as the pipeline writes it, or "".
func (e *Event) digestDate(n int32) string {
	t, ok := parseISO(e.scalarOf(n))
	if !ok {
		return ""
	}
	from := len(e.arena)
	e.arena = appendMillis(e.arena, t)
	return e.keep(from)
}

// digestLeaves lists the leaves of the flattened digest at a key, or all with
// "".
func (e *Event) digestLeaves(key string) {
	for _, d := range digestNames {
		rest, ok := strings.CutPrefix(key, d.key)
		if key != "" && (!ok || rest != "" && rest[0] != '.') || !e.mayBeDigest() {
			continue
		}
		n := e.digest(d.member)
		switch {
		case n == 0:
		case d.date:
			if v := e.digestDate(n); v != "" && rest == "" {
				e.list = append(e.list, v)
			}
		case key == "":
			e.addAllLeaves(n)
		case rest == "":
			e.addLeaves(n)
		default:
			e.addKeyed(n, rest[1:])
		}
	}
}

func (e *Event) hasDigest(key string) bool {
	for _, d := range digestNames {
		rest, ok := strings.CutPrefix(key, d.key)
		if !ok || rest != "" && rest[0] != '.' || !e.mayBeDigest() {
			continue
		}
		n := e.digest(d.member)
		switch {
		case n == 0:
		case d.date:
			return rest == "" && e.digestDate(n) != ""
		case rest == "":
			return true
		default:
			return e.hasKeyed(n, rest[1:])
		}
	}
	return false
}

// sortJava sorts values as a Java TreeSet of strings does.
func sortJava(v []string) []string {
	slices.SortFunc(v, compareUTF16)
	return v
}

var _ ecs.Event = (*Event)(nil)
