// Package collect reads an estate into one snapshot: which things, in what
// order, and what could not be read.
//
// A denied or failed call is never an error of the whole: it becomes a Gap of
// the snapshot's coverage, and the reading goes on with the next thing. What a
// gap means for a verdict is for checks. It reads one target after the other;
// pacing, parallel reading and resuming are not there yet. Start with Collect.
package collect

import (
	"context"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// A Target is one region of one account, and who reads it.
type Target struct {
	Account, Region string
	Reader          Reader
}

// A Reader is what an awsread.Client does.
type Reader interface {
	Layers(ctx context.Context) ([]string, error)
	LayerVersions(ctx context.Context, name string) ([]lamina.LayerVersion, error)
	Describe(ctx context.Context, arn string) (size int64, sha256 string, err error)
	Policy(ctx context.Context, arn string) (*lamina.LayerPolicy, error)
	Functions(ctx context.Context) ([]lamina.Function, error)
}

var _ Reader = (*awsread.Client)(nil)

// Collect reads the targets in order. now is the time the snapshot is taken.
// It fails only when ctx is done: a snapshot that was broken off would pass for
// a small estate.
func Collect(ctx context.Context, orgID string, now time.Time, targets []Target) (lamina.Snapshot, error) {
	s := lamina.Snapshot{Version: 1, Taken: now.UTC(), OrgID: orgID}
	seen := map[string]bool{}
	for _, t := range targets {
		if !seen[t.Account] {
			seen[t.Account] = true
			s.Accounts = append(s.Accounts, lamina.Account{ID: t.Account})
		}
		c := collector{target: t, s: &s, now: now.UTC(), coverage: newCoverage()}
		c.layers(ctx)
		fs, err := t.Reader.Functions(ctx)
		c.coverage.note("lambda:ListFunctions", "", err)
		s.Functions = append(s.Functions, fs...)
		if err := ctx.Err(); err != nil {
			return lamina.Snapshot{}, err
		}
		read, gaps := c.coverage.target()
		s.Targets = append(s.Targets, lamina.Target{Account: t.Account, Region: t.Region, Taken: c.now, Read: read, Gaps: gaps})
	}
	return s, nil
}

type collector struct {
	target   Target
	s        *lamina.Snapshot
	now      time.Time
	coverage *coverage
}

func (c collector) layers(ctx context.Context) {
	names, err := c.target.Reader.Layers(ctx)
	if c.coverage.note("lambda:ListLayers", "", err) {
		c.coverage.begin("lambda:ListLayerVersions", "lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy")
	}
	for _, name := range names {
		vs, err := c.target.Reader.LayerVersions(ctx, name)
		c.coverage.note("lambda:ListLayerVersions", name, err)
		for _, v := range vs {
			if ctx.Err() != nil {
				return
			}
			c.version(ctx, v)
		}
	}
}

func (c collector) version(ctx context.Context, v lamina.LayerVersion) {
	var err error
	v.CodeSize, v.CodeSHA256, err = c.target.Reader.Describe(ctx, v.ARN)
	c.coverage.note("lambda:GetLayerVersion", v.ARN, err)
	v.Policy, err = c.target.Reader.Policy(ctx, v.ARN)
	c.coverage.note("lambda:GetLayerVersionPolicy", v.ARN, err)
	if v.Policy != nil {
		v.Policy.Read = c.now
	}
	c.s.Layers = append(c.s.Layers, v)
}
