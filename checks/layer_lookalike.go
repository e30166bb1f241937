package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// LayerLookalike finds layers whose name imitates a publisher.
var LayerLookalike = posture.Check{
	ID:          "layer-lookalike",
	Ref:         "USE-02",
	Title:       "functions load a layer that looks like a known publisher's and is not",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Needs:       posture.ListFunctions,
	Lists:       posture.ListFunctions,
	Remediation: "use the publisher's own layer, by its documented ARN",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         layerLookalike,
}

func layerLookalike(in posture.Input, found func(posture.Result)) {
	for _, u := range in.ForeignUses() {
		p, match := in.Publisher(u.Layer)
		r := posture.Result{Outcome: lamina.Pass, Resource: u.ARN, Detail: "its name is not that of another publisher's layer"}
		switch match {
		case publishers.UnexpectedName:
			r.Outcome, r.Severity = lamina.Fail, lamina.Medium
			r.Detail = "account " + u.Layer.ARN.Account + " is known as " + p.Name + ", which is not known to publish a layer of this name"
		case publishers.Unverified:
			if q, name := lookalike(in.Publishers, u.Layer.Name); name != "" {
				r.Outcome, r.Severity = lamina.Fail, lamina.High
				r.Detail = "its name is like " + name + " of " + q + ", and account " + u.Layer.ARN.Account + " is not known to be theirs"
			}
		case publishers.Listed, publishers.AccountOnly, publishers.UnexpectedRegion:
		}
		if r.Outcome == lamina.Fail {
			r.Evidence = posture.Functions(u.Functions)
		}
		found(r)
	}
}

// lookalike returns the publisher and the layer name that name imitates.
func lookalike(r *publishers.Registry, name string) (publisher, layer string) {
	if r == nil {
		return "", ""
	}
	for _, p := range r.All() {
		for _, known := range p.Layers {
			if strings.ContainsRune(known, '*') {
				if prefix, rest, _ := strings.Cut(known, "*"); rest == "" && len(prefix) >= shortName && strings.HasPrefix(name, prefix) {
					return p.Name, known
				}
				continue
			}
			if name == known || len(known) >= shortName && within(strings.ToLower(name), strings.ToLower(known), 2) {
				return p.Name, known
			}
		}
	}
	return "", ""
}

// shortName is up to which length names are compared for equality only.
const shortName = 6

// within reports whether a becomes b by at most n insertions, deletions and
// replacements of bytes (Levenshtein's distance).
func within(a, b string, n int) bool {
	if len(a)-len(b) > n || len(b)-len(a) > n {
		return false
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)] <= n
}
