//go:build unix

package layerfs

import "golang.org/x/sys/unix"

// reserve returns n zero bytes that are not of the collected heap.
func reserve(n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		// Under a limit of the address space, the heap may still have it.
		return make([]byte, n)
	}
	return b
}

// forget gives the pages of b back.
func forget(b []byte) { _ = unix.Madvise(b, unix.MADV_DONTNEED) }
