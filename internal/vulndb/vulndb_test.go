package vulndb_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

func TestLookup(t *testing.T) {
	var db vulndb.DB
	for _, rec := range []string{
		`{"id":"X-2","modified":"2026-01-01T00:00:00Z","summary":"listed","affected":[{"package":{"ecosystem":"PyPI","name":"Acme.Auth"},"versions":["1.0","1.1"],"ranges":[{"type":"ECOSYSTEM"}]}]}`,
		`{"id":"X-1","modified":"2026-01-01T00:00:00Z","summary":"ranges only","affected":[{"package":{"ecosystem":"PyPI","name":"acme-auth"},"ranges":[{"type":"ECOSYSTEM"}]}]}`,
		`{"id":"X-3","modified":"2026-01-01T00:00:00Z","withdrawn":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"acme-auth"},"versions":["1.1"]}]}`,
		`{"id":"X-4","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"acme-auth"},"versions":["1.1"]}]}`,
	} {
		r, err := vulndb.Parse([]byte(rec))
		if err != nil {
			t.Fatal(err)
		}
		db.Add(r)
	}
	ranges := vulndb.Match{ID: "X-1", Outcome: lamina.Unknown, Reason: "the advisory gives version ranges, which are not evaluated", Summary: "ranges only"}
	for name, tt := range map[string]struct {
		ecosystem, name, version string
		want                     []vulndb.Match
	}{
		"listed":        {"PyPI", "acme_auth", "1.1", []vulndb.Match{ranges, {ID: "X-2", Outcome: lamina.Fail, Summary: "listed"}}},
		"not_listed":    {"PyPI", "acme_auth", "2.0", []vulndb.Match{ranges}},
		"other_package": {"PyPI", "acme", "1.1", nil},
		"case_matters":  {"npm", "Acme-Auth", "1.1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, db.Lookup(tt.ecosystem, tt.name, tt.version)); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"X","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1"]}]}`))
	f.Add([]byte(`{"affected":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := vulndb.Parse(data)
		if err != nil {
			return
		}
		var db vulndb.DB
		db.Add(r)
		for _, a := range r.Affected {
			for _, v := range a.Versions {
				if r.Withdrawn == nil && len(db.Lookup(a.Package.Ecosystem, a.Package.Name, v)) == 0 {
					t.Errorf("%s %s %s is listed and not found", a.Package.Ecosystem, a.Package.Name, v)
				}
			}
		}
	})
}
