package kql_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/ecs"
	"github.com/lamina-sec/lamina/kql"
	"github.com/lamina-sec/lamina/query"
)

// A pair is a random query, parsed and compiled, and a random document.
type pair struct {
	g      *generator
	q      *kql.Query
	quirks bool
	p      query.Predicate // nil when the query does not compile
	ev     *ecs.Doc
}

func newPair(t *testing.T, seed uint64) pair {
	t.Helper()
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	g.document()
	tree := g.query(g.IntN(4))
	src := kql.Format(tree)
	q, err := kql.Parse(src)
	if err != nil {
		t.Fatalf("seed %d: %s: %v", seed, src, err)
	}
	if !equalTree(tree, q.Root) {
		t.Fatalf("seed %d: %s reads as another tree: %s", seed, src, q)
	}
	c := pair{g: g, q: q, quirks: g.IntN(4) == 0, ev: ecs.NewDoc(g.doc, lookup)}
	c.p, err = kql.Compile(q, options(c.quirks))
	if wrong := (oracle{doc: g.doc, quirks: c.quirks}).check(q.Root); (wrong != nil) != (err != nil) {
		t.Fatalf("seed %d: Compile(%s) = %v; the oracle says %v", seed, src, err, wrong)
	}
	return c
}

func (c pair) String() string {
	b, _ := json.Marshal(c.g.doc)
	return c.q.String() + "\non " + string(b)
}

// checkOracle compares the compiled query with the oracle and reports whether it matches.
func (c pair) checkOracle(t *testing.T, seed uint64) bool {
	t.Helper()
	want, err := oracle{doc: c.g.doc, quirks: c.quirks}.eval(c.q.Root)
	if err != nil {
		t.Fatalf("seed %d: %s: oracle: %v", seed, c, err)
	}
	if got := c.p.Match(c.ev); got != want {
		b, _ := json.MarshalIndent(c.p.Explain(c.ev), "", " ")
		t.Fatalf("seed %d (quirks %v): %s\nis %v; the oracle says %v\n%s", seed, c.quirks, c, got, want, b)
	}
	return want
}

func TestOracle(t *testing.T) {
	pairs, matches, errs := 0, 0, 0
	seeds := uint64(10_000)
	if s := os.Getenv("LAMINA_ORACLE_PAIRS"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = n
	}
	for seed := range seeds {
		c := newPair(t, seed)
		if c.p == nil {
			errs++
			continue
		}
		pairs++
		if c.checkOracle(t, seed) {
			matches++
		}
	}
	share := float64(matches) / float64(pairs)
	t.Logf("%d pairs, %.1f %% match; %d queries do not compile", pairs, 100*share, errs)
	if share < 0.3 || share > 0.7 {
		t.Errorf("%.1f %% of the pairs match; want 30 to 70", 100*share)
	}
}

func FuzzOracle(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		if c := newPair(t, seed); c.p != nil {
			c.checkOracle(t, seed)
			c.checkFold(t, seed)
		}
	})
}

// checkFold knows a random half of the fields.
func (c pair) checkFold(t *testing.T, seed uint64) {
	t.Helper()
	want := c.p.Match(c.ev)
	fields := c.p.Fields(nil)
	known := map[string]bool{}
	for _, f := range fields {
		known[f.Name] = c.g.IntN(2) == 0
	}
	answer := func(f *ecs.Field) ([]string, bool) { return c.ev.Values(f), known[f.Name] }
	if got := c.p.Fold(answer); got != query.Unknown && got != query.TriOf(want) {
		t.Fatalf("seed %d: %s\nfolds to %v knowing %v, but Match is %v", seed, c, got, known, want)
	}
	if got := query.Residual(c.p, answer).Match(c.ev); got != want {
		t.Fatalf("seed %d: %s\nthe residual knowing %v is %v, but Match is %v", seed, c, known, got, want)
	}
	for _, f := range fields {
		exact, prefixes, ok := query.Required(c.p, f)
		if !ok || !want {
			continue
		}
		has := slices.ContainsFunc(c.ev.Values(f), func(v string) bool {
			return slices.Contains(exact, v) || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(v, p) })
		})
		if !has && f.Type != ecs.Long && f.Type != ecs.IP {
			t.Fatalf("seed %d: %s\nmatches, but %s is neither of %q nor begins with one of %q", seed, c, f.Name, exact, prefixes)
		}
	}
}

func TestFold_and_Required_are_sound(t *testing.T) {
	settled, n := 0, 0
	for seed := range uint64(5_000) {
		c := newPair(t, seed)
		if c.p == nil {
			continue
		}
		c.checkFold(t, seed)
		n++
		if c.p.Fold(func(f *ecs.Field) ([]string, bool) { return c.ev.Values(f), f.Type != ecs.Keyword }) != query.Unknown {
			settled++
		}
	}
	t.Logf("%d of %d queries are settled without their keyword fields", settled, n)
}

// When everything is known, nothing is left unknown, but for objects.
func TestFold_with_everything_known_is_Match(t *testing.T) {
	for seed := range uint64(3_000) {
		c := newPair(t, seed)
		if c.p == nil || slices.ContainsFunc(c.p.Fields(nil), func(f *ecs.Field) bool { return f.Type == ecs.Object }) {
			continue
		}
		all := func(f *ecs.Field) ([]string, bool) { return c.ev.Values(f), true }
		if got, want := c.p.Fold(all), query.TriOf(c.p.Match(c.ev)); got != want {
			t.Fatalf("seed %d: %s\nfolds to %v; want %v", seed, c, got, want)
		}
	}
}

// flip evaluates a clause tree with the leaves of a nearest miss turned over.
func flip(c query.Clause, need []query.Need) bool {
	switch {
	case len(c.Clauses) == 0:
		turned := slices.ContainsFunc(need, func(n query.Need) bool { return n.Clause.Text == c.Text && n.Want != c.Match })
		return c.Match != turned
	case c.Text == "not":
		return !flip(c.Clauses[0], need)
	case c.Text == "and":
		return !slices.ContainsFunc(c.Clauses, func(d query.Clause) bool { return !flip(d, need) })
	}
	return slices.ContainsFunc(c.Clauses, func(d query.Clause) bool { return flip(d, need) })
}

func TestExplain_agrees_and_the_nearest_miss_would_match(t *testing.T) {
	misses := 0
	for seed := range uint64(5_000) {
		c := newPair(t, seed)
		if c.p == nil {
			continue
		}
		ex := c.p.Explain(c.ev)
		if ex.Match != c.p.Match(c.ev) || flip(ex, nil) != ex.Match {
			t.Fatalf("seed %d: %s\nis explained as %v", seed, c, ex.Match)
		}
		m, ok := query.NearestMiss(ex)
		if ok == ex.Match {
			t.Fatalf("seed %d: %s\nmatch %v, but a nearest miss %v", seed, c, ex.Match, ok)
		}
		if !ok {
			continue
		}
		misses++
		if m.First.Clause.Match == m.First.Want || m.Failed < 1 || m.Failed > m.Total {
			t.Fatalf("seed %d: %s\n%+v", seed, c, m)
		}
		// The same leaf may stand in a query twice, so that turning it over also
		// undoes what was right: only trees of distinct leaves are exact.
		if distinctLeaves(ex) && !flip(ex, m.Need) {
			t.Fatalf("seed %d: %s\nwould still not match with %v", seed, c, m.Need)
		}
	}
	t.Logf("%d misses", misses)
}

func distinctLeaves(c query.Clause) bool {
	seen := map[string]bool{}
	ok := true
	var walk func(query.Clause)
	walk = func(c query.Clause) {
		if len(c.Clauses) == 0 {
			ok = ok && !seen[c.Text]
			seen[c.Text] = true
		}
		for _, d := range c.Clauses {
			walk(d)
		}
	}
	walk(c)
	return ok
}

// What logic says of the operators, on the compiled form.
func TestMetamorphic(t *testing.T) {
	n := 0
	for seed := range uint64(3_000) {
		c, d := newPair(t, seed), newPair(t, seed+1_000_000)
		if c.p == nil || d.p == nil || c.quirks || d.quirks {
			continue
		}
		n++
		a, b := c.q.Root, d.q.Root
		not := func(n kql.Node) kql.Node { return &kql.Not{X: n} }
		and := func(a, b kql.Node) kql.Node { return &kql.And{Of: []kql.Node{a, b}} }
		or := func(a, b kql.Node) kql.Node { return &kql.Or{Of: []kql.Node{a, b}} }
		for _, same := range [][2]kql.Node{
			{a, not(not(a))},
			{and(a, b), and(b, a)},
			{or(a, b), or(b, a)},
			{not(and(a, b)), or(not(a), not(b))},
			{not(or(a, b)), and(not(a), not(b))},
			{a, and(a, or(a, b))},
			{and(a, or(b, a)), or(and(a, b), a)},
		} {
			var got [2]bool
			for i, n := range same {
				q, err := kql.Parse(kql.Format(n))
				if err != nil {
					t.Fatalf("%s: %v", kql.Format(n), err)
				}
				p, err := kql.Compile(q, options(false))
				if err != nil {
					t.Fatalf("%s: %v", kql.Format(n), err)
				}
				got[i] = p.Match(c.ev)
			}
			if got[0] != got[1] {
				t.Fatalf("seed %d: %s\nis %v, but\n%s\nis %v", seed, kql.Format(same[0]), got[0], kql.Format(same[1]), got[1])
			}
		}
	}
	t.Logf("%d pairs of queries", n)
}
