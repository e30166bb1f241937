package report

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/safe"
)

// github is annotations of a GitHub workflow run
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands):
// an error for what failed the run, a warning for what is unknown or at least of
// medium severity. GitHub shows ten of each kind of a step and drops the rest, so
// no more are written, and the last says how many there are. What an exception
// covers is not annotated.
type github struct {
	*printer
	notes   []githubNote
	dropped int
	gate    *lamina.Answer
	summary *lamina.Summary
}

type githubNote struct {
	id, file, title, text string
	line                  int
	rank                  int // 1 for unknown, else 2 and the severity's
}

// maxAnnotations is how many of a kind GitHub shows of one step; maxNotes how
// many are kept until it is known which of them failed the run.
const (
	maxAnnotations = 10
	maxNotes       = 10_000
)

func newGitHub(p *printer, _ Options) Writer { return &github{printer: p} }

func (w *github) Write(m lamina.Message) error {
	switch {
	case m.Alert != nil && m.Alert.Exception == nil:
		a := m.Alert
		w.add(githubNote{id: a.ID, title: a.Rule.Name, text: a.Reason + " (" + where(a, a.File) + ")", rank: 2 + a.Severity.Rank()})
	case m.Exposure != nil:
		e := m.Exposure
		w.add(githubNote{id: e.ID, title: e.Title, text: e.Resource + ": " + strings.Join(e.Reasons, "; "), rank: 2 + e.Severity.Rank()})
	case m.Finding != nil && m.Finding.Exception == nil:
		f := m.Finding
		n := githubNote{id: f.ID, title: f.Title, line: f.Line, rank: 2 + f.Severity.Rank()}
		n.file, n.line = onDisk(f)
		switch f.Outcome {
		case lamina.Fail:
			n.text = fmt.Sprintf("%s: %s (%s, %s)", place(f), f.Detail, f.Severity, f.ID)
		case lamina.Unknown:
			n.rank, n.text = 1, fmt.Sprintf("%s: unknown because %s; to settle: %s (%s)", place(f), f.Reason, f.Settle, f.ID)
		case lamina.Pass, lamina.NotApplicable:
			return w.err
		}
		w.add(n)
	case m.Answer != nil && m.Answer.Question == gateQuestion:
		a := *m.Answer
		w.gate = &a
	case m.Summary != nil:
		w.summary = m.Summary
	}
	return w.err
}

func (w *github) add(n githubNote) {
	if len(w.notes) == maxNotes {
		w.dropped++
		return
	}
	w.notes = append(w.notes, n)
}

func (w *github) Close() error {
	failed := map[string]bool{}
	if w.summary != nil {
		for _, id := range w.summary.Failed {
			failed[id] = true
		}
	}
	slices.SortStableFunc(w.notes, func(a, b githubNote) int { return b.rank - a.rank })
	written := map[string]int{}
	more := w.dropped
	for _, n := range w.notes {
		level := "warning"
		switch {
		case failed[n.id]:
			level = "error"
		case n.rank >= 2 && n.rank < 2+lamina.Medium.Rank():
			continue
		}
		if written[level]++; written[level] >= maxAnnotations {
			more++ // the tenth place is kept for how many there are
			continue
		}
		w.annotate(level, n)
	}
	if more > 0 {
		w.annotate("warning", githubNote{title: "Lamina", text: thousands(int64(more)) + " more; the results hold all of them"})
	}
	switch {
	case w.summary == nil:
		w.annotate("error", githubNote{title: "Lamina", text: "the run was cut short: there is no summary"})
	case w.gate != nil:
		w.annotate("notice", githubNote{title: "Lamina " + w.gate.Asks, text: w.gate.Text + "; " + w.summary.Coverage})
	default:
		w.annotate("notice", githubNote{title: "Lamina", text: strings.Join(SummaryLines(w.summary)[:1], "")})
	}
	return w.flush()
}

// annotate writes one command. Everything is one visible line; what commands
// give a meaning is escaped as GitHub's toolkit does.
func (w *github) annotate(level string, n githubNote) {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	w.str("::", level, " ")
	if n.file != "" {
		w.str("file=", property.Replace(safe.Line(n.file, 0)), ",")
		if n.line > 0 {
			w.str("line=", strconv.Itoa(n.line), ",")
		}
	}
	w.str("title=", property.Replace(safe.Line(n.title, maxValue)), "::", data.Replace(safe.Line(n.text, maxValue)), "\n")
}

// onDisk is the file of the working folder that a finding is about: of a folder
// that was scanned the file in it, of infrastructure code the code, of an archive the archive itself, in which no
// line means anything. It is "" for what is no file, an ARN for instance.
func onDisk(f *lamina.Finding) (file string, line int) {
	switch {
	case f.Declared:
		return f.File, f.Line
	case f.Resource == "" || strings.HasPrefix(f.Resource, "arn:") || strings.Contains(f.Resource, "://"):
		return "", 0
	case isArchive(f.Resource) || f.File == "" || strings.Contains(f.File, "!/"):
		return f.Resource, 0
	}
	return path.Join(strings.ReplaceAll(f.Resource, `\`, "/"), f.File), f.Line
}

// isArchive reports whether a resource is an archive by its name.
func isArchive(resource string) bool {
	return slices.Contains([]string{".zip", ".jar", ".whl"}, strings.ToLower(path.Ext(resource)))
}
