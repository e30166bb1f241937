package respond_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/awswrite"
	"github.com/lamina-sec/lamina/internal/respond"
)

// scene is a layer with two public statements and one to keep, and a plan that
// removes the public ones.
type scene struct {
	fake    *awsfake.Fake
	session awsfake.Session
	runner  *respond.Runner
	journal *bytes.Buffer
	plan    lamina.Plan
	outcome lamina.Outcome
}

func set(t *testing.T) *scene {
	t.Helper()
	caller := awsfake.Caller{Account: "111122223333", Role: "respond", Session: "test", SourceIP: "192.0.2.1", UserAgent: "test"}
	s := &scene{fake: awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC)), journal: &bytes.Buffer{}, outcome: lamina.Pass}
	s.session = s.fake.As(caller, "eu-west-1")
	in := awsfake.PublishLayerVersionInput{LayerName: "utils"}
	in.Content.ZipFile = []byte("zip")
	arn, err := s.session.PublishLayerVersion(in)
	if err != nil {
		t.Fatal(err)
	}
	var revision string
	for _, g := range []struct{ sid, principal string }{{"pub1", "*"}, {"keep", "444455556666"}, {"pub2", "*"}} {
		if revision, err = s.session.AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
			LayerName: "utils", VersionNumber: 1, StatementID: g.sid, Action: "lambda:GetLayerVersion", Principal: g.principal,
		}); err != nil {
			t.Fatal(err)
		}
	}
	http, id, secret := s.fake.Client(caller)
	read := awsread.New(awsread.Options{Region: "eu-west-1", AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1}).In("eu-west-1")
	write := awswrite.New(awswrite.Options{Region: "eu-west-1", AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1})
	s.runner = &respond.Runner{
		Write: write.Do, Read: read.Policy, Journal: s.journal, Now: s.fake.Now,
		Check: func(context.Context) (lamina.Outcome, error) { return s.outcome, nil },
	}
	s.plan = lamina.Plan{Version: 1, ID: "P-1"}
	for _, sid := range []string{"pub1", "pub2"} {
		s.plan.Steps = append(s.plan.Steps, lamina.Step{
			Action: "lambda:RemoveLayerVersionPermission", Resource: arn, Args: map[string]string{"StatementId": sid},
			Undo: &lamina.Step{
				Action: "lambda:AddLayerVersionPermission", Resource: arn,
				Args: map[string]string{"StatementId": sid, "Action": "lambda:GetLayerVersion", "Principal": "*"},
			},
		})
	}
	s.plan.Steps[0].RevisionID = revision
	return s
}

func (s *scene) apply(t *testing.T) error {
	t.Helper()
	d, err := respond.Digest(s.plan)
	if err != nil {
		t.Fatal(err)
	}
	return s.runner.Apply(t.Context(), s.plan, respond.Approval{By: "j.doe", Plan: d})
}

// sids are the statements that stand, in the order of the policy.
func (s *scene) sids(t *testing.T) string {
	t.Helper()
	policy, _, err := s.session.GetLayerVersionPolicy("utils", 1)
	if err != nil {
		t.Fatal(err)
	}
	var sids []string
	for _, sid := range []string{"pub1", "keep", "pub2", "new"} {
		if strings.Contains(policy, `"Sid":"`+sid+`"`) {
			sids = append(sids, sid)
		}
	}
	return strings.Join(sids, " ")
}

func (s *scene) kinds(t *testing.T) string {
	t.Helper()
	entries, err := respond.ReadJournal(bytes.NewReader(s.journal.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range entries {
		kinds = append(kinds, string(e.Kind))
	}
	return strings.Join(kinds, " ")
}

func TestApply_and_Rollback(t *testing.T) {
	s := set(t)
	if err := s.apply(t); err != nil {
		t.Fatal(err)
	}
	if got := s.sids(t); got != "keep" {
		t.Errorf("after apply: %s", got)
	}
	if got := s.kinds(t); got != "approved doing done doing done verified" {
		t.Errorf("journal: %s", got)
	}
	entries, err := respond.ReadJournal(bytes.NewReader(s.journal.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.runner.Rollback(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if got := s.sids(t); got != "pub1 keep pub2" {
		t.Errorf("after rollback: %s", got)
	}
	if entries, err = respond.ReadJournal(bytes.NewReader(s.journal.Bytes())); err != nil {
		t.Fatalf("the journal must go on where it ended: %v", err)
	}
	if err := s.runner.Rollback(t.Context(), entries); err != nil || s.sids(t) != "pub1 keep pub2" {
		t.Errorf("rolling back twice is rolling back once: %v", err)
	}
}

func TestApply_refuses_what_was_not_approved(t *testing.T) {
	s := set(t)
	d, err := respond.Digest(s.plan)
	if err != nil {
		t.Fatal(err)
	}
	s.plan.Steps = s.plan.Steps[:1]
	for _, a := range []respond.Approval{{By: "j.doe", Plan: d}, {By: "", Plan: d}, {}} {
		if err := s.runner.Apply(t.Context(), s.plan, a); !errors.Is(err, respond.ErrNotApproved) {
			t.Errorf("got %v", err)
		}
	}
	if s.journal.Len() != 0 || s.sids(t) != "pub1 keep pub2" {
		t.Error("something was done")
	}
}

func TestApply_refuses_after_a_change(t *testing.T) {
	s := set(t)
	if _, err := s.session.AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
		LayerName: "utils", VersionNumber: 1, StatementID: "new", Action: "lambda:GetLayerVersion", Principal: "777788889999",
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.apply(t); !errors.Is(err, respond.ErrDrifted) {
		t.Errorf("got %v", err)
	}
	if got := s.sids(t); got != "pub1 keep pub2 new" {
		t.Errorf("got %s", got)
	}
}

// Whatever fails on the way, the state is what was planned or what was before.
func TestApply_undoes_what_fails(t *testing.T) {
	for name, tt := range map[string]struct {
		broken  func(s *scene)
		sids    string
		journal string
		is      error
	}{
		"check_fails":   {func(s *scene) { s.outcome = lamina.Fail }, "pub1 keep pub2", "approved doing done doing done undoing undone undoing undone", respond.ErrNotFixed},
		"check_unknown": {func(s *scene) { s.outcome = lamina.Unknown }, "pub1 keep pub2", "approved doing done doing done undoing undone undoing undone", respond.ErrNotFixed},
		"second_call_denied": {func(s *scene) {
			n := 0
			s.fake.Deny(func(c awsfake.Call) bool {
				if c.Action == "lambda:RemoveLayerVersionPermission" {
					n++
				}
				return n == 2 && c.Action == "lambda:RemoveLayerVersionPermission"
			})
		}, "pub1 keep pub2", "approved doing done doing failed undoing undone", nil},
		"answer_lost": {func(s *scene) {
			s.fake.Faults(func(c awsfake.Call) *awsfake.Fault {
				if c.Action != "lambda:RemoveLayerVersionPermission" {
					return nil
				}
				return &awsfake.Fault{Err: awsfake.Error{Status: 500, Code: "ServiceException", Message: "lost"}, After: true}
			})
		}, "keep", "approved doing done doing done verified", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t)
			tt.broken(s)
			err := s.apply(t)
			s.fake.Deny(nil)
			s.fake.Faults(nil)
			if (err == nil) != (tt.sids == "keep") || tt.is != nil && !errors.Is(err, tt.is) || errors.Is(err, respond.ErrStuck) {
				t.Errorf("got %v", err)
			}
			if got := s.sids(t); got != tt.sids {
				t.Errorf("statements %s, want %s", got, tt.sids)
			}
			if got := s.kinds(t); got != tt.journal {
				t.Errorf("journal %s, want %s", got, tt.journal)
			}
		})
	}
}

// What somebody else changed after us is not undone over their heads.
func TestRollback_refuses_after_a_change(t *testing.T) {
	s := set(t)
	if err := s.apply(t); err != nil {
		t.Fatal(err)
	}
	if err := s.session.RemoveLayerVersionPermission("utils", 1, "keep", ""); err != nil {
		t.Fatal(err)
	}
	entries, err := respond.ReadJournal(s.journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.runner.Rollback(t.Context(), entries); !errors.Is(err, respond.ErrDrifted) || !errors.Is(err, respond.ErrStuck) {
		t.Errorf("got %v", err)
	}
}

func TestReadJournal_refuses_a_changed_one(t *testing.T) {
	s := set(t)
	if err := s.apply(t); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(s.journal.String(), "\n")
	for name, text := range map[string]string{
		"changed":  strings.Replace(s.journal.String(), "j.doe", "e.vil", 1),
		"shorter":  strings.Join(append([]string{lines[0]}, lines[2:]...), ""),
		"cut_off":  s.journal.String()[:s.journal.Len()-1],
		"reorder":  lines[0] + lines[2] + lines[1],
		"not_json": "x\n",
		"too_long": strings.Repeat("x", 2<<20),
	} {
		if _, err := respond.ReadJournal(strings.NewReader(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"seq":1,"time":"2026-01-01T00:00:00Z","prev":"","plan":"P","kind":"done","step":1,"call":{"action":"a","resource":"r","args":{},"revision_id":""}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := respond.ReadJournal(bytes.NewReader(data))
		if err != nil {
			return
		}
		r := respond.Runner{
			Write:   func(context.Context, lamina.Step) error { t.Error("called AWS"); return nil },
			Read:    func(context.Context, string) (*lamina.LayerPolicy, error) { return nil, errors.New("no AWS") },
			Journal: &bytes.Buffer{}, Now: func() time.Time { return time.Time{} },
		}
		_ = r.Rollback(t.Context(), entries)
	})
}
