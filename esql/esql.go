// Package esql is the room of ES|QL, Elastic's piped query language: parse with
// positions, check the columns, compile to an immutable pipeline, print back,
// with its three-valued logic and its aggregations.
//
// What it has today is its name: Compile refuses every query with a
// *query.UnsupportedError, so that rules of type esql load, are listed, exported
// and documented, and say what they wait for instead of being silent.
package esql

import "github.com/lamina-sec/lamina/query"

// Needs is what an ES|QL query waits for.
const Needs = "the ES|QL engine"

// Compile refuses src: there is no ES|QL engine yet.
func Compile(string) (query.Predicate, error) {
	return nil, &query.UnsupportedError{Name: "an ES|QL query", Needs: Needs}
}
