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
	for _, f := range s.Layers[layer].Files {
		for i, h := range f.Secrets {
			severity := h.Severity
			if content.Test(f.Path) && severity.Rank() > lamina.Medium.Rank() {
				severity = lamina.Medium // most are made up; one that is not is still out
			}
			found(content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: h.Line, Key: strconv.Itoa(i), Severity: severity,
				Detail:   "it holds " + article(h.Kind) + " " + h.Kind + "; whether it is active was not asked",
				Evidence: append([]string{h.Kind + ": " + h.Redacted, "confidence: " + string(h.Confidence), "file sha256: " + f.SHA256.String()}, h.Evidence...),
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
