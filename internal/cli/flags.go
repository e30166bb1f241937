package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// globals are the flags that are no settings: they say how to run, not what to
// find. The others are rows of the table in settings.go.
type globals struct {
	output          string
	configFile      string
	quiet           bool
	verbose         bool
	noColor         bool
	noProgress      bool
	ci              bool
	json            bool
	allowIncomplete string
	all             bool
	width           int
}

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.SortFlags = false
	g := &a.flags
	addSetting(root, f, "format", "f")
	f.StringVarP(&g.output, "output", "o", "", "write the result to `FILE` instead of standard output")
	f.BoolVar(&g.json, "json", false, "the same as -f json")
	addSetting(root, f, "severity", "")
	addSetting(root, f, "fail_on", "")
	f.StringVar(&g.allowIncomplete, "allow-incomplete", "", "exit 0 instead of 3 when something could not be examined; `REASON` is recorded")
	f.StringVar(&g.configFile, "config", "", "read settings from `FILE` instead of ./lamina.toml and the user's")
	addSetting(root, f, "color", "")
	f.BoolVar(&g.noColor, "no-color", false, "the same as --color never")
	f.IntVar(&g.width, "width", 0, "make text `N` columns wide; 0 means as the terminal is, or COLUMNS says")
	f.BoolVar(&g.noProgress, "no-progress", false, "show no progress on standard error")
	f.BoolVar(&g.ci, "ci", false, "for pipelines: no colour, no progress; on GitHub also annotations and a step summary")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "print results and errors only")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "print more: passed checks, every skipped record")
	addSetting(root, f, "offline", "")
	addSetting(root, f, "timeout", "")
	addSetting(root, f, "jobs", "")
	f.BoolVar(&g.all, "all", false, "with --help: show the global flags too")
	f.Lookup("all").Hidden = true
	f.BoolP("help", "h", false, "show help")
	f.Lookup("help").Hidden = true
}

// withoutFiles is the annotation of commands that read no file of settings.
const withoutFiles = "without-files"

// prepare runs before every command: it resolves the settings, and starts the
// clock of --timeout.
func (a *app) prepare(cmd *cobra.Command) error {
	if n := a.flags.width; n < 0 {
		return usagef("0 means as the terminal is", "--width %d: want a number of columns", n)
	}
	conf, err := a.resolve(cmd.Flags(), cmd.Annotations[withoutFiles] == "")
	if err != nil {
		return err
	}
	a.conf = conf
	if d, err := time.ParseDuration(conf.text("timeout")); err == nil && d > 0 {
		ctx, cancel := context.WithTimeout(cmd.Context(), d)
		cmd.SetContext(ctx)
		a.cancel = cancel
	}
	return nil
}

// A setting's flag: text until it is resolved, so that a wrong value from a flag,
// the environment or a file is reported by the same code.
type settingValue struct {
	s      *setting
	values []string
}

// String is the default in the help text; settings print theirs themselves.
func (v *settingValue) String() string { return strings.Join(v.values, ",") }

func (v *settingValue) Type() string { return v.s.kind.String() }

func (v *settingValue) Set(text string) error {
	if err := v.s.check(text); err != nil {
		return err
	}
	if v.s.kind.many() {
		v.values = append(v.values, text)
	} else {
		v.values = []string{text}
	}
	return nil
}

// settingFlag gives c the flags of settings of the table in settings.go.
func (a *app) settingFlag(c *cobra.Command, keys ...string) {
	for _, key := range keys {
		addSetting(c, c.Flags(), key, "")
	}
}

// addSetting adds the flag of a setting to f, which is one of c's flag sets, and
// completes its values.
func addSetting(c *cobra.Command, f *pflag.FlagSet, key, short string) {
	s := settingByKey(key)
	flag := f.VarPF(&settingValue{s: s}, s.flag, short, s.usage())
	if s.kind == kindBool {
		flag.NoOptDefVal = "true"
	}
	if s.allowed == nil {
		return
	}
	values := s.allowed()
	err := c.RegisterFlagCompletionFunc(s.flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // two flags of one name: a bug in the command
	}
}

// colored reports whether to paint what goes to standard output: what --color
// says, or else what the environment says
// (https://no-color.org, https://bixense.com/clicolors/), or else whether it is
// a terminal.
func (a *app) colored() bool {
	env := a.std.Env
	on := func(name string) bool { v := env(name); return v != "" && v != "0" && v != "false" }
	switch {
	case a.flags.noColor || a.flags.ci || a.conf.text("color") == "never":
		return false
	case a.conf.text("color") == "always":
		return true
	case env("NO_COLOR") != "":
		return false
	case on("CLICOLOR_FORCE") || on("FORCE_COLOR"):
		return true
	case env("TERM") == "dumb" || env("CLICOLOR") == "0" || env("CI") != "":
		return false
	}
	return a.std.OutTTY
}
