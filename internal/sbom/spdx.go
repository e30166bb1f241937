package sbom

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The types below are the parts of an SPDX 2.3 document that are written here
// (https://spdx.github.io/spdx-spec/v2.3/).
type spdxDocument struct {
	Version    string      `json:"spdxVersion"`
	License    string      `json:"dataLicense"`
	ID         string      `json:"SPDXID"`
	Name       string      `json:"name"`
	Namespace  string      `json:"documentNamespace"`
	Creation   spdxCreated `json:"creationInfo"`
	Comment    string      `json:"comment,omitempty"`
	Describes  []string    `json:"documentDescribes"`
	Packages   []spdxItem  `json:"packages"`
	Relations  []spdxLink  `json:"relationships"`
	OtherTexts []spdxText  `json:"hasExtractedLicensingInfos,omitempty"`
}

type spdxCreated struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxItem struct {
	ID         string         `json:"SPDXID"`
	Name       string         `json:"name"`
	Version    string         `json:"versionInfo,omitempty"`
	Download   string         `json:"downloadLocation"`
	Analyzed   bool           `json:"filesAnalyzed"`
	Checksums  []spdxChecksum `json:"checksums,omitempty"`
	Concluded  string         `json:"licenseConcluded"`
	Declared   string         `json:"licenseDeclared"`
	Copyright  string         `json:"copyrightText"`
	Purpose    string         `json:"primaryPackagePurpose,omitempty"`
	SourceInfo string         `json:"sourceInfo,omitempty"`
	References []spdxRef      `json:"externalRefs,omitempty"`
}

type spdxChecksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type spdxRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
	Comment  string `json:"comment,omitempty"`
}

type spdxLink struct {
	From string `json:"spdxElementId"`
	Kind string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

type spdxText struct {
	ID   string `json:"licenseId"`
	Text string `json:"extractedText"`
	Name string `json:"name"`
}

const noAssertion = "NOASSERTION"

// WriteSPDX writes the document as SPDX 2.3 JSON. Vulnerabilities become external
// references of the packages they affect.
func (d *Document) WriteSPDX(w io.Writer) error {
	all := Present(d.Components)
	doc := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: cmp.Or(d.Name, "layer"), Namespace: d.serial(),
		Creation:  spdxCreated{d.Created.UTC().Format(time.RFC3339), []string{"Tool: lamina-" + cmp.Or(d.Tool, "devel")}},
		Describes: []string{"SPDXRef-Layer"},
		Packages: []spdxItem{{
			ID: "SPDXRef-Layer", Name: cmp.Or(d.Name, "layer"), Download: noAssertion, Concluded: noAssertion, Declared: noAssertion, Copyright: noAssertion, Purpose: "ARCHIVE",
		}},
		Relations: []spdxLink{{"SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Layer"}},
	}
	if d.Incomplete {
		doc.Comment = "Parts of the layer could not be read: packages may be missing."
	}
	if d.SHA256 != "" {
		doc.Packages[0].Checksums = []spdxChecksum{{"SHA256", d.SHA256}}
	}
	ids := make(map[string]string, len(all))
	for i, c := range all {
		ids[c.PURL()] = fmt.Sprintf("SPDXRef-Package-%d", i+1)
	}
	texts := map[string]string{}
	requires := needs(all)
	var links []spdxLink
	for _, c := range all {
		purl := c.PURL()
		item := spdxPackage(c, ids[purl])
		if c.License == "" && c.LicenseText != "" {
			ref := texts[c.LicenseText]
			if ref == "" {
				ref = fmt.Sprintf("LicenseRef-lamina-%d", len(texts)+1)
				texts[c.LicenseText] = ref
				doc.OtherTexts = append(doc.OtherTexts, spdxText{ref, c.LicenseText, c.LicenseText})
			}
			item.Declared = ref
		}
		for _, v := range d.Vulnerabilities {
			for _, affected := range v.Affects {
				if affected == purl {
					item.References = append(item.References, spdxRef{"SECURITY", "advisory", cmp.Or(v.URL, v.ID), v.ID})
				}
			}
		}
		doc.Packages = append(doc.Packages, item)
		doc.Relations = append(doc.Relations, spdxLink{"SPDXRef-Layer", "CONTAINS", item.ID})
		for _, other := range requires[purl] {
			links = append(links, spdxLink{item.ID, "DEPENDS_ON", ids[other]})
		}
	}
	doc.Relations = append(doc.Relations, links...)
	// A reference that a package's own licence uses has to be explained too.
	for _, item := range doc.Packages {
		for word := range strings.FieldsSeq(strings.NewReplacer("(", " ", ")", " ").Replace(item.Declared)) {
			if strings.HasPrefix(word, "LicenseRef-") && !slices.ContainsFunc(doc.OtherTexts, func(t spdxText) bool { return t.ID == word }) {
				doc.OtherTexts = append(doc.OtherTexts, spdxText{word, "The text is in the package.", word})
			}
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return fmt.Errorf("write spdx: %w", err)
	}
	return nil
}

func spdxPackage(c Component, id string) spdxItem {
	item := spdxItem{
		ID: id, Name: c.Name, Version: c.Version, Download: noAssertion, Concluded: noAssertion,
		Declared: cmp.Or(c.License, noAssertion), Copyright: noAssertion, Purpose: "LIBRARY",
		SourceInfo: string(c.How) + ": " + strings.Join(append([]string{c.File}, c.Also...), ", "),
		References: []spdxRef{{Category: "PACKAGE-MANAGER", Type: "purl", Locator: c.PURL()}},
	}
	if c.Program {
		item.Purpose = "APPLICATION"
	}
	if algorithm, sum := integrity(c.Integrity); sum != "" {
		item.Checksums = []spdxChecksum{{algorithms[algorithm].spdx, sum}}
	}
	return item
}

// decodeBase64 reads standard base64 with or without padding.
func decodeBase64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}
