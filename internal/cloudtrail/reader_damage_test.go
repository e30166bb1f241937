package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomRecord is a record of CloudTrail's shape with random contents.
func randomRecord(rng *rand.Rand, i int) string {
	word := func() string {
		words := []string{"a", "s3:GetObject", `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"}]}`, "x}y", "[{", `C:\\`, `\u00e9`, "é", "", "arn:aws:s3:::b/*"}
		return words[rng.IntN(len(words))]
	}
	var value func(depth int) string
	value = func(depth int) string {
		switch n := rng.IntN(8); {
		case n < 2 && depth < 4:
			var parts []string
			for j := range rng.IntN(4) {
				parts = append(parts, fmt.Sprintf("%q:%s", fmt.Sprintf("k%d", j), value(depth+1)))
			}
			return "{" + strings.Join(parts, ",") + "}"
		case n < 3 && depth < 4:
			var parts []string
			for range rng.IntN(4) {
				parts = append(parts, value(depth+1))
			}
			return "[" + strings.Join(parts, ",") + "]"
		case n == 3:
			return []string{"true", "null", "12", "-1.5e-7"}[rng.IntN(4)]
		}
		return `"` + word() + `"`
	}
	return fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/u%d"},"eventTime":"2024-01-01T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"Get%d","userAgent":"[S3Console/0.4, aws-internal/3]","requestParameters":%s,"responseElements":%s,"resources":[{"ARN":"arn:aws:s3:::b%d"},{"type":"AWS::S3::Object"}],"readOnly":false,"eventID":"%08x"}`,
		i, i, value(0), value(0), i, rng.Uint32())
}

// damages break a record in ways that happen: bytes lost, written twice, or
// turned into others. Each returns "" when it does not apply.
var damages = []struct {
	name string
	do   func(rng *rand.Rand, rec string) string
}{
	{"cut", func(rng *rand.Rand, r string) string { return r[:1+rng.IntN(len(r)-1)] }},
	{"byte lost", func(rng *rand.Rand, r string) string {
		i := 1 + rng.IntN(len(r)-1)
		return r[:i] + r[i+1:]
	}},
	{"quote lost", func(rng *rand.Rand, r string) string { return without(rng, r, '"') }},
	{"brace lost", func(rng *rand.Rand, r string) string { return without(rng, r, '}') }},
	{"bracket lost", func(rng *rand.Rand, r string) string { return without(rng, r, ']') }},
	{"colon lost", func(rng *rand.Rand, r string) string { return without(rng, r, ':') }},
	{"NUL bytes", func(rng *rand.Rand, r string) string {
		i := 1 + rng.IntN(len(r)-2)
		j := i + rng.IntN(len(r)-i)
		return r[:i] + strings.Repeat("\x00", j-i) + r[j:]
	}},
	{"bit flipped", func(rng *rand.Rand, r string) string {
		b := []byte(r)
		b[1+rng.IntN(len(b)-1)] ^= 1 << rng.IntN(8)
		return string(b)
	}},
	{"piece lost", func(rng *rand.Rand, r string) string {
		i := 1 + rng.IntN(len(r)-2)
		j := i + 1 + rng.IntN(len(r)-i-1)
		return r[:i] + r[j:]
	}},
	{"piece twice", func(rng *rand.Rand, r string) string {
		i := 1 + rng.IntN(len(r)-2)
		j := i + 1 + rng.IntN(len(r)-i-1)
		return r[:j] + r[i:]
	}},
}

func without(rng *rand.Rand, s string, c byte) string {
	n := strings.Count(s, string(c))
	k := rng.IntN(n)
	for i := range len(s) {
		if s[i] == c {
			if k == 0 {
				return s[:i] + s[i+1:]
			}
			k--
		}
	}
	return s
}

// frames are the ways records stand in a file.
var frames = []struct {
	name string
	put  func(recs []string) string
	as   func(rec string) string // how a record is written there, nil for as it is
}{
	{"records", func(r []string) string { return `{"Records":[` + strings.Join(r, ",") + `]}` }, nil},
	{"records, a line each", func(r []string) string { return "{\"Records\": [\n" + strings.Join(r, ",\n") + "\n]}\n" }, nil},
	{"lines", func(r []string) string { return strings.Join(r, "\n") + "\n" }, nil},
	{"list", func(r []string) string { return `[` + strings.Join(r, ",") + `]` }, nil},
	{"eventbridge lines", func(r []string) string {
		return `{"version":"0","detail":` + strings.Join(r, "}\n{\"version\":\"0\",\"detail\":") + "}\n"
	}, nil},
	{"indented records", func(r []string) string {
		return "{\n    \"Records\": [\n        " + strings.Join(r, ",\n        ") + "\n    ]\n}\n"
	}, indent},
	{"indented objects", func(r []string) string { return strings.Join(r, "\n") + "\n" }, indent},
	{"log events", func(r []string) string {
		return `{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","message":` + strings.Join(r, `},{"id":"1","message":`) + `}]}`
	}, quote},
	{"lookup events", func(r []string) string {
		return `{"Events":[{"EventId":"1","CloudTrailEvent":` + strings.Join(r, `},{"EventId":"1","CloudTrailEvent":`) + `}],"NextToken":"x"}`
	}, quote},
	{"elastic lines", func(r []string) string {
		return `{"event":{"original":` + strings.Join(r, "}}\n{\"event\":{\"original\":") + "}}\n"
	}, quote},
}

func indent(rec string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(rec), "        ", "    "); err != nil {
		panic(err)
	}
	return b.String()
}

func quote(rec string) string {
	b, err := json.Marshal(rec)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Whatever happens to one record, all others come out unchanged and in order,
// and what is broken is counted once. Only where a piece of a record was lost or
// written twice can what is left of it be whole JSON, and then what is left over
// is counted beside it.
func TestReader_quarantines_exactly_the_broken_record(t *testing.T) {
	const trials, n = 150, 9
	for _, f := range frames {
		for _, dmg := range damages {
			t.Run(f.name+"/"+dmg.name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 11))
				exact, still := 0, 0
				for range trials {
					var recs []string
					for i := range n {
						recs = append(recs, randomRecord(rng, i))
					}
					in := slices.Clone(recs)
					if f.as != nil {
						for i := range in {
							in[i] = f.as(in[i])
						}
						if strings.HasPrefix(f.name, "indented") {
							copy(recs, in)
						}
					}
					k := rng.IntN(n)
					bad := dmg.do(rng, in[k])
					in[k] = bad
					text := f.put(in)
					got := readAll(&dribble{text, 1 + rng.IntN(len(text)), io.EOF}, Limits{})
					checkResult(t, []byte(text), got)
					rest := got.Records
					for i, want := range recs {
						if i == k {
							continue
						}
						j := slices.Index(rest, want)
						if j < 0 {
							t.Fatalf("record %d is lost; record %d was\n%s\nand became\n%s\nskips %+v", i, k, recs[k], bad, got.Skips)
						}
						rest = rest[j+1:]
					}
					total := int64(len(got.Records)) + got.Counts.Quarantined
					if total == n {
						exact++
					}
					if len(got.Records) == n {
						still++
					}
					if total < n || total > n+2 || len(got.Records) > n {
						t.Errorf("%d records and %d quarantined of %d; record %d was\n%s\nand became\n%s\nskips %+v", len(got.Records), got.Counts.Quarantined, n, k, recs[k], bad, got.Skips)
					}
				}
				t.Logf("%d trials: counted exactly in %d, still a record in %d", trials, exact, still)
				if exact < trials*99/100 && !strings.HasPrefix(dmg.name, "piece") {
					t.Errorf("counted exactly in %d of %d", exact, trials)
				}
			})
		}
	}
}
