package sbom

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// strength orders the ways of knowing, weakest first.
var strength = map[How]int{Locked: 1, Guessed: 2, Own: 3, Embedded: 4, Vendored: 5, Installed: 6}

func byPlace(a, b Component) int {
	return cmp.Or(
		cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Root, b.Root), cmp.Compare(a.File, b.File), cmp.Compare(strength[b.How], strength[a.How]),
	)
}

// Join puts together what several files of one layer say of the same installation:
// a Python package's METADATA, RECORD and top_level.txt, a package.json and its
// entry in a lock file, a jar's pom, manifest and name. Two copies of a package in
// two places stay two. What only looked like a package without metadata is dropped
// when its metadata is there. The components given are not changed; what is
// returned is sorted by ecosystem, name, version and place, whatever the order in
// which the files were read.
func Join(found []Component) []Component {
	all := slices.Clone(found)
	slices.SortStableFunc(all, byPlace)
	all = joinRoots(all)
	all = joinJars(all)
	all = joinModules(all)
	slices.SortStableFunc(all, byPlace)
	return all
}

// joinRoots joins components of one ecosystem with the same place.
func joinRoots(all []Component) []Component {
	at := map[[2]string]int{}
	var joined []Component
	for _, c := range all {
		if c.Root == "" || c.Ecosystem == Maven {
			joined = append(joined, c)
			continue
		}
		key := [2]string{c.Ecosystem, c.Root}
		if c.Ecosystem == "" {
			key[0] = " " + c.Name // several libraries in one file
		}
		if i, ok := at[key]; ok {
			joined[i] = join(joined[i], c)
			continue
		}
		at[key] = len(joined)
		joined = append(joined, c)
	}
	return joined
}

// join is a with what b adds. The name and the version are the better known one's.
func join(a, b Component) Component {
	if rank(b) > rank(a) {
		a, b = b, a
	}
	a.Version = cmp.Or(a.Version, b.Version)
	a.Program = a.Program || b.Program
	a.Also = append(append(slices.Clone(a.Also), b.File), b.Also...)
	slices.Sort(a.Also)
	a.Also = slices.DeleteFunc(slices.Compact(a.Also), func(s string) bool { return s == a.File })
	a.Root = cmp.Or(a.Root, b.Root)
	if a.License == "" && (b.License != "" || a.LicenseText == "") {
		a.License, a.LicenseText = b.License, b.LicenseText
	}
	a.Requires, a.Imports, a.Hooks = both(a.Requires, b.Requires), both(a.Imports, b.Imports), both(a.Hooks, b.Hooks)
	if len(a.Files) == 0 {
		a.Files = b.Files
	}
	a.Integrity, a.Installer = cmp.Or(a.Integrity, b.Integrity), cmp.Or(a.Installer, b.Installer)
	a.Source, a.Revision = cmp.Or(a.Source, b.Source), cmp.Or(a.Revision, b.Revision)
	return a
}

// rank says whose name and version are believed: the stronger component's, and
// of Python's files the metadata itself.
func rank(c Component) int {
	n := 4 * strength[c.How]
	switch path.Base(c.File) {
	case "METADATA", "PKG-INFO", "vendor.txt":
		n += 2
	case "RECORD":
		n++
	}
	return n
}

func both(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	u := slices.Concat(a, b)
	slices.Sort(u)
	return slices.Compact(u)
}

// joinJars finds out which artifact a jar is: of its poms the one with the jar's
// name, or the only one. The others were shaded into it. Without one it is what
// the manifest or the file's name says.
func joinJars(all []Component) []Component {
	type group struct{ poms, guesses []Component }
	groups := map[string]*group{}
	var order []string
	var rest []Component
	for _, c := range all {
		if c.Ecosystem != Maven {
			rest = append(rest, c)
			continue
		}
		archive := c.Root
		pom := path.Base(c.File) == "pom.properties"
		if pom {
			archive = jar(c.File)
		}
		g := groups[archive]
		if g == nil {
			g = &group{}
			groups[archive] = g
			order = append(order, archive)
		}
		if pom {
			g.poms = append(g.poms, c)
		} else {
			g.guesses = append(g.guesses, c)
		}
	}
	for _, archive := range order {
		g := groups[archive]
		// The manifest says more than the name.
		slices.SortStableFunc(g.guesses, func(a, b Component) int { return cmp.Compare(strings.Count(b.Name, ":"), strings.Count(a.Name, ":")) })
		main := -1
		base := path.Base(archive)
		for i, p := range g.poms {
			_, artifact, ok := strings.Cut(p.Name, ":")
			if !ok {
				artifact = p.Name
			}
			if base == artifact+path.Ext(base) || strings.HasPrefix(base, artifact+"-"+p.Version) {
				main = i
			}
		}
		if main < 0 && len(g.poms) == 1 {
			main = 0
		}
		for i, p := range g.poms {
			switch {
			case archive == "":
			case i == main:
				p.Root = archive
				for _, other := range g.guesses {
					name, version := p.Name, p.Version
					p = join(p, other)
					p.Name, p.Version = name, version
				}
			default:
				p.How = Embedded
			}
			rest = append(rest, p)
		}
		if main < 0 && len(g.guesses) > 0 {
			c := g.guesses[0]
			for _, other := range g.guesses[1:] {
				c = join(c, other)
			}
			rest = append(rest, c)
		}
	}
	return rest
}

// joinModules decides what the version constants of well-known Python modules
// mean: nothing new if the module has metadata; a vendored copy if another
// package's metadata lists it; else a package without metadata.
func joinModules(all []Component) []Component {
	listed := map[string]int{} // path → component whose metadata lists it
	sites := map[[2]string]bool{}
	for i, c := range all {
		if c.Ecosystem != PyPI || isConstant(c) {
			continue
		}
		for _, f := range c.Files {
			if _, ok := listed[f.Path]; !ok {
				listed[f.Path] = i
			}
		}
		sites[[2]string{c.Name, path.Dir(c.Root)}] = true
	}
	kept := all[:0]
	for i, c := range all {
		if c.Ecosystem != PyPI || !isConstant(c) {
			kept = append(kept, all[i])
			continue
		}
		if sites[[2]string{c.Name, path.Dir(c.Root)}] {
			continue
		}
		if owner, ok := listed[c.File]; ok {
			// "opentelemetry-instrumentation-redis" has a module redis of its own.
			if all[owner].Name == c.Name || strings.HasSuffix(all[owner].Name, "-"+c.Name) {
				continue
			}
			if c.How == Guessed {
				c.How = Vendored
			}
		}
		kept = append(kept, c)
	}
	return kept
}

// isConstant reports whether all that is known of a Python package is its version
// constant.
func isConstant(c Component) bool {
	return strings.HasSuffix(c.File, ".py") || strings.HasSuffix(c.File, ".pyc")
}

// Merge makes a bill of materials of what Join returned, for one layer or for
// several: every package and version once, with all the files that tell of it,
// sorted by ecosystem, name and version.
func Merge(found []Component) []Component {
	at := map[string]int{}
	var merged []Component
	all := slices.Clone(found)
	slices.SortStableFunc(all, byPlace)
	for _, c := range all {
		purl := c.PURL()
		i, ok := at[purl]
		if !ok {
			at[purl] = len(merged)
			merged = append(merged, c)
			continue
		}
		m := join(merged[i], c)
		m.Files = slices.Concat(merged[i].Files, c.Files)
		merged[i] = m
	}
	return merged
}
