package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// encode is v as JSON without a line break, without the escapes for HTML, and
// fit for a terminal.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode result: %w", err)
	}
	return safe.JSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// json writes {"version":1,"messages":[…]}, one message a line. A rule is sent
// once, before the first alert that needs it.
type jsonWriter struct {
	*printer
	started bool
	rules   map[string]bool
}

func newJSON(p *printer, _ Options) Writer { return &jsonWriter{printer: p, rules: map[string]bool{}} }

func (w *jsonWriter) Write(m lamina.Message) error {
	if m.Alert != nil {
		if r := m.Alert.Rule; !w.rules[r.ID] {
			w.rules[r.ID] = true
			if err := w.one(lamina.Message{Rule: &r}); err != nil {
				return err
			}
		}
		a := *m.Alert
		a.Rule = lamina.RuleRef{ID: a.Rule.ID, File: a.Rule.File, Name: a.Rule.Name, Type: a.Rule.Type}
		m.Alert = &a
	}
	if m.Rule != nil {
		if w.rules[m.Rule.ID] {
			return nil
		}
		w.rules[m.Rule.ID] = true
	}
	return w.one(m)
}

func (w *jsonWriter) one(m lamina.Message) error {
	b, err := encode(m)
	if err != nil {
		return err
	}
	w.open()
	if w.started {
		w.str(",")
	}
	w.started = true
	w.str("\n")
	w.bytes(b)
	return w.err
}

func (w *jsonWriter) open() {
	if w.n == 0 {
		w.str(fmt.Sprintf(`{"version":%d,"messages":[`, lamina.MessageVersion))
	}
}

func (w *jsonWriter) Close() error {
	w.open()
	w.str("\n]}\n")
	return w.flush()
}

// An alertLine is an alert in ndjson: flat, and with nothing in it that differs
// between two runs over the same input.
type alertLine struct {
	RuleID       string              `json:"rule.id"`
	RuleFile     string              `json:"rule.file"`
	RuleName     string              `json:"rule.name"`
	Severity     lamina.Severity     `json:"severity"`
	RiskScore    int                 `json:"risk_score"`
	EventIDs     []string            `json:"event.ids"`
	Values       map[string][]string `json:"values"`
	AlertID      string              `json:"alert.id"`
	OriginalTime *time.Time          `json:"original_time"`
	Reason       string              `json:"reason"`
	File         string              `json:"file"`
	Offset       int64               `json:"offset"`
	Grant        *lamina.GrantWindow `json:"grant,omitempty"`
}

// ndjson writes bare results: alerts as alertLine, everything else as its own
// type marshals. Results under an exception are left out, and so is the frame of the
// stream.
type ndjsonWriter struct{ *printer }

func newNDJSON(p *printer, _ Options) Writer { return ndjsonWriter{p} }

func (w ndjsonWriter) Write(m lamina.Message) error {
	var v any
	switch {
	case m.Alert != nil && m.Alert.Exception == nil:
		v = lineOf(m.Alert)
	case m.Finding != nil && m.Finding.Exception == nil:
		v = m.Finding
	case m.Exposure != nil:
		v = m.Exposure
	case m.Answer != nil:
		v = m.Answer
	case m.Plan != nil:
		v = m.Plan
	default:
		return w.err
	}
	b, err := encode(v)
	if err != nil {
		return err
	}
	w.bytes(b)
	w.str("\n")
	return w.err
}

func (w ndjsonWriter) Close() error { return w.flush() }

func lineOf(a *lamina.Alert) alertLine {
	l := alertLine{
		RuleID: a.Rule.ID, RuleFile: a.Rule.File, RuleName: a.Rule.Name,
		Severity: a.Severity, RiskScore: a.RiskScore,
		EventIDs: a.EventIDs, Values: a.Values, AlertID: a.ID,
		Reason: a.Reason, File: a.File, Offset: a.Offset, Grant: a.Grant,
	}
	if l.EventIDs == nil {
		l.EventIDs = []string{}
	}
	if l.Values == nil {
		l.Values = map[string][]string{}
	}
	if !a.OriginalTime.IsZero() {
		t := a.OriginalTime.UTC()
		l.OriginalTime = &t
	}
	return l
}

// Limits of Read. A message is at most as long as the longest record plus its
// rule; a stream names at most as many rules as anyone has.
const (
	maxMessage = 16 << 20
	maxRules   = 100_000
)

// ErrFormat is what errors of Read are when the input is not a saved stream.
var ErrFormat = errors.New("not a saved result of lamina")

// Read calls f with each message of a document that the json format wrote, with
// the rules of alerts filled in again. It accepts MessageVersion and the two
// versions before. A stream without its Summary was cut short and is an error.
func Read(r io.Reader, f func(lamina.Message) error) error {
	lr := &budget{r: r, left: maxMessage}
	d := json.NewDecoder(lr)
	d.UseNumber() // numbers of event documents keep all their digits
	var version json.Number
	if err := expect(d, json.Delim('{'), "version"); err != nil {
		return err
	}
	if err := d.Decode(&version); err != nil {
		return fmt.Errorf("%w: version: %w", ErrFormat, err)
	}
	v, err := version.Int64()
	if err != nil || v > lamina.MessageVersion || v < max(1, lamina.MessageVersion-2) {
		return fmt.Errorf("message version %s is not one this lamina reads (%d to %d)",
			version, max(1, lamina.MessageVersion-2), lamina.MessageVersion)
	}
	if err := expect(d, "messages", json.Delim('[')); err != nil {
		return err
	}
	rules := map[string]lamina.RuleRef{}
	var last lamina.Message
	for n := 1; d.More(); n++ {
		lr.left = maxMessage
		var m lamina.Message
		if err := d.Decode(&m); err != nil {
			return fmt.Errorf("%w: message %d: %w", ErrFormat, n, err)
		}
		if err := check(m, n, last.Summary != nil); err != nil {
			return fmt.Errorf("%w: message %d: %w", ErrFormat, n, err)
		}
		last = m
		if m.Rule != nil {
			if len(rules) == maxRules {
				return fmt.Errorf("%w: more than %d rules", ErrFormat, maxRules)
			}
			rules[m.Rule.ID] = *m.Rule
			continue
		}
		if m.Alert != nil {
			if full, ok := rules[m.Alert.Rule.ID]; ok {
				m.Alert.Rule = full
			}
		}
		if err := f(m); err != nil {
			return err
		}
	}
	if last.Summary == nil {
		return fmt.Errorf("%w: it ends without a summary: the run that wrote it was cut short", ErrFormat)
	}
	lr.left = maxMessage
	return expect(d, json.Delim(']'), json.Delim('}'))
}

// expect reads tokens that must be the given ones: delimiters and keys.
func expect(d *json.Decoder, want ...any) error {
	for _, w := range want {
		got, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if got != w {
			return fmt.Errorf("%w: want %v at offset %d, got %v", ErrFormat, w, d.InputOffset(), got)
		}
	}
	return nil
}

// check holds the laws of a stream that a reader could be hurt by.
func check(m lamina.Message, n int, ended bool) error {
	set := 0
	for _, b := range []bool{
		m.Version != nil, m.Rule != nil, m.Content != nil, m.Layer != nil, m.Package != nil, m.Alert != nil, m.Finding != nil, m.Exposure != nil, m.Answer != nil,
		m.Plan != nil, m.Skipped != nil, m.Warning != nil, m.Summary != nil,
	} {
		if b {
			set++
		}
	}
	switch {
	case set != 1:
		return fmt.Errorf("want exactly one kind of message, got %d", set)
	case (n == 1) != (m.Version != nil):
		return errors.New("want the version first and once")
	case ended:
		return errors.New("the summary is not the last message")
	case m.Alert != nil:
		return checkSeverity(m.Alert.Severity)
	case m.Exposure != nil:
		return checkSeverity(m.Exposure.Severity)
	case m.Finding != nil:
		if err := checkOutcome(m.Finding.Outcome); err != nil {
			return err
		}
		return checkSeverity(m.Finding.Severity)
	case m.Answer != nil:
		return checkOutcome(m.Answer.Outcome)
	}
	return nil
}

func checkSeverity(s lamina.Severity) error {
	_, err := lamina.ParseSeverity(string(s))
	return err
}

func checkOutcome(o lamina.Outcome) error {
	if !o.Valid() {
		return fmt.Errorf("unknown outcome %q", o)
	}
	return nil
}

// A budget is a reader that gives up when one message takes too many bytes.
type budget struct {
	r    io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("a message is longer than %d MiB", maxMessage>>20)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
