package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// watchers are the services of AWS whose findings are collected: the features of
// which one is on where it watches, and the actions that say so and list them.
var watchers = []struct {
	id, name          string
	features, actions []string
}{
	{"inspector2", "Inspector", []string{"inspector2:LAMBDA", "inspector2:LAMBDA_CODE"}, []string{"inspector2:BatchGetAccountStatus", "inspector2:ListFindings"}},
	{"guardduty", "GuardDuty", []string{"guardduty:LAMBDA_NETWORK_LOGS"}, []string{"guardduty:ListDetectors", "guardduty:GetDetector", "guardduty:ListFindings", "guardduty:GetFindings"}},
	{"securityhub", "Security Hub", []string{"securityhub"}, []string{"securityhub:DescribeHub", "securityhub:GetFindings"}},
	{"config", "AWS Config", []string{recording}, []string{"config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus", "config:SelectResourceConfig"}},
}

// reporters are the watchers that have findings: AWS Config, the last, records.
var reporters = watchers[:len(watchers)-1]

// recording is the feature of AWS Config that records functions.
const recording = "config:AWS::Lambda::Function"

// A watched says whether a service watches functions in an account and region.
type watched struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Service string `json:"service"`
	// State is "on", "off" or "not read"; Reason says why it was not read.
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

// An awsSays is what services of AWS say of a function or a layer version.
type awsSays struct {
	Services []watched               `json:"services"`
	Findings []lamina.ServiceFinding `json:"findings"`
	// Recorded is when AWS Config last recorded the function; it cannot record layers.
	Recorded *time.Time `json:"recorded,omitempty"`
	// Unused are what Access Analyzer says the function's role does not use.
	Unused []lamina.AccessFinding `json:"unused,omitempty"`
}

// placesOf are where the functions are, each once, sorted.
func placesOf(fs []lamina.Function) []posture.Place {
	var all []posture.Place
	for _, f := range fs {
		all = append(all, posture.Place{Account: f.Account, Region: f.Region})
	}
	slices.SortFunc(all, func(x, y posture.Place) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Region, y.Region))
	})
	return slices.Compact(all)
}

// saysOfLayer is what services say of a layer version and of functions because of it:
// Security Hub may have it where the layer is, the others where it is loaded.
func saysOfLayer(in posture.Input, r layerRow, users []lamina.Function) awsSays {
	where := placesOf(users)
	out := says(in, where, r.ARN)
	out.Services = slices.DeleteFunc(out.Services, func(w watched) bool { return w.Service == "config" })
	if own := (posture.Place{Account: r.Account, Region: r.Region}); r.Owner == "ours" && !slices.Contains(where, own) {
		for _, w := range says(in, []posture.Place{own}).Services {
			if w.Service == "securityhub" {
				out.Services = append(out.Services, w)
			}
		}
	}
	return out
}

// says is what services say of any of the ARNs, and whether they watch the places.
func says(in posture.Input, places []posture.Place, arns ...string) awsSays {
	out := awsSays{Findings: in.Estate.Said(arns...), Services: []watched{}}
	if out.Findings == nil {
		out.Findings = []lamina.ServiceFinding{}
	}
	slices.SortStableFunc(out.Findings, func(x, y lamina.ServiceFinding) int {
		return cmp.Or(cmp.Compare(severityRank(x.Severity), severityRank(y.Severity)), cmp.Compare(x.Service, y.Service), cmp.Compare(x.ID, y.ID))
	})
	for _, p := range places {
		for _, w := range watchers {
			s := watched{Account: p.Account, Region: p.Region, Service: w.id, State: "off"}
			for _, v := range in.Estate.Snapshot.Services {
				if v.Account == p.Account && v.Region == p.Region && v.Enabled && slices.Contains(w.features, v.Feature) {
					s.State = "on"
				}
			}
			for _, action := range w.actions {
				if m, ok := in.Estate.Missing(p.Account, p.Region, action, ""); ok && s.Reason == "" {
					s.State, s.Reason = notRead, m.Why()
				}
			}
			out.Services = append(out.Services, s)
		}
	}
	return out
}

// severityRank orders AWS's words, the worst first.
func severityRank(word string) int {
	i := slices.Index([]string{"CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"}, word)
	if i < 0 {
		return 5
	}
	return i
}

// saysOf is what services say of a function, of its versions and of its role.
func saysOf(in posture.Input, f lamina.Function, versions []lamina.Function) awsSays {
	arns := []string{f.ARN}
	for _, v := range versions {
		arns = append(arns, v.ARN)
	}
	out := says(in, placesOf([]lamina.Function{f}), arns...)
	for _, r := range in.Estate.Snapshot.ConfigRecords {
		if r.Function == f.ARN {
			out.Recorded = &r.Captured
		}
	}
	for _, x := range in.Estate.Snapshot.AccessFindings {
		if x.Kind == "UnusedPermission" && x.Resource == f.Role {
			out.Unused = append(out.Unused, x)
		}
	}
	return out
}

// shownFindings is how many findings of one service the text has.
const shownFindings = 10

// writeSays writes what services say. all says that it is of every function that
// loads a layer, so that what several have is one line.
func writeSays(field func(name, value string), s awsSays, all bool) {
	for _, w := range reporters {
		var lines []string
		of := map[string]int{}
		for _, x := range s.Findings {
			if x.Service == w.id {
				line := saysLine(x, !all)
				if of[line]++; of[line] == 1 {
					lines = append(lines, line)
				}
			}
		}
		for i, line := range lines[:min(len(lines), shownFindings)] {
			if all && of[line] > 1 {
				line += fmt.Sprintf("; of %d functions", of[line])
			}
			if i > 0 {
				field(" ", line)
			} else {
				field(w.name, line)
			}
		}
		if n := len(lines) - shownFindings; n > 0 {
			field(" ", fmt.Sprintf("and %d more: -f json has them", n))
		}
		state := stateOf(s, w.id)
		switch {
		case state == "" && len(lines) == 0:
			field(w.name, "on, and says nothing of it")
		case state != "" && len(lines) == 0:
			field(w.name, state)
		case state != "":
			field(" ", state)
		}
	}
}

// saysLine is a finding in a line, whole with its times and its id.
func saysLine(x lamina.ServiceFinding, whole bool) string {
	parts := []string{x.Severity + " " + cmp.Or(x.Title, x.Type, x.ID)}
	var ids []string
	for _, id := range x.Vulnerabilities {
		if !strings.Contains(x.Title, id) {
			ids = append(ids, id)
		}
	}
	if ids != nil {
		parts = append(parts, strings.Join(ids, " "))
	}
	for _, p := range x.Packages[:min(len(x.Packages), 3)] {
		text := strings.TrimSpace(p.Name + " " + p.Version)
		if text == "" {
			text = p.Path
		}
		if p.FixedIn != "" {
			text += ", fixed in " + p.FixedIn
		}
		if p.Layer != "" {
			text += ", in " + layerName(p.Layer, x.Account)
		} else {
			text += ", in its own package"
		}
		parts = append(parts, text)
	}
	if n := len(x.Packages) - 3; n > 0 {
		parts = append(parts, count(n, "package")+" more")
	}
	if x.Exploit {
		parts = append(parts, "an exploit is known")
	}
	if x.Product != "" && x.Product != "aws/securityhub" {
		parts = append(parts, "from "+x.Product)
	}
	if whole && !x.Last.IsZero() {
		parts = append(parts, "seen "+x.First.UTC().Format(time.DateOnly)+" to "+x.Last.UTC().Format(time.DateOnly))
	}
	if whole {
		parts = append(parts, x.ID)
	}
	return strings.Join(parts, "; ")
}

// stateOf says where a service is not on, or was not read; "" is nowhere.
func stateOf(s awsSays, service string) string {
	var off, unread int
	var reason string
	places := 0
	for _, w := range s.Services {
		if w.Service != service {
			continue
		}
		places++
		switch w.State {
		case "off":
			off++
		case notRead:
			unread++
			reason = cmp.Or(reason, w.Reason)
		}
	}
	switch {
	case places == 0:
		return "looks at functions alone, and none of ours loads it"
	case off == places:
		return "off"
	case unread == places:
		return notRead + " (" + reason + ")"
	case off+unread == 0:
		return ""
	}
	var parts []string
	if off > 0 {
		parts = append(parts, fmt.Sprintf("off in %d", off))
	}
	if unread > 0 {
		parts = append(parts, fmt.Sprintf("not read in %d", unread))
	}
	return strings.Join(parts, " and ") + fmt.Sprintf(" of %d accounts and regions", places)
}

// writeRecorded writes when AWS Config recorded a function.
func writeRecorded(field func(name, value string), s awsSays) {
	state := stateOf(s, "config")
	switch {
	case s.Recorded != nil && s.Recorded.IsZero():
		field("AWS Config", "has a record of it, of no time")
	case s.Recorded != nil:
		text := "recorded it last on " + s.Recorded.UTC().Format("2006-01-02 15:04 UTC")
		if state == "off" {
			text += ", and is off"
		}
		field("AWS Config", text+"; it cannot record layers")
	case state == "":
		field("AWS Config", "on, and has no record of it; it cannot record layers")
	default:
		field("AWS Config", state)
	}
}

// writeUnused writes what a role does not use.
func writeUnused(field func(name, value string), s awsSays) {
	for _, x := range s.Unused {
		text := "its role does not use " + strings.Join(x.Unused[:min(len(x.Unused), 12)], " ")
		if len(x.Unused) == 0 {
			text = "its role has permissions that it does not use; which was not read"
		}
		if n := max(0, len(x.Unused)-12) + x.UnusedMore; n > 0 {
			text += fmt.Sprintf(" and %d more", n)
		}
		field("Access Analyzer", text)
	}
}

// findingsLines say what became of the findings that services listed.
func findingsLines(e *estate.Estate) []string {
	var out []string
	for _, w := range reporters {
		var sum lamina.FindingCount
		for _, c := range e.Snapshot.FindingCounts {
			if c.Service == w.id {
				sum.Listed, sum.Kept, sum.Layerless = sum.Listed+c.Listed, sum.Kept+c.Kept, sum.Layerless+c.Layerless
				sum.Copies, sum.Closed, sum.Unnamed = sum.Copies+c.Copies, sum.Closed+c.Closed, sum.Unnamed+c.Unnamed
			}
		}
		if sum.Listed == 0 {
			continue
		}
		parts := []string{fmt.Sprintf("%s listed %s", w.name, count(sum.Listed, "finding")), fmt.Sprintf("and %d are kept", sum.Kept)}
		for _, left := range []struct {
			n   int
			why string
		}{
			{sum.Layerless, "of functions without layers"},
			{sum.Copies, "that other services, or lamina, found"},
			{sum.Closed, "closed"},
			{sum.Unnamed, "of nothing that is named"},
		} {
			if left.n > 0 {
				parts = append(parts, fmt.Sprintf("not %d %s", left.n, left.why))
			}
		}
		out = append(out, strings.Join(parts, ", "))
	}
	gone := 0
	for _, x := range e.Snapshot.ServiceFindings {
		if !slices.ContainsFunc(x.Resources, func(arn string) bool {
			_, function := e.Function(arn)
			_, layer := e.Layer(arn)
			return function || layer
		}) {
			gone++
		}
	}
	if gone > 0 {
		out = append(out, count(gone, "finding")+" of functions and layers that are not in the snapshot")
	}
	if len(e.Snapshot.ConfigRecords) > 0 {
		out = append(out, fmt.Sprintf("AWS Config has a record of %s; it cannot record layers", count(len(e.Snapshot.ConfigRecords), "function")))
	}
	return out
}
