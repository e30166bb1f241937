package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
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
		f, err := os.Open(a.path(name))
		if err != nil {
			return a.missing(name, err)
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	r, err := a.results(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Abort()) }()
	return a.replay(r, name, in)
}

func (a *app) replay(r *results, name string, in io.Reader) error {
	var end *lamina.Summary
	err := report.Read(in, func(m lamina.Message) error {
		switch {
		case m.Version != nil:
			return nil
		case m.Summary != nil:
			end = m.Summary
			return nil
		}
		return r.Write(m)
	})
	if err != nil {
		hint := "lamina render reads what -f json wrote"
		return wrap(fmt.Errorf("%s: %w", name, err), Usage, hint)
	}
	return r.Finish(*end)
}
