package metricfilter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const record = `{"eventVersion":"1.09","eventSource":"lambda.amazonaws.com","eventName":"AddLayerVersionPermission20181031",` +
	`"readOnly":false,"errorCode":null,"latency":50,"text":"12","a.b":"dotted","list":["one","two"],"pairs":[{"id":1},{"id":2}],` +
	`"requestParameters":{"layerName":"acme-auth","versionNumber":7},"ip":"111.111.111.111"}`

// The first block are the forms and the answers of AWS's page.
func TestMatch(t *testing.T) {
	e, err := NewEvent([]byte(record))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pattern string
		want    Answer
	}{
		{`{ $.eventSource = "lambda.amazonaws.com" }`, Yes},
		{`{ $.ip != 123.123.* }`, Yes},
		{`{ $.ip = 111.111.* }`, Yes},
		{`{ $.list[0] = "one" }`, Yes},
		{`{ $.list[0] = "two" }`, No},
		{`{ $.list[2] = "two" }`, No},
		{`{ $.eventName[0] = "A" }`, No},
		{`{ $.pairs[1].id = 2 }`, Yes},
		{`{ $.pairs[1].name = 2 }`, No},
		{`{ $.errorCode IS NULL }`, Yes},
		{`{ $.errorMessage NOT EXISTS }`, Yes},
		{`{ $.errorCode NOT EXISTS }`, No},
		{`{ $.readOnly IS FALSE }`, Yes},
		{`{ $.readOnly IS TRUE }`, No},
		{`{ $.list = 1 }`, No},
		{`{ $.list != 1 }`, No},
		{`{ $.latency >= 50 && $.latency < 10e3 && $.latency > -5e-1 && $.latency <= +50.0 }`, Yes},
		{`{ $.latency = 50 }`, Yes},
		{`{ $.latency != 50 }`, No},
		{`{ $.latency = * }`, Yes},
		{`{ $.['a.b'] = "dotted" }`, Yes},
		{`{ $.list[*] = "two" }`, Yes},
		{`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`, Yes},
		{`{ $.list[*] = %^t.{2}$% }`, Yes},
		{`{ $.eventName = %LayerVersion% }`, Yes},
		// && binds more than ||.
		{`{ $.latency = 50 || $.latency = 51 && $.ip = "x" }`, Yes},
		{`{ ($.latency = 50 || $.latency = 51) && $.ip = "x" }`, No},
		// Names, without and with the date that AWS appends.
		{`{ ($.eventSource = lambda.amazonaws.com) && ($.eventName = AddLayerVersionPermission*) }`, Yes},
		{`{ $.eventName = "AddLayerVersionPermission" }`, No},
		{`{ $.eventName = "*LayerVersionPermission*" }`, Yes},
		{`{$.eventName=AddLayerVersionPermission20181031}`, Yes},
		{`{ $.eventname = "AddLayerVersionPermission*" }`, No},
		{`{ $.eventName = "addlayerversionpermission*" }`, No},
		{`{ $["eventName"] = "Add*" }`, Yes},
		// What AWS does not document.
		{`{ $.errorMessage != "x" }`, Maybe},
		{`{ $.eventName = "Add*Permission20181031" }`, Maybe},
		{`{ $.eventName = "Add*Permission" }`, No},
		{`{ $.readOnly = "false" }`, Maybe},
		{`{ $.readOnly = "true" }`, No},
		{`{ $.errorCode = null }`, Maybe},
		{`{ $.text > 5 }`, Maybe},
		{`{ $.text = 12.0 }`, Maybe},
		{`{ $.list[*] != "one" }`, Maybe},
		{`{ $.list[*] != "three" }`, Yes},
		{`{ $.errorMessage != "x" || $.latency = 50 }`, Yes},
		{`{ $.errorMessage != "x" && $.latency = 51 }`, No},
		// Text.
		{``, Yes},
		{`" "`, Yes},
		{`AddLayerVersionPermission`, Yes},
		{`AddLayerVersionPermission -acme`, No},
		{`"lambda.amazonaws.com" RemoveLayer`, No},
		{`?RemoveLayer ?AddLayer`, Yes},
		{`?RemoveLayer ?DeleteLayer`, No},
		{`lambda ?RemoveLayer`, Maybe},
		{`%Add.*Permission%`, Yes},
		{`[ip, user, ..., code = 4*]`, Maybe},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if v := p.Match(e); v.Answer != c.want || (v.Answer == Maybe) != (v.Why != "") {
			t.Errorf("%s: got %v (%s), want %v", c.pattern, v.Answer, v.Why, c.want)
		}
	}
}

func TestParse_errors(t *testing.T) {
	for _, c := range []struct{ pattern, want string }{
		{`{ $.a = 1`, "at byte 9: want } or an operator"},
		{`{ $.a = 1 } x`, "at byte 12: want the end of the pattern"},
		{`{ $.a EXISTS }`, "want an operator after $.a"},
		{`{ $.a IS NOT NULL }`, `not "IS NOT"`},
		{`{ a = 1 }`, "want a selector"},
		{`{ $ = 1 }`, "want a name after $"},
		{`{ $.a[x] = 1 }`, "want a number in brackets"},
		{`{ $.a > x }`, "want a number after >"},
		{`{ ($.a = 1 }`, "want ) or an operator"},
		{`{ $.a = "x }`, "want a closing quote"},
		{`{ $.a = %(x)% }`, `AWS does not allow '('`},
		{`{ $.a = %[% }`, "regular expression"},
		{`{ $.a = %x }`, `AWS does not allow ' '`},
		{`{}`, "want a selector"},
		{`-`, "want a term"},
		{strings.Repeat("x", 1025), "AWS allows 1024"},
	} {
		if _, err := Parse(c.pattern); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: got %v, want %s", c.pattern, err, c.want)
		}
	}
}

func TestNewEvent_takes_one_object(t *testing.T) {
	for _, text := range []string{``, `[]`, `"x"`, `{} {}`, `{"a":`} {
		if _, err := NewEvent([]byte(text)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// The oracle makes conditions whose answers are known, and joins them as it
// prints them.
func TestMatch_agrees_with_oracle(t *testing.T) {
	e, err := NewEvent([]byte(record))
	if err != nil {
		t.Fatal(err)
	}
	known := []struct {
		text string
		is   Answer
	}{
		{`$.latency = 50`, Yes},
		{`$.latency = 51`, No},
		{`$.nothing != 1`, Maybe},
		{`$.nothing NOT EXISTS`, Yes},
		{`$.eventName = "Remove*"`, No},
	}
	r := rand.New(rand.NewPCG(1, 2))
	var random func(depth int) (string, Answer)
	random = func(depth int) (string, Answer) {
		if depth == 0 || r.IntN(4) == 0 {
			c := known[r.IntN(len(known))]
			return c.text, c.is
		}
		var text strings.Builder
		is := No
		for i := range 1 + r.IntN(3) { // of the least of each group, the greatest
			if i > 0 {
				text.WriteString("||")
			}
			group := Yes
			for j := range 1 + r.IntN(3) {
				if j > 0 {
					text.WriteString(strings.Repeat(" ", r.IntN(2)) + "&&")
				}
				t, a := random(depth - 1)
				text.WriteString("(" + t + ")")
				group = min(group, a)
			}
			is = max(is, group)
		}
		return text.String(), is
	}
	for range 2000 {
		text, want := random(2)
		if len(text) > maxPattern-4 {
			continue
		}
		p, err := Parse("{ " + text + " }")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := p.Match(e).Answer; got != want {
			t.Fatalf("%s: got %v, want %v", text, got, want)
		}
		again, err := Parse(p.String())
		if err != nil || again.String() != p.String() || again.Match(e).Answer != want {
			t.Fatalf("%s: printed %s: %v", text, p, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{ ($.a[0].b = "x*") && $['c.d'][*] != %e\%[0-9]+% || !`, `{ $.a >= -1e3 || $.b NOT EXISTS }`, `a -"b c" ?d`, `[a, b]`, `%x%`, `" "`} {
		f.Add(s)
	}
	e, err := NewEvent([]byte(record))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			return
		}
		want := p.Match(e)
		printed := fmt.Sprint(p)
		if len(printed) > maxPattern {
			return
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", s, printed, err)
		}
		if got := again.Match(e).Answer; got != want.Answer || again.String() != printed {
			t.Fatalf("%q prints as %q, which matches %v and prints as %q; want %v", s, printed, got, again.String(), want.Answer)
		}
	})
}
