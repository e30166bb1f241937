package iam

// LayerActions are the actions that decide who can read, attach, change, share
// or lose a layer, or run a function that loads it.
var LayerActions = []string{
	"lambda:PublishLayerVersion", "lambda:DeleteLayerVersion", "lambda:GetLayerVersion",
	"lambda:ListLayers", "lambda:ListLayerVersions",
	"lambda:AddLayerVersionPermission", "lambda:RemoveLayerVersionPermission",
	"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration",
	"lambda:PutFunctionCodeSigningConfig", "lambda:DeleteFunctionCodeSigningConfig",
	"lambda:InvokeFunction", "iam:PassRole",
}

// rcpServices are the services whose resources resource control policies reach
// (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html).
// AWS Lambda is not one of them: a policy that names lambda:* there does
// nothing.
var rcpServices = map[string]bool{
	"s3": true, "sts": true, "kms": true, "sqs": true, "secretsmanager": true,
	"cognito-identity": true, "cognito-idp": true, "logs": true,
	"dynamodb": true, "ecr": true, "aoss": true,
}

// manyValued are the global keys that can have several values
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html),
// and those of Lambda
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html).
// Any other key that begins with aws: has at most one.
var manyValued = map[string]bool{
	"aws:calledvia": true, "aws:principalorgpaths": true, "aws:principalservicenameslist": true,
	"aws:resourceorgpaths": true, "aws:sourceorgpaths": true, "aws:tagkeys": true, "aws:vpceorgpaths": true,
	"lambda:layer": true, "lambda:securitygroupids": true, "lambda:subnetids": true,
}

// keysOfActions are keys that exist on these actions alone and are absent from
// every other
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html).
var keysOfActions = map[string][]string{
	"lambda:layer":                {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"},
	"lambda:vpcids":               {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"},
	"lambda:subnetids":            {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"},
	"lambda:securitygroupids":     {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"},
	"lambda:codesigningconfigarn": {"lambda:CreateFunction", "lambda:PutFunctionCodeSigningConfig"},
}
