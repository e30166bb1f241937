package rules_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/rule"
	"github.com/lamina-sec/lamina/rules"
)

// The example in the documents excepts what it says, no more, and not for ever.
func TestExample_exceptions(t *testing.T) {
	const name = "../docs/examples/rule-exceptions.ndjson"
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	x, err := rule.ParseExceptions(name, data)
	if err != nil {
		t.Fatal(err)
	}
	r := load(t)[slices.Index(rules.List, "layer-shared")]
	granted := func(role, layer, principal string) string {
		return fmt.Sprintf(`{"eventSource":"lambda.amazonaws.com","eventName":"AddLayerVersionPermission20181031","eventID":"1","eventTime":"2026-12-01T09:00:00Z",`+
			`"awsRegion":"eu-west-1","recipientAccountId":"111122223333","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/%s/ci","accountId":"111122223333"},`+
			`"requestParameters":{"layerName":%q,"versionNumber":3,"statementId":"s","action":"lambda:GetLayerVersion","principal":%q},"responseElements":{"revisionId":"r"}}`, role, layer, principal)
	}
	newEvent := makeEvent(registry(t))
	tests := []struct {
		name, record string
		now          time.Time
		alert        bool
	}{
		{"approved_role_and_layer", granted("layer-publisher", "shared-utils", "*"), time.Time{}, false},
		{"approved_role_another_layer", granted("layer-publisher", "billing", "*"), time.Time{}, true},
		{"another_role_approved_layer", granted("admin", "shared-utils", "*"), time.Time{}, true},
		{"approved_partner_and_layer", granted("deploy", "partner-sdk", "444455556666"), time.Time{}, false},
		{"approved_partner_another_layer", granted("deploy", "billing", "444455556666"), time.Time{}, true},
		{"another_partner_approved_layer", granted("deploy", "partner-sdk", "999999999999"), time.Time{}, true},
		{"before_the_end_date", granted("layer-publisher", "shared-utils", "*"), time.Date(2027, 5, 30, 0, 0, 0, 0, time.UTC), false},
		{"after_the_end_date", granted("layer-publisher", "shared-utils", "*"), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := r.Compile(rule.CompileOptions{Exceptions: x, Now: tt.now})
			if err != nil {
				t.Fatal(err)
			}
			ev, err := newEvent(rule.Case{Record: []byte(tt.record)})
			if err != nil {
				t.Fatal(err)
			}
			alert := p.Predicate.Match(ev) && (p.Exceptions == nil || !p.Exceptions.Match(ev))
			if alert != tt.alert {
				t.Errorf("alert %v, want %v", alert, tt.alert)
			}
		})
	}
}
