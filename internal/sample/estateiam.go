package sample

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

const (
	lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	humanTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`
	ciTrust     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/%s"}}}]}`
	appPolicy   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","sqs:SendMessage"],"Resource":"arn:aws:dynamodb:*:%s:table/*"}]}`
	wormPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:UpdateFunctionConfiguration","lambda:PublishLayerVersion"],"Resource":"*"}]}`
	readPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:Get*","lambda:List*","s3:Get*","s3:List*","iam:Get*","iam:List*"],"Resource":"*"}]}`
	logPolicy   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`
	deploy      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:UpdateFunctionCode","lambda:UpdateFunctionConfiguration","lambda:PublishVersion","lambda:UpdateAlias","lambda:GetLayerVersion"],"Resource":"*"},{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::%s:role/*"}]}`
	broker      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:PublishLayerVersion","lambda:AddLayerVersionPermission","lambda:RemoveLayerVersionPermission","lambda:DeleteLayerVersion"],"Resource":"arn:aws:lambda:*:%s:layer:*"}]}`
)

// aws is the ARN of a policy that AWS manages.
func aws(name string) string { return "arn:aws:iam::aws:policy/" + name }

// identities makes the functions' roles and, in each account, those of people and
// of pipelines.
func (g *generator) identities() {
	g.s.ManagedPolicies = []lamina.ManagedPolicy{
		{ARN: aws("AdministratorAccess"), Name: "AdministratorAccess", Document: fullAccess},
		{ARN: aws("ReadOnlyAccess"), Name: "ReadOnlyAccess", Document: readPolicy},
		{ARN: aws("service-role/AWSLambdaBasicExecutionRole"), Name: "AWSLambdaBasicExecutionRole", Document: logPolicy},
	}
	for _, arn := range slices.Sorted(maps.Keys(g.roles)) {
		a, err := lamina.ParseARN(arn)
		if err != nil {
			continue // all are ours and parse
		}
		p := g.principal(a.Account, "Role", strings.TrimPrefix(a.Resource, "role/"))
		p.Trust, p.Attached = lambdaTrust, []string{aws("service-role/AWSLambdaBasicExecutionRole")}
		switch n := g.random.IntN(1000); {
		case n < 10:
			p.Attached = append(p.Attached, aws("AdministratorAccess"))
		case n < 15:
			p.Inline = []lamina.InlinePolicy{{Name: "self-update", Document: wormPolicy}}
		default:
			p.Inline = []lamina.InlinePolicy{{Name: "app", Document: fmt.Sprintf(appPolicy, a.Account)}}
		}
		slices.Sort(p.Attached)
		p.LastUsed = g.before(200)
		g.s.Principals = append(g.s.Principals, p)
	}
	for i, account := range g.accounts {
		role := func(name, trust string, attached ...string) {
			p := g.principal(account, "Role", name)
			p.Trust, p.Attached = trust, attached
			g.s.Principals = append(g.s.Principals, p)
		}
		local := func(name, document string) string {
			p := lamina.ManagedPolicy{ARN: "arn:aws:iam::" + account + ":policy/" + name, Name: name, Document: document}
			g.s.ManagedPolicies = append(g.s.ManagedPolicies, p)
			return p.ARN
		}
		people, repo := fmt.Sprintf(humanTrust, g.management()), "layers:ref:refs/heads/main"
		if i%20 == 3 {
			repo = "*" // any branch of any repository
		}
		role("admin", people, aws("AdministratorAccess"))
		role("audit", people, aws("ReadOnlyAccess"))
		role("deploy", fmt.Sprintf(ciTrust, account, repo), local("deploy", fmt.Sprintf(deploy, account)))
		if account == g.platform() {
			role("layer-pipeline", fmt.Sprintf(ciTrust, account, repo), local("layer-broker", fmt.Sprintf(broker, account)))
		}
		if i%5 == 0 {
			group := lamina.Group{ARN: "arn:aws:iam::" + account + ":group/developers", Account: account, Name: "developers", Attached: []string{aws("ReadOnlyAccess")}}
			g.s.Groups = append(g.s.Groups, group)
			p := g.principal(account, "User", "build-bot")
			p.Groups, p.Attached = []string{group.ARN}, []string{"arn:aws:iam::" + account + ":policy/deploy"}
			p.Credentials = &lamina.Credentials{AccessKeys: []time.Time{g.before(400)}}
			g.s.Principals = append(g.s.Principals, p)
		}
	}
}

func (g *generator) principal(account, kind, name string) lamina.Principal {
	arn := fmt.Sprintf("arn:aws:iam::%s:%s/%s", account, strings.ToLower(kind), name)
	return lamina.Principal{
		ARN: arn, Account: account, Kind: kind, Name: name, ID: map[string]string{"Role": "AROA", "User": "AIDA"}[kind] + id(arn) + "EXAMPLE", Path: "/", Created: g.before(1200),
	}
}
