package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
	"github.com/lamina-sec/lamina/internal/vulndb"
)

func newDBLookup(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "lookup ECOSYSTEM NAME VERSION | PURL...",
		Short: "what is known of a version of a package",
		Example: "  lamina db lookup PyPI urllib3 1.26.16\n" +
			"  lamina db lookup pkg:npm/%40acme/auth@1.2.3 pkg:pypi/requests@2.31.0 -f json\n" +
			"  lamina db lookup Go stdlib go1.22.1 --vex ours.vex.json --vex-out out.vex.json",
		Long: "FAIL is a version that an advisory covers. UNKNOWN is one that cannot be judged, with the\n" +
			"reason: a version that cannot be compared, an advisory that names commits only, an\n" +
			"ecosystem the database has nothing of, no database. Statements of --vex that say not\n" +
			"affected or fixed take a vulnerability out; the others stand beside it.",
		Args: args(1, -1, "ECOSYSTEM NAME VERSION | PURL"),
		RunE: func(_ *cobra.Command, args []string) error { return a.dbLookup(args, out) },
	}
	a.settingFlag(c, "db", "db_verify", "db_max_age", "vex")
	c.Flags().StringVar(&out, "vex-out", "", "write what is found as an OpenVEX document to `FILE`")
	return c
}

// A dbQuery is one package asked for, and the answer.
type dbQuery struct {
	Ecosystem string         `json:"ecosystem"`
	Name      string         `json:"name"`
	Version   string         `json:"version"`
	PURL      string         `json:"purl,omitempty"`
	Outcome   lamina.Outcome `json:"outcome,omitempty"` // FAIL or UNKNOWN; none when no advisory covers it
	Reason    string         `json:"reason,omitempty"`
	Matches   []dbMatch      `json:"matches"`
}

// A dbMatch is a vulnerability, and what somebody said of it.
type dbMatch struct {
	vulndb.Match
	// CountsAs is the severity that --fail-on and --severity compare.
	CountsAs lamina.Severity `json:"counts_as"`
	VEX      *dbVEX          `json:"vex,omitempty"`
	// said is the statement VEX is made of.
	said *vulndb.VEXStatement
}

type dbVEX struct {
	Status        vulndb.VEXStatus `json:"status"`
	Justification string           `json:"justification,omitempty"`
	Note          string           `json:"note,omitempty"`
	Author        string           `json:"author,omitempty"`
	Source        string           `json:"source"`
	Suppressed    bool             `json:"suppressed"`
}

// dbQueries are the packages that arguments name.
func dbQueries(args []string) ([]dbQuery, error) {
	if !strings.HasPrefix(args[0], "pkg:") {
		if len(args) != 3 {
			return nil, usagef("lamina db lookup PyPI urllib3 1.26.16", "want ECOSYSTEM NAME VERSION or package URLs, got %s", count(len(args), "argument"))
		}
		e := vulndb.Ecosystem(args[0])
		return []dbQuery{{Ecosystem: e, Name: args[1], Version: args[2], PURL: vulndb.PackageURL(e, args[1], args[2])}}, nil
	}
	var out []dbQuery
	for _, arg := range args {
		p, err := vulndb.ParsePURL(arg)
		if err != nil {
			return nil, usagef("a package URL is like pkg:pypi/urllib3@1.26.16", "%v", err)
		}
		e, err := p.Ecosystem()
		if err != nil {
			return nil, usagef("give ECOSYSTEM NAME VERSION as OSV writes them", "%q: %v", arg, err)
		}
		out = append(out, dbQuery{Ecosystem: e, Name: p.Name, Version: p.Version, PURL: arg})
	}
	return out, nil
}

// loadVEX reads the files of --vex.
func (a *app) loadVEX() (*vulndb.VEX, error) {
	v := &vulndb.VEX{}
	for _, name := range a.conf.list("vex") {
		data, err := readInput(a.path(name), vulndb.MaxVEX)
		if err != nil {
			return nil, a.missing(name, err)
		}
		if err := v.Read(name, data); err != nil {
			return nil, wrap(err, Usage, "want a document of https://openvex.dev")
		}
	}
	return v, nil
}

func (a *app) dbLookup(args []string, vexOut string) error {
	queries, err := dbQueries(args)
	if err != nil {
		return err
	}
	vex, err := a.loadVEX()
	if err != nil {
		return err
	}
	if vexOut != "" && slices.Contains(a.conf.list("vex"), vexOut) {
		return usagef("give the result a name of its own", "writing %q would replace a file that is being read", vexOut)
	}
	db, err := a.openDB()
	var info *vulndb.Info
	missing := ""
	if err != nil {
		if !errors.Is(err, errNoDB) {
			return err
		}
		missing = err.Error()
	} else {
		defer db.Close() //nolint:errcheck // read only
		i := db.Info()
		info = &i
		a.warnOld(i.Newest)
	}
	for i := range queries {
		if q := &queries[i]; db == nil {
			q.Outcome, q.Reason, q.Matches = lamina.Unknown, missing, []dbMatch{}
		} else {
			q.ask(db, vex)
		}
	}
	err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeJSON(w, struct {
				Database *vulndb.Info `json:"database"`
				Queries  []dbQuery    `json:"queries"`
			}{info, queries})
		}
		return a.printLookup(w, queries, info)
	})
	if err != nil {
		return err
	}
	if vexOut != "" {
		if err := a.writeVEX(vexOut, queries); err != nil {
			return err
		}
	}
	return a.lookupStatus(queries)
}

// ask fills in the answer.
func (q *dbQuery) ask(db *vulndb.DB, vex *vulndb.VEX) {
	q.Matches = []dbMatch{}
	if !db.Covers(q.Ecosystem) {
		q.Outcome, q.Reason = lamina.Unknown, "the database has no advisories of "+q.Ecosystem
	}
	for _, m := range db.Lookup(q.Ecosystem, q.Name, q.Version) {
		d := dbMatch{Match: m, CountsAs: m.Urgency()}
		if s, ok := vex.Find(m.IDs, q.PURL); ok {
			d.said = &s
			d.VEX = &dbVEX{s.Status, s.Justification, s.Note, s.Author, s.Source, s.Status.Suppresses()}
		}
		q.Matches = append(q.Matches, d)
		switch {
		case d.suppressed():
		case m.Outcome == lamina.Fail:
			q.Outcome = lamina.Fail
		case q.Outcome == "":
			q.Outcome = lamina.Unknown
		}
	}
	slices.SortStableFunc(q.Matches, bySeverity)
}

// bySeverity puts the worst first and keeps the order of equals.
func bySeverity(a, b dbMatch) int {
	return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(b.CountsAs.Rank(), a.CountsAs.Rank()))
}

func (m *dbMatch) suppressed() bool { return m.VEX != nil && m.VEX.Suppressed }

// lookupStatus is the exit code.
func (a *app) lookupStatus(queries []dbQuery) error {
	failOn := a.conf.text("fail_on")
	var failed, unknown []string
	for _, q := range queries {
		for _, m := range q.Matches {
			if m.suppressed() || m.Outcome != lamina.Fail || failOn == "never" {
				continue
			}
			if m.CountsAs.Rank() >= lamina.Severity(failOn).Rank() {
				failed = append(failed, m.IDs[0])
			}
		}
		if q.Reason != "" || slices.ContainsFunc(q.Matches, func(m dbMatch) bool { return !m.suppressed() && m.Outcome == lamina.Unknown }) {
			unknown = append(unknown, q.label())
		}
	}
	switch {
	case len(failed) > 0:
		return &statusError{Findings, fmt.Sprintf("exit 1: %s at or above --fail-on %s", shorten(failed), failOn)}
	case len(unknown) > 0 && a.flags.allowIncomplete == "":
		return &statusError{Incomplete, "exit 3: incomplete: " + shorten(unknown)}
	}
	return nil
}

func (q *dbQuery) label() string {
	return cmp.Or(q.PURL, strings.Join([]string{q.Ecosystem, q.Name, q.Version}, " "))
}

func (a *app) printLookup(w io.Writer, queries []dbQuery, info *vulndb.Info) error {
	var b bytes.Buffer
	hidden := 0
	for _, q := range queries {
		fmt.Fprintf(&b, "%s\n", safeLine(q.label()))
		switch {
		case q.Reason != "":
			fmt.Fprintf(&b, "  UNKNOWN  %s\n", safeLine(q.Reason))
		case len(q.Matches) == 0:
			fmt.Fprintf(&b, "  no advisory of this database covers it\n")
		}
		for _, m := range q.Matches {
			if m.CountsAs.Rank() < lamina.Severity(a.conf.text("severity")).Rank() {
				hidden++
				continue
			}
			a.printMatch(&b, &m)
		}
		fmt.Fprintln(&b)
	}
	if hidden > 0 {
		fmt.Fprintf(&b, "%s below --severity %s\n", count(hidden, "match"), a.conf.text("severity"))
	}
	if info != nil {
		fmt.Fprintln(&b, a.dbAge(info))
	} else {
		a.note("hint: %s", dbHint)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (a *app) printMatch(b *bytes.Buffer, m *dbMatch) {
	ids := "(no id)"
	if len(m.IDs) > 0 {
		ids = safeLine(strings.Join(m.IDs, " "))
	}
	outcome := string(m.Outcome)
	if m.suppressed() {
		outcome = "-"
	}
	fmt.Fprintf(b, "  %-8s %-8s %s\n", outcome, m.CountsAs, ids)
	line := func(label, text string) {
		if text == "" {
			return
		}
		for _, l := range a.fold(len("           fixed    "), safeLine(text)) {
			fmt.Fprintf(b, "           %-8s %s\n", label, l)
			label = ""
		}
	}
	line("what", m.Summary)
	if m.Severity == "" && !m.Malicious {
		line("rated", "by nobody: taken for medium, as scan does")
	}
	line("why", m.Reason)
	switch {
	case len(m.Fixed) > 0:
		line("fixed", strings.Join(m.Fixed, ", "))
	case m.Outcome == lamina.Fail:
		line("fixed", "no fixed version is known")
	}
	cvss := m.CVSS
	if m.Score > 0 {
		cvss = fmt.Sprintf("%.1f %s", m.Score, m.CVSS)
	}
	line("cvss", cvss)
	if m.KEV {
		line("exploit", "known to be exploited (CISA)")
	}
	if m.EPSS > 0 {
		line("epss", fmt.Sprintf("%.3f", m.EPSS))
	}
	for _, im := range m.Imports {
		line("import", strings.TrimSuffix(im.Path+": "+strings.Join(im.Symbols, " "), ": "))
	}
	if v := m.VEX; v != nil {
		line("vex", fmt.Sprintf("%s, says %s (%s)%s", strings.ReplaceAll(string(v.Status), "_", " "), cmp.Or(v.Author, "nobody"), v.Source, strings.TrimSuffix(": "+v.Note, ": ")))
	}
}

// writeVEX writes the answers as an OpenVEX document.
func (a *app) writeVEX(name string, queries []dbQuery) error {
	var findings []vulndb.VEXFinding
	for _, q := range queries {
		for _, m := range q.Matches {
			if q.PURL != "" && len(m.IDs) > 0 {
				findings = append(findings, vulndb.VEXFinding{PURL: q.PURL, Match: m.Match, Said: m.said})
			}
		}
	}
	var b bytes.Buffer
	h := vulndb.VEXHeader{Author: "lamina", Tooling: "lamina " + programVersion, Time: a.std.Now()}
	if err := vulndb.WriteVEX(&b, h, findings); err != nil {
		return err
	}
	if err := vulndb.Install(a.path(name), safe.JSON(b.Bytes())); err != nil {
		return a.outputError(name, err)
	}
	a.note("wrote %s", name)
	return nil
}
