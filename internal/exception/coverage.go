package exception

import (
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// coverage reads accepted incompleteness: calls that the collector may go
// without, in accounts and regions where that is known and meant (a service
// control policy that denies a region, an account that is being closed).
func coverage(name string, e *tomlfile.Table, ids map[string]bool, now time.Time) Item {
	x := header(name, e, ids, now)
	x.Coverage = true
	m := e.Table("match")
	if m == nil {
		if !e.Has("match") {
			e.Fail("match", `write match = { region = "ap-southeast-2" } or { account = "…", action = "…" }`, "exception %q does not say what it covers", x.ID)
		}
		e.Done()
		return x
	}
	everything := true
	for _, k := range x.Match.keys() {
		if k.name != "account" && k.name != "region" && k.name != "action" {
			continue
		}
		*k.value = m.Text(k.name)
		if m.Has(k.name) && *k.value == "" {
			m.Fail(k.name, "leave the key out", "exception %q: %s is empty", x.ID, k.name)
		}
		if n := strings.Count(*k.value, "*"); n > maxStars {
			m.Fail(k.name, "", "exception %q: a pattern with %d stars, want at most %d", x.ID, n, maxStars)
		}
		everything = everything && everyCall(k.name, *k.value)
	}
	if m.Done() && everything {
		m.Fail("", "name an account, a region or an action", "exception %q would cover everything", x.ID)
	}
	e.Done()
	return x
}

// calls are what a coverage's keys are matched with, far from each other: a pattern
// that fits all of them names nothing.
var calls = map[string][]string{
	"account": {"111122223333", "444455556666", "999999999999"},
	"region":  {"us-east-1", "eu-central-2", "ap-southeast-3", "us-gov-west-1"},
	"action":  {"lambda:ListLayers", "iam:GetAccountAuthorizationDetails", "organizations:DescribePolicy"},
}

// everyCall reports whether the pattern of the key leaves no call out.
func everyCall(key, pattern string) bool {
	return anything(pattern) || !slices.ContainsFunc(calls[key], func(s string) bool { return !Glob(pattern, s, false) })
}

// Accepting is the coverage in force that covers a call of the collector, the one
// that ends last, or nil; then expired is the one that ended last. A region is
// "" for services without regions.
func Accepting(items []Item, account, region, action string, now time.Time) (accepted, expired *Item) {
	for i := range items {
		x := &items[i]
		to := &accepted
		if x.Expired(now) {
			to = &expired
		}
		if x.covered(account, region, action) && (*to == nil || x.Expires.After((*to).Expires)) {
			*to = x
		}
	}
	if accepted != nil {
		return accepted, nil
	}
	return nil, expired
}

// covered reports whether the call is one that x is about, whenever that was
// decided.
func (x Item) covered(account, region, action string) bool {
	is := func(pattern, s string) bool { return pattern == "" || Glob(pattern, s, false) }
	return x.Coverage && is(x.Match.Account, account) && is(x.Match.Region, region) && is(x.Match.Action, action)
}
