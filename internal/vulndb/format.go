package vulndb

import (
	"encoding/json"

	"github.com/lamina-sec/lamina/internal/sealed"
)

// The file lamina.db is one of package sealed; the number in its header is that of
// the advisories. Its sections are info, names, postings and advisories, of which
// the last begins with the table of their offsets.
//
// info is JSON, as [Info] describes it. names is a sorted list of 16 bytes each:
// the FNV-1a hash of ecosystem, 0 and name; the offset of the posting; and its
// length. Packages with one hash stand side by side: each posting has its name.
// A posting and an advisory are made of unsigned varints and of strings, which
// are a varint and that many bytes; see packPackage and advisory.pack.
const (
	schema   = 1
	nameSize = 16
	// maxPlaces is how many versions of one package can be told apart.
	maxPlaces = 1 << 20
	// maxAdvisory is above what a record within the limits of osv.go can take.
	maxAdvisory = 64 << 10
)

// The sections.
const (
	secInfo = iota
	secNames
	secPostings
	secAdvisories
)

var format = sealed.Format{
	Magic: "LAMINADB", Schema: schema, Title: "vulnerability database", Noun: "database",
	Context: "lamina vulnerability database, header of schema 1\x00",
}

// newDB finds the sections of a file.
func newDB(f *sealed.File) (*DB, error) {
	db := &DB{
		File: f, count: f.Number(),
		names: f.Section(secNames), postings: f.Section(secPostings), advisories: f.Section(secAdvisories),
	}
	if len(db.names)%nameSize != 0 || len(db.advisories)/4 < db.count {
		return nil, f.Damaged("a section has a wrong length")
	}
	if err := json.Unmarshal(f.Section(secInfo), &db.info); err != nil {
		return nil, f.Damaged("info: %v", err)
	}
	return db, nil
}

// A cursor reads the records of a database.
type cursor struct{ *sealed.Cursor }

func (db *DB) cursor(b []byte) *cursor { return &cursor{db.Cursor(b)} }
