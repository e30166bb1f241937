package vulndb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// MaxVEX is the size in bytes above which ParseVEX refuses a document.
const MaxVEX = 32 << 20

// A VEXStatus is what somebody says of a vulnerability in a product.
type VEXStatus string

// The statuses of OpenVEX. NotAffected and Resolved suppress a finding, the
// others stand beside it.
const (
	NotAffected   VEXStatus = "not_affected"
	Affirmed      VEXStatus = "affected"
	Resolved      VEXStatus = "fixed"
	Investigating VEXStatus = "under_investigation"
)

// Suppresses reports whether a finding with this status is no finding.
func (s VEXStatus) Suppresses() bool { return s == NotAffected || s == Resolved }

// A VEXStatement says the status of one vulnerability in some products
// (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md).
type VEXStatement struct {
	IDs           []string // of the vulnerability
	Status        VEXStatus
	Justification string // of NotAffected, one of the specification's words
	Note          string // impact, action or notes, as written: sanitise it
	Time          time.Time
	Author        string // of the document, as written: sanitise it
	Source        string // the name given to ParseVEX
	products      []vexProduct
}

// vexProduct is what a statement is about.
type vexProduct struct {
	names      []string // of the product: purls and others
	components []string // parts of it; none means the product as such
}

// VEX are statements of one or more documents.
type VEX struct{ statements []VEXStatement }

// Len is the number of statements.
func (v *VEX) Len() int { return len(v.statements) }

// The document, of version 0.2.0 and the versions before, where vulnerabilities
// and products are plain text.
type vexDocument struct {
	Context    string     `json:"@context"`
	ID         string     `json:"@id"`
	Author     string     `json:"author"`
	Timestamp  *time.Time `json:"timestamp"`
	Statements []struct {
		Vulnerability vexName        `json:"vulnerability"`
		Timestamp     *time.Time     `json:"timestamp"`
		Products      []vexComponent `json:"products"`
		Status        VEXStatus      `json:"status"`
		Justification string         `json:"justification"`
		Impact        string         `json:"impact_statement"`
		Action        string         `json:"action_statement"`
		Notes         string         `json:"status_notes"`
		Subcomponents []vexComponent `json:"subcomponents"` // of versions before 0.2.0
	} `json:"statements"`
}

type vexName struct {
	Name    string   `json:"name"`
	ID      string   `json:"@id"`
	Aliases []string `json:"aliases"`
}

func (n *vexName) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'"'}) {
		return json.Unmarshal(b, &n.Name)
	}
	type plain vexName
	return json.Unmarshal(b, (*plain)(n))
}

type vexComponent struct {
	ID          string            `json:"@id"`
	Identifiers map[string]string `json:"identifiers"`
	Hashes      map[string]string `json:"hashes"`
	Parts       []vexComponent    `json:"subcomponents"`
}

func (c *vexComponent) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte{'"'}) {
		return json.Unmarshal(b, &c.ID)
	}
	type plain vexComponent
	return json.Unmarshal(b, (*plain)(c))
}

func (c *vexComponent) names() []string {
	var out []string
	for _, s := range []string{c.ID, c.Identifiers["purl"]} {
		if s != "" {
			out = append(out, s)
		}
	}
	for _, k := range []string{"sha-256", "sha256"} {
		if h := c.Hashes[k]; h != "" {
			out = append(out, strings.ToLower(h))
		}
	}
	return out
}

// Read adds the statements of an OpenVEX document. name is what errors and
// statements call it. After an error nothing is added.
func (v *VEX) Read(name string, data []byte) error {
	if len(data) > MaxVEX {
		return fmt.Errorf("%s: %d bytes are above the limit of %d", name, len(data), MaxVEX)
	}
	var d vexDocument
	if err := json.Unmarshal(data, &d); err != nil {
		return fmt.Errorf("%s: openvex: %w", name, err)
	}
	if !strings.Contains(d.Context, "openvex") || d.Statements == nil {
		return fmt.Errorf("%s: not an OpenVEX document: it has no @context of openvex.dev or no statements", name)
	}
	var all []VEXStatement
	for i, in := range d.Statements {
		s := VEXStatement{
			Status: in.Status, Justification: in.Justification, Author: d.Author, Source: name,
			Note: firstOf(in.Impact, in.Action, in.Notes),
		}
		for _, id := range append([]string{in.Vulnerability.Name, in.Vulnerability.ID}, in.Vulnerability.Aliases...) {
			if plainID(id) && !slices.Contains(s.IDs, id) {
				s.IDs = append(s.IDs, id)
			}
		}
		switch {
		case len(s.IDs) == 0:
			return fmt.Errorf("%s: statements[%d]: no vulnerability", name, i)
		case !slices.Contains([]VEXStatus{NotAffected, Affirmed, Resolved, Investigating}, s.Status):
			return fmt.Errorf("%s: statements[%d]: unknown status %q", name, i, clip(string(s.Status), 40))
		case s.Status == NotAffected && s.Justification == "" && in.Impact == "":
			return fmt.Errorf("%s: statements[%d]: not_affected needs a justification or an impact_statement", name, i)
		case len(in.Products) == 0:
			return fmt.Errorf("%s: statements[%d]: no products", name, i)
		}
		if t := in.Timestamp; t != nil {
			s.Time = *t
		} else if d.Timestamp != nil {
			s.Time = *d.Timestamp
		}
		for _, p := range in.Products {
			product := vexProduct{names: p.names()}
			for _, part := range append(p.Parts, in.Subcomponents...) {
				product.components = append(product.components, part.names()...)
			}
			if len(product.names) == 0 {
				return fmt.Errorf("%s: statements[%d]: a product without @id and purl", name, i)
			}
			s.products = append(s.products, product)
		}
		all = append(all, s)
	}
	v.statements = append(v.statements, all...)
	// What was said last holds; of one time, what stands last.
	slices.SortStableFunc(v.statements, func(a, b VEXStatement) int { return a.Time.Compare(b.Time) })
	return nil
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// Find returns the latest statement on any of the ids in the package purl. A
// statement whose product is the package holds wherever that is; one on a part
// of a product holds if within, the names of what was scanned (its ARN, its
// SHA-256), has the product.
func (v *VEX) Find(ids []string, purl string, within ...string) (VEXStatement, bool) {
	if v == nil {
		return VEXStatement{}, false
	}
	q, err := ParsePURL(purl)
	is := func(name string) bool {
		if name == purl {
			return true
		}
		p, parseErr := ParsePURL(name)
		return err == nil && parseErr == nil && p.covers(q)
	}
	for _, s := range slices.Backward(v.statements) {
		if !slices.ContainsFunc(s.IDs, func(id string) bool { return slices.Contains(ids, id) }) {
			continue
		}
		for _, p := range s.products {
			if len(p.components) == 0 && slices.ContainsFunc(p.names, is) ||
				slices.ContainsFunc(p.components, is) && slices.ContainsFunc(p.names, func(n string) bool { return slices.Contains(within, n) }) {
				return s, true
			}
		}
	}
	return VEXStatement{}, false
}

// A VEXFinding is a match to write into a document.
type VEXFinding struct {
	PURL  string
	Match Match
	// Said is what somebody said of it before, which is kept; nil if nobody did.
	Said *VEXStatement
}

// VEXHeader is who writes a document, and when.
type VEXHeader struct {
	Author  string
	Tooling string
	Time    time.Time
}

// WriteVEX writes findings as an OpenVEX document of version 0.2.0. What an
// advisory says of a version is affected, with the fixed versions as the action;
// what could not be judged is under investigation. Whether the flaw can be used
// there is not said by either.
func WriteVEX(w io.Writer, h VEXHeader, findings []VEXFinding) error {
	type vulnerability struct {
		Name    string   `json:"name"`
		Aliases []string `json:"aliases,omitempty"`
	}
	type product struct {
		ID string `json:"@id"`
	}
	type statement struct {
		Vulnerability vulnerability `json:"vulnerability"`
		Products      []product     `json:"products"`
		Status        VEXStatus     `json:"status"`
		Justification string        `json:"justification,omitempty"`
		Impact        string        `json:"impact_statement,omitempty"`
		Action        string        `json:"action_statement,omitempty"`
		Notes         string        `json:"status_notes,omitempty"`
	}
	statements := []statement{}
	for _, f := range findings {
		if f.PURL == "" || len(f.Match.IDs) == 0 {
			return errors.New("openvex: a finding without a package URL or an id")
		}
		s := statement{
			Vulnerability: vulnerability{f.Match.IDs[0], f.Match.IDs[1:]},
			Products:      []product{{f.PURL}}, Status: Affirmed,
		}
		switch {
		case f.Said != nil:
			s.Status, s.Justification = f.Said.Status, f.Said.Justification
			switch f.Said.Status {
			case NotAffected:
				s.Impact = f.Said.Note
			case Affirmed:
				s.Action = firstOf(f.Said.Note, action(f.Match))
			case Resolved, Investigating:
				s.Notes = f.Said.Note
			}
		case f.Match.Outcome == lamina.Fail:
			s.Action = action(f.Match)
		default:
			s.Status, s.Notes = Investigating, f.Match.Reason
		}
		statements = append(statements, s)
	}
	slices.SortStableFunc(statements, func(a, b statement) int {
		return strings.Compare(a.Products[0].ID+"\x00"+a.Vulnerability.Name, b.Products[0].ID+"\x00"+b.Vulnerability.Name)
	})
	body, err := json.Marshal(statements)
	if err != nil {
		return fmt.Errorf("openvex: %w", err)
	}
	sum := sha256.Sum256(append([]byte(h.Author+"\x00"+h.Time.UTC().Format(time.RFC3339)+"\x00"), body...))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(struct {
		Context    string      `json:"@context"`
		ID         string      `json:"@id"`
		Author     string      `json:"author"`
		Timestamp  string      `json:"timestamp"`
		Version    int         `json:"version"`
		Tooling    string      `json:"tooling,omitempty"`
		Statements []statement `json:"statements"`
	}{
		"https://openvex.dev/ns/v0.2.0", "urn:lamina:vex:" + hex.EncodeToString(sum[:16]), h.Author,
		h.Time.UTC().Format(time.RFC3339), 1, h.Tooling, statements,
	})
	if err != nil {
		return fmt.Errorf("openvex: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// action is what an affected statement must say to do.
func action(m Match) string {
	switch {
	case m.Malicious:
		return "remove the package: it is malicious"
	case len(m.Fixed) > 0:
		return "update to " + strings.Join(m.Fixed, " or ")
	}
	return "no fixed version is known"
}
