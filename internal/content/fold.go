package content

import (
	"cmp"
	"slices"

	"github.com/lamina-sec/lamina"
)

// MostAlike is how many results of one sort about one package are worth reading.
const MostAlike = 20

// Fold reports the most severe of results that are alike, MostAlike of them, and
// puts the others into one: key tells it apart, and detail says how many more there
// are. Results must have a severity and come in the order of the layer.
func Fold(results []Result, found func(Result), key string, detail func(more int) string) {
	if len(results) <= MostAlike+1 {
		for _, r := range results {
			found(r)
		}
		return
	}
	results = slices.Clone(results)
	slices.SortStableFunc(results, func(a, b Result) int { return cmp.Compare(b.Severity.Rank(), a.Severity.Rank()) })
	for _, r := range results[:MostAlike] {
		found(r)
	}
	rest := results[MostAlike:]
	r := Result{Outcome: lamina.Fail, File: rest[0].File, Key: key, Severity: rest[0].Severity, Detail: detail(len(rest))}
	for _, x := range rest[:min(len(rest), MostAlike)] {
		r.Evidence = append(r.Evidence, "file: "+x.File)
	}
	found(r)
}
