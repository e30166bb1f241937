package kql_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// equalTree compares syntax trees without their positions.
func equalTree(a, b kql.Node) bool {
	list := func(a, b []kql.Node) bool { return slices.EqualFunc(a, b, equalTree) }
	switch a := a.(type) {
	case nil:
		return b == nil
	case *kql.Or:
		b, ok := b.(*kql.Or)
		return ok && list(a.Of, b.Of)
	case *kql.And:
		b, ok := b.(*kql.And)
		return ok && list(a.Of, b.Of)
	case *kql.Not:
		b, ok := b.(*kql.Not)
		return ok && equalTree(a.X, b.X)
	case *kql.Nested:
		b, ok := b.(*kql.Nested)
		return ok && equalLiteral(a.Path, b.Path) && equalTree(a.X, b.X)
	case *kql.Range:
		b, ok := b.(*kql.Range)
		return ok && a.Op == b.Op && equalLiteral(a.Field, b.Field) && equalLiteral(a.Value, b.Value)
	case *kql.Is:
		b, ok := b.(*kql.Is)
		return ok && equalLiteral(a.Field, b.Field) && equalTree(a.Value, b.Value)
	case *kql.Literal:
		b, ok := b.(*kql.Literal)
		return ok && equalLiteral(a, b)
	}
	return false
}

func equalLiteral(a, b *kql.Literal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Kind == b.Kind && a.Quoted == b.Quoted && slices.Equal(a.Parts, b.Parts)
}

func roundTrip(t *testing.T, q *kql.Query) {
	t.Helper()
	again, err := kql.Parse(q.String())
	if err != nil {
		t.Errorf("%q prints as %q, which does not parse: %v", q.Source(), q.String(), err)
		return
	}
	if !equalTree(q.Root, again.Root) || again.String() != q.String() {
		t.Errorf("%q prints as %q and then as %q", q.Source(), q.String(), again.String())
	}
}

func TestParse_positions(t *testing.T) {
	src := "kw: a\n  and (kw2: (b or\n  c) or not long >= 5)"
	q, err := kql.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(n kql.Node)
	add := func(n kql.Node) {
		p := n.Pos()
		got = append(got, fmt.Sprintf("%d:%d %q", p.Line, p.Col, src[p.Offset:p.Offset+p.Len]))
	}
	walk = func(n kql.Node) {
		add(n)
		switch n := n.(type) {
		case *kql.Or:
			for _, m := range n.Of {
				walk(m)
			}
		case *kql.And:
			for _, m := range n.Of {
				walk(m)
			}
		case *kql.Not:
			walk(n.X)
		case *kql.Range:
			add(n.Value)
		case *kql.Is:
			add(n.Field)
			walk(n.Value)
		}
	}
	walk(q.Root)
	want := []string{
		`1:1 "kw: a\n  and (kw2: (b or\n  c) or not long >= 5)"`,
		`1:1 "kw: a"`, `1:1 "kw"`, `1:5 "a"`,
		`2:8 "kw2: (b or\n  c) or not long >= 5"`,
		`2:8 "kw2: (b or\n  c)"`, `2:8 "kw2"`, `2:14 "b or\n  c"`, `2:14 "b"`, `3:3 "c"`,
		`3:9 "not long >= 5"`, `3:13 "long >= 5"`, `3:21 "5"`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParse_limits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("(", n) + "a" + strings.Repeat(")", n) }
	for _, c := range []struct {
		name, src, want string
	}{
		{"depth_reached", deep(kql.MaxDepth), ""},
		{"depth_passed", deep(kql.MaxDepth + 1), "more than 256 parentheses"},
		{"braces", strings.Repeat("a:{", kql.MaxDepth+1), "more than 256 parentheses"},
		{"open_parentheses_without_end", strings.Repeat("(", kql.MaxSize), "more than 256 parentheses"},
		{"list_depth", "a: " + deep(kql.MaxDepth+1), "more than 256 parentheses"},
		{"nodes_reached", "a: (b" + strings.Repeat(" or b", kql.MaxNodes-4) + ")", ""},
		{"nodes_passed", "a: (b" + strings.Repeat(" or b", kql.MaxNodes-3) + ")", "more than 10000 parts"},
		{"size", strings.Repeat("a", kql.MaxSize), ""},
		{"size_passed", strings.Repeat("a", kql.MaxSize+1), "the limit is 1048576"},
		{"spaces", strings.Repeat(" ", kql.MaxSize), ""},
		{"spaces_inside", "a" + strings.Repeat(" ", kql.MaxSize-2) + "b", ""},
		{"nots", strings.Repeat("not ", 10), "not cannot follow not"},
		{"invalid_UTF_8", "kw: \xff", "not valid UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := kql.Parse(c.src)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if len(c.src) < 1<<18 {
					roundTrip(t, q)
				}
				if _, err := kql.Compile(q, options(false)); err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestCompile_limits_what_field_wildcards_expand_to(t *testing.T) {
	many := func(yield func(*ecs.Field) bool) {
		for i := range 1000 {
			if !yield(&ecs.Field{Name: fmt.Sprint("f", i), Type: ecs.Keyword}) {
				return
			}
		}
	}
	q, err := kql.Parse("f*: (a" + strings.Repeat(" or a", 200) + ")")
	if err != nil {
		t.Fatal(err)
	}
	_, err = kql.Compile(q, kql.Options{Lookup: lookup, Fields: func() iter.Seq[*ecs.Field] { return many }})
	if err == nil || !strings.Contains(err.Error(), "comparisons") {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "kw: a and not (b or \"c\\\"\")", `a: \u0041\or`, "f: {x: *}", "a < 5", "not not a", "a: (b and c", "\u00a0and\u00a0", "*: *", `"`, `a \not `,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		q, err := kql.Parse(src)
		if err != nil {
			e, ok := errors.AsType[*query.Error](err)
			if !ok || e.Msg == "" || e.Pos.Offset < 0 || e.Pos.Offset > len(src) || e.Pos.Offset+e.Pos.Len > len(src) || e.Pos.Line < 1 || e.Pos.Col < 1 {
				t.Fatalf("Parse(%q) = %#v", src, err)
			}
			_ = e.Format("x.kql", src)
			return
		}
		roundTrip(t, q)
		p, err := kql.Compile(q, options(false))
		if err == nil {
			p.Match(ecs.NewDoc(nil, lookup))
		}
	})
}
