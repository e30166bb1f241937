package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/rule"
)

// programVersion is the version of this source tree; CHANGELOG.md has a section
// for it.
const programVersion = "0.1.0-dev"

// version opens every stream.
func version() lamina.Version {
	return lamina.Version{Messages: lamina.MessageVersion, Lamina: programVersion, Categorization: cloudtrail.Categorization}
}

// A versionInfo is what `lamina version --verbose` prints.
type versionInfo struct {
	Lamina   string            `json:"lamina"`
	Messages int               `json:"messages"`
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	Data     map[string]string `json:"data"`
	Modules  []moduleInfo      `json:"modules"`
}

type moduleInfo struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Sum     string `json:"sum,omitempty"`
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "show the version, and with -v what it was built from",
		Example: "  lamina version\n" +
			"  lamina version --verbose   # Go, data and module versions",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			return a.document([]string{"text", "json"}, func(format string, w io.Writer) error {
				info := buildInfo()
				if format == "json" {
					return writeJSON(w, info)
				}
				fmt.Fprintf(w, "lamina %s\n", info.Lamina)
				if a.flags.verbose {
					return writeVersion(w, info)
				}
				return nil
			})
		},
	}
}

func buildInfo() versionInfo {
	info := versionInfo{
		Lamina: programVersion, Messages: lamina.MessageVersion,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Data: dataVersions(), Modules: []moduleInfo{},
	}
	if b, ok := debug.ReadBuildInfo(); ok {
		for _, d := range b.Deps {
			if d.Replace != nil {
				d = d.Replace
			}
			info.Modules = append(info.Modules, moduleInfo{d.Path, d.Version, d.Sum})
		}
	}
	return info
}

// dataVersions names the data by others that the program was built with.
func dataVersions() map[string]string {
	return map[string]string{
		"CloudTrail categories": cloudtrail.Categorization,
		"MITRE ATT&CK":          rule.AttackVersion,
	}
}

func writeVersion(w io.Writer, info versionInfo) error {
	rows := [][]string{
		{"messages", strconv.Itoa(info.Messages)},
		{"go", info.Go},
		{"platform", info.Platform},
	}
	for _, k := range sortedKeys(info.Data) {
		rows = append(rows, []string{k, info.Data[k]})
	}
	for _, m := range info.Modules {
		rows = append(rows, []string{m.Path, m.Version})
	}
	return columns(w, rows[0], rows[1:])
}
