package codeflow_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// random gives n characters of an alphabet.
func random(r *rand.Rand, alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

const (
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// What looks like a secret is in no cleaned text, whatever stands around it.
func TestClean_canaries(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]func() string{
		"access_key_id":     func() string { return "AK" + "IA" + random(r, upper+"234567", 16) },
		"secret_key":        func() string { return random(r, upper+lower+digits+"/+", 40) },
		"hex":               func() string { return random(r, "0123456789abcdef", 32) },
		"github":            func() string { return "gh" + "p_" + random(r, upper+lower+digits, 36) },
		"uuid":              func() string { return random(r, "0123456789abcdef", 32) },
		"jwt":               func() string { return "ey" + random(r, upper+lower+digits+"-_", 60) },
		"base64":            func() string { return random(r, upper+lower+digits+"+/", 64) + "==" },
		"slack_webhook_end": func() string { return random(r, upper+lower+digits, 24) },
	}
	around := []string{"%", "x=%", "Bearer %", "https://user:%@a.invalid/", "https://a.invalid/p?token=%", "https://hooks.a.invalid/services/%", "curl -H 'X: %' a.invalid", "{\"key\":\"%\"}", "--token=%", "a %\nb"}
	for name, secret := range kinds {
		for range 300 {
			s := secret()
			for _, a := range around {
				got := codeflow.Clean(strings.Replace(a, "%", s, 1))
				if strings.Contains(got, s) {
					t.Fatalf("%s: %q shows a secret in %q", name, got, a)
				}
			}
		}
	}
	for _, pass := range []string{"hunter2", "correct horse"} {
		for _, a := range []string{"password=%", "--password %", "PASSWORD: %", "passwd='%'", "mysql://root:%@db.invalid/x", "?pwd=%"} {
			if strings.Contains(a, "://") {
				pass, _, _ = strings.Cut(pass, " ") // a URL ends at a blank
			}
			in := strings.Replace(a, "%", pass, 1)
			if got := codeflow.Clean(in); strings.Contains(got, strings.Fields(pass)[0]) {
				t.Errorf("%q became %q", in, got)
			}
		}
	}
}

// What says something about code stays as it is.
func TestClean_keeps(t *testing.T) {
	for _, s := range []string{
		"os.environ", "https://api.example.com/v1/users", "/proc/self/environ", "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
		"/2018-06-01/runtime/invocation/next", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "botocore.client.BaseClient._make_api_call",
		"boto3.client(s3).put_object", "curl -s -X POST https://drop.invalid", "/opt/python/lib/python3.12/site-packages", "--require /opt/otel/handler.js",
		"arn:aws:lambda:us-east-1:111122223333:layer:name:1", "@aws-sdk/client-s3.PutObjectCommand", "child_process.execFileSync", "urllib3.connectionpool.HTTPSConnectionPool.urlopen",
		"stratum+tcp://pool.invalid:3333", "module.prototype.require", "X-Amz-Security-Token", "import-in-the-middle",
	} {
		if got := codeflow.Clean(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("https://a:b@c/?d=e password: f")
	f.Fuzz(func(t *testing.T, s string) {
		got := codeflow.Clean(s)
		if !utf8.ValidString(got) || len(got) > 256 {
			t.Errorf("%q", got)
		}
		codeflow.Host(s)
	})
}
