package bininfo

import (
	"bytes"
	"compress/zlib"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// languages reads what compilers and well-known libraries wrote into the file.
func (i *Info) languages(f *image) error {
	var errs []error
	if i.mayBeGo(f) {
		var err error
		if i.Go, err = goBuild(f); err != nil && !i.NoSections {
			errs = append(errs, fmt.Errorf("go build information: %w", err))
		}
	}
	if s, ok := f.section(".dep-v0"); ok {
		var err error
		if i.Crates, err = crates(f, s); err != nil {
			errs = append(errs, fmt.Errorf("list of crates: %w", err))
		}
	}
	// A Go program without C code has none of the C libraries, and its constants
	// are large.
	if i.Go == nil || i.Go.CGO {
		var err error
		if i.Embedded, err = embedded(f); err != nil {
			errs = append(errs, fmt.Errorf("constants: %w", err))
		}
	}
	return errors.Join(errs...)
}

// mayBeGo looks for Go's own sections, so that debug/buildinfo need not search
// the data of every library. Without a section table anything may be Go.
func (i *Info) mayBeGo(f *image) bool {
	if i.NoSections {
		return i.Kind == Executable && i.Packer == ""
	}
	return slices.ContainsFunc(f.secs, func(s section) bool {
		return s.name == ".go.buildinfo" || s.name == ".note.go.buildid" || s.name == ".gopclntab"
	})
}

// goBuild reads Go's build information; it is nil if there is none.
func goBuild(f *image) (*GoBuild, error) {
	b, err := buildinfo.Read(io.NewSectionReader(f.r, 0, int64(f.size))) //nolint:gosec // it was one
	if err != nil {
		// The package does not export the error that says "not Go". A Go program
		// older than 1.13 or built without modules says the same, and has nothing
		// to tell.
		if strings.Contains(err.Error(), "not a Go executable") {
			return nil, nil
		}
		return nil, err
	}
	g := &GoBuild{Go: clip(b.GoVersion), Path: clip(b.Path), Main: module(b.Main)}
	if len(b.Deps) > 16*maxList {
		return nil, fmt.Errorf("%d modules are above the limit of %d", len(b.Deps), 16*maxList)
	}
	for _, d := range b.Deps {
		m := module(*d)
		if d.Replace != nil {
			m = module(*d.Replace)
			m.Replaces = clip(d.Path)
		}
		g.Modules = append(g.Modules, m)
	}
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			g.Revision = clip(s.Value)
		case "vcs.modified":
			g.Modified = s.Value == "true"
		case "CGO_ENABLED":
			g.CGO = s.Value == "1"
		}
	}
	return g, nil
}

func module(m debug.Module) GoModule {
	return GoModule{Path: clip(m.Path), Version: clip(m.Version), Sum: clip(m.Sum)}
}

// clip keeps a text from growing the facts: module paths and names are shorter.
func clip(s string) string { return strings.Clone(s[:min(len(s), 512)]) }

// crates reads the section of cargo auditable: JSON, compressed with zlib.
func crates(f *image, s section) ([]Crate, error) {
	packed, err := f.bytes(s.offset, s.size, maxCargo)
	if err != nil {
		return nil, err
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, maxCargo+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCargo {
		return nil, fmt.Errorf("more than %d bytes inflated", maxCargo)
	}
	var list struct {
		Packages []struct {
			Name, Version, Source, Kind string
			Root                        bool
			Dependencies                []int
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	if len(list.Packages) > maxCrates {
		return nil, fmt.Errorf("%d packages are above the limit of %d", len(list.Packages), maxCrates)
	}
	required := 0
	found := make([]Crate, 0, len(list.Packages))
	for _, p := range list.Packages {
		c := Crate{Name: clip(p.Name), Version: clip(p.Version), Source: clip(p.Source), Build: p.Kind == "build", Root: p.Root}
		if required += len(p.Dependencies); required > 8*maxCrates {
			return nil, fmt.Errorf("more than %d dependencies", 8*maxCrates)
		}
		for _, d := range p.Dependencies {
			if d >= 0 && d < len(list.Packages) {
				c.Requires = append(c.Requires, clip(list.Packages[d].Name))
			}
		}
		slices.Sort(c.Requires)
		c.Requires = slices.Compact(c.Requires)
		found = append(found, c)
	}
	return found, nil
}
