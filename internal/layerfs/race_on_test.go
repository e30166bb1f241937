//go:build race

package layerfs_test

// raceEnabled says that the race detector slows everything down.
const raceEnabled = true
