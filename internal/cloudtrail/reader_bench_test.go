package cloudtrail

import (
	"bytes"
	"testing"
)

// BenchmarkReader is what finding records costs, without inflating and without
// looking into them.
func BenchmarkReader(b *testing.B) {
	text := benchText()
	d := NewReader(nil, Limits{})
	src := bytes.NewReader(nil)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		src.Reset(text)
		d.Reset(src)
		n = 0
		for {
			if _, err := d.Next(); err != nil {
				break
			}
			n++
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
