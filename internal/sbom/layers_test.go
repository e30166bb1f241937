package sbom_test

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/bininfo"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// realLayer is the bytes of a fetched layer; without them the test is skipped.
func realLayer(tb testing.TB, name string) []byte {
	tb.Helper()
	dir := os.Getenv("LAMINA_LAYERS")
	if dir == "" {
		tb.Skip("LAMINA_LAYERS is not set: run make fetch-layers")
	}
	b, err := os.ReadFile(filepath.Join(dir, name+".zip"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

type contents struct {
	joined []sbom.Component
	files  map[string]sbom.Digest
	read   time.Duration // by Read
	binary time.Duration // by bininfo
}

func readLayer(tb testing.TB, data []byte) contents {
	tb.Helper()
	l, err := layerfs.Open(bytes.NewReader(data), int64(len(data)), layerfs.DefaultLimits)
	if err != nil {
		tb.Fatal(err)
	}
	c := contents{files: map[string]sbom.Digest{}}
	var found []sbom.Component
	err = l.Pass(func(f *layerfs.File) error {
		start := time.Now()
		components, err := sbom.Read(f)
		c.read += time.Since(start)
		if err != nil {
			tb.Error(err)
		}
		start = time.Now()
		info, err := bininfo.Read(f.ReaderAt, f.Size)
		c.binary += time.Since(start)
		if err != nil {
			tb.Errorf("%s: %v", f.Path, err)
		}
		found = append(append(found, components...), sbom.Binary(f.Path, info)...)
		c.files[f.Path] = f.SHA256
		return nil
	}, func(name string, err error) { tb.Errorf("%s: %v", name, err) })
	if err != nil {
		tb.Fatal(err)
	}
	c.joined = sbom.Join(found)
	return c
}

// declared is what the metadata of a layer says, read in the simplest way that
// can be: no parser of this package, and the standard library's zip reader.
func declared(t *testing.T, data []byte) map[string]bool {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	content := func(f *zip.File) []byte {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	all := map[string]bool{}
	folder := regexp.MustCompile(`([^/]+)-([^/-]+)\.dist-info/METADATA$`)
	for _, f := range z.File {
		base := path.Base(f.Name)
		if m := folder.FindStringSubmatch(f.Name); m != nil {
			all["PyPI "+strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))+" "+m[2]] = true
		}
		if base == "package.json" && strings.Contains(f.Name, "node_modules/") {
			var p struct{ Name, Version string }
			if json.Unmarshal(content(f), &p) == nil && p.Name != "" && p.Version != "" {
				all["npm "+p.Name+" "+p.Version] = true
			}
		}
		if !f.FileInfo().IsDir() && (base == "kubectl" || base == "helm") {
			b, err := buildinfo.Read(bytes.NewReader(content(f)))
			if err != nil {
				t.Fatal(err)
			}
			all["Go stdlib "+strings.TrimPrefix(b.GoVersion, "go")] = true
			if b.Main.Path != "" {
				all["Go "+b.Main.Path+" "+strings.TrimSuffix(b.Main.Version, "(devel)")] = true
			}
			for _, d := range b.Deps {
				switch {
				case d.Replace != nil && strings.HasPrefix(d.Replace.Path, "."):
					d.Version = "" // kubectl's own parts, replaced by folders beside it
				case d.Replace != nil:
					d = d.Replace
				}
				all["Go "+d.Path+" "+d.Version] = true
			}
		}
	}
	return all
}

// The packages of each real layer are those its own metadata declares. What is
// beyond them is named here, with how it is known:
//
//   - awscli carries botocore and s3transfer without their metadata, and they and
//     urllib3 carry six;
//   - the frozen awscli-v2 has one package with metadata, and the others inside the
//     executable's archive, of which those are found that hold a version;
//   - bundles in node_modules have source maps that name what is in them, without
//     versions.
func TestRead_real_layers(t *testing.T) {
	tests := []struct {
		name     string
		declared int
		// counts of what Merge makes, by ecosystem and way
		want map[string]int
	}{
		{"awscli-v1", 10, map[string]int{"PyPI installed": 10, "PyPI vendored": 3}},
		{"awscli-2023", 12, map[string]int{"PyPI installed": 12}},
		{"awscli-v2", 1, map[string]int{"PyPI installed": 1, "PyPI embedded": 21, " installed": 1, " embedded": 3, " guessed": 7}},
		{"kubectl-v20", 135, map[string]int{"Go installed": 134, "Go own": 1, " own": 1}},
		{"kubectl-v28", 189, map[string]int{"Go installed": 187, "Go own": 2}},
		{"kubectl-v35", 156, map[string]int{"Go installed": 154, "Go own": 2}},
		{"node-proxy-agent", 31, map[string]int{"npm installed": 31}},
		{"otel-extension", 154, map[string]int{"npm installed": 150, "npm guessed": 4, "npm embedded": 14, " own": 1}},
		{"powertools-ts", 22, map[string]int{"npm installed": 22}},
		{"datadog-node", 46, map[string]int{"npm installed": 43, "npm guessed": 3, "npm locked": 24}},
		{"sharp", 6, map[string]int{"npm installed": 6, "npm locked": 22, " guessed": 1}},
		{"python-wheels", 20, map[string]int{"PyPI installed": 20, " installed": 3, " embedded": 2, " guessed": 26}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := realLayer(t, tt.name)
			missing := declared(t, data)
			if len(missing) != tt.declared {
				t.Errorf("the metadata declares %d packages, want %d", len(missing), tt.declared)
			}
			got := map[string]int{}
			for _, c := range sbom.Merge(readLayer(t, data).joined) {
				got[c.Ecosystem+" "+string(c.How)]++
				key := c.Ecosystem + " " + c.Name + " " + c.Version
				if c.Ecosystem != "" && (c.How == sbom.Installed || c.How == sbom.Guessed || c.How == sbom.Own) && !missing[key] {
					t.Errorf("%s is declared nowhere", key)
				}
				delete(missing, key)
			}
			for key := range missing {
				t.Errorf("%s is declared and not found", key)
			}
			if d := gocmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// kubectl-v35, binary by binary: its own dependencies, the main module and the
// standard library.
func TestRead_real_layers_go(t *testing.T) {
	got := map[string]int{}
	for _, c := range readLayer(t, realLayer(t, "kubectl-v35")).joined {
		switch {
		case c.How == sbom.Own:
			got[c.File+" main"]++
		case c.Name == "stdlib":
			got[c.File+" stdlib"]++
		default:
			got[c.File+" modules"]++
		}
	}
	want := map[string]int{
		"helm/helm main": 1, "helm/helm stdlib": 1, "helm/helm modules": 107,
		"kubectl/kubectl main": 1, "kubectl/kubectl stdlib": 1, "kubectl/kubectl modules": 80,
	}
	if helm := want["helm/helm modules"]; got["helm/helm modules"] != helm && got["helm/helm modules"] == want["kubectl/kubectl modules"] {
		want["helm/helm modules"], want["kubectl/kubectl modules"] = want["kubectl/kubectl modules"], helm
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// The packages found in the frozen archive of awscli-v2, with their versions.
func TestRead_real_layers_frozen(t *testing.T) {
	var got []string
	for _, c := range sbom.Merge(readLayer(t, realLayer(t, "awscli-v2")).joined) {
		if c.Ecosystem == sbom.PyPI {
			got = append(got, c.Name+" "+c.Version+" "+string(c.How))
		}
	}
	want := []string{
		"awscli 2.36.12 embedded", "awscrt 0.36.0 embedded", "botocore 2.0.0dev155 embedded", "colorama 0.4.6 embedded", "distro 1.8.0 embedded",
		"docutils 0.19 embedded", "jmespath 1.0.1 embedded", "more-itertools 10.3.0 embedded", "packaging 24.2 embedded", "packaging 26.0 embedded",
		"platformdirs 4.2.2 embedded", "prompt-toolkit 3.0.51 installed", "python-dateutil 2.9.0 embedded", "ruamel-yaml 0.19.1 embedded", "s3transfer 0.5.1 embedded",
		"six 1.10.0 embedded", "six 1.17.0 embedded", "tomli 2.0.1 embedded", "urllib3 1.10.4 embedded", "urllib3 2.6.3 embedded", "wcwidth 0.2.14 embedded",
		"wheel 0.46.3 embedded",
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What RECORD says of the files of the real Python layers: nothing that an
// installer does not change differs. Compiled files were compiled again after
// PyYAML's wheel was made, and scripts of wheels that were built at installation
// carry the digest of before their first line was written. What is unlisted is
// what the layer's publisher added, and what is absent is documentation that he
// removed.
func TestRecord_real_layers(t *testing.T) {
	type figures struct{ Same, Compiled, Scripts, Differs, NoHash, Unlisted, Absent int }
	tests := map[string]figures{
		"awscli-v1":     {Same: 2642, NoHash: 595, Unlisted: 2, Absent: 5851},
		"awscli-2023":   {Same: 2262, Compiled: 17, Scripts: 14, NoHash: 565, Unlisted: 1, Absent: 5201},
		"python-wheels": {Same: 831, NoHash: 20},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			c := readLayer(t, realLayer(t, name))
			owners := sbom.NewOwners(c.joined)
			var got figures
			var unlisted []string
			for file, sum := range c.files {
				if strings.Contains(file, "!/") {
					continue
				}
				_, listed := owners.Owner(file)
				switch {
				case listed == nil:
					got.Unlisted++
					unlisted = append(unlisted, file)
				case listed.SHA256 == sbom.Digest{}:
					got.NoHash++
				case listed.SHA256 == sum:
					got.Same++
				case strings.HasSuffix(file, ".pyc"):
					got.Compiled++
				case listed.Script:
					got.Scripts++
				default:
					got.Differs++
					t.Errorf("%s differs from its RECORD", file)
				}
			}
			for _, x := range c.joined {
				for _, f := range x.Files {
					if _, ok := c.files[f.Path]; !ok {
						got.Absent++
					}
				}
			}
			slices.Sort(unlisted)
			if d := gocmp.Diff(tests[name], got); d != "" {
				t.Errorf("%s\nunlisted: %v", d, unlisted)
			}
		})
	}
}

// BenchmarkRead is the cost of Read and of bininfo over all files of a layer, as a
// share of inflating and hashing it.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"awscli-v1", "awscli-2023", "awscli-v2", "kubectl-v35", "node-proxy-agent", "otel-extension", "datadog-node"} {
		b.Run(name, func(b *testing.B) {
			data := realLayer(b, name)
			var read, binary time.Duration
			for b.Loop() {
				c := readLayer(b, data)
				read, binary = read+c.read, binary+c.binary
			}
			rest := b.Elapsed() - read - binary
			b.ReportMetric(float64(read)/float64(rest), "x_inflate_read")
			b.ReportMetric(float64(binary)/float64(rest), "x_inflate_bininfo")
			b.ReportMetric(float64(read.Microseconds())/float64(b.N), "us_read")
		})
	}
}
