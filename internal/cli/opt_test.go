package cli

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipOf packs names with contents; a name that ends in ".jar" holds an archive of
// the names in its content.
func zipOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		content := []byte(files[i+1])
		if strings.HasSuffix(files[i], ".jar") {
			var inside []string
			for name := range strings.FieldsSeq(files[i+1]) {
				inside = append(inside, name, "\xca\xfe\xba\xbe")
			}
			content = zipOf(t, inside...)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func optRun(t *testing.T, files map[string][]byte, args ...string) (code int, out, errs string) {
	t.Helper()
	std, o, e := stdio(t)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(std.Dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code = Main(t.Context(), append([]string{"opt"}, args...), std)
	return code, o.String(), e.String()
}

// The classes of jars are found: the function's first, then the layers' jars by
// their names, whichever layer they are of.
func TestOptWhich_class_in_jar(t *testing.T) {
	files := map[string][]byte{
		"one.zip": zipOf(t, "java/lib/zeta.jar", "com/acme/Both.class com/acme/One.class"),
		"two.zip": zipOf(t, "java/lib/alpha.jar", "com/acme/Both.class"),
		"fn.zip":  zipOf(t, "lib/own.jar", "com/acme/Own.class"),
	}
	for _, tt := range []struct{ class, want string }{
		{"com.acme.Both", "/opt/java/lib/alpha.jar!/com/acme/Both.class"},
		{"com.acme.One", "/opt/java/lib/zeta.jar!/com/acme/One.class"},
		{"com.acme.Own", "/var/task/lib/own.jar!/com/acme/Own.class"},
	} {
		code, out, errs := optRun(t, files, "which", tt.class, "one.zip", "two.zip", "--runtime", "java21", "--function", "fn.zip", "--env", "")
		if code != 0 || errs != "" || !strings.Contains(out, tt.want+"\n") || strings.Contains(out, "certain") {
			t.Errorf("%s: exit %d, %s%s", tt.class, code, out, errs)
		}
	}
}

// What an archive does not serve makes the answer incomplete.
func TestOptView_incomplete(t *testing.T) {
	code, out, errs := optRun(t, map[string][]byte{"a.zip": zipOf(t, "python/a.py", "", "../out.py", "")}, "view", "a.zip")
	if code != int(Incomplete) || !strings.Contains(errs, "incomplete") || !strings.Contains(out, "the archive is odd") {
		t.Errorf("exit %d, %s%s", code, out, errs)
	}
	code, _, errs = optRun(t, map[string][]byte{"a.zip": zipOf(t, "python/a.py", "", "../out.py", "")}, "view", "a.zip", "--allow-incomplete", "known")
	if code != 0 {
		t.Errorf("accepted: exit %d, %s", code, errs)
	}
}

// Real layers by others: what they start, and where their packages are found.
func TestOpt_real_layers(t *testing.T) {
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		t.Skip("needs LAMINA_LAYERS, a folder with the layers that the fetch target brings")
	}
	for _, tt := range []struct {
		args string
		want []string
	}{
		{
			"view otel-extension.zip --runtime nodejs22.x --env AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-extension/otel-handler",
			[]string{"extension     /opt/extensions/otel-extension    layer 1", "exec-wrapper  /opt/otel-extension/otel-handler  layer 1"},
		},
		{"view awscli-v1.zip", []string{"3239 files, 3239 seen", "Nothing of the layers is known to run at the start: give --runtime"}},
		{"which proxy-agent node-proxy-agent.zip --runtime nodejs22.x --env", []string{"path      /opt/nodejs/node_modules/proxy-agent/dist/index.js"}},
		{"which dd-trace powertools-ts.zip datadog-node.zip --runtime nodejs22.x --env", []string{"from      layer 2", "path      /opt/nodejs/node_modules/dd-trace/"}},
		{"diff kubectl-v35.zip --against kubectl-v28.zip", []string{"changed  /opt/helm/helm", "changed  /opt/kubectl/kubectl", "2 files, 0 imports, 0 changes at the start"}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			std, out, errs := stdio(t)
			args := []string{"opt"}
			for w := range strings.FieldsSeq(tt.args) {
				if strings.HasSuffix(w, ".zip") {
					w = filepath.Join(dir, w)
					if _, err := os.Stat(w); err != nil {
						t.Skip(err)
					}
				}
				args = append(args, w)
			}
			if strings.HasSuffix(tt.args, " --env") {
				args = append(args, "")
			}
			if code := Main(t.Context(), args, std); code != 0 {
				t.Errorf("exit %d: %s", code, errs)
			}
			for _, w := range tt.want {
				if !strings.Contains(out.String(), w) {
					t.Errorf("no %q in\n%s", w, out)
				}
			}
		})
	}
}
