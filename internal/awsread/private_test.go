package awsread

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A name of S3 that leads into a network of ours was made to.
func TestRefusePrivate(t *testing.T) {
	for address, ok := range map[string]bool{
		"52.218.0.1:443": true, "[2a05:d07a::1]:443": true,
		"127.0.0.1:443": false, "10.0.0.1:443": false, "169.254.169.254:443": false, "[::1]:443": false, "[::ffff:10.0.0.1]:443": false,
		"[fe80::1]:443": false, "[fd00::1]:443": false, "0.0.0.0:443": false, "224.0.0.1:443": false, "host:443": false, "": false,
	} {
		if err := refusePrivate("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// Each action that is called is tried, or named with why it is not; and nothing is
// tried or named that is not called.
func TestProbes(t *testing.T) {
	var called []string
	for _, c := range slices.Concat(Calls, CodeCalls) {
		called = append(called, c.Action)
	}
	slices.Sort(called)
	known := slices.Collect(maps.Keys(untried))
	for action := range New(Options{Region: "eu-west-1"}).In("eu-west-1").probes("111122223333", "aws") {
		known = append(known, action)
	}
	slices.Sort(known) // an action that is both is there twice
	if d := cmp.Diff(slices.Compact(called), known); d != "" {
		t.Errorf("-called +tried or named:\n%s", d)
	}
}
