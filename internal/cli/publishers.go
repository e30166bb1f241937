package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/safe"
)

func newPublishers(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "publishers",
		Short: "who publishes which layers, and where that is written",
		Example: "  lamina publishers ls\n" +
			"  lamina publishers check arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:80\n" +
			"  lamina publishers check 999999999999 --publishers known_aws_accounts.yaml",
		Long: "No AWS interface says who owns an account. The list that comes with lamina names the\n" +
			"publishers of public layers, with a dated source for each; --publishers adds yours, in\n" +
			"the same layout (ls --toml prints it) or in that of known_aws_accounts (.yaml).",
	}
	group(c)
	c.AddCommand(newPublishersLs(a), newPublishersCheck(a))
	return c
}

func newPublishersLs(a *app) *cobra.Command {
	var asTOML bool
	c := &cobra.Command{
		Use:   "ls",
		Short: "list the known publishers",
		Example: "  lamina publishers ls\n" +
			"  lamina publishers ls -f json             # with accounts by region and evidence\n" +
			"  lamina publishers ls --toml -o mine.toml # the list as a file to change",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			if asTOML {
				return a.document([]string{"text"}, func(_ string, w io.Writer) error {
					_, err := w.Write(publishers.BuiltinTOML())
					return err
				})
			}
			r, err := a.loadPublishers()
			if err != nil {
				return err
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return writeJSON(w, map[string]any{"publishers": r.All()})
				}
				return listPublishers(w, r)
			})
		},
	}
	a.settingFlag(c, "publishers")
	c.Flags().BoolVar(&asTOML, "toml", false, "print the list that comes with lamina as TOML, without that of --publishers")
	return c
}

func listPublishers(w io.Writer, r *publishers.Registry) error {
	var rows [][]string
	for _, p := range r.All() {
		accounts := slices.Clone(p.Accounts)
		accounts = append(accounts, slices.Collect(maps.Values(p.Regional))...)
		slices.Sort(accounts)
		accounts = slices.Compact(accounts)
		what := strings.Join(accounts, " ")
		if len(accounts) > 2 {
			what = fmt.Sprintf("%s … (%d)", accounts[0], len(accounts))
		}
		rows = append(rows, []string{p.ID, string(p.Kind), string(p.Status), what, strings.Join(p.Layers, " ")})
	}
	if err := columns(w, []string{"ID", "KIND", "STATUS", "ACCOUNTS", "LAYERS"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d publishers, %d accounts\n", r.Len(), r.Accounts())
	return err
}

func newPublishersCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check ARN|ACCOUNT...",
		Short: "say whose a layer or an account is, as far as the list knows",
		Example: "  lamina publishers check 464622532012\n" +
			"  lamina publishers check arn:aws:lambda:us-east-1:027255383542:layer:AWS-AppConfig-Extension:113 -f json",
		Long: "A name is judged, not content. An account in no list is unverified, which is no\n" +
			"reproach; a listed account with a name or in a region its owner is not known for is\n" +
			"unexpected, which is a reason to look.",
		Args: args(1, -1, "ARN|ACCOUNT"),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.loadPublishers()
			if err != nil {
				return err
			}
			var all []publisherVerdict
			for _, arg := range args {
				v, err := checkPublisher(r, arg)
				if err != nil {
					return err
				}
				all = append(all, v)
			}
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				if format == "json" {
					return writeJSON(w, map[string]any{"checked": all})
				}
				return printVerdicts(w, all)
			})
		},
	}
	a.settingFlag(c, "publishers")
	return c
}

// A publisherVerdict is what the list says of one argument.
type publisherVerdict struct {
	Query   string           `json:"query"`
	Account string           `json:"account"`
	Region  string           `json:"region,omitempty"`
	Layer   string           `json:"layer,omitempty"`
	Match   publishers.Match `json:"match"`
	// Publisher is nil when no entry names the account.
	Publisher *publishers.Publisher `json:"publisher,omitempty"`
}

func checkPublisher(r *publishers.Registry, arg string) (publisherVerdict, error) {
	if validAccount(arg) == nil {
		v := publisherVerdict{Query: arg, Account: arg, Match: publishers.Unverified}
		if p, ok := r.Account(arg); ok {
			v.Publisher, v.Match = &p, publishers.Listed
			if len(p.Layers) == 0 {
				v.Match = publishers.AccountOnly
			}
		}
		return v, nil
	}
	l, err := lamina.ParseLayerARN(arg)
	if err == nil && !l.Legacy && validAccount(l.ARN.Account) != nil {
		return publisherVerdict{}, usagef("an account id has 12 digits", "%q has no account: %q", arg, l.ARN.Account)
	}
	if err != nil {
		return publisherVerdict{}, usagef("give a layer ARN or an account id of 12 digits", "%q is neither a layer ARN nor an account", arg)
	}
	v := publisherVerdict{Query: arg, Account: l.ARN.Account, Region: l.ARN.Region, Layer: l.Name}
	if l.Legacy {
		v.Match = publishers.Listed
		v.Publisher = &publishers.Publisher{
			ID: "aws-legacy", Name: "AWS Lambda", Kind: publishers.AWS, Status: publishers.Active, Source: "the form of the ARN",
			Note: "Layers without an account in their ARN are AWS's own.",
		}
		return v, nil
	}
	p, m := r.Lookup(l.ARN.Account, l.ARN.Region, l.Name)
	v.Match = m
	if m != publishers.Unverified {
		v.Publisher = &p
	}
	return v, nil
}

// matchWords say a match in a sentence.
var matchWords = map[publishers.Match]string{
	publishers.Listed:           "listed",
	publishers.AccountOnly:      "a known vendor's account, of which no layers are listed",
	publishers.UnexpectedName:   "unexpected name: the account is listed, for other layers",
	publishers.UnexpectedRegion: "unexpected region: the account publishes this layer in other regions",
	publishers.Unverified:       "unverified: the account is in no list",
}

func printVerdicts(w io.Writer, all []publisherVerdict) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	text := func(s string) string { return safe.Line(s, 0) }
	for i, v := range all {
		if i > 0 {
			line("")
		}
		line("%s", text(v.Query))
		line("  %s", matchWords[v.Match])
		p := v.Publisher
		if p == nil {
			continue
		}
		line("  publisher   %s (%s, %s)", text(p.Name), p.Kind, p.Status)
		for _, f := range []struct{ name, value string }{
			{"use instead", p.SupersededBy},
			{"layers", strings.Join(p.Layers, " ")},
			{"license", p.License},
			{"newest", p.Feed},
			{"note", p.Note},
		} {
			if f.value != "" {
				line("  %-11s %s", f.name, text(f.value))
			}
		}
		for _, e := range p.Evidence {
			seen := ""
			if e.Seen != "" {
				seen = " (seen " + e.Seen + ")"
			}
			says := ""
			if e.Says != "" {
				says = ": " + e.Says
			}
			line("  evidence    %s%s%s", text(e.URL), seen, text(says))
		}
		if p.Source != "" && p.Source != "builtin" {
			line("  from        %s", text(p.Source))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
