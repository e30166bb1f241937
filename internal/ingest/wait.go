package ingest

import (
	"context"
	"io"
	"os"

	"github.com/lamina-sec/lamina/internal/source"
)

// waitChunk is how much a waiting blob hands over at once.
const waitChunk = 64 << 10

// open opens b. Standard input and pipes may have nothing to read for as long as
// they like, and neither opening nor reading them can be interrupted: they are
// read by a goroutine of their own, which a cancelled run leaves behind.
func open(ctx context.Context, b *source.Blob) (io.ReadCloser, error) {
	if !waits(b) {
		return b.Open()
	}
	w := &waiting{ctx: ctx, chunks: make(chan chunk), free: make(chan []byte), quit: make(chan struct{})}
	go w.read(b)
	select {
	case first := <-w.chunks: // says only whether it could be opened
		if first.err != nil {
			return nil, first.err
		}
		return w, nil
	case <-ctx.Done():
		close(w.quit)
		return nil, context.Cause(ctx)
	}
}

// waits reports whether b may have nothing to read yet.
func waits(b *source.Blob) bool {
	if b.Name == source.Stdin {
		return true
	}
	if b.Size > 0 {
		return false
	}
	info, err := os.Stat(b.Name)
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// A chunk is what one Read of the blob gave.
type chunk struct {
	data []byte
	err  error
}

// waiting is a blob that another goroutine reads.
type waiting struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no place for it
	chunks chan chunk
	free   chan []byte   // the buffer, on its way back
	quit   chan struct{} // closed when nobody will ask again
	buffer []byte
	rest   chunk // of which Read has not given all
}

// read is the goroutine: it ends when the blob does, or at the first thing it
// has to say after Close.
func (w *waiting) read(b *source.Blob) {
	in, err := b.Open()
	if !w.send(chunk{err: err}) || err != nil {
		if err == nil {
			_ = in.Close() // nobody is there to be told
		}
		return
	}
	defer func() { _ = in.Close() }() // only read from: there is nothing to lose
	buffer := make([]byte, waitChunk)
	for {
		n, err := in.Read(buffer)
		if !w.send(chunk{buffer[:n], err}) || err != nil {
			return
		}
		select {
		case buffer = <-w.free:
		case <-w.quit:
			return
		}
	}
}

// send reports whether c was taken.
func (w *waiting) send(c chunk) bool {
	select {
	case w.chunks <- c:
		return true
	case <-w.quit:
		return false
	}
}

// Read implements io.Reader.
func (w *waiting) Read(p []byte) (int, error) {
	for len(w.rest.data) == 0 {
		if w.rest.err != nil {
			return 0, w.rest.err
		}
		if w.buffer != nil {
			w.free <- w.buffer // its owner waits for nothing else
			w.buffer = nil
		}
		select {
		case w.rest = <-w.chunks:
			w.buffer = w.rest.data[:cap(w.rest.data)]
		case <-w.ctx.Done():
			w.rest = chunk{err: context.Cause(w.ctx)}
		}
	}
	n := copy(p, w.rest.data)
	w.rest.data = w.rest.data[n:]
	return n, nil
}

// Close implements io.Closer.
func (w *waiting) Close() error {
	close(w.quit)
	return nil
}
