package vulndb_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

// small is a database with everything in it that the format has.
func small(tb testing.TB) []byte {
	tb.Helper()
	b := vulndb.NewBuilder()
	for i, r := range []string{
		record("GHSA-1", "PyPI", "acme", `"ranges":[`+events("ECOSYSTEM introduced=0 fixed=1.2 introduced=2 last_affected=2.5 introduced=3 limit=4")+`,`+
			events("SEMVER introduced=7.0.0 fixed=8.0.0")+`],"versions":["6.6","odd one"]`, `"aliases":["CVE-2026-1"]`),
		record("GO-1", "Go", "example.com/m", `"ranges":[`+events("SEMVER introduced=0 fixed=1.2.0")+`],"ecosystem_specific":{"imports":[{"path":"example.com/m/p","symbols":["F","T.M"]}]},"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`),
		record("X-1", "PyPI", "acme", `"ranges":[`+events("GIT introduced=0")+`]`),
	} {
		b.Add("r.json", []byte(r))
		if len(b.Bad()) > 0 {
			tb.Fatalf("%d: %v", i, b.Bad())
		}
	}
	data, err := b.Build(built)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// A database that is not what a build wrote gives errors and UNKNOWN, and
// never a panic.
func TestHostile_every_byte(t *testing.T) {
	good := small(t)
	for i := range good {
		for _, x := range []byte{0x01, 0x80, 0xff} {
			data := slices.Clone(good)
			data[i] ^= x
			if _, err := vulndb.New(data); err == nil {
				t.Fatalf("byte %d changed by %#x, and nobody sees it", i, x)
			}
			vulndb.Reseal(data)
			useAll(data)
		}
		if _, err := vulndb.New(good[:i]); err == nil {
			t.Fatalf("cut at byte %d, and nobody sees it", i)
		}
	}
}

// useAll does everything that can be done with a database.
func useAll(data []byte) {
	db, err := vulndb.New(data)
	if err != nil {
		return
	}
	_ = db.Check() // must return
	for _, q := range [][3]string{{"PyPI", "acme", "1.0"}, {"PyPI", "acme", "odd one"}, {"Go", "example.com/m", "v1.0.0"}, {"PyPI", "none", ""}} {
		for _, m := range db.Lookup(q[0], q[1], q[2]) {
			if m.Outcome != lamina.Fail && (m.Outcome != lamina.Unknown || m.Reason == "") {
				panic("a match without an outcome or a reason")
			}
		}
	}
	db.Covers("PyPI")
	db.SignedBy()
}

// Damage that the checksums do not show is said by the lookup that meets it.
func TestHostile_damage_is_unknown(t *testing.T) {
	good := small(t)
	at := strings.Index(string(good), "\x04PyPI\x04acme")
	if at < 0 {
		t.Fatal("no posting")
	}
	good[at+10] = 0xff // the number of blocks
	vulndb.Reseal(good)
	db, err := vulndb.New(good)
	if err != nil {
		t.Fatal(err)
	}
	ms := db.Lookup("PyPI", "acme", "1.0")
	if len(ms) == 0 || ms[len(ms)-1].Outcome != lamina.Unknown || !strings.Contains(ms[len(ms)-1].Reason, "damaged") {
		t.Errorf("got %+v", ms)
	}
	if err := db.Check(); err == nil {
		t.Error("Check finds nothing")
	}
}

func FuzzDatabase(f *testing.F) {
	f.Add(small(f))
	f.Fuzz(func(_ *testing.T, data []byte) {
		data = slices.Clone(data)
		useAll(data)
		vulndb.Reseal(data)
		useAll(data)
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		record("X-1", "PyPI", "a", `"versions":["1"]`),
		`{"id":"X","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"database_specific":{"severity":{"odd":1}}}]}`,
		"id: X\nmodified: 2026-01-01T00:00:00Z\naffected:\n- package: {ecosystem: PyPI, name: a}\n  versions: [1.10, 0]\n",
		`{"affected":null}`, "a: &a [*a]", "id: !!binary x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"r.json", "r.yaml"} {
			b := vulndb.NewBuilder()
			b.Add(name, data)
			db := open(t, b)
			if c := b.Counts(); c.Read != 1 || c.Kept+c.Withdrawn+c.Older+c.Unindexed+c.Foreign+c.Quarantined != 1 {
				t.Errorf("%s: one in, %+v out", name, c)
			}
			if err := db.Check(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			r, err := vulndb.Parse(data)
			if err != nil || r.Withdrawn || name != "r.json" {
				continue
			}
			for _, a := range r.Affected {
				for _, v := range a.Versions {
					if a.Name != "" && len(db.Lookup(a.Ecosystem, a.Name, v)) == 0 {
						t.Errorf("%s %s %s is listed and not found", a.Ecosystem, a.Name, v)
					}
				}
			}
		}
	})
}
