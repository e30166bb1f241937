// Package sensor is what the Lambda extension sees from inside a running
// function: which environment variables change what runs, and which files lie
// under /opt.
//
// It imports the standard library only, so that the extension stays small. It
// reads and reports; it changes nothing and blocks nothing. Values are shown
// only of the variables that name code to run; of all others only that they
// are set. So far it looks once and does not register with the Extensions API:
// processes, connections and changes over time are not seen. Start with Look.
package sensor

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Version is the version of the Report's form.
const Version = 1

// A Report is one look.
type Report struct {
	Version int       `json:"version"`
	Time    time.Time `json:"time"`
	// Variables are those set that can change what runs, sorted by name.
	Variables []Variable `json:"variables"`
	// Others counts the variables that cannot; they are not named.
	Others int `json:"other_variables"`
	// Files counts the regular files under the root, Bytes their sizes.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
	// Digest is the SHA-256 over path, mode, size and content of all files, in
	// the order of their paths: the same /opt has the same digest.
	Digest string `json:"digest"`
	// Extensions are the entries of extensions/, which run before the runtime.
	Extensions []string `json:"extensions"`
	// Unread says what could not be read. The digest is "" then.
	Unread []string `json:"unread,omitempty"`
}

// A Variable is one environment variable that can change what runs.
type Variable struct {
	Name string `json:"name"`
	// Value is cut to 256 bytes.
	Value string `json:"value"`
}

// loaders are the variables by which code from /opt gets to run without the
// function's code naming it. Lambda lets a function set all of them
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
var loaders = []string{
	"AWS_LAMBDA_EXEC_WRAPPER", "DOTNET_STARTUP_HOOKS", "GEM_PATH", "JAVA_TOOL_OPTIONS", "LD_AUDIT", "LD_LIBRARY_PATH",
	"LD_PRELOAD", "NODE_OPTIONS", "NODE_PATH", "PATH", "PERL5OPT", "PYTHONPATH", "PYTHONSTARTUP", "RUBYLIB", "RUBYOPT",
}

// Limits of one look: an /opt beyond them is reported as unread.
const (
	maxFiles    = 100_000
	maxBytes    = 512 << 20
	maxValue    = 256
	maxUnread   = 20
	unreadAbove = "more than the sensor reads"
)

// Look reports on the environment, as os.Environ gives it, and the files of opt.
func Look(now time.Time, environ []string, opt fs.FS) Report {
	r := Report{Version: Version, Time: now.UTC(), Variables: []Variable{}, Extensions: []string{}}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !slices.Contains(loaders, name) {
			r.Others++
			continue
		}
		r.Variables = append(r.Variables, Variable{name, strings.ToValidUTF8(value[:min(len(value), maxValue)], "")})
	}
	slices.SortFunc(r.Variables, func(a, b Variable) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	r.files(opt)
	return r
}

func (r *Report) files(opt fs.FS) {
	h := sha256.New()
	err := fs.WalkDir(opt, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			r.unread(name, err)
			return nil
		case path.Dir(name) == "extensions" && !d.IsDir():
			r.Extensions = append(r.Extensions, path.Base(name))
		}
		if d.IsDir() {
			return nil
		}
		i, err := d.Info()
		if err != nil {
			r.unread(name, err)
			return nil
		}
		fmt.Fprintf(h, "%q %s %d\n", name, i.Mode(), i.Size())
		if !i.Mode().IsRegular() {
			return nil // links and the like count by name only
		}
		r.Files++
		r.Bytes += i.Size()
		if r.Files > maxFiles || r.Bytes > maxBytes {
			return errors.New(unreadAbove)
		}
		if err := read(h, opt, name, i.Size()); err != nil {
			r.unread(name, err)
		}
		return nil
	})
	if err != nil {
		r.unread(".", err)
	}
	if r.Unread == nil {
		r.Digest = hex.EncodeToString(h.Sum(nil))
	}
}

func read(w io.Writer, opt fs.FS, name string, size int64) error {
	f, err := opt.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, io.LimitReader(f, size))
	return errors.Join(err, f.Close())
}

func (r *Report) unread(name string, err error) {
	if len(r.Unread) < maxUnread {
		r.Unread = append(r.Unread, fmt.Sprintf("%q: %s", name, err))
	}
}

// WriteTo writes the report as one line of JSON.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("sensor: %w", err)
	}
	n, err := w.Write(append(line, '\n'))
	if err != nil {
		return int64(n), fmt.Errorf("sensor: %w", err)
	}
	return int64(n), nil
}
