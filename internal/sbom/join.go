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
	return foldBy(all, func(c Component) string {
		switch {
		case c.Root == "" || c.Ecosystem == Maven:
			return ""
		case c.Ecosystem == "":
			return c.Name + "\x00" + c.Root // several libraries in one file
		}
		return c.Ecosystem + "\x00" + c.Root
	})
}

// foldBy folds the components with the same key into one, at the place of the
// first. Those with the key "" stay as they are.
func foldBy(all []Component, key func(Component) string) []Component {
	at := make(map[string]int, len(all))
	groups := map[int][]Component{} // of those that are not alone, by place in folded
	folded := make([]Component, 0, len(all))
	for _, c := range all {
		k := key(c)
		if i, ok := at[k]; ok && k != "" {
			if groups[i] == nil {
				groups[i] = []Component{folded[i]}
			}
			groups[i] = append(groups[i], c)
			continue
		}
		at[k] = len(folded)
		folded = append(folded, c)
	}
	for i, g := range groups {
		folded[i] = fold(g)
	}
	return folded
}

// fold is the best known of the components, with what the others add. Lists are
// sorted once, however many components there are.
func fold(group []Component) Component {
	if len(group) == 1 {
		return group[0]
	}
	slices.SortStableFunc(group, func(a, b Component) int { return cmp.Compare(rank(b), rank(a)) })
	c := group[0]
	var also, requires, imports, hooks []string
	var files []FileHash
	for _, o := range group {
		c.Version, c.Root = cmp.Or(c.Version, o.Version), cmp.Or(c.Root, o.Root)
		c.Program = c.Program || o.Program
		if c.License == "" && (o.License != "" || c.LicenseText == "") {
			c.License, c.LicenseText = o.License, o.LicenseText
		}
		c.Integrity, c.Installer = cmp.Or(c.Integrity, o.Integrity), cmp.Or(c.Installer, o.Installer)
		c.Source, c.Revision = cmp.Or(c.Source, o.Source), cmp.Or(c.Revision, o.Revision)
		also = append(append(also, o.File), o.Also...)
		requires, imports, hooks = append(requires, o.Requires...), append(imports, o.Imports...), append(hooks, o.Hooks...)
		files = append(files, o.Files...)
	}
	slices.Sort(also)
	c.Also = slices.DeleteFunc(slices.Compact(also), func(s string) bool { return s == c.File })
	c.Requires, c.Imports, c.Hooks, c.Files = set(requires), set(imports), set(hooks), files
	return c
}

// set is the names, sorted and once each.
func set(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// rank says whose name and version are believed: the stronger component's, and
// of Python's files the metadata itself.
func rank(c Component) int {
	n := 4 * strength[c.How]
	switch path.Base(c.File) {
	case "METADATA", "PKG-INFO", "vendor.txt", "pom.properties":
		n += 2
	case "RECORD":
		n++
	}
	return n
}

// joinJars finds out which artifact a jar is: of its poms the one with the jar's
// name, or the only one. The others were shaded into it. Without one it is what
// the manifest or the file's name says.
func joinJars(all []Component) []Component {
	if !slices.ContainsFunc(all, func(c Component) bool { return c.Ecosystem == Maven }) {
		return all
	}
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
				p = fold(append([]Component{p}, g.guesses...))
			default:
				p.How = Embedded
			}
			rest = append(rest, p)
		}
		if main < 0 && len(g.guesses) > 0 {
			rest = append(rest, fold(g.guesses))
		}
	}
	return rest
}

// joinModules decides what the version constants of well-known Python modules
// mean: nothing new if the module has metadata; a vendored copy if another
// package's metadata lists it; else a package without metadata.
func joinModules(all []Component) []Component {
	listed := map[string]int{} // file of a constant → component whose metadata lists it, -1 for none
	for _, c := range all {
		if c.Ecosystem == PyPI && isConstant(c) {
			listed[c.File] = -1
		}
	}
	sites := map[[2]string]bool{}
	for i, c := range all {
		if c.Ecosystem != PyPI || isConstant(c) || c.How == Locked {
			continue
		}
		for _, f := range c.Files {
			if owner, ok := listed[f.Path]; ok && owner < 0 {
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
		if owner := listed[c.File]; owner >= 0 {
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

// Merge makes a bill of materials of the components of one layer or of several, as
// Read or Join returned them: every package and version once, with all the files
// that tell of it, sorted by ecosystem, name and version.
func Merge(layers ...[]Component) []Component {
	var all []Component
	for _, found := range layers {
		all = append(all, Join(found)...)
	}
	slices.SortStableFunc(all, byPlace)
	return foldBy(all, Component.PURL)
}

// Present are the components that are there: all but those that only a lock file
// names.
func Present(all []Component) []Component {
	var out []Component
	for _, c := range all {
		if c.How != Locked {
			out = append(out, c)
		}
	}
	return out
}
