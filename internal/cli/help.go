package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newHelp is `lamina help [COMMAND]`.
func newHelp(_ *app) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			c := cmd.Root()
			for _, name := range args {
				var next *cobra.Command
				for _, s := range c.Commands() {
					if s.Name() == name || s.HasAlias(name) {
						next = s
					}
				}
				if next == nil {
					return unknownCommand(c, name)
				}
				c = next
			}
			return c.Help()
		},
	}
}

// help prints a command's help: examples first, at most 40 lines without --all.
func (a *app) help(cmd *cobra.Command) {
	out := a.std.Out
	fmt.Fprintf(out, "%s: %s\n", cmd.CommandPath(), cmd.Short)
	if cmd.Example != "" {
		fmt.Fprintf(out, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	fmt.Fprintf(out, "\nUsage:\n  %s\n", useLine(cmd))
	if cmd.Long != "" {
		fmt.Fprintf(out, "\n%s\n", strings.TrimSpace(cmd.Long))
	}
	for _, g := range commands {
		if cmd.HasParent() {
			break // only the root's commands are in groups
		}
		if g.brief && !a.flags.all {
			a.helpNames(cmd, g.title, g.id)
		} else {
			a.helpCommands(cmd, g.title, g.id)
		}
	}
	a.helpCommands(cmd, "Commands:", "")
	shown, named := ownFlags(cmd, a.flags.all)
	if shown.HasAvailableFlags() {
		fmt.Fprintf(out, "\nFlags:\n%s", flagUsages(shown))
	}
	for line := "  also"; len(named) > 0; named = named[1:] {
		line += " " + named[0]
		if len(named) == 1 || len(line)+len(named[1]) > 98 {
			fmt.Fprintln(out, line)
			line = "      "
		}
	}
	if a.flags.all {
		fmt.Fprintf(out, "\nGlobal flags:\n%s", flagUsages(cmd.Root().PersistentFlags()))
		return
	}
	fmt.Fprint(out, "\nGlobal flags: "+globalSummary+"\n"+exitSummary)
}

const globalSummary = `-f FMT[=FILE] -o FILE --severity --fail-on -q -v …; all of them: --help --all`

const exitSummary = "Exit codes: 0 clean and complete, 1 findings (--fail-on), 2 usage or config error,\n" +
	"  3 incomplete, 4 could not run, 5 refused for safety, 130 interrupted\n"

func (a *app) helpCommands(cmd *cobra.Command, title, id string) {
	first := true
	for _, c := range cmd.Commands() {
		if c.GroupID != id || !c.IsAvailableCommand() {
			continue
		}
		if first {
			fmt.Fprintf(a.std.Out, "\n%s\n", title)
			first = false
		}
		fmt.Fprintf(a.std.Out, "  %-12s %s\n", c.Name(), c.Short)
	}
}

// helpNames lists commands by name alone.
func (a *app) helpNames(cmd *cobra.Command, title, id string) {
	var names []string
	for _, c := range cmd.Commands() {
		if c.GroupID == id && c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	fmt.Fprintf(a.std.Out, "\n%s (lamina help NAME):\n  %s\n", strings.TrimSuffix(title, ":"), strings.Join(names, "  "))
}

// useLine is the usage without cobra's "[flags]" where there are none.
func useLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && !strings.Contains(cmd.Use, " ") {
		return cmd.CommandPath() + " COMMAND"
	}
	line := cmd.CommandPath()
	if _, rest, ok := strings.Cut(cmd.Use, " "); ok {
		line += " " + rest
	}
	return line
}

// briefFlag is the annotation of flags that the help names and no more, but for
// --help --all.
const briefFlag = "lamina-brief"

// nameOnly makes the help of c only name the flags.
func nameOnly(c *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := c.Flags().SetAnnotation(name, briefFlag, nil); err != nil {
			panic(err) // no such flag: a bug in the command
		}
	}
}

// ownFlags are the flags a command does not share with all others; of those that
// are brief the names, unless all are asked for.
func ownFlags(cmd *cobra.Command, all bool) (f *pflag.FlagSet, named []string) {
	f = pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)
	f.SortFlags = false
	if cmd.HasParent() {
		cmd.NonInheritedFlags().VisitAll(func(flag *pflag.Flag) {
			_, isBrief := flag.Annotations[briefFlag]
			switch {
			case flag.Name == "help":
			case isBrief && !all:
				named = append(named, "--"+flag.Name)
			default:
				f.AddFlag(flag)
			}
		})
	}
	return f, named
}

// flagUsages lists flags as -f, --format FMT[=FILE]   what it does.
func flagUsages(f *pflag.FlagSet) string {
	var left, right []string
	wide := 0
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		name, usage := pflag.UnquoteUsage(flag)
		l := "      --" + flag.Name
		if flag.Shorthand != "" {
			l = "  -" + flag.Shorthand + ", --" + flag.Name
		}
		if flag.NoOptDefVal == "" && name != "" {
			l += " " + name
		}
		left, right = append(left, l), append(right, usage)
		wide = max(wide, len(l))
	})
	var b strings.Builder
	for i := range left {
		fmt.Fprintf(&b, "%-*s  %s\n", wide, left[i], right[i])
	}
	return b.String()
}
