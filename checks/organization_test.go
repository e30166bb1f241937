package checks_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/analyzers"
	"github.com/lamina-sec/lamina/checks"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/sample"
	"github.com/lamina-sec/lamina/internal/snapshot"
	"github.com/lamina-sec/lamina/internal/zipstore"
)

// Collected from the sample organisation, written, read and judged by all checks,
// these findings come out and no others: testdata/organization holds them, a file a check.
func TestOrganization(t *testing.T) {
	org := sample.New(1)
	var zips zipstore.Memory
	o := collect.Options{Now: org.Fake.Now(), Zips: &zips}
	for _, id := range org.Accounts {
		http, key, secret := org.Fake.Client(org.Reader(id))
		session := awsread.New(awsread.Options{
			Region: sample.Region, AccessKeyID: key, SecretAccessKey: secret, HTTP: http, Endpoint: "https://aws.invalid", Attempts: 1, Poll: time.Nanosecond,
		})
		if id == sample.Management {
			var err error
			if o.Organization, err = collect.Discover(t.Context(), id, session.In(sample.Region), o.Now, true); err != nil {
				t.Fatal(err)
			}
		}
		o.Accounts = append(o.Accounts, collect.Account{ID: id, Session: session, Regions: []string{sample.Region}, Home: sample.Region})
	}
	s, err := collect.Collect(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := judged(t, s, posture.Input{Log: logOf(t, org), Contents: opened(t, s, &zips)})
	dir := filepath.Join("testdata", "organization")
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for id, text := range got {
			if err := os.WriteFile(filepath.Join(dir, id+".golden"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.golden"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want[strings.TrimSuffix(filepath.Base(file), ".golden")] = string(data)
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		if d := cmp.Diff(want[id], got[id]); d != "" {
			t.Errorf("%s: findings differ; LAMINA_UPDATE=1 accepts (-want +got):\n%s", id, d)
		}
	}
	for id := range want {
		if got[id] == "" {
			t.Errorf("%s found nothing, and %s.golden expects something", id, id)
		}
	}
}

// opened is what the analyzers say of the zips that were collected, but for the
// one that needs a database.
func opened(t *testing.T, s lamina.Snapshot, zips *zipstore.Memory) map[string]posture.Content {
	t.Helper()
	list := slices.DeleteFunc(slices.Clone(analyzers.All), func(a content.Analyzer) bool { return a.ID == analyzers.KnownVulnerability.ID })
	out := map[string]posture.Content{}
	for _, l := range s.Layers {
		z, size, err := zips.Open(l.CodeSHA256)
		if err != nil {
			t.Fatalf("%s: %v", l.ARN, err)
		}
		findings, _ := content.Run(list, l.ARN, z, size, content.Options{})
		out[l.ARN] = posture.Content{Findings: findings}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// judged are the findings of all checks over the file of a snapshot, by check: a line a finding that
// failed or is unknown, and how many others there are.
func judged(t *testing.T, collected lamina.Snapshot, in posture.Input) map[string]string {
	t.Helper()
	var file bytes.Buffer
	if err := snapshot.Write(&file, collected); err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	registry, err := publishers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	vendor := func(account string) bool { _, ok := registry.Account(account); return ok }
	out := map[string]string{}
	in.Estate, in.Publishers = estate.New(s, vendor), registry
	for _, c := range checks.All {
		if _, lacks := in.Lacks(c); lacks {
			continue
		}
		others := map[lamina.Outcome]int{}
		for _, f := range posture.Run([]posture.Check{c}, in) {
			if f.Outcome == lamina.Fail || f.Outcome == lamina.Unknown {
				out[c.ID] += line(f)
			} else {
				others[f.Outcome]++
			}
		}
		for _, outcome := range []lamina.Outcome{lamina.Pass, lamina.NotApplicable} {
			if others[outcome] > 0 {
				out[c.ID] += fmt.Sprintf("%s %d\n", outcome, others[outcome])
			}
		}
	}
	return out
}
