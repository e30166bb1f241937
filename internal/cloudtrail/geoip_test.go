package cloudtrail

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
)

// writeMMDB writes a MaxMind DB file of IPv4 networks
// (https://maxmind.github.io/MaxMind-DB/), so that no database need be shipped.
func writeMMDB(tb testing.TB, kind string, networks map[string]any) string {
	tb.Helper()
	type node struct {
		child [2]int // index of a node, or -1
		data  [2]int // offset of data, or -1
	}
	nodes := []node{{[2]int{-1, -1}, [2]int{-1, -1}}}
	var data []byte
	prefixes := []string{}
	for p := range networks {
		prefixes = append(prefixes, p)
	}
	slices.Sort(prefixes)
	for _, s := range prefixes {
		p := netip.MustParsePrefix(s)
		a := p.Addr().As4()
		at := 0
		for i := range p.Bits() {
			bit := int(a[i/8] >> (7 - i%8) & 1)
			if i == p.Bits()-1 {
				nodes[at].data[bit] = len(data)
				break
			}
			if nodes[at].child[bit] < 0 {
				nodes = append(nodes, node{[2]int{-1, -1}, [2]int{-1, -1}})
				nodes[at].child[bit] = len(nodes) - 1
			}
			at = nodes[at].child[bit]
		}
		data = appendMM(tb, data, networks[s])
	}
	var out []byte
	for _, n := range nodes {
		for bit := range 2 {
			v := len(nodes)
			switch {
			case n.child[bit] >= 0:
				v = n.child[bit]
			case n.data[bit] >= 0:
				v = len(nodes) + 16 + n.data[bit]
			}
			out = append(out, byte(v>>16), byte(v>>8), byte(v))
		}
	}
	out = append(out, make([]byte, 16)...)
	out = append(out, data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	out = appendMM(tb, out, map[string]any{
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(1),
		"database_type": kind, "description": map[string]any{"en": "test"}, "ip_version": uint16(4),
		"languages": []any{"en"}, "node_count": uint32(len(nodes)), "record_size": uint16(24),
	})
	file := filepath.Join(tb.TempDir(), kind+".mmdb")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		tb.Fatal(err)
	}
	return file
}

func appendMM(tb testing.TB, b []byte, v any) []byte {
	tb.Helper()
	control := func(kind, size int) {
		if kind < 8 && size < 29 {
			b = append(b, byte(kind<<5|size))
			return
		}
		if kind < 8 { // one more byte of length
			b = append(b, byte(kind<<5|29), byte(size-29))
			return
		}
		b = append(b, byte(size), byte(kind-7))
	}
	switch v := v.(type) {
	case string:
		control(2, len(v))
		return append(b, v...)
	case float64:
		control(3, 8)
		return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
	case uint16:
		control(5, 2)
		return binary.BigEndian.AppendUint16(b, v)
	case uint32:
		control(6, 4)
		return binary.BigEndian.AppendUint32(b, v)
	case uint64:
		control(9, 8)
		return binary.BigEndian.AppendUint64(b, v)
	case []any:
		control(11, len(v))
		for _, e := range v {
			b = appendMM(tb, b, e)
		}
		return b
	case map[string]any:
		control(7, len(v))
		keys := []string{}
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			b = appendMM(tb, b, k)
			b = appendMM(tb, b, v[k])
		}
		return b
	}
	tb.Fatalf("no type for %T", v)
	return nil
}

func names(en string) map[string]any {
	return map[string]any{"names": map[string]any{"en": en, "de": "anders"}}
}

func coded(en, iso string) map[string]any {
	m := names(en)
	m["iso_code"] = iso
	return m
}

func TestGeo_fills_source_fields(t *testing.T) {
	t.Parallel()
	city := writeMMDB(t, "GeoLite2-City", map[string]any{
		"192.0.2.0/24": map[string]any{
			"city": names("Ghent"), "continent": names("Europe"), "country": coded("Belgium", "BE"),
			"subdivisions": []any{coded("Flanders", "VLG"), coded("East Flanders", "VOV")},
			"location":     map[string]any{"latitude": 51.05, "longitude": 3.725},
		},
		"198.51.100.0/24": map[string]any{"country": coded("France", "FR")},
	})
	asn := writeMMDB(t, "GeoLite2-ASN", map[string]any{
		"192.0.2.0/24": map[string]any{"autonomous_system_number": uint32(64496), "autonomous_system_organization": "Example Networks"},
	})
	flat := writeMMDB(t, "city-ipv4", map[string]any{
		"198.51.100.0/24": map[string]any{"city": "Lille", "country_code": "FR", "state1": "Nord", "latitude": 50.6, "longitude": -3.0},
		"203.0.113.0/24":  map[string]any{"city": "Lyon", "country_code": "FR"},
	})
	db, err := OpenGeo(city, asn, flat)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if d := cmp.Diff([]string{"GeoLite2-City", "GeoLite2-ASN", "city-ipv4"}, db.Kinds()); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
	tests := []struct {
		address string
		want    map[string]string
	}{
		{"192.0.2.7", map[string]string{
			"source.as.number": "64496", "source.as.organization.name": "Example Networks", "source.geo.city_name": "Ghent",
			"source.geo.continent_name": "Europe", "source.geo.country_iso_code": "BE", "source.geo.country_name": "Belgium",
			"source.geo.location": "51.05,3.725", "source.geo.region_iso_code": "BE-VOV", "source.geo.region_name": "East Flanders",
		}},
		{"198.51.100.9", map[string]string{
			"source.geo.city_name": "Lille", "source.geo.country_iso_code": "FR", "source.geo.country_name": "France",
			"source.geo.location": "50.6,-3", "source.geo.region_name": "Nord",
		}},
		{"203.0.113.1", map[string]string{"source.geo.city_name": "Lyon", "source.geo.country_iso_code": "FR"}},
		{"10.0.0.1", map[string]string{}},
		{"2001:db8::1", map[string]string{}},
		{"ec2.amazonaws.com", map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.address, func(t *testing.T) {
			t.Parallel()
			e := Event{Geo: db}
			for range 2 { // the second time from the cache
				if err := e.Reset([]byte(`{"sourceIPAddress":"` + tt.address + `"}`)); err != nil {
					t.Fatal(err)
				}
				got := map[string]string{}
				for f := range ecs.All() {
					if v := e.Values(f); (strings.HasPrefix(f.Name, "source.geo") || strings.HasPrefix(f.Name, "source.as")) && f.Twin() == nil && v != nil {
						got[f.Name] = v[0]
					}
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
				if got := e.Exists(ecs.Lookup("source.geo")); got != (tt.want["source.geo.city_name"] != "") {
					t.Errorf("Exists(source.geo) = %v", got)
				}
			}
		})
	}
}

func TestOpenGeo_names_the_file(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "nothing.mmdb")
	if _, err := OpenGeo(missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("err = %v", err)
	}
	broken := filepath.Join(t.TempDir(), "broken.mmdb")
	if err := os.WriteFile(broken, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenGeo(broken); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("err = %v", err)
	}
}

// A database is a foreign file too: what it holds may be cut short anywhere.
func TestGeo_survives_broken_databases(t *testing.T) {
	t.Parallel()
	file := writeMMDB(t, "GeoLite2-City", map[string]any{
		"192.0.2.0/24": map[string]any{"city": names("Ghent"), "country": coded("Belgium", "BE")},
	})
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 0xff
		broken := filepath.Join(t.TempDir(), "b.mmdb")
		if err := os.WriteFile(broken, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := OpenGeo(broken)
		if err != nil {
			continue
		}
		db.Locate(netip.MustParseAddr("192.0.2.7"))
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}
