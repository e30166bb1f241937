package iam_test

import (
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/iam"
)

// Where the pages of the IAM user guide begin.
const guide = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"

// at is a document of a scenario: an edge, a level where there is one, and
// statements.
type at struct {
	edge       iam.Edge
	level      string
	statements string
}

const (
	aliceARN = "arn:aws:iam::111122223333:user/alice"
	bobARN   = "arn:aws:iam::444455556666:user/Bob"
	document = "arn:aws:s3:::doc-bucket/reports/x"
	key      = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
	deploy   = "arn:aws:iam::111122223333:role/deploy"
)

// What AWS's pages say about who wins, each as a request: the policies are ours,
// the situation is the page's.
func TestDocumented(t *testing.T) {
	allow := func(action, resource string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	when := func(condition string) string {
		return `{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + condition + `}`
	}
	grant := func(principal, action string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"*"}`
	}
	deny := func(principal string) string {
		return `{"Effect":"Deny",` + principal + `,"Action":"s3:*","Resource":"*"}`
	}
	carlos := `{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::carlos/*","arn:aws:s3:::carlos"]},{"Sid":"DenyLogs","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::*log*"}`
	user, roleOf := func(arn string) iam.Caller { return iam.Caller{ARN: arn} }, func(arn, session string) iam.Caller {
		return iam.Caller{ARN: arn, Session: session}
	}
	alice := user(aliceARN)
	session := roleOf(dev, "arn:aws:sts::111122223333:assumed-role/dev/s1")
	federated := user("arn:aws:sts::111122223333:federated-user/bob")
	nothing := allow("ec2:*", "*") // an implicit deny of everything else
	id, res := iam.Identity, iam.ResourcePolicy
	for _, tt := range []struct {
		page, name string
		caller     iam.Caller
		action     string
		resource   string
		owner      string // where the ARN does not say
		keys       iam.Keys
		policies   []at
		want       iam.Result
		why        string // in the explanation
	}{
		// One account.
		{"reference_policies_evaluation-logic_policy-eval-basics.html", "an explicit deny wins", alice, "s3:PutObject", "arn:aws:s3:::carlos-logs/x", "111122223333", nil, []at{{id, "", carlos}, {res, "", grant(`{"AWS":"`+aliceARN+`"}`, "s3:*")}}, iam.Deny, "denied by identity policy p0, statement 2 (DenyLogs), line 1"},
		{"reference_policies_evaluation-logic_policy-eval-basics.html", "both allow", alice, "s3:PutObject", "arn:aws:s3:::carlos/x", "111122223333", nil, []at{{id, "", carlos}, {res, "", grant(`{"AWS":"`+aliceARN+`"}`, "s3:*")}}, iam.Allow, "by identity policy p0, statement 1"},
		{"reference_policies_evaluation-logic_policy-eval-basics.html", "the resource's policy alone is enough", alice, "s3:PutObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+aliceARN+`"}`, "s3:*")}}, iam.Allow, "by resource policy p0"},
		{"reference_policies_evaluation-logic_policy-eval-basics.html", "the identity's policy alone is enough", alice, "s3:PutObject", document, "111122223333", nil, []at{{id, "", allow("s3:*", "*")}}, iam.Allow, "by identity policy p0"},
		{"reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html", "what nobody allows is denied", alice, "iam:CreatePolicy", "*", "", nil, []at{{id, "", allow("iam:Get*", "*")}}, iam.Deny, "no identity policy allows it"},
		{"reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html", "a deny of reports", alice, "iam:GetOrganizationsAccessReport", "*", "", nil, []at{{id, "", allow("iam:Get*", "*") + `,{"Sid":"DenyReports","Effect":"Deny","Action":"iam:*Report","Resource":"*"}`}}, iam.Deny, "(DenyReports)"},
		// Grants of a resource against implicit denies, within the account.
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "to a user, whatever the boundary", alice, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+aliceARN+`"}`, "s3:*")}, {iam.Boundary, "", nothing}}, iam.Allow, ""},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "to a session, whatever boundary and session policy", session, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+session.Session+`"}`, "s3:*")}, {iam.Boundary, "", nothing}, {iam.Session, "", nothing}}, iam.Allow, ""},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "to a role, within its boundary", session, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+dev+`"}`, "s3:*")}, {iam.Boundary, "", nothing}}, iam.Deny, "no permissions boundary allows it"},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "to a role, within its session policy", session, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+dev+`"}`, "s3:*")}, {iam.Session, "", nothing}}, iam.Deny, "no session policy allows it"},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "to a role without an identity policy", session, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+dev+`"}`, "s3:*")}, {id, "", nothing}}, iam.Allow, ""},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "to a federated user's session", federated, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"`+federated.ARN+`"}`, "s3:*")}}, iam.Allow, ""},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "a federated user without a session policy", federated, "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}}, iam.Deny, "no session policy allows it"},
		{"reference_policies_evaluation-logic_policy-eval-denyallow.html", "the root user needs no policy", user("arn:aws:iam::111122223333:root"), "s3:GetObject", document, "111122223333", nil, nil, iam.Allow, ""},
		{"reference_policies_elements_principal.html", "to everyone with a role's ARN as a condition, whatever the boundary", session, "s3:GetObject", document, "111122223333", nil, []at{{iam.Boundary, "", nothing}, {res, "", `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + dev + `"}}}`}}, iam.Allow, ""},
		{"reference_policies_elements_principal.html", "to the account, which delegates", alice, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"111122223333"}`, "s3:*")}}, iam.Deny, "no identity policy allows it"},
		{"reference_policies_elements_principal.html", "to a principal that was deleted", iam.Caller{ARN: dev, UniqueID: roleID}, "s3:GetObject", document, "111122223333", nil, []at{{res, "", grant(`{"AWS":"AROA`+`EXAMPLEEXAMPLE09"}`, "s3:*")}}, iam.Deny, ""},
		// Boundaries.
		{"access_policies_boundaries.html", "a boundary without the action", alice, "iam:CreateUser", "arn:aws:iam::111122223333:user/x", "", nil, []at{{id, "", allow("iam:CreateUser", "*")}, {iam.Boundary, "", allow("s3:*", "*") + "," + allow("ec2:*", "*")}}, iam.Deny, "no permissions boundary allows it"},
		{"access_policies_boundaries.html", "a boundary gives nothing", alice, "s3:GetObject", document, "111122223333", nil, []at{{iam.Boundary, "", allow("s3:*", "*")}}, iam.Deny, "no identity policy allows it"},
		{"access_policies_boundaries.html", "both allow", alice, "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {iam.Boundary, "", allow("s3:*", "*")}}, iam.Allow, ""},
		{"access_policies_boundaries.html", "identity, boundary and session policy all have to", session, "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {iam.Boundary, "", allow("s3:*", "*")}, {iam.Session, "", allow("s3:List*", "*")}}, iam.Deny, "no session policy allows it"},
		// Across accounts.
		{"reference_policies_evaluation-logic-cross-account.html", "an explicit deny in the caller's account", alice, "s3:PutObject", "arn:aws:s3:::production-logs/x", "444455556666", nil, []at{{id, "", allow("s3:*Object*", "arn:aws:s3:::production/*") + `,{"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::*log*","arn:aws:s3:::*log*/*"]}`}}, iam.Deny, "denied by identity policy"},
		{"reference_policies_evaluation-logic-cross-account.html", "both sides allow", alice, "s3:PutObject", "arn:aws:s3:::production/x", "444455556666", nil, []at{{id, "", allow("s3:*Object*", "arn:aws:s3:::production/*")}, {res, "", grant(`{"AWS":"`+aliceARN+`"}`, "s3:PutObject*")}}, iam.Allow, ""},
		{"reference_policies_evaluation-logic-cross-account.html", "only the identity allows", alice, "s3:PutObject", "arn:aws:s3:::production/x", "444455556666", nil, []at{{id, "", everything}}, iam.Deny, "no resource policy allows it"},
		{"reference_policies_evaluation-logic-cross-account.html", "only the resource allows", alice, "s3:PutObject", "arn:aws:s3:::production/x", "444455556666", nil, []at{{res, "", grant(`{"AWS":"`+aliceARN+`"}`, "s3:*")}}, iam.Deny, "no identity policy allows it"},
		// NotPrincipal.
		{"reference_policies_elements_notprincipal.html", "spares the user that is named with its account", user(bobARN), "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {res, "", deny(`"NotPrincipal":{"AWS":["`+bobARN+`","arn:aws:iam::444455556666:root"]}`) + "," + grant(`"*"`, "s3:*")}}, iam.Allow, ""},
		{"reference_policies_elements_notprincipal.html", "denies another user of that account", user("arn:aws:iam::444455556666:user/Ann"), "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {res, "", deny(`"NotPrincipal":{"AWS":["`+bobARN+`","arn:aws:iam::444455556666:root"]}`) + "," + grant(`"*"`, "s3:*")}}, iam.Deny, "denied by resource policy p1, statement 1"},
		{"reference_policies_elements_notprincipal.html", "may deny a user named without its account", user(bobARN), "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {res, "", deny(`"NotPrincipal":{"AWS":"`+bobARN+`"}`) + "," + grant(`"*"`, "s3:*")}}, iam.Unknown, "NotPrincipal"},
		{"reference_policies_elements_notprincipal.html", "spares a session that is named with role and account", roleOf(outside, "arn:aws:sts::444455556666:assumed-role/dev/audit"), "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {res, "", deny(`"NotPrincipal":{"AWS":["arn:aws:sts::444455556666:assumed-role/dev/audit","`+outside+`","444455556666"]}`) + "," + grant(`"*"`, "s3:*")}}, iam.Allow, ""},
		// Organisations.
		{"https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html", "every level has to allow", alice, "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {iam.SCP, "root", everything}, {iam.SCP, "ou", allow("ec2:*", "*")}, {iam.SCP, "account", everything}}, iam.Deny, "no service control policy at ou allows it"},
		{"https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html", "any policy of a level is enough", alice, "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {iam.SCP, "root", everything}, {iam.SCP, "ou", allow("ec2:*", "*")}, {iam.SCP, "ou", allow("s3:*", "*")}}, iam.Allow, ""},
		{"https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html", "the management account is exempt", iam.Caller{ARN: aliceARN, Management: true}, "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {iam.SCP, "root", `{"Effect":"Deny","Action":"*","Resource":"*"}`}}, iam.Allow, ""},
		{"https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html", "the root user of a member account is not", user("arn:aws:iam::111122223333:root"), "s3:GetObject", document, "111122223333", nil, []at{{iam.SCP, "root", `{"Effect":"Deny","Action":"*","Resource":"*"}`}}, iam.Deny, "service control policy"},
		{"https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html", "reaches callers from outside", user(bobARN), "s3:GetObject", document, "111122223333", nil, []at{{id, "", everything}, {res, "", grant(`"*"`, "s3:*")}, {iam.RCP, "root", grant(`"*"`, "*")}, {iam.RCP, "root", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}}`}}, iam.Deny, "denied by resource control policy p3 at root"},
		{"https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html", "reaches no layer", user(bobARN), "lambda:GetLayerVersion", layer, "", nil, []at{{id, "", everything}, {res, "", grant(`"*"`, "lambda:*")}, {iam.RCP, "root", `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`}}, iam.Allow, ""},
		// Keys and roles: the resource's policy is the only source of authority.
		{"https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html", "the default policy lets identity policies count", alice, "kms:Decrypt", key, "", nil, []at{{id, "", allow("kms:*", "*")}, {res, "", grant(`{"AWS":"arn:aws:iam::111122223333:root"}`, "kms:*")}}, iam.Allow, ""},
		{"https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html", "without it they do not", alice, "kms:Decrypt", key, "", nil, []at{{id, "", allow("kms:*", "*")}, {res, "", grant(`{"AWS":"`+dev+`"}`, "kms:*")}}, iam.Deny, "no resource policy allows it"},
		{"https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html", "nor for the account's root user", user("arn:aws:iam::111122223333:root"), "kms:Decrypt", key, "", nil, []at{{res, "", grant(`{"AWS":"`+dev+`"}`, "kms:*")}}, iam.Deny, "no resource policy allows it"},
		{"id_roles_terms-and-concepts.html", "a role trusts the account, the identity decides", alice, "sts:AssumeRole", deploy, "", nil, []at{{id, "", allow("sts:AssumeRole", deploy)}, {res, "", `{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`}}, iam.Allow, ""},
		{"id_roles_terms-and-concepts.html", "permission to assume is not enough", alice, "sts:AssumeRole", deploy, "", nil, []at{{id, "", everything}, {res, "", `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`}}, iam.Deny, "no resource policy allows it"},
		{"reference_policies_elements_principal.html", "a service assumes its role", iam.Caller{Service: "lambda.amazonaws.com"}, "sts:AssumeRole", deploy, "", nil, []at{{res, "", `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`}}, iam.Allow, ""},
		{"reference_policies_elements_principal.html", "and another does not", iam.Caller{Service: "ec2.amazonaws.com"}, "sts:AssumeRole", deploy, "", nil, []at{{res, "", `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`}}, iam.Deny, ""},
		{"id_roles_providers_create_oidc.html", "a workflow with the subject that is trusted", iam.Caller{Federated: "arn:aws:iam::111122223333:oidc-provider/ci.example.com"}, "sts:AssumeRoleWithWebIdentity", deploy, "", iam.Keys{}.Set("ci.example.com:sub", iam.Is("repo:acme/app:ref:refs/heads/main")), []at{{res, "", `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/ci.example.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"ci.example.com:sub":"repo:acme/app:ref:refs/heads/main"}}}`}}, iam.Allow, ""},
		{"https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html", "an endpoint lets through what it names", alice, "lambda:GetLayerVersion", foreign, "", nil, []at{{id, "", everything}, {res, "", grant(`"*"`, "lambda:*")}, {iam.Endpoint, "", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:lambda:*:111122223333:*"}`}}, iam.Deny, "no VPC endpoint policy allows it"},
		// Operators.
		{"reference_policies_elements_condition_operators.html", "an ARN pattern stays between colons", alice, "x:Y", "*", "", iam.Keys{}.Set("x:arn", iam.Is("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt")), []at{{id, "", when(`{"ArnLike":{"x:arn":"arn:aws:someservice:*:111122223333:finance/*"}}`)}}, iam.Deny, ""},
		{"reference_policies_elements_condition_operators.html", "a string pattern does not", alice, "x:Y", "*", "", iam.Keys{}.Set("x:arn", iam.Is("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt")), []at{{id, "", when(`{"StringLike":{"x:arn":"arn:aws:someservice:*:111122223333:finance/*"}}`)}}, iam.Allow, ""},
		{"reference_policies_elements_condition_operators.html", "Null of a key of temporary credentials", iam.Caller{ARN: dev}, "ec2:X", "*", "", nil, []at{{id, "", when(`{"Null":{"aws:TokenIssueTime":"true"}}`)}}, iam.Deny, ""},
		{"reference_policies_elements_condition_operators.html", "a key that is not there fails StringLike", alice, "ec2:RunInstances", "*", "", iam.Keys{}.Set("ec2:InstanceType", iam.Absent()), []at{{id, "", when(`{"StringLike":{"ec2:InstanceType":["t1.*","t2.*"]}}`)}}, iam.Deny, ""},
		{"reference_policies_elements_condition_operators.html", "and passes StringLikeIfExists", alice, "ec2:RunInstances", "*", "", iam.Keys{}.Set("ec2:InstanceType", iam.Absent()), []at{{id, "", when(`{"StringLikeIfExists":{"ec2:InstanceType":["t1.*","t2.*"]}}`)}}, iam.Allow, ""},
		{"reference_policies_elements_condition_operators.html", "addresses of both kinds", alice, "x:Y", "*", "", iam.Keys{}.Set("aws:SourceIp", iam.Is("2001:db8:1234:5678::1")), []at{{id, "", when(`{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:DB8:1234:5678::/64"]}}`)}}, iam.Allow, ""},
		{"reference_policies_elements_condition_operators.html", "at most ten keys", alice, "s3:ListBucket", "*", "", iam.Keys{}.Set("s3:max-keys", iam.Is("11")), []at{{id, "", when(`{"NumericLessThanEquals":{"s3:max-keys":"10"}}`)}}, iam.Deny, ""},
		{"reference_policies_elements_condition_operators.html", "credentials of after a date", alice, "x:Y", "*", "", iam.Keys{}.Set("aws:TokenIssueTime", iam.Is("2020-01-01T00:00:02Z")), []at{{id, "", when(`{"DateGreaterThan":{"aws:TokenIssueTime":"2020-01-01T00:00:01Z"}}`)}}, iam.Allow, ""},
		{"reference_policies_elements_condition_operators.html", "keys are not sensitive to case, values are", alice, "x:Y", "*", "", iam.Keys{}.Set("AWS:principaltag/Job", iam.Is("Admin")), []at{{id, "", when(`{"StringEquals":{"aws:PrincipalTag/job":"admin"}}`)}}, iam.Deny, ""},
		// Sets of values.
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "all attributes that were asked for are listed", alice, "dynamodb:GetItem", "*", "", iam.Keys{}.Set("dynamodb:Attributes", iam.Is("PostDateTime", "Message")), []at{{id, "", when(`{"ForAllValues:StringLike":{"dynamodb:Attributes":["PostDateTime","Message","Tags"]}}`)}}, iam.Allow, ""},
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "one that was asked for is not", alice, "dynamodb:GetItem", "*", "", iam.Keys{}.Set("dynamodb:Attributes", iam.Is("PostDateTime", "UserName")), []at{{id, "", when(`{"ForAllValues:StringLike":{"dynamodb:Attributes":["PostDateTime","Message","Tags"]}}`)}}, iam.Deny, ""},
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "one of those that are forbidden", alice, "dynamodb:PutItem", "*", "", iam.Keys{}.Set("dynamodb:Attributes", iam.Is("UserName", "Message", "PostDateTime")), []at{{id, "", everything + `,{"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"*","Condition":{"ForAnyValue:StringLike":{"dynamodb:Attributes":["ID","PostDateTime"]}}}`}}, iam.Deny, "statement 2"},
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "ForAllValues is true of nothing", alice, "x:Y", "*", "", iam.Keys{}.Set("x:k", iam.Absent()), []at{{id, "", when(`{"ForAllValues:StringEquals":{"x:k":"a"}}`)}}, iam.Allow, ""},
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "and of an empty string", alice, "x:Y", "*", "", iam.Keys{}.Set("x:k", iam.Is("")), []at{{id, "", when(`{"ForAllValues:StringEquals":{"x:k":"a"}}`)}}, iam.Allow, ""},
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "which Null can mend", alice, "x:Y", "*", "", iam.Keys{}.Set("x:k", iam.Absent()), []at{{id, "", when(`{"ForAllValues:StringEquals":{"x:k":"a"},"Null":{"x:k":"false"}}`)}}, iam.Deny, ""},
		{"reference_policies_condition-single-vs-multi-valued-context-keys.html", "ForAnyValue is false of nothing", alice, "x:Y", "*", "", iam.Keys{}.Set("x:k", iam.Absent()), []at{{id, "", when(`{"ForAnyValue:StringNotEquals":{"x:k":"a"}}`)}}, iam.Deny, ""},
		// Variables.
		{"reference_policies_variables.html", "one's own folder", alice, "s3:GetObject", "arn:aws:s3:::home/alice/x", "111122223333", nil, []at{{id, "", allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")}}, iam.Allow, ""},
		{"reference_policies_variables.html", "and nobody else's", alice, "s3:GetObject", "arn:aws:s3:::home/bob/x", "111122223333", nil, []at{{id, "", allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")}}, iam.Deny, ""},
		{"reference_policies_variables.html", "a role has no user name", session, "s3:GetObject", "arn:aws:s3:::home//x", "111122223333", nil, []at{{id, "", allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")}}, iam.Deny, ""},
		{"reference_policies_variables.html", "a default where there is no value", iam.Caller{}, "s3:GetObject", "arn:aws:s3:::home/anonymous/x", "111122223333", nil, []at{{res, "", `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:userid, 'anonymous'}/*"}`}}, iam.Allow, ""},
		{"reference_policies_variables.html", "an asterisk that is one", alice, "s3:GetObject", "arn:aws:s3:::home/ab", "111122223333", nil, []at{{id, "", allow("s3:*", "arn:aws:s3:::home/${*}")}}, iam.Deny, ""},
		{"reference_policies_elements_version.html", "the old language has no variables", alice, "s3:GetObject", "arn:aws:s3:::home/alice/x", "111122223333", nil, []at{{id, "2008-10-17", allow("s3:*", "arn:aws:s3:::home/${aws:username}/*")}}, iam.Deny, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.HasPrefix(tt.page, "https://") {
				tt.page = guide + tt.page
			}
			var own, beside, passed []iam.Document
			for i, p := range tt.policies {
				text := `{"Version":"2012-10-17","Statement":[` + p.statements + `]}`
				if p.level == "2008-10-17" {
					text, p.level = strings.Replace(text, "2012-10-17", p.level, 1), ""
				}
				d := iam.Document{Policy: parse(t, text), Edge: p.edge, Level: p.level, Name: "p" + string(rune('0'+i))}
				switch p.edge {
				case iam.ResourcePolicy, iam.RCP:
					beside = append(beside, d)
				case iam.Endpoint:
					passed = append(passed, d)
				case iam.Identity, iam.Boundary, iam.Session, iam.SCP:
					own = append(own, d)
				}
			}
			r := iam.Request{
				Subject: iam.NewSubject(tt.caller, iam.Compile(own...)), Action: tt.action, Keys: tt.keys,
				Object: iam.NewObject(iam.Resource{ARN: tt.resource, Account: tt.owner}, iam.Compile(beside...)),
			}
			if passed != nil {
				r.Endpoint = iam.Compile(passed...)
			}
			if d := r.Evaluate(); d.Result != tt.want || !strings.Contains(d.String(), tt.why) {
				t.Errorf("%s\nwant %s with %q, got %s", tt.page, tt.want, tt.why, d)
			}
		})
	}
}
