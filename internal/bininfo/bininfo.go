// Package bininfo says what an executable or a native library says of itself:
// its format and architecture, what it loads, which functions it takes from the
// C library and which it puts in their place, whether it was packed, and the
// packages that a Go or Rust compiler or a well-known C library wrote into it.
//
// It reads headers, the dynamic section and a few named sections, never code. It
// follows the program headers, which the loader uses, and needs no section table:
// that may be stripped. What it reads of one file is bounded (see Limits), so a
// file that lies costs little; it ends in an error, with what was read before it.
// PE and Mach-O files are only recognised, because Lambda cannot run them.
// Nothing is judged here. Start with Read.
package bininfo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// The formats.
const (
	ELF   = "elf"
	MachO = "macho"
	PE    = "pe"
)

// The kinds of an ELF file.
const (
	Executable = "executable"
	Library    = "library" // a shared object without a program interpreter
	Object     = "object"  // for a linker
	Core       = "core"
)

// Limits of what is read of one file, in bytes or pieces. They are far above
// what linkers write.
const (
	maxProgramHeaders = 256
	maxSections       = 4096
	maxNames          = 1 << 20  // section names
	maxDynamic        = 64 << 10 // the dynamic section
	maxStrings        = 16 << 20 // names of dynamic symbols
	maxSymbols        = 16 << 20 // the dynamic symbol table
	maxText           = 4096     // one name or path
	maxList           = 1024     // pieces of one list
	maxRodata         = 96 << 20 // constants searched for versions
	maxKept           = 64 << 10 // names of the dynamic section that are kept
	maxCargo          = 1 << 20  // the inflated list of crates
	maxCrates         = 4096     // and what they require, eight times that
	maxPadding        = 64 << 10 // behind the last section, by tools that align
)

// Info is what one file says. Lists are sorted, except Needed, RPath and RunPath,
// whose order the loader keeps.
type Info struct {
	// Format is ELF, MachO or PE.
	Format string `json:"format"`
	// Arch is "x86_64" or "arm64", as AWS writes them, or another machine's name;
	// "" if it is not known.
	Arch string `json:"arch,omitempty"`
	// Kind is Executable, Library, Object or Core; "" if it is not ELF.
	Kind string `json:"kind,omitempty"`
	// Interpreter is the program that loads it ("/lib64/ld-linux-x86-64.so.2"),
	// "" of a library and of a static program.
	Interpreter string `json:"interpreter,omitempty"`
	// Soname is the name that a library is linked by ("libssl.so.3").
	Soname string `json:"soname,omitempty"`
	// Needed are the libraries it loads, in order.
	Needed []string `json:"needed,omitempty"`
	// RPath and RunPath are where it looks for them first, "$ORIGIN" as written.
	RPath   []string `json:"rpath,omitempty"`
	RunPath []string `json:"runpath,omitempty"`
	// Audit are the DT_AUDIT and DT_DEPAUDIT libraries, and Filter the DT_FILTER and
	// DT_AUXILIARY ones: rarely seen ways to be loaded.
	Audit  []string `json:"audit,omitempty"`
	Filter []string `json:"filter,omitempty"`
	// Imports are the functions of interest that it takes from elsewhere.
	Imports []string `json:"imports,omitempty"`
	// Exports are the functions of interest that it defines: entry points that a
	// runtime calls ("PyInit_x", "Agent_OnLoad") and names of the C library, which
	// a preloaded library puts in its place.
	Exports []string `json:"exports,omitempty"`
	// Constructors counts the functions that run when it is loaded (init_array and
	// preinit_array). Compilers make one for themselves.
	Constructors int `json:"constructors,omitempty"`
	// Stripped is true if there is no symbol table, and NoSections if there is no
	// section table, which linkers always write.
	Stripped   bool `json:"stripped,omitempty"`
	NoSections bool `json:"noSections,omitempty"`
	// ExecStack is true if it asks for a stack that can be executed, and
	// WriteExec if a segment is both writable and executable.
	ExecStack bool `json:"execStack,omitempty"`
	WriteExec bool `json:"writeExec,omitempty"`
	// Packer names what compressed or bundled it: "UPX", "PyInstaller"; "" if
	// nothing known did.
	Packer string `json:"packer,omitempty"`
	// Overlay is how many bytes lie behind what the headers describe, 0 if only so
	// many as tools leave when they align.
	Overlay int64 `json:"overlay,omitempty"`
	// Go is the build information of the Go compiler, nil if there is none.
	Go *GoBuild `json:"go,omitempty"`
	// Crates are the Rust packages that cargo auditable wrote down.
	Crates []Crate `json:"crates,omitempty"`
	// Embedded are C libraries recognised by a sentence only they contain.
	Embedded []Version `json:"embedded,omitempty"`
}

// A GoBuild is what debug/buildinfo reads.
type GoBuild struct {
	// Go is the toolchain ("go1.25.9"), Path the main package.
	Go   string `json:"go"`
	Path string `json:"path,omitempty"`
	// Main is the main module, and Modules what it was built with, the
	// replacements where modules were replaced.
	Main    GoModule   `json:"main"`
	Modules []GoModule `json:"modules,omitempty"`
	// Revision is the commit that was built, and Modified whether files differed
	// from it.
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	// CGO is true if C code may be linked.
	CGO bool `json:"cgo,omitempty"`
}

// A GoModule is one module.
type GoModule struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	// Sum is the module's hash ("h1:…"), "" of a main module.
	Sum string `json:"sum,omitempty"`
	// Replaces is the module this one stands for, "" if it is itself.
	Replaces string `json:"replaces,omitempty"`
}

// A Crate is one Rust package
// (https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md).
type Crate struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Source is "crates.io", "git", "local" or "registry".
	Source string `json:"source,omitempty"`
	// Build is true if it ran when the program was built and is not in it.
	Build bool `json:"build,omitempty"`
	// Root is true for the package that was built.
	Root     bool     `json:"root,omitempty"`
	Requires []string `json:"requires,omitempty"`
}

// A Version is a library and the text that gave it away.
type Version struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Text    string `json:"text"`
}

// RunsOn reports whether Lambda's architecture arch ("x86_64" or "arm64") can
// load the file.
func (i *Info) RunsOn(arch string) bool { return i.Format == ELF && i.Arch == arch }

// Recognise tells the format from a file's first bytes, "" if it is none.
// Eight bytes are enough.
func Recognise(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	switch string(head[:4]) {
	case "\x7fELF":
		return ELF
	case "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		return MachO
	case "\xca\xfe\xba\xbe":
		// Java's class files begin alike; the version in their bytes 6 and 7 is at
		// least 45, more than any universal binary has architectures.
		if len(head) >= 8 && binary.BigEndian.Uint32(head[4:]) < 45 {
			return MachO
		}
		return ""
	}
	if head[0] == 'M' && head[1] == 'Z' {
		return PE
	}
	return ""
}

// Read says what the size bytes of r are. It returns nil if they are no
// executable, and Info and an error if they begin like one and could not be read
// to the end: the Info holds what was read before.
func Read(r io.ReaderAt, size int64) (info *Info, err error) {
	var head [64]byte
	n, err := r.ReadAt(head[:min(size, int64(len(head)))], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the first bytes: %w", err)
	}
	format := Recognise(head[:n])
	if format == "" {
		return nil, nil // a file that is no executable is no error, and has no facts
	}
	info = &Info{Format: format}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s file that cannot be read: %v", format, p)
		}
		if info != nil {
			info.sort()
		}
	}()
	switch format {
	case MachO:
		info.Arch = machoArch(head[:n])
		return info, nil
	case PE:
		info.Arch = peArch(r, head[:n])
		if info.Arch == "" {
			return nil, nil // two letters are not enough to call a file an executable
		}
		return info, nil
	}
	return info, info.readELF(r, size, head[:n])
}

func (i *Info) sort() {
	slices.Sort(i.Imports)
	i.Imports = slices.Compact(i.Imports)
	slices.Sort(i.Exports)
	i.Exports = slices.Compact(i.Exports)
}

// machoArch reads the CPU type of a thin file (<mach/machine.h>).
func machoArch(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	cpu := binary.BigEndian.Uint32(head[4:])
	switch string(head[:4]) {
	case "\xca\xfe\xba\xbe":
		return "universal"
	case "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		cpu = binary.LittleEndian.Uint32(head[4:])
	}
	switch cpu {
	case 0x01000007:
		return "x86_64"
	case 0x0100000c:
		return "arm64"
	case 7:
		return "386"
	case 12:
		return "arm"
	}
	return "unknown"
}

// peArch reads the machine of the COFF header that the DOS header points to
// (https://learn.microsoft.com/en-us/windows/win32/debug/pe-format), "" if there
// is none.
func peArch(r io.ReaderAt, head []byte) string {
	if len(head) < 64 {
		return ""
	}
	var coff [6]byte
	if _, err := r.ReadAt(coff[:], int64(binary.LittleEndian.Uint32(head[60:]))); err != nil || string(coff[:4]) != "PE\x00\x00" {
		return ""
	}
	switch binary.LittleEndian.Uint16(coff[4:]) {
	case 0x8664:
		return "x86_64"
	case 0xaa64:
		return "arm64"
	case 0x14c:
		return "386"
	case 0x1c0, 0x1c4:
		return "arm"
	}
	return "unknown"
}
