package source

import "bytes"

// Memory is a Blob of bytes that are in memory, as if they were stored under the
// name. It can be opened once.
func Memory(name string, data []byte) *Blob {
	return &Blob{
		Name: name, Size: int64(len(data)), Place: ParsePlace(name), length: -1,
		stdin: bytes.NewReader(data), inflated: DefaultInflated,
	}
}
