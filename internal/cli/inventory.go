package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/safe"
)

// An inventory is a list of what a snapshot holds: what layers ls and functions
// ls share.
type inventory struct {
	accounts, regions []string
	name              string
}

func (q *inventory) flags(c *cobra.Command, what string) {
	f := c.Flags()
	f.StringArrayVar(&q.accounts, "account", nil, "only those of account `ID`; may be given several times")
	f.StringArrayVar(&q.regions, "region", nil, "only those in `REGION`; may be given several times")
	f.StringVar(&q.name, "name", "", "only "+what+" whose name matches `PATTERN` (acme-*)")
}

func (q *inventory) has(account, region, name string) bool {
	return (len(q.accounts) == 0 || slices.Contains(q.accounts, account)) &&
		(len(q.regions) == 0 || slices.Contains(q.regions, region)) &&
		(q.name == "" || exception.Glob(q.name, name, false))
}

// A listing is a list that is ready to be written.
type listing struct {
	kind string // "layers", its key in json
	// header and rows are the text, under the heading of each row; wide those of csv.
	header, wide   []string
	headings       []string
	rows, wideRows [][]string
	items          any
	counted        string
}

// list writes a listing of the estate with its coverage. The actions are those
// without which the list may lack something.
func (a *app) list(e *estate.Estate, l listing, actions ...string) error {
	var why []string
	for _, m := range e.Unread(actions...) {
		why = append(why, m.Why()+" in "+strings.TrimSpace(m.Account+" "+m.Region))
	}
	err := a.document([]string{"text", "json", "csv"}, func(format string, w io.Writer) error {
		switch format {
		case "json":
			return writeJSON(w, map[string]any{l.kind: l.items, "taken": e.Snapshot.Taken, "complete": len(why) == 0, "incomplete": why})
		case "csv":
			return writeCSV(w, l.wide, l.wideRows)
		}
		for from := 0; from < len(l.rows); {
			to := from + 1
			for to < len(l.rows) && l.headings[to] == l.headings[from] {
				to++
			}
			fmt.Fprintln(w, safe.Line(l.headings[from], 0))
			if err := a.columns(w, l.header, l.rows[from:to]); err != nil {
				return err
			}
			fmt.Fprintln(w)
			from = to
		}
		_, err := fmt.Fprintf(w, "%s\n%s\n", l.counted, coverageLine(e.Snapshot))
		return err
	})
	if err != nil {
		return err
	}
	return a.incomplete(why)
}

// owner says whose a layer is: "ours", a publisher's id, or "unknown".
func owner(in posture.Input, arn string) string {
	l, foreign := in.Foreign(arn)
	switch {
	case l.Legacy:
		return "aws"
	case !foreign:
		return "ours"
	}
	if p, m := in.Publisher(l); m != publishers.Unverified {
		return p.ID
	}
	return "unknown"
}

func newLayers(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "layers",
		Short: "the layer versions of a snapshot: whose, granted to whom, loaded by what",
		Example: "  lamina layers ls\n" +
			"  lamina layers show acme-auth:7\n" +
			"  lamina layers show arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7 snapshot.lamina",
	}
	group(c)
	c.AddCommand(newLayersLs(a), newLayersShow(a))
	return c
}

// A layerRow is a layer version in layers ls.
type layerRow struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
	Version int    `json:"version"`
	// Owner is "ours", the id of a publisher, "aws" or "unknown".
	Owner string `json:"owner"`
	// Grants are the scopes of its grants, "not read" when they are not known.
	Grants []string `json:"grants"`
	// Functions counts functions and published versions that load it.
	Functions int `json:"functions"`
	// Known says that the snapshot describes it; a version that was deleted, or may
	// not be read, is only named by functions.
	Known   bool   `json:"known"`
	Created string `json:"created,omitempty"`
	Signed  bool   `json:"signed"`
}

// layerRows are the layer versions that there are and those that functions load.
func layerRows(in posture.Input) []layerRow {
	e := in.Estate
	arns := map[string]bool{}
	for _, l := range e.Snapshot.Layers {
		arns[l.ARN] = true
	}
	for _, f := range e.Snapshot.Functions {
		for _, arn := range f.Layers {
			arns[arn] = true
		}
	}
	var rows []layerRow
	for arn := range arns {
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			continue // AWS names none like this
		}
		r := layerRow{
			ARN: arn, Account: l.ARN.Account, Region: l.ARN.Region, Name: l.Name, Version: l.Version, Owner: owner(in, arn), Functions: len(e.Users(arn)), Grants: grantScopes(in, arn),
		}
		if v, ok := e.Layer(arn); ok {
			r.Known, r.Signed = true, v.SigningJobARN != ""
			if !v.Created.IsZero() {
				r.Created = v.Created.UTC().Format("2006-01-02")
			}
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y layerRow) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Region, y.Region), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(x.ARN, y.ARN))
	})
	return rows
}

// notRead stands in a column for what is not known.
const notRead = "not read"

// grantScopes are the scopes of the grants of a layer version, each once. The
// policy of another's layer cannot be read.
func grantScopes(in posture.Input, arn string) []string {
	v, ok := in.Estate.Layer(arn)
	if _, foreign := in.Foreign(arn); !ok || foreign {
		return []string{notRead}
	}
	if _, missing := in.Estate.Missing(v.Account, v.Region, "lambda:GetLayerVersionPolicy", arn); missing && v.Origin == nil {
		return []string{notRead}
	}
	scopes := []string{}
	if v.Policy != nil {
		for _, g := range v.Policy.Grants {
			scopes = append(scopes, string(in.Estate.Org.Scope(g, v.Account)))
		}
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

func newLayersLs(a *app) *cobra.Command {
	var q inventory
	var whose string
	c := &cobra.Command{
		Use:   "ls [SNAPSHOT]",
		Short: "list the layer versions, ours and those of others that our functions load",
		Example: "  lamina layers ls\n" +
			"  lamina layers ls snapshot.lamina --owner unknown\n" +
			"  lamina layers ls -f csv=layers.csv",
		Long: "GRANTS are how far each version's policy reaches; of others' layers it cannot be read.\n" +
			"LOADED counts functions and their published versions. SNAPSHOT is " + snapshotFile + "\n" +
			"of this folder if it is left out.",
		Args: args(0, 1, "SNAPSHOT"),
		RunE: func(_ *cobra.Command, args []string) error { return a.layersLs(ownSnapshot(args), q, whose) },
	}
	q.flags(c, "layers")
	c.Flags().StringVar(&whose, "owner", "", "only those of `WHOM`: ours, others, unknown, or a publisher's id")
	a.settingFlag(c, "publishers")
	return c
}

func (a *app) layersLs(file string, q inventory, whose string) error {
	in, err := a.shownEstate(file)
	if err != nil {
		return err
	}
	rows := slices.DeleteFunc(layerRows(in), func(r layerRow) bool {
		return !q.has(r.Account, r.Region, r.Name) || whose != "" && r.Owner != whose && (whose != "others" || r.Owner == "ours")
	})
	l := listing{
		kind: "layers", header: []string{"LAYER", "LOADED", "GRANTS"},
		wide:  []string{"arn", "account", "region", "name", "version", "owner", "grants", "functions", "known", "created", "signed"},
		items: append([]layerRow{}, rows...),
	}
	versions := 0
	for _, r := range rows {
		grants := strings.Join(r.Grants, " ")
		if r.Known {
			versions++
		} else if r.Owner == "ours" {
			grants = "deleted, or not read"
		}
		heading := r.Account + " " + r.Region
		if r.Owner != "ours" {
			heading += " (" + r.Owner + ")"
		}
		l.headings = append(l.headings, heading)
		l.rows = append(l.rows, []string{fmt.Sprintf("%s:%d", r.Name, r.Version), strconv.Itoa(r.Functions), cmp.Or(grants, "-")})
		l.wideRows = append(l.wideRows, []string{
			r.ARN, r.Account, r.Region, r.Name, strconv.Itoa(r.Version), r.Owner, strings.Join(r.Grants, " "), strconv.Itoa(r.Functions), strconv.FormatBool(r.Known), r.Created, strconv.FormatBool(r.Signed),
		})
	}
	l.counted = count(len(rows), "layer version")
	return a.list(in.Estate, l, "lambda:ListLayers", "lambda:ListLayerVersions", "lambda:GetLayerVersionPolicy", "lambda:ListFunctions")
}

func newLayersShow(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "show LAYER [SNAPSHOT]",
		Short: "say what is known of one layer version",
		Example: "  lamina layers show acme-auth:7\n" +
			"  lamina layers show arn:aws:lambda:eu-west-1:111122223333:layer:acme-auth:7 snapshot.lamina -f json",
		Long: "LAYER is an ARN, or NAME:VERSION; without a version it is the newest. Of a name that\n" +
			"several accounts or regions have, give the ARN.",
		Args: args(1, 2, "LAYER"),
		RunE: func(_ *cobra.Command, args []string) error {
			file := ownSnapshot(args[1:])
			in, err := a.shownEstate(file)
			if err != nil {
				return err
			}
			r, err := pickLayer(in, args[0], file)
			if err != nil {
				return err
			}
			v, _ := in.Estate.Layer(r.ARN)
			users := in.Estate.Users(r.ARN)
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					var by []string
					for _, f := range users {
						by = append(by, f.ARN)
					}
					out := map[string]any{"layer": r, "functions": by, "aws_says": saysOfLayer(in, r, users)}
					if r.Known {
						out["described"] = v
					}
					return writeJSON(w, out)
				}
				return a.writeLayer(w, in, r, v, users)
			})
		},
	}
	a.settingFlag(c, "publishers")
	return c
}

// pickLayer is the layer version that the user means.
func pickLayer(in posture.Input, what, file string) (layerRow, error) {
	rows := layerRows(in)
	var found []layerRow
	for _, r := range rows {
		if what == r.ARN || what == fmt.Sprintf("%s:%d", r.Name, r.Version) {
			found = append(found, r)
		}
	}
	if len(found) == 0 { // without a version: the newest of each layer
		for i, r := range rows {
			l, err := lamina.ParseLayerARN(r.ARN)
			newest := i+1 == len(rows) || rows[i+1].Name != r.Name || rows[i+1].Account != r.Account || rows[i+1].Region != r.Region
			if newest && (r.Name == what || err == nil && l.Unversioned() == what) {
				found = append(found, r)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var names []string
		for _, r := range rows {
			names = append(names, r.Name, fmt.Sprintf("%s:%d", r.Name, r.Version))
		}
		hint := "lamina layers ls lists them"
		if exists(what) {
			hint = "it is a file: the layer comes first, as lamina layers ls lists it"
		} else if g := nearest(what, names); g != "" {
			hint = "did you mean " + g + "?"
		}
		return layerRow{}, usagef(hint, "no layer %q in %s", what, file)
	}
	var arns []string
	for _, r := range found {
		arns = append(arns, r.ARN)
	}
	return layerRow{}, usagef("give one of: "+shorten(arns), "%s are called %q in %s", count(len(found), "layer version"), what, file)
}

func (a *app) writeLayer(w io.Writer, in posture.Input, r layerRow, v lamina.LayerVersion, users []lamina.Function) error {
	var b strings.Builder
	field := a.fields(&b)
	b.WriteString(safe.Line(r.ARN, 0) + "\n")
	field("owner", r.Owner)
	if !r.Known {
		field("known", "only from the functions that load it: it was deleted, or may not be read")
	} else {
		field("created", r.Created)
		field("description", v.Description)
		field("runtimes", strings.Join(v.CompatibleRuntimes, " "))
		field("architectures", strings.Join(v.CompatibleArchitectures, " "))
		field("licence", v.LicenseInfo)
		if v.CodeSize > 0 {
			field("content", fmt.Sprintf("%d bytes, SHA-256 %s", v.CodeSize, v.CodeSHA256))
		}
		if v.Reference != nil {
			field("kept in", "s3://"+v.Reference.Bucket+"/"+v.Reference.Key)
		}
		field("signed by", v.SigningProfileVersionARN)
		if v.Origin != nil {
			field("declared", fmt.Sprintf("%s:%d", v.Origin.File, v.Origin.Line))
		}
	}
	switch {
	case slices.Equal(r.Grants, []string{notRead}):
		field("grants", notRead)
	case len(r.Grants) == 0:
		field("grants", "none")
	default:
		for _, g := range v.Policy.Grants {
			to := g.Principal
			if g.OrganizationID != "" {
				to = "organisation " + g.OrganizationID
			}
			field("grant", fmt.Sprintf("%s to %s (%s), statement %s", g.Action, to, in.Estate.Org.Scope(g, v.Account), g.StatementID))
		}
	}
	if !v.PolicyRead.IsZero() {
		field("policy read", v.PolicyRead.UTC().Format("2006-01-02 15:04 UTC"))
	}
	var others []string
	if l, err := lamina.ParseLayerARN(r.ARN); err == nil {
		for _, o := range in.Estate.Versions(l.Unversioned()) {
			if o.Version != r.Version {
				others = append(others, strconv.Itoa(o.Version))
			}
		}
	}
	field("other versions", strings.Join(others, " "))
	field("loaded by", count(len(users), "function"))
	for _, f := range users {
		b.WriteString("    " + safe.Line(f.ARN, 0) + aliasesOf(in.Estate, f) + "\n")
	}
	writeSays(field, saysOfLayer(in, r, users), true)
	field("AWS Config", "cannot record layers")
	fmt.Fprintf(&b, "\n%s\n", coverageLine(in.Estate.Snapshot))
	_, err := io.WriteString(w, b.String())
	return err
}

// fields writes lines of a name and a value, wrapped; one without a value is left out.
func (a *app) fields(b *strings.Builder) func(name, value string) {
	const at = 18
	return func(name, value string) {
		if value == "" {
			return
		}
		name = safe.Line(name, 0)
		for i, line := range a.fold(at, safe.Line(value, 0)) {
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(b, "  %-*s%s\n", at-2, name+" ", line)
		}
	}
}

// aliasesOf names the aliases that lead to a function's version.
func aliasesOf(e *estate.Estate, f lamina.Function) string {
	var names []string
	for _, al := range posture.Whole(e, f).Aliases {
		if _, weighted := al.Weights[f.Version]; al.Version == f.Version || weighted {
			names = append(names, safe.Line(al.Name, 0))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (alias " + strings.Join(names, ", ") + ")"
}

func newFunctions(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "functions",
		Short:   "the functions of a snapshot: their versions, and what each loads",
		Example: "  lamina functions ls\n  lamina functions show checkout-api",
	}
	group(c)
	c.AddCommand(newFunctionsLs(a), newFunctionsShow(a))
	return c
}

// A functionRow is a function, or a published version of one, in functions ls.
type functionRow struct {
	ARN     string   `json:"arn"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Runtime string   `json:"runtime,omitempty"`
	Role    string   `json:"role"`
	Layers  []string `json:"layers"`
	// Others are the layers among them that are not ours.
	Others []string `json:"others"`
}

func functionRows(in posture.Input) []functionRow {
	var rows []functionRow
	for _, f := range in.Estate.Snapshot.Functions {
		r := functionRow{
			ARN: f.ARN, Account: f.Account, Region: f.Region, Name: f.Name, Version: f.Version, Runtime: f.Runtime, Role: f.Role,
			Layers: append([]string{}, f.Layers...), Others: []string{},
		}
		for _, arn := range f.Layers {
			if _, foreign := in.Foreign(arn); foreign {
				r.Others = append(r.Others, arn)
			}
		}
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(x, y functionRow) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Region, y.Region), cmp.Compare(x.Name, y.Name), cmp.Compare(len(x.Version), len(y.Version)), cmp.Compare(x.Version, y.Version))
	})
	return rows
}

func newFunctionsLs(a *app) *cobra.Command {
	var q inventory
	var versions bool
	var layer string
	c := &cobra.Command{
		Use:   "ls [SNAPSHOT]",
		Short: "list the functions and the layers they load",
		Example: "  lamina functions ls\n" +
			"  lamina functions ls --versions --layer acme-auth:*     # published versions too\n" +
			"  lamina functions ls snapshot.lamina -f csv=functions.csv",
		Long: "LAYERS are in the order in which Lambda merges them into /opt; of ours the name, of\n" +
			"others the account besides.",
		Args: args(0, 1, "SNAPSHOT"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.functionsLs(ownSnapshot(args), q, versions, layer)
		},
	}
	q.flags(c, "functions")
	c.Flags().BoolVar(&versions, "versions", false, "list published versions too")
	c.Flags().StringVar(&layer, "layer", "", "only those that load a layer whose ARN, or NAME:VERSION, matches `PATTERN`")
	a.settingFlag(c, "publishers")
	return c
}

func (a *app) functionsLs(file string, q inventory, versions bool, layer string) error {
	in, err := a.shownEstate(file)
	if err != nil {
		return err
	}
	rows := slices.DeleteFunc(functionRows(in), func(r functionRow) bool {
		return !q.has(r.Account, r.Region, r.Name) || !versions && r.Version != "$LATEST" ||
			layer != "" && !slices.ContainsFunc(r.Layers, func(arn string) bool {
				return exception.Glob(layer, arn, false) || exception.Glob(layer, layerName(arn, ""), false)
			})
	})
	l := listing{
		kind: "functions", header: []string{"FUNCTION", "RUNTIME", "LAYERS"},
		wide:  []string{"arn", "account", "region", "name", "version", "runtime", "role", "layers", "others"},
		items: append([]functionRow{}, rows...),
	}
	for _, r := range rows {
		name := r.Name
		if versions {
			name += ":" + r.Version
		}
		var layers []string
		for _, arn := range r.Layers {
			layers = append(layers, layerName(arn, r.Account))
		}
		l.headings = append(l.headings, r.Account+" "+r.Region)
		l.rows = append(l.rows, []string{name, cmp.Or(r.Runtime, "image"), cmp.Or(strings.Join(layers, " "), "-")})
		l.wideRows = append(l.wideRows, []string{
			r.ARN, r.Account, r.Region, r.Name, r.Version, r.Runtime, r.Role, strings.Join(r.Layers, " "), strings.Join(r.Others, " "),
		})
	}
	l.counted = count(len(rows), "function")
	if versions {
		l.counted = count(len(rows), "function version")
	}
	return a.list(in.Estate, l, "lambda:ListFunctions")
}

// layerName is a layer version by name and version, with its account in front
// when that is not the one given and one is given.
func layerName(arn, account string) string {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return arn
	}
	name := fmt.Sprintf("%s:%d", l.Name, l.Version)
	if account != "" && l.ARN.Account != account {
		name = l.ARN.Account + "/" + name
	}
	return name
}

func newFunctionsShow(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "show FUNCTION [SNAPSHOT]",
		Short: "say what is known of one function and of its versions",
		Example: "  lamina functions show checkout-api\n" +
			"  lamina functions show arn:aws:lambda:eu-west-1:111122223333:function:checkout-api snapshot.lamina -f json",
		Long: "FUNCTION is an ARN or a name. Of a name that several accounts or regions have, give the ARN.",
		Args: args(1, 2, "FUNCTION"),
		RunE: func(_ *cobra.Command, args []string) error {
			file := ownSnapshot(args[1:])
			in, err := a.shownEstate(file)
			if err != nil {
				return err
			}
			f, err := pickFunction(in, args[0], file)
			if err != nil {
				return err
			}
			var versions []lamina.Function
			for _, v := range in.Estate.Snapshot.Functions {
				if v.Version != "$LATEST" && v.ARN == f.ARN+":"+v.Version {
					versions = append(versions, v)
				}
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return writeJSON(w, map[string]any{"function": f, "versions": append([]lamina.Function{}, versions...), "aws_says": saysOf(in, f, versions)})
				}
				return a.writeFunction(w, in, f, versions)
			})
		},
	}
	a.settingFlag(c, "publishers")
	return c
}

func pickFunction(in posture.Input, what, file string) (lamina.Function, error) {
	var found []lamina.Function
	var names, arns []string
	for _, f := range in.Estate.Snapshot.Functions {
		names = append(names, f.Name)
		if f.ARN == what || f.Name == what && f.Version == "$LATEST" {
			found, arns = append(found, f), append(arns, f.ARN)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		hint := "lamina functions ls lists them"
		if exists(what) {
			hint = "it is a file: the function comes first, as lamina functions ls lists it"
		} else if g := nearest(what, names); g != "" {
			hint = "did you mean " + g + "?"
		}
		return lamina.Function{}, usagef(hint, "no function %q in %s", what, file)
	}
	return lamina.Function{}, usagef("give one of: "+shorten(arns), "%s are called %q in %s", count(len(found), "function"), what, file)
}

func (a *app) writeFunction(w io.Writer, in posture.Input, f lamina.Function, versions []lamina.Function) error {
	var b strings.Builder
	field := a.fields(&b)
	b.WriteString(safe.Line(f.ARN, 0) + "\n")
	field("version", f.Version+aliasesOf(in.Estate, f))
	field("runtime", cmp.Or(f.Runtime, f.PackageType))
	field("architectures", strings.Join(f.Architectures, " "))
	field("handler", f.Handler)
	field("role", f.Role)
	if !f.LastModified.IsZero() {
		field("modified", f.LastModified.UTC().Format("2006-01-02 15:04 UTC"))
	}
	if len(f.Layers) == 0 {
		field("layers", "none")
	}
	for i, arn := range f.Layers {
		state := owner(in, arn)
		if _, ok := in.Estate.Layer(arn); !ok {
			state += "; deleted, or may not be read"
		}
		field(fmt.Sprintf("layer %d", i+1), arn+" ("+state+")")
	}
	var env []string
	for name, value := range f.Environment {
		if value != "" {
			name += "=" + value
		}
		env = append(env, name)
	}
	slices.Sort(env)
	field("variables", strings.Join(env, " "))
	field("code signing", f.CodeSigningConfigARN)
	for _, u := range f.URLs {
		field("url", strings.TrimSpace(u.Qualifier+" "+u.AuthType))
	}
	for _, m := range f.EventSources {
		field("event source", strings.TrimSpace(m.SourceARN+" "+m.State))
	}
	for _, p := range f.Policies {
		field("policy", "of "+cmp.Or(p.Qualifier, "the function"))
	}
	field("in a VPC", strings.Join(f.Subnets, " "))
	for _, v := range versions {
		var layers []string
		for _, arn := range v.Layers {
			layers = append(layers, layerName(arn, v.Account))
		}
		field("version "+v.Version, cmp.Or(strings.Join(layers, " "), "no layers")+aliasesOf(in.Estate, v))
	}
	s := saysOf(in, f, versions)
	if len(f.Layers) > 0 || len(s.Findings) > 0 || slices.ContainsFunc(versions, func(v lamina.Function) bool { return len(v.Layers) > 0 }) {
		writeSays(field, s, false)
	} else {
		field("findings", "of functions without layers none are kept")
	}
	writeRecorded(field, s)
	writeUnused(field, s)
	fmt.Fprintf(&b, "\n%s\n", coverageLine(in.Estate.Snapshot))
	_, err := io.WriteString(w, b.String())
	return err
}
