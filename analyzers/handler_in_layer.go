package analyzers

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// HandlerInLayer finds: handler is code of a layer.
var HandlerInLayer = content.Analyzer{
	ID:          "handler-in-layer",
	Title:       "handler is code of a layer",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-function-common.html",
	Remediation: "name a handler of the function, unless the layer is a tool that wraps it and says so",
	NoFix:       "a published layer version cannot be changed",
	Run:         handlerInLayer,
}

func handlerInLayer(s *content.Scan, layer int, found func(content.Result)) error {
	h := s.View().Handler()
	if h.Path == "" || h.From != content.OfLayer(layer) {
		return nil
	}
	r := content.Result{
		Outcome: lamina.Fail, File: content.InLayer(h.Path), Detail: h.Name + " is a file of the layer: " + h.Why,
		Evidence: []string{"handler: " + h.Name, "file: " + h.Path},
	}
	if h.Maybe != "" {
		r.Detail += "; " + h.Maybe
	}
	found(r)
	return nil
}
