package cloudtrail

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A scribe writes random valid documents out of the words that matter.
type scribe struct {
	rng   *rand.Rand
	blank bool // with white space
}

func (s scribe) one(words ...string) string { return words[s.rng.IntN(len(words))] }

func (s scribe) gap() string {
	if !s.blank {
		return ""
	}
	return s.one("", "", " ", "\n", "\r\n\t", strings.Repeat(" ", 70))
}

func (s scribe) object(depth int, names ...string) string {
	var b strings.Builder
	b.WriteString("{" + s.gap())
	n := s.rng.IntN(4)
	for i := range n {
		if i > 0 {
			b.WriteString("," + s.gap())
		}
		b.WriteString(`"` + s.one(names...) + `"` + s.gap() + ":" + s.gap() + s.value(depth+1) + s.gap())
	}
	return b.String() + "}"
}

func (s scribe) list(depth int) string {
	var parts []string
	for range s.rng.IntN(5) {
		parts = append(parts, s.value(depth+1)+s.gap())
	}
	return "[" + s.gap() + strings.Join(parts, ","+s.gap()) + "]"
}

var (
	recordNames   = []string{"eventVersion", "eventName", "eventID", "resources", "requestParameters", "x", "event\\u004eame", "insightDetails", "eventType"}
	envelopeNames = []string{"Records", "Records", "Events", "logEvents", "hits", "detail", "event", "original", "event.original", "message", "_source", "CloudTrailEvent", "create", "digestStartTime", "logFiles", "y", "Record\\u0073"}
)

func (s scribe) value(depth int) string {
	switch n := s.rng.IntN(14); {
	case depth < 6 && n < 3:
		return s.object(depth, recordNames...)
	case depth < 6 && n < 6:
		return s.object(depth, envelopeNames...)
	case depth < 6 && n < 9:
		return s.list(depth)
	case depth < 4 && n < 11:
		b, err := json.Marshal(s.value(depth + 1))
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return s.one("null", "true", "-0.5e+7", `""`, `"a"`, `"}"`, `"[{\"eventVersion\":"`, `"\\"`, `"\"`+"\u00e9"+`"`, `"CWL CONTROL MESSAGE"`, `"AwsCloudTrailInsight"`)
}

func (s scribe) document() string {
	switch s.rng.IntN(3) {
	case 0:
		return s.object(0, envelopeNames...)
	case 1:
		return s.object(0, recordNames...)
	}
	return s.list(0)
}

func TestReader_agrees_with_the_oracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 4))
	trials := 10_000
	if testing.Short() {
		trials = 2_000
	}
	some, records, lost := 0, 0, 0
	for i := range trials {
		s := scribe{rng, i%2 == 0}
		var text strings.Builder
		text.WriteString(s.document())
		for range rng.IntN(3) {
			text.WriteString(s.one("", "\n", " ") + s.document())
		}
		in := text.String()
		want, wantLost, ok := naiveSplit([]byte(in))
		if !ok {
			t.Fatalf("the oracle refuses %s", in)
		}
		got := readAll(&dribble{in, 1 + rng.IntN(len(in)), io.EOF}, Limits{Window: minWindow})
		checkResult(t, []byte(in), got)
		if diff := cmp.Diff(want, got.Records); diff != "" {
			t.Fatalf("%s\n(-oracle +reader)\n%s", in, diff)
		}
		if got.Counts.Quarantined != int64(wantLost) {
			t.Fatalf("%s\nquarantined %d, oracle %d: %+v", in, got.Counts.Quarantined, wantLost, got.Skips)
		}
		if len(want) > 0 {
			some++
		}
		records, lost = records+len(want), lost+wantLost
	}
	t.Logf("%d documents, %d with records: %d records, %d given up", trials, some, records, lost)
}
