package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/safe"
)

func newPrincipals(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "principals",
		Short: "the users and roles of a snapshot: who may do what to layers, and why",
		Example: "  lamina principals who-can GetLayerVersion acme-auth:7\n" +
			"  lamina principals who-can UpdateFunctionConfiguration acme-auth:7 --function billing\n" +
			"  lamina principals matrix",
	}
	group(c)
	c.AddCommand(newWhoCan(a), newMatrix(a))
	return c
}

func newWhoCan(a *app) *cobra.Command {
	var function, principal string
	c := &cobra.Command{
		Use:   "who-can ACTION LAYER [SNAPSHOT]",
		Short: "say who may make a call about a layer, and which statements decide",
		Example: "  lamina principals who-can GetLayerVersion acme-auth:7\n" +
			"  lamina principals who-can PublishLayerVersion acme-auth\n" +
			"  lamina principals who-can UpdateFunctionConfiguration acme-auth:7 --function billing\n" +
			"  lamina principals who-can DeleteLayerVersion acme-auth:7 --principal 'role/ci-*' -f json",
		Long: "Four answers: yes; only if, with the condition; unknown, where a policy was not read;\n" +
			"no. Every policy that bears on a user or role is evaluated: identity, group, boundary,\n" +
			"service control, and the layer's or function's own. For calls on functions LAYER is what\n" +
			"is attached, and --function what to, else any function of the layer's account.\n" +
			"Those who may not are counted; --principal shows them, and what stops them. SNAPSHOT is\n" +
			snapshotFile + " of this folder if it is left out.",
		Args: args(2, 3, "ACTION LAYER"),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.whoCan(args[0], args[1], ownSnapshot(args[2:]), function, principal)
		},
	}
	c.Flags().StringVar(&function, "function", "", "the function that the call is made on: its `NAME` or ARN")
	c.Flags().StringVar(&principal, "principal", "", "only users and roles whose ARN ends in `PATTERN` (role/ci-*)")
	return c
}

func (a *app) whoCan(action, layer, file, function, principal string) error {
	actions := access.Actions()
	i := slices.IndexFunc(actions, func(x string) bool {
		return strings.EqualFold(x, action) || strings.EqualFold(strings.TrimPrefix(x, "lambda:"), action)
	})
	if i < 0 {
		hint := "use one of: " + strings.ReplaceAll(strings.Join(actions, ", "), "lambda:", "")
		if g := nearest(strings.TrimPrefix(action, "lambda:"), strings.Split(strings.ReplaceAll(strings.Join(actions, " "), "lambda:", ""), " ")); g != "" {
			hint = "did you mean " + g + "?"
		}
		return usagef(hint, "%q is no call about layers", action)
	}
	if function != "" && !access.OnFunction(actions[i]) {
		return usagef("leave --function out", "%s is not a call on a function", actions[i])
	}
	in, err := a.keptEstate(file)
	if err != nil {
		return err
	}
	q := access.Question{Action: actions[i]}
	if q.Layer, err = lamina.ParseLayerARN(layer); err != nil || q.Layer.Version == 0 {
		r, err := pickLayer(in, layer, file)
		if err != nil {
			return err
		}
		if q.Layer, err = lamina.ParseLayerARN(r.ARN); err != nil {
			return err
		}
	}
	if function != "" {
		f, err := pickFunction(in, function, file)
		if err != nil {
			return err
		}
		q.Function = &f
	}
	all := access.WhoCan(in.Estate, q)
	counts := map[access.Verdict]int{}
	var shown []access.Standing
	for _, s := range all {
		if principal != "" && !exception.Glob("*"+principal, s.Principal, false) {
			continue
		}
		counts[s.Verdict]++
		if s.Verdict != access.No || principal != "" {
			shown = append(shown, s)
		}
	}
	outside := grantedOutside(in, q)
	why := unreadPrincipals(in.Estate)
	if n := counts[access.NotKnown]; n > 0 {
		why = append(why, count(n, "answer")+" unknown")
	}
	err = a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			out := map[string]any{
				"action": q.Action, "layer": q.Layer.String(), "principals": append([]access.Standing{}, shown...), "outside": outside, "counts": counts,
				"taken": in.Estate.Snapshot.Taken, "complete": len(why) == 0, "incomplete": why,
			}
			if q.Function != nil {
				out["function"] = q.Function.ARN
			}
			return writeCleanJSON(w, out)
		}
		return a.writeWhoCan(w, in.Estate, q, shown, counts, outside)
	})
	if err != nil {
		return err
	}
	return a.incomplete(why)
}

// An outsideGrant is a statement of the layer's policy that lets others read it.
type outsideGrant struct {
	StatementID string            `json:"statement_id"`
	Principal   string            `json:"principal"`
	Scope       lamina.GrantScope `json:"scope"`
}

// grantedOutside are the grants of the layer version to anybody but accounts of
// ours, where the question is who may read it.
func grantedOutside(in posture.Input, q access.Question) []outsideGrant {
	out := []outsideGrant{}
	v, ok := in.Estate.Layer(q.Layer.String())
	if !ok || v.Policy == nil || q.Action != "lambda:GetLayerVersion" {
		return out
	}
	for _, g := range v.Policy.Grants {
		scope := in.Estate.Org.Scope(g, v.Account)
		if scope == lamina.ScopeOwnAccount || scope == lamina.ScopeOwnOrganization || scope == lamina.ScopeOrganizationAccount {
			continue
		}
		who := g.Principal
		if g.OrganizationID != "" {
			who = g.OrganizationID
		}
		out = append(out, outsideGrant{g.StatementID, who, scope})
	}
	return out
}

// unreadPrincipals says of which accounts not every user and role is known.
func unreadPrincipals(e *estate.Estate) []string {
	var why []string
	for _, m := range e.Unread("iam:GetAccountAuthorizationDetails") {
		why = append(why, m.Why()+" in "+m.Account)
	}
	return why
}

func (a *app) writeWhoCan(w io.Writer, e *estate.Estate, q access.Question, shown []access.Standing, counts map[access.Verdict]int, outside []outsideGrant) error {
	var b strings.Builder
	line := func(indent int, text string) {
		for _, part := range a.fold(indent, safe.Line(content.Clean(text), 0)) {
			b.WriteString(strings.Repeat(" ", indent) + part + "\n")
		}
	}
	line(0, q.Action+" on "+q.Layer.String())
	if q.Function != nil {
		line(2, "of "+q.Function.ARN)
	} else if access.OnFunction(q.Action) {
		line(2, "of any function of account "+q.Layer.ARN.Account)
	}
	for _, g := range outside {
		b.WriteString("\n")
		line(0, fmt.Sprintf("outside %s (%s)", g.Principal, g.Scope))
		line(6, "statement "+g.StatementID+" of the layer's policy: not observable who of them does")
	}
	for _, verdict := range access.Verdicts {
		last := ""
		for _, s := range shown {
			if s.Verdict != verdict {
				continue
			}
			b.WriteString("\n")
			line(0, strings.TrimSuffix(fmt.Sprintf("%s %s (%s)", s.Verdict, s.Principal, s.Kind), " ("+string(access.Other)+")"))
			reason := whyOf(s)
			if text := strings.Join(reason, "\n"); text == last {
				line(6, "as above")
			} else {
				for _, r := range reason {
					line(6, r)
				}
				last = text
			}
		}
	}
	var counted []string
	for _, v := range access.Verdicts {
		counted = append(counted, fmt.Sprintf("%s %d", v, counts[v]))
	}
	fmt.Fprintf(&b, "\ncounted   %s\n%s\n", strings.Join(counted, " · "), coverageLine(e.Snapshot))
	_, err := io.WriteString(w, b.String())
	return err
}

// whyOf is what decides the answer, a line a reason.
func whyOf(s access.Standing) []string {
	var out []string
	if s.Condition != "" {
		out = append(out, s.Condition)
	}
	word := map[access.Verdict]string{access.Yes: "by ", access.OnlyIf: "by ", access.NotKnown: "hangs on ", access.No: "denied by "}[s.Verdict]
	for _, st := range s.Statements {
		out = append(out, word+st)
	}
	for _, m := range s.Missing {
		out = append(out, "no "+m+" allows it")
	}
	return out
}

func newMatrix(a *app) *cobra.Command {
	var accounts []string
	var function, layer string
	c := &cobra.Command{
		Use:   "matrix [SNAPSHOT]",
		Short: "say who may attach what where: each function by each layer",
		Example: "  lamina principals matrix\n" +
			"  lamina principals matrix --account 111122223333 --function 'billing-*'\n" +
			"  lamina principals matrix snapshot.lamina --layer 'acme-*' -f json",
		Long: "Functions with the same answers are one entry, and so are layers. A layer is the newest\n" +
			"version of each that the function's account owns or is granted, one of others that its\n" +
			"functions load, and any other account's. Whoever is not named may not attach it. Code\n" +
			"signing is not asked here: layer-attach-path (PTH-01) does that. SNAPSHOT is\n" +
			snapshotFile + " of this folder if it is left out.",
		Args: args(0, 1, "SNAPSHOT"),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, id := range accounts {
				if err := validAccount(id); err != nil {
					return usagef("twelve digits, as in 111122223333", "--account %q: %s", id, err)
				}
			}
			file := ownSnapshot(args)
			in, err := a.keptEstate(file)
			if err != nil {
				return err
			}
			rows := in.Access().Matrix(func(f lamina.Function) bool {
				return (len(accounts) == 0 || slices.Contains(accounts, f.Account)) && (function == "" || exception.Glob(function, f.Name, false))
			}, func(arn string) bool {
				l, err := lamina.ParseLayerARN(arn)
				return layer == "" || err == nil && exception.Glob(layer, l.Name, false)
			})
			return a.writeMatrix(in.Estate, rows)
		},
	}
	c.Flags().StringArrayVar(&accounts, "account", nil, "only functions of account `ID`; may be given several times")
	c.Flags().StringVar(&function, "function", "", "only functions whose name matches `PATTERN` (billing-*)")
	c.Flags().StringVar(&layer, "layer", "", "only layers whose name matches `PATTERN` (acme-*)")
	return c
}

func (a *app) writeMatrix(e *estate.Estate, rows []access.Row) error {
	why := unreadPrincipals(e)
	for _, m := range e.Unread("lambda:ListFunctions", "lambda:ListLayers", "lambda:ListLayerVersions") {
		why = append(why, m.Why()+" in "+strings.TrimSpace(m.Account+" "+m.Region))
	}
	functions, open := 0, 0
	for _, r := range rows {
		functions += len(r.Functions)
		for _, c := range r.Cells {
			open += len(c.Unknown)
		}
	}
	if open > 0 {
		why = append(why, count(open, "answer")+" unknown")
	}
	err := a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
		if format == "json" {
			return writeCleanJSON(w, map[string]any{"rows": append([]access.Row{}, rows...), "taken": e.Snapshot.Taken, "complete": len(why) == 0, "incomplete": why})
		}
		var b strings.Builder
		line := func(indent int, text string) {
			for _, part := range a.fold(indent, safe.Line(content.Clean(text), 0)) {
				b.WriteString(strings.Repeat(" ", indent) + part + "\n")
			}
		}
		for _, r := range rows {
			line(0, fmt.Sprintf("%s %s  %s: %s", r.Account, r.Region, count(len(r.Functions), "function"), few(r.Functions)))
			for _, c := range r.Cells {
				line(2, few(c.Layers))
				for _, x := range []struct {
					word access.Verdict
					who  []string
				}{{access.Yes, c.Yes}, {access.OnlyIf, c.OnlyIf}, {access.NotKnown, c.Unknown}} {
					if len(x.who) > 0 {
						line(6, fmt.Sprintf("%s: %s", x.word, few(x.who)))
					}
				}
				if len(c.Yes)+len(c.OnlyIf)+len(c.Unknown) == 0 {
					line(6, "nobody")
				}
			}
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "counted   functions %d · groups %d\n%s\n", functions, len(rows), coverageLine(e.Snapshot))
		_, err := io.WriteString(w, b.String())
		return err
	})
	if err != nil {
		return err
	}
	return a.incomplete(why)
}

// few names the first of the things with these ARNs, and counts the rest.
func few(arns []string) string {
	const shown = 4
	var names []string
	for _, arn := range arns[:min(len(arns), shown)] {
		if a, err := lamina.ParseARN(arn); err == nil {
			name := a.Resource
			if l, err := lamina.ParseLayerARN(arn); err == nil {
				name = fmt.Sprintf("%s:%d of %s", l.Name, l.Version, l.ARN.Account)
			}
			arn = strings.TrimPrefix(name, "function:")
		}
		names = append(names, arn)
	}
	if n := len(arns) - shown; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}
