// Package layerfs is a layer zip, and the merged /opt of several, as an fs.FS
// that cannot be made to misbehave. A directory on disk can stand for the zip.
// Pass reads every file of a layer once, those in archives in it too.
//
// It reads each format's directory itself and serves what it can prove: names are
// cleaned and stay below the root, links are shown and never followed, nothing is
// written anywhere, and no more is inflated than Limits allow. What is odd about
// an archive (an entry listed twice, a name that leaves the root, a local header
// that says something else) is kept as an Oddity for the analyzers: wherever two
// unpackers could disagree there is one. What can still be read is read; what
// cannot is named by Pass with its reason, and never left out in silence. An
// archive whose directory cannot be found is an error: it is for the caller to say
// UNKNOWN.
//
// Memory does not grow with the input: files are inflated into one arena of a
// fixed size outside the collected heap, and what does not fit there is inflated
// again from checkpoints when it is read. There are no temporary files.
//
// It refuses to decrypt, to follow links, and to read split archives, xz, 7z, rar
// and the other formats and methods that it names ErrUnsupported.
//
// Start with Open or FromFS, then Layer (an fs.FS), Entries, Oddities and Pass;
// Merge makes the /opt a function sees.
package layerfs

import (
	"cmp"
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

// Limits bound what one layer may cost. AWS refuses layers above 250 MB unzipped
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), so
// nothing legitimate is lost.
type Limits struct {
	Compressed int64 // bytes of the archive
	Inflated   int64 // bytes inflated of the layer's own files
	Entries    int
	Name       int // bytes of one name
	Depth      int // elements of one name

	// What follows bounds the archives inside the layer, all of them together; 0
	// stands for the value in DefaultLimits.
	Archives int   // how many archives a file may be in
	Nested   int64 // bytes inflated
	Members  int   // entries
	Ratio    int   // bytes inflated per byte of the layer, beyond the first 16 MiB
}

// DefaultLimits are the limits used when nothing else is asked for.
var DefaultLimits = Limits{
	Compressed: 300 << 20, Inflated: 250 << 20, Entries: 100_000, Name: 1024, Depth: 64,
	Archives: 4, Nested: 500 << 20, Members: 50_000, Ratio: 100,
}

func (l Limits) filled() Limits {
	l.Archives = cmp.Or(l.Archives, DefaultLimits.Archives)
	l.Nested = cmp.Or(l.Nested, DefaultLimits.Nested)
	l.Members = cmp.Or(l.Members, DefaultLimits.Members)
	l.Ratio = cmp.Or(l.Ratio, DefaultLimits.Ratio)
	return l
}

// names is how many bytes the names of one archive may have together: enough for
// 100,000 names of the length that real ones have, twice over.
const names = 16 << 20

// ErrLimit is in every error that says that something is above a limit, and
// ErrUnsupported in every error that says that a kind of archive is not read.
var (
	ErrLimit       = errors.New("above the limit")
	ErrUnsupported = errors.New("not supported")
)

// An Entry is one record of an archive's directory, as written, or one file of a
// directory on disk.
type Entry struct {
	Name       string // as written, not cleaned; cut behind Limits.Name bytes
	Path       string // cleaned, below the root; "" if the entry is not served
	Mode       fs.FileMode
	Modified   time.Time
	Compressed int64
	Size       int64 // inflated, as declared; reading verifies it; -1 if nothing declares it
	CRC32      uint32

	method  int
	summed  bool   // CRC32 is declared
	offset  int64  // of the local header
	start   int64  // of the content
	text    string // of a link, where the format keeps it beside the content
	head    string // what goes before the content to make it a file of its kind
	bad     error  // why it cannot be read
	hidden  error  // why it is not served
	dirName bool   // the name ends in a slash
}

// An Oddity is something about an archive that no honest packer does.
type Oddity struct {
	Kind OddityKind
	// Path is the file, or, ending in "!/", the archive inside the layer; "" for
	// the layer's archive as a whole. It is not served if Kind says so.
	Path   string
	Entry  int // index into Entries; -1 for an archive as a whole, or inside the layer
	Other  int // the other entry of a pair, or -1
	Detail string
}

// An OddityKind says what is odd and how the entry is served.
type OddityKind string

// The kinds of oddities. "Not served" means that Pass gives the entry to damaged,
// or to visit as Hidden if it is asked to.
const (
	// Duplicate is a name that was listed before; the last one is served.
	Duplicate OddityKind = "duplicate-name"
	// Unsafe is a name that leaves the root, is absolute, empty, too long or no
	// UTF-8; it is not served.
	Unsafe OddityKind = "unsafe-name"
	// Unclean is a name with empty or dot elements; it is served as the clean name.
	Unclean OddityKind = "unclean-name"
	// Backslash is a name with a backslash, which some unpackers take for a slash.
	Backslash OddityKind = "backslash-in-name"
	// Separator is a name with "!/" in it, which is how File.Path shows what is in an
	// archive.
	Separator OddityKind = "archive-separator-in-name"
	// Control is a name with characters that are not shown.
	Control OddityKind = "control-character-in-name"
	// Encoding is a name that unpackers decode differently.
	Encoding OddityKind = "name-encoding"
	// Collision is a name that differs from another one only by case or by Unicode
	// normalisation: on some file systems they are the same.
	Collision OddityKind = "name-collision"
	// Clash is a name below another entry that is a file; it is not served.
	Clash OddityKind = "file-and-directory"
	// ThroughLink is a name below another entry that is a link; it is not served.
	ThroughLink OddityKind = "path-through-link"
	// LinkLeaves is a link whose target is outside /opt; LinkLoop one that leads to
	// itself, or further than 40 links.
	LinkLeaves OddityKind = "link-leaves-root"
	LinkLoop   OddityKind = "link-loop"
	// Privileged is a setuid or setgid bit, WorldWritable a file or directory that
	// everybody may write. Those in archives in the layer do not count.
	Privileged    OddityKind = "setuid-or-setgid"
	WorldWritable OddityKind = "world-writable"
	// Special is a device, pipe or socket; its content is not given.
	Special OddityKind = "special-file"
	// TypeConflict is an entry that is a directory by its mode or its name only, or
	// a directory with content; the name decides.
	TypeConflict OddityKind = "type-conflict"
	// Mismatch is a local header that differs from the directory; what the
	// directory says is served.
	Mismatch OddityKind = "local-header-differs"
	// Descriptor is a data descriptor that differs from the directory.
	Descriptor OddityKind = "data-descriptor-differs"
	// Unreadable is an entry without local header or outside the archive.
	Unreadable OddityKind = "unreadable-entry"
	// Overlap are entries that share bytes of the archive.
	Overlap OddityKind = "overlapping-entries"
	// Leading, Unlisted and Trailing are bytes of the archive that belong to no
	// entry: before the first, between, and after the end.
	Leading  OddityKind = "leading-bytes"
	Unlisted OddityKind = "unlisted-bytes"
	Trailing OddityKind = "trailing-bytes"
	// EndRecord is an archive whose end can be read in more than one way.
	EndRecord OddityKind = "ambiguous-end"
	// Zip64 is the form of zip for archives above 4 GiB, which no layer can be.
	Zip64 OddityKind = "zip64"
	// Extra is an extra field that is cut off.
	Extra OddityKind = "extra-field-malformed"
	// Encrypted is an entry that cannot be read without a key.
	Encrypted OddityKind = "encrypted-entry"
	// Method is a compression method other than store and deflate.
	Method OddityKind = "compression-method"
	// Ratio is a file of more than 1 MiB that inflates more than 200-fold.
	Ratio OddityKind = "compression-ratio"
	// Bloated is a compressed stream that is longer than what is in it: no packer
	// writes one, and reading it takes long.
	Bloated OddityKind = "stream-longer-than-content"
	// OverLimit is a layer of more than Limits.Inflated bytes.
	OverLimit OddityKind = "over-lambda-limit"
	// Size and Checksum are content that differs from what the directory declares;
	// it is given as it is. Slack are bytes behind the end of a compressed stream.
	Size     OddityKind = "size-differs"
	Checksum OddityKind = "checksum-differs"
	Slack    OddityKind = "bytes-after-stream"
	// Disguised is a file that is named like an archive and is none.
	Disguised OddityKind = "not-the-archive-it-is-named"
	// More says how many oddities are not listed, beyond the first thousands.
	More OddityKind = "more-oddities"
)

// maxOddities are kept of one archive.
const maxOddities = 5000

// A Layer is an opened archive or directory. It may be read from many goroutines.
type Layer struct {
	r        io.ReaderAt
	size     int64
	fsys     fs.FS // instead of r
	kind     kind
	nested   bool // in an archive in a layer
	limits   Limits
	entries  []Entry
	oddities []Oddity
	more     int // oddities not kept
	named    int // bytes of names
	lost     []loss
	tree
}

// A loss is a part of the archive for which there is no entry.
type loss struct {
	path string
	err  error
}

// Entries returns the directory in its order. It must not be changed.
func (l *Layer) Entries() []Entry { return l.entries }

// Oddities returns what is odd, in the order it was met when the layer was opened.
// It must not be changed. What is odd about content is met by Pass.
func (l *Layer) Oddities() []Oddity { return l.oddities }

// Open reads the directory of the zip archive of size bytes in r.
func Open(r io.ReaderAt, size int64, limits Limits) (*Layer, error) {
	if size > limits.Compressed {
		return nil, fmt.Errorf("archive of %d bytes is %w of %d", size, ErrLimit, limits.Compressed)
	}
	l := &Layer{r: r, size: size, kind: zipKind, limits: limits.filled()}
	if err := l.readZip(); err != nil {
		return nil, err
	}
	l.finish()
	return l, nil
}

func (l *Layer) odd(kind OddityKind, i, other int, format string, args ...any) {
	if len(l.oddities) >= maxOddities {
		l.more++
		return
	}
	o := Oddity{Kind: kind, Entry: i, Other: other, Detail: fmt.Sprintf(format, args...)}
	if i >= 0 {
		o.Path = l.entries[i].shown()
	}
	l.oddities = append(l.oddities, o)
}

// append adds an entry before its name is looked at.
func (l *Layer) append(e Entry) error {
	if len(l.entries) >= l.limits.Entries {
		return fmt.Errorf("more than %d entries are %w", l.limits.Entries, ErrLimit)
	}
	if l.named += len(e.Name); l.named > names {
		return fmt.Errorf("names of more than %d bytes together are %w", names, ErrLimit)
	}
	l.entries = append(l.entries, e)
	return nil
}

// finish puts the entries into the tree and looks at what they make together.
func (l *Layer) finish() {
	l.root(len(l.entries))
	var total int64
	for i := range l.entries {
		e := &l.entries[i]
		l.place(i, e)
		l.look(i, e)
		if e.Size > 0 {
			total += min(e.Size, l.limits.Inflated+1)
		}
	}
	if !l.nested && total > l.limits.Inflated {
		l.odd(OverLimit, -1, -1, "the files declare %d bytes or more, %d are the limit", total, l.limits.Inflated)
	}
	l.collisions()
	l.follow()
	if l.more > 0 {
		l.oddities = append(l.oddities, Oddity{Kind: More, Entry: -1, Other: -1, Detail: fmt.Sprintf("%d more oddities are not listed", l.more)})
	}
}

// place checks the entry's name and puts it into the tree.
func (l *Layer) place(i int, e *Entry) {
	hide := func(kind OddityKind, err error) {
		e.hidden = err
		l.odd(kind, i, -1, "%v", err)
	}
	name := strings.TrimSuffix(e.Name, "/")
	if l.kind == tarKind {
		// The dot in front is how tar is used, and says nothing.
		if name = strings.TrimPrefix(name, "./"); name == "." {
			return
		}
	}
	if why := unsafeName(name, l.limits); why != nil {
		hide(Unsafe, fmt.Errorf("name %q %w", e.Name, why))
		return
	}
	if !fs.ValidPath(name) { // that, unlike path.Clean, is cheap
		clean := path.Clean(name)
		l.odd(Unclean, i, -1, "name %q is read as %q", e.Name, clean)
		name = clean
	}
	if strings.Contains(name, `\`) {
		l.odd(Backslash, i, -1, "name %q holds a backslash", e.Name)
	}
	if strings.Contains(name, "!/") {
		l.odd(Separator, i, -1, "name %q looks like a file in an archive", e.Name)
	}
	if strings.ContainsFunc(name, unprintable) {
		l.odd(Control, i, -1, "name %q holds characters that are not shown", e.Name)
	}
	e.Path = name
	old, listed := l.nodes[name]
	if at, ok := l.add(name, node{layer: l, entry: i}, 2*l.limits.Entries); !ok {
		e.Path = ""
		switch {
		case at == "":
			hide(Unsafe, fmt.Errorf("name %q makes more directories than are allowed: %w", e.Name, ErrLimit))
		case l.nodes[at].mode()&fs.ModeSymlink != 0:
			hide(ThroughLink, fmt.Errorf("%q goes through %q, which is a link", name, at))
		default:
			hide(Clash, fmt.Errorf("%q is both a file and a directory", at))
		}
		return
	}
	if j := old.entry; listed && old.layer != nil && (!e.Mode.IsDir() || !l.entries[j].Mode.IsDir()) {
		l.odd(Duplicate, i, j, "%q is listed twice, as entries %d and %d", name, j+1, i+1)
		l.entries[j].hidden = fmt.Errorf("entry %d has the name of entry %d, which is served", j+1, i+1)
	}
}

// look checks what the entry says about itself beside its name.
func (l *Layer) look(i int, e *Entry) {
	switch e.Mode.Type() { //nolint:exhaustive // all others are special
	case 0, fs.ModeDir, fs.ModeSymlink:
	default:
		l.odd(Special, i, -1, "%q is a %s", e.shown(), typeName(e.Mode))
	}
	// What opens an archive in a layer gives its files no mode, and jars that
	// everybody uses have any.
	if e.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 && !l.nested {
		l.odd(Privileged, i, -1, "%q has the mode %v", e.shown(), e.Mode)
	}
	if e.Mode&0o002 != 0 && e.Mode&fs.ModeSymlink == 0 && !l.nested {
		l.odd(WorldWritable, i, -1, "%q has the mode %v", e.shown(), e.Mode)
	}
	if e.Mode.IsDir() && l.fsys == nil && e.Size > 0 {
		e.bad = fmt.Errorf("directory with %d bytes of content: %w", e.Size, ErrUnsupported)
		l.odd(TypeConflict, i, -1, "%q is a directory and has %d bytes of content", e.shown(), e.Size)
	}
	if e.method != store && steep(e.Size, e.Compressed) {
		l.odd(Ratio, i, -1, "%q: %d bytes are said to inflate to %d", e.shown(), e.Compressed, e.Size)
	}
}

func steep(size, compressed int64) bool { return size > 1<<20 && size/200 > compressed }

// shown is the path of an entry whether it is served or not: below the root, and
// valid UTF-8.
func (e *Entry) shown() string {
	if e.Path != "" {
		return e.Path
	}
	return cmp.Or(strings.ToValidUTF8(path.Clean("/" + e.Name)[1:], "\ufffd"), "(no name)")
}

// unsafeName says why a name is not served, or nil.
func unsafeName(name string, limits Limits) error {
	switch {
	case len(name) > limits.Name:
		return fmt.Errorf("has more than %d bytes, which is %w", limits.Name, ErrLimit)
	case strings.Count(name, "/") >= limits.Depth:
		return fmt.Errorf("has more than %d elements, which is %w", limits.Depth, ErrLimit)
	case !utf8.ValidString(name):
		return errors.New("is not UTF-8")
	case strings.Contains(name, "\x00"):
		return errors.New("holds a zero byte")
	case path.IsAbs(name):
		return errors.New("is absolute")
	case strings.HasPrefix(name, "../") || strings.HasSuffix(name, "/..") || strings.Contains(name, "/../") || name == "..":
		return errors.New("leaves its directory")
	case !fs.ValidPath(name) && path.Clean(name) == ".", name == ".":
		return errors.New("is no name")
	}
	return nil
}

func unprintable(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

func typeName(m fs.FileMode) string {
	switch {
	case m&fs.ModeCharDevice != 0:
		return "character device"
	case m&fs.ModeDevice != 0:
		return "block device"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "file of an unknown type"
}
