package awswrite_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awswrite"
)

func TestDo(t *testing.T) {
	caller := awsfake.Caller{Account: "111122223333", Role: "lamina-respond", Session: "test", SourceIP: "192.0.2.1", UserAgent: "test"}
	f := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
	f.Partition("aws-cn", "111122223333")
	s := f.As(caller, "cn-north-1")
	in := awsfake.PublishLayerVersionInput{LayerName: "utils"}
	in.Content.ZipFile = []byte("zip")
	arn, err := s.PublishLayerVersion(in)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(arn, "arn:aws-cn:") {
		t.Fatalf("arn %s", arn)
	}
	http, id, secret := f.Client(caller)
	c := awswrite.New(awswrite.Options{Region: "cn-north-1", AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1})
	add := lamina.Step{Action: "lambda:AddLayerVersionPermission", Resource: arn, Args: map[string]string{"StatementId": "pub", "Action": "lambda:GetLayerVersion", "Principal": "*"}}
	remove := lamina.Step{Action: "lambda:RemoveLayerVersionPermission", Resource: arn, Args: map[string]string{"StatementId": "pub", "VersionNumber": "1"}}
	with := func(s lamina.Step, revision string) lamina.Step { s.RevisionID = revision; return s }
	revision := func() string {
		_, r, err := s.GetLayerVersionPolicy("utils", 1)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		name string
		step func() lamina.Step
		want error
	}{
		{"remove_nothing", func() lamina.Step { return remove }, awswrite.ErrGone},
		{"add", func() lamina.Step { return add }, nil},
		{"add_again", func() lamina.Step { return add }, awswrite.ErrExists},
		{"remove_stale", func() lamina.Step { return with(remove, "old") }, awswrite.ErrChanged},
		{"add_stale", func() lamina.Step { return with(add, "old") }, awswrite.ErrChanged},
		{"remove", func() lamina.Step { return with(remove, revision()) }, nil},
		{"other_action", func() lamina.Step { return lamina.Step{Action: "lambda:DeleteLayerVersion", Resource: arn} }, awswrite.ErrUnsupported},
	} {
		if err := c.Do(t.Context(), tt.step()); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	wrong := remove
	wrong.Args = map[string]string{"VersionNumber": "2"}
	if err := c.Do(t.Context(), wrong); err == nil {
		t.Error("a step whose arguments contradict its resource was carried out")
	}
}

// The SDK's methods that this package calls are those of Actions, no more and no
// fewer.
func TestActions(t *testing.T) {
	var called []string
	f, err := parser.ParseFile(token.NewFileSet(), "awswrite.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if inner, ok := sel.X.(*ast.SelectorExpr); ok && inner.Sel.Name == "sdk" {
				called = append(called, "lambda:"+sel.Sel.Name)
			}
		}
		return true
	})
	slices.Sort(called)
	if !slices.Equal(called, awswrite.Actions) {
		t.Errorf("calls %v, Actions says %v", called, awswrite.Actions)
	}
}
