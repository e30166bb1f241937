package publishers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// ParseAccounts reads a list of vendors' accounts in the layout of
// fwdcloudsec/known_aws_accounts (accounts.yaml there): a sequence of name,
// source, accounts, and optionally type, enabled, deprecated_date. Such a list
// names accounts and no layers, so a layer of one of them is AccountOnly.
//
// Keys that are not known are kept out without an error: the list is somebody
// else's and grows. A wrong account id or a missing name is an error with its
// place.
func ParseAccounts(name string, data []byte) ([]Publisher, error) {
	if len(data) > MaxFile {
		return nil, &Error{File: name, Msg: fmt.Sprintf("%d bytes is more than the %d a list of accounts may have", len(data), MaxFile)}
	}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{File: name, Msg: "the file is empty"}
		}
		return nil, yamlError(name, err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode {
		return nil, &Error{File: name, Line: doc.Line, Col: doc.Column, Msg: "want a list of vendors, each with name, source and accounts"}
	}
	var out []Publisher
	ids := map[string]int{}
	for _, n := range doc.Content[0].Content {
		var v struct {
			Name     string   `yaml:"name"`
			Source   []string `yaml:"source"`
			Accounts []string `yaml:"accounts"`
			Type     string   `yaml:"type"`
			Date     string   `yaml:"deprecated_date"`
			Enabled  *bool    `yaml:"enabled"`
		}
		if err := n.Decode(&v); err != nil {
			return nil, yamlError(name, err)
		}
		fail := func(format string, args ...any) error {
			return &Error{File: name, Line: n.Line, Col: n.Column, Msg: fmt.Sprintf(format, args...)}
		}
		if v.Name == "" {
			return nil, fail("a vendor without a name")
		}
		for _, a := range v.Accounts {
			if !isAccount(a) {
				return nil, fail("vendor %q: account %q is not 12 digits; quote account ids that begin with 0", v.Name, a)
			}
		}
		if len(v.Accounts) == 0 {
			continue
		}
		p := Publisher{ID: slug(v.Name), Name: v.Name, Kind: Vendor, Status: Unknown, Accounts: v.Accounts, Source: name}
		if v.Type == "aws" {
			p.Kind, p.ID, p.Name = AWS, "aws-"+p.ID, "AWS "+v.Name
		}
		if v.Date != "" || v.Enabled != nil && !*v.Enabled {
			p.Status = Superseded
			p.Note = "marked as no longer used by the list"
			if v.Date != "" {
				p.Note += " on " + v.Date
			}
		}
		for _, u := range v.Source {
			p.Evidence = append(p.Evidence, Evidence{URL: u})
		}
		// The prefix keeps a list of accounts from taking the place of a
		// publisher whose layers are known.
		p.ID = "accounts-" + p.ID
		if ids[p.ID]++; ids[p.ID] > 1 {
			p.ID = fmt.Sprintf("%s-%d", p.ID, ids[p.ID])
		}
		out = append(out, p)
	}
	return out, nil
}

// Parse reads a registry file of either layout, told by the name's ending:
// .yaml and .yml are lists of accounts, everything else is TOML.
func Parse(name string, data []byte) (List, error) {
	if l := strings.ToLower(name); strings.HasSuffix(l, ".yaml") || strings.HasSuffix(l, ".yml") {
		accounts, err := ParseAccounts(name, data)
		return List{Publishers: accounts}, err
	}
	return ParseTOML(name, data)
}

var (
	notSlug   = regexp.MustCompile(`[^a-z0-9]+`)
	yamlPlace = regexp.MustCompile(`line (\d+):\s*(.*)`)
)

func slug(s string) string {
	s = strings.Trim(notSlug.ReplaceAllString(strings.ToLower(s), "-"), "-")
	if s == "" {
		return "unnamed"
	}
	return s
}

// yamlError is what the decoder said, with its line; it gives no column.
func yamlError(name string, err error) error {
	e := &Error{File: name, Err: err, Msg: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlPlace.FindStringSubmatch(err.Error()); m != nil {
		if _, scan := fmt.Sscan(m[1], &e.Line); scan == nil {
			e.Col, e.Msg = 1, "not YAML: "+m[2]
		}
	}
	return e
}
