// Package iac reads infrastructure code into a snapshot of what it would make.
//
// It reads templates of CloudFormation and SAM, configurations and plans of
// Terraform, and what the AWS CDK synthesizes. Code is code that has not run: a
// value that is not known before it does is unknown here, in so many words and
// with its line, and nothing is guessed, fetched or executed. What the code says
// nothing about is a gap of the snapshot, so that no check passes for want of it.
// Overlay puts the snapshot of code on one that was read of AWS.
//
// What is not there yet has no ARN: FILE#Name stands for it, and account
// 000000000000 for the account it will be in when that was not told. A snapshot
// to overlay has real ARNs as far as names are known.
package iac

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// Limits of one project.
const (
	maxFiles   = 2_000
	maxEntries = 100_000
	maxProject = 64 << 20 // bytes of all documents
)

// unknownAccount is in ARNs where the account is not known: no account has it.
const unknownAccount = "000000000000"

// NotInCode is the reason of gaps: the code does not say, the live estate may.
const NotInCode = "not in the code"

// ErrNone is in the error for a place where there is no infrastructure code.
var ErrNone = errors.New("no infrastructure code")

// Options say what code cannot know of itself.
type Options struct {
	// Account and Region are where it would be deployed, "" if that is not known.
	Account, Region string
	// Accounts are accounts known to be ours, OrgID our organisation.
	Accounts []string
	OrgID    string
	// Parameters are values of a template's parameters, and of a configuration's
	// variables.
	Parameters map[string]string
	// Keep is what is kept of the value of an environment variable; nil keeps nothing.
	Keep func(name, value string) string
	// Live is the estate that the code would be deployed to, nil if it is not known.
	Live *lamina.Snapshot
}

// Code is what was read of infrastructure code.
type Code struct {
	// Snapshot is what the code would make. It has no time.
	Snapshot lamina.Snapshot
	// Unresolved is what the code leaves open that matters to layers, by place.
	Unresolved []Unresolved
	// Files are the files that were read, sorted; Skipped what could not be.
	Files   []string
	Skipped []lamina.Skipped
	// Kinds are the forms the code has: "CloudFormation", "SAM".
	Kinds []string
	// Parameters are the names that Options.Parameters may hold, sorted.
	Parameters []string
	// Resources counts all resources that the files declare, Read those that are
	// of a type that bears on layers.
	Resources, Read int

	// partial are the ARNs of what the code adds to and does not declare itself.
	partial map[string]bool
	places  map[string]lamina.Origin
	longest int // key of places
}

// Unresolved is a value that is not known before the code is deployed.
type Unresolved struct {
	// Action is the IAM action whose answer it would be.
	Action string
	// Resource is what it belongs to, Property what of it is not known.
	Resource, Property string
	At                 lamina.Origin
	// Why is a sentence without a full stop.
	Why string
}

// Place is where the code declares what a finding is about: the place of the
// first of its evidence that the code declares, else that of its resource, else
// that of the first resource that the evidence names.
func (c *Code) Place(f lamina.Finding) (lamina.Origin, bool) {
	for _, e := range f.Evidence {
		if at, ok := c.evidence(f.Resource, e); ok {
			return at, true
		}
	}
	if at, ok := c.places[f.Resource]; ok {
		return at, true
	}
	for _, e := range f.Evidence {
		_, named, _ := strings.Cut(e, ": ")
		if at, ok := c.places[named]; ok {
			return at, true
		}
	}
	return lamina.Origin{}, false
}

// evidence is the place of a line of evidence, whose end may say more than the
// code does: the value of a variable, the line in a policy.
func (c *Code) evidence(resource, e string) (lamina.Origin, bool) {
	for end := len(e); end > 0; end = strings.LastIndexAny(e[:end], "=,(") {
		known := strings.TrimRight(e[:end], " ")
		if len(resource)+1+len(known) > c.longest {
			continue
		}
		if at, ok := c.places[resource+"\x00"+known]; ok {
			return at, true
		}
	}
	return lamina.Origin{}, false
}

// Read reads the code at name, a file or a folder, of root. Places are written
// as shown, the name that the user typed, and the path below it.
func Read(root fs.FS, name, shown string, opt Options) (*Code, error) {
	b := newBuilder(&opt)
	info, err := fs.Stat(root, name)
	if err != nil {
		return nil, err
	}
	r := &reader{b: b, root: root, name: name, shown: shown, isFolder: info.IsDir(), planned: map[string]bool{}}
	if info.IsDir() {
		err = r.folder()
	} else {
		err = r.file(name, true)
	}
	if err != nil {
		return nil, err
	}
	c := b.code()
	if len(c.Files) == 0 && len(c.Skipped) == 0 {
		return nil, fmt.Errorf("%s: %w", shown, ErrNone)
	}
	return c, nil
}

// A reader finds the files of a project.
type reader struct {
	b           *builder
	root        fs.FS
	name, shown string
	isFolder    bool
	planned     map[string]bool // folders with a plan, which says more than the code beside it
	bytes       int
}

// display is a path of the root as the user would type it.
func (r *reader) display(name string) string {
	if name == r.name {
		return r.shown
	}
	base, shown := r.name, r.shown
	if !r.isFolder || base != "." && !strings.HasPrefix(name, base+"/") { // beside what was named
		base, shown = path.Dir(base), path.Dir(shown)
	}
	if base != "." {
		name = strings.TrimPrefix(name, base+"/")
	}
	if shown == "." || shown == "" {
		return name
	}
	return strings.TrimSuffix(shown, "/") + "/" + name
}

// skipFolders hold what others wrote, or what a tool made of the code beside it.
var skipFolders = []string{".git", ".terraform", ".aws-sam", "node_modules", "cdk.out", ".venv", "venv", "__pycache__", "testdata"}

func (r *reader) folder() error {
	files, entries := 0, 0
	folders := map[string][]string{}
	err := fs.WalkDir(r.root, r.name, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			r.skip(name, err)
			return nil
		}
		if entries++; entries > maxEntries {
			return fmt.Errorf("%s has more than %d files and folders: give the template itself", r.shown, maxEntries)
		}
		if d.IsDir() {
			if _, err := fs.Stat(r.root, path.Join(name, "cdk.out", "manifest.json")); err == nil {
				r.assembly(path.Join(name, "cdk.out"), 0)
			}
			if name == r.name && r.isAssembly(name) {
				r.assembly(name, 0)
				return fs.SkipDir
			}
			if name != r.name && slices.Contains(skipFolders, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if d.Type().IsRegular() && isTofu(name) {
			r.skip(name, errTofu)
			return nil
		}
		if !d.Type().IsRegular() || !slices.Contains(extensions, strings.ToLower(path.Ext(name))) {
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("%s has more than %d files that could be templates: give the template itself", r.shown, maxFiles)
		}
		if path.Ext(name) == ".tf" || isTFJSON(name) {
			folders[path.Dir(name)] = append(folders[path.Dir(name)], name)
			return nil
		}
		return r.file(name, false)
	})
	r.terraformRoots(folders)
	return err
}

// isAssembly reports whether the folder is what the CDK synthesized.
func (r *reader) isAssembly(dir string) bool {
	data, err := r.read(path.Join(dir, "manifest.json"))
	if err != nil {
		return false
	}
	v, err := readDocument(dir, data)
	return err == nil && isAssembly(v)
}

// extensions are those of templates, plans and configurations.
var extensions = []string{".json", ".template", ".tf", ".yaml", ".yml"}

func (r *reader) skip(name string, err error) {
	r.b.skipped = append(r.b.skipped, lamina.Skipped{File: r.display(name), Offset: -1, Reason: err.Error()})
}

// file reads one file; what a folder holds besides code is passed over.
func (r *reader) file(name string, named bool) error {
	shown := r.display(name)
	if path.Ext(name) == ".tf" || isTFJSON(name) { // one file is a configuration with what is beside it
		dir := path.Dir(name)
		r.terraformRoots(map[string][]string{dir: r.tfFiles(dir)})
		return nil
	}
	data, err := r.read(name)
	if err != nil {
		if named {
			return fmt.Errorf("%s: %w", shown, err)
		}
		r.skip(name, err)
		return nil
	}
	if !named && !likely(data) {
		return nil
	}
	v, err := readDocument(shown, data)
	switch {
	case err != nil && named:
		return err
	case err != nil:
		r.skip(name, errors.New(strings.TrimPrefix(err.Error(), shown+": ")))
	case isTemplate(v):
		r.b.files = append(r.b.files, shown)
		t := newTemplate(r.b, shown, v)
		if !named {
			t.beside = r.beside(path.Dir(name))
		}
		if t.sam {
			r.b.kinds["SAM"] = true
		} else {
			r.b.kinds["CloudFormation"] = true
		}
		t.read()
	case isPlan(v):
		r.b.files = append(r.b.files, shown)
		r.planned[path.Dir(name)] = true
		terraformPlan(r, name, shown, v)
	case named && isAssembly(v):
		r.assembly(path.Dir(name), 0)
	case named:
		return fmt.Errorf("%s: %w: it is neither a template nor a plan", shown, ErrNone)
	}
	return nil
}

// beside reports of names below a folder whether they are files there.
func (r *reader) beside(dir string) func(string) bool {
	return func(name string) bool {
		name = path.Join(dir, name)
		if !fs.ValidPath(name) || r.name != "." && !strings.HasPrefix(name, r.name+"/") {
			return false
		}
		info, err := fs.Stat(r.root, name)
		return err == nil && info.Mode().IsRegular() && slices.Contains(extensions, strings.ToLower(path.Ext(name)))
	}
}

// Recognises reports whether the file looks like infrastructure code.
func Recognises(name string, data []byte) bool {
	return strings.ToLower(path.Ext(name)) == ".tf" || strings.HasSuffix(strings.ToLower(name), ".tf.json") || likely(data)
}

// likely reports whether a document of a folder can be a template at all.
func likely(data []byte) bool {
	s := string(data)
	return strings.Contains(s, "Resources") && (strings.Contains(s, "AWS::") || strings.Contains(s, "AWSTemplateFormatVersion")) ||
		strings.Contains(s, `"planned_values"`)
}

// read reads a file within the limits.
func (r *reader) read(name string) ([]byte, error) {
	info, err := fs.Stat(r.root, name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // a pipe would be waited for
		return nil, errors.New("it is no file")
	case info.Size() > MaxDocument:
		return nil, fmt.Errorf("%d bytes are %w of %d", info.Size(), errLimit, MaxDocument)
	}
	f, err := r.root.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := readAtMost(f, MaxDocument)
	err = cmp.Or(err, f.Close())
	if r.bytes += len(data); err == nil && r.bytes > maxProject {
		err = fmt.Errorf("the project's documents are %w of %d bytes", errLimit, maxProject)
	}
	return data, err
}
