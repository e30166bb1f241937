// Package sample is the organisation that the demo and the tests look at: ACME,
// with three accounts, its layers and functions, and nine days of CloudTrail in
// which a few things go wrong among many that do not.
//
// It is a script played on awsfake, so that policies, snapshots and logs agree
// with each other. The same seed gives the same bytes. Everything in it is made
// up: the accounts are those of AWS's documentation and two listed publishers',
// the zips are inert and built by code, and nothing claims to have been seen
// that AWS shows nobody: no fetch from outside the organisation is in it. Only
// tests, the demo and `lamina sample` import it. Start with New.
//
// Estate generates a larger organisation of any size as a snapshot, for what
// judges estates, and Play makes the AWS that it is a snapshot of, for what
// collects them.
package sample

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// The accounts and the organisation of the story.
const (
	OrgID    = "o-exampleorgid"
	Platform = "111122223333" // owns the shared layers
	Payments = "444455556666" // production
	Data     = "777788889999" // reports and experiments
	Partner  = "999999999999" // outside, in no list
	Stranger = "123456789012" // publishes a layer that one function loads; in no list
	Vendor   = "464622532012" // Datadog's, as it documents it
	Region   = "eu-west-1"
)

// The story begins with the first hour of Start and ends before End.
var (
	Start = time.Date(2026, 6, 12, 0, 0, 0, 0, time.UTC)
	End   = Start.AddDate(0, 0, 9)
)

// An Org is the sample after its nine days.
type Org struct {
	// Fake is AWS as it stands at End.
	Fake *awsfake.Fake
	// Accounts are the organisation's own.
	Accounts []string
	// Sandbox is the layer version, in account Data, that attacks are tried out on.
	Sandbox string
	// Chapters are what happens in the story, by name.
	Chapters map[string]Chapter

	zips   []LayerZip
	events []awsfake.Event // within Start and End, of our accounts, by time
	tail   []string        // random ends of file names
}

// A Chapter is one thing that happens.
type Chapter struct {
	At time.Time
	// Event is the number of the chapter's record in Events.
	Event int
	What  string
}

// A LayerZip is one published layer version with its content.
type LayerZip struct {
	ARN  string
	Name string // acme-auth-7.zip
	Data []byte
}

// A File is one file as CloudTrail delivers it.
type File struct {
	Name string // AWSLogs/…, with slashes
	Data []byte // gzip
}

// New plays the story.
func New(seed uint64) *Org {
	s := &script{
		fake:    awsfake.New(seed, Start.AddDate(0, -1, 0)),
		random:  rand.New(rand.NewPCG(seed, 0xac3e)), //nolint:gosec // a reproducible sample
		org:     &Org{Accounts: []string{Platform, Payments, Data}, Chapters: map[string]Chapter{}},
		version: map[string]string{},
	}
	s.org.Fake = s.fake
	s.fake.Organization(OrgID, s.org.Accounts...)
	s.fake.Load(organization())
	s.build()
	s.story()
	s.noise()
	s.play()
	return s.org
}

// Reader is the caller that collects an account for Lamina.
func (o *Org) Reader(account string) awsfake.Caller {
	return awsfake.Caller{Account: account, Role: "lamina-collect", Session: "lamina", SourceIP: "192.0.2.10", UserAgent: "lamina"}
}

// Responder is the caller that carries plans out in an account.
func (o *Org) Responder(account string) awsfake.Caller {
	return awsfake.Caller{Account: account, Role: "lamina-respond", Session: "lamina", SourceIP: "192.0.2.10", UserAgent: "lamina"}
}

// Events are the story's records, by time. They must not be changed.
func (o *Org) Events() []awsfake.Event { return o.events }

// Layers are the zips of all layer versions that our accounts own, by name.
func (o *Org) Layers() []LayerZip { return o.zips }

// fileHours is how many hours go into one file. CloudTrail delivers more often;
// fewer files keep the sample small on disk.
const fileHours = 3

// Trail returns the story as CloudTrail delivers an organisation trail, by name.
func (o *Org) Trail() []File {
	type group struct {
		account, region string
		start           int64 // Unix
	}
	groups := map[group][]awsfake.Event{}
	for _, e := range o.events {
		g := group{e.Account, e.Region, e.Time.Truncate(fileHours * time.Hour).Unix()}
		groups[g] = append(groups[g], e)
	}
	byName := make(map[string][]awsfake.Event, len(groups))
	for g, events := range groups {
		t := time.Unix(g.start, 0).UTC()
		byName[path.Join("AWSLogs", OrgID, g.account, "CloudTrail", g.region, t.Format("2006/01/02"),
			fmt.Sprintf("%s_CloudTrail_%s_%s", g.account, g.region, t.Add(fileHours*time.Hour).Format("20060102T1504Z")))] = events
	}
	names := slices.Sorted(maps.Keys(byName))
	files := make([]File, len(names))
	var wg sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			// Never fails for a valid level.
			z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
			for i := worker; i < len(names); i += runtime.GOMAXPROCS(0) {
				files[i] = File{Name: names[i] + "_" + o.tail[i%len(o.tail)] + ".json.gz", Data: compress(z, byName[names[i]])}
			}
		})
	}
	wg.Wait()
	return files
}

func compress(z *gzip.Writer, events []awsfake.Event) []byte {
	var out bytes.Buffer
	z.Reset(&out)
	// Writing to a buffer does not fail.
	_, _ = io.WriteString(z, `{"Records":[`)
	for i, e := range events {
		if i > 0 {
			_, _ = io.WriteString(z, ",")
		}
		_, _ = z.Write(e.Raw)
	}
	_, _ = io.WriteString(z, "]}")
	_ = z.Close()
	return out.Bytes()
}

// Write writes the trail and the layers below dir, which must be empty or not
// there, so that nobody's files are mixed with made-up ones.
func (o *Org) Write(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	files := o.Trail()
	for _, z := range o.zips {
		files = append(files, File{Name: "layers/" + z.Name, Data: z.Data})
	}
	for _, f := range files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // a made-up trail is no secret
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil { //nolint:gosec // a made-up trail is no secret
			return err
		}
	}
	return nil
}

// zipName is the file name of a layer version.
func zipName(arn string) string {
	p := strings.Split(arn, ":")
	return p[len(p)-2] + "-" + p[len(p)-1] + ".zip"
}
