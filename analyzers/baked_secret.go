package analyzers

import (
	"path"
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
	Files:       true,
	Run:         bakedSecret,
}

func bakedSecret(s *content.Scan, layer int, found func(content.Result)) error {
	for _, f := range s.Layers[layer].Files {
		for i, h := range f.Secrets {
			severity := h.Severity
			if content.Test(f.Path) && severity.Rank() > lamina.Medium.Rank() {
				severity = lamina.Medium // most are made up; one that is not is still out
			}
			detail := "it holds " + article(h.Kind) + " " + h.Kind
			if document(f.Path) {
				detail += " in a document of a package, where such values are examples"
				severity = lamina.Severities[min(severity.Rank(), lamina.Low.Rank())]
				if signed(h.Kind) {
					severity = lamina.Info
				}
			}
			evidence := append([]string{h.Kind + ": " + h.Redacted, "confidence: " + string(h.Confidence), "file sha256: " + f.SHA256.String()}, h.Evidence...)
			if others := s.Same(layer, f, i); others != "" {
				evidence = append(evidence, "the same credential: "+others)
			}
			if s.Fingerprints && h.Fingerprint != "" {
				evidence = append(evidence, "fingerprint: "+h.Fingerprint)
			}
			found(s.Excuse(content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: h.Line, Key: strconv.Itoa(i), Severity: severity,
				Detail:   detail + "; whether it is active was not asked",
				Evidence: evidence,
			}, f))
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

// document reports whether a file is one of those that packages publish as text
// for readers: descriptions, and the models from which AWS's SDKs write their
// reference.
func document(name string) bool {
	dir, base := path.Split(strings.ToLower(name))
	switch {
	case base == "metadata" && strings.HasSuffix(dir, ".dist-info/"), base == "pkg-info":
		return true
	case strings.Contains(dir, "/botocore/data/") && strings.HasSuffix(base, "-2.json"):
		return true
	case strings.HasPrefix(base, "readme"), strings.HasPrefix(base, "changelog"), strings.HasPrefix(base, "changes."), strings.HasPrefix(base, "history."):
		return strings.Contains(dir, "node_modules/") || strings.Contains(dir, "site-packages/") || strings.Contains(dir, "/gems/") || strings.Contains(dir, ".dist-info/")
	}
	return false
}

// signed reports whether values of the kind are made with a key that is not in
// them, so that an example tells nothing.
func signed(kind string) bool { return kind == "jwt" || kind == "azure-sas-signature" }
