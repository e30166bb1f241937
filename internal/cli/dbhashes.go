package cli

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/artefact"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/report"
)

func newDBHashes(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "hashes",
		Short: "indexes of what registries published",
		Example: "  lamina db hashes build wheels/ node-tarballs/ -o hashes.lamina\n" +
			"  lamina scan layer.zip --hashes hashes.lamina",
		Long: "What a layer says of its packages is written by whoever made the layer. An index of\n" +
			"wheels, source distributions, npm tarballs, gems and jars, which you fetched from their\n" +
			"registries, says which files each version was published with. lamina fetches none.",
	}
	group(c)
	c.AddCommand(newDBHashesBuild(a), newDBHashesStatus(a, false), newDBHashesStatus(a, true))
	return c
}

// hashFlags are those of the command that builds.
type hashFlags struct{ sign, built string }

func newDBHashesBuild(a *app) *cobra.Command {
	var f hashFlags
	c := &cobra.Command{
		Use:   "build ARTEFACT... -o FILE",
		Short: "make an index of published artefacts",
		Example: "  pip download --no-deps --only-binary=:all: -d wheels -r requirements.txt\n" +
			"  (cd tarballs && npm pack lodash@4.17.21 ms@2.1.3)\n" +
			"  lamina db hashes build wheels/ tarballs/ -o hashes.lamina --sign key.pem",
		Long: "ARTEFACT is a file as its registry has it (.whl, .tar.gz, .tgz, .gem, .jar), or a folder of\n" +
			"them. What cannot be read, or is named after another package, is named and counted, and\n" +
			"the exit code is 3: the rest is in the index. The index is worth as much as the place\n" +
			"the artefacts came from. The same artefacts and --built give the same bytes.",
		Args: args(1, -1, "ARTEFACT"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.hashesBuild(cmd.Context(), args, f) },
	}
	c.Flags().StringVar(&f.sign, "sign", "", "sign the index with the private ed25519 key in `FILE` (PEM, PKCS#8)")
	c.Flags().StringVar(&f.built, "built", "", "write `TIME` (2026-01-02T15:04:05Z) as the time of building, instead of now")
	return c
}

// A hashReport is what build, status and verify say of one index.
type hashReport struct {
	Outcome   lamina.Outcome `json:"outcome"`
	Reason    string         `json:"reason,omitempty"`
	Path      string         `json:"path"`
	Size      int            `json:"size,omitempty"`
	SHA256    string         `json:"sha256,omitempty"`
	SignedBy  string         `json:"signed_by,omitempty"`
	Signature string         `json:"signature,omitempty"` // verified, not checked or none
	Info      *artefact.Info `json:"info,omitempty"`
	Bad       []artefact.Bad `json:"quarantined,omitempty"`
}

func (r *hashReport) describe(x *artefact.Index) {
	info := x.Info()
	r.Size, r.SHA256, r.SignedBy, r.Info = x.Size(), x.SHA256(), x.SignedBy(), &info
}

func (a *app) hashesBuild(ctx context.Context, names []string, f hashFlags) error {
	file := a.flags.output
	if file == "" {
		return usagef("-o hashes.lamina", "no place for the index: -o is missing")
	}
	if err := a.keepInputs(names); err != nil {
		return err
	}
	a.flags.output = "" // it is the index; what was done is said on standard output
	built, err := a.builtTime(f.built)
	if err != nil {
		return err
	}
	key, err := a.signingKey(f.sign)
	if err != nil {
		return err
	}
	b := artefact.NewBuilder()
	for _, name := range names {
		switch err := b.Read(ctx, a.path(name)); {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			return a.missing(name, err)
		case err != nil:
			return wrap(fmt.Errorf("%s: %w", name, cause(err)), Usage, "an artefact is a file as its registry has it, or a folder of them")
		}
	}
	if c := b.Counts(); c.Kept == 0 {
		hint := "files are .whl, .tar.gz, .tgz, .gem and .jar, as their registry has them"
		if bad := b.Bad(); len(bad) > 0 {
			hint = bad[0].File + ": " + bad[0].Reason
		}
		return usagef(hint, "no artefacts in %s: %s, %d of them quarantined", strings.Join(names, ", "), count(c.Read, "file"), c.Quarantined)
	}
	data, err := b.Build(built)
	if err == nil && key != nil {
		data, err = artefact.Sign(data, key)
	}
	if err != nil {
		return err
	}
	x, err := artefact.New(data)
	if err != nil {
		return err
	}
	if err := a.install(file, data); err != nil {
		return err
	}
	r := hashReport{Outcome: lamina.Pass, Path: file, Bad: b.Bad()}
	r.describe(x)
	if err := a.hashReports([]hashReport{r}); err != nil {
		return err
	}
	var bad []string
	for _, q := range b.Bad() {
		bad = append(bad, q.File+": "+q.Reason)
	}
	return a.quarantined(bad, len(bad), "artefact")
}

// install writes a file whole or not at all.
func (a *app) install(name string, data []byte) error {
	f, err := report.Create(a.path(name))
	if err != nil {
		return a.outputError(name, err)
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(a.outputError(name, err), f.Abort())
	}
	if err := f.Commit(); err != nil {
		return a.outputError(name, err)
	}
	return nil
}

func newDBHashesStatus(a *app, deep bool) *cobra.Command {
	c := &cobra.Command{
		Use:     "status [INDEX...]",
		Short:   "what indexes hold",
		Example: "  lamina db hashes status hashes.lamina\n  lamina db hashes status -f json   # those of --hashes or lamina.toml",
		Long: "PASS means that the file is whole and, with --verify, signed by that key. An index\n" +
			"that cannot be read is UNKNOWN, and the exit code 3.",
		RunE: func(_ *cobra.Command, args []string) error { return a.hashesStatus(args, deep) },
	}
	if deep {
		c.Use, c.Short = "verify [INDEX...]", "read all of indexes, and check their hash and signature"
		c.Example = "  lamina db hashes verify hashes.lamina --verify builder.pem"
		c.Long = "Every command checks that an index is whole; this one reads every artefact too, and\n" +
			"compares the SHA-256. With --verify the signature must be by that key. What is not\n" +
			"so is FAIL and exit code 1."
	}
	a.settingFlag(c, "hashes", "db_verify")
	return c
}

// hashesStatus says what there is. deep reads all of it.
func (a *app) hashesStatus(names []string, deep bool) error {
	if len(names) == 0 {
		names = a.conf.list("hashes")
	}
	if len(names) == 0 {
		return usagef("lamina db hashes build ARTEFACT... -o FILE makes one", "no index was named")
	}
	var all []hashReport
	failed, unknown := 0, 0
	for _, name := range names {
		r := hashReport{Outcome: lamina.Pass, Path: name}
		x, err := a.openIndex(name)
		if err == nil {
			r.describe(x)
			if r.Signature = "none"; a.conf.text("db_verify") != "" {
				r.Signature = "verified"
			} else if r.SignedBy != "" {
				r.Signature = "not checked"
			}
			if deep {
				err = x.Check()
			}
			err = errors.Join(err, x.Close())
		}
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok && e.Code == Usage {
				return err // the name or the key, not the index
			}
			if r.Outcome, r.Reason = lamina.Unknown, err.Error(); deep {
				r.Outcome = lamina.Fail
			}
		}
		switch r.Outcome {
		case lamina.Fail:
			failed++
		case lamina.Unknown:
			unknown++
		case lamina.Pass, lamina.NotApplicable:
		}
		all = append(all, r)
	}
	if err := a.hashReports(all); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return &statusError{Findings, "exit 1: " + count(failed, "index") + " not as it should be"}
	case unknown > 0 && a.flags.allowIncomplete == "":
		return &statusError{Incomplete, "exit 3: incomplete: " + count(unknown, "index") + " not read"}
	}
	return nil
}

// hashReports writes what indexes are.
func (a *app) hashReports(all []hashReport) error {
	return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeJSON(w, all)
		}
		for i := range all {
			if i > 0 {
				fmt.Fprintln(w)
			}
			a.printIndex(w, &all[i])
		}
		return nil
	})
}

func (a *app) printIndex(w io.Writer, r *hashReport) {
	if r.Reason != "" {
		fmt.Fprintf(w, "%s  %s\n", r.Outcome, safeLine(r.Reason))
	}
	if r.Info == nil {
		return
	}
	i := r.Info
	fmt.Fprintf(w, "index       %s (%s)\n", safeLine(r.Path), bytesOf(int64(r.Size)))
	fmt.Fprintf(w, "sha256      %s\n", r.SHA256)
	switch {
	case r.SignedBy != "" && r.Signature != "":
		fmt.Fprintf(w, "signature   by key %s, %s\n", r.SignedBy, r.Signature)
	case r.SignedBy != "":
		fmt.Fprintf(w, "signature   by key %s\n", r.SignedBy)
	default:
		fmt.Fprintln(w, "signature   none")
	}
	fmt.Fprintf(w, "built       %s, %s\n", i.Built.Format(time.RFC3339), a.age(i.Built))
	c := i.Counts
	fmt.Fprintf(w, "artefacts   %d read: %d kept, %d twice, %d no artefacts, %d quarantined\n", c.Read, c.Kept, c.Duplicate, c.Foreign, c.Quarantined)
	fmt.Fprintf(w, "files       %d with %d contents\n", i.Files, i.Contents)
	for _, e := range i.Ecosystems {
		fmt.Fprintf(w, "%-11s %s in %s\n", safeLine(e.Name), count(e.Packages, "package"), count(e.Artefacts, "artefact"))
	}
}

// openIndex opens an index and, if a key is given, checks its signature.
func (a *app) openIndex(name string) (*artefact.Index, error) {
	x, err := artefact.Open(a.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, a.missing(name, err)
	}
	if err != nil {
		return nil, err
	}
	err = a.verifyWith("db_verify", func(key ed25519.PublicKey) error {
		if err := x.Verify(key); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		_ = x.Close() // nothing was written
		return nil, err
	}
	return x, nil
}

// openHashes opens the indexes in force, of which none may lie in a target.
func (a *app) openHashes(targets []string) (all []*artefact.Index, err error) {
	for _, name := range a.conf.list("hashes") {
		if err := a.notExamined(name, targets); err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		x, err := a.openIndex(name)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				err = &Error{Msg: err.Error(), Hint: "lamina db hashes build makes an index of published artefacts", Code: Usage, Err: err}
			}
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, x)
	}
	return all, nil
}

func closeAll(all []*artefact.Index) error {
	var errs []error
	for _, x := range all {
		errs = append(errs, x.Close())
	}
	return errors.Join(errs...)
}

// hashCoverage says what was compared with what registries published, "" without
// an index.
func hashCoverage(s *content.Scan) string {
	if len(s.Hashes) == 0 {
		return ""
	}
	sum := &content.Comparison{}
	for i, l := range s.Layers {
		if l.Err != nil {
			continue
		}
		c, err := s.Published(i)
		if err != nil {
			return ", the registry hash index is damaged"
		}
		sum.Packages, sum.Absent = slices.Concat(sum.Packages, c.Packages), slices.Concat(sum.Absent, c.Absent)
	}
	return ", registry hashes: " + sum.String()
}
