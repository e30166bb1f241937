package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// A Document is a bill of materials as it is written.
type Document struct {
	// Name is the layer's file or ARN, SHA256 its digest in lower-case hex or "".
	Name   string
	SHA256 string
	// Created is the time to write down; the same components and time give the
	// same bytes.
	Created time.Time
	// Tool is the version of lamina.
	Tool string
	// Incomplete is true if parts of the layer could not be read.
	Incomplete bool
	// Components are as Merge returns them. Those that are only Locked are left
	// out: a bill of materials says what is there.
	Components      []Component
	Vulnerabilities []Vulnerability
}

// A Vulnerability is a known one of some of the components.
type Vulnerability struct {
	// ID is an advisory's ("GHSA-…", "CVE-…"), Aliases what others call it.
	ID      string
	Aliases []string
	// Source is who says so ("OSV"), URL where.
	Source, URL string
	Summary     string
	// Severity is "critical", "high", "medium", "low", "none" or "unknown", Vector a
	// CVSS vector or "".
	Severity, Vector string
	// Affects are package URLs of the document, Fixed the versions that mend it.
	Affects []string
	Fixed   []string
}

// digest identifies the content: what the document says but when and by what.
func (d *Document) digest() [sha256.Size]byte {
	h := sha256.New()
	// Marshalling these types cannot fail, and a hash takes all it is given.
	b, _ := json.Marshal([]any{d.Name, d.SHA256, d.Incomplete, Present(d.Components), d.Vulnerabilities})
	_, _ = h.Write(b)
	return [sha256.Size]byte(h.Sum(nil))
}

// serial is a UUID of the content, of version 8: made as its maker likes (RFC 9562).
func (d *Document) serial() string {
	b := d.digest()
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// needs are the package URLs of the components that each one requires, where a
// name has one version in the document.
func needs(all []Component) map[string][]string {
	named := map[[2]string][]string{}
	for _, c := range all {
		key := [2]string{c.Ecosystem, c.Name}
		named[key] = append(named[key], c.PURL())
	}
	found := map[string][]string{}
	for _, c := range all {
		purl := c.PURL()
		for _, name := range c.Requires {
			if others := named[[2]string{c.Ecosystem, name}]; len(others) == 1 && others[0] != purl {
				found[purl] = append(found[purl], others[0])
			}
		}
	}
	for _, list := range found {
		slices.Sort(list)
	}
	return found
}

// algorithms are the names of hash algorithms in CycloneDX and SPDX by npm's.
var algorithms = map[string]struct {
	cyclone cdx.HashAlgorithm
	spdx    string
}{
	"sha1": {cdx.HashAlgoSHA1, "SHA1"}, "sha256": {cdx.HashAlgoSHA256, "SHA256"},
	"sha384": {cdx.HashAlgoSHA384, "SHA384"}, "sha512": {cdx.HashAlgoSHA512, "SHA512"},
}

// WriteCycloneDX writes the document as CycloneDX 1.6 JSON
// (https://cyclonedx.org/docs/1.6/json/).
func (d *Document) WriteCycloneDX(w io.Writer) error {
	all := Present(d.Components)
	root := cdx.Component{BOMRef: "layer", Type: cdx.ComponentTypeContainer, Name: d.Name}
	if d.SHA256 != "" {
		root.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: d.SHA256}}
		root.Version = "sha256:" + d.SHA256
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = d.serial()
	bom.Metadata = &cdx.Metadata{
		Timestamp: d.Created.UTC().Format(time.RFC3339),
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "lamina", Version: d.Tool}}},
		Component: &root,
	}
	components := make([]cdx.Component, 0, len(all))
	refs := make([]string, 0, len(all))
	requires := needs(all)
	var dependencies []cdx.Dependency
	for _, c := range all {
		purl := c.PURL()
		components = append(components, cyclone(c))
		refs = append(refs, purl)
		dep := cdx.Dependency{Ref: purl}
		if list := requires[purl]; list != nil {
			dep.Dependencies = &list
		}
		dependencies = append(dependencies, dep)
	}
	dependencies = append([]cdx.Dependency{{Ref: root.BOMRef, Dependencies: &refs}}, dependencies...)
	bom.Components, bom.Dependencies = &components, &dependencies
	aggregate := cdx.CompositionAggregateUnknown
	if d.Incomplete {
		aggregate = cdx.CompositionAggregateIncomplete
	}
	bom.Compositions = &[]cdx.Composition{{Aggregate: aggregate, Assemblies: &[]cdx.BOMReference{cdx.BOMReference(root.BOMRef)}}}
	if len(d.Vulnerabilities) > 0 {
		var list []cdx.Vulnerability
		for _, v := range d.Vulnerabilities {
			list = append(list, cycloneVulnerability(v))
		}
		bom.Vulnerabilities = &list
	}
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	if err := e.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write cyclonedx: %w", err)
	}
	return nil
}

func cyclone(c Component) cdx.Component {
	x := cdx.Component{BOMRef: c.PURL(), PackageURL: c.PURL(), Type: cdx.ComponentTypeLibrary, Name: c.Name, Version: c.Version}
	if c.Program {
		x.Type = cdx.ComponentTypeApplication
	}
	switch c.Ecosystem {
	case Maven:
		if group, name, ok := strings.Cut(c.Name, ":"); ok {
			x.Group, x.Name = group, name
		}
	case NPM, Packagist:
		if group, name, ok := strings.Cut(c.Name, "/"); ok {
			x.Group, x.Name = group, name
		}
	}
	switch {
	case c.License != "" && isIdentifier(c.License):
		x.Licenses = &cdx.Licenses{{License: &cdx.License{ID: c.License}}}
	case c.License != "":
		x.Licenses = &cdx.Licenses{{Expression: c.License}}
	case c.LicenseText != "":
		x.Licenses = &cdx.Licenses{{License: &cdx.License{Name: c.LicenseText}}}
	}
	if algorithm, sum := integrity(c.Integrity); sum != "" {
		x.Hashes = &[]cdx.Hash{{Algorithm: algorithms[algorithm].cyclone, Value: sum}}
	}
	places := []cdx.EvidenceOccurrence{{Location: c.File}}
	for _, file := range c.Also {
		places = append(places, cdx.EvidenceOccurrence{Location: file})
	}
	x.Evidence = &cdx.Evidence{Occurrences: &places}
	x.Properties = &[]cdx.Property{{Name: "lamina:how", Value: string(c.How)}}
	return x
}

func cycloneVulnerability(v Vulnerability) cdx.Vulnerability {
	x := cdx.Vulnerability{BOMRef: v.ID, ID: v.ID, Description: v.Summary}
	if v.Source != "" {
		x.Source = &cdx.Source{Name: v.Source, URL: v.URL}
	}
	if v.Severity != "" || v.Vector != "" {
		r := cdx.VulnerabilityRating{Severity: cdx.Severity(v.Severity), Vector: v.Vector}
		switch {
		case strings.HasPrefix(v.Vector, "CVSS:4"):
			r.Method = cdx.ScoringMethodCVSSv4
		case strings.HasPrefix(v.Vector, "CVSS:3.1"):
			r.Method = cdx.ScoringMethodCVSSv31
		case strings.HasPrefix(v.Vector, "CVSS:3"):
			r.Method = cdx.ScoringMethodCVSSv3
		case v.Vector != "":
			r.Method = cdx.ScoringMethodCVSSv2
		}
		x.Ratings = &[]cdx.VulnerabilityRating{r}
	}
	if len(v.Aliases) > 0 {
		var refs []cdx.VulnerabilityReference
		for _, alias := range v.Aliases {
			refs = append(refs, cdx.VulnerabilityReference{ID: alias, Source: &cdx.Source{Name: v.Source}})
		}
		x.References = &refs
	}
	if len(v.Fixed) > 0 {
		x.Recommendation = "use version " + strings.Join(v.Fixed, " or ")
	}
	var affects []cdx.Affects
	for _, purl := range v.Affects {
		affects = append(affects, cdx.Affects{Ref: purl})
	}
	x.Affects = &affects
	return x
}

// isIdentifier reports whether a licence expression is one identifier that the
// schema of CycloneDX 1.6 lists; it is older than two of them.
func isIdentifier(license string) bool {
	return identifiers[strings.ToLower(license)] == license && license != "Python-2.0.1" && license != "Unicode-3.0"
}

// integrity is the algorithm and the hex digest of npm's "sha512-BASE64"; both ""
// for what is no plain digest of a file.
func integrity(s string) (algorithm, sum string) {
	first, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	algorithm, encoded, _ := strings.Cut(first, "-")
	if _, ok := algorithms[algorithm]; !ok {
		return "", ""
	}
	b, err := decodeBase64(encoded)
	if err != nil || len(b) < 20 {
		return "", ""
	}
	return algorithm, hex.EncodeToString(b)
}
