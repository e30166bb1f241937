package pysyntax_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

const compiled = `import os
from base64 import b64decode as d, b64encode
from . import sibling
URL = "https://drop.invalid/x?k=v"
def f(a, *, b=("/proc/self/environ", 1.5, 10**30, None, b"raw")):
    import socket
    return os.environ[a]
class C:
    def m(self):
        return lambda: {1: 2, **self.x}[::2]
`

// Every interpreter at hand compiles the same source in the three ways, and what
// was compiled is read back.
func TestReadPyc_interpreters(t *testing.T) {
	pythons, err := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".pyenv/versions/*/bin/python"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := exec.LookPath("python3"); err == nil && len(pythons) == 0 {
		pythons = []string{p}
	}
	if len(pythons) == 0 {
		t.Skip("no python to compile with")
	}
	for _, python := range pythons {
		out, err := exec.CommandContext(t.Context(), python, "-c", "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])").Output()
		if err != nil {
			t.Logf("%s: %v", python, err)
			continue
		}
		version := string(out)
		dir := t.TempDir()
		src := filepath.Join(dir, "m.py")
		text := compiled
		if version == "2.7" {
			text = "import os\nURL = 'https://drop.invalid/x?k=v'\ndef f(a):\n    return os.environ[a]\n"
		}
		if err := os.WriteFile(src, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		modes := map[string]string{"timestamp": "TIMESTAMP", "checked-hash": "CHECKED_HASH", "unchecked-hash": "UNCHECKED_HASH"}
		for mode, name := range modes {
			old := version == "2.7" || version == "3.6"
			if old && mode != "timestamp" {
				continue
			}
			arg := ", invalidation_mode=py_compile.PycInvalidationMode." + name
			if old {
				arg = ""
			}
			pyc := filepath.Join(dir, mode+".pyc")
			cmd := exec.CommandContext(t.Context(), python, "-c", "import py_compile, sys; py_compile.compile(sys.argv[1], sys.argv[2], doraise=True"+arg+")", src, pyc)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", python, err, out)
			}
			data, err := os.ReadFile(pyc)
			if err != nil {
				t.Fatal(err)
			}
			p, err := pysyntax.ReadPyc(data)
			if err != nil {
				t.Errorf("%s %s: %v", version, mode, err)
				continue
			}
			if p.Version != version || p.Mode != mode || p.Trailing != 0 || p.File != src && !strings.Contains(p.File, "…") {
				t.Errorf("%s %s: %+v", version, mode, p)
			}
			if mode == "timestamp" && version != "2.7" && int(p.Size) != len(text) {
				t.Errorf("%s: the source has %d bytes, the header says %d", version, len(text), p.Size)
			}
			if got := p.Facts.Strings; len(got) == 0 || got[0].Value != "https://drop.invalid/x?k=…" || !got[0].AtImport {
				t.Errorf("%s: %+v", version, got)
			}
			if version == "2.7" {
				continue
			}
			if d := cmp.Diff([]string{"C", "C.m", "f"}, slicesWithout(p.Functions, "<lambda>")); d != "" && p.Magic >= 3450 {
				t.Errorf("%s: %s", version, d)
			}
			want := "1 import os\n1 from base64 b64decode b64encode\n1 from . sibling\n5 import socket lazy\n"
			got := strings.NewReplacer("0 import os", "1 import os", "0 from base64", "1 from base64", "0 from .", "1 from .").Replace(imports(p.Facts.Imports))
			if p.Magic <= 3571 && got != want {
				t.Errorf("%s: %s", version, cmp.Diff(want, got))
			}
			if len(p.Facts.Strings) != 2 && len(p.Facts.Strings) != 1 {
				t.Errorf("%s: %+v", version, p.Facts.Strings)
			}
		}
	}
}

func slicesWithout(l []string, part string) []string {
	var out []string
	for _, s := range l {
		if !strings.Contains(s, part) {
			out = append(out, s)
		}
	}
	return out
}

func header(magic uint16, flags uint32, rest ...byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, magic)
	b = append(b, '\r', '\n')
	b = binary.LittleEndian.AppendUint32(b, flags)
	b = append(b, 1, 0, 0, 0, 2, 0, 0, 0)
	return append(b, rest...)
}

func TestReadPyc_broken(t *testing.T) {
	if _, err := pysyntax.ReadPyc([]byte("import os\n")); !errors.Is(err, pysyntax.ErrNotPyc) {
		t.Error(err)
	}
	tests := map[string]struct {
		data []byte
		want string
	}{
		"short":     {header(3495, 0, 's', 255, 0, 0, 0), "python 3.11 bytecode, byte 21: the file ends in an object"},
		"type":      {header(3495, 0, '!'), "python 3.11 bytecode, byte 17: no object begins with byte 0x21"},
		"reference": {header(3495, 0, 'r', 9, 0, 0, 0), "python 3.11 bytecode, byte 21: reference 9 to an object that is not there"},
		"deep":      {header(3495, 0, bytes.Repeat([]byte{')', 1}, 100)...), "python 3.11 bytecode, byte 146: objects are nested too deep"},
		"many":      {header(3495, 0, '(', 255, 255, 255, 127), "python 3.11 bytecode, byte 21: the file ends in an object"},
		"unknown":   {header(1, 0, 'N'), "magic number 1 is of no Python from 3.6 to 3.14: its constants are not read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := pysyntax.ReadPyc(tt.data)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if p == nil || !p.Facts.Partial || p.MTime != 1 || p.Size != 2 {
				t.Errorf("%+v", p)
			}
		})
	}
	p, err := pysyntax.ReadPyc(header(3627, 1, 'N', 'x'))
	if err != nil || p.Version != "3.14" || p.Mode != pysyntax.PycUncheckedHash || p.Hash != "0100000002000000" || p.Trailing != 1 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestReadPyc_awscli(t *testing.T) {
	for _, f := range layer(t, "awscli-v1", ".pyc") {
		p, err := pysyntax.ReadPyc(f.data)
		if err != nil || p.Mode != pysyntax.PycTimestamp || p.Version != "3.11" || p.Trailing != 0 {
			t.Errorf("%s: %v %+v", f.name, err, p)
		}
	}
}

func TestReadPth(t *testing.T) {
	src := "# import os\n./lib\n\nimport os, base64; exec(base64.b64decode('" + encoded("import x") + "'))\nimport\tsys\nimportlib\n"
	p := pysyntax.ReadPth([]byte(src))
	if d := cmp.Diff([]string{"./lib", "importlib"}, p.Paths); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{4, 5}, p.Code); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"decoded(base64.b64decode):4 -> code(builtins.exec):4 at import"}, flows(p.Facts)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff("4 import os\n4 import base64\n5 import sys\n", imports(p.Facts.Imports)); d != "" {
		t.Error(d)
	}
	if p := pysyntax.ReadPth([]byte("a\nb")); p.Facts != nil || len(p.Paths) != 2 {
		t.Errorf("%+v", p)
	}
}

func FuzzReadPyc(f *testing.F) {
	f.Add(header(3495, 0, 0xe3, 0, 0, 0, 0))
	f.Add(header(3571, 3, ')', 2, 0xda, 1, 'a', 'r', 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := pysyntax.ReadPyc(data); err == nil && p == nil {
			t.Error("neither a file nor an error")
		}
	})
}
