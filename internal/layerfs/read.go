package layerfs

import (
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

const (
	store   = 0
	deflate = 8
)

// open returns the entry's inflated bytes. The reader gives at most e.Size
// bytes, and an error instead of io.EOF unless size and checksum are right.
func (l *Layer) open(e Entry) (io.ReadCloser, error) {
	head := make([]byte, localLen)
	if _, err := l.r.ReadAt(head, e.offset); err != nil {
		return nil, fmt.Errorf("read local header: %w", err)
	}
	start := e.offset + localLen + int64(binary.LittleEndian.Uint16(head[26:])) + int64(binary.LittleEndian.Uint16(head[28:]))
	body := io.NewSectionReader(l.r, start, e.Compressed)
	v := &verifier{left: e.Size, want: e.CRC32, sum: crc32.NewIEEE()}
	if e.method == deflate {
		v.ReadCloser = flate.NewReader(body)
	} else {
		v.ReadCloser = io.NopCloser(body)
	}
	return v, nil
}

type verifier struct {
	io.ReadCloser
	left int64
	want uint32
	sum  hash.Hash32
}

func (v *verifier) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	if int64(n) > v.left {
		return 0, errors.New("entry is longer than the directory says")
	}
	v.left -= int64(n)
	_, _ = v.sum.Write(p[:n])
	switch {
	case !errors.Is(err, io.EOF):
		return n, err
	case v.left > 0:
		return n, io.ErrUnexpectedEOF
	case v.sum.Sum32() != v.want:
		return n, errors.New("checksum differs from the directory's")
	}
	return n, io.EOF
}
