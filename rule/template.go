package rule

import (
	"fmt"
	"strings"
	"time"
)

// A Template is what a new rule starts from.
type Template struct {
	// ID is the file's name without .toml, in kebab-case; UUID is its rule_id.
	ID, UUID string
	Type     Type
	Author   string
	// Created is the day for the metadata.
	Created time.Time
}

// TOML is a rule file of the template's type that parses, with the text
// Unfinished where a person has to write.
func (t Template) TOML() ([]byte, error) {
	day := t.Created.UTC().Format("2006/01/02")
	var b strings.Builder
	fmt.Fprintf(&b, "[metadata]\ncreation_date = %q\nupdated_date = %q\nmaturity = \"development\"\nintegration = [\"aws\"]\n\n", day, day)
	fmt.Fprintf(&b, "[rule]\nrule_id = %s\nname = %s\n", tomlBasic(t.UUID), tomlBasic(Unfinished+": "+title(t.ID)))
	fmt.Fprintf(&b, "description = '''\n%s: what happens, why it matters, what a person should do first.\n'''\n", Unfinished)
	fmt.Fprintf(&b, "author = [%s]\nlicense = \"Apache-2.0\"\nseverity = \"medium\"\nrisk_score = 47\n", tomlBasic(t.Author))
	fmt.Fprintf(&b, "type = %q\n", t.Type)
	switch t.Type {
	case TypeQuery, TypeThreshold, TypeNewTerms:
		b.WriteString("language = \"kuery\"\nindex = [\"logs-aws.cloudtrail-*\"]\nquery = '''\ndata_stream.dataset: \"aws.cloudtrail\"\n" +
			"    and event.provider: \"lambda.amazonaws.com\"\n    and event.action: AddLayerVersionPermission*\n    and event.outcome: \"success\"\n'''\n")
	case TypeEQL:
		b.WriteString("language = \"eql\"\nindex = [\"logs-aws.cloudtrail-*\"]\nevent_category_override = \"event.type\"\nquery = '''\n" +
			"info where data_stream.dataset == \"aws.cloudtrail\"\n    and event.provider == \"lambda.amazonaws.com\"\n'''\n")
	case TypeESQL:
		b.WriteString("language = \"esql\"\nquery = '''\nfrom logs-aws.cloudtrail-* metadata _id, _version, _index\n| where event.provider == \"lambda.amazonaws.com\"\n'''\n")
	case TypeMachineLearning, TypeThreatMatch, TypeSavedQuery:
		return nil, fmt.Errorf("there is no template for rules of type %s", t.Type)
	}
	b.WriteString("timestamp_override = \"event.ingested\"\nfrom = \"now-6m\"\ninterval = \"5m\"\n" +
		"tags = [\"Domain: Cloud\", \"Data Source: AWS\", \"Use Case: Threat Detection\"]\nreferences = []\n")
	fmt.Fprintf(&b, "false_positives = [\"%s: who does this legitimately, and how to tell.\"]\n", Unfinished)
	fmt.Fprintf(&b, "note = '''\n## Triage and analysis\n\n%s: which questions to ask, in which order.\n'''\n", Unfinished)
	switch t.Type {
	case TypeThreshold:
		b.WriteString("\n[rule.threshold]\nfield = [\"cloud.account.id\"]\nvalue = 10\n")
	case TypeNewTerms:
		b.WriteString("\n[rule.new_terms]\nfield = \"new_terms_fields\"\nvalue = [\"cloud.account.id\", \"user.name\"]\n\n" +
			"[[rule.new_terms.history_window_start]]\nfield = \"history_window_start\"\nvalue = \"now-10d\"\n")
	case TypeQuery, TypeEQL, TypeESQL, TypeMachineLearning, TypeThreatMatch, TypeSavedQuery:
	}
	b.WriteString("\n[rule.investigation_fields]\nfield_names = [\"@timestamp\", \"user.name\", \"source.ip\", \"aws.cloudtrail.user_identity.arn\", \"event.action\", \"event.outcome\", \"cloud.account.id\", \"cloud.region\"]\n")
	b.WriteString("\n[[rule.threat]]\nframework = \"MITRE ATT&CK\"\n\n[rule.threat.tactic]\nid = \"TA0002\"\nname = \"Execution\"\nreference = \"https://attack.mitre.org/tactics/TA0002/\"\n\n" +
		"[[rule.threat.technique]]\nid = \"T1648\"\nname = \"Serverless Execution\"\nreference = \"https://attack.mitre.org/techniques/T1648/\"\n")
	r, err := Parse(t.ID+".toml", []byte(b.String()))
	if err != nil {
		return nil, err
	}
	return r.TOML(), nil
}

// Tests is a test archive for the template's query: one record that matches and
// one that does not.
func (t Template) Tests() []byte {
	record := func(name, extra string) string {
		return fmt.Sprintf("-- %s --\n"+`{"eventVersion":"1.11","eventTime":"2026-01-01T00:00:00Z","eventSource":"lambda.amazonaws.com",`+
			`"eventName":"AddLayerVersionPermission20181031","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1",`+
			`"eventID":"00000000-0000-4000-8000-000000000001","eventType":"AwsApiCall","recipientAccountId":"111122223333",`+
			`"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/example","accountId":"111122223333","userName":"example"}%s}`+"\n", name, extra)
	}
	return []byte(Unfinished + ": say what the rule must catch and what it must leave alone.\n" +
		record("match/granted.json", "") + record("nomatch/denied.json", `,"errorCode":"AccessDenied"`))
}

// title turns "layer-shared-publicly" into "layer shared publicly".
func title(id string) string { return strings.ReplaceAll(id, "-", " ") }
