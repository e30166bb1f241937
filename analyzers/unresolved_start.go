package analyzers

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// UnresolvedStart finds: what the function is told to start is nowhere.
var UnresolvedStart = content.Analyzer{
	ID:          "unresolved-start",
	Title:       "what the function is told to start is nowhere",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html",
	Remediation: "correct the name, or take the variable off: whatever layer brings the path later is started by it",
	NoFix:       "which of the two is meant is not known",
	Run:         unresolvedStart,
}

func unresolvedStart(s *content.Scan, layer int, found func(content.Result)) error {
	// It is about the function: said once, at the layer that wins.
	if layer != len(s.Layers)-1 {
		return nil
	}
	v := s.View()
	asked := false
	for i, st := range v.Init() {
		if st.What == opt.Extension || st.What == opt.Bootstrap && st.Fails == "" {
			continue
		}
		asked = asked || st.Key != "" || st.What == opt.HandlerCode
		r := content.Result{Key: strconv.Itoa(i), Evidence: []string{"starts: " + st.Path}}
		what := string(st.What)
		if st.Key != "" {
			what = st.Key
		}
		var tried []string
		if st.What == opt.HandlerCode {
			h := v.Handler()
			what, tried = "the handler "+h.Name, h.Searched
			r.Evidence = []string{"handler: " + h.Name}
		}
		switch {
		case st.From.Kind == opt.FromNowhere && st.Fails != "":
			r.Outcome = lamina.Fail
			r.Detail = fmt.Sprintf("%s names what neither the function nor a layer has: %s", what, st.Fails)
			if near := alike(s, st.Path); near != "" {
				r.Detail += "; there is " + near
			}
		case st.From.Kind == opt.FromElsewhere && (st.What == opt.Wrapper || st.What == opt.HandlerCode),
			st.From.Kind == opt.FromNowhere && (st.What == opt.Wrapper || st.What == opt.HandlerCode):
			r.Outcome, r.Reason = lamina.Unknown, st.Maybe
			r.Detail = "where " + what + " leads cannot be told"
			r.Settle = "--function with the function's package, and --runtime"
			if r.Reason == "" {
				r.Reason = "what is there was not given"
			}
		default:
			continue
		}
		for _, dir := range tried[:min(len(tried), 12)] {
			r.Evidence = append(r.Evidence, "tried: "+dir)
		}
		found(r)
	}
	if !asked {
		found(content.Result{Outcome: lamina.NotApplicable, Detail: "neither a handler nor a variable that starts something was given"})
	}
	return nil
}

// alike is a file of a layer with the same name elsewhere, as the function sees
// it; "" if there is none.
func alike(s *content.Scan, name string) string {
	base := path.Base(name)
	if name == "" || base == "/" {
		return ""
	}
	for _, p := range s.View().Files() {
		if path.Base(p.Path) == base && !strings.EqualFold(p.Path, name) {
			return p.Path
		}
	}
	return ""
}
