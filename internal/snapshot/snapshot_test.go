package snapshot_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/snapshot"
)

func estate() lamina.Snapshot {
	return lamina.Snapshot{
		Taken:    time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC),
		OrgID:    "o-exampleorgid",
		Accounts: []lamina.Account{{ID: "444455556666"}, {ID: "111122223333"}},
		Layers: []lamina.LayerVersion{
			{ARN: "b", Policy: &lamina.LayerPolicy{RevisionID: "r", Grants: []lamina.Grant{{StatementID: "s", Principal: "*"}}}},
			{ARN: "a"},
		},
		Functions: []lamina.Function{{ARN: "f", Version: "2", Layers: []string{"a", "b"}}, {ARN: "f", Version: "1"}},
		Targets: []lamina.Target{
			{Account: "2", Gaps: []lamina.Gap{{Action: "lambda:ListLayers", Reason: "b"}, {Action: "lambda:ListLayers", Reason: "a"}}},
			{Account: "1", Read: []string{"b", "a", "b"}},
		},
	}
}

func write(tb testing.TB, s lamina.Snapshot) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := snapshot.Write(&b, s); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	in := estate()
	file := write(t, in)
	got, err := snapshot.Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(snapshot.Canonical(in), got); d != "" {
		t.Errorf("snapshot differs (-want +got):\n%s", d)
	}
	in.Layers[0], in.Layers[1] = in.Layers[1], in.Layers[0]
	in.Accounts[0], in.Accounts[1] = in.Accounts[1], in.Accounts[0]
	in.Targets[0], in.Targets[1] = in.Targets[1], in.Targets[0]
	if !bytes.Equal(file, write(t, in)) {
		t.Error("the order of reading shows in the file")
	}
}

func TestRead_refuses(t *testing.T) {
	good := write(t, estate())
	make1 := func(version int, contents string, size int) []byte {
		enc, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return enc.EncodeAll([]byte(contents), fmt.Appendf(nil, "lamina-snapshot %d %x %d\n", version, sha256.Sum256([]byte(contents)), size))
	}
	bomb := strings.Repeat(" ", 64<<20)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-8] ^= 1
	for name, file := range map[string][]byte{
		"empty":         nil,
		"no_header":     []byte("{}"),
		"endless_line":  []byte(strings.Repeat("lamina-snapshot ", 1000)),
		"cut_off":       good[:len(good)-5],
		"flipped":       flipped,
		"trailing":      append(bytes.Clone(good), "x"...),
		"second_frame":  append(bytes.Clone(good), make1(1, "{}", 2)[len("lamina-snapshot 1 2\n")+65:]...),
		"newer":         make1(2, `{"version":2}`, 13),
		"other_inside":  make1(1, `{"version":2}`, 13),
		"unknown_field": make1(1, `{"version":1,"x":1}`, 19),
		"bomb":          make1(1, bomb, 1000),
		"size_too_big":  make1(1, "{}", snapshot.MaxBytes+1),
		"padded_header": bytes.Replace(good, []byte("lamina-snapshot 1"), []byte("lamina-snapshot  1"), 1),
		"many_objects":  make1(1, `{"layers":[`+strings.TrimSuffix(strings.Repeat(`{},`, 5_000_001), ",")+`],"version":1}`, 15_000_002+25),
		"deep":          make1(1, strings.Repeat(`{"layers":[`, 20_000), 11*20_000),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := snapshot.Read(bytes.NewReader(file))
			if err == nil {
				t.Errorf("read as %+v", s)
			}
			if strings.HasPrefix(name, "many_") && !strings.Contains(fmt.Sprint(err), "want at most") {
				t.Errorf("%v", err)
			}
		})
	}
}

// What is cut, what is too long and what never was one are told apart: the first is
// copied again, the second looked into.
func TestRead_cut_or_damaged(t *testing.T) {
	good := write(t, estate())
	for _, tt := range []struct {
		name string
		file []byte
		want error
	}{
		{"cut off", good[:len(good)-5], snapshot.ErrCut},
		{"cut in its first line", good[:30], snapshot.ErrCut},
		{"a first line without end", append([]byte("lamina-snapshot "), strings.Repeat("x", 1000)...), snapshot.ErrDamaged},
		{"empty", nil, snapshot.ErrOther},
		{"a zip", []byte("PK\x03\x04\n"), snapshot.ErrOther},
		{"text", []byte("my notes\n"), snapshot.ErrOther},
		{"a byte behind", append(bytes.Clone(good), "x"...), snapshot.ErrDamaged},
		{"many behind", append(bytes.Clone(good), strings.Repeat("x", 1000)...), snapshot.ErrDamaged},
	} {
		if _, err := snapshot.Read(bytes.NewReader(tt.file)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// testdata holds a file of each version that lamina reads; the files are never
// written anew.
func TestRead_versions(t *testing.T) {
	for v := max(1, snapshot.Version-2); v <= snapshot.Version; v++ {
		file, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("v%d.lamina", v)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := snapshot.Read(bytes.NewReader(file))
		if err != nil {
			t.Errorf("version %d: %v", v, err)
		}
		if len(s.Layers) != 2 || s.Version != snapshot.Version {
			t.Errorf("version %d: %+v", v, s)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, estate()))
	f.Add(write(f, lamina.Snapshot{}))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := snapshot.Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := snapshot.Read(bytes.NewReader(write(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(snapshot.Canonical(s), again); d != "" {
			t.Error(d)
		}
	})
}
