package posture

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/lamina-sec/lamina"
)

// An Event is a change of layers that somebody should be told of.
type Event struct {
	// Does is what happens, after "when".
	Does string
	// Names are what CloudTrail calls it: the second is there where AWS's page has
	// the name without its date, or not at all, and records have been seen with it.
	// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
	Names      []string
	parameters map[string]any
}

// Events are the changes of layers that somebody should be told of.
var Events = []Event{
	{
		Does: "a layer is shared", Names: []string{"AddLayerVersionPermission", "AddLayerVersionPermission20181031"},
		parameters: map[string]any{"layerName": "lamina-canary", "versionNumber": 1, "statementId": "canary", "action": "lambda:GetLayerVersion", "principal": "*"},
	},
	{
		Does: "a version of one is published", Names: []string{"PublishLayerVersion20181031"},
		parameters: map[string]any{"layerName": "lamina-canary", "compatibleRuntimes": []string{"python3.13"}},
	},
	{
		Does: "one is deleted", Names: []string{"DeleteLayerVersion", "DeleteLayerVersion20181031"},
		parameters: map[string]any{"layerName": "lamina-canary", "versionNumber": 1},
	},
	{
		Does: "one is attached to a function", Names: []string{"UpdateFunctionConfiguration20150331v2"},
		parameters: map[string]any{"functionName": "lamina-canary", "layers": []string{"arn:aws:lambda:us-east-1:999999999999:layer:lamina-canary:1"}},
	},
	{
		Does: "code signing is taken off a function", Names: []string{"DeleteFunctionCodeSigningConfig"},
		parameters: map[string]any{"functionName": "lamina-canary"},
	},
}

// Record is the CloudTrail record of the event by one of its names, made by a
// role of the account.
func (e Event) Record(name, account, region string) []byte {
	role := "arn:aws:iam::" + account + ":role/" + Canary
	record, err := json.Marshal(map[string]any{
		"eventVersion": "1.11", "eventTime": "2026-01-01T00:00:00Z", "eventSource": "lambda.amazonaws.com", "eventName": name, "awsRegion": region,
		"eventID": "00000000-0000-4000-8000-000000000001", "requestID": "00000000-0000-4000-8000-000000000002",
		"eventType": "AwsApiCall", "eventCategory": "Management", "managementEvent": true, "readOnly": false, "recipientAccountId": account,
		"sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2", "requestParameters": e.parameters, "responseElements": nil,
		"userIdentity": map[string]any{
			"type": "AssumedRole", "principalId": "AROACANARY:canary", "arn": "arn:aws:sts::" + account + ":assumed-role/" + Canary + "/canary", "accountId": account, "accessKeyId": "ASIACANARY",
			"sessionContext": map[string]any{
				"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROACANARY", "arn": role, "accountId": account, "userName": Canary},
				"attributes":    map[string]any{"creationDate": "2026-01-01T00:00:00Z", "mfaAuthenticated": "false"},
			},
		},
	})
	if err != nil { // strings, numbers and booleans can be written
		panic(fmt.Sprintf("record of %s: %v", name, err))
	}
	return record
}

// A Place is a region of an account that has layers or functions.
type Place struct{ Account, Region string }

// Resource names all that Lambda has in the place.
func (p Place) Resource() string { return "arn:*:lambda:" + p.Region + ":" + p.Account + ":*" }

// Places returns where we have layers or functions, sorted.
func (in Input) Places() []Place {
	seen := map[Place]bool{}
	for _, f := range in.Estate.Snapshot.Functions {
		seen[Place{f.Account, f.Region}] = true
	}
	for l := range in.Estate.OurLayers() {
		if l.Account != "" {
			seen[Place{l.Account, l.Region}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
}

// CoveredBy reports whether the trail is on and takes in what happens in the place.
// Which events it logs is for Logs of the estate.
func (p Place) CoveredBy(t lamina.Trail) bool {
	return t.Logging && (t.MultiRegion || t.HomeRegion == p.Region) && (t.Organization || t.Account == p.Account)
}
