package iac

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/lamina-sec/lamina"
)

// Limits of a Terraform configuration.
const (
	maxHCL       = 1 << 20 // bytes of one file
	maxModules   = 200     // module calls, whose instances count each
	maxLevels    = 10      // modules in modules
	maxInstances = 500     // of one resource or module
)

// A module is one module of a configuration while it is worked out.
type module struct {
	b       *builder
	r       *reader
	root    *terraform
	dir     string // its folder in the file system
	address string // "module.a." before the addresses of its resources
	level   int

	variables, resources, data, calls, outputs map[string]*hclsyntax.Block
	locals                                     map[string]*hclsyntax.Attribute
	given                                      map[string]cty.Value // values of variables, from the caller
	children                                   map[string]map[string]*module

	done map[string]cty.Value
	why  map[string]cause // why what is done is not known
	open map[string]bool
}

// A terraform is what the modules of one root share.
type terraform struct {
	modules   int
	installed map[string]string // folders that terraform init made, by module address
	functions functionTable
	ids       map[string]string // what stands for resources of a plan, by address
}

// A scope is the values that only some expressions see: each, count, self.
type scope map[string]cty.Value

// parseHCL parses a file after looking whether its nesting can be borne: the
// parser is recursive.
func parseHCL(shown string, data []byte) (*hclsyntax.Body, error) {
	if len(data) > maxHCL {
		return nil, fmt.Errorf("%d bytes are %w of %d", len(data), errLimit, maxHCL)
	}
	tokens, diags := hclsyntax.LexConfig(data, shown, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diagnosed(diags)
	}
	if line, deep := tooDeep(tokens); deep {
		return nil, fmt.Errorf("line %d: it is nested or chained deeper than lamina reads", line)
	}
	f, diags := hclsyntax.ParseConfig(data, shown, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diagnosed(diags)
	}
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return nil, errors.New("it has no body")
	}
	return body, nil
}

// diagnosed is the first error, with its line and without the text it is about.
func diagnosed(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			line := 0
			if d.Subject != nil {
				line = d.Subject.Start.Line
			}
			return fmt.Errorf("line %d: %s", line, strings.ToLower(d.Summary[:1])+d.Summary[1:])
		}
	}
	return errors.New("it cannot be parsed")
}

// tooDeep reports brackets within brackets, and chains of operators, that would
// take the parser or the evaluator too deep.
func tooDeep(tokens hclsyntax.Tokens) (line int, deep bool) {
	const maxNested, maxChain = 100, 400
	nested, chain := 0, 0
	for _, t := range tokens {
		switch t.Type { //nolint:exhaustive // all others are operators
		case hclsyntax.TokenOBrace, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			nested++
			chain = 0
		case hclsyntax.TokenOParen:
			nested++
			chain++
		case hclsyntax.TokenOBrack:
			nested++
			chain++
		case hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCParen, hclsyntax.TokenCBrack:
			nested = max(0, nested-1)
		case hclsyntax.TokenComma, hclsyntax.TokenNewline, hclsyntax.TokenEqual:
			chain = 0
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenComment,
			hclsyntax.TokenOQuote, hclsyntax.TokenCQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenCHeredoc:
		default:
			chain++
		}
		if nested > maxNested || chain > maxChain {
			return t.Range.Start.Line, true
		}
	}
	return 0, false
}

// terraformRoots reads the configurations among the folders that have .tf files:
// that which was named, and those that no other folder calls as a module.
func (r *reader) terraformRoots(folders map[string][]string) {
	parsed := map[string]*module{}
	calls := map[string][]string{}
	called := map[string]bool{}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		m := r.load(dir, folders[dir])
		parsed[dir] = m
		for _, c := range m.calls {
			if source, ok := literal(c.Body.Attributes["source"]); ok && local(source) {
				to := path.Join(dir, source)
				calls[dir] = append(calls[dir], to)
				called[to] = true
			}
		}
	}
	dirs := slices.Sorted(maps.Keys(parsed))
	roots := slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { return called[dir] && dir != r.name })
	// What only calls itself in a circle is no part of any root, and is read all the same.
	reached := map[string]bool{}
	var reach func(dir string)
	reach = func(dir string) {
		if !reached[dir] {
			reached[dir] = true
			for _, to := range calls[dir] {
				reach(to)
			}
		}
	}
	for _, dir := range roots {
		reach(dir)
	}
	for _, dir := range dirs {
		if !reached[dir] {
			roots = append(roots, dir)
			reach(dir)
		}
	}
	for _, dir := range roots {
		if r.planned[dir] {
			continue
		}
		r.b.kinds["Terraform"] = true
		m := parsed[dir]
		m.root = &terraform{installed: r.installed(dir)}
		m.root.functions = newFunctions(r, dir)
		m.given = r.tfvars(dir, m)
		m.expand()
	}
}

// isTofu reports whether the file is one that OpenTofu reads, in place of that of
// Terraform with its name, and Terraform does not
// (https://opentofu.org/docs/language/files/).
func isTofu(name string) bool {
	return strings.HasSuffix(name, ".tofu") || strings.HasSuffix(name, ".tofu.json")
}

// errTofu says why such a file is skipped: which of the two is deployed is not in the
// code, and one could hide the other.
var errTofu = errors.New("a file of OpenTofu alone is not read: scan the plan (tofu show -json)")

// local reports whether a module's source is a folder beside it.
func local(source string) bool {
	return strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../")
}

// literal is the text of an attribute that is a plain string.
func literal(a *hclsyntax.Attribute) (string, bool) {
	if a == nil {
		return "", false
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || v.Type() != cty.String || !v.IsKnown() || v.IsNull() {
		return "", false
	}
	return v.AsString(), true
}

// load parses the files of one folder.
func (r *reader) load(dir string, files []string) *module {
	m := &module{
		b: r.b, r: r, dir: dir,
		variables: map[string]*hclsyntax.Block{}, resources: map[string]*hclsyntax.Block{}, data: map[string]*hclsyntax.Block{},
		calls: map[string]*hclsyntax.Block{}, outputs: map[string]*hclsyntax.Block{}, locals: map[string]*hclsyntax.Attribute{},
		children: map[string]map[string]*module{}, done: map[string]cty.Value{}, why: map[string]cause{}, open: map[string]bool{},
	}
	entries, _ := fs.ReadDir(r.root, dir) // which was read before
	for _, e := range entries {
		if e.Type().IsRegular() && isTofu(e.Name()) {
			r.skip(path.Join(dir, e.Name()), errTofu)
		}
	}
	// Files of overrides come after all others.
	files = slices.SortedStableFunc(slices.Values(files), func(a, b string) int {
		switch {
		case overrides(a) == overrides(b):
			return cmp.Compare(a, b)
		case overrides(a):
			return 1
		}
		return -1
	})
	for _, name := range files {
		data, err := r.read(name)
		var body *hclsyntax.Body
		if err == nil {
			body, err = parseTerraform(name, r.display(name), data)
		}
		if err != nil {
			r.skip(name, err)
			continue
		}
		r.b.files = append(r.b.files, r.display(name))
		for _, b := range body.Blocks {
			m.block(b, overrides(name))
		}
	}
	return m
}

// overrides reports whether the blocks of the file are put over those of others
// (https://developer.hashicorp.com/terraform/language/files/override).
func overrides(name string) bool {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".json"), ".tf")
	return base == "override" || strings.HasSuffix(base, "_override")
}

// over is the block with what another says instead: arguments one by one, nested
// blocks all of a type.
func over(old, b *hclsyntax.Block) *hclsyntax.Block {
	kind := func(b *hclsyntax.Block) string {
		if b.Type == "dynamic" && len(b.Labels) == 1 {
			return b.Labels[0]
		}
		return b.Type
	}
	out, body := *old, *old.Body
	body.Attributes = maps.Clone(old.Body.Attributes)
	maps.Copy(body.Attributes, b.Body.Attributes)
	body.Blocks = slices.DeleteFunc(slices.Clone(old.Body.Blocks), func(o *hclsyntax.Block) bool {
		_, argument := b.Body.Attributes[kind(o)] // as the JSON syntax may write it
		return argument || slices.ContainsFunc(b.Body.Blocks, func(n *hclsyntax.Block) bool { return kind(n) == kind(o) })
	})
	for _, n := range b.Body.Blocks {
		delete(body.Attributes, kind(n))
	}
	body.Blocks = append(body.Blocks, b.Body.Blocks...)
	out.Body = &body
	return &out
}

func (m *module) block(b *hclsyntax.Block, override bool) {
	into := map[string]map[string]*hclsyntax.Block{"variable": m.variables, "output": m.outputs, "module": m.calls, "resource": m.resources, "data": m.data}[b.Type]
	switch {
	case b.Type == "locals":
		maps.Copy(m.locals, b.Body.Attributes)
	case into != nil && len(b.Labels) > 0:
		key := strings.Join(b.Labels, ".")
		if old := into[key]; old != nil && override {
			b = over(old, b)
		}
		into[key] = b
	}
}

// tfvars are the values that a root's files give its variables.
func (r *reader) tfvars(dir string, m *module) map[string]cty.Value {
	given := map[string]cty.Value{}
	for name := range m.variables {
		r.b.parameters[name] = true
	}
	entries, err := fs.ReadDir(r.root, dir)
	if err != nil {
		return given
	}
	names := []string{"terraform.tfvars", "terraform.tfvars.json"} // what comes later wins
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".auto.tfvars") || strings.HasSuffix(e.Name(), ".auto.tfvars.json") {
			names = append(names, e.Name())
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name && e.Type().IsRegular() }) {
			continue
		}
		file := path.Join(dir, name)
		values, err := r.values(file)
		if err != nil {
			r.skip(file, err)
			continue
		}
		r.b.files = append(r.b.files, r.display(file))
		maps.Copy(given, values)
	}
	for name, text := range r.b.opt.Parameters {
		v := m.variables[name]
		if v == nil {
			continue
		}
		given[name] = cty.StringVal(text)
		if t := v.Body.Attributes["type"]; t != nil && hcl.ExprAsKeyword(t.Expr) != "string" {
			if e, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos); !diags.HasErrors() {
				if parsed, diags := e.Value(nil); !diags.HasErrors() {
					given[name] = parsed
				}
			}
		}
	}
	return given
}

// values are what a file of variables says.
func (r *reader) values(file string) (map[string]cty.Value, error) {
	data, err := r.read(file)
	if err != nil {
		return nil, err
	}
	out := map[string]cty.Value{}
	if path.Ext(file) == ".json" {
		v, err := readJSON(r.display(file), data)
		for name, f := range v.fields {
			out[name] = toCty(f)
		}
		return out, err
	}
	body, err := parseHCL(r.display(file), data)
	if err != nil {
		return nil, err
	}
	for key, a := range body.Attributes {
		v, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			v = cty.DynamicVal // and not what the variable has without the file
		}
		out[key] = v
	}
	return out, nil
}

// installed are the folders of modules that terraform init fetched, by address.
func (r *reader) installed(dir string) map[string]string {
	file := path.Join(dir, ".terraform/modules/modules.json")
	data, err := r.read(file)
	if err != nil {
		return nil
	}
	v, err := readDocument(file, data)
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, m := range v.get("Modules").items {
		if key, folder := m.get("Key").text, m.get("Dir").text; key != "" && folder != "" {
			out[key] = path.Join(dir, folder)
		}
	}
	return out
}

// expand works out every resource of the module and of those it calls.
func (m *module) expand() {
	for _, key := range slices.Sorted(maps.Keys(m.resources)) {
		m.b.seen++
		block := m.resources[key]
		if _, ok := terraformTypes[block.Labels[0]]; !ok || len(block.Labels) != 2 {
			continue
		}
		m.b.read++
		for _, in := range m.instances(block) {
			m.declare(block, in)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.calls)) {
		for _, key := range slices.Sorted(maps.Keys(m.called(name))) {
			m.children[name][key].expand()
		}
	}
}

// An instance is one of what count or for_each makes of a block.
type instance struct {
	key   string // "", "[0]" or `["a"]`
	index cty.Value
	scope scope
}

// instances are what count and for_each make of a block: where they are not
// known, one of which the index is not known.
func (m *module) instances(b *hclsyntax.Block) []instance {
	if a := b.Body.Attributes["count"]; a != nil {
		n, err := convert.Convert(m.eval(a.Expr, nil), cty.Number)
		if err != nil || !n.IsKnown() || n.IsNull() {
			return []instance{{key: "[?]", scope: scope{"count": cty.ObjectVal(map[string]cty.Value{"index": cty.UnknownVal(cty.Number)})}}}
		}
		f, _ := n.AsBigFloat().Int64()
		var out []instance
		m.atMost(b, int(min(f, maxInstances+1)))
		for i := range min(max(f, 0), maxInstances) {
			index := cty.NumberIntVal(i)
			out = append(out, instance{"[" + strconv.FormatInt(i, 10) + "]", index, scope{"count": cty.ObjectVal(map[string]cty.Value{"index": index})}})
		}
		return out
	}
	a := b.Body.Attributes["for_each"]
	if a == nil {
		return []instance{{}}
	}
	v := m.eval(a.Expr, nil)
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		each := cty.ObjectVal(map[string]cty.Value{"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal})
		return []instance{{key: "[?]", scope: scope{"each": each}}}
	}
	var out []instance
	m.atMost(b, v.LengthInt())
	for k, e := range v.Elements() {
		if len(out) == maxInstances {
			break
		}
		if v.Type().IsSetType() {
			k = e
		}
		s := "?"
		if k.Type() == cty.String && k.IsKnown() && !k.IsNull() {
			s = strconv.Quote(k.AsString())
		}
		out = append(out, instance{"[" + s + "]", k, scope{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": e})}})
	}
	return out
}

// atMost names a block that makes more than is read.
func (m *module) atMost(b *hclsyntax.Block, n int) {
	if n > maxInstances {
		at := m.origin(b.DefRange())
		m.b.skipped = append(m.b.skipped, lamina.Skipped{File: place(at), Offset: -1, Reason: fmt.Sprintf("it makes more than %d of %s, and the rest is not read", maxInstances, strings.Join(b.Labels, "."))})
	}
}

func (m *module) origin(r hcl.Range) lamina.Origin {
	return lamina.Origin{File: r.Filename, Line: r.Start.Line}
}

// called are the instances of a module call, by key.
func (m *module) called(name string) map[string]*module {
	if out, ok := m.children[name]; ok {
		return out
	}
	out := map[string]*module{}
	m.children[name] = out
	call := m.calls[name]
	if call == nil {
		return out
	}
	dir, err := m.source(name, call)
	if err != nil {
		at := m.origin(call.DefRange())
		m.b.skipped = append(m.b.skipped, lamina.Skipped{File: place(at), Offset: -1, Reason: "module " + m.address + name + ": " + err.Error()})
		return out
	}
	for _, in := range m.instances(call) {
		if m.root.modules++; m.root.modules > maxModules || m.level >= maxLevels {
			m.b.skipped = append(m.b.skipped, lamina.Skipped{File: place(m.origin(call.DefRange())), Offset: -1, Reason: fmt.Sprintf("more than %d modules, or %d levels of them, are not read", maxModules, maxLevels)})
			return out
		}
		child := m.r.load(dir, m.r.tfFiles(dir))
		child.root, child.address, child.level = m.root, m.address+"module."+name+in.key+".", m.level+1
		child.given = map[string]cty.Value{}
		for key, a := range call.Body.Attributes {
			if !slices.Contains([]string{"source", "version", "count", "for_each", "providers", "depends_on"}, key) {
				v := m.eval(a.Expr, in.scope)
				child.given[key] = v
				if !v.IsWhollyKnown() {
					child.why["var."+key] = m.reason(a.Expr, in.scope)
				}
			}
		}
		out[in.key] = child
	}
	return out
}

// source is the folder of a module.
func (m *module) source(name string, call *hclsyntax.Block) (string, error) {
	source, ok := literal(call.Body.Attributes["source"])
	if !ok {
		return "", errors.New("its source is no plain text")
	}
	dir := path.Join(m.dir, source)
	if !local(source) {
		key := strings.ReplaceAll(strings.ReplaceAll(m.address, "module.", ""), "[", ".[") + name
		if dir = m.root.installed[key]; dir == "" {
			return "", errors.New("its source is not here: terraform init fetches it; or scan the plan (terraform show -json)")
		}
	}
	if !fs.ValidPath(dir) {
		return "", errors.New("its source is outside the folder that is scanned")
	}
	if len(m.r.tfFiles(dir)) == 0 {
		return "", errors.New("its source has no .tf files")
	}
	return dir, nil
}

// tfFiles are the configuration files of a folder, of both syntaxes, sorted.
func (r *reader) tfFiles(dir string) []string {
	entries, err := fs.ReadDir(r.root, dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() && (strings.HasSuffix(e.Name(), ".tf") || isTFJSON(e.Name())) {
			out = append(out, path.Join(dir, e.Name()))
		}
	}
	return out
}
