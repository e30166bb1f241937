package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/sealed"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

func newDB(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "db",
		Short: "the local database of known vulnerabilities",
		Example: "  lamina db build advisory-database/ PyPI/all.zip   # of checkouts and exports\n" +
			"  lamina db status                                  # what it knows, and how old that is\n" +
			"  lamina db lookup pkg:pypi/urllib3@1.26.16",
		Long: "Known vulnerabilities come from OSV advisories (https://ossf.github.io/osv-schema/): a\n" +
			"checkout of a database, or an export of osv.dev\n" +
			"(https://google.github.io/osv.dev/data/), made into one file that needs no network to\n" +
			"be asked. lamina fetches nothing by itself: db update is given the URL. Every answer\n" +
			"says how old the advisories are; without a database the answer is UNKNOWN.",
	}
	group(c)
	c.AddCommand(newDBBuild(a), newDBUpdate(a), newDBImport(a), newDBStatus(a), newDBVerify(a), newDBLookup(a), newDBHashes(a))
	return c
}

// dbPath is where the database is, or would be: --db, or the user's data folder
// as the XDG base directory specification says. It is "" if there is no place.
func (a *app) dbPath() string {
	if p := a.conf.text("db"); p != "" {
		return a.path(p)
	}
	if dir := a.std.Env("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lamina", "lamina.db")
	}
	if home := a.std.Env("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "share", "lamina", "lamina.db")
	}
	return ""
}

// errNoDB is a database that is not there.
var errNoDB = errors.New("there is no vulnerability database")

// dbHint says how to get one.
const dbHint = "lamina db build makes one of advisories, lamina db update --from URL fetches them"

// openDB opens the database in force. The error is errNoDB if there is none, and
// says what is wrong if there is one that is damaged, or that --verify refuses.
func (a *app) openDB() (*vulndb.DB, error) {
	path := a.dbPath()
	if path == "" {
		return nil, fmt.Errorf("%w: --db and HOME are not set", errNoDB)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	db, err := vulndb.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s", errNoDB, path)
	}
	if err != nil {
		return nil, err
	}
	if err := a.verifyDB(db); err != nil {
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != Usage { // it is of the database, not of the key
			err = fmt.Errorf("%s: %w", path, err)
		}
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// verifyDB checks the signature when --verify names a key.
func (a *app) verifyDB(db *vulndb.DB) error { return a.verifyWith("db_verify", db.Verify) }

// verifyWith checks a signature with the key that a setting names, if it does.
func (a *app) verifyWith(setting string, verify func(ed25519.PublicKey) error) error {
	name := a.conf.text(setting)
	if name == "" {
		return nil
	}
	data, err := readInput(a.path(name), 1<<16)
	if err != nil {
		return a.missing(name, err)
	}
	key, err := sealed.ParsePublicKey(data)
	if err != nil {
		return usagef("openssl pkey -in key.pem -pubout writes one", "%s: %v", name, err)
	}
	if err := verify(key); err != nil {
		return &Error{Msg: err.Error(), Hint: "it is not what the holder of " + name + " built", Code: Refused, Err: err}
	}
	return nil
}

// dbFlags are those of the commands that build.
type dbFlags struct {
	sign, epss, kev, built string
}

func (f *dbFlags) add(a *app, c *cobra.Command) {
	a.settingFlag(c, "db")
	c.Flags().StringVar(&f.sign, "sign", "", "sign the database with the private ed25519 key in `FILE` (PEM, PKCS#8)")
	c.Flags().StringVar(&f.epss, "epss", "", "join the exploit predictions in `FILE` (.csv or .csv.gz of first.org/epss)")
	c.Flags().StringVar(&f.kev, "kev", "", "join the known exploited vulnerabilities in `FILE` (.json of cisa.gov)")
	c.Flags().StringVar(&f.built, "built", "", "write `TIME` (2026-01-02T15:04:05Z) as the time of building, instead of now")
}

func newDBBuild(a *app) *cobra.Command {
	var f dbFlags
	c := &cobra.Command{
		Use:   "build SOURCE...",
		Short: "make the database of OSV advisories",
		Example: "  lamina db build advisory-database/vulns PyPI/all.zip npm/all.zip\n" +
			"  lamina db build mirror/ --epss epss.csv.gz --kev known_exploited_vulnerabilities.json\n" +
			"  openssl genpkey -algorithm ed25519 -out key.pem\n" +
			"  lamina db build mirror/ --sign key.pem --db lamina.db",
		Long: "SOURCE is a folder or checkout of .json and .yaml records, an archive of them (.zip as\n" +
			"osv.dev exports, .tar, .tar.gz, .tar.zst) or one record. What cannot be read is named and\n" +
			"counted, and the exit code is 3: the rest is in the database. Of records with one id the\n" +
			"latest is kept. The same sources and --built give the same bytes.",
		Args: args(1, -1, "SOURCE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.dbBuild(cmd.Context(), args, args, &f) },
	}
	f.add(a, c)
	return c
}

// A dbReport is what a build says.
type dbReport struct {
	Outcome string       `json:"outcome"` // built, unchanged or installed
	Path    string       `json:"path"`
	Size    int          `json:"size"`
	SHA256  string       `json:"sha256"`
	Signed  string       `json:"signed_by,omitempty"`
	Info    vulndb.Info  `json:"info"`
	Bad     []vulndb.Bad `json:"quarantined"`
}

// dbBuild reads sources, which the user calls by the names shown, and installs
// the database.
func (a *app) dbBuild(ctx context.Context, sources, shown []string, f *dbFlags) error {
	path := a.dbPath()
	if path == "" {
		return usagef("name the file with --db", "no place for the database: HOME is not set")
	}
	built, err := a.builtTime(f.built)
	if err != nil {
		return err
	}
	key, err := a.signingKey(f.sign)
	if err != nil {
		return err
	}
	b := vulndb.NewBuilder()
	if err := a.joinFiles(b, f); err != nil {
		return err
	}
	if err := a.readSources(ctx, b, sources, shown); err != nil {
		return err
	}
	data, err := b.Build(built)
	if err != nil {
		return err
	}
	if c := b.Counts(); c.Kept == 0 {
		hint := "a record has an id, a time of modification and affected packages"
		if bad := b.Bad(); len(bad) > 0 {
			hint = bad[0].File + ": " + bad[0].Reason
		}
		return usagef(hint, "no advisories in %s: %s, %d of them quarantined", strings.Join(shown, ", "), count(c.Read, "file"), c.Quarantined)
	}
	if key != nil {
		if data, err = vulndb.Sign(data, key); err != nil {
			return err
		}
	}
	db, err := vulndb.New(data)
	if err != nil {
		return err
	}
	if err := vulndb.Install(path, data); err != nil {
		return a.outputError(path, err)
	}
	return a.dbReport(dbReport{
		Outcome: "built", Path: path, Size: db.Size(), SHA256: db.SHA256(), Signed: db.SignedBy(), Info: db.Info(), Bad: b.Bad(),
	})
}

// builtTime is the time of --built, or now.
func (a *app) builtTime(s string) (time.Time, error) {
	if s == "" {
		return a.std.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return t, usagef("write it as 2026-01-02T15:04:05Z", "--built %q is no time", s)
	}
	return t, nil
}

// readSources reads all sources, with a bar.
func (a *app) readSources(ctx context.Context, b *vulndb.Builder, sources, shown []string) error {
	var total int64
	for i, s := range sources {
		n, err := vulndb.SourceSize(a.path(s))
		if err != nil {
			return a.missing(shown[i], err)
		}
		total += n
	}
	bar := a.progress("reading advisories", total)
	defer bar.done()
	var before, done int64
	for i, s := range sources {
		before = done
		err := b.Read(ctx, a.path(s), func(n int64) {
			done = before + n
			bar.set(done)
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return wrap(fmt.Errorf("%s: %w", shown[i], cause(err)), Usage, "a source is a folder, an archive or a record of OSV advisories")
		}
	}
	return nil
}

func (a *app) signingKey(name string) (ed25519.PrivateKey, error) {
	if name == "" {
		return nil, nil
	}
	data, err := readInput(a.path(name), 1<<16)
	if err != nil {
		return nil, a.missing(name, err)
	}
	key, err := sealed.ParsePrivateKey(data)
	if err != nil {
		return nil, usagef("openssl genpkey -algorithm ed25519 -out key.pem makes one", "%s: %v", name, err)
	}
	return key, nil
}

func (a *app) joinFiles(b *vulndb.Builder, f *dbFlags) error {
	if f.epss != "" {
		in, err := openInput(a.path(f.epss))
		if err != nil {
			return a.missing(f.epss, err)
		}
		e, err := vulndb.ReadEPSS(filepath.Base(f.epss), in)
		if err = errors.Join(err, in.Close()); err != nil {
			return wrap(err, Usage, "want the file of scores as first.org/epss publishes it")
		}
		b.EPSS(e)
	}
	if f.kev != "" {
		in, err := openInput(a.path(f.kev))
		if err != nil {
			return a.missing(f.kev, err)
		}
		k, err := vulndb.ReadKEV(filepath.Base(f.kev), in)
		if err = errors.Join(err, in.Close()); err != nil {
			return wrap(err, Usage, "want the catalogue in JSON as cisa.gov publishes it")
		}
		b.KEV(k)
	}
	return nil
}

// dbReport writes what was built, and ends the run with what is missing.
func (a *app) dbReport(r dbReport) error {
	err := a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			if r.Bad == nil {
				r.Bad = []vulndb.Bad{}
			}
			return writeJSON(w, r)
		}
		fmt.Fprintf(w, "%s %s (%s)\n", r.Outcome, r.Path, bytesOf(int64(r.Size)))
		if err := a.printInfo(w, &r.Info); err != nil {
			return err
		}
		if r.Signed != "" {
			fmt.Fprintf(w, "signed      by key %s\n", r.Signed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	bad := make([]string, len(r.Bad))
	for i, q := range r.Bad {
		bad[i] = q.Source + ": " + q.File + ": " + q.Reason
	}
	return a.quarantined(bad, r.Info.Counts.Quarantined, "record")
}

// quarantined names what could not be read, n of them, and ends the run with it.
func (a *app) quarantined(bad []string, n int, one string) error {
	for i, s := range bad {
		if i == maxNotes && !a.flags.verbose {
			a.note("warning: %d more like these; -v shows them", n-i)
			break
		}
		a.note("warning: %s", s)
	}
	if n > 0 && a.flags.allowIncomplete == "" {
		return &statusError{Incomplete, fmt.Sprintf("exit 3: incomplete: %s could not be read", count(n, one))}
	}
	return nil
}

// bytesOf is a size a person can read.
func bytesOf(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}

// age says how long ago t was.
func (a *app) age(t time.Time) string {
	switch d := a.std.Now().Sub(t); {
	case t.IsZero():
		return "of unknown age"
	case d < -time.Hour:
		return "in the future"
	case d < time.Hour:
		return "less than an hour old"
	case d < 48*time.Hour:
		return count(int(d.Hours()), "hour") + " old"
	default:
		return fmt.Sprintf("%d days old", int(d.Hours()/24))
	}
}

// warnOld warns of vulnerability data that is older than db_max_age: what became
// known since is not found.
func (a *app) warnOld(newest time.Time) {
	limit, _ := parseDays(a.conf.text("db_max_age")) // 0 is no limit
	if limit == 0 || a.std.Now().Sub(newest) <= limit {
		return
	}
	a.note("warning: the newest of the vulnerability data is %s (%s): what became known since is not found", a.age(newest), day(newest))
	a.note("hint: lamina db update --from URL, or lamina db build of a newer export; --db-max-age sets what is old")
}

// dbAge is the line that every answer from a database ends with.
func (a *app) dbAge(i *vulndb.Info) string {
	return fmt.Sprintf("database %s, newest advisory %s (%s)", a.age(i.Built), a.age(i.Newest), day(i.Newest))
}

func day(t time.Time) string {
	if t.IsZero() {
		return "no date"
	}
	return t.Format(time.DateOnly)
}

// safeLine makes text from outside fit for a line of a terminal.
func safeLine(s string) string { return safe.Line(s, 0) }

// printInfo writes what a database says of itself.
func (a *app) printInfo(w io.Writer, i *vulndb.Info) error {
	c := i.Counts
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.Kept, "kept"},
		{c.Withdrawn, "withdrawn"},
		{c.Older, "older than another of the id"},
		{c.Unindexed, "without a package"},
		{c.Foreign, "no advisories"},
		{c.Quarantined, "quarantined"},
	} {
		if p.n > 0 || p.what == "kept" {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	fmt.Fprintf(w, "built       %s, %s\n", i.Built.Format(time.RFC3339), a.age(i.Built))
	fmt.Fprintf(w, "newest      %s, %s\n", day(i.Newest), a.age(i.Newest))
	fmt.Fprintf(w, "records     %d read: %s\n", c.Read, strings.Join(parts, ", "))
	for n, s := range i.Sources {
		label := "sources"
		if n > 0 {
			label = ""
		}
		fmt.Fprintf(w, "%-11s %s (%d)\n", label, safeLine(s.Name), s.Records)
	}
	for _, j := range []struct {
		label string
		*vulndb.Joined
	}{{"epss", i.EPSS}, {"kev", i.KEV}} {
		if j.Joined == nil {
			continue
		}
		date := ""
		if j.Date != "" {
			date = " of " + safeLine(j.Date)
		}
		fmt.Fprintf(w, "%-11s %s%s: %d read, for %d of the advisories\n", j.label, safeLine(j.Name), date, j.Read, j.Used)
	}
	fmt.Fprintln(w)
	var rows [][]string
	for _, e := range i.Ecosystems {
		rows = append(rows, []string{e.Name, strconv.Itoa(e.Packages), strconv.Itoa(e.Advisories)})
	}
	return columns(w, []string{"ECOSYSTEM", "PACKAGES", "ADVISORIES"}, rows)
}

func newDBUpdate(a *app) *cobra.Command {
	var f dbFlags
	var from, ecosystems []string
	c := &cobra.Command{
		Use:   "update --from URL|PATH",
		Short: "fetch advisories from a place you name, and build",
		Example: "  lamina db update --from https://mirror.example/osv --ecosystem PyPI --ecosystem npm\n" +
			"  lamina db update --from https://mirror.example/lamina.db --verify builder.pem\n" +
			"  lamina db update --from /mnt/osv-mirror",
		Long: "--from is the URL of an archive or of a lamina.db, a folder or file, or with --ecosystem\n" +
			"the URL above ECOSYSTEM/all.zip, as osv.dev lays its exports out\n" +
			"(https://google.github.io/osv.dev/data/). There is no default: lamina calls nobody you\n" +
			"have not named. What came before is kept beside the database and asked for again only\n" +
			"if the server says that it has changed. The database is replaced when the new one is whole.",
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dbUpdate(cmd.Context(), from, ecosystems, &f) },
	}
	f.add(a, c)
	a.settingFlag(c, "db_verify")
	c.Flags().StringArrayVar(&from, "from", nil, "the `URL` or path to read from; may be given several times")
	c.Flags().StringArrayVar(&ecosystems, "ecosystem", nil, "fetch `NAME`/all.zip below the URL; may be given several times")
	return c
}

// isURL reports whether a source is on the network.
func isURL(s string) bool { return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") }

func (a *app) dbUpdate(ctx context.Context, from, ecosystems []string, f *dbFlags) error {
	path := a.dbPath()
	switch {
	case len(from) == 0:
		return usagef("name a URL, a mirror or a folder; the exports of osv.dev are described at https://google.github.io/osv.dev/data/", "missing --from: lamina fetches from nowhere by itself")
	case path == "":
		return usagef("name the file with --db", "no place for the database: HOME is not set")
	}
	var sources, shown []string
	for _, s := range from {
		if !isURL(s) {
			sources, shown = append(sources, s), append(shown, s)
			continue
		}
		if a.conf.yes("offline") {
			return &Error{Msg: "--from is a URL, and --offline refuses the network", Code: Refused}
		}
		u, err := url.Parse(s)
		if err != nil {
			return usagef("give a URL like https://mirror.example/osv", "--from is no URL")
		}
		urls := []string{s}
		if len(ecosystems) > 0 {
			urls = nil
			for _, e := range ecosystems {
				urls = append(urls, u.JoinPath(e, "all.zip").String())
			}
		}
		sources, shown = append(sources, urls...), append(shown, urls...)
	}
	changed := false
	for i, s := range sources {
		if !isURL(s) {
			changed = true
			continue
		}
		got, err := a.fetch(ctx, s, filepath.Join(filepath.Dir(path), "sources"))
		if err != nil {
			return err
		}
		changed = changed || got.Changed
		sources[i] = got.Path
		if u, err := url.Parse(s); err == nil {
			shown[i] = u.Redacted()
		}
	}
	if len(sources) == 1 && isDB(a.path(sources[0])) {
		return a.dbImport(sources[0], shown[0], false)
	}
	if !changed {
		if db, err := a.openDB(); err == nil {
			defer db.Close() //nolint:errcheck // read only
			if slices.EqualFunc(db.Info().Sources, sources, func(s vulndb.Source, file string) bool { return strings.HasSuffix(filepath.ToSlash(file), s.Name) }) {
				return a.dbReport(dbReport{Outcome: "unchanged", Path: path, Size: db.Size(), SHA256: db.SHA256(), Signed: db.SignedBy(), Info: db.Info()})
			}
		}
	}
	return a.dbBuild(ctx, sources, shown, f)
}

func (a *app) fetch(ctx context.Context, from, dir string) (vulndb.Fetched, error) {
	var b *bar
	defer func() {
		if b != nil {
			b.done()
		}
	}()
	got, err := vulndb.Fetch(ctx, vulndb.NewClient(), from, dir, vulndb.MaxFetch, func(done, total int64) {
		if b == nil {
			b = a.progress("fetching", total)
		}
		b.set(done)
	})
	if ctx.Err() != nil {
		return got, ctx.Err()
	}
	return got, wrap(err, CannotRun, "the database is as it was")
}

// isDB reports whether a file is a database rather than advisories.
func isDB(path string) bool {
	f, err := openInput(path)
	if err != nil {
		return false
	}
	head := make([]byte, 8)
	_, err = io.ReadFull(f, head)
	return errors.Join(err, f.Close()) == nil && string(head) == "LAMINADB"
}

func newDBImport(a *app) *cobra.Command {
	var older bool
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "put a database that somebody built in its place",
		Example: "  lamina db import /media/usb/lamina.db --verify builder.pem\n" +
			"  lamina db import old.db --older",
		Long: "All of the file is checked first: its hash, every package and advisory, and with --verify\n" +
			"the signature. One whose advisories are older than those of the database in place is\n" +
			"refused, because it may be an attempt to hide what is known.",
		Args: args(1, 1, "FILE"),
		RunE: func(_ *cobra.Command, args []string) error { return a.dbImport(args[0], args[0], older) },
	}
	a.settingFlag(c, "db", "db_verify")
	c.Flags().BoolVar(&older, "older", false, "accept one with older advisories")
	return c
}

func (a *app) dbImport(name, shown string, older bool) error {
	path := a.dbPath()
	if path == "" {
		return usagef("name the file with --db", "no place for the database: HOME is not set")
	}
	db, err := vulndb.Open(a.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return a.missing(shown, err)
	}
	if err != nil {
		return &Error{Msg: err.Error(), Hint: "lamina db build makes a database of advisories", Code: Usage, Err: err}
	}
	defer db.Close() //nolint:errcheck // read only
	if err := db.Check(); err != nil {
		return &Error{Msg: fmt.Sprintf("%s: %v", shown, err), Hint: "get it again; nothing was changed", Code: Refused, Err: err}
	}
	if err := a.verifyDB(db); err != nil {
		return err
	}
	info := db.Info()
	same := false
	if now, err := vulndb.Open(path); err == nil {
		newest := now.Info().Newest
		same = bytes.Equal(now.Bytes(), db.Bytes())
		if err := now.Close(); err != nil {
			return err
		}
		if newest.After(info.Newest) && !older {
			return &Error{
				Msg:  fmt.Sprintf("%s: its newest advisory is of %s, that of the database in place of %s", shown, day(info.Newest), day(newest)),
				Hint: "--older accepts it", Code: Refused,
			}
		}
	}
	outcome := "unchanged"
	if !same {
		outcome = "installed"
		if err := vulndb.Install(path, db.Bytes()); err != nil {
			return a.outputError(path, err)
		}
	}
	// What was quarantined when it was built is missing here as well, but it is
	// nothing this command could not read.
	return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		r := dbReport{Outcome: outcome, Path: path, Size: db.Size(), SHA256: db.SHA256(), Signed: db.SignedBy(), Info: info, Bad: []vulndb.Bad{}}
		if format == "json" {
			return writeJSON(w, r)
		}
		fmt.Fprintf(w, "%s %s (%s)\n", outcome, path, bytesOf(int64(r.Size)))
		return a.printInfo(w, &info)
	})
}

// A dbStatus is what status and verify say.
type dbStatus struct {
	Outcome   lamina.Outcome `json:"outcome"`
	Reason    string         `json:"reason,omitempty"`
	Path      string         `json:"path"`
	Size      int            `json:"size,omitempty"`
	SHA256    string         `json:"sha256,omitempty"`
	SignedBy  string         `json:"signed_by,omitempty"`
	Signature string         `json:"signature,omitempty"` // verified, not checked or none
	AgeDays   int            `json:"newest_age_days,omitempty"`
	Info      *vulndb.Info   `json:"info,omitempty"`
}

func newDBStatus(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   "what the database knows, and how old that is",
		Example: "  lamina db status\n  lamina db status -f json",
		Long: "PASS means that the file is whole and, with --verify, signed by that key. Without a\n" +
			"database, or with one that cannot be read, the outcome is UNKNOWN and the exit code 3.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error { return a.dbStatus(false) },
	}
	a.settingFlag(c, "db", "db_verify", "db_max_age")
	return c
}

func newDBVerify(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "read all of the database, and check its hash and signature",
		Example: "  lamina db verify\n" +
			"  lamina db verify --verify builder.pem",
		Long: "Every command checks that the database is whole; this one reads every package and\n" +
			"advisory too, and compares the SHA-256. With --verify the signature must be by that key.\n" +
			"What is not so is FAIL and exit code 1.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error { return a.dbStatus(true) },
	}
	a.settingFlag(c, "db", "db_verify", "db_max_age")
	return c
}

// dbStatus says what there is. deep reads all of it.
func (a *app) dbStatus(deep bool) error {
	s := dbStatus{Outcome: lamina.Pass, Path: a.dbPath()}
	db, err := a.openDB()
	switch {
	case err == nil:
		defer db.Close() //nolint:errcheck // read only
		info := db.Info()
		s.Size, s.SHA256, s.SignedBy, s.Info = db.Size(), db.SHA256(), db.SignedBy(), &info
		s.AgeDays = int(a.std.Now().Sub(info.Newest).Hours() / 24)
		a.warnOld(info.Newest)
		switch {
		case a.conf.text("db_verify") != "":
			s.Signature = "verified"
		case s.SignedBy != "":
			s.Signature = "not checked"
		default:
			s.Signature = "none"
		}
		if deep {
			if err := db.Check(); err != nil {
				s.Outcome, s.Reason = lamina.Fail, err.Error()
			}
		}
	case errors.Is(err, errNoDB) || !deep:
		s.Outcome, s.Reason = lamina.Unknown, err.Error()
	default:
		if e, ok := errors.AsType[*Error](err); ok && e.Code == Usage {
			return err // the key, not the database
		}
		s.Outcome, s.Reason = lamina.Fail, err.Error()
	}
	err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeJSON(w, s)
		}
		return a.printStatus(w, &s)
	})
	if err != nil {
		return err
	}
	switch s.Outcome {
	case lamina.Fail:
		return &statusError{Findings, "exit 1: the database is not what it should be"}
	case lamina.Unknown:
		a.note("hint: %s", dbHint)
		if a.flags.allowIncomplete == "" {
			return &statusError{Incomplete, "exit 3: incomplete: no vulnerability can be known"}
		}
	case lamina.Pass, lamina.NotApplicable:
	}
	return nil
}

func (a *app) printStatus(w io.Writer, s *dbStatus) error {
	if s.Reason != "" {
		fmt.Fprintf(w, "%s  %s\n", s.Outcome, safeLine(s.Reason))
		if s.Info == nil {
			return nil
		}
	}
	fmt.Fprintf(w, "database    %s (%s)\n", safeLine(s.Path), bytesOf(int64(s.Size)))
	fmt.Fprintf(w, "sha256      %s\n", s.SHA256)
	signed := s.Signature
	if s.SignedBy != "" {
		signed = "by key " + s.SignedBy + ", " + s.Signature
	}
	fmt.Fprintf(w, "signature   %s\n", signed)
	return a.printInfo(w, s.Info)
}
