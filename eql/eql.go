// Package eql is the room of Elastic's Event Query Language: parse with
// positions, check, compile to an immutable program, print back, with the
// meaning that the detection engine gives it (sequences included).
//
// What it has today is its name: Compile refuses every query with a
// *query.UnsupportedError, so that rules of type eql load, are listed, exported
// and documented, and say what they wait for instead of being silent.
package eql

import "github.com/lamina-sec/lamina/query"

// Needs is what an EQL query waits for.
const Needs = "the EQL engine"

// Compile refuses src: there is no EQL engine yet.
func Compile(string) (query.Predicate, error) {
	return nil, &query.UnsupportedError{Name: "an EQL query", Needs: Needs}
}
