package vulndb_test

import (
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

// Vectors with the base scores that the NVD and FIRST publish for them.
func TestCVSS(t *testing.T) {
	for vector, want := range map[string]float64{
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":             9.8,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H":             10,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N":             6.1,
		"CVSS:3.1/AV:A/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N":             4.2,
		"CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H":             7.8,
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H":             9.9,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":             0,
		"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N":             1.6,
		"CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:N":             6.8,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H/E:P/RL:O":    7.5,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H":                 -1,
		"CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":        -1,
		"CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":             -1,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/X:\x1b[2Jno": -1,
	} {
		if got := vulndb.CVSS3(vector); got != want {
			t.Errorf("%s: got %v, want %v", vector, got, want)
		}
	}
	for vector, want := range map[string]float64{
		"AV:N/AC:L/Au:N/C:P/I:P/A:P": 7.5,
		"AV:N/AC:L/Au:N/C:C/I:C/A:C": 10,
		"AV:L/AC:H/Au:N/C:C/I:C/A:C": 6.2,
		"AV:N/AC:M/Au:N/C:N/I:P/A:N": 4.3,
		"AV:N/AC:L/Au:N/C:N/I:N/A:N": 0,
		"AV:N/AC:L":                  -1,
	} {
		if got := vulndb.CVSS2(vector); got != want {
			t.Errorf("%s: got %v, want %v", vector, got, want)
		}
	}
}

func TestLookup_rating(t *testing.T) {
	const v31, v4, v2 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "AV:N/AC:L/Au:N/C:C/I:C/A:C"
	sev := func(typ, v string) string { return `"severity":[{"type":"` + typ + `","score":"` + v + `"}]` }
	for name, tt := range map[string]struct {
		record, affected string
		severity         lamina.Severity
		vector           string
		score            float64
	}{
		"version_3":          {sev("CVSS_V3", v31), "", lamina.Medium, v31, 6.1},
		"version_2":          {sev("CVSS_V2", v2), "", lamina.High, v2, 10},
		"version_4_alone":    {sev("CVSS_V4", v4), "", "", v4, 0},
		"stated_wins":        {sev("CVSS_V3", v31) + `,"database_specific":{"severity":"CRITICAL"}`, "", lamina.Critical, v31, 6.1},
		"moderate_is_medium": {sev("CVSS_V4", v4) + `,"database_specific":{"severity":"MODERATE"}`, "", lamina.Medium, v4, 0},
		"of_the_package":     {"", sev("CVSS_V3", v31), lamina.Medium, v31, 6.1},
		"a_word":             {sev("Ubuntu", "low"), "", lamina.Low, "", 0},
		"odd_types":          {`"severity":[{"type":3,"score":{}}],"database_specific":["x"]`, "", "", "", 0},
		"none":               {"", "", "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			affected := []string{`"versions":["1"]`}
			if tt.affected != "" {
				affected = append(affected, tt.affected)
			}
			var more []string
			if tt.record != "" {
				more = append(more, tt.record)
			}
			m := build(t, record("X-1", "PyPI", "a", strings.Join(affected, ","), more...)).Lookup("PyPI", "a", "1")[0]
			if m.Severity != tt.severity || m.CVSS != tt.vector || m.Score != tt.score {
				t.Errorf("got %q %q %v, want %q %q %v", m.Severity, m.CVSS, m.Score, tt.severity, tt.vector, tt.score)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	b := vulndb.NewBuilder()
	b.Add("a.json", []byte(record("GHSA-1", "PyPI", "a", `"versions":["1"]`, `"aliases":["CVE-2026-1"]`)))
	b.Add("b.json", []byte(record("GHSA-2", "PyPI", "b", `"versions":["1"]`)))
	e, err := vulndb.ReadEPSS("epss.csv.gz", strings.NewReader(string(gzipOf(t, []byte("#model_version:v1,score_date:2026-01-01\ncve,epss,percentile\nCVE-2026-1,0.12345,0.9\n")))))
	if err != nil {
		t.Fatal(err)
	}
	k, err := vulndb.ReadKEV("kev.json", strings.NewReader(`{"dateReleased":"2026-01-01","vulnerabilities":[{"cveID":"CVE-2026-1"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	b.EPSS(e)
	b.KEV(k)
	db := open(t, b)
	if m := db.Lookup("PyPI", "a", "1")[0]; m.EPSS != 0.12345 || !m.KEV {
		t.Errorf("got %+v", m)
	}
	if m := db.Lookup("PyPI", "b", "1")[0]; m.EPSS != 0 || m.KEV {
		t.Errorf("got %+v", m)
	}
	if i := db.Info(); i.EPSS == nil || *i.EPSS != (vulndb.Joined{Name: "epss.csv.gz", Date: "2026-01-01", Read: 1, Used: 1}) || i.KEV == nil {
		t.Errorf("info: %+v", i)
	}
	for _, bad := range []string{"", "cve,epss\nCVE-1,2\n", "cve,epss\nCVE-1,NaN\n", "a,b\n", "cve,epss\n\x1b,0.1\n"} {
		if _, err := vulndb.ReadEPSS("x", strings.NewReader(bad)); err == nil {
			t.Errorf("%q is a file of scores", bad)
		}
	}
	for _, bad := range []string{"", "{}", `{"vulnerabilities":[{"cveID":""}]}`} {
		if _, err := vulndb.ReadKEV("x", strings.NewReader(bad)); err == nil {
			t.Errorf("%q is a catalogue", bad)
		}
	}
}
