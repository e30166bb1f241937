// Package triage is the contract of a question and the runner that answers an
// alert's questions.
//
// A question answers from the case: the alert, its event's raw record, and the
// estate when there is one. Every answer rests on evidence; an answer without
// any is turned into UNKNOWN here, and so is a panic. "Not observable" is an
// answer with a reason, never a guess. This package names no question; package
// questions holds them. Start with Run.
package triage

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
)

// A Question is one step of an investigation.
type Question struct {
	// ID is the file's name with hyphens ("who-was-granted").
	ID string
	// Asks is the question as a person would ask it.
	Asks string
	// Since is the release it came with.
	Since string
	// Wants reports whether the question can be asked of the alert's event at
	// all; when it returns false the answer is NOT_APPLICABLE.
	Wants func(r Record) bool
	Run   func(c Case) Reply
}

// A Case is what a question may look at.
type Case struct {
	Alert lamina.Alert
	// Record is the alert's (newest) event.
	Record Record
	// Estate is nil when no snapshot is at hand.
	Estate *estate.Estate
	// Org is what is known of the organisation, also without an Estate.
	Org estate.Org
}

// A Reply is a question's answer before it has a name.
type Reply struct {
	// Outcome says what the answer means for the alert: Fail speaks for an
	// incident, Pass against it, Unknown needs Reason and Settle.
	Outcome lamina.Outcome
	Text    string
	// Evidence is what the answer rests on, each "kind: value"; an event is
	// "event: ID".
	Evidence       []string
	Reason, Settle string
}

// A Record is what of a CloudTrail record questions read, by its own names
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
type Record struct {
	EventID            string         `json:"eventID"`
	EventName          string         `json:"eventName"`
	EventSource        string         `json:"eventSource"`
	EventTime          string         `json:"eventTime"`
	AWSRegion          string         `json:"awsRegion"`
	ErrorCode          string         `json:"errorCode"`
	RecipientAccountID string         `json:"recipientAccountId"`
	UserIdentity       UserIdentity   `json:"userIdentity"`
	RequestParameters  map[string]any `json:"requestParameters"`
	ResponseElements   map[string]any `json:"responseElements"`
}

// UserIdentity is what of a record's caller questions read.
type UserIdentity struct {
	Type string `json:"type"`
	ARN  string `json:"arn"`
}

// Text returns the request parameter as text, "" when there is none.
func (r Record) Text(parameter string) string {
	switch v := r.RequestParameters[parameter].(type) {
	case string:
		return v
	case float64:
		return fmt.Sprint(v)
	}
	return ""
}

// maxRecord is above what CloudTrail writes for one event.
const maxRecord = 1 << 20

// Run asks the questions of one alert and returns one answer each, in order. A
// nil estate is allowed.
func Run(questions []Question, alert lamina.Alert, est *estate.Estate, org estate.Org) []lamina.Answer {
	c := Case{Alert: alert, Estate: est, Org: org}
	var unread error
	switch {
	case len(alert.Raw) == 0:
		unread = errors.New("the alert does not carry its event")
	case len(alert.Raw) > maxRecord:
		unread = fmt.Errorf("the event's record of %d bytes is above the limit of %d", len(alert.Raw), maxRecord)
	default:
		if err := json.Unmarshal(alert.Raw, &c.Record); err != nil {
			unread = fmt.Errorf("the event's record cannot be read: %w", err)
		}
	}
	answers := make([]lamina.Answer, 0, len(questions))
	for _, q := range questions {
		var r Reply
		switch {
		case unread != nil:
			r = Reply{Outcome: lamina.Unknown, Text: "not observable", Reason: unread.Error(), Settle: "the event as CloudTrail wrote it"}
		case q.Wants != nil && !q.Wants(c.Record):
			r = Reply{Outcome: lamina.NotApplicable, Text: "the event is of another kind", Evidence: []string{"event: " + c.Record.EventID}}
		default:
			r = ask(q, c)
		}
		answers = append(answers, lamina.Answer{
			Question: q.ID, Asks: q.Asks, Alert: alert.ID, Outcome: r.Outcome,
			Text: r.Text, Evidence: r.Evidence, Reason: r.Reason, Settle: r.Settle,
		})
	}
	return answers
}

func ask(q Question, c Case) (r Reply) {
	defer func() {
		if p := recover(); p != nil {
			r = defect(fmt.Errorf("panic: %v", p))
		}
	}()
	r = q.Run(c)
	switch {
	case !r.Outcome.Valid():
		return defect(fmt.Errorf("the question gave the outcome %q", r.Outcome))
	case r.Outcome == lamina.Unknown && (r.Reason == "" || r.Settle == ""):
		return defect(errors.New("the question gave no reason, or nothing that would settle it"))
	case r.Outcome != lamina.Unknown && len(r.Evidence) == 0:
		return defect(errors.New("the question answered without evidence"))
	}
	return r
}

func defect(err error) Reply {
	return Reply{Outcome: lamina.Unknown, Text: "not answered", Reason: err.Error(), Settle: "this is a defect of lamina: please report it"}
}
