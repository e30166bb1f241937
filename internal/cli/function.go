package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/runtimes"
)

// functionFlags say what is known of the function that has the layers.
type functionFlags struct {
	function, handler, runtime, arch string
	env                              []string
}

func (f *functionFlags) register(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.function, "function", "", "the function's package: `ZIP` or folder")
	fl.StringVar(&f.handler, "handler", "", "the function's handler, `MODULE.NAME`")
	fl.StringVar(&f.runtime, "runtime", "", "the function's `RUNTIME` (python3.12); else the layers' folders say")
	fl.StringVar(&f.arch, "arch", "", "the function's architecture, `ARCH`: x86_64 or arm64")
	fl.StringArrayVar(&f.env, "env", nil, "an environment variable, `NAME=VALUE`; several times for all, '' for none")
}

// asked is the function as the flags describe it.
func (f *functionFlags) asked() (*content.Function, error) {
	fn := &content.Function{Handler: f.handler, Runtime: f.runtime, Architecture: f.arch}
	if _, ok := runtimes.ByID(f.runtime); !ok && f.runtime != "" {
		var ids []string
		for _, r := range runtimes.All() {
			ids = append(ids, r.ID)
		}
		hint := "as AWS writes it, one of " + strings.Join(ids, " ")
		if g := nearest(f.runtime, ids); g != "" {
			hint = "did you mean " + g + "?"
		}
		return nil, usagef(hint, "--runtime %q is no runtime of Lambda that lamina knows", f.runtime)
	}
	if f.arch != "" && f.arch != "x86_64" && f.arch != "arm64" {
		return nil, usagef("x86_64 or arm64", "--arch %q is no architecture of Lambda", f.arch)
	}
	for _, kv := range f.env {
		if fn.Env == nil {
			fn.Env = map[string]string{} // without --env nothing is known of it
		}
		k, v, ok := strings.Cut(kv, "=")
		switch {
		case kv == "":
		case !ok || k == "":
			return nil, usagef("write --env NAME=VALUE", "--env %q has no name and value", kv)
		default:
			fn.Env[k] = v
		}
	}
	return fn, nil
}
