// Package layerfs is a layer zip, and the merged /opt of several, as an fs.FS
// that cannot be made to misbehave.
//
// It reads the zip's central directory itself and serves what it can prove:
// names are cleaned and stay below the root, links are shown and never
// followed, nothing is written anywhere, and no more is inflated than Limits
// allow. What is odd about an archive (an entry listed twice, a name that
// leaves the root, a local header that says something else) is kept as an
// Oddity for the analyzers, and the entry in question is served last-wins or
// not at all, as the Oddity says. An archive that cannot be read whole is an
// error: it is for the caller to say UNKNOWN.
//
// It refuses, with an error that says so, zip64, encrypted entries, methods
// other than store and deflate, split archives, and bytes before the archive.
// Archives inside the archive are files like any other.
//
// Start with Open, then Layer (an fs.FS), Entries and Oddities; Merge makes the
// /opt a function sees.
package layerfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits bound what one archive may cost. AWS refuses layers above 250 MB
// unzipped (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html),
// so nothing legitimate is lost.
type Limits struct {
	Compressed int64 // bytes of the archive
	Inflated   int64 // bytes that all entries declare together
	Entries    int
	Name       int // bytes of one name
	Depth      int // elements of one name
}

// DefaultLimits are the limits used when nothing else is asked for.
var DefaultLimits = Limits{Compressed: 300 << 20, Inflated: 250 << 20, Entries: 100_000, Name: 1024, Depth: 64}

// ErrLimit is in every error that says an archive is above a limit, and
// ErrUnsupported in every error that says a kind of archive is not read.
var (
	ErrLimit       = errors.New("above the limit")
	ErrUnsupported = errors.New("not supported")
)

// An Entry is one record of the central directory, as written.
type Entry struct {
	Name       string // as written, not cleaned
	Path       string // cleaned, below the root; "" if the entry is not served
	Mode       fs.FileMode
	Modified   time.Time
	Compressed int64
	Size       int64 // inflated, as declared; reading verifies it
	CRC32      uint32

	method uint16
	offset int64 // of the local header
}

// An Oddity is something about the archive that no honest packer does.
type Oddity struct {
	Kind   OddityKind
	Entry  int // index into Entries, -1 for the archive as a whole
	Other  int // the other entry of a pair, or -1
	Detail string
}

// An OddityKind says what is odd and how the entry is served.
type OddityKind string

// The kinds of oddities.
const (
	// Duplicate is a name that was listed before; the last one is served.
	Duplicate OddityKind = "duplicate-name"
	// Unsafe is a name that leaves the root, is absolute, or that different
	// systems read differently; it is not served.
	Unsafe OddityKind = "unsafe-name"
	// Clash is a name below another entry that is a file; it is not served.
	Clash OddityKind = "file-and-directory"
	// Mismatch is a local header whose name differs from the central directory's;
	// the central directory's is served.
	Mismatch OddityKind = "local-header-differs"
	// Trailing are bytes after the archive's end.
	Trailing OddityKind = "trailing-bytes"
)

// A Layer is an opened archive. It may be read from many goroutines.
type Layer struct {
	r        io.ReaderAt
	entries  []Entry
	oddities []Oddity
	tree
}

// Entries returns the central directory in its order. It must not be changed.
func (l *Layer) Entries() []Entry { return l.entries }

// Oddities returns what is odd, in the order it was met. It must not be changed.
func (l *Layer) Oddities() []Oddity { return l.oddities }

// Open reads the directory of the archive of size bytes in r.
func Open(r io.ReaderAt, size int64, limits Limits) (*Layer, error) {
	if size > limits.Compressed {
		return nil, fmt.Errorf("archive of %d bytes is %w of %d", size, ErrLimit, limits.Compressed)
	}
	l := &Layer{r: r}
	dir, count, start, err := l.directory(size)
	if err != nil {
		return nil, err
	}
	if count > limits.Entries {
		return nil, fmt.Errorf("%d entries are %w of %d", count, ErrLimit, limits.Entries)
	}
	l.root()
	first := map[string]int{}
	var total int64
	for i := range count {
		e, rest, err := parseEntry(dir, limits)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		dir = rest
		if total += e.Size; total > limits.Inflated {
			return nil, fmt.Errorf("entry %d: inflated size is %w of %d bytes", i+1, ErrLimit, limits.Inflated)
		}
		if e.offset >= start {
			return nil, fmt.Errorf("entry %d: local header at %d lies behind the directory at %d", i+1, e.offset, start)
		}
		if err := l.place(i, &e, first, limits); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		l.entries = append(l.entries, e)
	}
	if len(dir) > 0 {
		return nil, fmt.Errorf("%d bytes follow the %d entries that the directory counts", len(dir), count)
	}
	l.finish()
	return l, nil
}

// place checks the entry's name and local header and puts it into the tree.
func (l *Layer) place(i int, e *Entry, first map[string]int, limits Limits) error {
	odd := func(kind OddityKind, other int, format string, args ...any) {
		l.oddities = append(l.oddities, Oddity{Kind: kind, Entry: i, Other: other, Detail: fmt.Sprintf(format, args...)})
	}
	local, err := l.localName(*e)
	if err != nil {
		return err
	}
	if local != e.Name {
		odd(Mismatch, -1, "local header says %q, directory says %q", local, e.Name)
	}
	name := strings.TrimSuffix(e.Name, "/")
	if why := unsafeName(name); why != "" {
		odd(Unsafe, -1, "%q %s", e.Name, why)
		return nil
	}
	if n := strings.Count(name, "/") + 1; n > limits.Depth {
		return fmt.Errorf("%d path elements are %w of %d", n, ErrLimit, limits.Depth)
	}
	if j, ok := first[name]; ok && (!e.Mode.IsDir() || !l.entries[j].Mode.IsDir()) {
		odd(Duplicate, j, "%q is listed twice, as entries %d and %d", name, j+1, i+1)
	} else if !ok {
		first[name] = i
	}
	if !l.add(name, node{layer: l, entry: i, e: *e}) {
		odd(Clash, -1, "%q is both a file and a directory", name)
		return nil
	}
	e.Path = name
	return nil
}

// unsafeName says why a name is not served, or "".
func unsafeName(name string) string {
	switch {
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "holds control characters"
	case strings.Contains(name, `\`):
		return "holds a backslash"
	case path.IsAbs(name):
		return "is absolute"
	case !fs.ValidPath(name) || name == ".":
		return "is not a clean path below the root"
	}
	return ""
}

const (
	eocdLen    = 22
	centralLen = 46
	localLen   = 30
)

// directory finds the end record and returns the central directory's bytes, the
// number of its entries and where it starts.
func (l *Layer) directory(size int64) (dir []byte, count int, start int64, err error) {
	tail := make([]byte, min(size, eocdLen+0xffff))
	if _, err := l.r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, 0, 0, fmt.Errorf("read the end of the archive: %w", err)
	}
	// The last signature whose comment fits: the same rule unzip follows.
	at := -1
	for i := len(tail) - eocdLen; i >= 0; i-- {
		if bytes.HasPrefix(tail[i:], []byte("PK\x05\x06")) && i+eocdLen+int(binary.LittleEndian.Uint16(tail[i+20:])) <= len(tail) {
			at = i
			break
		}
	}
	if at < 0 {
		return nil, 0, 0, errors.New("not a zip archive: no end of central directory")
	}
	end := tail[at:]
	if extra := len(end) - eocdLen - int(binary.LittleEndian.Uint16(end[20:])); extra > 0 {
		l.oddities = append(l.oddities, Oddity{Kind: Trailing, Entry: -1, Other: -1, Detail: fmt.Sprintf("%d bytes follow the archive", extra)})
	}
	disk, dirDisk := binary.LittleEndian.Uint16(end[4:]), binary.LittleEndian.Uint16(end[6:])
	here, all := binary.LittleEndian.Uint16(end[8:]), binary.LittleEndian.Uint16(end[10:])
	length, off := binary.LittleEndian.Uint32(end[12:]), binary.LittleEndian.Uint32(end[16:])
	eocd := size - int64(len(tail)) + int64(at)
	switch {
	case all == 0xffff || length == 0xffffffff || off == 0xffffffff:
		return nil, 0, 0, fmt.Errorf("zip64 archive: %w", ErrUnsupported)
	case disk != 0 || dirDisk != 0 || here != all:
		return nil, 0, 0, fmt.Errorf("split archive: %w", ErrUnsupported)
	case int64(off)+int64(length) != eocd:
		return nil, 0, 0, fmt.Errorf("directory of %d bytes at %d does not end where the end record begins, at %d: bytes before or inside the archive are %w", length, off, eocd, ErrUnsupported)
	}
	dir = make([]byte, length)
	if _, err := l.r.ReadAt(dir, int64(off)); err != nil && (!errors.Is(err, io.EOF) || length != 0) {
		return nil, 0, 0, fmt.Errorf("read the directory: %w", err)
	}
	return dir, int(all), int64(off), nil
}

// parseEntry reads the first record of dir.
func parseEntry(dir []byte, limits Limits) (Entry, []byte, error) {
	if len(dir) < centralLen || !bytes.HasPrefix(dir, []byte("PK\x01\x02")) {
		return Entry{}, nil, errors.New("directory record is cut off or has no signature")
	}
	u16 := func(i int) int { return int(binary.LittleEndian.Uint16(dir[i:])) }
	u32 := func(i int) uint32 { return binary.LittleEndian.Uint32(dir[i:]) }
	name, extra, comment := u16(28), u16(30), u16(32)
	if len(dir) < centralLen+name+extra+comment {
		return Entry{}, nil, errors.New("directory record is cut off")
	}
	e := Entry{
		Name:       string(dir[centralLen : centralLen+name]),
		Mode:       mode(dir[5], u32(38)),
		Modified:   dosTime(u16(14), u16(12)),
		Compressed: int64(u32(20)),
		Size:       int64(u32(24)),
		CRC32:      u32(16),
		method:     uint16(u16(10)), //nolint:gosec // u16 fits
		offset:     int64(u32(42)),
	}
	if strings.HasSuffix(e.Name, "/") {
		e.Mode = e.Mode.Perm() | fs.ModeDir
	}
	switch {
	case name > limits.Name:
		return e, nil, fmt.Errorf("name of %d bytes is %w of %d", name, ErrLimit, limits.Name)
	case u16(8)&1 != 0:
		return e, nil, fmt.Errorf("%q: encrypted entry: %w", e.Name, ErrUnsupported)
	case e.method != store && e.method != deflate:
		return e, nil, fmt.Errorf("%q: compression method %d: %w", e.Name, e.method, ErrUnsupported)
	case u32(20) == 0xffffffff || u32(24) == 0xffffffff || u32(42) == 0xffffffff:
		return e, nil, fmt.Errorf("%q: zip64 entry: %w", e.Name, ErrUnsupported)
	}
	return e, dir[centralLen+name+extra+comment:], nil
}

// mode reads the Unix mode that Lambda's extractor honours. Archives of other
// systems give plain files.
func mode(creator byte, external uint32) fs.FileMode {
	const unix, darwin = 3, 19
	if creator != unix && creator != darwin {
		return 0o644
	}
	unixMode := external >> 16
	m := fs.FileMode(unixMode & 0o777)
	switch unixMode & 0o170000 {
	case 0o040000:
		m |= fs.ModeDir
	case 0o120000:
		m |= fs.ModeSymlink
	case 0o010000:
		m |= fs.ModeNamedPipe
	case 0o020000:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case 0o060000:
		m |= fs.ModeDevice
	case 0o140000:
		m |= fs.ModeSocket
	}
	if unixMode&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if unixMode&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	return m
}

// dosTime reads the two DOS words, which have no zone and are taken as UTC.
func dosTime(date, clock int) time.Time {
	return time.Date(1980+date>>9, time.Month(date>>5&0xf), date&0x1f, clock>>11, clock>>5&0x3f, clock&0x1f*2, 0, time.UTC)
}

func (l *Layer) localName(e Entry) (string, error) {
	head := make([]byte, localLen)
	if _, err := l.r.ReadAt(head, e.offset); err != nil {
		return "", fmt.Errorf("%q: read local header: %w", e.Name, err)
	}
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return "", fmt.Errorf("%q: no local header at %d", e.Name, e.offset)
	}
	name := make([]byte, binary.LittleEndian.Uint16(head[26:]))
	if _, err := l.r.ReadAt(name, e.offset+localLen); err != nil {
		return "", fmt.Errorf("%q: read local header: %w", e.Name, err)
	}
	return string(name), nil
}
