package content_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/sample/layers"
)

// compared is the comparison of a layer with artefacts.
func compared(t *testing.T, layer []layers.File, published ...layers.Artefact) *content.Comparison {
	t.Helper()
	b := artefact.NewBuilder()
	for _, a := range published {
		b.Add(a.Name, bytes.NewReader(a.Body), int64(len(a.Body)))
	}
	if len(b.Bad()) > 0 {
		t.Fatal(b.Bad())
	}
	data, err := b.Build(time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	x, err := artefact.New(data)
	if err != nil {
		t.Fatal(err)
	}
	zip := layers.Zip(layer...)
	s := &content.Scan{
		Layers: []*content.Layer{content.Read("l.zip", bytes.NewReader(zip), int64(len(zip)), content.Options{})},
		Hashes: []*artefact.Index{x},
	}
	c, err := s.Published(0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// what says of each package of a comparison what is worth knowing.
func what(c *content.Comparison) []string {
	var out []string
	for _, p := range c.Packages {
		line := []string{fmt.Sprintf("%s: %d identical", p.Component.Name, p.Identical)}
		for _, d := range p.Differs {
			line = append(line, "differs "+d.File.Path)
		}
		for _, d := range p.Rewritten {
			line = append(line, "rewritten "+d.File.Path)
		}
		for _, f := range p.Unlisted {
			line = append(line, "unlisted "+f.Path)
		}
		if p.Missing+p.Generated > 0 {
			line = append(line, fmt.Sprintf("%d missing, %d generated", p.Missing, p.Generated))
		}
		if p.Unproven {
			line = append(line, "unproven")
		}
		if p.Locked != "" {
			line = append(line, "lock file: "+p.Locked)
		}
		out = append(out, strings.Join(line, ", "))
	}
	for _, c := range c.Absent {
		out = append(out, c.Name+": absent")
	}
	for _, c := range c.Bundled {
		out = append(out, c.Name+": bundled")
	}
	for _, c := range c.Compiled {
		out = append(out, c.Name+": compiled")
	}
	return out
}

func entries(s ...string) []layers.File {
	var out []layers.File
	for i := 0; i < len(s); i += 2 {
		out = append(out, layers.File{Name: s[i], Body: s[i+1]})
	}
	return out
}

func TestPublished(t *testing.T) {
	const meta = "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n"
	wheel := func(tag string) layers.Artefact {
		return layers.Artefact{Name: "acme-1.0-" + tag + ".whl", Body: layers.Zip(entries(
			"acme/__init__.py", "x = 1\n", "acme/_fast."+tag+".so", "\x7fELF"+tag, "acme-1.0.dist-info/METADATA", meta, "acme-1.0.dist-info/WHEEL", "Tag: "+tag+"\n")...)}
	}
	const linux, arm = "cp312-cp312-x86_64", "cp312-cp312-aarch64"
	installed := func(tag string) []layers.File {
		return entries("python/acme/__init__.py", "x = 1\n", "python/acme/_fast."+tag+".so", "\x7fELF"+tag, "python/acme-1.0.dist-info/METADATA", meta, "python/acme-1.0.dist-info/WHEEL", "Tag: "+tag+"\n")
	}
	const pom = "META-INF/maven/org.acme/acme-core/pom.properties"
	jar := func(class string) string {
		return string(layers.Zip(entries(pom, "groupId=org.acme\nartifactId=acme-core\nversion=2.0\n", "org/acme/A.class", class)...))
	}
	core := layers.Artefact{Name: "acme-core-2.0.jar", Body: []byte(jar("\xca\xfe\xba\xbeA"))}
	nested := string(layers.Tgz(entries("data/a.txt", "a", "data/b.txt", "b")...))
	right := `{"name":"right","version":"9.0.0"}`
	for _, tt := range []struct {
		name      string
		layer     []layers.File
		published []layers.Artefact
		want      []string
	}{
		{"as_published", installed(linux), []layers.Artefact{wheel(linux)}, []string{"acme: 4 identical"}},
		{"one_of_two_builds", installed(arm), []layers.Artefact{wheel(linux), wheel(arm)}, []string{"acme: 4 identical"}},
		{
			"another_build", installed(arm),
			[]layers.Artefact{wheel(linux)},
			[]string{"acme: 2 identical, differs python/acme-1.0.dist-info/WHEEL, unlisted python/acme/_fast." + arm + ".so, 1 missing, 0 generated, unproven"},
		},
		{
			"source_only", append(entries("python/setup.py", "not its", "python/acme-1.0.dist-info/RECORD", "acme/__init__.py,,\n"), installed(linux)...),
			[]layers.Artefact{{Name: "acme-1.0.tar.gz", Body: layers.Tgz(entries("acme-1.0/PKG-INFO", meta, "acme-1.0/setup.py", "setup()\n", "acme-1.0/src/acme/__init__.py", "x = 2\n")...)}},
			[]string{"acme: 0 identical, differs python/acme/__init__.py, unlisted python/acme-1.0.dist-info/METADATA, unlisted python/acme-1.0.dist-info/WHEEL, unlisted python/acme/_fast." + linux + ".so, 0 missing, 1 generated, unproven"},
		},
		{"not_in_the_index", installed(linux), []layers.Artefact{core}, []string{"acme: absent"}},
		{"jar", entries("java/lib/acme-core-2.0.jar", jar("\xca\xfe\xba\xbeA")), []layers.Artefact{core}, []string{"org.acme:acme-core: 3 identical"}},
		{
			"jar_with_another_class", entries("java/lib/acme-core-2.0.jar", jar("\xca\xfe\xba\xbeB")),
			[]layers.Artefact{core},
			[]string{"org.acme:acme-core: 1 identical, differs java/lib/acme-core-2.0.jar!/org/acme/A.class, rewritten java/lib/acme-core-2.0.jar"},
		},
		{
			"bundled",
			entries("nodejs/node_modules/left/package.json", `{"name":"left","version":"1.0.0"}`, "nodejs/node_modules/left/node_modules/right/package.json", right, "nodejs/node_modules/left/node_modules/right/new.js", "1"),
			[]layers.Artefact{{Name: "left.tgz", Body: layers.Tgz(entries("package/package.json", `{"name":"left","version":"1.0.0"}`, "package/node_modules/right/package.json", right)...)}},
			[]string{"left: 2 identical, unlisted nodejs/node_modules/left/node_modules/right/new.js", "right: bundled"},
		},
		{
			"archive_in_a_package",
			entries("nodejs/node_modules/left/package.json", `{"name":"left","version":"1.0.0"}`, "nodejs/node_modules/left/d.tgz", nested),
			[]layers.Artefact{{Name: "left.tgz", Body: layers.Tgz(entries("package/package.json", `{"name":"left","version":"1.0.0"}`, "package/d.tgz", nested)...)}},
			[]string{"left: 5 identical"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := gocmp.Diff(tt.want, what(compared(t, tt.layer, tt.published...))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// A package is installed, and some of its files are then changed, added and
// removed at random: the comparison counts what was done.
func TestPublished_counts_what_was_done(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 40 {
		var shipped, layer []layers.File
		var identical, differ, unlisted, missing int
		manifest := layers.File{Name: "package.json", Body: `{"name":"left","version":"1.0.0"}`}
		for i := range 2 + r.IntN(30) {
			f := layers.File{Name: fmt.Sprintf("d%d/f%d.js", r.IntN(4), i), Body: strconv.Itoa(r.IntN(5))}
			shipped = append(shipped, f)
			switch r.IntN(6) {
			case 0:
				f.Body, differ = "changed", differ+1
			case 1:
				missing++
				continue
			case 2:
				layer, unlisted = append(layer, layers.File{Name: f.Name + ".new.js", Body: f.Body}), unlisted+1
				identical++
			default:
				identical++
			}
			layer = append(layer, f)
		}
		shipped, layer, identical = append(shipped, manifest), append(layer, manifest), identical+1
		for i := range shipped {
			shipped[i].Name = "package/" + shipped[i].Name
		}
		for i := range layer {
			layer[i].Name = "nodejs/node_modules/left/" + layer[i].Name
		}
		slices.SortFunc(layer, func(a, b layers.File) int { return strings.Compare(a.Name, b.Name) })
		c := compared(t, layer, layers.Artefact{Name: "left-1.0.0.tgz", Body: layers.Tgz(shipped...)})
		p := c.Packages[0]
		got := []int{p.Identical, len(p.Differs), len(p.Unlisted), p.Missing}
		if d := gocmp.Diff([]int{identical, differ, unlisted, missing}, got); d != "" {
			t.Errorf("round %d: identical, differ, unlisted, missing (-want +got):\n%s", round, d)
		}
	}
}
