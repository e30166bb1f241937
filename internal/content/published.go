package content

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// VerifiedPublic is the reason for which a finding about a file is suppressed whose
// very content a registry published: what is in it is no secret of the layer's
// owner, and its code is what everybody has.
const VerifiedPublic = "verified public content"

// Excuse is r about f, suppressed if an index has an artefact with the very content
// of f.
func (s *Scan) Excuse(r Result, f *File) Result {
	for _, x := range s.Hashes {
		if a, ok := x.Origin(sbom.Digest(f.SHA256)); ok {
			r.Outcome, r.Suppressed = lamina.NotApplicable, VerifiedPublic
			r.Evidence = append(r.Evidence, "published in: "+a.PURL()+" ("+a.File+")")
			return r
		}
	}
	return r
}

// A Comparison is a layer held against what registries published. Every package
// of the layer is in one of its lists, but for those that are the layer's own or
// only in a lock file.
type Comparison struct {
	// Packages are those in the index, in the order of Layer.Packages.
	Packages []*Compared
	// Absent are in no index. Compiled have no files of their own to compare.
	Absent, Compiled []sbom.Component
	// Bundled are copies inside a package that is compared, and part of it.
	Bundled []sbom.Component
}

// A Compared package is one whose version is in the index. Each of its files in
// the layer is counted once.
type Compared struct {
	Component sbom.Component
	// Artefact is that of which the layer has most; Others is how many more of the
	// version the index has.
	Artefact artefact.Artefact
	Others   int
	// Identical counts the files that an artefact of the version has.
	Identical int
	// Differs are files of which every artefact that has one there has another.
	Differs []Difference
	// Rewritten are files that installers write anew, and of which they keep what
	// decides what is loaded.
	Rewritten []Difference
	// Unlisted are files in the package's folder that no artefact of the version
	// has. Generated counts those among them that installers make, which are not
	// in the list.
	Unlisted  []*File
	Generated int
	// Missing counts the files of the artefact that the layer has not.
	Missing int
	// Unproven says that another build of the version than those in the index was
	// installed: of its native files nothing is known.
	Unproven bool
	// Locked is what npm's hidden lock file says of the tarball: "" nothing that
	// can be compared, "same" as Artefact, "other" than all that the index has.
	Locked string
}

// A Difference is a file of which the index has another.
type Difference struct {
	File *File
	// Want is the digest that Artefact, or else another of the version, has there,
	// and From that artefact's file name.
	Want sbom.Digest
	From string
}

// A claim says that an artefact has a file at a place.
type claim struct {
	of       *candidate
	artefact int
	file     artefact.File
}

// A candidate is a package that is being compared.
type candidate struct {
	*Compared
	all  []artefact.Artefact
	same []int // identical files of each
}

// Published compares a layer with the index; nil without one. An error says that
// an index is damaged.
func (s *Scan) Published(layer int) (*Comparison, error) {
	if len(s.Hashes) == 0 {
		return nil, nil //nolint:nilnil // there is nothing to compare with
	}
	s.comparing.Lock()
	defer s.comparing.Unlock()
	if s.compared == nil {
		s.compared = map[int]compared{}
	}
	c, ok := s.compared[layer]
	if !ok {
		c.Comparison, c.err = compare(s.Hashes, s.Layers[layer])
		s.compared[layer] = c
	}
	return c.Comparison, c.err
}

type compared struct {
	*Comparison
	err error
}

func compare(indexes []*artefact.Index, l *Layer) (*Comparison, error) {
	out := &Comparison{}
	claims := map[string][]claim{}
	at := map[string]*candidate{} // by the package's place, and by the folders of its modules
	var all []*candidate
	var rest []sbom.Component
	for _, c := range l.Packages() {
		if c.How == sbom.Locked || c.How == sbom.Own {
			continue
		}
		found, err := published(indexes, c)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 || base(c) == "" {
			rest = append(rest, c)
			continue
		}
		x := &candidate{Compared: &Compared{Component: c}, all: found, same: make([]int, len(found))}
		all, at[c.Root] = append(all, x), x
		x.claim(l, claims, at)
	}
	for _, f := range l.Files {
		if !f.Hidden {
			for _, c := range claims[f.Path] {
				if c.file.SHA256 == sbom.Digest(f.SHA256) {
					c.of.same[c.artefact]++
				}
			}
		}
	}
	for _, x := range all {
		x.choose(l)
		out.Packages = append(out.Packages, x.Compared)
	}
	for _, c := range rest {
		switch {
		case len(claims[c.File]) > 0:
			out.Bundled = append(out.Bundled, c)
			// What lies in its folder belongs to the package around it.
			if at[c.Root] == nil && c.Root != "" {
				at[c.Root] = claims[c.File][0].of
			}
		case !hasFiles(c):
			out.Compiled = append(out.Compiled, c)
		default:
			out.Absent = append(out.Absent, c)
		}
	}
	whole := map[string]*candidate{} // archives in the layer that are as published
	for _, f := range l.Files {
		if f.Hidden {
			continue
		}
		archive, _, nested := strings.Cut(f.Path, "!/")
		if x := whole[archive]; nested && x != nil {
			x.Identical++ // an archive comes before what is in it
		} else if here := claims[f.Path]; len(here) > 0 {
			if x := judgeClaims(f, here); x != nil && !nested {
				whole[f.Path] = x
			}
		} else if x := holder(l, at, f.Path); x != nil {
			x.unlisted(f)
		}
	}
	for _, x := range all {
		for _, f := range x.Artefact.Files {
			if x.Artefact.Kind != artefact.SourceDist && l.File(path.Join(base(x.Component), f.Path)) == nil {
				x.Missing++
			}
		}
	}
	return out, nil
}

// holder is the package that is compared and to which the file belongs, by the
// metadata of the layer or else by its place; nil if it is another's or nobody's.
func holder(l *Layer, at map[string]*candidate, name string) *candidate {
	c, listed := l.Owner(name)
	if listed == nil {
		for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
			if x := at[dir]; x != nil {
				return x
			}
			if c != nil && c.Root == dir {
				break // the folder of another package in it
			}
		}
	}
	if c == nil {
		return nil
	}
	return at[c.Root]
}

// published are the artefacts of a package's version, of all indexes.
func published(indexes []*artefact.Index, c sbom.Component) ([]artefact.Artefact, error) {
	if c.Version == "" {
		return nil, nil
	}
	var out []artefact.Artefact
	for _, x := range indexes {
		found, err := x.Find(c.Ecosystem, c.Name, c.Version)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			if !slices.ContainsFunc(out, func(b artefact.Artefact) bool { return a.SHA256 == b.SHA256 }) {
				out = append(out, a)
			}
		}
	}
	return out, nil
}

// hasFiles reports whether packages of the ecosystem are installed as files.
func hasFiles(c sbom.Component) bool {
	switch c.Ecosystem {
	case sbom.PyPI, sbom.NPM, sbom.RubyGems, sbom.Maven:
		return true
	}
	return false
}

// base is the folder that the paths of a package's artefacts are in, "" if it has
// no place of its own.
func base(c sbom.Component) string {
	if c.Root == "" {
		return ""
	}
	switch c.Ecosystem {
	case sbom.PyPI:
		if strings.HasSuffix(c.Root, ".dist-info") {
			return path.Dir(c.Root)
		}
		return "" // not installed of a wheel
	case sbom.Maven:
		if path.Ext(c.Root) == "" {
			return "" // shaded into another
		}
		return c.Root + "!"
	}
	return c.Root
}

// claim notes where the files of x should be, and the folders of its modules:
// who adds a file to one can leave it out of RECORD, or RECORD out of the layer.
func (x *candidate) claim(l *Layer, claims map[string][]claim, at map[string]*candidate) {
	dir := base(x.Component)
	for i := range x.all {
		for _, f := range x.all[i].Files {
			p := path.Join(dir, f.Path)
			if x.all[i].Kind == artefact.SourceDist {
				// Much of it is not installed, and another package may have its name.
				if c, _ := l.Owner(p); c == nil || c.Root != x.Component.Root {
					continue
				}
			}
			claims[p] = append(claims[p], claim{x, i, f})
			if d := path.Dir(p); x.all[i].Kind == artefact.Wheel && path.Base(p) == "__init__.py" && at[d] == nil {
				at[d] = x
			}
		}
		if x.all[i].Kind == artefact.Jar {
			// Signing and packing anew change the jar, and not what is in it.
			claims[x.Component.Root] = append(claims[x.Component.Root], claim{x, i, artefact.File{Path: x.all[i].File, SHA256: x.all[i].SHA256, Rewritten: true}})
		}
	}
}

// choose takes the artefact that the layer has most of; of several the first.
func (x *candidate) choose(l *Layer) {
	best := 0
	for i := range x.all {
		if x.same[i] > x.same[best] {
			best = i
		}
	}
	if want, ok := integrity(x.Component.Integrity); ok {
		x.Locked = "other"
		for i, a := range x.all {
			if string(a.SHA512) == want {
				best, x.Locked = i, "same"
			}
		}
		if !slices.ContainsFunc(x.all, func(a artefact.Artefact) bool { return len(a.SHA512) > 0 }) {
			x.Locked = ""
		}
	}
	x.Artefact, x.Others = x.all[best], len(x.all)-1
	if x.Component.Ecosystem != sbom.PyPI {
		return
	}
	// A wheel's WHEEL names the platform it was built for.
	tag := l.File(x.Component.Root + "/WHEEL")
	x.Unproven = tag == nil || !slices.ContainsFunc(x.all, func(a artefact.Artefact) bool {
		return slices.ContainsFunc(a.Files, func(f artefact.File) bool {
			return f.SHA256 == sbom.Digest(tag.SHA256) && path.Base(f.Path) == "WHEEL"
		})
	})
}

// integrity is the SHA-512 in an integrity value of npm
// (https://www.w3.org/TR/SRI/#the-integrity-attribute).
func integrity(s string) (string, bool) {
	for one := range strings.FieldsSeq(s) {
		if b64, ok := strings.CutPrefix(one, "sha512-"); ok {
			b64, _, _ = strings.Cut(b64, "?")
			if b, err := base64.StdEncoding.DecodeString(b64); err == nil && len(b) == 64 {
				return string(b), true
			}
		}
	}
	return "", false
}

// judgeClaims says of a file what the artefacts have there, and returns whose file
// it is if one of them has the same.
func judgeClaims(f *File, here []claim) *candidate {
	var d Difference
	var of *candidate
	for _, c := range here {
		if c.file.SHA256 == sbom.Digest(f.SHA256) {
			c.of.Identical++
			return c.of
		}
		if of == nil || c.of == of && c.of.all[c.artefact].SHA256 == c.of.Artefact.SHA256 {
			of = c.of
			d = Difference{File: f, Want: c.file.SHA256, From: c.of.all[c.artefact].File}
		}
	}
	if slices.ContainsFunc(here, func(c claim) bool { return c.rewritten(f) }) {
		of.Rewritten = append(of.Rewritten, d)
	} else {
		of.Differs = append(of.Differs, d)
	}
	return nil
}

// maxShebang is how long the first line of a script may be
// (https://man7.org/linux/man-pages/man2/execve.2.html).
const maxShebang = 255

// rewritten reports whether the file may be what an installer made of the one
// that was published.
func (c claim) rewritten(f *File) bool {
	switch {
	case !c.file.Rewritten:
		return c.file.Loads != (sbom.Digest{}) && f.Loads != nil && c.file.Loads == sha256.Sum256(f.Loads)
	case strings.HasPrefix(c.file.Path, "bin/"):
		// Its first line names the interpreter.
		return max(f.Size-c.file.Size, c.file.Size-f.Size) <= maxShebang
	}
	return true
}

// unlisted takes a file of the package's folder that no artefact has.
func (x *candidate) unlisted(f *File) {
	if generated(x.Component, f) {
		x.Generated++
		return
	}
	x.Unlisted = append(x.Unlisted, f)
}

// maxLauncher is more than the script that installers write for an entry point has.
const maxLauncher = 600

// generated reports whether installers make such a file.
func generated(c sbom.Component, f *File) bool {
	dir, name := path.Split(f.Path)
	dir = path.Clean(dir)
	switch c.Ecosystem {
	case sbom.PyPI:
		if dir == c.Root {
			// https://packaging.python.org/en/latest/specifications/recording-installed-packages/
			return slices.Contains([]string{"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}, name)
		}
		if path.Base(dir) == "__pycache__" && f.Kind == Pyc {
			return true // whether it is its source's is asked elsewhere
		}
		return dir == path.Join(path.Dir(c.Root), "bin") && f.Kind == Python && f.Size <= maxLauncher && (f.Code == nil || len(f.Code.Flows) == 0)
	case sbom.RubyGems:
		return name == "gem_make.out" || name == "mkmf.log" || name == "gem.build_complete"
	}
	return false
}

// String is the comparison in a line for the coverage, without a full stop.
func (c *Comparison) String() string {
	identical, differ, unlisted := 0, 0, 0
	for _, p := range c.Packages {
		identical, differ, unlisted = identical+p.Identical, differ+len(p.Differs), unlisted+len(p.Unlisted)
	}
	return fmt.Sprintf("%d files as published, %d differ, %d unlisted, %d of %s not in the index", identical, differ, unlisted,
		len(c.Absent), Count(len(c.Packages)+len(c.Absent), "package"))
}
