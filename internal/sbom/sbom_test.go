package sbom_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina/internal/bininfo"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/sbom"
)

func file(name string, data []byte) *layerfs.File {
	return &layerfs.File{
		Path: name, Mode: 0o644, Size: int64(len(data)), Data: data, ReaderAt: bytes.NewReader(data), Depth: strings.Count(name, "!/"),
	}
}

// read reads all files of a layer, in the order given.
func read(files []txtar.File) (found []sbom.Component, errs []string) {
	for _, f := range files {
		c, err := sbom.Read(file(f.Name, f.Data))
		found = append(found, c...)
		if err != nil {
			errs = append(errs, "error "+err.Error())
		}
	}
	return found, errs
}

// line is a component on one line, what is empty left out.
func line(c sbom.Component) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", c.PURL(), c.How)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	list := func(name string, values []string) { field(name, strings.Join(values, ",")) }
	field("root", c.Root)
	field("file", c.File)
	list("also", c.Also)
	field("license", c.License)
	field("text", strings.ReplaceAll(c.LicenseText, " ", "_"))
	list("requires", c.Requires)
	list("imports", c.Imports)
	list("hooks", c.Hooks)
	field("integrity", c.Integrity)
	field("installer", c.Installer)
	field("source", c.Source)
	field("revision", c.Revision)
	for _, f := range c.Files {
		sum := f.Other
		if f.SHA256 != (sbom.Digest{}) {
			t, _ := f.SHA256.MarshalText()
			sum = string(t[:8])
		}
		fmt.Fprintf(&b, " file(%s,%s,%d)", f.Path, cmp.Or(sum, "-"), f.Size)
	}
	return b.String()
}

// Each golden file is a layer; its file WANT is what Join makes of it, line by
// line, with the errors behind. The order in which files are read does not matter.
func TestRead(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "WANT" })
			if i < 0 {
				t.Fatalf("%s: no file WANT", name)
			}
			files := slices.Delete(slices.Clone(a.Files), i, i+1)
			describe := func() string {
				found, errs := read(files)
				var all []string
				for _, c := range sbom.Join(found) {
					all = append(all, line(c))
				}
				slices.Sort(errs)
				return strings.Join(append(all, errs...), "\n") + "\n"
			}
			got := describe()
			if os.Getenv("LAMINA_UPDATE") == "1" {
				a.Files[i].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := gocmp.Diff(string(a.Files[i].Data), got); d != "" {
				t.Error(d)
			}
			found, _ := read(files)
			if joined := sbom.Join(found); !gocmp.Equal(joined, sbom.Join(joined)) {
				t.Errorf("joined twice:\n%s", gocmp.Diff(joined, sbom.Join(joined)))
			}
			slices.Reverse(files)
			if d := gocmp.Diff(got, describe()); d != "" {
				t.Errorf("in another order:\n%s", d)
			}
		})
	}
}

func TestPURL(t *testing.T) {
	tests := map[string]sbom.Component{
		"pkg:pypi/x-y@0%2Blocal":                            {Ecosystem: sbom.PyPI, Name: "x-y", Version: "0+local"},
		"pkg:npm/%40aws-sdk/client-s3@3.1.0":                {Ecosystem: sbom.NPM, Name: "@aws-sdk/client-s3", Version: "3.1.0"},
		"pkg:maven/org.acme/core@1.0":                       {Ecosystem: sbom.Maven, Name: "org.acme:core", Version: "1.0"},
		"pkg:golang/github.com/masterminds/semver/v3@v3.2.": {Ecosystem: sbom.Go, Name: "github.com/Masterminds/semver/v3", Version: "v3.2."},
		"pkg:golang/stdlib@1.25.9":                          {Ecosystem: sbom.Go, Name: "stdlib", Version: "1.25.9"},
		"pkg:cargo/adler@1.0.2":                             {Ecosystem: sbom.Crates, Name: "adler", Version: "1.0.2"},
		"pkg:gem/rack@2.2.3":                                {Ecosystem: sbom.RubyGems, Name: "rack", Version: "2.2.3"},
		"pkg:nuget/Newtonsoft.Json@13.0.1":                  {Ecosystem: sbom.NuGet, Name: "Newtonsoft.Json", Version: "13.0.1"},
		"pkg:composer/monolog/monolog@3.0.0":                {Ecosystem: sbom.Packagist, Name: "monolog/monolog", Version: "3.0.0"},
		"pkg:generic/openssl@1.1.1w":                        {Name: "openssl", Version: "1.1.1w"},
		"pkg:npm/a%20b%3Fc%23d":                             {Ecosystem: sbom.NPM, Name: "a b?c#d"},
	}
	for want, c := range tests {
		if got := c.PURL(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBinary(t *testing.T) {
	tests := map[string]struct {
		info *bininfo.Info
		want []string
	}{
		"nothing": {nil, nil},
		"go": {
			&bininfo.Info{Kind: bininfo.Executable, Go: &bininfo.GoBuild{
				Go: "go1.25.9 X:loopvar", Path: "acme.example/tool/cmd/tool", Revision: "abc", Main: bininfo.GoModule{Path: "acme.example/tool", Version: "(devel)"},
				Modules: []bininfo.GoModule{
					{Path: "github.com/a/b", Version: "v1.2.3", Sum: "h1:x="},
					{Path: "github.com/fork/c", Version: "v0.1.0", Replaces: "github.com/a/c"},
					{Path: "./local", Replaces: "github.com/a/d"},
				},
			}},
			[]string{
				"pkg:golang/stdlib@1.25.9 installed file=bin/x",
				"pkg:golang/github.com/a/b@v1.2.3 installed file=bin/x integrity=h1:x=",
				"pkg:golang/github.com/fork/c@v0.1.0 installed file=bin/x",
				"pkg:golang/github.com/a/d installed file=bin/x",
				"pkg:golang/acme.example/tool own root=bin/x file=bin/x requires=github.com/a/b,github.com/a/d,github.com/fork/c revision=abc",
			},
		},
		"go_without_modules": {
			&bininfo.Info{Kind: bininfo.Executable, Go: &bininfo.GoBuild{Go: "go1.15.5"}},
			[]string{"pkg:golang/stdlib@1.15.5 installed file=bin/x", "pkg:generic/x own root=bin/x file=bin/x"},
		},
		"rust": {
			&bininfo.Info{Kind: bininfo.Executable, Crates: []bininfo.Crate{
				{Name: "adler", Version: "1.0.2", Source: "crates.io"},
				{Name: "cc", Version: "1.0.83", Source: "crates.io", Build: true},
				{Name: "app", Version: "0.1.0", Source: "local", Root: true, Requires: []string{"adler"}},
				{Name: "part", Version: "0.1.0", Source: "local"},
			}},
			[]string{"pkg:cargo/adler@1.0.2 installed file=bin/x", "pkg:cargo/app@0.1.0 own root=bin/x file=bin/x requires=adler"},
		},
		"library": {
			&bininfo.Info{Kind: bininfo.Library, Soname: "libcrypto-0628e7d4.so.1.1", Embedded: []bininfo.Version{{Name: "openssl", Version: "1.1.1w"}}},
			[]string{"pkg:generic/openssl@1.1.1w installed root=bin/x file=bin/x"},
		},
		"library_with_another": {
			&bininfo.Info{Kind: bininfo.Library, Soname: "libxml2.so.2", Embedded: []bininfo.Version{{Name: "zlib", Version: "1.3.1"}}},
			[]string{"pkg:generic/zlib@1.3.1 embedded file=bin/x", "pkg:generic/libxml2 guessed root=bin/x file=bin/x"},
		},
		"extension_module": {&bininfo.Info{Kind: bininfo.Library, Soname: "liborjson.so"}, nil},
		"python":           {&bininfo.Info{Kind: bininfo.Library, Soname: "libpython3.14.so.1.0"}, []string{"pkg:generic/cpython@3.14 guessed root=bin/x file=bin/x"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range sbom.Binary("bin/x", tt.info) {
				got = append(got, line(c))
			}
			if d := gocmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestClass(t *testing.T) {
	tests := map[string][2]string{
		"java/lib/x.jar!/com/acme/A.class":                      {"java/lib/x.jar", "com.acme.A"},
		"java/lib/x.jar!/META-INF/versions/17/com/acme/A.class": {"java/lib/x.jar", "com.acme.A"},
		"java/lib/x.jar!/BOOT-INF/classes/com/acme/A.class":     {"java/lib/x.jar", "com.acme.A"},
		"java/lib/x.jar!/BOOT-INF/lib/y.jar!/com/acme/A.class":  {"java/lib/x.jar!/BOOT-INF/lib/y.jar", "com.acme.A"},
		"java/lib/x.jar!/com/acme/A.txt":                        {},
	}
	for name, want := range tests {
		archive, class, ok := sbom.Class(name)
		if archive != want[0] || class != want[1] || ok != (want[1] != "") {
			t.Errorf("%s: got %q %q %v", name, archive, class, ok)
		}
	}
}

func TestMerge(t *testing.T) {
	layers := [][]txtar.File{
		{
			{Name: "python/a-1.dist-info/METADATA", Data: []byte("Name: a\nVersion: 1\nLicense: MIT\n")},
			{Name: "python/lib/python3.12/site-packages/a-1.dist-info/METADATA", Data: []byte("Name: A\nVersion: 1\n")},
		},
		{{Name: "python/a-2.dist-info/METADATA", Data: []byte("Name: a\nVersion: 2\n")}},
		{{Name: "nodejs/yarn.lock", Data: []byte("a@^1:\n  version \"1.0.0\"\n")}},
	}
	var all [][]sbom.Component
	for _, files := range layers {
		found, errs := read(files)
		if errs != nil {
			t.Fatal(errs)
		}
		all = append(all, found)
	}
	var got []string
	for _, c := range sbom.Merge(all...) {
		got = append(got, line(c))
	}
	want := []string{
		"pkg:pypi/a@1 installed root=python/a-1.dist-info file=python/a-1.dist-info/METADATA also=python/lib/python3.12/site-packages/a-1.dist-info/METADATA license=MIT",
		"pkg:pypi/a@2 installed root=python/a-2.dist-info file=python/a-2.dist-info/METADATA",
		"pkg:npm/a@1.0.0 locked file=nodejs/yarn.lock",
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOwner(t *testing.T) {
	sum := "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
	found, errs := read([]txtar.File{
		{Name: "python/acme-1.dist-info/METADATA", Data: []byte("Name: acme\nVersion: 1\n")},
		{Name: "python/acme-1.dist-info/RECORD", Data: []byte("acme/__init__.py,sha256=" + sum + ",0\n../../bin/acme,,\nacme-1.dist-info/RECORD,,\n")},
		{Name: "python/egg-2.egg-info/PKG-INFO", Data: []byte("Name: egg\nVersion: 2\n")},
		{Name: "python/egg-2.egg-info/top_level.txt", Data: []byte("egg\n")},
		{Name: "nodejs/node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1"}`)},
		{Name: "nodejs/node_modules/a/node_modules/b/package.json", Data: []byte(`{"name":"b","version":"1"}`)},
		{Name: "nodejs/node_modules/.package-lock.json", Data: []byte(`{"packages":{"node_modules/gone":{"version":"1"}}}`)},
		{Name: "java/lib/x-1.jar!/META-INF/maven/g/x/pom.properties", Data: []byte("groupId=g\nartifactId=x\nversion=1\n")},
	})
	if errs != nil {
		t.Fatal(errs)
	}
	o := sbom.NewOwners(sbom.Join(found))
	tests := map[string]string{
		"python/acme/__init__.py":                     "acme listed 0",
		"python/acme/added.py":                        "acme",
		"python/bin/acme":                             "acme listed -1",
		"python/acme-1.dist-info/added":               "acme",
		"python/egg/x.py":                             "egg",
		"python/egg.py":                               "egg",
		"python/eggs/x.py":                            "",
		"nodejs/node_modules/a/index.js":              "a",
		"nodejs/node_modules/a/node_modules/b/x/y.js": "b",
		"nodejs/node_modules/gone/index.js":           "",
		"nodejs/handler.js":                           "",
		"java/lib/x-1.jar":                            "g:x",
		"java/lib/x-1.jar!/com/acme/A.class":          "g:x",
		"java/lib/y.jar!/com/acme/A.class":            "",
	}
	for name, want := range tests {
		got := ""
		if c, listed := o.Owner(name); c != nil {
			got = c.Name
			if listed != nil {
				got += fmt.Sprintf(" listed %d", listed.Size)
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestVerified(t *testing.T) {
	found, _ := read([]txtar.File{{
		Name: "python/a-1.dist-info/RECORD", Data: []byte("a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nb.py,,\n"),
	}})
	o := sbom.NewOwners(sbom.Join(found))
	empty := sha256.Sum256(nil)
	if !o.Verified("python/a.py", empty) || o.Verified("python/a.py", [32]byte{}) || o.Verified("python/b.py", [32]byte{}) || o.Verified("python/c.py", empty) {
		t.Error("only a file with a digest that agrees is verified")
	}
}

func TestModules(t *testing.T) {
	tests := map[string]struct {
		c    sbom.Component
		want []string
	}{
		"top_level": {sbom.Component{Ecosystem: sbom.PyPI, File: "python/x-1.dist-info/METADATA", Root: "python/x-1.dist-info", Imports: []string{"x"}}, []string{"x"}},
		"record": {
			sbom.Component{Ecosystem: sbom.PyPI, File: "python/x-1.dist-info/METADATA", Root: "python/x-1.dist-info", Files: []sbom.FileHash{
				{Path: "python/_x.cpython-312-x86_64-linux-gnu.so"},
				{Path: "python/bin/x"},
				{Path: "python/x-1.dist-info/RECORD"},
				{Path: "python/x/__init__.py"},
				{Path: "python/x/y.py"},
				{Path: "python/six.py"},
				{Path: "python/__pycache__/six.cpython-312.pyc"},
				{Path: "python/x.libs/libz.so.1"},
				{Path: "python/README.md"},
				{Path: "etc/x"},
			}},
			[]string{"_x", "six", "x"},
		},
		"at_the_root": {sbom.Component{Ecosystem: sbom.PyPI, File: "x-1.dist-info/METADATA", Root: "x-1.dist-info", Files: []sbom.FileHash{{Path: "x/a.py"}}}, []string{"x"}},
		"constant":    {sbom.Component{Ecosystem: sbom.PyPI, File: "python/six.py", Root: "python/six.py"}, []string{"six"}},
		"alias":       {sbom.Component{Ecosystem: sbom.NPM, Name: "real", Root: "nodejs/node_modules/@s/alias"}, []string{"@s/alias"}},
		"bundled":     {sbom.Component{Ecosystem: sbom.NPM, Name: "real"}, []string{"real"}},
		"java":        {sbom.Component{Ecosystem: sbom.Maven, Name: "g:a"}, nil},
	}
	for name, tt := range tests {
		if d := gocmp.Diff(tt.want, tt.c.Modules()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// What is above a limit is an error and not a part in silence.
func TestRead_limits(t *testing.T) {
	many := strings.Repeat("a@1:\n  version \"1\"\n", 20_001)
	lock := `{"packages":{` + strings.Repeat(`"node_modules/a":{},`, 20_001) + `"":{}}}`
	deep := `{"dependencies":` + strings.Repeat(`{"a":{"dependencies":`, 40) + "{}" + strings.Repeat("}}", 40) + "}"
	tests := map[string]struct {
		name, data, want string
	}{
		"locked":        {"nodejs/package-lock.json", lock, "more than the limit of 20000 packages"},
		"deep_lock":     {"nodejs/package-lock.json", deep, "deeper than 32"},
		"php":           {"vendor/composer/installed.json", `[` + strings.Repeat(`{"name":"a/b","version":"1"},`, 20_001) + `{}]`, "more than the limit of 20000 packages"},
		"dotnet":        {"bin/a.deps.json", `{"libraries":{` + strings.Repeat(`"a/1":{},`, 20_001) + `"b/1":{}}}`, "more than the limit of 20000 packages"},
		"packages":      {"nodejs/yarn.lock", many, "more than the limit of 20000 packages"},
		"record_files":  {"python/a-1.dist-info/RECORD", strings.Repeat("a,,\n", 250_001), "more than the limit of 250000 files"},
		"long_header":   {"python/a-1.dist-info/METADATA", "Summary: " + strings.Repeat("x", 2<<20) + "\nName: a\nVersion: 1\n", "no Name and Version"},
		"long_manifest": {"node_modules/a/package.json", `{"name":"a","version":"1","x":"` + strings.Repeat("x", 2<<20) + `"}`, "above the limit"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := sbom.Read(file(tt.name, []byte(tt.data)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), tt.name) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Many files that tell of one package cost no more than many packages do.
func TestMerge_many(t *testing.T) {
	var all []sbom.Component
	for i := range 50_000 {
		name := fmt.Sprintf("node_modules/x%d/node_modules/a/package.json", i)
		all = append(all, sbom.Component{Ecosystem: sbom.NPM, Name: "a", Version: "1", How: sbom.Installed, File: name, Root: filepath.Dir(name), Requires: []string{"b", "c"}})
	}
	merged := sbom.Merge(all)
	if len(merged) != 1 || len(merged[0].Also) != 49_999 || len(merged[0].Requires) != 2 {
		t.Errorf("got %d components", len(merged))
	}
}

// Components go through JSON unchanged: they are kept in a cache.
func TestComponent_json(t *testing.T) {
	found, _ := read([]txtar.File{{Name: "python/a-1.dist-info/RECORD", Data: []byte("a.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\na.pyc,,\n")}})
	b, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	var back []sbom.Component
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(found, back); d != "" {
		t.Error(d)
	}
}

func FuzzRead(f *testing.F) {
	names := []string{
		"python/a-1.dist-info/METADATA", "python/a-1.dist-info/RECORD", "python/a-1.dist-info/direct_url.json", "python/pip/_vendor/vendor.txt", "python/six.py", "python/x.egg!/six.pyc",
		"node_modules/a/package.json", "package.json", "node_modules/.package-lock.json", "yarn.lock", "pnpm-lock.yaml", "a.js.map", "a.js",
		"java/lib/a-1.jar!/META-INF/MANIFEST.MF", "java/lib/a-1.jar!/META-INF/maven/g/a/pom.properties", "ruby/gems/3.3.0/specifications/a-1.gemspec",
		"bin/a.deps.json", "bin/a.nuspec", "vendor/composer/installed.json", "requirements.txt", "Pipfile.lock", "poetry.lock",
	}
	goldens, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, g := range goldens {
		a, err := txtar.ParseFile(g)
		if err != nil {
			f.Fatal(err)
		}
		for _, x := range a.Files {
			for i, name := range names {
				if filepath.Base(name) == filepath.Base(x.Name) || filepath.Ext(name) == filepath.Ext(x.Name) {
					f.Add(uint8(i), x.Data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := names[int(which)%len(names)]
		found, _ := sbom.Read(file(name, data))
		joined := sbom.Join(found)
		merged := sbom.Merge(found)
		if len(found) > 0 && len(merged) == 0 {
			t.Errorf("%d components in, none out", len(found))
		}
		b, err := json.Marshal(joined)
		var back []sbom.Component
		if err != nil || json.Unmarshal(b, &back) != nil || gocmp.Diff(joined, back, cmpopts.EquateEmpty()) != "" {
			t.Errorf("%s: components change on their way through JSON: %v %s", name, err, gocmp.Diff(joined, back, cmpopts.EquateEmpty()))
		}
		for _, c := range joined {
			if c.Name == "" || c.How == "" || c.File != name {
				t.Errorf("%s makes %+v", name, c)
			}
			if strings.HasPrefix(c.Root, "/") || strings.HasPrefix(c.Root, "../") {
				t.Errorf("%s leaves the layer: %q", name, c.Root)
			}
			for _, x := range c.Files {
				if strings.HasPrefix(x.Path, "/") || strings.HasPrefix(x.Path, "../") {
					t.Errorf("%s leaves the layer: %q", name, x.Path)
				}
			}
		}
		sbom.NewOwners(joined).Owner(name)
	})
}
