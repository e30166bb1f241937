package iam

import (
	"slices"
	"strings"
)

// Alike returns a function that gives the same text for values of a condition key
// that no condition with these values in a policy tells apart, whatever its operator:
// ARNs and words, of which no operator of numbers, dates or addresses makes anything.
func Alike(values []string) func(value string) string {
	if slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, "${") }) {
		return func(value string) string { return value } // a variable may stand for any
	}
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	var all []condition
	for _, v := range values {
		for _, operator := range []string{"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike"} {
			all = append(all, compileCondition(&Condition{Operator: operator, Key: "alike", Values: []string{v}}, false))
		}
	}
	return func(value string) string {
		one, sign := []string{value}, make([]byte, len(all))
		for i := range all {
			sign[i] = '?' // a value that the operator does not take fits none
			if all[i].problem == "" {
				sign[i] = '0' + byte(all[i].of(one, nil))
			}
		}
		return string(sign)
	}
}
