package checks_test

import (
	"testing"

	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/sample"
)

// BenchmarkRun runs every check over a generated organisation of 200 accounts,
// 10,000 functions and 2,000 layer versions, indexing it among them.
func BenchmarkRun(b *testing.B) {
	registry, err := publishers.Builtin()
	if err != nil {
		b.Fatal(err)
	}
	s := sample.Estate(1, sample.Large)
	b.ReportAllocs()
	for b.Loop() {
		findings := posture.Run(checks.All, posture.Input{Estate: estate.New(s, nil), Publishers: registry})
		b.ReportMetric(float64(len(findings)), "findings")
	}
}
