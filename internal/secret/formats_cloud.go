package secret

import "github.com/lamina-sec/lamina"

const (
	docAWSIDs     = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids"
	docAWSKeys    = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
	docAWSTemp    = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html"
	docAWSPresign = "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"
	docBedrock    = "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html"
	docDO         = "https://docs.digitalocean.com/reference/api/create-personal-access-token/"
	docGoogleSA   = "https://cloud.google.com/iam/docs/keys-create-delete"
	docAzureSAS   = "https://learn.microsoft.com/en-us/azure/storage/common/storage-sas-overview"
	docCloudflare = "https://developers.cloudflare.com/fundamentals/api/get-started/token-formats/"
	docPurview    = "https://learn.microsoft.com/en-us/purview/sit-defn-"
	docVault      = "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes"
	docFly        = "https://fly.io/docs/security/tokens/"
	docDoppler    = "https://docs.doppler.com/reference/auth-token-formats"
	docScaleway   = "https://www.scaleway.com/en/docs/iam/concepts/"
	docYandex     = "https://yandex.cloud/en/docs/iam/concepts/authorization/api-key"
	docVercel     = "https://vercel.com/changelog/new-token-formats-and-secret-scanning"
	docHeroku     = "https://devcenter.heroku.com/articles/authentication"
)

// cloudFormats are credentials of clouds, hosters and their secret stores.
func cloudFormats() []format {
	const (
		crit, high, med, low = lamina.Critical, lamina.High, lamina.Medium, lamina.Low
	)
	return []format{
		{
			kind: "aws-access-key-id", provider: "Amazon Web Services", title: "access key id", url: docAWSIDs, severity: high,
			anchors: []string{"AKIA", "ASIA"}, pattern: `A[KS]IA[A-Z2-7]{16}`, show: 4, edge: "/+=", fixed: true, wraps: true, marked: true, check: accessKeyID,
		},
		{
			kind: "aws-secret-access-key", provider: "Amazon Web Services", title: "secret access key beside its id", url: docAWSKeys, severity: crit,
			anchors: []string{"AKIA", "ASIA"}, find: secretBesideID, wraps: true,
		},
		assigned("aws-secret-access-key", "Amazon Web Services", "secret access key", docAWSKeys, crit,
			[]string{"aws_secret", "secret_access_key", "secretaccesskey", "secret-access-key", "awssecret", "aws_sec_key", "secretkey"}, std64+`{40}`, checked(secretAccessKey), likely, loose),
		assigned("aws-session-token", "Amazon Web Services", "session token", docAWSTemp, med,
			[]string{"session_token", "sessiontoken", "security_token", "security-token", "securitytoken"}, std64+`{100,}={0,2}`, reaching(2200), structured, checked(sessionToken), observed),
		prefixed("aws-session-token", "Amazon Web Services", "session token", docAWSTemp, med, "IQoJb3JpZ2lu", std64+`{100,}={0,2}`, reaching(2200), structured, fixed, observed, edge("+/=")),
		prefixed("aws-session-token", "Amazon Web Services", "session token", docAWSTemp, med, "FwoGZXIvYXdz", std64+`{100,}={0,2}`, reaching(2200), structured, fixed, observed, edge("+/=")),
		{
			kind: "aws-presigned-url", provider: "Amazon Web Services", title: "presigned URL", url: docAWSPresign, severity: low, confidence: Likely,
			anchors: []string{"x-amz-signature="}, fold: true, named: true, pattern: `(?i:x-amz-signature=)(?P<v>[0-9a-f]{64})`, check: presigned,
		},
		prefixed("aws-bedrock-api-key", "Amazon Web Services", "Bedrock API key, long-term", docBedrock, high, "ABSK", std64+`{100,300}={0,2}`, fixed, edge("+/="), observed, checked(bedrockLong)),
		prefixed("aws-bedrock-api-key", "Amazon Web Services", "Bedrock API key, short-term", docBedrock, med, "bedrock-api-key-", `[0-9A-Za-z+/]{100,}={0,2}`, reaching(4200), structured, edge("+/=-"), observed),
		prefixed("aws-mws-auth-token", "Amazon Marketplace", "MWS authorisation token", "https://developer-docs.amazon.com/sp-api/docs/migrate-from-amazon-mws", high, "amzn.mws.", uuid, fixed, edge("-"), observed),
		prefixed("aws-appsync-api-key", "Amazon Web Services", "AppSync API key", "https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#api-key-authorization", med, "da2-", lan+`{26}`, fixed, edge("-")),
		prefixed("amazon-oauth-client-secret", "Login with Amazon", "OAuth client secret", "https://developer.amazon.com/docs/login-with-amazon/security-profile.html", high, "amzn1.oa2-cs.v1.", hexLow+`{64}`, fixed, observed),
		assigned("aws-ses-smtp-password", "Amazon Web Services", "SES SMTP password", "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html", high,
			[]string{"ses_smtp_password", "ses_password", "smtp_password", "smtppassword"}, `B[A-Za-z0-9+/]{43}`, observed),
		{
			kind: "aws-codecommit-credential", provider: "Amazon Web Services", title: "CodeCommit git credential in a URL", url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_ssh-keys.html#git-credentials-code-commit", severity: high,
			anchors: []string{"@git-codecommit."}, lead: base62 + "+/=%:.-_", leadMin: 20, leadMax: 160, pattern: `[0-9A-Za-z_.\-]{1,64}-at-[0-9]{12}:(?P<v>[0-9A-Za-z+/=%]{20,80})@git-codecommit\.`,
		},

		prefixed("google-api-key", "Google Cloud", "API key", docPurview+"google-api-key", med, "AIza", url64+`{35}`, fixed, edge("-"), wraps),
		prefixed("google-oauth-client-secret", "Google Cloud", "OAuth client secret", "https://support.google.com/cloud/answer/15549257", high, "GOCSPX-", url64+`{28}`, fixed, edge("-"), observed),
		prefixed("google-oauth-access-token", "Google Cloud", "OAuth access token", "https://cloud.google.com/docs/authentication/token-types", med, "ya29.", url64+`{60,}`, reaching(1100), edge("-"), observed),
		prefixed("google-oauth-refresh-token", "Google Cloud", "OAuth refresh token", "https://cloud.google.com/docs/authentication/token-types", high, "1//0", `[0-9a-z]?`+url64+`{60,200}`, edge("-/"), observed),
		prefixed("google-storage-hmac-id", "Google Cloud", "Cloud Storage HMAC access id", "https://cloud.google.com/storage/docs/authentication/hmackeys", med, "GOOG1E", `[0-9A-Z]{55}`, fixed),
		assigned("google-storage-hmac-secret", "Google Cloud", "Cloud Storage HMAC secret", "https://cloud.google.com/storage/docs/authentication/hmackeys", high, []string{"gs_secret_access_key", "hmac_secret", "hmacsecret"}, std64+`{40}`),
		{
			kind: "google-service-account-key", provider: "Google Cloud", title: "service account key file", url: docGoogleSA, severity: lamina.Critical, confidence: Certain,
			anchors: []string{`"private_key_id"`, `\"private_key_id\"`}, find: serviceAccountKey, structured: true, head: `"private_key_id"`,
		},
		prefixed("firebase-cloud-messaging-key", "Google Firebase", "Cloud Messaging server key", "https://firebase.google.com/docs/cloud-messaging/migrate-v1", high, ":APA91b", url64+`{134}`, lead(base62+"_-", 11, 11), show(0), fixed, edge("-:"), observed),

		assigned("azure-storage-account-key", "Microsoft Azure", "storage account key", docPurview+"azure-storage-account-key", high, []string{"accountkey", "account_key"}, std64+`{86}==`, likely),
		prefixed("azure-storage-account-key", "Microsoft Azure", "storage account key", docPurview+"azure-storage-account-key", high, "+ASt", std64+`{6}==`, lead(base64Std, 76, 76), show(0), edge("+/="), fixed),
		{
			kind: "azure-shared-access-key", provider: "Microsoft Azure", title: "Service Bus, Event Hubs or IoT Hub shared access key", url: docPurview + "azure-service-bus-shared-access-signature", severity: high,
			anchors: []string{"sharedaccesskey="}, fold: true, named: true, edge: "+/=", pattern: `(?i:sharedaccesskey=)(?P<v>[0-9A-Za-z+/]{43}=)`,
		},
		{
			kind: "azure-access-key", provider: "Microsoft Azure", title: "SignalR, Web PubSub or Communication Services access key", url: "https://learn.microsoft.com/en-us/azure/azure-signalr/concept-connection-string", severity: high,
			anchors: []string{";accesskey="}, fold: true, named: true, edge: "+/=", pattern: `(?i:;accesskey=)(?P<v>[0-9A-Za-z+/]{43}=|[0-9A-Za-z+/]{86}==|[0-9A-Za-z]{84})`,
		},
		{
			kind: "azure-app-configuration-secret", provider: "Microsoft Azure", title: "App Configuration connection string", url: "https://learn.microsoft.com/en-us/azure/azure-app-configuration/howto-best-practices", severity: high,
			anchors: []string{".azconfig.io;id="}, fold: true, named: true, edge: "+/=", pattern: `(?i:\.azconfig\.io;id=[0-9a-z+/=:\-]{4,60};secret=)(?P<v>[0-9A-Za-z+/]{43}=|[0-9A-Za-z]{84})`,
		},
		{
			kind: "azure-sas-signature", provider: "Microsoft Azure", title: "shared access signature", url: docAzureSAS, severity: med,
			anchors: []string{"sig="}, fold: true, pattern: `(?i:sig=)(?P<v>[0-9A-Za-z%+/]{43,63}(?:%3[dD]|=))`, edge: "-", check: sharedAccessSignature,
		},
		{
			kind: "azure-entra-client-secret", provider: "Microsoft Entra", title: "application client secret", url: docPurview + "azure-ad-client-secret", severity: high,
			anchors: []string{"7Q~", "8Q~"}, lead: base62 + "_~.-", leadMin: 3, leadMax: 3, pattern: `[0-9A-Za-z_~.\-]{3}[78]Q~[0-9A-Za-z_~.\-]{31,34}`, edge: "~-", fixed: true,
		},
		prefixed("azure-devops-pat", "Azure DevOps", "personal access token", docPurview+"azure-devops-personal-access-token", high, "AZDO", an+`{4}`, lead(base62, 76, 76), show(0), fixed),
		prefixed("azure-function-key", "Microsoft Azure", "Functions key", docPurview+"azure-function-master-api-key", high, "AzFu", `[0-9A-Za-z_\-]{6,8}={0,2}`, lead(base62+"_-", 44, 44), show(0), fixed, edge("-="), observed),
		prefixed("azure-search-key", "Microsoft Azure", "AI Search admin key", docPurview+"azure-search-api-key", high, "AzSe", an+`{6}`, lead(base62, 42, 42), show(0), fixed),
		prefixed("azure-cosmos-key", "Microsoft Azure", "Cosmos DB account key", docPurview+"azure-cosmos-db-account-access-key", high, "ACDb", std64+`{6}==`, lead(base64Std, 76, 76), show(0), edge("+/="), fixed),
		prefixed("azure-container-registry-key", "Microsoft Azure", "Container Registry key", docPurview+"azure-container-registry-access-key", high, "+ACR", std64+`{6}`, lead(base64Std, 42, 42), show(0), edge("+/="), fixed),
		prefixed("azure-batch-key", "Microsoft Azure", "Batch key", docPurview+"azure-batch-shared-access-key", high, "+ABa", std64+`{6}==`, lead(base64Std, 76, 76), show(0), edge("+/="), fixed),
		prefixed("azure-iot-key", "Microsoft Azure", "IoT Hub identifiable key", docPurview+"azure-iot-shared-access-key", high, "AIoT", std64+`{6,7}=?`, lead(base64Std, 33, 33), show(0), edge("+/="), fixed),
		prefixed("azure-service-bus-key", "Microsoft Azure", "Service Bus identifiable key", docPurview+"azure-service-bus-shared-access-signature", high, "+ASb", std64+`{6}=`, lead(base64Std, 33, 33), show(0), edge("+/="), fixed),
		prefixed("azure-event-hubs-key", "Microsoft Azure", "Event Hubs identifiable key", docPurview+"azure-event-hub-shared-access-signature", high, "+AEh", std64+`{6}=`, lead(base64Std, 33, 33), show(0), edge("+/="), fixed),
		prefixed("azure-api-management-key", "Microsoft Azure", "API Management key", docPurview+"azure-apim-subscription-key", high, "APIM", std64+`{6}==`, lead(base64Std, 76, 76), show(0), edge("+/="), fixed, observed),
		prefixed("azure-redis-key", "Microsoft Azure", "Cache for Redis key", docPurview+"azure-redis-cache-connection-string-password", high, "AzCa", std64+`{5}=`, lead(base64Std, 33, 34), show(0), edge("+/="), fixed),
		prefixed("azure-identifiable-key", "Microsoft Azure", "common annotated key", "https://github.com/microsoft/security-utilities", high, "JQQJ99", an+`{26}`, lead(base62, 52, 52), show(0), fixed, observed),
		assigned("azure-openai-api-key", "Microsoft Azure", "OpenAI or AI services key", "https://learn.microsoft.com/en-us/azure/ai-services/openai/reference", med, []string{"azure_openai_api_key", "azure_openai_key", "ocp-apim-subscription-key"}, hexLow+`{32}`),

		prefixed("digitalocean-pat", "DigitalOcean", "personal access token", docDO, high, "dop_v1_", hexLow+`{64}`, fixed),
		prefixed("digitalocean-oauth-token", "DigitalOcean", "OAuth token", docDO, high, "doo_v1_", hexLow+`{64}`, fixed),
		prefixed("digitalocean-refresh-token", "DigitalOcean", "OAuth refresh token", docDO, high, "dor_v1_", hexLow+`{64}`, fixed),
		prefixed("alibaba-access-key-id", "Alibaba Cloud", "AccessKey id", "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair", med, "LTAI", an+`{12,20}`, checked(mixed), observed),
		assigned("alibaba-access-key-secret", "Alibaba Cloud", "AccessKey secret", "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair", high, []string{"alibaba_cloud_access_key_secret", "aliyun_access_key_secret", "accesskeysecret", "access_key_secret"}, an+`{30}`, observed),
		prefixed("tencent-secret-id", "Tencent Cloud", "SecretId", "https://www.tencentcloud.com/document/product/598/32675", med, "AKID", an+`{32}`, fixed, checked(mixed), observed),
		prefixed("yandex-api-key", "Yandex Cloud", "API key", docYandex, high, "AQVN", url64+`{35,38}`, edge("-"), observed),
		prefixed("yandex-iam-cookie", "Yandex Cloud", "OAuth token", docYandex, high, "y0_", url64+`{50,60}`, edge("-"), observed),
		prefixed("yandex-static-key-id", "Yandex Cloud", "static access key id", docYandex, low, "YCAJE", url64+`{20}`, fixed, edge("-"), observed),
		assigned("ibm-cloud-api-key", "IBM Cloud", "API key", "https://cloud.ibm.com/docs/account?topic=account-manapikey", med, []string{"ibmcloud_api_key", "ibm_cloud_api_key", "bluemix_api_key", "ibmcloud_apikey"}, url64+`{44}`, observed),
		prefixed("heroku-api-key", "Heroku", "API key", docHeroku, high, "HRKU-", `AA`+url64+`{58}`, fixed, edge("-"), observed),
		assigned("heroku-api-key", "Heroku", "API key", docHeroku, high, []string{"heroku_api_key", "heroku_api_token"}, uuid),
		prefixed("fly-io-token", "Fly.io", "API token", docFly, high, "fo1_", url64+`{43}`, fixed, edge("-"), observed),
		prefixed("fly-io-token", "Fly.io", "API token (macaroon)", docFly, high, "fm2_", `[0-9A-Za-z+/]{80,}={0,3}`, reaching(2100), edge("+/="), observed, structured),
		prefixed("cloudflare-api-key", "Cloudflare", "global API key", docCloudflare, high, "cfk_", an+`{44,50}`, observed),
		prefixed("cloudflare-api-token", "Cloudflare", "user API token", docCloudflare, high, "cfut_", an+`{44,50}`, observed),
		prefixed("cloudflare-account-token", "Cloudflare", "account API token", docCloudflare, high, "cfat_", an+`{44,50}`, observed),
		assigned("cloudflare-api-token", "Cloudflare", "user API token, older format", docCloudflare, high, []string{"cloudflare_api_token", "cf_api_token"}, url64+`{40}`, checked(mixed)),
		assigned("cloudflare-api-key", "Cloudflare", "global API key, older format", docCloudflare, high, []string{"cloudflare_api_key", "cf_api_key", "x-auth-key"}, hexLow+`{37,45}`),
		prefixed("cloudflare-origin-ca-key", "Cloudflare", "origin CA key", "https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/", high, "v1.0-", hexLow+`{24}-`+hexLow+`{146}`, fixed, edge("-")),
		prefixed("vercel-token", "Vercel", "access token", docVercel, high, "vcp_", an+`{56}`, observed, fixed),
		prefixed("vercel-integration-token", "Vercel", "integration token", docVercel, high, "vci_", an+`{56}`, observed, fixed),
		prefixed("vercel-app-token", "Vercel", "app access token", docVercel, high, "vca_", an+`{56}`, observed, fixed),
		prefixed("vercel-app-refresh-token", "Vercel", "app refresh token", docVercel, high, "vcr_", an+`{56}`, observed, fixed),
		prefixed("vercel-api-key", "Vercel", "API key", docVercel, high, "vck_", an+`{56}`, observed, fixed),
		prefixed("vercel-blob-token", "Vercel", "Blob read-write token", "https://vercel.com/docs/vercel-blob/using-blob-sdk", high, "vercel_blob_rw_", an+`{16}_`+an+`{30,40}`, observed),
		assigned("vercel-token", "Vercel", "access token, older format", "https://vercel.com/docs/cli/tokens", high, []string{"vercel_token", "vercel_api_token"}, an+`{24}`),
		prefixed("netlify-token", "Netlify", "personal access token", "https://docs.netlify.com/api/get-started/#authentication", high, "nfp_", an+`{36}`, fixed, observed),
		prefixed("scaleway-access-key", "Scaleway", "access key", docScaleway, low, "SCW", `[0-9A-Z]{17}`, checked(mixed)),
		assigned("scaleway-secret-key", "Scaleway", "secret key", docScaleway, high, []string{"scw_secret_key", "scaleway_secret_key", "scaleway_token"}, uuid),
		assigned("linode-token", "Akamai Linode", "personal access token", "https://techdocs.akamai.com/linode-api/reference/get-started", high, []string{"linode_token", "linode_api_token", "linode_cli_token"}, hexLow+`{64}`),
		assigned("hetzner-token", "Hetzner", "Cloud API token", "https://docs.hetzner.com/cloud/api/getting-started/generating-api-token", high, []string{"hcloud_token", "hetzner_token"}, an+`{64}`),
		assigned("vultr-api-key", "Vultr", "API key", "https://docs.vultr.com/platform/other/api", high, []string{"vultr_api_key"}, `[0-9A-Z]{36}`, observed),
		assigned("ovh-application-secret", "OVHcloud", "application secret or consumer key", "https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api", high, []string{"ovh_application_secret", "ovh_consumer_key"}, an+`{32}`),
		prefixed("render-api-key", "Render", "API key", "https://render.com/docs/api", high, "rnd_", an+`{28,40}`, observed),
		prefixed("supabase-access-token", "Supabase", "management access token", "https://supabase.com/docs/guides/api/api-keys", high, "sbp_", hexLow+`{40}`, fixed, observed),
		prefixed("supabase-secret-key", "Supabase", "secret key", "https://supabase.com/docs/guides/api/api-keys", high, "sb_secret_", url64+`{22,40}`, edge("-"), observed),
		prefixed("pulumi-access-token", "Pulumi", "access token", "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/", high, "pul-", hexLow+`{40}`, fixed, edge("-")),
		{
			kind: "terraform-cloud-token", provider: "HashiCorp", title: "HCP Terraform API token", url: "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens", severity: high, observed: true,
			anchors: []string{".atlasv1."}, lead: base62, leadMin: 14, leadMax: 14, pattern: an + `{14}\.atlasv1\.` + url64 + `{60,70}`, edge: "-", fixed: true,
		},
		prefixed("vault-service-token", "HashiCorp", "Vault service token", docVault, high, "hvs.", url64+`{24,300}`, edge("-"), checked(mixed)),
		prefixed("vault-batch-token", "HashiCorp", "Vault batch token", docVault, high, "hvb.", url64+`{100,400}`, edge("-")),
		prefixed("vault-recovery-token", "HashiCorp", "Vault recovery token", docVault, high, "hvr.", url64+`{24,300}`, edge("-"), checked(mixed)),
		assigned("vault-service-token", "HashiCorp", "Vault service token, older format", docVault, high, []string{"vault_token", "x-vault-token"}, `s\.`+an+`{24}`),
		assigned("consul-token", "HashiCorp", "Consul ACL token", "https://developer.hashicorp.com/consul/docs/security/acl/tokens", high, []string{"consul_http_token", "x-consul-token"}, uuid),
		assigned("nomad-token", "HashiCorp", "Nomad ACL token", "https://developer.hashicorp.com/nomad/docs/concepts/acl", high, []string{"nomad_token", "x-nomad-token"}, uuid),
		prefixed("doppler-personal-token", "Doppler", "personal token", docDoppler, high, "dp.pt.", an+`{40,44}`),
		prefixed("doppler-cli-token", "Doppler", "CLI token", docDoppler, high, "dp.ct.", an+`{40,44}`),
		prefixed("doppler-service-token", "Doppler", "service token", docDoppler, high, "dp.st.", `(?:[0-9a-z\-_]{2,35}\.)?`+an+`{40,44}`),
		prefixed("doppler-service-account-token", "Doppler", "service account token", docDoppler, high, "dp.sa.", an+`{40,44}`),
		prefixed("doppler-audit-token", "Doppler", "audit token", docDoppler, high, "dp.audit.", an+`{40,44}`),
		prefixed("doppler-scim-token", "Doppler", "SCIM token", docDoppler, high, "dp.scim.", an+`{40,44}`),
		assigned("infisical-service-token", "Infisical", "service token", "https://infisical.com/docs/documentation/platform/token", high, []string{"infisical_token"}, `st\.`+hexLow+`{24}\.`+hexLow+`{32}\.`+hexLow+`{32}`, observed, likely),
		prefixed("1password-service-account-token", "1Password", "service account token", "https://developer.1password.com/docs/service-accounts/security/", high, "ops_eyJ", url64+`{250,}={0,2}`, reaching(2100), structured, edge("-="), show(4), observed),
		prefixed("1password-secret-key", "1Password", "secret key", "https://support.1password.com/secret-key/", high, "A3-", `[0-9A-Z]{6}-(?:[0-9A-Z]{11}|[0-9A-Z]{6}-[0-9A-Z]{5})-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}`, edge("-")),
		prefixed("akamai-client-token", "Akamai", "EdgeGrid token", "https://techdocs.akamai.com/developer/docs/edgegrid", high, "akab-", lan+`{16}-`+lan+`{16}`, edge("-.")),
		assigned("fastly-api-token", "Fastly", "API token", "https://www.fastly.com/documentation/reference/api/auth-tokens/", high, []string{"fastly_api_key", "fastly_api_token", "fastly-key"}, url64+`{32}`, checked(mixed)),
		prefixed("tailscale-auth-key", "Tailscale", "auth key", "https://tailscale.com/kb/1085/auth-keys", high, "tskey-auth-", an+`{8,24}-`+an+`{20,40}`, edge("-")),
		prefixed("tailscale-api-key", "Tailscale", "API access token", "https://tailscale.com/kb/1101/api", high, "tskey-api-", an+`{8,24}-`+an+`{20,40}`, edge("-")),
		prefixed("tailscale-client-secret", "Tailscale", "OAuth client secret", "https://tailscale.com/kb/1215/oauth-clients", high, "tskey-client-", an+`{8,24}-`+an+`{20,40}`, edge("-")),
		prefixed("tailscale-webhook-secret", "Tailscale", "webhook secret", "https://tailscale.com/kb/1213/webhooks", med, "tskey-webhook-", an+`{8,24}-`+an+`{20,40}`, edge("-"), observed),
	}
}
