package cli

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lamina-sec/lamina/internal/report"
	"github.com/lamina-sec/lamina/internal/safe"
)

// document writes something that is not a message stream: a list, a schema, a
// page. write is called once for each -f with one of the formats given here, of
// which the first is the default. Formats of the settings are those of results
// and mean nothing here: only flags count.
func (a *app) document(formats []string, write func(format string, w io.Writer) error) error {
	asked := formats[:1]
	if a.flags.json || a.formatFlag() {
		var err error
		if asked, err = a.formats(); err != nil {
			return err
		}
	}
	outlets, err := a.route(asked)
	if err != nil {
		return err
	}
	for _, o := range outlets {
		if !slices.Contains(formats, o.format) {
			return usagef("use one of: "+strings.Join(formats, ", "), "this command does not write %s", o.format)
		}
		if o.file == "" {
			if err := write(o.format, a.std.Out); err != nil {
				return err
			}
			continue
		}
		f, err := report.Create(a.path(o.file))
		if err != nil {
			return a.outputError(o.file, err)
		}
		if err := write(o.format, f); err != nil {
			return errors.Join(err, f.Abort())
		}
		if err := f.Commit(); err != nil {
			return a.outputError(o.file, err)
		}
		a.note("wrote %s", o.file)
	}
	return nil
}

// writeJSON writes v indented by two spaces, fit for a terminal.
func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err := w.Write(safe.JSON([]byte(b.String())))
	return err
}

// writeCleanJSON is writeJSON without the credentials in its strings.
func writeCleanJSON(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if data, err = (cleaner{}).json(data); err != nil {
		return err
	}
	return writeJSON(w, json.RawMessage(data))
}

// writeCSV writes rows under a header as CSV (RFC 4180); no cell is a formula.
func writeCSV(w io.Writer, header []string, rows [][]string) error {
	c := csv.NewWriter(w)
	for _, row := range slices.Concat([][]string{header}, rows) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = safe.CSV(cell)
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// columns is the function columns with the last column wrapped to the width, if
// one is known: what goes to a file or a pipe stays one line a row.
func (a *app) columns(w io.Writer, header []string, rows [][]string) error {
	var b strings.Builder
	if err := columns(&b, header, rows); err != nil {
		return err
	}
	limit := a.knownWidth()
	if limit == 0 {
		_, err := io.WriteString(w, b.String())
		return err
	}
	// The last column begins where its header does, with what is before padded.
	at := 0
	for i := range len(header) - 1 {
		n := utf8.RuneCountInString(header[i])
		for _, row := range rows {
			n = max(n, utf8.RuneCountInString(safe.Line(row[i], 0)))
		}
		at += n + 2
	}
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		rs := []rune(strings.TrimSuffix(line, "\n"))
		if len(rs) <= limit || len(rs) <= at {
			out.WriteString(line)
			continue
		}
		head, rest := string(rs[:at]), string(rs[at:])
		indent := at
		if limit-at < narrow {
			out.WriteString(strings.TrimRight(head, " ") + "\n")
			indent = 4
			head = strings.Repeat(" ", indent)
		}
		for i, part := range a.fold(indent, rest) {
			if i > 0 {
				head = strings.Repeat(" ", indent)
			}
			out.WriteString(head + part + "\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// narrow is how few columns are too few to wrap a text in.
const narrow = 24

// fold cuts s, which safe has made one line, between words into lines that fit
// beside an indent, if a width is known. A word that is longer stays whole.
func (a *app) fold(indent int, s string) []string {
	limit := a.knownWidth() - indent
	if a.knownWidth() == 0 || utf8.RuneCountInString(s) <= limit {
		return []string{s}
	}
	var lines []string
	line := ""
	for word := range strings.SplitSeq(s, " ") {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > limit {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// columns writes rows under a header in columns two spaces apart; cells are made
// safe here. The last column is not padded, so it may be long.
func columns(w io.Writer, header []string, rows [][]string) error {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(safe.Line(c, 0)))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, c := range row {
			c = safe.Line(c, 0)
			line.WriteString(c)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+2))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
