package awsfake

import (
	"maps"
	"time"
)

// A Count says what is counted: calls of an action by an account in a region.
// The region of a global service is the one its calls are signed for.
type Count struct {
	Account, Region string
	Action          string // the IAM action, "lambda:GetLayerVersion"
}

// Calls returns how often each action was called so far, refused and failed
// calls included.
func (f *Fake) Calls() map[Count]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.counts)
}

// Downloads returns how often the content of each layer version and function
// was fetched, by ARN.
func (f *Fake) Downloads() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.downloads)
}

// Forget drops what was counted and recorded so far, as if all there is had
// always been there.
func (f *Fake) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.counts)
	clear(f.downloads)
	clear(f.lookup)
	f.trail = nil
}

// Throttle makes the request quotas of AWS hold, under the virtual clock:
// Lambda's 15 calls a second for each account and region, with GetPolicy's 15
// and GetFunction's 100 of their own (spec posture F3), and CloudTrail's 2
// LookupEvents. A second's calls may come at once (derived).
func (f *Fake) Throttle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.buckets = map[bucketKey]*bucket{}
}

type bucketKey struct {
	place
	name string
}

// A bucket refills with the clock up to a second's calls.
type bucket struct {
	left float64
	at   time.Time
}

// quota is the bucket a call is taken from and its size; 0 is none.
func quota(svc *service, action string) (name string, perSecond float64) {
	switch {
	case action == "lambda:GetPolicy":
		return action, 15
	case action == "lambda:GetFunction":
		return action, 100
	case svc == &lambda:
		return svc.prefix, 15
	case action == "cloudtrail:LookupEvents":
		return action, 2
	}
	return "", 0
}

// throttled takes a call from its bucket; the lock must be held.
func (f *Fake) throttled(svc *service, c Call) bool {
	name, size := quota(svc, c.Action)
	if f.buckets == nil || size == 0 {
		return false
	}
	k := bucketKey{place{c.Caller.Account, c.Region}, name}
	b := f.buckets[k]
	if b == nil {
		b = &bucket{size, f.now}
		f.buckets[k] = b
	}
	b.left = min(size, b.left+size*f.now.Sub(b.at).Seconds())
	b.at = f.now
	if b.left < 1 {
		return true
	}
	b.left--
	return false
}
