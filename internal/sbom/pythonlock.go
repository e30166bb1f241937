package sbom

import (
	"bytes"
	"encoding/json"
	"strings"
)

// pythonLock picks who reads a file that names Python packages without being their
// metadata, nil if nobody does.
func pythonLock(base string) func(*file) error {
	switch {
	case base == "Pipfile.lock":
		return pipfileLock
	case base == "poetry.lock", base == "uv.lock", base == "pdm.lock":
		return tomlLock
	case strings.HasPrefix(base, "requirements") && strings.HasSuffix(base, ".txt"):
		return requirements
	}
	return nil
}

// requirements reads what pip is told to install
// (https://pip.pypa.io/en/stable/reference/requirements-file-format/). A package
// has a version if it is pinned to one.
func requirements(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	for line := range lines(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
		if line == "" || strings.ContainsRune("#-./", rune(line[0])) || strings.Contains(line, "://") && !strings.Contains(line, "@ ") {
			continue // a comment, an option, a path or URL that names no package
		}
		end := strings.IndexFunc(line, func(r rune) bool { return !strings.ContainsRune(letters+"-_.", r) })
		name, rest := line, ""
		if end >= 0 {
			name, rest = line[:end], line[end:]
		}
		if name = pyName(name); name == "" {
			continue
		}
		if !f.add(Component{Ecosystem: PyPI, Name: name, Version: pinned(rest), How: Locked}) {
			return errMany
		}
	}
	sortFound(f.found)
	return nil
}

// pinned is the version in what follows a name, "" if it is not exactly one.
func pinned(rest string) string {
	if extras, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(strings.TrimSpace(extras), "[") {
		rest = after
	}
	rest = strings.TrimSpace(rest)
	v, ok := strings.CutPrefix(rest, "==")
	if !ok {
		return ""
	}
	v = strings.TrimSpace(strings.TrimPrefix(v, "="))
	if i := strings.IndexAny(v, " ;\\\t"); i >= 0 {
		if next := strings.TrimSpace(v[i:]); next[0] == ',' {
			return ""
		}
		v = v[:i]
	}
	if strings.ContainsAny(v, ",*<>=!~\"'$") {
		return ""
	}
	return v
}

// pipfileLock reads Pipenv's lock file (https://pipenv.pypa.io/en/latest/pipfile.html).
func pipfileLock(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	err = members(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), func(section string, value json.RawMessage) error {
		if section == "_meta" {
			return nil
		}
		return members(value, func(name string, value json.RawMessage) error {
			var p struct {
				Version string `json:"version"`
			}
			if err := json.Unmarshal(value, &p); err != nil {
				return err
			}
			if name = pyName(name); name != "" && !f.add(Component{Ecosystem: PyPI, Name: name, Version: pinned(p.Version), How: Locked}) {
				return errMany
			}
			return nil
		})
	})
	sortFound(f.found)
	return err
}

// tomlLock reads the lock files of Poetry, uv and PDM
// (https://python-poetry.org/docs/basic-usage/, https://docs.astral.sh/uv/concepts/projects/layout/,
// https://pdm-project.org/en/latest/usage/lockfile/). All of them are written by
// programs, with a table [[package]] for each package, whose keys stand one a line.
func tomlLock(f *file) error {
	b, err := f.text(maxJSON)
	if err != nil {
		return err
	}
	var c Component
	in, local := false, false
	flush := func() bool {
		ok := c.Name == "" || local || f.add(c)
		c, local = Component{Ecosystem: PyPI, How: Locked}, false
		return ok
	}
	for line := range lines(b) {
		if strings.HasPrefix(line, "[") {
			table := strings.TrimSpace(line)
			if table == "[[package]]" && !flush() {
				return errMany
			}
			in = table == "[[package]]"
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !in || !ok || line[0] == ' ' {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "name":
			c.Name = pyName(strings.Trim(value, `"'`))
		case "version":
			c.Version = strings.Trim(value, `"'`)
		case "source": // uv: the project itself, or a folder of it
			local = strings.HasPrefix(value, "{ virtual") || strings.HasPrefix(value, "{ editable") || strings.HasPrefix(value, "{ directory")
		}
	}
	if !flush() {
		return errMany
	}
	sortFound(f.found)
	return nil
}
