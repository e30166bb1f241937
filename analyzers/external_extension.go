package analyzers

import (
	"path"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// ExternalExtension finds: layer starts a program of its own beside the function.
var ExternalExtension = content.Analyzer{
	ID:          "external-extension",
	Title:       "layer starts a program of its own beside the function",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1525", "T1543"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
	Remediation: "make sure that you know who wrote it, and that it comes from its publisher",
	NoFix:       "a published layer version cannot be changed",
	Run:         externalExtension,
}

func externalExtension(s *content.Scan, layer int, found func(content.Result)) error {
	v := s.View()
	for i, st := range v.Init() {
		if st.What != opt.Extension || st.From != content.OfLayer(layer) {
			continue
		}

		r := content.Result{
			Outcome: lamina.Fail, File: content.InLayer(st.Path), Key: strconv.Itoa(i), Detail: st.Why,
			Evidence: []string{"starts: " + st.Path},
		}
		if f := s.Layers[layer].File(r.File); f != nil {
			r.Evidence = append(r.Evidence, "kind: "+string(f.Kind), "file sha256: "+f.SHA256.String())
			if f.Mode&0o111 == 0 && f.Kind != content.Link {
				r.Severity = lamina.Low
				r.Detail += "; it is not executable, so that the function fails to start"
				if strings.HasPrefix(path.Base(f.Path), ".") {
					r.Severity = lamina.Medium
				}
			}
		}
		found(r)
	}
	return nil
}
