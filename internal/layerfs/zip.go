package layerfs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// The records of a zip archive, as PKWARE's APPNOTE 6.3.10 gives them
// (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3).
const (
	eocdLen    = 22
	eocd64Len  = 56
	locatorLen = 20
	centralLen = 46
	localLen   = 30

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagPatch      = 1 << 5
	flagStrong     = 1 << 6
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13
	// flagsThatMatter change how an entry's bytes are read.
	flagsThatMatter = flagEncrypted | flagDescriptor | flagPatch | flagStrong | flagMasked

	extraZip64   = 0x0001
	extraUnicode = 0x7075
	extraAES     = 0x9901
)

// readZip finds the central directory, reads its records, and then compares each
// with what stands where it points.
func (l *Layer) readZip() error {
	start, end, count, base, err := l.directory()
	if err != nil {
		return err
	}
	// The size of the directory is no more to be trusted than its count.
	l.entries = make([]Entry, 0, min(count, uint64(l.limits.Entries), uint64((end-start)/centralLen))) //nolint:gosec // end is not before start
	in := bufio.NewReaderSize(io.NewSectionReader(l.r, start, end-start), int(min(end-start, 1<<16)))
	var flags []uint16
	for {
		f, n, err := l.readRecord(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && len(l.entries) == 0 {
			return fmt.Errorf("entry 1: %w", err)
		}
		if errors.Is(err, ErrLimit) {
			return err
		}
		if err != nil {
			l.odd(EndRecord, -1, -1, "after %d entries: %v", len(l.entries), err)
			l.lost = append(l.lost, loss{"", fmt.Errorf("entries behind the first %d: %w", len(l.entries), err)})
			break
		}
		if n == 0 {
			continue // a digital signature of the directory
		}
		flags = append(flags, f)
	}
	if n := uint64(len(l.entries)); n != count {
		l.odd(EndRecord, -1, -1, "the directory has %d entries, and the end record counts %d", n, count)
	}
	l.readLocal(flags, start, base)
	return nil
}

// directory finds the end record and returns where the central directory starts
// and ends, the number of entries that it should have, and what is to be added to
// the offsets in it.
func (l *Layer) directory() (start, end int64, count uint64, base int64, err error) {
	none := func(err error) (int64, int64, uint64, int64, error) { return 0, 0, 0, 0, err }
	tail := make([]byte, min(l.size, eocdLen+0xffff))
	from := l.size - int64(len(tail))
	if n, err := l.r.ReadAt(tail, from); n < len(tail) {
		return none(fmt.Errorf("read the end of the archive: %w", cutOff(err)))
	}
	at, fits := endRecord(tail)
	if at < 0 {
		return none(errors.New("not a zip archive: no end of central directory"))
	}
	rec := tail[at:]
	end = from + int64(at)
	comment := int(binary.LittleEndian.Uint16(rec[20:]))
	if extra := len(rec) - eocdLen - comment; !fits {
		l.odd(EndRecord, -1, -1, "the comment of %d bytes is cut off after %d", comment, len(rec)-eocdLen)
	} else if extra > 0 {
		l.odd(Trailing, -1, -1, "%d bytes follow the archive", extra)
	}
	disk, dirDisk := binary.LittleEndian.Uint16(rec[4:]), binary.LittleEndian.Uint16(rec[6:])
	here, all := binary.LittleEndian.Uint16(rec[8:]), binary.LittleEndian.Uint16(rec[10:])
	length, off := uint64(binary.LittleEndian.Uint32(rec[12:])), uint64(binary.LittleEndian.Uint32(rec[16:]))
	count = uint64(all)
	if here != all || disk != dirDisk || disk != 0 && disk != 0xffff {
		l.odd(EndRecord, -1, -1, "the end record is one of a split archive: %d of %d entries on disk %d of %d", here, all, disk, dirDisk)
	}
	if big, where := l.end64(tail, at, from); big != nil {
		l.odd(Zip64, -1, -1, "the archive has the end record of an archive above 4 GiB")
		count, length, off = binary.LittleEndian.Uint64(big[32:]), binary.LittleEndian.Uint64(big[40:]), binary.LittleEndian.Uint64(big[48:])
		if all != 0xffff && count != uint64(all) || binary.LittleEndian.Uint32(rec[16:]) != math.MaxUint32 && off != uint64(binary.LittleEndian.Uint32(rec[16:])) {
			l.odd(EndRecord, -1, -1, "the two end records differ")
		}
		end = where
	}
	start, base, err = l.locate(end, length, off, count)
	if err != nil {
		return none(err)
	}
	// Another signature in what only a reader of the end sees is another archive to
	// a reader that looks for it differently.
	// Before the directory, it is the one of an archive in the archive, unless the
	// directory is empty.
	if start < end {
		tail = tail[max(0, start-from):]
	}
	if n := bytes.Count(tail, []byte("PK\x05\x06")); n > 1 {
		l.odd(EndRecord, -1, -1, "%d end records are where there should be one", n)
	}
	return start, end, count, base, nil
}

// endRecord returns the last signature in tail whose comment fits, which is the
// rule that most readers follow, or else the last one.
func endRecord(tail []byte) (at int, fits bool) {
	last := -1
	for end := len(tail); ; {
		i := bytes.LastIndex(tail[:end], []byte("PK\x05\x06"))
		if i < 0 {
			return last, false
		}
		if i+eocdLen <= len(tail) {
			if i+eocdLen+int(binary.LittleEndian.Uint16(tail[i+20:])) <= len(tail) {
				return i, true
			}
			if last < 0 {
				last = i
			}
		}
		end = i + 3
	}
}

// end64 returns the zip64 end record and where it is, or nil.
func (l *Layer) end64(tail []byte, at int, from int64) (rec []byte, where int64) {
	if at < locatorLen || !bytes.HasPrefix(tail[at-locatorLen:], []byte("PK\x06\x07")) {
		return nil, 0
	}
	said := int64(binary.LittleEndian.Uint64(tail[at-locatorLen+8:])) //nolint:gosec // checked below
	near := from + int64(at) - locatorLen - eocd64Len
	for _, where := range []int64{said, near} {
		rec := make([]byte, eocd64Len)
		if where < 0 || where > near {
			continue
		}
		if _, err := l.r.ReadAt(rec, where); err == nil && bytes.HasPrefix(rec, []byte("PK\x06\x06")) {
			if where != near || said != near {
				l.odd(EndRecord, -1, -1, "the zip64 end record is said to be at %d, and the one before the end is at %d", said, near)
			}
			return rec, where
		}
	}
	l.odd(EndRecord, -1, -1, "the locator of a zip64 end record points to none")
	return nil, 0
}

// locate returns where the directory of length bytes starts, which ends at end and
// is said to be at off, and by how much all offsets are short because something
// was put before the archive.
func (l *Layer) locate(end int64, length, off, count uint64) (start, base int64, err error) {
	record := func(at int64) bool {
		var sig [4]byte
		_, err := l.r.ReadAt(sig[:], at)
		return err == nil && string(sig[:]) == "PK\x01\x02"
	}
	byLength, byOffset := int64(-1), int64(-1)
	if length <= uint64(end) { //nolint:gosec // end is a position in the archive
		byLength = end - int64(length) //nolint:gosec // checked
	}
	if off <= uint64(end) { //nolint:gosec // as above
		byOffset = int64(off) //nolint:gosec // checked
	}
	switch {
	case byLength >= 0 && byLength == byOffset:
		return byLength, 0, nil
	case byLength >= 0 && (record(byLength) || count == 0 && length == 0):
		if byOffset >= 0 && record(byOffset) {
			l.odd(EndRecord, -1, -1, "a directory is at %d, where the end record says it starts, and one at %d, from where its length fits", byOffset, byLength)
		}
		if byOffset < 0 || byOffset > byLength {
			l.odd(EndRecord, -1, -1, "the end record says that the directory starts at %d; it is at %d", off, byLength)
			return byLength, 0, nil
		}
		return byLength, byLength - byOffset, nil
	case byOffset >= 0 && record(byOffset):
		l.odd(EndRecord, -1, -1, "the directory at %d does not have the %d bytes that the end record says", byOffset, length)
		return byOffset, 0, nil
	}
	return 0, 0, fmt.Errorf("no directory of %d bytes at %d", length, off)
}

// readRecord reads one record of the directory into l.entries and returns the
// entry's flags and 1, or 0 for what is no entry. io.EOF is the end.
func (l *Layer) readRecord(in *bufio.Reader) (flags uint16, n int, err error) {
	var h [centralLen]byte
	if sig, err := in.Peek(6); err != nil && len(sig) == 0 {
		return 0, 0, io.EOF
	} else if len(sig) == 6 && string(sig[:4]) == "PK\x05\x05" {
		skip := 6 + int(binary.LittleEndian.Uint16(sig[4:]))
		if _, err := in.Discard(skip); err != nil {
			return 0, 0, errors.New("the directory's signature is cut off")
		}
		l.odd(Unlisted, -1, -1, "the directory has a digital signature of %d bytes, which is not checked", skip)
		return 0, 0, nil
	}
	if _, err := io.ReadFull(in, h[:]); err != nil || string(h[:4]) != "PK\x01\x02" {
		return 0, 0, errors.New("directory record is cut off or has no signature")
	}
	u16 := func(i int) uint16 { return binary.LittleEndian.Uint16(h[i:]) }
	u32 := func(i int) uint32 { return binary.LittleEndian.Uint32(h[i:]) }
	flags = u16(8)
	name, err := take(in, int(u16(28)))
	if err != nil {
		return 0, 0, err
	}
	extra, err := take(in, int(u16(30)))
	if err != nil {
		return 0, 0, err
	}
	if _, err := in.Discard(int(u16(32))); err != nil {
		return 0, 0, errors.New("directory record is cut off")
	}
	e := Entry{
		Name:       string(name[:min(len(name), l.limits.Name+1)]),
		Mode:       mode(h[5], u32(38)),
		Modified:   dosTime(int(u16(14)), int(u16(12))),
		Compressed: int64(u32(20)),
		Size:       int64(u32(24)),
		CRC32:      u32(16),
		method:     int(u16(10)),
		summed:     true,
		offset:     int64(u32(42)),
	}
	if err := l.append(e); err != nil {
		return 0, 0, err
	}
	i := len(l.entries) - 1
	l.kindOf(i)
	l.readExtra(i, name, extra, u32(20), u32(24), u32(42))
	l.readFlags(i, flags)
	// What an unpacker must know: 6.3 is the last version there is (APPNOTE 4.4.3).
	if need := u16(6); need&0xff > 63 {
		l.odd(Method, i, -1, "%q is said to need version %d.%d of the format", e.Name, need&0xff/10, need&0xff%10)
	}
	if u16(34) != 0 && u16(34) != 0xffff {
		l.odd(EndRecord, i, -1, "entry %d is said to be on disk %d", i+1, u16(34))
	}
	return flags, 1, nil
}

// take reads n bytes, at most 64 KiB.
func take(in *bufio.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, errors.New("directory record is cut off")
	}
	return b, nil
}

// kindOf settles whether the entry is a directory: its name decides, as for the
// readers that we compare with.
func (l *Layer) kindOf(i int) {
	e := &l.entries[i]
	e.dirName = strings.HasSuffix(e.Name, "/")
	switch {
	case e.dirName && e.Mode.Type() != 0 && !e.Mode.IsDir():
		l.odd(TypeConflict, i, -1, "%q is a directory by its name and not by its mode %v", e.Name, e.Mode)
	case !e.dirName && e.Mode.IsDir():
		l.odd(TypeConflict, i, -1, "%q is a directory by its mode and not by its name", e.Name)
		e.Mode &^= fs.ModeDir
	}
	if e.dirName {
		e.Mode = e.Mode&^fs.ModeType | fs.ModeDir
	}
}

// readExtra reads the extra fields of a directory record.
func (l *Layer) readExtra(i int, name, extra []byte, compressed, size, offset uint32) {
	e := &l.entries[i]
	done := false
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			l.odd(Extra, i, -1, "%q: extra field %#04x of %d bytes is cut off after %d", e.Name, id, n, len(extra))
			return
		}
		field := extra[:n]
		extra = extra[n:]
		switch {
		case id == extraZip64 && !done:
			done = true
			for _, f := range []struct {
				marker uint32
				to     *int64
			}{{size, &e.Size}, {compressed, &e.Compressed}, {offset, &e.offset}} {
				if f.marker == math.MaxUint32 && len(field) >= 8 {
					*f.to = int64(min(binary.LittleEndian.Uint64(field), math.MaxInt64))
					field = field[8:]
				}
			}
			l.odd(Zip64, i, -1, "%q has the sizes of a file above 4 GiB", e.Name)
		case id == extraZip64:
			l.odd(Extra, i, -1, "%q has two zip64 fields", e.Name)
		case id == extraUnicode && n > 5 && field[0] == 1:
			if other := field[5:]; !bytes.Equal(other, name) {
				l.odd(Encoding, i, -1, "%q has the name %q, too", e.Name, other[:min(len(other), l.limits.Name)])
			}
		case id == extraAES:
			l.encrypted(i, "AES")
		}
	}
	if slices.ContainsFunc(extra, func(b byte) bool { return b != 0 }) {
		l.odd(Extra, i, -1, "%q: extra field is cut off", e.Name)
	}
}

func (l *Layer) encrypted(i int, how string) {
	e := &l.entries[i]
	if e.bad == nil {
		e.bad = fmt.Errorf("encrypted entry: %w", ErrUnsupported)
		l.odd(Encrypted, i, -1, "%q is encrypted (%s)", e.Name, how)
	}
}

// readFlags looks at the entry's flags and method.
func (l *Layer) readFlags(i int, flags uint16) {
	e := &l.entries[i]
	if flags&(flagEncrypted|flagStrong|flagMasked) != 0 {
		l.encrypted(i, fmt.Sprintf("flags %#04x", flags))
	}
	if flags&flagPatch != 0 {
		e.bad = fmt.Errorf("patch data: %w", ErrUnsupported)
		l.odd(Method, i, -1, "%q is a patch to another file", e.Name)
	}
	if e.method != store && e.method != deflate {
		l.odd(Method, i, -1, "%q is compressed with method %d", e.Name, e.method)
		if e.method != bzip2Method && e.method != zstdMethod && e.bad == nil {
			e.bad = fmt.Errorf("compression method %d: %w", e.method, ErrUnsupported)
		}
	}
	if flags&flagUTF8 == 0 && strings.ContainsFunc(e.Name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		l.odd(Encoding, i, -1, "%q is not ASCII and not said to be UTF-8", e.Name)
	}
}

// readLocal compares each entry with its local header and data descriptor, and
// looks for bytes that several entries share or none has.
func (l *Layer) readLocal(flags []uint16, directory, base int64) {
	order := make([]int, len(l.entries))
	for i := range order {
		order[i] = i
		if e := &l.entries[i]; e.offset <= math.MaxInt64-base {
			e.offset += base
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch d := l.entries[a].offset - l.entries[b].offset; {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	w := window{r: l.r, size: l.size, buf: make([]byte, 4096)}
	end, last := int64(0), -1
	for _, i := range order {
		e := &l.entries[i]
		unreadable := func(format string, args ...any) {
			err := fmt.Errorf(format, args...)
			if e.bad == nil {
				e.bad = err
			}
			l.odd(Unreadable, i, -1, "%q: %v", e.Name, err)
		}
		head := w.at(e.offset, localLen)
		if e.offset >= directory {
			unreadable("local header at %d lies behind the directory at %d", e.offset, directory)
			continue
		}
		if len(head) < localLen || string(head[:4]) != "PK\x03\x04" {
			unreadable("no local header at %d", e.offset)
			continue
		}
		head = bytes.Clone(head)
		name := int(binary.LittleEndian.Uint16(head[26:]))
		extra := int(binary.LittleEndian.Uint16(head[28:]))
		e.start = e.offset + localLen + int64(name) + int64(extra)
		rest := w.at(e.offset+localLen, name+extra)
		if len(rest) < name+extra || e.start > l.size || e.Compressed > l.size-e.start {
			unreadable("%d bytes of content at %d reach behind the end of the archive at %d", e.Compressed, e.start, l.size)
			continue
		}
		l.compare(i, flags[i], head, rest[:name], rest[name:])
		switch {
		case e.offset < end:
			l.odd(Overlap, i, last, "%q starts at %d, inside %q", e.Name, e.offset, l.entries[last].Name)
		case e.offset > end && last < 0:
			l.odd(Leading, -1, -1, "%d bytes are before the first entry", e.offset)
		case e.offset > end:
			l.odd(Unlisted, i, -1, "%d bytes before %q belong to no entry", e.offset-end, e.Name)
		}
		stop := e.start + e.Compressed
		if flags[i]&flagDescriptor != 0 || binary.LittleEndian.Uint16(head[6:])&flagDescriptor != 0 {
			n := l.descriptor(i, w.at(stop, 24))
			if n == 0 && flags[i]&flagDescriptor != 0 {
				l.odd(Descriptor, i, -1, "%q: what follows the content at %d does not say the directory's sizes and checksum", e.Name, stop)
			}
			stop += int64(n)
		}
		if stop > directory {
			l.odd(Overlap, i, -1, "%q reaches into the directory", e.Name)
		}
		if stop > end {
			end, last = stop, i
		}
	}
	switch {
	case end < directory && last < 0 && len(l.entries) == 0:
		l.odd(Leading, -1, -1, "%d bytes are before the directory", directory)
	case end < directory:
		l.odd(Unlisted, -1, -1, "%d bytes before the directory belong to no entry", directory-end)
	}
}

// compare reports where the local header differs from the directory.
func (l *Layer) compare(i int, flags uint16, head, name, extra []byte) {
	e := &l.entries[i]
	var diff []string
	say := func(what string, local, central any) {
		diff = append(diff, fmt.Sprintf("%s %v, directory %v", what, local, central))
	}
	// A name above the limit is cut in e, and not served.
	if cut := name[:min(len(name), l.limits.Name+1)]; string(cut) != e.Name {
		say("name", fmt.Sprintf("%q", cut), fmt.Sprintf("%q", e.Name))
	}
	local := binary.LittleEndian.Uint16(head[6:])
	if (local^flags)&flagsThatMatter != 0 {
		say("flags", fmt.Sprintf("%#04x", local), fmt.Sprintf("%#04x", flags))
	}
	if m := int(binary.LittleEndian.Uint16(head[8:])); m != e.method {
		say("method", m, e.method)
	}
	sum := binary.LittleEndian.Uint32(head[14:])
	compressed, size := int64(binary.LittleEndian.Uint32(head[18:])), int64(binary.LittleEndian.Uint32(head[22:]))
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			say("extra field", "cut off", "not")
			break
		}
		if field := extra[:n]; id == extraZip64 {
			if size == math.MaxUint32 && len(field) >= 8 {
				size, field = int64(binary.LittleEndian.Uint64(field)), field[8:] //nolint:gosec // compared only
			}
			if compressed == math.MaxUint32 && len(field) >= 8 {
				compressed = int64(binary.LittleEndian.Uint64(field)) //nolint:gosec // compared only
			}
		}
		extra = extra[n:]
	}
	// With a descriptor, the header was written before the sizes were known.
	unknown := local&flagDescriptor != 0
	if sum != e.CRC32 && (!unknown || sum != 0) {
		say("crc32", fmt.Sprintf("%08x", sum), fmt.Sprintf("%08x", e.CRC32))
	}
	if compressed != e.Compressed && (!unknown || compressed != 0 && compressed != math.MaxUint32) {
		say("compressed size", compressed, e.Compressed)
	}
	if size != e.Size && (!unknown || size != 0 && size != math.MaxUint32) {
		say("size", size, e.Size)
	}
	if diff != nil {
		l.odd(Mismatch, i, -1, "%q: local header says %s", e.Name, strings.Join(diff, "; "))
	}
}

// descriptor returns the length of the data descriptor at the start of b if it
// says what the directory does, or 0. Its signature is optional and its sizes have
// 4 bytes or 8 (APPNOTE 4.3.9).
func (l *Layer) descriptor(i int, b []byte) int {
	e := &l.entries[i]
	for _, sig := range []int{4, 0} {
		if sig == 4 && !bytes.HasPrefix(b, []byte("PK\x07\x08")) {
			continue
		}
		d := b[min(sig, len(b)):]
		if len(d) < 12 || binary.LittleEndian.Uint32(d) != e.CRC32 {
			continue
		}
		if int64(binary.LittleEndian.Uint32(d[4:])) == e.Compressed && int64(binary.LittleEndian.Uint32(d[8:])) == e.Size {
			return sig + 12
		}
		if len(d) >= 20 && binary.LittleEndian.Uint64(d[4:]) == uint64(e.Compressed) && binary.LittleEndian.Uint64(d[12:]) == uint64(e.Size) { //nolint:gosec // compared only
			return sig + 20
		}
	}
	return 0
}

// A window reads small pieces near each other with one call.
type window struct {
	r    io.ReaderAt
	size int64
	buf  []byte
	from int64
	n    int
}

// at returns the n bytes at off, fewer at the end. It is valid until the next call.
func (w *window) at(off int64, n int) []byte {
	if off < 0 || off >= w.size {
		return nil
	}
	n = int(min(int64(n), w.size-off))
	if off < w.from || off+int64(n) > w.from+int64(w.n) {
		if n > len(w.buf) {
			w.buf = make([]byte, n)
		}
		w.from = off
		w.n, _ = w.r.ReadAt(w.buf[:min(int64(len(w.buf)), w.size-off)], off)
	}
	b := w.buf[off-w.from : w.n]
	return b[:min(n, len(b))]
}

// mode reads the Unix mode that Lambda's extractor honours. Archives of other
// systems give plain files.
func mode(creator byte, external uint32) fs.FileMode {
	const unix, darwin = 3, 19
	if creator != unix && creator != darwin {
		return 0o644
	}
	unixMode := external >> 16
	return unixFileMode(unixMode)
}

// unixFileMode turns the st_mode of Linux into a FileMode.
func unixFileMode(unixMode uint32) fs.FileMode {
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

// cutOff is err, or what it means that there was none.
func cutOff(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
