package iam_test

import (
	"fmt"

	"github.com/lamina-sec/lamina/iam"
)

func ExampleRequest_Evaluate() {
	read := func(text string) *iam.Policy {
		p, err := iam.Parse([]byte(text))
		if err != nil {
			panic(err)
		}
		return p
	}
	developer := iam.NewSubject(
		iam.Caller{ARN: "arn:aws:iam::444455556666:role/dev", OrgID: iam.Is("o-exampleorgid")},
		iam.Compile(
			iam.Document{Edge: iam.Identity, Name: "dev/layers", Policy: read(`{
				"Version": "2012-10-17",
				"Statement": {
					"Sid": "WithMFA", "Effect": "Allow", "Action": "lambda:Get*", "Resource": "*",
					"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
				}}`)},
			iam.Document{Edge: iam.SCP, Level: "r-root", Name: "FullAWSAccess", Policy: read(`{
				"Version": "2012-10-17",
				"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)},
		))
	layer := iam.NewObject(
		iam.Resource{ARN: "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3"},
		iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: "utils:3", Policy: read(`{
			"Version": "2012-10-17",
			"Statement": {
				"Sid": "org", "Effect": "Allow", "Principal": "*", "Action": "lambda:GetLayerVersion",
				"Resource": "arn:aws:lambda:eu-west-1:111122223333:layer:utils:3",
				"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
			}}`)}))

	r := iam.Request{Subject: developer, Action: "lambda:GetLayerVersion", Object: layer}
	fmt.Println(r.Evaluate())

	r.Keys = iam.Keys{}.Set("aws:MultiFactorAuthPresent", iam.Is("true"))
	fmt.Println(r.Evaluate())

	r.Action = "lambda:DeleteLayerVersion"
	fmt.Println(r.Evaluate())
	// Output:
	// UNKNOWN
	//   allowed if aws:MultiFactorAuthPresent is true
	//   depends on identity policy dev/layers, statement 1 (WithMFA), line 3
	// ALLOW
	//   by service control policy FullAWSAccess at r-root, statement 1, line 3
	//   by resource policy utils:3, statement 1 (org), line 3
	//   by identity policy dev/layers, statement 1 (WithMFA), line 3
	// DENY
	//   no resource policy allows it
	//   no identity policy allows it
}
