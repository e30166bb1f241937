package rule

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// inside fails unless every position of err lies in data.
func inside(t *testing.T, err error, data []byte) {
	t.Helper()
	if err == nil {
		return
	}
	var errs Errors
	if !errors.As(err, &errs) {
		t.Fatalf("%T is no Errors: %v", err, err)
	}
	if len(errs) == 0 {
		t.Fatal("an error that says nothing")
	}
	lines := bytes.Count(data, []byte("\n")) + 1
	for _, e := range errs {
		if e.Pos.Offset < 0 || e.Pos.Offset+e.Pos.Len > len(data) || e.Pos.Line > lines || e.Pos.Line < 1 && len(data) <= MaxFile {
			t.Fatalf("%v is outside the %d bytes and %d lines: %+v", e, len(data), lines, e.Pos)
		}
	}
}

// exercise does everything that can be done with a rule that was read.
func exercise(t *testing.T, r *Rule, data []byte) {
	t.Helper()
	p, err := r.Compile(CompileOptions{})
	inside(t, err, data)
	for _, x := range Lint(r, LintContext{Exceptions: &Exceptions{}}) {
		if x.Pos.Offset < 0 || x.Pos.Offset+x.Pos.Len > len(data) {
			t.Fatalf("%v is outside the file: %+v", x, x.Pos)
		}
	}
	again, err := Parse("again.toml", r.TOML())
	if err != nil && len(r.TOML()) <= MaxFile {
		t.Fatalf("own TOML: %v\n%s", err, r.TOML())
	}
	if err == nil {
		if d := cmp.Diff(plain(r.Root()), plain(again.Root())); d != "" {
			t.Fatalf("TOML lost something:\n%s\n%s", d, r.TOML())
		}
	}
	b, err := ParseNDJSON("again.ndjson", append(r.JSON(), '\n'))
	if err != nil && len(r.JSON()) <= MaxFile {
		t.Fatalf("own NDJSON: %v\n%s", err, r.JSON())
	}
	if err == nil && len(b.Rules) == 1 {
		if d := cmp.Diff(plain(r.Root()), plain(b.Rules[0].Root())); d != "" {
			t.Fatalf("NDJSON lost something:\n%s\n%s", d, r.JSON())
		}
	}
	if p == nil || p.Predicate == nil {
		return
	}
	s := &Suite{Cases: []Case{{Name: "a", Want: Miss, Record: []byte(`{"event.action":"x"}`)}}}
	rep, err := Test(p, s, fromCase)
	if err != nil {
		t.Fatal(err)
	}
	rep.Mutate()
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "query = '''\nevent.action: (a or b*) and not user.name: x\n'''\n[rule.x]\n\"\" = [1, {a = 2026-01-01}]\n"))
	f.Add([]byte(head + "query = \"a: \\\"b\\\" \\u00e9\"\nrefrences = 5\n[[rule.threat]]\nframework = \"MITRE ATT&CK\"\n")) //nolint:misspell // the misspelt key is what is tested
	f.Add([]byte("[rule]\n[rule.a]\nb.c = {d = []}\n[[rule.e]]\n[[rule.e.f]]\n"))
	f.Add([]byte("\xff\xfe = \"\"\"\n\\\n\"\"\""))
	text, err := Template{ID: "x", UUID: "11111111-2222-4333-8444-555555555555", Type: TypeNewTerms, Author: "a", Created: time.Unix(0, 0)}.TOML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	if dir := os.Getenv("LAMINA_TESTDATA"); dir != "" {
		for _, file := range sharedRules(f) {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse("fuzz.toml", data)
		inside(t, err, data)
		if err == nil {
			exercise(t, r, data)
		}
	})
}

func FuzzNDJSON(f *testing.F) {
	f.Add([]byte(export))
	f.Add([]byte(`{"rule_id":"r","name":"n","description":"d","severity":"low","risk_score":1e0,"type":"query","query":"a: \ud83d\ude00 and (","meta":{"lamina":{"root":{"metadata":{"lamina":{"null":["/meta/x","/0","/filters/9"]}}},"types":{"/rule/name":"time","/a/b":"number"},"rule":{"name":5}}}}`))
	f.Add([]byte("{}\n[]\n\"x\"\n1\nnull\n{\"a\":"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseNDJSON("fuzz.ndjson", data)
		inside(t, err, data)
		for _, r := range b.Rules {
			exercise(t, r, data)
		}
	})
}

func FuzzExceptions(f *testing.F) {
	f.Add([]byte(item(`{"field":"user.name","type":"match","operator":"included","value":"x"},{"field":"source.ip","type":"match","value":"10.0.0.0/8"}`)))
	f.Add([]byte(item(`{"field":"a","type":"nested","entries":[{"field":"b","type":"wildcard","value":"?*\\"}]},{"field":"event.action","type":"list","list":{"id":"l","type":"ip_range"}}`)))
	f.Add([]byte(item(`{"field":"@timestamp","type":"match_any","operator":"excluded","value":["2026-01-01","now-1d"]}`)))
	r, err := Parse("r.toml", []byte(head+`query = "event.action: *"`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ParseExceptions("fuzz.ndjson", data)
		inside(t, err, data)
		p, err := r.Compile(CompileOptions{Exceptions: x, ValueLists: map[string][]string{"l": {"10.0.0.1-10.0.0.9", "x"}}})
		inside(t, err, data)
		if err == nil && p.Exceptions != nil {
			ev := doc{"user.name": {"x"}, "source.ip": {"10.1.2.3"}, "event.action": {"a"}}
			if p.Exceptions.Match(ev) != p.Exceptions.Explain(ev).Match {
				t.Error("Match and Explain differ")
			}
		}
	})
}

func FuzzSuite(f *testing.F) {
	f.Add([]byte(suite))
	f.Add([]byte("-- --\n-- a --\n-- match/ --\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSuite("fuzz.txtar", data)
		inside(t, err, data)
		if err == nil {
			golden := []byte("x\n")
			again, err := ParseSuite("fuzz.txtar", s.WithGolden(golden))
			if err != nil || !bytes.Equal(again.Golden, golden) && s.Golden == nil {
				t.Fatalf("WithGolden: %v, %q", err, again.Golden)
			}
		}
		_, err = ParseTestLines("fuzz.ndjson", data)
		inside(t, err, data)
	})
}
