package collect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/snapshot"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// Each zip is fetched once ever, the other account's among them: with what is
// kept a second run fetches nothing, and a run whose store has lost one fetches
// that one and asks for nothing else twice.
func TestCollect_zips(t *testing.T) {
	f := world(t)
	dir := t.TempDir()
	o := options(t, f)
	o.Zips = zipstore.New(dir)
	before := maps.Clone(f.Calls())
	s := collected(t, o)
	if n := lambdaCalls(f, before)["lambda:GetLayerVersion"]; n != 56 {
		t.Errorf("%d calls of GetLayerVersion, want one a version", n)
	}
	if n := len(f.Downloads()); n != 56 {
		t.Errorf("%d zips fetched, want 56", n)
	}
	for arn, n := range f.Downloads() {
		if n != 1 {
			t.Errorf("%s fetched %d times", arn, n)
		}
	}
	for _, l := range s.Layers {
		z, size, err := zipstore.New(dir).Open(l.CodeSHA256)
		if err != nil || size != l.CodeSize {
			t.Errorf("%s: %d bytes, %v", l.ARN, size, err)
			continue
		}
		if err := z.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, target := range s.Targets {
		if target.Account == member && target.Region == region && !slices.Contains(target.Read, awsread.Content) {
			t.Errorf("%s was not read: %v", awsread.Content, target.Gaps)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(kept) != 56 {
		t.Fatalf("%d zips, %v", len(kept), err)
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	o = options(t, f)
	o.Zips, o.Previous = zipstore.New(dir), &s
	before = maps.Clone(f.Calls())
	collected(t, o)
	total := 0
	for _, n := range f.Downloads() {
		total += n
	}
	// One for the zip that is gone, one for the other account's layer, which is described in every run.
	if n := lambdaCalls(f, before)["lambda:GetLayerVersion"]; total != 57 || n < 1 || n > 2 {
		t.Errorf("%d zips fetched in two runs, %d calls of GetLayerVersion in the second", total, n)
	}
}

// Functions' own packages are asked for when that is asked for, and each once ever;
// otherwise lambda:GetFunction is never called, with zips or without.
func TestCollect_function_code(t *testing.T) {
	f := world(t)
	store := zipstore.New(t.TempDir())
	o := options(t, f)
	o.Zips = store
	before := maps.Clone(f.Calls())
	collected(t, o)
	if n := lambdaCalls(f, before)["lambda:GetFunction"]; n != 0 {
		t.Errorf("%d calls of GetFunction that nobody asked for", n)
	}
	o = options(t, f)
	o.Zips, o.FunctionCode = store, true
	s := collected(t, o)
	sums := map[string]bool{}
	for _, fn := range s.Functions {
		sums[fn.CodeSHA256] = true
		z, size, err := store.Open(fn.CodeSHA256)
		if err != nil || size != fn.CodeSize {
			t.Fatalf("%s: %d bytes, %v", fn.ARN, size, err)
		}
		if err := z.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := lambdaCalls(f, before)["lambda:GetFunction"]; n != len(sums) {
		t.Errorf("%d calls of GetFunction for %d packages", n, len(sums))
	}
	if !slices.ContainsFunc(s.Targets, func(t lamina.Target) bool {
		return t.Account == member && slices.Contains(t.Read, "lambda:GetFunction") && slices.Contains(t.Read, awsread.Content)
	}) {
		t.Error("the coverage does not say that packages were read")
	}
	before = maps.Clone(f.Calls())
	again := collected(t, o)
	if n := lambdaCalls(f, before)["lambda:GetFunction"]; n != 0 {
		t.Errorf("%d calls of GetFunction in a second run", n)
	}
	if d := cmp.Diff(snapshot.Canonical(s), snapshot.Canonical(again)); d != "" {
		t.Errorf("what is kept shows in the snapshot:\n%s", d)
	}
	f.Deny(func(c awsfake.Call) bool { return c.Action == "lambda:GetFunction" })
	o.Zips = zipstore.New(t.TempDir())
	for _, target := range collected(t, o).Targets {
		for _, g := range target.Gaps {
			if g.Action != "lambda:GetFunction" || !g.Denied || len(g.Resources) > 0 {
				t.Errorf("gap %+v", g)
			}
		}
	}
}

// refusing is a store that keeps nothing.
type refusing struct{}

func (refusing) Has(string) (bool, error) { return false, nil }

func (refusing) Put(_ string, _ int64, r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return errors.Join(err, &os.PathError{Op: "open", Path: "/layers/x.zip", Err: errors.New("no space left on device")})
}

// endless is a store of zips that trickle until their time is over.
type endless struct{ puts *atomic.Int64 }

func (endless) Has(string) (bool, error) { return false, nil }

func (e endless) Put(string, int64, io.Reader) error {
	e.puts.Add(1)
	return fmt.Errorf("read: %w", context.DeadlineExceeded)
}

// A zip that does not come in the time that AWS keeps it at a place is not asked for
// there again.
func TestCollect_zips_endless(t *testing.T) {
	f := world(t)
	o := options(t, f)
	var puts atomic.Int64
	o.Zips = endless{&puts}
	s := collected(t, o)
	if n := int64(len(s.Layers)); puts.Load() != n {
		t.Errorf("%d zips asked for, want %d: one a version", puts.Load(), n)
	}
}

// A zip that cannot be kept, or that AWS does not give out, is a gap of its own,
// which names no place of this machine; what else is read of the version stays read.
func TestCollect_zips_gap(t *testing.T) {
	f := world(t)
	o := options(t, f)
	o.Zips = refusing{}
	gaps := func(s lamina.Snapshot) []lamina.Gap {
		i := slices.IndexFunc(s.Targets, func(t lamina.Target) bool { return t.Account == member && t.Region == region })
		return s.Targets[i].Gaps
	}
	want := []lamina.Gap{{Action: awsread.Content, Reason: "the zip could not be kept: no space left on device"}}
	if d := cmp.Diff(want, gaps(collected(t, o))); d != "" {
		t.Errorf("gaps (-want +got):\n%s", d)
	}
	o = options(t, f)
	o.Zips = zipstore.New(t.TempDir())
	f.Deny(func(c awsfake.Call) bool { return c.Action == "lambda:GetLayerVersion" })
	for _, g := range gaps(collected(t, o)) {
		if g.Action != "lambda:GetLayerVersion" {
			t.Errorf("without GetLayerVersion: %+v", g)
		}
	}
}

var _ collect.Zips = zipstore.Store{}
