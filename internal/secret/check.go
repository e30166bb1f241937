package secret

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/lamina-sec/lamina"
)

// lower makes the severity at most medium.
func (v *verdict) lower() {
	if v.severity.Rank() > lamina.Medium.Rank() {
		v.severity = lamina.Medium
	}
}

// crcToken checks a token of GitHub's or npm's making: the last six of the 36
// characters after the prefix are the CRC-32 of the thirty before them, in
// base62 (https://github.blog/engineering/behind-githubs-new-authentication-token-formats/).
func crcToken(v *verdict, s subject) {
	body := s.value[4:]
	sum := crc32.ChecksumIEEE(body[:30])
	var want [6]byte
	for i := 5; i >= 0; i-- {
		want[i] = base62[sum%62]
		sum /= 62
	}
	if string(want[:]) == string(body[30:]) {
		v.confidence = Certain
		v.add("checksum: holds")
		return
	}
	// A token somebody invented, mistyped or cut; not nothing.
	v.confidence = Possible
	v.lower()
	v.add("checksum: does not hold")
}

// accessKeyID adds the account that an AWS access key id of the newer form
// names: 40 bits of its base32, after the first.
func accessKeyID(v *verdict, s subject) {
	if s.value[0] == 'A' && s.value[1] == 'S' {
		v.severity = lamina.Medium
		v.add("credential: temporary")
	}
	// Ids from before 2019 begin with I or J after the prefix and name no account.
	if c := s.value[4]; c == 'I' || c == 'J' {
		return
	}
	raw, err := base32.StdEncoding.DecodeString(string(s.value[4:20]))
	if err != nil {
		return
	}
	n := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[:6]...))
	v.add(fmt.Sprintf("account: %012d, as the id says", n&0x7fffffffff80>>7))
}

// plausibleSecret reports whether forty characters are as random as an AWS
// secret: of all three classes, and neither hex nor a path.
func plausibleSecret(b []byte) bool {
	var up, low, digit int
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			up++
		case 'a' <= c && c <= 'z':
			low++
		case '0' <= c && c <= '9':
			digit++
		}
	}
	return up >= 4 && low >= 4 && digit >= 2 && entropyOf(b) > 4.0 && bytes.Count(b, []byte("/")) < 6
}

func secretAccessKey(v *verdict, s subject) {
	if !plausibleSecret(s.value) {
		v.not = true
	}
}

// sessionToken wants what a name before the value cannot say: random base64.
func sessionToken(v *verdict, s subject) {
	if entropyOf(s.value) < 4.5 {
		v.not = true
	}
}

// presigned says when a presigned URL was made and how long it is good for.
func presigned(v *verdict, s subject) {
	begin, end := s.begin, s.end
	for begin > 0 && s.begin-begin < 4096 && s.data[begin-1] > ' ' && !within("\"'<>`", s.data[begin-1]) {
		begin--
	}
	for end < len(s.data) && end-s.end < 4096 && s.data[end] > ' ' && !within("\"'<>`", s.data[end]) {
		end++
	}
	low := strings.ToLower(string(s.data[begin:end]))
	if !strings.Contains(low, "x-amz-credential=") {
		v.not = true
		return
	}
	for _, p := range []string{"x-amz-date=", "x-amz-expires="} {
		if _, after, ok := strings.Cut(low, p); ok {
			n := 0
			for n < len(after) && n < 16 && alnum(after[n]) {
				n++
			}
			v.add(strings.TrimSuffix(p, "=") + ": " + strings.ToUpper(after[:n]))
		}
	}
}

// bedrockLong: the decoded key names itself.
func bedrockLong(v *verdict, s subject) {
	if raw := decode64(s.value[4:]); bytes.Contains(raw, []byte("APIKey-")) {
		v.confidence = Certain
	} else {
		v.not = true
	}
}

// sharedAccessSignature wants the other parameters of a signature beside it.
func sharedAccessSignature(v *verdict, s subject) {
	near := s.data[max(0, s.begin-400):min(len(s.data), s.end+400)]
	if !bytes.Contains(near, []byte("se=")) || !bytes.Contains(near, []byte("sp=")) && !bytes.Contains(near, []byte("sr=")) && !bytes.Contains(near, []byte("skn=")) {
		v.not = true
	}
}

// mixed wants letters of both cases, or letters and digits, as random values of
// twenty and more have them and words have not.
func mixed(v *verdict, s subject) {
	var up, low, digit bool
	for _, c := range s.value[min(len(s.value)/4, 12):] {
		up = up || 'A' <= c && c <= 'Z'
		low = low || 'a' <= c && c <= 'z'
		digit = digit || '0' <= c && c <= '9'
	}
	if !digit || !up && !low || entropyOf(s.value) < 3.2 {
		v.not = true
	}
}

// mixedUpper is mixed for values that begin with a word.
func mixedUpper(v *verdict, s subject) {
	digits := 0
	for _, c := range s.value[4:] {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	if digits < 3 || digits > len(s.value)-8 || entropyOf(s.value) < 3.4 {
		v.not = true
	}
}

// discordToken: the first part is the bot's id, decimal, in base64.
func discordToken(v *verdict, s subject) {
	id := decode64(bytes.SplitN(s.value, []byte("."), 2)[0])
	if len(id) < 17 || bytes.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' }) {
		v.not = true
		return
	}
	v.confidence = Certain
}

// intercom: the decoded token begins with tok:.
func intercom(v *verdict, s subject) {
	if !bytes.HasPrefix(decode64(s.value), []byte("tok:")) {
		v.not = true
	}
}

// xBearer: twenty As are also the beginning of much base64; a token has percent
// signs.
func xBearer(v *verdict, s subject) {
	if !bytes.ContainsRune(s.value, '%') {
		v.not = true
	}
}

// openAI: keys made before 2025 have a mark in the middle; newer ones only the
// prefix and random bytes.
func openAI(v *verdict, s subject) {
	if bytes.Contains(s.value, []byte("T3BlbkFJ")) {
		v.confidence = Certain
		return
	}
	mixed(v, s)
}

// elasticKey: id, colon, key.
func elasticKey(v *verdict, s subject) {
	raw := decode64(s.value)
	if i := bytes.IndexByte(raw, ':'); i < 10 || len(raw)-i < 10 {
		v.not = true
	}
}

// urlPassword judges the password and the host of a URL.
func urlPassword(v *verdict, s subject) {
	i := s.end + 1
	for i < len(s.data) && i-s.end < 256 && (alnum(s.data[i]) || within("-._[", s.data[i])) {
		i++
	}
	host := strings.ToLower(string(s.data[s.end+1 : i]))
	switch {
	case host == "", strings.HasPrefix(host, "localhost"), strings.HasPrefix(host, "127."), host == "0.0.0.0", host == "[",
		host == "host", host == "hostname", host == "server", host == "myhost", host == "myserver", host == "proxy", host == "domain", host == "address", host == "h", host == "example",
		strings.HasSuffix(host, ".test"), strings.HasSuffix(host, ".invalid"), strings.HasSuffix(host, ".localhost"),
		strings.Contains(host, "example."), strings.Contains(host, "yourhost"), strings.Contains(host, "your-"), strings.Contains(host, "hostname"), strings.HasPrefix(host, "myproxy"), strings.HasPrefix(host, "some"):
		v.suppress = local
		return
	}
	chosenStrength(v, s)
	if s.begin-s.end == 0 {
		v.not = true
	}
}

// chosenStrength lowers the severity of a password that is hardly one: much of
// what documentation shows is.
func chosenStrength(v *verdict, s subject) {
	if bytes.ContainsAny(s.value, "%{}$<>[]") && bytes.ContainsAny(s.value, "{}$<>[]") {
		v.suppress = template
		return
	}
	if !strong(s.value) {
		v.lower()
		v.confidence = Possible
		v.add("value: short, or a word")
	}
}

// strong reports whether a value looks as if nobody would remember it.
func strong(b []byte) bool {
	var classes [4]int
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			classes[0] = 1
		case 'a' <= c && c <= 'z':
			classes[1] = 1
		case '0' <= c && c <= '9':
			classes[2] = 1
		default:
			classes[3] = 1
		}
	}
	return len(b) >= 10 && entropyOf(b) >= 3 && classes[0]+classes[1]+classes[2]+classes[3] >= 2 && classes[2]+classes[3] > 0
}

// highEntropy is strict, since the name says little: letters of both cases or
// letters and digits, no path, no word with separators, no hash of a file.
func highEntropy(v *verdict, s subject) {
	b := s.value
	var up, low, digit, other int
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			up++
		case 'a' <= c && c <= 'z':
			low++
		case '0' <= c && c <= '9':
			digit++
		default:
			other++
		}
	}
	switch {
	case digit < 2, up+low < 4, entropyOf(b) < 3.5, other > len(b)/3,
		bytes.Contains(b, []byte("://")), b[0] == '/', bytes.ContainsAny(b, "(){}<>$%|\\"), bytes.Count(b, []byte(".")) > 2:
		v.not = true
	}
}

// basicCredentials: user, colon, password.
func basicCredentials(v *verdict, s subject) {
	raw := decode64(s.value)
	i := bytes.IndexByte(raw, ':')
	if i < 1 || len(raw)-i < 5 || bytes.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r > '~' }) {
		v.not = true
		return
	}
	low := bytes.ToLower(raw[i+1:])
	if r := chosen(low); r != "" {
		v.suppress = r
	} else if bytes.Contains(low, []byte("example")) || bytes.Contains(low, []byte("password")) || bytes.Contains(low, []byte("sesame")) {
		v.suppress = documented // "open sesame" is that of the RFC
	}
}

func bearer(v *verdict, s subject) {
	mixed(v, s)
	if bytes.HasPrefix(s.value, []byte("eyJ")) {
		v.not = true // a JSON Web Token is told by its own format
	}
}

// decode64 decodes base64 of either alphabet, padded or not; nil if it is none.
func decode64(b []byte) []byte {
	t := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(string(b), "="))
	raw, err := base64.RawStdEncoding.DecodeString(t)
	if err != nil {
		return nil
	}
	return raw
}

// claims are what the checks of tokens read of them.
type claims struct {
	Alg  string          `json:"alg"`
	Iss  string          `json:"iss"`
	Sub  string          `json:"sub"`
	Role string          `json:"role"`
	Exp  json.Number     `json:"exp"`
	K8s  json.RawMessage `json:"kubernetes.io"`
}

func tokenClaims(value []byte) (c claims, ok bool) {
	parts := bytes.Split(value, []byte("."))
	if json.Unmarshal(decode64(parts[0]), &c) != nil || c.Alg == "" {
		return c, false
	}
	c.Iss, c.Sub = "", ""
	return c, json.Unmarshal(decode64(parts[1]), &c) == nil
}

func (c claims) kubernetes() bool {
	return c.K8s != nil || strings.HasPrefix(c.Iss, "kubernetes/serviceaccount") || strings.HasPrefix(c.Sub, "system:serviceaccount:")
}

func plainToken(v *verdict, s subject) {
	c, ok := tokenClaims(s.value)
	switch {
	case !ok, c.kubernetes(), c.Iss == "supabase" && c.Role == "service_role":
		v.not = true
	case c.Iss == "supabase" && c.Role == "anon":
		v.suppress = public
	default:
		v.add("algorithm: " + label(c.Alg))
		if c.Exp == "" {
			v.add("expiry: none")
		}
	}
}

func serviceAccountToken(v *verdict, s subject) {
	c, ok := tokenClaims(s.value)
	if v.not = !ok || !c.kubernetes(); v.not {
		return
	}
	if c.Exp == "" {
		v.add("expiry: none")
	}
}

func supabaseToken(v *verdict, s subject) {
	c, ok := tokenClaims(s.value)
	v.not = !ok || c.Iss != "supabase" || c.Role != "service_role"
}

// label keeps a foreign word short and plain.
func label(s string) string { return printable([]byte(s[:min(len(s), 12)])) }

// privateKey reads the block and says what it holds.
func privateKey(v *verdict, s subject) {
	text := bytes.ReplaceAll(s.value, []byte(`\n`), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte(`\r`), nil)
	head := bytes.Index(text[11:], []byte("-----")) + 11
	name := string(text[11:head])
	body := text[head+5:]
	body = body[:bytes.Index(body, []byte("-----"))]
	var raw []byte
	var keep []byte
	encrypted := strings.Contains(name, "ENCRYPTED")
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		line = bytes.Trim(line, " \t\r\"'+,\\")
		switch {
		case bytes.Contains(line, []byte(":")):
			encrypted = encrypted || bytes.Contains(line, []byte("ENCRYPTED"))
		case bytes.HasPrefix(line, []byte("=")) && len(line) == 5: // the checksum of OpenPGP armour
		default:
			keep = append(keep, line...)
		}
	}
	if name == "OpenVPN Static key V1" {
		if len(keep) != 512 {
			v.not = true
		}
		return
	}
	if raw = decode64(keep); raw == nil {
		switch {
		case bytes.Contains(body, []byte("...")) || bytes.ContainsAny(body, "<>{}$") || len(keep) < 64:
			v.suppress = template
		default:
			v.confidence = Possible
			v.lower()
			v.add("body: not base64")
		}
		return
	}
	v.canonical = raw
	if encrypted {
		v.lower()
		v.add("key: under a passphrase")
		return
	}
	what, err := describe(name, raw)
	switch {
	case what == "encrypted":
		v.lower()
		v.add("key: under a passphrase")
	case err != nil && entropyOf(raw) < 5:
		v.suppress = placeholder
	case err != nil:
		v.confidence = Possible
		v.lower()
		v.add("body: does not parse as " + strings.ToLower(name))
	case what != "":
		v.add("key: " + what)
	}
}

// describe parses a key and says its algorithm and size.
func describe(name string, raw []byte) (string, error) {
	switch name {
	case "RSA PRIVATE KEY":
		k, err := x509.ParsePKCS1PrivateKey(raw)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("RSA, %d bits", k.N.BitLen()), nil
	case "EC PRIVATE KEY":
		k, err := x509.ParseECPrivateKey(raw)
		if err != nil {
			return "", err
		}
		return "EC, " + k.Curve.Params().Name, nil
	case "PRIVATE KEY":
		k, err := x509.ParsePKCS8PrivateKey(raw)
		if err != nil {
			return "", err
		}
		switch k := k.(type) {
		case *rsa.PrivateKey:
			return fmt.Sprintf("RSA, %d bits", k.N.BitLen()), nil
		case *ecdsa.PrivateKey:
			return "EC, " + k.Curve.Params().Name, nil
		case ed25519.PrivateKey:
			return "Ed25519", nil
		}
		return "", nil
	case "OPENSSH PRIVATE KEY":
		rest, ok := bytes.CutPrefix(raw, []byte("openssh-key-v1\x00"))
		if !ok || len(rest) < 8 {
			return "", errNotOpenSSH
		}
		n := binary.BigEndian.Uint32(rest)
		if uint64(n) > uint64(len(rest)-4) { //nolint:gosec // at least 8 bytes are there
			return "", errNotOpenSSH
		}
		if string(rest[4:4+n]) != "none" {
			return "encrypted", nil
		}
		return "OpenSSH", nil
	}
	return "", nil
}

// putty: the file says itself whether there is a passphrase.
func putty(v *verdict, s subject) {
	near := s.data[max(0, s.begin-4096):s.begin]
	if i := bytes.LastIndex(near, []byte("Encryption: ")); i >= 0 && !bytes.HasPrefix(near[i+12:], []byte("none")) {
		v.lower()
		v.add("key: under a passphrase")
	}
}

const bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// bech32 checks the checksum of BIP 173, on which age and Nostr build.
func bech32(v *verdict, s subject) {
	low := strings.ToLower(string(s.value))
	split := strings.LastIndexByte(low, '1')
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
	for i := range split {
		add(low[i] >> 5)
	}
	add(0)
	for i := range split {
		add(low[i] & 31)
	}
	for i := split + 1; i < len(low); i++ {
		add(byte(strings.IndexByte(bech32Alphabet, low[i]))) //nolint:gosec // the pattern is of the alphabet
	}
	if check == 1 {
		v.confidence = Certain
		v.add("checksum: holds")
		return
	}
	v.confidence = Possible
	v.lower()
	v.add("checksum: does not hold")
}
