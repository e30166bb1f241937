package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/runtimes"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// scanFlags are the flags of scan that are no settings.
type scanFlags struct {
	function, handler, runtime, arch, against string
	noCache                                   bool
	exceptions                                []string
	env                                       []string
}

func newScan(a *app) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan LAYER...",
		Short: "open layers and say what is in them, what would run, and what is wrong",
		Example: "  lamina scan layer.zip\n" +
			"  lamina scan build/layer/                          # a folder as it would be zipped\n" +
			"  lamina scan base.zip extra.zip --runtime python3.12 --function app.zip --handler app.handler\n" +
			"  lamina scan layer.zip --env AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper\n" +
			"  lamina scan layer.zip -f text -f sarif=out.sarif -f cyclonedx=sbom.json",
		Long: "LAYER is a layer zip or a folder. Several layers are one /opt, in the order in which a\n" +
			"function lists them: what a later layer brings wins. With the function's package,\n" +
			"handler, runtime and environment, severity follows what would run.\n\n" +
			"Nothing is unpacked to disk, nothing in a layer is executed, and found secrets are\n" +
			"neither shown nor tried.",
		Args: args(1, -1, "LAYER"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.scan(cmd, args, f) },
	}
	f.register(c)
	c.Flags().StringArrayVar(&f.exceptions, "exceptions", nil, "accepted risk: `FILE`, else ./exceptions.toml if it is there; may be repeated")
	a.settingFlag(c, "db", "db_verify", "vex")
	return c
}

// register adds the flags that describe the function.
func (f *scanFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.function, "function", "", "the function's package: `ZIP` or folder")
	fl.StringVar(&f.handler, "handler", "", "the function's handler, `MODULE.NAME`")
	fl.StringVar(&f.runtime, "runtime", "", "the function's `RUNTIME` (python3.12); else the layer's folders say")
	fl.StringVar(&f.arch, "arch", "", "the function's architecture: x86_64 or arm64")
	fl.StringVar(&f.against, "against", "", "an earlier version of the first layer, `ZIP` or folder, that is trusted")
	fl.BoolVar(&f.noCache, "no-cache", false, "read every file again, and keep nothing for the next time")
	fl.StringArrayVar(&f.env, "env", nil, "an environment variable of the function, `NAME=VALUE`; may be given several times")
}

func (a *app) scan(cmd *cobra.Command, targets []string, f scanFlags) (err error) {
	files := a.exceptionFiles(f.exceptions, targets)
	accepted, err := a.loadExceptions(files, targets...)
	if err != nil {
		return err
	}
	s, err := a.scanLayers(cmd.Context(), targets, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAdvisories(s)) }()
	if err := a.keepInputs(slices.Concat(targets, f.inputs(), files)); err != nil {
		return err
	}
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	findings := content.Judge(analyzers.All, s)
	covered, _ := exception.Apply(accepted, findings, s.Now)
	if err := writeScan(r, s, findings); err != nil {
		return err
	}
	sum := scanSummary("scan", s, findings)
	for name, n := range map[string]int{
		"suppressed": covered.Suppressed, "suppressed_ending_in_14_days": covered.Expiring,
		"reopened_expired": covered.Expired, "reopened_changed": covered.Changed,
	} {
		if n > 0 {
			sum.Counts[name] = int64(n)
		}
	}
	sum.Coverage += a.advisoryAge(s)
	return r.Finish(sum)
}

// advisoryAge says how old the vulnerability data is, "" if there is none.
func (a *app) advisoryAge(s *content.Scan) string {
	if s.Advisories == nil {
		return ""
	}
	info := s.Advisories.Info()
	return ", vulnerability data of " + info.Newest.UTC().Format("2006-01-02") + " (" + a.age(info.Newest) + ")"
}

// closeAdvisories lets go of the database of a scan.
func closeAdvisories(s *content.Scan) error {
	if s.Advisories == nil {
		return nil
	}
	return s.Advisories.Close()
}

// inputs are the files the flags name.
func (f *scanFlags) inputs() []string {
	return slices.DeleteFunc([]string{f.function, f.against}, func(s string) bool { return s == "" })
}

// scanLayers reads the layers and what the flags say of the function.
func (a *app) scanLayers(ctx context.Context, targets []string, f scanFlags) (*content.Scan, error) {
	s := &content.Scan{Now: a.std.Now()}
	if len(targets) > 5 {
		return nil, usagef("a function has at most five layers: scan them in several runs", "%d layers given", len(targets))
	}
	fn, err := f.asked()
	if err != nil {
		return nil, err
	}
	switch s.Advisories, err = a.openDB(); {
	case errors.Is(err, errNoDB) && a.conf.text("db") == "":
		s.Advisories = nil // known-vulnerability says UNKNOWN
	case err != nil:
		return nil, wrap(err, Usage, dbHint)
	}
	if s.VEX, err = a.loadVEX(); err != nil {
		return nil, err
	}
	var size int64
	for _, t := range append(slices.Clone(targets), f.inputs()...) {
		info, err := os.Stat(a.path(t))
		if err != nil {
			return nil, a.missing(t, err)
		}
		size += info.Size()
	}
	opt := content.Options{}
	if dir := a.cacheDir(); dir != "" && !f.noCache {
		opt.Cache = &content.Cache{Dir: filepath.Join(dir, "facts"), Program: version().Lamina}
		defer func() {
			if err := opt.Cache.Err(); err != nil && a.flags.verbose {
				a.note("warning: %v", err)
			}
		}()
	}
	bar := a.progress("scan", size)
	defer bar.done()
	var read int64
	for _, t := range targets {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		l, err := a.readLayer(t, opt)
		if err != nil {
			return nil, err
		}
		s.Layers = append(s.Layers, l)
		read += l.Size
		bar.set(read)
	}
	if f.function != "" {
		if fn.Code, err = a.readLayer(f.function, content.Options{Imports: true}); err != nil {
			return nil, err
		}
	}
	if f.against != "" {
		if s.Baseline, err = a.readLayer(f.against, content.Options{Limits: opt.Limits}); err != nil {
			return nil, err
		}
	}
	if fn.Runtime == "" {
		fn.Runtime = guessRuntime(s.Layers)
	}
	s.Function = fn
	return s, nil
}

// cacheDir is where what can be made again is kept, "" if there is no place.
func (a *app) cacheDir() string {
	if dir := a.std.Env("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lamina")
	}
	if home := a.std.Env("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".cache", "lamina")
	}
	return ""
}

// asked is the function as the flags describe it.
func (f *scanFlags) asked() (*content.Function, error) {
	fn := &content.Function{Handler: f.handler, Runtime: f.runtime, Architecture: f.arch}
	if _, ok := runtimes.ByID(f.runtime); !ok && f.runtime != "" {
		return nil, usagef("as AWS writes it: python3.12, nodejs20.x, java21, provided.al2023; docs/runtimes.md lists them", "--runtime %q is no runtime of Lambda that lamina knows", f.runtime)
	}
	if f.arch != "" && f.arch != "x86_64" && f.arch != "arm64" {
		return nil, usagef("x86_64 or arm64", "--arch %q is no architecture of Lambda", f.arch)
	}
	for _, kv := range f.env {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || k == "" {
			return nil, usagef("write --env NAME=VALUE", "--env %q has no name and value", kv)
		}
		if fn.Env == nil {
			fn.Env = map[string]string{} // without --env nothing is known of it
		}
		fn.Env[k] = v
	}
	return fn, nil
}

// readLayer reads a zip or a folder.
func (a *app) readLayer(name string, opt content.Options) (l *content.Layer, err error) {
	file := a.path(name)
	info, err := os.Stat(file)
	if err != nil {
		return nil, a.missing(name, err)
	}
	if info.IsDir() {
		root, err := os.OpenRoot(file)
		if err != nil {
			return nil, a.missing(name, err)
		}
		defer func() { err = errors.Join(err, root.Close()) }()
		return content.ReadDir(name, root.FS(), opt), nil
	}
	if !info.Mode().IsRegular() {
		return nil, usagef("give a zip or a folder", "%s is neither a file nor a folder", name)
	}
	in, err := os.Open(file) //nolint:gosec // the user named this file
	if err != nil {
		return nil, a.missing(name, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	if err := refuseOther(name, in, info.Size()); err != nil {
		return nil, err
	}
	return content.Read(name, in, info.Size(), opt), nil
}

// refuseOther points a user who gave something that is plainly no archive to
// the command that reads it.
func refuseOther(name string, r io.ReaderAt, size int64) error {
	head := make([]byte, min(size, 4))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	hint := ""
	switch {
	case strings.HasSuffix(name, ".json.gz") || strings.HasSuffix(name, ".json"):
		hint = "CloudTrail is read by lamina detect " + name
	case strings.HasSuffix(name, ".toml"):
		hint = "rules are read by lamina rules lint " + name
	}
	if hint != "" && string(head[:min(len(head), 2)]) != "PK" {
		return usagef(hint, "%s is no layer", name)
	}
	return nil
}

// layout are folders that say which runtime a layer is for.
var layout = regexp.MustCompile(`^(?:python/lib/(python3\.\d+)/|nodejs/node(\d+)/|ruby/gems/(\d+\.\d+)\.0/)`)

// runtimesOf are the runtimes that a layer's folders name.
func runtimesOf(l *content.Layer) []string {
	seen := map[string]bool{}
	for _, f := range l.Files {
		switch m := layout.FindStringSubmatch(f.Path); {
		case m == nil:
		case m[1] != "":
			seen[m[1]] = true
		case m[2] != "":
			seen["nodejs"+m[2]+".x"] = true
		case m[3] != "":
			seen["ruby"+m[3]] = true
		}
	}
	out := make([]string, 0, len(seen))
	for r := range seen {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}

// guessRuntime is the one runtime that the layers' folders name, or "".
func guessRuntime(layers []*content.Layer) string {
	var all []string
	for _, l := range layers {
		all = append(all, runtimesOf(l)...)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return ""
}

// writeScan writes what the layers are, then what was found, worst first.
func writeScan(r *results, s *content.Scan, findings []lamina.Finding) error {
	for _, l := range s.Layers {
		for _, k := range l.Skipped {
			if err := r.Write(lamina.Message{Skipped: &k}); err != nil {
				return err
			}
		}
		if l.Err != nil {
			continue
		}
		if err := r.Write(lamina.Message{Content: contentOf(l)}); err != nil {
			return err
		}
		for _, c := range sbom.Merge(l.Packages()) {
			if err := r.Write(lamina.Message{Package: packageOf(l, c)}); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(findings, func(a, b lamina.Finding) int { return cmp.Compare(urgency(b), urgency(a)) })
	for i := range findings {
		if err := r.Write(lamina.Message{Finding: &findings[i]}); err != nil {
			return err
		}
	}
	return nil
}

// urgency orders findings for reading: what failed by severity, then what is
// unknown, then the rest.
func urgency(f lamina.Finding) int {
	switch f.Outcome {
	case lamina.Fail:
		return 2 + f.Severity.Rank()
	case lamina.Unknown:
		return 1
	case lamina.Pass, lamina.NotApplicable:
	}
	return 0
}

// contentOf is a layer in numbers.
func contentOf(l *content.Layer) *lamina.Content {
	c := &lamina.Content{
		Resource: l.Name, Kind: "layer zip", SHA256: l.SHA256, Size: l.Size, Inflated: l.Inflated,
		Files: len(l.Files) + len(l.Skipped), Read: len(l.Files), Runtimes: runtimesOf(l),
	}
	if l.SHA256 == "" {
		c.Kind, c.Size = "folder", 0
	}
	return c
}

// packageOf is a component as the stream carries it.
func packageOf(l *content.Layer, c sbom.Component) *lamina.Package {
	p := &lamina.Package{
		Resource: l.Name, PURL: c.PURL(), Ecosystem: c.Ecosystem, Name: c.Name, Version: c.Version, LicenseText: c.LicenseText,
		How: string(c.How), Program: c.Program, Integrity: c.Integrity, Requires: c.Requires, Files: append([]string{c.File}, c.Also...),
	}
	if c.License != "" {
		p.Licenses = []string{c.License}
	}
	return p
}

// scanSummary counts what was read and found.
func scanSummary(command string, s *content.Scan, findings []lamina.Finding) lamina.Summary {
	sum := lamina.Summary{Command: command, Counts: map[string]int64{"layers": int64(len(s.Layers))}}
	files, read := 0, 0
	for _, l := range s.Layers {
		files, read = files+len(l.Files)+len(l.Skipped), read+len(l.Files)
		for _, c := range sbom.Merge(l.Packages()) {
			if c.How != sbom.Locked { // a lock file names it, and it is not there
				sum.Counts["packages"]++
			}
		}
		for _, k := range l.Skipped {
			if len(sum.Incomplete) < 5 {
				sum.Incomplete = append(sum.Incomplete, k.File+": "+k.Reason)
			}
		}
	}
	unknown := 0
	for _, f := range findings {
		switch f.Outcome {
		case lamina.Fail:
			sum.Counts[string(f.Severity)]++
		case lamina.Unknown:
			unknown++
		case lamina.Pass, lamina.NotApplicable:
		}
	}
	sum.Counts["files"], sum.Counts["skipped"] = int64(read), int64(files-read)
	if unknown > 0 {
		sum.Counts["unknown"] = int64(unknown)
		sum.Incomplete = append(sum.Incomplete, count(unknown, "answer")+" unknown")
	}
	sum.Complete = len(sum.Incomplete) == 0
	sum.Coverage = fmt.Sprintf("%d/%d files of %s read, %s", read, files, count(len(s.Layers), "layer"), count(len(analyzers.All), "analyzer"))
	return sum
}
