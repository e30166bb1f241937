package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// What can be wrong with a compressed stream. An *Error wraps one of them.
var (
	ErrTruncated = errors.New("the compressed data ends early")
	ErrCorrupt   = errors.New("the compressed data is damaged")
	ErrTooLarge  = errors.New("the file inflates beyond the limit")
)

// An Error says where a Blob could not be read further. What was read before
// Offset is good.
type Error struct {
	Name string
	// Offset is in the decompressed stream.
	Offset int64
	// Reason is one line without a full stop, Err what it rests on: ErrTruncated,
	// ErrCorrupt, ErrTooLarge or an error of the file system.
	Reason string
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%s at offset %d", e.Reason, e.Offset) }

// Unwrap gives what the error rests on.
func (e *Error) Unwrap() error { return e.Err }

type method uint8

const (
	plain method = iota
	gzipped
	zstandard
)

// compression tells the method from the first bytes.
func compression(head []byte) method {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	}
	return plain
}

// zstdWindow bounds the memory a zstd frame may ask for (level 19 asks for 8 MiB).
const zstdWindow = 8 << 20

// wholeFile is how much of a stored file is read at once. Most files of a trail
// are shorter, and the inflater is a twentieth faster over bytes in memory than
// over a buffered reader.
const wholeFile = 4 << 20

// readers keeps the buffers of closed Blobs for the next ones.
var readers = sync.Pool{New: func() any {
	return &reader{in: bufio.NewReaderSize(nil, 64<<10)}
}}

// A reader is the decompressed bytes of one Blob.
type reader struct {
	name   string
	file   io.Closer
	raw    inlet
	in     *bufio.Reader
	whole  []byte // the stored file, if it is short
	mem    bytes.Reader
	short  bool // mem is read, not in
	gz     *gzip.Reader
	zs     *zstd.Decoder
	method method
	out    io.Reader
	n      int64 // bytes given out
	left   int64 // bytes that may still be given out, negative for no limit
	err    error
}

// Open gives the Blob's decompressed bytes: gzip (any number of members) and
// zstd are recognised by their first bytes, not by name. Errors of Read are
// io.EOF or an *Error. The reader must be closed and is not safe for concurrent
// use.
func (b *Blob) Open() (io.ReadCloser, error) {
	var (
		raw  io.Reader
		file io.Closer
	)
	if b.stdin != nil {
		raw, file = b.stdin, io.NopCloser(nil)
	} else {
		f, err := b.open()
		if err != nil {
			return nil, err
		}
		raw, file = f, f
		if b.length >= 0 {
			raw = io.LimitReader(f, b.length)
		}
	}
	r, _ := readers.Get().(*reader)
	r.name, r.file, r.n, r.left, r.err = b.Name, file, 0, b.inflated, nil
	r.raw = inlet{r: raw}
	r.preload(b)
	if err := r.start(); err != nil {
		r.err = err // given by Read, after no bytes
	}
	return &handle{r}, nil
}

// A handle is what a caller holds of a reader, so that a use after Close
// cannot reach the next Blob's bytes.
type handle struct{ r *reader }

// Read implements io.Reader.
func (h *handle) Read(p []byte) (int, error) {
	if h.r == nil {
		return 0, fs.ErrClosed
	}
	return h.r.Read(p)
}

// Close implements io.Closer.
func (h *handle) Close() error {
	if h.r == nil {
		return fs.ErrClosed
	}
	r := h.r
	h.r = nil
	return r.Close()
}

// An inlet remembers what the stored bytes' own reader failed with, to tell it
// from damage.
type inlet struct {
	r   io.Reader
	err error
}

func (i *inlet) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		i.err = err
	}
	return n, err
}

// open opens the file at Offset, and refuses one that has become something else
// since it was found.
func (b *Blob) open() (*os.File, error) {
	fail := func(err error) error {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = pe.Err
		}
		return &Error{Name: b.Name, Reason: err.Error(), Err: err}
	}
	if info, err := os.Stat(b.Name); err != nil {
		return nil, fail(err)
	} else if !info.Mode().IsRegular() && !b.pipe {
		return nil, fail(errors.New("is not a regular file any more"))
	}
	f, err := os.Open(b.Name)
	if err != nil {
		return nil, fail(err)
	}
	if b.Offset > 0 {
		if _, err := f.Seek(b.Offset, io.SeekStart); err != nil {
			return nil, errors.Join(fail(err), f.Close())
		}
	}
	return f, nil
}

// preload reads a short file into memory. A longer one, or one that cannot be
// read to its end, is read through a buffer; a pipe may have nothing to give yet.
func (r *reader) preload(b *Blob) {
	r.short = false
	if b.stdin != nil || b.pipe || b.Size < 0 || b.Size >= wholeFile {
		r.in.Reset(&r.raw)
		return
	}
	r.whole = slices.Grow(r.whole[:0], int(b.Size)+1)
	n, err := io.ReadFull(&r.raw, r.whole[:b.Size+1])
	r.whole = r.whole[:n]
	r.mem.Reset(r.whole)
	if r.short = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); !r.short {
		r.in.Reset(io.MultiReader(&r.mem, &r.raw)) // it has grown, or failed
	}
}

// stored is the file's bytes as they are stored.
func (r *reader) stored() flate.Reader {
	if r.short {
		return &r.mem
	}
	return r.in
}

// peek returns the next n stored bytes, fewer at the end and then an error.
func (r *reader) peek(n int) ([]byte, error) {
	if !r.short {
		return r.in.Peek(n)
	}
	rest := r.whole[len(r.whole)-r.mem.Len():]
	if len(rest) < n {
		return rest, io.EOF
	}
	return rest[:n], nil
}

func (r *reader) start() error {
	head, err := r.peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return r.wrap(err)
	}
	r.method = compression(head)
	switch r.method {
	case plain:
		// An interrupted copy leaves a file without a byte; taken for a file
		// without records it would read as a quiet hour.
		if len(head) == 0 && (strings.HasSuffix(r.name, ".gz") || strings.HasSuffix(r.name, ".zst")) {
			return &Error{Name: r.name, Reason: "the file is empty, and compressed data never is", Err: ErrTruncated}
		}
		r.out, r.left = r.stored(), -1
		return nil
	case gzipped:
		if r.gz == nil {
			r.gz = new(gzip.Reader)
		}
		if err := r.gz.Reset(r.stored()); err != nil {
			return r.wrap(err)
		}
		// Members are joined in next, so that padding after the last one is
		// not taken for damage.
		r.gz.Multistream(false)
		r.out = r.gz
	case zstandard:
		if r.zs == nil {
			r.zs, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(4*zstdWindow))
			if err != nil {
				return r.wrap(err)
			}
		}
		if err := r.zs.Reset(r.stored()); err != nil {
			return r.wrap(err)
		}
		r.out = r.zs
	}
	return nil
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.left >= 0 && int64(len(p)) > r.left+1 {
		p = p[:r.left+1]
	}
	for {
		n, err := r.out.Read(p)
		if r.left >= 0 && int64(n) > r.left {
			n = int(r.left)
			err = ErrTooLarge
		}
		r.n += int64(n)
		if r.left >= 0 {
			r.left -= int64(n)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF) && r.method == gzipped:
			r.err = r.next()
		case errors.Is(err, io.EOF):
			r.err = io.EOF
		default:
			r.err = r.wrap(err)
		}
		if n > 0 || r.err != nil || len(p) == 0 {
			if n > 0 {
				return n, nil
			}
			return 0, r.err
		}
	}
}

// next goes on to the next gzip member. It returns io.EOF when there is none.
func (r *reader) next() error {
	for {
		head, err := r.peek(2)
		switch {
		case len(head) == 0 && errors.Is(err, io.EOF):
			return io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return r.wrap(err)
		case head[0] == 0: // padding, as tapes and some writers leave it
			if _, err := r.stored().ReadByte(); err != nil {
				return r.wrap(err)
			}
			continue
		case compression(head) != gzipped:
			return &Error{Name: r.name, Offset: r.n, Reason: "other data follows the gzip data", Err: ErrCorrupt}
		}
		if err := r.gz.Reset(r.stored()); err != nil {
			return r.wrap(err)
		}
		r.gz.Multistream(false)
		return nil
	}
}

// wrap makes an *Error of what the decompressor or the file said.
func (r *reader) wrap(err error) error {
	e := &Error{Name: r.name, Offset: r.n}
	var pe *fs.PathError
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		e.Err, e.Reason = ErrTooLarge, fmt.Sprintf("inflates to more than %d bytes", r.n)
		if r.left != 0 {
			e.Reason = "asks for more memory than a decompressor may have"
		}
	case errors.As(r.raw.err, &pe):
		e.Err, e.Reason = pe.Err, "cannot be read: "+pe.Err.Error()
	case r.raw.err != nil:
		e.Err, e.Reason = r.raw.err, "cannot be read: "+r.raw.err.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Err, e.Reason = ErrTruncated, "the compressed data ends early"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		e.Err, e.Reason = ErrCorrupt, "the checksum of the compressed data is wrong"
	case errors.Is(err, gzip.ErrHeader):
		e.Err, e.Reason = ErrCorrupt, "the header of the compressed data is damaged"
	default:
		e.Err, e.Reason = ErrCorrupt, "the compressed data is damaged"
	}
	return e
}

// Close gives the reader back to the pool.
func (r *reader) Close() error {
	err := r.file.Close()
	r.raw = inlet{}
	r.in.Reset(nil)
	r.mem.Reset(nil)
	if r.zs != nil {
		// A decoder holds its last window; it is rare enough to make anew.
		r.zs.Close()
		r.zs = nil
	}
	r.out, r.file = nil, nil
	r.err = fs.ErrClosed
	readers.Put(r)
	return err
}
