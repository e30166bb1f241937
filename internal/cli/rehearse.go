package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/access"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/internal/enrich"
	"github.com/lamina-sec/lamina/internal/ingest"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/source"
	"github.com/lamina-sec/lamina/rule"
)

// alerting says which of the rules of --rules would alert on calls in the estate;
// nil when no rules were named.
func (a *app) alerting(in posture.Input) (*posture.Alerting, error) {
	if len(a.conf.list("rules")) == 0 {
		return nil, nil //nolint:nilnil // nil rules are what a check is not asked without
	}
	set, err := a.loadRules()
	if err != nil {
		return nil, err
	}
	programs, err := a.compileRules(set)
	if err != nil {
		return nil, err
	}
	s := in.Estate.Snapshot
	r := &rehearsalStage{programs: programs, taken: s.Taken, enrich: enrich.Config{OrgID: s.OrgID, Publishers: in.Publishers}}
	for _, acc := range s.Accounts {
		r.enrich.Accounts = append(r.enrich.Accounts, acc.ID)
	}
	out := &posture.Alerting{Rules: r.rules}
	for _, p := range programs {
		if p.Needs != "" {
			out.Unrun++
		}
	}
	return out, nil
}

// A rehearsalStage is where calls are made that nobody made: for the rules alone.
type rehearsalStage struct {
	programs []*rule.Program
	taken    time.Time // when the calls are made
	enrich   enrich.Config
}

// rules evaluates each deed as if it were alone. What is about the same function
// or statement is in runs of its own: of the second the rules would think that it
// changes nothing.
func (r *rehearsalStage) rules(deeds []posture.Deed) ([][]string, error) {
	out := make([][]string, len(deeds))
	var runs [][]int
	times := map[string]int{}
	for i, d := range deeds {
		about := fmt.Sprint(d.Account, d.Region, d.API, d.Request["functionName"], d.Request["layerName"], d.Request["versionNumber"], d.Request["statementId"])
		n := times[about]
		times[about]++
		if n == len(runs) {
			runs = append(runs, nil)
		}
		runs[n] = append(runs[n], i)
	}
	for _, run := range runs {
		if err := r.run(deeds, run, out); err != nil {
			return nil, err
		}
	}
	for i, names := range out {
		slices.Sort(names)
		out[i] = slices.Compact(names)
	}
	return out, nil
}

// run evaluates the deeds with the numbers in one window, without a limit on
// alerts and without suppression, and notes which rules alert on each.
func (r *rehearsalStage) run(deeds []posture.Deed, numbers []int, out [][]string) error {
	records := make([]any, 0, len(numbers))
	for _, i := range numbers {
		records = append(records, r.record(deeds[i], eventID(i)))
	}
	raw, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return err
	}
	stage := &detection{enricher: enrich.New(r.enrich)}
	stage.newEvent = func() *cloudtrail.Event { return &cloudtrail.Event{Derived: stage.enricher.Values} }
	if stage.engine, err = detect.New(detect.Config{Programs: r.programs, Enricher: stage.enricher, Schedule: detect.Once}); err != nil {
		return err
	}
	by := map[string]int{}
	for _, i := range numbers {
		by[eventID(i)] = i
	}
	evaluation := stage.engine.NewRun(stage.open(), func(al lamina.Alert) error {
		for _, id := range al.EventIDs {
			if i, ok := by[id]; ok && al.Exception == nil {
				out[i] = append(out[i], al.Rule.Name)
			}
		}
		return nil
	})
	worker := stage.engine.Worker()
	counts, err := ingest.Into(context.Background(), []*source.Blob{source.Memory("rehearsal", raw)}, worker, ingest.Options{
		Jobs: 1, NewEvent: stage.newEvent, Skipped: func(s lamina.Skipped) error { return errors.New(s.Reason) },
	})
	if err == nil && int(counts.Evaluated) != len(numbers) {
		err = fmt.Errorf("%d of %d records were evaluated", counts.Evaluated, len(numbers))
	}
	if err != nil {
		return err
	}
	return evaluation.Finish(worker)
}

// eventID is that of a deed's record.
func eventID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// apiDates are what CloudTrail appends to the names of Lambda's calls: the date of
// the API in which the call came.
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
var apiDates = map[string]string{"AddLayerVersionPermission": "20181031", "UpdateFunctionConfiguration": "20150331v2"}

// record is the deed as CloudTrail would have recorded it, after the API model.
func (r *rehearsalStage) record(d posture.Deed, eventID string) map[string]any {
	caller := d.Caller
	if caller == "" {
		caller = "arn:aws:iam::" + d.Account + ":role/" + access.Canary
	}
	who, err := lamina.ParseARN(caller)
	if err != nil {
		who = lamina.ARN{Partition: "aws", Service: "iam", Account: d.Account, Resource: "role/" + access.Canary}
	}
	kind, path, _ := strings.Cut(who.Resource, "/")
	name := path[strings.LastIndex(path, "/")+1:]
	identity := map[string]any{"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": who.String(), "accountId": who.Account, "accessKeyId": "AKIAEXAMPLE", "userName": name}
	if kind == "role" {
		session := who
		session.Service, session.Resource = "sts", "assumed-role/"+name+"/lamina"
		identity = map[string]any{
			"type": "AssumedRole", "principalId": "AROAEXAMPLE:lamina", "arn": session.String(), "accountId": who.Account, "accessKeyId": "ASIAEXAMPLE",
			"sessionContext": map[string]any{"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAEXAMPLE", "arn": who.String(), "accountId": who.Account, "userName": name}},
		}
	}
	return map[string]any{
		"eventVersion": "1.11", "userIdentity": identity, "eventTime": r.taken.UTC().Format("2006-01-02T15:04:05Z"),
		"eventSource": "lambda.amazonaws.com", "eventName": d.API + apiDates[d.API], "awsRegion": d.Region, "sourceIPAddress": "198.51.100.7",
		"userAgent": "aws-cli/2.17.0", "requestParameters": d.Request, "responseElements": d.Response, "requestID": "00000000-0000-4000-8000-000000000001",
		"eventID": eventID, "readOnly": false, "eventType": "AwsApiCall", "managementEvent": true,
		"recipientAccountId": d.Account, "eventCategory": "Management",
	}
}
