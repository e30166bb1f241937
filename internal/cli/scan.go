package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/sandbox"
	"github.com/lamina-sec/lamina/internal/sbom"
)

// scanFlags are the flags of scan that are no settings.
type scanFlags struct {
	functionFlags
	against          string
	noCache, sandbox bool
	exceptions       []string
	code             codeFlags
	estate           estateFlags
}

func newScan(a *app) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "open layers and say what is in them, what would run, and what is wrong",
		Example: "  lamina scan layer.zip\n" +
			"  lamina scan base.zip extra.zip --runtime python3.12 --function app.zip --handler app.handler\n" +
			"  lamina scan layer.zip -f text -f sarif=out.sarif -f cyclonedx=sbom.json\n" +
			"  lamina scan template.yaml --onto snapshot.lamina  # what a change would newly expose\n" +
			"  lamina scan arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7\n" +
			"  lamina scan aws                                   # every layer there is, and the estate",
		Long: "TARGET is a layer zip or a folder. Several layers are one /opt, in the order in which a\n" +
			"function lists them: what a later layer brings wins. With the function's package,\n" +
			"handler, runtime and environment, severity follows what would run; the package's own\n" +
			"files are judged as well. Nothing is unpacked to disk, nothing in a layer is executed, and\n" +
			"found secrets are neither shown nor tried.\n\n" +
			"Infrastructure code (CloudFormation, SAM, Terraform and its plans, cdk.out), or a folder with\n" +
			"it at its top, is judged as what it would deploy, each result at its line. What only the live\n" +
			"estate has is counted; with --onto it is asked, and only what is newly exposed is shown.\n\n" +
			"The ARN of a layer or function, aws, or a snapshot is an estate, with what is in its layers:\n" +
			"AWS is read as lamina collect reads it (--account too), and zips are kept (--content).",
		Args: args(1, -1, "TARGET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, ok, err := a.isEstate(args, f.estate)
			if ok && (f.code.onto != "" || f.code.region != "" || len(f.code.parameters) > 0) {
				return usagef("lamina posture --earlier compares two snapshots", "--onto, --parameter and --deploy-region are about infrastructure code, and %s is an estate", args[0])
			}
			if err != nil {
				return err
			} else if ok {
				return a.scanEstate(cmd, t, f)
			}
			if code, err := a.isCode(args, f.code); err != nil {
				return err
			} else if code {
				return a.scanCode(cmd, args, f)
			}
			return a.scan(cmd, args, f)
		},
	}
	f.register(a, c)
	f.code.register(a, c)
	f.estate.register(c)
	a.settingFlag(c, "approvals", "hash_key", "pipelines", "rules")
	nameOnly(c, "account", "approvals", "arch", "content", "db", "db-max-age", "deploy-region", "env", "exceptions", "external-id", "function-code", "handler", "hash-key", "hashes", "no-cache", "org-id", "organization", "parameter", "pipeline", "profile", "publishers", "rate", "region", "role-name", "rules", "verify", "vex")
	return c
}

// newContent is the part of scan that is about layers. Today scan has no other.
func newContent(a *app) *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:     "content LAYER...",
		Short:   "what scan says of layers, and of nothing else",
		Example: "  lamina content layer.zip\n  lamina content base.zip extra.zip --runtime python3.12 --function app.zip --handler app.handler",
		Long: "It is the part of lamina scan that looks into layers. scan takes any target it knows; for\n" +
			"a script that means layers and nothing else, content stays the same.",
		Args: args(1, -1, "LAYER"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.scan(cmd, args, f) },
	}
	f.register(a, c)
	return c
}

// register adds the flags that say what is scanned, and how.
func (f *scanFlags) register(a *app, c *cobra.Command) {
	f.functionFlags.register(c)
	fl := c.Flags()
	fl.StringVar(&f.against, "against", "", "an earlier version of the first layer, `ZIP` or folder, that is trusted")
	fl.BoolVar(&f.noCache, "no-cache", false, "read every file again, and keep nothing for the next time")
	fl.BoolVar(&f.sandbox, "sandbox", false, "read layers in a child process that can do nothing else")
	fl.StringArrayVar(&f.exceptions, "exceptions", nil, "accepted risk: `FILE`, else ./exceptions.toml if it is there; may be repeated")
	a.settingFlag(c, "db", "db_verify", "db_max_age", "vex", "hashes")
}

func (a *app) scan(cmd *cobra.Command, targets []string, f scanFlags) (err error) {
	files := a.exceptionFiles(f.exceptions, targets)
	accepted, err := a.loadExceptions(files, targets...)
	if err != nil {
		return err
	}
	if err := a.keepInputs(slices.Concat(targets, f.inputs(), files, a.knownFiles())); err != nil {
		return err
	}
	s, err := a.known(targets)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeKnown(s)) }()
	if err := a.scanLayers(cmd.Context(), s, targets, f); err != nil {
		return err
	}
	a.warnOfOldData(s)
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
	sum := scanSummary(commandName(cmd), s, findings)
	for name, n := range map[string]int{
		"suppressed": covered.Suppressed, "suppressed_ending_in_14_days": covered.Expiring,
		"reopened_expired": covered.Expired, "reopened_changed": covered.Changed,
	} {
		if n > 0 {
			sum.Counts[name] = int64(n)
		}
	}
	sum.Coverage += a.advisoryAge(s) + hashCoverage(s)
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

// closeKnown lets go of the database and the indexes of a scan.
func closeKnown(s *content.Scan) error {
	err := closeAll(s.Hashes)
	if s.Advisories != nil {
		err = errors.Join(err, s.Advisories.Close())
	}
	return err
}

// inputs are the files the flags name.
func (f *scanFlags) inputs() []string {
	return slices.DeleteFunc([]string{f.function, f.against}, func(s string) bool { return s == "" })
}

// known is a scan without layers, told what there is to know of packages: the
// database of vulnerabilities, nil if there is none, the user's statements, and
// what registries published.
func (a *app) known(targets []string) (*content.Scan, error) {
	s := &content.Scan{Now: a.std.Now()}
	var err error
	switch s.Advisories, err = a.openDB(); {
	case errors.Is(err, errNoDB) && a.conf.text("db") == "":
		s.Advisories = nil // known-vulnerability says UNKNOWN
	case err != nil:
		if _, ok := errors.AsType[*Error](err); ok {
			return nil, err // of the key, not of the database
		}
		return nil, wrap(err, Usage, dbHint)
	}
	if s.VEX, err = a.loadVEX(); err == nil {
		s.Hashes, err = a.openHashes(targets)
	}
	if err != nil {
		return nil, errors.Join(err, closeKnown(s))
	}
	return s, nil
}

// knownFiles are the files that known reads.
func (a *app) knownFiles() []string {
	return slices.Concat([]string{a.dbPath()}, a.conf.list("vex"), a.conf.list("hashes"))
}

// warnOfOldData warns if packages were looked up in data that is old.
func (a *app) warnOfOldData(s *content.Scan) {
	if s.Advisories != nil && slices.ContainsFunc(examined(s), func(l *content.Layer) bool { return len(sbom.Present(l.Packages())) > 0 }) {
		a.warnOld(s.Advisories.Info().Newest)
	}
}

// scanLayers adds to s the layers and what the flags say of the function.
func (a *app) scanLayers(ctx context.Context, s *content.Scan, targets []string, f scanFlags) error {
	if len(targets) > maxLayers {
		return usagef("a function has at most five layers: scan them in several runs", "%d layers given", len(targets))
	}
	fn, err := f.asked()
	if err != nil {
		return err
	}
	if f.sandbox {
		if err := sandbox.Available(); err != nil {
			return wrap(err, Usage, "leave out --sandbox: layers are then read in this process, within the same limits of archives")
		}
	}
	var size int64
	for _, t := range append(slices.Clone(targets), f.inputs()...) {
		info, err := os.Stat(a.path(t))
		if err != nil {
			return a.missing(t, err)
		}
		size += info.Size()
	}
	opt, err := a.reading(f, s)
	if err != nil {
		return err
	}
	opt.Budget = content.NewBudget()
	bar := a.progress("scan", size)
	defer bar.done()
	var read int64
	for _, t := range targets {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		l, err := a.readLayer(ctx, t, f.sandbox, opt)
		if err != nil {
			return err
		}
		s.Layers = append(s.Layers, l)
		read += l.Size
		bar.set(read)
	}
	if f.function != "" {
		if fn.Code, err = a.readLayer(ctx, f.function, f.sandbox, content.Options{Imports: true, Budget: opt.Budget, Key: opt.Key}); err != nil {
			return err
		}
	}
	if f.against != "" {
		if s.Baseline, err = a.readLayer(ctx, f.against, f.sandbox, content.Options{Budget: opt.Budget, Key: opt.Key}); err != nil {
			return err
		}
	}
	if fn.Runtime == "" {
		fn.Runtime = guessRuntime(s.Layers)
	}
	s.Function = fn
	return nil
}

// reading is how layers are read, and says so in s.
func (a *app) reading(f scanFlags, s *content.Scan) (content.Options, error) {
	key, err := a.fingerprintKey(!f.noCache)
	if err != nil {
		return content.Options{}, err
	}
	s.Fingerprints = key.given
	opt := content.Options{Key: key.key}
	if dir := a.cacheDir(); dir != "" && !f.noCache && !f.sandbox && key.kept {
		opt.Cache = &content.Cache{Dir: filepath.Join(dir, "facts"), Program: version().Lamina, Key: key.key}
		a.caches = append(a.caches, opt.Cache)
	}
	return opt, nil
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

// readLayer reads a zip or a folder, in a child process if confined.
func (a *app) readLayer(ctx context.Context, name string, confined bool, opt content.Options) (l *content.Layer, err error) {
	file := a.path(name)
	info, err := os.Stat(file)
	if err != nil {
		return nil, a.missing(name, err)
	}
	if info.IsDir() && confined {
		return a.readConfined(ctx, name, file, opt)
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
	if confined {
		return a.readConfined(ctx, name, file, opt)
	}
	return content.Read(name, in, info.Size(), opt), nil
}

// readConfined reads the layer in a child process.
func (a *app) readConfined(ctx context.Context, name, file string, opt content.Options) (l *content.Layer, err error) {
	in, err := os.Open(file) //nolint:gosec // the user named this file
	if err != nil {
		return nil, a.missing(name, err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	l, confined, err := sandbox.Read(ctx, sandbox.Target{Name: name, File: in, Imports: opt.Imports, Key: opt.Key})
	if err == nil && a.flags.verbose && confined != nil {
		a.note("sandbox: %s read under %s", name, strings.Join(confined, ", "))
	}
	return l, err
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

// guessRuntime is the one runtime that the layers' folders name, or "".
func guessRuntime(layers []*content.Layer) string {
	var all []string
	for _, l := range layers {
		all = append(all, l.Laid()...)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return ""
}

// examined are the layers and, behind them, the function's package if it was given.
func examined(s *content.Scan) []*content.Layer {
	if s.Function == nil || s.Function.Code == nil {
		return s.Layers
	}
	return append(slices.Clone(s.Layers), s.Function.Code)
}

// writeScan writes what the layers are, then what was found, worst first.
func writeScan(r *results, s *content.Scan, findings []lamina.Finding) error {
	for i, l := range examined(s) {
		for _, k := range l.Skipped {
			if err := r.Write(lamina.Message{Skipped: &k}); err != nil {
				return err
			}
		}
		if l.Err != nil {
			continue
		}
		c := contentOf(l)
		if i == len(s.Layers) {
			c.Kind = "function package"
		}
		if err := r.Write(lamina.Message{Content: c}); err != nil {
			return err
		}
		for _, p := range packagesOf(l) {
			if err := r.Write(lamina.Message{Package: &p}); err != nil {
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
		Files: len(l.Files) + len(l.Skipped), Read: len(l.Files), Runtimes: l.Laid(),
	}
	if l.SHA256 == "" {
		c.Kind, c.Size = "folder", 0
	}
	inside := map[string]bool{}
	for _, f := range l.Files {
		if f.Nested {
			c.Nested++
			inside[f.Path[:strings.LastIndex(f.Path, "!/")]] = true
		}
	}
	c.Archives = len(inside)
	return c
}

// packagesOf are the packages of a layer as the stream carries them, each once.
func packagesOf(l *content.Layer) []lamina.Package {
	var out []lamina.Package
	for _, c := range sbom.Merge(l.Packages()) {
		out = append(out, packageOf(l, c))
	}
	return out
}

// packageOf is a component as the stream carries it.
func packageOf(l *content.Layer, c sbom.Component) lamina.Package {
	p := lamina.Package{
		Resource: l.Name, PURL: c.PURL(), Ecosystem: c.Ecosystem, Name: c.Name, Version: c.Version, LicenseText: c.LicenseText,
		How: string(c.How), Program: c.Program, Integrity: c.Integrity, Requires: c.Requires, Files: append([]string{c.File}, c.Also...),
	}
	if c.License != "" {
		p.Licenses = []string{c.License}
	}
	return p
}

// fewSkipped is how many parts that could not be read the summary names.
const fewSkipped = 5

// scanSummary counts what was read and found.
func scanSummary(command string, s *content.Scan, findings []lamina.Finding) lamina.Summary {
	sum := lamina.Summary{Command: command, Counts: map[string]int64{"layers": int64(len(s.Layers))}}
	files, read, skipped, nested := 0, 0, 0, 0
	var packages [][]sbom.Component
	for _, l := range examined(s) {
		files, read = files+len(l.Files)+len(l.Skipped), read+len(l.Files)
		packages = append(packages, l.Packages())
		nested += contentOf(l).Nested
		for _, k := range l.Skipped {
			if skipped++; skipped <= fewSkipped {
				sum.Incomplete = append(sum.Incomplete, k.File+": "+k.Reason)
			}
		}
	}
	sum.Counts["packages"] = int64(len(sbom.Present(sbom.Merge(packages...))))
	if n := skipped - fewSkipped; n > 0 {
		sum.Incomplete = append(sum.Incomplete, fmt.Sprintf("and %d more parts not read", n))
	}
	if fn := s.Function; fn != nil && fn.Code != nil && fn.Code.Err != nil { // what it would have changed is not known
		sum.Incomplete = append(sum.Incomplete, fn.Code.Name+": "+fn.Code.Err.Error())
	}
	unknown := 0
	for _, f := range findings {
		if f.Suppressed != "" {
			sum.Counts["suppressed_public_content"]++
		}
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
	inside, of := "", count(len(s.Layers), "layer")
	if nested > 0 {
		inside = fmt.Sprintf(" (%d in archives inside)", nested)
	}
	if len(examined(s)) > len(s.Layers) {
		of += " and the function"
	}
	sum.Coverage = fmt.Sprintf("%d/%d files%s of %s read, %s", read, files, inside, of, count(len(analyzers.All), "analyzer"))
	return sum
}
