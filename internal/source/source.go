// Package source is where bytes come from and how far we got: files,
// directories, globs and standard input become a list of Blobs in a fixed
// order, and a Blob opens as decompressed bytes.
//
// It knows how CloudTrail lays out its files in S3, so that it can leave out
// what a time window cannot need, but nothing of what is in them. Everything in
// a directory is hostile: links, devices, pipes, compression bombs and broken
// archives end as a Skip or a typed error, never as a hang. Start with Find.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Stdin is the target and the Blob name that mean standard input.
const Stdin = "-"

// DefaultSlack is how far outside the time window a file's date may be. AWS
// delivers within fifteen minutes as a rule and gives no guarantee.
const DefaultSlack = time.Hour

// DefaultInflated is how many bytes a compressed file may inflate to.
const DefaultInflated = 256 << 20

// Options say what Find takes. The zero value takes everything.
type Options struct {
	// Since and Until are the window of event time; zero means open.
	Since, Until time.Time
	// Slack is by how much a file's date may miss the window, DefaultSlack if 0.
	Slack time.Duration
	// Stdin is read for the target "-".
	Stdin io.Reader
	// Inflated is how many bytes a compressed file may inflate to,
	// DefaultInflated if 0, no limit if negative. Plain files and standard
	// input are not limited: their size is what the user gave.
	Inflated int64
}

// A Set is what Find found.
type Set struct {
	// Blobs are in order: by target as given, and by path within a target.
	Blobs []*Blob
	// Pruned is how many files were left out because of their date, and
	// PrunedBytes what they would have cost to read.
	Pruned      int
	PrunedBytes int64
	// Ignored are files in directories that are not logs by name and first
	// bytes, and hidden ones; they are not counted as missing.
	Ignored []string
	// Skipped is what should have been read and could not be.
	Skipped []Skip
}

// A Skip is a file or directory that could not be used.
type Skip struct {
	Name string
	// Reason is one line without a full stop.
	Reason string
}

// A Blob is one file or stream, or the part of one that Follow found new.
type Blob struct {
	// Name is the path as the user would type it, or "-".
	Name string
	// Size is in bytes as stored, -1 if unknown.
	Size    int64
	ModTime time.Time
	Place   Place
	// Offset is where in the stored file the Blob starts. It is not 0 only for
	// what was appended to a file that is followed.
	Offset int64

	stdin    io.Reader
	inflated int64
	length   int64 // of the part, -1 for all
	pipe     bool  // named by the user, so that waiting for it is meant
}

// A TargetError says that a target cannot be used.
type TargetError struct {
	Target string
	Reason string
	// Hint is what the user may have meant, or "".
	Hint string
	Err  error
}

func (e *TargetError) Error() string { return e.Target + ": " + e.Reason }

// Unwrap gives the error of the file system, if there was one.
func (e *TargetError) Unwrap() error { return e.Err }

// Find expands targets: files, directories (with everything below), globs (*,
// ?, [a-z], and ** for any number of directories) and "-". A target that does
// not exist is an error at once, a *TargetError; what goes wrong below a
// directory is in Set.Skipped. A file found twice is listed once.
func Find(ctx context.Context, targets []string, opt Options) (*Set, error) {
	if opt.Slack == 0 {
		opt.Slack = DefaultSlack
	}
	if opt.Inflated == 0 {
		opt.Inflated = DefaultInflated
	}
	f := &finder{ctx: ctx, opt: opt, set: &Set{}, seen: map[string]bool{}}
	for _, t := range targets {
		if err := f.target(t); err != nil {
			return nil, err
		}
	}
	return f.set, nil
}

type finder struct {
	ctx  context.Context // of the one call of Find that this is
	opt  Options
	set  *Set
	seen map[string]bool // absolute paths of files taken
}

func (f *finder) target(t string) error {
	if t == Stdin {
		if f.opt.Stdin == nil {
			return &TargetError{Target: t, Reason: "there is no standard input"}
		}
		if !f.seen[Stdin] {
			f.seen[Stdin] = true
			f.set.Blobs = append(f.set.Blobs, &Blob{Name: Stdin, Size: -1, length: -1, stdin: f.opt.Stdin, inflated: -1, pipe: true})
		}
		return nil
	}
	info, err := os.Stat(t)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) && isGlob(t) {
			return f.glob(t)
		}
		return targetError(t, err)
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		f.dir(t, nil)
	case mode.IsRegular(), mode&fs.ModeNamedPipe != 0:
		f.take(t, info, true)
	default:
		return &TargetError{Target: t, Reason: "is a " + describe(mode) + ", not a file, directory or pipe"}
	}
	return f.ctx.Err()
}

// targetError explains why a target cannot be opened.
func targetError(t string, err error) *TargetError {
	e := &TargetError{Target: t, Reason: err.Error(), Err: err}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		e.Reason = pe.Err.Error()
	}
	if errors.Is(err, fs.ErrNotExist) {
		e.Reason = "no such file or directory"
		if near := nearest(t); near != "" {
			e.Hint = "did you mean " + near + "?"
		}
	}
	return e
}

// dir takes the files below a directory. above are the real paths of the
// directories it is in, by which loops of links are seen.
func (f *finder) dir(path string, above []string) {
	if f.ctx.Err() != nil {
		return
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		f.skip(path, err)
		return
	}
	if resolved, err = filepath.Abs(resolved); err != nil {
		f.skip(path, err)
		return
	}
	if slices.Contains(above, resolved) {
		f.set.Skipped = append(f.set.Skipped, Skip{path, "is a link to a directory it is in"})
		return
	}
	if len(above) == maxDepth {
		f.set.Skipped = append(f.set.Skipped, Skip{path, fmt.Sprintf("more than %d directories deep", maxDepth)})
		return
	}
	above = append(slices.Clip(above), resolved)
	entries, err := os.ReadDir(path)
	if err != nil {
		f.skip(path, err)
		// What was read before the error still counts.
	}
	for _, e := range entries {
		f.entry(filepath.Join(path, e.Name()), e, above)
	}
}

// maxDepth is how many directories may be inside each other.
const maxDepth = 64

func (f *finder) entry(path string, e fs.DirEntry, above []string) {
	if strings.HasPrefix(e.Name(), ".") {
		f.set.Ignored = append(f.set.Ignored, path)
		return
	}
	info, err := e.Info()
	if err == nil && e.Type()&fs.ModeSymlink != 0 {
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		f.skip(path, err)
	case info.IsDir():
		f.dir(path, above)
	case info.Mode().IsRegular():
		f.take(path, info, false)
	default:
		f.set.Skipped = append(f.set.Skipped, Skip{path, "is a " + describe(info.Mode()) + "; name it as a target if it should be read"})
	}
}

func (f *finder) skip(path string, err error) {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	f.set.Skipped = append(f.set.Skipped, Skip{path, err.Error()})
}

// take lists a file. named says that the user named it, or a glob did.
func (f *finder) take(path string, info fs.FileInfo, named bool) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		abs = resolved
	}
	if f.seen[abs] {
		return
	}
	f.seen[abs] = true
	place := ParsePlace(filepath.ToSlash(path))
	if place.outside(f.opt.Since, f.opt.Until, f.opt.Slack) {
		f.set.Pruned++
		f.set.PrunedBytes += info.Size()
		return
	}
	if !named && !looksLikeLog(path, info) {
		f.set.Ignored = append(f.set.Ignored, path)
		return
	}
	b := &Blob{
		Name: path, Size: info.Size(), ModTime: info.ModTime(), Place: place,
		inflated: f.opt.Inflated, length: -1, pipe: info.Mode()&fs.ModeNamedPipe != 0,
	}
	if b.pipe {
		b.Size = -1
	}
	f.set.Blobs = append(f.set.Blobs, b)
}

// logNames are the endings under which logs are kept.
var logNames = []string{".json", ".json.gz", ".json.zst", ".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".log", ".log.gz", ".gz", ".zst"}

// looksLikeLog says whether a file in a directory is worth reading: by its
// name, or because it starts as JSON or compressed data does.
func looksLikeLog(path string, info fs.FileInfo) bool {
	name := strings.ToLower(info.Name())
	if slices.ContainsFunc(logNames, func(s string) bool { return strings.HasSuffix(name, s) }) {
		return true
	}
	file, err := os.Open(path) //nolint:gosec // a file below a target of the user
	if err != nil {
		return true // so that it is reported when it is opened
	}
	defer func() { _ = file.Close() }()
	head := make([]byte, 512)
	n, err := io.ReadFull(file, head)
	if n == 0 {
		return err != nil && !errors.Is(err, io.EOF)
	}
	head = head[:n]
	if compression(head) != plain {
		return true
	}
	text := strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n")
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")
}

func describe(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
