package rule

// A Check is one thing Lint looks for.
type Check struct {
	Code  string `json:"code"`
	Level Level  `json:"level"`
	// Doc says what is reported, and why it matters.
	Doc string `json:"doc"`
}

// Checks lists what Lint looks for, and what a tool that reads rules adds
// (parse, same-id), by code.
var Checks = []Check{
	{"always-true", Warn, "a clause that every record satisfies: it decides nothing, or everything when it stands in an or"},
	{"blanks", Warn, "a quoted value that begins or ends with a blank, which is compared too"},
	{"cannot-fire", Wrong, "no CloudTrail document satisfies the query: a constant has another value, a field does not exist, or two clauses ask one field for different values"},
	{"covered", Note, "a value of a list that a pattern of the same list matches already"},
	{"data-event", Note, "a call that trails record only where they were told to (Invoke, GetObject): without that the rule is silent"},
	{"dead-branch", Warn, "an alternative that is never true given what stands beside the or"},
	{"exceptions-missing", Warn, "the rule names an exception list that is not at hand"},
	{"flattened-wildcard", Note, "a pattern on a key of a flattened field: Elasticsearch compares it with every key"},
	{"free-text", Warn, "a value without a field is looked for in all fields"},
	{"lambda-name", Warn, "the name of a Lambda call without the date that its records carry"},
	{"matches-all", Wrong, "the query is empty or always true"},
	{"max-signals", Note, "more alerts a run than Kibana allows by default"},
	{"needs", Note, "the rule waits for an engine that does not exist yet"},
	{"needs-data", Warn, "the rule reads fields that somebody has to supply a database for"},
	{"never-true", Warn, "a value its field never has: another case, a value that is not listed, a call of another service, an empty value"},
	{"no-false-positives", Note, "the rule does not say who does this legitimately"},
	{"no-note", Note, "the rule does not say what to ask"},
	{"no-tests", Warn, "no record proves what the rule matches"},
	{"no-timestamp-override", Warn, "Elastic would look by the time of the call, and miss what arrives late"},
	{"not-linted", Note, "the query is in a language that is not read yet"},
	{"not-missing", Note, "a negation that a record without the field satisfies too"},
	{"other-index", Warn, "no index pattern of the rule reads CloudTrail"},
	{"parse", Wrong, "the file is no rule"},
	{"provider-form", Note, "a service that does not look like one of AWS"},
	{"query", Wrong, "the query cannot be read, or compares a field with what its type cannot be compared with"},
	{"question-mark", Warn, "KQL has no wildcard for one character"},
	{"quoted-wildcard", Warn, "a star in quotes is no wildcard"},
	{"repeated", Warn, "an operand that is there twice"},
	{"rule-id", Note, "a rule_id that is no UUID"},
	{"same-id", Wrong, "two rules with one rule_id"},
	{"schedule-gap", Wrong, "the rule looks back less far than it waits between runs"},
	{"schedule-tight", Note, "the rule looks back exactly as far as it waits between runs"},
	{"severity-risk", Note, "severity and risk score are in different bands"},
	{"threat-name", Wrong, "an ATT&CK id with the name of another"},
	{"threat-parent", Wrong, "a sub-technique below another technique"},
	{"threat-retired", Warn, "a technique that ATT&CK revoked or deprecated"},
	{"threat-tactic", Warn, "a technique under a tactic that ATT&CK does not list it under"},
	{"threat-unchecked", Note, "threats of another framework than ATT&CK"},
	{"threat-unlisted", Warn, "an id that the embedded list does not have; a later release may"},
	{"too-large", Note, "a query of so many values that how they work together is not looked at"},
	{"unfilled-field", Warn, "a field that is mapped and that nothing fills for CloudTrail"},
	{"unfinished", Wrong, "text of the template is still there"},
	{"unknown-field", Wrong, "a field that the mapping does not have (a warning where the field is only shown)"},
	{"unknown-key", Warn, "a key that neither Kibana nor elastic/detection-rules knows; it is kept"},
	{"unlisted-value", Note, "a value that AWS does not list and that is near one it does"},
}
