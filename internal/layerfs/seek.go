package layerfs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

const (
	// spacing is how many inflated bytes are between two checkpoints, at least: each
	// keeps 32 KiB.
	spacing = 2 << 20
	// piece is what is inflated and kept at a time, pieces how many.
	piece  = 256 << 10
	pieces = 8
)

// A seekable reads the content of a deflate stream at any place, by inflating from
// the checkpoint before it. It may be used from many goroutines, one at a time.
type seekable struct {
	mu     sync.Mutex
	r      io.ReaderAt
	start  int64 // of the stream
	length int64
	size   int64 // inflated
	points []flate.InflateCheckpoint
	blocks int64
	tiny   bool
	// consumed says how much of the stream was read, while it is read the first
	// time. drift is how much further the decoder believes it is: it counts the bytes
	// twice that it holds when a stored block begins.
	consumed func() int64
	drift    int64

	stream io.Reader // nil, or at pos
	pos    int64
	kept   [pieces]keptPiece
	clock  int
}

type keptPiece struct {
	at   int64 // -1 for none
	buf  []byte
	used int
}

var errTinyBlocks = fmt.Errorf("deflate blocks of a few bytes in a file that does not fit into memory are %w", ErrLimit)

// block notes the end of a block.
func (s *seekable) block(cp flate.InflateCheckpoint) {
	s.blocks++
	// Each call costs a copy of the window, so that a stream of empty blocks would
	// cost a thousand times what it is long. Packers end a block after 16 KiB.
	if s.blocks > 4096+cp.UncompressedOffset/4096 {
		s.tiny = true
	}
	// Behind a stored block the decoder holds no bits; behind any other it may hold
	// whole bytes, and seems to be less far than it is.
	if cp.BitOffset == 0 {
		s.drift = max(s.drift, cp.CompressedOffset-s.consumed())
	}
	last := int64(0)
	if n := len(s.points); n > 0 {
		last = s.points[n-1].UncompressedOffset
	}
	if cp.Final || s.tiny || cp.UncompressedOffset-last < spacing {
		return
	}
	cp.Window = bytes.Clone(cp.Window)
	cp.CompressedOffset -= s.drift
	s.points = append(s.points, cp)
}

func (s *seekable) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= s.size {
			return n, io.EOF
		}
		k, err := s.piece(at / piece * piece)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], k[at%piece:])
	}
	return n, nil
}

// piece returns the piece that starts at.
func (s *seekable) piece(at int64) ([]byte, error) {
	s.clock++
	oldest := 0
	for i := range s.kept {
		k := &s.kept[i]
		if k.buf != nil && k.at == at {
			k.used = s.clock
			return k.buf, nil
		}
		if k.used < s.kept[oldest].used {
			oldest = i
		}
	}
	if err := s.seek(at); err != nil {
		return nil, err
	}
	k := &s.kept[oldest]
	if k.buf == nil {
		k.buf = make([]byte, piece)
	}
	k.at, k.used = -1, s.clock
	k.buf = k.buf[:min(piece, s.size-at)]
	if _, err := io.ReadFull(s.stream, k.buf); err != nil {
		s.stream = nil
		return nil, fmt.Errorf("inflate again: %w", cutOff(err))
	}
	s.pos = at + int64(len(k.buf))
	k.at = at
	return k.buf, nil
}

// seek makes s.stream stand at.
func (s *seekable) seek(at int64) error {
	var from flate.InflateCheckpoint
	for _, cp := range s.points {
		if cp.UncompressedOffset > at {
			break
		}
		from = cp
	}
	if s.stream == nil || s.pos > at || s.pos < from.UncompressedOffset {
		in := bufio.NewReaderSize(io.NewSectionReader(s.r, s.start+from.CompressedOffset, s.length-from.CompressedOffset), 64<<10)
		if from.Window == nil {
			s.stream = flate.NewReader(in)
		} else {
			s.stream = flate.NewReaderOpts(in, flate.WithResumeFrom(from))
		}
		s.pos = from.UncompressedOffset
	}
	n, err := io.CopyN(io.Discard, s.stream, at-s.pos)
	s.pos += n
	if err != nil {
		s.stream = nil
		return fmt.Errorf("inflate again: %w", cutOff(err))
	}
	return nil
}
