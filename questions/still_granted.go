package questions

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/triage"
)

// StillGranted answers from the snapshot whether the grant of the alert stands.
var StillGranted = triage.Question{
	ID:    "still-granted",
	Asks:  "Does the grant still stand?",
	Since: "0.1",
	Wants: func(r triage.Record) bool {
		return strings.HasPrefix(r.EventName, "AddLayerVersionPermission") && r.ErrorCode == ""
	},
	Run: stillGranted,
}

func stillGranted(c triage.Case) triage.Reply {
	event := []string{"event: " + c.Record.EventID}
	unknown := func(reason, settle string) triage.Reply {
		return triage.Reply{Outcome: lamina.Unknown, Text: "not known", Evidence: event, Reason: reason, Settle: settle}
	}
	arn := layerVersionARN(c.Record)
	switch {
	case arn == "":
		return unknown("the record does not name a layer version", "the record as CloudTrail wrote it")
	case c.Estate == nil && ended(c.Alert.Grant):
		return triage.Reply{
			Outcome: lamina.Pass, Text: "no: it " + c.Alert.Grant.String(),
			Evidence: append(event, "event: "+c.Alert.Grant.UntilEvent),
		}
	case c.Estate == nil:
		return unknown("there is no snapshot of the estate", "a snapshot taken after the event")
	}
	taken := c.Estate.Snapshot.Taken
	snapshot := "snapshot: " + taken.UTC().Format(time.RFC3339)
	if at, err := time.Parse(time.RFC3339, c.Record.EventTime); err != nil || taken.Before(at) {
		return unknown("the snapshot was taken before the event", "a snapshot taken after the event")
	}
	l, ok := c.Estate.Layer(arn)
	if !ok {
		return unknown("the snapshot does not hold "+arn+": it was deleted, or could not be read", "lambda:GetLayerVersionPolicy on it")
	}
	if m, missing := c.Estate.Missing(l.Account, l.Region, "lambda:GetLayerVersionPolicy", arn); missing {
		return unknown("its policy could not be read: "+m.Reason, "lambda:GetLayerVersionPolicy on it")
	}
	sid := c.Record.Text("statementId")
	if l.Policy != nil {
		for _, g := range l.Policy.Grants {
			if g.StatementID == sid && g.Principal == account(c.Record.Text("principal")) && g.OrganizationID == c.Record.Text("organizationId") {
				return triage.Reply{
					Outcome: lamina.Fail, Text: "yes: statement " + sid + " stands" + at(*l.Policy) + since(c.Alert.Grant),
					Evidence: append(event, snapshot),
				}
			}
		}
	}
	if g := c.Alert.Grant; ended(g) {
		return triage.Reply{
			Outcome: lamina.Pass, Text: fmt.Sprintf("no: statement %s is not in the policy any more; it %s", sid, g),
			Evidence: append(event, "event: "+g.UntilEvent, snapshot),
		}
	}
	return triage.Reply{
		Outcome: lamina.Pass, Text: fmt.Sprintf("no: statement %s is not in the policy any more; when it was removed is in the logs, if they hold it", sid),
		Evidence: append(event, snapshot),
	}
}

// ended reports whether events tell when the grant ended. One that was granted
// again later is no answer to whether it stands now.
func ended(g *lamina.GrantWindow) bool {
	return g != nil && (g.Ending == "removed" || g.Ending == "version_deleted") && g.UntilEvent != ""
}

// at is the revision of a policy, where it is known.
func at(p lamina.LayerPolicy) string {
	if p.RevisionID == "" {
		return ""
	}
	return " at revision " + p.RevisionID
}

// since is from when on a grant stands, when events tell.
func since(g *lamina.GrantWindow) string {
	if g == nil || g.Ending != "open" {
		return ""
	}
	return ", since " + g.From.UTC().Format(time.RFC3339)
}

// layerVersionARN is the ARN of the version that the record is about: it names
// the layer by its name or ARN, in the record's own account and region.
func layerVersionARN(r triage.Record) string {
	n, err := strconv.Atoi(r.Text("versionNumber"))
	name := r.Text("layerName")
	if err != nil || n < 1 || name == "" {
		return ""
	}
	if l, err := lamina.ParseLayerARN(name); err == nil && !l.Legacy {
		return l.Unversioned() + ":" + strconv.Itoa(n)
	}
	// The partition is in every ARN of the record's caller.
	partition := "aws"
	if a, err := lamina.ParseARN(r.UserIdentity.ARN); err == nil {
		partition = a.Partition
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:layer:%s:%d", partition, r.AWSRegion, r.RecipientAccountID, name, n)
}

// account turns the root ARN of an account into its id, as the estate has it.
func account(principal string) string {
	if a, err := lamina.ParseARN(principal); err == nil && a.Service == "iam" && a.Resource == "root" {
		return a.Account
	}
	return principal
}
