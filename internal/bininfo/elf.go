package bininfo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The names below are those of the ELF specification
// (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).
const (
	ptLoad, ptDynamic, ptInterp, ptGNUStack = 1, 2, 3, 0x6474e551

	shtSymtab, shtNobits, shtDynsym = 2, 8, 11
	shfCompressed                   = 0x800

	dtNeeded, dtHash, dtStrtab, dtSymtab, dtStrsz = 1, 4, 5, 6, 10
	dtSoname, dtRpath, dtRunpath                  = 14, 15, 29
	dtInitArraysz, dtPreinitArraysz               = 27, 33
	dtAudit, dtDepaudit, dtAuxiliary, dtFilter    = 0x6ffffefc, 0x6ffffefb, 0x7ffffffd, 0x7fffffff
)

var machines = map[uint16]string{
	62: "x86_64", 183: "arm64", 3: "386", 40: "arm", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 243: "riscv", 258: "loongarch",
}

// An image is an ELF file being read.
type image struct {
	r     io.ReaderAt
	size  uint64
	order binary.ByteOrder
	wide  bool // 64 bits
	loads []segment
	secs  []section
}

type segment struct {
	kind, flags               uint32
	offset, vaddr, fsize, end uint64
}

type section struct {
	name         string
	kind, flags  uint64
	offset, size uint64
}

var errEnd = errors.New("points behind the end of the file")

func (i *Info) readELF(r io.ReaderAt, size int64, head []byte) error {
	f := &image{r: r, size: uint64(size)} //nolint:gosec // a size is not negative
	if len(head) < 52 {
		return errors.New("an ELF header that is cut off")
	}
	f.order = binary.LittleEndian
	if head[5] == 2 {
		f.order = binary.BigEndian
	}
	f.wide = head[4] == 2
	if f.wide && len(head) < 64 {
		return errors.New("an ELF header that is cut off")
	}
	i.Arch = machines[f.order.Uint16(head[18:])]
	kind := f.order.Uint16(head[16:])
	switch kind {
	case 1:
		i.Kind = Object
	case 2:
		i.Kind = Executable
	case 3:
		i.Kind = Library // unless an interpreter is asked for
	case 4:
		i.Kind = Core
	}
	segments, end, err := f.programHeaders(head)
	if err != nil {
		return fmt.Errorf("program headers: %w", err)
	}
	send, sectionsErr := f.sections(head)
	if sectionsErr != nil {
		sectionsErr = fmt.Errorf("section headers: %w", sectionsErr)
	}
	end = max(end, send)
	if end+maxPadding < f.size {
		i.Overlay = size - int64(end) //nolint:gosec // end is below size
	}
	i.NoSections = len(f.secs) == 0
	i.Stripped = true
	for _, s := range f.secs {
		i.Stripped = i.Stripped && s.kind != shtSymtab
	}
	var errs []error
	for _, s := range segments {
		switch s.kind {
		case ptInterp:
			b, err := f.bytes(s.offset, s.fsize, maxText)
			errs = append(errs, wrap("interpreter", err))
			i.Interpreter = strings.TrimRight(string(b), "\x00")
			if i.Kind == Library {
				i.Kind = Executable
			}
		case ptGNUStack:
			i.ExecStack = s.flags&1 != 0
		case ptLoad:
			i.WriteExec = i.WriteExec || s.flags&3 == 3
		case ptDynamic:
			errs = append(errs, wrap("dynamic section", i.dynamic(f, s)))
		}
	}
	i.Packer = f.packer()
	if i.Kind != Core {
		errs = append(errs, i.languages(f))
	}
	return errors.Join(append(errs, sectionsErr)...)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// word reads a number as wide as the file's addresses at b[narrow:] or b[wide:].
func (f *image) word(b []byte, narrow, wide int) uint64 {
	if f.wide {
		return f.order.Uint64(b[wide:])
	}
	return uint64(f.order.Uint32(b[narrow:]))
}

// bytes reads n bytes at offset. More than limit is an error.
func (f *image) bytes(offset, n, limit uint64) ([]byte, error) {
	if n > limit {
		return nil, fmt.Errorf("%d bytes are above the limit of %d", n, limit)
	}
	if n > f.size || offset > f.size-n {
		return nil, errEnd
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, int64(offset)); err != nil && !errors.Is(err, io.EOF) { //nolint:gosec // below size
		return nil, err
	}
	return b, nil
}

// programHeaders reads them all and returns where the last byte they name ends.
func (f *image) programHeaders(head []byte) (all []segment, end uint64, err error) {
	offset, size, n := f.word(head, 28, 32), uint64(f.half(head, 42, 54)), uint64(f.half(head, 44, 56))
	if n == 0 {
		return nil, 0, nil
	}
	want := uint64(32)
	if f.wide {
		want = 56
	}
	if size < want || n > maxProgramHeaders {
		return nil, 0, fmt.Errorf("%d of %d bytes", n, size)
	}
	b, err := f.bytes(offset, n*size, maxProgramHeaders*1024)
	if err != nil {
		return nil, 0, err
	}
	for ; n > 0; n, b = n-1, b[size:] {
		s := segment{kind: f.order.Uint32(b), offset: f.word(b, 4, 8), vaddr: f.word(b, 8, 16), fsize: f.word(b, 16, 32)}
		if f.wide {
			s.flags = f.order.Uint32(b[4:])
		} else {
			s.flags = f.order.Uint32(b[24:])
		}
		s.end = s.offset + s.fsize
		if s.end < s.offset {
			return nil, 0, errEnd
		}
		if s.kind == ptLoad {
			f.loads = append(f.loads, s)
			end = max(end, s.end)
		}
		all = append(all, s)
	}
	return all, end, nil
}

func (f *image) half(head []byte, narrow, wide int) uint16 {
	if f.wide {
		return f.order.Uint16(head[wide:])
	}
	return f.order.Uint16(head[narrow:])
}

// sections reads the section table, if there is one, and returns where the last
// byte it names ends.
func (f *image) sections(head []byte) (end uint64, err error) {
	offset := f.word(head, 32, 40)
	size, n, names := uint64(f.half(head, 46, 58)), uint64(f.half(head, 48, 60)), int(f.half(head, 50, 62))
	if offset == 0 || n == 0 {
		return 0, nil
	}
	want := uint64(40)
	if f.wide {
		want = 64
	}
	if size < want || n > maxSections {
		return 0, fmt.Errorf("%d of %d bytes", n, size)
	}
	b, err := f.bytes(offset, n*size, maxSections*1024)
	if err != nil {
		return 0, err
	}
	end = offset + n*size
	var at []uint32
	secs := make([]section, 0, n)
	for ; n > 0; n, b = n-1, b[size:] {
		at = append(at, f.order.Uint32(b))
		s := section{
			kind: uint64(f.order.Uint32(b[4:])), flags: f.word(b, 8, 8),
			offset: f.word(b, 16, 24), size: f.word(b, 20, 32),
		}
		if s.kind != shtNobits && s.size <= f.size && s.offset <= f.size {
			end = max(end, s.offset+s.size)
		}
		secs = append(secs, s)
	}
	if names >= len(secs) {
		return end, errors.New("the names are in no section")
	}
	text, err := f.bytes(secs[names].offset, secs[names].size, maxNames)
	if err != nil {
		return end, fmt.Errorf("names: %w", err)
	}
	for j := range secs {
		secs[j].name = text0(text, uint64(at[j]))
	}
	f.secs = secs
	return end, nil
}

// text0 is the zero-terminated text at offset, "" if it is not there.
func text0(b []byte, offset uint64) string {
	if offset >= uint64(len(b)) {
		return ""
	}
	b = b[offset:min(offset+maxText, uint64(len(b)))]
	if end := bytes.IndexByte(b, 0); end >= 0 {
		return string(b[:end])
	}
	return ""
}

func (f *image) section(name string) (section, bool) {
	for _, s := range f.secs {
		if s.name == name && s.kind != shtNobits && s.flags&shfCompressed == 0 {
			return s, true
		}
	}
	return section{}, false
}

// offset is where in the file the address is, if a segment brings it there.
func (f *image) offset(vaddr uint64) (offset, left uint64, ok bool) {
	for _, s := range f.loads {
		if vaddr >= s.vaddr && vaddr-s.vaddr < s.fsize {
			return s.offset + vaddr - s.vaddr, s.fsize - (vaddr - s.vaddr), true
		}
	}
	return 0, 0, false
}

// dynamic reads what the loader is told.
func (i *Info) dynamic(f *image, s segment) error {
	b, err := f.bytes(s.offset, s.fsize, maxDynamic)
	if err != nil {
		return err
	}
	step, pointer := 8, uint64(4)
	if f.wide {
		step, pointer = 16, 8
	}
	var lists [6][]uint64 // offsets of names, read once the names are there
	var strtab, strsz, symtab uint64
	soname := -1
	for ; len(b) >= step; b = b[step:] {
		tag, value := f.word(b, 0, 0), f.word(b, 4, 8)
		list := -1
		switch tag {
		case 0:
			b = b[:step]
		case dtNeeded:
			list = 0
		case dtRpath:
			list = 1
		case dtRunpath:
			list = 2
		case dtAudit, dtDepaudit:
			list = 3
		case dtAuxiliary, dtFilter:
			list = 4
		case dtSoname:
			list, soname = 5, 0
		case dtStrtab:
			strtab = value
		case dtStrsz:
			strsz = value
		case dtSymtab:
			symtab = value
		case dtInitArraysz, dtPreinitArraysz:
			i.Constructors += int(min(value/pointer, maxList))
		}
		if list >= 0 && len(lists[list]) < maxList { //nolint:gosec // list is the index of one of them
			lists[list] = append(lists[list], value) //nolint:gosec // the same
		}
	}
	if strtab == 0 {
		return nil
	}
	at, left, ok := f.offset(strtab)
	if !ok {
		return fmt.Errorf("names: %w", errEnd)
	}
	names, err := f.bytes(at, min(strsz, left), maxStrings)
	if err != nil {
		return fmt.Errorf("names: %w", err)
	}
	kept := 0
	text := func(list int, split string) (found []string) {
		for _, o := range lists[list] {
			for part := range strings.SplitSeq(text0(names, o), split) {
				// The same name may be asked for any number of times.
				if kept += len(part); part != "" && kept <= maxKept {
					found = append(found, part)
				}
			}
		}
		return found
	}
	// "\x00" cannot be in a name, so that list is not split.
	i.Needed, i.RPath, i.RunPath = text(0, "\x00"), text(1, ":"), text(2, ":")
	i.Audit, i.Filter = text(3, ":"), text(4, "\x00")
	if soname == 0 {
		i.Soname = text0(names, lists[5][0])
	}
	if kept > maxKept {
		err = fmt.Errorf("names of more than the limit of %d bytes", maxKept)
	}
	if symtab == 0 {
		return err
	}
	return errors.Join(err, wrap("symbols", i.symbols(f, symtab, strtab, names)))
}

// symbols keeps the names of interest. How many symbols there are the dynamic
// section does not say: the section table does, and without one the names lie
// behind the symbols in what linkers write.
func (i *Info) symbols(f *image, symtab, strtab uint64, names []byte) error {
	at, left, ok := f.offset(symtab)
	if !ok {
		return errEnd
	}
	var size uint64
	for _, s := range f.secs {
		if s.kind == shtDynsym && s.offset == at {
			size = s.size
		}
	}
	if size == 0 && strtab > symtab {
		size = strtab - symtab
	}
	b, err := f.bytes(at, min(size, left), maxSymbols)
	if err != nil {
		return err
	}
	step, section, info := 16, 14, 12
	if f.wide {
		step, section, info = 24, 6, 4
	}
	for ; len(b) >= step; b = b[step:] {
		name := uint64(f.order.Uint32(b))
		bind := b[info] >> 4
		if name == 0 || name >= uint64(len(names)) || bind == 0 {
			continue
		}
		text := names[name:min(name+128, uint64(len(names)))]
		if end := bytes.IndexByte(text, 0); end >= 0 {
			text = text[:end]
		}
		if len(text) < 3 {
			continue
		}
		if f.order.Uint16(b[section:]) == 0 {
			if functions[string(text)]&calls != 0 && len(i.Imports) < maxList {
				i.Imports = append(i.Imports, string(text))
			}
			continue
		}
		if (functions[string(text)] != 0 || entryPoint(text)) && len(i.Exports) < maxList {
			i.Exports = append(i.Exports, string(text))
		}
	}
	return nil
}

// packer recognises what hides or bundles a program. UPX writes its name into
// the loader that follows the program headers, and needs no sections.
func (f *image) packer() string {
	for _, s := range f.secs {
		switch {
		case strings.HasPrefix(s.name, "UPX"), strings.HasPrefix(s.name, ".UPX"):
			return "UPX"
		case s.name == "pydata":
			return "PyInstaller"
		}
	}
	if b, err := f.bytes(0, min(f.size, 1024), 1024); err == nil && bytes.Contains(b, []byte("UPX!")) {
		return "UPX"
	}
	return ""
}
