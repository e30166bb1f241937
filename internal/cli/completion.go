package cli

import (
	"io"

	"github.com/spf13/cobra"
)

func newCompletion(a *app) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "print a completion script for a shell",
		Example: "  source <(lamina completion bash)\n" +
			"  lamina completion zsh > \"${fpath[1]}/_lamina\"\n" +
			"  lamina completion fish > ~/.config/fish/completions/lamina.fish",
		Args:      args(1, 1, "SHELL"),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			write := map[string]func(io.Writer) error{
				"bash":       func(w io.Writer) error { return cmd.Root().GenBashCompletionV2(w, true) },
				"zsh":        cmd.Root().GenZshCompletion,
				"fish":       func(w io.Writer) error { return cmd.Root().GenFishCompletion(w, true) },
				"powershell": cmd.Root().GenPowerShellCompletionWithDesc,
			}[args[0]]
			if write == nil {
				hint := "use one of: bash, zsh, fish, powershell"
				if s := nearest(args[0], shells); s != "" {
					hint = "did you mean " + s + "?"
				}
				return usagef(hint, "unknown shell %q", args[0])
			}
			return a.document([]string{"text"}, func(_ string, w io.Writer) error { return write(w) })
		},
	}
}
