package vulndb_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

// oracle answers a lookup by going through all records, event by event, as the
// section "Evaluation" of https://ossf.github.io/osv-schema/ has it. It knows
// nothing of places, postings and lists that leave out what adds nothing.
func oracle(records []vulndb.Record, ecosystem, name, version string) map[string]lamina.Outcome {
	out := map[string]lamina.Outcome{}
	for _, r := range records {
		for _, a := range r.Affected {
			if r.Withdrawn || vulndb.Ecosystem(a.Ecosystem) != ecosystem || vulndb.Name(ecosystem, a.Name) != vulndb.Name(ecosystem, name) {
				continue
			}
			switch o := oracleAffected(a, ecosystem, version); {
			case o == lamina.Fail, o == lamina.Unknown && out[r.ID] == "":
				out[r.ID] = o
			}
		}
	}
	return out
}

func oracleAffected(a vulndb.Affected, ecosystem, version string) lamina.Outcome {
	ordered, git := 0, 0
	unknown := false
	for _, r := range a.Ranges {
		if r.Type == "GIT" {
			git++
			continue
		}
		ordered++
		affected, err := oracleRange(r, ecosystem, version)
		if affected {
			return lamina.Fail
		}
		unknown = unknown || err != nil
	}
	for _, v := range a.Versions {
		if v == version {
			return lamina.Fail
		}
		if n, err := vulndb.CompareVersions(ecosystem, "ECOSYSTEM", v, version); err == nil && n == 0 {
			return lamina.Fail
		}
	}
	if len(a.Versions) > 0 {
		if _, err := vulndb.CompareVersions(ecosystem, "ECOSYSTEM", version, version); err != nil {
			unknown = true
		}
	}
	if unknown || ordered == 0 && len(a.Versions) == 0 {
		return lamina.Unknown
	}
	return ""
}

func oracleRange(r vulndb.Range, ecosystem, version string) (bool, error) {
	events := slices.Clone(r.Events)
	var failed error
	all := len(events) > 0
	for _, e := range events {
		all = all && (e == vulndb.Event{Kind: vulndb.Introduced, Version: "0"} || e == vulndb.Event{Kind: vulndb.Limit, Version: "*"})
	}
	if all && slices.Contains(events, vulndb.Event{Kind: vulndb.Introduced, Version: "0"}) {
		return true, nil
	}
	compare := func(a, b string) int {
		n, err := vulndb.CompareVersions(ecosystem, r.Type, a, b)
		if err != nil {
			failed = err
		}
		return n
	}
	compare(version, version)
	limited, before, star := false, false, false
	for _, e := range events {
		star = star || e == vulndb.Event{Kind: vulndb.Limit, Version: "*"}
	}
	for _, e := range events {
		if e.Kind == vulndb.Limit && !star {
			limited = true
			before = compare(version, e.Version) < 0 || before
		}
	}
	events = slices.DeleteFunc(events, func(e vulndb.Event) bool { return e.Kind == vulndb.Limit })
	slices.SortStableFunc(events, func(a, b vulndb.Event) int {
		az := a.Kind == vulndb.Introduced && a.Version == "0"
		bz := b.Kind == vulndb.Introduced && b.Version == "0"
		switch {
		case az && bz:
			return 0
		case az:
			return -1
		case bz:
			return 1
		}
		return compare(a.Version, b.Version)
	})
	vulnerable := false
	for _, e := range events {
		switch e.Kind {
		case vulndb.Introduced:
			if e.Version == "0" || compare(version, e.Version) >= 0 {
				vulnerable = true
			}
		case vulndb.Fixed:
			if compare(version, e.Version) >= 0 {
				vulnerable = false
			}
		case vulndb.LastAffected:
			if compare(version, e.Version) > 0 {
				vulnerable = false
			}
		case vulndb.Limit:
		}
	}
	if failed != nil {
		return false, failed
	}
	return vulnerable && (!limited || before), nil
}

// found is what the index says, in the oracle's form.
func found(db *vulndb.DB, ecosystem, name, version string) map[string]lamina.Outcome {
	out := map[string]lamina.Outcome{}
	for _, m := range db.Lookup(ecosystem, name, version) {
		out[m.IDs[0]] = m.Outcome
	}
	return out
}

// scribe makes records of the bytes a fuzzer gives.
type scribe struct{ data []byte }

func (s *scribe) n(limit int) int {
	if len(s.data) == 0 {
		return 0
	}
	n := int(s.data[0]) % limit
	s.data = s.data[1:]
	return n
}

func (s *scribe) of(all []string) string { return all[s.n(len(all))] }

var fuzzVersions = map[string][]string{
	"PyPI":     {"0", "1.0", "1.0.0", "1.1", "1.1rc1", "1.1.dev2", "1.1.post1", "2.0a1", "2", "2.0+x", "10", "1!0.5", "nonsense", "4e98d578"},
	"npm":      {"0", "1.0.0", "1.0.1", "1.0.1-rc.1", "1.1.0", "2.0.0-beta.2", "2.0.0-beta.11", "2.0.0", "10.0.0", "v1.0.0", "latest", "1.0.0+b"},
	"Maven":    {"0", "1.0", "1.0.0", "1.0-rc1", "1.0-SNAPSHOT", "1.1", "2.0-beta9", "2.0", "r09", "10", "${v}", "1.0.Final"},
	"RubyGems": {"0", "1.0", "1.0.0", "1.0.rc1", "1.1", "2.0.0.pre2", "2", "10", "x"},
	"NuGet":    {"0", "1.0", "1.0.0.0", "1.0.0.5", "1.0.0-beta", "1.0.0-Beta.2", "2.0", "10.0", "x"},
	"Toolbox":  {"0", "1.0.0", "1.1.0", "2.0.0", "x"},
}

// records makes some records of one package, and returns the ecosystem.
func (s *scribe) records() (ecosystem string, records []string) {
	ecosystem = s.of(slices.Sorted(maps.Keys(fuzzVersions)))
	versions := fuzzVersions[ecosystem]
	for i := range 1 + s.n(6) {
		var affected []map[string]any
		for range 1 + s.n(2) {
			a := map[string]any{"package": map[string]string{"ecosystem": ecosystem, "name": "p"}}
			var ranges []map[string]any
			for range s.n(3) {
				var evs []map[string]string
				for range s.n(6) {
					kind := s.of([]string{"introduced", "introduced", "fixed", "fixed", "last_affected", "limit"})
					v := s.of(versions)
					if kind == "limit" && s.n(3) == 0 {
						v = "*"
					}
					evs = append(evs, map[string]string{kind: v})
				}
				ranges = append(ranges, map[string]any{"type": s.of([]string{"ECOSYSTEM", "ECOSYSTEM", "SEMVER", "GIT"}), "events": evs})
			}
			a["ranges"] = ranges
			var listed []string
			for range s.n(4) {
				listed = append(listed, s.of(versions))
			}
			a["versions"] = listed
			affected = append(affected, a)
		}
		b, err := json.Marshal(map[string]any{"id": fmt.Sprintf("X-%d", i), "modified": "2026-01-01T00:00:00Z", "affected": affected})
		if err != nil {
			panic(err)
		}
		records = append(records, string(b))
	}
	return ecosystem, records
}

func checkOracle(t *testing.T, data []byte) {
	t.Helper()
	s := &scribe{data}
	ecosystem, texts := s.records()
	db := build(t, texts...)
	var records []vulndb.Record
	for _, text := range texts {
		r, err := vulndb.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	for _, v := range append(slices.Clone(fuzzVersions[ecosystem]), "", "1.5", "1.0.1", "99", "0.0.1", "other") {
		if d := cmp.Diff(oracle(records, ecosystem, "p", v), found(db, ecosystem, "p", v)); d != "" {
			t.Fatalf("%s %q: the index differs from a scan (-scan +index):\n%s\n%s", ecosystem, v, d, strings.Join(texts, "\n"))
		}
	}
	if err := db.Check(); err != nil {
		t.Errorf("check: %v", err)
	}
}

func TestOracle_random(t *testing.T) {
	x := uint64(1)
	for range 400 {
		data := make([]byte, 150)
		for i := range data {
			x = x*6364136223846793005 + 1442695040888963407
			data[i] = byte(x >> 56)
		}
		checkOracle(t, data)
		if t.Failed() {
			return
		}
	}
}

func FuzzOracle(f *testing.F) {
	f.Add([]byte("\x01\x02\x00\x01\x03\x00\x00\x01\x02\x03\x00\x04"))
	f.Fuzz(checkOracle)
}

// The real advisories, each at its own versions and beside them.
func TestOracle_real(t *testing.T) {
	b := vulndb.NewBuilder()
	var records []vulndb.Record
	for name, data := range tarFiles(t, advisories(t)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		b.Add(name, data)
		r, err := vulndb.ParseYAML(data)
		if err != nil {
			t.Fatal(err)
		}
		r.Aliases = nil
		records = append(records, r)
	}
	db := open(t, b)
	byName := map[string][]vulndb.Record{}
	for _, r := range records {
		for _, a := range r.Affected {
			n := vulndb.Name("PyPI", a.Name)
			byName[n] = append(byName[n], r)
		}
	}
	asked := 0
	for name, rs := range byName {
		versions := map[string]bool{"": true, "0": true, "999": true}
		for _, r := range rs {
			for _, a := range r.Affected {
				for i, v := range a.Versions {
					if i%7 == 0 {
						versions[v] = true
					}
				}
				for _, g := range a.Ranges {
					for _, e := range g.Events {
						versions[e.Version], versions[e.Version+".dev0"], versions[e.Version+".post1"] = true, true, true
					}
				}
			}
		}
		all := slices.Sorted(maps.Keys(versions))
		for i, v := range all {
			if i%(1+len(all)/10) != 0 {
				continue // going through all records again and again is slow
			}
			asked++
			want := oracle(rs, "PyPI", name, v)
			got := map[string]lamina.Outcome{}
			for _, m := range db.Lookup("PyPI", name, v) {
				for _, id := range m.IDs {
					if _, ok := want[id]; ok || strings.HasPrefix(id, "PYSEC-") {
						got[id] = m.Outcome
					}
				}
			}
			// Advisories that are aliases of each other are judged as one.
			for id, o := range want {
				if got[id] == lamina.Fail && o == lamina.Unknown {
					want[id] = lamina.Fail
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s %q: the index differs from a scan (-scan +index):\n%s", name, v, d)
			}
		}
	}
	t.Logf("%d packages, %d lookups", len(byName), asked)
}

// The reader of Python versions takes nothing that the expression of the
// specification does not.
func FuzzPEP440(f *testing.F) {
	re := regexp.MustCompile(`^v?([0-9]+!)?[0-9]+(\.[0-9]+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?$`)
	for _, s := range []string{"1.0", "1!2.0rc1.post2.dev3+local.7", "v1.0-1", "1.0.a.1", "2019-09-12", "1.0-rc", "1.8c1", "1.0a.dev1", "1..0", "1.0+", "1.0.dev", "1.0-r4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// A separator at the end is in the expression by accident.
		want := re.MatchString(strings.ToLower(s)) && strings.IndexByte("-_.", s[len(s)-1]) < 0
		if got := vulndb.PEP440(s); got && !want || want && !got && !strings.ContainsAny(s, "-_.") {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	})
}
