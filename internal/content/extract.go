package content

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/secret"
)

// An extractor turns one file after the other into facts. Each engine first
// looks, by name and first bytes, whether a file concerns it.
type extractor struct{}

// facts reads one file. An error says what of it could not be read; the facts
// are what could.
func (x *extractor) facts(f *layerfs.File) (facts Facts, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: panic: %v", f.Path, p)
		}
	}()
	if f.Mode&fs.ModeSymlink != 0 {
		return Facts{Kind: Link, Link: string(f.Data)}, nil
	}
	head := f.Data
	if head == nil {
		head = make([]byte, 512)
		n, err := f.ReaderAt.ReadAt(head, 0)
		if err != nil && err != io.EOF { //nolint:errorlint // io.ReaderAt's contract
			return facts, fmt.Errorf("%s: %w", f.Path, err)
		}
		head = head[:n]
	}
	facts.Kind = kindOf(f.Path, head[:min(len(head), 512)])
	if f.Data != nil {
		facts.Secrets = secret.Scan(f.Data)
	}
	return facts, nil
}
