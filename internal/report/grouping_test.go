package report

import (
	"fmt"
	"slices"
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

// A finding about several things is a row of its own, which says how many they are;
// one about versions of a layer is a row of the layer; each thing is counted.
func TestText_estate_of_several(t *testing.T) {
	messages := estateMessages(t)
	members := func(arns ...string) (out []lamina.Member) {
		for i, arn := range arns {
			out = append(out, lamina.Member{ID: fmt.Sprint("F-M", i), Resource: arn})
		}
		return out
	}
	several := func(id, check, resource string, m []lamina.Member) lamina.Message {
		return lamina.Message{Finding: &lamina.Finding{
			ID: id, Check: check, Ref: check, Title: "title of " + check, Severity: lamina.Critical, Outcome: lamina.Fail, Resource: resource, Members: m,
			Detail: "what they share", Evidence: []string{"a: b"}, Accounts: []string{"111122223333"},
		}}
	}
	more := []lamina.Message{
		several("F-ROLES", "PTH-90", "arn:aws:iam::111122223333:role/*", members("arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b", "arn:aws:iam::111122223333:role/c")),
		several("F-VERSIONS", "PTH-91", "arn:aws:lambda:eu-west-1:111122223333:layer:utils:*", members("arn:aws:lambda:eu-west-1:111122223333:layer:utils:91", "arn:aws:lambda:eu-west-1:111122223333:layer:utils:92")),
		several("F-FUNCTIONS", "PTH-92", "arn:aws:lambda:*:111122223333:function:*", members("arn:aws:lambda:eu-west-1:111122223333:function:a", "arn:aws:lambda:us-east-1:111122223333:function:b")),
	}
	out := render(t, "text", Options{Width: 100}, slices.Concat(messages[:len(messages)-1], more, messages[len(messages)-1:]))
	for _, want := range []string{
		"CRITICAL  PTH-90  3 of 3 ", "CRITICAL  PTH-91  2 of 2 ", "several roles  111122223333\n  CRITICAL  PTH-90  3 roles: what they share  F-ROLES\n",
		"utils  111122223333 eu-west-1\n  CRITICAL  PTH-91  versions 91, 92: what they share  F-VERSIONS\n",
		"several functions  111122223333\n  CRITICAL  PTH-92  2 functions: what they share  F-FUNCTIONS\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
