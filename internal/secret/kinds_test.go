package secret

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	mathrand "math/rand/v2"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
)

// A maker makes text from the syntax of a pattern, so that no value of a format
// is in the tree.
type maker struct {
	r *mathrand.Rand
	// least takes every repetition as often as it must be and no more.
	least bool
	// same takes the same character of a class always.
	same bool
	// calm takes letters and digits where a class has them.
	calm bool
}

func (m maker) pattern(p string) string {
	re, err := syntax.Parse(p, syntax.Perl)
	if err != nil {
		panic(err)
	}
	var b strings.Builder
	m.make(&b, re)
	return b.String()
}

func (m maker) make(b *strings.Builder, re *syntax.Regexp) {
	times := func(least, most int) {
		if most < 0 {
			most = least + 40
		}
		n := least
		if !m.least && most > least {
			n += m.r.IntN(most - least + 1)
		}
		for range n {
			m.make(b, re.Sub[0])
		}
	}
	switch re.Op { //nolint:exhaustive // the others match no text of their own
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			b.WriteRune(c)
		}
	case syntax.OpCharClass:
		if m.same {
			b.WriteRune(re.Rune[len(re.Rune)-1])
			return
		}
		if m.calm {
			var calm []rune
			for _, c := range base62 {
				for i := 0; i < len(re.Rune); i += 2 {
					if re.Rune[i] <= c && c <= re.Rune[i+1] {
						calm = append(calm, c)
					}
				}
			}
			if len(calm) > 0 {
				b.WriteRune(calm[m.r.IntN(len(calm))])
				return
			}
		}
		for {
			n := 0
			for i := 0; i < len(re.Rune); i += 2 {
				n += int(min(re.Rune[i+1], 126)) - int(re.Rune[i]) + 1
			}
			k := m.r.IntN(max(n, 1))
			for i := 0; i < len(re.Rune); i += 2 {
				w := int(min(re.Rune[i+1], 126)) - int(re.Rune[i]) + 1
				if k < w {
					b.WriteRune(re.Rune[i] + rune(k))
					return
				}
				k -= w
			}
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(' ')
	case syntax.OpCapture, syntax.OpConcat:
		for _, s := range re.Sub {
			m.make(b, s)
		}
	case syntax.OpAlternate:
		if m.least {
			var shortest string
			for i, s := range re.Sub {
				var x strings.Builder
				if m.make(&x, s); i == 0 || x.Len() < len(shortest) {
					shortest = x.String()
				}
			}
			b.WriteString(shortest)
			return
		}
		m.make(b, re.Sub[m.r.IntN(len(re.Sub))])
	case syntax.OpQuest:
		times(0, 1)
	case syntax.OpStar:
		times(0, 8)
	case syntax.OpPlus:
		times(1, 8)
	case syntax.OpRepeat:
		times(re.Min, re.Max)
	}
}

func (m maker) of(set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[m.r.IntN(len(set))]
	}
	return string(b)
}

// positives make a text that holds one value, for the kinds whose check asks for
// more than the pattern.
var positives = map[string]func(maker) string{
	"aws-secret-access-key": func(m maker) string { return "aws_secret_access_key = " + m.of(base64Std, 40) + "\n" },
	"aws-session-token":     func(m maker) string { return "aws_session_token=" + m.of(base64Std, 300) + "=\n" },
	"aws-presigned-url": func(m maker) string {
		return "?X-Amz-Credential=x&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Signature=" + m.of(lowerHex, 64)
	},
	"aws-bedrock-api-key": func(m maker) string {
		return "ABSK" + base64.StdEncoding.EncodeToString([]byte("BedrockAPIKey-abcd-at-111122223333:"+m.of(base64Std, 60)))
	},
	"google-service-account-key": func(m maker) string {
		return `{"type": "service_account", "private_key_id": "` + m.of(lowerHex, 40) + `", "private_key": "` + "-----BEGIN" + ` PRIVATE KEY-----\n"}`
	},
	"azure-sas-signature": func(m maker) string {
		return "https://x/?sv=1&sr=b&se=2030&sp=r&sig=" + m.of(base62, 43) + "%3D"
	},
	"github-personal-access-token": crcMade("ghp_"), "github-oauth-token": crcMade("gho_"),
	"github-user-to-server-token": crcMade("ghu_"), "github-app-token": crcMade("ghs_"), "npm-access-token": crcMade("npm_"),
	"discord-bot-token": func(m maker) string {
		return "discord token: '" + base64.RawURLEncoding.EncodeToString([]byte("1"+m.of(digits, 17))) + "." + m.of(base62, 6) + "." + m.of(base62, 27) + "'"
	},
	"intercom-access-token": func(m maker) string {
		return base64.StdEncoding.EncodeToString([]byte("tok:" + m.of(lowerHex, 8) + "_" + m.of(lowerHex, 32)))
	},
	"x-bearer-token": func(m maker) string { return strings.Repeat("A", 22) + m.of(base62, 50) + "%2B" + m.of(base62, 40) },
	"elasticsearch-api-key": func(m maker) string {
		return "ApiKey " + base64.StdEncoding.EncodeToString([]byte(m.of(base62, 20)+":"+m.of(base62, 22)))
	},
	"postgres-url-password": urlMade("postgresql://"), "mysql-url-password": urlMade("mysql://"), "mongodb-url-password": urlMade("mongodb+srv://"),
	"redis-url-password": urlMade("rediss://"), "amqp-url-password": urlMade("amqps://"), "mssql-url-password": urlMade("mssql://"),
	"oracle-url-password": urlMade("oracle://"), "clickhouse-url-password": urlMade("clickhouse://"), "snowflake-url-password": urlMade("snowflake://"),
	"neo4j-url-password": urlMade("neo4j+s://"), "nats-url-password": urlMade("nats://"), "ldap-url-password": urlMade("ldaps://"),
	"smtp-url-password": urlMade("smtp://"), "ftp-url-password": urlMade("sftp://"), "cloudinary-url": urlMade("cloudinary://"), "url-password": urlMade("https://"),
	"jdbc-url-password": func(m maker) string {
		return "jdbc:postgresql://db.acme.internal/x?user=u&password=" + m.of(base62, 20) + "&ssl=true"
	},
	"oracle-thin-password": func(m maker) string { return "jdbc:oracle:thin:scott/" + m.of(base62, 20) + "@//db:1521/x" },
	"database-connection-string": func(m maker) string {
		return "Server=tcp:db.acme.internal,1433;User ID=u;Password=" + m.of(base62, 20) + ";Encrypt=true"
	},
	"rsa-private-key": func(maker) string {
		k := must(rsa.GenerateKey(rand.Reader, 1024))
		return block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k))
	},
	"ec-private-key": func(maker) string {
		k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		return block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(k)))
	},
	"private-key": func(maker) string {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(k)))
	},
	"dsa-private-key":       blockMade("DSA PRIVATE KEY"),
	"encrypted-private-key": blockMade("ENCRYPTED PRIVATE KEY"),
	"pgp-private-key":       blockMade("PGP PRIVATE KEY BLOCK"),
	"sigstore-private-key":  blockMade("ENCRYPTED SIGSTORE PRIVATE KEY"),
	"openssh-private-key": func(m maker) string {
		raw := append([]byte("openssh-key-v1\x00\x00\x00\x00\x04none"), m.of(base64Std, 200)...)
		return block("OPENSSH PRIVATE KEY", raw)
	},
	"openvpn-static-key": func(m maker) string {
		return "-----BEGIN " + "OpenVPN Static key V1-----\n" + m.of(lowerHex, 512) + "\n-----END OpenVPN Static key V1-----\n"
	},
	"putty-private-key": func(m maker) string {
		return "PuTTY-User-Key-File-" + "3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 1\n" + m.of(base64Std, 60) + "\nPrivate-Lines: 1\n" + m.of(base64Std, 48) + "\n"
	},
	"age-secret-key":      bech32Made("AGE-SECRET-KEY-", 52),
	"age-pq-secret-key":   bech32Made("AGE-SECRET-KEY-PQ-", 52),
	"age-plugin-identity": bech32Made("AGE-PLUGIN-SE-", 60),
	"nostr-secret-key":    func(m maker) string { return strings.ToLower(bech32Made("nsec", 52)(m)) },
	"jwk-private-key": func(m maker) string {
		return `{"kty":"EC","crv":"P-256","x":"a","y":"b","d":"` + m.of(base62, 43) + `"}`
	},
	"xml-rsa-private-key": func(m maker) string {
		return "<RSAKeyValue><Modulus>" + m.of(base64Std, 172) + "</Modulus><Exponent>AQAB</Exponent><D>" + m.of(base64Std, 172) + "</D></RSAKeyValue>"
	},
	"jwt":                              jwtMade(map[string]any{"sub": "1", "iss": "acme"}),
	"kubernetes-service-account-token": jwtMade(map[string]any{"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:a:b"}),
	"supabase-service-role-key":        jwtMade(map[string]any{"iss": "supabase", "role": "service_role"}),
	"http-basic-credentials": func(m maker) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("deploy:"+m.of(base62, 18)))
	},
	"generic-secret": func(m maker) string { return "db_password = \"" + m.of(base62, 24) + "\"\n" },
	"octopus-deploy-api-key": func(m maker) string {
		return "API-" + m.of(upperCase, 18) + m.of(digits, 4) + m.of(upperCase, 5)
	},
	"slack-webhook-url": func(m maker) string {
		return "https://hooks.slack.com/services/T" + m.of(upperCase, 9) + "/B" + m.of(upperCase, 9) + "/" + m.of(base62, 24)
	},
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func block(name string, raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: name, Bytes: raw}))
}

func blockMade(name string) func(maker) string {
	return func(m maker) string { return block(name, []byte(m.of(base64Std, 300))) }
}

func crcMade(prefix string) func(maker) string {
	return func(m maker) string {
		body := m.of(base62, 30)
		sum, tail := crc32.ChecksumIEEE([]byte(body)), make([]byte, 6)
		for i := range tail {
			tail[5-i] = base62[sum%62]
			sum /= 62
		}
		return prefix + body + string(tail)
	}
}

func urlMade(scheme string) func(maker) string {
	return func(m maker) string { return scheme + "app:" + m.of(base62, 20) + "@db.acme.internal:5432/x" }
}

func jwtMade(claims map[string]any) func(maker) string {
	return func(m maker) string {
		part := func(v any) string { return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v))) }
		return part(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + part(claims) + "." + m.of(base62, 43)
	}
}

// bech32Made makes a value with a checksum by trying: 30 bits are too many, so it
// solves for them. The code is linear: flipping a bit of the last six characters
// changes the remainder by a known amount.
func bech32Made(prefix string, n int) func(maker) string {
	return func(m maker) string {
		low := strings.ToLower(prefix)
		check := uint32(1)
		add := func(x byte) {
			top := check >> 25
			check = check&0x1ffffff<<5 ^ uint32(x)
			for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
				if top>>i&1 == 1 {
					check ^= g
				}
			}
		}
		for i := range len(low) {
			add(low[i] >> 5)
		}
		add(0)
		for i := range len(low) {
			add(low[i] & 31)
		}
		var b strings.Builder
		for range n {
			k := m.r.IntN(32)
			add(byte(k))
			b.WriteByte(bech32Alphabet[k])
		}
		for range 6 {
			add(0)
		}
		check ^= 1
		for i := range 6 {
			b.WriteByte(bech32Alphabet[check>>(5*(5-i))&31])
		}
		return prefix + "1" + strings.ToUpper(b.String())
	}
}

// sample makes a text that holds a value of f, and says where it may be hidden.
func sample(f format, m maker) string {
	if p, ok := positives[f.kind]; ok && (!m.least || f.pattern == "") {
		return p(m)
	}
	v := m.pattern(f.pattern)
	if f.glued {
		assign := []string{"=", ": ", " = \"", `": "`, "', '", ` => '`, `\": \"`, ":='"}
		return f.anchors[m.r.IntN(len(f.anchors))] + assign[m.r.IntN(len(assign))] + v
	}
	return v
}

func hintOf(f format) Hint {
	if f.generic {
		return Hint{Path: "python/acme/settings.ini"}
	}
	return Hint{Path: "python/acme/x.py"}
}

func has(r Report, kind string) bool {
	return slices.ContainsFunc(r.Hits, func(h Hit) bool { return h.Kind == kind })
}

// Every format finds what it describes: at the start, in the middle, at the end,
// twice, in UTF-16 of both byte orders; and shows nothing of it.
func TestKinds_positive(t *testing.T) {
	e := New(Options{Key: []byte("k")})
	// Made of two formats, the values of one are found as the other.
	same := map[string]string{"aws-session-token": "", "slack-legacy-token": ""}
	for _, f := range allFormats() {
		t.Run(f.kind, func(t *testing.T) {
			kind := f.kind
			if s := same[kind]; s != "" {
				kind = s
			}
			m := maker{r: mathrand.New(mathrand.NewPCG(7, uint64(len(f.kind)+len(f.pattern))))}
			ok, missed := 0, ""
			for range 20 {
				v := sample(f, m)
				for name, text := range map[string]string{
					"alone":  v,
					"middle": "x = 1\ny = '" + v + "'\nz = 2\n",
					"json":   `{"a": "` + v + `"}`,
				} {
					r := e.Inspect([]byte(text), hintOf(f))
					if has(r, kind) {
						ok++
					} else {
						missed = fmt.Sprintf("%s: %q has %v", name, text, r)
					}
					leaks(t, r, text)
				}
			}
			if ok < 50 { // a random value may have what a placeholder has
				t.Errorf("found %d of 60, not in %s", ok, missed)
			}
			if f.generic {
				return
			}
			wide := []byte{0xff, 0xfe}
			swapped := []byte{0xfe, 0xff}
			for _, c := range []byte("a = '" + sample(f, m) + "'") {
				wide = append(wide, c, 0)
				swapped = append(swapped, 0, c)
			}
			for name, text := range map[string][]byte{"little": wide, "big": swapped} {
				if r := e.Inspect(text, hintOf(f)); !has(r, kind) && len(r.Suppressed) == 0 && f.check == nil {
					t.Errorf("%s endian UTF-16: not found", name)
				}
			}
		})
	}
}

// leaks fails if twelve characters in a row of a value that is hit are in what
// the report says. The text is all value but for its frame.
func leaks(t *testing.T, r Report, text string) {
	t.Helper()
	out := fmt.Sprintf("%v %+v %#v %s", r, r, r, must(json.Marshal(r)))
	for _, h := range r.Hits {
		_, end := int(h.Offset), min(len(text), int(h.Offset)+400)
		for i := int(h.Offset) + 40; i+12 <= end; i++ {
			if w := text[i : i+12]; strings.Contains(out, w) && alnum(w[0]) && alnum(w[11]) && !strings.Contains(w, " ") {
				t.Errorf("%s: %q shows", h.Kind, w)
				return
			}
		}
	}
}

// What providers document of their formats, in values put together here: each of
// these is found as the kind, and with the last part changed it is not.
func TestKinds_as_documented(t *testing.T) {
	m := maker{r: mathrand.New(mathrand.NewPCG(11, 12)), calm: true}
	an := func(n int) string { return m.pattern(fmt.Sprintf("[0-9A-Za-z]{%d}", n)) }
	lower := func(n int) string { return m.pattern(fmt.Sprintf("[0-9a-z]{%d}", n)) }
	hex := func(n int) string { return m.pattern(fmt.Sprintf("[0-9a-f]{%d}", n)) }
	e := New(Options{})
	for name, c := range map[string]struct{ kind, value, not string }{
		"a prefix and 35 characters":         {"google-api-key", "AI" + "za" + an(35), "AI" + "za" + an(30)},
		"69 characters":                      {"sendgrid-api-key", "S" + "G." + an(22) + "." + an(43), "S" + "G." + an(22) + "-" + an(43)},
		"60 digits and 8 of checksum":        {"packagist-api-token", "packa" + "gist_out_" + hex(68), "packa" + "gist_out_" + hex(60)},
		"any third letter":                   {"honeycomb-ingest-key", "hc" + "xik_" + lower(58), "hc" + "xik_" + lower(40)},
		"an id and a secret":                 {"honeycomb-configuration-key", "hc" + "bmk_" + lower(26) + ":" + lower(32), "hc" + "bmk_" + lower(26)},
		"38 characters":                      {"shopify-admin-token", "shp" + "at_" + hex(32), "shp" + "at_" + hex(31)},
		"64 characters":                      {"square-access-token", "EA" + "AA" + an(60), "EA" + "AA" + an(50)},
		"an instance's own prefix":           {"gitlab-personal-access-token", "ACME-gl" + "pat-" + an(20), "ACME-gl" + "pat-" + an(12)},
		"64 hexadecimal characters":          {"openrouter-api-key", "sk-o" + "r-v1-" + hex(64), "sk-o" + "r-v1-" + hex(60)},
		"the marker in the middle":           {"openai-project-key", "sk-p" + "roj-" + an(74) + "T3Blbk" + "FJ" + an(74), "sk-p" + "roj-" + an(12)},
		"two letters at the end":             {"anthropic-api-key", "sk-a" + "nt-api03-" + an(93) + "AA", "sk-a" + "nt-api03-" + an(93) + "Bz"},
		"40 characters and a checksum":       {"cloudflare-api-token", "cf" + "ut_" + an(40) + hex(8), "cf" + "ut_" + an(30)},
		"an app's number and a JWT":          {"github-app-token", "gh" + "s_123456_ey" + "J" + an(30) + "." + an(180) + "." + an(200), "gh" + "s_123456_ey" + "J" + an(30) + "." + an(180)},
		"a fine-grained token of 93":         {"github-fine-grained-token", "github" + "_pat_" + an(22) + "_" + an(59), "github" + "_pat_" + an(22) + "_" + an(40)},
		"86 characters and two equals signs": {"azure-storage-account-key", "AccountKey=" + an(86) + "==", "AccountKey=" + an(80) + "=="},
	} {
		t.Run(name, func(t *testing.T) {
			found := func(v string) bool {
				return has(e.Inspect([]byte("key = '"+v+"'\n"), Hint{Path: "etc/app.conf"}), c.kind)
			}
			if !found(c.value) {
				t.Errorf("%s is not found", c.kind)
			}
			if found(c.not) {
				t.Errorf("%s is found in what is none", c.kind)
			}
		})
	}
}

// A value one character short is none.
func TestKinds_near_miss(t *testing.T) {
	e := New(Options{})
	for _, f := range allFormats() {
		if f.pattern == "" {
			continue // TestFind_near_miss
		}
		t.Run(f.kind, func(t *testing.T) {
			m := maker{r: mathrand.New(mathrand.NewPCG(3, 4)), least: true}
			for range 10 {
				v := sample(f, m)
				if r := e.Inspect([]byte("a '"+v[:len(v)-1]+"' b"), hintOf(f)); has(r, f.kind) {
					t.Errorf("found a value that is cut: %q of %q", v[:len(v)-1], v)
					return
				}
			}
		})
	}
}

// What a person writes to be replaced is no secret, and is counted.
func TestKinds_example(t *testing.T) {
	e := New(Options{})
	for _, f := range allFormats() {
		if f.pattern == "" || f.structured {
			continue
		}
		t.Run(f.kind, func(t *testing.T) {
			m := maker{r: mathrand.New(mathrand.NewPCG(3, 4)), least: true, same: true}
			v := sample(f, m)
			if r := e.Inspect([]byte("a '"+v+"' b"), hintOf(f)); has(r, f.kind) {
				t.Errorf("found %q", v)
			}
		})
	}
}

// The hand-made matchers refuse what looks alike.
func TestFind_near_miss(t *testing.T) {
	e := New(Options{Generic: true})
	r := mathrand.New(mathrand.NewPCG(5, 6))
	m := maker{r: r}
	long := m.of(base62, 24)
	for name, text := range map[string]string{
		"no_password":         "postgres://user@db.acme.internal/x",
		"port_is_no_password": "see https://db.acme.internal:5432/x@y",
		"example_host":        "https://user:" + long + "@example.com/",
		"placeholder":         "mysql://user:password@db.acme.internal/x",
		"template":            "redis://user:${REDIS_PASSWORD}@db.acme.internal",
		"format_verb":         "amqp://%s:%s@%s/",
		"mail_address":        "mailto://a:b@c",
		"pem_in_code":         `if strings.Contains(s, "-----BEGIN ` + `PRIVATE KEY-----") { return "-----END PRIVATE KEY-----" }`,
		"pem_elided":          "-----BEGIN " + "RSA PRIVATE KEY-----\n" + strings.Repeat("MII...\n", 20) + "-----END RSA PRIVATE KEY-----",
		"pem_public":          block("PUBLIC KEY", []byte(long+long+long)),
		"jwt_two_parts":       "eyJhbGciOiJIUzI1NiJ9." + long,
		"jwt_not_json":        "eyJhbGciOi" + long + "." + long + "." + long,
		"jwk_public":          `{"kty":"EC","crv":"P-256","x":"` + long + long + `"}`,
		"connection_no_host":  "pwd=" + long + "; x",
		"assigned_a_word":     "password = correcthorsebattery",
		"assigned_a_path":     "secret = /var/run/secrets/a1b2c3d4e5",
		"assigned_a_call":     "token = getToken1234(5678)",
		"presigned_alone":     "X-Amz-Signature=" + m.of(lowerHex, 64),
		"basic_word":          "Basic authentication is described in RFC 7617",
		"service_account_id":  `"private_key_id": "` + m.of(lowerHex, 40) + `"`,
	} {
		if got := e.Scan([]byte(text), Hint{Path: "a/b.yaml"}); len(got) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Values wrapped in base64 once are found, at each of the three alignments, also
// in lines of 76.
func TestScan_base64(t *testing.T) {
	e := New(Options{Key: []byte("k")})
	m := maker{r: mathrand.New(mathrand.NewPCG(9, 9))}
	for _, kind := range []string{"github-personal-access-token", "rsa-private-key", "slack-bot-token", "stripe-secret-key"} {
		i := slices.IndexFunc(allFormats(), func(f format) bool { return f.kind == kind })
		f := allFormats()[i]
		v := sample(f, m)
		direct := e.Scan([]byte(v), Hint{})
		for shift := range 4 {
			text := strings.Repeat("~", shift) + v + "\nmore"
			for name, enc := range map[string]string{
				"std": base64.StdEncoding.EncodeToString([]byte(text)),
				"url": base64.RawURLEncoding.EncodeToString([]byte(text)),
			} {
				got := e.Scan([]byte("data: "+enc+"\n"), Hint{})
				if len(got) != 1 || got[0].Kind != kind || got[0].Fingerprint != direct[0].Fingerprint {
					t.Errorf("%s shift %d %s: got %+v", kind, shift, name, got)
				}
			}
			enc := base64.StdEncoding.EncodeToString([]byte(text))
			var lines strings.Builder
			for c := range slices.Chunk([]byte(enc), 76) {
				lines.Write(c)
				lines.WriteByte('\n')
			}
			if got := e.Scan([]byte(lines.String()), Hint{}); len(got) != 1 {
				t.Errorf("%s shift %d in lines: got %+v", kind, shift, got)
			}
		}
	}
}

// oracle inspects data by looking for each anchor at each place, with windows
// without an end.
func oracle(e *Engine, data []byte, hint Hint) Report {
	if _, ok := narrow(data); ok {
		return e.Inspect(data, hint)
	}
	s := e.newSearch(hint, isBinary(data), int64(len(data)))
	type at struct {
		end, start int
		id         uint16
	}
	var all []at
	for _, o := range naive(e.auto.literals, data) {
		all = append(all, at{o.Start + len(e.auto.literals[o.ID].text), o.Start, o.ID})
	}
	slices.SortStableFunc(all, func(a, b at) int { return a.end - b.end })
	for _, o := range all {
		for _, u := range e.uses[o.id] {
			f := e.formats[u.format]
			switch {
			case f.generic && s.binary:
			case u.form == plain:
				s.plain(f, data, 0, o.start)
			case u.form == wide:
				s.wide(f, data, 0, o.start)
			default:
				s.wrapped(data, 0, o.start, int(u.form-wrapped0))
			}
		}
	}
	s.named(data)
	return s.report()
}

// document makes a text of values, anchors, noise and near misses.
func document(r *mathrand.Rand) []byte {
	var b bytes.Buffer
	m := maker{r: r}
	fs := allFormats()
	slow := func(f format) bool { return strings.HasSuffix(f.kind, "private-key") }
	for range r.IntN(12) {
		f := fs[r.IntN(len(fs))]
		switch k := r.IntN(8); {
		case k < 3 && !slow(f):
			b.WriteString(sample(f, m))
		case k == 3 && !slow(f):
			v := sample(f, m)
			b.WriteString(v[:r.IntN(len(v)+1)])
		case k == 4:
			b.WriteString(f.anchors[r.IntN(len(f.anchors))])
		case k == 5 && !slow(f):
			b.WriteString(base64.StdEncoding.EncodeToString([]byte(sample(f, m))))
		case k == 6 && !slow(f):
			for _, c := range []byte(sample(f, m)) {
				b.WriteByte(c)
				b.WriteByte(0)
			}
		default:
			for range r.IntN(30) {
				b.WriteByte("abcdefghijk ABCDEF0123456789-_=:/.\"'"[r.IntN(36)])
			}
		}
		b.WriteByte("\n \"';,x="[r.IntN(8)])
	}
	return b.Bytes()
}

func same(a, b Report) bool {
	return bytes.Equal(must(json.Marshal(a)), must(json.Marshal(b)))
}

func TestInspect_oracle(t *testing.T) {
	e := New(Options{Key: []byte("k"), Generic: true})
	boundless := New(Options{Key: []byte("k"), Generic: true})
	for _, f := range boundless.formats {
		f.window = 1 << 20
	}
	for seed := range uint64(60) {
		data := document(mathrand.New(mathrand.NewPCG(seed, 1)))
		if got, want := e.Inspect(data, Hint{Path: "a.yml"}), oracle(boundless, data, Hint{Path: "a.yml"}); !same(got, want) {
			t.Fatalf("seed %d: got %s\nwant %s", seed, must(json.Marshal(got)), must(json.Marshal(want)))
		}
	}
}

func FuzzInspect_oracle(f *testing.F) {
	e := New(Options{Key: []byte("k"), Generic: true})
	for seed := range uint64(8) {
		f.Add(document(mathrand.New(mathrand.NewPCG(seed, 2))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		if got, want := e.Inspect(data, Hint{Path: "a.yml"}), oracle(e, data, Hint{Path: "a.yml"}); !same(got, want) {
			t.Fatalf("got %s\nwant %s", must(json.Marshal(got)), must(json.Marshal(want)))
		}
	})
}

// Reading in windows finds the same as reading whole, wherever the windows end.
func TestScanReaderAt_windows(t *testing.T) {
	e := New(Options{Key: []byte("k")})
	for seed := range uint64(30) {
		r := mathrand.New(mathrand.NewPCG(seed, 3))
		data := slices.Concat(document(r), document(r), document(r))
		want := e.Inspect(data, Hint{Path: "a.py"})
		for _, body := range []int{17, 100, 1000} {
			got, err := e.scanReaderAt(bytes.NewReader(data), int64(len(data)), Hint{Path: "a.py"}, body, 8192, 32768)
			if err != nil || !same(got, want) {
				t.Fatalf("seed %d, windows of %d: %v got %s\nwant %s", seed, body, err, must(json.Marshal(got)), must(json.Marshal(want)))
			}
		}
	}
}

func TestKinds_are_described(t *testing.T) {
	ks := Kinds()
	if len(ks) < 150 {
		t.Errorf("%d kinds", len(ks))
	}
	for _, k := range ks {
		if k.ID != strings.ToLower(k.ID) || strings.ContainsAny(k.ID, "_ ") || k.Provider == "" || k.Title == "" || !strings.HasPrefix(k.URL, "https://") || k.Severity.Rank() < 0 {
			t.Errorf("%+v", k)
		}
	}
	for _, f := range allFormats() {
		for _, a := range f.anchors {
			if len(a) < 3 || f.fold && a != strings.ToLower(a) {
				t.Errorf("%s: anchor %q", f.kind, a)
			}
		}
		if f.pattern == "" && f.find == nil {
			t.Errorf("%s: neither pattern nor find", f.kind)
		}
		if f.pattern != "" {
			(&compiled{format: f}).regexp()
		}
	}
	t.Logf("%d kinds, %d rows with anchors, %d named files", len(ks), len(allFormats()), len(namedFiles()))
}

// A constant of Python bytecode is found exactly, though its length and what
// follows it may be letters.
func TestScan_bytecode(t *testing.T) {
	e := New(Options{Key: []byte("k")})
	r := mathrand.New(mathrand.NewPCG(11, 11))
	header := []byte{0xcb, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0xe3, 0, 0, 0, 0}
	tried := 0
	for _, f := range allFormats() {
		if f.pattern == "" || f.named || f.check != nil || f.kind == "aws-session-token" {
			continue
		}
		v := sample(f, maker{r: r, calm: true})
		plainly := e.Scan([]byte(v), Hint{})
		if len(plainly) != 1 || plainly[0].Kind != f.kind || plainly[0].Offset > 0 && f.leadMax == 0 {
			continue
		}
		text := append(slices.Clone(header), 0xda, 3)
		text = append(text, "KEY"...)
		if len(v) < 256 {
			text = append(text, 'z', byte(len(v)))
		} else {
			text = append(text, 'a', byte(len(v)), byte(len(v)>>8), 0, 0)
		}
		text = append(text, v...)
		text = append(text, 'r', 5, 0, 0, 0)
		tried++
		got := e.Scan(text, Hint{Path: "a.pyc"})
		if len(got) != 1 || got[0].Kind != f.kind || got[0].Fingerprint != plainly[0].Fingerprint || got[0].Line != 0 {
			t.Errorf("%s, %d bytes: got %+v", f.kind, len(v), got)
		}
	}
	if tried < 100 {
		t.Errorf("only %d kinds were tried", tried)
	}
}
