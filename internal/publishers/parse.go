package publishers

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// MaxFile is the size above which a list of accounts is refused, in bytes; that of a
// registry in TOML is tomlfile.MaxFile.
const MaxFile = 4 << 20

// An Error is the first thing that is wrong with a registry file.
type Error struct {
	File string
	// Line and Col count from 1; Line is 0 when the place is not known.
	Line, Col int
	Msg       string
	Hint      string // what to do, or ""
	Err       error  // what it was made of, or nil
}

// Error is "file:line:col: message"; the hint is the caller's to print.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }

// file is the layout of publishers.toml.
type file struct {
	Version   int             `toml:"version"`
	Publisher []filePublisher `toml:"publisher"`
	Release   []fileRelease   `toml:"release"`
}

type fileRelease struct {
	Layer  string `toml:"layer"`
	Digest string `toml:"digest"`
	Source string `toml:"source"`
}

type filePublisher struct {
	ID           string            `toml:"id"`
	Name         string            `toml:"name"`
	Kind         Kind              `toml:"kind"`
	Status       Status            `toml:"status"`
	SupersededBy string            `toml:"superseded_by"`
	Layers       []string          `toml:"layers"`
	Accounts     []string          `toml:"accounts"`
	Regional     map[string]string `toml:"regional"`
	Former       []Former          `toml:"former"`
	License      string            `toml:"license"`
	Feed         string            `toml:"feed"`
	Note         string            `toml:"note"`
	Evidence     []fileEvidence    `toml:"evidence"`
}

type fileEvidence struct {
	URL  string         `toml:"url"`
	Seen toml.LocalDate `toml:"seen"`
	Says string         `toml:"says"`
}

// ParseTOML reads a registry in the layout of publishers.toml. It is strict:
// an unknown key, a wrong account id or a claim without evidence is an error
// with its place. The name is used in messages only.
func ParseTOML(name string, data []byte) (List, error) {
	if err := strict(name, data); err != nil {
		return List{}, err
	}
	var f file
	if err := toml.Unmarshal(data, &f); err != nil {
		return List{}, tomlError(name, err)
	}
	c := checker{name: name, data: data}
	if f.Version != 1 {
		return List{}, c.fail("version", "version %d: this program reads version 1", f.Version)
	}
	ids := map[string]bool{}
	list := List{Publishers: make([]Publisher, 0, len(f.Publisher))}
	for i, p := range f.Publisher {
		if err := c.publisher(fmt.Sprintf("publisher.%d", i), p, ids); err != nil {
			return List{}, err
		}
		out := Publisher{
			ID: p.ID, Name: p.Name, Kind: p.Kind, Status: p.Status, SupersededBy: p.SupersededBy,
			Layers: p.Layers, Accounts: p.Accounts, Regional: p.Regional, Former: p.Former,
			License: p.License, Feed: p.Feed, Note: p.Note, Source: name, from: &origin{name, data, i},
		}
		for _, e := range p.Evidence {
			out.Evidence = append(out.Evidence, Evidence{URL: e.URL, Seen: e.Seen.String(), Says: e.Says})
		}
		list.Publishers = append(list.Publishers, out)
	}
	for i, r := range f.Release {
		out, err := c.release(fmt.Sprintf("release.%d", i), r)
		if err != nil {
			return List{}, err
		}
		list.Releases = append(list.Releases, out)
	}
	return list, nil
}

// strict refuses a document with a key that the layout does not have, and one that
// would take the decoder too long. The decoder's own way to do the first takes a time
// that grows with the square of their number.
func strict(name string, data []byte) error {
	root, err := tomlfile.Parse(name, data)
	if err != nil {
		return tomlError(name, err)
	}
	for _, p := range root.Tables("publisher") {
		for _, list := range []struct {
			key  string
			keys []string
		}{{"former", []string{"account", "layers", "status", "superseded_by"}}, {"evidence", []string{"url", "seen", "says"}}} {
			for _, t := range p.Tables(list.key) {
				t.Only(list.keys...)
			}
		}
		p.Only("id", "name", "kind", "status", "superseded_by", "layers", "accounts", "regional", "license", "feed", "note")
	}
	for _, r := range root.Tables("release") {
		r.Only("layer", "digest", "source")
	}
	root.Only("version")
	if err := root.Err(); err != nil {
		return tomlError(name, err)
	}
	return nil
}

// A checker finds the place of a value that is wrong, by reading the file again:
// most files are right.
type checker struct {
	name string
	data []byte
}

// fail places a message at the path, or at the nearest place above it.
func (c *checker) fail(path, format string, args ...any) *Error {
	e := &Error{File: c.name, Msg: fmt.Sprintf(format, args...)}
	at := positions(c.data)
	for p := path; ; {
		if off, ok := at[p]; ok {
			before := c.data[:off]
			e.Line, e.Col = 1+bytes.Count(before, []byte("\n")), off-bytes.LastIndexByte(before, '\n')
			return e
		}
		i := strings.LastIndexByte(p, '.')
		if i < 0 {
			return e
		}
		p = p[:i]
	}
}

func (c *checker) publisher(at string, p filePublisher, ids map[string]bool) error {
	switch {
	case !isID(p.ID):
		return c.fail(at+".id", "publisher id %q: want lower-case letters, digits and hyphens", p.ID)
	case ids[p.ID]:
		return c.fail(at+".id", "publisher %q is listed twice", p.ID)
	case p.Name == "":
		return c.fail(at+".name", "publisher %q has no name", p.ID)
	case !slices.Contains([]Kind{AWS, Vendor, Community}, p.Kind):
		return c.fail(at+".kind", "publisher %q: kind %q is not aws, vendor or community", p.ID, p.Kind)
	case !isStatus(p.Status):
		return c.fail(at+".status", "publisher %q: status %q is not active, superseded, abandoned, defunct or unknown", p.ID, p.Status)
	case len(p.Accounts)+len(p.Regional)+len(p.Former) == 0:
		return c.fail(at, "publisher %q has no account: give accounts, regional or former", p.ID)
	case len(p.Evidence) == 0:
		return c.fail(at, "publisher %q has no evidence: give an [[publisher.evidence]] with url and seen", p.ID)
	}
	ids[p.ID] = true
	for i, a := range p.Accounts {
		if !isAccount(a) {
			return c.fail(at+".accounts."+strconv.Itoa(i), "publisher %q: account %q is not 12 digits", p.ID, a)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(p.Regional)) {
		if region == "" || !isAccount(p.Regional[region]) {
			return c.fail(at+".regional."+region, "publisher %q: account %q of region %q is not 12 digits", p.ID, p.Regional[region], region)
		}
	}
	for i, f := range p.Former {
		if !isAccount(f.Account) {
			return c.fail(fmt.Sprintf("%s.former.%d.account", at, i), "publisher %q: account %q is not 12 digits", p.ID, f.Account)
		}
		if !isStatus(f.Status) {
			return c.fail(fmt.Sprintf("%s.former.%d.status", at, i), "publisher %q: status %q of account %s is not active, superseded, abandoned, defunct or unknown", p.ID, f.Status, f.Account)
		}
	}
	for i, l := range p.Layers {
		if l == "" || l == "*" {
			return c.fail(at+".layers."+strconv.Itoa(i), "publisher %q: a layer name of %q would expect every name; leave layers out when the names are not known", p.ID, l)
		}
	}
	for i, e := range p.Evidence {
		if u, err := url.Parse(e.URL); err != nil || u.Scheme != "https" || u.Host == "" {
			return c.fail(fmt.Sprintf("%s.evidence.%d.url", at, i), "publisher %q: evidence %q is not an https address", p.ID, e.URL)
		}
		if e.Seen.Year == 0 {
			return c.fail(fmt.Sprintf("%s.evidence.%d", at, i), "publisher %q: evidence %s has no date: give seen = YYYY-MM-DD", p.ID, e.URL)
		}
	}
	return nil
}

func (c *checker) release(at string, r fileRelease) (Release, error) {
	l, err := lamina.ParseLayerARN(r.Layer)
	if err != nil || l.Version == 0 || !isAccount(l.ARN.Account) || l.ARN.Region == "" || strings.ContainsAny(r.Layer, "?") || strings.Contains(l.Name, "*") {
		return Release{}, c.fail(at+".layer", "release %q: want the ARN of a layer version; its region may be * for every one", r.Layer)
	}
	sum, err := hex.DecodeString(strings.TrimPrefix(r.Digest, "sha256:"))
	if !strings.HasPrefix(r.Digest, "sha256:") {
		sum, err = base64.StdEncoding.DecodeString(r.Digest)
	}
	switch {
	case err != nil || len(sum) != sha256.Size:
		return Release{}, c.fail(at+".digest", "release %s: digest %q is neither sha256: and 64 hex digits nor a CodeSha256 as AWS prints it", r.Layer, r.Digest)
	case strings.TrimSpace(r.Source) == "":
		return Release{}, c.fail(at, "release %s has no source: say where its digest is written", r.Layer)
	}
	return Release{Layer: l, Digest: hex.EncodeToString(sum), Source: r.Source}, nil
}

func isID(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-'
}

func isStatus(s Status) bool {
	return slices.Contains([]Status{Active, Superseded, Abandoned, Defunct, Unknown}, s)
}

// isAccount says whether s is an AWS account id: 12 ASCII digits.
func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// positions maps the path of every value to its offset: "publisher.2.accounts.0".
// A table of an array of tables adds its index.
func positions(data []byte) map[string]int {
	at := map[string]int{}
	counts := map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	prefix := ""
	// path resolves a dotted key below the newest elements of arrays of tables.
	path := func(it unstable.Iterator, base string) (full string, pos int) {
		full = base
		for it.Next() {
			n := it.Node()
			if n, ok := counts[full]; ok {
				full += "." + strconv.Itoa(n-1)
			}
			if full != "" {
				full += "."
			}
			full += string(n.Data)
			pos = int(n.Raw.Offset)
		}
		return full, pos
	}
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.ArrayTable:
			full, pos := path(e.Key(), "")
			counts[full]++
			prefix = full + "." + strconv.Itoa(counts[full]-1)
			at[prefix] = pos
		case unstable.Table:
			full, pos := path(e.Key(), "")
			prefix = full
			at[prefix] = pos
		case unstable.KeyValue:
			full, pos := path(e.Key(), prefix)
			at[full] = pos
			v := e.Value()
			if v.Raw.Length > 0 {
				at[full] = int(v.Raw.Offset)
			}
			for i, it := 0, v.Children(); v.Kind == unstable.Array && it.Next(); i++ {
				at[full+"."+strconv.Itoa(i)] = int(it.Node().Raw.Offset)
			}
		case unstable.Invalid, unstable.Comment, unstable.Key, unstable.Array, unstable.InlineTable, unstable.String, unstable.Bool,
			unstable.Float, unstable.Integer, unstable.LocalDate, unstable.LocalTime, unstable.LocalDateTime, unstable.DateTime:
			// Not expressions: comments have no key, the others are parts.
		}
	}
	return at
}

// tomlError is the first thing that the reader or the decoder said, with its place.
func tomlError(name string, err error) error {
	if e, ok := errors.AsType[*tomlfile.Error](err); ok {
		return &Error{File: name, Line: e.Line, Col: e.Col, Err: err, Msg: e.Msg, Hint: e.Hint}
	}
	if dec, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, col := dec.Position()
		return &Error{File: name, Line: line, Col: col, Err: err, Msg: strings.TrimPrefix(dec.Error(), "toml: ")}
	}
	return &Error{File: name, Err: err, Msg: err.Error()}
}
