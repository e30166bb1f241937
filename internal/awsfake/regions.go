package awsfake

import (
	"slices"
	"strings"
)

// Regions of each partition that every account has, and those that an account
// has to opt in to (Account Management reference, "Enable or disable AWS
// Regions"; General Reference).
var (
	everywhere = map[string]string{
		"aws": "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 " +
			"eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2",
		"aws-cn":     "cn-north-1 cn-northwest-1",
		"aws-us-gov": "us-gov-east-1 us-gov-west-1",
	}
	onRequest = "af-south-1 ap-east-1 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-7 " +
		"ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 mx-central-1"
)

// OptIn enables regions that are off by default in an account. Calls to regions
// that are off fail as those with unknown credentials do.
func (f *Fake) OptIn(account string, regions ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.optedIn[account] = append(f.optedIn[account], regions...)
}

// enabled reports whether the account may use the region; the lock must be held.
func (f *Fake) enabled(account, region string) bool {
	return !slices.Contains(strings.Fields(onRequest), region) || slices.Contains(f.optedIn[account], region)
}

// A regionStatus is a region and what Account Management says of it; EC2 has
// other words.
type regionStatus struct{ name, status, ec2 string }

func (s Session) regions() []regionStatus {
	var all []regionStatus
	for r := range strings.FieldsSeq(everywhere[s.partition()]) {
		all = append(all, regionStatus{r, "ENABLED_BY_DEFAULT", "opt-in-not-required"})
	}
	if s.partition() == "aws" {
		for r := range strings.FieldsSeq(onRequest) {
			st := regionStatus{r, "DISABLED", "not-opted-in"}
			if s.f.enabled(s.caller.Account, r) {
				st.status, st.ec2 = "ENABLED", "opted-in"
			}
			all = append(all, st)
		}
	}
	slices.SortFunc(all, func(a, b regionStatus) int { return strings.Compare(a.name, b.name) })
	return all
}

func (f *Fake) accountPaths() []path {
	pages := paging{"MaxResults", "NextToken", "NextToken", 20, 50, "ValidationException"}
	return []path{{"POST /listRegions", "ListRegions", rpc{do: func(s Session, in input) (object, *Error) {
		wanted := in.list("RegionOptStatusContains")
		all := only(s.regions(), func(r regionStatus) bool { return wanted == nil || slices.Contains(wanted, r.status) })
		return listing(in, pages, "Regions", all, func(r regionStatus) object {
			return object{{name: "RegionName", value: r.name}, {name: "RegionOptStatus", value: r.status}}
		})
	}}}}
}
