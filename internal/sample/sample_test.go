package sample_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/sample"
)

type record struct {
	EventID, EventName, EventTime, RecipientAccountID, ErrorCode string
	RequestParameters                                            map[string]any
}

func parse(t *testing.T, raw []byte) record {
	t.Helper()
	var r record
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return r
}

// Same seed, same bytes: everything that New gives.
func TestDeterminism(t *testing.T) {
	a, b := sample.New(1), sample.New(1)
	fa, fb := a.Trail(), b.Trail()
	if len(fa) != len(fb) {
		t.Fatalf("%d files and %d", len(fa), len(fb))
	}
	for i := range fa {
		if fa[i].Name != fb[i].Name || !bytes.Equal(fa[i].Data, fb[i].Data) {
			t.Fatalf("file %d differs: %s, %s", i, fa[i].Name, fb[i].Name)
		}
	}
	la, lb := a.Layers(), b.Layers()
	for i := range la {
		if la[i].ARN != lb[i].ARN || !bytes.Equal(la[i].Data, lb[i].Data) {
			t.Fatalf("zip %s differs", la[i].Name)
		}
	}
	if c := sample.New(2).Trail(); bytes.Equal(c[0].Data, fa[0].Data) {
		t.Error("another seed gives the same bytes")
	}
}

// Every record is whole, in the file of its account and hours, and in one only.
func TestTrail(t *testing.T) {
	o := sample.New(1)
	ids := map[string]bool{}
	n := 0
	for _, f := range o.Trail() {
		z, err := gzip.NewReader(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Records []json.RawMessage }
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		for _, raw := range doc.Records {
			r := parse(t, raw)
			n++
			if ids[r.EventID] {
				t.Errorf("%s is there twice", r.EventID)
			}
			ids[r.EventID] = true
			if !strings.Contains(f.Name, "/"+r.RecipientAccountID+"/") || !strings.Contains(f.Name, strings.ReplaceAll(r.EventTime[:10], "-", "/")) {
				t.Errorf("%s of %s at %s is in %s", r.EventID, r.RecipientAccountID, r.EventTime, f.Name)
			}
		}
	}
	if n != len(o.Events()) || n < 10_000 {
		t.Errorf("%d records in the files, %d events", n, len(o.Events()))
	}
}

// What the story says happens is in the trail, and nothing that AWS would not
// show us is.
func TestStory(t *testing.T) {
	o := sample.New(1)
	event := func(chapter string) record {
		c, ok := o.Chapters[chapter]
		if !ok {
			t.Fatalf("no chapter %s", chapter)
		}
		r := parse(t, o.Events()[c.Event].Raw)
		if r.EventTime != c.At.Format("2006-01-02T15:04:05Z") {
			t.Errorf("%s: the event is of %s", chapter, r.EventTime)
		}
		return r
	}
	for chapter, name := range map[string]string{
		"share-organisation":    "PublishLayerVersion20181031",
		"share-vendor":          "AddLayerVersionPermission20181031",
		"share-account":         "AddLayerVersionPermission20181031",
		"share-own-account":     "AddLayerVersionPermission20181031",
		"share-unknown-account": "AddLayerVersionPermission20181031",
		"share-denied":          "AddLayerVersionPermission20181031",
		"share-public":          "AddLayerVersionPermission20181031",
		"unshare-public":        "RemoveLayerVersionPermission20181031",
		"attach-foreign":        "UpdateFunctionConfiguration20150331v2",
		"remove-vendor":         "UpdateFunctionConfiguration20150331v2",
		"reorder":               "UpdateFunctionConfiguration20150331v2",
		"delete-function-1":     "DeleteFunction20150331",
		"source-foreign":        "CreateEventSourceMapping20150331",
		"guardrail-deleted":     "DeleteGuardrail",
		"signing-removed":       "DeleteFunctionCodeSigningConfig",
	} {
		if r := event(chapter); r.EventName != name {
			t.Errorf("%s is %s, want %s", chapter, r.EventName, name)
		}
	}
	if d := o.Chapters["unshare-public"].At.Sub(o.Chapters["share-public"].At); d != 2*time.Hour+14*time.Minute+29*time.Second {
		t.Errorf("public for %s", d)
	}
	if r := event("share-denied"); r.ErrorCode != "AccessDenied" || r.RequestParameters != nil {
		t.Errorf("the denied attempt: %+v", r)
	}
	quiet := 0
	for _, e := range o.Events() {
		r := parse(t, e.Raw)
		switch r.RecipientAccountID {
		case sample.Platform, sample.Payments, sample.Data:
		default:
			t.Fatalf("an event of account %s, which is not ours, is in our trail", r.RecipientAccountID)
		}
		if _, named := r.RequestParameters["layers"]; r.EventName == "UpdateFunctionConfiguration20150331v2" && !named {
			quiet++
		}
	}
	if quiet < 100 {
		t.Errorf("%d changes of configuration without layers, want many", quiet)
	}
}

// The estate can be collected, and is what the story left.
func TestEstate(t *testing.T) {
	o := sample.New(1)
	in := collect.Options{Now: o.Fake.Now(), Organization: collect.Organization{ID: sample.OrgID}}
	for _, account := range o.Accounts {
		http, id, secret := o.Fake.Client(o.Reader(account))
		in.Accounts = append(in.Accounts, collect.Account{
			ID: account, Regions: []string{sample.Region}, Home: sample.Region, Session: awsread.New(awsread.Options{
				Region: sample.Region, AccessKeyID: id, SecretAccessKey: secret, HTTP: http, Endpoint: "https://lambda.invalid", Attempts: 1, Poll: 1,
			}),
		})
	}
	s, err := collect.Collect(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, t2 := range s.Targets {
		if len(t2.Gaps) > 0 {
			t.Fatalf("%+v", t2)
		}
	}
	// Besides ours, the layers of vendors that functions load are described.
	s.Layers = slices.DeleteFunc(s.Layers, func(l lamina.LayerVersion) bool { return !slices.Contains(o.Accounts, l.Account) })
	if len(s.Layers) != len(o.Layers()) || len(s.Layers) < 40 || len(s.Functions) != 197 {
		t.Errorf("%d layer versions, %d zips, %d functions", len(s.Layers), len(o.Layers()), len(s.Functions))
	}
	var public []string
	for _, l := range s.Layers {
		if l.Policy == nil {
			continue
		}
		for _, g := range l.Policy.Grants {
			if (g.Principal == "*") && g.OrganizationID == "" {
				public = append(public, l.Name)
			}
		}
	}
	if strings.Join(public, " ") != "acme-legacy-utils" {
		t.Errorf("public at the end: %v", public)
	}
}

func TestWrite(t *testing.T) {
	o := sample.New(1)
	dir := filepath.Join(t.TempDir(), "new")
	if err := o.Write(dir); err != nil {
		t.Fatal(err)
	}
	if err := o.Write(dir); err == nil {
		t.Error("wrote into a directory that is not empty")
	}
	data, err := os.ReadFile(filepath.Join(dir, "layers", "acme-auth-7.zip"))
	if err != nil || len(data) == 0 {
		t.Error(err)
	}
}

func BenchmarkNew(b *testing.B) {
	for range b.N {
		o := sample.New(1)
		b.ReportMetric(float64(len(o.Events())), "events")
	}
}

func BenchmarkTrail(b *testing.B) {
	o := sample.New(1)
	for range b.N {
		n := 0
		for _, f := range o.Trail() {
			n += len(f.Data)
		}
		b.ReportMetric(float64(n), "bytes")
	}
}
