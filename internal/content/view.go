package content

import (
	"sync"

	"github.com/lamina-sec/lamina/internal/opt"
)

// View is the merged /opt with what is known of the function. It is made once.
// A Scan that is used from several goroutines must have been asked for its View
// before.
func (s *Scan) View() *opt.View {
	if s.view == nil {
		s.view = sync.OnceValue(s.merge)
	}
	return s.view()
}

func (s *Scan) merge() *opt.View {
	in := opt.Input{}
	for _, l := range s.Layers {
		in.Layers = append(in.Layers, opt.Layer{Name: l.Name, Files: l.placed()})
	}
	var code *Layer
	if f := s.Function; f != nil {
		in.Runtime, in.Handler, in.Architecture, in.Env = f.Runtime, f.Handler, f.Architecture, f.Env
		if code = f.Code; code != nil {
			in.Function = code.placed()
		}
	}
	in.ReadFile = func(from opt.Origin, path string) ([]byte, bool) {
		l := code
		if from.Kind == opt.FromLayer && from.Layer >= 1 && from.Layer <= len(s.Layers) {
			l = s.Layers[from.Layer-1]
		}
		if l == nil {
			return nil, false
		}
		f := l.File(path)
		if f == nil || f.Text == "" {
			return nil, false
		}
		return []byte(f.Text), true
	}
	return opt.New(in)
}

// placed are the layer's files as the view takes them.
func (l *Layer) placed() []opt.File {
	out := make([]opt.File, 0, len(l.Files))
	for _, f := range l.Files {
		if !f.Hidden {
			out = append(out, opt.File{Path: f.Path, Mode: f.Mode, Link: f.Link, SHA256: f.SHA256, Size: f.Size})
		}
	}
	return out
}
