package detect_test

import (
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/detect"
	"github.com/lamina-sec/lamina/rule"
)

// An alert's id rests on rule_id, account and event: editing the rule's text,
// version or severity keeps it, another account, event or rule changes it.
func TestAlert_id_outlives_edits_of_the_rule(t *testing.T) {
	const at = day + "13:00:01Z"
	alert := func(p *rule.Program, raw []byte) lamina.Alert {
		t.Helper()
		alerts, _ := run(t, detect.Config{Schedule: detect.Once, Programs: []*rule.Program{p}}, 1, [][]byte{raw})
		if len(alerts) != 1 {
			t.Fatalf("got %d alerts, want 1", len(alerts))
		}
		return alerts[0]
	}
	const action = "AddLayerVersionPermission20181031"
	raw := record("e-1", at, "lambda.amazonaws.com", action)
	first := alert(program(t, "share", "event.action: AddLayerVersionPermission*"), raw)
	edited := alert(program(t, "share", `event.action: "`+action+`"`, "version = 7", `note = "new"`), raw)
	if first.ID != edited.ID {
		t.Errorf("an edit of the rule changed the id from %s to %s", first.ID, edited.ID)
	}
	if want := lamina.ID("A", "share", "111122223333", "e-1"); first.ID != want {
		t.Errorf("id %s, want %s", first.ID, want)
	}
	for name, other := range map[string]lamina.Alert{
		"another_rule":    alert(program(t, "other", "event.action: *"), raw),
		"another_event":   alert(program(t, "share", "event.action: *"), record("e-2", at, "lambda.amazonaws.com", action)),
		"another_account": alert(program(t, "share", "event.action: *"), record("e-1", at, "lambda.amazonaws.com", action, "recipientAccountId=444455556666")),
	} {
		if other.ID == first.ID {
			t.Errorf("%s has the id of the first alert, %s", name, first.ID)
		}
	}
}
