package content

import (
	"errors"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/pysyntax"
)

// Compiled is what a compiled Python file says of its source.
type Compiled struct {
	// Python is the version that compiled it, "" if it is none known.
	Python string `json:"python,omitempty"`
	// Check is pysyntax.PycTimestamp, PycCheckedHash or PycUncheckedHash: what
	// Python compares the source with before it runs this
	// (https://peps.python.org/pep-0552/).
	Check string `json:"check"`
	// SourceTime is in seconds since 1970 and SourceSize in bytes, both modulo
	// 2^32; Sized says that they are there.
	SourceTime uint32 `json:"sourceTime,omitempty"`
	SourceSize uint32 `json:"sourceSize,omitempty"`
	Sized      bool   `json:"sized,omitempty"`
	// Imports are the modules that it imports, sorted; leading dots are relative.
	Imports []string `json:"imports,omitempty"`
	// Partial says that it could not be read to the end.
	Partial bool `json:"partial,omitempty"`
}

// pyc reads a compiled file. What it does is kept as code only where it runs
// whatever its source does: the code of others is that of their source.
func pyc(f *layerfs.File, head []byte, facts *Facts) error {
	data := f.Data
	if data == nil {
		data = head
	}
	p, err := pysyntax.ReadPyc(data)
	if p == nil {
		if errors.Is(err, pysyntax.ErrNotPyc) {
			return nil
		}
		return err
	}
	c := &Compiled{Python: p.Version, Check: p.Mode, SourceTime: p.MTime, SourceSize: p.Size, Partial: err != nil || f.Data == nil}
	c.Sized = p.Mode == pysyntax.PycTimestamp && p.Version != "" && p.Version != "2.7"
	c.Imports = importNames(p.Facts)
	facts.Compiled = c
	if strings.Contains("/"+f.Path, "/__pycache__/") && p.Mode != pysyntax.PycUncheckedHash {
		return nil
	}
	facts.Code = p.Facts
	return err
}

// importNames are the modules that code imports, sorted; leading dots are relative.
func importNames(code *codeflow.Facts) []string {
	if code == nil {
		return nil
	}
	var names []string
	for _, imp := range code.Imports {
		if imp.Kind != codeflow.ImportDynamic {
			names = append(names, strings.Repeat(".", imp.Level)+imp.Module)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Foreign are the modules that a compiled file imports and its source does not;
// none if either could not be read whole.
func (c *Compiled) Foreign(source *File) []string {
	if c.Partial || source.Size > maxScript || source.Code != nil && (source.Code.Partial || source.Code.Truncated || len(source.Code.Errors) > 0) {
		return nil
	}
	listed := importNames(source.Code)
	return slices.DeleteFunc(slices.Clone(c.Imports), func(name string) bool { return slices.Contains(listed, name) })
}
