package iam_test

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"

	"github.com/lamina-sec/lamina/iam"
)

// A decision costs no memory when all keys that matter are known, however many
// policies bear on it, and little when one is not.
func TestDecide_allocates_nothing(t *testing.T) {
	subject := member(t, dev, guardrail(t, "p2-no-foreign-layers"))
	mfa := iam.NewSubject(subject.Caller, iam.Compile(iam.Document{
		Edge: iam.Identity, Name: "p",
		Policy: parse(t, one(`{"Effect":"Allow","Action":"lambda:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`)),
	}))
	for name, tt := range map[string]struct {
		request iam.Request
		want    iam.Result
		most    float64
	}{
		"allow":                {iam.Request{Subject: subject, Action: "lambda:GetLayerVersion", Object: granted(t, layer, ownOrg, toOrg)}, iam.Allow, 0},
		"explicit_deny":        {iam.Request{Subject: subject, Action: "lambda:GetLayerVersion", Object: granted(t, foreign, "o-anotherone1", toEveryone)}, iam.Deny, 0},
		"no_grant":             {iam.Request{Subject: subject, Action: "lambda:GetLayerVersion", Object: granted(t, foreign, "o-anotherone1", "")}, iam.Deny, 0},
		"unknown_key":          {iam.Request{Subject: mfa, Action: "lambda:GetLayerVersion", Object: granted(t, layer, ownOrg, "")}, iam.Unknown, 60},
		"unknown_but_no_grant": {iam.Request{Subject: mfa, Action: "lambda:GetLayerVersion", Object: granted(t, foreign, ownOrg, "")}, iam.Deny, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.request.Decide(); got != tt.want {
				t.Fatalf("got %s, want %s", got, tt.want)
			}
			if got := testing.AllocsPerRun(100, func() { tt.request.Decide() }); got > tt.most {
				t.Errorf("%.0f allocations, want at most %.0f", got, tt.most)
			}
		})
	}
}

// organisation is 200 accounts with 10,000 principals and 2,000 layer versions:
// ten kinds of principal in each account, half of them with a policy of their
// own, all under two service control policies; one account in ten publishes.
func organisation(tb testing.TB) ([]*iam.Subject, []*iam.Object) {
	tb.Helper()
	statement := func(action, resource, more string) string {
		return `{"Effect":"Allow","Action":["` + action + `"],"Resource":"` + resource + `"` + more + `}`
	}
	kinds := []string{
		everything,
		statement(`lambda:Get*","lambda:List*`, "*", ""),
		statement("lambda:*", "arn:aws:lambda:*:*:layer:team-*", ""),
		statement(`lambda:GetLayerVersion","lambda:UpdateFunctionConfiguration`, "*", `,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`),
		statement("s3:*", "*", ""),
		statement("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:${aws:PrincipalTag/team}-*", ""),
		`{"Effect":"Allow","NotAction":["iam:*","organizations:*"],"Resource":"*"}`,
		statement(`logs:*","xray:*`, "*", ""),
		statement("lambda:PublishLayerVersion", "*", `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`),
		statement(`ec2:Describe*","dynamodb:*","sqs:*`, "*", ""),
	}
	account := func(i int) string { return fmt.Sprintf("0000000%05d", i) } // no account has such an id
	scps := []iam.Document{
		{Edge: iam.SCP, Level: "root", Name: "FullAWSAccess", Policy: parse(tb, one(everything))},
		{Edge: iam.SCP, Level: "root", Name: "no foreign layers", Policy: parse(tb, one(`{"Effect":"Deny","Action":"lambda:GetLayerVersion","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:ResourceOrgID":"o-exampleorgid"}}}`))},
		{Edge: iam.SCP, Level: "account", Name: "FullAWSAccess", Policy: parse(tb, one(everything))},
	}
	var subjects []*iam.Subject
	for i := range 10_000 {
		documents := append(scps[:3:3], iam.Document{Edge: iam.Identity, Name: fmt.Sprint("role-", i), Policy: parse(tb, one(kinds[i%len(kinds)]))})
		if i%20 >= 10 {
			documents = append(documents, iam.Document{Edge: iam.Identity, Name: fmt.Sprint("own-", i), Policy: parse(tb, one(statement("sqs:SendMessage", fmt.Sprintf("arn:aws:sqs:*:*:queue-%d", i/1000), "")))})
		}
		subjects = append(subjects, iam.NewSubject(iam.Caller{ARN: "arn:aws:iam::" + account(i/50) + ":role/role-" + strconv.Itoa(i), OrgID: iam.Is(ownOrg), Tags: map[string]string{"team": fmt.Sprint("t", i%7)}, OtherTags: iam.Absent()}, iam.Compile(documents...)))
	}
	var objects []*iam.Object
	for i := range 2_000 {
		owner := account(i % 20 * 10)
		arn := fmt.Sprintf("arn:aws:lambda:eu-west-1:%s:layer:%s-%d:%d", owner, []string{"team", "base"}[i/80%2], i/40, i%40/20+1)
		var beside *iam.Set
		if grant := []string{toOrg, toAccount, toEveryone, ""}[i/20%4]; grant != "" {
			beside = iam.Compile(iam.Document{Edge: iam.ResourcePolicy, Name: arn, Policy: parse(tb, one(grant))})
		}
		objects = append(objects, iam.NewObject(iam.Resource{ARN: arn, OrgID: iam.Is(ownOrg)}, beside))
	}
	return subjects, objects
}

// BenchmarkOrganisation answers, for 10,000 principals, 13 actions and 2,000
// layer versions, who may do what: 260 million questions by groups.
func BenchmarkOrganisation(b *testing.B) {
	subjects, objects := organisation(b)
	b.ReportAllocs()
	for b.Loop() {
		before := cpu(b)
		counts := map[iam.Result]int{}
		callers, layers := iam.GroupSubjects(subjects, objects), iam.GroupObjects(objects, subjects)
		for _, g := range callers {
			for _, action := range iam.LayerActions {
				for _, o := range layers {
					r := iam.Request{Subject: subjects[g[0]], Action: action, Object: objects[o[0]]}
					counts[r.Decide()] += len(g) * len(o)
				}
			}
		}
		total := 0
		for _, n := range counts {
			total += n
		}
		if total != len(subjects)*len(iam.LayerActions)*len(objects) {
			b.Fatalf("%d answers to %d questions", total, len(subjects)*len(iam.LayerActions)*len(objects))
		}
		b.ReportMetric(cpu(b)-before, "cpu-s/op")
		b.ReportMetric(float64(len(callers)), "callers")
		b.ReportMetric(float64(len(layers)), "layers")
		b.ReportMetric(float64(len(callers)*len(iam.LayerActions)*len(layers))/1e6, "Mdecisions/op")
		b.ReportMetric(float64(counts[iam.Allow])/1e6, "Mallow")
		b.ReportMetric(float64(counts[iam.Unknown])/1e6, "Munknown")
	}
}

// cpu is the CPU time of this process in seconds: what a busy machine does not
// stretch.
func cpu(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
