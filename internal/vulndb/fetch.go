package vulndb

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// MaxFetch is the size in bytes above which Fetch gives up a download.
const MaxFetch = 4 << 30

// Fetched is a file of a URL.
type Fetched struct {
	Path    string // of the file
	Size    int64
	Changed bool // it was downloaded now, not found as it was
}

// stamp is what is kept beside a file to ask whether it has changed.
type stamp struct {
	URL      string `json:"url"`
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"last_modified,omitempty"`
	Size     int64  `json:"size"`
	SHA256   string `json:"sha256"`
}

// Fetch brings the file at a URL (http or https) into the folder dir, unless the
// server says that it is the one already there. A file is whole or not there: it
// gets its name when all of it has come. limit is the largest size accepted.
// progress, if not nil, gets the bytes that have come and how many there will
// be, -1 if the server does not say.
func Fetch(ctx context.Context, client *http.Client, from, dir string, limit int64, progress func(done, total int64)) (Fetched, error) {
	u, err := url.Parse(from)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return Fetched{}, fmt.Errorf("%q is no URL of http or https", from)
	}
	shown := u.Redacted()
	sum := sha256.Sum256([]byte(from))
	// The folder has the name of the URL's, so that PyPI/all.zip keeps its place.
	folder := filepath.Join(dir, hex.EncodeToString(sum[:8]), plainName(path.Base(path.Dir(u.Path))))
	file := filepath.Join(folder, plainName(path.Base(u.Path)))
	stampFile := filepath.Join(dir, hex.EncodeToString(sum[:8]), "stamp.json")

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return Fetched{}, err
	}
	old, have := readStamp(stampFile, file, shown)
	if have {
		if old.ETag != "" {
			req.Header.Set("If-None-Match", old.ETag)
		}
		if old.Modified != "" {
			req.Header.Set("If-Modified-Since", old.Modified)
		}
	}
	// A copy of the client that does not leave https for http.
	c := *client
	c.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		switch {
		case len(via) >= 5:
			return errors.New("more than five redirects")
		case via[0].URL.Scheme == "https" && next.URL.Scheme != "https":
			return errors.New("a redirect from https to http")
		}
		return nil
	}
	resp, err := c.Do(req) //nolint:bodyclose // closed below, where there is one
	if err != nil {
		return Fetched{}, fmt.Errorf("fetch %s: %w", shown, bare(err))
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	switch {
	case resp.StatusCode == http.StatusNotModified && have:
		return Fetched{Path: file, Size: old.Size}, nil
	case resp.StatusCode != http.StatusOK:
		return Fetched{}, fmt.Errorf("fetch %s: the server answers %s", shown, resp.Status)
	case resp.ContentLength > limit:
		return Fetched{}, fmt.Errorf("fetch %s: %d bytes are above the limit of %d", shown, resp.ContentLength, limit)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return Fetched{}, err
	}
	h := sha256.New()
	body := &counter{r: io.LimitReader(resp.Body, limit+1)}
	var done int64
	body.count = func(n int) {
		if done += int64(n); progress != nil {
			progress(done, resp.ContentLength)
		}
	}
	// The stamp of the file before goes first: a stamp must never be of a file
	// that is not there.
	if err := os.Remove(stampFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Fetched{}, err
	}
	err = replaceFile(file, func(w io.Writer) error {
		n, err := io.Copy(io.MultiWriter(w, h), body)
		switch {
		case err != nil:
			return err
		case n > limit:
			return fmt.Errorf("above the limit of %d bytes", limit)
		case resp.ContentLength >= 0 && n != resp.ContentLength && !resp.Uncompressed:
			return io.ErrUnexpectedEOF
		}
		return nil
	})
	if err != nil {
		return Fetched{}, fmt.Errorf("fetch %s: %w", shown, err)
	}
	s := stamp{shown, resp.Header.Get("ETag"), resp.Header.Get("Last-Modified"), done, hex.EncodeToString(h.Sum(nil))}
	data, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = replaceFile(stampFile, func(w io.Writer) error { _, err := w.Write(append(data, '\n')); return err })
	}
	return Fetched{Path: file, Size: done, Changed: true}, err
}

// bare is an error of net/http without the URL, which may hold a password.
func bare(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

// readStamp returns what is known of a file, if it is there as it came.
func readStamp(stampFile, file, shown string) (stamp, bool) {
	data, err := os.ReadFile(stampFile) //nolint:gosec // in a folder of ours
	var s stamp
	if err != nil || json.Unmarshal(data, &s) != nil || s.URL != shown {
		return stamp{}, false
	}
	f, err := os.Open(file) //nolint:gosec // in a folder of ours
	if err != nil {
		return stamp{}, false
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil || n != s.Size || hex.EncodeToString(h.Sum(nil)) != s.SHA256 {
		return stamp{}, false
	}
	return s, true
}

// plainName is a part of a URL as a file name.
func plainName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x80 && plainID(string(r)) && r != '/' && r != ':' {
			return r
		}
		return '_'
	}, clip(s, 80))
	if s = strings.TrimLeft(s, "."); s == "" {
		return "file"
	}
	return s
}

// replaceFile gives name the content that write writes, or leaves it as it is.
func replaceFile(name string, write func(io.Writer) error) error {
	tmp := filepath.Join(filepath.Dir(name), ".lamina-"+rand.Text()+".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // advisories are public
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return nil
}

// Install writes a database to name, making its folder: all of it or nothing.
func Install(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	return replaceFile(name, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// NewClient is a client for Fetch: it waits for a first answer, not for a large
// file.
func NewClient() *http.Client {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Client{Timeout: 30 * time.Minute}
	}
	t = t.Clone()
	t.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: t}
}
