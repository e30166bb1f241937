// Package sealed is a file of sections that is either whole or refused: with
// checksums, mapped into memory, read without trust, and signed if somebody
// wants that. What the sections mean is the business of who gives a [Format].
//
// It refuses to interpret a section, to repair a damaged file, and to take a
// signature for more than the proof that the holder of a key wrote the file.
package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
)

// A file, all numbers little endian:
//
//	header    128 bytes
//	   0  8   Format.Magic
//	   8  4   Format.Schema
//	  12  4   CRC-32C of the body, which opening checks
//	  16  32  SHA-256 of the body, which Verify and CheckSum check
//	  48  64  offset and length in the body of each of the four sections
//	 112  8   length of the body
//	 120  4   a number that the format gives a meaning
//	 124  4   CRC-32C of the bytes before
//	body      the sections
//	trailer   nothing, or a signature (see Format.Sign)
const (
	headerSize = 128
	// Sections is how many sections a file has.
	Sections = 4
	// MaxSize keeps all offsets within an int of 32 bits.
	MaxSize = math.MaxInt32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Format is one kind of file.
type Format struct {
	// Magic is the first 8 bytes, Schema the version of the sections' layout.
	Magic  string
	Schema uint32
	// Title ("vulnerability database") and Noun ("database") are for errors.
	Title, Noun string
	// Context is what signatures are made over beside the header, so that one
	// means nothing for another kind of file.
	Context string
}

// Seal puts a header before the sections. The same sections give the same bytes.
func (f *Format) Seal(parts [Sections][]byte, number int) ([]byte, error) {
	size := headerSize
	for _, p := range parts {
		size += len(p)
	}
	if size > MaxSize {
		return nil, fmt.Errorf("the %s would have %d bytes, more than %d", f.Noun, size, int64(MaxSize))
	}
	out := make([]byte, headerSize, size)
	for _, p := range parts {
		out = append(out, p...)
	}
	body := out[headerSize:]
	sum := sha256.Sum256(body)
	le := binary.LittleEndian
	copy(out, f.Magic)
	le.PutUint32(out[8:], f.Schema)
	le.PutUint32(out[12:], crc32.Checksum(body, castagnoli))
	copy(out[16:], sum[:])
	offset := 0
	for i, p := range parts {
		le.PutUint64(out[48+16*i:], uint64(offset))
		le.PutUint64(out[56+16*i:], uint64(len(p)))
		offset += len(p)
	}
	le.PutUint64(out[112:], uint64(len(body)))
	le.PutUint32(out[120:], uint32(number)) //nolint:gosec // fewer than bytes
	le.PutUint32(out[124:], crc32.Checksum(out[:124], castagnoli))
	return out, nil
}

// Reseal makes the magic, schema and checksums of changed bytes right again, in
// place: tests reach with it what is behind them.
func (f *Format) Reseal(data []byte) {
	if len(data) < headerSize {
		return
	}
	le := binary.LittleEndian
	body := data[headerSize:]
	if n := le.Uint64(data[112:]); n < uint64(len(body)) {
		body = body[:n]
	}
	copy(data, f.Magic)
	le.PutUint32(data[8:], f.Schema)
	le.PutUint32(data[12:], crc32.Checksum(body, castagnoli))
	sum := sha256.Sum256(body)
	copy(data[16:], sum[:])
	le.PutUint32(data[124:], crc32.Checksum(data[:124], castagnoli))
}

// A File is an open file. It may be used by several goroutines.
type File struct {
	format                *Format
	data                  []byte
	header, body, trailer []byte // of data
	parts                 [Sections][]byte
	unmap                 func() error
}

// Open maps a file and checks that it is whole, which takes about a millisecond
// for each 10 MB. Whether it is genuine is for [File.Verify] to say. The file
// must not be cut while it is open; replacing it is safe.
func (f *Format) Open(path string) (*File, error) {
	in, err := os.Open(path) //nolint:gosec // the user named this file
	if err != nil {
		return nil, err
	}
	data, unmap, err := mapFile(in)
	if closeErr := in.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	x, err := f.New(data)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), unmap())
	}
	x.unmap = unmap
	return x, nil
}

// New is a file of bytes in memory, which must not change. Nothing in data is
// believed but what is within it.
func (f *Format) New(data []byte) (*File, error) {
	x := &File{format: f, data: data, unmap: func() error { return nil }}
	le := binary.LittleEndian
	switch {
	case len(data) < headerSize || string(data[:8]) != f.Magic:
		return nil, errors.New("not a lamina " + f.Title)
	case le.Uint32(data[8:]) != f.Schema:
		return nil, fmt.Errorf("the %s has schema %d; this version of lamina reads %d", f.Noun, le.Uint32(data[8:]), f.Schema)
	case le.Uint32(data[124:]) != crc32.Checksum(data[:124], castagnoli):
		return nil, x.Damaged("the checksum of the header is wrong")
	}
	size := le.Uint64(data[112:])
	if size > uint64(len(data)-headerSize) { //nolint:gosec // not negative: checked above
		return nil, x.Damaged("the file has %d bytes of %d: it is cut off", len(data), size+headerSize)
	}
	x.header, x.body, x.trailer = data[:headerSize], data[headerSize:headerSize+size], data[headerSize+size:]
	if le.Uint32(data[12:]) != crc32.Checksum(x.body, castagnoli) {
		return nil, x.Damaged("the checksum of the body is wrong")
	}
	for i := range x.parts {
		offset, n := le.Uint64(data[48+16*i:]), le.Uint64(data[56+16*i:])
		if offset > size || n > size-offset {
			return nil, x.Damaged("section %d reaches beyond the end", i)
		}
		x.parts[i] = x.body[offset : offset+n]
	}
	return x, nil
}

// Close ends the mapping. No method may be called after it.
func (x *File) Close() error { return x.unmap() }

// Section is the i-th section. It must not be changed, nor used after Close.
func (x *File) Section(i int) []byte { return x.parts[i] }

// Number is that given to Seal.
func (x *File) Number() int { return int(binary.LittleEndian.Uint32(x.header[120:])) }

// Size is the length of the file in bytes.
func (x *File) Size() int { return len(x.data) }

// Bytes is the whole file. It must not be changed, nor used after Close.
func (x *File) Bytes() []byte { return x.data }

// SHA256 is the hash of the content that the header promises, in hex.
func (x *File) SHA256() string { return hex.EncodeToString(x.header[16:48]) }

// ErrDamaged is in every error that says that a file is not what Seal wrote.
var ErrDamaged = errors.New("damaged")

// Damaged is an error that says what is wrong with the file.
func (x *File) Damaged(format string, args ...any) error {
	return fmt.Errorf("the %s is %w: %s", x.format.Noun, ErrDamaged, fmt.Sprintf(format, args...))
}

// A Cursor reads varints and strings. After the first one that does not fit it
// returns zeros and keeps the error, so that loops over it end.
type Cursor struct {
	Err  error
	b    []byte
	file *File
}

// Cursor reads b, which is a part of a section.
func (x *File) Cursor(b []byte) *Cursor { return &Cursor{b: b, file: x} }

// Fail ends the reading: what was read cannot be.
func (c *Cursor) Fail() {
	c.b, c.Err = nil, c.file.Damaged("a record is cut off")
}

// Damaged is [File.Damaged] of the file that is read.
func (c *Cursor) Damaged(format string, args ...any) error { return c.file.Damaged(format, args...) }

// Uint is the next varint.
func (c *Cursor) Uint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.Fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

// Take is the next n bytes, which share the file's memory.
func (c *Cursor) Take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.Fail()
		return nil
	}
	s := c.b[:n]
	c.b = c.b[n:]
	return s
}

// Bytes is the next string, which shares the file's memory.
func (c *Cursor) Bytes() []byte { return c.Take(c.Uint()) }

// Str is the next string, copied out of the file's memory.
func (c *Cursor) Str() string { return string(c.Bytes()) }

// Count is the next number, of things that have at least one byte each.
func (c *Cursor) Count() int {
	n := c.Uint()
	if n > uint64(len(c.b)) {
		c.Fail()
		return 0
	}
	return int(n) //nolint:gosec // at most the bytes that are left
}

// PutString appends a string as a Cursor reads it.
func PutString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// PutInt appends a number as a Cursor reads it.
func PutInt(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) } //nolint:gosec // counts and places, not negative

// Hash is the FNV-1a hash of the parts with a 0 between them, by which names are
// sorted in sections.
func Hash(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for i, s := range parts {
		if i > 0 {
			h *= 1099511628211
		}
		for j := range len(s) {
			h = (h ^ uint64(s[j])) * 1099511628211
		}
	}
	return h
}
