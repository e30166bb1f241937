package estate_test

import (
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
)

// Of a collection that was restricted, what was asked for is within, and what a
// function that was asked for loads; of a whole one everything is.
func TestWithin(t *testing.T) {
	const lambda = "arn:aws:lambda:eu-west-1:111122223333:"
	s := lamina.Snapshot{
		Only: []string{lambda + "function:billing", lambda + "layer:auth:7", lambda + "layer:base"},
		Functions: []lamina.Function{
			{ARN: lambda + "function:billing", Layers: []string{lambda + "layer:loaded:1"}},
			{ARN: lambda + "function:other", Layers: []string{lambda + "layer:elsewhere:1", lambda + "layer:auth:7"}},
		},
		Targets: []lamina.Target{{Account: "111122223333", Region: "eu-west-1", Read: []string{"lambda:ListFunctions"}, Gaps: []lamina.Gap{{Action: "lambda:GetPolicy"}}}},
	}
	e, whole := estate.New(s, nil), estate.New(lamina.Snapshot{}, nil)
	for arn, want := range map[string]bool{
		lambda + "function:billing": true, lambda + "function:billing:3": true, lambda + "layer:auth:7": true, lambda + "layer:base:2": true,
		lambda + "layer:base": true, lambda + "layer:loaded:1": true,
		lambda + "function:other": false, lambda + "function:other:1": false, lambda + "layer:auth:6": false, lambda + "layer:auth": false,
		lambda + "layer:elsewhere:1": false, "arn:*:organizations:::o-exampleorgid": false, "": false,
	} {
		if got := e.Within(arn); got != want {
			t.Errorf("%s: %t", arn, got)
		}
		if !whole.Within(arn) {
			t.Errorf("%s is not within everything", arn)
		}
	}
	if !e.Asked("lambda:ListFunctions") || !e.Asked("lambda:GetPolicy") || e.Asked("lambda:ListLayers") {
		t.Error("what was asked is not what was asked")
	}
}
