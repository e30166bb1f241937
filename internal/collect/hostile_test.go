package collect_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
)

// A liar carries requests to next and changes the answers to those that it is asked of:
// operation is a part of the request's path or of its X-Amz-Target.
type liar struct {
	next      http.RoundTripper
	operation string
	change    func(body string) string
}

func (l liar) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := l.next.RoundTrip(r)
	if err != nil || !strings.Contains(r.URL.Path+" "+r.Header.Get("X-Amz-Target"), l.operation) {
		return out, err
	}
	body, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, err
	}
	body = []byte(l.change(string(body)))
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	out.Header.Del("Content-Length")
	return out, out.Body.Close()
}

// lied is what is collected when one operation is answered otherwise.
func lied(t *testing.T, f *awsfake.Fake, operation string, change func(string) string) lamina.Snapshot {
	t.Helper()
	o := collect.Options{Now: f.Now(), Jobs: 2}
	for _, id := range []string{management, member} {
		client, key, secret := f.Client(caller(id))
		client.Transport = liar{client.Transport, operation, change}
		s := awsread.New(awsread.Options{Region: region, AccessKeyID: key, SecretAccessKey: secret, HTTP: client, Endpoint: "https://aws.invalid", Attempts: 1, Poll: 1})
		if id == management {
			var err error
			if o.Organization, err = collect.Discover(t.Context(), id, s.In(region), f.Now(), true); err != nil {
				t.Fatal(err)
			}
		}
		o.Accounts = append(o.Accounts, collect.Account{ID: id, Session: s, Regions: []string{region}, Home: region})
	}
	return collected(t, o)
}

// gaps are the gaps of a snapshot, one a line.
func gaps(s lamina.Snapshot) []string {
	var out []string
	for _, target := range s.Targets {
		for _, g := range target.Gaps {
			out = append(out, fmt.Sprintf("%s %s %s: %s", target.Account, target.Region, g.Action, g.Reason))
		}
	}
	slices.Sort(out)
	return out
}

// An answer that is about another account, or that cannot be, is a gap: what it says of
// others is not taken for theirs, and what rests on it is UNKNOWN.
func TestCollect_answers_about_others(t *testing.T) {
	const other = "999999999999"
	elsewhere := func(body string) string {
		return strings.ReplaceAll(body, ":"+member+":", ":"+other+":")
	}
	for _, tt := range []struct {
		name, operation string
		change          func(string) string
		want            []string // gaps
	}{
		{"functions", "/2015-03-31/functions", func(body string) string {
			return strings.ReplaceAll(body, `"FunctionArn":"arn:aws:lambda:`+region+":"+member, `"FunctionArn":"arn:aws:lambda:`+region+":"+other)
		}, []string{member + " " + region + " lambda:ListFunctions: the answer is about arn:aws:lambda:" + region + ":" + other + ":function:fn-0"}},
		{"another_region", "/2015-03-31/functions", func(body string) string {
			return strings.ReplaceAll(body, `"FunctionArn":"arn:aws:lambda:`+region, `"FunctionArn":"arn:aws:lambda:us-east-1`)
		}, []string{member + " " + region + " lambda:ListFunctions: the answer is about arn:aws:lambda:us-east-1:" + member + ":function:fn-0"}},
		{"layer_versions", "/layers/layer-000/versions", elsewhere, []string{
			member + " " + region + " lambda:ListLayerVersions: the answer is about arn:aws:lambda:" + region + ":" + other + ":layer:layer-000:1",
		}},
		{"units_in_a_circle", ".ListOrganizationalUnitsForParent", func(string) string {
			return `{"OrganizationalUnits":[{"Id":"r-1","Name":"Root"},{"Id":"ou-1-prod","Name":"prod"}]}`
		}, []string{management + " organization organizations:ListOrganizationalUnitsForParent: the answer has r-1 in it, which is elsewhere already"}},
		{"an_account_twice", ".ListAccounts", func(body string) string {
			return strings.Replace(body, `"Accounts":[`, `"Accounts":[{"Id":"`+member+`","Name":"twin","State":"ACTIVE"},`, 1)
		}, nil},
		{"an_account_that_is_a_path", ".ListAccounts", func(body string) string {
			return strings.Replace(body, `"Accounts":[`, `"Accounts":[{"Id":"../../role/x"},`, 1)
		}, []string{management + ` organization organizations:ListAccounts: "../../role/x" is no id of an account`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := lied(t, world(t), tt.operation, tt.change)
			if d := cmp.Diff(tt.want, gaps(s)); d != "" {
				t.Errorf("gaps: -want +got\n%s", d)
			}
			seen := map[string]bool{}
			for _, a := range s.Accounts {
				if seen[a.ID] || len(a.ID) != 12 {
					t.Errorf("account %q", a.ID)
				}
				seen[a.ID] = true
			}
			for _, f := range s.Functions {
				if f.Account == other || f.Region != region {
					t.Errorf("function %s", f.ARN)
				}
			}
			for _, l := range s.Layers {
				if l.Account == other {
					t.Errorf("layer %s", l.ARN)
				}
			}
		})
	}
}

// An account that is named twice is read once.
func TestCollect_account_twice(t *testing.T) {
	f := world(t)
	o := options(t, f)
	o.Accounts = append(o.Accounts, o.Accounts...)
	if d := cmp.Diff(file(t, collected(t, options(t, world(t)))), file(t, collected(t, o))); d != "" {
		t.Errorf("-once +twice\n%s", d)
	}
}
