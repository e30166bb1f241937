package source

import (
	"regexp"
	"strings"
	"time"
)

// A Kind says what a file holds, as far as its path tells.
type Kind uint8

// The kinds that CloudTrail's layout in S3 names. KindUnknown is any other
// path; its content may still be any of them.
const (
	KindUnknown Kind = iota
	KindCloudTrail
	KindDigest
	KindInsight
)

func (k Kind) String() string {
	switch k {
	case KindUnknown:
		return "unknown"
	case KindCloudTrail:
		return "cloudtrail"
	case KindDigest:
		return "digest"
	case KindInsight:
		return "insight"
	}
	return "invalid"
}

// A Place is what CloudTrail's layout says of a file:
// AWSLogs/[ORGANISATION/]ACCOUNT/CloudTrail[-Digest|-Insight]/REGION/YYYY/MM/DD/ and
// ACCOUNT_CloudTrail[-…]_REGION_YYYYMMDDTHHMMZ_RANDOM.json.gz
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
// and .../cloudtrail-log-file-validation-digest-file-structure.html).
// Fields are as written and "" when the path does not say; regions not known
// today are taken as well.
type Place struct {
	Kind         Kind
	Organization string
	Account      string
	Region       string
	// From and To bound when the file was delivered: the minute in its name, or
	// the day in its path; zero when the path has no date.
	From, To time.Time
}

var (
	fileName = regexp.MustCompile(`^(\d{12})_CloudTrail(-[A-Za-z]+)?_([a-z][a-z0-9-]*)_(?:.+_)?(\d{8}T\d{4}(?:\d\d)?Z)(?:_[A-Za-z0-9]+)?\.json(?:\.gz|\.zst)?$`)
	trailDir = regexp.MustCompile(`(?:^|/)(?:(o-[a-z0-9]{4,32})/)?(\d{12})/CloudTrail(-[A-Za-z]+)?/([a-z][a-z0-9-]*)(?:/(\d{4})/(\d\d)/(\d\d))?(?:/|$)`)
)

// ParsePlace reads a slash-separated path, of which the last element may be the
// file's name or a directory.
func ParsePlace(path string) Place {
	var p Place
	if m := trailDir.FindStringSubmatch(path); m != nil {
		p.Organization, p.Account, p.Kind, p.Region = m[1], m[2], kindOf(m[3]), m[4]
		if day, err := time.Parse("2006/01/02", m[5]+"/"+m[6]+"/"+m[7]); err == nil {
			p.From, p.To = day, day.AddDate(0, 0, 1)
		}
	}
	base := path[strings.LastIndexByte(path, '/')+1:]
	if m := fileName.FindStringSubmatch(base); m != nil {
		p.Account, p.Kind, p.Region = m[1], kindOf(m[2]), m[3]
		for _, layout := range []string{"20060102T1504Z", "20060102T150405Z"} {
			if t, err := time.Parse(layout, m[4]); err == nil {
				p.From, p.To = t, t.Add(time.Minute)
			}
		}
	}
	return p
}

func kindOf(suffix string) Kind {
	switch suffix {
	case "":
		return KindCloudTrail
	case "-Digest":
		return KindDigest
	case "-Insight":
		return KindInsight
	}
	return KindUnknown
}

// outside reports whether nothing in a file delivered between p.From and p.To
// can have happened between since and until (zero: open). Events are older than
// the delivery of their file, usually by five to fifteen minutes; slack is how
// much more is allowed for on both sides.
func (p Place) outside(since, until time.Time, slack time.Duration) bool {
	if p.From.IsZero() {
		return false
	}
	return !since.IsZero() && p.To.Add(slack).Before(since) ||
		!until.IsZero() && p.From.Add(-slack).After(until)
}
