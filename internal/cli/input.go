package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina/internal/source"
)

// errBig is a file beyond the limit of its kind.
var errBig = errors.New("is too large")

// errNoFile is something that has a name and is no file.
var errNoFile = errors.New("is no file")

// openInput opens a file that the user named. What is no file is refused before it
// is opened: a folder, a device, and a named pipe, which would wait for a writer for
// ever. The pipe of a shell's <(command) is fine, and so is the empty /dev/null.
func openInput(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	what := ""
	switch mode := info.Mode(); {
	case mode.IsRegular(), path == os.DevNull, mode&fs.ModeNamedPipe != 0 && handed(path):
	case mode.IsDir():
		what = "it is a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "it is a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "it is a socket"
	default:
		what = "it is a device"
	}
	if what != "" {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w: %s", errNoFile, what)}
	}
	return os.Open(path) //nolint:gosec // the user named this file
}

// handed reports whether the path is that of a file that the shell opened for us.
func handed(path string) bool {
	return strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/") || path == "/dev/stdin"
}

// readInput reads a file that the user named, of at most limit bytes: what the
// file system says of its size is not believed. A byte order mark, which Windows
// editors write, is left out.
func readInput(path string, limit int64) ([]byte, error) {
	f, err := openInput(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	switch {
	case int64(len(data)) > limit:
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%w: more than %d MiB", errBig, limit>>20)}
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is UTF-16 text; save it as UTF-8")}
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// keepInputs refuses to write a result over one of the files it is made from, the
// settings among them. inputs are as the user typed them.
func (a *app) keepInputs(inputs []string) error {
	inputs = append(slices.Clip(inputs), cmp.Or(a.flags.configFile, "lamina.toml"))
	outlets, err := a.outlets()
	if err != nil {
		return err
	}
	for _, o := range outlets {
		if o.file == "" {
			continue
		}
		if _, err := os.Stat(filepath.Dir(a.path(o.file))); err != nil {
			return a.outputError(o.file, err) // now, and not after the work is done
		}
		out, err := os.Stat(a.path(o.file))
		if err != nil || !out.Mode().IsRegular() {
			continue // it is made new, or cannot be replaced
		}
		for _, name := range inputs {
			if in, err := os.Stat(a.path(name)); err == nil && os.SameFile(in, out) {
				return usagef("give the result a name of its own", "writing %q would replace %q, which is being read", o.file, name)
			}
		}
	}
	return nil
}

// inputs are the files that detect reads.
func (a *app) inputs(blobs []*source.Blob) []string {
	var out []string
	for _, b := range blobs {
		if b.Name != source.Stdin {
			out = append(out, b.Name)
		}
	}
	for _, key := range []string{"rules", "exceptions", "publishers", "geoip_city", "geoip_asn"} {
		out = append(out, a.conf.list(key)...)
	}
	return out
}
