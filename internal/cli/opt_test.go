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
