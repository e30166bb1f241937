// Package storetest is the acceptance test of a store. Every engine passes it;
// it knows none of them.
package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/store"
)

// Run runs the test. open opens the store of one empty database; opened again,
// it must find what was there.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	s := open(t)
	at := time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC)
	alert := func(id string, minutes int) lamina.Alert {
		return lamina.Alert{ID: id, OriginalTime: at.Add(time.Duration(minutes) * time.Minute), EventIDs: []string{"e"}, Raw: []byte(`{"eventID":"e"}`)}
	}
	notice := func(id string) store.Notice { return store.Notice{Key: "N-" + id, Kind: "alert", Body: []byte(id)} }
	put := func(id string, minutes int, want bool) {
		t.Helper()
		if added, err := s.PutAlert(t.Context(), alert(id, minutes), notice(id)); err != nil || added != want {
			t.Errorf("put %s: added %v, %v; want %v", id, added, err, want)
		}
	}
	put("A-2", 5, true)
	put("A-1", 0, true)
	put("A-2", 9, false) // an alert stays as it is
	alerts(t, s, []lamina.Alert{alert("A-1", 0), alert("A-2", 5)})
	pending(t, s, 10, "A-2", "A-1")
	pending(t, s, 1, "A-2")
	for range 2 {
		if err := s.Delivered(t.Context(), "N-A-2"); err != nil {
			t.Error(err)
		}
	}
	if err := s.Delivered(t.Context(), "N-unknown"); err != nil {
		t.Errorf("an unknown notice: %v", err)
	}
	pending(t, s, 10, "A-1")

	find := func(id string, o lamina.Outcome) lamina.Finding { return lamina.Finding{ID: id, Outcome: o} }
	for _, fs := range [][]lamina.Finding{nil, {find("F-2", lamina.Fail), find("F-1", lamina.Pass)}, {find("F-2", lamina.Pass)}} {
		if err := s.PutFindings(t.Context(), fs); err != nil {
			t.Error(err)
		}
	}
	got, err := s.Findings(t.Context())
	if d := cmp.Diff([]lamina.Finding{find("F-1", lamina.Pass), find("F-2", lamina.Pass)}, got); err != nil || d != "" {
		t.Errorf("findings: %v\n%s", err, d)
	}

	// Many at once: every alert is new exactly once.
	var wg sync.WaitGroup
	var mu sync.Mutex
	added := map[string]int{}
	for range 4 {
		wg.Go(func() {
			for i := range 20 {
				id := fmt.Sprintf("B-%02d", i)
				ok, err := s.PutAlert(t.Context(), alert(id, 60+i), notice(id))
				if err != nil {
					t.Error(err)
				}
				if ok {
					mu.Lock()
					added[id]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for id, n := range added {
		if n != 1 {
			t.Errorf("%s was new %d times", id, n)
		}
	}
	if len(added) != 20 {
		t.Errorf("%d alerts were new, want 20", len(added))
	}

	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s = open(t)
	if as, err := s.Alerts(t.Context()); err != nil || len(as) != 22 {
		t.Errorf("opened again: %d alerts, %v", len(as), err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func alerts(t *testing.T, s store.Store, want []lamina.Alert) {
	t.Helper()
	got, err := s.Alerts(t.Context())
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("alerts: %v\n%s", err, d)
	}
}

func pending(t *testing.T, s store.Store, n int, ids ...string) {
	t.Helper()
	ns, err := s.Pending(t.Context(), n)
	var got []string
	for _, x := range ns {
		got = append(got, string(x.Body))
	}
	if d := cmp.Diff(ids, got); err != nil || d != "" {
		t.Errorf("pending: %v\n%s", err, d)
	}
}
