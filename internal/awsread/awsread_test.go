package awsread_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
)

var reader = awsfake.Caller{Account: "111122223333", Role: "lamina-collect", Session: "test", SourceIP: "192.0.2.1", UserAgent: "test"}

func client(f *awsfake.Fake, region string) *awsread.Client {
	caller, id, secret := f.Client(reader)
	return awsread.New(awsread.Options{Region: region, AccessKeyID: id, SecretAccessKey: secret, HTTP: caller, Endpoint: "https://lambda.invalid", Attempts: 1}).In(region)
}

func TestClient(t *testing.T) {
	start := time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC)
	f := awsfake.New(1, start)
	s := f.As(reader, "eu-west-1")
	var arns []string
	for i := range 60 { // more than a page
		in := awsfake.PublishLayerVersionInput{LayerName: fmt.Sprintf("layer-%02d", i)}
		in.Content.ZipFile = []byte("zip")
		arn, err := s.PublishLayerVersion(in)
		if err != nil {
			t.Fatal(err)
		}
		arns = append(arns, arn)
	}
	if _, err := s.AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
		LayerName: "layer-00", VersionNumber: 1, StatementID: "org", Action: "lambda:GetLayerVersion", Principal: "*", OrganizationID: "o-exampleorgid",
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 55 {
		if _, err := s.CreateFunction(awsfake.CreateFunctionInput{
			FunctionName: fmt.Sprintf("fn-%02d", i), Role: "arn:aws:iam::111122223333:role/x", Runtime: "python3.12", Handler: "a.b", Layers: arns[:i%3],
		}); err != nil {
			t.Fatal(err)
		}
	}
	c, ctx := client(f, "eu-west-1"), t.Context()
	names, err := c.Layers(ctx)
	if err != nil || len(names) != 60 || !slices.IsSorted(names) {
		t.Errorf("layers %d, %v", len(names), err)
	}
	vs, err := c.LayerVersions(ctx, "layer-00")
	if err != nil {
		t.Fatal(err)
	}
	want := lamina.LayerVersion{ARN: arns[0], Account: "111122223333", Region: "eu-west-1", Name: "layer-00", Version: 1, Created: start}
	if d := cmp.Diff([]lamina.LayerVersion{want}, vs); d != "" {
		t.Error(d)
	}
	v, err := c.Describe(ctx, arns[0])
	want.CodeSize, want.CodeSHA256 = 3, v.CodeSHA256
	if d := cmp.Diff(want, v); err != nil || d != "" || len(v.CodeSHA256) != 44 {
		t.Errorf("describe: %v, digest %q, %s", err, v.CodeSHA256, d)
	}
	p, err := c.Policy(ctx, arns[0])
	if err != nil || p.RevisionID == "" {
		t.Fatalf("policy %+v, %v", p, err)
	}
	if d := cmp.Diff([]lamina.Grant{{StatementID: "org", Action: "lambda:GetLayerVersion", Principal: "*", OrganizationID: "o-exampleorgid"}}, p.Grants); d != "" {
		t.Error(d)
	}
	if p, err := c.Policy(ctx, arns[1]); p != nil || err != nil {
		t.Errorf("a layer without policy gives %v, %v", p, err)
	}
	fns, err := c.Functions(ctx)
	if err != nil || len(fns) != 55 {
		t.Fatalf("functions %d, %v", len(fns), err)
	}
	if d := cmp.Diff(lamina.Function{
		ARN: "arn:aws:lambda:eu-west-1:111122223333:function:fn-02", Account: "111122223333", Region: "eu-west-1", Name: "fn-02",
		Version: "$LATEST", Role: "arn:aws:iam::111122223333:role/x", Runtime: "python3.12", Handler: "a.b", PackageType: "Zip", Layers: arns[:2],
		Architectures: []string{"x86_64"}, CodeSHA256: fns[2].CodeSHA256, CodeSize: 4096, LastModified: start, RevisionID: fns[2].RevisionID, SnapStart: "None",
	}, fns[2]); d != "" {
		t.Error(d)
	}
}

// What the SDK has to say goes to Warn and not to standard error: here that a
// machine gives out credentials in the old way only.
func TestConnect_warns(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/latest/meta-data/iam/security-credentials/":
			_, _ = w.Write([]byte("role"))
		case "/latest/meta-data/iam/security-credentials/role":
			_, _ = w.Write([]byte(`{"Code":"Success","AccessKeyId":"x","SecretAccessKey":"y","Token":"z","Expiration":"2036-01-01T00:00:00Z"}`))
		default: // the token of the new way among them
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": server.URL, "AWS_EC2_METADATA_DISABLED": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
	} {
		t.Setenv(name, value)
	}
	printed, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = printed
	defer func() { os.Stderr = stderr }()
	for _, heard := range []bool{true, false} {
		var said []string
		o := awsread.Options{Region: "eu-west-1", Endpoint: server.URL, Attempts: 1}
		if heard {
			o.Warn = func(text string) { said = append(said, text) }
		}
		s, err := awsread.Connect(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Identity(t.Context()); err == nil {
			t.Error("the server is no STS")
		}
		if got := strings.Contains(strings.Join(said, " "), "IMDSv1"); got != heard {
			t.Errorf("heard %t: %q", heard, said)
		}
	}
	if err := printed.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(printed.Name()); err != nil || len(text) > 0 {
		t.Errorf("standard error: %s, %v", text, err)
	}
}

// A list that never ends is an error that says so, and is not asked for again.
func TestClient_endless(t *testing.T) {
	calls := 0
	endless := carrier(func(*http.Request) (*http.Response, error) {
		calls++
		body := fmt.Sprintf(`{"Functions":[{"FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f%d","FunctionName":"f%d","Description":%q}],"NextMarker":"m%d"}`,
			calls, calls, strings.Repeat("x", 100_000), calls)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
	c := awsread.New(awsread.Options{
		Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "x", HTTP: &http.Client{Transport: endless}, Endpoint: "https://lambda.invalid", MaxAnswers: 1 << 20,
	}).In("eu-west-1")
	for range 2 {
		_, err := c.Functions(t.Context())
		if e, ok := errors.AsType[*awsread.Error](err); !ok || e.Err.Error() != "the answers are larger than 1 MiB: not read to the end" || e.Denied || e.Unreachable {
			t.Errorf("%v", err)
		}
	}
	if calls != 11 {
		t.Errorf("%d calls", calls)
	}
}

// A role that turns out to be another account's reads nothing: what it saw would be
// taken for what is in the account that was asked for.
func TestAssume_another_account(t *testing.T) {
	var asked []string
	server := carrier(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Path)
		body := `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/r/s</Arn><AssumedRoleId>AROAEXAMPLE:s</AssumedRoleId></AssumedRoleUser>` +
			`<Credentials><AccessKeyId>AKIDEXAMPLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>x</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
		if r.URL.Path != "/" {
			body = `{"Layers":[]}`
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
	s := awsread.New(awsread.Options{
		Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "x", HTTP: &http.Client{Transport: server}, Endpoint: "https://aws.invalid", Attempts: 1,
	})
	_, err := s.Assume("111122223333", "arn:aws:iam::111122223333:role/r", "", "test").In("eu-west-1").Layers(t.Context())
	const want = "lambda:ListLayers on *: the role could not be assumed: the answer is about account 444455556666"
	if e, ok := errors.AsType[*awsread.Error](err); !ok || err.Error() != want || e.Denied || !slices.Equal(asked, []string{"/"}) {
		t.Errorf("got %v, asked %s", err, asked)
	}
	if _, err := s.Assume("444455556666", "arn:aws:iam::444455556666:role/r", "", "test").In("eu-west-1").Layers(t.Context()); err != nil {
		t.Error(err)
	}
}

// A list whose pages lead in a circle is an error, whatever the circle's length, and
// so is one that goes on for ever without saying anything.
func TestClient_circles(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		tokens     []string // for ever
		list       func(*awsread.Client) error
		want       string
	}{
		{"same_page", `{"Functions":[],"NextMarker":%q}`, []string{"a"}, func(c *awsread.Client) error { _, err := c.Functions(t.Context()); return err }, "lambda:ListFunctions on *: the pages of the answer lead in a circle: not read to the end"},
		{"two_pages", `{"Functions":[],"NextMarker":%q}`, []string{"a", "b"}, func(c *awsread.Client) error { _, err := c.Functions(t.Context()); return err }, "lambda:ListFunctions on *: the pages of the answer lead in a circle: not read to the end"},
		{"rules", `{"Rules":[],"NextToken":%q}`, []string{"a", "b", "c"}, func(c *awsread.Client) error { _, err := c.EventRules(t.Context(), "111122223333"); return err }, "events:ListRules on *: the pages of the answer lead in a circle: not read to the end"},
		{"targets", `{"Targets":[],"NextToken":%q}`, []string{""}, func(c *awsread.Client) error { _, err := c.EventTargets(t.Context(), "x"); return err }, "events:ListTargetsByRule on x: the pages of the answer lead in a circle: not read to the end"},
		{"endless", `{"Functions":[],"NextMarker":%q}`, nil, func(c *awsread.Client) error { _, err := c.Functions(t.Context()); return err }, "lambda:ListFunctions on *: the answer has more than 20000 pages: not read to the end"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			server := carrier(func(*http.Request) (*http.Response, error) {
				token := strconv.Itoa(calls)
				if tt.tokens != nil {
					token = tt.tokens[calls%len(tt.tokens)]
				}
				calls++
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(tt.body, token)))}, nil
			})
			c := awsread.New(awsread.Options{
				Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "x", HTTP: &http.Client{Transport: server}, Endpoint: "https://aws.invalid",
			}).In("eu-west-1")
			for range min(2, 1+len(tt.tokens)) { // the second listing is one of its own
				if err := tt.list(c); err == nil || err.Error() != tt.want {
					t.Errorf("got %v, want %s", err, tt.want)
				}
			}
			if tt.tokens != nil && calls > 2*(len(tt.tokens)+2) {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

// Lists are read by pages alone, which sees to their end.
func TestSource_lists(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "pages.go" && !strings.HasSuffix(name, "_test.go") && strings.Contains(string(text), "HasMorePages") {
			t.Errorf("%s pages through a list itself: for out, err := range pages(ctx, paginator)", name)
		}
	}
}

type carrier func(*http.Request) (*http.Response, error)

func (f carrier) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A denied call is an Error that names the IAM action, for every call.
func TestClient_denied(t *testing.T) {
	f := awsfake.New(1, time.Unix(0, 0))
	f.Deny(func(awsfake.Call) bool { return true })
	c, ctx := client(f, "us-gov-west-1"), t.Context()
	const arn = "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:layer:x:1"
	for action, call := range map[string]func() error{
		"lambda:ListLayers":            func() error { _, err := c.Layers(ctx); return err },
		"lambda:ListLayerVersions":     func() error { _, err := c.LayerVersions(ctx, "x"); return err },
		"lambda:GetLayerVersion":       func() error { _, err := c.Describe(ctx, arn); return err },
		"lambda:GetLayerVersionPolicy": func() error { _, err := c.Policy(ctx, arn); return err },
		"lambda:ListFunctions":         func() error { _, err := c.Functions(ctx); return err },
	} {
		var e *awsread.Error
		if err := call(); !errors.As(err, &e) || !e.Denied || e.Action != action {
			t.Errorf("%s: got %v", action, err)
		}
	}
}

// The SDK's methods that this package calls are those in Calls, no more and no
// fewer, and all of them only look; IAM is asked to make a credential report
// (law 2 names it).
func TestCalls(t *testing.T) {
	called := map[string]bool{}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	clients := map[string]bool{}
	for f := range reflect.TypeFor[awsread.Client]().Fields() {
		if strings.Contains(f.Type.String(), ".Client") {
			clients[f.Name] = true
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if inner, ok := sel.X.(*ast.SelectorExpr); ok && clients[inner.Sel.Name] {
				called[inner.Sel.Name+"."+sel.Sel.Name] = true
			}
			if op, ok := strings.CutSuffix(strings.TrimPrefix(sel.Sel.Name, "New"), "Paginator"); ok {
				if client, ok := call.Args[0].(*ast.SelectorExpr); ok {
					called[client.Sel.Name+"."+op] = true
				} else {
					t.Errorf("%s: a paginator without a client", op)
				}
			}
			return true
		})
	}
	// No call of the SDK, and no permission: it gets the zip where GetLayerVersion says it is.
	listed := map[string]bool{"zips.Do": true}
	for _, c := range slices.Concat(awsread.Calls, awsread.CodeCalls) {
		listed[c.Client+"."+c.Method] = true
		if c.Method != "GenerateCredentialReport" && !slices.ContainsFunc([]string{"Get", "BatchGet", "List", "Describe", "Lookup", "Select"}, func(p string) bool { return strings.HasPrefix(c.Method, p) }) {
			t.Errorf("%s changes something", c.Method)
		}
		if c.Without == "" || strings.Contains(c.Action, "*") {
			t.Errorf("%s: without %q, action %s", c.Method, c.Without, c.Action)
		}
	}
	if d := cmp.Diff(listed, called); d != "" {
		t.Errorf("Calls and the calls in the source differ (-listed +called):\n%s", d)
	}
	if !slices.IsSortedFunc(awsread.Calls, func(a, b awsread.Call) int { return strings.Compare(a.Client+"."+a.Method, b.Client+"."+b.Method) }) {
		t.Error("Calls is not sorted")
	}
}
