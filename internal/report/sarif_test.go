package report

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina"
)

// The sarif of every golden stream keeps the structural rules of SARIF 2.1.0
// that readers rest on.
func TestSARIF_structure(t *testing.T) {
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, InformationURI string
					Rules                []struct {
						ID                   string
						ShortDescription     struct{ Text string }
						DefaultConfiguration struct{ Level string }
						HelpURI              string
					}
				}
			}
			Results []struct {
				RuleID, Kind, Level string
				RuleIndex           *int
				Message             struct{ Text string }
				Locations           []struct {
					PhysicalLocation *struct {
						ArtifactLocation struct{ URI string }
						Region           *struct {
							StartLine  *int
							ByteOffset *int64
						}
					}
				}
				PartialFingerprints map[string]string
				Suppressions        []struct{ Kind, Status, Justification string }
			}
			Invocations []struct {
				ExecutionSuccessful        *bool
				ToolExecutionNotifications []struct {
					Level   string
					Message struct{ Text string }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(render(t, "sarif", Options{}, golden(t))), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || !strings.HasSuffix(log.Schema, "sarif-schema-2.1.0.json") || len(log.Runs) != 1 {
		t.Fatalf("version %q, schema %q, %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	levels := []string{"none", "note", "warning", "error"}
	seen := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		if r.ID == "" || seen[r.ID] {
			t.Errorf("rule id %q is empty or not unique", r.ID)
		}
		seen[r.ID] = true
		if r.ShortDescription.Text == "" || !slices.Contains(levels, r.DefaultConfiguration.Level) {
			t.Errorf("rule %s: %+v", r.ID, r)
		}
	}
	if len(run.Results) == 0 {
		t.Fatal("no results")
	}
	for i, r := range run.Results {
		if r.RuleIndex == nil || *r.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d: ruleIndex does not name rule %s", i, r.RuleID)
		}
		if r.Message.Text == "" || r.PartialFingerprints["laminaId/v1"] == "" || r.Suppressions == nil {
			t.Errorf("result %d: %+v", i, r)
		}
		// 3.27.10: a kind other than fail has level none.
		if !slices.Contains(levels, r.Level) || (r.Kind == "fail") == (r.Level == "none") {
			t.Errorf("result %d: kind %q with level %q", i, r.Kind, r.Level)
		}
		for _, l := range r.Locations {
			if l.PhysicalLocation == nil {
				continue
			}
			u, err := url.Parse(l.PhysicalLocation.ArtifactLocation.URI)
			if err != nil || u.String() == "" {
				t.Errorf("result %d: uri %q: %v", i, l.PhysicalLocation.ArtifactLocation.URI, err)
			}
			if reg := l.PhysicalLocation.Region; reg != nil && reg.StartLine != nil && *reg.StartLine < 1 {
				t.Errorf("result %d: line %d", i, *reg.StartLine)
			}
		}
		for _, s := range r.Suppressions {
			if s.Kind != "external" || s.Status != "accepted" || s.Justification == "" {
				t.Errorf("result %d: suppression %+v", i, s)
			}
		}
	}
	if len(run.Invocations) != 1 || run.Invocations[0].ExecutionSuccessful == nil {
		t.Fatalf("invocations: %+v", run.Invocations)
	}
}

func TestArtifact(t *testing.T) {
	tests := []struct{ name, file, want, base string }{
		{"relative", "trail/a b.json", "trail/a%20b.json", "%SRCROOT%"},
		{"absolute", "/var/log/x.json", "file:///var/log/x.json", ""},
		{"windows", `C:/logs/x.json`, "file:///C:/logs/x.json", ""},
		{"stdin", "-", "stdin", ""},
		{"s3", "s3://bucket/a b", "s3://bucket/a%20b", ""},
		{"scheme_look_alike", "javascript:alert(1)", "./javascript:alert%281%29", "%SRCROOT%"},
		{"entry", "layer.zip!python/x.py", "layer.zip%21python/x.py", "%SRCROOT%"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := artifact(tt.file)
			if got.URI != tt.want || got.URIBaseID != tt.base {
				t.Errorf("got %+v, want %s, %s", got, tt.want, tt.base)
			}
		})
	}
}

// The number of notifications is bounded; what is left out is counted.
func TestSARIF_caps_notifications(t *testing.T) {
	messages := []lamina.Message{{Version: &lamina.Version{}}}
	for i := range maxNotifications + 5 {
		messages = append(messages, lamina.Message{Skipped: &lamina.Skipped{File: strconv.Itoa(i), Offset: -1, Reason: "x"}})
	}
	out := render(t, "sarif", Options{}, messages)
	if !strings.Contains(out, "5 more records were skipped") || strings.Count(out, `"skipped `) != maxNotifications {
		t.Error(out[len(out)-300:])
	}
}

// Bulk loading takes an action line and a document line for each result.
func TestECS_is_bulk_loadable(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(render(t, "ecs", Options{}, golden(t)), "\n"), "\n")
	if len(lines)%2 != 0 || len(lines) == 0 {
		t.Fatalf("%d lines", len(lines))
	}
	for i := 0; i < len(lines); i += 2 {
		var action struct {
			Create struct {
				ID string `json:"_id"`
			}
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(lines[i]), &action); err != nil || len(action.Create.ID) != 36 {
			t.Errorf("line %d: %s: %v", i+1, lines[i], err)
		}
		if err := json.Unmarshal([]byte(lines[i+1]), &doc); err != nil {
			t.Errorf("line %d: %v", i+2, err)
		}
		if id, ok := doc["kibana.alert.uuid"]; ok && id != action.Create.ID {
			t.Errorf("line %d: kibana.alert.uuid %v is not _id %s", i+2, id, action.Create.ID)
		}
	}
}
