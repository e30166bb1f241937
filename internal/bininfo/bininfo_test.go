package bininfo_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/bininfo"
)

// An elf is what build writes: one segment that is the whole file, at the address
// of its offset.
type elf struct {
	machine   uint16
	big, thin bool // byte order, and 32 bits
	interp    string
	dynamic   []tag
	imports   []string
	exports   []string
	sections  map[string][]byte // with names; nil for no section table
	flags     uint32            // of the segment; 0 for readable
	stack     uint32            // flags of the stack, 0 for none
	constants []byte            // without a section table, in the segment
}

// A tag is one entry of the dynamic section; text goes to the string table.
type tag struct {
	tag, value uint64
	text       string
}

func (e elf) build() []byte {
	var order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	} = binary.LittleEndian
	if e.big {
		order = binary.BigEndian
	}
	word := func(b []byte, v uint64) []byte {
		if e.thin {
			return order.AppendUint32(b, uint32(v))
		}
		return order.AppendUint64(b, v)
	}
	size := func(thin, wide int) int {
		if e.thin {
			return thin
		}
		return wide
	}
	const segments = 4
	body := bytes.Repeat([]byte{0}, size(52, 64)+segments*size(32, 56))
	put := func(b []byte) (offset uint64) {
		for len(body)%16 != 0 {
			body = append(body, 0)
		}
		offset = uint64(len(body))
		body = append(body, b...)
		return offset
	}
	put(e.constants)
	names := []byte{0}
	name := func(s string) uint64 {
		names = append(names, s...)
		names = append(names, 0)
		return uint64(len(names) - len(s) - 1)
	}
	symbols := bytes.Repeat([]byte{0}, size(16, 24))
	for i, s := range append(append([]string{}, e.imports...), e.exports...) {
		section := uint16(0)
		if i >= len(e.imports) {
			section = 1
		}
		symbols = order.AppendUint32(symbols, uint32(name(s)))
		if e.thin {
			symbols = append(symbols, make([]byte, 8)...)
			symbols = append(symbols, 0x12, 0)
			symbols = order.AppendUint16(symbols, section)
		} else {
			symbols = append(symbols, 0x12, 0)
			symbols = order.AppendUint16(symbols, section)
			symbols = append(symbols, make([]byte, 16)...)
		}
	}
	var dynamic []byte
	for _, t := range e.dynamic {
		if t.text != "" {
			t.value = name(t.text)
		}
		dynamic = word(word(dynamic, t.tag), t.value)
	}
	symtab := put(symbols)
	strtab := put(names)
	dynamic = word(word(dynamic, 5), strtab)
	dynamic = word(word(dynamic, 10), uint64(len(names)))
	dynamic = word(word(dynamic, 6), symtab)
	dynamic = word(word(dynamic, 0), 0)
	dynamicAt := put(dynamic)
	interp := []byte(e.interp + "\x00")
	interpAt := put(interp)
	var table []byte
	var tableAt uint64
	if e.sections != nil {
		text := []byte{0}
		add := func(name string, kind uint32, offset, length uint64) {
			table = order.AppendUint32(table, uint32(len(text)))
			text = append(append(text, name...), 0)
			table = order.AppendUint32(table, kind)
			table = word(word(word(word(table, 0), 0), offset), length)
			table = append(table, make([]byte, size(16, 24))...)
		}
		add("", 0, 0, 0)
		for _, name := range []string{".rodata", ".dep-v0", "UPX0", "pydata", ".symtab"} {
			if b, ok := e.sections[name]; ok {
				kind := uint32(1)
				if name == ".symtab" {
					kind = 2
				}
				add(name, kind, put(b), uint64(len(b)))
			}
		}
		n := len(table) / size(40, 64)
		textAt := put(nil)
		add(".shstrtab", 3, textAt, uint64(len(text)+len(".shstrtab\x00")))
		put(text)
		tableAt = put(table)
		order.PutUint16(body[size(48, 60):], uint16(n+1))
		order.PutUint16(body[size(50, 62):], uint16(n))
	}
	copy(body, "\x7fELF")
	body[4], body[5], body[6] = 2, 1, 1
	if e.thin {
		body[4] = 1
	}
	if e.big {
		body[5] = 2
	}
	order.PutUint16(body[16:], 3)
	order.PutUint16(body[18:], e.machine)
	headers := size(52, 64)
	copy(body[size(28, 32):], word(nil, uint64(headers)))
	copy(body[size(32, 40):], word(nil, tableAt))
	order.PutUint16(body[size(42, 54):], uint16(size(32, 56)))
	order.PutUint16(body[size(44, 56):], segments)
	order.PutUint16(body[size(46, 58):], uint16(size(40, 64)))
	at := headers
	segment := func(kind, flags uint32, offset, length uint64) {
		var b []byte
		b = order.AppendUint32(b, kind)
		if !e.thin {
			b = order.AppendUint32(b, flags)
		}
		b = word(word(word(word(word(b, offset), offset), offset), length), length)
		if e.thin {
			b = order.AppendUint32(b, flags)
		}
		copy(body[at:], b)
		at += size(32, 56)
	}
	flags := uint32(4)
	if e.flags != 0 {
		flags = e.flags
	}
	segment(1, flags, 0, uint64(len(body)))
	segment(2, 6, dynamicAt, uint64(len(dynamic)))
	if e.interp != "" {
		segment(3, 4, interpAt, uint64(len(interp)))
	}
	if e.stack != 0 {
		segment(0x6474e551, e.stack, 0, 0)
	}
	return body
}

func read(t *testing.T, b []byte) *bininfo.Info {
	t.Helper()
	i, err := bininfo.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func deflated(tb testing.TB, s string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func loader() elf {
	return elf{
		machine: 62,
		dynamic: []tag{
			{tag: 1, text: "libz.so.1"},
			{tag: 1, text: "libc.so.6"},
			{tag: 14, text: "libx.so.2"},
			{tag: 29, text: "$ORIGIN/../x:/opt/lib"},
			{tag: 27, value: 24},
		},
		imports: []string{"execve", "memcpy", "process_vm_writev"},
		exports: []string{"my_own", "getenv", "PyInit_x", "connect"},
	}
}

func TestRead(t *testing.T) {
	want := &bininfo.Info{
		Format: bininfo.ELF, Arch: "x86_64", Kind: bininfo.Library, Soname: "libx.so.2",
		Needed: []string{"libz.so.1", "libc.so.6"}, RunPath: []string{"$ORIGIN/../x", "/opt/lib"},
		Imports: []string{"execve", "process_vm_writev"}, Exports: []string{"PyInit_x", "connect", "getenv"},
		Constructors: 3, Stripped: true, NoSections: true,
	}
	with := func(change func(*bininfo.Info)) *bininfo.Info {
		i := *want
		change(&i)
		return &i
	}
	program := loader()
	program.interp = "/lib64/ld-linux-x86-64.so.2"
	thin := loader()
	thin.machine, thin.big, thin.thin = 8, true, true
	arm := loader()
	arm.machine, arm.stack, arm.flags = 183, 7, 7
	sections := loader()
	sections.sections = map[string][]byte{".symtab": {}, ".rodata": []byte("nothing")}
	packed := loader()
	packed.sections = map[string][]byte{"UPX0": {}}
	bare := elf{machine: 62, constants: []byte("....UPX!....")}
	frozen := elf{machine: 62, sections: map[string][]byte{"pydata": []byte("MEI")}}
	overlay := append(loader().build(), make([]byte, 200<<10)...)
	tests := map[string]struct {
		data []byte
		want *bininfo.Info
	}{
		"library": {loader().build(), want},
		"program": {program.build(), with(func(i *bininfo.Info) { i.Kind, i.Interpreter = bininfo.Executable, program.interp })},
		"big_endian_32_bits": {thin.build(), with(func(i *bininfo.Info) {
			i.Arch, i.Constructors = "mips", 6
		})},
		"arm64_writable_code": {arm.build(), with(func(i *bininfo.Info) { i.Arch, i.ExecStack, i.WriteExec = "arm64", true, true })},
		"with_sections":       {sections.build(), with(func(i *bininfo.Info) { i.Stripped, i.NoSections = false, false })},
		"upx_sections":        {packed.build(), with(func(i *bininfo.Info) { i.Packer, i.NoSections = "UPX", false })},
		"upx_without_sections": {bare.build(), &bininfo.Info{
			Format: bininfo.ELF, Arch: "x86_64", Kind: bininfo.Library, Stripped: true, NoSections: true, Packer: "UPX",
		}},
		"pyinstaller": {frozen.build(), &bininfo.Info{
			Format: bininfo.ELF, Arch: "x86_64", Kind: bininfo.Library, Stripped: true, Packer: "PyInstaller",
		}},
		"overlay":       {overlay, with(func(i *bininfo.Info) { i.Overlay = 200 << 10 })},
		"mach_o":        {[]byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01"), &bininfo.Info{Format: bininfo.MachO, Arch: "arm64"}},
		"universal":     {[]byte("\xca\xfe\xba\xbe\x00\x00\x00\x02"), &bininfo.Info{Format: bininfo.MachO, Arch: "universal"}},
		"java_class":    {[]byte("\xca\xfe\xba\xbe\x00\x00\x00\x34"), nil},
		"windows":       {append(append([]byte("MZ"), append(make([]byte, 58), 64, 0, 0, 0)...), "PE\x00\x00\x64\x86"...), &bininfo.Info{Format: bininfo.PE, Arch: "x86_64"}},
		"text_with_MZ":  {[]byte("MZ is how it begins, and no more than that: it goes on as any other text does"), nil},
		"empty":         {nil, nil},
		"three_letters": {[]byte("\x7fEL"), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, read(t, tt.data)); d != "" {
				t.Error(d)
			}
		})
	}
}

// What names itself in its constants is found wherever the windows are cut.
func TestRead_embedded(t *testing.T) {
	sqlite := "\x00SQLite format 3\x00....\x002023-05-16 12:36:15 " + strings.Repeat("831d0fb2", 8) + "\x00\x003.42.0\x00"
	tests := map[string]struct {
		constants string
		want      []string
	}{
		"openssl":             {"\x00OpenSSL 1.1.1w  11 Sep 2023\x00", []string{"openssl 1.1.1w"}},
		"openssl_without_day": {"\x00OpenSSL 1.1.1w or later\x00", nil},
		"openssl_talk":        {"\x00see OpenSSL 3.0.0 manual pages\x00", nil},
		"zlib":                {" deflate 1.2.11 Copyright 1995-2017 Jean-loup Gailly and Mark Adler ", []string{"zlib 1.2.11"}},
		"zlib_other_words":    {" deflate 1.2.11 is old", nil},
		"libpng":              {"\nlibpng version 1.6.37\n", []string{"libpng 1.6.37"}},
		"curl":                {"\x00libcurl/7.79.1\x00", []string{"curl 7.79.1"}},
		"curl_format":         {"\x00libcurl/%s\x00", nil},
		"sqlite":              {sqlite, []string{"sqlite 3.42.0"}},
		"sqlite_two_numbers":  {sqlite + "\x003.1.1\x00", nil},
		"sqlite_no_source":    {"\x00SQLite format 3\x00\x003.42.0\x00", nil},
		"two":                 {"\x00libcurl/7.79.1\x00OpenSSL 3.0.2 15 Mar 2022\x00", []string{"curl 7.79.1", "openssl 3.0.2"}},
		"at_a_window's_end":   {strings.Repeat("x", 1<<20-12) + "\x00OpenSSL 3.0.2 15 Mar 2022\x00" + strings.Repeat("y", 1<<20), []string{"openssl 3.0.2"}},
	}
	for name, tt := range tests {
		for _, where := range []string{"section", "segment"} {
			t.Run(name+"_"+where, func(t *testing.T) {
				e := elf{machine: 62, constants: []byte(tt.constants)}
				if where == "section" {
					e = elf{machine: 62, sections: map[string][]byte{".rodata": []byte(tt.constants)}}
				}
				var got []string
				for _, v := range read(t, e.build()).Embedded {
					got = append(got, v.Name+" "+v.Version)
				}
				if d := cmp.Diff(tt.want, got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

func TestRead_crates(t *testing.T) {
	list := `{"packages":[{"name":"adler","version":"1.0.2","source":"crates.io"},` +
		`{"name":"app","version":"0.1.0","source":"local","dependencies":[0,0,7],"root":true},{"name":"cc","version":"1.0.83","source":"crates.io","kind":"build"}]}`
	e := elf{machine: 62, sections: map[string][]byte{".dep-v0": deflated(t, list)}}
	want := []bininfo.Crate{
		{Name: "adler", Version: "1.0.2", Source: "crates.io"},
		{Name: "app", Version: "0.1.0", Source: "local", Root: true, Requires: []string{"adler"}},
		{Name: "cc", Version: "1.0.83", Source: "crates.io", Build: true},
	}
	if d := cmp.Diff(want, read(t, e.build()).Crates); d != "" {
		t.Error(d)
	}
}

// This program is a Go program.
func TestRead_go(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("this program is no ELF file")
	}
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	s, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	i, err := bininfo.Read(f, s.Size())
	if err != nil {
		t.Fatal(err)
	}
	if i.Go == nil || i.Go.Go != runtime.Version() || !strings.HasPrefix(i.Go.Path, "github.com/lamina-sec/lamina/internal/bininfo") {
		t.Errorf("got %+v", i.Go)
	}
}

// A file that says it is an executable and cannot be read is an error with the
// facts that were read before.
func TestRead_errors(t *testing.T) {
	whole := loader().build()
	patch := func(at int, b ...byte) []byte {
		return append(append(bytes.Clone(whole[:at]), b...), whole[at+len(b):]...)
	}
	bomb := elf{machine: 62, sections: map[string][]byte{".dep-v0": deflated(t, strings.Repeat(" ", 64<<20))}}
	repeated := elf{machine: 62, dynamic: make([]tag, 200)}
	for i := range repeated.dynamic {
		repeated.dynamic[i] = tag{tag: 1, text: strings.Repeat("x", 1000)}
	}
	circle := `{"packages":[` + strings.TrimSuffix(strings.Repeat(`{"name":"a","version":"1","dependencies":[`+strings.TrimSuffix(strings.Repeat("0,", 400), ",")+`]},`, 100), ",") + `]}`
	tests := map[string]struct {
		data []byte
		want string
	}{
		"names_repeated":        {repeated.build(), "dynamic section: names of more than the limit"},
		"crates_need_too_much":  {elf{machine: 62, sections: map[string][]byte{".dep-v0": deflated(t, circle)}}.build(), "more than 32768 dependencies"},
		"header_cut_off":        {whole[:40], "cut off"},
		"segments_cut_off":      {whole[:70], "program headers: points behind"},
		"too_many_segments":     {patch(56, 0xff, 0xff), "65535 of 56 bytes"},
		"segment_wraps":         {patch(64+8, bytes.Repeat([]byte{0xff}, 8)...), "points behind"},
		"dynamic_behind_end":    {patch(64+56+8, 0xff, 0xff, 0xff), "dynamic section: points behind"},
		"dynamic_too_long":      {patch(64+56+32, 0xff, 0xff, 0xff), "above the limit"},
		"sections_behind_end":   {patch(60, append([]byte{9, 0}, 0, 0)...), ""},
		"crates_above_limit":    {bomb.build(), "more than 1048576 bytes inflated"},
		"crates_not_compressed": {elf{machine: 62, sections: map[string][]byte{".dep-v0": []byte("{}")}}.build(), "list of crates"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			i, err := bininfo.Read(bytes.NewReader(tt.data), int64(len(tt.data)))
			if i == nil || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v, want %q", i, err, tt.want)
			}
		})
	}
}

func TestRunsOn(t *testing.T) {
	i := read(t, loader().build())
	if !i.RunsOn("x86_64") || i.RunsOn("arm64") || (&bininfo.Info{Format: bininfo.MachO, Arch: "arm64"}).RunsOn("arm64") {
		t.Error("an x86_64 library runs on x86_64 only, and a Mach-O file nowhere")
	}
}

// The libraries of the real layers are read without an error, and those that
// name their version are recognised.
func TestRead_real_layers(t *testing.T) {
	if os.Getenv("LAMINA_LAYERS") == "" {
		t.Skip("LAMINA_LAYERS is not set: run make fetch-layers")
	}
	got := map[string]int{}
	names, err := filepath.Glob(filepath.Join(os.Getenv("LAMINA_LAYERS"), "*.zip"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		eachFile(t, name, func(path string, b []byte) {
			i, err := bininfo.Read(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Errorf("%s!/%s: %v", filepath.Base(name), path, err)
			}
			if i == nil {
				return
			}
			got[i.Format]++
			for _, v := range i.Embedded {
				got[v.Name]++
			}
			if i.Go != nil {
				got["go"]++
			}
		})
	}
	for _, want := range []string{bininfo.ELF, "openssl", "zlib", "libpng", "sqlite", "go"} {
		if got[want] == 0 {
			t.Errorf("no %s in %v", want, got)
		}
	}
	t.Log(got)
}

func FuzzRead(f *testing.F) {
	f.Add(loader().build())
	thin := loader()
	thin.thin, thin.big = true, true
	f.Add(thin.build())
	f.Add(elf{machine: 62, sections: map[string][]byte{".dep-v0": deflated(f, `{"packages":[{"name":"a","version":"1"}]}`), ".rodata": []byte(" deflate 1.2.3 Copyright 1995-2005")}}.build())
	f.Add([]byte("MZ" + strings.Repeat("\x00", 100)))
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := bininfo.Read(bytes.NewReader(data), int64(len(data)))
		if i == nil && err != nil {
			t.Errorf("an error of a file that is no executable: %v", err)
		}
		if i != nil && i.Format != bininfo.Recognise(data) {
			t.Errorf("%s is not what the first bytes say", i.Format)
		}
	})
}
