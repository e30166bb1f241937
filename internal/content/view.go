package content

import (
	"github.com/lamina-sec/lamina/internal/opt"
)

// View is what the function sees of the layers: the merged /opt, the origin of
// imports, and what runs at the start. It is made at the first call. Layer i of
// the view is s.Layers[i-1]; one that could not be opened is empty there.
func (s *Scan) View() *opt.View {
	return s.view.of(s.makeView)
}

func (s *Scan) makeView() *opt.View {
	var in opt.Input
	by := map[opt.Origin]*Layer{}
	for i, l := range s.Layers {
		by[opt.Origin{Kind: opt.FromLayer, Layer: i + 1}] = l
		in.Layers = append(in.Layers, opt.Layer{Name: l.Name, Files: l.optFiles()})
	}
	if fn := s.Function; fn != nil {
		in.Handler, in.Runtime, in.Architecture, in.Env = fn.Handler, fn.Runtime, fn.Architecture, fn.Env
		if fn.Code != nil && fn.Code.Err == nil {
			by[opt.Origin{Kind: opt.FromFunction}] = fn.Code
			in.Function = fn.Code.optFiles()
		}
	}
	in.ReadFile = func(from opt.Origin, name string) ([]byte, bool) {
		l := by[from]
		if l == nil {
			return nil, false
		}
		f := l.File(name)
		if f == nil || f.Loads == nil {
			return nil, false
		}
		return f.Loads, true
	}
	v := opt.New(in)
	for _, step := range v.Init() {
		if step.What != opt.Wrapper || step.From.Kind == opt.FromNowhere {
			continue
		}
		p, target := v.Follow(step.Path)
		if l := by[p.From]; target == opt.Regular && l != nil {
			if set := wrapperSets(l.File(p.File.Path)); len(set) > 0 {
				v = v.WithWrapper(set)
			}
		}
	}
	return v
}

// wrapperSets are the variables that a wrapper script sets for the runtime.
func wrapperSets(f *File) map[string]string {
	if f == nil || f.Shell == nil {
		return nil
	}
	set := map[string]string{}
	for _, a := range f.Shell.Assigns {
		if a.Export || a.Command != "" && f.Shell.Exec && a.Line == f.Shell.ExecLine {
			set[a.Name] = a.Value
		}
	}
	return set
}

// optFiles is the layer as package opt takes it.
func (l *Layer) optFiles() []opt.File {
	files := make([]opt.File, 0, len(l.Files)+len(l.Entries)/8)
	for _, e := range l.Entries {
		if e.Path != "" && e.Mode.IsDir() {
			files = append(files, opt.File{Path: e.Path, Mode: e.Mode})
		}
	}
	for _, f := range l.Files {
		if !f.Hidden {
			files = append(files, opt.File{Path: f.Path, Mode: f.Mode, Link: f.Link, SHA256: f.SHA256, Size: f.Size})
		}
	}
	return files
}
