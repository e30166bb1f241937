// Package approval is decisions written down before they are needed: the file
// approvals.toml, which says which layers of others our functions may load and
// which sharing of our own layers is meant, who decided it, why, and until when.
//
// An approval is not an exception: what is approved is not a finding that somebody
// accepted, it is as it should be, and checks pass it and say by whose decision.
// One that has ended approves nothing, and what it approved says so. A layer of
// others is approved by its version or by the digest of its content, and a star
// for an account approves nobody: that is refused. The file is named by the user,
// never found inside what is examined.
//
// It reads and changes bytes; opening and saving files is the caller's. Start
// with Parse and Set.
package approval

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// The kinds of approval, by the name of their table in the file.
const (
	Layer = "layer" // a layer of others may be loaded
	Share = "share" // a layer of ours may be granted
)

// A File is the approvals of one file.
type File struct {
	Name  string
	Items []Item
}

// An Item is one approval.
type Item struct {
	// Kind is Layer or Share; ID is unique in its file.
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Layer is a pattern for ARNs of layer versions, whose account is spelled out.
	Layer string `json:"layer"`
	// Digest is the SHA-256 in hex that the content must have, "" for any.
	Digest string `json:"digest,omitempty"`
	// To is who a share is for: an account id, an organisation's id, or "everyone".
	To string `json:"to,omitempty"`
	// Scope limits a layer to accounts, to organisational units, and to functions
	// by patterns for their ARNs; none means all of ours.
	Scope  []string `json:"scope,omitempty"`
	Reason string   `json:"reason"`
	Owner  string   `json:"owner"`
	// Expires is the last day on which it holds, in UTC.
	Expires time.Time `json:"expires"`
	// File and Line are where it stands.
	File string `json:"file"`
	Line int    `json:"line"`
}

// Expired reports whether x has ended by now.
func (x Item) Expired(now time.Time) bool { return exception.Day(now).After(x.Expires) }

// String is x for evidence: which, whose, and until when.
func (x Item) String() string {
	return fmt.Sprintf("%s (%s) until %s", x.ID, x.Owner, x.Expires.Format(time.DateOnly))
}

// Parse reads approvals.toml. It is strict: everything that is wrong is an error
// with its place, all of them at once (the parts are *tomlfile.Error), and then no
// approval is returned. An approval that has ended by now is no error.
func Parse(name string, data []byte, now time.Time) (*File, error) {
	t, err := tomlfile.Parse(name, data)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name}
	ids := map[string]bool{}
	for _, kind := range []string{Layer, Share} {
		for _, e := range t.Tables(kind) {
			f.Items = append(f.Items, item(name, kind, e, ids, now))
		}
	}
	t.Done()
	if err := t.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.Items, func(a, b Item) int { return cmp.Compare(a.Line, b.Line) })
	return f, nil
}

func item(name, kind string, e *tomlfile.Table, ids map[string]bool, now time.Time) Item {
	x := Item{Kind: kind, ID: e.Text("id"), File: name, Line: e.Line("")}
	switch {
	case !isID().MatchString(x.ID):
		e.Fail("id", "give it a name of its own", "approval id %q: want 1 to 100 letters, digits, dots, hyphens and underscores", x.ID)
	case ids[x.ID]:
		e.Fail("id", "give each approval an id of its own", "approval %q is there twice", x.ID)
	}
	ids[x.ID] = true
	if digest := e.Text("digest"); digest != "" {
		hex, ok := strings.CutPrefix(digest, "sha256:")
		if !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
			e.Fail("digest", "lamina approve layer --digest writes it", "approval %q: digest is not sha256: and 64 hex digits", x.ID)
		}
		x.Digest = hex
	}
	x.Layer = e.Text("layer")
	if msg, hint := checkLayer(x); msg != "" {
		e.Fail("layer", hint, "approval %q: %s", x.ID, msg)
	}
	switch kind {
	case Layer:
		x.Scope = e.Texts("scope")
		for _, s := range x.Scope {
			if !scope().MatchString(s) || strings.Count(s, "*") > maxStars {
				e.Fail("scope", "an account id, ou-… or r-…, or a pattern for ARNs of functions", "approval %q: scope %q", x.ID, s)
			}
		}
	case Share:
		if x.To = e.Text("to"); !to().MatchString(x.To) {
			e.Fail("to", toHint, "approval %q: to %q is nobody", x.ID, x.To)
		}
	}
	if x.Reason = strings.TrimSpace(e.Text("reason")); x.Reason == "" {
		e.Fail("reason", "say what it is for", "approval %q has no reason", x.ID)
	}
	if x.Owner = strings.TrimSpace(e.Text("owner")); x.Owner == "" {
		e.Fail("owner", "say who decided it", "approval %q has no owner", x.ID)
	}
	x.Expires = e.Date("expires")
	last := exception.Day(now).AddDate(0, 0, exception.MaxDays)
	switch {
	case !e.Has("expires"):
		e.Fail("expires", "write expires = "+exception.Day(now).AddDate(0, 0, exception.DefaultDays).Format(time.DateOnly), "approval %q never ends", x.ID)
	case x.Expires.After(last):
		e.Fail("expires", fmt.Sprintf("the longest is %d days, until %s", exception.MaxDays, last.Format(time.DateOnly)), "approval %q lasts until %s", x.ID, x.Expires.Format(time.DateOnly))
	}
	e.Done()
	return x
}

// What its values look like. Compiling them takes a millisecond, which a program
// that reads no approvals does not wait for.
var (
	isID  = pattern(`^[A-Za-z0-9._-]{1,100}$`)
	to    = pattern(`^([0-9]{12}|o-[a-z0-9]{10,32}|everyone)$`)
	scope = pattern(`^([0-9]{12}|(ou|r)-[a-z0-9-]{4,64}|arn:[^:]+:lambda:[^:]*:[0-9*]+:function:\S+)$`)
)

func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

const toHint = `an account id, o-… for an organisation, or "everyone"`

// maxStars is how many stars a pattern may have.
const maxStars = 8

// checkLayer says what is wrong with the pattern for layers, and what to do.
func checkLayer(x Item) (msg, hint string) {
	const want = "arn:aws:lambda:*:444455556666:layer:NAME:VERSION"
	p := strings.Split(x.Layer, ":")
	switch {
	case len(p) != 8 || p[0] != "arn" || p[2] != "lambda" || p[5] != "layer" || p[6] == "":
		if len(p) == 7 && p[0] == "arn" && p[5] == "layer" {
			return fmt.Sprintf("%q names no version", x.Layer), "end it in :VERSION, or in :* if every version to come is approved"
		}
		return fmt.Sprintf("%q is no layer version", x.Layer), "write " + want
	case len(p[4]) != 12 || strings.Trim(p[4], "0123456789") != "":
		return fmt.Sprintf("%q is of no one account", x.Layer), "spell the account out, as in " + want
	case strings.Trim(p[6], "*") == "" && x.Digest == "":
		return fmt.Sprintf("%q is every layer of the account", x.Layer), "name the layer, or give its digest"
	case strings.Count(x.Layer, "*") > maxStars:
		return fmt.Sprintf("%q has more than %d stars", x.Layer, maxStars), ""
	}
	return "", ""
}

// A Set is the approvals there are and the time at which they are asked. A nil
// Set approves nothing.
type Set struct {
	Items []Item
	Now   time.Time
}

// A Verdict is what a set says of one thing.
type Verdict struct {
	// By is the approval in force that ends last, nil if there is none.
	By *Item
	// Lapsed are words about approvals that would cover it and do not, for evidence.
	Lapsed []string
}

// A Use is a layer version that a function loads.
type Use struct {
	Layer string // ARN
	// Digest is the SHA-256 of the layer's zip in hex, "" when it is not known.
	Digest string
	// Function is the ARN of the function, Account its account, and Units are the
	// organisational units that the account is in, the root among them.
	Function, Account string
	Units             []string
}

// Use asks whether the function may load the layer version.
func (s *Set) Use(u Use) Verdict {
	return s.ask(Layer, u.Layer, u.Digest, func(x Item) bool {
		return len(x.Scope) == 0 || slices.ContainsFunc(x.Scope, func(in string) bool {
			return in == u.Account || slices.Contains(u.Units, in) || strings.HasPrefix(in, "arn:") && exception.Glob(in, u.Function, false)
		})
	})
}

// Content asks whether somebody approved the layer by the SHA-256, in hex, of its
// zip, whatever it is called.
func (s *Set) Content(digest string) Verdict {
	return s.ask(Layer, "", digest, func(x Item) bool { return x.Digest != "" })
}

// Share asks whether the grant of the layer version with the ARN is meant.
func (s *Set) Share(layer, digest string, g lamina.Grant) Verdict {
	to := g.Principal
	if a, err := lamina.ParseARN(to); err == nil && a.Service == "iam" {
		to = a.Account
	}
	if to == "*" {
		to = cmp.Or(g.OrganizationID, "everyone")
	}
	return s.ask(Share, layer, digest, func(x Item) bool { return x.To == to })
}

func (s *Set) ask(kind, layer, digest string, fits func(Item) bool) Verdict {
	var v Verdict
	if s == nil {
		return v
	}
	for i := range s.Items {
		x := &s.Items[i]
		if x.Kind != kind || layer != "" && !exception.Glob(x.Layer, layer, false) || !fits(*x) {
			continue
		}
		switch {
		case layer == "" && x.Digest != digest: // asked by content alone: another's
		case x.Digest != "" && digest == "":
			v.Lapsed = append(v.Lapsed, fmt.Sprintf("not approved: approval %s is for sha256:%.12s…, and the content is not known", *x, x.Digest))
		case x.Digest != "" && x.Digest != digest:
			v.Lapsed = append(v.Lapsed, fmt.Sprintf("not approved: approval %s is for sha256:%.12s…, and the content is sha256:%.12s…", *x, x.Digest, digest))
		case x.Expired(s.Now):
			v.Lapsed = append(v.Lapsed, fmt.Sprintf("re-opened: approval %s (%s) ended on %s", x.ID, x.Owner, x.Expires.Format(time.DateOnly)))
		case v.By == nil || x.Expires.After(v.By.Expires):
			v.By = x
		}
	}
	return v
}
