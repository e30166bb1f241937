package layerfs_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// A rec is one entry of an archive that is built byte by byte. What is nil is as an
// honest packer would write it.
type rec struct {
	name    string
	local   *string // the name in the local header
	body    string
	stored  bool
	raw     *string // the compressed bytes
	method  *uint16
	flags   uint16
	mode    uint32 // st_mode; 0 for a regular file
	extra   string
	comment string
	gap     string // bytes before the local header
	sum     *uint32
	csize   *uint32
	usize   *uint32
	offset  *uint32
	disk    uint16

	lflags  *uint16
	lmethod *uint16
	lsum    *uint32
	lcsize  *uint32
	lusize  *uint32
	lextra  string
	desc    *string // with the descriptor flag
}

// An end is how the archive ends.
type end struct {
	before         string // between directory and end record
	count, here    *uint16
	length, offset *uint32
	disk, dirDisk  uint16
	comment        string
	commentLen     *uint16
	after          string
}

func or[T any](p *T, v T) T {
	if p != nil {
		return *p
	}
	return v
}

func deflated(body string) string {
	var b bytes.Buffer
	level := 6
	if len(body) > 1<<20 {
		level = 1
	}
	w, _ := flate.NewWriter(&b, level)
	_, _ = io.WriteString(w, body)
	_ = w.Close()
	return b.String()
}

func le(v ...any) string {
	var b bytes.Buffer
	for _, x := range v {
		if s, ok := x.(string); ok {
			b.WriteString(s)
			continue
		}
		_ = binary.Write(&b, binary.LittleEndian, x)
	}
	return b.String()
}

// build writes the archive. Offsets count from the start of prefix if shifted.
func build(prefix string, shifted bool, e end, recs ...rec) []byte {
	var b bytes.Buffer
	b.WriteString(prefix)
	base := 0
	if !shifted {
		base = len(prefix)
	}
	var dir bytes.Buffer
	for _, r := range recs {
		b.WriteString(r.gap)
		raw, method := deflated(r.body), uint16(8)
		if r.stored || r.body == "" {
			raw, method = r.body, 0
		}
		raw, method = or(r.raw, raw), or(r.method, method)
		flags := r.flags
		for _, c := range r.name {
			if c >= 0x80 && c != 0xfffd {
				flags |= 1 << 11
			}
		}
		if r.desc != nil {
			flags |= 8
		}
		sum, csize, usize := or(r.sum, crc32.ChecksumIEEE([]byte(r.body))), or(r.csize, uint32(len(raw))), or(r.usize, uint32(len(r.body)))
		lsum, lcsize, lusize := sum, csize, usize
		if r.desc != nil {
			lsum, lcsize, lusize = 0, 0, 0
		}
		at := uint32(b.Len() - base)
		local := or(r.local, r.name)
		b.WriteString(le("PK\x03\x04", uint16(20), or(r.lflags, flags), or(r.lmethod, method), uint32(0x58210000), or(r.lsum, lsum),
			or(r.lcsize, lcsize), or(r.lusize, lusize), uint16(len(local)), uint16(len(r.lextra)), local, r.lextra, raw, or(r.desc, "")))
		mode := r.mode
		if mode == 0 {
			mode = 0o100644
			if strings.HasSuffix(r.name, "/") {
				mode = 0o040755
			}
		}
		dir.WriteString(le("PK\x01\x02", uint16(0x314), uint16(20), flags, method, uint32(0x58210000), sum, csize, usize,
			uint16(len(r.name)), uint16(len(r.extra)), uint16(len(r.comment)), r.disk, uint16(0), mode<<16, or(r.offset, at), r.name, r.extra, r.comment))
	}
	start := b.Len() - base
	b.Write(dir.Bytes())
	b.WriteString(e.before)
	count := or(e.count, uint16(len(recs)))
	b.WriteString(le("PK\x05\x06", e.disk, e.dirDisk, or(e.here, count), count, or(e.length, uint32(dir.Len())), or(e.offset, uint32(start)),
		or(e.commentLen, uint16(len(e.comment))), e.comment, e.after))
	return b.Bytes()
}

func plain(recs ...rec) []byte { return build("", false, end{}, recs...) }

// descriptor is the honest one for r.
func descriptor(r rec, signed, long bool) string {
	s := ""
	if signed {
		s = "PK\x07\x08"
	}
	c, u := len(deflated(r.body)), len(r.body)
	if long {
		return s + le(crc32.ChecksumIEEE([]byte(r.body)), uint64(c), uint64(u))
	}
	return s + le(crc32.ChecksumIEEE([]byte(r.body)), uint32(c), uint32(u))
}

// An animal is an archive of the zoo and what must be said about it: the kind of an
// oddity, or "limit", "unsupported" or "damaged" for what must be given to damaged,
// or "refused" for an error of Open.
type animal struct {
	name string
	make func() []byte
	want string
}

// bulky says whether the animal costs a lot to make or to read.
func (a animal) bulky() bool {
	return slices.ContainsFunc([]string{"zeros", "quoted", "many", "tiny", "bomb", "entries_", "too_long_together", "comments_", "all_odd", "empty_blocks"}, func(s string) bool {
		return strings.Contains(a.name, s)
	})
}

const text = "import os\nprint('hello, layer', os.environ.get('AWS_REGION'))\n"

var ok = rec{name: "python/ok.py", body: text}

// zips are the animals that are odd as zips.
func zips() []animal {
	var zoo []animal
	add := func(name string, want any, data func() []byte) {
		zoo = append(zoo, animal{name, data, fmt.Sprint(want)})
	}
	one := func(name string, want any, r ...rec) {
		add(name, want, func() []byte { return plain(append([]rec{ok}, r...)...) })
	}
	// Names.
	for _, n := range []string{
		"../a", "../../etc/passwd", "a/../../b", "a/..", "..", "../", "/a", "//a", "/", "///", "/opt/python/x.py", "", ".", "./", "a\x00b", "\x00",
		"a\xff", "\xc3\x28", "\xc0\xae\xc0\xae/etc", "python/\xed\xa0\x80", strings.Repeat("n", 1025), strings.Repeat("n", 65535),
		strings.Repeat("d/", 64) + "f", "a/b/../../../c", "python/../../x",
	} {
		one(fmt.Sprintf("name_%.20q", n), layerfs.Unsafe, rec{name: n, body: text})
	}
	for _, n := range []string{"./a", "a//b", "a/./b", "python///x.py", "./python/./x.py", "a/."} {
		one(fmt.Sprintf("name_%q", n), layerfs.Unclean, rec{name: n, body: text})
	}
	for _, n := range []string{`python\x.py`, `..\a`, `C:\windows\x`, `\a`, `a\..\b`, `\\host\share`} {
		one(fmt.Sprintf("name_%q", n), layerfs.Backslash, rec{name: n, body: text})
	}
	for _, n := range []string{"a\nb", "a\rb", "a\tb", "a\x1b[2Jb", "a\x7f", "a\u0085", "a\u202eyp.", "a\u200b", "\ufeffa", "a\u2066b", "a\u00ad", "\x01", "a\x08b"} {
		one(fmt.Sprintf("name_%q", n), layerfs.Control, rec{name: n, body: text})
	}
	one("name_separator", layerfs.Separator, rec{name: "a.whl!/x.py", body: text})
	one("name_no_utf8_flag", layerfs.Encoding, rec{name: "caf\xe9", body: text})
	one("name_utf8_without_flag", layerfs.Encoding, rec{name: "\xef\xbf\xbd", body: text})
	one("name_unicode_extra", layerfs.Encoding, rec{name: "a.py", body: text, extra: le(uint16(0x7075), uint16(9), byte(1), crc32.ChecksumIEEE([]byte("a.py")), "b.py")})
	// Collisions and duplicates.
	for _, p := range [][2]string{{"a.py", "A.py"}, {"Dir/x", "dir/x"}, {"Dir/x", "dir/y"}, {"caf\u00e9", "cafe\u0301"}, {"\u212a", "k"}, {"\u00c5", "\u212b"}, {"stra\u00dfe", "STRA\u1e9eE"}} {
		one(fmt.Sprintf("collision_%q", p), layerfs.Collision, rec{name: p[0], body: "1"}, rec{name: p[1], body: "2"})
	}
	for name, r := range map[string][]rec{
		"twice":     {{name: "a", body: "first"}, {name: "a", body: "second"}},
		"same":      {{name: "a", body: "same"}, {name: "a", body: "same"}},
		"thrice":    {{name: "a", body: "1"}, {name: "a", body: "2"}, {name: "a", body: "3"}},
		"empty_2nd": {{name: "a", body: "1"}, {name: "a"}},
		"file_link": {{name: "a", body: "1"}, {name: "a", body: "ok.py", mode: 0o120777}},
		"file_dir":  {{name: "a", body: "1"}, {name: "a/"}},
	} {
		one("duplicate_"+name, layerfs.Duplicate, r...)
	}
	one("clash_file_dir", layerfs.Clash, rec{name: "a", body: "1"}, rec{name: "a/b", body: "2"})
	one("clash_dir_file", layerfs.Clash, rec{name: "a/b", body: "1"}, rec{name: "a", body: "2"})
	one("clash_named_dir_file", layerfs.Clash, rec{name: "a/"}, rec{name: "a", body: "2"})
	one("clash_deep", layerfs.Clash, rec{name: "python/ok.py/x/y/z", body: "1"})
	// Links.
	link := func(name, to string) rec { return rec{name: name, body: to, mode: 0o120777, stored: true} }
	for _, to := range []string{"/etc/passwd", "../../etc", "..", "../..", "/", "/var/task/x", "/optical", "/opt/../etc", "/proc/self/environ", "a/../../../x"} {
		one(fmt.Sprintf("link_%q", to), layerfs.LinkLeaves, link("l", to))
	}
	one("link_in_two_steps", layerfs.LinkLeaves, rec{name: "d/e/"}, link("x", "d/e"), link("d/e/up", "../.."), link("y", "x/up/../z"))
	one("link_self", layerfs.LinkLoop, link("l", "l"))
	one("link_circle", layerfs.LinkLoop, link("l", "m"), link("m", "l"))
	one("link_grows", layerfs.LinkLoop, link("l", "l/x"))
	add("link_chain", layerfs.LinkLoop, func() []byte {
		var r []rec
		for i := range 50 {
			r = append(r, link(fmt.Sprint("l", i), fmt.Sprint("l", i+1)))
		}
		return plain(r...)
	})
	one("through_link", layerfs.ThroughLink, link("l", "python"), rec{name: "l/x.py", body: text})
	one("through_link_out", layerfs.ThroughLink, link("l", "/tmp"), rec{name: "l/x.py", body: text})
	one("through_deep_link", layerfs.ThroughLink, link("a/b", ".."), rec{name: "a/b/c/d", body: text})
	// Modes.
	for _, m := range []uint32{0o104755, 0o102755, 0o106755, 0o042755} {
		n := "m"
		if m&0o040000 != 0 {
			n = "m/"
		}
		one(fmt.Sprintf("mode_%o", m), layerfs.Privileged, rec{name: n, mode: m})
	}
	for _, m := range []uint32{0o100666, 0o100777, 0o100002, 0o040777} {
		n := "m"
		if m&0o040000 != 0 {
			n = "m/"
		}
		one(fmt.Sprintf("mode_%o", m), layerfs.WorldWritable, rec{name: n, mode: m})
	}
	for _, m := range []uint32{0o020644, 0o060644, 0o010644, 0o140644} {
		one(fmt.Sprintf("mode_%o", m), layerfs.Special, rec{name: "m", body: text, mode: m})
	}
	one("dir_by_mode_only", layerfs.TypeConflict, rec{name: "m", body: text, mode: 0o040755})
	one("dir_by_name_link_by_mode", layerfs.TypeConflict, rec{name: "m/", mode: 0o120777})
	one("dir_with_content", layerfs.TypeConflict, rec{name: "m/", body: text})
	// Local headers.
	for name, f := range map[string]func(*rec){
		"name":      func(r *rec) { r.local = new("python/or.py") },
		"name_long": func(r *rec) { r.local = new("python/longer.py") },
		"name_none": func(r *rec) { r.local = new("") },
		"encrypted": func(r *rec) { r.lflags = new(uint16(1)) },
		"described": func(r *rec) { r.lflags = new(uint16(8)) },
		"masked":    func(r *rec) { r.lflags = new(uint16(1 << 13)) },
		"method":    func(r *rec) { r.lmethod = new(uint16(0)) },
		"method99":  func(r *rec) { r.lmethod = new(uint16(99)) },
		"crc":       func(r *rec) { r.lsum = new(uint32(1)) },
		"crc_0":     func(r *rec) { r.lsum = new(uint32(0)) },
		"csize":     func(r *rec) { r.lcsize = new(uint32(1)) },
		"csize_0":   func(r *rec) { r.lcsize = new(uint32(0)) },
		"usize":     func(r *rec) { r.lusize = new(uint32(1)) },
		"usize_max": func(r *rec) { r.lusize = new(uint32(math.MaxUint32)) },
		"extra_cut": func(r *rec) { r.lextra = "\x01\x00\xff\x00ab" },
		"zip64_lie": func(r *rec) {
			r.lextra, r.lusize = le(uint16(1), uint16(8), uint64(1)<<40), new(uint32(math.MaxUint32))
		},
	} {
		r := rec{name: "python/my.py", body: text}
		f(&r)
		one("local_"+name, layerfs.Mismatch, r)
	}
	// Data descriptors.
	for name, d := range map[string]string{
		"none": "", "crc": le("PK\x07\x08", uint32(1), uint32(len(deflated(text))), uint32(len(text))),
		"csize": le("PK\x07\x08", crc32.ChecksumIEEE([]byte(text)), uint32(1), uint32(len(text))), "cut": "PK\x07\x08abc",
		"usize": le(crc32.ChecksumIEEE([]byte(text)), uint32(len(deflated(text))), uint32(1)),
	} {
		one("descriptor_"+name, layerfs.Descriptor, rec{name: "d", body: text, desc: new(d)})
	}
	// Where entries lie.
	one("offset_nowhere", layerfs.Unreadable, rec{name: "u", body: text, offset: new(uint32(7))})
	one("offset_far", layerfs.Unreadable, rec{name: "u", body: text, offset: new(uint32(1 << 30))})
	one("offset_directory", layerfs.Unreadable, rec{name: "u", body: text, offset: new(uint32(math.MaxUint32 - 1))})
	one("content_far", layerfs.Unreadable, rec{name: "u", body: text, csize: new(uint32(1 << 30)), lcsize: new(uint32(1 << 30))})
	one("overlap_whole", layerfs.Overlap, rec{name: "again", body: text, offset: new(uint32(0))})
	one("overlap_directory", layerfs.Overlap, rec{name: "u", body: text, csize: new(uint32(len(deflated(text)) + 20)), lcsize: new(uint32(len(deflated(text)) + 20))})
	add("overlap_quoted", layerfs.Overlap, func() []byte { return quoted(40, 20_000) })
	add("overlap_quoted_large", layerfs.Overlap, func() []byte { return quoted(500, 1<<20) })
	add("overlap_many_names", layerfs.Overlap, func() []byte {
		r := []rec{{name: "0", body: strings.Repeat("z", 1<<16)}}
		raw, sum := deflated(r[0].body), crc32.ChecksumIEEE([]byte(r[0].body))
		for i := range 3000 {
			r = append(r, rec{name: fmt.Sprint("n", i), raw: new(""), method: new(uint16(8)), sum: &sum, csize: new(uint32(len(raw))), usize: new(uint32(1 << 16)), offset: new(uint32(0))})
		}
		return plain(r...)
	})
	for _, g := range []string{"x", "PK\x03\x04", strings.Repeat("gap", 2000)} {
		one(fmt.Sprintf("unlisted_%d", len(g)), layerfs.Unlisted, rec{name: "u", body: text, gap: g})
	}
	for name, p := range map[string]string{"shebang": "#!/usr/bin/env python3\n", "elf": "\x7fELF" + strings.Repeat("\x00", 200), "jpeg": "\xff\xd8\xff\xe0", "byte": "x", "zeros": strings.Repeat("\x00", 9000)} {
		for _, shifted := range []bool{false, true} {
			add(fmt.Sprintf("leading_%s_%v", name, shifted), layerfs.Leading, func() []byte { return build(p, shifted, end{}, ok) })
		}
	}
	add("leading_archive", layerfs.Leading, func() []byte {
		return append(plain(rec{name: "first", body: "1"}), plain(rec{name: "second", body: "2"})...)
	})
	// The end.
	for name, e := range map[string]end{
		"count_less":      {count: new(uint16(1))},
		"count_more":      {count: new(uint16(9))},
		"count_0":         {count: new(uint16(0))},
		"here_differs":    {here: new(uint16(1))},
		"disk":            {disk: 1, dirDisk: 1},
		"dir_disk":        {dirDisk: 3},
		"length_more":     {length: new(uint32(5))},
		"length_huge":     {length: new(uint32(1 << 30))},
		"offset_more":     {offset: new(uint32(1 << 20))},
		"comment_cut":     {commentLen: new(uint16(100))},
		"end_in_comment":  {comment: "PK\x05\x06" + strings.Repeat("\x00", 18)},
		"end_in_comment2": {comment: "abcPK\x05\x06" + strings.Repeat("\x00", 40)},
		"end_after":       {after: "PK\x05\x06" + strings.Repeat("\x00", 17)},
		"junk_before":     {before: "junk"},
		"locator_only":    {before: le("PK\x06\x07", uint32(0), uint64(5), uint32(1))},
		"entry_cut":       {before: "PK\x01\x02 and no more", length: nil},
	} {
		add("end_"+name, layerfs.EndRecord, func() []byte { return build("", false, e, ok, rec{name: "b", body: text}) })
	}
	for _, s := range []string{"x", "more", strings.Repeat("t", 60000)} {
		add(fmt.Sprintf("trailing_%d", len(s)), layerfs.Trailing, func() []byte { return build("", false, end{after: s}, ok) })
	}
	one("entry_on_disk_2", layerfs.EndRecord, rec{name: "u", body: text, disk: 2})
	add("zip64_end", layerfs.Zip64, func() []byte { return zip64(1, nil) })
	add("zip64_count_lie", layerfs.EndRecord, func() []byte { return zip64(1<<40, nil) })
	add("zip64_two_ends", layerfs.EndRecord, func() []byte { return zip64(1, new(uint16(7))) })
	one("zip64_entry", layerfs.Zip64, rec{
		name: "u", body: text, usize: new(uint32(math.MaxUint32)), lusize: new(uint32(math.MaxUint32)),
		extra: le(uint16(1), uint16(8), uint64(len(text))), lextra: le(uint16(1), uint16(8), uint64(len(text))),
	})
	one("zip64_size_lie", layerfs.Zip64, rec{name: "u", body: text, usize: new(uint32(math.MaxUint32)), extra: le(uint16(1), uint16(8), uint64(math.MaxUint64))})
	one("zip64_csize_lie", layerfs.Unreadable, rec{name: "u", body: text, csize: new(uint32(math.MaxUint32)), extra: le(uint16(1), uint16(8), uint64(math.MaxUint64))})
	one("zip64_offset_lie", layerfs.Unreadable, rec{name: "u", body: text, offset: new(uint32(math.MaxUint32)), extra: le(uint16(1), uint16(8), uint64(math.MaxInt64))})
	one("zip64_twice", layerfs.Extra, rec{name: "u", body: text, usize: new(uint32(math.MaxUint32)), extra: strings.Repeat(le(uint16(1), uint16(8), uint64(len(text))), 2)})
	one("extra_cut", layerfs.Extra, rec{name: "u", body: text, extra: "\x55\x54\x20\x00abc"})
	one("extra_cut_header", layerfs.Extra, rec{name: "u", body: text, extra: "ab"})
	// Encryption and methods.
	for _, f := range []uint16{1, 1 << 6, 1 << 13, 1 | 1<<6} {
		one(fmt.Sprintf("encrypted_%#x", f), layerfs.Encrypted, rec{name: "u", body: text, flags: f})
	}
	one("encrypted_aes", layerfs.Encrypted, rec{name: "u", body: text, flags: 1, method: new(uint16(99)), extra: le(uint16(0x9901), uint16(7), "\x02\x00AE\x03\x08\x00")})
	one("encrypted_aes_unsaid", layerfs.Encrypted, rec{name: "u", body: text, extra: le(uint16(0x9901), uint16(7), "\x02\x00AE\x03\x08\x00")})
	one("patch", layerfs.Method, rec{name: "u", body: text, flags: 1 << 5})
	for _, m := range []uint16{1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 18, 19, 20, 93, 94, 95, 96, 97, 98, 99, 8 << 8, math.MaxUint16} {
		one(fmt.Sprintf("method_%d", m), layerfs.Method, rec{name: "u", body: text, method: new(m)})
	}
	one("method_zstd", layerfs.Method, rec{name: "u", body: text, method: new(uint16(93)), raw: new(zstded(text))})
	// What the content is.
	for name, f := range map[string]func(*rec){
		"less":          func(r *rec) { r.usize = new(uint32(10)) },
		"more":          func(r *rec) { r.usize = new(uint32(1000)) },
		"none":          func(r *rec) { r.usize = new(uint32(0)) },
		"stored_less":   func(r *rec) { r.stored, r.usize = true, new(uint32(10)) },
		"stored_more":   func(r *rec) { r.stored, r.usize = true, new(uint32(1000)) },
		"appended_zero": func(r *rec) { r.raw = new(deflated(r.body + "\x00")) },
	} {
		r := rec{name: "s", body: text}
		f(&r)
		one("size_"+name, layerfs.Size, r)
	}
	one("checksum", layerfs.Checksum, rec{name: "s", body: text, sum: new(uint32(1))})
	one("checksum_0", layerfs.Checksum, rec{name: "s", body: text, sum: new(uint32(0))})
	one("checksum_stored", layerfs.Checksum, rec{name: "s", body: text, stored: true, sum: new(uint32(1))})
	one("checksum_empty", layerfs.Checksum, rec{name: "s", sum: new(uint32(1))})
	one("slack", layerfs.Slack, rec{name: "s", body: text, raw: new(deflated(text) + "hidden bytes")})
	one("stream_cut", "damaged", rec{name: "s", body: text, raw: new(deflated(text)[:20])})
	one("stream_broken", "damaged", rec{name: "s", body: text, raw: new("\xff\xff\xff\xff\xff")})
	one("stream_none", "damaged", rec{name: "s", body: text, raw: new("")})
	one("stream_reserved_block", "damaged", rec{name: "s", body: text, raw: new("\x07\x00")})
	one("stream_stored_length", "damaged", rec{name: "s", body: text, raw: new("\x01\x05\x00\x00\x00hello")})
	// Bombs.
	for _, mb := range []int{2, 20, 240} {
		add(fmt.Sprintf("zeros_%dMB", mb), layerfs.Ratio, func() []byte { return bomb(mb<<20, true) })
	}
	add("zeros_said_small", layerfs.Ratio, func() []byte { return bomb(20<<20, false) })
	add("zeros_260MB", layerfs.OverLimit, func() []byte { return bomb(260<<20, true) })
	add("zeros_260MB_said_small", layerfs.OverLimit, func() []byte { return bomb(260<<20, false) })
	add("zeros_in_300_files", layerfs.OverLimit, func() []byte {
		z := zeros(1 << 20)
		var r []rec
		for i := range 300 {
			r = append(r, rec{name: fmt.Sprint("z", i), raw: &z, method: new(uint16(8)), usize: new(uint32(1 << 20)), sum: new(uint32(0xa738ea1c))})
		}
		return plain(r...)
	})
	add("says_1TB", layerfs.OverLimit, func() []byte {
		return plain(ok, rec{name: "u", body: text, usize: new(uint32(math.MaxUint32)), extra: le(uint16(1), uint16(8), uint64(1<<40))})
	})
	// Empty blocks of the fixed codes, 10 bits each, and then many zeros.
	add("tiny_blocks", "limit", func() []byte {
		raw := strings.Repeat("\x02\x08\x20\x80\x00", 200_000) + zeros(80<<20)
		return plain(ok, rec{name: "t", raw: &raw, method: new(uint16(8)), usize: new(uint32(80 << 20)), sum: new(uint32(0))})
	})
	// Blocks with codes of their own and nothing in them: 11 bytes, and 2 µs.
	for n, want := range map[int]any{900 << 10: layerfs.Bloated, 12 << 20: "limit"} {
		add(fmt.Sprintf("empty_blocks_%d", n), want, func() []byte {
			raw := strings.Repeat(emptyBlocks(), n/90) + "\x03\x00"
			return plain(ok, rec{name: "t", raw: &raw, method: new(uint16(8))})
		})
	}
	add("empty_blocks_20_files", "limit", func() []byte {
		raw := strings.Repeat(emptyBlocks(), 900<<10/90) + "\x03\x00"
		var r []rec
		for i := range 20 {
			r = append(r, rec{name: fmt.Sprint("t", i), raw: &raw, method: new(uint16(8))})
		}
		return plain(r...)
	})
	add("zstd_bomb", "limit", func() []byte {
		raw := zstded(strings.Repeat("\x00", 100<<20))
		return plain(ok, rec{name: "t", raw: &raw, method: new(uint16(93)), usize: new(uint32(100 << 20)), sum: new(uint32(0))})
	})
	// What costs the reader of directories.
	add("entries_100001", "refused", func() []byte { return many(100_001, "") })
	add("many_directories", layerfs.Unsafe, func() []byte { return many(9_000, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/") })
	add("names_too_long_together", "refused", func() []byte { return many(30_000, strings.Repeat("n", 1000)) })
	add("comments_and_extras", layerfs.Extra, func() []byte {
		var r []rec
		for i := range 60 {
			r = append(r, rec{name: fmt.Sprint("c", i), comment: strings.Repeat("c", 65535), extra: strings.Repeat("e", 65535)})
		}
		return plain(r...)
	})
	add("all_odd", layerfs.More, func() []byte {
		var r []rec
		for i := range 6000 {
			r = append(r, rec{name: fmt.Sprintf("../%d", i)})
		}
		return plain(r...)
	})
	// No archives.
	for name, b := range map[string]string{
		"empty": "", "text": "no zip", "signatures": strings.Repeat("PK", 1000), "end_only_cut": "PK\x05\x06\x00\x00", "ends": strings.Repeat("PK\x05\x06", 20000),
		"end_with_lies": "PK\x05\x06" + le(uint16(0), uint16(0), uint16(5), uint16(5), uint32(100), uint32(100), uint16(0)), "gzip": gz("x"),
	} {
		add("no_zip_"+name, "refused", func() []byte { return []byte(b) })
	}
	add("cut_off", "refused", func() []byte { b := plain(ok); return b[:len(b)-30] })
	add("first_record_broken", "refused", func() []byte { return bytes.Replace(plain(ok), []byte("PK\x01\x02"), []byte("PK\x01\x03"), 1) })
	return zoo
}

// many is an archive of n empty files.
func many(n int, prefix string) []byte {
	var b, dir bytes.Buffer
	for i := range n {
		name := fmt.Sprintf("%06d%s", i, prefix)
		if strings.HasSuffix(prefix, "/") {
			name += "f"
		}
		at := b.Len()
		b.WriteString(le("PK\x03\x04", uint16(20), uint32(0), uint32(0x58210000), uint32(0), uint64(0), uint16(len(name)), uint16(0), name))
		dir.WriteString(le("PK\x01\x02", uint16(0x314), uint16(20), uint32(0), uint32(0x58210000), uint32(0), uint64(0),
			uint16(len(name)), uint64(0), uint32(0o100644<<16), uint32(at), name))
	}
	start := b.Len()
	b.Write(dir.Bytes())
	b.WriteString(le("PK\x05\x06", uint32(0), uint16(n), uint16(n), uint32(dir.Len()), uint32(start), uint16(0)))
	return b.Bytes()
}

// quoted is the bomb in which each entry's stream quotes the next entry's local
// header in a stored block, and all share the last entry's stream
// (https://www.bamsoftware.com/hacks/zipbomb/).
func quoted(n, size int) []byte {
	kernel := zeros(size)
	heads := make([]string, n)
	for i := range heads {
		heads[i] = le("PK\x03\x04", uint16(20), uint16(0), uint16(8), uint32(0x58210000), uint32(0), uint32(0), uint32(0), uint16(4), uint16(0), fmt.Sprintf("%04d", i))
	}
	var b, dir bytes.Buffer
	quote := le(byte(0), uint16(len(heads[0])), ^uint16(len(heads[0])))
	for i, h := range heads {
		at := b.Len()
		b.WriteString(h)
		after := n - 1 - i
		csize := after*(len(quote)+len(h)) + len(kernel)
		dir.WriteString(le("PK\x01\x02", uint16(0x314), uint16(20), uint16(0), uint16(8), uint32(0x58210000), uint32(0), uint32(csize), uint32(after*len(h)+size),
			uint16(4), uint16(0), uint16(0), uint16(0), uint16(0), uint32(0o100644<<16), uint32(at), h[30:]))
		if i < n-1 {
			b.WriteString(quote)
		}
	}
	b.WriteString(kernel)
	start := b.Len()
	b.Write(dir.Bytes())
	b.WriteString(le("PK\x05\x06", uint32(0), uint16(n), uint16(n), uint32(dir.Len()), uint32(start), uint16(0)))
	return b.Bytes()
}

// zip64 is an archive with both end records.
func zip64(count uint64, small *uint16) []byte {
	b := plain(ok)
	at := bytes.LastIndex(b, []byte("PK\x05\x06"))
	start, length := binary.LittleEndian.Uint32(b[at+16:]), binary.LittleEndian.Uint32(b[at+12:])
	rec := le("PK\x06\x06", uint64(44), uint16(45), uint16(45), uint32(0), uint32(0), count, count, uint64(length), uint64(start))
	loc := le("PK\x06\x07", uint32(0), uint64(at), uint32(1))
	n := or(small, 0xffff)
	return append(append(append(b[:at:at], rec...), loc...), le("PK\x05\x06", uint32(0), n, n, uint32(math.MaxUint32), uint32(math.MaxUint32), uint16(0))...)
}

// emptyBlocks is 8 deflate blocks with dynamic codes and nothing but their end in
// them, which fill 90 bytes (RFC 1951, 3.2.7).
func emptyBlocks() string {
	var b []byte
	n := uint(0)
	put := func(v uint32, width uint) {
		for i := range width {
			if n%8 == 0 {
				b = append(b, 0)
			}
			b[n/8] |= byte(v>>i&1) << (n % 8)
			n++
		}
	}
	for range 8 {
		put(0b100, 3) // not the last; dynamic
		put(0, 5)     // 257 literals and lengths
		put(0, 5)     // 1 distance
		put(14, 4)    // 18 lengths of the codes of lengths, in their order
		for _, symbol := range []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1} {
			if symbol == 18 || symbol == 1 {
				put(1, 3)
			} else {
				put(0, 3)
			}
		}
		put(1, 1) // 138 zeros
		put(138-11, 7)
		put(1, 1) // 118 zeros
		put(118-11, 7)
		put(0, 1) // length 1 for the end of the block
		put(0, 1) // length 1 for the distance
		put(0, 1) // the end of the block
	}
	return string(b)
}

var zerosOf = map[int]string{}

// zeros is a deflate stream of n zero bytes, a multiple of 64 KiB: the same blocks
// again and again, which a flush aligns.
func zeros(n int) string {
	if s, ok := zerosOf[n]; ok {
		return s
	}
	unit := 1 << 20
	if n%unit != 0 {
		unit = 1 << 16
	}
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	_, _ = w.Write(make([]byte, unit))
	_ = w.Flush()
	zerosOf[n] = strings.Repeat(b.String(), n/unit) + "\x03\x00"
	return zerosOf[n]
}

func bomb(n int, honest bool) []byte {
	z := zeros(n)
	said := uint32(n)
	if !honest {
		said = 100
	}
	return plain(ok, rec{name: "z", raw: &z, method: new(uint16(8)), usize: &said, sum: new(uint32(0))})
}

func zstded(s string) string {
	w, _ := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20), zstd.WithEncoderConcurrency(1))
	return string(w.EncodeAll([]byte(s), nil))
}

func gz(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

// gzZeros is a gzip file of n zero bytes, a multiple of 64 KiB.
func gzZeros(n int) string {
	sum, buf := uint32(0), make([]byte, 1<<16)
	for range n / len(buf) {
		sum = crc32.Update(sum, crc32.IEEETable, buf)
	}
	return "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + zeros(n) + le(sum, uint32(n))
}

func br(s string) string {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, 1)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

func tarball(hs ...tar.Header) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range hs {
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			h.Size = int64(len(text))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			panic(err)
		}
		if h.Size > 0 {
			_, _ = io.WriteString(w, text)
		}
	}
	_ = w.Close()
	return b.String()
}

// nested are the animals whose oddity is in an archive in the layer.
func nested() []animal {
	var zoo []animal
	put := func(name, want, inner, data string) {
		zoo = append(zoo, animal{"in_" + name, func() []byte { return plain(ok, rec{name: inner, body: data, stored: true}) }, want})
	}
	// Every zip of the zoo that is small, again in a wheel.
	for _, a := range zips() {
		if slices.Contains([]string{"refused", "limit", string(layerfs.OverLimit), string(layerfs.Privileged), string(layerfs.WorldWritable)}, a.want) || strings.Contains(a.name, "MB") || strings.Contains(a.name, "large") || strings.HasPrefix(a.name, "leading_shebang") || strings.HasPrefix(a.name, "zeros") {
			continue
		}
		if b := a.make(); len(b) < 1<<20 {
			put("wheel_"+a.name, a.want, "python/a.whl", string(b))
		}
	}
	for _, n := range []string{"../x", "/etc/x", "a/../../x", "x\xff"} {
		put(fmt.Sprintf("tar_name_%q", n), string(layerfs.Unsafe), "x.tar", tarball(tar.Header{Name: n, Format: tar.FormatGNU}))
		put(fmt.Sprintf("tgz_name_%q", n), string(layerfs.Unsafe), "x.tgz", gz(tarball(tar.Header{Name: n, Format: tar.FormatGNU})))
	}
	for name, h := range map[string][]tar.Header{
		string(layerfs.Duplicate):   {{Name: "a"}, {Name: "a"}},
		string(layerfs.Special):     {{Name: "a", Typeflag: tar.TypeChar}},
		string(layerfs.LinkLeaves):  {{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}},
		string(layerfs.ThroughLink): {{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}, {Name: "a/x"}},
		string(layerfs.Clash):       {{Name: "a"}, {Name: "a/x"}},
		string(layerfs.Collision):   {{Name: "a"}, {Name: "A"}},
	} {
		put("tar_"+name, name, "x.tar", tarball(h...))
	}
	put("tar_hard_link_out", string(layerfs.LinkLeaves), "x.tar", tarball(tar.Header{Name: "d/a", Typeflag: tar.TypeLink, Linkname: "../../etc/passwd"}))
	put("tar_fifo", string(layerfs.Special), "x.tar", tarball(tar.Header{Name: "a", Typeflag: tar.TypeFifo}))
	tb := tarball(tar.Header{Name: "a"}, tar.Header{Name: "b"})
	put("tar_cut", "damaged", "x.tar", tb[:1100])
	put("tar_trailing", string(layerfs.Trailing), "x.tar", tb+strings.Repeat("trailing", 100))
	put("tar_broken", string(layerfs.EndRecord), "x.tar", tb[:1024]+strings.Repeat("x", 1024))
	g := gz(text)
	put("gz_cut", "damaged", "x.gz", g[:len(g)-3])
	put("gz_crc", "damaged", "x.gz", g[:len(g)-8]+"\x00\x00\x00\x00"+g[len(g)-4:])
	put("gz_header", "damaged", "x.gz", "\x1f\x8b\x08\x04")
	put("gz_trailing", string(layerfs.Slack), "x.gz", g+"trailing bytes here")
	put("gz_trailing_byte", string(layerfs.Slack), "x.gz", g+"t")
	put("gz_bomb", "limit", "x.gz", gzZeros(200<<20))
	put("gz_gz_bomb", "limit", "x.gz", gz(gzZeros(200<<20)))
	put("gz_ratio", string(layerfs.Ratio), "x.gz", gzZeros(8<<20))
	put("br_bomb", "limit", "x.br", br(strings.Repeat("\x00", 30<<20)))
	put("br_broken", "damaged", "x.br", "\xff\xff\xff\xff\xff\xff")
	put("zst_bomb", "limit", "x.zst", zstded(strings.Repeat("\x00", 30<<20)))
	put("zst_broken", "damaged", "x.zst", "\x28\xb5\x2f\xfd\xff\xff\xff")
	put("bz2_broken", "damaged", "x.bz2", "BZh91AY&SY\x00\x00\x00\x00\x00\x00")
	put("zip_bomb", "limit", "x.zip", string(bomb(200<<20, true)))
	put("zip_bomb_said_small", "limit", "x.jar", string(bomb(200<<20, false)))
	for name, magic := range map[string]string{"xz": "\xfd7zXZ\x00\x00\x04", "7z": "7z\xbc\xaf\x27\x1c\x00\x04", "rar": "Rar!\x1a\x07\x01\x00", "lz4": "\x04\x22\x4d\x18aaaa", "cab": "MSCF\x00\x00\x00\x00aaaa"} {
		put(name, "unsupported", "x."+name, magic+text)
	}
	for _, n := range []string{"a.zip", "a.whl", "a.egg", "a.jar", "a.war", "a.ear", "a.tar", "a.gz", "a.tgz", "a.zst", "a.7z", "A.JAR", "a.pyz"} {
		put("disguised_"+n, string(layerfs.Disguised), n, text)
	}
	put("zip_cut", "damaged", "a.zip", string(plain(ok)[:60]))
	for _, ext := range []string{".png", ".so", ".py", ".txt"} {
		put("zip_behind"+ext, string(layerfs.Leading), "a"+ext, string(build("\x89PNG other bytes", true, end{}, ok)))
	}
	deep := string(plain(ok))
	for range 5 {
		deep = string(plain(rec{name: "a.zip", body: deep, stored: true}))
	}
	put("depth_6", "limit", "a.zip", deep)
	wide := string(plain(rec{name: "a", body: text}))
	for range 2 {
		var r []rec
		for i := range 250 {
			r = append(r, rec{name: fmt.Sprint("w", i, ".zip"), body: wide})
		}
		wide = string(plain(r...))
	}
	put("members_62500", "limit", "a.zip", wide)
	// PyInstaller.
	put("pyi_unsafe", string(layerfs.Unsafe), "tool", pyinstaller(map[string]string{"../x": text}, nil))
	put("pyi_table_outside", "damaged", "tool", strings.Replace(pyinstaller(map[string]string{"x": text}, nil), "MEI\014\013\012\013\016\x00", "MEI\014\013\012\013\016\x7f", 1))
	put("pyi_cookie_cut", "damaged", "tool", "\x7fELF....MEI\014\013\012\013\016\x00\x00")
	put("pyi_entry_outside", string(layerfs.Unreadable), "tool", pyinstaller(map[string]string{"far": text}, nil))
	put("pyz_table", "damaged", "PYZ-00.pyz", "PYZ\x00\xa7\x0d\x0d\x0a\x00\x00\x00\x11\x00\x00\x00\x00\x00\xff\xff")
	put("pyz_table_outside", "damaged", "PYZ-00.pyz", "PYZ\x00\xa7\x0d\x0d\x0a\x7f\x00\x00\x11")
	put("pyz_entry_outside", string(layerfs.Unreadable), "a.pyz", "PYZ\x00\xa7\x0d\x0d\x0a\x00\x00\x00\x0c["+le(uint32(1))+")\x02z\x01m)\x03i"+le(uint32(0))+"i"+le(uint32(5000))+"i"+le(uint32(5)))
	return zoo
}

// pyinstaller is a program with an archive behind it: files by name, and modules in
// a PYZ. The place of a file named "far" is outside.
func pyinstaller(files, modules map[string]string) string {
	be := func(n int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(n))) }
	zipped := func(s string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = io.WriteString(w, s)
		_ = w.Close()
		return b.String()
	}
	var data, toc strings.Builder
	put := func(name, body string, size int, compressed byte, kind string) {
		at := data.Len()
		if name == "far" {
			at = 1 << 30
		}
		padded := name + strings.Repeat("\x00", 16-(18+len(name))%16)
		toc.WriteString(be(18+len(padded)) + be(at) + be(len(body)) + be(size) + string(compressed) + kind + padded)
		data.WriteString(body)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		put(name, zipped(files[name]), len(files[name]), 1, "s")
	}
	if modules != nil {
		pyz, table := strings.Builder{}, "["+le(uint32(len(modules)))
		pyz.WriteString("PYZ\x00\xa7\x0d\x0d\x0a....\x00\x00\x00\x00\x00")
		for _, name := range slices.Sorted(maps.Keys(modules)) {
			z := zipped(modules[name])
			table += ")\x02z" + string(byte(len(name))) + name + ")\x03i" + le(uint32(0)) + "i" + le(uint32(pyz.Len())) + "i" + le(uint32(len(z)))
			pyz.WriteString(z)
		}
		s := pyz.String()
		s = s[:8] + be(len(s)) + s[12:] + table
		put("PYZ-00.pyz", s, len(s), 0, "z")
	}
	n := data.Len() + toc.Len() + 88
	return "\x7fELF and what is in it" + data.String() + toc.String() +
		"MEI\014\013\012\013\016" + be(n) + be(data.Len()) + be(toc.Len()) + be(311) + "libpython3.11.so" + strings.Repeat("\x00", 48)
}

// A reading is everything that was said about an archive.
type reading struct {
	err     error
	files   map[string][32]byte // of the layer itself, seen
	all     []string
	kinds   []string
	damaged []error
	entries int
	given   int
}

func read(data []byte) *reading {
	r := &reading{files: map[string][32]byte{}}
	buf := make([]byte, 64<<10)
	l, err := layerfs.Open(bytes.NewReader(data), int64(len(data)), layerfs.DefaultLimits)
	if err != nil {
		r.err = err
		return r
	}
	odd := func(o layerfs.Oddity) { r.kinds = append(r.kinds, string(o.Kind)) }
	for _, o := range l.Oddities() {
		odd(o)
	}
	for _, e := range l.Entries() {
		if !e.Mode.IsDir() && !strings.Contains(e.Name, "!/") {
			r.entries++
		}
	}
	r.err = l.PassWith(layerfs.Options{Odd: odd}, func(f *layerfs.File) error {
		r.all = append(r.all, f.Path)
		if f.Depth == 0 {
			r.given++
			r.files[f.Path] = f.SHA256
		}
		// Everything that is given can be read, and is what was hashed.
		h := sha256.New()
		if n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{io.NewSectionReader(f.ReaderAt, 0, f.Size)}, buf); err != nil || n != f.Size {
			return fmt.Errorf("%s: read %d of %d bytes: %w", f.Path, n, f.Size, err)
		}
		if [32]byte(h.Sum(nil)) != f.SHA256 || f.Size <= layerfs.WholeFile && sha256.Sum256(f.Data) != f.SHA256 {
			return fmt.Errorf("%s: read differs from what was hashed", f.Path)
		}
		if f.Mode&fs.ModeType&^fs.ModeSymlink != 0 {
			return fmt.Errorf("%s: given with mode %v", f.Path, f.Mode)
		}
		return nil
	}, func(path string, err error) {
		if path != "" && !strings.Contains(path, "!/") {
			r.given++
		}
		r.damaged = append(r.damaged, err)
	})
	if r.err == nil && r.given < r.entries {
		r.err = fmt.Errorf("%d entries that are no directories, %d given or reported", r.entries, r.given)
	}
	return r
}

// said reports whether what the animal wants was said.
func (r *reading) said(want string) bool {
	is := func(target error) bool {
		return slices.ContainsFunc(r.damaged, func(err error) bool { return errors.Is(err, target) })
	}
	switch want {
	case "refused":
		return r.err != nil
	case "damaged":
		return len(r.damaged) > 0
	case "limit":
		return is(layerfs.ErrLimit)
	case "unsupported":
		return is(layerfs.ErrUnsupported)
	}
	return slices.Contains(r.kinds, want)
}
