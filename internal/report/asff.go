package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lamina-sec/lamina"
)

// asff is the AWS Security Finding Format
// (https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html)
// of what failed and what is unknown. Each line is what one call of
// BatchImportFindings takes: an array of at most 100 findings of one account and
// region, which is where the call has to be made:
//
//	while read -r batch; do aws securityhub batch-import-findings --findings "$batch"; done
//
// Results that belong to no account (a layer zip, an alert) have no place in it
// and are left out. What is under an exception is SUPPRESSED, which Security Hub
// takes for a finding that is new to it only. Findings are kept until Close.
type asff struct {
	*printer
	observed
	partition string
	findings  []lamina.Finding
}

// What BatchImportFindings takes
// (https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html).
const (
	maxBatch       = 100
	maxASFFTitle   = 256
	maxASFFText    = 1024
	maxASFFFix     = 512
	maxASFFRelated = 32
)

func newASFF(p *printer, o Options) Writer {
	return &asff{printer: p, observed: observing(o.Now)}
}

func (w *asff) Write(m lamina.Message) error {
	w.note(m)
	if f := m.Finding; f != nil {
		if a, err := lamina.ParseARN(f.Resource); err == nil && a.Partition != "*" && w.partition == "" {
			w.partition = a.Partition
		}
		if (f.Outcome == lamina.Fail || f.Outcome == lamina.Unknown) && len(f.Accounts) > 0 {
			w.findings = append(w.findings, *f)
		}
	}
	return w.err
}

// A hub is an account and region that findings are imported into.
type hub struct{ account, region string }

func (w *asff) Close() error {
	w.partition = cmp.Or(w.partition, "aws")
	batches := map[hub][]document{}
	for i := range w.findings {
		at := w.hub(&w.findings[i])
		batches[at] = append(batches[at], w.finding(&w.findings[i], at))
	}
	for _, at := range slices.SortedFunc(maps.Keys(batches), func(a, b hub) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.region, b.region))
	}) {
		for batch := range slices.Chunk(batches[at], maxBatch) {
			b, err := encode(batch)
			if err != nil && w.err == nil {
				w.err = err
			}
			w.bytes(b)
			w.str("\n")
		}
	}
	return w.flush()
}

// hub is the account and region of a finding. What has no region goes to the
// one in which the partition keeps what is global.
func (w *asff) hub(f *lamina.Finding) hub {
	at := hub{account: f.Accounts[0]}
	if a, err := lamina.ParseARN(f.Resource); err == nil && a.Region != "" && a.Region != "*" {
		at.region = a.Region
	}
	if at.region == "" {
		at.region = map[string]string{"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}[w.partition]
	}
	at.region = cmp.Or(at.region, "us-east-1")
	return at
}

func (w *asff) finding(f *lamina.Finding, at hub) document {
	stamp := w.now.UTC().Format(time.RFC3339)
	related := []string{}
	for _, c := range f.Controls[:min(len(f.Controls), maxASFFRelated)] {
		related = append(related, c.Framework+" "+c.ID)
	}
	status := "FAILED"
	text := f.Detail
	if f.Outcome == lamina.Unknown {
		status = "WARNING"
		text += ". Unknown because: " + f.Reason + "; to settle: " + f.Settle
	}
	if len(f.Evidence) > 0 {
		text += ". " + strings.Join(f.Evidence, "; ")
	}
	compliance := document{"Status": status}
	if len(related) > 0 {
		compliance["RelatedRequirements"] = related
	}
	fields := document{"lamina/finding": f.ID, "lamina/check": f.Check, "lamina/outcome": f.Outcome}
	for key, s := range map[string]string{"lamina/number": f.Ref, "lamina/owners": strings.Join(f.Owners, ", "), "lamina/baseline": f.Baseline, "lamina/techniques": strings.Join(f.Techniques, " ")} {
		if s != "" {
			fields[key] = s
		}
	}
	var resources []document
	for _, arn := range resourcesOf(f) {
		resources = append(resources, w.resource(arn, at))
	}
	doc := document{
		"SchemaVersion": "2018-10-08", "Id": "lamina/" + at.account + "/" + at.region + "/" + f.ID,
		"ProductArn":  "arn:" + w.partition + ":securityhub:" + at.region + ":" + at.account + ":product/" + at.account + "/default",
		"ProductName": "Lamina", "CompanyName": "Lamina", "GeneratorId": "lamina/" + f.Check, "AwsAccountId": at.account,
		"Types": []string{asffType(f)}, "CreatedAt": stamp, "UpdatedAt": stamp,
		"Severity": document{"Label": asffSeverity(f.Severity), "Original": string(f.Severity)},
		"Title":    clip(cmp.Or(f.Title, f.Check), maxASFFTitle), "Description": clip(cmp.Or(text, f.Title, f.Check), maxASFFText),
		"Resources": resources, "Compliance": compliance, "RecordState": "ACTIVE",
		"ProductFields": fields,
	}
	if f.Remediation != "" {
		doc["Remediation"] = document{"Recommendation": document{"Text": clip(f.Remediation, maxASFFFix)}}
	}
	if f.Exception != nil {
		doc["Workflow"] = document{"Status": "SUPPRESSED"}
		fields["lamina/exception"] = clip(accepted(f.Exception), maxASFFText)
	}
	return doc
}

// asffType is from the taxonomy of
// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html#Types.
func asffType(f *lamina.Finding) string {
	if f.Vulnerability != nil {
		return "Software and Configuration Checks/Vulnerabilities/CVE"
	}
	return "Software and Configuration Checks/AWS Security Best Practices"
}

func asffSeverity(s lamina.Severity) string {
	if s == lamina.Info {
		return "INFORMATIONAL"
	}
	return strings.ToUpper(string(s))
}

func (w *asff) resource(arn string, at hub) document {
	doc := document{"Type": "Other", "Id": arn, "Partition": w.partition, "Region": at.region}
	a, err := lamina.ParseARN(arn)
	if err != nil {
		return doc
	}
	switch t := resourceType(a); {
	case strings.Contains(a.Resource, "*"):
	case t == "AWS::Lambda::LayerVersion":
		l, err := lamina.ParseLayerARN(arn)
		if err != nil || l.Version == 0 {
			break
		}
		doc["Type"] = "AwsLambdaLayerVersion"
		v, ok := w.layers[arn]
		if !ok {
			v.Version = l.Version
		}
		doc["Details"] = document{"AwsLambdaLayerVersion": layerDetails(v)}
	case t == "AWS::Lambda::Function":
		doc["Type"] = "AwsLambdaFunction"
	case t == "AWS::IAM::Role":
		doc["Type"] = "AwsIamRole"
	case t == "AWS::IAM::User":
		doc["Type"] = "AwsIamUser"
	}
	return doc
}

// clip is s with at most n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}
