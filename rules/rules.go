// Package rules is our rule pack: one Elastic rule file an item, with its
// document and its tests beside it. Every rule is plain KQL over the ECS fields
// of CloudTrail and the derived fields lamina.*.
//
// It holds files and a list of them, no code that runs a rule. Items of Elastic
// are not here: their licence does not allow it, and theirs are read from where
// the user keeps them.
package rules

import (
	"embed"
	"fmt"

	"github.com/lamina-sec/lamina/rule"
)

// FS holds, for each id of List, ID.toml (the rule), ID.md (its document) and
// testdata/ID.txtar (its tests), and for some ID.test.ndjson (tests that are
// told other things than those of the archive).
//
//go:embed *.toml *.md *.test.ndjson testdata/*.txtar
var FS embed.FS

// List is the ids of all rules. A test compares it with the files.
var List = []string{
	// who may use our layers
	"layer-shared",
	"layer-share-denied",

	// what our functions load
	"layer-added-to-function",
	"layer-removed-from-function",
	"layer-reordered-on-function",
	"layer-version-changed-on-function",

	// what becomes of functions
	"function-deleted",
	"function-version-deleted",

	// what feeds our functions
	"event-source-mapping-created",
	"event-source-mapping-repointed",
	"event-source-mapping-foreign-source",

	// controls
	"code-signing-removed-or-weakened",
	"bedrock-guardrail-deleted-or-changed",
	"bedrock-automated-reasoning-tampering",
}

// Prefix stands before the file names of this pack, so that a message tells
// them from files on disk: "builtin:layer-shared.toml".
const Prefix = "builtin:"

// Load parses all rules, in the order of List.
func Load() ([]*rule.Rule, error) {
	out := make([]*rule.Rule, 0, len(List))
	for _, id := range List {
		data, err := FS.ReadFile(id + ".toml")
		if err != nil {
			return nil, fmt.Errorf("our rule %s: %w", id, err)
		}
		r, err := rule.Parse(Prefix+id+".toml", data)
		if err != nil {
			return nil, fmt.Errorf("our rule %s: %w", id, err)
		}
		out = append(out, r)
	}
	return out, nil
}
