package vulndb_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

var built = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// build makes a database of records in JSON, none of which may be quarantined.
func build(tb testing.TB, records ...string) *vulndb.DB {
	tb.Helper()
	b := vulndb.NewBuilder()
	for i, r := range records {
		b.Add(fmt.Sprintf("%d.json", i), []byte(r))
	}
	for _, bad := range b.Bad() {
		tb.Fatalf("%s: %s", bad.File, bad.Reason)
	}
	return open(tb, b)
}

func open(tb testing.TB, b *vulndb.Builder) *vulndb.DB {
	tb.Helper()
	data, err := b.Build(built)
	if err != nil {
		tb.Fatal(err)
	}
	db, err := vulndb.New(data)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// record is an OSV record about one package; affected is what stands beside it.
func record(id, ecosystem, name, affected string, more ...string) string {
	return fmt.Sprintf(`{"id":%q,"modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":%q,"name":%q},%s}]%s}`,
		id, ecosystem, name, affected, strings.Join(append([]string{""}, more...), ","))
}

// events writes a range: "ECOSYSTEM introduced=0 fixed=1.2".
func events(text string) string {
	f := strings.Fields(text)
	var evs []map[string]string
	for _, e := range f[1:] {
		k, v, _ := strings.Cut(e, "=")
		evs = append(evs, map[string]string{k: v})
	}
	b, err := json.Marshal(map[string]any{"type": f[0], "events": evs})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestLookup(t *testing.T) {
	const fail, unknown, silence = "FAIL", "UNKNOWN", ""
	tests := []struct {
		name, ecosystem, ranges, versions string
		want                              map[string]string // version → outcome
	}{
		{"fixed", "PyPI", "ECOSYSTEM introduced=0 fixed=1.26.17", "", map[string]string{
			"0": fail, "1.26.16": fail, "1.26.17": silence, "1.26.17rc1": fail, "1.26.9": fail, "1.27": silence, "1.26.16+local.1": fail,
		}},
		{"introduced_later", "PyPI", "ECOSYSTEM introduced=2.0 fixed=2.0.7", "", map[string]string{
			"1.9": silence, "2.0.0": fail, "2.0a1": silence, "2.0.6": fail, "2.0.7": silence,
		}},
		{"two_branches_out_of_order", "PyPI", "ECOSYSTEM introduced=2.0.0 fixed=2.0.7 introduced=0 fixed=1.26.18", "", map[string]string{
			"1.26.17": fail, "1.26.18": silence, "2.0.0": fail, "2.0.7": silence,
		}},
		{"last_affected", "npm", "SEMVER introduced=1.0.0 last_affected=1.4.2", "", map[string]string{
			"0.9.9": silence, "1.0.0": fail, "1.4.2": fail, "1.4.3-0": silence, "1.4.3": silence, "1.4.2+build": fail,
		}},
		{"never_fixed", "npm", "SEMVER introduced=1.0.0", "", map[string]string{"0.1.0": silence, "99.0.0": fail, "latest": unknown}},
		{"all_versions", "npm", "SEMVER introduced=0", "", map[string]string{"0.0.1": fail, "latest": fail, "": fail}},
		{"limit", "PyPI", "ECOSYSTEM introduced=0 limit=3.0", "", map[string]string{"2.9": fail, "3.0": silence, "4": silence}},
		{"limit_everything", "PyPI", "ECOSYSTEM introduced=1 limit=* limit=2", "", map[string]string{"0.5": silence, "1": fail, "3.0": fail}},
		{"prerelease", "npm", "SEMVER introduced=0 fixed=2.0.0-beta.3", "", map[string]string{
			"2.0.0-beta.2": fail, "2.0.0-beta.10": silence, "2.0.0": silence, "2.0.0-alpha": fail,
		}},
		{"listed", "PyPI", "", "1.0 1.1 weird-one", map[string]string{
			"1.0": fail, "1.0.0": fail, "1.2": silence, "weird-one": fail, "weird-two": unknown,
		}},
		{"listed_and_range", "PyPI", "ECOSYSTEM introduced=0 fixed=2", "1.0 2.5", map[string]string{"1.7": fail, "2": silence, "2.5": fail, "2.6": silence}},
		{"commits_only", "PyPI", "GIT introduced=0 fixed=4e98d57809da", "", map[string]string{"1.0": unknown}},
		{"commits_and_versions", "PyPI", "GIT introduced=0 fixed=4e98d57809da", "1.0", map[string]string{"1.0": fail, "2.0": silence}},
		{"nothing", "PyPI", "", "", map[string]string{"1.0": unknown}},
		{"a_commit_as_version", "PyPI", "ECOSYSTEM introduced=0 fixed=4e98d57809da", "1.0", map[string]string{"1.0": fail, "2.0": unknown}},
		{"no_order", "Toolbox", "ECOSYSTEM introduced=0 fixed=2", "1.0", map[string]string{"1.0": fail, "1.5": unknown}},
		{"no_order_but_semver", "Toolbox", "SEMVER introduced=0 fixed=2.0.0", "", map[string]string{"1.0.0": fail, "2.0.0": silence}},
		{"semver_in_pypi", "PyPI", "SEMVER introduced=0 fixed=2.0.0-rc.1", "9", map[string]string{"2.0.0-alpha": fail, "2.0.0": silence, "9.0": fail}},
		{"no_version", "PyPI", "ECOSYSTEM introduced=0 fixed=2", "", map[string]string{"": unknown, "${version}": unknown}},
		{"go_library", "Go", "SEMVER introduced=0 fixed=1.21.5 introduced=1.22.0-0 fixed=1.22.0-rc.2", "", map[string]string{
			"go1.21.4": fail, "1.21.5": silence, "go1.22rc1": fail, "go1.22rc2": silence, "v1.21.4": fail, "go1.22.0": silence, "(devel)": unknown,
		}},
		{"go_pseudo_version", "Go", "SEMVER introduced=0 fixed=0.0.0-20220314234659-1baeb1ce4c0b", "", map[string]string{
			"v0.0.0-20210921155107-089bfa567519": fail, "v0.0.0-20220314234659-1baeb1ce4c0b": silence, "v0.1.0": silence,
		}},
		{"maven", "Maven", "ECOSYSTEM introduced=2.0-beta9 fixed=2.15.0", "", map[string]string{
			"2.0-beta8": silence, "2.0-rc1": fail, "2.14.1": fail, "2.15.0": silence, "2.15.0-rc1": fail, "${log4j.version}": unknown,
		}},
		{"rubygems", "RubyGems", "ECOSYSTEM introduced=0 fixed=5.2.4.3", "", map[string]string{"5.2.4.2": fail, "5.2.4.3": silence, "5.2.4.3.rc1": fail, "6": silence}},
		{"nuget", "NuGet", "ECOSYSTEM introduced=1.0 fixed=1.0.0.5", "", map[string]string{"1.0.0.4": fail, "1.0.0.5": silence, "1.0.0-beta": silence}},
		{"endless_digits", "npm", "SEMVER introduced=0 fixed=2.0.0", "", map[string]string{strings.Repeat("9", 5000): unknown}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var parts []string
			if tt.ranges != "" {
				parts = append(parts, `"ranges":[`+events(tt.ranges)+`]`)
			}
			v, err := json.Marshal(strings.Fields(tt.versions))
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, `"versions":`+string(v))
			db := build(t, record("X-1", tt.ecosystem, "a:pkg", strings.Join(parts, ",")))
			for v, want := range tt.want {
				got := silence
				if ms := db.Lookup(tt.ecosystem, "a:pkg", v); len(ms) > 0 {
					got = string(ms[0].Outcome)
					if (ms[0].Reason != "") != (ms[0].Outcome == lamina.Unknown) {
						t.Errorf("%q: outcome %s with reason %q", v, ms[0].Outcome, ms[0].Reason)
					}
				}
				if got != want {
					t.Errorf("%q: got %q, want %q", v, got, want)
				}
			}
		})
	}
}

func TestLookup_names(t *testing.T) {
	for _, tt := range []struct {
		ecosystem, name string
		same, other     []string // "ecosystem name"
	}{
		{"PyPI", "Acme.Auth_x", []string{"pypi acme-auth-x", "PyPI ACME__auth.-x"}, []string{"npm acme-auth-x", "PyPI acmeauthx"}},
		{"npm", "@acme/Auth", []string{"npm @acme/Auth"}, []string{"npm @acme/auth", "npm Auth"}},
		{"Maven", "org.acme:auth", []string{"maven org.acme/auth", "Maven org.acme:auth"}, []string{"Maven org.acme:Auth"}},
		{"Maven:https://repo.invalid/m2", "org.acme:auth", []string{"Maven org.acme:auth"}, nil},
		{"NuGet", "Acme.Auth", []string{"nuget acme.AUTH"}, []string{"NuGet Acme-Auth"}},
		{"Go", "example.com/Acme/v2", []string{"golang example.com/Acme/v2"}, []string{"Go example.com/acme/v2", "Go example.com/Acme"}},
		{"crates.io", "acme_auth", []string{"cargo Acme-Auth"}, []string{"crates.io acmeauth"}},
		{"RubyGems", "acme-auth", []string{"gem acme-auth"}, []string{"gem acme_auth"}},
	} {
		db := build(t, record("X-1", tt.ecosystem, tt.name, `"ranges":[`+events("SEMVER introduced=0")+`]`))
		for i, q := range slices.Concat(tt.same, tt.other) {
			e, n, _ := strings.Cut(q, " ")
			if got, want := len(db.Lookup(e, n, "1.0.0")), max(0, min(1, len(tt.same)-i)); got != want {
				t.Errorf("%s %s: %q gives %d matches, want %d", tt.ecosystem, tt.name, q, got, want)
			}
		}
	}
}

func TestLookup_merges_aliases(t *testing.T) {
	fixed := func(v string) string { return `"ranges":[` + events("ECOSYSTEM introduced=0 fixed="+v) + `]` }
	db := build(t,
		record("PYSEC-1", "PyPI", "acme", fixed("1.2"), `"aliases":["CVE-2026-1"]`, `"published":"2025-12-02T00:00:00Z"`),
		record("GHSA-1", "PyPI", "Acme", fixed("1.2.0"), `"aliases":["CVE-2026-1"]`, `"summary":"a  flaw\nof note"`, `"published":"2025-12-01T00:00:00Z"`,
			`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]`),
		record("PYSEC-2", "PyPI", "acme", fixed("1.3")),
		record("GHSA-2", "PyPI", "acme", `"ranges":[`+events("GIT introduced=0")+`]`, `"aliases":["PYSEC-2"]`),
		record("GHSA-3", "PyPI", "acme", fixed("9"), `"withdrawn":"2026-01-01T00:00:00Z"`),
		record("MAL-2026-7", "PyPI", "acme", `"versions":["1.0"]`),
	)
	want := []vulndb.Match{
		{IDs: []string{"MAL-2026-7"}, Outcome: lamina.Fail, Severity: lamina.Critical, Malicious: true, Summary: "the package is malicious"},
		{
			IDs: []string{"CVE-2026-1", "GHSA-1", "PYSEC-1"}, Outcome: lamina.Fail, Severity: lamina.Critical, Score: 9.8,
			CVSS: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Summary: "a flaw of note", Fixed: []string{"1.2"},
			Published: time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC),
		},
		{IDs: []string{"GHSA-2", "PYSEC-2"}, Outcome: lamina.Fail, Fixed: []string{"1.3"}},
	}
	if d := cmp.Diff(want, db.Lookup("PyPI", "acme", "1.0"), cmpopts.IgnoreFields(vulndb.Match{}, "Modified")); d != "" {
		t.Error(d)
	}
	if got := db.Info().Counts; got != (vulndb.Counts{Read: 6, Kept: 5, Withdrawn: 1}) {
		t.Errorf("counts: %+v", got)
	}
}

// What one database knows commits of only is settled by another that knows the
// versions.
func TestLookup_settles_by_aliases(t *testing.T) {
	db := build(t,
		record("PYSEC-1", "PyPI", "acme", `"ranges":[`+events("GIT introduced=0")+`]`, `"aliases":["CVE-2026-1"]`),
		record("GHSA-1", "PyPI", "acme", `"ranges":[`+events("ECOSYSTEM introduced=0 fixed=1.2")+`]`, `"aliases":["CVE-2026-1"]`),
		record("PYSEC-2", "PyPI", "acme", `"ranges":[`+events("GIT introduced=0")+`]`),
	)
	for version, want := range map[string][]lamina.Outcome{
		"1.0":  {lamina.Fail, lamina.Unknown},
		"1.2":  {lamina.Unknown},
		"odd?": {lamina.Unknown, lamina.Unknown},
	} {
		var got []lamina.Outcome
		for _, m := range db.Lookup("PyPI", "acme", version) {
			got = append(got, m.Outcome)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", version, got, want)
		}
	}
}

func TestBuild_counts_and_bytes(t *testing.T) {
	affected := `"ranges":[` + events("ECOSYSTEM introduced=0 fixed=2") + `]`
	records := []string{
		record("X-1", "PyPI", "a", affected),
		strings.Replace(record("X-1", "PyPI", "a", `"versions":["7"]`), "2026-01-01", "2026-01-03", 1),
		strings.Replace(record("X-1", "PyPI", "a", `"versions":["8"]`), "2026-01-01", "2026-01-03", 1),
		record("X-2", "npm", "b", affected, `"withdrawn":"2026-01-01T00:00:00Z"`),
		`{"id":"X-3","modified":"2026-01-01T00:00:00Z","affected":[{"ranges":[` + events("GIT introduced=0") + `]}]}`,
		`{"modified":"2026-01-01T00:00:00Z"}`,
		`{"id":"X-5","modified":"2026-01-01T00:00:00Z"} {}`,
		`not json`,
		`{"name":"package.json of something"}`,
	}
	var files [][]byte
	for range 2 {
		b := vulndb.NewBuilder()
		b.Source("test")
		for i, r := range records {
			b.Add(fmt.Sprintf("%d.json", i), []byte(r))
		}
		data, err := b.Build(built)
		if err != nil {
			t.Fatal(err)
		}
		want := vulndb.Counts{Read: 9, Kept: 1, Withdrawn: 1, Older: 2, Unindexed: 1, Foreign: 1, Quarantined: 3}
		if d := cmp.Diff(want, b.Counts()); d != "" {
			t.Error(d)
		}
		if len(b.Bad()) != 3 || b.Bad()[0].Reason == "" || b.Bad()[0].Source != "test" {
			t.Errorf("bad: %v", b.Bad())
		}
		files = append(files, data)
		slices.Reverse(records)
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("the same records in another order give other bytes")
	}
	db, err := vulndb.New(files[0])
	if err != nil {
		t.Fatal(err)
	}
	info := db.Info()
	if !info.Built.Equal(built) || !info.Newest.Equal(time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("built %v, newest %v", info.Built, info.Newest)
	}
	if d := cmp.Diff([]vulndb.EcosystemInfo{{Name: "PyPI", Packages: 1, Advisories: 1}}, info.Ecosystems); d != "" {
		t.Error(d)
	}
	if !db.Covers("pypi") || db.Covers("npm") {
		t.Error("covers what it has no advisory of, or not what it has")
	}
}

// The repository of Go's database has no times of modification, and reports in
// YAML beside the records.
func TestAdd_go_repository(t *testing.T) {
	b := vulndb.NewBuilder()
	b.Add("data/osv/GO-2020-0001.json", []byte(`{"schema_version":"1.3.1","id":"GO-2020-0001","modified":"0001-01-01T00:00:00Z","published":"2021-04-14T20:04:52Z",
		"aliases":["CVE-2020-36567","GHSA-6vm3-jj99-7229"],"details":"The default formatter\n\nallows more.","affected":[{"package":{"name":"example.com/gin","ecosystem":"Go"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.6.0"}]}],
		"ecosystem_specific":{"imports":[{"path":"example.com/gin","symbols":["Default","Logger"]}]}}],
		"database_specific":{"url":"https://pkg.go.dev/vuln/GO-2020-0001","review_status":"REVIEWED"}}`))
	b.Add("data/reports/GO-2020-0001.yaml", []byte("id: GO-2020-0001\nmodules:\n    - module: example.com/gin\n"))
	db := open(t, b)
	if c := b.Counts(); c != (vulndb.Counts{Read: 2, Kept: 1, Foreign: 1}) {
		t.Errorf("counts: %+v", c)
	}
	published := time.Date(2021, 4, 14, 20, 4, 52, 0, time.UTC)
	want := []vulndb.Match{{
		IDs: []string{"CVE-2020-36567", "GHSA-6vm3-jj99-7229", "GO-2020-0001"}, Summary: "The default formatter allows more.",
		Fixed: []string{"1.6.0"}, Published: published, Modified: published, Outcome: lamina.Fail,
		Imports: []vulndb.Import{{Path: "example.com/gin", Symbols: []string{"Default", "Logger"}}},
	}}
	if d := cmp.Diff(want, db.Lookup("golang", "example.com/gin", "v1.5.0")); d != "" {
		t.Error(d)
	}
	if !db.Info().Newest.Equal(published) {
		t.Errorf("newest: %v", db.Info().Newest)
	}
}

func TestParse_summary(t *testing.T) {
	long := strings.Repeat("wörd ", 100)
	for _, tt := range []struct{ summary, details, want string }{
		{"a  summary\nof two lines", "details", "a summary of two lines"},
		{"", "Details that say it.", "Details that say it."},
		{" ", "# Impact\nAnyone can log in.", "Anyone can log in."},
		{"", "Acme Auth is an auth server. Before 1.2 anyone can log in.", "Before 1.2 anyone can log in."},
		{"", "Acme is a server. Short.", "Acme is a server. Short."},
		{"", "The reader of packets is a place where attackers, who are many, get in. Do not use it.", "The reader of packets is a place where attackers, who are many, get in. Do not use it."},
		{"", "", ""},
		{long, "", strings.TrimSuffix(strings.Repeat("wörd ", 26), " ") + "…"},
	} {
		r, err := json.Marshal(map[string]any{"id": "X-1", "modified": built, "summary": tt.summary, "details": tt.details})
		if err != nil {
			t.Fatal(err)
		}
		got, err := vulndb.Parse(r)
		if err != nil || got.Summary != tt.want || len(got.Summary) > 160 {
			t.Errorf("%q, %q: got %q (%v)", tt.summary, tt.details, got.Summary, err)
		}
	}
}
