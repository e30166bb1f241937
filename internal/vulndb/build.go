package vulndb

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/internal/sealed"
)

// Info is what a database says of itself.
type Info struct {
	Schema  int       `json:"schema"`
	Built   time.Time `json:"built"`
	Newest  time.Time `json:"newest"` // the latest modified of all records read
	Sources []Source  `json:"sources"`
	Counts  Counts    `json:"counts"`
	// Ecosystems are those with at least one advisory, sorted by name.
	Ecosystems []EcosystemInfo `json:"ecosystems"`
	EPSS       *Joined         `json:"epss,omitempty"`
	KEV        *Joined         `json:"kev,omitempty"`
}

// A Source is a place records came from.
type Source struct {
	Name    string `json:"name"` // without folders: where it lay says nothing of it
	Records int    `json:"records"`
}

// Counts say where all records read went: Read is the sum of the others.
type Counts struct {
	Read      int `json:"read"`
	Kept      int `json:"kept"`
	Withdrawn int `json:"withdrawn"`
	// Older records have an id that another, later modified one has.
	Older int `json:"older"`
	// Unindexed records name no package: commits of a repository, products.
	Unindexed int `json:"unindexed"`
	// Foreign files are JSON or YAML, but no OSV record: they have neither a time
	// of modification nor affected packages.
	Foreign     int `json:"foreign"`
	Quarantined int `json:"quarantined"`
}

// An EcosystemInfo is what there is of an ecosystem.
type EcosystemInfo struct {
	Name       string `json:"name"`
	Packages   int    `json:"packages"`
	Advisories int    `json:"advisories"`
}

// Joined says what was joined by CVE id.
type Joined struct {
	Name string `json:"name"`
	// Date is that of the data, as the file says it; "" if it does not.
	Date string `json:"date,omitempty"`
	Read int    `json:"read"`
	// Used is how many advisories got a value.
	Used int `json:"used"`
}

// A Bad record could not be read.
type Bad struct {
	Source string `json:"source"`
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// MaxBad is how many bad records a Builder remembers with their reason. All are
// counted.
const MaxBad = 10_000

// A Builder makes a database of records. It is for one goroutine.
type Builder struct {
	counts  Counts
	sources []Source
	bad     []Bad
	records map[string]*held
	epss    *EPSS
	kev     *KEV
}

// held is a record with a hash of the bytes it was read from, which decides
// between two of one id and time whatever the order they came in.
type held struct {
	Record
	hash [sha256.Size]byte
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder { return &Builder{records: map[string]*held{}} }

// Source begins a new source: records added from now on are of it.
func (b *Builder) Source(name string) { b.sources = append(b.sources, Source{Name: name}) }

// Add takes a file with one record; its name decides between JSON and YAML. A
// record that cannot be read is quarantined.
func (b *Builder) Add(file string, data []byte) {
	r, err := parseFile(file, data)
	b.take(file, r, err)
}

// parseFile is the part of Add that needs no Builder.
func parseFile(file string, data []byte) (held, error) {
	parse := Parse
	if strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml") {
		parse = ParseYAML
	}
	r, err := parse(data)
	return held{r, sha256.Sum256(data)}, err
}

// take adds what parseFile made of a file.
func (b *Builder) take(file string, r held, err error) {
	switch {
	case errors.Is(err, errForeign):
		b.read()
		b.counts.Foreign++
	case err != nil:
		b.Quarantine(file, err)
	default:
		b.add(r)
	}
}

// read counts a record.
func (b *Builder) read() {
	if len(b.sources) == 0 {
		b.Source("records")
	}
	b.counts.Read++
	b.sources[len(b.sources)-1].Records++
}

// Quarantine counts a record that could not be had.
func (b *Builder) Quarantine(file string, err error) {
	b.read()
	b.counts.Quarantined++
	if len(b.bad) < MaxBad {
		b.bad = append(b.bad, Bad{b.sources[len(b.sources)-1].Name, file, err.Error()})
	}
}

func (b *Builder) add(r held) {
	b.read()
	before, ok := b.records[r.ID]
	if !ok {
		b.records[r.ID] = &r
		return
	}
	b.counts.Older++
	if cmp.Or(r.Modified.Compare(before.Modified), bytes.Compare(r.hash[:], before.hash[:])) > 0 {
		b.records[r.ID] = &r
	}
}

// EPSS joins exploit predictions by CVE id.
func (b *Builder) EPSS(e *EPSS) { b.epss = e }

// KEV joins the catalogue of known exploited vulnerabilities by CVE id.
func (b *Builder) KEV(k *KEV) { b.kev = k }

// Counts are those so far; Kept, Withdrawn and Unindexed are known after Build.
func (b *Builder) Counts() Counts { return b.counts }

// Bad are the quarantined records in the order they came, MaxBad at most.
func (b *Builder) Bad() []Bad { return b.bad }

// Build writes the database. built is the time it says it was built at. The same
// records from the same sources give the same bytes.
func (b *Builder) Build(built time.Time) ([]byte, error) {
	info := Info{Schema: schema, Built: built.UTC().Truncate(time.Second), Sources: b.sources}
	c := &b.counts
	c.Kept, c.Withdrawn, c.Unindexed = 0, 0, 0
	var advisories []advisory
	packages := map[[2]string][]entry{}
	byEcosystem := map[string]*EcosystemInfo{}
	for _, id := range slices.Sorted(maps.Keys(b.records)) {
		r := b.records[id]
		if r.Modified.After(info.Newest) {
			info.Newest = r.Modified.Truncate(time.Second)
		}
		if r.Withdrawn {
			c.Withdrawn++
			continue
		}
		indexed := false
		seen := map[string]bool{}
		for i := range r.Affected {
			a := &r.Affected[i]
			if a.Name == "" {
				continue
			}
			indexed = true
			ecosystem := Ecosystem(a.Ecosystem)
			e := byEcosystem[ecosystem]
			if e == nil {
				e = &EcosystemInfo{Name: ecosystem}
				byEcosystem[ecosystem] = e
			}
			if !seen[ecosystem] {
				e.Advisories++
				seen[ecosystem] = true
			}
			k := [2]string{ecosystem, Name(ecosystem, a.Name)}
			if packages[k] == nil {
				e.Packages++
			}
			packages[k] = append(packages[k], entry{len(advisories), a})
		}
		if !indexed {
			c.Unindexed++
			continue
		}
		c.Kept++
		advisories = append(advisories, newAdvisory(&r.Record))
	}
	groupAliases(advisories)
	info.EPSS, info.KEV = b.join(advisories)
	for _, name := range slices.Sorted(maps.Keys(byEcosystem)) {
		info.Ecosystems = append(info.Ecosystems, *byEcosystem[name])
	}
	info.Counts = *c

	var parts [sealed.Sections][]byte
	var err error
	if parts[secInfo], err = json.Marshal(info); err != nil {
		return nil, fmt.Errorf("encode the information: %w", err)
	}
	parts[secNames], parts[secPostings] = packPackages(packages)
	parts[secAdvisories] = packAdvisories(advisories)
	if len(parts[secPostings]) > sealed.MaxSize || len(parts[secAdvisories]) > sealed.MaxSize {
		return nil, fmt.Errorf("the database would have more than %d bytes", int64(sealed.MaxSize))
	}
	return format.Seal(parts, len(advisories))
}

func newAdvisory(r *Record) advisory {
	a := advisory{
		id: r.ID, aliases: slices.Clone(r.Aliases), summary: r.Summary, rating: r.Rating,
	}
	if !r.Modified.IsZero() {
		a.modified = r.Modified.Unix()
	}
	if !r.Published.IsZero() {
		a.published = r.Published.Unix()
	}
	slices.Sort(a.aliases)
	a.aliases = slices.Compact(a.aliases)
	if strings.HasPrefix(a.id, "MAL-") || slices.ContainsFunc(a.aliases, func(s string) bool { return strings.HasPrefix(s, "MAL-") }) {
		a.flags |= advMalicious
		// There are hundreds of thousands of these, which say nothing else.
		if strings.HasPrefix(a.summary, "Malicious code in ") {
			a.summary = ""
		}
	}
	return a
}

// groupAliases gives advisories of one vulnerability one number. Aliases hold
// both ways and on, as the schema says, also through ids of no record here.
func groupAliases(advisories []advisory) {
	parent := make([]int, len(advisories))
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[string]int{}
	for i := range advisories {
		parent[i] = i
		a := &advisories[i]
		for _, id := range append([]string{a.id}, a.aliases...) {
			j, ok := first[id]
			if !ok {
				first[id] = i
				continue
			}
			// The smaller becomes the root, so that numbers do not depend on the
			// order of unions.
			x, y := find(i), find(j)
			parent[max(x, y)] = min(x, y)
		}
	}
	for i := range advisories {
		advisories[i].group = find(i)
	}
}

// join puts the values of EPSS and KEV into the advisories that name the CVE.
func (b *Builder) join(advisories []advisory) (epss, kev *Joined) {
	if b.epss != nil {
		epss = &Joined{Name: b.epss.Name, Date: b.epss.Date, Read: len(b.epss.scores)}
	}
	if b.kev != nil {
		kev = &Joined{Name: b.kev.Name, Date: b.kev.Date, Read: len(b.kev.ids)}
	}
	for i := range advisories {
		a := &advisories[i]
		exploited := false
		for _, id := range append([]string{a.id}, a.aliases...) {
			if b.epss != nil {
				a.epss = max(a.epss, int(math.Round(b.epss.scores[id]*100_000)))
			}
			exploited = exploited || b.kev != nil && b.kev.ids[id]
		}
		if a.epss > 0 {
			epss.Used++
		}
		if exploited {
			a.flags |= advKEV
			kev.Used++
		}
	}
	return epss, kev
}

// packPackages writes the postings and the sorted names.
func packPackages(packages map[[2]string][]entry) (names, postings []byte) {
	keys := slices.SortedFunc(maps.Keys(packages), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	type name struct {
		hash         uint64
		offset, size int
	}
	var all []name
	for _, k := range keys {
		p := packPackage(k[0], k[1], packages[k])
		all = append(all, name{sealed.Hash(k[0], k[1]), len(postings), len(p)})
		postings = append(postings, p...)
	}
	slices.SortStableFunc(all, func(a, b name) int { return cmp.Compare(a.hash, b.hash) })
	for _, n := range all {
		names = binary.LittleEndian.AppendUint64(names, n.hash)
		names = binary.LittleEndian.AppendUint32(names, uint32(n.offset)) //nolint:gosec // Build refuses more than sealed.MaxSize
		names = binary.LittleEndian.AppendUint32(names, uint32(n.size))   //nolint:gosec // the same
	}
	return names, postings
}

// packAdvisories writes the table of offsets, from the end of the table, and the
// advisories.
func packAdvisories(advisories []advisory) []byte {
	var table, body []byte
	for i := range advisories {
		table = binary.LittleEndian.AppendUint32(table, uint32(len(body))) //nolint:gosec // Build refuses more than sealed.MaxSize
		body = advisories[i].pack(body)
	}
	return bytes.Join([][]byte{table, body}, nil)
}
