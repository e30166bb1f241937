package bininfo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A mark is a sentence that one C library alone contains, with its version in a
// fixed place.
type mark struct {
	name   string
	before string // what stands before the version
	after  string // what follows it, "" if nothing certain does
	parts  int    // numbers in the version, at least
}

// marks are how the libraries name themselves in their own sources: OpenSSL's
// OPENSSL_VERSION_TEXT, zlib's deflate_copyright and inflate_copyright, libpng's
// png_get_copyright, curl's curl_version, expat's XML_ExpatVersion and
// libjpeg-turbo's message table. Libraries that hold a bare number are left out.
var marks = []mark{
	{"openssl", "OpenSSL ", " ", 3},
	{"zlib", " deflate ", " Copyright 1995-", 2},
	{"zlib", " inflate ", " Copyright 1995-", 2},
	{"libpng", "libpng version ", "", 3},
	{"curl", "libcurl/", "", 2},
	{"expat", "expat_", "", 3},
	{"libjpeg-turbo", "libjpeg-turbo version ", "", 3},
}

// sqliteHeader begins every SQLite database, so the library holds it. Its version
// stands alone between zeros; that it is SQLite's is believed if the source id
// (https://www.sqlite.org/c3ref/c_source_id.html) is there as well.
const sqliteHeader = "SQLite format 3\x00"

// window is how much of the constants is in memory at once; overlap is more than
// the longest mark with its version.
const (
	window  = 1 << 20
	overlap = 256
)

// embedded searches the constants (.rodata, or without sections every segment
// that is not code) for marks.
func embedded(f *image) ([]Version, error) {
	var found []Version
	var sq sqlite
	left := uint64(maxRodata)
	var buf []byte
	for _, part := range f.constants() {
		if part.fsize > left {
			return found, fmt.Errorf("more than the limit of %d bytes", maxRodata)
		}
		left -= part.fsize
		if cap(buf) < int(min(part.fsize, window)) {
			buf = make([]byte, min(part.fsize, window))
		}
		for at := uint64(0); at < part.fsize; at += window - overlap {
			b := buf[:min(part.fsize-at, uint64(cap(buf)), window)]
			if _, err := f.r.ReadAt(b, int64(part.offset+at)); err != nil && !errors.Is(err, io.EOF) { //nolint:gosec // within the file
				return found, err
			}
			found = search(b, found)
			sq.search(b)
			if at+uint64(len(b)) >= part.fsize {
				break
			}
		}
	}
	if v, ok := sq.version(); ok {
		found = append(found, v)
	}
	slices.SortFunc(found, func(a, b Version) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version)) })
	return slices.CompactFunc(found, func(a, b Version) bool { return a.Name == b.Name && a.Version == b.Version }), nil
}

// constants are the parts of the file to search.
func (f *image) constants() []segment {
	if s, ok := f.section(".rodata"); ok {
		if s.offset <= f.size && s.size <= f.size-s.offset {
			return []segment{{offset: s.offset, fsize: s.size}}
		}
		return nil
	}
	if len(f.secs) > 0 {
		return nil
	}
	var parts []segment
	for _, s := range f.loads {
		if s.flags&1 == 0 && s.end <= f.size {
			parts = append(parts, s)
		}
	}
	return parts
}

func search(b []byte, found []Version) []Version {
	for _, m := range marks {
		rest := b
		for len(found) < maxList {
			i := bytes.Index(rest, []byte(m.before))
			if i < 0 {
				break
			}
			rest = rest[i+len(m.before):]
			v, parts := number(rest)
			if parts < m.parts || !bytes.HasPrefix(rest[len(v):], []byte(m.after)) || m.name == "openssl" && !dated(rest[len(v):]) {
				continue
			}
			found = append(found, Version{m.name, string(v), string(bytes.TrimSpace([]byte(m.before + string(v) + m.after)))})
			break
		}
	}
	return found
}

// number is the version at the start of b, digits and points with at most one
// letter behind (OpenSSL's "1.1.1k"), and of how many numbers it is.
func number(b []byte) (v []byte, parts int) {
	b = b[:min(len(b), 32)]
	digits := 0
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9':
			digits++
			continue
		case c == '.' && digits > 0:
			parts++
			digits = 0
			continue
		case c >= 'a' && c <= 'z' && digits > 0 && parts > 0 && (i+1 == len(b) || b[i+1] == ' ' || b[i+1] == 0):
			return b[:i+1], parts + 1
		}
		if digits == 0 {
			return nil, 0
		}
		return b[:i], parts + 1
	}
	return nil, 0 // too long for a version
}

// dated reports whether a date as OpenSSL writes it follows: " 25 Mar 2021",
// with one space or two.
func dated(b []byte) bool {
	f := bytes.Fields(b[:min(len(b), 24)])
	return len(f) >= 3 && len(f[0]) <= 2 && len(f[1]) == 3 && len(f[2]) >= 4 && f[2][0] == '2' && f[1][0] >= 'A' && f[1][0] <= 'Z'
}

// A sqlite collects what tells SQLite and its version.
type sqlite struct {
	header   bool
	source   string
	versions []string
}

func (s *sqlite) search(b []byte) {
	s.header = s.header || bytes.Contains(b, []byte(sqliteHeader))
	if s.source == "" {
		s.source = sourceID(b)
	}
	for rest := b; len(s.versions) < 8; {
		i := bytes.Index(rest, []byte("\x003."))
		if i < 0 {
			return
		}
		rest = rest[i+1:]
		if v, parts := number(rest); parts == 3 && len(v) < len(rest) && rest[len(v)] == 0 && !slices.Contains(s.versions, string(v)) {
			s.versions = append(s.versions, string(v))
		}
	}
}

func (s *sqlite) version() (Version, bool) {
	if !s.header || s.source == "" || len(s.versions) != 1 {
		return Version{}, false
	}
	return Version{"sqlite", s.versions[0], s.source}, true
}

// sourceID finds "2023-05-16 12:36:15 " with 64 hex digits behind and a zero on
// either side.
func sourceID(b []byte) string {
	const n = len("2023-05-16 12:36:15 ") + 64
	for rest := b; ; {
		i := bytes.Index(rest, []byte("\x0020"))
		if i < 0 || len(rest) < i+1+n+1 {
			return ""
		}
		rest = rest[i+1:]
		id := rest[:n]
		if id[4] != '-' || id[7] != '-' || id[10] != ' ' || id[13] != ':' || id[16] != ':' || id[19] != ' ' {
			continue
		}
		// A source id that was changed by hand ends in "alt1" and a few digits less.
		if !bytes.ContainsFunc(id[20:], func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') }) {
			return string(id)
		}
	}
}
