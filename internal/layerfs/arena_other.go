//go:build !unix

package layerfs

// reserve returns n zero bytes.
func reserve(n int) []byte { return make([]byte, n) }

func forget([]byte) {}
