package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

var (
	digits  = regexp.MustCompile(`[0-9]+`) // twelve of them, alone, are an account's id
	orgID   = regexp.MustCompile(`\bo-[a-z0-9]{10,32}\b`)
	userARN = regexp.MustCompile(`:user/[\w+=,.@/*?$\{}-]+`)
	address = regexp.MustCompile(`[\w.+-]+@[\w.-]+\.[A-Za-z]{2,}\b`)
)

// prose are the fields that people fill as they like.
var prose = []string{"description", "license_info", "tags", "title"}

// exact are the fields that hold nothing of whom they belong to, and must stay.
var exact = []string{"code_sha256", "config_sha256", "created", "taken"}

// Redact returns s without what names people and owners: ids of accounts and of
// organisations become numbers, names of IAM users too, e-mail addresses, tags,
// descriptions, titles of findings and names of accounts and units go. The same becomes the same
// everywhere, in policies too, so that checks find what they found. keep says
// which account ids stay: those of publishers say nothing of the estate. Names of
// functions, layers, roles and policies stay: findings would mean nothing
// without them, and so do patterns that policies have in place of a user's name.
func Redact(s lamina.Snapshot, keep func(account string) bool) (lamina.Snapshot, error) {
	data, err := json.Marshal(Canonical(s))
	if err != nil {
		return lamina.Snapshot{}, fmt.Errorf("redact snapshot: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return lamina.Snapshot{}, fmt.Errorf("redact snapshot: %w", err)
	}
	r := redaction{accounts: map[string]string{}, orgs: map[string]string{}, users: map[string]string{}}
	walk(tree, "", func(text string) string {
		for _, id := range digits.FindAllString(text, -1) {
			if len(id) == 12 && !keep(id) {
				r.accounts[id] = ""
			}
		}
		for _, id := range orgID.FindAllString(text, -1) {
			r.orgs[id] = ""
		}
		for _, arn := range userARN.FindAllString(text, -1) {
			if !strings.ContainsAny(arn, "*?{") { // a pattern is of nobody
				r.users[arn] = ""
			}
		}
		return text
	})
	number(r.accounts, "%012d")
	number(r.orgs, "o-%010d")
	number(r.users, ":user/user-%d")
	out, err := json.Marshal(walk(tree, "", r.text))
	if err != nil {
		return lamina.Snapshot{}, fmt.Errorf("redact snapshot: %w", err)
	}
	var clean lamina.Snapshot
	if err := json.Unmarshal(out, &clean); err != nil {
		return lamina.Snapshot{}, fmt.Errorf("redact snapshot: %w", err)
	}
	for i := range clean.Accounts {
		clean.Accounts[i].Name = ""
	}
	for i := range clean.OrganizationalUnits {
		clean.OrganizationalUnits[i].Name = ""
	}
	for i, p := range clean.Principals {
		if p.Kind == "User" {
			clean.Principals[i].Name, clean.Principals[i].Path = p.ARN[strings.LastIndex(p.ARN, "/")+1:], "/"
		}
	}
	return Canonical(clean), nil
}

// A redaction is what stands for what.
type redaction struct{ accounts, orgs, users map[string]string }

func (r redaction) text(s string) string {
	s = replace(s, userARN, r.users)
	s = address.ReplaceAllString(s, "someone@example.invalid")
	return replace(replace(s, orgID, r.orgs), digits, r.accounts)
}

// replace puts in place of each match what stands for it, if something does.
func replace(s string, pattern *regexp.Regexp, by map[string]string) string {
	return pattern.ReplaceAllStringFunc(s, func(m string) string { return cmp.Or(by[m], m) })
}

// number gives what is known its place in order.
func number(known map[string]string, format string) {
	for i, k := range slices.Sorted(maps.Keys(known)) {
		known[k] = fmt.Sprintf(format, i+1)
	}
}

// walk replaces the strings of a JSON tree, keys of objects too, and leaves prose
// out.
func walk(v any, key string, text func(string) string) any {
	switch v := v.(type) {
	case string:
		if slices.Contains(exact, key) {
			return v
		}
		return text(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = walk(e, key, text)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if !slices.Contains(prose, k) {
				out[text(k)] = walk(e, k, text)
			}
		}
		return out
	}
	return v
}
