package cloudtrail

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"

	"github.com/oschwald/maxminddb-golang/v2"
)

// A GeoRecord is what is known of an address, as text; "" is unknown.
type GeoRecord struct {
	City, Continent, CountryISO, Country string
	// RegionISO is ISO 3166-2: the country's code, a hyphen and the region's.
	RegionISO, Region string
	// Location is "lat,lon" in decimal degrees.
	Location                 string
	ASNumber, ASOrganization string
}

// A Geo knows where addresses are and who runs their networks. It must be safe
// for concurrent use, and what it returns must outlive the call.
type Geo interface {
	// Locate returns what is known of addr; ok is false when that is nothing,
	// as for private addresses.
	Locate(addr netip.Addr) (r GeoRecord, ok bool)
}

// place is what is known of source.ip.
func (e *Event) place() *GeoRecord {
	if e.geoGen != e.gen {
		e.geoGen, e.geo = e.gen, GeoRecord{}
		if a := e.text(KeySourceIPAddress); e.Geo != nil && isAddress(a) {
			if addr, err := netip.ParseAddr(a); err == nil {
				e.geo, _ = e.Geo.Locate(addr.Unmap())
			}
		}
	}
	return &e.geo
}

// A GeoDB is MaxMind DB files read together: a later file adds what earlier
// ones do not know. It understands GeoLite2 and GeoIP2 (City, Country, ASN) and
// the flat layout of ip-location-db (https://github.com/sapics/ip-location-db).
// Lamina ships no database: their licences bind the user.
type GeoDB struct {
	readers []*maxminddb.Reader
	kinds   []string

	mu    sync.Mutex
	cache map[netip.Addr]GeoRecord
}

// maxPlaces bounds the memory of the cache; it is emptied when it is full.
const maxPlaces = 8192

// OpenGeo opens database files. The error names the file.
func OpenGeo(files ...string) (*GeoDB, error) {
	g := &GeoDB{cache: map[netip.Addr]GeoRecord{}}
	for _, f := range files {
		r, err := maxminddb.Open(f)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open the address database %s: %w", f, err), g.Close())
		}
		g.readers = append(g.readers, r)
		g.kinds = append(g.kinds, r.Metadata.DatabaseType)
	}
	return g, nil
}

// Kinds are the types the files say they are, e.g. "GeoLite2-City".
func (g *GeoDB) Kinds() []string { return g.kinds }

// Close unmaps the files. The GeoDB must not be used afterwards.
func (g *GeoDB) Close() error {
	var errs []error
	for _, r := range g.readers {
		errs = append(errs, r.Close())
	}
	return errors.Join(errs...)
}

// named is a name in several languages; the pipeline takes the English one.
type named struct {
	Names   map[string]string `maxminddb:"names"`
	ISOCode string            `maxminddb:"iso_code"`
}

// layout is the union of the layouts that are understood.
type layout struct {
	City         any     `maxminddb:"city"` // named in GeoLite2, a string in ip-location-db
	Continent    named   `maxminddb:"continent"`
	Country      named   `maxminddb:"country"`
	Subdivisions []named `maxminddb:"subdivisions"`
	Location     struct {
		Latitude  any `maxminddb:"latitude"` // float64, or float32 in ip-location-db
		Longitude any `maxminddb:"longitude"`
	} `maxminddb:"location"`
	CountryCode    string `maxminddb:"country_code"`
	State          string `maxminddb:"state1"`
	Latitude       any    `maxminddb:"latitude"`
	Longitude      any    `maxminddb:"longitude"`
	ASNumber       uint64 `maxminddb:"autonomous_system_number"`
	ASOrganization string `maxminddb:"autonomous_system_organization"`
}

// Locate looks addr up in all files.
func (g *GeoDB) Locate(addr netip.Addr) (GeoRecord, bool) {
	g.mu.Lock()
	r, ok := g.cache[addr]
	g.mu.Unlock()
	if !ok {
		for _, db := range g.readers {
			var l layout
			// A file that breaks in the middle knows nothing of the address.
			if err := db.Lookup(addr).Decode(&l); err == nil {
				r.fill(&l)
			}
		}
		g.mu.Lock()
		if len(g.cache) >= maxPlaces {
			clear(g.cache)
		}
		g.cache[addr] = r
		g.mu.Unlock()
	}
	return r, r != GeoRecord{}
}

// fill adds what l knows and r does not.
func (r *GeoRecord) fill(l *layout) {
	add := func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	switch c := l.City.(type) {
	case string:
		add(&r.City, c)
	case map[string]any:
		if names, ok := c["names"].(map[string]any); ok {
			if name, ok := names["en"].(string); ok {
				add(&r.City, name)
			}
		}
	}
	add(&r.Continent, l.Continent.Names["en"])
	add(&r.Country, l.Country.Names["en"])
	add(&r.CountryISO, l.Country.ISOCode)
	add(&r.CountryISO, l.CountryCode)
	if n := len(l.Subdivisions); n > 0 {
		s := l.Subdivisions[n-1]
		add(&r.Region, s.Names["en"])
		if l.Country.ISOCode != "" && s.ISOCode != "" {
			add(&r.RegionISO, l.Country.ISOCode+"-"+s.ISOCode)
		}
	}
	add(&r.Region, l.State)
	lat, lon := degrees(l.Location.Latitude), degrees(l.Location.Longitude)
	if lat == "" || lon == "" {
		lat, lon = degrees(l.Latitude), degrees(l.Longitude)
	}
	if lat != "" && lon != "" {
		add(&r.Location, lat+","+lon)
	}
	if l.ASNumber != 0 {
		add(&r.ASNumber, strconv.FormatUint(l.ASNumber, 10))
	}
	add(&r.ASOrganization, l.ASOrganization)
}

// degrees prints a coordinate with the digits it has, "" for none.
func degrees(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	}
	return ""
}
