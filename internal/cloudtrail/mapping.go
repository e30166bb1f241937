package cloudtrail

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina/ecs"
)

// A getter puts the values of one field into its slot.
type getter func(e *Event, s *slot)

// getters has the getter of each mapped field by ecs.Field.ID; nil for fields
// that nothing here fills.
var getters = sync.OnceValue(func() []getter {
	g := make([]getter, ecs.Len())
	for name, get := range mapping {
		g[ecs.Lookup(name).ID] = get
	}
	for name, k := range topFields {
		g[ecs.Lookup(name).ID] = func(e *Event, s *slot) { e.all(s, e.value(k)) }
	}
	for name, n := range subFields {
		g[ecs.Lookup(name).ID] = func(e *Event, s *slot) { e.all(s, e.below(n)) }
	}
	for f := range ecs.All() {
		if f.Type == ecs.ConstantKeyword {
			value := f.Const
			g[f.ID] = func(_ *Event, s *slot) { s.set(value) }
		}
	}
	for f := range ecs.All() {
		if t := f.Twin(); t != nil && g[t.ID] != nil {
			g[f.ID] = func(e *Event, s *slot) { s.vals = e.Values(t) }
		}
	}
	return g
})

// fromPath maps a member below a decoded top-level member to a field as it is.
func fromPath(k Key, names ...string) getter {
	return func(e *Event, s *slot) { s.vals = e.leaves(e.find(k, names...)) }
}

// find follows names below the top-level member k; 0 when there is nothing.
func (e *Event) find(k Key, names ...string) int32 {
	n := e.member(k)
	for _, name := range names {
		n = e.child(n, name)
	}
	return n
}

// findText is the text found below k when it is a scalar, else "".
func (e *Event) findText(k Key, names ...string) string { return e.scalarOf(e.find(k, names...)) }

// scalarOf is the text of a node when it is a scalar, else "".
func (e *Event) scalarOf(n int32) string {
	if n == 0 || e.nodes[n].kind == nodeObject || e.nodes[n].kind == nodeList {
		return ""
	}
	return e.nodes[n].text
}

// javaText maps a top-level member to its text as Java prints it.
func javaText(k Key) getter {
	return func(e *Event, s *slot) { s.set(e.java(k)) }
}

// java is the text of a top-level member as Java prints it, or "".
func (e *Event) java(k Key) string {
	n := e.member(k)
	if n == 0 {
		return ""
	}
	if t := e.scalarOf(n); t != "" {
		return t
	}
	from := len(e.arena)
	e.arena = e.appendJava(e.arena, n)
	return e.keep(from)
}

// flatLimit is the length in UTF-16 units from which on the pipeline keeps a
// text without its flattened twin (Lucene's limit for one term).
const flatLimit = 32766

// flatRoots are the flattened fields and the members they hold.
var flatRoots = map[string]Key{
	"aws.cloudtrail.flattened.request_parameters":    KeyRequestParameters,
	"aws.cloudtrail.flattened.response_elements":     KeyResponseElements,
	"aws.cloudtrail.flattened.additional_eventdata":  KeyAdditionalEventData,
	"aws.cloudtrail.flattened.service_event_details": KeyServiceEventDetails,
	"aws.cloudtrail.flattened.insight_details":       KeyInsightDetails,
}

const (
	flatDigest  = "aws.cloudtrail.flattened.digest"
	flatWebID   = "aws.cloudtrail.user_identity.session_context.web_id_federation_data.attributes"
	flatInsight = "aws.cloudtrail.flattened.insight_details"
)

// flatFields are the text fields that decide whether a flattened field is kept.
var flatFields = sync.OnceValue(func() map[Key]*ecs.Field {
	return map[Key]*ecs.Field{
		KeyRequestParameters:   ecs.Lookup("aws.cloudtrail.request_parameters"),
		KeyResponseElements:    ecs.Lookup("aws.cloudtrail.response_elements"),
		KeyAdditionalEventData: ecs.Lookup("aws.cloudtrail.additional_eventdata"),
		KeyServiceEventDetails: ecs.Lookup("aws.cloudtrail.service_event_details"),
	}
})

// flat is the node of a flattened field other than the digest, or 0.
func (e *Event) flat(name string) int32 {
	if name == flatWebID {
		b := e.below(subSessionWebIDAttributes)
		if len(b) == 0 {
			return 0
		}
		n := e.tree(b)
		if e.nodes[n].gone {
			return 0
		}
		return n
	}
	k, ok := flatRoots[name]
	if !ok {
		return 0
	}
	n := e.member(k)
	if f := flatFields()[k]; f != nil && n != 0 {
		// The text is at most three times its JSON (1e6 prints as 1000000.0), so
		// most are never rendered for this.
		if span := e.top[k]; span.End-span.Start >= flatLimit/3 {
			if v := e.Values(f); len(v) == 0 || ecs.UTF16Len(v[0]) >= flatLimit {
				return 0
			}
		}
	}
	return n
}

// flatLeaves maps a flattened field to all its leaves, which is what a query on
// the field itself searches.
func flatLeaves(name string) getter {
	return func(e *Event, s *slot) {
		from := len(e.list)
		if name == flatDigest {
			e.digestLeaves("")
		} else {
			e.addAllLeaves(e.flat(name))
		}
		s.vals = e.upTo(from)
	}
}

// addAllLeaves lists the scalars at and below n.
func (e *Event) addAllLeaves(n int32) {
	if n == 0 {
		return
	}
	switch e.nodes[n].kind {
	case nodeObject, nodeList:
		for c := range e.children(n) {
			e.addAllLeaves(c)
		}
	case nodeText, nodeBool, nodeInteger, nodeDouble:
		e.list = append(e.list, e.nodes[n].text)
	case nodeNull:
	}
}

// keyed returns the leaves of a flattened field at exactly one key.
func (e *Event) keyed(f *ecs.Field) []string {
	from := len(e.list)
	if f.Root.Name == flatDigest {
		e.digestLeaves(f.Key)
	} else {
		e.addKeyed(e.flat(f.Root.Name), f.Key)
	}
	return e.upTo(from)
}

// addKeyed lists the leaves of n at key. A dotted name and a path of names are
// the same key, so both ways of reading the key are followed.
func (e *Event) addKeyed(n int32, key string) {
	if n == 0 {
		return
	}
	switch e.nodes[n].kind {
	case nodeList:
		for c := range e.children(n) {
			e.addKeyed(c, key)
		}
	case nodeObject:
		for c := range e.children(n) {
			name := e.nodes[c].key
			switch {
			case name == key:
				e.addLeaves(c)
			case len(key) > len(name) && key[len(name)] == '.' && key[:len(name)] == name:
				e.addKeyed(c, key[len(name)+1:])
			}
		}
	case nodeNull, nodeBool, nodeText, nodeInteger, nodeDouble:
	}
}

// hasKey says that a flattened field has a leaf at or below a key.
func (e *Event) hasKey(f *ecs.Field) bool {
	if f.Root.Name == flatDigest {
		return e.hasDigest(f.Key)
	}
	return e.hasKeyed(e.flat(f.Root.Name), f.Key)
}

func (e *Event) hasKeyed(n int32, key string) bool {
	if n == 0 {
		return false
	}
	for c := range e.children(n) {
		if e.nodes[n].kind == nodeList {
			if e.hasKeyed(c, key) {
				return true
			}
			continue
		}
		name := e.nodes[c].key
		if name == key ||
			len(key) > len(name) && key[len(name)] == '.' && key[:len(name)] == name && e.hasKeyed(c, key[len(name)+1:]) ||
			len(name) > len(key) && name[len(key)] == '.' && name[:len(key)] == key {
			return true
		}
	}
	return false
}

// topFields are the fields that are a top-level member as it is.
var topFields = map[string]Key{
	"cloud.region":                                   KeyAWSRegion,
	"event.id":                                       KeyEventID,
	"event.provider":                                 KeyEventSource,
	"aws.cloudtrail.event_version":                   KeyEventVersion,
	"aws.cloudtrail.event_category":                  KeyEventCategory,
	"aws.cloudtrail.event_type":                      KeyEventType,
	"aws.cloudtrail.api_version":                     KeyAPIVersion,
	"aws.cloudtrail.request_id":                      KeyRequestID,
	"aws.cloudtrail.error_code":                      KeyErrorCode,
	"aws.cloudtrail.error_message":                   KeyErrorMessage,
	"aws.cloudtrail.management_event":                KeyManagementEvent,
	"aws.cloudtrail.read_only":                       KeyReadOnly,
	"aws.cloudtrail.recipient_account_id":            KeyRecipientAccountID,
	"aws.cloudtrail.session_credential_from_console": KeySessionCredentialFromConsole,
	"aws.cloudtrail.vpc_endpoint_id":                 KeyVPCEndpointID,
	"aws.cloudtrail.vpc_endpoint_account_id":         KeyVPCEndpointAccountID,
	"source.address":                                 KeySourceIPAddress,
	"user_agent.original":                            KeyUserAgent,
}

// subFields are the fields that are a member below userIdentity as it is.
var subFields = map[string]sub{
	"aws.cloudtrail.user_identity.type":                                                      subUserType,
	"aws.cloudtrail.user_identity.arn":                                                       subUserARN,
	"aws.cloudtrail.user_identity.access_key_id":                                             subUserAccessKeyID,
	"aws.cloudtrail.user_identity.invoked_by":                                                subUserInvokedBy,
	"aws.cloudtrail.user_identity.invoked_by_delegate.account_id":                            subUserDelegateAccountID,
	"aws.cloudtrail.user_identity.credential_id":                                             subUserCredentialID,
	"aws.cloudtrail.user_identity.identity_provider":                                         subUserIdentityProvider,
	"aws.cloudtrail.user_identity.on_behalf_of.user_id":                                      subUserBehalfUserID,
	"aws.cloudtrail.user_identity.on_behalf_of.identity_store_arn":                           subUserBehalfStoreARN,
	"aws.cloudtrail.user_identity.in_scope_of.issuer_type":                                   subUserScopeIssuerType,
	"aws.cloudtrail.user_identity.in_scope_of.credentials_issued_to":                         subUserScopeIssuedTo,
	"aws.cloudtrail.user_identity.in_scope_of.source_arn":                                    subUserScopeSourceARN,
	"aws.cloudtrail.user_identity.in_scope_of.source_account":                                subUserScopeSourceAccount,
	"aws.cloudtrail.user_identity.session_context.mfa_authenticated":                         subSessionMFA,
	"aws.cloudtrail.user_identity.session_context.ec2_role_delivery":                         subSessionEC2Delivery,
	"aws.cloudtrail.user_identity.session_context.source_identity":                           subSessionSourceIdentity,
	"aws.cloudtrail.user_identity.session_context.assumed_root":                              subSessionAssumedRoot,
	"aws.cloudtrail.user_identity.session_context.sign_in_session_arn":                       subSessionSignIn,
	"aws.cloudtrail.user_identity.session_context.web_id_federation_data.federated_provider": subSessionWebIDProvider,
	"aws.cloudtrail.user_identity.session_context.session_issuer.type":                       subIssuerType,
	"aws.cloudtrail.user_identity.session_context.session_issuer.principal_id":               subIssuerPrincipalID,
	"aws.cloudtrail.user_identity.session_context.session_issuer.arn":                        subIssuerARN,
	"aws.cloudtrail.user_identity.session_context.session_issuer.account_id":                 subIssuerAccountID,
}

// mapping says how each other field is filled. Where one looks at others, they
// are read as they are at the end of the pipeline.
var mapping = map[string]getter{
	"@timestamp":     func(e *Event, s *slot) { e.timestamp(s) },
	"event.ingested": func(e *Event, s *slot) { e.timestamp(s) },
	"tags":           func(e *Event, s *slot) { s.vals = e.tags() },
	"ecs.version":    func(_ *Event, s *slot) { s.set("8.11.0") },
	"error.message":  func(e *Event, s *slot) { s.vals = e.errors() },
	"cloud.provider": func(_ *Event, s *slot) { s.set("aws") },
	"event.action":   func(e *Event, s *slot) { s.set(e.Action()) },
	"event.outcome":  func(e *Event, s *slot) { s.set(e.outcome()) },
	"event.category": func(e *Event, s *slot) { s.vals, _ = categorize(e.Action()) },
	"event.type":     func(e *Event, s *slot) { _, s.vals = categorize(e.Action()) },
	"event.kind": func(e *Event, s *slot) {
		s.set("event")
		if len(e.errors()) > 0 {
			s.set("pipeline_error")
		}
	},
	"cloud.service.name": func(e *Event, s *slot) {
		if p := e.Provider(); strings.HasSuffix(p, ".amazonaws.com") {
			name, _, _ := strings.Cut(p, ".amazonaws.com")
			s.set(name)
		}
	},
	"cloud.account.id": func(e *Event, s *slot) {
		for _, v := range [][]byte{e.below(subUserAccountID), e.value(KeyRecipientAccountID), e.value(KeyAWSAccountID)} {
			if e.all(s, v); len(s.vals) > 0 {
				return
			}
		}
	},

	"aws.cloudtrail.shared_event_id": func(e *Event, s *slot) {
		if e.all(s, e.value(KeySharedEventID)); len(s.vals) == 0 {
			e.all(s, e.value(KeySharedEventIDLower))
		}
	},
	"aws.cloudtrail.addendum.reason":              fromPath(KeyAddendum, "reason"),
	"aws.cloudtrail.addendum.updated_fields":      fromPath(KeyAddendum, "updatedFields"),
	"aws.cloudtrail.addendum.original_request_id": fromPath(KeyAddendum, "originalRequestID"),
	"aws.cloudtrail.addendum.original_event_id":   fromPath(KeyAddendum, "originalEventID"),

	"aws.cloudtrail.request_parameters":              javaText(KeyRequestParameters),
	"aws.cloudtrail.response_elements":               javaText(KeyResponseElements),
	"aws.cloudtrail.additional_eventdata":            javaText(KeyAdditionalEventData),
	"aws.cloudtrail.service_event_details":           javaText(KeyServiceEventDetails),
	"aws.cloudtrail.flattened.request_parameters":    flatLeaves("aws.cloudtrail.flattened.request_parameters"),
	"aws.cloudtrail.flattened.response_elements":     flatLeaves("aws.cloudtrail.flattened.response_elements"),
	"aws.cloudtrail.flattened.additional_eventdata":  flatLeaves("aws.cloudtrail.flattened.additional_eventdata"),
	"aws.cloudtrail.flattened.service_event_details": flatLeaves("aws.cloudtrail.flattened.service_event_details"),
	flatDigest:  flatLeaves(flatDigest),
	flatInsight: flatLeaves(flatInsight),
	flatWebID:   flatLeaves(flatWebID),

	"aws.cloudtrail.resources.arn":        func(e *Event, s *slot) { s.vals = e.resources("ARN", "arn") },
	"aws.cloudtrail.resources.account_id": func(e *Event, s *slot) { s.vals = e.resources("accountId", "account_id") },
	"aws.cloudtrail.resources.type":       func(e *Event, s *slot) { s.vals = e.resources("type", "type") },

	"aws.cloudtrail.console_login.additional_eventdata.login_to": func(e *Event, s *slot) {
		if e.Action() == "ConsoleLogin" {
			s.vals = e.leaves(e.find(KeyAdditionalEventData, "LoginTo"))
		}
	},
	"aws.cloudtrail.console_login.additional_eventdata.mfa_used":       consoleFlag("MFAUsed"),
	"aws.cloudtrail.console_login.additional_eventdata.mobile_version": consoleFlag("MobileVersion"),

	"aws.cloudtrail.user_identity.session_context.creation_date": func(e *Event, s *slot) { e.creationDate(s) },

	"user.name":         func(e *Event, s *slot) { s.set(e.users().name) },
	"user.id":           func(e *Event, s *slot) { s.set(e.users().id) },
	"user.email":        func(e *Event, s *slot) { s.set(e.users().email) },
	"service.name":      func(e *Event, s *slot) { s.set(e.users().service) },
	"user.target.id":    fromPath(KeyResponseElements, "user", "userId"),
	"user.target.name":  fromPath(KeyRequestParameters, "userName"),
	"user.changes.name": fromPath(KeyRequestParameters, "newUserName"),
	"group.id":          fromPath(KeyResponseElements, "group", "groupId"),
	"group.name":        fromPath(KeyRequestParameters, "groupName"),

	"source.ip": func(e *Event, s *slot) {
		if a := e.text(KeySourceIPAddress); isAddress(a) {
			s.set(a)
		}
	},
	"source.as.number":            func(e *Event, s *slot) { s.set(e.place().ASNumber) },
	"source.as.organization.name": func(e *Event, s *slot) { s.set(e.place().ASOrganization) },
	"source.geo.city_name":        func(e *Event, s *slot) { s.set(e.place().City) },
	"source.geo.continent_name":   func(e *Event, s *slot) { s.set(e.place().Continent) },
	"source.geo.country_iso_code": func(e *Event, s *slot) { s.set(e.place().CountryISO) },
	"source.geo.country_name":     func(e *Event, s *slot) { s.set(e.place().Country) },
	"source.geo.region_iso_code":  func(e *Event, s *slot) { s.set(e.place().RegionISO) },
	"source.geo.region_name":      func(e *Event, s *slot) { s.set(e.place().Region) },
	"source.geo.location":         func(e *Event, s *slot) { s.set(e.place().Location) },

	"user_agent.name":        func(e *Event, s *slot) { s.set(e.agentOf().name) },
	"user_agent.version":     func(e *Event, s *slot) { s.set(e.agentOf().version) },
	"user_agent.device.name": func(e *Event, s *slot) { s.set(e.systemOf().device) },
	"user_agent.os.name":     func(e *Event, s *slot) { s.set(e.systemOf().os) },
	"user_agent.os.version":  func(e *Event, s *slot) { s.set(e.systemOf().osVersion) },
	"user_agent.os.full":     func(e *Event, s *slot) { s.set(e.systemOf().osFull) },

	"tls.version": func(e *Event, s *slot) {
		_, version := e.tls()
		s.set(version)
	},
	"tls.version_protocol": func(e *Event, s *slot) {
		protocol, _ := e.tls()
		s.set(protocol)
	},
	"tls.cipher":             tlsMember(subTLSCipher),
	"tls.client.server_name": tlsMember(subTLSHost),

	"aws.cloudtrail.tls_details.key_exchange": tlsMember(subTLSKeyExchange),

	"file.path":     func(e *Event, s *slot) { s.vals = e.digestMember("digestS3Object") },
	"related.hash":  func(e *Event, s *slot) { s.vals = e.digestMember("previousDigestHashValue") },
	"related.user":  func(e *Event, s *slot) { s.vals = e.relatedUsers() },
	"related.ip":    func(e *Event, s *slot) { s.vals = e.relatedIPs() },
	"related.hosts": func(e *Event, s *slot) { s.vals = e.relatedHosts() },

	"related.entity":           func(e *Event, s *slot) { s.vals = e.entities().related },
	"target.entity.id":         func(e *Event, s *slot) { s.vals = e.entities().target },
	"user.target.entity.id":    func(e *Event, s *slot) { s.vals = e.entities().userTarget },
	"host.target.entity.id":    func(e *Event, s *slot) { s.vals = e.entities().hostTarget },
	"host.target.id":           func(e *Event, s *slot) { s.vals = e.entities().hostTargetID },
	"service.target.entity.id": func(e *Event, s *slot) { s.vals = e.entities().serviceTarget },
	"entity.target.id":         func(e *Event, s *slot) { s.vals = e.entities().otherTarget },
	"actor.entity.id":          func(e *Event, s *slot) { s.set(e.entities().actor) },
	"user.entity.id":           func(e *Event, s *slot) { s.set(e.entities().user) },
	"service.entity.id":        func(e *Event, s *slot) { s.set(e.entities().service) },
	"host.entity.id":           func(e *Event, s *slot) { s.set(e.entities().host) },
	"entity.id":                func(e *Event, s *slot) { s.set(e.entities().other) },
}

// tagsDefault are the tags of the package's default settings;
// actor_target_mapping is what switches the entity fields on.
var (
	tagsDefault = []string{"forwarded", "aws-cloudtrail", "actor_target_mapping"}
	tagsError   = []string{"forwarded", "aws-cloudtrail", "actor_target_mapping", "preserve_original_event"}
)

func (e *Event) tags() []string {
	if len(e.errors()) > 0 {
		return tagsError
	}
	return tagsDefault
}

// errors are the times that could not be read, which make a record a
// pipeline_error in Elastic. The words are ours.
func (e *Event) errors() []string {
	threw := e.entities().threw
	from := len(e.list)
	if t := e.text(KeyEventTime); t != "" {
		if _, ok := parseISO(t); !ok {
			e.list = append(e.list, "eventTime is not an ISO 8601 time")
		}
	}
	if t := e.subText(subSessionCreated); t != "" {
		if _, ok := parseSession(t); !ok {
			e.list = append(e.list, "sessionContext.attributes.creationDate is neither an ISO 8601 time nor a basic one")
		}
	}
	if threw {
		e.list = append(e.list, "an entity field has a value of another type")
	}
	return e.upTo(from)
}

func (e *Event) timestamp(s *slot) {
	if t, ok := e.Time(); ok {
		from := len(e.arena)
		e.arena = appendMillis(e.arena, t)
		s.set(e.keep(from))
	}
}

func (e *Event) creationDate(s *slot) {
	if t, ok := parseSession(e.subText(subSessionCreated)); ok {
		from := len(e.arena)
		e.arena = appendMillis(e.arena, t)
		s.set(e.keep(from))
	}
}

// outcome is failure when there is an error code or message of any type. A
// console sign-in says itself how it ended.
func (e *Event) outcome() string {
	if e.Action() == "ConsoleLogin" {
		if r := e.findText(KeyResponseElements, "ConsoleLogin"); r != "" {
			switch r {
			case "Success":
				return "success"
			case "Failure":
				return "failure"
			}
			return strings.ToLower(r)
		}
	}
	if e.present(e.value(KeyErrorCode)) || e.present(e.value(KeyErrorMessage)) {
		return "failure"
	}
	return "success"
}

// consoleFlag maps an answer of a console sign-in: false only for "No".
func consoleFlag(name string) getter {
	return func(e *Event, s *slot) {
		if e.Action() != "ConsoleLogin" {
			return
		}
		n := e.find(KeyAdditionalEventData, name)
		switch {
		case n == 0:
		case e.nodes[n].kind == nodeText && e.nodes[n].text == "No":
			s.set("false")
		default:
			s.set("true")
		}
	}
}

// tls splits "TLSv1.3" into the protocol and its version; what has no "v" is
// the version. A header row in the log ("tlsVersion") removes all of it.
func (e *Event) tls() (protocol, version string) {
	v := e.subText(subTLSVersion)
	if v == "tlsVersion" {
		return "", ""
	}
	protocol, version, ok := strings.Cut(v, "v")
	if !ok {
		return "", v
	}
	switch protocol {
	case "TLS":
		protocol = "tls"
	case "SSL":
		protocol = "ssl"
	default:
		protocol = strings.ToLower(protocol)
	}
	return protocol, version
}

func tlsMember(n sub) getter {
	return func(e *Event, s *slot) {
		if e.subText(subTLSVersion) != "tlsVersion" {
			e.all(s, e.below(n))
		}
	}
}

// isAddress says that s is an IPv4 or IPv6 address as Elasticsearch's ip type
// takes it: no zone, no leading zeros.
func isAddress(s string) bool {
	if strings.IndexByte(s, ':') < 0 {
		return isIPv4(s)
	}
	if len(s) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return false
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

// isIPv4 is netip.ParseAddr without the error, which allocates: services are
// sources too.
func isIPv4(s string) bool {
	octets, digits, value := 0, 0, 0
	for i := range len(s) {
		switch d := s[i] - '0'; {
		case d <= 9:
			value = value*10 + int(d)
			if digits++; digits > 3 || value > 255 || digits > 1 && s[i+1-digits] == '0' {
				return false
			}
		case s[i] == '.' && digits > 0 && octets < 3:
			octets, digits, value = octets+1, 0, 0
		default:
			return false
		}
	}
	return octets == 3 && digits > 0
}

// fewValues is how many values are found by comparing each with each.
const fewValues = 32

// unique appends v to the values listed since from unless it is there.
func (e *Event) unique(from int, v string) {
	if v == "" {
		return
	}
	switch n := len(e.list) - from; {
	case n < fewValues:
		if slices.Contains(e.list[from:], v) {
			return
		}
	case n == fewValues: // from here on by hash
		if e.known == nil {
			e.known = map[string]struct{}{}
		}
		clear(e.known)
		for _, old := range e.list[from:] {
			e.known[old] = struct{}{}
		}
		fallthrough
	default:
		if _, ok := e.known[v]; ok {
			return
		}
		e.known[v] = struct{}{}
	}
	e.list = append(e.list, v)
}
