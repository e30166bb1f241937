package collect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// Zips keeps zips by the digest that AWS states of them, SHA-256 in base64.
type Zips interface {
	// Has reports whether the zip is kept: it is not fetched again.
	Has(sum string) (bool, error)
	// Put keeps the size bytes that r gives if they have the digest, and nothing
	// otherwise.
	Put(sum string, size int64, r io.Reader) error
}

// fetchAttempts is how often a zip is fetched whose transfer breaks off.
const fetchAttempts = 3

// zip fetches the zip of a layer version, unless it is kept: the content of a
// digest is fetched once ever. at is where it is, the zero value when that is to be asked.
func (d *reader) zip(ctx context.Context, v lamina.LayerVersion, at awsread.Location) {
	if d.run.Zips == nil || v.CodeSHA256 == "" { // without a digest it was not described, which is a gap of its own
		return
	}
	d.note(awsread.Content, v.ARN, d.fetch(ctx, v.ARN, v.CodeSHA256, v.CodeSize, func() (awsread.Location, error) {
		if at != (awsread.Location{}) {
			return at, nil
		}
		_, at, err := d.client.Locate(ctx, v.ARN)
		return at, err
	}))
}

// code fetches the own package of each function and version, once a digest. Those
// of container images are in a registry.
func (d *reader) code(ctx context.Context, functions []lamina.Function) {
	if d.run.Zips == nil || !d.run.FunctionCode {
		return
	}
	for _, f := range functions {
		if f.PackageType == "Image" || ctx.Err() != nil {
			continue
		}
		err := d.fetch(ctx, f.ARN, f.CodeSHA256, f.CodeSize, func() (awsread.Location, error) { return d.client.LocateFunction(ctx, f) })
		if e, ok := errors.AsType[*awsread.Error](err); ok && e.Action == "lambda:GetFunction" {
			d.note(e.Action, f.ARN, err)
			continue
		}
		d.note("lambda:GetFunction", f.ARN, nil)
		d.note(awsread.Content, f.ARN, err)
	}
}

// fetch keeps the zip of the resource, which locate finds, unless it is kept.
func (d *reader) fetch(ctx context.Context, resource, sum string, size int64, locate func() (awsread.Location, error)) error {
	lock := d.run.lockOf(sum)
	lock.Lock()
	defer lock.Unlock()
	if kept, err := d.run.Zips.Has(sum); kept || err != nil {
		return unplaced(err)
	}
	at, err := locate()
	if err != nil {
		return err
	}
	for range fetchAttempts {
		var r io.ReadCloser
		if r, err = d.client.Fetch(ctx, resource, at, size); err == nil {
			err = errors.Join(d.run.Zips.Put(sum, size, r), r.Close())
		}
		if err == nil || ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) { // then nothing is at that place any more
			break
		}
	}
	return unplaced(err)
}

// unplaced takes the name of a file out of an error: a snapshot names no places of
// the machine that made it.
func unplaced(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("the zip could not be kept: %w", e.Err)
	}
	return err
}

// lockOf is what is held while the zip with the digest is fetched: two targets
// may have a layer version of the same content.
func (r *run) lockOf(sum string) *sync.Mutex {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fetching[sum] == nil {
		r.fetching[sum] = &sync.Mutex{}
	}
	return r.fetching[sum]
}
