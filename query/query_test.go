package query_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/query"
)

var (
	fieldA = &ecs.Field{Name: "a", Type: ecs.Keyword, IgnoreAbove: 8, ID: 0}
	fieldB = &ecs.Field{Name: "b", Type: ecs.Keyword, ID: 1}
)

func is(f *ecs.Field, v string) query.Predicate {
	return query.On(f, query.Terms(v), query.At{Text: f.Name + ": " + v})
}

func doc(m map[string]any) *ecs.Doc {
	return ecs.NewDoc(m, func(name string) *ecs.Field { return &ecs.Field{Name: name, Type: ecs.Keyword} })
}

func TestFold_truth_tables(t *testing.T) {
	p := map[query.Tri]query.Predicate{query.True: query.Const(true), query.False: query.Const(false), query.Unknown: is(fieldA, "x")}
	nothing := func(*ecs.Field) ([]string, bool) { return nil, false }
	for _, x := range []query.Tri{query.True, query.False, query.Unknown} {
		for _, y := range []query.Tri{query.True, query.False, query.Unknown} {
			and := query.Unknown
			switch {
			case x == query.False || y == query.False:
				and = query.False
			case x == query.True && y == query.True:
				and = query.True
			}
			if got := query.And(p[x], p[y]).Fold(nothing); got != and {
				t.Errorf("%v and %v = %v", x, y, got)
			}
			or := query.Unknown
			switch {
			case x == query.True || y == query.True:
				or = query.True
			case x == query.False && y == query.False:
				or = query.False
			}
			if got := query.Or(p[x], p[y]).Fold(nothing); got != or {
				t.Errorf("%v or %v = %v", x, y, got)
			}
		}
		if got := query.Not(p[x]).Fold(nothing); got != x.Not() {
			t.Errorf("not %v = %v", x, got)
		}
	}
}

func TestAnd_and_Or_of_nothing(t *testing.T) {
	if ev := doc(nil); !query.And().Match(ev) || query.Or().Match(ev) {
		t.Error("And() is true and Or() is false")
	}
}

func TestOn_does_not_see_long_values(t *testing.T) {
	p := query.On(fieldA, query.Any(), query.At{Text: "a: *"})
	if p.Match(doc(map[string]any{"a": "123456789"})) || !p.Match(doc(map[string]any{"a": []any{"123456789", "x"}})) {
		t.Error("a value of nine characters is seen with ignore_above 8")
	}
	known := func(*ecs.Field) ([]string, bool) { return []string{"123456789"}, true }
	if p.Fold(known) != query.False {
		t.Error("Fold sees what Match does not")
	}
}

func TestFields_have_no_repeats(t *testing.T) {
	p := query.And(is(fieldA, "x"), query.Not(is(fieldA, "y")), query.Or(is(fieldB, "x"), is(&ecs.Field{Name: "b"}, "z")))
	if got := p.Fields(nil); len(got) != 2 || got[0] != fieldA || got[1] != fieldB {
		t.Errorf("fields %v", got)
	}
}

func TestExplain_keeps_nothing_of_the_event(t *testing.T) {
	buf := []byte("hello")
	ev := &reused{value: string(buf)}
	c := is(fieldA, "hello").Explain(ev)
	ev.value = "other"
	if !c.Match || c.Values[0] != "hello" {
		t.Errorf("%+v", c)
	}
}

type reused struct{ value string }

func (e *reused) Values(*ecs.Field) []string { return []string{e.value} }
func (e *reused) Exists(*ecs.Field) bool     { return true }
func (e *reused) Raw() []byte                { return nil }

func TestRequired(t *testing.T) {
	prefix := query.On(fieldA, query.Wildcard("pre*", query.CaseSensitive), query.At{})
	suffix := query.On(fieldA, query.Wildcard("*post", query.CaseSensitive), query.At{})
	for _, c := range []struct {
		name            string
		p               query.Predicate
		exact, prefixes []string
		ok              bool
	}{
		{"term", is(fieldA, "x"), []string{"x"}, nil, true},
		{"another_field", is(fieldB, "x"), nil, nil, false},
		{"or_sorted", query.Or(is(fieldA, "y"), is(fieldA, "x"), is(fieldA, "y")), []string{"x", "y"}, nil, true},
		{"or_with_another_field", query.Or(is(fieldA, "x"), is(fieldB, "y")), nil, nil, false},
		{"and_takes_the_narrowest", query.And(prefix, query.Or(is(fieldA, "x"), is(fieldA, "y")), is(fieldB, "z")), []string{"x", "y"}, nil, true},
		{"not_says_nothing", query.Not(is(fieldA, "x")), nil, nil, false},
		{"not_not", query.Not(query.Not(is(fieldA, "x"))), []string{"x"}, nil, true},
		{"not_of_or_of_not", query.Not(query.Or(query.Not(is(fieldA, "x")), is(fieldB, "y"))), []string{"x"}, nil, true},
		{"not_of_and", query.Not(query.And(query.Not(is(fieldA, "x")), query.Not(is(fieldA, "y")))), []string{"x", "y"}, nil, true},
		{"prefix_covers", query.Or(prefix, is(fieldA, "prefix"), is(fieldA, "x")), []string{"x"}, []string{"pre"}, true},
		{"suffix_says_nothing", suffix, nil, nil, false},
		{"never_true", query.And(query.Const(false), suffix), nil, nil, true},
		{"always_true", query.Const(true), nil, nil, false},
		{"not_never_true", query.Not(query.Const(true)), nil, nil, true},
		{"foreign", foreign{}, []string{"f"}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			exact, prefixes, ok := query.Required(c.p, fieldA)
			if ok != c.ok || !slices.Equal(exact, c.exact) || !slices.Equal(prefixes, c.prefixes) {
				t.Errorf("%q, %q, %v; want %q, %q, %v", exact, prefixes, ok, c.exact, c.prefixes, c.ok)
			}
		})
	}
}

// A foreign predicate is one of another package that answers for itself.
type foreign struct{ query.Predicate }

func (foreign) Required(f *ecs.Field) (exact, prefixes []string, ok bool) {
	return []string{"f"}, nil, f == fieldA
}

func TestResidual_drops_what_is_known(t *testing.T) {
	p := query.And(is(fieldA, "x"), query.Or(is(fieldA, "y"), is(fieldB, "z")), query.Not(is(fieldB, "no")))
	known := func(f *ecs.Field) ([]string, bool) { return []string{"x"}, f == fieldA }
	r := query.Residual(p, known)
	if got := r.Fields(nil); len(got) != 1 || got[0] != fieldB {
		t.Errorf("the residual reads %v", got)
	}
	if !r.Match(doc(map[string]any{"b": "z"})) || r.Match(doc(map[string]any{"b": "no"})) {
		t.Error("the residual decides otherwise")
	}
	b := is(fieldB, "z")
	if got := query.Residual(query.And(is(fieldA, "x"), b), known); got != b {
		t.Errorf("what is true stays in the residual: %+v", got)
	}
	other := query.Residual(p, func(f *ecs.Field) ([]string, bool) { return nil, f == fieldA })
	if other.Fold(known) != query.False {
		t.Error("what is settled is not constant")
	}
}

func TestNearestMiss(t *testing.T) {
	p := query.And(is(fieldA, "x"), query.Or(query.And(is(fieldB, "1"), is(fieldA, "y")), is(fieldB, "2")), query.Not(is(fieldB, "3")), is(fieldA, "x"))
	for _, c := range []struct {
		name          string
		doc           map[string]any
		first         string
		need, saw     []string
		failed, total int
	}{
		{"one_leaf", map[string]any{"a": "x"}, "b: 1", []string{"b: 2"}, []string{"b is missing"}, 1, 4},
		{"first_in_order", map[string]any{}, "a: x", []string{"a: x", "b: 2"}, []string{"a is missing", "b is missing"}, 3, 4},
		{"a_not", map[string]any{"a": "x", "b": []any{"2", "3"}}, "not b: 3", []string{"not b: 3"}, []string{`b is "2", "3"`}, 1, 4},
		{
			"many_values",
			map[string]any{"a": []any{"p", "q", "r", "s", "t"}, "b": "2"},
			"a: x",
			[]string{"a: x"},
			[]string{`a is "p", "q", "r" and 2 more`},
			2, 4,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, ok := query.NearestMiss(p.Explain(doc(c.doc)))
			if !ok {
				t.Fatal("no miss")
			}
			var need, saw []string
			for _, n := range m.Need {
				need = append(need, n.String())
				saw = append(saw, n.Saw())
			}
			got := []any{m.First.String(), need, saw, m.Failed, m.Total}
			if d := cmp.Diff([]any{c.first, c.need, c.saw, c.failed, c.total}, got); d != "" {
				t.Error(d)
			}
		})
	}
	if _, ok := query.NearestMiss(p.Explain(doc(map[string]any{"a": "x", "b": "2"}))); ok {
		t.Error("a match has no nearest miss")
	}
}

func TestFormat(t *testing.T) {
	long := strings.Repeat("x", 300) + "HERE" + strings.Repeat("y", 300)
	for _, c := range []struct {
		name, src      string
		offset, length int
		file, want     string
	}{
		{"middle_of_a_line", "a: b\n  and c.d: e", 11, 3, "mine.toml", "mine.toml:2:7: wrong\n     2 |   and c.d: e\n       |       ^^^\nhint: do this"},
		{"end_of_the_text", "a:", 2, 0, "", "1:3: wrong\n     1 | a:\n       |   ^\nhint: do this"},
		{"tabs_stay", "\ta: b", 1, 1, "", "1:2: wrong\n     1 | \ta: b\n       | \t^\nhint: do this"},
		{"carriage_return", "a\r\nb", 0, 1, "", "1:1: wrong\n     1 | a\n       | ^\nhint: do this"},
		{"control_characters", "a\x1b[31m \u202eb", 0, 1, "", "1:1: wrong\n     1 | a·[31m ·b\n       | ^\nhint: do this"},
		{"wide_letters", "é: ü", 4, 2, "", "1:5: wrong\n     1 | é: ü\n       |    ^\nhint: do this"},
		{
			"long_line", long, 300, 4, "", "1:301: wrong\n     1 | …" + strings.Repeat("x", 40) + "HERE" + strings.Repeat("y", 76) + "…\n       |  " +
				strings.Repeat(" ", 40) + "^^^^\nhint: do this",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &query.Error{Pos: query.Locate(c.src, c.offset, c.length), Msg: "wrong", Hint: "do this"}
			if d := cmp.Diff(c.want, e.Format(c.file, c.src)); d != "" {
				t.Error(d)
			}
		})
	}
	e := &query.Error{Pos: query.Pos{Line: 3, Col: 9, Offset: 900}, Msg: "wrong"}
	if got := e.Format("f", "short"); got != "f:3:9: wrong" {
		t.Errorf("a position outside the text gives %q", got)
	}
}

func FuzzFormat(f *testing.F) {
	f.Add("a\n\tb é", 3, 2)
	f.Fuzz(func(t *testing.T, src string, offset, length int) {
		if offset < 0 || offset > len(src) || length < 0 || length > len(src)-offset {
			return
		}
		e := &query.Error{Pos: query.Locate(src, offset, length), Msg: "m"}
		if got := e.Format("", src); strings.Count(got, "\n") != 2 || strings.ContainsAny(got, "\x1b\x00") {
			t.Errorf("%q", got)
		}
	})
}

func TestNearest(t *testing.T) {
	fields := map[string]bool{"event.action": true, "event.outcome": true, "event.provider": true, "user.name": true, "user.id": true}
	for name, want := range map[string]string{
		"event.acton": "event.action", "evnet.action": "event.action", "event.actoin": "event.action", "user.nmae": "user.name",
		"event.action": "", "completely.else": "", "": "", "usr.id": "user.id", strings.Repeat("x", 300): "",
	} {
		if got := query.Nearest(name, maps.Keys(fields)); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := query.Nearest("user.xd", slices.Values([]string{"user.zd", "user.ad"})); got != "user.ad" {
		t.Errorf("of two equally near names %q is chosen", got)
	}
}

func TestUnsupportedError(t *testing.T) {
	var err error = &query.Error{Msg: "no", Err: &query.UnsupportedError{Name: "x", Needs: "y"}}
	if !errors.Is(fmt.Errorf("rule: %w", err), query.ErrUnsupported) {
		t.Error("an UnsupportedError inside an Error is not ErrUnsupported")
	}
}
