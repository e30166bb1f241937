package analyzers

import (
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
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

func bakedSecret(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		for i, h := range f.Secrets {
			found(content.Result{
				Outcome: lamina.Fail, Severity: h.Severity, File: f.Path, Line: h.Line, Key: strconv.Itoa(i),
				Detail:   "it holds " + article(h.Kind) + " " + h.Kind + "; whether it is active was not asked",
				Evidence: append([]string{h.Kind + ": " + h.Redacted, "sha256: " + l.SHA256, "confidence: " + string(h.Confidence)}, h.Evidence...),
			})
		}
	}
	return nil
}

// article is the indefinite one for a kind.
func article(kind string) string {
	if strings.ContainsRune("aeio", rune(kind[0])) {
		return "an"
	}
	return "a"
}
