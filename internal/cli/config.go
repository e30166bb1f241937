package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func newConfig(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "show the settings in force, or their schema",
		Example: "  lamina config show --origin            # each value and where it comes from\n" +
			"  lamina config schema -o lamina.schema.json   # JSON Schema for editors",
		Long: "A setting comes from its flag, else from LAMINA_KEY in the environment, else from\n" +
			"./lamina.toml, else from lamina/config.toml in the user's configuration folder,\n" +
			"else it has its default. Nothing inside what is examined is ever read as settings.",
	}
	group(c)
	c.AddCommand(newConfigShow(a), newConfigSchema(a))
	return c
}

func newConfigShow(a *app) *cobra.Command {
	var origin bool
	c := &cobra.Command{
		Use:     "show",
		Short:   "print the settings in force as TOML",
		Example: "  lamina config show\n  lamina config show --origin\n  lamina config show -f json",
		Args:    args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return a.showJSON(w)
				}
				return a.showTOML(w, origin)
			})
		},
	}
	c.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	a.configFlags(c)
	return c
}

// configFlags gives config show the flags of all settings, so that it can answer
// what a command line would mean.
func (a *app) configFlags(c *cobra.Command) {
	for _, s := range table {
		if c.Root().PersistentFlags().Lookup(s.flag) == nil && !slices.Contains(globalSettings, s.key) {
			a.settingFlag(c, s.key)
		}
	}
}

// globalSettings are the settings whose flags every command has.
var globalSettings = []string{"format", "severity", "fail_on", "color", "offline", "timeout", "jobs"}

func (a *app) showTOML(w io.Writer, origin bool) error {
	var rows [][]string
	wide := 0
	for _, s := range table {
		r := a.conf.by[s.key]
		row := []string{s.key + " = " + tomlValue(s.kind, r.values), r.origin}
		if len(r.values) == 0 && !s.kind.many() {
			row[0] = "# " + s.key + " is not set"
		}
		wide = max(wide, len(row[0]))
		rows = append(rows, row)
	}
	for _, row := range rows {
		if origin {
			fmt.Fprintf(w, "%-*s  # %s\n", wide, row[0], row[1])
		} else {
			fmt.Fprintln(w, row[0])
		}
	}
	return nil
}

func tomlValue(k kind, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = v
		if k != kindInt && k != kindBool {
			quoted[i] = tomlString(v)
		}
	}
	if k.many() {
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return strings.Join(quoted, "")
}

// tomlString is a TOML basic string; its escapes are those of JSON.
func tomlString(s string) string { return strconv.QuoteToASCII(s) }

func (a *app) showJSON(w io.Writer) error {
	type entry struct {
		Key    string `json:"key"`
		Value  any    `json:"value"`
		Origin string `json:"origin"`
	}
	out := struct {
		Settings []entry `json:"settings"`
	}{}
	for _, s := range table {
		r := a.conf.by[s.key]
		var v any
		switch {
		case s.kind.many():
			v = append([]string{}, r.values...)
		case len(r.values) == 0:
		case s.kind == kindInt:
			v = a.conf.num(s.key)
		case s.kind == kindBool:
			v = a.conf.yes(s.key)
		default:
			v = r.values[0]
		}
		out.Settings = append(out.Settings, entry{s.key, v, r.origin})
	}
	return writeJSON(w, out)
}

func newConfigSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "print the JSON Schema of lamina.toml",
		Example: "  lamina config schema -o lamina.schema.json",
		Args:    args(0, 0, ""),
		// It is what mends a file of settings that cannot be read.
		Annotations: map[string]string{withoutFiles: "yes"},
		RunE: func(_ *cobra.Command, _ []string) error {
			return a.document([]string{"json"}, func(_ string, w io.Writer) error {
				return writeJSON(w, configSchema())
			})
		},
	}
}

// configSchema is made from the table, as the parser is.
func configSchema() map[string]any {
	props := map[string]any{}
	for _, s := range table {
		item := map[string]any{"type": "string"}
		switch s.kind {
		case kindInt:
			item = map[string]any{"type": "integer", "minimum": 0}
		case kindBool:
			item = map[string]any{"type": "boolean"}
		case kindText, kindTexts, kindPath, kindPaths:
			if s.allowed != nil && s.valid == nil {
				item["enum"] = s.allowed()
			}
		}
		p := item
		if s.kind.many() {
			p = map[string]any{"type": "array", "items": item}
		}
		p["description"] = strings.ReplaceAll(s.doc, "`", "")
		props[s.key] = p
	}
	return map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "lamina.toml",
		"type":                 "object",
		"additionalProperties": false,
		"properties":           props,
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
