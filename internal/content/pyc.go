package content

import "encoding/binary"

// Compiled is the head of a compiled Python file
// (https://peps.python.org/pep-0552/).
type Compiled struct {
	// Python is the version that compiled it, "" if the number is none known.
	Python string `json:"python,omitempty"`
	// Check says what Python compares the source with before it runs this.
	Check PycCheck `json:"check"`
	// SourceTime is in seconds since 1970 and SourceSize in bytes, both modulo
	// 2^32; 0 unless Check is CheckTime.
	SourceTime uint32 `json:"sourceTime,omitempty"`
	SourceSize uint32 `json:"sourceSize,omitempty"`
	// Sized says that the head has a size: those of Python before 3.3 do not.
	Sized bool `json:"sized,omitempty"`
}

// A PycCheck says how a compiled file is held to be that of its source.
type PycCheck string

// The checks. CheckNever is the "unchecked hash" of PEP 552: the file runs
// whatever its source says.
const (
	CheckTime  PycCheck = "time"
	CheckHash  PycCheck = "hash"
	CheckNever PycCheck = "never"
)

// magicOf are the numbers at which the versions of Python begin
// (CPython's Lib/importlib/_bootstrap_external.py and pycore_magic_number.h).
var magicOf = []struct {
	from   uint16
	python string
}{
	{3000, "3.0"},
	{3141, "3.1"},
	{3160, "3.2"},
	{3190, "3.3"},
	{3250, "3.4"},
	{3320, "3.5"},
	{3360, "3.6"},
	{3390, "3.7"},
	{3400, "3.8"},
	{3420, "3.9"},
	{3430, "3.10"},
	{3450, "3.11"},
	{3500, "3.12"},
	{3550, "3.13"},
	{3600, "3.14"},
	{3650, "3.15"},
	{3700, ""},
}

// readPyc reads the head of a compiled file, and returns nil if it is none.
func readPyc(head []byte) *Compiled {
	if len(head) < 8 || head[2] != '\r' || head[3] != '\n' {
		return nil
	}
	magic := binary.LittleEndian.Uint16(head)
	p := &Compiled{Check: CheckTime}
	for _, m := range magicOf {
		if magic >= m.from {
			p.Python = m.python
		}
	}
	if magic >= 62000 {
		p.Python = "2.7"
	}
	at := 4
	if magic >= 3390 && magic < 62000 {
		switch flags := binary.LittleEndian.Uint32(head[4:]); {
		case flags&1 != 0 && flags&2 == 0:
			p.Check = CheckNever
			return p
		case flags&1 != 0:
			p.Check = CheckHash
			return p
		}
		at = 8
	}
	if len(head) < at+4 {
		return nil
	}
	p.SourceTime = binary.LittleEndian.Uint32(head[at:])
	if magic >= 3190 && magic < 62000 {
		if len(head) < at+8 {
			return nil
		}
		p.SourceSize, p.Sized = binary.LittleEndian.Uint32(head[at+4:]), true
	}
	return p
}
