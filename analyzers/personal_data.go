package analyzers

import (
	"fmt"
	"path"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// PersonalData finds: data file with records of people.
var PersonalData = content.Analyzer{
	ID:          "personal-data",
	Title:       "data file seems to hold records of people",
	Since:       "0.2",
	Severity:    lamina.Low,
	Techniques:  []string{"T1530"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Remediation: "keep data in a store with access control; if people's data was in a layer others could read, ask who answers for it",
	NoFix:       "a published layer version cannot be changed",
	Run:         personalData,
}

// From how many different ones on a file is no coincidence.
const (
	manyEmails  = 20
	manyDomains = 3
	manyPhones  = 20
	manyIBANs   = 5
)

func personalData(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if f.Personal == nil || strings.Contains(f.Path, "node_modules/") || content.Test(f.Path) {
			continue
		}
		if c, h := l.Owner(f.Path); c != nil && h != nil {
			continue // a public package has it
		}
		switch name := strings.ToLower(path.Base(f.Path)); {
		case strings.HasPrefix(name, "author"), strings.HasPrefix(name, "contributor"), strings.HasPrefix(name, "credits"), strings.HasPrefix(name, "change"), strings.HasPrefix(name, "licen"), strings.HasPrefix(name, "maintainer"):
			continue
		}
		var what []string
		p := f.Personal
		if p.Emails >= manyEmails && p.Domains >= manyDomains {
			what = append(what, fmt.Sprintf("%d email addresses of %d domains", p.Emails, p.Domains))
		}
		if p.Phones >= manyPhones {
			what = append(what, fmt.Sprintf("%d telephone numbers", p.Phones))
		}
		if p.IBANs >= manyIBANs {
			what = append(what, fmt.Sprintf("%d bank accounts", p.IBANs))
		}
		if len(what) == 0 {
			continue
		}
		found(content.Result{
			Outcome: lamina.Fail, File: f.Path, Detail: "it holds " + strings.Join(what, ", "),
			Evidence: []string{fmt.Sprintf("different email addresses: %d", p.Emails), fmt.Sprintf("different telephone numbers: %d", p.Phones), fmt.Sprintf("different valid IBANs: %d", p.IBANs)},
		})
	}
	return nil
}
