// Package hostile_test sends rubbish to awsfake. It stands apart from awsfake's
// other tests because fuzzing compiles a second copy of all that a test links,
// and those link the whole SDK.
package hostile_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

const owner, partner, region, org = "111122223333", "444455556666", "eu-west-1", "o-exampleorgid"

// Whatever is sent, there is an answer: no panic, no body without end, and
// nothing recorded that is not JSON.
func FuzzServeHTTP(f *testing.F) {
	for _, seed := range []struct{ service, method, target, header, body string }{
		{"lambda", "GET", "/2015-03-31/functions?FunctionVersion=ALL&Marker=1", "", ""},
		{"lambda", "POST", "/2018-10-31/layers/x/versions", "", `{"Content":{"ZipFile":"eg=="}}`},
		{"lambda", "PUT", "/2026-07-09/resource-policy/arn:aws:lambda:eu-west-1:111122223333:function:f", "", `{"Policy":"{\"Statement\":1}"}`},
		{"lambda", "POST", "/2015-03-31/functions/f/policy", "", `{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"*"}`},
		{"sts", "POST", "/", "", "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fr&RoleSessionName=s&DurationSeconds=900"},
		{"iam", "POST", "/", "", "Action=GetAccountAuthorizationDetails&Filter.member.1=Role&MaxItems=1&Marker=0"},
		{"account", "POST", "/listRegions", "", `{"RegionOptStatusContains":["ENABLED"],"MaxResults":3}`},
		{"account", "POST", "/listRegions", "", `{"":0}`},
		{"organizations", "POST", "/", "AWSOrganizationsV20161128.ListPolicies", `{"Filter":"SERVICE_CONTROL_POLICY","NextToken":"-1"}`},
		{"cloudtrail", "POST", "/", "CloudTrail_20131101.LookupEvents", `{"LookupAttributes":[{"AttributeKey":"ResourceName","AttributeValue":"f"}],"StartTime":1e300}`},
		{"monitoring", "POST", "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", "\xbfjMaxRecords\x18\x32\xff"},
		{"monitoring", "POST", "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"},
		{"monitoring", "POST", "/", "GraniteServiceVersion20100801.DescribeAlarms", "{}"},
		{"logs", "POST", "/", "Logs_20140328.DescribeMetricFilters", `{"limit":1e9}`},
		{"sns", "POST", "/", "", "Action=ListSubscriptionsByTopic&TopicArn=arn:aws:sns:eu-west-1:111122223333:t"},
		{"events", "POST", "/", "AWSEvents.ListTargetsByRule", `{"Rule":"r"}`},
		{"access-analyzer", "POST", "/findingv2", "", `{"analyzerArn":"a","filter":{"resourceType":{"eq":[1]}}}`},
		{"inspector2", "POST", "/status/batch/get", "", `{"accountIds":["111122223333"]}`},
		{"guardduty", "GET", "/detector/x", "", ""},
		{"securityhub", "GET", "/accounts", "", "null"},
		{"signer", "GET", "/signing-profiles?includeCanceled=true", "", ""},
		{"s3", "GET", "/bucket?policy", "", ""},
		{"ec2", "POST", "/", "", "Action=DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1=v&SubnetId.1=s"},
		{"nothing", "GET", "/snapshots/AAAA?X-Amz-Date=20260618T130211Z", "", ""},
	} {
		f.Add(seed.service, seed.method, seed.target, seed.header, seed.body)
	}
	aws := awsfake.New(1, time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC))
	aws.Organization(org, owner)
	aws.Load(lamina.Snapshot{
		Principals: []lamina.Principal{{ARN: "arn:aws:iam::444455556666:role/r", Account: partner, Kind: "Role", Name: "r", Trust: `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"*"}]}`}},
		Subnets:    []lamina.Subnet{{ID: "s", Account: owner, Region: region, VPC: "v"}},
		Buckets:    []lamina.Bucket{{Name: "bucket", Account: owner}},
	})
	id, _ := aws.Credentials(awsfake.Caller{Account: owner, User: "x"})
	f.Fuzz(func(t *testing.T, service, method, target, header, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == "" || strings.ContainsAny(method, " \t\r\n()<>@,;:\\\"/[]?={}\x7f") {
			return
		}
		r := &http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}, Body: http.NoBody}
		if body != "" {
			r.Body = http.MaxBytesReader(nil, readCloser{strings.NewReader(body)}, 1<<20)
		}
		r.Header.Set("X-Amz-Target", header)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+id+"/20260618/eu-west-1/"+service+"/aws4_request, SignedHeaders=host, Signature=00")
		w := httptest.NewRecorder()
		aws.ServeHTTP(w, r)
		if w.Code < 200 || w.Code > 599 {
			t.Errorf("status %d", w.Code)
		}
		if trail := aws.Trail(); len(trail) > 0 && !json.Valid(trail[len(trail)-1].Raw) {
			t.Errorf("recorded %q", trail[len(trail)-1].Raw)
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
