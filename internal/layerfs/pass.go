package layerfs

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"

	"github.com/klauspost/compress/flate"
)

// WholeFile is the size in bytes up to which a File is given as Data. A larger
// one is read through its ReaderAt.
const WholeFile = 8 << 20

// A File is one file as Pass gives it: of the layer itself, or of an archive in
// it. It is valid during the call that received it: Data is overwritten by the
// next file.
type File struct {
	// Path is where it is: "python/acme/a.py", and for a file in an archive the
	// archive's path, "!/", and the path in there: "python/a.whl!/acme/a.py".
	Path string
	// Mode has the type (regular file or symbolic link; nothing else is given)
	// and the permissions.
	Mode fs.FileMode
	// Size is in bytes, inflated.
	Size int64
	// SHA256 is of the inflated bytes.
	SHA256 [sha256.Size]byte
	// Data is the whole content, of a link its text; nil if Size is above
	// WholeFile.
	Data []byte
	// ReaderAt reads the content, whatever its size.
	ReaderAt io.ReaderAt
	// Depth is how many archives it is in; 0 for a file of the layer.
	Depth int
	// Hidden says that the name does not lead to this content: another entry has
	// the same name, or the name is not served. See Options.Hidden.
	Hidden bool
}

// Options are what Pass does beside giving files.
type Options struct {
	// Known, if it is set, is asked before an entry of the layer is read, and says
	// whether everything it would give is known already, and then what Done said
	// that it costs. Nothing of the entry is inflated or given then.
	Known func(e *Entry, key Key) (Cost, bool)
	// Ahead says that most entries will be known: their keys are made by goroutines,
	// while what is known of those before is taken.
	Ahead bool
	// Done, if it is set, is called with what Known was asked when an entry was read
	// and everything of it given. Whole is false if something of it was left out
	// that another layer's limits or cache might have given.
	Done func(e *Entry, key Key, cost Cost, whole bool)
	// Odd, if it is set, is given what is odd about content, and about the archives
	// in the layer. If it is not, damaged is.
	Odd func(Oddity)
	// Hidden asks for the entries that are not served, too.
	Hidden bool
}

// A Cost is what reading an entry took from the limits that all archives in the
// layer share, so that a layer of which much is known is cut off where it would be
// if nothing was.
type Cost struct {
	Inflated int64 // bytes of the layer's own file
	Nested   int64 // bytes in archives
	Members  int   // entries in archives
}

// An OddityError is an Oddity where there is nobody to take it as one.
type OddityError struct{ Oddity Oddity }

func (e *OddityError) Error() string { return string(e.Oddity.Kind) + ": " + e.Oddity.Detail }

// Pass inflates every served file of the layer once, in the order of the archive,
// hashes it, and gives it to visit; if it is an archive, the files in it follow. It
// ends at visit's first error. Every entry and archive that is not given to visit
// whole is given to damaged with the reason, and the pass goes on: a path that ends
// in "!/" is what is in the archive before it, and "" is what the directory does not
// name.
func (l *Layer) Pass(visit func(*File) error, damaged func(path string, err error)) error {
	return l.PassWith(Options{}, visit, damaged)
}

// PassWith is Pass with options.
func (l *Layer) PassWith(opt Options, visit func(*File) error, damaged func(path string, err error)) error {
	p := &pass{opt: opt, visit: visit, damaged: damaged, limits: l.limits, arena: newArena(), decoder: decoders.Get().(*decoder)} //nolint:errcheck,forcetypeassert // the pool holds nothing else
	defer p.arena.free()
	defer p.decoder.free()
	p.left = Cost{Inflated: l.limits.Inflated, Members: l.limits.Members, Nested: l.limits.Nested}
	if l.fsys == nil {
		p.left.Nested = min(p.left.Nested, 16<<20+satMul(l.size, int64(l.limits.Ratio)))
	}
	// What the directory itself takes is taken from what files may.
	p.arena.top = min(len(l.entries)*400, held/2) &^ 0xfff
	for _, x := range l.lost {
		damaged(x.path, x.err)
	}
	if opt.Ahead && opt.Known != nil {
		p.keys = newKeyring(l)
		defer p.keys.stop()
	}
	return p.walk(l, "", 0)
}

func satMul(a, b int64) int64 {
	if a > 0 && b > math.MaxInt64/a/2 {
		return math.MaxInt64 / 2
	}
	return a * b
}

type pass struct {
	opt     Options
	visit   func(*File) error
	damaged func(string, error)
	limits  Limits
	left    Cost
	arena   *arena
	decoder *decoder
	waste   int64 // see maxWaste
	given   int64 // bytes inflated of the current file
	keys    *keyring
	partial bool // something of the current entry was left out for want of budget
	over    bool // the layer's own files were said to be above the limit
	data    [levels]bytes.Reader
}

func (p *pass) odd(o Oddity) {
	if p.opt.Odd != nil {
		p.opt.Odd(o)
		return
	}
	p.damaged(o.Path, &OddityError{o})
}

// walk gives the entries of l, whose paths start with prefix.
func (p *pass) walk(l *Layer, prefix string, depth int) error {
	for i := range l.entries {
		e := &l.entries[i]
		n, served := l.nodes[e.Path]
		served = served && e.Path != "" && n.layer == l && n.entry == i
		if e.Path == "" && e.hidden == nil {
			continue // the root
		}
		if e.Mode.IsDir() && e.bad == nil {
			continue
		}
		before, top := p.left, p.arena.top
		p.partial = false
		var key Key
		keyed := false
		if depth == 0 && (p.opt.Known != nil || p.opt.Done != nil) {
			var err error
			if key, err = p.key(l, i); err == nil {
				keyed = true
				if p.opt.Known != nil {
					if cost, ok := p.opt.Known(e, key); ok && p.afford(cost) {
						continue
					}
				}
			}
		}
		err := p.entry(l, i, prefix, depth, served, keyed && p.keys == nil)
		p.arena.top = top
		if err != nil {
			return err
		}
		if keyed && p.opt.Done != nil {
			p.opt.Done(e, key, Cost{before.Inflated - p.left.Inflated, before.Nested - p.left.Nested, before.Members - p.left.Members}, !p.partial)
		}
	}
	return nil
}

// afford takes what a known entry costs, if there is as much.
func (p *pass) afford(c Cost) bool {
	if c.Inflated > p.left.Inflated || c.Nested > p.left.Nested || c.Members > p.left.Members {
		return false
	}
	p.left.Inflated -= c.Inflated
	p.left.Nested -= c.Nested
	p.left.Members -= c.Members
	return true
}

// key is Layer.Key, which leaves the compressed bytes of a small entry loaded unless
// it was made ahead.
func (p *pass) key(l *Layer, i int) (Key, error) {
	if p.keys != nil {
		return p.keys.key(i)
	}
	e := &l.entries[i]
	if l.fsys != nil || e.bad != nil || e.Compressed > inMemory {
		return l.Key(e)
	}
	if err := p.decoder.load(l, e); err != nil {
		return Key{}, err
	}
	p.decoder.sha.Reset()
	_, _ = p.decoder.sha.Write(p.decoder.comp)
	return p.decoder.key(e), nil
}

// entry gives one entry and what is in it.
func (p *pass) entry(l *Layer, i int, prefix string, depth int, served, loaded bool) error {
	e := &l.entries[i]
	path := prefix + e.shown()
	switch {
	case !served && !p.opt.Hidden:
		p.damaged(path, cmp.Or(e.hidden, errors.New("not served")))
		return nil
	case e.bad != nil:
		p.damaged(path, e.bad)
		return nil
	case e.Mode.Type() != 0 && e.Mode&fs.ModeSymlink == 0:
		p.damaged(path, fmt.Errorf("%s: %w", typeName(e.Mode), ErrUnsupported))
		return nil
	}
	f := File{Path: path, Mode: e.Mode, Depth: depth, Hidden: !served}
	closer, err := p.read(l, e, &f, loaded)
	if closer != nil {
		defer closer.Close() //nolint:errcheck // it was only read
	}
	if err != nil {
		// What a disk did not give this time it may give the next.
		if errors.Is(err, ErrLimit) || l.fsys != nil || errors.Is(err, errRead) {
			p.partial = true
		}
		p.damaged(path, err)
		return nil
	}
	if err := p.visit(&f); err != nil {
		return err
	}
	if e.Mode&fs.ModeSymlink != 0 {
		return nil
	}
	return p.descend(&f)
}

// budget is what may still be inflated at the depth.
func (p *pass) budget(depth int) *int64 {
	if depth == 0 {
		return &p.left.Inflated
	}
	return &p.left.Nested
}

// read fills in f. What it returns is to be closed after the visit, if it is not
// nil.
func (p *pass) read(l *Layer, e *Entry, f *File, loaded bool) (io.Closer, error) {
	switch {
	case e.Mode&fs.ModeSymlink != 0 && e.text != "":
		f.Data = []byte(e.text)
		f.Size, f.SHA256 = int64(len(f.Data)), sha256.Sum256(f.Data)
		f.ReaderAt = bytes.NewReader(f.Data)
		return nil, nil
	case l.fsys != nil:
		r, err := l.openFile(e)
		if err != nil {
			return nil, err
		}
		at, _ := r.(io.ReaderAt)
		return r, p.fill(e, f, r, at)
	case e.method == store && e.head == "" && e.Compressed > WholeFile:
		section := io.NewSectionReader(l.r, e.start, e.Compressed)
		return nil, p.fill(e, f, section, section)
	}
	d := p.decoder
	if loaded = loaded && e.Compressed <= inMemory; !loaded && e.Compressed <= inMemory {
		if err := d.load(l, e); err != nil {
			return nil, err
		}
		loaded = true
	}
	deflated := e.method == deflate || e.method == zlibMethod || e.method == gzipMethod
	room := int64(len(p.arena.room(levels - 1 - f.Depth)))
	var again *seekable
	if deflated && e.head == "" && e.Size > room {
		again = &seekable{r: l.r}
	}
	for {
		left := *p.budget(f.Depth)
		err := p.decode(l, e, f, loaded, again)
		if again != nil || !deflated || e.head != "" || !errors.Is(err, errNoRoom) {
			return nil, err
		}
		// It was larger than it said: once more, with checkpoints.
		*p.budget(f.Depth) = left
		again = &seekable{r: l.r}
	}
}

var errNoRoom = fmt.Errorf("larger than the memory for one file, which is %w, and cannot be read in parts", ErrLimit)

// maxWaste is by how many bytes compressed streams may be longer than what is in
// them, all together: a stream of empty blocks takes 200 ns a byte.
const maxWaste = 4 << 20

var errWaste = fmt.Errorf("compressed streams that are more than %d bytes longer than what is in them are %w", maxWaste, ErrLimit)

// decode fills in f from the entry's compressed bytes.
func (p *pass) decode(l *Layer, e *Entry, f *File, loaded bool, again *seekable) error {
	var onBlock func(flate.InflateCheckpoint)
	if again != nil {
		onBlock = again.block
	}
	if p.waste > maxWaste {
		return errWaste
	}
	p.given = 0
	var unread func() int64
	check := func() error {
		if p.waste+e.Compressed-unread()-p.given > maxWaste {
			p.waste = maxWaste + 1
			return errWaste
		}
		return nil
	}
	r, unread, left, done, err := p.decoder.inflated(l, e, loaded, onBlock, check)
	if err != nil {
		return err
	}
	defer done()
	if e.head != "" {
		r = io.MultiReader(bytes.NewReader([]byte(e.head)), r)
	}
	var at io.ReaderAt
	if again != nil {
		head := int64(0)
		switch e.method {
		case zlibMethod:
			head = 2
		case gzipMethod:
			if head, err = gzipHeaderLen(l.r, e); err != nil {
				return err
			}
		}
		again.start, again.length = e.start+head, e.Compressed-head
		again.consumed = func() int64 { return again.length - unread() }
		at = again
		r = &untilTiny{r, again}
	}
	if err := p.fill(e, f, r, at); err != nil {
		return err
	}
	slack := left()
	if e.method == store {
		slack = 0
	}
	if again != nil {
		again.size = f.Size
		if g, ok := r.(*untilTiny).r.(*gzipReader); ok && g.members > 1 { //nolint:forcetypeassert // made above
			return fmt.Errorf("gzip of several members, %w", errNoRoom)
		}
	}
	if over := e.Compressed - slack - f.Size; e.method != store && over > 1024+f.Size/8 {
		p.waste += over
		p.partial = true // what comes after depends on it
		p.odd(Oddity{Kind: Bloated, Path: f.Path, Entry: -1, Other: -1, Detail: fmt.Sprintf("%q: %d bytes inflate to %d", f.Path, e.Compressed, f.Size)})
	}
	if slack > 0 {
		p.odd(Oddity{Kind: Slack, Path: f.Path, Entry: -1, Other: -1, Detail: fmt.Sprintf("%q: the compressed stream ends %d bytes or more before its %d bytes do", f.Path, slack, e.Compressed)})
	}
	return nil
}

// gzipHeaderLen returns where the first member's deflate stream starts.
func gzipHeaderLen(r io.ReaderAt, e *Entry) (int64, error) {
	c := &countingSource{r: io.NewSectionReader(r, e.start, e.Compressed)}
	err := gzipHeader(c)
	return c.n, err
}

type countingSource struct {
	r io.Reader
	n int64
}

func (c *countingSource) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingSource) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(c, b[:])
	return b[0], err
}

// untilTiny stops a stream whose blocks are too small to be noted.
type untilTiny struct {
	r io.Reader
	s *seekable
}

func (u *untilTiny) Read(p []byte) (int, error) {
	if u.s.tiny {
		return 0, errTinyBlocks
	}
	return u.r.Read(p)
}

// fill reads r to its end, into the arena as far as there is room, hashes it and
// fills in f. If it is large, readerAt is f's, unless that is nil.
func (p *pass) fill(e *Entry, f *File, r io.Reader, readerAt io.ReaderAt) error {
	d := p.decoder
	budget := p.budget(f.Depth)
	room := p.arena.room(levels - 1 - f.Depth)
	if readerAt != nil {
		room = room[:min(len(room), WholeFile)]
	}
	d.sha.Reset()
	var sum uint32
	n, fits := int64(0), true
	for {
		var chunk []byte
		switch {
		case fits && n < int64(len(room)):
			chunk = room[n:min(n+int64(len(d.chunk)), int64(len(room)))]
		default:
			chunk = d.chunk
		}
		got, err := r.Read(chunk)
		if got > 0 {
			if fits && n >= int64(len(room)) {
				fits = false
				if readerAt == nil {
					*budget -= n
					return errNoRoom
				}
			}
			if int64(got) > *budget-n {
				*budget = 0
				p.exhausted(f.Depth)
				return fmt.Errorf("inflates to more than what is left of the %d bytes for %s, which is %w", p.total(f.Depth), p.what(f.Depth), ErrLimit)
			}
			n += int64(got)
			p.given = n
			p.arena.wrote(int(min(n, int64(len(room)))))
			_, _ = d.sha.Write(chunk[:got])
			if e.summed {
				sum = crc32.Update(sum, crc32.IEEETable, chunk[:got])
			}
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, io.EOF) {
			*budget -= n
			return fmt.Errorf("after %d bytes: %w", n, err)
		}
		break
	}
	*budget -= n
	f.Size = n
	d.sha.Sum(f.SHA256[:0])
	if fits {
		if n <= WholeFile {
			f.Data = room[:n:n]
		}
		// Readers of several levels are in use at once.
		m := &p.data[f.Depth]
		m.Reset(room[:n])
		f.ReaderAt = m
		p.arena.top += int(n)
	} else {
		f.ReaderAt = readerAt
	}
	p.verify(e, f, sum)
	return nil
}

func (p *pass) total(depth int) int64 {
	if depth == 0 {
		return p.limits.Inflated
	}
	return p.limits.Nested
}

func (p *pass) what(depth int) string {
	if depth == 0 {
		return "the layer"
	}
	return "the archives in the layer"
}

// exhausted says once that the layer is larger than Lambda allows.
func (p *pass) exhausted(depth int) {
	p.partial = true
	if depth == 0 && !p.over {
		p.over = true
		p.odd(Oddity{Kind: OverLimit, Entry: -1, Other: -1, Detail: fmt.Sprintf("the files inflate to more than %d bytes", p.limits.Inflated)})
	}
}

// verify compares what was read with what the directory declared.
func (p *pass) verify(e *Entry, f *File, sum uint32) {
	odd := func(kind OddityKind, format string, args ...any) {
		p.odd(Oddity{Kind: kind, Path: f.Path, Entry: -1, Other: -1, Detail: fmt.Sprintf("%q: ", f.Path) + fmt.Sprintf(format, args...)})
	}
	if want := e.Size + int64(len(e.head)); e.Size >= 0 && f.Size != want {
		odd(Size, "%d bytes, the directory says %d", f.Size, want)
	}
	if e.summed && sum != e.CRC32 {
		odd(Checksum, "crc32 %08x, the directory says %08x", sum, e.CRC32)
	}
	if e.method != store && steep(f.Size, e.Compressed) && (f.Depth > 0 || !steep(e.Size, e.Compressed)) {
		odd(Ratio, "%d bytes inflate to %d", e.Compressed, f.Size)
	}
}
