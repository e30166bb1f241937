package checks

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// VersionPinsBadLayer finds published versions that keep what the function got rid of.
var VersionPinsBadLayer = posture.Check{
	ID:          "version-pins-bad-layer",
	Ref:         "LIF-03",
	Title:       "published version of a function keeps a bad layer that the function itself no longer loads",
	Since:       "0.1",
	Severity:    lamina.Low,
	Techniques:  []string{"T1525"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html",
	Needs:       posture.ListFunctions,
	Uses:        append([]string{"lambda:GetLayerVersion"}, leads...),
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   append(maliciousAnalyzers, vulnerabilityAnalyzer),
	Remediation: "publish a version of what the function is now and point the aliases to it; then delete the old version",
	NoFix:       "moving an alias deploys, which is for whoever deploys the function",
	Run:         versionPinsBadLayer,
}

// leads are the calls that tell what leads to a version of a function.
var leads = []string{"lambda:GetPolicy", "lambda:ListAliases", "lambda:ListEventSourceMappings", "lambda:ListFunctionUrlConfigs"}

func versionPinsBadLayer(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		whole := posture.Whole(in.Estate, f)
		if f.Version == "$LATEST" || whole.Version != "$LATEST" {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(f.Layers), func(arn string) bool { return slices.Contains(whole.Layers, arn) })
		if len(left) == 0 {
			continue // it loads nothing that the function does not
		}
		found(pins(in, whole, f, left))
	}
}

// pins judges the layers that the version loads and the function no longer does.
func pins(in posture.Input, whole, f lamina.Function, left []string) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "nothing bad was found in the layers that it keeps"}
	var bad lamina.Severity
	var open *posture.Result
	for _, arn := range left {
		analyzers := slices.Clone(maliciousAnalyzers)
		if in.Looked(arn, vulnerabilityAnalyzer) {
			analyzers = append(analyzers, vulnerabilityAnalyzer)
		}
		failed, unknown, known := in.Inside(arn, analyzers...)
		failed = slices.DeleteFunc(failed, func(f lamina.Finding) bool { return f.Severity.Rank() < lamina.Medium.Rank() })
		if w := worst(failed); w.Rank() > bad.Rank() {
			bad = w
			r.Detail = "it keeps " + arn
		}
		if len(failed) > 0 {
			r.Outcome = lamina.Fail
			r.Evidence = append(append(r.Evidence, "layer: "+arn), posture.Places(failed)...)
		}
		if !known && open == nil {
			unknown.Resource, unknown.Detail = f.ARN, "what is in "+arn+", which it keeps, is not known"
			open = &unknown
		}
	}
	switch by := reachedBy(whole, f.Version); {
	case r.Outcome != lamina.Fail && open != nil:
		return *open
	case r.Outcome == lamina.Fail && by != "":
		r.Severity, r.Detail = bad, r.Detail+", and "+by+" leads to it"
	case r.Outcome == lamina.Fail && unreached(in, whole):
		r.Severity, r.Detail = bad, r.Detail+"; whether anything leads to it is not known"
	case r.Outcome == lamina.Fail:
		r.Detail += "; no alias, event source or URL leads to it"
	}
	return r
}

// unreached reports whether something of what leads to versions of the function
// was not read.
func unreached(in posture.Input, whole lamina.Function) bool {
	_, missing := in.Missing(whole.Account, whole.Region, whole.ARN, leads...)
	return missing
}

// reachedBy says what calls the version, or "".
func reachedBy(whole lamina.Function, version string) string {
	names := estate.Qualifiers(whole, version)
	for _, m := range whole.EventSources {
		if slices.Contains(names, m.Qualifier) {
			return "event source " + m.SourceARN
		}
	}
	for _, u := range whole.URLs {
		if slices.Contains(names, u.Qualifier) {
			return "a function URL"
		}
	}
	for _, p := range whole.Policies {
		if slices.Contains(names, p.Qualifier) {
			return "the resource policy of " + p.Qualifier
		}
	}
	if len(names) > 1 {
		return "alias " + names[1]
	}
	return ""
}
