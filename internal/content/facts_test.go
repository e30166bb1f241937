package content

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/runtimes"
)

func TestPersonal(t *testing.T) {
	for _, tt := range []struct {
		name, path, data string
		want             *Personal
	}{
		{"addresses", "a.csv", "id,mail\n1,ada@corp.internal\n2,Ada@corp.internal\n3,bob.b@shop.internal\n", &Personal{Emails: 2, Domains: 2}},
		{"of documents and machines", "a.csv", "a@example.com, info@foo.example, x-noreply@corp.internal, icon@2x.png, @scope/x, a@b", nil},
		{"phones", "a.csv", "+49 30 1234567,\"+1 (415) 555-0100\",+49301234567,1+49301234567,+123", &Personal{Phones: 2}},
		{"account numbers", "a.csv", "GB82WEST12345698765432 GB83WEST12345698765432 DE89370400440532013000 DE89370400440532013000", &Personal{IBANs: 2}},
		{"no numbers in documents", "a.json", `{"a":"GB82WEST12345698765432"}`, nil},
		{"no data file", "a.py", "ada@corp.internal", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := gocmp.Diff(tt.want, personal(&layerfs.File{Path: tt.path, Data: []byte(tt.data)})); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func FuzzPersonal(f *testing.F) {
	f.Add([]byte("+49 30 1234567,GB82WEST12345698765432,ada@corp.internal"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		personal(&layerfs.File{Path: "a.csv", Data: data})
		registries(&layerfs.File{Path: ".npmrc", Data: data})
	})
}

func TestRegistries(t *testing.T) {
	for _, tt := range []struct {
		path, data string
		want       []string
	}{
		{"nodejs/.npmrc", "registry=https://npm.corp.invalid/api/\n@acme:registry=https://u:p@other.invalid/\n//third.invalid:8080/:_authToken=${T}\n# https://no.invalid/\n", []string{"npm.corp.invalid", "other.invalid", "third.invalid"}},
		{"python/pip.conf", "[global]\nindex-url = https://pypi.corp.invalid/simple\nproxy = http://proxy.invalid\n", []string{"pypi.corp.invalid"}},
		{"python/acme/requirements.txt", "--extra-index-url https://pypi.corp.invalid/simple\nacme==1 # https://acme.invalid\n", []string{"pypi.corp.invalid"}},
		{"pyproject.toml", "[project.urls]\nurl = \"https://home.invalid\"\n[[tool.uv.index]]\nurl = \"https://pypi.corp.invalid\"\n", []string{"pypi.corp.invalid"}},
		{"python/acme/README", "index-url = https://pypi.corp.invalid\n", nil},
	} {
		if d := gocmp.Diff(tt.want, registries(&layerfs.File{Path: tt.path, Data: []byte(tt.data)})); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, d)
		}
	}
}

func TestModule(t *testing.T) {
	for _, tt := range []struct {
		site, name, want string
		ok               bool
	}{
		{"python", "python/acme/__init__.py", "acme", true},
		{"python", "python/acme/util.py", "acme.util", true},
		{"python", "python/acme/_x.cpython-312-x86_64-linux-gnu.so", "acme._x", true},
		{".", "acme.py", "acme", true},
		{"python", "python/__init__.py", "__init__", true},
		{"python", "python/acme/not-a-name.py", "", false},
		{"python", "python/acme/data.json", "", false},
		{"python", "nodejs/a.py", "", false},
		{"python", "python/bin/3x.py", "", false},
	} {
		if got, ok := Module(tt.site, tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("Module(%q, %q) = %q, %v; want %q, %v", tt.site, tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestCompiled_foreign(t *testing.T) {
	of := func(modules ...string) *codeflow.Facts {
		f := &codeflow.Facts{}
		for _, m := range modules {
			level := len(m) - len(strings.TrimLeft(m, "."))
			f.Imports = append(f.Imports, codeflow.Import{Module: m[level:], Level: level})
		}
		return f
	}
	for _, tt := range []struct {
		name     string
		compiled Compiled
		source   File
		want     []string
	}{
		{"the same", Compiled{Imports: []string{".x", "os"}}, File{Facts: Facts{Code: of("os", ".x", "sys")}}, nil},
		{"more", Compiled{Imports: []string{"os", "socket"}}, File{Facts: Facts{Code: of("os")}}, []string{"socket"}},
		{"a relative one made absolute", Compiled{Imports: []string{"x"}}, File{Facts: Facts{Code: of(".x")}}, []string{"x"}},
		{"a source without imports", Compiled{Imports: []string{"os"}}, File{}, []string{"os"}},
		{"a source with mistakes", Compiled{Imports: []string{"os"}}, File{Facts: Facts{Code: &codeflow.Facts{Errors: []codeflow.Error{{Line: 1}}}}}, nil},
		{"read in part", Compiled{Imports: []string{"os"}, Partial: true}, File{}, nil},
	} {
		if got := tt.compiled.Foreign(&tt.source); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNodePackage(t *testing.T) {
	for _, tt := range []struct{ name, dir, pkg string }{
		{"nodejs/node_modules/a/index.js", "nodejs/node_modules/a", "a"},
		{"node_modules/@s/a/lib/x.js", "node_modules/@s/a", "@s/a"},
		{"node_modules/a/node_modules/b/x.js", "node_modules/a/node_modules/b", "b"},
		{"node_modules/.bin/x", "", ""},
		{"node_modules/a", "", ""},
		{"my_node_modules/a/x.js", "", ""},
		{"python/a/x.py", "", ""},
	} {
		if dir, name, ok := NodePackage(tt.name); dir != tt.dir || name != tt.pkg || ok != (tt.dir != "") {
			t.Errorf("NodePackage(%q) = %q, %q, %v; want %q, %q", tt.name, dir, name, ok, tt.dir, tt.pkg)
		}
	}
}

func TestLayer_sites(t *testing.T) {
	l := &Layer{}
	for _, name := range []string{
		"python/acme/__init__.py", "python/lib/python3.12/site-packages/x/__init__.py", "awscli/rsa-4.7.dist-info/METADATA", "awscli/rsa/key.py",
		"python/pip/_vendor/rich-1.dist-info/METADATA", "bin/tool",
	} {
		l.Files = append(l.Files, &File{Path: name})
	}
	if want := []string{"awscli", "python", "python/lib/python3.12/site-packages"}; !slices.Equal(l.Sites(), want) {
		t.Errorf("Sites: %q, want %q", l.Sites(), want)
	}
	for name, want := range map[string]string{
		"awscli/rsa/key.py": "awscli", "python/acme/deep/a.py": "python", "python/lib/python3.12/site-packages/x/a.py": "python/lib/python3.12/site-packages", "bin/tool": "",
	} {
		if got := l.Site(name); got != want {
			t.Errorf("Site(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for got, want := range map[string]string{
		Count(1, "file"): "1 file", Count(0, "file"): "0 files", Bytes(1): "1 byte", Bytes(999): "999 bytes", Bytes(1500): "1.5 kB", Bytes(20_000_000): "20.0 MB",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFold(t *testing.T) {
	many := func(n int) []Result {
		var all []Result
		for i := range n {
			r := Result{Outcome: lamina.Fail, File: Count(i, "file"), Severity: lamina.Low}
			if i == n-1 {
				r.Severity = lamina.High
			}
			all = append(all, r)
		}
		return all
	}
	for _, tt := range []struct{ given, reported int }{{1, 1}, {MostAlike + 1, MostAlike + 1}, {MostAlike + 2, MostAlike + 1}, {500, MostAlike + 1}} {
		var got []Result
		Fold(many(tt.given), func(r Result) { got = append(got, r) }, "more", func(more int) string { return Count(more, "more file") })
		if len(got) != tt.reported || tt.given > MostAlike+1 && (got[0].Severity != lamina.High || got[MostAlike].Detail != Count(tt.given-MostAlike, "more file")) {
			t.Errorf("%d: %d reported, first %+v, last %+v", tt.given, len(got), got[0], got[len(got)-1])
		}
	}
}

func TestScan_runtime(t *testing.T) {
	native := func(names ...string) *Layer {
		l := &Layer{}
		for _, name := range names {
			l.Files = append(l.Files, &File{Path: name, Facts: Facts{Kind: ELF}})
		}
		return l
	}
	newest, _ := (&Scan{}).Runtime(runtimes.Python)
	for _, tt := range []struct {
		name string
		scan *Scan
		want string
	}{
		{"given", &Scan{Function: &Function{Runtime: "python3.9"}, Layers: []*Layer{native("python/a.cpython-312-x86_64-linux-gnu.so")}}, "python3.9"},
		{"another language's", &Scan{Function: &Function{Runtime: "nodejs20.x"}}, ""},
		{"by native modules", &Scan{Layers: []*Layer{native("python/a.cpython-311-x86_64-linux-gnu.so", "python/b.cpython-312-x86_64-linux-gnu.so", "python/c.cpython-311-x86_64-linux-gnu.so")}}, "python3.11"},
		{"by nothing", &Scan{Layers: []*Layer{native("lib/x.so")}}, newest.ID},
	} {
		if got, ok := tt.scan.Runtime(runtimes.Python); ok != (tt.want != "") || ok && got.ID != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got.ID, ok, tt.want)
		}
	}
}
