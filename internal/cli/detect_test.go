package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A watch is an output that cancels a context once it has so many lines.
type watch struct {
	strings.Builder
	lines  int
	cancel context.CancelFunc
	added  func()
}

func (w *watch) Write(p []byte) (int, error) {
	n, err := w.Builder.Write(p)
	switch strings.Count(w.String(), "\n") {
	case 1:
		if w.added != nil {
			w.added()
			w.added = nil
		}
	case w.lines:
		w.cancel()
	}
	return n, err
}

func shareEvent(id int) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","eventTime":"2026-06-18T13:02:%02dZ","eventSource":"lambda.amazonaws.com","eventName":"AddLayerVersionPermission20181031","eventID":"e%d","recipientAccountId":"111122223333","requestParameters":{"layerName":"l","versionNumber":1,"principal":"*","statementId":"s","action":"lambda:GetLayerVersion"}}`+"\n", id, id)
}

// --follow alerts on what is there and on what is added, writes each alert
// through at once, and ends with the summary and exit code 130.
func TestDetect_follow(t *testing.T) {
	std, _, e := stdio(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "a.ndjson")
	if err := os.WriteFile(file, []byte(shareEvent(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out := &watch{lines: 2, cancel: cancel, added: func() {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = io.WriteString(f, shareEvent(1)+shareEvent(2)) // the first is delivered again
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}}
	std.Out = out
	code := Main(ctx, []string{"detect", dir, "--follow", "-f", "ndjson"}, std)
	if code != int(Interrupted) {
		t.Errorf("exit code %d, want %d; stderr:\n%s", code, Interrupted, e.String())
	}
	for i, id := range []string{`"e1"`, `"e2"`} {
		if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.Contains(lines[i], id) {
			t.Fatalf("output:\n%s\nwant an alert for e1 and one for e2", out.String())
		}
	}
	if !strings.Contains(e.String(), "lamina: interrupted") {
		t.Errorf("stderr:\n%s", e.String())
	}
}

// --follow has no windows to replay.
func TestDetect_follow_refuses_replay(t *testing.T) {
	std, _, e := stdio(t)
	code := Main(t.Context(), []string{"detect", ".", "--follow", "--schedule", "replay"}, std)
	if code != int(Usage) || !strings.Contains(e.String(), "--follow has no windows") {
		t.Errorf("exit code %d, stderr:\n%s", code, e.String())
	}
}
