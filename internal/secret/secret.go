// Package secret finds credentials in bytes and never shows them.
//
// A Hit has the kind, the line and a redacted form; the value itself stays in
// this package. Values that AWS's documentation uses as examples are not hits.
// One kind is known so far: the AWS access key id
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids).
// Whether a key is active is not asked: a found secret is never used.
package secret

import (
	"bytes"
	"regexp"
	"strings"
)

// A Hit is one credential.
type Hit struct {
	// Kind is "aws-access-key-id".
	Kind string
	// Line counts from 1.
	Line int
	// Redacted is safe to print: the prefix that says the kind, and the last four.
	Redacted string
}

// accessKeyID asks for what is before as well, since Go's \b sees no border
// between two letters: a key inside a longer word is none.
var accessKeyID = regexp.MustCompile(`(?:^|[^A-Za-z0-9/+=])((?:AKIA|ASIA)[A-Z2-7]{16})(?:[^A-Za-z0-9/+=]|$)`)

// Scan returns the credentials in data, in order. A value on two lines is two hits.
func Scan(data []byte) []Hit {
	var hits []Hit
	line, counted := 1, 0
	for pos := 0; ; {
		m := accessKeyID.FindSubmatchIndex(data[pos:])
		if m == nil {
			return hits
		}
		start, end := pos+m[2], pos+m[3]
		line += bytes.Count(data[counted:start], []byte("\n"))
		counted = start
		if v := string(data[start:end]); !example(v) {
			hits = append(hits, Hit{Kind: "aws-access-key-id", Line: line, Redacted: v[:4] + strings.Repeat("•", 12) + v[16:]})
		}
		pos = end
	}
}

// example reports whether the key id is of the form documentation uses: it
// contains the word EXAMPLE.
func example(v string) bool { return strings.Contains(v, "EXAMPLE") }
