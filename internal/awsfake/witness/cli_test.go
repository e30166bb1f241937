// Package witness_test asks awsfake with a client that neither we nor the SDK
// for Go wrote: the AWS command line interface, over a socket, where it is
// installed.
package witness_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

const account, org, region = "111122223333", "o-exampleorgid", "eu-west-1"

// One call of each protocol gives what was put in.
func TestCommand_line(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a Python program for each call")
	}
	aws, err := exec.LookPath("aws")
	if err == nil {
		err = exec.CommandContext(t.Context(), aws, "--version").Run()
	}
	if err != nil {
		t.Skip("the AWS CLI is not installed: " + err.Error())
	}
	f := awsfake.New(1, time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC))
	f.Organization(org, account)
	f.Load(lamina.Snapshot{
		OrgID: org, Accounts: []lamina.Account{{ID: account, Name: "management", Status: "ACTIVE", Management: true}},
		Principals: []lamina.Principal{{ARN: "arn:aws:iam::" + account + ":role/app", Account: account, Kind: "Role", Name: "app", Trust: `{"Version":"2012-10-17","Statement":[]}`}},
		Alarms:     []lamina.Alarm{{ARN: "arn:aws:cloudwatch:" + region + ":" + account + ":alarm:a", Account: account, Region: region, Name: "a", Comparison: "GreaterThanThreshold", Threshold: 1}},
		Topics:     []lamina.Topic{{ARN: "arn:aws:sns:" + region + ":" + account + ":t", Confirmed: map[string]int{"email": 1}}},
		Buckets:    []lamina.Bucket{{Name: "builds", Account: account, Versioning: "Enabled"}},
		Subnets:    []lamina.Subnet{{ID: "subnet-1", Account: account, Region: region, VPC: "vpc-1", DefaultRoutes: []string{"nat-1"}}},
	})
	caller := awsfake.Caller{Account: account, User: "ann"}
	s := f.As(caller, region)
	in := awsfake.PublishLayerVersionInput{LayerName: "utils"}
	in.Content.ZipFile = []byte("zip")
	arn, err := s.PublishLayerVersion(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateFunction(awsfake.CreateFunctionInput{FunctionName: "f", Role: "r", Runtime: "python3.12", Handler: "a.b", Layers: []string{arn}}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(f)
	defer server.Close()
	id, secret := f.Credentials(caller)
	got, want := map[string]string{}, map[string]string{}
	for _, tt := range []struct{ command, query, want string }{
		{"lambda list-functions --function-version ALL", "Functions[0].Layers[0].Arn", arn},
		{"iam get-account-authorization-details", "RoleDetailList[0].AssumeRolePolicyDocument.Version", "2012-10-17"},
		{"organizations list-accounts", "Accounts[0].Name", "management"},
		{"cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=CreateFunction20150331", "Events[0].Username", "ann"},
		{"cloudwatch describe-alarms", "MetricAlarms[0].AlarmName", "a"},
		{"sns list-subscriptions-by-topic --topic-arn arn:aws:sns:" + region + ":" + account + ":t", "Subscriptions[0].Protocol", "email"},
		{"s3api get-bucket-versioning --bucket builds", "Status", "Enabled"},
		{"ec2 describe-route-tables", "RouteTables[0].Routes[1].NatGatewayId", "nat-1"},
	} {
		args := append(strings.Fields(tt.command), "--query", tt.query, "--output", "text", "--endpoint-url", server.URL, "--region", region)
		cmd := exec.CommandContext(t.Context(), aws, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", tt.command, err, out)
		}
		got[tt.command], want[tt.command] = strings.TrimSpace(string(out)), tt.want
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-put in +answered):\n%s", d)
	}
}
