// Package serve is the daemon's face: HTTP handlers over a store.
//
// So far it is one page, which shows the alerts and failing findings of a
// store, and /healthz. It only answers GET and HEAD, sends no script, sets no
// cookie and reads nothing of a request but its path; there is no login, so it
// refuses every request whose Host is not this machine's loopback name (a page
// from elsewhere must not read it by rebinding a name). Collection, schedules
// and the rest of the UI are not there yet. Every page must have a command as
// its twin; this one's are detect and posture. Start with New.
package serve

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/store"
)

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	// html/template escapes for HTML; safe shows what would deceive a reader.
	"show": safe.Terminal,
	"time": func(t time.Time) string {
		if t.IsZero() {
			return "no time"
		}
		return t.UTC().Format("2006-01-02 15:04:05Z")
	},
}).Parse(pageHTML))

// New returns the handler over s.
func New(s store.Store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		body, err := render(r.Context(), s)
		if err != nil {
			http.Error(w, "the store cannot be read", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body) // the reader may have gone
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if _, err := s.Pending(r.Context(), 1); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("store: not readable\n"))
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	return guard(mux)
}

// guard sets the headers of every answer and refuses foreign hosts.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !loopback(r.Host) {
			http.Error(w, fmt.Sprintf("the host %q is not this machine's loopback name: open http://127.0.0.1", safe.Terminal(r.Host)), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func render(ctx context.Context, s store.Store) ([]byte, error) {
	alerts, err := s.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	findings, err := s.Findings(ctx)
	if err != nil {
		return nil, err
	}
	slices.Reverse(alerts) // newest first
	count := map[lamina.Outcome]int{}
	var failed, unknown []lamina.Finding
	for _, f := range findings {
		count[f.Outcome]++
		switch f.Outcome {
		case lamina.Fail:
			failed = append(failed, f)
		case lamina.Unknown:
			unknown = append(unknown, f)
		case lamina.Pass, lamina.NotApplicable:
		}
	}
	slices.SortStableFunc(failed, func(a, b lamina.Finding) int { return b.Severity.Rank() - a.Severity.Rank() })
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{
		"Alerts": alerts, "Failed": failed, "Unknown": unknown,
		"Passed": count[lamina.Pass], "NotApplicable": count[lamina.NotApplicable],
	})
	return b.Bytes(), err
}
