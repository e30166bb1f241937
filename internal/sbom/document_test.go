package sbom_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina/internal/sbom"
)

func document(t *testing.T) *sbom.Document {
	t.Helper()
	found, errs := read([]txtar.File{
		{Name: "nodejs/node_modules/a/package.json", Data: []byte(`{"name":"a","version":"1.0.0","license":"MIT","dependencies":{"@s/b":"^2"}}`)},
		{Name: "nodejs/node_modules/@s/b/package.json", Data: []byte(`{"name":"@s/b","version":"2.0.0","license":"MIT OR ISC"}`)},
		{Name: "nodejs/node_modules/.package-lock.json", Data: []byte(`{"packages":{"node_modules/gone":{"version":"1.0.0"},` +
			`"node_modules/a":{"version":"1.0.0","integrity":"sha512-` + strings.Repeat("YWFh", 21) + `YQ=="}}}`)},
		{Name: "python/c-1.dist-info/METADATA", Data: []byte("Name: c\nVersion: 1\nLicense: Our own words\n")},
		{Name: "python/d-1.dist-info/METADATA", Data: []byte("Name: d\nVersion: 1\nLicense-Expression: LicenseRef-Acme\n")},
		{Name: "java/lib/x-1.jar!/META-INF/maven/g/x/pom.properties", Data: []byte("groupId=g\nartifactId=x\nversion=1\n")},
		{Name: "extensions/e", Data: []byte("#!/bin/sh\n")},
	})
	if errs != nil {
		t.Fatal(errs)
	}
	return &sbom.Document{
		Name: "layer<1>.zip", SHA256: strings.Repeat("ab", 32), Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), Tool: "1.2.3",
		Components: sbom.Merge(found),
		Vulnerabilities: []sbom.Vulnerability{{
			ID: "GHSA-0000", Aliases: []string{"CVE-2026-0001"}, Source: "OSV", URL: "https://osv.example/GHSA-0000", Summary: "It breaks",
			Severity: "high", Vector: "CVSS:3.1/AV:N", Affects: []string{"pkg:npm/a@1.0.0"}, Fixed: []string{"1.0.1"},
		}},
	}
}

func TestWriteCycloneDX(t *testing.T) {
	d := document(t)
	var b bytes.Buffer
	if err := d.WriteCycloneDX(&b); err != nil {
		t.Fatal(err)
	}
	var head struct {
		Schema string `json:"$schema"`
		Format string `json:"bomFormat"`
		Spec   string `json:"specVersion"`
	}
	if err := json.Unmarshal(b.Bytes(), &head); err != nil {
		t.Fatal(err)
	}
	if head.Format != "CycloneDX" || head.Spec != "1.6" || !strings.HasSuffix(head.Schema, "bom-1.6.schema.json") {
		t.Errorf("got %+v", head)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(b.Bytes()), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(bom.SerialNumber) {
		t.Errorf("serial number %q", bom.SerialNumber)
	}
	if bom.Metadata.Timestamp != "2026-01-02T02:04:05Z" || bom.Version != 1 || bom.Metadata.Component.Name != "layer<1>.zip" {
		t.Errorf("got %+v", bom.Metadata)
	}
	var got []string
	refs := map[string]bool{bom.Metadata.Component.BOMRef: true}
	for _, c := range *bom.Components {
		if refs[c.BOMRef] {
			t.Errorf("%s is there twice", c.BOMRef)
		}
		refs[c.BOMRef] = true
		l := c.PackageURL + " " + string(c.Type) + " " + c.Group + " " + c.Name
		if c.Licenses != nil {
			one := (*c.Licenses)[0]
			l += " " + one.Expression
			if one.License != nil {
				l += one.License.ID + "|" + one.License.Name
			}
		}
		if c.Hashes != nil {
			l += " " + string((*c.Hashes)[0].Algorithm) + " " + (*c.Hashes)[0].Value[:6]
		}
		got = append(got, l)
	}
	want := []string{
		"pkg:generic/e application  e",
		"pkg:maven/g/x@1 library g x",
		"pkg:pypi/c@1 library  c |Our own words",
		"pkg:pypi/d@1 library  d LicenseRef-Acme",
		"pkg:npm/%40s/b@2.0.0 library @s b MIT OR ISC",
		"pkg:npm/a@1.0.0 library  a MIT| SHA-512 616161",
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, d := range *bom.Dependencies {
		if !refs[d.Ref] {
			t.Errorf("dependencies of %s, which is not there", d.Ref)
		}
		if d.Ref == "pkg:npm/a@1.0.0" && (d.Dependencies == nil || (*d.Dependencies)[0] != "pkg:npm/%40s/b@2.0.0") {
			t.Errorf("a needs @s/b: got %v", d.Dependencies)
		}
	}
	v := (*bom.Vulnerabilities)[0]
	if v.ID != "GHSA-0000" || !refs[(*v.Affects)[0].Ref] || (*v.Ratings)[0].Method != cdx.ScoringMethodCVSSv31 || v.Recommendation != "use version 1.0.1" {
		t.Errorf("got %+v", v)
	}
}

func TestWriteSPDX(t *testing.T) {
	d := document(t)
	d.Incomplete = true
	var b bytes.Buffer
	if err := d.WriteSPDX(&b); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		SPDXVersion, DataLicense, SPDXID, Name, DocumentNamespace, Comment string
		CreationInfo                                                       struct {
			Created  string
			Creators []string
		}
		DocumentDescribes []string
		Packages          []struct {
			SPDXID, Name, VersionInfo, DownloadLocation, LicenseConcluded, LicenseDeclared, CopyrightText string
			FilesAnalyzed                                                                                 *bool
			Checksums                                                                                     []struct{ Algorithm, ChecksumValue string }
			ExternalRefs                                                                                  []struct{ ReferenceCategory, ReferenceType, ReferenceLocator string }
		}
		Relationships              []struct{ SPDXElementID, RelationshipType, RelatedSPDXElement string }
		HasExtractedLicensingInfos []struct{ LicenseID, ExtractedText string }
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.SPDXVersion != "SPDX-2.3" || doc.DataLicense != "CC0-1.0" || doc.SPDXID != "SPDXRef-DOCUMENT" || doc.CreationInfo.Created != "2026-01-02T02:04:05Z" ||
		!strings.HasPrefix(doc.DocumentNamespace, "urn:uuid:") || doc.Comment == "" {
		t.Errorf("got %+v", doc)
	}
	ids := map[string]string{"SPDXRef-DOCUMENT": ""}
	texts := map[string]bool{}
	for _, x := range doc.HasExtractedLicensingInfos {
		texts[x.LicenseID] = x.ExtractedText != ""
	}
	idForm := regexp.MustCompile(`^SPDXRef-[A-Za-z0-9.-]+$`)
	for _, p := range doc.Packages {
		if _, ok := ids[p.SPDXID]; ok || !idForm.MatchString(p.SPDXID) || p.Name == "" || p.DownloadLocation == "" || p.CopyrightText == "" || p.FilesAnalyzed == nil {
			t.Errorf("got %+v", p)
		}
		if strings.HasPrefix(p.LicenseDeclared, "LicenseRef-") && !texts[p.LicenseDeclared] {
			t.Errorf("%s: %s is not explained", p.Name, p.LicenseDeclared)
		}
		ids[p.SPDXID] = p.Name
	}
	if len(doc.Packages) != 7 {
		t.Errorf("%d packages, want the layer and 6", len(doc.Packages))
	}
	var links []string
	for _, r := range doc.Relationships {
		from, ok := ids[r.SPDXElementID]
		to, ok2 := ids[r.RelatedSPDXElement]
		if !ok || !ok2 {
			t.Errorf("%+v names what is not there", r)
		}
		if r.RelationshipType == "DEPENDS_ON" {
			links = append(links, from+" "+to)
		}
	}
	if d := gocmp.Diff([]string{"a @s/b"}, links); d != "" {
		t.Error(d)
	}
	if n := strings.Count(b.String(), `"SECURITY"`); n != 1 {
		t.Errorf("%d advisories, want 1", n)
	}
}

// The same content and time are the same bytes; other content is another serial
// number, another time is not.
func TestDocument_reproducible(t *testing.T) {
	write := func(change func(*sbom.Document)) (string, string) {
		d := document(t)
		change(d)
		var c, s bytes.Buffer
		if err := d.WriteCycloneDX(&c); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteSPDX(&s); err != nil {
			t.Fatal(err)
		}
		return c.String() + s.String(), regexp.MustCompile(`urn:uuid:[0-9a-f-]+`).FindString(c.String())
	}
	first, serial := write(func(*sbom.Document) {})
	if again, _ := write(func(*sbom.Document) {}); again != first {
		t.Error("two runs differ")
	}
	if _, s := write(func(d *sbom.Document) { d.Created = d.Created.Add(time.Hour) }); s != serial {
		t.Error("the time is in the serial number")
	}
	if _, s := write(func(d *sbom.Document) { d.Components = d.Components[1:] }); s == serial {
		t.Error("the components are not in the serial number")
	}
}
