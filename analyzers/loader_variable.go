package analyzers

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/runtimes"
)

// LoaderVariable finds: environment loads code of the layer.
var LoaderVariable = content.Analyzer{
	ID:          "loader-variable",
	Title:       "environment loads code of the layer",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574.006"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
	Remediation: "take the variable off the function, unless the tool that asks for it is yours",
	NoFix:       "a published layer version cannot be changed",
	Run:         loaderVariable,
}

func loaderVariable(s *content.Scan, layer int, found func(content.Result)) error {
	v := s.View()
	for i, st := range v.Init() {
		if st.Key == "" || st.Key == "AWS_LAMBDA_EXEC_WRAPPER" || st.Key == "PYTHONPATH" || st.From != content.OfLayer(layer) {
			continue
		}
		found(content.Result{
			Outcome: lamina.Fail, File: content.InLayer(st.Path), Key: strconv.Itoa(i), Detail: st.Why,
			Evidence: []string{"variable: " + st.Key, "loads: " + st.Path},
		})
	}
	if layer == len(s.Layers)-1 {
		for _, x := range v.Variables() {
			if !x.Works || x.Effect != runtimes.Trusts && x.Effect != runtimes.Routes {
				continue
			}
			found(content.Result{
				Outcome: lamina.Fail, Key: x.Key, Detail: x.Key + " is set: " + x.Does, Evidence: []string{"variable: " + x.Key},
			})
		}
	}
	for _, f := range s.Layers[layer].Files {
		if f.Shell == nil || f.Nested {
			continue
		}
		for _, a := range f.Shell.Assigns {
			l, ok := runtimes.LoaderByKey(a.Name)
			if !ok || !a.Export && a.Command == "" || !strings.Contains(a.Value, "/opt/") {
				continue
			}
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: a.Line, Key: a.Name,
				Detail: "it sets " + a.Name + " for what it starts: " + l.Does, Evidence: []string{"variable: " + a.Name, "value: " + a.Value},
			})
		}
	}
	return nil
}
