package secret

import "github.com/lamina-sec/lamina"

const (
	docNewRelic  = "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/"
	docDynatrace = "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens"
	docDatadog   = "https://docs.datadoghq.com/account_management/api-app-keys/"
	docSentry    = "https://docs.sentry.io/account/auth-tokens/"
	docGrafana   = "https://grafana.com/docs/grafana/latest/administration/service-accounts/"
	docPagerDuty = "https://support.pagerduty.com/main/docs/api-access-keys"
)

// observabilityFormats are credentials of monitoring, logging and on-call services.
func observabilityFormats() []format {
	const (
		high, med, low = lamina.High, lamina.Medium, lamina.Low
	)
	// The third letter of a key's prefix differs from key to key.
	honeycomb := func(kind, title string, severity lamina.Severity, sort, rest string) format {
		f := format{
			kind: kind, provider: "Honeycomb", title: title, url: "https://docs.honeycomb.io/api/authentication", severity: severity,
			pattern: "hc[a-z]" + sort + rest, show: 6, fixed: true,
		}
		for c := 'a'; c <= 'z'; c++ {
			f.anchors = append(f.anchors, "hc"+string(c)+sort)
		}
		return f
	}
	return []format{
		assigned("datadog-api-key", "Datadog", "API key", docDatadog, med, []string{"dd_api_key", "datadog_api_key", "dd-api-key", "datadogapikey"}, hexLow+`{32}`),
		assigned("datadog-app-key", "Datadog", "application key", docDatadog, high, []string{"dd_app_key", "datadog_app_key", "dd-application-key", "dd_application_key"}, `(?:ddapp_[0-9A-Za-z]{34}|`+hexLow+`{40})`),
		prefixed("new-relic-user-key", "New Relic", "user API key", docNewRelic, high, "NRAK-", `[0-9A-Z]{27}`, fixed, edge("-")),
		prefixed("new-relic-insights-insert-key", "New Relic", "Insights insert key", docNewRelic, med, "NRII-", url64+`{32}`, edge("-")),
		prefixed("new-relic-insights-query-key", "New Relic", "Insights query key", docNewRelic, high, "NRIQ-", url64+`{32}`, edge("-")),
		prefixed("new-relic-browser-key", "New Relic", "browser key", docNewRelic, low, "NRJS-", hexLow+`{19}`, fixed, edge("-")),
		{
			kind: "new-relic-license-key", provider: "New Relic", title: "licence key", url: docNewRelic, severity: med,
			anchors: []string{"FFFFNRAL"}, lead: base62, leadMin: 32, leadMax: 32, pattern: `[0-9a-zA-Z]{32}FFFFNRAL`, structured: true, fixed: true,
		},
		{
			kind: "new-relic-license-key", provider: "New Relic", title: "licence key", url: docNewRelic, severity: med,
			anchors: []string{"NRAL"}, lead: lowerHex, leadMin: 36, leadMax: 36, pattern: hexLow + `{36}NRAL`, fixed: true,
		},
		prefixed("dynatrace-api-token", "Dynatrace", "access token", docDynatrace, high, "dt0c01.", `[A-Z2-7]{24}\.[A-Z2-7]{64}`, fixed),
		prefixed("dynatrace-platform-token", "Dynatrace", "platform token", docDynatrace, high, "dt0s16.", `[A-Z2-7]{8,24}\.[A-Z2-7]{64}`, fixed),
		prefixed("dynatrace-oauth-secret", "Dynatrace", "OAuth client secret", docDynatrace, high, "dt0s02.", `[A-Z2-7]{8}\.[A-Z2-7]{64}`, fixed),
		prefixed("sentry-org-token", "Sentry", "organisation auth token", docSentry, high, "sntrys_", `eyJ[0-9A-Za-z+/=_\-]{60,500}`, reaching(600), edge("+/=-"), structured),
		prefixed("sentry-user-token", "Sentry", "user auth token", docSentry, high, "sntryu_", hexLow+`{64}`, fixed),
		assigned("sentry-auth-token", "Sentry", "auth token, older format", docSentry, high, []string{"sentry_auth_token", "sentry_token"}, hexLow+`{64}`),
		prefixed("grafana-service-account-token", "Grafana", "service account token", docGrafana, high, "glsa_", an+`{32}_`+hexAny+`{8}`, fixed),
		prefixed("grafana-cloud-token", "Grafana", "Cloud access policy token", "https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/", high, "glc_", `eyJ[0-9A-Za-z+/]{60,400}={0,2}`, edge("+/="), structured),
		prefixed("grafana-api-key", "Grafana", "API key, older format", docGrafana, high, "eyJrIjoi", std64+`{60,400}={0,2}`, edge("+/="), structured, observed),
		honeycomb("honeycomb-ingest-key", "ingest key", med, "ik_", lan+`{58}`),
		honeycomb("honeycomb-configuration-key", "management key id and secret", high, "mk_", lan+`{26}:`+lan+`{32}`),
		assigned("honeycomb-api-key", "Honeycomb", "API key, older format", "https://docs.honeycomb.io/configure/environments/manage-api-keys/", med, []string{"honeycomb_api_key", "honeycomb_writekey", "x-honeycomb-team"}, `(?:`+hexLow+`{32}|`+an+`{22})`),
		{
			kind: "splunk-hec-token", provider: "Splunk", title: "HTTP Event Collector token", url: "https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/9.4/get-data-with-http-event-collector/use-hec-in-splunk-enterprise", severity: high, confidence: Possible,
			anchors: []string{"Splunk "}, named: true, edge: "-", pattern: `Splunk (?P<v>` + uuid + `)`,
		},
		assigned("splunk-hec-token", "Splunk", "HTTP Event Collector token", "https://help.splunk.com/en/splunk-enterprise/get-started/get-data-in/9.4/get-data-with-http-event-collector/use-hec-in-splunk-enterprise", high, []string{"splunk_hec_token", "splunk_token", "hec_token"}, uuid),
		assigned("sumo-logic-access-key", "Sumo Logic", "access key", "https://help.sumologic.com/docs/manage/security/access-keys/", high, []string{"sumologic_access_key", "sumologic_accesskey", "sumo_access_key"}, an+`{64}`),
		assigned("logzio-token", "Logz.io", "shipping token", "https://docs.logz.io/docs/user-guide/admin/authentication-tokens/", med, []string{"logzio_token", "logzio_listener_token"}, `[A-Za-z]{32}`),
		assigned("loggly-token", "Loggly", "customer token", "https://documentation.solarwinds.com/en/success_center/loggly/content/admin/customer-token-authentication-token.htm", med, []string{"loggly_token", "loggly_customer_token"}, uuid),
		assigned("rollbar-access-token", "Rollbar", "project access token", "https://docs.rollbar.com/docs/access-tokens", med, []string{"rollbar_access_token", "rollbar_server_token", "rollbar_token"}, hexLow+`{32}`),
		assigned("bugsnag-api-key", "Bugsnag", "notifier API key", "https://docs.bugsnag.com/api/", low, []string{"bugsnag_api_key", "bugsnag_apikey"}, hexLow+`{32}`),
		assigned("airbrake-api-key", "Airbrake", "project key", "https://docs.airbrake.io/docs/features/api-authentication/", low, []string{"airbrake_project_key", "airbrake_api_key"}, hexLow+`{32}`),
		assigned("pagerduty-api-key", "PagerDuty", "REST API key", docPagerDuty, high, []string{"pagerduty_api_key", "pagerduty_token", "pd_api_key", "pagerduty_api_token"}, `(?:u\+[0-9A-Za-z_\-]{18}|[0-9A-Za-z_\-]{20})`),
		assigned("pagerduty-integration-key", "PagerDuty", "Events API integration key", "https://support.pagerduty.com/main/docs/services-and-integrations", med, []string{"pagerduty_routing_key", "pagerduty_integration_key", "pagerduty_service_key"}, an+`{32}`),
		assigned("opsgenie-api-key", "Opsgenie", "API key", "https://support.atlassian.com/opsgenie/docs/api-key-management/", high, []string{"opsgenie_api_key", "opsgenie_token"}, uuid),
		{
			kind: "opsgenie-api-key", provider: "Opsgenie", title: "API key in a header", url: "https://docs.opsgenie.com/docs/authentication", severity: high,
			anchors: []string{"GenieKey "}, named: true, edge: "-", pattern: `GenieKey (?P<v>` + uuid + `)`,
		},
		prefixed("posthog-personal-key", "PostHog", "personal API key", "https://posthog.com/docs/api#personal-api-keys", high, "phx_", an+`{40,60}`, observed),
		prefixed("statsig-server-secret", "Statsig", "server secret key", "https://docs.statsig.com/sdk-keys/api-keys", high, "secret-", an+`{40,50}`, edge("-"), checked(mixed), observed, possible),
		prefixed("statsig-console-key", "Statsig", "Console API key", "https://docs.statsig.com/sdk-keys/api-keys", high, "console-", an+`{40,50}`, edge("-"), checked(mixed), observed, possible),
		prefixed("axiom-api-token", "Axiom", "API token", "https://axiom.co/docs/reference/tokens", high, "xaat-", uuid, fixed, edge("-")),
		prefixed("axiom-personal-token", "Axiom", "personal access token", "https://axiom.co/docs/reference/tokens", high, "xapt-", uuid, fixed, edge("-")),
		assigned("lightstep-token", "ServiceNow Lightstep", "access token", "https://docs.lightstep.com/docs/create-and-manage-access-tokens", med, []string{"ls_access_token", "lightstep_access_token", "lightstep-access-token"}, std64+`{60,200}={0,2}`, observed),
		assigned("lumigo-token", "Lumigo", "tracer token", "https://docs.lumigo.io/docs/lumigo-tokens", med, []string{"lumigo_tracer_token"}, `t_`+hexLow+`{20,32}`, observed),
		assigned("coralogix-key", "Coralogix", "send-your-data key", "https://coralogix.com/docs/user-guides/account-management/api-keys/send-your-data-api-key/", med, []string{"coralogix_api_key", "coralogix_private_key", "cx_api_key"}, `(?:`+uuid+`|cxt[ph]_`+an+`{30})`, observed),
		assigned("epsagon-token", "Epsagon", "token", "https://docs.epsagon.com/docs/getting-started/monitoring-applications/aws-lambda", low, []string{"epsagon_token"}, uuid),
		assigned("thundra-api-key", "Catchpoint", "Thundra API key", "https://apm.docs.thundra.io/getting-started", low, []string{"thundra_apikey", "thundra_agent_lambda_apikey"}, uuid),
		assigned("instana-agent-key", "IBM Instana", "agent key", "https://www.ibm.com/docs/en/instana-observability/current?topic=agents-aws-lambda", med, []string{"instana_agent_key"}, url64+`{22}`, observed),
		assigned("scout-key", "Scout", "agent key", "https://scoutapm.com/docs", low, []string{"scout_key"}, an+`{20}`, observed),
		assigned("elastic-apm-token", "Elastic", "APM secret token or API key", "https://www.elastic.co/docs/reference/apm/agents/aws-lambda/", med, []string{"elastic_apm_secret_token", "elastic_apm_api_key"}, `[0-9A-Za-z+/_\-]{16,80}={0,2}`, checked(mixed)),
		{
			kind: "elasticsearch-api-key", provider: "Elastic", title: "encoded API key in a header", url: "https://www.elastic.co/docs/api/doc/elasticsearch/authentication", severity: high,
			anchors: []string{"ApiKey "}, named: true, edge: "+/=", pattern: `ApiKey (?P<v>[0-9A-Za-z+/]{54,60}={0,2})`, check: elasticKey,
		},
		prefixed("elastic-cloud-api-key", "Elastic", "Cloud API key", "https://www.elastic.co/docs/deploy-manage/api-keys/elastic-cloud-api-keys", high, "essu_", std64+`{80,140}={0,2}`, edge("+/="), observed),
	}
}
