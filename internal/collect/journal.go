package collect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// journalLine is more than one entry of a journal may hold.
const journalLine = 1 << 30

// A Header is the first line of a journal: which run it is of.
type Header struct {
	Journal int       `json:"lamina_collect_journal"` // 1
	Now     time.Time `json:"now"`
	// Asked is what the run was asked for; a run that asks for something else
	// cannot go on with the journal.
	Asked string `json:"asked"`
}

// WriteHeader begins a journal.
func WriteHeader(w io.Writer, h Header) error {
	h.Journal = 1
	return writeLine(w, h)
}

// WriteEntry appends to a journal. An entry is one line, so that a run that is
// killed while it writes loses that line and no other.
func WriteEntry(w io.Writer, e Entry) error { return writeLine(w, e) }

func writeLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// ReadJournal reads a journal. A last line that was not written to its end is
// left out, anything else that is no journal is an error; size is how many bytes
// were good, where the journal is to be continued.
func ReadJournal(r io.Reader) (h Header, entries []Entry, size int64, err error) {
	br := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := readLine(br)
		switch {
		case errors.Is(err, io.EOF) && number > 1:
			return h, entries, size, nil
		case err != nil:
			return h, nil, 0, fmt.Errorf("line %d: %w", number, err)
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if number == 1 {
			if err := d.Decode(&h); err != nil || h.Journal != 1 {
				return h, nil, 0, errors.New("line 1: no journal of lamina collect")
			}
		} else {
			var e Entry
			if err := d.Decode(&e); err != nil {
				return h, nil, 0, fmt.Errorf("line %d: %w", number, err)
			}
			entries = append(entries, e)
		}
		size += int64(len(line))
	}
}

// readLine returns a line with its end; a line without one is no line.
func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > journalLine:
			return nil, errors.New("the line is too long")
		}
	}
}
