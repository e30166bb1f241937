// Package metricfilter is the filter pattern of a CloudWatch Logs metric filter:
// parsed, and tried on a log event.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
//
// An answer is Yes, No or Maybe: where AWS does not document what a pattern does
// with a value, or a pattern means something only to text that is not JSON, the
// answer is Maybe with the reason, and never a guess. What a pattern is for is
// not known here, and nothing is read from AWS. Start with Parse.
package metricfilter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An Answer is whether a pattern matches an event. Their order is that of and
// (the least) and or (the greatest).
type Answer int8

// The answers.
const (
	No Answer = iota
	Maybe
	Yes
)

// String is "no", "maybe" or "yes".
func (a Answer) String() string { return [...]string{"no", "maybe", "yes"}[a] }

// A Verdict is an answer and, of a Maybe, what it depends on.
type Verdict struct {
	Answer Answer
	Why    string
}

// An Event is a log event that patterns are tried on.
type Event struct {
	text string
	root any // nil when the event is no JSON object
}

// NewEvent reads a log event, which must be one JSON object.
func NewEvent(text []byte) (Event, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // as AWS, which compares the digits
	var root map[string]any
	if err := d.Decode(&root); err != nil {
		return Event{}, fmt.Errorf("log event: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Event{}, errors.New("log event: more than one JSON object")
	}
	return Event{text: string(text), root: root}, nil
}

// maxPattern is how long AWS lets a filter pattern be, in bytes.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
const maxPattern = 1024

// A Pattern is a parsed filter pattern. It may be used from many goroutines.
type Pattern struct{ root node }

// Parse reads a filter pattern: a JSON pattern in braces, terms, a regular
// expression between percent signs, or fields in brackets. What AWS accepted and
// Parse does not read is an error with the offset in bytes.
func Parse(text string) (*Pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("filter pattern: %d bytes: AWS allows %d", len(text), maxPattern)
	}
	p := &parser{text: text}
	p.space()
	var root node
	var err error
	switch {
	case p.done():
		root = everything{}
	case p.take("{"):
		root, err = p.or()
		if err == nil && !p.take("}") {
			err = p.wrong("want } or an operator")
		}
	case p.take("["):
		return &Pattern{fields{text}}, nil
	default:
		root, err = p.terms()
	}
	if err != nil {
		return nil, err
	}
	if p.space(); !p.done() {
		return nil, p.wrong("want the end of the pattern")
	}
	return &Pattern{root}, nil
}

// Match tries the pattern on an event.
func (p *Pattern) Match(e Event) Verdict { return p.root.match(e) }

// String prints the pattern with the parentheses it needs.
func (p *Pattern) String() string {
	switch root := p.root.(type) {
	case everything, terms, fields, expression:
		return root.String()
	default:
		return "{ " + root.String() + " }"
	}
}

// A node is a part of a pattern that is true of an event or not.
type node interface {
	match(e Event) Verdict
	String() string
}

type everything struct{}

func (everything) match(Event) Verdict { return Verdict{Answer: Yes} }
func (everything) String() string      { return "" }

// fields are a pattern for text whose fields lie between spaces.
type fields struct{ text string }

func (fields) match(Event) Verdict {
	return Verdict{Maybe, "the pattern counts fields between spaces, and how a JSON record is spaced is not known"}
}
func (f fields) String() string { return f.text }

// both and either are && and ||.
type (
	both   []node
	either []node
)

func (all both) match(e Event) Verdict {
	worst := Verdict{Answer: Yes}
	for _, n := range all {
		if v := n.match(e); v.Answer < worst.Answer {
			worst = v
		}
	}
	return worst
}

func (all both) String() string { return join(all, " && ") }

func (some either) match(e Event) Verdict {
	best := Verdict{Answer: No}
	for _, n := range some {
		if v := n.match(e); v.Answer > best.Answer {
			best = v
		}
	}
	return best
}

func (some either) String() string { return join(some, " || ") }

func join(nodes []node, op string) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(op)
		}
		if _, compound := n.(either); compound {
			b.WriteString("(" + n.String() + ")")
		} else {
			b.WriteString(n.String())
		}
	}
	return b.String()
}
