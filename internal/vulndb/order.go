package vulndb

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// ecosystems are the names of the OSV schema that have rules here, by what
// callers may write: the purl type, or the name in any case.
var ecosystems = map[string]string{
	"pypi": "PyPI", "npm": "npm", "maven": "Maven", "nuget": "NuGet", "go": "Go", "golang": "Go",
	"crates.io": "crates.io", "cargo": "crates.io", "rubygems": "RubyGems", "gem": "RubyGems",
	"packagist": "Packagist", "composer": "Packagist", "pub": "Pub", "hex": "Hex",
	"hackage": "Hackage", "cran": "CRAN", "swifturl": "SwiftURL", "swift": "SwiftURL",
	"conancenter": "ConanCenter", "conan": "ConanCenter", "github actions": "GitHub Actions",
	"githubactions": "GitHub Actions", "bitnami": "Bitnami", "julia": "Julia",
}

// Ecosystem is the name the OSV schema gives to an ecosystem: name may be that,
// in any case, or the type of a purl. Names that are not known stay as they are.
func Ecosystem(name string) string {
	if e, ok := ecosystems[strings.ToLower(name)]; ok {
		return e
	}
	// Maven:https://repo… says from which repository, Debian:12 which release.
	// Packages of Maven have one name everywhere; releases are told apart.
	if rest, ok := strings.CutPrefix(name, "Maven:"); ok && strings.Contains(rest, "//") {
		return "Maven"
	}
	return name
}

// Name is the form of a package's name under which an ecosystem, named as
// [Ecosystem] returns it, knows no two packages.
func Name(ecosystem, name string) string {
	switch ecosystem {
	case "PyPI": // https://packaging.python.org/en/latest/specifications/name-normalization/
		var b strings.Builder
		run := false
		for _, c := range strings.ToLower(name) {
			if sep := c == '-' || c == '_' || c == '.'; sep && run {
				continue
			} else if run = sep; sep {
				c = '-'
			}
			b.WriteRune(c)
		}
		return b.String()
	case "NuGet", "Packagist", "Pub", "Hex", "GitHub Actions":
		return strings.ToLower(name)
	case "crates.io":
		// The registry refuses a name that differs from another in nothing else.
		return strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "Maven":
		if !strings.Contains(name, ":") {
			return strings.Replace(name, "/", ":", 1)
		}
	}
	return name
}

// An order is a way to compare versions.
type order string

// The order of a SEMVER range. Other orders have the name of their ecosystem.
const semver order = "SemVer"

// orderOf is the order of a range, "" if there is none.
func orderOf(ecosystem, rangeType string) order {
	switch rangeType {
	case "SEMVER":
		return semver
	case "ECOSYSTEM":
		return native(ecosystem)
	}
	return ""
}

// The orders a block of a posting may be in, as the file has them.
const (
	codeNone = iota
	codeSemver
	codeNative
)

// code is o in the file.
func (o order) code() int {
	switch o {
	case "":
		return codeNone
	case semver:
		return codeSemver
	}
	return codeNative
}

// orderOfCode is the order of a block of an ecosystem's package.
func orderOfCode(code uint64, ecosystem string) order {
	switch code {
	case codeSemver:
		return semver
	case codeNative:
		return native(ecosystem)
	}
	return ""
}

// native is the order of an ecosystem's versions, "" if it is not known.
func native(ecosystem string) order {
	base, _, _ := strings.Cut(ecosystem, ":")
	switch base {
	case "npm", "Go", "crates.io", "Hex", "GitHub Actions":
		return semver
	case "PyPI", "Maven", "NuGet", "RubyGems", "Packagist":
		return order(base) // known without asking, which takes longer
	}
	if _, err := semantic.Parse("0", base); err != nil {
		return ""
	}
	return order(base)
}

// A version is one that an order understood.
type version struct{ v semantic.Version }

// parse reads a version. What an order would take but compare by accident, like
// a branch or a placeholder, is an error here.
func (o order) parse(s string) (version, error) {
	if len(s) > maxVersion {
		return version{}, fmt.Errorf("a version of more than %d bytes", maxVersion)
	}
	s = strings.TrimSpace(s)
	name := string(o)
	var ok bool
	switch o {
	case "":
		return version{}, errors.New("no order of versions is known")
	case semver:
		s, name = goVersion(s), "npm"
		ok = dotted(strings.TrimPrefix(s, "v"), 3)
	case "NuGet":
		ok = dotted(s, 4)
	case "PyPI":
		ok = pep440(s)
	case "RubyGems", "Packagist", "Pub", "Julia", "Bitnami", "ConanCenter", "SwiftURL", "Hackage", "CRAN":
		t := strings.TrimPrefix(s, "v")
		ok = t != "" && digit(t[0]) && printable(t) && !strings.ContainsAny(t, "${}[](),;")
	default: // Maven and the distributions: letters may come first, as in r09
		ok = strings.ContainsAny(s, "0123456789") && printable(s) && !strings.ContainsAny(s, "${}[](),;")
	}
	if !ok {
		return version{}, fmt.Errorf("%q is no version of %s", clip(s, 60), o)
	}
	v, err := semantic.Parse(s, name)
	if err != nil {
		return version{}, fmt.Errorf("version %q: %w", clip(s, 60), err)
	}
	return version{v}, nil
}

// compare orders two versions of one order.
func (a version) compare(b version) int {
	n, err := a.v.Compare(b.v)
	if err != nil {
		panic(err) // versions of two orders: a bug here
	}
	return n
}

// goVersion turns go1.22rc1, as a Go binary names its standard library, into the
// semantic version the vulnerability database uses.
func goVersion(s string) string {
	rest, ok := strings.CutPrefix(s, "go")
	if !ok || rest == "" || !digit(rest[0]) {
		return s
	}
	rest, _, _ = strings.Cut(rest, " ") // what follows is the experiments it was built with
	if i := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); i > 0 && rest[i] != '-' && rest[i] != '+' {
		for strings.Count(rest[:i], ".") < 2 {
			rest, i = rest[:i]+".0"+rest[i:], i+2
		}
		j := strings.IndexFunc(rest[i:], func(r rune) bool { return r >= '0' && r <= '9' })
		if j < 0 {
			return rest[:i] + "-" + rest[i:]
		}
		return rest[:i] + "-" + rest[i:i+j] + "." + rest[i+j:]
	}
	return rest
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// dotted reports whether s is one to n numbers between dots, and perhaps a
// pre-release after - and a build after +.
func dotted(s string, n int) bool {
	core, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(core, "-")
	if hasBuild && !identifiers(build) || hasPre && !identifiers(pre) {
		return false
	}
	for part := range strings.SplitSeq(core, ".") {
		if n--; n < 0 || part == "" || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// identifiers reports whether s is identifiers of SemVer between dots.
func identifiers(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}

// pep440 reports whether s is a version of
// https://packaging.python.org/en/latest/specifications/version-specifiers/,
// appendix "parsing version strings": what is not has no place in the order.
func pep440(s string) bool {
	s = strings.TrimPrefix(strings.ToLower(s), "v")
	number := func() bool {
		n := len(s)
		s = strings.TrimLeft(s, "0123456789")
		return len(s) < n
	}
	// word takes one of words, with a separator before and, with a number, after.
	word := func(words ...string) {
		t := s
		if t != "" && strings.IndexByte("-_.", t[0]) >= 0 {
			t = t[1:]
		}
		for _, w := range words {
			rest, ok := strings.CutPrefix(t, w)
			if !ok {
				continue
			}
			s = rest
			if rest != "" && strings.IndexByte("-_.", rest[0]) >= 0 {
				if s = rest[1:]; !number() {
					s = rest // it belongs to what follows
				}
			} else {
				number()
			}
			return
		}
	}
	if !number() {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "!"); ok {
		if s = rest; !number() {
			return false
		}
	}
	for len(s) > 1 && s[0] == '.' && digit(s[1]) {
		s = s[1:]
		number()
	}
	word("alpha", "beta", "preview", "pre", "a", "b", "c", "rc")
	if len(s) > 1 && s[0] == '-' && digit(s[1]) {
		s = s[1:]
		number()
	} else {
		word("post", "rev", "r")
	}
	word("dev")
	if local, ok := strings.CutPrefix(s, "+"); ok {
		last := byte('.')
		for i := range len(local) {
			c := local[i]
			sep := strings.IndexByte("-_.", c) >= 0
			if !digit(c) && (c < 'a' || c > 'z') && (!sep || strings.IndexByte("-_.", last) >= 0) {
				return false
			}
			last = c
		}
		return strings.IndexByte("-_.", last) < 0
	}
	return s == ""
}
