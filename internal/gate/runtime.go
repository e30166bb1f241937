package gate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/runtimes"
)

// runtimes asks which runtimes the layer is for: the function's, those whose
// folders it fills, those its native modules are built for. Files that any runtime
// of a language can load are allowed if all of that language's runtimes are, and
// refused if none is; else nobody knows what they are for.
func (p Policy) runtimes(l Layer) []lamina.Finding {
	allowed := p.Layer.Runtimes
	if allowed == nil {
		return nil
	}
	const title = "layer is for a runtime that the policy does not allow"
	ok := func(id string) bool {
		return slices.ContainsFunc(allowed, func(pattern string) bool { return exception.Glob(pattern, id, false) })
	}
	allows := ", the policy allows " + strings.Join(allowed, ", ")
	var out []lamina.Finding
	settled := map[runtimes.Family]bool{}
	refuse := func(id, file, why string) {
		r, _ := runtimes.ByID(id)
		settled[r.Family] = true
		if !ok(id) && !slices.ContainsFunc(out, func(f lamina.Finding) bool { return f.Evidence[0] == "runtime: "+id }) {
			out = append(out, violation(l, "runtime", title+": "+id, file, id, why+allows, "runtime: "+id))
		}
	}
	if l.Runtime != "" {
		refuse(l.Runtime, "", "the function is said to run in "+l.Runtime)
	}
	for _, m := range l.MadeFor() {
		why := "only " + m.Runtime + " searches this folder"
		if m.Native {
			why = "only " + m.Runtime + " can load this native module"
		}
		refuse(m.Runtime, m.File, why)
	}
	families := l.Families()
	for _, family := range families {
		if settled[family] {
			continue
		}
		var yes, no int
		for _, r := range runtimes.All() {
			switch {
			case r.Family != family:
			case ok(r.ID):
				yes++
			default:
				no++
			}
		}
		switch {
		case yes == 0:
			out = append(out, violation(l, "runtime", title+": "+string(family), "", string(family), fmt.Sprintf("it has files for %s%s", family, allows), "runtime: "+string(family)))
		case no > 0:
			settle := "--runtime"
			if folder := folders[family]; folder != "" {
				settle += ", or files in a folder that one runtime searches (" + folder + ")"
			}
			f := open(l, "runtime", title, fmt.Sprintf("nothing in it says which runtime of %s its files are for%s", family, allows), settle)
			f.ID = lamina.ID("F", f.Check, l.Name, string(family))
			out = append(out, f)
		}
	}
	if len(families) == 0 && len(settled) == 0 {
		out = append(out, open(l, "runtime", title, "nothing in it says which runtime it is for"+allows, "--runtime"))
	}
	return out
}

// folders are examples of what one runtime searches; those of Java search the same.
var folders = map[runtimes.Family]string{
	runtimes.Python: "python/lib/python3.12/site-packages", runtimes.Node: "nodejs/node22/node_modules", runtimes.Ruby: "ruby/gems/3.3.0",
}
