package enrich

import (
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/history"
)

// sourceRisk is the risk of a source, or of a destination of failures, by whose
// it is.
var sourceRisk = map[string]int{
	string(lamina.ScopeOwnAccount):          21,
	string(lamina.ScopeOrganizationAccount): 21,
	string(lamina.ScopeVendorAccount):       47,
	string(lamina.ScopeUndetermined):        47,
	string(lamina.ScopeUnknownAccount):      73,
}

// selfManagedRisk is that of a source outside AWS, of which nobody knows whose
// it is.
const selfManagedRisk = 47

// eventSource fills lamina.event_source.* of the calls that make or change a
// mapping (https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html).
func (e *Enricher) eventSource(c *history.Call, out fields) {
	e.function(c, out)
	out.set("lamina.event_source.uuid", c.MappingID())
	ours := c.Account
	if f, ok := c.Function(); ok {
		ours = f.Account
		if c.HasParam("functionName") {
			out.set("lamina.event_source.function", f.ARN)
		}
	}
	if c.Hidden() {
		return
	}
	risk := 0
	endpoints := c.ParamTexts("selfManagedEventSource", "endpoints")
	out.set("lamina.event_source.endpoint", endpoints...)
	source := c.Param("eventSourceArn")
	if source == "" {
		source = c.Result("eventSourceArn")
	}
	if c.API == "CreateEventSourceMapping" {
		outside := len(endpoints) > 0 || c.HasParam("selfManagedEventSource")
		out.setBool("lamina.event_source.self_managed", outside)
		if outside {
			risk = selfManagedRisk
		}
	}
	if a, err := lamina.ParseARN(source); err == nil {
		out.set("lamina.event_source.arn", source)
		out.set("lamina.event_source.service", a.Service)
		out.set("lamina.event_source.account", a.Account)
		out.set("lamina.event_source.region", a.Region)
		scope := e.whose(a.Account, ours)
		out.set("lamina.event_source.scope", scope)
		risk = max(risk, sourceRisk[scope])
	} else if len(endpoints) > 0 {
		out.set("lamina.event_source.service", "self_managed_kafka")
	}
	if to := c.ParamAt("destinationConfig", "onFailure", "destination"); to != "" {
		out.set("lamina.event_source.on_failure.arn", to)
		if a, err := lamina.ParseARN(to); err == nil {
			out.set("lamina.event_source.on_failure.account", a.Account)
			scope := e.whose(a.Account, ours)
			out.set("lamina.event_source.on_failure.scope", scope)
			if a.Account != "" {
				risk = max(risk, sourceRisk[scope])
			}
		}
	}
	if risk > 0 {
		out.set("lamina.event_source.risk_score", strconv.Itoa(risk))
	}
}

// whose classifies an account as a grant to it would be. A bucket's ARN names
// no account: whose it is stays undetermined.
func (e *Enricher) whose(account, ours string) string {
	if account == "" {
		return string(lamina.ScopeUndetermined)
	}
	return string(e.org.Scope(lamina.Grant{Principal: account}, ours))
}

// repointed compares the function an update names with the one before.
func (e *Enricher) repointed(c *history.Call, out fields) {
	id, f, ok := c.Mapping()
	if !ok || !c.HasParam("functionName") {
		return
	}
	was, known := e.history.TargetBefore(id, c.Time, c.ID)
	out.set("lamina.event_source.previous_function", was)
	out.setBool("lamina.event_source.repointed", !known || was != f.ARN)
}
