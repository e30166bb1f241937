package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/gate"
	"github.com/lamina-sec/lamina/internal/report"
)

func newRender(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "render FILE",
		Short: "write a saved json result in another format",
		Example: "  lamina render results.json                   # as text\n" +
			"  lamina render results.json -f sarif=out.sarif -f markdown\n" +
			"  cat results.json | lamina render - -f ndjson",
		Long: "Nothing is examined again: --severity and --fail-on are applied to what was saved,\n" +
			"and a result that was incomplete stays so. FILE is what -f json wrote, - is standard\n" +
			"input. This version reads results of its own and the two message versions before.",
		Args: args(1, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.render(cmd, args[0]) },
	}
}

func (a *app) render(cmd *cobra.Command, name string) (err error) {
	in := a.std.In
	if name != "-" {
		a.again = a.explainArgs(name)
		f, err := openInput(a.path(name))
		if err != nil {
			return a.missing(name, err)
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	if err := a.keepInputs([]string{name}); err != nil {
		return err
	}
	// The outputs are opened when the saved version is known, so that what is
	// written says what made the result, not what rendered it.
	var r *results
	var end lamina.Summary
	gated := false // a gate decided, by more than severities
	var own error  // ours, not the file's
	defer func() {
		if r != nil {
			err = errors.Join(err, r.Abort())
		}
	}()
	err = report.Read(in, func(m lamina.Message) error {
		switch {
		case m.Version != nil:
			r, own = a.resultsOf(cmd, *m.Version)
		case m.Summary != nil:
			end = *m.Summary
		default:
			gated = gated || m.Answer != nil && m.Answer.Question == gate.Question
			own = r.Write(m)
		}
		return cmp.Or(own, cmd.Context().Err())
	})
	switch {
	case own != nil:
		return own
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case err != nil:
		return wrap(fmt.Errorf("%s: %w", name, err), Usage, "lamina render reads what -f json wrote")
	}
	if gated && !cmd.Flags().Changed("fail-on") {
		r.failed = end.Failed
	}
	return r.Finish(end)
}
