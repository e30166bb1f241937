package secret

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"path"
	"strings"
)

// exampleSums are the first eight bytes of the SHA-256 of values that providers
// print in their documentation or ship in an emulator. Hashes, since the values
// have the form of credentials.
var exampleSums = map[string]string{
	"1a5d44a2dca19669": "AWS documentation: access key id",
	"c6ea27c534f993d3": "AWS documentation: second access key id",
	"cb20d34a7adda2f5": "AWS documentation: temporary access key id",
	"78314b11be2e5815": "AWS documentation: secret access key",
	"e21b597ba6b9cafa": "AWS documentation: second secret access key",
	"2cafc0970149a84f": "Stripe documentation: test key",
	"f2d6ca16515033e5": "Stripe documentation: older test key",
	"7e8de44ea9ecf6d5": "Stripe documentation: test key",
	"7f75367e78812551": "jwt.io: the token of its first page",
	"da816f9f2c16e6c5": "jwt.io: an older one",
	"0011cc25eb432071": "Azure: account key of the storage emulator",
	"aa6547439583c3a2": "Azure: key of the Cosmos DB emulator",
	"789eb04ae4c00984": "age: README or tests",
	"15cef4b629cc2d07": "RFC 6455: the sample nonce",
}

// exempt says why a value that has the form of f is no secret, "" if it may be one.
func exempt(f *compiled, v []byte) string {
	sum := sha256.Sum256(v)
	if exampleSums[hex.EncodeToString(sum[:8])] != "" {
		return documented
	}
	if bytes.Contains(v, []byte("EXAMPLE")) {
		return documented
	}
	if f.structured {
		return ""
	}
	body := v[min(f.show, len(v)):]
	low := bytes.ToLower(body)
	if bytes.Contains(low, []byte("example")) {
		return documented
	}
	if f.secretive {
		if r := chosen(low); r != "" {
			return r
		}
	}
	for _, w := range placeholders {
		if !f.marked && bytes.Contains(low, []byte(w)) {
			return placeholder
		}
	}
	switch {
	case run(body, 0) >= max(5, min(len(body)/3, 8)), periodic(body):
		return repeated
	case max(run(low, 1), run(low, -1)) >= max(6, min(len(body)/3, 10)):
		return sequence
	case len(body) >= 16 && entropyOf(body) < 2.3 && !f.secretive:
		return entropy
	}
	return ""
}

// placeholders stand in values that a person wrote to be replaced. None is
// shorter than five letters: a random value of forty has one of four by chance
// too often.
var placeholders = []string{
	"xxxxx", "your_", "your-", "yourapi", "yoursecret", "yourtoken", "yourkey", "placeholder", "changeme", "change_me", "change-me",
	"dummy", "redacted", "insert", "replace", "fakekey", "faketoken", "fakesecret", "fake_", "fake-", "notreal", "not-real", "not_real",
	"sample", "secretkey", "accesskey", "testtest", "somesecret", "mysecret", "mytoken", "invalid", "deadbeef", "foobar", "thisis", "....", "****",
}

// chosen judges a value that a person may have chosen, in lower case.
func chosen(low []byte) string {
	s := string(low)
	switch {
	case strings.ContainsAny(s, "<>{}") || strings.Contains(s, "$(") || strings.HasPrefix(s, "$") || strings.HasPrefix(s, "%"),
		strings.HasPrefix(s, "@@"), strings.HasPrefix(s, "["), strings.HasPrefix(s, "process.env"), strings.HasPrefix(s, "os.environ"),
		strings.HasPrefix(s, "env."), strings.HasPrefix(s, "!"), strings.HasPrefix(s, "enc("):
		return template
	case commonWords[strings.Trim(s, "-_.0123456789!*")], len(s) < 4:
		return placeholder
	}
	return ""
}

var commonWords = func() map[string]bool {
	m := map[string]bool{"": true}
	for w := range strings.FieldsSeq(`password passwd passwort pass pwd pw secret token key apikey api_key api-key user username name
		test testing tests tester demo guest root admin administrator none null nil undefined true false yes no optional required string
		foo bar baz qux foobar abc abcd abcdef qwerty hunter my mypass mypassword mysecret my-secret my_secret mytoken my-secret-pw
		postgres mysql mariadb mongo mongodb redis rabbitmq default value example sample dummy fake changeit changeme change-me
		letmein welcome private public anonymous somepassword some-password userpass userpassword dbpass dbpassword db_password
		your_password yourpassword your-password your_token hidden masked redacted xxx xxxx x xx p pa ps s t u user:pass p@ssw0rd p@ssword pass:word
		supersecret super-secret super_secret topsecret top-secret verysecret s3cr3t s3cret sekret password_here token_here secret_here
		prompt file env environment variable credentials credential auth basic bearer oauth hash salt plaintext encrypted sha md bcrypt
		localhost host hostname port database db login logon`) {
		m[w] = true
	}
	return m
}()

// run is the length of the longest stretch in which each byte is the one before
// plus step; with 9 before 0 for step 1.
func run(b []byte, step int) int {
	longest, n := 0, 0
	for i := range b {
		switch {
		case i == 0, int(b[i]) != int(b[i-1])+step && (step != 1 || b[i-1] != '9' || b[i] != '0'):
			n = 1
		default:
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

// periodic reports whether b is a short part again and again.
func periodic(b []byte) bool {
	for p := 1; p <= 10 && 2*p <= len(b); p++ {
		if len(b) >= 3*p && bytes.Equal(b[p:], b[:len(b)-p]) {
			return true
		}
	}
	return false
}

// entropyOf is the Shannon entropy of the bytes of b, in bits a byte.
func entropyOf(b []byte) float64 {
	var counts [256]int
	for _, c := range b {
		counts[c]++
	}
	h := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(b))
			h -= p * math.Log2(p)
		}
	}
	return h
}

// fixture reports whether the path lies in a folder of tests or examples.
func fixture(name string) bool {
	dir := path.Dir(strings.ToLower(strings.ReplaceAll(name, "!/", "/")))
	for part := range strings.SplitSeq(dir, "/") {
		switch part {
		case "test", "tests", "testing", "testdata", "__tests__", "fixtures", "fixture", "spec", "specs", "examples", "example", "samples", "demo", "docs", "doc", "certs_test":
			return true
		}
	}
	return false
}

// configuration reports whether a file of this name usually holds settings.
func configuration(name string) bool {
	base := strings.ToLower(path.Base(name))
	if base == "dockerfile" || base == "config" || base == "credentials" || strings.HasPrefix(base, ".env") || strings.HasSuffix(base, "rc") && strings.HasPrefix(base, ".") {
		return true
	}
	switch path.Ext(base) {
	case ".env", ".ini", ".cfg", ".conf", ".cnf", ".config", ".properties", ".props", ".toml", ".yaml", ".yml", ".tfvars", ".tfstate", ".hcl", ".envrc", ".plist":
		return true
	}
	return false
}
