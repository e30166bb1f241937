package content

import "strconv"

// Count is a number of things in words: "1 file", "2 files".
func Count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// Bytes is a size in words, in powers of ten as AWS counts: "512 bytes",
// "1.5 kB", "20.0 MB".
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return Count(int(n), "byte")
	case n < 1000*1000:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}
