package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
)

func estateMessages(t *testing.T) []lamina.Message {
	t.Helper()
	ar, err := txtar.ParseFile("testdata/estate.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return parseMessages(t, section(ar, "messages"))
}

// What was found about an estate fits the terminal, whatever is in it, and each
// finding is in a row, or counted where rows are left out.
func TestText_estate_fits(t *testing.T) {
	messages := estateMessages(t)
	last := messages[len(messages)-1]
	messages = messages[:len(messages)-1]
	for i := range 400 {
		messages = append(messages, lamina.Message{Finding: &lamina.Finding{
			ID: fmt.Sprintf("F-%d", i), Check: "layer-public", Ref: "EXP-01", Title: "t", Severity: lamina.Severities[i%3], Outcome: lamina.Fail,
			Resource: fmt.Sprintf("arn:aws:lambda:eu-west-1:111122223333:layer:%s-%d:%d", strings.Repeat("漢", i%60+1), i%40, i+1), Detail: strings.Repeat("\x1b[2Jx", i), Evidence: []string{"a: b"},
		}})
	}
	for _, columns := range []int{80, 100, 120} {
		out := render(t, "text", Options{Width: columns, Next: []string{"lamina posture " + strings.Repeat("x", 40) + " -v   # " + strings.Repeat("why ", 20)}}, append(messages, last))
		for line := range strings.Lines(out) {
			if n := width(strings.TrimSuffix(line, "\n")); n > columns {
				t.Errorf("%d columns in %d: %q", n, columns, line)
			}
		}
		if n := strings.Count(out, "\n"); n > 220 {
			t.Errorf("%d lines", n)
		}
		if !strings.Contains(out, "HIGH      EXP-01  versions 7-9: its policy grants lambda:GetLayerVersion to everyone") && columns >= 100 {
			t.Errorf("three versions are not one row:\n%s", out)
		}
	}
}

// Of few findings each is shown with evidence and fix.
func TestText_estate_of_few(t *testing.T) {
	messages := estateMessages(t)
	out := render(t, "text", Options{Width: 100}, append(messages[:6:6], messages[len(messages)-1]))
	if n := strings.Count(out, "fix: "); n != 4 || strings.Contains(out, "worst first") {
		t.Errorf("%d fixes:\n%s", n, out)
	}
}

// What several checks could not answer for one reason is said once, with the names
// of all of them, behind what was found; -v has each.
func TestText_undecided(t *testing.T) {
	unknown := func(check, reason string) lamina.Message {
		return lamina.Message{Finding: &lamina.Finding{
			ID: "F-" + check, Check: check, Title: "title of " + check, Severity: lamina.Low, Outcome: lamina.Unknown,
			Resource: "l.zip", Detail: "not seen whole", Reason: reason, Settle: "a whole one",
		}}
	}
	messages := []lamina.Message{
		unknown("a-check", "cut"), unknown("b-check", "another"), unknown("c-check", "cut"),
		{Finding: &lamina.Finding{ID: "F-found", Check: "d-check", Title: "found", Severity: lamina.High, Outcome: lamina.Fail, Resource: "l.zip", Detail: "bad", Evidence: []string{"x"}}},
	}
	out := render(t, "text", Options{Width: 80}, messages)
	if strings.Count(out, "because: cut") != 1 || !strings.Contains(out, "2 checks without an answer") || !strings.Contains(out, "a-check, c-check") ||
		!strings.Contains(out, "F-b-check") || strings.Index(out, "F-found") > strings.Index(out, "because: cut") {
		t.Error(out)
	}
	if out := render(t, "text", Options{Width: 80, Verbose: true}, messages); strings.Count(out, "because: cut") != 2 {
		t.Error(out)
	}
}
