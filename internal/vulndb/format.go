package vulndb

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The file lamina.db, all numbers little endian:
//
//	header    128 bytes
//	   0  8   "LAMINADB"
//	   8  4   schema version
//	  12  4   CRC-32C of the body, which Open checks
//	  16  32  SHA-256 of the body, which Verify checks
//	  48  64  offset and length in the body of each of four sections, in order:
//	          info, names, postings, advisories; the advisories' section begins
//	          with the table of their offsets
//	 112  8   length of the body
//	 120  4   number of advisories
//	 124  4   CRC-32C of the bytes before
//	body      the sections
//	trailer   nothing, or a signature (see Sign)
//
// info is JSON, as [Info] describes it. names is a sorted list of 16 bytes each:
// the FNV-1a hash of ecosystem, 0 and name; the offset of the posting; and its
// length. Packages with one hash stand side by side: each posting has its name.
// A posting and an advisory are made of unsigned varints and of strings, which
// are a varint and that many bytes; see packPackage and advisory.pack.
const (
	magic      = "LAMINADB"
	schema     = 1
	headerSize = 128
	nameSize   = 16
	// maxSize keeps all offsets within an int of 32 bits.
	maxSize = math.MaxInt32
	// maxPlaces is how many versions of one package can be told apart.
	maxPlaces = 1 << 20
	// maxAdvisory is above what a record within the limits of osv.go can take.
	maxAdvisory = 64 << 10
)

// The sections of the body.
const (
	secInfo = iota
	secNames
	secPostings
	secAdvisories
	sections
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is a database that is not what a build wrote.
var errDamaged = errors.New("the database is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

// seal puts a header before the sections.
func seal(parts [sections][]byte, advisories int) ([]byte, error) {
	size := headerSize
	for _, p := range parts {
		size += len(p)
	}
	if size > maxSize {
		return nil, fmt.Errorf("the database would have %d bytes, more than %d", size, int64(maxSize))
	}
	out := make([]byte, headerSize, size)
	for _, p := range parts {
		out = append(out, p...)
	}
	body := out[headerSize:]
	sum := sha256.Sum256(body)
	le := binary.LittleEndian
	copy(out, magic)
	le.PutUint32(out[8:], schema)
	le.PutUint32(out[12:], crc32.Checksum(body, castagnoli))
	copy(out[16:], sum[:])
	offset := 0
	for i, p := range parts {
		le.PutUint64(out[48+16*i:], uint64(offset))
		le.PutUint64(out[56+16*i:], uint64(len(p)))
		offset += len(p)
	}
	le.PutUint64(out[112:], uint64(len(body)))
	le.PutUint32(out[120:], uint32(advisories)) //nolint:gosec // fewer than bytes
	le.PutUint32(out[124:], crc32.Checksum(out[:124], castagnoli))
	return out, nil
}

// unseal checks the header and finds the sections. Nothing in data is believed
// but what is within it.
func (db *DB) unseal(data []byte) error {
	le := binary.LittleEndian
	switch {
	case len(data) < headerSize || string(data[:8]) != magic:
		return errors.New("not a lamina vulnerability database")
	case le.Uint32(data[8:]) != schema:
		return fmt.Errorf("the database has schema %d; this version of lamina reads %d", le.Uint32(data[8:]), schema)
	case le.Uint32(data[124:]) != crc32.Checksum(data[:124], castagnoli):
		return damaged("the checksum of the header is wrong")
	}
	size := le.Uint64(data[112:])
	if size > uint64(len(data)-headerSize) { //nolint:gosec // not negative: checked above
		return damaged("the file has %d bytes of %d: it is cut off", len(data), size+headerSize)
	}
	body := data[headerSize : headerSize+size]
	if le.Uint32(data[12:]) != crc32.Checksum(body, castagnoli) {
		return damaged("the checksum of the body is wrong")
	}
	var parts [sections][]byte
	for i := range parts {
		offset, n := le.Uint64(data[48+16*i:]), le.Uint64(data[56+16*i:])
		if offset > size || n > size-offset {
			return damaged("section %d reaches beyond the end", i)
		}
		parts[i] = body[offset : offset+n]
	}
	db.count = int(le.Uint32(data[120:]))
	if len(parts[secNames])%nameSize != 0 || len(parts[secAdvisories])/4 < db.count {
		return damaged("a section has a wrong length")
	}
	db.data = data
	db.header, db.body, db.trailer = data[:headerSize], body, data[headerSize+size:]
	db.names, db.postings, db.advisories = parts[secNames], parts[secPostings], parts[secAdvisories]
	if err := json.Unmarshal(parts[secInfo], &db.info); err != nil {
		return damaged("info: %v", err)
	}
	return nil
}

// A cursor reads varints and strings. After the first one that does not fit it
// returns zeros and keeps the error, so that loops over it end.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail() {
	c.b, c.err = nil, damaged("a record is cut off")
}

func (c *cursor) uint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

// bytes is the next string, which shares the file's memory.
func (c *cursor) bytes() []byte {
	n := c.uint()
	if n > uint64(len(c.b)) {
		c.fail()
		return nil
	}
	s := c.b[:n]
	c.b = c.b[n:]
	return s
}

// str is the next string, copied out of the file's memory.
func (c *cursor) str() string { return string(c.bytes()) }

// count is the next number, of things that have at least one byte each.
func (c *cursor) count() int {
	n := c.uint()
	if n > uint64(len(c.b)) {
		c.fail()
		return 0
	}
	return int(n) //nolint:gosec // at most the bytes that are left
}

func putString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func putInt(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) } //nolint:gosec // counts and places, not negative

// fnvName is the FNV-1a hash that names are sorted by.
func fnvName(ecosystem, name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(ecosystem) {
		h = (h ^ uint64(ecosystem[i])) * 1099511628211
	}
	h *= 1099511628211 // the 0 between them
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}
