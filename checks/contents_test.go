package checks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/posture"
)

// What is in layers is told in lines beside those of the estate:
//
//	opened acme-auth:7 except=known-vulnerability        every analyzer but those looked and found nothing
//	inside acme-auth:7 baked-secret critical python/cfg.py it holds a key
//	inside acme-auth:7 known-vulnerability unknown       the analyzer could not tell
//	inside acme-auth:7 known-vulnerability high python/x id=MAL-2026-1 kev=true epss=0.9
//	loads acme-auth:7 extensions/agent SHA256            a file that runs by itself
//	package acme-auth:7 pkg:pypi/boto3@1.34.0 python/boto3
//
// A layer of which no line tells was not opened. function:NAME is the own package of
// a function.
func parseContents(t *testing.T, text string) map[string]posture.Content {
	t.Helper()
	e := &estateText{t: t, targets: map[string]*lamina.Target{}}
	all := map[string]posture.Content{}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || !contentWord(words[0]) {
			continue
		}
		arn := e.layerARN(words[1], nil)
		if name, ok := strings.CutPrefix(words[1], "function:"); ok {
			arn = "arn:aws:lambda:" + homeRegion + ":" + home + ":function:" + name
		}
		c, ok := all[arn]
		if !ok {
			c.Findings = clean(arn)
		}
		switch words[0] {
		case "opened":
			for _, w := range words[2:] {
				if except, ok := strings.CutPrefix(w, "except="); ok {
					c.Findings = slices.DeleteFunc(c.Findings, func(f lamina.Finding) bool { return slices.Contains(strings.Split(except, ","), f.Check) })
				}
			}
		case "inside":
			c.Findings = slices.DeleteFunc(c.Findings, func(f lamina.Finding) bool { return f.Check == words[2] && f.Outcome == lamina.Pass })
			c.Findings = append(c.Findings, inside(arn, words[2:]))
		case "loads":
			_, alone := posture.Loads(words[2])
			c.Loaded = append(c.Loaded, posture.LoadedFile{Path: words[2], SHA256: words[3], Alone: alone})
		case "package":
			p := lamina.Package{Resource: arn, PURL: words[2], Files: words[3:]}
			rest, _, _ := strings.Cut(strings.TrimPrefix(words[2], "pkg:"), "@")
			p.Ecosystem, p.Name, _ = strings.Cut(rest, "/")
			p.Ecosystem = map[string]string{"pypi": "PyPI", "npm": "npm", "gem": "RubyGems"}[p.Ecosystem]
			c.Packages = append(c.Packages, p)
		}
		all[arn] = c
	}
	return all
}

// contentWord reports whether a line that begins with the word tells of what is
// in a layer.
func contentWord(word string) bool {
	return word == "opened" || word == "inside" || word == "package" || word == "loads"
}

// clean is a layer in which no analyzer that a check asks for found anything.
func clean(arn string) []lamina.Finding {
	var fs []lamina.Finding
	for _, c := range checks.All {
		for _, a := range c.Analyzers {
			if !slices.ContainsFunc(fs, func(f lamina.Finding) bool { return f.Check == a }) {
				fs = append(fs, lamina.Finding{Check: a, Resource: arn, Outcome: lamina.Pass})
			}
		}
	}
	return fs
}

func inside(arn string, words []string) lamina.Finding {
	f := lamina.Finding{ID: lamina.ID("F", append([]string{arn}, words...)...), Check: words[0], Resource: arn, Outcome: lamina.Fail, Severity: lamina.Severity(words[1])}
	if words[1] == "unknown" {
		f.Outcome, f.Severity, f.Reason, f.Settle = lamina.Unknown, lamina.High, "there is no database", "make one"
		return f
	}
	if len(words) > 2 {
		f.File = words[2]
	}
	var detail []string
	for _, w := range words[min(len(words), 3):] {
		k, v, _ := strings.Cut(w, "=")
		if f.Vulnerability == nil && slices.Contains([]string{"id", "kev", "epss", "purl"}, k) {
			f.Vulnerability = &lamina.Vulnerability{}
		}
		switch k {
		case "id":
			f.Vulnerability.IDs = strings.Split(v, ",")
		case "kev":
			f.Vulnerability.KEV = v == "true"
		case "epss":
			f.Vulnerability.EPSS = 0.9
		case "purl":
			f.Vulnerability.PURL = v
		default:
			detail = append(detail, w)
		}
	}
	f.Detail = strings.Join(detail, " ")
	return f
}

// described are the contents of the layers whose digest is known: others cannot
// be fetched.
func described(s lamina.Snapshot, contents map[string]posture.Content) map[string]posture.Content {
	out := map[string]posture.Content{}
	for arn, c := range contents {
		i := slices.IndexFunc(s.Layers, func(l lamina.LayerVersion) bool { return l.ARN == arn })
		if i >= 0 && s.Layers[i].CodeSHA256 != "" {
			out[arn] = c
		}
	}
	return out
}
