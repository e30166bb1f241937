// Package lamina holds the nouns every part speaks in: layer, function, grant,
// finding, alert, exposure, plan, and the Message stream that carries results
// to every writer. Standard library only, no I/O, no clock.
//
// The first thing to read is Message: each command produces a stream of them
// and each output format is a reader of that stream.
package lamina
