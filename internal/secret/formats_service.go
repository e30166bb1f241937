package secret

import "github.com/lamina-sec/lamina"

// serviceFormats are credentials of other hosted services: identity, content,
// documents, maps, data.
func serviceFormats() []format {
	const (
		high, med, low = lamina.High, lamina.Medium, lamina.Low
	)
	return []format{
		prefixed("notion-integration-token", "Notion", "integration token", "https://developers.notion.com/reference/authentication", high, "ntn_", `[0-9]{11}[A-Za-z0-9]{35}`, fixed, observed),
		prefixed("notion-integration-token", "Notion", "integration token, older format", "https://developers.notion.com/reference/authentication", high, "secret_", an+`{43}`, checked(mixed), observed, possible),
		assigned("airtable-pat", "Airtable", "personal access token", "https://airtable.com/developers/web/guides/personal-access-tokens", high, []string{"airtable"}, `pat[0-9A-Za-z]{14}\.[0-9a-f]{64}`, observed, likely),
		assigned("airtable-api-key", "Airtable", "API key, retired format", "https://support.airtable.com/docs/airtable-api-key-deprecation-notice", low, []string{"airtable_api_key", "airtable_key"}, `key[0-9A-Za-z]{14}`),
		assigned("asana-pat", "Asana", "personal access token", "https://developers.asana.com/docs/personal-access-token", high, []string{"asana"}, `[0-2]/[0-9]{10,20}(?:/[0-9]{10,20})?:[0-9a-f]{32}`, observed),
		prefixed("contentful-management-token", "Contentful", "management token", "https://www.contentful.com/developers/docs/references/authentication/", high, "CFPAT-", url64+`{43}`, fixed, edge("-")),
		prefixed("dropbox-access-token", "Dropbox", "short-lived access token", "https://developers.dropbox.com/oauth-guide", med, "sl.u.", url64+`{130,}`, reaching(1500), edge("-"), observed),
		assigned("dropbox-app-secret", "Dropbox", "app secret", "https://developers.dropbox.com/oauth-guide", high, []string{"dropbox_app_secret", "dropbox_secret"}, lan+`{15}`),
		assigned("box-client-secret", "Box", "client secret", "https://developer.box.com/guides/authentication/client-credentials/", high, []string{"box_client_secret"}, an+`{32}`),
		prefixed("adafruit-io-key", "Adafruit IO", "active key", "https://io.adafruit.com/api/docs/#authentication", med, "aio_", an+`{28}`, fixed),
		prefixed("readme-api-key", "ReadMe", "API key", "https://docs.readme.com/main/reference/authentication", high, "rdme_", `[0-9a-z]{70}`, fixed, observed),
		prefixed("typeform-token", "Typeform", "personal access token", "https://www.typeform.com/developers/get-started/personal-access-token/", high, "tfp_", url64+`{40,60}`, edge("-"), observed),
		prefixed("frame-io-token", "Frame.io", "developer token", "https://developer.adobe.com/frameio/guides/", high, "fio-u-", url64+`{64}`, edge("-"), observed),
		prefixed("mapbox-secret-token", "Mapbox", "secret access token", "https://docs.mapbox.com/help/dive-deeper/access-tokens/", high, "sk.eyJ", url64+`{60,200}\.`+url64+`{22}`, structured, edge("-"), show(3)),
		assigned("algolia-admin-key", "Algolia", "admin API key", "https://www.algolia.com/doc/guides/security/api-keys/", high, []string{"algolia_admin_key", "algolia_admin_api_key", "algolia_write_key"}, hexLow+`{32}`),
		{
			kind: "okta-api-token", provider: "Okta", title: "API token", url: "https://developer.okta.com/docs/guides/create-an-api-token/main/", severity: high,
			anchors: []string{"ssws 00"}, fold: true, named: true, edge: "-", pattern: `(?i:ssws )(?P<v>00[0-9A-Za-z_\-]{40})`,
		},
		assigned("okta-api-token", "Okta", "API token", "https://developer.okta.com/docs/guides/create-an-api-token/main/", high, []string{"okta_api_token", "okta_token", "okta_client_token"}, `00`+url64+`{40}`),
		assigned("auth0-client-secret", "Auth0", "client secret", "https://auth0.com/docs/get-started/applications/confidential-and-public-applications", high, []string{"auth0_client_secret", "auth0_secret"}, url64+`{64}`),
		prefixed("workos-api-key", "WorkOS", "API key", "https://workos.com/docs/reference/api-keys", high, "sk_live_a2V5X", an+`{30,120}`, observed),
		prefixed("stytch-secret", "Stytch", "live project secret", "https://stytch.com/docs/api/authentication", high, "secret-live-", url64+`{36}=?`, edge("-="), observed),
		prefixed("salesforce-access-token", "Salesforce", "session id or access token", "https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flows.htm", med, "00D", an+`{12,15}![0-9A-Za-z._]{80,260}`, fixed),
		assigned("salesforce-client-secret", "Salesforce", "connected app consumer secret", "https://help.salesforce.com/s/articleView?id=xcloud.connected_app_overview.htm", high, []string{"salesforce_client_secret", "sf_client_secret", "sfdc_client_secret"}, `(?:[0-9A-F]{64}|[0-9]{19})`),
		assigned("shodan-api-key", "Shodan", "API key", "https://developer.shodan.io/api", low, []string{"shodan_api_key"}, an+`{32}`),
		assigned("virustotal-api-key", "VirusTotal", "API key", "https://docs.virustotal.com/reference/authentication", med, []string{"virustotal_api_key", "vt_api_key", "x-apikey"}, hexLow+`{64}`),
		assigned("rapidapi-key", "RapidAPI", "application key", "https://docs.rapidapi.com/docs/keys", med, []string{"rapidapi_key", "x-rapidapi-key"}, an+`{10}msh`+an+`{15}p1`+an+`{6}jsn`+an+`{12}`, observed),
		assigned("rapidapi-key", "RapidAPI", "application key", "https://docs.rapidapi.com/docs/keys", med, []string{"rapid-api-key", "rapid_api_key"}, an+`{50}`),
		assigned("ngrok-authtoken", "ngrok", "authtoken or API key", "https://ngrok.com/docs/agent/#authtokens", med, []string{"ngrok_authtoken", "ngrok_auth_token", "ngrok_api_key"}, `[0-9A-Za-z]{20,32}_[0-9A-Za-z]{18,24}`),
		prefixed("unkey-root-key", "Unkey", "root key", "https://www.unkey.com/docs/security/root-keys", high, "unkey_", an+`{16,40}`, observed, checked(mixed)),
		prefixed("trigger-dev-secret", "Trigger.dev", "production secret key", "https://trigger.dev/docs/apikeys", high, "tr_prod_", an+`{20,24}`, observed),
		prefixed("inngest-signing-key", "Inngest", "production signing key", "https://www.inngest.com/docs/platform/signing-keys", high, "signkey-prod-", hexLow+`{32,64}`, edge("-")),
		assigned("segment-write-key", "Twilio Segment", "source write key", "https://segment.com/docs/connections/find-writekey/", low, []string{"segment_write_key", "segment_writekey"}, an+`{32}`),
		assigned("mixpanel-secret", "Mixpanel", "project or service account secret", "https://developer.mixpanel.com/reference/authentication", med, []string{"mixpanel_api_secret", "mixpanel_secret"}, an+`{32}`),
		assigned("amplitude-secret-key", "Amplitude", "secret key", "https://amplitude.com/docs/apis/authentication", med, []string{"amplitude_secret_key", "amplitude_api_secret"}, hexLow+`{32}`),
		prefixed("zuplo-api-key", "Zuplo", "API key", "https://zuplo.com/docs/articles/api-key-leak-detection", med, "zpka_", an+`{32}_`+hexLow+`{8}`, fixed),
		prefixed("harness-pat", "Harness", "personal access token", "https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/", high, "pat.", url64+`{22}\.`+hexLow+`{24}\.`+an+`{20}`, edge("-"), fixed),
		prefixed("harness-service-token", "Harness", "service account token", "https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/", high, "sat.", url64+`{22}\.`+hexLow+`{24}\.`+an+`{20}`, edge("-"), fixed),
		prefixed("rootly-api-token", "Rootly", "API token", "https://docs.rootly.com/api-reference/overview", high, "rootly_", hexLow+`{64}`, fixed),
		prefixed("octopus-deploy-api-key", "Octopus Deploy", "API key", "https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key", high, "API-", `[0-9A-Z]{25,32}`, edge("-"), checked(mixedUpper)),
		assigned("okta-client-secret", "Okta", "OAuth client secret", "https://developer.okta.com/docs/guides/find-your-app-credentials/main/", high, []string{"okta_client_secret"}, url64+`{40,64}`),
	}
}
