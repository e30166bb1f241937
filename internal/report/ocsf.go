package report

import (
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// OCSF 1.3.0 (https://schema.ocsf.io/1.3.0), an event a line. A check of an estate
// is a Compliance Finding (class 2003), a known vulnerability a Vulnerability
// Finding (2002), everything else that was found a Detection Finding (2004), all
// of category 2, Findings, and of activity 1, Create. What passed is a Compliance
// Finding too, because auditors ask for it; what is unknown has the compliance
// status Warning, which the schema keeps for a check without a result; what is
// not applicable is left out. The coverage has no class and stands nowhere.
//
// time, which the schema wants, is when the estate was read, so that the same
// estate gives the same bytes; of an alert it is the event's.

const (
	ocsfVersion       = "1.3.0"
	ocsfVulnerability = 2002
	ocsfCompliance    = 2003
	ocsfDetection     = 2004
)

var ocsfClasses = map[int]string{
	ocsfVulnerability: "Vulnerability Finding", ocsfCompliance: "Compliance Finding", ocsfDetection: "Detection Finding",
}

type ocsf struct {
	*printer
	observed
}

// observed is what a stream says of what was examined before its findings come.
type observed struct {
	version lamina.Version
	now     time.Time // when that was, else the run's time
	layers  map[string]lamina.LayerVersion
}

func observing(now time.Time) observed {
	return observed{now: now, layers: map[string]lamina.LayerVersion{}}
}

func (o *observed) note(m lamina.Message) {
	if v := m.Version; v != nil {
		o.version = *v
		if !v.Taken.IsZero() {
			o.now = v.Taken
		}
	}
	if m.Layer != nil {
		o.layers[m.Layer.ARN] = *m.Layer
	}
}

func newOCSF(p *printer, o Options) Writer {
	return &ocsf{printer: p, observed: observing(o.Now)}
}

// A document is a JSON object; its keys come out sorted.
type document map[string]any

func (w *ocsf) Write(m lamina.Message) error {
	w.note(m)
	switch {
	case m.Finding != nil:
		f := m.Finding
		if f.Outcome == lamina.NotApplicable || f.Outcome == lamina.Pass && f.Ref == "" {
			break
		}
		w.line(w.finding(f))
	case m.Alert != nil:
		w.line(w.alert(m.Alert))
	case m.Exposure != nil:
		e := m.Exposure
		doc := w.event(ocsfDetection, e.Severity, analytic("exposure", "exposure"), e.ID, e.Title, strings.Join(e.Path, " → "), w.now)
		doc["resources"] = []document{w.resource(e.Resource, nil)}
		doc["unmapped"] = document{"reasons": e.Reasons, "findings": e.Findings}
		w.line(doc)
	}
	return w.err
}

func (w *ocsf) Close() error { return w.flush() }

func (w *ocsf) line(doc document) {
	b, err := encode(doc)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.bytes(b)
	w.str("\n")
}

// ocsfSeverities are the numbers of severity_id, and their captions.
var ocsfSeverities = map[lamina.Severity]struct {
	id      int
	caption string
}{
	lamina.Info: {1, "Informational"}, lamina.Low: {2, "Low"}, lamina.Medium: {3, "Medium"}, lamina.High: {4, "High"}, lamina.Critical: {5, "Critical"},
}

// event is what every class has.
func (w *ocsf) event(class int, s lamina.Severity, analytic document, id, title, detail string, at time.Time) document {
	ms := int64(0)
	if !at.IsZero() {
		ms = at.UnixMilli()
	}
	sev := ocsfSeverities[s]
	return document{
		"class_uid": class, "class_name": ocsfClasses[class], "category_uid": 2, "category_name": "Findings",
		"activity_id": 1, "activity_name": "Create", "type_uid": class*100 + 1, "type_name": ocsfClasses[class] + ": Create",
		"severity_id": sev.id, "severity": sev.caption, "status_id": 1, "status": "New", "time": ms, "message": detail,
		"metadata": document{
			"version": ocsfVersion, "uid": id, "profiles": []string{"cloud"},
			"product": document{"name": "Lamina", "vendor_name": "Lamina", "version": w.version.Lamina},
		},
		"cloud":        document{"provider": "AWS"},
		"finding_info": document{"uid": id, "title": title, "desc": detail, "analytic": analytic},
	}
}

// analytic is what found it; type 1 is a rule.
func analytic(id, name string) document {
	return document{"uid": id, "name": name, "type_id": 1, "type": "Rule"}
}

func (w *ocsf) finding(f *lamina.Finding) document {
	class := ocsfDetection
	switch {
	case f.Vulnerability != nil:
		class = ocsfVulnerability
	case f.Ref != "":
		class = ocsfCompliance
	}
	doc := w.event(class, f.Severity, analytic(f.Check, f.Title), f.ID, f.Title, f.Detail, w.now)
	info := doc["finding_info"].(document) //nolint:errcheck,forcetypeassert // event made it
	if len(f.Techniques) > 0 {
		info["attacks"] = attacks(f.Techniques)
	}
	var resources []document
	for _, arn := range resourcesOf(f) {
		resources = append(resources, w.resource(arn, f.Owners))
	}
	doc["resources"] = resources
	if a, err := lamina.ParseARN(f.Resource); err == nil {
		cloud := document{"provider": "AWS"}
		if a.Region != "" && a.Region != "*" {
			cloud["region"] = a.Region
		}
		if len(f.Accounts) > 0 {
			cloud["account"] = document{"uid": f.Accounts[0], "type": "AWS Account", "type_id": 10}
		}
		doc["cloud"] = cloud
	}
	if f.Remediation != "" {
		doc["remediation"] = document{"desc": f.Remediation}
	}
	if f.Exception != nil {
		doc["status_id"], doc["status"] = 3, "Suppressed"
		doc["comment"] = accepted(f.Exception)
	}
	switch class {
	case ocsfCompliance:
		doc["compliance"] = compliance(f)
	case ocsfVulnerability:
		doc["vulnerabilities"] = []document{vulnerability(f.Vulnerability)}
	}
	doc["unmapped"] = unmapped(f)
	return doc
}

// maxResources is how many resources an event names: as many as a finding of
// Security Hub may.
const maxResources = 32

// resourcesOf are the resources that the finding is about, the first of many.
func resourcesOf(f *lamina.Finding) []string {
	if len(f.Members) == 0 {
		return []string{f.Resource}
	}
	var out []string
	for _, m := range f.Members[:min(len(f.Members), maxResources)] {
		out = append(out, m.Resource)
	}
	return out
}

// compliance says how the check ended. standards is required: without controls
// of a framework it is our own catalogue.
func compliance(f *lamina.Finding) document {
	standards, requirements := []string{}, []string{}
	for _, c := range f.Controls {
		if !slices.Contains(standards, c.Framework) {
			standards = append(standards, c.Framework)
		}
		requirements = append(requirements, c.Framework+" "+c.ID)
	}
	if len(standards) == 0 {
		standards = []string{"lamina"}
	}
	doc := document{"control": f.Ref, "standards": standards}
	if len(requirements) > 0 {
		doc["requirements"] = requirements
	}
	switch f.Outcome {
	case lamina.Pass:
		doc["status_id"], doc["status"] = 1, "Pass"
	case lamina.Fail:
		doc["status_id"], doc["status"] = 3, "Fail"
	case lamina.Unknown, lamina.NotApplicable:
		doc["status_id"], doc["status"], doc["status_detail"] = 2, "Warning", "unknown because: "+f.Reason+"; to settle: "+f.Settle
	}
	return doc
}

func vulnerability(v *lamina.Vulnerability) document {
	doc := document{"desc": v.Summary, "is_exploit_available": v.KEV, "is_fix_available": len(v.Fixed) > 0}
	if len(v.IDs) > 0 {
		doc["title"] = v.IDs[0]
		doc["cve"] = document{"uid": v.IDs[0]}
	}
	doc["affected_packages"] = []document{{"purl": v.PURL, "name": v.PURL}}
	return doc
}

// unmapped is what the schema has no place for.
func unmapped(f *lamina.Finding) document {
	doc := document{"outcome": f.Outcome, "check": f.Check}
	for key, list := range map[string][]string{"evidence": f.Evidence, "owners": f.Owners, "accounts": f.Accounts} {
		if len(list) > 0 {
			doc[key] = list
		}
	}
	for key, s := range map[string]string{"file": f.File, "sha256": f.SHA256, "baseline": f.Baseline, "reason": f.Reason, "settle": f.Settle} {
		if s != "" {
			doc[key] = s
		}
	}
	if f.Line > 0 {
		doc["line"] = f.Line
	}
	return doc
}

// attacks are MITRE ATT&CK techniques; a sub-technique has its parent beside it.
func attacks(ids []string) []document {
	var out []document
	for _, id := range ids {
		parent, _, sub := strings.Cut(id, ".")
		d := document{"technique": document{"uid": parent}}
		if sub {
			d["sub_technique"] = document{"uid": id}
		}
		out = append(out, d)
	}
	return out
}

// resource is what a finding is about.
func (w *ocsf) resource(name string, owners []string) document {
	doc := document{"uid": name}
	if len(owners) > 0 {
		doc["owner"] = document{"name": strings.Join(owners, ", ")}
	}
	a, err := lamina.ParseARN(name)
	if err != nil {
		doc["name"] = name
		return doc
	}
	doc["type"] = resourceType(a)
	if a.Partition != "*" {
		doc["cloud_partition"] = a.Partition
	}
	if a.Region != "" && a.Region != "*" {
		doc["region"] = a.Region
	}
	if l, ok := w.layers[name]; ok {
		doc["name"] = l.Name
		doc["data"] = layerDetails(l)
	}
	return doc
}

// resourceType is the kind of a resource in the words of CloudFormation, where it
// has one.
func resourceType(a lamina.ARN) string {
	head, _, _ := strings.Cut(strings.ReplaceAll(a.Resource, "/", ":"), ":")
	if t, ok := resourceTypes[a.Service+":"+head]; ok {
		return t
	}
	return "AWS::" + a.Service
}

var resourceTypes = map[string]string{
	"lambda:layer": "AWS::Lambda::LayerVersion", "lambda:function": "AWS::Lambda::Function", "lambda:code-signing-config": "AWS::Lambda::CodeSigningConfig",
	"iam:role": "AWS::IAM::Role", "iam:user": "AWS::IAM::User", "organizations:policy": "AWS::Organizations::Policy", "organizations:account": "AWS::Organizations::Account",
	"cloudtrail:trail": "AWS::CloudTrail::Trail",
}

// layerDetails is a layer version in the words of AWS Security Hub
// (https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsLambdaLayerVersionDetails.html),
// which takes five runtimes.
func layerDetails(l lamina.LayerVersion) document {
	doc := document{"Version": l.Version}
	if n := len(l.CompatibleRuntimes); n > 0 {
		doc["CompatibleRuntimes"] = l.CompatibleRuntimes[:min(n, 5)]
	}
	if !l.Created.IsZero() {
		doc["CreatedDate"] = l.Created.UTC().Format(time.RFC3339)
	}
	return doc
}

func (w *ocsf) alert(a *lamina.Alert) document {
	doc := w.event(ocsfDetection, a.Severity, analytic(a.Rule.ID, a.Rule.Name), a.ID, a.Rule.Name, a.Reason, a.OriginalTime)
	info := doc["finding_info"].(document) //nolint:errcheck,forcetypeassert // event made it
	if len(a.Rule.Techniques) > 0 {
		info["attacks"] = attacks(a.Rule.Techniques)
	}
	doc["risk_score"] = a.RiskScore
	if a.Exception != nil {
		doc["status_id"], doc["status"] = 3, "Suppressed"
		doc["comment"] = accepted(a.Exception)
	}
	doc["unmapped"] = document{"event_ids": nonNil(a.EventIDs), "file": a.File, "values": a.Values}
	return doc
}
