package layerfs

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// A kind is a format that archives and compressed files have.
type kind string

const (
	noKind     kind = ""
	dirKind    kind = "directory"
	zipKind    kind = "zip"
	tarKind    kind = "tar"
	gzipKind   kind = "gzip"
	bzip2Kind  kind = "bzip2"
	zstdKind   kind = "zstd"
	brotliKind kind = "brotli"
	carchive   kind = "pyinstaller"
	pyzKind    kind = "pyz"

	// These are known and not read.
	xzKind    kind = "xz"
	lz4Kind   kind = "lz4"
	sevenKind kind = "7z"
	rarKind   kind = "rar"
	cabKind   kind = "cab"
)

// magics are the bytes at the start of each kind.
var magics = []struct {
	magic string
	kind  kind
}{
	{"PK\x03\x04", zipKind},
	{"PK\x05\x06", zipKind},
	{"\x1f\x8b\x08", gzipKind},
	{"BZh", bzip2Kind},
	{"\x28\xb5\x2f\xfd", zstdKind},
	{"PYZ\x00", pyzKind},
	{"\xfd7zXZ\x00", xzKind},
	{"\x04\x22\x4d\x18", lz4Kind},
	{"7z\xbc\xaf\x27\x1c", sevenKind},
	{"Rar!\x1a\x07", rarKind},
	{"MSCF\x00\x00\x00\x00", cabKind},
}

// byName are the kinds that a name promises.
var byName = map[string]kind{
	".zip": zipKind, ".whl": zipKind, ".egg": zipKind, ".jar": zipKind, ".war": zipKind, ".ear": zipKind, ".pyz": zipKind,
	".tar": tarKind, ".gz": gzipKind, ".tgz": gzipKind, ".bz2": bzip2Kind, ".tbz2": bzip2Kind, ".zst": zstdKind,
	".br": brotliKind, ".xz": xzKind, ".txz": xzKind, ".7z": sevenKind, ".rar": rarKind,
}

// tails is how many bytes from the end of a program the mark of an archive behind
// it is looked for.
const tails = 256 << 10

// detect returns the kind of the file, and where a PyInstaller archive's cookie is.
// A name alone decides only where the format has no mark.
func (p *pass) detect(f *File) (k kind, cookie int64) {
	var first [512]byte
	n, _ := f.ReaderAt.ReadAt(first[:min(f.Size, int64(len(first)))], 0)
	head := first[:n]
	for _, m := range magics {
		if strings.HasPrefix(string(head[:min(n, 8)]), m.magic) {
			// "BZh" is also how a text can start.
			if m.kind == bzip2Kind && (n <= 10 || string(head[4:10]) != "1AY&SY" && string(head[4:10]) != "\x17\x72\x45\x38\x50\x90") {
				continue
			}
			return m.kind, 0
		}
	}
	named := byName[strings.ToLower(path.Ext(f.Path))]
	switch {
	case isTar(head):
		return tarKind, 0
	case named == brotliKind && f.Size > 0:
		return brotliKind, 0
	}
	program := bytes.HasPrefix(head, []byte("\x7fELF")) || bytes.HasPrefix(head, []byte("MZ")) ||
		n >= 4 && (binary.BigEndian.Uint32(head) == 0xcafebabe || binary.LittleEndian.Uint32(head)&^1 == 0xfeedface)
	if program {
		if at := lastIndex(f, []byte("MEI\014\013\012\013\016"), tails); at >= 0 {
			return carchive, at
		}
	}
	// Python and Java open whatever has a zip at its end.
	var end [eocdLen]byte
	if f.Size >= eocdLen {
		if n, _ := f.ReaderAt.ReadAt(end[:], f.Size-eocdLen); n == eocdLen && string(end[:4]) == "PK\x05\x06" {
			return zipKind, 0
		}
	}
	if named == zipKind || bytes.HasPrefix(head, []byte("#!")) {
		if lastIndex(f, []byte("PK\x05\x06"), eocdLen+0xffff) >= 0 {
			return zipKind, 0
		}
	}
	if named != noKind && f.Size > 0 {
		p.odd(Oddity{Kind: Disguised, Path: f.Path, Entry: -1, Other: -1, Detail: fmt.Sprintf("%q is named like %s and is none", f.Path, named)})
	}
	return noKind, 0
}

// lastIndex returns where mark is last in the last n bytes of the file, or -1.
func lastIndex(f *File, mark []byte, n int64) int64 {
	n = min(n, f.Size)
	var tail []byte
	if f.Data != nil {
		tail = f.Data[f.Size-n:]
	} else {
		tail = make([]byte, n)
		if got, _ := f.ReaderAt.ReadAt(tail, f.Size-n); got < len(tail) {
			return -1
		}
	}
	i := bytes.LastIndex(tail, mark)
	if i < 0 {
		return -1
	}
	return f.Size - n + int64(i)
}

// isTar says whether b is the header of a tar entry: by its mark, or by its
// checksum, which is the sum of its bytes with the checksum as spaces.
func isTar(b []byte) bool {
	if len(b) < 512 {
		return false
	}
	said, digits := 0, 0
	for _, c := range bytes.Trim(b[148:156], " \x00") {
		if c < '0' || c > '7' {
			return false
		}
		said, digits = said<<3|int(c-'0'), digits+1
	}
	sum := 8 * int(' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	return digits > 0 && said == sum
}

// descend gives what is in f, if it is an archive.
func (p *pass) descend(f *File) error {
	if f.Size == 0 {
		return nil
	}
	k, cookie := p.detect(f)
	if k == noKind {
		return nil
	}
	inside := f.Path + "!/"
	depth := f.Depth + 1
	if depth > min(p.limits.Archives, levels-1) {
		p.damaged(inside, fmt.Errorf("archive in %d archives: %w of %d", f.Depth, ErrLimit, min(p.limits.Archives, levels-1)))
		return nil
	}
	if p.left.Members <= 0 || p.left.Nested <= 0 {
		p.partial = true
		p.damaged(inside, fmt.Errorf("the archives in the layer have more than %d entries or %d bytes, which is %w", p.limits.Members, p.limits.Nested, ErrLimit))
		return nil
	}
	limits := p.limits
	limits.Entries = min(limits.Entries, p.left.Members)
	limits.Inflated = limits.Nested
	sub, err := openNested(f, k, cookie, limits)
	if err != nil {
		if errors.Is(err, ErrLimit) {
			p.partial = true
		}
		p.damaged(inside, fmt.Errorf("open the %s archive: %w", k, err))
		return nil
	}
	p.left.Members -= len(sub.entries)
	for _, o := range sub.oddities {
		if o.Kind == Leading && k == zipKind && zipappHead(f) {
			continue
		}
		o.Path, o.Entry, o.Other = inside+o.Path, -1, -1
		p.odd(o)
	}
	for _, x := range sub.lost {
		p.damaged(inside+x.path, x.err)
	}
	return p.walk(sub, inside, depth)
}

// zipappHead says whether what is before the archive is one line that names an
// interpreter, as Python's zipapp writes it.
func zipappHead(f *File) bool {
	var head [256]byte
	n, _ := f.ReaderAt.ReadAt(head[:], 0)
	b := head[:n]
	i := bytes.IndexByte(b, '\n')
	return i > 0 && bytes.HasPrefix(b, []byte("#!")) && bytes.HasPrefix(b[i+1:], []byte("PK"))
}

// openNested opens the archive in f.
func openNested(f *File, k kind, cookie int64, limits Limits) (*Layer, error) {
	l := &Layer{r: f.ReaderAt, size: f.Size, kind: k, nested: true, limits: limits}
	var err error
	switch k { //nolint:exhaustive // the others are not read
	case zipKind:
		err = l.readZip()
	case tarKind:
		err = l.readTar()
	case carchive:
		err = l.readCArchive(cookie)
	case pyzKind:
		err = l.readPYZ()
	case gzipKind, bzip2Kind, zstdKind, brotliKind:
		err = l.append(Entry{
			Name: single(f.Path), Mode: 0o644, Compressed: f.Size, Size: -1,
			method: map[kind]int{gzipKind: gzipMethod, bzip2Kind: bzip2Method, zstdKind: zstdMethod, brotliKind: brotliMethod}[k],
		})
	default:
		err = ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	l.finish()
	return l, nil
}

// single is the name of what a compressed file inflates to.
func single(name string) string {
	name = path.Base(name[strings.LastIndex(name, "!/")+1:])
	ext := path.Ext(name)
	switch base := strings.TrimSuffix(name, ext); {
	case base == "" || byName[strings.ToLower(ext)] == noKind:
		return name + ".inflated"
	case strings.EqualFold(ext, ".tgz") || strings.EqualFold(ext, ".tbz2"):
		return base + ".tar"
	default:
		return base
	}
}

// readTar reads the headers of a tar archive. The content is read from where it
// lies.
func (l *Layer) readTar() error {
	section := io.NewSectionReader(l.r, 0, l.size)
	r := tar.NewReader(section)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && len(l.entries) == 0 {
			return err
		}
		if err != nil {
			l.odd(EndRecord, -1, -1, "after %d entries: %v", len(l.entries), err)
			l.lost = append(l.lost, loss{"", fmt.Errorf("entries behind the first %d: %w", len(l.entries), err)})
			return nil
		}
		at, _ := section.Seek(0, io.SeekCurrent)
		e := Entry{
			Name: h.Name[:min(len(h.Name), l.limits.Name+1)], Mode: h.FileInfo().Mode() & (fs.ModeType | fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid), Modified: h.ModTime,
			Compressed: h.Size, Size: h.Size, method: store, start: at, dirName: strings.HasSuffix(h.Name, "/"),
		}
		switch h.Typeflag {
		case tar.TypeReg, tar.TypeRegA: //nolint:staticcheck // old archives have it
			if e.dirName {
				e.Mode |= fs.ModeDir
			}
		case tar.TypeSymlink, tar.TypeLink:
			// A hard link is shown as a link to what it shares its content with.
			e.Mode = e.Mode.Perm() | fs.ModeSymlink
			e.text, e.Size, e.Compressed = h.Linkname, int64(len(h.Linkname)), 0
			if h.Typeflag == tar.TypeLink {
				e.text = strings.Repeat("../", strings.Count(strings.Trim(path.Clean(h.Name), "/"), "/")) + h.Linkname
				e.Size = int64(len(e.text))
			}
			if e.text == "" || len(e.text) > 4096 {
				e.bad = fmt.Errorf("link with a text of %d bytes", len(e.text))
			}
		case tar.TypeDir:
			e.Size, e.Compressed = 0, 0
		case tar.TypeGNUSparse:
			e.bad = fmt.Errorf("sparse file: %w", ErrUnsupported)
		case tar.TypeXGlobalHeader:
			continue
		}
		if h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != "" {
			e.bad = fmt.Errorf("sparse file: %w", ErrUnsupported)
		}
		if e.bad == nil && e.Compressed > l.size-at {
			e.bad = fmt.Errorf("%d bytes at %d reach behind the end of the archive", e.Compressed, at)
		}
		if err := l.append(e); err != nil {
			return err
		}
		if e.bad != nil {
			l.odd(Unreadable, len(l.entries)-1, -1, "%q: %v", e.Name, e.bad)
		}
	}
	at, _ := section.Seek(0, io.SeekCurrent)
	if rest := l.size - at; rest > 0 && !zeros(l.r, at, rest) {
		l.odd(Trailing, -1, -1, "%d bytes follow the archive", rest)
	}
	return nil
}

// zeros says whether the n bytes at off are zero; padding is.
func zeros(r io.ReaderAt, off, n int64) bool {
	var buf [4096]byte
	for n > 0 {
		k, err := r.ReadAt(buf[:min(n, int64(len(buf)))], off)
		if len(bytes.Trim(buf[:k], "\x00")) > 0 {
			return false
		}
		if n, off = n-int64(k), off+int64(k); err != nil {
			return true
		}
	}
	return true
}
