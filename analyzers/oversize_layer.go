package analyzers

import (
	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// OversizeLayer finds: layer is near or above what Lambda accepts.
var OversizeLayer = content.Analyzer{
	ID:          "oversize-layer",
	Title:       "layer is near or above what Lambda accepts",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
	Remediation: "leave out what is not loaded: tests, caches, packages that the runtime has",
	NoFix:       "a published layer version cannot be changed",
	Run:         oversizeLayer,
}

func oversizeLayer(s *content.Scan, layer int, found func(content.Result)) error {
	const limit = 250 << 20 // of a function and all its layers, unzipped
	var total int64
	for _, l := range s.Layers {
		total += l.Inflated
	}
	own := s.Layers[layer].Inflated
	parts := content.Count(len(s.Layers), "layer")
	if s.Function != nil && s.Function.Code != nil {
		total += s.Function.Code.Inflated
		parts += " and the function"
	}
	evidence := []string{"this layer: " + content.Bytes(own), parts + ": " + content.Bytes(total), "limit: " + content.Bytes(limit)}
	switch {
	case own > limit:
		found(content.Result{Outcome: lamina.Fail, Key: "layer", Severity: lamina.High, Detail: "it is larger than a function may be with all its layers", Evidence: evidence})
	case total > limit && layer == len(s.Layers)-1:
		found(content.Result{Outcome: lamina.Fail, Key: "total", Severity: lamina.High, Detail: "together the layers are larger than a function may be", Evidence: evidence})
	case total > limit/10*9 && layer == len(s.Layers)-1:
		found(content.Result{Outcome: lamina.Fail, Key: "near", Severity: lamina.Low, Detail: "less than a tenth of the allowed size is left", Evidence: evidence})
	}
	return nil
}
