//go:build !linux

package sandbox

// try would try what a child on Linux may not.
func try() {}
