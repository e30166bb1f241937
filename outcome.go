package lamina

import "fmt"

// An Outcome is what a check, analyzer or question found out. The zero value is
// invalid, so that a forgotten Outcome cannot be read as a pass.
type Outcome string

// The outcomes. Unknown is not Pass: it says that the answer could not be had,
// and Reason and Settle beside it say why and what would settle it.
const (
	Fail          Outcome = "FAIL"
	Pass          Outcome = "PASS"
	Unknown       Outcome = "UNKNOWN"
	NotApplicable Outcome = "NOT_APPLICABLE"
)

// Valid reports whether o is one of the four outcomes.
func (o Outcome) Valid() bool {
	switch o {
	case Fail, Pass, Unknown, NotApplicable:
		return true
	}
	return false
}

// A Severity ranks findings and alerts in Elastic's words.
type Severity string

// The severities, from least to most.
const (
	Info     Severity = "info"
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Severities lists all severities from least to most.
var Severities = []Severity{Info, Low, Medium, High, Critical}

// ParseSeverity returns the severity named s, in lower case.
func ParseSeverity(s string) (Severity, error) {
	for _, v := range Severities {
		if string(v) == s {
			return v, nil
		}
	}
	return "", fmt.Errorf("unknown severity %q", s)
}

// Rank is the position of s among Severities, or -1.
func (s Severity) Rank() int {
	for i, v := range Severities {
		if v == s {
			return i
		}
	}
	return -1
}
