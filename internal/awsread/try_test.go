package awsread_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// Try asks every action that can be asked by looking, changes nothing, and tells
// a denied one from one that found nothing.
func TestTry(t *testing.T) {
	f := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
	c := client(f, "eu-west-1")
	all := slices.Concat(awsread.Calls, awsread.CodeCalls)
	quiet := func(int, int) {}
	trials, err := c.Try(t.Context(), all, "111122223333", "aws", quiet)
	if err != nil {
		t.Fatal(err)
	}
	called := f.Calls()
	for _, x := range trials {
		if !slices.ContainsFunc(all, func(c awsread.Call) bool { return c.Action == x.Action && c.Without == x.Without }) {
			t.Errorf("%s is no call", x.Action)
		}
		if !x.Tried {
			if x.Reason == "" {
				t.Errorf("%s is not tried, and nothing says why", x.Action)
			}
			continue
		}
		if x.Denied || x.Reason != "" && !strings.HasPrefix(x.Action, "s3:") {
			t.Errorf("%s: %s", x.Action, x.Reason)
		}
		made := 0
		for call, n := range called {
			if call.Action == x.Action {
				made += n
			}
		}
		if made == 0 && !strings.HasPrefix(x.Action, "s3:") { // which is another host's
			t.Errorf("%s was not called", x.Action)
		}
	}
	f.Deny(func(awsfake.Call) bool { return true })
	trials, err = c.Try(t.Context(), all, "111122223333", "aws", quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range trials {
		if x.Tried && !x.Denied && !strings.HasPrefix(x.Action, "s3:") {
			t.Errorf("%s is denied, and Try says %+v", x.Action, x)
		}
	}
}
