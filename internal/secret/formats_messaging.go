package secret

import "github.com/lamina-sec/lamina"

const (
	docSlack        = "https://docs.slack.dev/authentication/tokens"
	docSlackWebhook = "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"
	docDiscord      = "https://discord.com/developers/docs/reference#authentication"
	docTwilio       = "https://www.twilio.com/docs/iam/api-keys"
	docMeta         = "https://developers.facebook.com/docs/facebook-login/guides/access-tokens/"
)

// messagingFormats are credentials of mail, chat, telephone and social services.
func messagingFormats() []format {
	const (
		high, med, low = lamina.High, lamina.Medium, lamina.Low
	)
	return []format{
		prefixed("slack-bot-token", "Slack", "bot token", docSlack, high, "xoxb-", `[0-9]{9,14}-(?:[0-9]{9,14}-)?`+an+`{20,40}`, edge("-"), wraps),
		prefixed("slack-user-token", "Slack", "user token", docSlack, high, "xoxp-", `[0-9]{9,14}-[0-9]{9,14}-(?:[0-9]{9,14}-)?`+hexLow+`{24,40}`, edge("-"), wraps),
		{
			kind: "slack-legacy-token", provider: "Slack", title: "workspace or legacy token", url: docSlack, severity: high, observed: true, show: 5, edge: "-",
			anchors: []string{"xoxa-", "xoxo-", "xoxs-", "xoxr-"}, pattern: `xox[aosr]-(?:[0-9]{1,14}-)?[0-9a-zA-Z\-]{20,120}`,
		},
		prefixed("slack-config-token", "Slack", "app configuration token", docSlack, high, "xoxe.", `xox[bp]-[0-9]-`+an+`{120,200}`, edge("-")),
		prefixed("slack-refresh-token", "Slack", "configuration refresh token", docSlack, high, "xoxe-", `[0-9]-`+an+`{120,200}`, edge("-")),
		prefixed("slack-app-token", "Slack", "app-level token", docSlack, high, "xapp-", `[0-9]-A[0-9A-Z]{8,12}-[0-9]{10,14}-`+hexLow+`{64}`, edge("-")),
		{
			kind: "slack-webhook-url", provider: "Slack", title: "incoming webhook", url: docSlackWebhook, severity: med, show: 0, head: "hooks.slack.com/services/", wraps: true,
			anchors: []string{"hooks.slack.com/"}, pattern: `hooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[TE][0-9A-Z]{8,12}/(?:[AB][0-9A-Z]{8,12}|[0-9]{8,20})/(?:[0-9]{10,20}/)?` + an + `{16,40})`, edge: "",
		},
		{
			kind: "discord-bot-token", provider: "Discord", title: "bot token", url: docDiscord, severity: high, observed: true,
			anchors: []string{"discord", "bot_token", "bot token", "authorization: bot"}, fold: true, named: true, pattern: `(?i:discord|bot[_ ]token|authorization: bot)[^\n]{0,40}?(?P<v>[MNO][0-9A-Za-z_\-]{23,27}\.[0-9A-Za-z_\-]{6}\.[0-9A-Za-z_\-]{27,38})`, edge: "-.", window: 256, check: discordToken,
		},
		{
			kind: "discord-webhook-url", provider: "Discord", title: "webhook", url: "https://discord.com/developers/docs/resources/webhook", severity: med, head: "discord.com/api/webhooks/",
			anchors: []string{"/api/webhooks/"}, pattern: `/api/webhooks/[0-9]{17,20}/(?P<v>` + url64 + `{60,80})`, named: true, edge: "-",
		},
		{
			kind: "telegram-bot-token", provider: "Telegram", title: "bot token", url: "https://core.telegram.org/bots/api#authorizing-your-bot", severity: high, observed: true,
			anchors: []string{":AAE", ":AAF", ":AAG", ":AAH"}, lead: digits, leadMin: 8, leadMax: 10, pattern: `[0-9]{8,10}:AA[E-H]` + url64 + `{32}`, edge: "-", check: mixed,
		},
		assigned("twilio-api-key", "Twilio", "API key SID", docTwilio, low, []string{"twilio_api_key", "twilio_api_sid", "twilio_api_key_sid"}, `SK`+hexLow+`{32}`),
		assigned("twilio-auth-token", "Twilio", "auth token", "https://www.twilio.com/docs/iam/access-tokens", high, []string{"twilio_auth_token", "twilioauthtoken", "twilio_token"}, hexLow+`{32}`),
		assigned("twilio-api-secret", "Twilio", "API key secret", docTwilio, high, []string{"twilio_api_secret", "twilio_api_key_secret"}, an+`{32}`),
		prefixed("sendgrid-api-key", "Twilio SendGrid", "API key", "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys", high, "SG.", url64+`{22}\.`+url64+`{43}`, fixed, edge("-"), observed),
		prefixed("mailgun-api-key", "Mailgun", "private API key", "https://documentation.mailgun.com/docs/mailgun/api-reference/authentication", high, "key-", hexLow+`{32}`, edge("-"), observed),
		assigned("mailgun-api-key", "Mailgun", "API key", "https://documentation.mailgun.com/docs/mailgun/api-reference/authentication", high, []string{"mailgun"}, hexLow+`{32}-`+hexLow+`{8}-`+hexLow+`{8}`, observed),
		{
			kind: "mailchimp-api-key", provider: "Mailchimp", title: "API key", url: "https://mailchimp.com/developer/marketing/guides/quick-start/", severity: high,
			anchors: []string{"-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"}, lead: lowerHex, leadMin: 32, leadMax: 32, pattern: hexLow + `{32}-us[1-9][0-9]?`, edge: "-", fixed: true,
		},
		assigned("mandrill-api-key", "Mailchimp Transactional", "API key", "https://mailchimp.com/developer/transactional/guides/quick-start/", high, []string{"mandrill_api_key", "mandrill_key", "mandrill_apikey"}, `(?:md-)?`+url64+`{22}`, observed),
		prefixed("brevo-api-key", "Brevo", "API key", "https://developers.brevo.com/docs/getting-started", high, "xkeysib-", hexLow+`{64}-`+an+`{16}`, fixed, edge("-")),
		prefixed("brevo-smtp-key", "Brevo", "SMTP key", "https://help.brevo.com/hc/en-us/articles/209462765", high, "xsmtpsib-", hexLow+`{64}-`+an+`{16}`, fixed, edge("-")),
		assigned("resend-api-key", "Resend", "API key", "https://resend.com/docs/dashboard/api-keys/introduction", high, []string{"resend_api_key", "resend_key"}, `re_[0-9A-Za-z]{8}_`+an+`{24}`, observed, likely),
		prefixed("mailersend-api-token", "MailerSend", "API token", "https://developers.mailersend.com/general.html#authentication", high, "mlsn.", hexLow+`{64}`, fixed, observed),
		assigned("postmark-server-token", "Postmark", "server token", "https://postmarkapp.com/developer/api/overview", high, []string{"postmark_server_token", "postmark_api_token", "x-postmark-server-token"}, uuid),
		assigned("sparkpost-api-key", "SparkPost", "API key", "https://developers.sparkpost.com/api/", high, []string{"sparkpost_api_key"}, hexLow+`{40}`),
		assigned("mailjet-secret-key", "Mailjet", "secret key", "https://dev.mailjet.com/email/guides/", high, []string{"mj_apikey_private", "mailjet_secret_key", "mailjet_api_secret"}, hexLow+`{32}`),
		{
			kind: "teams-webhook-url", provider: "Microsoft Teams", title: "incoming webhook", url: "https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook", severity: med, head: "webhook.office.com/webhookb2/",
			anchors: []string{".webhook.office.com/webhookb2/"}, pattern: `\.webhook\.office\.com/webhookb2/(?P<v>` + uuid + `@` + uuid + `/IncomingWebhook/[0-9a-f]{32}/` + uuid + `)`, named: true,
		},
		{
			kind: "google-chat-webhook-url", provider: "Google Chat", title: "incoming webhook", url: "https://developers.google.com/workspace/chat/quickstart/webhooks", severity: med, head: "chat.googleapis.com/v1/spaces/",
			anchors: []string{"chat.googleapis.com/v1/spaces/"}, pattern: `chat\.googleapis\.com/v1/spaces/[0-9A-Za-z_\-]{6,20}/messages\?key=AIza[0-9A-Za-z_\-]{35}(?:&|\\u0026|&amp;)token=(?P<v>[0-9A-Za-z_\-%]{30,80})`,
		},
		{
			kind: "zapier-webhook-url", provider: "Zapier", title: "catch hook", url: "https://help.zapier.com/hc/en-us/articles/8496288690317", severity: low, head: "hooks.zapier.com/hooks/catch/",
			anchors: []string{"hooks.zapier.com/hooks/catch/"}, pattern: `hooks\.zapier\.com/hooks/catch/(?P<v>[0-9]{4,10}/[0-9a-z]{5,10})`,
		},
		{
			kind: "power-automate-url", provider: "Microsoft Power Automate", title: "HTTP trigger with signature", url: "https://learn.microsoft.com/en-us/azure/logic-apps/logic-apps-securing-a-logic-app", severity: med, head: "sig=",
			anchors: []string{".logic.azure.com"}, named: true, pattern: `\.logic\.azure\.com(?::443)?/workflows/[0-9a-f]{32}/[^"'\s<>]{1,200}sig=(?P<v>[0-9A-Za-z_\-%]{43,60})`, edge: "-",
		},
		prefixed("hubspot-private-app-token", "HubSpot", "private app token", "https://developers.hubspot.com/docs/guides/apps/private-apps/overview", high, "pat-", `(?:na|eu|ap)[0-9]-`+uuid, fixed, edge("-")),
		{
			kind: "intercom-access-token", provider: "Intercom", title: "access token", url: "https://developers.intercom.com/docs/build-an-integration/learn-more/authentication", severity: high, observed: true,
			anchors: []string{"dG9rO"}, pattern: `dG9rO[0-9A-Za-z+/]{55,75}={0,2}`, show: 5, edge: "+/=", check: intercom,
		},
		prefixed("facebook-access-token", "Meta", "access token", docMeta, med, "EAAC", an+`{90,400}`, observed),
		prefixed("facebook-access-token", "Meta", "access token", docMeta, med, "EAAB", an+`{90,400}`, observed),
		assigned("facebook-app-secret", "Meta", "app secret", "https://developers.facebook.com/docs/facebook-login/security/#appsecret", high, []string{"facebook_app_secret", "fb_app_secret", "facebook_client_secret", "facebook_secret"}, hexLow+`{32}`),
		prefixed("instagram-access-token", "Meta", "Instagram access token", "https://developers.facebook.com/docs/instagram-platform", med, "IGQW", url64+`{100,300}`, edge("-"), observed),
		prefixed("x-bearer-token", "X", "app-only bearer token", "https://docs.x.com/fundamentals/authentication/oauth-2-0/bearer-tokens", high, "AAAAAAAAAAAAAAAAAAAAA", `[0-9A-Za-z%]{80,120}`, structured, observed, checked(xBearer)),
		assigned("x-consumer-secret", "X", "API key secret", "https://docs.x.com/fundamentals/authentication/oauth-1-0a/api-key-and-secret", high, []string{"twitter_consumer_secret", "twitter_api_secret", "twitter_api_key_secret"}, an+`{50}`),
		assigned("x-access-token-secret", "X", "access token secret", "https://docs.x.com/fundamentals/authentication/oauth-1-0a/obtaining-user-access-tokens", high, []string{"twitter_access_token_secret", "twitter_access_secret"}, an+`{45}`),
		assigned("linkedin-client-secret", "LinkedIn", "client secret", "https://learn.microsoft.com/en-us/linkedin/shared/authentication/client-credentials-flow", high, []string{"linkedin_client_secret"}, `(?:WPL_AP[01]\.)?[0-9A-Za-z+/=.]{16,48}`, observed, checked(mixed)),
		prefixed("telnyx-api-key", "Telnyx", "API v2 key", "https://developers.telnyx.com/api/authentication", high, "KEY0", hexAny+`{31}_`+an+`{22}`, fixed, observed),
		assigned("messagebird-access-key", "Bird", "access key", "https://developers.messagebird.com/api/#authentication", high, []string{"messagebird_api_key", "messagebird_access_key", "messagebird_token"}, an+`{25}`),
		assigned("vonage-api-secret", "Vonage", "API secret", "https://developer.vonage.com/en/getting-started/concepts/authentication", high, []string{"vonage_api_secret", "nexmo_api_secret"}, an+`{16}`),
		assigned("plivo-auth-token", "Plivo", "auth token", "https://www.plivo.com/docs/voice/api/overview", high, []string{"plivo_auth_token"}, an+`{40}`),
		assigned("klaviyo-private-key", "Klaviyo", "private API key", "https://developers.klaviyo.com/en/docs/authenticate_", high, []string{"klaviyo-api-key", "klaviyo_api_key", "klaviyo_private_key", "klaviyo_private_api_key"}, `pk_`+hexLow+`{34}`, observed),
		assigned("zendesk-api-token", "Zendesk", "API token", "https://developer.zendesk.com/api-reference/introduction/security-and-auth/", high, []string{"zendesk_api_token", "zendesk_token"}, an+`{40}`),
		assigned("pusher-secret", "Pusher", "app secret", "https://pusher.com/docs/channels/library_auth_reference/rest-api/", high, []string{"pusher_app_secret", "pusher_secret"}, hexLow+`{20}`),
		prefixed("courier-auth-token", "Courier", "production auth token", "https://www.courier.com/docs/reference/authorization/", high, "pk_prod_", `[0-9A-Z]{28}`, fixed),
	}
}
