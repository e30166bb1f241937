package opt

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
)

// A packageFile is what of a package.json decides what is loaded
// (https://nodejs.org/api/packages.html).
type packageFile struct {
	main, module string // "main" and "type"
	exports      *target
}

// A jsonState is what is known of a directory's package.json.
type jsonState int

const (
	noJSON     jsonState = iota // there is none
	unreadJSON                  // its text was not given
	brokenJSON                  // it is no JSON: Node.js fails
	readJSON
)

// packageJSON reads a directory's package.json.
func (v *View) packageJSON(dir string) (*packageFile, jsonState) {
	name := dir + "/package.json"
	if _, ok := v.file(name); !ok {
		return nil, noJSON
	}
	text, ok := v.read(name)
	if !ok {
		return nil, unreadJSON
	}
	var all map[string]json.RawMessage
	if !json.Valid(text) {
		return nil, brokenJSON
	}
	if json.Unmarshal(text, &all) != nil {
		return &packageFile{}, readJSON // no object: nothing in it is looked at
	}
	str := func(key string) string {
		var s string
		if json.Unmarshal(all[key], &s) != nil {
			return ""
		}
		return s
	}
	p := &packageFile{main: str("main"), module: str("type")}
	if e := all["exports"]; len(e) > 0 && string(e) != "null" {
		d := json.NewDecoder(bytes.NewReader(e))
		t, err := readTarget(d, 0)
		if err != nil {
			return nil, brokenJSON
		}
		p.exports = t
	}
	return p, readJSON
}

// A target is a value of exports: a path, nothing, one of several, or by key,
// where the order of the keys counts.
type target struct {
	path string
	null bool
	list []*target
	keys []string
	vals []*target
}

var errTooDeep = errors.New("exports are too deep")

// maxTargetDepth is how deep conditions may be in each other.
const maxTargetDepth = 32

func readTarget(d *json.Decoder, depth int) (*target, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	t := &target{}
	switch token := token.(type) {
	case string:
		t.path = token
	case json.Delim:
		if depth > maxTargetDepth {
			return nil, errTooDeep
		}
		for d.More() {
			if token == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				k, _ := key.(string) // a key is a string
				t.keys = append(t.keys, k)
			}
			x, err := readTarget(d, depth+1)
			if err != nil {
				return nil, err
			}
			if token == '{' {
				t.vals = append(t.vals, x)
			} else {
				t.list = append(t.list, x)
			}
		}
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	default:
		t.null = true
	}
	return t, nil
}

// nodeExports is what the exports of a package make of a path in it: of "" for
// the package itself, of "/sub" for a part. It is nothing if the package has none.
func (v *View) nodeExports(dir, sub string, esm bool) nodeLoaded {
	if !v.IsDir(dir) {
		return nodeLoaded{}
	}
	pkg, state := v.packageJSON(dir)
	switch state {
	case brokenJSON:
		return nodeLoaded{path: dir, fails: "its package.json is no JSON"}
	case unreadJSON:
		if l := v.nodeLoad(dir + sub); l.path != "" {
			l.maybe = unreadPackage
			return l
		}
		return nodeLoaded{path: dir, maybe: unreadPackage}
	case noJSON:
		return nodeLoaded{}
	case readJSON:
	}
	if pkg.exports == nil {
		return nodeLoaded{}
	}
	conditions := []string{"node", "require", "module-sync", "node-addons"}
	if esm {
		conditions[1] = "import"
	}
	to, ok := pkg.exports.resolve("."+sub, conditions)
	if !ok {
		return nodeLoaded{path: dir, fails: "the exports of its package.json do not offer ." + sub}
	}
	file := path.Join(dir, to)
	if _, ok := v.file(file); !ok {
		return nodeLoaded{path: dir, fails: "the exports of its package.json name " + to + ", which is not there"}
	}
	return nodeLoaded{path: file}
}

// resolve finds the path for "." or "./sub" (PACKAGE_EXPORTS_RESOLVE of
// https://nodejs.org/api/esm.html#resolution-algorithm-specification).
func (t *target) resolve(sub string, conditions []string) (string, bool) {
	if len(t.keys) == 0 || !strings.HasPrefix(t.keys[0], ".") {
		if sub != "." {
			return "", false
		}
		return t.follow("", conditions)
	}
	if i := slices.Index(t.keys, sub); i >= 0 && !strings.Contains(sub, "*") && !strings.HasSuffix(sub, "/") {
		return t.vals[i].follow("", conditions)
	}
	best, at, match := "", -1, ""
	for i, key := range t.keys {
		before, after, ok := strings.Cut(key, "*")
		if !ok || !strings.HasPrefix(sub, before) || sub == before || !strings.HasSuffix(sub, after) || len(sub) < len(key) {
			continue
		}
		if at < 0 || len(before) > len(best) || len(before) == len(best) && len(key) > len(t.keys[at]) {
			best, at, match = before, i, sub[len(before):len(sub)-len(after)]
		}
	}
	if at < 0 {
		return "", false
	}
	return t.vals[at].follow(match, conditions)
}

// follow is the path that a target comes to; match takes the place of each "*".
func (t *target) follow(match string, conditions []string) (string, bool) {
	switch {
	case t.null:
		return "", false
	case t.path != "":
		p := strings.ReplaceAll(t.path, "*", match)
		if !strings.HasPrefix(t.path, "./") || slices.ContainsFunc(strings.Split(p[2:], "/"), func(s string) bool { return s == ".." || s == "." || s == "node_modules" }) {
			return "", false
		}
		return p, true
	}
	for _, x := range t.list {
		if p, ok := x.follow(match, conditions); ok {
			return p, true
		}
	}
	for i, key := range t.keys {
		if key == "default" || slices.Contains(conditions, key) {
			if p, ok := t.vals[i].follow(match, conditions); ok || t.vals[i].null {
				return p, ok
			}
		}
	}
	return "", false
}
