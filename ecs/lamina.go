package ecs

// A laminaRow is one derived field as the table below states it.
type laminaRow struct {
	name    string
	typ     Type
	history bool
	doc     string
}

// laminaRows are the fields that CloudTrail does not have and that Lamina
// derives, so that rules about layers stay plain queries (internal/enrich fills
// them). A field with history depends on events before the one at hand: it has
// values only once events are in order of time.
//
// Every value is one that a reader can check by hand in the record, in the
// options the run was given, or in the publisher registry; what cannot be known
// is missing or says so ("undetermined"), never guessed.
var laminaRows = []laminaRow{
	{"lamina.api.name", Keyword, false, "the API operation: event.action without the date and version that Lambda appends (AddLayerVersionPermission20181031, UpdateFunctionCode20150331v2)"},

	// the layer that a layer call names
	{"lamina.layer.arn", Keyword, false, "the layer version, or the layer when the call names no version; the owner's account is put in when the call names the layer by its name"},
	{"lamina.layer.name", Keyword, false, "the layer's name"},
	{"lamina.layer.version", Keyword, false, "the version number"},
	{"lamina.layer.account", Keyword, false, "the account that owns the layer"},

	// AddLayerVersionPermission and its removal
	{"lamina.grant.scope", Keyword, false, "how far the grant reaches: public, foreign_organization, own_organization, own_account, organization_account, vendor_account, unknown_account, undetermined (it takes --account to tell accounts apart, --org-id for organisations), unknown_principal (the record hides it)"},
	{"lamina.grant.risk_score", Long, false, "0 to 100, by scope alone: what risk_score_mapping reads"},
	{"lamina.grant.principal", Keyword, false, "the principal as the caller wrote it"},
	{"lamina.grant.account", Keyword, false, "the account the principal stands for"},
	{"lamina.grant.organization_id", Keyword, false, "the organisation that a grant to * is limited to"},
	{"lamina.grant.statement_id", Keyword, false, "the statement, which RemoveLayerVersionPermission needs"},
	{"lamina.grant.publisher", Keyword, false, "the name of the listed publisher whose account the grantee is"},
	{"lamina.grant.note", Keyword, false, "what is odd about the grant: a principal in a form the API would refuse, an organisation id that no other organisation has"},

	// the layers of a function
	{"lamina.layers.named", Boolean, false, "whether the call gave a list of layers: true also for an empty one, false for a call that leaves them alone"},
	{"lamina.layers.current", Keyword, false, "the layer versions of the function after the call, in order"},
	{"lamina.layers.previous", Keyword, true, "the layer versions before the call, from earlier events or the snapshot"},
	{"lamina.layers.previous_known", Boolean, true, "whether the list before the call is known; when it is not, every named layer counts as added"},
	{"lamina.layers.added", Keyword, true, "layer versions whose layer was not in the list before"},
	{"lamina.layers.removed", Keyword, true, "layer versions whose layer is no longer in the list"},
	{"lamina.layers.version_changed", Keyword, true, "layer versions now in the list whose layer was there in another version"},
	{"lamina.layers.reordered", Boolean, true, "whether layers that stayed have changed places; the last in the list wins in /opt"},
	{"lamina.layers.owner.account", Keyword, true, "accounts that own the added and version-changed layers"},
	{"lamina.layers.owner.scope", Keyword, true, "who they are: own_account, organization_account, aws, vendor, unexpected_name, unexpected_region, account_only (a known vendor of which no layers are listed), unverified (in no list)"},
	{"lamina.layers.owner.publisher", Keyword, true, "names of the listed publishers among them"},
	{"lamina.layers.owner.status", Keyword, true, "their status: active, superseded, abandoned, defunct, unknown"},
	{"lamina.layers.trust", Keyword, true, "the worst of the owners: trusted, unverified, suspect (a name or region the publisher does not use, or a publisher that is gone)"},
	{"lamina.layers.risk_score", Long, true, "0 to 100, by trust alone: what risk_score_mapping reads"},
	{"lamina.layers.removed_publisher", Keyword, true, "names of the listed publishers whose layers were removed"},

	// the function that a function call names
	{"lamina.function.arn", Keyword, false, "the function without a version or alias"},
	{"lamina.function.name", Keyword, false, "the function's name"},
	{"lamina.function.account", Keyword, false, "the account that owns the function"},
	{"lamina.function.qualifier", Keyword, false, "the version or alias the call is about"},
	{"lamina.function.deletion", Keyword, false, "what DeleteFunction deletes: function, or version"},

	// event source mappings
	{"lamina.event_source.uuid", Keyword, false, "the mapping's id"},
	{"lamina.event_source.arn", Keyword, false, "the queue, stream, table or broker that events come from"},
	{"lamina.event_source.service", Keyword, false, "its service: sqs, kinesis, dynamodb, kafka, mq, rds; self_managed_kafka when it is no AWS resource"},
	{"lamina.event_source.account", Keyword, false, "its account"},
	{"lamina.event_source.region", Keyword, false, "its region"},
	{"lamina.event_source.scope", Keyword, false, "whose it is, seen from the function: own_account, organization_account, vendor_account, unknown_account, undetermined"},
	{"lamina.event_source.risk_score", Long, false, "0 to 100, by whose the source and the destination of failures are: what risk_score_mapping reads"},
	{"lamina.event_source.self_managed", Boolean, false, "whether events come from endpoints outside AWS services"},
	{"lamina.event_source.endpoint", Keyword, false, "those endpoints, host:port"},
	{"lamina.event_source.function", Keyword, false, "the function the call names as the target, as an ARN without a version or alias"},
	{"lamina.event_source.previous_function", Keyword, true, "the target before the call"},
	{"lamina.event_source.repointed", Boolean, true, "whether an update names a target that is not the one before; true as well when the one before is unknown"},
	{"lamina.event_source.on_failure.arn", Keyword, false, "where records that failed go"},
	{"lamina.event_source.on_failure.account", Keyword, false, "its account; missing for a bucket, whose ARN has none"},
	{"lamina.event_source.on_failure.scope", Keyword, false, "whose it is, like lamina.event_source.scope"},

	// code signing
	{"lamina.code_signing.arn", Keyword, false, "the code signing configuration"},
	{"lamina.code_signing.policy", Keyword, false, "what the call sets for untrusted artifacts: Warn or Enforce"},
	{"lamina.code_signing.risk_score", Long, false, "0 to 100, by the change that weakens most: what risk_score_mapping reads"},
	{"lamina.code_signing.change", Keyword, false, "what the call does: attached or detached (a function's configuration), created, updated or deleted (the configuration itself), and with it warn, enforce, publishers_changed"},

	// Bedrock's guard rails
	{"lamina.guardrail.id", Keyword, false, "the guardrail"},
	{"lamina.guardrail.change", Keyword, false, "deleted, version_deleted, updated, enforcement_removed, enforcement_changed"},
	{"lamina.reasoning_policy.arn", Keyword, false, "the automated reasoning policy"},
	{"lamina.reasoning_policy.change", Keyword, false, "deleted, version_deleted, updated, annotations_updated"},
}

// laminaFields is laminaRows as fields, without their ids.
func laminaFields() []Field {
	out := make([]Field, len(laminaRows))
	for i, r := range laminaRows {
		out[i] = Field{Name: r.name, Type: r.typ, History: r.history, Source: "lamina", Doc: r.doc}
		if r.typ == Keyword {
			out[i].IgnoreAbove = 1024
		}
	}
	return out
}
