package kql_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

var sameTree = cmp.Comparer(func(a, b query.Pos) bool { return true })

func roundTrip(t *testing.T, q *kql.Query) {
	t.Helper()
	again, err := kql.Parse(q.String())
	if err != nil {
		t.Errorf("%q prints as %q, which does not parse: %v", q.Source(), q.String(), err)
		return
	}
	if d := cmp.Diff(q.Root, again.Root, sameTree); d != "" {
		t.Errorf("%q prints as %q, another tree:\n%s", q.Source(), q.String(), d)
	}
	if again.String() != q.String() {
		t.Errorf("%q prints as %q and then as %q", q.Source(), q.String(), again.String())
	}
}
