package ingest_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/source"
)

// A pipe on which nothing comes does not keep a run that is cancelled, before
// its first byte or in the middle.
func TestRun_cancels_while_it_waits(t *testing.T) {
	for name, before := range map[string]string{"nothing came": "", "half a record came": `{"Records":[` + event(1, "Invoke")[:90]} {
		t.Run(name, func(t *testing.T) {
			in, out := io.Pipe()
			defer func() {
				if err := out.Close(); err != nil {
					t.Error(err)
				}
			}()
			set, err := source.Find(t.Context(), []string{source.Stdin}, source.Options{Stdin: in})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, _, err := ingest.Run(ctx, set.Blobs, engine(t, "event.action: Invoke"), ingest.Options{})
				done <- err
			}()
			if _, err := io.WriteString(out, before); err != nil {
				t.Fatal(err)
			}
			cancel()
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want context.Canceled", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the run still waits")
			}
		})
	}
}

// What comes in pieces over standard input is what was sent.
func TestRun_reads_standard_input_in_pieces(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(event(i, "Invoke") + "\n")
	}
	for name, in := range map[string]io.Reader{
		"plain":  strings.NewReader(text.String()),
		"zipped": strings.NewReader(string(zipped(t, text.String()))),
		"slow":   dripping{strings.NewReader(text.String())},
	} {
		set, err := source.Find(t.Context(), []string{source.Stdin}, source.Options{Stdin: in})
		if err != nil {
			t.Fatal(err)
		}
		_, c, err := ingest.Run(t.Context(), set.Blobs, engine(t, "event.action: Invoke"), ingest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Evaluated != 2000 || c.Quarantined != 0 || c.Bytes != int64(text.Len()) {
			t.Errorf("%s: counts %+v, want 2000 events of %d bytes", name, c, text.Len())
		}
	}
}

// dripping gives its bytes three at a time.
type dripping struct{ r io.Reader }

func (r dripping) Read(p []byte) (int, error) { return r.r.Read(p[:min(3, len(p))]) }
