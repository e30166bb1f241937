package layerfs

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// The methods: those of zip by their number, and behind them those of the other
// formats.
const (
	store       = 0
	deflate     = 8
	bzip2Method = 12
	zstdMethod  = 93

	zlibMethod   = 1<<16 + iota // deflate between a header of 2 bytes and a checksum
	gzipMethod                  // one or more members
	brotliMethod                // nothing around it
)

// A Key is what tells an entry's content from any other: the SHA-256 of its
// compressed bytes, method, sizes and checksum. A checksum alone would not do, as
// anybody can make a file with a given CRC-32.
type Key [sha256.Size]byte

// Key reads the entry's bytes as they are in the archive and returns its key. Two
// entries with the same key read the same, the faults found in reading included.
func (l *Layer) Key(e *Entry) (Key, error) {
	d := decoders.Get().(*decoder) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer d.free()
	r, err := l.raw(e)
	if err != nil {
		return Key{}, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	d.sha.Reset()
	if _, err := io.CopyBuffer(d.sha, onlyReader{r}, d.chunk); err != nil {
		return Key{}, fmt.Errorf("%s: read: %w", e.shown(), err)
	}
	return d.key(e), nil
}

// onlyReader hides what else a reader can do, so that the buffer given to
// io.CopyBuffer is used.
type onlyReader struct{ io.Reader }

// raw returns the entry's bytes as they are in the archive.
func (l *Layer) raw(e *Entry) (io.ReadCloser, error) {
	switch {
	case e.bad != nil:
		return nil, e.bad
	case l.fsys != nil:
		return l.openFile(e)
	}
	return io.NopCloser(io.NewSectionReader(l.r, e.start, e.Compressed)), nil
}

// open returns the entry's inflated bytes for an fs.File. The reader gives an error
// instead of io.EOF unless size and checksum are as declared, and no more than
// that size.
func (l *Layer) open(e *Entry) (io.ReadCloser, error) {
	if l.fsys != nil && e.Mode&fs.ModeSymlink != 0 {
		return io.NopCloser(bytes.NewReader([]byte(e.text))), nil
	}
	raw, err := l.raw(e)
	if err != nil || l.fsys != nil {
		return raw, err
	}
	v := &verifier{left: e.Size, want: e.CRC32, summed: e.summed, sum: 0}
	switch e.method {
	case store:
		v.r = raw
	case deflate:
		v.r = flate.NewReader(bufio.NewReader(raw))
	case bzip2Method:
		v.r = bzip2.NewReader(bufio.NewReader(raw))
	case zstdMethod:
		z, err := newZstd(raw)
		if err != nil {
			return nil, err
		}
		v.r, v.close = z, z.Close
	default:
		return nil, fmt.Errorf("compression method %d: %w", e.method, ErrUnsupported)
	}
	return v, nil
}

// link returns the text of a link.
func (l *Layer) link(e *Entry) (string, error) {
	if e.text != "" {
		return e.text, nil
	}
	const longest = 4096 // PATH_MAX
	if e.Size > longest {
		return "", fmt.Errorf("link of %d bytes is %w of %d", e.Size, ErrLimit, longest)
	}
	r, err := l.open(e)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), errors.Join(err, r.Close())
}

type verifier struct {
	r      io.Reader
	close  func()
	left   int64
	want   uint32
	summed bool
	sum    uint32
}

func (v *verifier) Close() error {
	if v.close != nil {
		v.close()
	}
	return nil
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.r.Read(p)
	if int64(n) > v.left {
		return 0, errors.New("entry is longer than the directory says")
	}
	v.left -= int64(n)
	v.sum = crc32.Update(v.sum, crc32.IEEETable, p[:n])
	switch {
	case !errors.Is(err, io.EOF):
		return n, err
	case v.left > 0:
		return n, io.ErrUnexpectedEOF
	case v.summed && v.sum != v.want:
		return n, errors.New("checksum differs from the directory's")
	}
	return n, io.EOF
}

// newZstd reads zstd with windows up to 8 MiB, which is what zstd writes unless
// it is told otherwise (RFC 8878, 3.1.1.1.2).
func newZstd(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(64<<20))
}

// A decoder is everything that is needed to read an entry and is worth keeping
// for the next one.
type decoder struct {
	flate io.ReadCloser
	chunk []byte
	comp  []byte       // compressed bytes of an entry that is not large
	mem   bytes.Reader // over comp
	buf   *bufio.Reader
	sha   hasher
}

type hasher interface {
	io.Writer
	Reset()
	Sum([]byte) []byte
}

// inMemory is the compressed size up to which an entry is read at once.
const inMemory = 1 << 20

var decoders = sync.Pool{New: func() any {
	return &decoder{
		flate: flate.NewReader(bytes.NewReader(nil)), chunk: make([]byte, 64<<10), sha: sha256.New(),
		buf: bufio.NewReaderSize(nil, 64<<10),
	}
}}

func (d *decoder) free() {
	d.mem.Reset(nil)
	d.buf.Reset(nil)
	decoders.Put(d)
}

// key finishes the hash of the entry's compressed bytes.
func (d *decoder) key(e *Entry) Key {
	var tail [32]byte
	binary.LittleEndian.PutUint64(tail[0:], uint64(e.method))     //nolint:gosec // not negative
	binary.LittleEndian.PutUint64(tail[8:], uint64(e.Compressed)) //nolint:gosec // hashed only
	binary.LittleEndian.PutUint64(tail[16:], uint64(e.Size))      //nolint:gosec // hashed only
	binary.LittleEndian.PutUint64(tail[24:], uint64(e.CRC32))
	_, _ = d.sha.Write(tail[:])
	var k Key
	d.sha.Sum(k[:0])
	return k
}

var errRead = errors.New("read the archive")

// load reads the compressed bytes of a small entry into d.comp.
func (d *decoder) load(l *Layer, e *Entry) error {
	if int64(cap(d.comp)) < e.Compressed {
		d.comp = make([]byte, max(e.Compressed, 2*int64(cap(d.comp))))
	}
	d.comp = d.comp[:e.Compressed]
	if n, err := l.r.ReadAt(d.comp, e.start); n < len(d.comp) {
		return fmt.Errorf("%w: %w", errRead, cutOff(err))
	}
	return nil
}

// A source is the compressed bytes of an entry that are being decoded, and knows
// how many are left.
type source interface {
	io.Reader
	io.ByteReader
}

// left is how many bytes of the entry were not asked for. A decoder takes up to 4
// bytes more than it needs.
func (d *decoder) left(under *io.SectionReader) int64 {
	if under == nil {
		return int64(d.mem.Len())
	}
	at, _ := under.Seek(0, io.SeekCurrent)
	return under.Size() - at + int64(d.buf.Buffered())
}

// inflated returns a reader of the entry's content, and functions that say how many
// compressed bytes were not asked for, and how many of those belong to nothing once
// the content has ended. onBlock is called at each end of a deflate block, if it is
// not nil, and check before more of a large entry is read.
func (d *decoder) inflated(l *Layer, e *Entry, loaded bool, onBlock func(flate.InflateCheckpoint), check func() error) (r io.Reader, unread, slack func() int64, done func(), err error) {
	var src source
	var under *io.SectionReader
	if loaded {
		d.mem.Reset(d.comp)
		src = &d.mem
	} else {
		under = io.NewSectionReader(l.r, e.start, e.Compressed)
		d.buf.Reset(checked{under, check})
		src = d.buf
	}
	unread, done = func() int64 { return d.left(under) }, func() {}
	slack = unread
	deflated := func() io.Reader {
		if onBlock != nil {
			return flate.NewReaderOpts(src, flate.WithEobCallback(onBlock))
		}
		_ = d.flate.(flate.Resetter).Reset(src, nil) //nolint:errcheck,forcetypeassert // what flate.NewReader returns is one, and Reset does not fail
		return d.flate
	}
	switch e.method {
	case store:
		r = src
	case deflate:
		r = deflated()
	case zlibMethod:
		var h [2]byte
		if _, err := io.ReadFull(src, h[:]); err != nil || h[0]&0xf != 8 || (int(h[0])<<8|int(h[1]))%31 != 0 || h[1]&0x20 != 0 {
			return nil, nil, nil, nil, errors.New("no zlib header")
		}
		r = deflated()
		// What is behind the stream is its checksum (RFC 1950, 2.2).
		slack = func() int64 { return max(0, unread()-4) }
	case gzipMethod:
		g := &gzipReader{src: src, inflate: deflated, unread: unread}
		r, slack = g, func() int64 { return g.behind }
	case bzip2Method:
		r = bzip2.NewReader(src)
	case zstdMethod:
		z, err := newZstd(src)
		if err != nil {
			return nil, nil, nil, nil, err
		}
		r, done = z, z.Close
		slack = func() int64 { return 0 }
	case brotliMethod:
		r = guarded{brotli.NewReader(src)}
		slack = func() int64 { return 0 }
	default:
		return nil, nil, nil, nil, fmt.Errorf("compression method %d: %w", e.method, ErrUnsupported)
	}
	return r, unread, slack, done, nil
}

// checked asks before each read.
type checked struct {
	r     io.Reader
	check func() error
}

func (c checked) Read(p []byte) (int, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// guarded turns a panic of a decoder of others into an error.
type guarded struct{ r io.Reader }

func (g guarded) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("decoder failed: %v", v)
		}
	}()
	return g.r.Read(p)
}

// A gzipReader reads the members of a gzip file one after the other, and checks
// each (RFC 1952).
type gzipReader struct {
	src     source
	inflate func() io.Reader
	unread  func() int64
	cur     io.Reader
	sum     uint32
	n       uint32
	members int
	behind  int64 // bytes behind the last member
}

func (g *gzipReader) Read(p []byte) (int, error) {
	for {
		if g.cur == nil {
			if err := gzipHeader(g.src); err != nil {
				if g.members > 0 {
					return 0, io.EOF // what is behind, gzip ignores with a warning
				}
				return 0, fmt.Errorf("gzip header: %w", cutOff(err))
			}
			g.cur, g.sum, g.n = g.inflate(), 0, 0
			g.members++
		}
		n, err := g.cur.Read(p)
		g.sum = crc32.Update(g.sum, crc32.IEEETable, p[:n])
		g.n += uint32(n) //nolint:gosec // modulo 2^32, as the format has it
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		g.cur = nil
		var tail [8]byte
		if _, err := io.ReadFull(g.src, tail[:]); err != nil {
			return n, fmt.Errorf("gzip trailer: %w", cutOff(err))
		}
		if binary.LittleEndian.Uint32(tail[:]) != g.sum || binary.LittleEndian.Uint32(tail[4:]) != g.n {
			return n, errors.New("gzip trailer: checksum or size differs")
		}
		g.behind = g.unread()
		if n > 0 {
			return n, nil
		}
	}
}

// gzipHeader reads the header of a member; io.EOF says that there is none.
func gzipHeader(src source) error {
	var h [10]byte
	if n, err := io.ReadFull(src, h[:]); err != nil {
		if n == 0 {
			return io.EOF
		}
		return errors.New("cut off")
	}
	if h[0] != 0x1f || h[1] != 0x8b || h[2] != 8 {
		return errors.New("no signature")
	}
	if h[3]&4 != 0 {
		var n [2]byte
		if _, err := io.ReadFull(src, n[:]); err != nil {
			return errors.New("cut off")
		}
		if _, err := io.CopyN(io.Discard, src, int64(binary.LittleEndian.Uint16(n[:]))); err != nil {
			return errors.New("cut off")
		}
	}
	for _, flag := range []byte{8, 16} { // name, comment
		for b := byte(1); h[3]&flag != 0 && b != 0; {
			var err error
			if b, err = src.ReadByte(); err != nil {
				return errors.New("cut off")
			}
		}
	}
	if h[3]&2 != 0 {
		if _, err := io.CopyN(io.Discard, src, 2); err != nil {
			return errors.New("cut off")
		}
	}
	return nil
}
