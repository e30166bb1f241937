package vulndb

import (
	"math"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Rating is how bad a record says a vulnerability is.
type Rating struct {
	// Severity is what the database states in a word, or what follows from the
	// vector; "" if there is neither. CVSS 4 vectors alone give none: their score
	// is a table of 270 expert judgements, which is not kept here.
	Severity lamina.Severity
	// Vector is the CVSS vector of the highest version below 4, or else of
	// version 4; "" if there is none.
	Vector string
	// Score is the base score of Vector, 0.0 to 10.0, or -1 if it is not known.
	Score float64
}

// rate is the rating that OSV severities and a stated word give.
func rate(in []wireRating, word string) Rating {
	r := Rating{Score: -1}
	var v4 string
	rank := 0
	for _, w := range in {
		v := string(w.Score)
		if len(v) > maxName {
			continue
		}
		n, score := 0, -1.0
		switch {
		case strings.HasPrefix(v, "CVSS:3."):
			n, score = 3, cvss3(v)
		case strings.HasPrefix(v, "CVSS:4."):
			if v4 == "" && printable(v) {
				v4 = v
			}
		case strings.HasPrefix(v, "AV:") || strings.HasPrefix(v, "(AV:"):
			n, score = 2, cvss2(strings.Trim(v, "()"))
		case w.Type == "Ubuntu":
			if word == "" {
				word = v
			}
		}
		if score >= 0 && (n > rank || n == rank && score > r.Score) {
			rank, r.Vector, r.Score = n, v, score
		}
	}
	if r.Vector == "" {
		r.Vector = v4
	}
	if r.Severity = stated(word); r.Severity != "" || r.Score < 0 {
		return r
	}
	// CVSS 2 has no critical.
	if r.Severity = qualitative(r.Score); rank == 2 && r.Severity == lamina.Critical {
		r.Severity = lamina.High
	}
	return r
}

// worse is the more severe of two ratings.
func worse(a, b Rating) Rating {
	if b.Severity.Rank() > a.Severity.Rank() {
		a.Severity = b.Severity
	}
	if b.Score > a.Score || a.Vector == "" {
		a.Vector, a.Score = b.Vector, b.Score
	}
	return a
}

// stated is the severity a word of a database means.
func stated(word string) lamina.Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical":
		return lamina.Critical
	case "high", "important":
		return lamina.High
	case "medium", "moderate":
		return lamina.Medium
	case "low", "minor":
		return lamina.Low
	case "none", "negligible", "informational":
		return lamina.Info
	}
	return ""
}

// qualitative is the rating scale of CVSS 3.1, section 5.
func qualitative(score float64) lamina.Severity {
	switch {
	case score >= 9:
		return lamina.Critical
	case score >= 7:
		return lamina.High
	case score >= 4:
		return lamina.Medium
	case score > 0:
		return lamina.Low
	}
	return lamina.Info
}

// metrics splits a vector into its metrics; nil if one stands twice or is not of
// the form name:value.
func metrics(vector string) map[string]string {
	m := map[string]string{}
	for part := range strings.SplitSeq(vector, "/") {
		k, v, ok := strings.Cut(part, ":")
		if _, twice := m[k]; !ok || twice {
			return nil
		}
		m[k] = v
	}
	return m
}

// weigh looks up the weights of metrics; ok is false if one is missing.
func weigh(m map[string]string, table map[string]map[string]float64) (map[string]float64, bool) {
	out := map[string]float64{}
	for k, values := range table {
		w, ok := values[m[k]]
		if !ok {
			return nil, false
		}
		out[k] = w
	}
	return out, true
}

// The weights of CVSS 3.1, section 7.4, for an unchanged scope.
var weights3 = map[string]map[string]float64{
	"AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
	"AC": {"L": 0.77, "H": 0.44},
	"PR": {"N": 0.85, "L": 0.62, "H": 0.27},
	"UI": {"N": 0.85, "R": 0.62},
	"S":  {"U": 0, "C": 1},
	"C":  {"H": 0.56, "L": 0.22, "N": 0},
	"I":  {"H": 0.56, "L": 0.22, "N": 0},
	"A":  {"H": 0.56, "L": 0.22, "N": 0},
}

// cvss3 is the base score of a version 3 vector, or -1. The equations are those
// of section 7.1 of https://www.first.org/cvss/v3.1/specification-document;
// version 3.0 differs in nothing but how it says to round.
func cvss3(vector string) float64 {
	_, rest, _ := strings.Cut(vector, "/")
	m := metrics(rest)
	w, ok := weigh(m, weights3)
	if !ok || !printable(vector) {
		return -1
	}
	changed := w["S"] == 1
	if changed {
		switch m["PR"] {
		case "L":
			w["PR"] = 0.68
		case "H":
			w["PR"] = 0.5
		}
	}
	iss := 1 - (1-w["C"])*(1-w["I"])*(1-w["A"])
	impact := 6.42 * iss
	if changed {
		impact = 7.52*(iss-0.029) - 3.25*math.Pow(iss-0.02, 15)
	}
	if impact <= 0 {
		return 0
	}
	sum := impact + 8.22*w["AV"]*w["AC"]*w["PR"]*w["UI"]
	if changed {
		sum *= 1.08
	}
	return roundUp(min(sum, 10))
}

// roundUp is the smallest number with one decimal that is not below x, as
// appendix A of the specification computes it without surprises of floats.
func roundUp(x float64) float64 {
	n := math.Round(x * 100_000)
	if math.Mod(n, 10_000) == 0 {
		return n / 100_000
	}
	return (math.Floor(n/10_000) + 1) / 10
}

// The weights of CVSS 2, section 3.2.1.
var weights2 = map[string]map[string]float64{
	"AV": {"N": 1, "A": 0.646, "L": 0.395},
	"AC": {"H": 0.35, "M": 0.61, "L": 0.71},
	"Au": {"M": 0.45, "S": 0.56, "N": 0.704},
	"C":  {"N": 0, "P": 0.275, "C": 0.66},
	"I":  {"N": 0, "P": 0.275, "C": 0.66},
	"A":  {"N": 0, "P": 0.275, "C": 0.66},
}

// cvss2 is the base score of a version 2 vector, or -1
// (https://www.first.org/cvss/v2/guide, section 3.2.1).
func cvss2(vector string) float64 {
	w, ok := weigh(metrics(vector), weights2)
	if !ok || !printable(vector) {
		return -1
	}
	impact := 10.41 * (1 - (1-w["C"])*(1-w["I"])*(1-w["A"]))
	if impact == 0 {
		return 0
	}
	exploitability := 20 * w["AV"] * w["AC"] * w["Au"]
	return math.Round((0.6*impact+0.4*exploitability-1.5)*1.176*10) / 10
}

// printable reports whether s is ASCII without spaces and controls.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
