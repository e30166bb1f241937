// Command newitem writes the files of a new catalogue item from templates: the
// item, its document and its test data. It changes no file that is there; the
// line for the list is printed, because a person decides where it stands.
//
//	go run ./internal/tools/newitem check layer-public
//
// What a person has to write is marked CHANGE ME, and tests refuse the mark.
package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/lamina-sec/lamina/rule"
)

//go:embed templates
var templates embed.FS

// kinds are the kinds of items and where they live; list is the line to add.
var kinds = []struct{ name, dir, list string }{
	{"rule", "rules", "%q, to List in rules/rules.go"},
	{"check", "checks", "%s, to All in checks/list.go"},
	{"analyzer", "analyzers", "%s, to All in analyzers/list.go"},
	{"question", "questions", "%s, to All in questions/list.go"},
	{"fix", "fixes", "%s, to All in fixes/list.go"},
	{"attack", "attacks", "%s, to All in attacks/list.go"},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: make new KIND=rule|check|analyzer|question|fix|attack ID=kebab-case-id")
		os.Exit(2)
	}
	if err := create(".", os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "newitem: error:", err)
		os.Exit(1)
	}
}

// create writes the files under root, all of them or none.
func create(root, kind, id string) error {
	list, files, err := item(kind, id, time.Now())
	if err != nil {
		return err
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for n := range files {
			if !yield(n) {
				return
			}
		}
	})
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			return fmt.Errorf("%s is there already", name)
		}
	}
	for _, name := range names {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil { //nolint:gosec // source files are for everyone
			return err
		}
		fmt.Println("wrote", name)
	}
	fmt.Printf("add   %s\n", list)
	fmt.Printf("write what is marked %s, then run make test\n", rule.Unfinished)
	return nil
}

var validID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// item returns the line for the list and the files by path.
func item(kind, id string, now time.Time) (list string, files map[string][]byte, err error) {
	i := slices.IndexFunc(kinds, func(k struct{ name, dir, list string }) bool { return k.name == kind })
	if i < 0 {
		return "", nil, fmt.Errorf("unknown kind %q: want rule, check, analyzer, question, fix or attack", kind)
	}
	if !validID.MatchString(id) || len(id) > 60 {
		return "", nil, fmt.Errorf("id %q: want words in lower case joined by hyphens, at most 60 characters", id)
	}
	k := kinds[i]
	if kind == "rule" {
		files, err = ruleFiles(id, now)
		return fmt.Sprintf(k.list, id), files, err
	}
	data := struct{ ID, Name, Func, Title, Mark string }{
		ID: id, Name: camel(id), Title: strings.ReplaceAll(id, "-", " "), Mark: rule.Unfinished,
	}
	data.Func = strings.ToLower(data.Name[:1]) + data.Name[1:]
	files = map[string][]byte{}
	snake := strings.ReplaceAll(id, "-", "_")
	for ext, path := range map[string]string{
		"go":    filepath.Join(k.dir, snake+".go"),
		"md":    filepath.Join(k.dir, snake+".md"),
		"txtar": filepath.Join(k.dir, "testdata", id+".txtar"),
	} {
		text, err := execute(kind+"."+ext+".tmpl", data)
		if err != nil {
			return "", nil, err
		}
		if ext == "go" {
			if text, err = format.Source(text); err != nil {
				return "", nil, fmt.Errorf("template of %s: %w", kind, err)
			}
		}
		files[path] = text
	}
	return fmt.Sprintf(k.list, data.Name), files, nil
}

func ruleFiles(id string, now time.Time) (map[string][]byte, error) {
	var u [16]byte
	if _, err := rand.Read(u[:]); err != nil {
		return nil, err
	}
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80 // a version 4 UUID (RFC 9562)
	t := rule.Template{
		ID: id, Type: rule.TypeQuery, Author: "Lamina", Created: now,
		UUID: fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]),
	}
	toml, err := t.TOML()
	if err != nil {
		return nil, err
	}
	md, err := execute("rule.md.tmpl", struct{ ID, Title, Mark string }{id, strings.ReplaceAll(id, "-", " "), rule.Unfinished})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		filepath.Join("rules", id+".toml"):              toml,
		filepath.Join("rules", id+".md"):                md,
		filepath.Join("rules", "testdata", id+".txtar"): t.Tests(),
	}, nil
}

func execute(name string, data any) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	if b.Len() == 0 {
		return nil, errors.New("template " + name + " is empty")
	}
	return b.Bytes(), nil
}

// camel turns "layer-public" into "LayerPublic", and knows Go's initialisms that
// our ids use.
func camel(id string) string {
	var b strings.Builder
	for w := range strings.SplitSeq(id, "-") {
		switch w {
		case "arn", "iam", "id", "vpc", "scp", "url", "s3", "kms", "sbom":
			b.WriteString(strings.ToUpper(w))
		default:
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}
