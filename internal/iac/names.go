package iac

import (
	"maps"
	"slices"
)

// declared are things of one kind by ARN, and which is the first that has a name.
type declared[T any] struct {
	byARN map[string]T
	named map[string]string // the first ARN, by name
}

func newDeclared[T any]() declared[T] {
	return declared[T]{byARN: map[string]T{}, named: map[string]string{}}
}

// add puts a thing in place of what has its ARN.
func (d declared[T]) add(arn, name string, x T) {
	d.byARN[arn] = x
	d.name(arn, name)
}

// name says that the thing with the ARN is also found by the name.
func (d declared[T]) name(arn, name string) {
	if first, taken := d.named[name]; !taken || arn < first {
		d.named[name] = arn
	}
}

// sorted are the things by ARN.
func (d declared[T]) sorted() []T {
	var out []T
	for _, arn := range slices.Sorted(maps.Keys(d.byARN)) {
		out = append(out, d.byARN[arn])
	}
	return out
}
