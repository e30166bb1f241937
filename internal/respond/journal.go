package respond

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lamina-sec/lamina"
)

// A Kind says what a journal entry records.
type Kind string

// The kinds, in the order in which a plan meets them.
const (
	Approved Kind = "approved"
	Doing    Kind = "doing"
	Failed   Kind = "failed"
	Done     Kind = "done"
	Verified Kind = "verified"
	Undoing  Kind = "undoing"
	Undone   Kind = "undone"
)

// An Entry is one line of the journal. Each line holds the SHA-256 of the line
// before, so that a line cannot be changed or taken out unseen.
type Entry struct {
	Seq  int       `json:"seq"` // from 1
	Time time.Time `json:"time"`
	Prev string    `json:"prev"` // hex SHA-256 of the line before, "" for the first
	Plan string    `json:"plan"`
	Kind Kind      `json:"kind"`
	// By and Digest are those of the approval.
	By     string `json:"by,omitempty"`
	Digest string `json:"digest,omitempty"`
	// Step counts from 1. Call is what is called, with its undo.
	Step int          `json:"step,omitempty"`
	Call *lamina.Step `json:"call,omitempty"`
	// State is a digest of the resource as it was read.
	State string `json:"state,omitempty"`
	Error string `json:"error,omitempty"`

	hash string
}

type journal struct {
	r    *Runner
	plan string
	seq  int
	prev string
}

func (j *journal) write(e Entry) error {
	e.Seq, e.Time, e.Prev, e.Plan = j.seq+1, j.r.Now().UTC(), j.prev, j.plan
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	line = append(line, '\n')
	if _, err := j.r.Journal.Write(line); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if s, ok := j.r.Journal.(interface{ Sync() error }); ok {
		if err := s.Sync(); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.seq, j.prev = e.Seq, digest(line)
	return nil
}

func digest(line []byte) string { return fmt.Sprintf("%x", sha256.Sum256(line)) }

// maxLine is how long a journal line may be.
const maxLine = 1 << 20

// ReadJournal reads and verifies a journal of one plan.
func ReadJournal(r io.Reader) ([]Entry, error) {
	var entries []Entry
	var prev string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	for lines.Scan() {
		n := len(entries) + 1
		var e Entry
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("journal line %d: %w", n, err)
		}
		if e.Seq != n || e.Prev != prev || e.Plan == "" || n > 1 && e.Plan != entries[0].Plan {
			return nil, fmt.Errorf("journal line %d: does not follow the line before: the journal was changed", n)
		}
		prev = digest(lines.Bytes())
		e.hash = prev
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("journal line %d: %w", len(entries)+1, err)
	}
	return entries, nil
}

// wholeLines splits after each newline, which belongs to the line's digest. A
// last line without one was cut off while it was written.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errors.New("the line is cut off")
	}
	return 0, nil, nil
}
