package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina/internal/awsread"
)

func newIAM(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "iam",
		Short:   "the permissions that lamina itself needs",
		Example: "  lamina iam policy collect > lamina-collect.json",
	}
	group(c)
	policy := &cobra.Command{
		Use:     "policy",
		Short:   "print a policy that allows what a command calls, and nothing else",
		Example: "  lamina iam policy collect",
	}
	group(policy)
	policy.AddCommand(newIAMPolicyCollect(a), newIAMPolicyStream(a), newIAMPolicyRespond(a))
	c.AddCommand(policy)
	return c
}

func newIAMPolicyCollect(a *app) *cobra.Command {
	var terraform, cloudformation, functionCode bool
	c := &cobra.Command{
		Use:   "collect",
		Short: "print the policy of the role that lamina collect reads with",
		Example: "  lamina iam policy collect\n" +
			"  lamina iam policy collect --cloudformation   # a template for a StackSet: role and policy\n" +
			"  lamina iam policy collect -f text            # each action, and what cannot be known without it",
		Long: "The policy is made from the table of calls that is compiled into lamina, which a test\n" +
			"compares with the calls in its source: no action is a wildcard, and all of them only\n" +
			"look, but for one that asks IAM to make a credential report. It grants no access to the\n" +
			"values of secrets, nor, without --function-code, to functions' own code; functions'\n" +
			"environment variables come with lambda:ListFunctions, and lamina drops their values as\n" +
			"it reads them.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			if terraform && cloudformation {
				return usagef("give one of them", "--terraform and --cloudformation ask for two documents")
			}
			calls := awsread.Calls
			if functionCode {
				calls = slices.Concat(calls, awsread.CodeCalls)
			}
			return a.document([]string{"json", "text"}, func(format string, w io.Writer) error {
				switch {
				case format == "text":
					return a.writeActions(w, calls)
				case terraform:
					return writeTerraform(w, calls)
				case cloudformation:
					return writeJSON(w, collectTemplate(calls))
				}
				return writeJSON(w, collectPolicy(calls))
			})
		},
	}
	c.Flags().BoolVar(&terraform, "terraform", false, "print it as a Terraform resource")
	c.Flags().BoolVar(&functionCode, "function-code", false, "also what lamina collect --function-code calls")
	c.Flags().BoolVar(&cloudformation, "cloudformation", false, "print a CloudFormation template of the role, fit for a StackSet over the organisation")
	return c
}

// A statement is one of a policy that we write.
type statement struct {
	Sid      string
	Effect   string
	Action   []string
	Resource string
}

// A policyDocument is a policy that we write, in the order AWS writes its members.
type policyDocument struct {
	Version   string
	Statement []statement
}

// collectPolicy is the policy of a role that makes the calls, one statement a
// service.
func collectPolicy(calls []awsread.Call) policyDocument {
	by := map[string][]string{}
	var services []string
	for _, c := range calls {
		service, _, _ := strings.Cut(c.Action, ":")
		if by[service] == nil {
			services = append(services, service)
		}
		if !slices.Contains(by[service], c.Action) {
			by[service] = append(by[service], c.Action)
		}
	}
	slices.Sort(services)
	p := policyDocument{Version: "2012-10-17"}
	for _, s := range services {
		slices.Sort(by[s])
		var sid strings.Builder
		sid.WriteString("Read")
		for word := range strings.SplitSeq(s, "-") {
			sid.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		p.Statement = append(p.Statement, statement{Sid: sid.String(), Effect: "Allow", Action: by[s], Resource: "*"})
	}
	return p
}

func (a *app) writeActions(w io.Writer, calls []awsread.Call) error {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(x, y awsread.Call) int { return strings.Compare(x.Action, y.Action) })
	var rows [][]string
	for _, c := range calls {
		rows = append(rows, []string{c.Action, c.Without})
	}
	if err := a.columns(w, []string{"ACTION", "WITHOUT IT IS NOT KNOWN"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", count(len(calls), "action"))
	return err
}

func writeTerraform(w io.Writer, calls []awsread.Call) error {
	doc, err := json.MarshalIndent(collectPolicy(calls), "  ", "  ")
	if err != nil {
		return err
	}
	// Terraform takes JSON for an expression, but for ${ and %{, which no action has.
	_, err = fmt.Fprintf(w, "resource \"aws_iam_policy\" \"lamina_collect\" {\n  name   = \"lamina-collect\"\n  policy = jsonencode(%s)\n}\n", doc)
	return err
}

// collectTemplate is the role with the policy. The external id is the owner's to
// choose: it is a parameter without a default.
func collectTemplate(calls []awsread.Call) map[string]any {
	return map[string]any{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "The role that lamina collect reads this account with. It can change nothing.",
		"Parameters": map[string]any{
			"CollectorArn": map[string]any{"Type": "String", "Description": "ARN of the principal that runs lamina collect"},
			"ExternalId":   map[string]any{"Type": "String", "NoEcho": true, "MinLength": 22, "Description": "A secret of your own making, at least 128 bits; lamina collect --external-id gives it"},
			"RoleName":     map[string]any{"Type": "String", "Default": "lamina-collect"},
		},
		"Resources": map[string]any{
			"Role": map[string]any{
				"Type": "AWS::IAM::Role",
				"Properties": map[string]any{
					"RoleName":           map[string]string{"Ref": "RoleName"},
					"MaxSessionDuration": 3600,
					"AssumeRolePolicyDocument": map[string]any{
						"Version": "2012-10-17",
						"Statement": []any{map[string]any{
							"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"AWS": map[string]string{"Ref": "CollectorArn"}},
							"Condition": map[string]any{"StringEquals": map[string]any{"sts:ExternalId": map[string]string{"Ref": "ExternalId"}}},
						}},
					},
					"Policies": []any{map[string]any{"PolicyName": "lamina-collect", "PolicyDocument": collectPolicy(calls)}},
				},
			},
		},
		"Outputs": map[string]any{"RoleArn": map[string]any{"Value": map[string]any{"Fn::GetAtt": []string{"Role", "Arn"}}}},
	}
}
