package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/rule"
)

// rulesNewFlags are the flags of rules new.
type rulesNewFlags struct {
	dir, typ, id, author string
}

func newRulesNew(a *app) *cobra.Command {
	var f rulesNewFlags
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "write the files of a new rule",
		Example: "  lamina rules new layer-shared-at-night --dir rules\n" +
			"  lamina rules new many-layers-shared --type threshold --author 'Detection team'",
		Long: "NAME is the file's name in kebab-case. NAME.toml and testdata/NAME.txtar are written with\n" +
			"a query that works and marks where a person has to write; rules lint finds the marks.\n" +
			"Nothing that exists is overwritten.",
		Args: args(1, 1, "NAME"),
		RunE: func(_ *cobra.Command, args []string) error { return a.newRule(args[0], f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.dir, "dir", ".", "the `FOLDER` to write into")
	fl.StringVar(&f.typ, "type", string(rule.TypeQuery), "the `TYPE` of the rule: query, threshold, new_terms, eql or esql")
	fl.StringVar(&f.id, "id", "", "the rule_id, a `UUID`; a random one by default")
	fl.StringVar(&f.author, "author", "", "`WHO` wrote it")
	return c
}

var (
	kebab  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	uuidRE = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

func (a *app) newRule(name string, f rulesNewFlags) error {
	types := []string{string(rule.TypeQuery), string(rule.TypeThreshold), string(rule.TypeNewTerms), string(rule.TypeEQL), string(rule.TypeESQL)}
	switch {
	case !kebab.MatchString(name):
		return usagef("write it like layer-shared-publicly", "%q is no name in kebab-case", name)
	case !slices.Contains(types, f.typ):
		hint := fmt.Sprintf("use one of %v", types)
		if s := nearest(f.typ, types); s != "" {
			hint = "did you mean " + s + "?"
		}
		return usagef(hint, "--type %q: there is no template for it", f.typ)
	case f.id != "" && !uuidRE.MatchString(f.id):
		return usagef("leave --id out for a random one", "--id %q is no UUID in lower case", f.id)
	}
	if f.id == "" {
		f.id = newUUID()
	}
	if f.author == "" {
		f.author = rule.Unfinished
	}
	tpl := rule.Template{ID: name, UUID: f.id, Type: rule.Type(f.typ), Author: f.author, Created: a.std.Now()}
	text, err := tpl.TOML()
	if err != nil {
		return err
	}
	file := filepath.Join(f.dir, name+".toml")
	files := []newFile{{file, text}}
	if tpl.Type != rule.TypeEQL && tpl.Type != rule.TypeESQL {
		files = append(files, newFile{filepath.FromSlash(rule.TestFile(filepath.ToSlash(file))), tpl.Tests()})
	}
	return a.writeNew(files)
}

// newUUID is a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand says so
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// A newFile is a file that must not exist yet.
type newFile struct {
	name string
	data []byte
}

// writeNew writes files of which none may exist: all of them or none.
func (a *app) writeNew(files []newFile) error {
	for _, f := range files {
		if exists(a.path(f.name)) {
			return &Error{Msg: f.name + " exists, and nothing that exists is overwritten", Hint: "choose another name or folder; nothing was written", Code: Refused}
		}
	}
	for i, f := range files {
		if err := writeFile(a.path(f.name), f.data); err != nil {
			err = a.outputError(f.name, err)
			for _, g := range files[:i] {
				err = errors.Join(err, os.Remove(a.path(g.name)))
			}
			return err
		}
	}
	for _, f := range files {
		a.note("wrote %s", f.name)
	}
	return nil
}

// writeFile writes a file that is not there yet, and its folder. After an error
// the file is not there either.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // rules are no secret
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // rules are no secret
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
