package kql_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// A chunk is one test of the language; testdata/grammar.kqltest says how they
// are written.
type chunk struct {
	file, name string
	line       int      // of the query's first line
	point      []string // the four columns of #POINT or #DIFFERS
	differs    bool
	quirks     bool
	src        string
	wantErr    string
	errLine    int // in src, from 1
	canonical  *string
	match, not []string
}

func chunks(t *testing.T) []chunk {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.kqltest"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no language tests: %v", err)
	}
	var all []chunk
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := chunk{file: filepath.Base(file)}
		for i, line := range strings.Split(string(b), "\n") {
			if line == "---" {
				all = appendChunk(all, c)
				c = chunk{file: c.file}
				continue
			}
			if err := c.add(i+1, line); err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
		}
		all = appendChunk(all, c)
	}
	return all
}

func appendChunk(all []chunk, c chunk) []chunk {
	if c.name == "" {
		return all
	}
	return append(all, c)
}

func (c *chunk) add(number int, line string) error {
	rest := func(prefix string) (string, bool) { return strings.CutPrefix(line, prefix) }
	if s, ok := rest("#NAME "); ok {
		c.name = s
	} else if s, ok := rest("#POINT "); ok {
		return c.addPoint(s)
	} else if s, ok := rest("#DIFFERS "); ok {
		c.differs = true
		return c.addPoint(s)
	} else if s, ok := rest("#option "); ok {
		c.quirks = s == "quirks"
	} else if strings.HasPrefix(line, "#") {
		return nil
	} else if s, ok := rest("="); ok {
		s = strings.TrimPrefix(s, " ")
		c.canonical = &s
	} else if s, ok := rest("+ "); ok {
		c.match = append(c.match, s)
	} else if s, ok := rest("- "); ok {
		c.not = append(c.not, s)
	} else if c.name != "" {
		if c.line == 0 {
			c.line = number
		} else if line != "" {
			c.src += "\n"
		}
		text, re, has := strings.Cut(line, " ### ")
		if has {
			s, err := strconv.Unquote(re)
			if err != nil {
				return err
			}
			c.wantErr, c.errLine = s, number-c.line+1
		}
		c.src += text
	}
	return nil
}

func (c *chunk) addPoint(s string) error {
	row := strings.Split(s, " | ")
	if len(row) != 4 || row[3] != "measured" && row[3] != "derived" {
		return errors.New("want point | what Lamina does | source | measured or derived")
	}
	c.point = row
	return nil
}

func TestLanguage(t *testing.T) {
	names := map[string]bool{}
	for _, c := range chunks(t) {
		if names[c.name] {
			t.Errorf("%s: two chunks are called %s", c.file, c.name)
		}
		names[c.name] = true
		t.Run(c.name, c.run)
	}
}

func (c chunk) run(t *testing.T) {
	q, err := kql.Parse(c.src)
	var p query.Predicate
	if err == nil {
		roundTrip(t, q)
		if c.canonical != nil && q.String() != *c.canonical {
			t.Errorf("%s:%d: prints as\n%s\nwant\n%s", c.file, c.line, q, *c.canonical)
		}
		p, err = kql.Compile(q, options(c.quirks))
	}
	if err != nil || c.wantErr != "" {
		c.checkError(t, err)
		return
	}
	for i, doc := range append(c.match, c.not...) {
		var m map[string]any
		if err := json.Unmarshal([]byte(doc), &m); err != nil {
			t.Fatalf("%s: %v in %s", c.file, err, doc)
		}
		ev := ecs.NewDoc(m, lookup)
		want := i < len(c.match)
		ex := p.Explain(ev)
		if got := p.Match(ev); got != want || ex.Match != got {
			b, _ := json.MarshalIndent(ex, "", " ")
			t.Errorf("%s:%d: %s\non %s\nis %v (explained as %v), want %v\n%s", c.file, c.line, c.src, doc, got, ex.Match, want, b)
		}
	}
}

func (c chunk) checkError(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s:%d: no error; want %q", c.file, c.line, c.wantErr)
		return
	}
	e, ok := errors.AsType[*query.Error](err)
	if !ok {
		t.Fatalf("%s:%d: %v (%T) has no position", c.file, c.line, err, err)
	}
	if c.wantErr == "" || !regexp.MustCompile(c.wantErr).MatchString(e.Msg) || e.Pos.Line != c.errLine {
		t.Errorf("%s:%d: on line %d of the query:\n%s\nwant %q on line %d", c.file, c.line, e.Pos.Line, e.Format("", c.src), c.wantErr, c.errLine)
	}
}
