package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

func isGlob(t string) bool { return strings.ContainsAny(t, "*?[") }

// glob takes the files that match a pattern, and what is below the directories
// that do.
func (f *finder) glob(pattern string) error {
	pattern = filepath.Clean(pattern)
	elements := strings.Split(filepath.ToSlash(pattern), "/")
	for _, e := range elements {
		if _, err := filepath.Match(e, ""); err != nil {
			return &TargetError{Target: pattern, Reason: "the pattern is malformed: a [ is not closed", Err: err}
		}
	}
	root := 0
	for root < len(elements)-1 && !isGlob(elements[root]) {
		root++
	}
	base := strings.Join(elements[:root], "/")
	switch {
	case base == "" && root > 0:
		base = "/"
	case base == "":
		base = "."
	}
	if _, err := os.Stat(filepath.FromSlash(base)); err != nil {
		e := targetError(filepath.FromSlash(base), err)
		e.Target = pattern
		return e
	}
	n := f.match(filepath.FromSlash(base), elements[root:], 0)
	if n == 0 && f.ctx.Err() == nil {
		return &TargetError{Target: pattern, Reason: "no file matches"}
	}
	return f.ctx.Err()
}

// match goes down from dir along the elements of a pattern and returns how many
// paths matched. Links to directories are followed for named elements, not for
// **, so that a loop cannot run.
func (f *finder) match(dir string, elements []string, depth int) int {
	if f.ctx.Err() != nil || depth > maxDepth {
		return 0
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		f.skip(dir, err)
	}
	first, rest := elements[0], elements[1:]
	n := 0
	if first == "**" {
		if len(rest) == 0 {
			f.dir(dir, nil)
			return 1
		}
		n += f.match(dir, rest, depth)
		for _, e := range entries {
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				n += f.match(filepath.Join(dir, e.Name()), elements, depth+1)
			}
		}
		return n
	}
	for _, e := range entries {
		name := e.Name()
		if ok, _ := filepath.Match(first, name); !ok || strings.HasPrefix(name, ".") && !strings.HasPrefix(first, ".") {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		switch {
		case err != nil:
			f.skip(path, err)
		case len(rest) > 0 && info.IsDir():
			n += f.match(path, rest, depth+1)
		case len(rest) > 0:
		case info.IsDir():
			f.dir(path, nil)
			n++
		case info.Mode().IsRegular():
			f.take(path, info, true)
			n++
		default:
			f.set.Skipped = append(f.set.Skipped, Skip{path, "is a " + describe(info.Mode()) + "; name it as a target if it should be read"})
			n++
		}
	}
	return n
}

// nearest returns the path of the entry that the user most likely meant by t,
// which does not exist, or "". The first element of t that is missing is
// compared with what is beside it.
func nearest(t string) string {
	dir, name := filepath.Split(filepath.Clean(t))
	for dir != "" && filepath.Clean(dir) != filepath.Clean(filepath.VolumeName(dir)+string(filepath.Separator)) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir, name = filepath.Split(filepath.Clean(dir))
	}
	parent := dir
	if parent == "" {
		parent = "."
	}
	file, err := os.Open(parent) //nolint:gosec // the directory of a target of the user
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	const most = 10_000 // entries looked at
	entries, err := file.ReadDir(most)
	if err != nil && len(entries) == 0 {
		return ""
	}
	best, bound := "", max(1, utf8.RuneCountInString(name)/3)+1
	for _, e := range entries {
		if n := distance(name, e.Name(), bound); n < bound || n == bound && best != "" && e.Name() < best {
			best, bound = e.Name(), n
		}
	}
	if best == "" {
		return ""
	}
	if info, err := os.Stat(filepath.Join(parent, best)); err == nil && info.Mode()&fs.ModeDir != 0 {
		best += string(filepath.Separator)
	}
	return dir + best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to turn a into b; any number above most may be returned as
// most+1.
func distance(a, b string, most int) int {
	ra, rb := []rune(a), []rune(b)
	if len(ra) > 256 || len(rb) > 256 || max(len(ra)-len(rb), len(rb)-len(ra)) > most {
		return most + 1
	}
	before, last, row := make([]int, len(rb)+1), make([]int, len(rb)+1), make([]int, len(rb)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		row[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(rb)]
}
