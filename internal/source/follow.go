package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// FollowOptions say how often to look. The zero value looks once a second.
type FollowOptions struct {
	// Interval is the time between looks, a second if 0.
	Interval time.Duration
	// Ticks replaces the clock: one look for each value.
	Ticks <-chan time.Time
	// Settle is how many looks in a row must see the same size and time before
	// a file that is not appended to by lines counts as written, 2 if 0.
	Settle int
	// Skipped is called once for each file that cannot be followed. It may be nil.
	Skipped func(Skip)
}

// A Follower finds new files, and new bytes of files that grow.
//
// A file of lines, one JSON value each, is given line by line: a Blob ends
// after the last line feed seen, so a record that is still being written is
// never cut; the rest is given when it ends like JSON and has settled. Any other
// file (compressed, indented, one long line) is given whole when it has settled.
// A file that shrinks, or whose first bytes change, is read again from its
// start; a file that is renamed is not.
//
// It polls: events of a file system are lost on network shares and differ by
// system, and a second is little beside the minutes of CloudTrail's delivery.
type Follower struct {
	targets []string
	find    Options
	opt     FollowOptions
	ticks   <-chan time.Time
	stop    func()
	states  map[string]*followed
	queue   []*Blob
	told    map[Skip]bool
	first   bool
}

// followed is how far one file was given.
type followed struct {
	info   os.FileInfo // at the last look
	offset int64       // bytes given so far
	same   int         // looks in a row that saw no change
	shape  shape
	head   []byte // first bytes, to see that it is still the same file
}

type shape uint8

const (
	undecided shape = iota
	lines
	whole
	packed
)

const (
	headBytes  = 256
	shapeBytes = 1 << 20 // within which the first line must end
)

// Follow begins to follow targets, which are as for Find but for "-". Close ends it.
func Follow(targets []string, find Options, opt FollowOptions) *Follower {
	if opt.Interval <= 0 {
		opt.Interval = time.Second
	}
	if opt.Settle <= 0 {
		opt.Settle = 2
	}
	if find.Inflated == 0 {
		find.Inflated = DefaultInflated
	}
	f := &Follower{
		targets: targets, find: find, opt: opt, ticks: opt.Ticks, stop: func() {},
		states: map[string]*followed{}, told: map[Skip]bool{}, first: true,
	}
	if f.ticks == nil {
		t := time.NewTicker(opt.Interval)
		f.ticks, f.stop = t.C, t.Stop
	}
	return f
}

// Close stops the clock.
func (f *Follower) Close() { f.stop() }

// Next waits for the next Blob. It returns the context's error when that is
// cancelled, and an error of Find when a target is missing at the first look.
func (f *Follower) Next(ctx context.Context) (*Blob, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(f.queue) > 0 {
			b := f.queue[0]
			f.queue = f.queue[1:]
			return b, nil
		}
		if !f.first {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case _, ok := <-f.ticks:
				if !ok {
					return nil, io.EOF
				}
			}
		}
		if err := f.look(ctx); err != nil {
			return nil, err
		}
		f.first = false
	}
}

func (f *Follower) skip(s Skip) {
	if !f.told[s] {
		f.told[s] = true
		if f.opt.Skipped != nil {
			f.opt.Skipped(s)
		}
	}
}

// look fills the queue with what is new.
func (f *Follower) look(ctx context.Context) error {
	set, err := Find(ctx, f.targets, f.find)
	var gone *TargetError
	switch {
	case err == nil:
	case !f.first && errors.As(err, &gone) && errors.Is(err, os.ErrNotExist):
		return nil
	default:
		return err
	}
	for _, s := range set.Skipped {
		f.skip(s)
	}
	infos := make(map[string]os.FileInfo, len(set.Blobs))
	for _, b := range set.Blobs {
		if b.pipe {
			f.skip(Skip{b.Name, "only files and directories can be followed"})
			continue
		}
		info, err := os.Stat(b.Name)
		if err != nil {
			continue // gone since Find saw it
		}
		infos[b.Name] = info
	}
	f.rename(infos)
	for _, b := range set.Blobs {
		if info := infos[b.Name]; info != nil {
			if err := f.poll(b, info); err != nil {
				f.skip(Skip{b.Name, err.Error()})
			}
		}
	}
	return nil
}

// rename gives states to the names under which their files are now, and drops
// those whose files are gone.
func (f *Follower) rename(infos map[string]os.FileInfo) {
	moved := map[string]*followed{}
	for name, st := range f.states {
		if info := infos[name]; info != nil && os.SameFile(info, st.info) {
			moved[name] = st
		}
	}
	for name, info := range infos {
		if moved[name] != nil {
			continue
		}
		for old, st := range f.states {
			if moved[old] != st && os.SameFile(info, st.info) {
				moved[name] = st
				break
			}
		}
	}
	f.states = moved
}

// poll compares one file with what is known of it, and queues what is new.
func (f *Follower) poll(b *Blob, info os.FileInfo) error {
	st := f.states[b.Name]
	if st == nil {
		st = &followed{}
		f.states[b.Name] = st
	}
	changed := st.info == nil || info.Size() != st.info.Size() || !info.ModTime().Equal(st.info.ModTime())
	st.info = info
	if st.same++; changed {
		st.same = 1
	}
	if info.Size() == st.offset && !changed || info.Size() == 0 {
		return nil
	}
	file, err := os.Open(b.Name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if changed {
		head := make([]byte, headBytes)
		n, err := file.ReadAt(head, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		head = head[:n]
		if info.Size() < st.offset || !bytes.HasPrefix(head, st.head) {
			st.offset, st.shape = 0, undecided
		}
		st.head = head
	}
	if st.shape == undecided {
		if st.shape, err = shapeOf(file, info.Size()); err != nil {
			return err
		}
	}
	settled := st.same >= f.opt.Settle
	end := st.offset
	switch st.shape {
	case lines:
		if end, err = lastLine(file, st.offset, info.Size()); err != nil {
			return err
		}
		if settled && end == st.offset && endsLikeJSON(file, info.Size()) {
			end = info.Size()
		}
	case undecided, whole, packed:
		if settled {
			end = info.Size()
		}
	}
	if end <= st.offset {
		return nil
	}
	part := *b
	part.Offset, part.length = st.offset, end-st.offset
	part.Size = part.length
	st.offset = end
	f.queue = append(f.queue, &part)
	return nil
}

// shapeOf looks at the start of a file.
func shapeOf(file io.ReaderAt, size int64) (shape, error) {
	head := make([]byte, min(size, shapeBytes))
	n, err := file.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return undecided, err
	}
	head = head[:n]
	if compression(head) != plain {
		return packed, nil
	}
	line, _, ok := bytes.Cut(head, []byte{'\n'})
	if !ok {
		if size > shapeBytes {
			return whole, nil
		}
		return undecided, nil
	}
	if line = bytes.TrimSpace(line); len(line) > 1 && likeEnd(line[len(line)-1]) {
		return lines, nil
	}
	return whole, nil
}

func likeEnd(c byte) bool { return c == '}' || c == ']' }

// endsLikeJSON reports whether the last byte that is no white space could end
// an object or list.
func endsLikeJSON(file io.ReaderAt, size int64) bool {
	tail := make([]byte, min(size, headBytes))
	n, err := file.ReadAt(tail, size-int64(len(tail)))
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	tail = bytes.TrimSpace(tail[:n])
	return len(tail) > 0 && likeEnd(tail[len(tail)-1])
}

// lastLine returns the offset after the last line feed between from and to, or
// from if there is none.
func lastLine(file io.ReaderAt, from, to int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for to > from {
		start := max(from, to-int64(len(buf)))
		n, err := file.ReadAt(buf[:to-start], start)
		if err != nil && !errors.Is(err, io.EOF) {
			return from, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		to = start
	}
	return from, nil
}
