package vulndb

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
)

// CompareVersions orders two versions as a range of the type does; an error says
// that one of them is none.
func CompareVersions(ecosystem, rangeType, a, b string) (int, error) {
	o := orderOf(ecosystem, rangeType)
	v, err := o.parse(a)
	if err != nil {
		return 0, err
	}
	w, err := o.parse(b)
	if err != nil {
		return 0, err
	}
	return v.compare(w), nil
}

// The scores of vectors, for tests against published ones.
var (
	CVSS2 = cvss2
	CVSS3 = cvss3
)

// PEP440 reports whether s is a version of Python packages.
func PEP440(s string) bool { return pep440(s) }

// Reseal makes the checksums of a changed database right again, so that tests
// reach what is behind them.
func Reseal(data []byte) {
	if len(data) < headerSize {
		return
	}
	le := binary.LittleEndian
	body := data[headerSize:]
	if n := le.Uint64(data[112:]); n < uint64(len(body)) {
		body = body[:n]
	}
	copy(data, magic)
	le.PutUint32(data[8:], schema)
	le.PutUint32(data[12:], crc32.Checksum(body, castagnoli))
	sum := sha256.Sum256(body)
	copy(data[16:], sum[:])
	le.PutUint32(data[124:], crc32.Checksum(data[:124], castagnoli))
}
