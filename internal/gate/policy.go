package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// A Policy is what a layer must be. Its zero value lets nothing be unknown and
// nothing fail; Default is what holds when there is no file.
type Policy struct {
	// Name is the file, "" for Default.
	Name string
	// FailOn is the severity from which a finding decides, "" for none.
	FailOn lamina.Severity
	// NewOnly lets findings that the baseline has decide nothing; nil means so
	// when there is a baseline.
	NewOnly *bool
	// RequireComplete keeps the gate shut while anything is unknown.
	RequireComplete bool
	// Overrides are by analyzer id.
	Overrides map[string]Override
	Layer     LayerRules
	// Allowed and Denied are licences as SPDX writes them, or patterns of them;
	// what is denied wins.
	Allowed, Denied []string
	Vulnerabilities VulnerabilityRules
}

// An Override is what the policy thinks of one analyzer. Exactly one of Severity
// and Off is set, and Reason says why.
type Override struct {
	Severity lamina.Severity
	Off      bool
	Reason   string
}

// LayerRules are requirements of a layer as a whole; 0 and nil are none.
type LayerRules struct {
	// MaxUnzipped is in bytes, MaxFiles a number of files.
	MaxUnzipped, MaxFiles int64
	// Runtimes ("python3.12", "nodejs*") and Architectures ("arm64") are those it
	// may be for.
	Runtimes, Architectures []string
	// ForbiddenPaths are patterns of exception.Glob.
	ForbiddenPaths []string
	// RequireRecord wants a RECORD for each Python package, and files as it says.
	RequireRecord bool
	// RequireApproval wants an approval in force for the digest of the layer's zip.
	RequireApproval bool
}

// VulnerabilityRules say which known vulnerabilities decide.
type VulnerabilityRules struct {
	// Max is the worst severity that may stay, "" to leave it to FailOn.
	Max lamina.Severity
	// OnlyFixable lets those without a fixed version decide nothing.
	OnlyFixable bool
	// MaxAge is how old the vulnerability data may be, 0 for any age.
	MaxAge time.Duration
}

// Default is the policy without a file.
func Default() Policy { return Policy{FailOn: lamina.High, RequireComplete: true} }

// maxMB is more than any limit of a policy means.
const maxMB = 1 << 20

// ParsePolicy reads layer-policy.toml. It is strict: all that is wrong is told at
// once, each with its place (the parts are *tomlfile.Error). analyzers are the
// ids there are.
func ParsePolicy(name string, data []byte, analyzers []string) (Policy, error) {
	t, err := tomlfile.Parse(name, data)
	if err != nil {
		return Policy{}, err
	}
	p := Policy{Name: name, RequireComplete: t.Bool("require_complete", true), FailOn: failOn(t)}
	if v := t.Bool("new_only", false); t.Has("new_only") {
		p.NewOnly = &v
	}
	if a := t.Table("analyzers"); a != nil {
		p.Overrides = overrides(a, analyzers)
	}
	if l := t.Table("layer"); l != nil {
		p.Layer = layerRules(l)
	}
	if l := t.Table("licences"); l != nil {
		p.Allowed, p.Denied = l.Texts("allowed"), l.Texts("denied")
		l.Done()
	}
	if v := t.Table("vulnerabilities"); v != nil {
		p.Vulnerabilities = vulnerabilityRules(v)
	}
	t.Done()
	if err := t.Err(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

func failOn(t *tomlfile.Table) lamina.Severity {
	allowed := []string{string(lamina.High), string(lamina.Info), string(lamina.Low), string(lamina.Medium), string(lamina.Critical), "never"}
	if w := t.Word("fail_on", allowed...); w != "never" {
		return lamina.Severity(w)
	}
	return ""
}

func overrides(t *tomlfile.Table, analyzers []string) map[string]Override {
	out := map[string]Override{}
	for _, id := range analyzers {
		o := t.Table(id)
		if o == nil {
			continue
		}
		x := Override{Off: o.Bool("off", false), Reason: strings.TrimSpace(o.Text("reason"))}
		if o.Has("severity") {
			x.Severity = lamina.Severity(o.Word("severity", severities()...))
		} else {
			o.Text("severity")
		}
		switch {
		case x.Off && x.Severity != "":
			o.Fail("severity", "keep one of them", "%s is off, and has a severity", id)
		case !x.Off && x.Severity == "":
			o.Fail("off", "write off = true or severity = …", "%s is changed in nothing", id)
		case x.Reason == "":
			o.Fail("reason", "say why, for whoever reads this in a year", "%s: the change has no reason", id)
		}
		o.Done()
		out[id] = x
	}
	t.Done()
	return out
}

func severities() []string {
	out := make([]string, len(lamina.Severities))
	for i, s := range lamina.Severities {
		out[i] = string(s)
	}
	return out
}

func layerRules(t *tomlfile.Table) LayerRules {
	r := LayerRules{
		MaxUnzipped: t.Int("max_unzipped_mb"), MaxFiles: t.Int("max_files"),
		Runtimes: t.Texts("runtimes"), Architectures: t.Texts("architectures"),
		ForbiddenPaths: t.Texts("forbidden_paths"), RequireRecord: t.Bool("require_record", false),
		RequireApproval: t.Bool("require_approval", false),
	}
	for _, k := range []struct {
		key string
		n   int64
	}{{"max_unzipped_mb", r.MaxUnzipped}, {"max_files", r.MaxFiles}} {
		if t.Has(k.key) && k.n == 0 {
			t.Fail(k.key, "leave the key out for no limit", "%s: no layer keeps this limit", k.key)
		}
	}
	if r.MaxUnzipped > maxMB {
		t.Fail("max_unzipped_mb", "it is in megabytes, as AWS counts them", "max_unzipped_mb: %d is no limit", r.MaxUnzipped)
		r.MaxUnzipped = 0
	}
	r.MaxUnzipped *= 1_000_000
	for _, a := range r.Architectures {
		if a != "x86_64" && a != "arm64" {
			t.Fail("architectures", "x86_64 or arm64", "architectures: %q is none of Lambda's", a)
		}
	}
	for _, p := range r.ForbiddenPaths {
		if strings.HasPrefix(p, "/") {
			t.Fail("forbidden_paths", "paths are those in the layer: extensions/**", "forbidden_paths: %q begins with a slash", p)
		}
	}
	t.Done()
	return r
}

func vulnerabilityRules(t *tomlfile.Table) VulnerabilityRules {
	var r VulnerabilityRules
	if t.Has("max_severity") {
		w := t.Word("max_severity", append([]string{"none"}, severities()...)...)
		r.Max = lamina.Severity(w) // "none" ranks below all severities
	} else {
		t.Text("max_severity")
	}
	r.OnlyFixable = t.Bool("only_fixable", false)
	days := t.Int("max_data_age_days")
	if t.Has("max_data_age_days") && (days == 0 || days > 3650) {
		t.Fail("max_data_age_days", "", "max_data_age_days: %d is no number of days from 1 to 3650", days)
	}
	r.MaxAge = time.Duration(days) * 24 * time.Hour
	t.Done()
	return r
}

// Schema is the JSON Schema of layer-policy.toml, for editors.
func Schema(analyzers []string) map[string]any {
	text := func(doc string) map[string]any {
		return map[string]any{"type": "string", "minLength": 1, "description": doc}
	}
	texts := func(doc string) map[string]any {
		return map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"type": "string", "minLength": 1}, "description": doc}
	}
	truth := func(doc string) map[string]any { return map[string]any{"type": "boolean", "description": doc} }
	number := func(doc string) map[string]any {
		return map[string]any{"type": "integer", "minimum": 1, "description": doc}
	}
	word := func(doc string, more ...string) map[string]any {
		return map[string]any{"enum": append(severities(), more...), "description": doc}
	}
	table := func(doc string, props map[string]any) map[string]any {
		return map[string]any{"type": "object", "additionalProperties": false, "description": doc, "properties": props}
	}
	override := table("what this policy thinks of the analyzer", map[string]any{
		"severity": word("what its findings count as"),
		"off":      truth("its findings decide nothing and are shown as not applicable"),
		"reason":   text("why"),
	})
	override["required"] = []string{"reason"}
	byID := map[string]any{}
	for _, id := range analyzers {
		byID[id] = override
	}
	architectures := texts("the architectures it may be for")
	architectures["items"] = map[string]any{"enum": []string{"x86_64", "arm64"}}
	s := table("what a layer must be before it is published", map[string]any{
		"fail_on":          word("the severity from which a finding keeps the gate shut (default high)", "never"),
		"new_only":         truth("findings that the baseline has decide nothing; default: true with --baseline"),
		"require_complete": truth("keep the gate shut while anything is unknown (default true)"),
		"analyzers":        table("changes by analyzer, each with a reason", byID),
		"layer": table("requirements of the layer as a whole", map[string]any{
			"max_unzipped_mb":  number("megabytes of all files, inflated; AWS takes 250 for all layers of a function"),
			"max_files":        number("how many files"),
			"runtimes":         texts("the runtimes it may be for, by --runtime, its folders and its native modules; * stands for any characters"),
			"architectures":    architectures,
			"forbidden_paths":  texts("paths that may not be there; * stops at a slash, ** does not"),
			"require_approval": truth("somebody approved the digest of its zip (approvals.toml)"),
			"require_record":   truth("each Python package has a RECORD, and its files are what it says"),
		}),
		"licences": table("licences of packages, as SPDX writes them; * stands for any characters", map[string]any{
			"allowed": texts("anything else is refused; a licence that cannot be told leaves the answer unknown"),
			"denied":  texts("these are refused"),
		}),
		"vulnerabilities": table("known vulnerabilities", map[string]any{
			"max_severity":      word("the worst that may stay", "none"),
			"only_fixable":      truth("one without a fixed version decides nothing"),
			"max_data_age_days": number("older vulnerability data leaves the answer unknown"),
		}),
	})
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "layer-policy.toml"
	return s
}

// Describe says in a line what the policy asks for.
func (p Policy) Describe() string {
	parts := []string{"fails on nothing by severity"}
	if p.FailOn != "" {
		parts[0] = "fails on " + string(p.FailOn) + " and above"
	}
	if !p.RequireComplete {
		parts = append(parts, "lets unknown answers pass")
	}
	for _, id := range slices.Sorted(maps.Keys(p.Overrides)) {
		if o := p.Overrides[id]; o.Off {
			parts = append(parts, id+" is off")
		} else {
			parts = append(parts, fmt.Sprintf("%s counts as %s", id, o.Severity))
		}
	}
	return strings.Join(parts, ", ")
}
