package analyzers

import (
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// SiteCustomize finds: sitecustomize or usercustomize is run at the start.
var SiteCustomize = content.Analyzer{
	ID:          "site-customize",
	Title:       "sitecustomize or usercustomize is run at the start",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1546.018"},
	Citation:    "https://docs.python.org/3/library/site.html",
	Remediation: "move the code into a module that something imports by name, and take the layer off PYTHONPATH",
	NoFix:       "a published layer version cannot be changed",
	Run:         siteCustomize,
}

func siteCustomize(s *content.Scan, layer int, found func(content.Result)) error {
	v := s.View()
	for i, st := range v.Init() {
		if st.What != opt.SiteCustomize || st.From != content.OfLayer(layer) {
			continue
		}

		r := content.Result{Outcome: lamina.Fail, File: content.InLayer(st.Path), Key: strconv.Itoa(i), Detail: st.Why, Evidence: []string{"runs: " + st.Path}}
		if st.Maybe != "" {
			r.Detail += "; " + st.Maybe
		}
		found(r)
	}
	return nil
}
