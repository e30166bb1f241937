package cloudtrail

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
)

// valuesOf are the values of the named fields that a record has, joined.
func valuesOf(e *Event, fields []string) map[string]string {
	out := map[string]string{}
	for _, n := range fields {
		if v := e.Values(ecs.Lookup(n)); v != nil {
			out[n] = strings.Join(v, "|")
		}
	}
	return out
}

// Each case gives a record and what some of its fields must be; "" is missing.
func TestMapping(t *testing.T) {
	t.Parallel()
	const (
		ct   = "aws.cloudtrail."
		req  = ct + "flattened.request_parameters"
		sess = ct + "user_identity.session_context."
	)
	tests := []struct {
		name, raw string
		want      map[string]string
	}{
		{"constants", `{}`, map[string]string{
			"data_stream.type": "logs", "data_stream.dataset": "aws.cloudtrail", "data_stream.namespace": "default",
			"event.dataset": "aws.cloudtrail", "event.module": "aws", "cloud.provider": "aws", "ecs.version": "8.11.0",
			"event.kind": "event", "event.outcome": "success", "event.type": "info", "event.category": "",
			"tags": "forwarded|aws-cloudtrail|actor_target_mapping",
		}},
		{"scalars of other types", `{"readOnly":true,"managementEvent":false,"eventVersion":1.08,"apiVersion":20}`, map[string]string{
			ct + "read_only": "true", ct + "management_event": "false", ct + "event_version": "1.08", ct + "api_version": "20",
		}},
		{"lists and objects where text belongs", `{"eventVersion":["a",["b",null,"-"],{"c":1}],"apiVersion":{"a":1},"vpcEndpointId":[]}`, map[string]string{
			ct + "event_version": "a|b", ct + "api_version": "", ct + "vpc_endpoint_id": "",
		}},
		{"outcome by code", `{"errorCode":"AccessDenied"}`, map[string]string{"event.outcome": "failure", ct + "error_code": "AccessDenied"}},
		{"outcome by message", `{"errorMessage":"no"}`, map[string]string{"event.outcome": "failure"}},
		{"outcome by a code that is an object", `{"errorCode":{"a":[1]}}`, map[string]string{"event.outcome": "failure", ct + "error_code": ""}},
		{"outcome without either", `{"errorCode":"none","errorMessage":{"a":[]}}`, map[string]string{"event.outcome": "success"}},
		{
			"console sign-in that failed", `{"eventName":"ConsoleLogin","errorMessage":"Failed","responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MobileVersion":"No","MFAUsed":"Yes","LoginTo":"https://x"}}`,
			map[string]string{
				"event.outcome": "failure", "event.category": "authentication",
				ct + "console_login.additional_eventdata.mfa_used":       "true",
				ct + "console_login.additional_eventdata.mobile_version": "false",
				ct + "console_login.additional_eventdata.login_to":       "https://x",
			},
		},
		{"console sign-in says how it ended", `{"eventName":"ConsoleLogin","errorMessage":"x","responseElements":{"ConsoleLogin":"Success"}}`, map[string]string{
			"event.outcome": "success", ct + "console_login.additional_eventdata.mfa_used": "",
		}},
		{"another sign-in does not", `{"eventName":"SwitchRole","responseElements":{"ConsoleLogin":"Failure"},"additionalEventData":{"MFAUsed":"No"}}`, map[string]string{
			"event.outcome": "success", ct + "console_login.additional_eventdata.mfa_used": "",
		}},
		{"account of the caller", `{"userIdentity":{"accountId":"1"},"recipientAccountId":"2","awsAccountId":"3"}`, map[string]string{"cloud.account.id": "1"}},
		{"account of the recipient", `{"userIdentity":{"accountId":"-"},"recipientAccountId":"2","awsAccountId":"3"}`, map[string]string{"cloud.account.id": "2"}},
		{"account of a digest", `{"awsAccountId":"3"}`, map[string]string{"cloud.account.id": "3"}},
		{"anonymous", `{"userIdentity":{"accountId":"anonymous"},"recipientAccountId":"2"}`, map[string]string{"cloud.account.id": "anonymous"}},
		{"service of a call", `{"eventSource":"bedrock-agentcore.amazonaws.com"}`, map[string]string{
			"cloud.service.name": "bedrock-agentcore", "event.provider": "bedrock-agentcore.amazonaws.com",
		}},
		{"service in China", `{"eventSource":"ec2.amazonaws.com.cn"}`, map[string]string{"cloud.service.name": ""}},
		{
			"IAM user", `{"userIdentity":{"type":"IAMUser","userName":"ann@example.com","principalId":"AIDA","arn":"arn:aws:iam::1:user/ann"}}`,
			map[string]string{"user.name": "ann@example.com", "user.id": "AIDA", "user.email": "ann@example.com", "related.user": "AIDA|ann@example.com"},
		},
		{
			"role session", `{"userIdentity":{"type":"AssumedRole","principalId":"AROA:i-0abc","arn":"arn:aws:sts::1:assumed-role/r/i-0abc","sessionContext":{"sessionIssuer":{"userName":"r","type":"Role","arn":"arn:aws:iam::1:role/r"}}}}`,
			map[string]string{"user.name": "r", "user.id": "AROA:i-0abc", "user.email": "", "service.name": "", "related.user": "i-0abc|AROA:i-0abc|r"},
		},
		{
			"issuer of another identity does not name it", `{"userIdentity":{"type":"IAMUser","userName":"u","sessionContext":{"sessionIssuer":{"userName":"r"}}}}`,
			map[string]string{"user.name": "u"},
		},
		{
			"session named by an address", `{"userIdentity":{"type":"FederatedUser","arn":"arn:aws-us-gov:sts::1:federated-user/ann@example.com"}}`,
			map[string]string{"user.email": "ann@example.com", "related.user": "ann@example.com|ann", "user.name": ""},
		},
		{
			"service", `{"userIdentity":{"type":"AWSService","invokedBy":"ec2.amazonaws.com","userName":"u","principalId":"p"}}`,
			map[string]string{"service.name": "ec2.amazonaws.com", "user.name": "", "user.id": "", "service.entity.id": ""},
		},
		{"invokedBy alone is no service", `{"userIdentity":{"type":"IAMUser","invokedBy":"signin.amazonaws.com","userName":"u"}}`, map[string]string{
			"service.name": "", "user.name": "u", ct + "user_identity.invoked_by": "signin.amazonaws.com",
		}},
		{
			"service-linked role", `{"userIdentity":{"type":"AssumedRole","principalId":"p","sessionContext":{"sessionIssuer":{"userName":"r","arn":"arn:aws:iam::1:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}}}}`,
			map[string]string{"service.name": "ecs.amazonaws.com", "user.name": "", "user.id": ""},
		},
		{
			"service-linked role that says by whom", `{"userIdentity":{"type":"AssumedRole","invokedBy":"b","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::1:role/aws-service-role/x"}}}}`,
			map[string]string{"service.name": "b"},
		},
		{
			"Identity Center user", `{"userIdentity":{"type":"IdentityCenterUser","onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:s"},"credentialId":"c","identityProvider":"idp"}}`,
			map[string]string{
				"user.id": "u-1", ct + "user_identity.on_behalf_of.user_id": "u-1", ct + "user_identity.on_behalf_of.identity_store_arn": "arn:s",
				"related.user": "u-1", ct + "user_identity.credential_id": "c", ct + "user_identity.identity_provider": "idp",
			},
		},
		{
			"user of a sign-in without identity", `{"eventName":"UserAuthentication","additionalEventData":{"UserName":"ann","k":"v"}}`,
			map[string]string{"user.name": "ann", ct + "additional_eventdata": "{k=v}", ct + "flattened.additional_eventdata.UserName": ""},
		},
		{
			"the same with one", `{"eventName":"UserAuthentication","userIdentity":{"type":"X","userName":"bob"},"additionalEventData":{"UserName":"ann"}}`,
			map[string]string{"user.name": "bob", ct + "additional_eventdata": "{UserName=ann}"},
		},
		{
			"session", `{"userIdentity":{"inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"i","sourceArn":"s","sourceAccount":"1"},"invokedByDelegate":{"accountId":"9"},"sessionContext":{"ec2RoleDelivery":"2.0","sourceIdentity":"ann","assumedRoot":"true","signInSessionArn":"a","attributes":{"mfaAuthenticated":"true","creationDate":"2024-05-01T10:00:00Z"},"webIdFederationData":{"federatedProvider":"p","attributes":{"a:aud":"x"}}}}}`,
			map[string]string{
				ct + "user_identity.in_scope_of.issuer_type": "AWS::Lambda::Function", ct + "user_identity.in_scope_of.credentials_issued_to": "i",
				ct + "user_identity.in_scope_of.source_arn": "s", ct + "user_identity.in_scope_of.source_account": "1",
				ct + "user_identity.invoked_by_delegate.account_id": "9", sess + "ec2_role_delivery": "2.0", sess + "source_identity": "ann",
				sess + "assumed_root": "true", sess + "sign_in_session_arn": "a", sess + "mfa_authenticated": "true",
				sess + "creation_date": "2024-05-01T10:00:00.000Z", sess + "web_id_federation_data.federated_provider": "p",
				sess + "web_id_federation_data.attributes.a:aud": "x",
			},
		},
		{"creation date in the basic form", `{"userIdentity":{"sessionContext":{"attributes":{"creationDate":"20131102T010628Z"}}}}`, map[string]string{
			sess + "creation_date": "2013-11-02T01:06:28.000Z", "event.kind": "event",
		}},
		{"creation date that is none", `{"userIdentity":{"sessionContext":{"attributes":{"creationDate":"soon"}}}}`, map[string]string{
			sess + "creation_date": "", "event.kind": "pipeline_error",
			"error.message": "sessionContext.attributes.creationDate is neither an ISO 8601 time nor a basic one",
		}},
		{"time that is none", `{"eventTime":"soon","eventName":"AssumeRole"}`, map[string]string{
			"@timestamp": "", "event.ingested": "", "event.kind": "pipeline_error", "error.message": "eventTime is not an ISO 8601 time",
			"event.category": "authentication", "tags": "forwarded|aws-cloudtrail|actor_target_mapping|preserve_original_event",
		}},
		{"time to the millisecond", `{"eventTime":"2024-05-01T10:00:00.9999Z"}`, map[string]string{
			"@timestamp": "2024-05-01T10:00:00.999Z", "event.ingested": "2024-05-01T10:00:00.999Z",
		}},
		{"address", `{"sourceIPAddress":"2001:DB8::1"}`, map[string]string{"source.address": "2001:DB8::1", "source.ip": "2001:DB8::1", "related.ip": "2001:DB8::1", "related.hosts": ""}},
		{"service as the source", `{"sourceIPAddress":"cloudformation.amazonaws.com"}`, map[string]string{"source.address": "cloudformation.amazonaws.com", "source.ip": "", "related.hosts": ""}},
		{"AWS itself as the source", `{"sourceIPAddress":"AWS Internal"}`, map[string]string{"source.address": "AWS Internal", "source.ip": "", "related.hosts": ""}},
		{"host as the source", `{"sourceIPAddress":"build.example.com"}`, map[string]string{"source.ip": "", "related.hosts": "build.example.com"}},
		{"no address", `{"sourceIPAddress":"192.0.2.256"}`, map[string]string{"source.ip": "", "related.ip": ""}},
		{"no address with leading zeros", `{"sourceIPAddress":"192.0.2.01"}`, map[string]string{"source.ip": ""}},
		{"no address with a zone", `{"sourceIPAddress":"fe80::1%eth0"}`, map[string]string{"source.ip": ""}},
		{"address of a service event", `{"serviceEventDetails":{"sourceIpAddress":"192.0.2.9"},"sourceIPAddress":"192.0.2.9"}`, map[string]string{
			"related.ip": "192.0.2.9", ct + "service_event_details": "{sourceIpAddress=192.0.2.9}",
		}},
		{"TLS", `{"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"c","clientProvidedHostHeader":"x.example.com","keyExchange":"k"}}`, map[string]string{
			"tls.version": "1.3", "tls.version_protocol": "tls", "tls.cipher": "c", "tls.client.server_name": "x.example.com",
			ct + "tls_details.key_exchange": "k", "related.hosts": "x.example.com",
		}},
		{"TLS without a v", `{"tlsDetails":{"tlsVersion":"1.3"}}`, map[string]string{"tls.version": "1.3", "tls.version_protocol": ""}},
		{"a header row", `{"tlsDetails":{"tlsVersion":"tlsVersion","cipherSuite":"cipherSuite","clientProvidedHostHeader":"clientProvidedHostHeader"}}`, map[string]string{
			"tls.version": "", "tls.version_protocol": "", "tls.cipher": "", "tls.client.server_name": "",
		}},
		{"targets", `{"requestParameters":{"userName":"u","newUserName":"n","groupName":"g"},"responseElements":{"user":{"userId":"AIDA"},"group":{"groupId":"AGPA"}}}`, map[string]string{
			"user.target.name": "u", "user.changes.name": "n", "group.name": "g", "user.target.id": "AIDA", "group.id": "AGPA", "related.user": "u|n|AIDA",
		}},
		{
			"resources once each", `{"resources":[{"ARN":"b","accountId":"1","type":"T"},{"ARN":"a"},{"ARN":"b","accountId":"1","type":"T"},"x",{"type":"-"}]}`,
			map[string]string{ct + "resources.arn": "a|b", ct + "resources.account_id": "1", ct + "resources.type": "T"},
		},
		{"resources that are no list", `{"resources":{"ARN":"b","type":"T"}}`, map[string]string{ct + "resources.arn": "", ct + "resources.type": "T"}},
		{"shared event", `{"sharedEventID":"a","sharedEventId":"b"}`, map[string]string{ct + "shared_event_id": "a"}},
		{"shared event as it was once written", `{"sharedEventId":"b"}`, map[string]string{ct + "shared_event_id": "b"}},
		{"endpoint", `{"vpcEndpointId":"vpce-1","vpcEndpointAccountId":"1"}`, map[string]string{ct + "vpc_endpoint_id": "vpce-1", ct + "vpc_endpoint_account_id": "1"}},
		{"addendum", `{"addendum":{"reason":"UPDATED_DATA","updatedFields":"a,b","originalRequestID":"r","originalEventID":"e"}}`, map[string]string{
			ct + "addendum.reason": "UPDATED_DATA", ct + "addendum.updated_fields": "a,b", ct + "addendum.original_request_id": "r", ct + "addendum.original_event_id": "e",
		}},
		{"console session", `{"sessionCredentialFromConsole":"true"}`, map[string]string{ct + "session_credential_from_console": "true"}},
		{
			"flattened", `{"requestParameters":{"a":{"b":[{"c":22},{"c":true,"d":null}]},"a.b":{"c":"x"},"a.b.c":1.50}}`,
			map[string]string{req: "22|true|x|1.5", req + ".a.b.c": "22|true|x|1.5", req + ".a.b": "", req + ".a.b.d": "", req + ".a": ""},
		},
		{"insight", `{"insightDetails":{"state":"Start","insightContext":{"statistics":{"baseline":{"average":0.5}}}}}`, map[string]string{
			ct + "flattened.insight_details.state": "Start", ct + "flattened.insight_details.insightContext.statistics.baseline.average": "0.5",
		}},
		{
			"digest", `{"awsAccountId":"1","digestStartTime":"2024-05-01T10:00:00Z","digestEndTime":"2024-05-01T11:00:00Z","digestS3Bucket":"b","digestS3Object":"k","digestPublicKeyFingerprint":"f","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":"x","oldestEventTime":"2024-05-01T10:01:00Z","previousDigestS3Bucket":"pb","previousDigestS3Object":"pk","previousDigestHashValue":"ph","previousDigestHashAlgorithm":"SHA-256","previousDigestSignature":"ps","logFiles":[{"s3Bucket":"b","s3Object":"l","hashValue":"h"}]}`,
			map[string]string{
				"@timestamp": "2024-05-01T11:00:00.000Z", "cloud.account.id": "1", "file.path": "k", "related.hash": "ph",
				ct + "flattened.digest.start_time": "2024-05-01T10:00:00.000Z", ct + "flattened.digest.newest_event_time": "",
				ct + "flattened.digest.oldest_event_time": "2024-05-01T10:01:00.000Z", ct + "flattened.digest.log_files.s3Object": "l",
				ct + "flattened.digest.public_key_fingerprint": "f", ct + "flattened.digest.previous_s3_bucket": "pb", ct + "flattened.digest.s3_bucket": "b",
				ct + "flattened.digest.previous_signature": "ps", ct + "flattened.digest.previous_hash_algorithm": "SHA-256",
			},
		},
		{
			"hosts", `{"resources":[{"ARN":"arn:aws:ec2:r:1:instance/i-0123456789"}],"requestParameters":{"computerName":"pc","instanceId":"i-0123456789","target":"i-1","instanceIds":["i-aaaaaaaaaa",5],"instancesSet":{"items":[{"instanceId":"i-bbbbbbbbbb"},"x"]}},"responseElements":{"resourceId":"i-cccccccccc"}}`,
			map[string]string{"related.hosts": "pc|i-0123456789|i-aaaaaaaaaa|i-bbbbbbbbbb|i-cccccccccc"},
		},
		{"invalid text becomes the replacement character", "{\"eventName\":\"a\xffb\",\"eventID\":\"\\ud800x\"}", map[string]string{"event.action": "a\ufffdb", "event.id": "\ufffdx"}},
		{"nothing fills these", `{"eventName":"A"}`, map[string]string{"message": "", "host.name": "", "process.name": "", "event.original": "", "event.acton": "", "user.domain": ""}},
		{"the analysed twin", `{"requestParameters":{"a":"b"}}`, map[string]string{ct + "request_parameters.text": "{a=b}"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := reset(t, tt.raw)
			names := slices.Sorted(maps.Keys(tt.want))
			want := maps.Clone(tt.want)
			maps.DeleteFunc(want, func(_, v string) bool { return v == "" })
			if d := cmp.Diff(want, valuesOf(e, names)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// From 32,766 UTF-16 units on there is the text and no flattened twin.
func TestMapping_drops_flattened_fields_of_long_texts(t *testing.T) {
	t.Parallel()
	key := ecs.Lookup("aws.cloudtrail.flattened.request_parameters.a")
	for n, kept := range map[int]bool{32761: true, 32762: true, 32763: false, 40_000: false} {
		e := reset(t, `{"requestParameters":{"a":"`+strings.Repeat("x", n-1)+`"}}`)
		if got := ecs.UTF16Len(e.Values(requestText)[0]); got != n+3 {
			t.Fatalf("%d units", got)
		}
		if got := e.Exists(key); got != kept {
			t.Errorf("%d units: kept %v, want %v", n+3, got, kept)
		}
	}
	// The limit is in units, not bytes.
	e := reset(t, `{"requestParameters":{"a":"`+strings.Repeat("é", 20_000)+`"}}`)
	if !e.Exists(key) {
		t.Error("20,004 units are dropped")
	}
}

// Every field that the schema says CloudTrail fills has a getter, and no other.
func TestMapping_is_complete(t *testing.T) {
	t.Parallel()
	g := getters()
	for f := range ecs.All() {
		fills := slices.Contains([]string{"cloudtrail", "geoip", "useragent"}, f.Source)
		if (g[f.ID] != nil) != fills {
			t.Errorf("%s: source %q, has a getter: %v", f.Name, f.Source, g[f.ID] != nil)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw string
		want      []string
	}{
		{"a usual record", string(generatedRecords(1)[0]), nil},
		{"an object where text belongs", `{"eventVersion":{"a":1},"apiVersion":[["x"],{"y":2}],"userIdentity":{"arn":{"b":1},"type":"x"}}`, []string{
			"aws.cloudtrail.api_version", "aws.cloudtrail.event_version", "aws.cloudtrail.user_identity.arn",
		}},
		{"an object that null removal drops", `{"eventVersion":{"a":"-"},"apiVersion":null}`, nil},
		{"numbers and lists are taken", `{"eventVersion":1,"apiVersion":["x",2]}`, nil},
		{"no truth value", `{"readOnly":"yes"}`, []string{"aws.cloudtrail.read_only"}},
		{"truth as text", `{"readOnly":"false"}`, nil},
		{"text where an object belongs", `{"requestParameters":"x","responseElements":[{"a":1},2],"additionalEventData":[{"a":1}]}`, []string{
			"aws.cloudtrail.flattened.request_parameters", "aws.cloudtrail.flattened.response_elements",
		}},
		{"resources", `{"resources":[{"ARN":{"x":1}},"y"]}`, []string{"aws.cloudtrail.resources.arn"}},
		{"resources that are text", `{"resources":"x"}`, []string{"aws.cloudtrail.resources"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, reset(t, tt.raw).Conflicts()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestConflicts_of_real_records(t *testing.T) {
	t.Parallel()
	testdata(t, "cloudtrail")
	n := map[string]int{}
	var e Event
	for _, raw := range realRecords(t) {
		if err := e.Reset(raw); err != nil {
			t.Fatal(err)
		}
		for _, f := range e.Conflicts() {
			n[f]++
		}
		for _, m := range e.errors() {
			n[m]++
		}
	}
	t.Log(n)
}

func TestIsIPv4_is_what_netip_takes(t *testing.T) {
	t.Parallel()
	tests := []string{"", ".", "1.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1..2.3", "1.2.3.", ".1.2.3", "1.2.3.4 ", "a.b.c.d", "1.2.3.0004", "00.1.1.1", "1.2.3.40"}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		b := make([]byte, r.IntN(16))
		for i := range b {
			b[i] = "0123456789..."[r.IntN(13)]
		}
		tests = append(tests, string(b))
	}
	for _, s := range tests {
		_, err := netip.ParseAddr(s)
		if isIPv4(s) != (err == nil) {
			t.Errorf("%q: %v, netip %v", s, isIPv4(s), err)
		}
	}
}
