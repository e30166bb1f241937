// Package report writes the message stream: text for people, json, ndjson, sarif,
// markdown and ecs for programs. Each format is one reader of lamina.Message and
// gives the same bytes for the same stream; Read turns saved json back into the
// stream, so that any result can be rendered again in another format.
//
// It decides nothing: which results are shown, which exit code follows and what
// goes to standard error is internal/cli's. It opens no network and asks no
// clock. Every string from outside passes internal/safe on its way out.
//
// Call New for each output, write the stream, Close. Create gives a file that
// appears only when it is whole.
package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lamina-sec/lamina"
)

// A Writer is one output of the stream. The first message is a Version and the
// last a Summary. Close ends the document and flushes; it does not close what
// the Writer writes to. A Writer keeps nothing of a message after Write returns.
type Writer interface {
	Write(m lamina.Message) error
	Close() error
}

// Options say how to show a stream; formats for programs ignore most of them.
type Options struct {
	// Width is the number of columns text is wrapped to and a table is cut to, 80
	// if 0. Words of a text that are longer (an ARN) are never broken, so that they
	// can be copied. Rows of a table are not cut at Unlimited.
	Width int
	// Color allows ANSI colours in text.
	Color bool
	// Verbose shows passed and not applicable findings in text and markdown.
	Verbose bool
	// MaxBytes caps markdown; 0 means 60,000, below the 65,536 characters GitHub
	// takes for a comment.
	MaxBytes int
	// Live writes each message through at once, for a stream that goes on for
	// long; json and sarif, which are one document, still end only at Close.
	Live bool
	// Explain is what "lamina explain ID" needs beside the id of an alert to
	// find it again: the files that were read, and flags. Text ends with the
	// command; without Explain it does not.
	Explain []string
	// Next are commands that show more of the same, each with a comment after
	// " # "; text ends with them.
	Next []string
	// Now is @timestamp of ecs alerts. When it is zero the time of the event is
	// used, so that the same input gives the same bytes.
	Now time.Time
}

// Unlimited is a width for what no terminal shows.
const Unlimited = 1 << 20

// A Format is a format's name and what it is for.
type Format struct {
	Name string
	Doc  string
	make func(*printer, Options) Writer
}

// Formats lists the formats in the order of the help text.
func Formats() []Format {
	return []Format{
		{"text", "for people; the default", newText},
		{"table", "a line a result: severity, what, where, id", newTable},
		{"json", "the whole stream as one versioned document; lamina render reads it", newJSON},
		{"ndjson", "bare results, one a line", newNDJSON},
		{"sarif", "SARIF 2.1.0, for code scanning", newSARIF},
		{"markdown", "a comment on a pull request, at most 60,000 bytes", newMarkdown},
		{"cyclonedx", "the packages as a CycloneDX 1.6 bill of materials", newCycloneDX},
		{"spdx", "the packages as an SPDX 2.3 bill of materials", newSPDX},
		{"junit", "XML that CI systems show as tests", newJUnit},
		{"html", "one self-contained page for people, to read or print", newHTML},
		{"github", "annotations of a GitHub workflow run; --ci writes them there by itself", newGitHub},
		{"csv", "a row a result, for spreadsheets", newCSV},
		{"ocsf", "OCSF 1.3.0 findings, an event a line", newOCSF},
		{"asff", "AWS Security Hub findings, an import of up to 100 a line", newASFF},
		{"ecs", "alerts as Elasticsearch's _bulk takes them (kibana.alert.*)", newECS},
	}
}

// An UnknownFormatError is a format name that New does not know.
type UnknownFormatError struct{ Name string }

func (e *UnknownFormatError) Error() string { return fmt.Sprintf("unknown format %q", e.Name) }

// New returns a Writer of the named format to w.
func New(format string, w io.Writer, o Options) (Writer, error) {
	formats := Formats()
	i := slices.IndexFunc(formats, func(f Format) bool { return f.Name == format })
	if i < 0 {
		return nil, &UnknownFormatError{format}
	}
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 60_000
	}
	p := &printer{w: bufio.NewWriter(w)}
	if o.Live {
		return live{formats[i].make(p, o), p}, nil
	}
	return formats[i].make(p, o), nil
}

// A live Writer keeps nothing back.
type live struct {
	Writer
	p *printer
}

func (l live) Write(m lamina.Message) error {
	if err := l.Writer.Write(m); err != nil {
		return err
	}
	return l.p.w.Flush()
}

// Multi returns a Writer that passes each message to all of ws.
func Multi(ws ...Writer) Writer { return multi(ws) }

type multi []Writer

func (ws multi) Write(m lamina.Message) error {
	for _, w := range ws {
		if err := w.Write(m); err != nil {
			return err
		}
	}
	return nil
}

// Close closes all writers and returns the first error.
func (ws multi) Close() error {
	var first error
	for _, w := range ws {
		if err := w.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// A printer writes and remembers the first error, so that a format can be
// written without asking after each string.
type printer struct {
	w   *bufio.Writer
	n   int64 // bytes written
	err error
}

func (p *printer) str(ss ...string) {
	for _, s := range ss {
		if p.err != nil {
			return
		}
		var n int
		n, p.err = p.w.WriteString(s)
		p.n += int64(n)
	}
}

func (p *printer) bytes(b []byte) {
	if p.err == nil {
		var n int
		n, p.err = p.w.Write(b)
		p.n += int64(n)
	}
}

// flush ends the document.
func (p *printer) flush() error {
	if p.err == nil {
		p.err = p.w.Flush()
	}
	return p.err
}
