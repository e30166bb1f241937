package iam

import (
	"fmt"
	"testing"
)

// Values that Alike puts together get the same answer of every operator.
func TestAlike_is_told_apart_by_no_condition(t *testing.T) {
	patterns := []string{"arn:aws:lambda:*:111122223333:layer:a*:*", "arn:aws:lambda:eu-west-1:111122223333:layer:B:1", "*:layer:c?:*", "arn:aws:lambda", "12", "*"}
	var values []string
	for _, account := range []string{"111122223333", "444455556666"} {
		for _, name := range []string{"a", "ab", "B", "b", "c1", "c12", "A"} {
			for version := range 3 {
				values = append(values, fmt.Sprintf("arn:aws:lambda:eu-west-1:%s:layer:%s:%d", account, name, version+1))
			}
		}
	}
	sign := Alike(patterns)
	groups := map[string][]string{}
	for _, v := range values {
		groups[sign(v)] = append(groups[sign(v)], v)
	}
	if len(groups) < 5 || len(groups) == len(values) {
		t.Errorf("%d values are %d groups", len(values), len(groups))
	}
	for operator := range operators {
		for _, quality := range []string{"", "ForAnyValue:", "ForAllValues:"} {
			for _, ifExists := range []string{"", "IfExists"} {
				for _, p := range patterns {
					c := compileCondition(&Condition{Operator: quality + operator + ifExists, Key: "lambda:Layer", Values: []string{p}}, true)
					for _, list := range groups {
						r := &Request{Subject: NewSubject(Caller{}, nil), Object: NewObject(Resource{}, nil), Keys: Keys{}.Set("lambda:Layer", Is(list[0]))}
						want := c.eval(r)
						for _, v := range list[1:] {
							r.Keys.Set("lambda:Layer", Is(v))
							if got := c.eval(r); got != want {
								t.Errorf("%s %s: %v for %s, %v for %s", c.Operator, p, want, list[0], got, v)
							}
						}
					}
				}
			}
		}
	}
	if v := Alike([]string{"${aws:PrincipalTag/layer}"}); v("x") == v("y") {
		t.Error("a variable may stand for either")
	}
}
