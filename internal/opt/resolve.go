package opt

import (
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/runtimes"
)

// A Resolution says where something that is asked for by name comes from.
type Resolution struct {
	Name string `json:"name"`
	// Path is the file that is loaded, or the package's directory; "" if it is
	// part of the runtime or nowhere.
	Path string `json:"path,omitempty"`
	From Origin `json:"from"`
	// Via is the place of the search that had it: a directory, or "built in".
	Via string `json:"via,omitempty"`
	// Why is the rule that decided, in a clause.
	Why string `json:"why,omitempty"`
	// Maybe says why the answer is not certain; "" if it is.
	Maybe string `json:"maybe,omitempty"`
	// Fails says why loading it fails, so that nothing is loaded; "" if it does not.
	Fails string `json:"fails,omitempty"`
	// Others are further suppliers in the order of the search: what would be
	// loaded were the first not there, and what looks as if it were loaded.
	Others []Candidate `json:"others,omitempty"`
	// Searched are the places of the search, in order.
	Searched []string `json:"searched,omitempty"`
}

// A Candidate is a supplier that was not chosen.
type Candidate struct {
	Path string `json:"path,omitempty"`
	From Origin `json:"from"`
	Via  string `json:"via,omitempty"`
	// Why says why it is not the one, if not because it is later in the search.
	Why string `json:"why,omitempty"`
	// Fails is that of Resolution.
	Fails string `json:"fails,omitempty"`

	maybe string
}

// Resolve says where the function would get name from, as its own code asks for
// it: a Python module ("boto3", "acme.util"), what Node's require is given
// ("@acme/log", "node:fs"), a Java class ("com.acme.Log"), what Ruby's require is
// given ("acme/log"), a .NET assembly ("Acme.Log"). The search order is that of
// the runtime with the function's environment.
func (v *View) Resolve(name string) Resolution { return v.ResolveFrom(name, "") }

// ResolveFrom is Resolve as a file elsewhere asks: where it is matters to
// Node.js. "" is the handler's directory.
func (v *View) ResolveFrom(name, from string) Resolution {
	if !v.known {
		return Resolution{Name: name, From: Origin{Kind: FromElsewhere}, Maybe: "the runtime is not known, so its search order is not"}
	}
	var r Resolution
	switch v.runtime.Family {
	case runtimes.Python:
		r = v.python(name)
	case runtimes.Node:
		r = v.node(name, from, v.esm && from == "" || strings.HasSuffix(from, ".mjs"))
	case runtimes.Ruby:
		r = v.ruby(name)
	case runtimes.Java:
		r = v.java(name)
	case runtimes.DotNet:
		r = v.dotnet(name)
	case runtimes.Provided, runtimes.Go:
		r = Resolution{From: Origin{Kind: FromElsewhere}, Maybe: "a compiled program holds what it imports"}
	}
	r.Name = name
	r.Others = append(v.Hidden(r.Path), r.Others...)
	return r
}

// Hidden returns what earlier layers have at the very path of a file, with other
// bytes or permissions.
func (v *View) Hidden(name string) []Candidate {
	if name == "" {
		return nil
	}
	all := v.shadows()
	i, _ := slices.BinarySearchFunc(all, name, func(s Shadow, name string) int { return strings.Compare(s.Path, name) })
	var out []Candidate
	for ; i < len(all) && all[i].Path == name; i++ {
		if s := all[i]; s.ByPath == name && !s.Same {
			out = append(out, Candidate{Path: s.Path, From: s.From, Why: "hidden by a later layer, with other bytes"})
		}
	}
	return out
}

// choose makes a Resolution of candidates in the order of the search.
func choose(found []Candidate, searched []string) Resolution {
	r := Resolution{From: Origin{Kind: FromNowhere}, Searched: searched}
	if len(found) > 0 {
		c := found[0]
		r.Path, r.From, r.Via, r.Why, r.Maybe, r.Fails = c.Path, c.From, c.Via, c.Why, c.maybe, c.Fails
		r.Others = found[1:]
	}
	return r
}

// FunctionUnknown is the Maybe of an answer that the function's own files could
// change.
const FunctionUnknown = "the function's own files were not given: what is there comes first"

// functionFirst notes that the function's own files, which come first, were not
// given, unless what was found is not to be replaced by them.
func (v *View) functionFirst(r *Resolution) {
	if v.in.Function == nil && r.Maybe == "" && r.From.Kind != FromFunction {
		r.Maybe = FunctionUnknown
	}
}

// Handler says which file the handler string names. Path is "" if the handler
// was not given.
func (v *View) Handler() Resolution { return v.handler }

// findHandler resolves the handler string as the runtime does.
func (v *View) findHandler() Resolution {
	h := v.in.Handler
	r := Resolution{Name: h, From: Origin{Kind: FromNowhere}}
	if !v.known {
		r.From.Kind, r.Maybe = FromElsewhere, "the runtime is not known, so its search order is not"
		return r
	}
	if f := v.runtime.Family; f == runtimes.Provided {
		r = v.bootstrap()
	} else if h == "" {
		r.From.Kind, r.Maybe = FromElsewhere, "the handler was not given"
		return r
	} else {
		switch f {
		case runtimes.Python:
			r = v.pythonHandler(h)
		case runtimes.Node:
			r = v.nodeHandler(h)
		case runtimes.Ruby:
			// "app.Class.method" requires "app".
			file, _, _ := strings.Cut(h, ".")
			r = v.ruby(file)
		case runtimes.Java:
			class, _, _ := strings.Cut(h, "::")
			r = v.java(class)
		case runtimes.DotNet:
			assembly, _, _ := strings.Cut(h, "::")
			r = v.dotnet(assembly)
		case runtimes.Go:
			r = v.at([]string{runtimes.Task + "/" + h}, "go1.x runs this file")
		case runtimes.Provided:
		}
	}
	r.Name = h
	return r
}

// bootstrap is the runtime of an OS-only function: the function's file of that
// name, else the layers', else the runtime's own directory
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html).
func (v *View) bootstrap() Resolution {
	return v.at([]string{runtimes.Task + "/bootstrap", runtimes.Opt + "/bootstrap"}, "an OS-only runtime runs the function's bootstrap, else the layers'")
}

// at takes the first of some paths that is a file.
func (v *View) at(paths []string, why string) Resolution {
	var found []Candidate
	for _, name := range paths {
		if p, ok := v.file(name); ok {
			found = append(found, Candidate{Path: name, From: p.From, Via: path.Dir(name), Why: why})
		}
	}
	r := choose(found, paths)
	if paths[0] == runtimes.Task || strings.HasPrefix(paths[0], runtimes.Task+"/") {
		v.functionFirst(&r)
	}
	return r
}

// Command says which file a program's name stands for, by PATH. What is in the
// system's directories is not known, so a program found behind them is a maybe:
// the layers' directory is last unless the environment says otherwise, and can
// only fill gaps.
func (v *View) Command(name string) Resolution {
	r := v.bySearchPath("PATH", []string{name})
	r.Name = name
	return r
}

// SharedObject says which file a shared object's name stands for, by
// LD_LIBRARY_PATH. RPATH and RUNPATH of the program come before and are not
// considered.
func (v *View) SharedObject(name string) Resolution {
	r := v.bySearchPath("LD_LIBRARY_PATH", []string{name})
	r.Name = name
	return r
}

func (v *View) bySearchPath(key string, names []string) Resolution {
	dirs := runtimes.Split(v.env(key))
	var found []Candidate
	outside := "" // the first directory nobody gave, before anything was found
	for _, d := range dirs {
		d = path.Clean(d)
		i := slices.IndexFunc(names, func(name string) bool { _, ok := v.file(path.Join(d, name)); return ok })
		if i >= 0 {
			file := path.Join(d, names[i])
			found = append(found, Candidate{Path: file, From: v.origin(file), Via: d, Why: key + " is searched in order"})
		} else if _, _, target := v.follow(d); target == Outside && outside == "" && len(found) == 0 {
			outside = d
		}
	}
	r := choose(found, dirs)
	switch {
	case len(found) > 0 && outside != "":
		r.Maybe = "what is in " + outside + " is not known, and it is searched before"
	case len(found) == 0 && outside != "":
		r.From.Kind, r.Maybe = FromElsewhere, "neither the layers nor the function have it; the system may"
	}
	return r
}

// Supplies returns the names that the layers offer to imports, sorted: Python's
// top-level modules, npm packages, what Ruby can require; of Java's classes only
// those that somebody else has, too. The assemblies of .NET are not listed.
func (v *View) Supplies() []string {
	if !v.known {
		return nil
	}
	var names []string
	switch v.runtime.Family {
	case runtimes.Python:
		for _, d := range v.path {
			if isOpt(d) {
				names = append(names, v.pythonNames(d)...)
			}
		}
	case runtimes.Node:
		for _, d := range runtimes.Split(v.env("NODE_PATH")) {
			if isOpt(d) {
				names = append(names, v.nodeNames(d)...)
			}
		}
	case runtimes.Ruby:
		names = v.rubyNames()
	case runtimes.Java:
		names = v.javaNames()
	case runtimes.DotNet, runtimes.Provided, runtimes.Go:
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Covers returns what the layers supply although it is there a second time: in the
// runtime, the standard library, the function, another layer, or another
// directory or jar of the same one. Each says who wins.
func (v *View) Covers() []Resolution {
	var out []Resolution
	for _, name := range v.Supplies() {
		if r := v.Resolve(name); len(r.Others) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// An Ahead is a file of a layer that is found before the system's of that name,
// because a variable of the configuration puts its directory in front.
type Ahead struct {
	// Key is PATH or LD_LIBRARY_PATH, Before the first directory of the system
	// that comes after.
	Key    string `json:"key"`
	Before string `json:"before"`
	Placed
}

// Ahead returns the programs and shared objects of layers that come before the
// system's, sorted by variable and path. Without such a setting there are none:
// the layers' directories are last.
func (v *View) Ahead() []Ahead {
	var out []Ahead
	for _, key := range []string{"LD_LIBRARY_PATH", "PATH"} {
		dirs := runtimes.Split(v.env(key))
		for i, d := range dirs {
			after := slices.IndexFunc(dirs[i:], func(d string) bool {
				_, _, target := v.follow(d)
				return target == Outside && !strings.HasPrefix(d, runtimes.Task)
			})
			if after < 0 {
				break
			}
			if !isOpt(path.Clean(d)) {
				continue
			}
			for _, name := range v.list(d) {
				p, ok := v.file(path.Join(d, name))
				if !ok || p.From.Kind != FromLayer || key == "PATH" && p.File.Mode.Perm()&0o111 == 0 || key != "PATH" && !strings.Contains(name, ".so") {
					continue
				}
				p.Path = path.Join(d, name)
				out = append(out, Ahead{key, dirs[i+after], p})
			}
		}
	}
	return out
}

func isOpt(dir string) bool {
	return dir == runtimes.Opt || strings.HasPrefix(dir, runtimes.Opt+"/")
}
