// Package gate decides whether a layer may go on: built, judged, and later
// signed and published.
//
// It judges what analyzers found by a Policy people can read: which severity
// keeps it shut, what a layer may hold and weigh, which licences and known
// vulnerabilities it may bring. Exceptions cover findings, a Baseline makes those
// of the main line old, and what could not be found out keeps the gate shut with
// UNKNOWN, which is never a pass. Nothing in the layer configures the gate.
// Building, signing and publishing, for which it may reach awswrite and os/exec,
// are not there yet. Start with Decide.
package gate

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/approval"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/exception"
)

// Input is all that a decision rests on.
type Input struct {
	Policy Policy
	// Layers are the layers, read.
	Layers []Layer
	// Findings are what the analyzers say of them.
	Findings []lamina.Finding
	// Packages are those the layers bring; Listed says that they were looked for.
	Packages []lamina.Package
	Listed   bool
	// DataFrom is the day of the vulnerability data, zero if there is none.
	DataFrom time.Time
	// Exceptions are in force from any number of files.
	Exceptions []exception.Item
	// Approvals are what the policy's require_approval asks; nil approves nothing.
	Approvals *approval.Set
	// Baseline is nil if there is none.
	Baseline *Baseline
	Now      time.Time
}

// A Layer is one layer of the Input.
type Layer struct {
	*content.Layer
	// Runtime is the function's, "" if nobody said.
	Runtime string
	// Architecture is what a file's code runs on: "x86_64", "arm64", another
	// name, or "" for a file that runs anywhere. Nil means that nobody looked.
	Architecture func(*content.File) string
}

// A Decision is the gate's answer.
type Decision struct {
	// Outcome is Pass, Fail or Unknown; Fail wins over Unknown.
	Outcome lamina.Outcome
	// Because are the ids of the findings that decided, in their order.
	Because []string
	// Findings are those of the Input and the policy's own, with severities,
	// exceptions and what the baseline knows of them.
	Findings []lamina.Finding
	// Known findings fail, but the baseline has them; New ones it has not.
	Known, New int
	// Fixed are findings of the baseline that are gone.
	Fixed      []lamina.Finding
	Exceptions exception.Counts
	// Unused exceptions are about none of the findings.
	Unused []exception.Item
}

// Own is the prefix of the checks that are the policy's own requirements.
const Own = "gate-"

// Decide judges.
func Decide(in Input) Decision {
	d := Decision{Outcome: lamina.Pass}
	p := in.Policy
	for _, f := range in.Findings {
		d.Findings = append(d.Findings, p.adjust(f))
	}
	d.Findings = append(d.Findings, p.requirements(in)...)
	d.Exceptions, d.Unused = exception.Apply(in.Exceptions, d.Findings, in.Now)
	newOnly := in.Baseline != nil
	if p.NewOnly != nil {
		newOnly = *p.NewOnly
	}
	var failed, unknown []string
	for i := range d.Findings {
		f := &d.Findings[i]
		switch {
		case f.Exception != nil:
		case f.Outcome == lamina.Unknown:
			unknown = append(unknown, f.ID)
		case f.Outcome == lamina.Fail:
			known := in.Baseline.has(f)
			if known {
				d.Known++
				f.Evidence = append(slices.Clone(f.Evidence), "baseline: known, with the same content, in "+in.Baseline.Name)
			} else {
				d.New++
			}
			// What the policy asks of a layer is no debt that a baseline could hold.
			if p.blocks(f) && (!known || !newOnly || strings.HasPrefix(f.Check, Own)) {
				failed = append(failed, f.ID)
			}
		}
	}
	d.Fixed = in.Baseline.gone(d.Findings, p.Overrides)
	switch {
	case failed != nil:
		d.Outcome, d.Because = lamina.Fail, failed
	case unknown != nil && p.RequireComplete:
		d.Outcome, d.Because = lamina.Unknown, unknown
	case len(in.Findings) == 0: // no analyzer looked
		d.Outcome = lamina.Unknown
	}
	return d
}

// adjust is f as the policy sees it.
func (p Policy) adjust(f lamina.Finding) lamina.Finding {
	o, ok := p.Overrides[f.Check]
	switch {
	case !ok || f.Outcome == lamina.Pass || f.Outcome == lamina.NotApplicable:
	case o.Off:
		f.Outcome, f.Reason, f.Settle = lamina.NotApplicable, "", ""
		f.Detail = fmt.Sprintf("turned off by %s: %s (%s)", p.Name, o.Reason, f.Detail)
	case o.Severity != f.Severity:
		f.Evidence = append(slices.Clone(f.Evidence), fmt.Sprintf("policy: %s, not %s, by %s: %s", o.Severity, f.Severity, p.Name, o.Reason))
		f.Severity = o.Severity
	}
	return f
}

// vulnerabilityCheck is the analyzer whose findings VulnerabilityRules are about.
const vulnerabilityCheck = "known-vulnerability"

// blocks reports whether a failed finding keeps the gate shut.
func (p Policy) blocks(f *lamina.Finding) bool {
	switch v := p.Vulnerabilities; {
	case strings.HasPrefix(f.Check, Own):
		return true
	case f.Check == vulnerabilityCheck && v.OnlyFixable && !fixable(f):
		return false
	case f.Check == vulnerabilityCheck && v.Max != "":
		return f.Severity.Rank() > v.Max.Rank()
	case p.Layer.RequireRecord && strings.Contains(f.Check, "record"):
		return true
	}
	return p.FailOn != "" && f.Severity.Rank() >= p.FailOn.Rank()
}

// fixable reports whether the finding names a version without the vulnerability.
func fixable(f *lamina.Finding) bool {
	return slices.ContainsFunc(f.Evidence, func(e string) bool {
		kind, value, _ := strings.Cut(e, ":")
		return strings.HasPrefix(kind, "fixed") && strings.Trim(value, " -") != "" && strings.TrimSpace(value) != "none"
	})
}

// requirements are the findings of the policy's own.
func (p Policy) requirements(in Input) []lamina.Finding {
	var out []lamina.Finding
	for _, l := range in.Layers {
		if l.Err != nil {
			continue // every analyzer says so
		}
		out = append(out, p.size(l)...)
		out = append(out, p.paths(l)...)
		out = append(out, p.runtimes(l)...)
		out = append(out, p.architectures(l)...)
		if p.Layer.RequireApproval {
			out = append(out, approved(l, in.Approvals)...)
		}
		if p.Layer.RequireRecord {
			out = append(out, records(l)...)
		}
		out = append(out, p.licences(l, in)...)
	}
	return append(out, p.data(in)...)
}

// violation is a finding of the policy's own about a layer, or about a file in it.
func violation(l Layer, check, title, file, key, detail string, evidence ...string) lamina.Finding {
	f := lamina.Finding{
		ID: lamina.ID("F", Own+check, l.Name, file, key), Check: Own + check, Title: title, Severity: lamina.High, Outcome: lamina.Fail,
		Resource: l.Name, File: file, SHA256: l.SHA256, Detail: detail, Evidence: evidence,
		Remediation: "change the layer, or the policy if it asks for too much",
	}
	if file != "" {
		f.SHA256 = ""
		if c := l.File(file); c != nil {
			f.SHA256 = c.SHA256.String()
		}
	}
	return f
}

// open is a requirement that could not be judged.
func open(l Layer, check, title, reason, settle string) lamina.Finding {
	f := violation(l, check, title, "", "unknown", "the policy's requirement could not be judged")
	f.Outcome, f.Reason, f.Settle, f.Remediation = lamina.Unknown, reason, settle, ""
	return f
}

func (p Policy) size(l Layer) []lamina.Finding {
	var out []lamina.Finding
	if limit := p.Layer.MaxUnzipped; limit > 0 && l.Inflated > limit {
		out = append(out, violation(l, "size", "layer is larger than the policy allows", "", "",
			fmt.Sprintf("its files have %s, the policy allows %s", content.Bytes(l.Inflated), content.Bytes(limit)), fmt.Sprintf("bytes: %d", l.Inflated)))
	}
	files := 0
	for _, f := range l.Files {
		if !f.Nested {
			files++
		}
	}
	if limit := p.Layer.MaxFiles; limit > 0 && int64(files) > limit {
		out = append(out, violation(l, "files", "layer has more files than the policy allows", "", "",
			fmt.Sprintf("it has %d files, the policy allows %d", files, limit), fmt.Sprintf("files: %d", files)))
	}
	return out
}

// maxNamed is how many files of one kind are findings of their own; the rest are
// counted in one more.
const maxNamed = 50

func (p Policy) paths(l Layer) []lamina.Finding {
	var out []lamina.Finding
	more := 0
	for _, f := range l.Files {
		i := slices.IndexFunc(p.Layer.ForbiddenPaths, func(pattern string) bool { return exception.Glob(pattern, f.Path, true) })
		switch {
		case i < 0:
		case len(out) == maxNamed:
			more++
		default:
			out = append(out, violation(l, "path", "layer holds a path that the policy forbids", f.Path, "",
				"the policy forbids "+p.Layer.ForbiddenPaths[i], "pattern: "+p.Layer.ForbiddenPaths[i]))
		}
	}
	if more > 0 {
		out = append(out, violation(l, "path", "layer holds paths that the policy forbids", "", "more",
			fmt.Sprintf("%d more paths are forbidden", more), fmt.Sprintf("paths: %d", more)))
	}
	return out
}

func (p Policy) architectures(l Layer) []lamina.Finding {
	allowed := p.Layer.Architectures
	if allowed == nil {
		return nil
	}
	const title = "layer holds code for an architecture that the policy does not allow"
	if l.Architecture == nil {
		if slices.ContainsFunc(l.Files, func(f *content.File) bool { return f.Kind == content.ELF }) {
			return []lamina.Finding{open(l, "architecture", title, "the architecture of its executables was not read", "a lamina that reads it")}
		}
		return nil
	}
	seen := map[string]string{}
	var order []string
	for _, f := range l.Files {
		if a := l.Architecture(f); a != "" && !slices.Contains(allowed, a) && seen[a] == "" {
			seen[a] = f.Path
			order = append(order, a)
		}
	}
	slices.Sort(order)
	var out []lamina.Finding
	for _, a := range order {
		out = append(out, violation(l, "architecture", title, seen[a], a,
			fmt.Sprintf("this file is for %s, the policy allows %s", a, strings.Join(allowed, ", ")), "architecture: "+a))
	}
	return out
}

// records finds Python packages without a RECORD, which nobody can compare with
// what was installed.
func records(l Layer) []lamina.Finding {
	var out []lamina.Finding
	for _, f := range l.Files {
		dir, name := path.Split(f.Path)
		if name != "METADATA" || !strings.HasSuffix(dir, ".dist-info/") || l.File(dir+"RECORD") != nil {
			continue
		}
		out = append(out, violation(l, "record", "Python package has no RECORD", f.Path, "",
			"its files cannot be compared with what was published", "missing: "+dir+"RECORD"))
	}
	return out
}

// approved wants somebody to have approved exactly this content.
func approved(l Layer, approvals *approval.Set) []lamina.Finding {
	v := approvals.Content(l.SHA256)
	if v.By != nil {
		return nil
	}
	return []lamina.Finding{violation(l, "approval", "nobody approved the layer", "", "",
		"the policy wants an approval in force for the digest of its zip", append([]string{"digest: sha256:" + l.SHA256}, v.Lapsed...)...)}
}

// data asks how old the vulnerability data is, once.
func (p Policy) data(in Input) []lamina.Finding {
	limit := p.Vulnerabilities.MaxAge
	if limit == 0 || len(in.Layers) == 0 {
		return nil
	}
	const title = "vulnerability data is older than the policy allows"
	days := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	var reason string
	switch age := in.Now.Sub(in.DataFrom); {
	case in.DataFrom.IsZero():
		reason = "there is no vulnerability data"
	case age > limit:
		reason = fmt.Sprintf("the data is of %s, %d days old; the policy allows %d", in.DataFrom.UTC().Format(time.DateOnly), days(age), days(limit))
	default:
		return nil
	}
	return []lamina.Finding{open(in.Layers[0], "vulnerability-data", title, reason, "newer data, given with --db")}
}

// Question is the question of the Answer that is a decision.
const Question = "gate"

// Answer is the decision as a message, to be printed first.
func (d Decision) Answer(p Policy) lamina.Answer {
	a := lamina.Answer{Question: Question, Asks: "gate: " + string(d.Outcome), Outcome: d.Outcome}
	by := p.Name
	if by == "" {
		by = "the default policy"
	}
	n := len(d.Because)
	switch d.Outcome {
	case lamina.Fail:
		a.Text = plural(n, "finding decides", "findings decide")
	case lamina.Unknown:
		a.Text = plural(n, "answer is missing", "answers are missing")
		if n == 0 {
			a.Text = "no analyzer looked"
		}
		a.Reason, a.Settle = "something could not be examined", "what the findings say would settle them"
	case lamina.Pass, lamina.NotApplicable:
		a.Text = "nothing keeps the gate shut"
	}
	a.Text += "; " + by + " " + p.Describe()
	byID := map[string]*lamina.Finding{}
	for i := range d.Findings {
		byID[d.Findings[i].ID] = &d.Findings[i]
	}
	for i, id := range d.Because {
		if i == maxNamed {
			a.Evidence = append(a.Evidence, fmt.Sprintf("and %d more", n-i))
			break
		}
		f := byID[id]
		line := fmt.Sprintf("%s %s %s: %s", id, rank(f), f.Check, place(f))
		if strings.HasPrefix(f.Check, Own) && f.Check != licenceCheck && f.Outcome == lamina.Fail {
			line += ": " + f.Detail
		}
		a.Evidence = append(a.Evidence, line)
	}
	if d.Known > 0 {
		a.Evidence = append(a.Evidence, fmt.Sprintf("known from the baseline: %d", d.Known))
	}
	for i, f := range d.Fixed {
		if i == maxNamed {
			a.Evidence = append(a.Evidence, fmt.Sprintf("and %d more fixed", len(d.Fixed)-i))
			break
		}
		a.Evidence = append(a.Evidence, fmt.Sprintf("fixed since the baseline: %s %s: %s", f.ID, f.Check, place(&f)))
	}
	return a
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func rank(f *lamina.Finding) string {
	if f.Outcome == lamina.Unknown {
		return "unknown"
	}
	return string(f.Severity)
}

func place(f *lamina.Finding) string {
	switch {
	case f.File != "" && f.Line > 0:
		return fmt.Sprintf("%s in %s:%d", f.Title, f.File, f.Line)
	case f.File != "":
		return f.Title + " in " + f.File
	}
	return f.Title + " in " + f.Resource
}
