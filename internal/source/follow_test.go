package source

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A trial follows a directory look by look.
type trial struct {
	t   *testing.T
	dir string
	f   *Follower
	mod time.Time
}

func follow(t *testing.T) *trial {
	t.Helper()
	dir := t.TempDir()
	ticks := make(chan time.Time, 1)
	f := Follow([]string{dir}, Options{}, FollowOptions{Ticks: ticks})
	t.Cleanup(f.Close)
	return &trial{t: t, dir: dir, f: f, mod: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// put writes a file with a time of its own, as a clock would.
func (r *trial) put(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		r.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.mod = r.mod.Add(time.Second)
	if err := os.Chtimes(path, r.mod, r.mod); err != nil {
		r.t.Fatal(err)
	}
}

// look returns what one look finds, as name@offset:text.
func (r *trial) look() []string {
	r.t.Helper()
	if err := r.f.look(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.f.first = false
	var out []string
	for len(r.f.queue) > 0 {
		b, err := r.f.Next(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		rc, err := b.Open()
		if err != nil {
			r.t.Fatal(err)
		}
		text, err := io.ReadAll(rc)
		if err != nil {
			r.t.Fatal(err)
		}
		if err := rc.Close(); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, filepath.Base(b.Name)+"@"+time.Duration(b.Offset).String()+":"+string(text))
	}
	return out
}

func (r *trial) want(want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.look()); diff != "" {
		r.t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestFollower_gives_whole_lines(t *testing.T) {
	r := follow(t)
	r.want()
	r.put("a.json", "{1}\n{2")
	r.want("a.json@0s:{1}\n")
	r.want()
	r.put("a.json", "{1}\n{2}\n{3}")
	r.want("a.json@4ns:{2}\n")
	r.want("a.json@8ns:{3}") // settled, and ends like JSON
	r.put("a.json", "{1}\n{2}\n{3}\n{4}\n{5,")
	r.want("a.json@11ns:\n{4}\n")
	r.want()
	r.want()
	r.want()
	r.put("a.json", "{1}\n{2}\n{3}\n{4}\n{5,5}\n")
	r.want("a.json@16ns:{5,5}\n")
}

func TestFollower_waits_until_a_file_has_settled(t *testing.T) {
	r := follow(t)
	gz := zip(t, "hello")
	r.put("a.json.gz", gz[:10])
	r.want()
	r.put("a.json.gz", gz)
	r.want()
	r.want("a.json.gz@0s:hello")
	r.want()
	r.put("b.json", "{\n  1\n")
	r.want()
	r.put("b.json", "{\n  1\n}")
	r.want()
	r.want("b.json@0s:{\n  1\n}")
	r.put("c.json", `{"Records":[]}`)
	r.want()
	r.want(`c.json@0s:{"Records":[]}`)
	r.want()
}

func TestFollower_sees_truncation_and_rotation(t *testing.T) {
	r := follow(t)
	r.put("a.log", "{1}\n{2}\n")
	r.want("a.log@0s:{1}\n{2}\n")
	r.put("a.log", "{3}\n")
	r.want("a.log@0s:{3}\n")
	r.put("a.log", "{4}\n{5}\n") // written anew, and longer
	r.want("a.log@0s:{4}\n{5}\n")
	if err := os.Rename(filepath.Join(r.dir, "a.log"), filepath.Join(r.dir, "a.log.1.log")); err != nil {
		t.Fatal(err)
	}
	r.want()
	r.put("a.log", "{6}\n")
	r.want("a.log@0s:{6}\n")
	if err := os.Remove(filepath.Join(r.dir, "a.log")); err != nil {
		t.Fatal(err)
	}
	r.want()
}

func TestFollower_ends_with_its_context(t *testing.T) {
	dir := t.TempDir()
	f := Follow([]string{dir}, Options{}, FollowOptions{Ticks: make(chan time.Time)})
	defer f.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := f.Next(ctx)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := Follow([]string{filepath.Join(dir, "nothing")}, Options{}, FollowOptions{}).Next(t.Context()); err == nil {
		t.Error("a missing target is no error")
	}
}
