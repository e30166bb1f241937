package secret

import (
	"slices"

	"github.com/lamina-sec/lamina"
)

// pair raises an AWS access key id and a secret access key that stand within
// five lines of each other, or 512 bytes in a binary file: together they are a
// credential.
func pair(fs []found) {
	near := func(a, b *found) bool {
		if a.line > 0 && b.line > 0 {
			return max(a.line-b.line, b.line-a.line) <= 5
		}
		return max(a.base-b.base, b.base-a.base) <= 512
	}
	for i := range fs {
		if fs[i].f.kind != "aws-access-key-id" {
			continue
		}
		// fs is in order of offset, so what is near is not far in it.
		for j := max(0, i-32); j < min(len(fs), i+32); j++ {
			if fs[j].f.kind != "aws-secret-access-key" || !near(&fs[i], &fs[j]) {
				continue
			}
			id := "pair: " + redact(fs[i].f, fs[i].value)
			if !slices.Contains(fs[j].evidence, id) {
				fs[j].evidence = append(slices.Clone(fs[j].evidence), id)
			}
			if with := "pair: its secret is beside it"; !slices.Contains(fs[i].evidence, with) {
				fs[i].evidence = append(slices.Clone(fs[i].evidence), with)
			}
			fs[i].severity, fs[j].severity = lamina.Critical, lamina.Critical
			fs[j].confidence = Certain
		}
	}
}
