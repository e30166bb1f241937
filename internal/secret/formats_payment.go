package secret

import "github.com/lamina-sec/lamina"

const (
	docStripe  = "https://docs.stripe.com/keys"
	docSquare  = "https://developer.squareup.com/docs/build-basics/access-tokens"
	docShopify = "https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens"
	docPlaid   = "https://plaid.com/docs/api/tokens/"
)

// paymentFormats are credentials of payment services and shops.
func paymentFormats() []format {
	const (
		crit, high, med, low = lamina.Critical, lamina.High, lamina.Medium, lamina.Low
	)
	return []format{
		prefixed("stripe-secret-key", "Stripe", "live secret key", docStripe, crit, "sk_live_", an+`{24,247}`, wraps, loose),
		prefixed("stripe-restricted-key", "Stripe", "live restricted key", docStripe, high, "rk_live_", an+`{24,247}`, wraps),
		prefixed("stripe-test-key", "Stripe", "test mode secret key", docStripe, low, "sk_test_", an+`{24,247}`),
		prefixed("stripe-test-restricted-key", "Stripe", "test mode restricted key", docStripe, low, "rk_test_", an+`{24,247}`),
		prefixed("stripe-webhook-secret", "Stripe", "webhook signing secret", "https://docs.stripe.com/webhooks", med, "whsec_", `[0-9A-Za-z+/]{32,64}={0,2}`, edge("+/=")),
		prefixed("square-access-token", "Square", "access token", docSquare, high, "EAAA", url64+`{60}`, fixed, edge("-"), checked(mixed), observed),
		prefixed("square-personal-token", "Square", "personal access token", docSquare, high, "sq0atp-", url64+`{22}`, fixed, edge("-"), observed),
		prefixed("square-oauth-secret", "Square", "OAuth application secret", docSquare, high, "sq0csp-", url64+`{43}`, fixed, edge("-"), observed),
		prefixed("shopify-admin-token", "Shopify", "Admin API access token", docShopify, high, "shpat_", hexAny+`{32}`, fixed),
		prefixed("shopify-custom-app-token", "Shopify", "custom app access token", docShopify, high, "shpca_", hexAny+`{32}`, fixed),
		prefixed("shopify-private-app-token", "Shopify", "private app password", docShopify, high, "shppa_", hexAny+`{32}`, fixed),
		prefixed("shopify-shared-secret", "Shopify", "app shared secret", docShopify, high, "shpss_", hexAny+`{32}`, fixed),
		prefixed("braintree-access-token", "PayPal Braintree", "access token", "https://developer.paypal.com/braintree/docs/guides/extend/oauth/access-tokens", high, "access_token$production$", lan+`{16}\$`+hexLow+`{32}`, fixed),
		prefixed("braintree-sandbox-token", "PayPal Braintree", "sandbox access token", "https://developer.paypal.com/braintree/docs/guides/extend/oauth/access-tokens", low, "access_token$sandbox$", lan+`{16}\$`+hexLow+`{32}`, fixed),
		assigned("paypal-client-secret", "PayPal", "REST client secret", "https://developer.paypal.com/api/rest/", high, []string{"paypal_client_secret", "paypal_secret"}, `E`+url64+`{79}`, observed),
		prefixed("adyen-api-key", "Adyen", "API key", "https://docs.adyen.com/development-resources/api-credentials/", high, "AQE", `[a-z]h`+std64+`{40,200}={0,2}-[0-9A-Za-z+/=]{40,60}-[^"'\s]{10,20}`, reaching(700), edge("+/="), observed),
		prefixed("razorpay-key-id", "Razorpay", "live key id", "https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/", low, "rzp_live_", an+`{14}`, fixed),
		prefixed("flutterwave-secret-key", "Flutterwave", "secret key", "https://developer.flutterwave.com/v3.0/docs/authentication", high, "FLWSECK-", hexLow+`{32}-`+`(?:[0-9a-z]{12,16}-)?X`, observed),
		prefixed("flutterwave-test-key", "Flutterwave", "test secret key", "https://developer.flutterwave.com/v3.0/docs/authentication", low, "FLWSECK_TEST-", hexLow+`{12,32}(?:-X)?`, observed),
		prefixed("plaid-access-token", "Plaid", "production access token", docPlaid, high, "access-production-", uuid, fixed, edge("-")),
		prefixed("plaid-sandbox-token", "Plaid", "sandbox or development access token", docPlaid, low, "access-sandbox-", uuid, fixed, edge("-")),
		prefixed("gocardless-token", "GoCardless", "live access token", "https://developer.gocardless.com/api-reference/#making-requests", high, "live_", url64+`{40}`, edge("-"), observed, checked(mixed), possible),
		prefixed("easypost-api-key", "EasyPost", "production API key", "https://docs.easypost.com/docs/authentication", high, "EZAK", an+`{54}`, fixed),
		prefixed("easypost-test-key", "EasyPost", "test API key", "https://docs.easypost.com/docs/authentication", low, "EZTK", an+`{54}`, fixed),
		prefixed("shippo-live-token", "Shippo", "live API token", "https://docs.goshippo.com/docs/guides_general/authentication/", high, "shippo_live_", hexLow+`{40}`, fixed),
		prefixed("duffel-live-token", "Duffel", "live access token", "https://duffel.com/docs/api/overview/making-requests/authentication", high, "duffel_live_", url64+`{43}`, edge("-"), observed),
		prefixed("paddle-api-key", "Paddle", "live API key", "https://developer.paddle.com/api-reference/about/api-keys", high, "pdl_live_apikey_", `[0-9a-z]{26}_`+an+`{22}_`+an+`{3}`),
		prefixed("polar-access-token", "Polar", "organisation access token", "https://polar.sh/docs/integrate/oat", high, "polar_oat_", an+`{30,60}`, observed),
		prefixed("klarna-api-key", "Klarna", "live API key", "https://docs.klarna.com/acquirer/klarna/get-started/authentication/", high, "klarna_live_api_", std64+`{40,120}={0,2}`, edge("+/="), observed),
		prefixed("lob-api-key", "Lob", "live secret key", "https://docs.lob.com/", high, "live_", hexLow+`{35}`, observed),
	}
}
