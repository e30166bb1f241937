package layerfs

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// collisions finds the names that some file systems take for the same.
func (l *Layer) collisions() {
	// Of two names that are the same, one at least is not as it is folded.
	foldedOf := map[string]string{}
	for name := range l.nodes {
		if folded := fold(name); folded != name {
			foldedOf[name] = folded
			if _, ok := l.nodes[folded]; ok {
				foldedOf[folded] = fold(folded)
			}
		}
	}
	seen := make(map[string]string, len(foldedOf))
	for _, name := range slices.Sorted(maps.Keys(foldedOf)) {
		folded := foldedOf[name]
		other, ok := seen[folded]
		if !ok {
			seen[folded] = name
			continue
		}
		n := l.nodes[name]
		i := -1
		if n.layer != nil {
			i = n.entry
		}
		// Of two directories that collide, it is enough to name the directories.
		if d, o := path.Dir(name), path.Dir(other); d != o {
			continue
		}
		l.odd(Collision, i, -1, "%q and %q are the same name where case or Unicode normalisation does not count", other, name)
	}
}

// fold is the name where neither case nor normalisation counts; most are that already.
func fold(name string) string {
	small := true
	for i := range len(name) {
		switch c := name[i]; {
		case c >= utf8.RuneSelf:
			return norm.NFC.String(strings.ToLower(strings.ToUpper(name)))
		case 'A' <= c && c <= 'Z':
			small = false
		}
	}
	if small {
		return name
	}
	return strings.ToLower(name)
}

// maxHops is how many links a path may go through, as in Linux.
const maxHops = 40

// follow finds out where the links lead, without following any: each is read as
// the text that it is. A layer is unpacked to /opt, so that is the root.
func (l *Layer) follow() {
	texts := map[string]string{}
	size, steps := 0, 0
	for i := range l.entries {
		e := &l.entries[i]
		if e.Mode&fs.ModeSymlink == 0 || e.Path == "" || l.nodes[e.Path].entry != i {
			continue
		}
		text, err := l.link(e)
		if err != nil {
			continue // Pass says so
		}
		if size += len(text); size > 1<<20 {
			l.odd(LinkLeaves, i, -1, "the links of the archive are too long together to be resolved from here on")
			return
		}
		texts[e.Path] = text
	}
	for i := range l.entries {
		e := &l.entries[i]
		text, ok := texts[e.Path]
		if !ok || l.nodes[e.Path].entry != i {
			continue
		}
		switch resolve(texts, e.Path, &steps) { //nolint:exhaustive // it finds these two
		case LinkLeaves:
			l.odd(LinkLeaves, i, -1, "%q leads to %q, which is outside the layer", e.Path, text)
		case LinkLoop:
			l.odd(LinkLoop, i, -1, "%q leads to %q, and from there in a circle or through more than %d links", e.Path, text, maxHops)
		}
		if steps > 1<<20 {
			l.odd(LinkLoop, i, -1, "the links of the archive lead too far together to be resolved from here on")
			return
		}
	}
}

// resolve walks from the link at name, and returns what is wrong, or "".
func resolve(texts map[string]string, name string, steps *int) OddityKind {
	todo := strings.Split(name, "/")
	slices.Reverse(todo)
	var at []string
	hops := 0
	for len(todo) > 0 {
		if *steps++; *steps > 1<<20 {
			return ""
		}
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch next {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return LinkLeaves
			}
			at = at[:len(at)-1]
			continue
		}
		at = append(at, next)
		text, ok := texts[strings.Join(at, "/")]
		if !ok {
			continue
		}
		if hops++; hops > maxHops {
			return LinkLoop
		}
		at = at[:len(at)-1]
		if path.IsAbs(text) {
			clean := path.Clean(text)
			if clean != "/opt" && !strings.HasPrefix(clean, "/opt/") {
				return LinkLeaves
			}
			at = at[:0]
			text = strings.TrimPrefix(clean, "/opt")
		}
		more := strings.Split(text, "/")
		slices.Reverse(more)
		todo = append(todo, more...)
	}
	return ""
}
