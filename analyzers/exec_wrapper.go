package analyzers

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
)

// ExecWrapper finds: layer starts in place of the runtime.
var ExecWrapper = content.Analyzer{
	ID:          "exec-wrapper",
	Title:       "layer starts in place of the runtime",
	Since:       "0.2",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574", "T1059"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html",
	Remediation: "read the script; if you do not know whose it is, take the variable off the functions first",
	NoFix:       "a published layer version cannot be changed",
	Run:         execWrapper,
}

func execWrapper(s *content.Scan, layer int, found func(content.Result)) error {
	v := s.View()
	for i, st := range v.Init() {
		if st.What != opt.Wrapper || st.From != content.OfLayer(layer) {
			continue
		}

		r := content.Result{Outcome: lamina.Fail, File: content.InLayer(st.Path), Key: strconv.Itoa(i), Detail: st.Why, Evidence: []string{"starts: " + st.Path}}
		if f := s.Layers[layer].File(r.File); f != nil {
			r.Evidence = append(r.Evidence, "file sha256: "+f.SHA256.String())
			if sh := f.Shell; sh != nil {
				if !sh.Exec && sh.ExecTarget == "" {
					r.Detail += "; it does not hand over to the runtime"
				}
				if len(sh.Network) > 0 || len(sh.Pipes) > 0 {
					r.Severity = lamina.High
					r.Detail += "; it uses the network or runs what it decodes before the runtime starts"
				}
			}
		}
		if st.Fails != "" {
			r.Detail += "; the start fails: " + st.Fails
		}
		found(r)
	}
	if s.Function == nil || s.Function.Env["AWS_LAMBDA_EXEC_WRAPPER"] == "" {
		for _, f := range s.Layers[layer].Files {
			if f.Shell != nil && f.Shell.Exec && f.Mode&0o111 != 0 && !strings.HasPrefix(f.Path, "extensions/") && f.Path != "bootstrap" {
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Key: "could", Severity: lamina.Info,
					Detail: "it is written as an exec wrapper; it runs where AWS_LAMBDA_EXEC_WRAPPER names it", Evidence: []string{"file sha256: " + f.SHA256.String()},
				})
			}
		}
	}
	return nil
}
