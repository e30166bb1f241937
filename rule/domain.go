package rule

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
)

// A domain is what is known of the values of a field.
type domain struct {
	field  string
	values []string
	// closed says that no other value occurs.
	closed bool
	// always says that every record has the field.
	always bool
}

// domains are the fields of which the values are listed: by AWS
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
// …-user-identity.html), by the mapping, or by ecs's derived fields. New values
// of userIdentity.type and eventType appear, so these are not closed.
var domains = []domain{
	{"event.outcome", []string{"success", "failure"}, true, true},
	{"event.kind", []string{"event", "pipeline_error"}, true, true},
	{"cloud.provider", []string{"aws"}, true, false},
	{"aws.cloudtrail.user_identity.type", []string{
		"Root", "IAMUser", "AssumedRole", "Role", "FederatedUser", "Directory", "AWSAccount", "AWSService",
		"SAMLUser", "WebIdentityUser", "IdentityCenterUser", "Unknown",
	}, false, false},
	{"aws.cloudtrail.event_type", []string{
		"AwsApiCall", "AwsServiceEvent", "AwsConsoleAction", "AwsConsoleSignIn", "AwsVpceEvent", "AwsCloudTrailInsight", "AwsMetadata",
	}, false, true},
	{"aws.cloudtrail.event_category", []string{"Management", "Data", "Insight", "NetworkActivity"}, false, false},
	{"aws.cloudtrail.management_event", []string{"true", "false"}, true, false},
	{"aws.cloudtrail.session_credential_from_console", []string{"true"}, true, false},
	{"aws.cloudtrail.user_identity.session_context.mfa_authenticated", []string{"true", "false"}, true, false},
	{"lamina.grant.scope", []string{
		"public", "foreign_organization", "own_organization", "own_account", "organization_account",
		"vendor_account", "unknown_account", "undetermined", "unknown_principal",
	}, true, false},
	{"lamina.layers.trust", []string{"trusted", "unverified", "suspect"}, true, false},
	{"lamina.function.deletion", []string{"function", "version"}, true, false},
}

func domainOf(name string) (domain, bool) {
	i := slices.IndexFunc(domains, func(d domain) bool { return d.field == name })
	if i < 0 {
		return domain{}, false
	}
	return domains[i], true
}

// always are the fields that every record has (AWS lists eventTime, eventName,
// eventSource, awsRegion and the like as not optional).
var always = []string{
	"@timestamp", "event.action", "event.provider", "event.outcome", "event.kind", "event.type", "event.id", "event.ingested",
	"cloud.region", "cloud.provider", "source.address", "aws.cloudtrail.event_version", "aws.cloudtrail.event_type",
	"aws.cloudtrail.recipient_account_id", "cloud.account.id",
}

func isAlways(f *ecs.Field) bool {
	return f.Type == ecs.ConstantKeyword || slices.Contains(always, f.Name)
}

// single are the fields that have at most one value in a record, so that two
// conditions on one of them are about the same value.
var single = []string{
	"event.action", "event.provider", "event.outcome", "event.id", "event.kind", "cloud.provider", "cloud.region", "cloud.account.id",
	"cloud.service.name", "source.address", "user.id", "user.name", "user_agent.original", "user_agent.name",
	"aws.cloudtrail.user_identity.type", "aws.cloudtrail.user_identity.arn", "aws.cloudtrail.user_identity.access_key_id",
	"aws.cloudtrail.user_identity.invoked_by", "aws.cloudtrail.error_code", "aws.cloudtrail.error_message",
	"aws.cloudtrail.read_only", "aws.cloudtrail.management_event", "aws.cloudtrail.event_category", "aws.cloudtrail.event_type",
	"aws.cloudtrail.request_parameters", "aws.cloudtrail.response_elements", "aws.cloudtrail.recipient_account_id",
	"aws.cloudtrail.session_credential_from_console", "aws.cloudtrail.vpc_endpoint_id",
	"lamina.api.name", "lamina.grant.scope", "lamina.layer.arn", "lamina.layer.account", "lamina.layers.trust", "lamina.function.deletion",
}

// maxPatterns is how many wildcard patterns on one field candidates can tell
// apart: with more, a text that fits them all may exist that none of the
// candidates is.
const maxPatterns = 2

// candidates are values of f such that, if no one of them (nor the field being
// missing) lets a condition be true, no value does: every value the clauses
// name, something none of them names, and texts that fit their patterns. ok is
// false when that cannot be promised. A nil entry is the field missing.
func candidates(f *ecs.Field, all []clause) (values [][]string, ok bool) {
	if !slices.Contains(single, f.Name) || f.Type != ecs.Keyword && f.Type != ecs.Boolean {
		return nil, false
	}
	if d, ok := domainOf(f.Name); ok && d.closed {
		for _, v := range d.values {
			values = append(values, []string{v})
		}
		if !isAlways(f) {
			values = append(values, nil)
		}
		return values, true
	}
	add := func(s string) { values = append(values, []string{s}) }
	var patterns []*kql.Literal
	for _, c := range all {
		if g := c.name(); g == nil || g.Name != f.Name {
			continue
		}
		if _, isRange := c.node.(*kql.Range); isRange {
			return nil, false
		}
		if c.value.Kind != kql.Wildcard {
			add(c.value.Text())
			continue
		}
		if c.value.Lone() || slices.ContainsFunc(patterns, func(p *kql.Literal) bool { return p.Text() == c.value.Text() }) {
			continue
		}
		patterns = append(patterns, c.value)
	}
	if len(patterns) > maxPatterns {
		return nil, false
	}
	for _, p := range patterns {
		for _, fill := range []string{"", "~"} {
			add(strings.Join(p.Parts, fill))
		}
		// p before and after another pattern: "foo*" and "*bar" both fit
		// "foobar", "*a*" and "*b*" fit "ab".
		for _, q := range patterns {
			if p != q {
				add(strings.Join(p.Parts, "") + strings.Join(q.Parts, ""))
				add(overlay(p.Parts, q.Parts))
			}
		}
	}
	add("~ a value no rule names ~")
	if !isAlways(f) {
		values = append(values, nil)
	}
	return values, true
}

// overlay is a text that begins as p does, ends as q does and holds the middles
// of both: where both begin alike the longer beginning is taken, and likewise
// at the end.
func overlay(p, q []string) string {
	first, last := p[0], q[len(q)-1]
	if strings.HasPrefix(q[0], first) {
		first = q[0]
	}
	if strings.HasSuffix(p[len(p)-1], last) {
		last = p[len(p)-1]
	}
	return first + strings.Join(p[1:len(p)-1], "") + strings.Join(q[1:len(q)-1], "") + last
}
