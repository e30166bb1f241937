package gate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// licenceCheck is the check of licences, whose findings name what they are about.
const licenceCheck = Own + "licence"

// licences judges the licences of the layer's packages. A package whose licence
// cannot be told is UNKNOWN; those that name none are one finding.
func (p Policy) licences(l Layer, in Input) []lamina.Finding {
	if p.Allowed == nil && p.Denied == nil {
		return nil
	}
	const title = "package has a licence that the policy does not allow"
	if !in.Listed {
		return []lamina.Finding{open(l, "licence", title, "the packages of the layer were not listed", "a lamina that lists them")}
	}
	var out []lamina.Finding
	var silent []string
	for _, c := range in.Packages {
		if c.Resource != l.Name || c.How == string(sbom.Own) || c.How == string(sbom.Locked) {
			continue // of no registry, or not there
		}
		said := strings.Join(append(slices.Clone(c.Licenses), c.LicenseText), "; ")
		if said = strings.Trim(said, "; "); said == "" {
			silent = append(silent, "package: "+c.PURL)
			continue
		}
		outcome, why := p.licence(&c)
		if outcome == lamina.Pass {
			continue
		}
		file := ""
		if len(c.Files) > 0 {
			file = c.Files[0]
		}
		name := strings.TrimSpace(c.Name + " " + c.Version)
		f := violation(l, "licence", name+": "+why, file, c.PURL, "its licence is given as "+strconv.Quote(said), "package: "+c.PURL, "licence: "+said)
		if outcome == lamina.Unknown {
			f.Outcome, f.Remediation = lamina.Unknown, ""
			f.Detail = "the policy's requirement could not be judged"
			f.Reason, f.Settle = "its licence is given as "+strconv.Quote(said), "read its licence; then an exception says what it is, and who read it"
		}
		out = append(out, f)
	}
	if silent != nil {
		more := silent[min(len(silent), maxNamed):]
		f := open(l, "licence", plural(len(silent), "package names", "packages name")+" no licence", "their metadata names none, or they have none",
			"read their licences; then an exception says who did")
		f.ID = lamina.ID("F", f.Check, l.Name, "silent", strings.Join(silent, " "))
		f.Evidence = silent[:len(silent)-len(more)]
		if len(more) > 0 {
			f.Evidence = append(slices.Clone(f.Evidence), fmt.Sprintf("and %d more", len(more)))
		}
		out = append(out, f)
	}
	return out
}

// licence is what the policy says of a package's licences, and why. Several that
// it lists all hold.
func (p Policy) licence(c *lamina.Package) (outcome lamina.Outcome, why string) {
	outcome = lamina.Pass
	for _, expression := range c.Licenses {
		e := &expressionReader{p: p, words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression))}
		switch o, w := e.either(0); {
		case e.bad || e.at < len(e.words):
			return lamina.Unknown, fmt.Sprintf("licence %q is no expression of SPDX", expression)
		case o == lamina.Fail:
			return o, w
		}
	}
	if c.LicenseText == "" {
		return outcome, ""
	}
	// Of what a text lists, all may hold or one be chosen, and each may be one of a
	// family: certain is only what is so of all of them.
	var yes, no int
	for _, ids := range sbom.Candidates(c.LicenseText) {
		for _, id := range ids {
			o, w := p.identifier(id)
			if o == lamina.Pass {
				yes++
				continue
			}
			no++
			why = w
		}
	}
	switch {
	case yes > 0 && no == 0:
		return lamina.Pass, ""
	case no > 1:
		why = fmt.Sprintf("%q can mean no licence that is allowed", c.LicenseText)
		if p.Allowed == nil {
			why = fmt.Sprintf("%q is denied, whichever of its family it is", c.LicenseText)
		}
	}
	if no > 0 && yes == 0 {
		return lamina.Fail, why
	}
	return lamina.Unknown, fmt.Sprintf("licence %q can be several", c.LicenseText)
}

// identifier is what the policy says of one licence.
func (p Policy) identifier(id string) (outcome lamina.Outcome, why string) {
	name, _, _ := strings.Cut(id, " WITH ")
	is := func(pattern string) bool {
		return exception.Glob(strings.ToLower(pattern), strings.ToLower(name), false)
	}
	switch {
	case slices.ContainsFunc(p.Denied, is):
		return lamina.Fail, name + " is denied"
	case p.Allowed != nil && !slices.ContainsFunc(p.Allowed, is):
		return lamina.Fail, name + " is not among those allowed"
	}
	return lamina.Pass, ""
}

// An expressionReader judges a licence expression of SPDX
// (https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/): of
// alternatives one that is fine is enough, of what is joined all have to be.
type expressionReader struct {
	p     Policy
	words []string
	at    int
	bad   bool // it is no expression
}

// maxNesting is how deep parentheses may be in each other.
const maxNesting = 20

func (e *expressionReader) next(word string) bool {
	if e.at < len(e.words) && strings.EqualFold(e.words[e.at], word) {
		e.at++
		return true
	}
	return false
}

func (e *expressionReader) either(depth int) (lamina.Outcome, string) {
	outcome, why := e.all(depth)
	for e.next("OR") {
		if o, _ := e.all(depth); o == lamina.Pass {
			outcome, why = o, ""
		}
	}
	return outcome, why
}

func (e *expressionReader) all(depth int) (lamina.Outcome, string) {
	outcome, why := e.one(depth)
	for e.next("AND") {
		if o, w := e.one(depth); o != lamina.Pass && outcome == lamina.Pass {
			outcome, why = o, w
		}
	}
	return outcome, why
}

// one reads a licence or a group.
func (e *expressionReader) one(depth int) (lamina.Outcome, string) {
	if depth < maxNesting && e.next("(") {
		outcome, why := e.either(depth + 1)
		e.bad = e.bad || !e.next(")")
		return outcome, why
	}
	if e.at >= len(e.words) {
		e.bad = true
		return lamina.Unknown, ""
	}
	id := e.words[e.at]
	e.at++
	if e.next("WITH") && e.at < len(e.words) {
		e.at++
	}
	return e.p.identifier(id)
}
