package content

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/layerfs"
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
		readPyc(data)
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

func TestReadPyc(t *testing.T) {
	for _, tt := range []struct {
		name string
		head []byte
		want *Compiled
	}{
		{"by time", []byte{0xcb, 0x0d, '\r', '\n', 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, &Compiled{Python: "3.12", Check: CheckTime, SourceTime: 1, SourceSize: 2, Sized: true}},
		{"by hash", []byte{0xa7, 0x0d, '\r', '\n', 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, &Compiled{Python: "3.11", Check: CheckHash}},
		{"never", []byte{0xcb, 0x0d, '\r', '\n', 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}, &Compiled{Python: "3.12", Check: CheckNever}},
		{"3.6", []byte{0x33, 0x0d, '\r', '\n', 1, 0, 0, 0, 2, 0, 0, 0}, &Compiled{Python: "3.6", Check: CheckTime, SourceTime: 1, SourceSize: 2, Sized: true}},
		{"2.7", []byte{0x03, 0xf3, '\r', '\n', 1, 0, 0, 0, 2, 0, 0, 0}, &Compiled{Python: "2.7", Check: CheckTime, SourceTime: 1}},
		{"short", []byte{0xcb, 0x0d, '\r', '\n', 0, 0, 0, 0, 1}, nil},
		{"text", []byte("import os\nimport sys\n"), nil},
	} {
		if d := gocmp.Diff(tt.want, readPyc(tt.head)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
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
