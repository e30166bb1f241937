package opt

import (
	"encoding/json"
	"path"
	"strings"
)

// Wants reports whether ReadFile may be asked for the file.
func Wants(name string) bool {
	return strings.HasSuffix(name, ".pth") || path.Base(name) == "package.json"
}

// Reduce is what a View needs of the text of a file that it Wants, for callers
// who keep it: of a .pth file which lines are executed and which directories are
// named, of a package.json main, type and exports. It never holds code. It is
// nil if the text is too long to be believed.
func Reduce(name string, text []byte) []byte {
	switch {
	case len(text) > maxText:
		return nil
	case strings.HasSuffix(name, ".pth"):
		return reducePth(string(text))
	case path.Base(name) == "package.json":
		return reducePackage(text)
	}
	return nil
}

// maxPath is the longest path on Linux (PATH_MAX).
const maxPath = 4096

func reducePth(text string) []byte {
	out := []byte{}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		if number++; number > maxPthLines {
			break
		}
		switch {
		case pthImport(line):
			out = append(out, "import _"...)
		case pthDirectory(line) && len(line) <= maxPath:
			out = append(out, line...)
		}
		out = append(out, '\n')
	}
	return out
}

// pthImport reports whether Python executes a line of a .pth file, and
// pthDirectory whether it takes the line for a directory.
func pthImport(line string) bool {
	return strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t")
}

func pthDirectory(line string) bool {
	return !pthImport(line) && !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != ""
}

func reducePackage(text []byte) []byte {
	if !json.Valid(text) {
		return []byte("{") // no JSON, as it was
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return []byte("{}")
	}
	kept := map[string]json.RawMessage{}
	for _, key := range []string{"main", "type", "exports"} {
		if v, ok := all[key]; ok {
			kept[key] = v
		}
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return nil
	}
	return b
}
