package analyzers

import (
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// CustomBootstrap finds: layer is the runtime.
var CustomBootstrap = content.Analyzer{
	ID:          "custom-bootstrap",
	Title:       "layer is the runtime",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html",
	Remediation: "put the bootstrap into the function, or take the layer from whoever builds your runtime only",
	NoFix:       "a published layer version cannot be changed",
	Run:         customBootstrap,
}

func customBootstrap(s *content.Scan, layer int, found func(content.Result)) error {
	v := s.View()
	for i, st := range v.Init() {
		if st.What != opt.Bootstrap || st.From != content.OfLayer(layer) {
			continue
		}

		r := content.Result{Outcome: lamina.Fail, File: content.InLayer(st.Path), Key: strconv.Itoa(i), Detail: st.Why, Evidence: []string{"starts: " + st.Path}}
		if f := s.Layers[layer].File(r.File); f != nil {
			r.Evidence = append(r.Evidence, "file sha256: "+f.SHA256.String())
		}
		if st.Maybe != "" {
			r.Detail += "; " + st.Maybe
		}
		found(r)
	}
	return nil
}
