package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/notify"
)

type outbox struct {
	pending []notify.Message
	fail    error
}

func (o *outbox) Pending(_ context.Context, n int) ([]notify.Message, error) {
	return slices.Clone(o.pending[:min(n, len(o.pending))]), nil
}

func (o *outbox) Delivered(_ context.Context, key string) error {
	if o.fail != nil {
		return o.fail
	}
	o.pending = slices.DeleteFunc(o.pending, func(m notify.Message) bool { return m.Key == key })
	return nil
}

type sink struct {
	keys   []string
	refuse func(key string) bool
}

func (s *sink) Send(_ context.Context, m notify.Message) error {
	s.keys = append(s.keys, m.Key)
	if s.refuse != nil && s.refuse(m.Key) {
		return errors.New("503")
	}
	return nil
}

func fill(t *testing.T, n int) *outbox {
	t.Helper()
	o := &outbox{}
	for i := range n {
		m, err := notify.OfAlert(lamina.Alert{ID: fmt.Sprintf("A-%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		o.pending = append(o.pending, m)
	}
	return o
}

func TestDeliver(t *testing.T) {
	o, s := fill(t, 250), &sink{}
	if n, err := notify.Deliver(t.Context(), o, s); n != 250 || err != nil || len(o.pending) != 0 {
		t.Errorf("delivered %d, %v; %d pending", n, err, len(o.pending))
	}
}

// A message that the destination refuses stays, is tried once a round, and does
// not hold up the others.
func TestDeliver_refused(t *testing.T) {
	o := fill(t, 250)
	bad := o.pending[3].Key
	s := &sink{refuse: func(key string) bool { return key == bad }}
	if n, err := notify.Deliver(t.Context(), o, s); n != 249 || err == nil || len(o.pending) != 1 || len(s.keys) != 250 {
		t.Errorf("delivered %d, %v; %d pending, %d sent", n, err, len(o.pending), len(s.keys))
	}
}

// If it is not known that a message was delivered, it is sent again with the
// same key.
func TestDeliver_again_with_the_same_key(t *testing.T) {
	o, s := fill(t, 1), &sink{}
	o.fail = errors.New("disk full")
	if _, err := notify.Deliver(t.Context(), o, s); err == nil {
		t.Error("no error")
	}
	o.fail = nil
	if _, err := notify.Deliver(t.Context(), o, s); err != nil || len(s.keys) != 2 || s.keys[0] != s.keys[1] {
		t.Errorf("%v, %v", s.keys, err)
	}
}

func TestLines(t *testing.T) {
	var b bytes.Buffer
	if _, err := notify.Deliver(t.Context(), fill(t, 2), notify.Lines{W: &b}); err != nil || strings.Count(b.String(), "\n") != 2 {
		t.Errorf("%q, %v", &b, err)
	}
}
