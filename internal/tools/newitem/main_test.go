package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina/rule"
)

var day = time.Date(2026, 6, 18, 0, 0, 0, 0, time.UTC)

// What is written compiles in its package before a person has touched it: the
// contract of a kind and its template cannot drift apart.
func TestItem_compiles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles five packages; left out by -short")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]map[string]string{"Replace": {}}
	args := []string{"build", "-overlay", filepath.Join(t.TempDir(), "overlay.json")}
	for _, k := range kinds {
		if k.name == "rule" {
			continue
		}
		_, files, err := item(k.name, "template-of-"+k.name, day)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if !strings.HasSuffix(name, ".go") {
				continue
			}
			path := filepath.Join(t.TempDir(), filepath.Base(name))
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			overlay["Replace"][filepath.Join(root, name)] = path
		}
		args = append(args, "./"+k.dir)
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(args[2], b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A new rule parses, and its test archive has a record that matches and one that
// does not.
func TestItem_rule(t *testing.T) {
	list, files, err := item("rule", "layer-example", day)
	if err != nil || list != `"layer-example", to List in rules/rules.go` {
		t.Fatal(list, err)
	}
	if _, err := rule.Parse("layer-example.toml", files["rules/layer-example.toml"]); err != nil {
		t.Error(err)
	}
	if a := txtar.Parse(files["rules/testdata/layer-example.txtar"]); len(a.Files) != 2 {
		t.Errorf("%d records, want 2", len(a.Files))
	}
}

// Every file of every kind carries the mark that tests refuse.
func TestItem_is_marked(t *testing.T) {
	for _, k := range kinds {
		_, files, err := item(k.name, "some-id", day)
		if err != nil || len(files) != 3 {
			t.Fatalf("%s: %d files, %v", k.name, len(files), err)
		}
		for name, text := range files {
			if !strings.Contains(string(text), rule.Unfinished) {
				t.Errorf("%s: no %q", name, rule.Unfinished)
			}
		}
	}
}

func TestCreate(t *testing.T) {
	root := t.TempDir()
	if err := create(root, "check", "layer-example"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"checks/layer_example.go", "checks/layer_example.md", "checks/testdata/layer-example.txtar"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct{ name, kind, id, want string }{
		{"twice", "check", "layer-example", "is there already"},
		{"kind", "chek", "x", `unknown kind "chek"`},
		{"case", "check", "LayerExample", "want words in lower case"},
		{"path", "check", "../x", "want words in lower case"},
		{"empty", "check", "", "want words in lower case"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := create(root, tt.kind, tt.id); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
