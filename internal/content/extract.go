package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sync"

	"github.com/lamina-sec/lamina/internal/bininfo"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/opt"
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
		if err != nil && !errors.Is(err, io.EOF) {
			return facts, fmt.Errorf("%s: %w", f.Path, err)
		}
		head = head[:n]
	}
	head = head[:min(len(head), 512)]
	facts.Kind = kindOf(f.Path, head)
	return facts, errors.Join(x.secrets(f, &facts), x.marks(f, &facts), x.code(f, &facts), x.binary(f, head, &facts), x.packages(f, &facts))
}

// credentials is the one engine of the process: it is immutable, and takes some
// milliseconds to make.
var credentials = sync.OnceValue(func() *secret.Engine { return secret.New(secret.Options{}) })

// secrets looks for credentials in every file. What was not searched is an error,
// so that the file is not taken for clean.
func (x *extractor) secrets(f *layerfs.File, facts *Facts) error {
	var r secret.Report
	var err error
	if f.Data != nil {
		r = credentials().Inspect(f.Data, secret.Hint{Path: f.Path})
	} else {
		r, err = credentials().ScanReaderAt(f.ReaderAt, f.Size, secret.Hint{Path: f.Path})
	}
	facts.Secrets = r.Hits
	if r.Incomplete != "" && err == nil {
		err = fmt.Errorf("%s: %s", f.Path, r.Incomplete)
	}
	return err
}

// marks looks for the words of interest where code can be.
func (x *extractor) marks(f *layerfs.File, facts *Facts) error {
	switch facts.Kind {
	case JSON, Text, Link, Archive:
		return nil
	case Other, Python, Pyc, PthFile, JavaScript, Shell, Script, Ruby, ELF, Foreign, Class:
	}
	if f.Data != nil {
		facts.Marks = findMarks(nil, f.Data)
		return nil
	}
	return windows(f.ReaderAt, f.Size, longestMark, func(data []byte, _ int64) { facts.Marks = findMarks(facts.Marks, data) })
}

// code reads scripts.
func (x *extractor) code(f *layerfs.File, facts *Facts) error {
	return nil
}

// binary reads executables and libraries.
func (x *extractor) binary(f *layerfs.File, head []byte, facts *Facts) error {
	if bininfo.Recognise(head) == "" {
		return nil
	}
	info, err := bininfo.Read(f.ReaderAt, f.Size)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	facts.Binary = info
	return nil
}

// packages reads what declares packages.
func (x *extractor) packages(f *layerfs.File, facts *Facts) error {
	if path.Base(f.Path) == "package.json" && f.Data != nil {
		facts.Hooks = hooks(f.Data)
	}
	if f.Depth == 0 && f.Data != nil && opt.Wants(f.Path) {
		facts.Loads = opt.Reduce(f.Path, f.Data)
	}
	return nil
}

// maxHook is how much of an install command is kept.
const maxHook = 200

// hooks are the commands that installing the package runs
// (https://docs.npmjs.com/cli/v11/using-npm/scripts#life-cycle-scripts).
func hooks(data []byte) []Hook {
	var p struct {
		Scripts map[string]any `json:"scripts"`
	}
	if json.Unmarshal(data, &p) != nil {
		return nil
	}
	var out []Hook
	for _, name := range []string{"preinstall", "install", "postinstall"} {
		if cmd, ok := p.Scripts[name].(string); ok && cmd != "" {
			out = append(out, Hook{name, cmd[:min(len(cmd), maxHook)]})
		}
	}
	return out
}
