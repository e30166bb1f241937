package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/gate"
	"github.com/lamina-sec/lamina/internal/report"
)

// saved writes a result with n findings and returns the folder it is in.
func saved(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := report.New("json", f, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	messages := []lamina.Message{{Version: &lamina.Version{Messages: 1}}}
	for i := range n {
		messages = append(messages, lamina.Message{Finding: &lamina.Finding{
			ID: lamina.ID("F", strconv.Itoa(i)), Check: "miner", Severity: lamina.High, Outcome: lamina.Fail, Resource: "layer.zip", SHA256: strings.Repeat("ab", 32),
		}})
	}
	messages = append(messages, lamina.Message{Summary: &lamina.Summary{Complete: true}})
	for _, m := range messages {
		if err := w.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Many that add at the same time lose nothing, and leave nothing behind.
func TestExceptAdd_concurrent(t *testing.T) {
	const n = 24
	dir := saved(t, n)
	const head = "# ours, reviewed every quarter\n"
	if err := os.WriteFile(filepath.Join(dir, "exceptions.toml"), []byte(head), 0o600); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			std, _, errs := stdio(t)
			std.Dir = dir
			if code := Main(t.Context(), []string{"except", "add", lamina.ID("F", strconv.Itoa(i)), "--reason", "r", "--owner", "o"}, std); code != 0 {
				t.Errorf("exit %d: %s", code, errs)
			}
		})
	}
	wg.Wait()
	data, err := os.ReadFile(filepath.Join(dir, "exceptions.toml"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := exception.Parse("exceptions.toml", data, time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC))
	if err != nil || len(f.Items) != n || !strings.HasPrefix(string(data), head) {
		t.Errorf("%d exceptions, %v", len(f.Items), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files: %v, %v", len(entries), entries, err)
	}
}

// An edit waits for another, and gives up when it is told to.
func TestEditFile_waits(t *testing.T) {
	dir := saved(t, 1)
	unlock, err := tryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	std, _, errs := stdio(t)
	std.Dir = dir
	args := []string{"except", "add", lamina.ID("F", "0"), "--reason", "r", "--owner", "o"}
	if code := Main(t.Context(), append(args, "--timeout", "60ms"), std); code != int(CannotRun) {
		t.Errorf("exit %d: %s", code, errs)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if code := Main(t.Context(), args, std); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// A link to a file of exceptions stays a link.
func TestEditFile_follows_links(t *testing.T) {
	dir := saved(t, 1)
	if err := os.Mkdir(filepath.Join(dir, "shared"), 0o700); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(dir, "shared", "e.toml")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, "exceptions.toml")); err != nil {
		t.Skip("no links here:", err)
	}
	std, _, errs := stdio(t)
	std.Dir = dir
	if code := Main(t.Context(), []string{"except", "add", lamina.ID("F", "0"), "--reason", "r", "--owner", "o"}, std); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	info, err := os.Lstat(filepath.Join(dir, "exceptions.toml"))
	data, readErr := os.ReadFile(target)
	if err != nil || readErr != nil || info.Mode()&os.ModeSymlink == 0 || !strings.Contains(string(data), "[[exception]]") {
		t.Errorf("%v, %v, %v:\n%s", info, err, readErr, data)
	}
}

func TestDays(t *testing.T) {
	for in, want := range map[string]time.Duration{"14d": 14 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "36h": 36 * time.Hour, "0d": 0} {
		if got, err := days("x", in); err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "d", "14", "-1d", "1.5d", "1d2", "x1d", "9999999d", "14 d"} {
		if got, err := days("x", in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestWithin(t *testing.T) {
	dir := t.TempDir()
	layer := filepath.Join(dir, "layer")
	if err := os.Mkdir(layer, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"layer.toml", "layer/p.toml", "layer.zip"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(f)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		file, dir string
		want      bool
	}{
		"inside":      {"layer/p.toml", "layer", true},
		"not_there":   {"layer/q.toml", "layer", true},
		"beside":      {"layer.toml", "layer", false},
		"by_dots":     {"layer/../layer/p.toml", "layer", true},
		"a_zip_is_no": {"layer.zip", "layer.zip", false},
		"above":       {"layer.toml", ".", true},
	}
	if os.Symlink(filepath.Join(layer, "p.toml"), filepath.Join(dir, "link.toml")) == nil {
		tests["by_a_link"] = struct {
			file, dir string
			want      bool
		}{"link.toml", "layer", true}
	}
	for name, tt := range tests {
		if got := within(filepath.Join(dir, tt.file), filepath.Join(dir, tt.dir)); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// The examples in the documents are files that are taken.
func TestExamples(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	dir := filepath.Join("..", "..", "docs", "examples")
	data, err := os.ReadFile(filepath.Join(dir, "layer-policy.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gate.ParsePolicy("layer-policy.toml", data, analyzerIDs()); err != nil {
		t.Error(err)
	}
	if data, err = os.ReadFile(filepath.Join(dir, "exceptions.toml")); err != nil {
		t.Fatal(err)
	}
	f, err := exception.Parse("exceptions.toml", data, now)
	if err != nil {
		t.Fatal(err)
	}
	if problems := exception.Lint(f.Items, isCheck, nil, now); problems != nil {
		t.Errorf("%+v", problems)
	}
}
