package cli

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/opt"
	"github.com/lamina-sec/lamina/internal/runtimes"
	"github.com/lamina-sec/lamina/internal/safe"
)

func newOpt(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "opt",
		Short: "what a function sees of its layers: whose file wins, what an import gets, what runs",
		Example: "  lamina opt view base.zip extra.zip --runtime python3.12 --function app.zip --handler app.handler\n" +
			"  lamina opt which boto3 base.zip extra.zip --runtime python3.12\n" +
			"  lamina opt diff new.zip --against old.zip --runtime nodejs22.x",
		Long: "Layers are given in the order in which the function lists them: all go into /opt, and of\n" +
			"files with the same name the last one stays. What was not given (the function, its\n" +
			"environment) leaves answers open, and they say so.",
	}
	group(c)
	c.AddCommand(newOptView(a), newOptWhich(a), newOptDiff(a))
	return c
}

func newOptView(a *app) *cobra.Command {
	var f functionFlags
	var files bool
	c := &cobra.Command{
		Use:   "view LAYER...",
		Short: "show the merged /opt: what wins, what is hidden, what runs at the start",
		Example: "  lamina opt view layer.zip\n" +
			"  lamina opt view base.zip extra.zip --runtime python3.12 --function app.zip --handler app.handler\n" +
			"  lamina opt view base.zip --runtime nodejs22.x --env NODE_OPTIONS=--require=/opt/hook.js --env STAGE=prod\n" +
			"  lamina opt view base.zip extra.zip --files -f json",
		Args: args(1, -1, "LAYER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.optWorld(cmd.Context(), args, f)
			if err != nil {
				return err
			}
			p := w.page(files)
			return a.optDocument(w.lost, func(format string, out io.Writer) error {
				if format == "json" {
					return writeJSON(out, p)
				}
				return a.printOptView(out, w, p)
			})
		},
	}
	f.register(c)
	c.Flags().BoolVar(&files, "files", false, "list every file that is seen, with its layer")
	return c
}

func newOptWhich(a *app) *cobra.Command {
	var f functionFlags
	c := &cobra.Command{
		Use:   "which NAME LAYER...",
		Short: "say where a path, module, package, class or program comes from",
		Example: "  lamina opt which boto3 base.zip extra.zip --runtime python3.12 --function app.zip\n" +
			"  lamina opt which @aws-sdk/client-s3 layer.zip --runtime nodejs22.x\n" +
			"  lamina opt which com.acme.Log base.zip extra.zip --runtime java21\n" +
			"  lamina opt which /opt/bin/tool base.zip extra.zip",
		Long: "NAME is what the function's code asks for: what stands in a Python import, in Node.js'\n" +
			"or Ruby's require, a Java class, a .NET assembly; a path below /opt or /var/task; else\n" +
			"a program or a shared object. Every place of the search that has it is listed.\n\n" +
			"Exit code 1 means that nobody has it, as which says it; 3 that what was given cannot tell.",
		Args: args(2, -1, "NAME and LAYER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.optWorld(cmd.Context(), args[1:], f)
			if err != nil {
				return err
			}
			r := which(w.view, args[0])
			err = a.optDocument(w.lost, func(format string, out io.Writer) error {
				if format == "json" {
					return writeJSON(out, map[string]any{"layers": w.view.Layers(), "runtime": w.runtime, "result": r, "unknown": w.view.Unknown()})
				}
				return a.printWhich(out, w, r)
			})
			return cmp.Or(err, a.nowhere(r))
		},
	}
	f.register(c)
	return c
}

func newOptDiff(a *app) *cobra.Command {
	var f functionFlags
	var against []string
	c := &cobra.Command{
		Use:   "diff LAYER... --against LAYER",
		Short: "compare what a function sees with another version or order of its layers",
		Example: "  lamina opt diff new.zip --against old.zip --runtime python3.12\n" +
			"  lamina opt diff b.zip a.zip --against a.zip --against b.zip --runtime python3.12 --function app.zip",
		Long: "--against names the layers of before, in their order, one each time. The function is the\n" +
			"same on both sides. What only moved to another layer, with the same bytes, is listed as\n" +
			"moved; what an unchanged layer brings as before is not listed.",
		Args: args(1, -1, "LAYER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(against) == 0 {
				return usagef("name the layers of before with --against, one each time", "nothing to compare with")
			}
			was, err := a.optWorld(cmd.Context(), against, f)
			if err != nil {
				return err
			}
			if f.runtime == "" {
				f.runtime = was.runtime
			}
			is, err := a.optWorld(cmd.Context(), args, f)
			if err != nil {
				return err
			}
			if was.runtime == "" && is.runtime != "" {
				f.runtime = is.runtime
				if was, err = a.optWorld(cmd.Context(), against, f); err != nil {
					return err
				}
			}
			d := opt.Diff(was.view, is.view)
			return a.optDocument(append(was.lost, is.lost...), func(format string, out io.Writer) error {
				if format == "json" {
					return writeJSON(out, map[string]any{"before": was.view.Layers(), "after": is.view.Layers(), "runtime": is.runtime, "difference": d, "unknown": is.view.Unknown()})
				}
				return a.printOptDiff(out, was.view, is.view, d)
			})
		},
	}
	f.register(c)
	c.Flags().StringArrayVar(&against, "against", nil, "a `LAYER` of before; several times for several, in their order")
	return c
}

// An optWorld is layers and a function, read.
type optWorld struct {
	view     *opt.View
	runtime  string
	layers   []*content.Layer
	function *content.Layer // nil if it was not given
	// lost says what could not be read.
	lost []string
}

// maxLayers is how many layers a function can have
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxLayers = 5

// optWorld reads what a view needs of the layers and the function's package. The
// view is the one that scan judges.
func (a *app) optWorld(ctx context.Context, layers []string, f functionFlags) (*optWorld, error) {
	if len(layers) > maxLayers {
		return nil, usagef("a function has at most five layers", "%d layers given", len(layers))
	}
	fn, err := f.asked()
	if err != nil {
		return nil, err
	}
	w := &optWorld{}
	read := func(name string) (*content.Layer, error) {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		l, err := a.readLayer(ctx, name, false, content.Options{View: true})
		switch {
		case err != nil:
			return nil, err
		case l.Err != nil:
			return nil, wrap(fmt.Errorf("%s: %w", name, l.Err), Incomplete, "lamina scan says more of an archive that cannot be read")
		}
		for _, k := range l.Skipped {
			w.lost = append(w.lost, k.File+": "+k.Reason)
		}
		for _, f := range l.Files {
			if f.Hidden {
				w.lost = append(w.lost, name+"!/"+f.Path+": unpackers disagree on where it goes, so that it is at no path here")
			}
		}
		return l, nil
	}
	for _, name := range layers {
		l, err := read(name)
		if err != nil {
			return nil, err
		}
		w.layers = append(w.layers, l)
	}
	if f.function != "" {
		if w.function, err = read(f.function); err != nil {
			return nil, err
		}
		fn.Code = w.function
	}
	if fn.Runtime == "" {
		fn.Runtime = guessRuntime(w.layers)
	}
	w.runtime = fn.Runtime
	w.view = (&content.Scan{Layers: w.layers, Function: fn}).View()
	return w, nil
}

// optDocument writes a document and ends in Incomplete if something was not read.
func (a *app) optDocument(lost []string, write func(format string, w io.Writer) error) error {
	if err := a.document([]string{"text", "json"}, write); err != nil {
		return err
	}
	if len(lost) == 0 {
		return nil
	}
	for i, s := range lost {
		if i == maxNotes && !a.flags.verbose {
			a.note("warning: %d more like these; -v shows them", len(lost)-i)
			break
		}
		a.note("warning: not read: %s", s)
	}
	if a.flags.allowIncomplete != "" {
		return nil
	}
	return &statusError{Incomplete, "exit 3: incomplete: " + reasons(lost)}
}

// An optPage is what view shows.
type optPage struct {
	Layers     []optLayer       `json:"layers"`
	Runtime    string           `json:"runtime,omitempty"`
	Handler    opt.Resolution   `json:"handler"`
	Init       []opt.Step       `json:"init"`
	Covers     []opt.Resolution `json:"covers"`
	Shadowed   []opt.Shadow     `json:"shadowed"`
	Mixed      []opt.Mixed      `json:"mixed"`
	Ahead      []opt.Ahead      `json:"ahead,omitempty"`
	Variables  []opt.Variable   `json:"variables,omitempty"`
	Files      []optFile        `json:"files,omitempty"`
	Unknown    []string         `json:"unknown,omitempty"`
	Incomplete []string         `json:"incomplete,omitempty"`
}

type optLayer struct {
	Layer int    `json:"layer"`
	Name  string `json:"name"`
	// Files are those of the layer itself, Seen those that the function sees.
	Files int `json:"files"`
	Seen  int `json:"seen"`
	// Odd counts oddities of the archive.
	Odd int `json:"odd,omitempty"`
}

type optFile struct {
	Path   string `json:"path"`
	Layer  int    `json:"layer"`
	Mode   string `json:"mode"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
	Link   string `json:"link,omitempty"`
}

func (w *optWorld) page(files bool) optPage {
	v := w.view
	p := optPage{
		Runtime: w.runtime, Handler: v.Handler(), Init: v.Init(), Covers: v.Covers(), Shadowed: v.Shadows(), Mixed: v.Mixed(),
		Ahead: v.Ahead(), Variables: v.Variables(), Unknown: v.Unknown(), Incomplete: w.lost,
	}
	seen := map[int]int{}
	for _, f := range v.Files() {
		seen[f.From.Layer]++
		if files {
			x := optFile{Path: f.Path, Layer: f.From.Layer, Mode: f.File.Mode.String(), Size: f.File.Size, Link: f.File.Link}
			if f.File.Link == "" {
				x.SHA256 = hex.EncodeToString(f.File.SHA256[:])
			}
			p.Files = append(p.Files, x)
		}
	}
	for i, l := range w.layers {
		p.Layers = append(p.Layers, optLayer{i + 1, l.Name, ownFiles(l), seen[i+1], len(l.Oddities)})
	}
	return p
}

// ownFiles counts the files that are not in an archive.
func ownFiles(l *content.Layer) int {
	n := 0
	for _, f := range l.Files {
		if !f.Nested && !f.Hidden {
			n++
		}
	}
	return n
}

// supplier is an origin in a word, for a column.
func supplier(o opt.Origin) string {
	if o.Kind == opt.FromLayer {
		return fmt.Sprintf("layer %d", o.Layer)
	}
	return string(o.Kind)
}

// fewRows is how many rows of a list of view are shown without --verbose.
const fewRows = 25

// optList writes a list under a heading, cut off unless verbose.
func (a *app) optList(w io.Writer, title string, header []string, rows [][]string) error {
	if len(rows) == 0 {
		return nil
	}
	more := 0
	if !a.flags.verbose && len(rows) > fewRows {
		more = len(rows) - fewRows
		rows = rows[:fewRows]
	}
	if _, err := fmt.Fprintf(w, "\n%s\n", title); err != nil {
		return err
	}
	if err := a.columns(w, header, rows); err != nil {
		return err
	}
	if more > 0 {
		_, err := fmt.Fprintf(w, "… and %d more: -v shows them\n", more)
		return err
	}
	return nil
}

func (a *app) printOptView(w io.Writer, world *optWorld, p optPage) error {
	v := world.view
	head := "/opt of " + count(len(p.Layers), "layer")
	if p.Runtime != "" {
		head += " in " + p.Runtime
	}
	var b strings.Builder
	fmt.Fprintln(&b, head)
	for _, l := range p.Layers {
		fmt.Fprintf(&b, "  layer %d   %s: %s, %d seen", l.Layer, safe.Line(l.Name, 0), count(l.Files, "file"), l.Seen)
		if l.Odd > 0 {
			b.WriteString("; the archive is odd: lamina scan says how")
		}
		b.WriteByte('\n')
	}
	if world.function != nil {
		fmt.Fprintf(&b, "  function  %s\n", count(ownFiles(world.function), "file"))
	}
	if h := p.Handler; h.Name != "" {
		fmt.Fprintf(&b, "  handler   %s: %s\n", safe.Line(h.Name, 0), whence(v, h.From, h.Path, h.Maybe))
	}
	if len(p.Unknown) > 0 {
		fmt.Fprintf(&b, "  not given: %s\n", strings.Join(p.Unknown, ", "))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}

	var rows [][]string
	for _, s := range p.Init {
		rows = append(rows, stepRow(s))
	}
	if len(rows) == 0 {
		text := "Nothing of the layers runs at the start"
		if p.Runtime == "" || slices.Contains(p.Unknown, "the function's environment") {
			text = "Nothing of the layers is known to run at the start: give --runtime and --env to be sure"
		}
		if _, err := fmt.Fprintln(w, "\n"+text); err != nil {
			return err
		}
	} else if err := a.optList(w, "Runs at the start, in this order", []string{"WHAT", "PATH", "FROM", "WHY"}, rows); err != nil {
		return err
	}

	rows = nil
	for _, r := range p.Covers {
		var others []string
		for _, o := range r.Others {
			others = append(others, supplier(o.From))
		}
		why := r.Why
		if r.Maybe != "" && r.Maybe != opt.FunctionUnknown { // that is said above, once
			why = "MAYBE: " + r.Maybe + "; " + why
		}
		rows = append(rows, []string{r.Name, supplier(r.From), cmp.Or(r.Path, r.Via), strings.Join(others, ", "), why})
	}
	if err := a.optList(w, "Imports that several supply", []string{"NAME", "FROM", "PATH", "NOT FROM", "WHY"}, rows); err != nil {
		return err
	}

	rows = nil
	same := 0
	for _, s := range p.Shadowed {
		if s.Same {
			same++
			continue
		}
		by := supplier(s.By)
		if s.ByPath != s.Path {
			by += " with " + s.ByPath
		}
		rows = append(rows, []string{s.Path, supplier(s.From), by})
	}
	if err := a.optList(w, "Hidden by a later layer, with other bytes", []string{"PATH", "OF", "BY"}, rows); err != nil {
		return err
	}
	if same > 0 {
		if _, err := fmt.Fprintf(w, "\n%s hidden by the same bytes\n", count(same, "file")); err != nil {
			return err
		}
	}

	rows = nil
	for _, m := range p.Mixed {
		var from []string
		for _, l := range m.Layers {
			from = append(from, fmt.Sprintf("layer %d (%s)", l.Layer, count(l.Files, "file")))
		}
		note := ""
		if m.Namespace {
			note = "a namespace package, made for it"
		}
		rows = append(rows, []string{m.Dir, strings.Join(from, ", "), note})
	}
	if err := a.optList(w, "Packages mixed of several layers", []string{"PACKAGE", "FROM", ""}, rows); err != nil {
		return err
	}

	rows = nil
	for _, x := range p.Ahead {
		rows = append(rows, []string{x.Path, supplier(x.From), x.Before, x.Key})
	}
	if err := a.optList(w, "Found before the system's own of that name", []string{"PATH", "FROM", "BEFORE", "BY"}, rows); err != nil {
		return err
	}

	rows = nil
	for _, x := range p.Variables {
		works := "here: no effect"
		if x.Works {
			works = "here: works"
		}
		if x.Works && x.Derived {
			works += " (derived)"
		}
		rows = append(rows, []string{x.Key, string(x.Effect), works, x.Does})
	}
	if err := a.optList(w, "Variables that load, find, trust or route", []string{"NAME", "EFFECT", "", "WHAT IT DOES"}, rows); err != nil {
		return err
	}

	if len(p.Files) == 0 {
		return nil
	}
	rows = nil
	for _, f := range p.Files {
		name := f.Path
		if f.Link != "" {
			name += " -> " + f.Link
		}
		rows = append(rows, []string{fmt.Sprintf("layer %d", f.Layer), f.Mode, strconv.FormatInt(f.Size, 10), name})
	}
	if _, err := fmt.Fprintln(w, "\nFiles"); err != nil {
		return err
	}
	return a.columns(w, []string{"FROM", "MODE", "SIZE", "PATH"}, rows)
}

// stepRow is a step as view and diff list it.
func stepRow(s opt.Step) []string {
	at := s.Path
	if s.Line > 0 {
		at += fmt.Sprintf(":%d", s.Line)
	}
	why := s.Why
	switch {
	case s.Fails != "":
		why = "FAILS: " + s.Fails + "; " + why
	case s.Maybe != "":
		why = "MAYBE: " + s.Maybe + "; " + why
	}
	return []string{string(s.What), at, supplier(s.From), why}
}

// whence is an answer in a line.
func whence(v *opt.View, from opt.Origin, file, maybe string) string {
	s := v.Name(from)
	switch {
	case file != "":
		s = file + ", from " + s
	case from.Kind == opt.FromNowhere:
		s = "not found"
	}
	if maybe != "" {
		s += "; not certain: " + maybe
	}
	return safe.Line(s, 0)
}

// which asks for a name as whatever it may be.
func which(v *opt.View, name string) opt.Resolution {
	if strings.HasPrefix(name, runtimes.Opt+"/") || strings.HasPrefix(name, runtimes.Task+"/") {
		return whichPath(v, name)
	}
	r := v.Resolve(name)
	if r.From.Kind != opt.FromNowhere && r.From.Kind != opt.FromElsewhere {
		return r
	}
	for _, other := range []opt.Resolution{v.Command(name), v.SharedObject(name)} {
		if other.Path != "" {
			return other
		}
	}
	return r
}

// whichPath says whose file is at a path.
func whichPath(v *opt.View, name string) opt.Resolution {
	r := opt.Resolution{Name: name, From: opt.Origin{Kind: opt.FromNowhere}}
	p, target := v.Follow(name)
	switch target {
	case opt.Regular:
		r.Path, r.From = p.Path, p.From
		r.Why = "the last layer that has it"
		if p.From.Kind == opt.FromFunction {
			r.Why = "the function's own"
		}
		if p.Path != path.Clean(name) {
			r.Why = "links lead there"
		}
		r.Others = hidden(v, p.Path)
	case opt.Directory:
		r.Path, r.Why = p.Path, "a directory: those of all layers are joined"
		r.From = opt.Origin{Kind: opt.FromElsewhere}
		var from []opt.Origin
		for _, f := range v.Files() {
			if strings.HasPrefix(f.Path, p.Path+"/") && !slices.Contains(from, f.From) {
				from = append(from, f.From)
			}
		}
		slices.SortFunc(from, func(a, b opt.Origin) int { return cmp.Compare(a.Layer, b.Layer) })
		for i, o := range from {
			if i == 0 {
				r.From = o
				continue
			}
			r.Others = append(r.Others, opt.Candidate{Path: p.Path, From: o, Why: "it has files there, too"})
		}
	case opt.Outside:
		r.Path, r.From.Kind, r.Maybe = p.Path, opt.FromElsewhere, "what is there was not given"
	case opt.Loop:
		r.Why = "its links lead to themselves"
	case opt.Missing:
		if strings.HasPrefix(name, runtimes.Task+"/") && slices.Contains(v.Unknown(), "the function's own files") {
			r.Maybe = opt.FunctionUnknown
		}
		for _, s := range v.Shadows() {
			if s.Path == path.Clean(name) {
				r.Others = append(r.Others, opt.Candidate{Path: s.Path, From: s.From, Why: "hidden by " + s.ByPath + " of " + v.Name(s.By)})
			}
		}
	}
	return r
}

// hidden are the earlier layers' files at a path.
func hidden(v *opt.View, name string) []opt.Candidate {
	var out []opt.Candidate
	for _, s := range v.Shadows() {
		if s.Path != name || s.ByPath != name {
			continue
		}
		c := opt.Candidate{Path: s.Path, From: s.From, Why: "hidden by a later layer, with other bytes"}
		if s.Same {
			c.Why = "hidden by a later layer, with the same bytes"
		}
		out = append(out, c)
	}
	return out
}

// nowhere is how which ends when nobody has the name: for sure, or as far as what
// was given tells.
func (a *app) nowhere(r opt.Resolution) error {
	name := safe.Line(r.Name, 0)
	switch {
	case r.Path != "" || r.From.Kind != opt.FromNowhere && (r.From.Kind != opt.FromElsewhere || r.Maybe == ""):
		return nil
	case r.Maybe == "":
		return &statusError{Findings, "exit 1: nobody has " + name}
	case a.flags.allowIncomplete != "":
		return nil
	}
	return &statusError{Incomplete, "exit 3: " + name + " is in nothing that was given, and that is not all: " + safe.Line(r.Maybe, 0)}
}

func (a *app) printWhich(w io.Writer, world *optWorld, r opt.Resolution) error {
	var b strings.Builder
	v := world.view
	line := func(key, value string) {
		if value != "" {
			for i, l := range a.fold(len("  not from  "), safe.Line(value, 0)) {
				if i > 0 {
					key = ""
				}
				fmt.Fprintf(&b, "  %-8s  %s\n", key, l)
			}
		}
	}
	fmt.Fprintln(&b, safe.Line(r.Name, 0))
	line("from", v.Name(r.From))
	line("path", r.Path)
	line("found in", r.Via)
	line("why", r.Why)
	if r.Maybe != "" {
		line("certain", "no: "+r.Maybe)
	}
	for i, o := range r.Others {
		key := ""
		if i == 0 {
			key = "not from"
		}
		s := v.Name(o.From)
		if p := cmp.Or(o.Path, o.Via); p != "" {
			s += ", " + p
		}
		if o.Why != "" && o.Why != r.Why {
			s += ": " + o.Why
		}
		line(key, s)
	}
	line("searched", strings.Join(r.Searched, " "))
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *app) printOptDiff(w io.Writer, was, is *opt.View, d opt.Difference) error {
	if len(d.Paths)+len(d.Imports)+len(d.Init) == 0 {
		_, err := fmt.Fprintf(w, "the function sees no difference between %s and %s\n",
			safe.Line(strings.Join(was.Layers(), " "), 0), safe.Line(strings.Join(is.Layers(), " "), 0))
		return err
	}
	var steps, imports, paths [][]string
	for _, c := range d.Init {
		s := c.After
		if s == nil {
			s = c.Before
		}
		steps = append(steps, append([]string{string(c.Change)}, stepRow(*s)...))
	}
	for _, c := range d.Imports {
		imports = append(imports, []string{string(c.Change), c.Name, place(was, c.Before), place(is, c.After)})
	}
	for _, c := range d.Paths {
		paths = append(paths, []string{string(c.Change), c.Path, cmp.Or(c.Before, "–"), cmp.Or(c.After, "–")})
	}
	if _, err := fmt.Fprintf(w, "from %s to %s\n", safe.Line(strings.Join(was.Layers(), " "), 0), safe.Line(strings.Join(is.Layers(), " "), 0)); err != nil {
		return err
	}
	for _, t := range []struct {
		title  string
		header []string
		rows   [][]string
	}{
		{"Runs at the start", []string{"CHANGE", "WHAT", "PATH", "FROM", "WHY"}, steps},
		{"Imports", []string{"CHANGE", "NAME", "BEFORE", "AFTER"}, imports},
		{"Files", []string{"CHANGE", "PATH", "BEFORE", "AFTER"}, paths},
	} {
		if err := a.optList(w, t.title, t.header, t.rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s, %s, %s at the start\n", count(len(d.Paths), "file"), count(len(d.Imports), "import"), count(len(d.Init), "change"))
	return err
}

// place is where a name comes from, in a cell.
func place(v *opt.View, r opt.Resolution) string {
	s := v.Name(r.From)
	if r.Path != "" {
		s = r.Path + " of " + s
	}
	return s
}
