package secret

import "github.com/lamina-sec/lamina"

const (
	docPEM     = "https://www.rfc-editor.org/rfc/rfc7468"
	docPKCS1   = "https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2"
	docSEC1    = "https://www.rfc-editor.org/rfc/rfc5915"
	docPKCS8   = "https://www.rfc-editor.org/rfc/rfc5958"
	docOpenSSH = "https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key"
	docPGP     = "https://www.rfc-editor.org/rfc/rfc9580#section-6.2"
	docAge     = "https://github.com/C2SP/C2SP/blob/main/age.md"
	docJWT     = "https://www.rfc-editor.org/rfc/rfc7519"
)

// keyFormats are private keys, and tokens that are signed with one.
func keyFormats() []format {
	const (
		high, med, low = lamina.High, lamina.Medium, lamina.Low
	)
	block := func(kind, title, url string, severity lamina.Severity, label string) format {
		return format{
			kind: kind, provider: "PEM", title: title, url: url, severity: severity, confidence: Certain, structured: true, secretive: true,
			anchors: []string{"-----BEGIN " + label + "-----"}, find: pemBlock, head: "-----BEGIN " + label + "-----", window: pemMax,
			demote: true, wraps: true, check: privateKey,
		}
	}
	token := func(kind, provider, title, url string, severity lamina.Severity, check func(*verdict, subject)) format {
		return format{
			kind: kind, provider: provider, title: title, url: url, severity: severity, confidence: Certain, structured: true, demote: true,
			anchors: []string{"eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "eyJhbGciOiJ"}, find: jwt, check: check, window: 8192, show: 3,
		}
	}
	return []format{
		block("rsa-private-key", "RSA private key (PKCS #1)", docPKCS1, high, "RSA PRIVATE KEY"),
		block("ec-private-key", "EC private key", docSEC1, high, "EC PRIVATE KEY"),
		block("dsa-private-key", "DSA private key", docPEM, high, "DSA PRIVATE KEY"),
		block("private-key", "private key (PKCS #8)", docPKCS8, high, "PRIVATE KEY"),
		block("encrypted-private-key", "private key (PKCS #8) under a passphrase", docPKCS8, med, "ENCRYPTED PRIVATE KEY"),
		block("openssh-private-key", "OpenSSH private key", docOpenSSH, high, "OPENSSH PRIVATE KEY"),
		block("pgp-private-key", "OpenPGP private key", docPGP, high, "PGP PRIVATE KEY BLOCK"),
		block("sigstore-private-key", "cosign private key under a passphrase", "https://docs.sigstore.dev/cosign/key_management/overview/", med, "ENCRYPTED SIGSTORE PRIVATE KEY"),
		block("sigstore-private-key", "cosign private key under a passphrase", "https://docs.sigstore.dev/cosign/key_management/overview/", med, "ENCRYPTED COSIGN PRIVATE KEY"),
		block("openvpn-static-key", "OpenVPN static key", "https://openvpn.net/community-docs/static-key-mini-howto.html", high, "OpenVPN Static key V1"),
		{
			kind: "putty-private-key", provider: "PuTTY", title: "private key", url: "https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html", severity: high, structured: true, secretive: true, demote: true,
			anchors: []string{"PuTTY-User-Key-File-"}, find: puttyKey, head: "PuTTY-User-Key-File-", check: putty,
		},
		prefixed("age-secret-key", "age", "X25519 identity", docAge, high, "AGE-SECRET-KEY-1", `[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}`, fixed, checked(bech32)),
		prefixed("age-pq-secret-key", "age", "hybrid post-quantum identity", docAge, high, "AGE-SECRET-KEY-PQ-1", `[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}`, fixed, checked(bech32), observed),
		prefixed("age-plugin-identity", "age", "plugin identity", docAge, med, "AGE-PLUGIN-", `[A-Z0-9]{1,20}-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{30,400}`, checked(bech32)),
		prefixed("nostr-secret-key", "Nostr", "private key (NIP-19)", "https://github.com/nostr-protocol/nips/blob/master/19.md", high, "nsec1", `[qpzry9x8gf2tvdw0s3jn54khce6mua7l]{58}`, fixed, checked(bech32)),
		assigned("wireguard-private-key", "WireGuard", "private key", "https://www.wireguard.com/quickstart/", high, []string{"privatekey"}, std64+`{42}[AEIMQUYcgkosw048]=`),
		prefixed("minisign-secret-key", "minisign", "encrypted secret key", "https://jedisct1.github.io/minisign/", med, "minisign encrypted secret key", `\s+(?P<v>RWR[0-9A-Za-z+/]{200,230}={0,2})`, structured, show(0), head("minisign encrypted secret key"), edge("+/=")),
		prefixed("signify-secret-key", "signify", "secret key", "https://man.openbsd.org/signify.1", med, "signify secret key", `\s+(?P<v>RW[0-9A-Za-z+/]{130,150}={0,2})`, structured, show(0), head("signify secret key"), edge("+/=")),
		prefixed("ansible-vault", "Ansible", "vault under a password", "https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html", low, "$ANSIBLE_VAULT;1.", `[12];AES256(?:;[0-9A-Za-z_\-]+)?\s+(?P<v>[0-9a-f\s]{80,})`, reaching(4200), structured, show(0), head("$ANSIBLE_VAULT;")),
		{
			kind: "jwk-private-key", provider: "JOSE", title: "private JSON Web Key", url: "https://www.rfc-editor.org/rfc/rfc7518#section-6", severity: high, demote: true, secretive: true, structured: true, head: `"kty"`,
			anchors: []string{`"kty"`}, find: jwk,
		},
		{
			kind: "xml-rsa-private-key", provider: ".NET", title: "RSA key with its private exponent in XML", url: "https://learn.microsoft.com/en-us/dotnet/api/system.security.cryptography.rsa.toxmlstring", severity: high, demote: true, secretive: true, structured: true, head: "<RSAKeyValue>",
			anchors: []string{"<RSAKeyValue>"}, find: xmlKey,
		},
		token("jwt", "RFC 7519", "JSON Web Token", docJWT, low, plainToken),
		token("kubernetes-service-account-token", "Kubernetes", "service account token", "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/", high, serviceAccountToken),
		token("supabase-service-role-key", "Supabase", "service_role key", "https://supabase.com/docs/guides/api/api-keys", high, supabaseToken),
		prefixed("django-secret-key", "Django", "generated SECRET_KEY", "https://docs.djangoproject.com/en/stable/ref/checks/#security", low, "django-insecure-", `[0-9A-Za-z!@#$%^&*(\-_=+)]{40,60}`, edge("-")),
		assigned("laravel-app-key", "Laravel", "APP_KEY", "https://laravel.com/docs/encryption", high, []string{"app_key"}, `base64:[0-9A-Za-z+/]{43}=`, likely),
		assigned("rails-secret-key-base", "Ruby on Rails", "secret_key_base", "https://guides.rubyonrails.org/security.html#session-storage", high, []string{"secret_key_base"}, hexLow+`{128}`, likely, reaching(700)),
		{
			kind: "http-basic-credentials", provider: "RFC 7617", title: "Basic authentication header", url: "https://www.rfc-editor.org/rfc/rfc7617", severity: med, structured: true, secretive: true, head: "Basic ",
			anchors: []string{"Basic "}, named: true, edge: "+/=", pattern: `Basic (?P<v>[0-9A-Za-z+/]{10,200}={0,2})`, check: basicCredentials,
		},
		{
			kind: "bearer-token", provider: "RFC 6750", title: "Bearer authentication header", url: "https://www.rfc-editor.org/rfc/rfc6750", severity: low, confidence: Possible, loose: true, head: "Bearer ",
			anchors: []string{"Bearer "}, named: true, edge: "-=", pattern: `Bearer (?P<v>[0-9A-Za-z_\-.~+/]{24,300}={0,2})`, check: bearer,
		},
	}
}

// genericFormats know a name and nothing else. They count in configuration files
// only, unless Options.Generic asks for all.
func genericFormats() []format {
	return []format{
		{
			kind: "generic-secret", provider: "any", title: "value of high entropy assigned to a name like password", url: "https://cwe.mitre.org/data/definitions/798.html",
			severity: lamina.Low, confidence: Possible, generic: true, secretive: true, fold: true,
			anchors: []string{"password", "passwd", "secret", "token", "api_key", "apikey", "api-key", "private_key", "credential", "passphrase", "access_key"},
			find:    assignment, check: highEntropy,
		},
	}
}
