//go:build race

package sandbox

// raced says that the race detector is there: it ends a process that gets no
// memory in its own way.
const raced = true
