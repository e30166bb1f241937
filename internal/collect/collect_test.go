package collect_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
)

// stub answers with what it holds, or fails the action it is told to.
type stub struct {
	fail string
	err  error
}

func (s stub) did(action string) error {
	if s.fail == action {
		return &awsread.Error{Action: action, Resource: "r", Denied: s.err == nil, Err: errors.Join(s.err, errors.New("AccessDeniedException: no"))}
	}
	return nil
}

func (s stub) Layers(context.Context) ([]string, error) {
	return []string{"a", "b"}, s.did("lambda:ListLayers")
}

func (s stub) LayerVersions(_ context.Context, name string) ([]lamina.LayerVersion, error) {
	if err := s.did("lambda:ListLayerVersions"); err != nil {
		return nil, err
	}
	return []lamina.LayerVersion{{ARN: name + ":1"}}, nil
}

func (s stub) Describe(context.Context, string) (int64, string, error) {
	return 3, "sum", s.did("lambda:GetLayerVersion")
}

func (s stub) Policy(context.Context, string) (*lamina.LayerPolicy, error) {
	if err := s.did("lambda:GetLayerVersionPolicy"); err != nil {
		return nil, err
	}
	return &lamina.LayerPolicy{RevisionID: "r"}, nil
}

func (s stub) Functions(context.Context) ([]lamina.Function, error) {
	return []lamina.Function{{ARN: "f"}}, s.did("lambda:ListFunctions")
}

func TestCollect(t *testing.T) {
	now := time.Date(2026, 6, 18, 13, 2, 11, 0, time.UTC)
	got, err := collect.Collect(t.Context(), "o-exampleorgid", now, []collect.Target{
		{Account: "111122223333", Region: "eu-west-1", Reader: stub{}},
		{Account: "111122223333", Region: "us-east-1", Reader: stub{fail: "lambda:GetLayerVersionPolicy"}},
		{Account: "444455556666", Region: "eu-west-1", Reader: stub{fail: "lambda:ListLayerVersions"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	policy := &lamina.LayerPolicy{RevisionID: "r", Read: now}
	const describe, list, versions, get, policies = "lambda:GetLayerVersion", "lambda:ListLayers", "lambda:ListLayerVersions", "lambda:ListFunctions", "lambda:GetLayerVersionPolicy"
	want := lamina.Snapshot{
		Version: 1, Taken: now, OrgID: "o-exampleorgid", Accounts: []lamina.Account{{ID: "111122223333"}, {ID: "444455556666"}},
		Layers: []lamina.LayerVersion{
			{ARN: "a:1", CodeSize: 3, CodeSHA256: "sum", Policy: policy},
			{ARN: "b:1", CodeSize: 3, CodeSHA256: "sum", Policy: policy},
			{ARN: "a:1", CodeSize: 3, CodeSHA256: "sum"},
			{ARN: "b:1", CodeSize: 3, CodeSHA256: "sum"},
		},
		Functions: []lamina.Function{{ARN: "f"}, {ARN: "f"}, {ARN: "f"}},
		Targets: []lamina.Target{
			{Account: "111122223333", Region: "eu-west-1", Taken: now, Read: []string{describe, policies, get, versions, list}},
			{
				Account: "111122223333", Region: "us-east-1", Taken: now, Read: []string{describe, get, versions, list},
				Gaps: []lamina.Gap{{Action: policies, Denied: true, Reason: "denied"}},
			},
			{
				Account: "444455556666", Region: "eu-west-1", Taken: now, Read: []string{describe, policies, get, list},
				Gaps: []lamina.Gap{{Action: versions, Denied: true, Reason: "denied"}},
			},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("snapshot differs (-want +got):\n%s", d)
	}
}

// Whatever call fails, its action is in the coverage.
func TestCollect_every_failure_shows(t *testing.T) {
	for _, c := range awsread.Calls {
		s, err := collect.Collect(t.Context(), "", time.Time{}, []collect.Target{{Reader: stub{fail: c.Action, err: errors.New("timeout")}}})
		if err != nil {
			t.Fatal(err)
		}
		if gaps := s.Targets[0].Gaps; len(gaps) != 1 || gaps[0].Action != c.Action || slices.Contains(s.Targets[0].Read, c.Action) {
			t.Errorf("%s: %+v", c.Action, s.Targets[0])
		}
	}
}

func TestCollect_broken_off(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := collect.Collect(ctx, "", time.Time{}, []collect.Target{{Reader: stub{}}}); !errors.Is(err, context.Canceled) || s.Layers != nil {
		t.Errorf("got %v, %v", s, err)
	}
}
