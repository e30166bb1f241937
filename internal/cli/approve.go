package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/approval"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/safe"
)

// ownApprovals is where approvals are written down when nothing else is said.
const ownApprovals = "approvals.toml"

func newApprove(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "approve",
		Short: "which layers of others may be loaded, and which sharing is meant",
		Example: "  lamina approve layer arn:aws:lambda:*:464622532012:layer:Datadog-Extension:65 \\\n" +
			"    --reason 'tracing' --owner platform@corp.example\n" +
			"  lamina approve share arn:aws:lambda:eu-west-1:111122223333:layer:sdk:3 --to 444455556666 \\\n" +
			"    --reason 'contract of May' --owner partners@corp.example --expires 180d\n" +
			"  lamina approve ls\n" +
			"  lamina approve lint --from snapshot.lamina    # what has ended, is too broad, or of no use",
		Long: "Approvals stand in " + ownApprovals + ", to be reviewed like code; lamina posture and lamina gate\n" +
			"read it. What is approved passes, and the finding says by whom. Each has a reason, an owner\n" +
			"and an end, at most 365 days ahead: then what it approved is a finding again.",
	}
	group(c)
	c.AddCommand(newApproveLayer(a), newApproveShare(a), newApproveLs(a), newApproveLint(a), newApproveRules(a), newApproveSchema(a))
	return c
}

// An approveAdd is what approve layer and approve share were asked for.
type approveAdd struct {
	id, to, digest, reason, owner, expires, file string
	scope                                        []string
}

func (f *approveAdd) flags(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.digest, "digest", "", "only with the content of this `SHA256` of the zip, sha256:…")
	fl.StringVar(&f.reason, "reason", "", "`WHY` it is needed; required")
	fl.StringVar(&f.owner, "owner", "", "`WHO` decided it; required")
	fl.StringVar(&f.expires, "expires", "", "the last day it holds: `DATE` or 30d (default 90d, at most 365d)")
	fl.StringVar(&f.id, "id", "", "its `NAME` in the file; else one is made of the layer's")
	approvalFile(c, &f.file)
}

// approvalFile is the flag of the commands that read one file or change it.
func approvalFile(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "approvals", ownApprovals, "the `FILE` of approvals")
}

func newApproveLayer(a *app) *cobra.Command {
	var f approveAdd
	c := &cobra.Command{
		Use:   "layer ARN",
		Short: "approve that our functions load a layer version of others",
		Example: "  lamina approve layer arn:aws:lambda:*:464622532012:layer:Datadog-Extension:65 \\\n" +
			"    --reason 'tracing' --owner platform@corp.example\n" +
			"  lamina approve layer 'arn:aws:lambda:*:464622532012:layer:Datadog-Extension:*' --digest sha256:… \\\n" +
			"    --scope ou-acme-prod --reason 'tracing' --owner platform@corp.example",
		Long: "ARN is of a layer version; a * stands for any characters, but not in the account. Without\n" +
			"--scope every function of ours may load it.",
		Args: args(1, 1, "ARN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.approve(cmd, approval.Item{Kind: approval.Layer, Layer: args[0], Scope: f.scope}, f)
		},
	}
	f.flags(c)
	c.Flags().StringArrayVar(&f.scope, "scope", nil, "only in an account, an ou-…, or functions by ARN: `WHERE`; may be repeated")
	return c
}

func newApproveShare(a *app) *cobra.Command {
	var f approveAdd
	c := &cobra.Command{
		Use:   "share ARN --to WHOM",
		Short: "approve that a layer version of ours is granted to others",
		Example: "  lamina approve share arn:aws:lambda:eu-west-1:111122223333:layer:sdk:3 --to 444455556666 \\\n" +
			"    --reason 'contract of May' --owner partners@corp.example\n" +
			"  lamina approve share arn:aws:lambda:*:111122223333:layer:public-sdk:7 --to everyone \\\n" +
			"    --reason 'open source' --owner oss@corp.example",
		Long: "WHOM is an account id, the id of an organisation (o-…), or everyone.",
		Args: args(1, 1, "ARN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.approve(cmd, approval.Item{Kind: approval.Share, Layer: args[0], To: f.to}, f)
		},
	}
	c.Flags().StringVar(&f.to, "to", "", "who it is for: `WHOM`; required")
	f.flags(c)
	return c
}

func (a *app) approve(cmd *cobra.Command, x approval.Item, f approveAdd) error {
	required := []struct{ flag, value, hint string }{
		{"reason", f.reason, "say what it is for: --reason 'tracing'"},
		{"owner", f.owner, "say whose decision it is: --owner platform@corp.example"},
	}
	if x.Kind == approval.Share {
		required = append(required, struct{ flag, value, hint string }{"to", f.to, "say who it is for: --to 444455556666, o-…, or everyone"})
	}
	if !strings.HasPrefix(x.Layer, "arn:") && !strings.HasPrefix(x.Layer, "*") {
		return usagef("give its ARN, or a pattern of ARNs: lamina layers ls -f csv lists them", "%q is no ARN of a layer", x.Layer)
	}
	for _, r := range required {
		if strings.TrimSpace(r.value) == "" {
			return usagef(r.hint, "--%s is missing", r.flag)
		}
	}
	var err error
	if x.Expires, err = a.until(f.expires); err != nil {
		return err
	}
	x.Reason, x.Owner, x.Digest = strings.TrimSpace(f.reason), strings.TrimSpace(f.owner), strings.TrimPrefix(f.digest, "sha256:")
	if x.ID = f.id; x.ID == "" {
		x.ID = approvalID(x)
	}
	err = a.editFile(cmd.Context(), f.file, func(data []byte) ([]byte, error) {
		out, err := approval.Append(f.file, data, x, a.std.Now())
		if err != nil {
			return nil, tomlError(err, "lamina approve schema says what an approval may hold")
		}
		return out, nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.std.Out, "%s: %s until %s\n", safe.Line(f.file, 0), x.ID, x.Expires.Format(time.DateOnly))
	return nil
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// approvalID makes an id of what is approved.
func approvalID(x approval.Item) string {
	p := strings.Split(x.Layer, ":")
	id := p[len(p)-1]
	if len(p) == 8 {
		id = p[6] + "-" + p[7]
	}
	if x.To != "" {
		id += "-" + x.To
	}
	if x.Digest != "" {
		id += "-" + x.Digest[:min(8, len(x.Digest))]
	}
	id = strings.Trim(notInID.ReplaceAllString(id, "-"), "-")
	return id[:min(100, len(id))]
}

// approvalFiles are the files of the settings, or approvals.toml of the working
// folder if it is there and in no target.
func (a *app) approvalFiles(targets ...string) []string {
	files := a.conf.list("approvals")
	if len(files) > 0 || !exists(a.path(ownApprovals)) {
		return files
	}
	if slices.ContainsFunc(targets, func(t string) bool { return within(a.path(ownApprovals), a.path(t)) }) {
		a.note("warning: %s is not used: it lies inside what is examined", ownApprovals)
		return nil
	}
	return []string{ownApprovals}
}

func (a *app) readApprovals(files []string, targets ...string) (*approval.Set, error) {
	set := &approval.Set{Now: a.std.Now()}
	var errs []error
	for _, name := range files {
		data, err := a.readOwn(name, targets)
		if err != nil {
			return nil, err
		}
		f, err := approval.Parse(name, data, set.Now)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		set.Items = append(set.Items, f.Items...)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, tomlError(err, "lamina approve schema says what an approval may hold")
	}
	return set, nil
}

// readApprovalFile reads the file of a command about one file.
func (a *app) readApprovalFile(file string) (*approval.Set, error) {
	if file == ownApprovals && !exists(a.path(file)) {
		return nil, usagef("lamina approve layer and approve share write it; --approvals names another", "no such file: %s", file)
	}
	return a.readApprovals([]string{file})
}

func newApproveLs(a *app) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "ls",
		Short:   "list the approvals, those that end first on top",
		Example: "  lamina approve ls\n  lamina approve ls -f json",
		Args:    args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			set, err := a.readApprovalFile(file)
			if err != nil {
				return err
			}
			return a.document([]string{"text", "json", "csv"}, func(format string, w io.Writer) error {
				return a.writeApprovals(format, w, set.Items)
			})
		},
	}
	approvalFile(c, &file)
	return c
}

// An approvalRow is an approval in ls.
type approvalRow struct {
	approval.Item
	Expires string `json:"expires"`
	State   string `json:"state"`
	Days    int    `json:"days"`
}

func (a *app) writeApprovals(format string, w io.Writer, items []approval.Item) error {
	slices.SortStableFunc(items, func(x, y approval.Item) int { return x.Expires.Compare(y.Expires) })
	rows := make([]approvalRow, len(items))
	var cells [][]string
	for i, x := range items {
		n := int(x.Expires.Sub(exception.Day(a.std.Now())) / (24 * time.Hour))
		rows[i] = approvalRow{x, x.Expires.Format(time.DateOnly), lasting(n), n}
		what := x.Layer
		if x.Digest != "" {
			what += " sha256:" + x.Digest[:12] + "…"
		}
		if x.To != "" {
			what += " to " + x.To
		}
		if len(x.Scope) > 0 {
			what += " in " + strings.Join(x.Scope, " ")
		}
		cells = append(cells, []string{x.ID, rows[i].Expires, rows[i].State, x.Owner, x.Kind + " " + what, x.Reason})
	}
	header := []string{"ID", "EXPIRES", "STATE", "OWNER", "APPROVES", "REASON"}
	switch {
	case format == "json":
		return writeJSON(w, map[string]any{"approvals": rows})
	case format == "csv":
		return writeCSV(w, header, cells)
	case len(rows) == 0:
		_, err := io.WriteString(w, "no approvals\n")
		return err
	}
	return a.columns(w, header, cells)
}

func newApproveLint(a *app) *cobra.Command {
	var file, from string
	var strict bool
	c := &cobra.Command{
		Use:   "lint",
		Short: "find approvals that are wrong, ended, too broad or unused",
		Example: "  lamina approve lint\n" +
			"  lamina approve lint --from snapshot.lamina --strict   # unused ones too; warnings fail",
		Long: "A file that is wrong (no owner, no end, an unknown key) is exit code 2, with all that is\n" +
			"wrong. An approval that has ended is exit code 1. One for versions that do not exist yet,\n" +
			"or, with --from, for nothing that is there, is a warning; --strict makes it exit code 1.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error { return a.approveLint(file, from, strict) },
	}
	c.Flags().StringVar(&from, "from", "", "a snapshot, `FILE` of lamina collect: tells which approvals are of use")
	c.Flags().BoolVar(&strict, "strict", false, "warnings fail too")
	approvalFile(c, &file)
	return c
}

func (a *app) approveLint(file, from string, strict bool) error {
	set, err := a.readApprovalFile(file)
	if err != nil {
		return err
	}
	var about map[string]bool
	if from != "" {
		in, err := a.openEstate(from)
		if err != nil {
			return err
		}
		in.Approvals = set
		about = in.Approved()
	}
	var problems []lintProblem
	for _, p := range approval.Lint(set.Items, about, set.Now) {
		problems = append(problems, lintProblem(p))
	}
	return a.lintReport(len(set.Items), "approval", "ended", problems, strict)
}

func newApproveRules(a *app) *cobra.Command {
	var file, list string
	c := &cobra.Command{
		Use:   "rules",
		Short: "print approved sharing as exceptions of a detection rule",
		Example: "  lamina approve rules -o rule-exceptions.ndjson\n" +
			"  lamina detect trail/ --exceptions rule-exceptions.ndjson",
		Long: "One line for each approved share that is in force, as lamina detect --exceptions and Kibana\n" +
			"take them; each ends when the approval does. An approved layer makes none: a call that\n" +
			"attaches it may attach another one too, and one bound to a digest neither: logs do not\n" +
			"hold the content.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			set, err := a.readApprovalFile(file)
			if err != nil {
				return err
			}
			return a.document([]string{"ndjson"}, func(_ string, w io.Writer) error {
				for _, x := range set.Rules(list) {
					line, err := json.Marshal(x)
					if err != nil {
						return err
					}
					if _, err := w.Write(append(safe.JSON(bytes.TrimSpace(line)), '\n')); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&list, "list", layerSharedRule, "the `ID` of the exception list; that of a rule of ours is the rule's")
	approvalFile(c, &file)
	return c
}

// layerSharedRule is the rule_id of rules/layer-shared.toml.
const layerSharedRule = "606060f4-16a9-4961-98d6-9ab95df4e11b"

func newApproveSchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "print the JSON Schema of approvals.toml",
		Example: "  lamina approve schema -o approvals.schema.json",
		Args:    args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			return a.document([]string{"json"}, func(_ string, w io.Writer) error {
				return writeJSON(w, approval.Schema())
			})
		},
	}
}
