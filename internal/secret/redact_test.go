package secret

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
)

// A value that stands in a name, a version or a message is redacted there,
// whatever is around it; text without one is left as it is.
func TestEngine_Redact(t *testing.T) {
	e := New(Options{})
	m := maker{r: rand.New(rand.NewPCG(7, 7))}
	id := "AKIA" + m.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)
	token := "gh" + "p_" + m.of(base62, 36)
	for _, tt := range []struct{ name, text, value string }{
		{"in a path", "python/" + id + "/a.py", id},
		{"in a name", "lib_" + id + "_x.txt", id},
		{"in a version", "1.0+" + token, token},
		{"glued", "x" + id + "y", id},
		{"glued, of any length", "xgl" + "pat-" + id[4:] + "aB3d", id[4:] + "aB3d"},
		{"beside another", id + "/" + token, token},
		{"of a URL", "https://u:" + m.of(base62, 20) + "@db.acme.internal/x", ""},
		{"wrapped", "python/" + base64.StdEncoding.EncodeToString([]byte("x="+id)) + ".py", ""},
		{"assigned", "DB_PASSWORD=" + m.of(base62, 24), ""},
		{"cut", strings.Repeat("x ", 120) + token[:30], token[:30]},
	} {
		value := tt.value
		if value == "" {
			value = tt.text[len(tt.text)-18 : len(tt.text)-8]
			if i := strings.Index(tt.text, "u:"); i > 0 {
				value = tt.text[i+2 : i+22]
			}
		}
		got := e.Redact(tt.text)
		for j := 0; j+6 <= len(value); j++ {
			if strings.Contains(got, value[j:j+6]) {
				t.Errorf("%s: %q of the value shows in %q", tt.name, value[j:j+6], got)
				break
			}
		}
		if again := e.Redact(got); again != got {
			t.Errorf("%s: %q becomes %q when it is redacted again", tt.name, got, again)
		}
	}
	for _, text := range []string{
		"", "a", "python/lib/python3.12/site-packages/acme/__init__.py", "nodejs/node_modules/@acme/sk-learn/index.js", "1.2.3", "Apache-2.0 OR MIT",
		"sha512-" + base64.StdEncoding.EncodeToString([]byte(m.of(base62, 64))), "password: required", "tests/fixtures/password_reset.html",
		"nodejs/node_modules/" + strings.Repeat("sk-learn-abcdefgh/", 20) + "index file.js",
	} {
		if got := e.Redact(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func FuzzRedact(f *testing.F) {
	e := New(Options{})
	f.Add("python/AKIA" + strings.Repeat("Q", 16) + ".py")
	f.Add("password=x&token=y")
	f.Fuzz(func(t *testing.T, text string) {
		if got := e.Redact(text); got != text && !strings.Contains(got, "•") {
			t.Errorf("%q becomes %q, which does not show that something is missing", text, got)
		}
	})
}
