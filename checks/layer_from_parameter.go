package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerFromParameter finds functions whose layers are what an SSM parameter says,
// when others than a pipeline may change it.
var LayerFromParameter = posture.Check{
	ID:          "layer-from-parameter",
	Ref:         "USE-08",
	Title:       "function takes a layer from an SSM parameter that others than a pipeline may change",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1195.002"},
	Citation:    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html",
	Needs:       []string{"iam:GetAccountAuthorizationDetails"},
	Uses:        posture.ServiceControl,
	Lists:       []string{"iam:GetAccountAuthorizationDetails"},
	Beside:      []posture.Data{posture.Code},
	Remediation: "let the pipeline alone change the parameter, or name the parameter's version in the code",
	NoFix:       "tightening a policy that people work with needs its owner: who uses the permission is in CloudTrail",
	Run:         layerFromParameter,
}

func layerFromParameter(in posture.Input, found func(posture.Result)) {
	kinds := map[string]access.Kind{}
	for _, p := range in.Estate.Snapshot.Principals {
		kinds[p.ARN] = access.KindOf(p)
	}
	pipeline := in.Pipeline
	if pipeline == nil {
		pipeline = func(arn string) bool { return kinds[arn] == access.Pipeline }
	}
	for _, f := range in.Estate.Snapshot.Functions {
		for _, p := range f.LayerParameters {
			r := writers(in, p, pipeline)
			r.Resource, r.Key, r.Evidence = f.ARN, p.ARN, append([]string{"parameter: " + p.ARN}, r.Evidence...)
			found(r)
		}
	}
}

// writers says whether others than pipelines and administrators may change what
// the parameter says.
func writers(in posture.Input, p lamina.LayerParameter, pipeline func(string) bool) posture.Result {
	r := posture.Result{Outcome: lamina.Pass, Detail: "only pipelines and administrators may change the parameter"}
	a, err := lamina.ParseARN(p.ARN)
	switch {
	case err != nil:
		return posture.Result{Outcome: lamina.Unknown, Detail: "who may change the parameter is not known", Reason: err.Error(), Settle: "the parameter's name, as Systems Manager has it"}
	case strings.HasPrefix(a.Resource, "parameter/aws/"):
		r.Outcome, r.Detail = lamina.NotApplicable, "AWS alone changes the parameter"
		return r
	case p.Version != "":
		r.Outcome, r.Detail = lamina.NotApplicable, "it takes version "+p.Version+" of the parameter, which stays as it is"
		return r
	}
	if m, missing := in.Missing(a.Account, a.Region, "", "iam:GetAccountAuthorizationDetails"); missing { // of anybody
		m.Detail = "who may change the parameter is not known"
		return m
	}
	var others others
	for _, s := range in.Access().Plain(a.Account) {
		if !pipeline(s.ARN) {
			others.add(s.ARN, in.Access().Able(s, "ssm:PutParameter", a))
		}
	}
	others.onto(&r, "others than pipelines may change the parameter", "change the parameter")
	return r
}
