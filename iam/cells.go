package iam

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// What several conditions ask of one unknown key hangs together: a key that is
// "a" is not "b". So where an answer is open, values are tried: for each key a
// few that stand for all, since every value there can be treats the conditions
// as one of them does.

const (
	maxCombinations = 4096
	maxManyValued   = 8    // values of which all sets are tried
	maxLeaves       = 256  // conditions of a formula
	maxIndependent  = 10   // conditions of which all truths are tried; others stay open
	maxValues       = 1000 // of one key
	maxProduct      = 4000 // states of patterns read together
	maxWork         = 5e6  // positions of patterns looked at for one key
)

// settle says whether the formula is the same in every case. It says maybe when
// it is not, and when that would take too long to find out.
func (f *frame) settle(x *formula) tri {
	switch x.op {
	case opYes:
		return yes
	case opNo:
		return no
	case opAnd, opOr, opNot, opLeaf:
	}
	leaves := x.leaves()
	if len(leaves) > maxLeaves {
		return maybe
	}
	groups := map[string][]*leaf{}
	for _, l := range leaves {
		g := "coin " + l.coin
		if l.cond != nil {
			g = "key " + l.cond.key
		}
		groups[g] = append(groups[g], l)
	}
	entwined := func(l *leaf) bool { return l.coin == sameAccountCoin || l.cond != nil && !f.contingent(l.cond) }
	if len(groups) == len(leaves) && !slices.ContainsFunc(leaves, entwined) {
		return maybe // nothing hangs together, and all but that coin only ever help or only ever hinder
	}
	// Each group is a wheel of cases, and a case gives each of its leaves a truth.
	var wheels [][]map[*leaf]tri
	combinations := 1
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		cases := f.cases(groups[g])
		wheels = append(wheels, cases)
		if combinations *= len(cases); combinations > maxCombinations {
			return maybe
		}
	}
	first := maybe
	for n := range combinations {
		rest := n
		at := make([]map[*leaf]tri, len(wheels))
		for i, w := range wheels {
			at[i], rest = w[rest%len(w)], rest/len(w)
		}
		t := x.eval(func(l *leaf) tri {
			for _, c := range at {
				if t, ok := c[l]; ok {
					return t
				}
			}
			return maybe
		})
		if n == 0 {
			first = t
		}
		if t == maybe || t != first {
			return maybe
		}
	}
	return first
}

// contingent says that there are surely values that meet the condition and
// values that do not, without looking for them.
func (f *frame) contingent(c *condition) bool {
	simple := !slices.ContainsFunc(c.patterns, func(p pattern) bool {
		return len(p.vars) > 0 || !slices.ContainsFunc(p.runes, func(r rune) bool { return r != many })
	})
	return simple && f.lookup(c.key).state == isUnknown && !c.ifExists && c.quality != forAll && len(c.Values) == 1
}

// cases are the truths that leaves on one key, or with one coin, can have
// together.
func (f *frame) cases(leaves []*leaf) []map[*leaf]tri {
	if leaves[0].cond == nil {
		out := []map[*leaf]tri{{}, {}}
		for _, l := range leaves {
			out[0][l], out[1][l] = no, yes
		}
		return out
	}
	values, ok := f.completions(leaves)
	if !ok {
		// Leaves that are not understood together are independent, which allows
		// more cases than there are.
		out := make([]map[*leaf]tri, 1<<min(len(leaves), maxIndependent))
		for i := range out {
			out[i] = map[*leaf]tri{}
			for j, l := range leaves[:min(len(leaves), maxIndependent)] {
				out[i][l] = tell(i>>j&1 == 1)
			}
		}
		return out
	}
	out := make([]map[*leaf]tri, 0, len(values))
	for _, v := range values {
		c := map[*leaf]tri{}
		for _, l := range leaves {
			c[l] = l.cond.of(v, f.Request)
		}
		out = append(out, c)
	}
	return out
}

// completions are values of a key, each a list, that stand for all it can have.
func (f *frame) completions(leaves []*leaf) (values [][]string, ok bool) {
	key := leaves[0].cond.key
	several, single, strs := f.severalValues(key), false, false
	kind := ofPresence
	for _, l := range leaves {
		c := l.cond
		if c.family == ofPresence {
			continue
		}
		single = single || c.quality == plain
		class := c.family
		if class == ofARNs {
			class = ofStrings
		}
		if kind != ofPresence && kind != class {
			return nil, false // a number that is like a string: not looked into
		}
		kind = class
		strs = kind == ofStrings
	}
	one, ok := f.witnesses(kind, leaves)
	if !ok || len(one) > maxValues {
		return nil, false
	}
	if f.lookup(key).state != isPresent {
		values = append(values, nil)
		if strs {
			values = append(values, []string{""})
		}
	}
	for _, v := range one {
		values = append(values, []string{v})
	}
	if !several {
		return values, true
	}
	if single || len(one) > maxManyValued {
		return nil, false
	}
	for n := range 1 << len(one) {
		var set []string
		for i, v := range one {
			if n>>i&1 == 1 {
				set = append(set, v)
			}
		}
		if len(set) > 1 {
			values = append(values, set)
		}
	}
	return values, true
}

// severalValues says whether a key can have more than one value: AWS says so of
// some, and a policy that compares a service's key with a set operator.
func (f *frame) severalValues(key string) bool {
	if strings.HasPrefix(key, "aws:") || manyValued[key] {
		return manyValued[key]
	}
	return slices.ContainsFunc(f.sets[:], func(s *Set) bool { return s != nil && s.several[key] })
}

// witnesses are values of one kind, none empty, so that for each value there is
// one that every condition treats alike.
func (f *frame) witnesses(kind family, leaves []*leaf) ([]string, bool) {
	switch kind {
	case ofStrings, ofARNs:
		return f.witnessTexts(leaves)
	case ofNumbers, ofDates:
		return witnessNumbers(leaves)
	case ofBools:
		return []string{"true", "false"}, true
	case ofBytes:
		seen := map[string]bool{}
		longest := ""
		for _, l := range leaves {
			for _, b := range l.cond.texts {
				seen[b] = true
				if len(b) > len(longest) {
					longest = b
				}
			}
		}
		seen[longest+"x"] = true
		var out []string
		for _, b := range slices.Sorted(maps.Keys(seen)) {
			out = append(out, base64.StdEncoding.EncodeToString([]byte(b)))
		}
		return out, true
	case ofAddresses:
		return witnessAddresses(leaves), true
	case ofPresence:
	}
	return present, true
}

// witnessNumbers are the thresholds, a number between each two, and one on
// either side. Dates can be written as numbers too.
func witnessNumbers(leaves []*leaf) ([]string, bool) {
	var marks []float64
	for _, l := range leaves {
		marks = append(marks, l.cond.numbers...)
	}
	slices.Sort(marks)
	marks = slices.Compact(marks)
	points := []float64{marks[0] - 1}
	for i, m := range marks {
		if i > 0 {
			points = append(points, marks[i-1]+(m-marks[i-1])/2)
		}
		points = append(points, m)
	}
	points = append(points, marks[len(marks)-1]+1)
	var out []string
	for i, p := range points {
		s := strconv.FormatFloat(p, 'f', -1, 64)
		if len(s) == 4 {
			s += map[bool]string{true: "0", false: ".0"}[strings.Contains(s, ".")] // four characters would be a year
		}
		if n, ok := readNumber(s); !ok || n != p || i > 0 && p <= points[i-1] {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// witnessAddresses are the first address of each range and the one after its
// last: between these nothing changes.
func witnessAddresses(leaves []*leaf) []string {
	points := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	for _, l := range leaves {
		for _, p := range l.cond.prefixes {
			points = append(points, p.Addr())
			last := p.Addr().AsSlice()
			for bit := p.Bits(); bit < len(last)*8; bit++ {
				last[bit/8] |= 0x80 >> (bit % 8)
			}
			if end, ok := netip.AddrFromSlice(last); ok && end.Next().IsValid() {
				points = append(points, end.Next())
			}
		}
	}
	slices.SortFunc(points, netip.Addr.Compare)
	var out []string
	for _, p := range slices.Compact(points) {
		out = append(out, p.String())
	}
	return out
}

// witnessTexts reads all patterns together, rune by rune, and keeps the first
// text for each set of patterns that it matches.
func (f *frame) witnessTexts(leaves []*leaf) ([]string, bool) {
	var automata [][]token
	alphabet := map[rune]bool{}
	work := 0
	for _, l := range leaves {
		for i := range l.cond.patterns {
			a := l.cond.tokens(i, f.Request)
			if work += len(a) + 1; work > maxWork {
				return nil, false
			}
			for _, t := range a {
				switch {
				case t.fence:
					alphabet[':'] = true
				case t.fold && t.r >= 0:
					for r := unicode.SimpleFold(t.r); r != t.r; r = unicode.SimpleFold(r) {
						alphabet[r] = true
					}
				}
				if t.r >= 0 {
					alphabet[t.r] = true
				}
			}
			automata = append(automata, a)
		}
	}
	other := 'x'
	for alphabet[other] {
		other++
	}
	alphabet[other] = true
	runes := slices.SortedFunc(maps.Keys(alphabet), func(a, b rune) int {
		return cmp.Or(boolInt(!unicode.IsLetter(a))-boolInt(!unicode.IsLetter(b)), cmp.Compare(a, b))
	})
	type point struct {
		text string
		at   []states
	}
	start := point{}
	for _, a := range automata {
		start.at = append(start.at, newStates(a))
	}
	seen, verdicts := map[string]bool{}, map[string]bool{}
	var out []string
	for queue := []point{start}; len(queue) > 0; queue = queue[1:] {
		for _, c := range runes {
			next := point{text: queue[0].text + string(c), at: make([]states, len(automata))}
			if work += len(next.text); work > maxWork {
				return nil, false
			}
			var id, verdict []byte
			for i, a := range automata {
				work += len(a) + 1
				next.at[i] = queue[0].at[i].step(a, c)
				for _, w := range next.at[i] {
					id = strconv.AppendUint(append(id, ','), w, 36)
				}
				verdict = strconv.AppendBool(verdict, next.at[i].accepts(a))
			}
			if seen[string(id)] {
				continue
			}
			if len(seen) == maxProduct {
				return nil, false
			}
			seen[string(id)] = true
			queue = append(queue, next)
			if !verdicts[string(verdict)] {
				verdicts[string(verdict)] = true
				out = append(out, next.text)
			}
		}
	}
	return out, true
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tokens is the pattern of index i as an automaton, its variables put in.
func (c *condition) tokens(i int, r *Request) []token {
	p := &c.patterns[i]
	if c.family != ofARNs {
		runes, missing, _, _ := p.expand(p.runes, r)
		if missing != "" {
			return nothingMatches
		}
		out := make([]token, len(runes))
		for j, x := range runes {
			out[j] = token{r: x, fold: c.fold}
		}
		return out
	}
	var out []token
	for n, part := range c.arns[i] {
		runes, missing, _, _ := p.expand(part, r)
		if missing != "" {
			return nothingMatches
		}
		if n > 0 {
			out = append(out, token{r: ':'})
		}
		for _, x := range runes {
			out = append(out, token{r: x, fence: n < 5})
		}
	}
	return out
}

// nothingMatches matches the empty text only, which is not among those tried.
var nothingMatches = []token{}
