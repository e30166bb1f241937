package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The files that put lamina into pipelines are YAML, and every command and flag
// in them exists.
func TestIntegrations(t *testing.T) {
	root := testRoot(t)
	for file, want := range map[string][]string{
		"integrations/github/action.yml":      {"name", "description", "inputs", "outputs", "runs"},
		"integrations/gitlab/lamina-gate.yml": {".lamina-gate"},
		".pre-commit-hooks.yaml":              nil,
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
			if err != nil {
				t.Fatal(err)
			}
			d := yaml.NewDecoder(bytes.NewReader(data))
			var doc any
			if err := d.Decode(&doc); err != nil {
				t.Fatal(err)
			}
			if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
				t.Errorf("more than one document: %v", err)
			}
			top, _ := doc.(map[string]any)
			for _, key := range want {
				if top[key] == nil {
					t.Errorf("no %s", key)
				}
			}
			commands := 0
			everyText(doc, func(s string) {
				for l := range strings.Lines(s) {
					if !strings.Contains(l, "lamina gate -") && !strings.HasPrefix(l, "lamina except") {
						continue
					}
					commands++
					l = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(l, "x")
					checkCommandLine(t, root, file, l[strings.Index(l, "lamina "):])
				}
				// Flags that are put together before the call.
				for _, m := range regexp.MustCompile(`(?:flags\+=\("?|set -- )(--[a-z]+)`).FindAllStringSubmatch(s, -1) {
					checkCommandLine(t, root, file, "lamina gate "+m[1])
				}
			})
			if commands == 0 {
				t.Error("no command of lamina")
			}
		})
	}
}

// No input of a pull request is put into a script: it would be run.
func TestIntegrations_no_injection(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "integrations", "github", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Inputs map[string]any
		Runs   struct {
			Steps []struct {
				Run string
				Env map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, s := range doc.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("an expression stands in a script:\n%s", s.Run)
		}
		for _, v := range s.Env {
			used = append(used, strings.TrimSuffix(strings.TrimPrefix(v, "${{ inputs."), " }}"))
		}
	}
	for name := range doc.Inputs {
		if !slices.Contains(used, name) {
			t.Errorf("input %s reaches no step", name)
		}
	}
}

func everyText(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v)
	case []any:
		for _, e := range v {
			everyText(e, f)
		}
	case map[string]any:
		for _, e := range v {
			everyText(e, f)
		}
	}
}
