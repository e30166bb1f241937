package secret

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	// body is how much of a large file is searched at a time; before and after it
	// are what patterns may look at around an anchor.
	body       = 4 << 20
	lookBehind = 8 << 10
	lookAhead  = 32 << 10
)

// ScanReaderAt is Inspect for a file of size bytes that need not be in memory:
// it holds a window of about 4 MiB. An error of r makes the report incomplete and
// is returned with what was found before.
func (e *Engine) ScanReaderAt(r io.ReaderAt, size int64, hint Hint) (Report, error) {
	var mark [2]byte
	if n, err := r.ReadAt(mark[:], 0); n == 2 && (err == nil || errors.Is(err, io.EOF)) {
		if _, ok := narrow(mark[:]); ok {
			rep, err := e.scanReaderAt(narrowReader{r, mark[0] == 0xff}, (size-2)/2, hint, body, lookBehind, lookAhead)
			return widened(rep), err
		}
	}
	return e.scanReaderAt(r, size, hint, body, lookBehind, lookAhead)
}

func (e *Engine) scanReaderAt(r io.ReaderAt, size int64, hint Hint, body, behind, ahead int) (Report, error) {
	buf := make([]byte, min(int64(behind+body+ahead), size))
	var s *search
	for at := int64(0); at < size; at += int64(body) {
		base := max(0, at-int64(behind))
		data := buf[:min(int64(len(buf)), size-base)]
		data = data[:min(int64(len(data)), at+int64(body)+int64(ahead)-base)]
		n, err := r.ReadAt(data, base)
		if n < len(data) {
			if s == nil {
				s = e.newSearch(hint, false, size)
			}
			s.incomplete = fmt.Sprintf("the file could not be read after %d bytes", at)
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return s.report(), fmt.Errorf("search %s at %d: %w", printable([]byte(hint.Path)), base+int64(n), err)
		}
		if s == nil {
			s = e.newSearch(hint, isBinary(data), size)
			if size <= int64(len(data)) {
				s.named(data)
			} else if s.special() {
				s.named(data)
				s.incomplete = "a special file is too large to be read by its format: only known formats were looked for"
			}
		}
		from := int(at - base)
		to := min(len(data), from+body)
		s.window(data, base, from, to)
		s.next(data, base, to)
	}
	if s == nil {
		return Report{}, nil
	}
	return s.report(), nil
}

// special reports whether the file is one that is read by its name.
func (s *search) special() bool {
	name := strings.ToLower(strings.ReplaceAll(s.hint.Path, "!/", "/"))
	return slices.ContainsFunc(s.e.fitting(name), func(n *compiledFile) bool { return n.pattern != "" })
}
