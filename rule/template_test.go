package rule

import (
	"strings"
	"testing"
	"time"
)

func TestTemplate(t *testing.T) {
	for _, typ := range []Type{TypeQuery, TypeThreshold, TypeNewTerms, TypeEQL, TypeESQL} {
		t.Run(string(typ), func(t *testing.T) {
			tpl := Template{ID: "layer-shared", UUID: "11111111-2222-4333-8444-555555555555", Type: typ, Author: "Me", Created: time.Unix(0, 0)}
			text, err := tpl.TOML()
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse("layer-shared.toml", text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if _, err := r.Compile(CompileOptions{}); err != nil {
				t.Fatal(err)
			}
			unfinished := 0
			for _, p := range Lint(r, LintContext{Tests: 2}) {
				switch p.Code {
				case "unfinished":
					unfinished++
					if !strings.Contains(r.Line(p.Pos.Line)[p.Pos.Col-1:], Unfinished) {
						t.Errorf("%v does not point at %q", p, Unfinished)
					}
				case "needs", "not-linted":
				default:
					t.Errorf("unexpected problem: %v", p)
				}
			}
			if unfinished != 4 {
				t.Errorf("got %d unfinished places, want 4", unfinished)
			}
			roundTrip(t, r)
		})
	}
	if _, err := (Template{Type: TypeMachineLearning}).TOML(); err == nil {
		t.Error("a template for a machine learning rule?")
	}
	if s, err := ParseSuite("x.txtar", Template{}.Tests()); err != nil || len(s.Cases) != 2 {
		t.Errorf("template tests: %v, %v", s, err)
	}
}
