package layerfs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// WholeFile is the size in bytes up to which a File is given as Data. A larger
// one is read through its ReaderAt.
const WholeFile = 8 << 20

// A File is one file as Pass gives it: of the layer itself, or of an archive in
// it. It is valid during the call that received it.
type File struct {
	// Path is where it is: "python/acme/a.py", and for a file in an archive the
	// archive's path, "!/", and the path in there: "python/a.whl!/acme/a.py".
	Path string
	// Mode has the type (regular file or symbolic link; nothing else is given)
	// and the permissions.
	Mode fs.FileMode
	// Size is in bytes, inflated.
	Size int64
	// SHA256 is of the inflated bytes.
	SHA256 [sha256.Size]byte
	// Data is the whole content, of a link its text; nil if Size is above
	// WholeFile.
	Data []byte
	// ReaderAt reads the content, whatever its size.
	ReaderAt io.ReaderAt
	// Depth is how many archives it is in; 0 for a file of the layer.
	Depth int
}

// Pass inflates every served file of the layer once, in the order of the
// archive, hashes it, and gives it to visit. It ends at visit's first error. A
// file that does not read as the directory says is given to damaged instead, and
// the pass goes on.
func (l *Layer) Pass(visit func(*File) error, damaged func(path string, err error)) error {
	for _, e := range l.entries {
		if e.Path == "" || e.Mode.IsDir() {
			continue
		}
		n, ok := l.nodes[e.Path]
		if !ok || n.e.offset != e.offset {
			continue // listed again later: that one is served
		}
		f, err := l.file(e)
		if err != nil {
			damaged(e.Path, err)
			continue
		}
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layer) file(e Entry) (*File, error) {
	r, err := l.open(e)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", e.Path, err)
	}
	f := &File{Path: e.Path, Mode: e.Mode, Size: int64(len(data)), SHA256: sha256.Sum256(data), ReaderAt: bytes.NewReader(data)}
	if f.Size <= WholeFile {
		f.Data = data
	}
	return f, nil
}
