// Command scalibroracle holds the packages that lamina finds in real layers
// against those that osv-scalibr finds (https://github.com/google/osv-scalibr), an inventory by
// others that shares no code with ours. It runs scalibr's extractors of the
// ecosystems that layers hold over each zip in LAMINA_LAYERS, and the given lamina
// over the same zip, compares package URL by package URL, and prints a table. What
// scalibr alone finds and explained.txt does not explain fails it; so does an
// explanation that explains nothing any more.
//
// It is a module of its own, so that what scalibr needs is not in ours.
//
//	LAMINA_LAYERS=DIR scalibroracle -lamina FILE [-explained FILE]
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gobinary"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagejson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemspec"
	"github.com/google/osv-scalibr/extractor/filesystem/language/rust/cargoauditable"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv("LAMINA_LAYERS"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scalibroracle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, dir string, out io.Writer) error {
	f := flag.NewFlagSet("scalibroracle", flag.ContinueOnError)
	lamina := f.String("lamina", "bin/lamina", "the lamina to hold against scalibr")
	list := f.String("explained", "internal/tools/scalibroracle/explained.txt", "what scalibr alone may find, and why")
	if err := f.Parse(args); err != nil {
		return err
	}
	if dir == "" {
		dir = filepath.Join(".cache", "layers")
	}
	explained, err := readExplained(*list)
	if err != nil {
		return err
	}
	zips, err := filepath.Glob(filepath.Join(dir, "*.zip"))
	if err != nil || len(zips) == 0 {
		return errors.Join(fmt.Errorf("no layers in %s: make fetch-layers brings them", dir), err)
	}
	extractors, err := all()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-20s %6s %10s %12s %10s\n", "layer", "both", "ours only", "theirs only", "explained")
	used := map[string]bool{}
	var wrong []string
	for _, name := range zips {
		layer := strings.TrimSuffix(filepath.Base(name), ".zip")
		theirs, err := scalibr(ctx, extractors, name)
		if err != nil {
			return fmt.Errorf("%s: %w", layer, err)
		}
		ours, err := packages(ctx, *lamina, name)
		if err != nil {
			return fmt.Errorf("%s: %w", layer, err)
		}
		both, ourOnly, theirOnly, known := 0, 0, 0, 0
		for p := range ours {
			if theirs[p] {
				both++
			} else {
				ourOnly++
			}
		}
		for _, p := range slices.Sorted(maps.Keys(theirs)) {
			if ours[p] {
				continue
			}
			theirOnly++
			if key := layer + " " + p; explained[key] {
				used[key] = true
				known++
			} else {
				wrong = append(wrong, key)
			}
		}
		fmt.Fprintf(out, "%-20s %6d %10d %12d %10d\n", layer, both, ourOnly, theirOnly, known)
	}
	for key := range explained {
		if !used[key] {
			wrong = append(wrong, "explained, and not so: "+key)
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d packages that scalibr alone finds, or explanations without one:\n  %s", len(wrong), strings.Join(wrong, "\n  "))
	}
	return nil
}

// readExplained reads lines "LAYER PURL # why"; a line that begins with # is a
// remark.
func readExplained(name string) (map[string]bool, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, why, ok := strings.Cut(line, " # ")
		if !ok || why == "" || len(strings.Fields(key)) != 2 {
			return nil, fmt.Errorf("%s:%d: want LAYER PURL # why", name, i+1)
		}
		out[key] = true
	}
	return out, nil
}

func all() ([]filesystem.Extractor, error) {
	var out []filesystem.Extractor
	for _, make := range []func(*cpb.PluginConfig) (filesystem.Extractor, error){
		wheelegg.New, packagejson.New, gobinary.New, archive.New, gemspec.New, depsjson.New, cargoauditable.New,
	} {
		x, err := make(&cpb.PluginConfig{})
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// An entry is a file of a zip as scalibr asks for it.
type entry struct{ f *zip.File }

func (e entry) Path() string               { return e.f.Name }
func (e entry) Stat() (fs.FileInfo, error) { return e.f.FileInfo(), nil }

// scalibr are the package URLs that scalibr finds in the zip.
func scalibr(ctx context.Context, extractors []filesystem.Extractor, name string) (map[string]bool, error) {
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	found := map[string]bool{}
	for _, f := range z.File {
		if !f.Mode().IsRegular() {
			continue
		}
		var data []byte
		for _, x := range extractors {
			if !x.FileRequired(entry{f}) {
				continue
			}
			if data == nil {
				r, err := f.Open()
				if err != nil {
					return nil, err
				}
				data, err = io.ReadAll(r)
				if err = errors.Join(err, r.Close()); err != nil {
					return nil, err
				}
			}
			inv, err := x.Extract(ctx, &filesystem.ScanInput{Path: f.Name, Info: f.FileInfo(), Reader: bytes.NewReader(data)})
			if err != nil {
				continue // a file that it asked for by name or mode, and that is none of its kind
			}
			for _, p := range inv.Packages {
				if u := p.PURL(); u != nil {
					found[plain(u.String())] = true
				}
			}
		}
	}
	return found, nil
}

// packages are the package URLs that lamina finds in the zip.
func packages(ctx context.Context, lamina, name string) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, lamina, "scan", name, "--no-cache", "--fail-on", "never", "-q", "-f", "cyclonedx")
	var said bytes.Buffer
	c.Stderr = &said
	data, err := c.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 3) { // 3: there is no vulnerability data
		return nil, fmt.Errorf("%w: %s", err, said.String())
	}
	var bom struct{ Components []struct{ PURL string } }
	if err := json.Unmarshal(data, &bom); err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, c := range bom.Components {
		if c.PURL != "" {
			found[plain(c.PURL)] = true
		}
	}
	return found, nil
}

// plain is a package URL without qualifiers and subpath, which say where it is and
// not what. Of Go's modules scalibr leaves out the v of versions and writes names in
// lower case, as the standard of package URLs says of names.
func plain(u string) string {
	u, _, _ = strings.Cut(u, "#")
	u, _, _ = strings.Cut(u, "?")
	if strings.HasPrefix(u, "pkg:golang/") {
		name, version, _ := strings.Cut(strings.ToLower(u), "@")
		u = name + "@" + strings.TrimPrefix(version, "v")
	}
	return u
}
