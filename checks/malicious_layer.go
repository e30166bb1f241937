package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// MaliciousLayer finds layers that attack who loads them.
var MaliciousLayer = posture.Check{
	ID:          "malicious-layer",
	Ref:         "TOX-04",
	Title:       "layer version that functions load, or may, holds malicious code",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002", "T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion"),
	Uses:        posture.ListFunctions,
	Lists:       append(posture.ListLayers, "lambda:ListFunctions"),
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   append(maliciousAnalyzers, vulnerabilityAnalyzer),
	Remediation: "stop the functions, keep the zip as evidence, attach a version that is clean, and treat what their roles can reach as known to others",
	NoFix:       "which version is clean is for its owner to say",
	Run:         maliciousLayer,
}

// maliciousAnalyzers find code that has no honest use in a layer.
// vulnerabilityAnalyzer looks packages up, malicious ones among them, where there
// is a database.
var maliciousAnalyzers = []string{"credential-theft", "download-and-run", "miner", "reverse-shell"}

const vulnerabilityAnalyzer = "known-vulnerability"

func maliciousLayer(in posture.Input, found func(posture.Result)) {
	for _, arn := range layersInReach(in) {
		analyzers := slices.Clone(maliciousAnalyzers)
		clean := "nothing malicious was found in it; its packages were not looked up"
		if in.Looked(arn, vulnerabilityAnalyzer) {
			analyzers, clean = append(analyzers, vulnerabilityAnalyzer), "nothing malicious was found in it"
		}
		failed, unknown, known := in.Inside(arn, analyzers...)
		failed = slices.DeleteFunc(failed, func(f lamina.Finding) bool {
			if f.Check == vulnerabilityAnalyzer {
				return !malicious(f.Vulnerability)
			}
			return f.Severity.Rank() < lamina.High.Rank()
		})
		users := in.Estate.Users(arn)
		switch {
		case len(failed) > 0 && len(users) > 0:
			found(posture.Result{
				Outcome: lamina.Fail, Resource: arn, Severity: lamina.Critical, Detail: "it holds malicious code that runs in " + posture.Count(len(users), "function") + " of ours",
				Evidence: append(posture.Places(failed), posture.Functions(users)...),
			})
		case len(failed) > 0:
			found(posture.Result{Outcome: lamina.Fail, Resource: arn, Detail: "it holds malicious code, and no function of ours is known to load it", Evidence: posture.Places(failed)})
		case !known:
			found(unknown)
		default:
			found(posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: clean})
		}
	}
}

// malicious reports whether the advisory says that the package attacks who
// installs it, which the OpenSSF's list of malicious packages is for
// (https://github.com/ossf/malicious-packages).
func malicious(v *lamina.Vulnerability) bool {
	return v != nil && slices.ContainsFunc(v.IDs, func(id string) bool { return strings.HasPrefix(id, "MAL-") })
}

// layersInReach are the ARNs of the layer versions that are ours or that our
// functions load, sorted.
func layersInReach(in posture.Input) []string {
	arns := loadedLayers(in)
	for l := range in.Estate.OurLayers() {
		arns = append(arns, l.ARN)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
