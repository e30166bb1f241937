package awsfake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

const (
	owner, partner, stranger = "111122223333", "444455556666", "777788889999"
	org                      = "o-exampleorgid"
	region                   = "eu-west-1"
	layer                    = "arn:aws:lambda:eu-west-1:111122223333:layer:utils"
)

var start = time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC)

func caller(account string) awsfake.Caller {
	return awsfake.Caller{Account: account, Role: "deployer", Session: "ci", SourceIP: "203.0.113.50", UserAgent: "aws-cli/2.15"}
}

func fake(t *testing.T) *awsfake.Fake {
	t.Helper()
	f := awsfake.New(7, start)
	f.Organization(org, owner, partner)
	publish(t, f, "utils")
	return f
}

func publish(t *testing.T, f *awsfake.Fake, name string) string {
	t.Helper()
	in := awsfake.PublishLayerVersionInput{LayerName: name}
	in.Content.ZipFile = []byte("zip of " + name)
	arn, err := f.As(caller(owner), region).PublishLayerVersion(in)
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

func grant(sid, principal, organization, revision string) awsfake.AddLayerVersionPermissionInput {
	return awsfake.AddLayerVersionPermissionInput{
		LayerName: "utils", VersionNumber: 1, StatementID: sid, Action: "lambda:GetLayerVersion",
		Principal: principal, OrganizationID: organization, RevisionID: revision,
	}
}

func status(err error) int {
	if e, ok := errors.AsType[*awsfake.Error](err); ok {
		return e.Status
	}
	if err != nil {
		return -1
	}
	return 200
}

func TestVersions_are_never_used_again(t *testing.T) {
	f := fake(t)
	publish(t, f, "utils")
	s := f.As(caller(owner), region)
	if err := s.DeleteLayerVersion("utils", 2); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteLayerVersion("utils", 2); err != nil {
		t.Errorf("deleting what is deleted must be no error: %v", err)
	}
	if arn := publish(t, f, "utils"); arn != layer+":3" {
		t.Errorf("got %s", arn)
	}
	if _, err := s.GetLayerVersion("utils", 2); status(err) != 404 {
		t.Errorf("a deleted version gives %v", err)
	}
}

func TestPermissions(t *testing.T) {
	f := fake(t)
	s := f.As(caller(owner), region)
	if _, _, err := s.GetLayerVersionPolicy("utils", 1); status(err) != 404 {
		t.Errorf("no policy: got %v", err)
	}
	first, err := s.AddLayerVersionPermission(grant("one", partner, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		in   awsfake.AddLayerVersionPermissionInput
		want int
	}{
		"duplicate_sid":            {grant("one", "*", "", ""), 409},
		"stale_revision":           {grant("two", "*", "", "old"), 412},
		"principal_role":           {grant("two", "arn:aws:iam::444455556666:role/x", "", ""), 400},
		"principal_short":          {grant("two", "4444", "", ""), 400},
		"organisation_and_account": {grant("two", partner, org, ""), 400},
		"organisation_form":        {grant("two", "*", "o-short", ""), 400},
		"sid_form":                 {grant("two words", "*", "", ""), 400},
		"other_action": {func() awsfake.AddLayerVersionPermissionInput {
			g := grant("two", "*", "", "")
			g.Action = "lambda:*"
			return g
		}(), 400},
		"no_version": {func() awsfake.AddLayerVersionPermissionInput {
			g := grant("two", "*", "", "")
			g.VersionNumber = 9
			return g
		}(), 404},
	} {
		if _, err := s.AddLayerVersionPermission(tt.in); status(err) != tt.want {
			t.Errorf("%s: got %v, want %d", name, err, tt.want)
		}
	}
	second, err := s.AddLayerVersionPermission(grant("org", "*", org, first))
	if err != nil || second == first {
		t.Fatalf("revision %s after %s, %v", second, first, err)
	}
	policy, revision, err := s.GetLayerVersionPolicy(layer, 1)
	if err != nil || revision != second {
		t.Errorf("revision %s, want %s, %v", revision, second, err)
	}
	want := `{"Version":"2012-10-17","Id":"default","Statement":[` +
		`{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"lambda:GetLayerVersion","Resource":"` + layer + `:1"},` +
		`{"Sid":"org","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `:1","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}}]}`
	if d := cmp.Diff(want, policy); d != "" {
		t.Error(d)
	}
	if err := s.RemoveLayerVersionPermission("utils", 1, "one", first); status(err) != 412 {
		t.Errorf("stale remove: %v", err)
	}
	if err := s.RemoveLayerVersionPermission("utils", 1, "none", ""); status(err) != 404 {
		t.Errorf("remove what is not there: %v", err)
	}
	if err := errors.Join(s.RemoveLayerVersionPermission("utils", 1, "one", second), s.RemoveLayerVersionPermission("utils", 1, "org", "")); err != nil {
		t.Error(err)
	}
	if _, _, err := s.GetLayerVersionPolicy("utils", 1); status(err) != 404 {
		t.Errorf("the last statement takes the policy with it: %v", err)
	}
}

// A foreign account gets what a statement of the policy covers, and hears the
// same about a version that is not granted as about one that does not exist.
func TestForeignReads(t *testing.T) {
	for name, tt := range map[string]struct {
		principal, organization string
		partner, stranger       int
	}{
		"nothing":      {"", "", 403, 403},
		"account":      {partner, "", 200, 403},
		"organisation": {"*", org, 200, 403},
		"everyone":     {"*", "", 200, 200},
	} {
		f := fake(t)
		if tt.principal != "" {
			if _, err := f.As(caller(owner), region).AddLayerVersionPermission(grant("s", tt.principal, tt.organization, "")); err != nil {
				t.Fatal(err)
			}
		}
		for account, want := range map[string]int{partner: tt.partner, stranger: tt.stranger} {
			s := f.As(caller(account), region)
			if _, err := s.GetLayerVersion(layer, 1); status(err) != want {
				t.Errorf("%s: %s gets %v, want %d", name, account, err, want)
			}
			_, err := s.CreateFunction(awsfake.CreateFunctionInput{FunctionName: "f", Role: "r", Runtime: "python3.12", Handler: "h", Layers: []string{layer + ":1"}})
			if status(err) != want {
				t.Errorf("%s: %s attaches with %v, want %d", name, account, err, want)
			}
			if _, err := s.GetLayerVersion(layer, 2); status(err) != 403 {
				t.Errorf("%s: a version that does not exist gives %v", name, err)
			}
			if _, _, err := s.GetLayerVersionPolicy(layer, 1); status(err) != 403 {
				t.Errorf("%s: %s reads the policy: %v", name, account, err)
			}
		}
	}
}

// Deleting or revoking does not detach, and what was attached cannot be named
// in a new list.
func TestAttached_layers_outlive_their_grant(t *testing.T) {
	f := fake(t)
	own, theirs := f.As(caller(owner), region), f.As(caller(stranger), region)
	if _, err := own.AddLayerVersionPermission(grant("s", "*", "", "")); err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.CreateFunction(awsfake.CreateFunctionInput{FunctionName: "f", Role: "r", Runtime: "python3.12", Handler: "h", Layers: []string{layer + ":1"}}); err != nil {
		t.Fatal(err)
	}
	update := func(layers []string) error {
		_, err := theirs.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "f", Timeout: 9, Layers: layers})
		return err
	}
	check := func(when string, same int) {
		t.Helper()
		if err := update(nil); err != nil {
			t.Errorf("%s: a change that names no layers: %v", when, err)
		}
		if err := update([]string{layer + ":1"}); status(err) != same {
			t.Errorf("%s: naming the same list again: got %v, want %d", when, err, same)
		}
		if got := trailOf(t, f, -1); !strings.Contains(got, `"layers"`) {
			t.Logf("%s: last record %s", when, got)
		}
	}
	check("granted", 200)
	if err := own.RemoveLayerVersionPermission("utils", 1, "s", ""); err != nil {
		t.Fatal(err)
	}
	check("revoked", 403)
	if err := own.DeleteLayerVersion("utils", 1); err != nil {
		t.Fatal(err)
	}
	check("deleted", 403)
	if err := update([]string{}); err != nil {
		t.Errorf("emptying the list: %v", err)
	}
}

func TestFunctions(t *testing.T) {
	f := fake(t)
	s := f.As(caller(owner), region)
	two := publish(t, f, "utils")
	create := func(name string, layers ...string) error {
		_, err := s.CreateFunction(awsfake.CreateFunctionInput{FunctionName: name, Role: "r", Runtime: "python3.12", Handler: "h", Layers: layers})
		return err
	}
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"created":          {create("a", two), 200},
		"again":            {create("a"), 409},
		"same_layer_twice": {create("b", layer+":1", two), 400},
		"six_layers":       {create("b", two, two, two, two, two, two), 400},
		"no_such_version":  {create("b", layer+":9"), 400},
		"no_version":       {create("b", layer), 400},
		"stale_revision": {func() error {
			_, e := s.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "a", RevisionID: "old"})
			return e
		}(), 412},
		"update_what_is_gone": {func() error {
			_, e := s.UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: "z"})
			return e
		}(), 404},
		"delete":       {s.DeleteFunction("a"), 200},
		"delete_again": {s.DeleteFunction("a"), 404},
	} {
		if status(tt.err) != tt.want {
			t.Errorf("%s: got %v, want %d", name, tt.err, tt.want)
		}
	}
}

func trailOf(t *testing.T, f *awsfake.Fake, i int) string {
	t.Helper()
	trail := f.Trail()
	if i < 0 {
		i += len(trail)
	}
	return string(trail[i].Raw)
}

// The records have CloudTrail's shapes (spec detection 6.1).
func TestTrail(t *testing.T) {
	f := fake(t)
	s := f.As(caller(owner), region)
	if _, err := s.AddLayerVersionPermission(grant("public", "*", "", "")); err != nil {
		t.Fatal(err)
	}
	f.Advance(time.Hour)
	if _, err := f.As(caller(stranger), region).GetLayerVersion(layer, 9); err == nil {
		t.Fatal("got a version that does not exist")
	}
	type record struct {
		EventTime, EventSource, EventName, AwsRegion, RecipientAccountID string
		ErrorCode, ErrorMessage                                          string
		ReadOnly                                                         bool
		RequestParameters, ResponseElements                              map[string]any
		UserIdentity                                                     struct{ Type, Arn string }
	}
	var got []record
	for i := range f.Trail() {
		var r record
		if err := json.Unmarshal([]byte(trailOf(t, f, i)), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	id := struct{ Type, Arn string }{"AssumedRole", "arn:aws:sts::111122223333:assumed-role/deployer/ci"}
	other := struct{ Type, Arn string }{"AssumedRole", "arn:aws:sts::777788889999:assumed-role/deployer/ci"}
	want := []record{
		{
			EventTime: "2026-06-18T13:02:11Z", EventSource: "lambda.amazonaws.com", EventName: "PublishLayerVersion20181031", AwsRegion: region, RecipientAccountID: owner,
			RequestParameters: map[string]any{"layerName": "utils", "content": map[string]any{}}, UserIdentity: id,
			ResponseElements: got[0].ResponseElements, // its names are checked below
		},
		{
			EventTime: "2026-06-18T13:02:11Z", EventSource: "lambda.amazonaws.com", EventName: "AddLayerVersionPermission20181031", AwsRegion: region, RecipientAccountID: owner,
			RequestParameters: map[string]any{"layerName": "utils", "versionNumber": 1.0, "principal": "*", "statementId": "public", "action": "lambda:GetLayerVersion"},
			ResponseElements: map[string]any{
				"statement":  `{"Sid":"public","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + layer + `:1"}`,
				"revisionId": got[1].ResponseElements["revisionId"],
			}, UserIdentity: id,
		},
		{
			EventTime: "2026-06-18T14:02:11Z", EventSource: "lambda.amazonaws.com", EventName: "GetLayerVersion20181031", AwsRegion: region, RecipientAccountID: stranger, ReadOnly: true,
			ErrorCode:    "AccessDenied",
			ErrorMessage: "User: arn:aws:sts::777788889999:assumed-role/deployer/ci is not authorized to perform: lambda:GetLayerVersion on resource: " + layer + ":9 because no resource-based policy allows the lambda:GetLayerVersion action",
			UserIdentity: other,
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("records differ (-want +got):\n%s", d)
	}
	for _, name := range []string{"layerArn", "layerVersionArn", "version", "createdDate", "description", "content"} {
		if _, ok := got[0].ResponseElements[name]; !ok {
			t.Errorf("PublishLayerVersion answers without %s: %v", name, got[0].ResponseElements)
		}
	}
}

func TestDeny_and_Faults(t *testing.T) {
	f := fake(t)
	s := f.As(caller(owner), region)
	f.Deny(func(c awsfake.Call) bool { return c.Action == "lambda:AddLayerVersionPermission" })
	if _, err := s.AddLayerVersionPermission(grant("s", "*", "", "")); status(err) != 403 {
		t.Errorf("got %v", err)
	}
	if got := trailOf(t, f, -1); !strings.Contains(got, `"errorCode":"AccessDenied"`) || !strings.Contains(got, `"requestParameters":null,"responseElements":null`) {
		t.Errorf("a denied call is recorded as %s", got)
	}
	f.Deny(nil)
	after := false
	f.Faults(func(awsfake.Call) *awsfake.Fault {
		return &awsfake.Fault{Err: awsfake.Error{Status: 500, Code: "ServiceException", Message: "x"}, After: after}
	})
	if _, err := s.AddLayerVersionPermission(grant("before", "*", "", "")); status(err) != 500 {
		t.Errorf("got %v", err)
	}
	after = true
	if _, err := s.AddLayerVersionPermission(grant("after", "*", "", "")); status(err) != 500 {
		t.Errorf("got %v", err)
	}
	f.Faults(nil)
	policy, _, err := s.GetLayerVersionPolicy("utils", 1)
	if err != nil || strings.Contains(policy, "before") || !strings.Contains(policy, "after") {
		t.Errorf("policy %s, %v", policy, err)
	}
}

// The same seed and calls give the same bytes, another seed other ids.
func TestDeterminism(t *testing.T) {
	run := func(seed uint64) []byte {
		f := awsfake.New(seed, start)
		publish(t, f, "utils")
		if _, err := f.As(caller(owner), region).AddLayerVersionPermission(grant("s", "*", "", "")); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		for _, e := range f.Trail() {
			b.Write(e.Raw)
		}
		return b.Bytes()
	}
	if !bytes.Equal(run(1), run(1)) {
		t.Error("the same seed gives other bytes")
	}
	if bytes.Equal(run(1), run(2)) {
		t.Error("another seed gives the same bytes")
	}
}

// A content URL gives the zip for ten minutes, to whoever has it.
func TestContent(t *testing.T) {
	f := fake(t)
	raw, err := f.As(caller(owner), region).GetLayerVersion("utils", 1)
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Content struct{ Location string } }
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	client, _, _ := f.Client(caller(stranger))
	get := func() (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.Content.Location, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	if code, body := get(); code != 200 || body != "zip of utils" {
		t.Errorf("got %d %q", code, body)
	}
	f.Advance(11 * time.Minute)
	if code, _ := get(); code != 403 {
		t.Errorf("an expired URL gives %d", code)
	}
}

func TestHTTP_refuses(t *testing.T) {
	f := fake(t)
	client, id, _ := f.Client(caller(owner))
	signed := "AWS4-HMAC-SHA256 Credential=" + id + "/20260618/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=00"
	for name, tt := range map[string]struct {
		method, path, auth, body string
		want                     int
	}{
		"unsigned":     {"GET", "/2018-10-31/layers", "", "", 403},
		"unknown_key":  {"GET", "/2018-10-31/layers", strings.Replace(signed, id, "AKIAIOSFODNN7EXAMPLE", 1), "", 403},
		"signed":       {"GET", "/2018-10-31/layers", signed, "", 200},
		"no_operation": {"GET", "/2018-10-31/nothing", signed, "", 501},
		"not_json":     {"POST", "/2018-10-31/layers/utils/versions", signed, "{", 400},
		"bad_marker":   {"GET", "/2018-10-31/layers?Marker=x", signed, "", 400},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, "https://lambda.invalid"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", tt.auth)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if res.StatusCode != tt.want {
			t.Errorf("%s: got %d, want %d", name, res.StatusCode, tt.want)
		}
	}
}

// BenchmarkNote is what bounds the sample: most of its records are notes.
func BenchmarkNote(b *testing.B) {
	f := awsfake.New(1, start)
	s := f.As(caller(owner), region)
	n := awsfake.Note{Source: "s3.amazonaws.com", Name: "GetBucketAcl", ReadOnly: true, Parameters: `{"bucketName":"x"}`}
	b.ReportAllocs()
	for range b.N {
		s.Note(n)
	}
	b.ReportMetric(float64(len(f.Trail()[0].Raw)), "bytes/record")
}
