package analyzers

import (
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/secret"
)

// BakedSecret finds credentials in a layer's files.
var BakedSecret = content.Analyzer{
	ID:          "baked-secret",
	Title:       "layer holds a credential",
	Since:       "0.1",
	Severity:    lamina.Critical,
	Techniques:  []string{"T1552.001"},
	Citation:    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
	Remediation: "deactivate the credential first, then publish a version without it and delete this one",
	NoFix:       "the credential must be rotated where it was issued, before anything is hidden",
	Run:         bakedSecret,
}

// secretMax is how much of one file is searched. What is above it is said to be
// unknown, never clean.
const secretMax = 8 << 20

func bakedSecret(l content.Layer, found func(content.Result)) error {
	return fs.WalkDir(l.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, whole, err := readSome(l.FS, name)
		if err != nil {
			return err
		}
		for i, h := range secret.Scan(data) {
			found(content.Result{
				Outcome: lamina.Fail, File: name, Line: h.Line, Key: strconv.Itoa(i),
				Detail:   "it holds an " + h.Kind + "; whether it is active was not asked",
				Evidence: []string{h.Kind + ": " + h.Redacted, "sha256: " + l.SHA256},
			})
		}
		if !whole {
			found(content.Result{
				Outcome: lamina.Unknown, File: name, Key: "size", Detail: "only its beginning was searched",
				Reason: fmt.Sprintf("the file is larger than %d bytes", secretMax), Settle: "search the file by hand",
			})
		}
		return nil
	})
}

func readSome(fsys fs.FS, name string) (data []byte, whole bool, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, false, err
	}
	data, err = io.ReadAll(io.LimitReader(f, secretMax+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	return data[:min(len(data), secretMax)], len(data) <= secretMax, nil
}
