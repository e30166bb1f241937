package iac

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// roleOf is the ARN of the role that a function names, "" when it is not known.
func (b *builder) roleOf(v value) string {
	if v.kind != text {
		return ""
	}
	if p := b.roleNamed(v.text); p != nil {
		return p.ARN
	}
	return v.text
}

// roleNamed is the declared role with the ARN or the name, nil if there is none.
func (b *builder) roleNamed(ref string) *lamina.Principal {
	if p := b.principals.byARN[ref]; p != nil {
		return p
	}
	if a, err := lamina.ParseARN(ref); err == nil && a.Service == "iam" && a.Account == b.account {
		ref = a.Resource[strings.LastIndex(a.Resource, "/")+1:]
	}
	return b.principals.byARN[b.principals.named[ref]]
}

func (b *builder) takeRole(r resource) {
	arn, short := b.role(r.id, r.props.get("RoleName"), r.props.get("Path"))
	p := &lamina.Principal{ARN: arn, Account: b.account, Kind: "Role", Name: short, Path: r.props.get("Path").text}
	if trust := r.props.get("AssumeRolePolicyDocument"); trust.kind != absent {
		p.Trust = b.document(trust)
	}
	b.principals.add(arn, p.Name, p)
	b.at(arn, "", r.at)
	for _, item := range r.props.get("Policies").each() {
		b.inline(p, item.get("PolicyName"), item.get("PolicyDocument"), item)
	}
	b.attach(p, r.props.get("ManagedPolicyArns"))
	switch boundary := r.props.get("PermissionsBoundary"); boundary.kind {
	case text:
		p.Boundary = boundary.text
	case unknown:
		p.Boundary = place(boundary.at) // one of which nothing is known
	case absent, list, object:
	}
}

// inline adds a policy that belongs to the role alone.
func (b *builder) inline(p *lamina.Principal, name, doc, whole value) {
	if whole.kind == unknown {
		doc = whole
	}
	n := name.text
	if name.kind != text {
		n = fmt.Sprintf("policy %d", len(p.Inline)+1)
	}
	p.Inline = append(p.Inline, lamina.InlinePolicy{Name: n, Document: b.document(doc)})
	b.statements(p.ARN, n+" of "+p.Name, doc)
}

// An attachment is of a managed policy to a role.
type attachment struct {
	role   *lamina.Principal
	policy string
}

// attach adds managed policies to the role.
func (b *builder) attach(p *lamina.Principal, policies value) {
	for _, item := range policies.each() {
		arn := item.text
		if item.kind != text {
			arn = place(item.at) + ": " + item.why // a policy that nobody has read
		}
		if b.has[attachment{p, arn}] {
			continue
		}
		b.has[attachment{p, arn}] = true
		b.attached[arn] = append(b.attached[arn], p)
		p.Attached = append(p.Attached, arn)
		if doc := awsManaged(arn); doc != "" {
			b.policies[arn] = lamina.ManagedPolicy{ARN: arn, Name: arn[strings.LastIndex(arn, "/")+1:], Document: doc}
		}
		b.at(p.ARN, "statement: identity policy "+arn, item.at)
	}
}

// statements notes where the statements of a policy are.
func (b *builder) statements(principal, name string, doc value) {
	b.at(principal, "statement: identity policy "+name, doc.at)
	for i, s := range doc.get("Statement").each() {
		b.at(principal, fmt.Sprintf("statement: identity policy %s, statement %d", name, i+1), s.at)
	}
}

func (b *builder) takeManaged(r resource) {
	arn := b.managed(r.id, r.props.get("ManagedPolicyName"))
	doc := r.props.get("PolicyDocument")
	b.policies[arn] = lamina.ManagedPolicy{ARN: arn, Name: r.logical, Document: b.document(doc)}
	b.at(arn, "", r.at)
	for _, p := range b.rolesOf(r, "Roles") {
		b.attach(p, textOf(arn, r.at))
	}
	for _, p := range b.attached[arn] {
		if b.principals.byARN[p.ARN] == p { // and no other took its place
			b.statements(p.ARN, arn, doc)
		}
	}
}

// existing is the role with the name: a declared one, or one that the estate may
// have.
func (b *builder) existing(r resource, name string) *lamina.Principal {
	if p := b.roleNamed(name); p != nil {
		return p
	}
	arn := name
	if !strings.HasPrefix(name, "arn:") {
		arn, _ = b.role("", textOf(name, r.at), value{})
	}
	if b.opt.Live != nil {
		if b.live == nil {
			b.live = map[string]string{}
			for _, p := range b.opt.Live.Principals {
				if p.Account == b.account && p.Kind == "Role" {
					b.live[p.Name] = p.ARN
				}
			}
		}
		arn = cmp.Or(b.live[name], arn)
	}
	p := &lamina.Principal{ARN: arn, Account: b.account, Kind: "Role", Name: name}
	b.principals.add(arn, name, p)
	b.partial[arn] = true
	b.at(arn, "", r.at)
	return p
}

// rolesOf are the roles that the property names. A policy that goes to one that is not
// known may let somebody do anything that it allows.
func (b *builder) rolesOf(r resource, property string) []*lamina.Principal {
	var roles []*lamina.Principal
	for _, item := range r.props.get(property).each() {
		switch {
		case item.kind == text:
			roles = append(roles, b.existing(r, item.text))
		case r.props.get("PolicyDocument").kind == absent && !slices.ContainsFunc(r.props.get("ManagedPolicyArns").each(), powerful):
		default:
			b.doubtful("iam:GetAccountAuthorizationDetails", r.id, property, r.at, item)
		}
	}
	return roles
}

// powerful says whether a managed policy may allow to change functions or layers: all
// may but those of AWS that are known to let a function do its own work.
func powerful(policy value) bool {
	return awsManaged(policy.text) == "" || strings.HasSuffix(policy.text, "/AdministratorAccess")
}

// takePolicy reads a policy that is put into roles, or managed policies that are
// attached to them.
func (b *builder) takePolicy(r resource) {
	for _, p := range slices.Concat(b.rolesOf(r, "Roles"), b.rolesOf(r, "RoleName")) {
		if doc := r.props.get("PolicyDocument"); doc.kind != absent {
			b.inline(p, r.props.get("PolicyName").or(textOf(r.logical, r.at)), doc, doc)
		}
		b.attach(p, r.props.get("ManagedPolicyArns"))
	}
}

// document is a policy as JSON. What is not known of a statement makes it one
// that may match wherever its other elements do not rule it out, which is what
// package iam makes of an element it does not know.
func (b *builder) document(v value) string {
	if v.kind == text {
		parsed, err := readDocument(v.at.File, []byte(v.text))
		if err != nil || !slices.ContainsFunc(parsed.get("Statement").each(), func(s value) bool {
			_, here := b.elsewhere(s.get("Resource"))
			_, not := b.elsewhere(s.get("NotResource"))
			return here || not
		}) {
			return v.text // as it is: package iam says what is wrong with it
		}
		v = located(parsed, v.at)
	}
	doc := map[string]any{"Version": "2012-10-17"}
	if version := v.get("Version"); version.kind == text {
		doc["Version"] = version.text
	}
	var statements []any
	if d, doubt := v.doubt(); doubt && v.kind != object {
		statements = append(statements, anything(d))
	}
	for _, s := range v.get("Statement").each() {
		statements = append(statements, b.statement(s))
	}
	doc["Statement"] = statements
	out, err := json.Marshal(doc)
	if err != nil {
		return ""
	}
	return string(out)
}

// anything is a statement of which nothing is known.
func anything(why value) map[string]any {
	return map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*", element(why): ""}
}

func element(why value) string { return place(why.at) + ": " + why.why }

func (b *builder) statement(v value) any {
	if v.kind != object {
		if d, doubt := v.doubt(); doubt {
			return anything(d)
		}
		return map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*", "no statement": ""}
	}
	out := map[string]any{}
	if v.why != "" {
		out[element(v)] = ""
	}
	for _, name := range v.names() {
		field := v.fields[name]
		d, doubt := field.doubt()
		if !doubt && strings.HasSuffix(name, "Resource") {
			d, doubt = b.elsewhere(field)
		}
		if !doubt {
			out[name] = plain(field)
			continue
		}
		out[element(d)] = ""
		switch name {
		case "Action", "Resource":
			out[name] = "*"
		case "NotAction", "NotResource":
			out[strings.TrimPrefix(name, "Not")] = "*"
		case "Effect":
			out[name] = "Allow"
		case "Principal":
			out[name] = "*"
		}
	}
	return out
}

// elsewhere is a resource of Lambda in a region or an account that is named, when
// it is not known whether that is the one the code is deployed to.
func (b *builder) elsewhere(resources value) (value, bool) {
	for _, r := range resources.each() {
		a, err := lamina.ParseARN(r.text)
		if err != nil || a.Service != "lambda" {
			continue
		}
		named := func(s string) bool { return s != "" && !strings.ContainsAny(s, "*?$") }
		if b.opt.Region == "" && named(a.Region) || b.account == unknownAccount && named(a.Account) && a.Account != unknownAccount {
			return unknownOf("whether the code is deployed to where "+r.text+" is, is not known", r.at), true
		}
	}
	return value{}, false
}

// plain is v as encoding/json writes it.
func plain(v value) any {
	switch v.kind {
	case list:
		out := make([]any, 0, len(v.items))
		for _, item := range v.items {
			out = append(out, plain(item))
		}
		return out
	case object:
		out := make(map[string]any, len(v.fields))
		for name, field := range v.fields {
			out[name] = plain(field)
		}
		return out
	case absent, text, unknown:
	}
	return v.text
}

// policyTemplate is a policy template of SAM
// (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html):
// of those whose actions are not listed here it is known that they are of one
// service and none of Lambda's, and no more.
func policyTemplate(name string, parameters value) value {
	at := parameters.at
	statement := map[string]value{"Effect": textOf("Allow", at), "Resource": textOf("*", at)}
	i := slices.IndexFunc(templateServices, func(s []string) bool { return strings.HasPrefix(name, s[0]) })
	doc := unknownOf("the policy template "+name+" is not known", at)
	switch {
	case name == "LambdaInvokePolicy":
		statement["Action"] = textOf("lambda:InvokeFunction", at)
	case i >= 0:
		statement["Action"] = textOf(templateServices[i][1]+":*", at)
		statement["Resource"] = unknownOf("what the policy template "+name+" allows is not listed", at)
	}
	if statement["Action"].kind == text {
		doc = value{kind: object, at: at, fields: map[string]value{"Statement": {kind: object, at: at, fields: statement}}}
	}
	return value{kind: object, at: at, fields: map[string]value{"PolicyName": textOf(name, at), "PolicyDocument": doc}}
}

// templateServices are the services of policy templates by the beginning of their
// names.
var templateServices = [][]string{
	{"SQS", "sqs"},
	{"CloudWatch", "cloudwatch"},
	{"EC2", "ec2"},
	{"S3", "s3"},
	{"DynamoDB", "dynamodb"},
	{"SES", "ses"},
	{"Elasticsearch", "es"},
	{"SNS", "sns"},
	{"Kinesis", "kinesis"},
	{"KMS", "kms"},
	{"SSMParameter", "ssm"},
	{"StepFunctions", "states"},
	{"AWSSecretsManager", "secretsmanager"},
	{"Rekognition", "rekognition"},
	{"Polly", "polly"},
	{"Comprehend", "comprehend"},
	{"Firehose", "firehose"},
	{"EventBridge", "events"},
	{"Textract", "textract"},
	{"Athena", "athena"},
	{"MobileAnalytics", "mobileanalytics"},
	{"FilterLogEvents", "logs"},
	{"VPCAccess", "ec2"},
	{"Route53", "route53"},
	{"CodePipeline", "codepipeline"},
	{"CodeCommit", "codecommit"},
	{"Pinpoint", "mobiletargeting"},
}

// managedActions are what AWS's managed policies for the roles of functions
// allow, on every resource, as AWS documents them
// (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html).
var managedActions = map[string][]string{
	"service-role/AWSLambdaBasicExecutionRole":     logActions,
	"service-role/AWSLambdaVPCAccessExecutionRole": append([]string{"ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"}, logActions...),
	"service-role/AWSLambdaSQSQueueExecutionRole":  append([]string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}, logActions...),
	"service-role/AWSLambdaDynamoDBExecutionRole":  append([]string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}, logActions...),
	"service-role/AWSLambdaKinesisExecutionRole":   append([]string{"kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard"}, logActions...),
	"AWSXRayDaemonWriteAccess":                     xrayActions,
	"AWSXrayWriteOnlyAccess":                       xrayActions,
	"AdministratorAccess":                          {"*"},
}

var (
	logActions  = []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
	xrayActions = []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"}
)

// awsManaged is the document of a managed policy of AWS, "" if it is not one of
// those that are known here.
func awsManaged(arn string) string {
	a, err := lamina.ParseARN(arn)
	if err != nil || a.Service != "iam" || a.Account != "aws" {
		return ""
	}
	actions, ok := managedActions[strings.TrimPrefix(a.Resource, "policy/")]
	if !ok {
		return ""
	}
	doc, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}}})
	if err != nil {
		return ""
	}
	return string(doc)
}
