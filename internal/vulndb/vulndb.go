// Package vulndb is OSV advisories as a local index
// (https://ossf.github.io/osv-schema/).
//
// A lookup answers with an Outcome: Fail when an advisory lists the version,
// Unknown when an advisory for the package has only ranges, which are not
// evaluated yet. Pass is never said here: no match in this database is silence,
// and what the database covers is for the caller to say. It fetches nothing.
package vulndb

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// MaxRecord is the size in bytes above which Parse refuses a record.
const MaxRecord = 4 << 20

// A Record is what of an OSV record is kept.
type Record struct {
	ID        string     `json:"id"`
	Aliases   []string   `json:"aliases"`
	Summary   string     `json:"summary"`
	Modified  time.Time  `json:"modified"`
	Withdrawn *time.Time `json:"withdrawn"`
	Affected  []Affected `json:"affected"`
}

// Affected is one package of a record.
type Affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Versions []string          `json:"versions"`
	Ranges   []json.RawMessage `json:"ranges"`
}

// Parse reads one record.
func Parse(data []byte) (Record, error) {
	if len(data) > MaxRecord {
		return Record{}, fmt.Errorf("osv record of %d bytes is above the limit of %d", len(data), MaxRecord)
	}
	var r Record
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&r); err != nil {
		return Record{}, fmt.Errorf("osv record: %w", err)
	}
	if r.ID == "" || r.Modified.IsZero() {
		return Record{}, errors.New("osv record: id and modified are required")
	}
	return r, nil
}

// A Match says that a record is about a package and a version of it.
type Match struct {
	ID      string
	Outcome lamina.Outcome // Fail or Unknown
	Reason  string         // of Unknown
	Summary string
}

// A DB is an index of records. Build it with Add, then only look things up.
type DB struct {
	packages map[string][]entry
}

type entry struct {
	record   Record
	affected Affected
}

// Add puts a record into the index. Withdrawn records are left out.
func (db *DB) Add(r Record) {
	if r.Withdrawn != nil {
		return
	}
	if db.packages == nil {
		db.packages = map[string][]entry{}
	}
	for _, a := range r.Affected {
		k := key(a.Package.Ecosystem, a.Package.Name)
		db.packages[k] = append(db.packages[k], entry{r, a})
	}
}

// Lookup returns the matches, sorted by id.
func (db *DB) Lookup(ecosystem, name, version string) []Match {
	var ms []Match
	for _, e := range db.packages[key(ecosystem, name)] {
		switch m := (Match{ID: e.record.ID, Summary: e.record.Summary}); {
		case slices.Contains(e.affected.Versions, version):
			m.Outcome = lamina.Fail
			ms = append(ms, m)
		case len(e.affected.Versions) == 0:
			m.Outcome, m.Reason = lamina.Unknown, "the advisory gives version ranges, which are not evaluated"
			ms = append(ms, m)
		}
	}
	slices.SortFunc(ms, func(a, b Match) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Outcome, b.Outcome)) })
	return slices.Compact(ms)
}

// key normalises names as PyPI does, where case and separators do not count.
// Other ecosystems are taken as written.
func key(ecosystem, name string) string {
	if ecosystem == "PyPI" {
		name = strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' }), "-")
	}
	return ecosystem + "\x00" + name
}
