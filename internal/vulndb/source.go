package vulndb

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Limits of one source. The largest there is, npm of osv.dev, has about 220,000
// records and 400 MB.
const (
	maxFiles    = 5_000_000
	maxInflated = 16 << 30 // bytes of all files of an archive
)

// errRecord is a file above the limit of a record.
var errRecord = fmt.Errorf("above the limit of %d bytes for a record", MaxRecord)

// Read adds the records of a source: a folder or checkout of *.json, *.yaml and
// *.yml files, an archive of them (zip, as osv.dev exports, tar, tar.gz,
// tar.zst), or one record. Folders that begin with a dot are left out. What it
// finds in the source that cannot be read is quarantined; an error is returned
// when there is no source to read, or ctx is done. progress, if not nil, gets
// the number of bytes of the source that are read.
func (b *Builder) Read(ctx context.Context, name string, progress func(int64)) error {
	if progress == nil {
		progress = func(int64) {}
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	r := &reader{b: b, ctx: ctx, progress: progress, workers: make(chan struct{}, runtime.GOMAXPROCS(0))}
	defer r.finish()
	if info.IsDir() {
		b.Source(sourceName(name))
		root, err := os.OpenRoot(name)
		if err != nil {
			return err
		}
		defer root.Close() //nolint:errcheck // read only
		return r.folder(root.FS())
	}
	f, err := os.Open(name) //nolint:gosec // the user named this file
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	b.Source(sourceName(name))
	return r.file(f, info)
}

// sourceName is the last two parts of a path, so that PyPI/all.zip and
// npm/all.zip differ.
func sourceName(name string) string {
	if abs, err := filepath.Abs(name); err == nil {
		name = abs
	}
	name = filepath.ToSlash(name)
	if strings.HasPrefix(path.Base(name), "all.") {
		return path.Join(path.Base(path.Dir(name)), path.Base(name))
	}
	return path.Base(name)
}

// SourceSize is how many bytes Read will report of a source at its end.
func SourceSize(name string) (int64, error) {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return sizeOf(info), err
	}
	var total int64
	err = filepath.WalkDir(name, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // Read says what cannot be read
		}
		if hidden(d, p == name) {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && wanted(p) {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total, err
}

func sizeOf(info fs.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}

// hidden reports whether d is a folder that is not read.
func hidden(d fs.DirEntry, root bool) bool {
	return d.IsDir() && !root && strings.HasPrefix(d.Name(), ".")
}

// wanted reports whether a file may be a record.
func wanted(name string) bool {
	switch path.Ext(filepath.ToSlash(name)) {
	case ".json", ".yaml", ".yml":
		return true
	}
	return false
}

// hiddenPath reports whether a name in an archive is in a folder that is not
// read.
func hiddenPath(name string) bool {
	for part := range strings.SplitSeq(path.Dir(path.Clean(name)), "/") {
		if strings.HasPrefix(part, ".") && part != "." && part != ".." {
			return true
		}
	}
	return false
}

// A reader reads one source.
type reader struct {
	b        *Builder
	ctx      context.Context //nolint:containedctx // lives as long as the call of Read
	progress func(int64)
	read     int64
	files    int
	queue    []*job
	queued   int // bytes
	workers  chan struct{}
}

// A job is a file that is being parsed.
type job struct {
	file string
	size int
	done chan struct{} // closed when record and err are set
	held
	err error
}

// Limits of what is parsed at once.
const (
	maxJobs     = 64
	maxJobBytes = 64 << 20
)

// add parses a file beside the reading. The Builder takes the records in the
// order of the files all the same.
func (r *reader) add(file string, data []byte) {
	j := &job{file: file, size: len(data), done: make(chan struct{})}
	r.enqueue(j)
	r.workers <- struct{}{}
	go func() {
		defer func() { <-r.workers; close(j.done) }()
		j.held, j.err = parseFile(file, data)
	}()
}

// refuse quarantines a file, in its place.
func (r *reader) refuse(file string, err error) {
	j := &job{file: file, err: err, done: make(chan struct{})}
	close(j.done)
	r.enqueue(j)
}

func (r *reader) enqueue(j *job) {
	for len(r.queue) > 0 && (len(r.queue) >= maxJobs || r.queued+j.size > maxJobBytes) {
		r.take()
	}
	r.queue = append(r.queue, j)
	r.queued += j.size
}

// take gives the first file of the queue to the Builder.
func (r *reader) take() {
	j := r.queue[0]
	r.queue = r.queue[1:]
	r.queued -= j.size
	<-j.done
	r.b.take(j.file, j.held, j.err)
}

// finish waits for all files.
func (r *reader) finish() {
	for len(r.queue) > 0 {
		r.take()
	}
}

// next counts one more file.
func (r *reader) next() error {
	if r.files++; r.files > maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	return r.ctx.Err()
}

func (r *reader) folder(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			if name == "." {
				return err
			}
			r.refuse(name, err)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case hidden(d, name == "."):
			return fs.SkipDir
		case d.IsDir() || !wanted(name):
			return nil
		case !d.Type().IsRegular():
			r.refuse(name, errors.New("not a regular file"))
			return nil
		}
		if err := r.next(); err != nil {
			return err
		}
		data, err := readRecord(func() (io.ReadCloser, error) { return fsys.Open(name) })
		if err != nil {
			r.refuse(name, err)
			return nil
		}
		r.add(name, data)
		r.read += int64(len(data))
		r.progress(r.read)
		return nil
	})
}

// readRecord reads a file of at most MaxRecord bytes.
func readRecord(open func() (io.ReadCloser, error)) ([]byte, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxRecord+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(data) > MaxRecord {
		return nil, errRecord
	}
	return data, nil
}

// file reads an archive or a record.
func (r *reader) file(f *os.File, info fs.FileInfo) error {
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	head = head[:n]
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("%s: not a file that can be read from its beginning: %w", info.Name(), err)
	}
	counted := &counter{r: f, count: func(n int) { r.read += int64(n); r.progress(r.read) }}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return r.zip(f, info.Size())
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(bufio.NewReaderSize(counted, 1<<16))
		if err != nil {
			return fmt.Errorf("%s: %w", info.Name(), err)
		}
		return r.stream(strings.TrimSuffix(info.Name(), ".gz"), z)
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(counted, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return fmt.Errorf("%s: %w", info.Name(), err)
		}
		defer z.Close()
		return r.stream(strings.TrimSuffix(info.Name(), ".zst"), z)
	}
	return r.stream(info.Name(), counted)
}

// stream reads a tar archive or a record.
func (r *reader) stream(name string, in io.Reader) error {
	br := bufio.NewReaderSize(in, 1<<16)
	head, err := br.Peek(512)
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return r.tar(br)
	}
	if !wanted(name) {
		return fmt.Errorf("%s: neither an archive of advisories (zip, tar, tar.gz, tar.zst) nor a .json or .yaml record", name)
	}
	data, err := readRecord(func() (io.ReadCloser, error) { return io.NopCloser(br), nil })
	if err != nil {
		r.refuse(name, err)
		return nil
	}
	r.add(name, data)
	return nil
}

func (r *reader) tar(in io.Reader) error {
	budget := &io.LimitedReader{R: in, N: maxInflated}
	t := tar.NewReader(budget)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			// What came before is good; that something is missing is counted.
			if budget.N <= 0 {
				err = fmt.Errorf("more than %d GiB", maxInflated>>30)
			}
			r.refuse("(the rest of the archive)", err)
			return r.ctx.Err()
		}
		if err := r.next(); err != nil {
			return err
		}
		if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader || !wanted(h.Name) || hiddenPath(h.Name) {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			r.refuse(h.Name, errors.New("not a regular file"))
			continue
		}
		data, err := readRecord(func() (io.ReadCloser, error) { return io.NopCloser(t), nil })
		if err != nil {
			r.refuse(h.Name, err)
			continue
		}
		r.add(h.Name, data)
	}
}

func (r *reader) zip(f io.ReaderAt, size int64) error {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return fmt.Errorf("read the zip archive: %w", err)
	}
	var inflated int64
	for _, e := range z.File {
		if err := r.next(); err != nil {
			return err
		}
		if strings.HasSuffix(e.Name, "/") || !wanted(e.Name) || hiddenPath(e.Name) {
			continue
		}
		if inflated > maxInflated {
			r.refuse("(the rest of the archive)", fmt.Errorf("more than %d GiB", maxInflated>>30))
			return nil
		}
		data, err := readRecord(e.Open)
		inflated += int64(len(data))
		r.read = min(size, r.read+int64(min(e.CompressedSize64, maxInflated)))
		r.progress(r.read)
		if err != nil {
			if errors.Is(err, errRecord) {
				inflated += MaxRecord
			}
			r.refuse(e.Name, err)
			continue
		}
		r.add(e.Name, data)
	}
	return nil
}

// A counter counts what is read through it.
type counter struct {
	r     io.Reader
	count func(int)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.count(n)
	return n, err
}
