package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina/internal/bininfo"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/jssyntax"
	"github.com/lamina-sec/lamina/internal/layerfs"
	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/pysyntax"
	"github.com/lamina-sec/lamina/internal/sbom"
	"github.com/lamina-sec/lamina/internal/secret"
	"github.com/lamina-sec/lamina/internal/shsyntax"
)

// An extractor turns one file after the other into facts. Each engine first
// looks, by name and first bytes, whether a file concerns it.
type extractor struct {
	secretEngine *secret.Engine
	imports      bool // of every script
	view         bool // what a View needs, and no more
}

// standard is the engine without a key for fingerprints, compiled once.
var standard = sync.OnceValue(func() *secret.Engine { return secret.New(secret.Options{}) })

// facts reads one file. An error says what of it could not be read; the facts
// are what could.
func (x *extractor) facts(f *layerfs.File) (facts Facts, err error) {
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
	if facts.Loads = loads(f); x.view {
		if facts.Kind == Shell {
			err = guarded(x.code, f, head, &facts)
		}
		return facts, err
	}
	var errs []error
	for _, step := range []struct {
		what string
		run  func(*layerfs.File, []byte, *Facts) error
	}{
		{"secrets", x.secrets}, {"marks", x.marks}, {"code", x.code}, {"binary", x.binary}, {"packages", x.packages},
	} {
		if err := guarded(step.run, f, head, &facts); err != nil {
			errs = append(errs, fmt.Errorf("%s: not searched for %s: %w", f.Path, step.what, err))
		}
	}
	return facts, errors.Join(errs...)
}

// guarded runs one step. The parsers are written and fuzzed not to panic; one
// that does costs this file's answer and not the scan.
func guarded(run func(*layerfs.File, []byte, *Facts) error, f *layerfs.File, head []byte, facts *Facts) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run(f, head, facts)
}

// secrets looks for credentials in every file.
func (x *extractor) secrets(f *layerfs.File, _ []byte, facts *Facts) error {
	var r secret.Report
	var err error
	if f.Data != nil {
		r = x.secretEngine.Inspect(f.Data, secret.Hint{Path: f.Path})
	} else {
		r, err = x.secretEngine.ScanReaderAt(f.ReaderAt, f.Size, secret.Hint{Path: f.Path})
	}
	facts.Secrets, facts.Suppressed = r.Hits, r.Suppressed
	if err == nil && r.Incomplete != "" {
		err = errors.New(r.Incomplete)
	}
	return err
}

// marks looks for the words of interest where code can be.
func (x *extractor) marks(f *layerfs.File, _ []byte, facts *Facts) error {
	switch facts.Kind {
	case JSON, Text, Link, Archive:
		return nil
	case Other, Python, Pyc, PthFile, JavaScript, Shell, Script, Ruby, ELF, Foreign, Class:
	}
	if f.Data != nil {
		facts.Marks = findUnfollowed(findMarks(nil, f.Data), facts.Kind, f.Data)
		if facts.Kind != ELF && facts.Kind != Pyc && facts.Kind != Other && suppresses(f.Path, f.Data) {
			facts.Marks = append(facts.Marks, Suppression)
		}
		return nil
	}
	return windows(f.ReaderAt, f.Size, longestMark, func(data []byte, _ int64) { facts.Marks = findMarks(facts.Marks, data) })
}

// maxScript is how much of a script is parsed. Bundles are larger than what people
// write, and data is larger still.
const maxScript = 4 << 20

// code reads scripts.
func (x *extractor) code(f *layerfs.File, head []byte, facts *Facts) error {
	if facts.Kind == Pyc {
		return pyc(f, head, facts)
	}
	if f.Data == nil || len(f.Data) > maxScript {
		switch facts.Kind {
		case Python, JavaScript, Shell:
			return fmt.Errorf("a script of %d bytes is not parsed, %d are", f.Size, maxScript)
		case Other, Pyc, PthFile, Script, Ruby, ELF, Foreign, Class, Archive, JSON, Text, Link:
		}
		return nil
	}
	switch facts.Kind {
	case Python:
		if pysyntax.MayMatter(f.Data) {
			facts.Code = pysyntax.Parse(f.Data)
		} else if imports := pysyntax.Imports(f.Data); len(imports) > 0 {
			facts.Code = &codeflow.Facts{Language: "python", Imports: imports}
		}
	case JavaScript:
		if text := string(f.Data); x.imports || jssyntax.MayMatter(text) {
			facts.Code = jssyntax.Parse(text)
		}
	case Shell:
		facts.Shell = shsyntax.Parse(f.Data)
	case PthFile:
		facts.Text = cleanLines(string(f.Data[:min(len(f.Data), maxText)]))
		facts.Code = pysyntax.ReadPth(f.Data).Facts
	case Other, Pyc, Script, Ruby, ELF, Foreign, Class, Archive, JSON, Text, Link:
	}
	if c := facts.Code; c != nil && c.Truncated {
		return errors.New("the file was not followed to its end: it is beyond a limit of size, depth or number")
	}
	if sh := facts.Shell; sh != nil && sh.Truncated {
		return errors.New("the script was not followed to its end: it is beyond a limit of size or number")
	}
	return nil
}

// cleanLines is a text of which each line went through codeflow.Clean: facts hold
// no secret.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = codeflow.Clean(l)
	}
	return strings.Join(lines, "\n")
}

// binary reads executables and libraries.
func (x *extractor) binary(f *layerfs.File, head []byte, facts *Facts) error {
	if bininfo.Recognise(head) == "" {
		return nil
	}
	info, err := bininfo.Read(f.ReaderAt, f.Size)
	facts.Binary = info
	return err
}

// maxText is how much of a file is kept as text.
const maxText = 64 << 10

// packages reads what declares packages.
func (x *extractor) packages(f *layerfs.File, _ []byte, facts *Facts) error {
	if path.Base(f.Path) == "package.json" && f.Data != nil {
		facts.Hooks = hooks(f.Data)
	}
	facts.Registries, facts.Personal = registries(f), personal(f)
	found, err := sbom.Read(cleanMetadata(f))
	if facts.Binary != nil {
		found = append(found, sbom.Binary(f.Path, facts.Binary)...)
	}
	facts.Components = found
	return err
}

// loads is what of a text decides what is loaded, nil if it decides nothing.
func loads(f *layerfs.File) []byte {
	if f.Depth > 0 || f.Data == nil || !opt.Wants(f.Path) {
		return nil
	}
	return opt.Reduce(f.Path, f.Data)
}

// cleanMetadata is a file that declares packages without what is a credential in it
// and in its name: sbom folds names, and a credential in other letters is known no
// more.
func cleanMetadata(f *layerfs.File) *layerfs.File {
	if f.Data == nil || !sbom.Reads(f) {
		return f
	}
	name, data := Clean(f.Path), f.Data
	if path.Base(f.Path) == "RECORD" {
		data = cleanRecord(data)
	} else {
		data = standard().RedactData(data)
	}
	if name == f.Path && bytes.Equal(data, f.Data) {
		return f
	}
	c := *f
	c.Path, c.Data, c.ReaderAt = name, data, bytes.NewReader(data)
	c.Size = int64(len(data))
	return &c
}

// digests ends a line of RECORD: a digest, which may look like a credential and
// is none, and a size
// (https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file).
var digests = regexp.MustCompile(`,[a-z0-9]+=[A-Za-z0-9_-]{43,86}=*,[0-9]*\r?\n?$`)

// cleanRecord is a RECORD without what is a credential in the names of files.
func cleanRecord(data []byte) []byte {
	if bytes.Equal(standard().RedactData(data), data) {
		return data // nearly all of them
	}
	var out []byte
	for line := range bytes.Lines(data) {
		end := len(line)
		if at := digests.FindIndex(line); at != nil {
			end = at[0]
		}
		out = append(append(out, standard().RedactData(line[:end])...), line[end:]...)
	}
	return out
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
			out = append(out, Hook{name, codeflow.Clean(cmd[:min(len(cmd), maxHook)])})
		}
	}
	return out
}
