package cli

import (
	"bytes"
	"errors"
	"os"

	"github.com/lamina-sec/lamina/internal/report"
)

// maxStepSummary is below the 1 MiB that GitHub takes for the summary of a step.
const maxStepSummary = 900_000

// ciWriters are the writers that --ci adds in a GitHub workflow: annotations on
// standard error, which the runner reads as it does standard output, and a
// summary of the step. An annotation format of the user's own takes their place.
func (a *app) ciWriters(outlets []outlet) ([]report.Writer, error) {
	if !a.flags.ci || a.std.Env("GITHUB_ACTIONS") != "true" {
		return nil, nil
	}
	var out []report.Writer
	own := false
	for _, o := range outlets {
		own = own || o.format == "github"
	}
	if !own {
		w, err := report.New("github", a.std.Err, report.Options{})
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	if name := a.std.Env("GITHUB_STEP_SUMMARY"); name != "" {
		s := &stepSummary{path: name}
		w, err := report.New("markdown", &s.page, report.Options{MaxBytes: maxStepSummary, Verbose: a.flags.verbose})
		if err != nil {
			return nil, err
		}
		s.Writer = w
		out = append(out, s)
	}
	return out, nil
}

// A stepSummary is a page that is added to a file when it is whole: other steps
// of the job, and other runs of this one, have written there too.
type stepSummary struct {
	report.Writer
	path string
	page bytes.Buffer
}

// Close adds the page to the file.
func (s *stepSummary) Close() error {
	if err := s.Writer.Close(); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644) //nolint:gosec // the runner made this file, for all its steps
	if err != nil {
		return err
	}
	_, err = f.Write(append(s.page.Bytes(), '\n'))
	return errors.Join(err, f.Close())
}
