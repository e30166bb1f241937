package sensor_test

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/sensor"
)

var now = time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC)

func opt() fstest.MapFS {
	return fstest.MapFS{
		"extensions/telemetry":     {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"extensions/lib/helper.py": {Data: []byte("x")},
		"python/acme/cfg.py":       {Data: []byte("y = 1\n")},
	}
}

func TestLook(t *testing.T) {
	env := []string{"SECRET_TOKEN=do-not-show", "LD_PRELOAD=/opt/lib/x.so", "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap" + strings.Repeat("x", 500), "PATH=/opt/bin"}
	r := sensor.Look(now, env, opt())
	var names []string
	for _, v := range r.Variables {
		names = append(names, v.Name)
		if len(v.Value) > 256 {
			t.Errorf("%s has a value of %d bytes", v.Name, len(v.Value))
		}
	}
	if d := cmp.Diff([]string{"AWS_LAMBDA_EXEC_WRAPPER", "LD_PRELOAD", "PATH"}, names); d != "" {
		t.Error(d)
	}
	if r.Others != 1 || r.Files != 3 || r.Bytes != 17 || r.Unread != nil || len(r.Digest) != 64 {
		t.Errorf("%+v", r)
	}
	if d := cmp.Diff([]string{"telemetry"}, r.Extensions); d != "" {
		t.Error(d)
	}
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil || strings.Count(b.String(), "\n") != 1 || strings.Contains(b.String(), "do-not-show") {
		t.Errorf("%s, %v", &b, err)
	}
}

func TestLook_digest(t *testing.T) {
	digest := func(change func(fstest.MapFS)) string {
		f := opt()
		change(f)
		return sensor.Look(now, nil, f).Digest
	}
	same := digest(func(fstest.MapFS) {})
	for name, change := range map[string]func(fstest.MapFS){
		"content": func(f fstest.MapFS) { f["python/acme/cfg.py"].Data = []byte("y = 2\n") },
		"mode":    func(f fstest.MapFS) { f["python/acme/cfg.py"].Mode = 0o755 },
		"name":    func(f fstest.MapFS) { f["python/acme/b.py"] = f["python/acme/cfg.py"]; delete(f, "python/acme/cfg.py") },
		"more":    func(f fstest.MapFS) { f["z"] = &fstest.MapFile{} },
	} {
		if digest(change) == same {
			t.Errorf("%s: the digest does not change", name)
		}
	}
	if digest(func(fstest.MapFS) {}) != same {
		t.Error("the same files have another digest")
	}
}

type broken struct{ fs.FS }

func (broken) Open(string) (fs.File, error) { return nil, errors.New("no") }

// What could not be read is said, and there is no digest to compare with.
func TestLook_unread(t *testing.T) {
	if r := sensor.Look(now, nil, broken{}); len(r.Unread) == 0 || r.Digest != "" {
		t.Errorf("%+v", r)
	}
}
