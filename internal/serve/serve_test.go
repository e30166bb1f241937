package serve_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/serve"
	"github.com/lamina-sec/lamina/internal/store"
	"github.com/lamina-sec/lamina/internal/store/sqlite"
)

func fill(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	at := time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC)
	for _, a := range []lamina.Alert{
		{ID: "A-OLD", OriginalTime: at, Severity: lamina.Low, Rule: lamina.RuleRef{Name: "old"}},
		{ID: "A-NEW", OriginalTime: at.Add(time.Hour), Severity: lamina.Critical, Rule: lamina.RuleRef{Name: `<script>alert(1)</script>`}, Reason: "a\u202egnp\x1b[2J"},
	} {
		if _, err := s.PutAlert(t.Context(), a, store.Notice{Key: a.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutFindings(t.Context(), []lamina.Finding{
		{ID: "F-1", Outcome: lamina.Fail, Severity: lamina.High, Title: "failed"},
		{ID: "F-2", Outcome: lamina.Unknown, Title: "hidden", Reason: "denied", Settle: "allow it"},
		{ID: "F-3", Outcome: lamina.Pass, Title: "fine"},
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func get(h http.Handler, method, host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, "http://"+host+path, nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	w := get(serve.New(fill(t)), "GET", "127.0.0.1:7443", "/")
	body := w.Body.String()
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, body)
	}
	for _, want := range []string{"A-NEW", "1 failed, 1 unknown, 1 passed", "not a pass", "denied", "2026-06-18 14:02:11Z", "&lt;script&gt;"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, bad := range []string{"<script", "\u202e", "\x1b"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if strings.Index(body, "A-NEW") > strings.Index(body, "A-OLD") {
		t.Error("the newest alert must come first")
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
}

func TestRoutes(t *testing.T) {
	h := serve.New(fill(t))
	for name, tt := range map[string]struct {
		method, host, path string
		want               int
	}{
		"healthz":       {"GET", "127.0.0.1", "/healthz", 200},
		"head":          {"HEAD", "localhost:7443", "/", 200},
		"ipv6":          {"GET", "[::1]:7443", "/", 200},
		"no_such_page":  {"GET", "127.0.0.1", "/x", 404},
		"post":          {"POST", "127.0.0.1", "/", 405},
		"rebound_name":  {"GET", "attacker.invalid", "/", 421},
		"other_address": {"GET", "192.0.2.1", "/healthz", 421},
	} {
		if w := get(h, tt.method, tt.host, tt.path); w.Code != tt.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, tt.want)
		}
	}
}

type broken struct{ store.Store }

func (broken) Alerts(context.Context) ([]lamina.Alert, error) {
	return nil, errors.New("secret path /var/lib/x")
}

func (broken) Pending(context.Context, int) ([]store.Notice, error) { return nil, errors.New("gone") }

func TestBrokenStore(t *testing.T) {
	h := serve.New(broken{})
	if w := get(h, "GET", "localhost", "/"); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := get(h, "GET", "localhost", "/healthz"); w.Code != 503 {
		t.Errorf("%d", w.Code)
	}
}
