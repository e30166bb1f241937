package iam_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/iam"
)

// rank orders results by how much they give.
func rank(r iam.Result) int {
	return slices.Index([]iam.Result{iam.Deny, iam.Unknown, iam.Allow}, r)
}

// change makes the same request of changed documents.
func (p *puzzle) change(f func(edge string, statements []map[string]any) []map[string]any) iam.Request {
	out := *p
	out.docs = nil
	for _, d := range p.docs {
		var doc struct{ Statement any }
		if err := json.Unmarshal([]byte(d.text), &doc); err != nil {
			panic(err)
		}
		list, ok := doc.Statement.([]any)
		if !ok {
			list = []any{doc.Statement}
		}
		var statements []map[string]any
		for _, s := range list {
			statements = append(statements, object(s))
		}
		text, err := json.Marshal(map[string]any{"Version": d.version, "Statement": f(d.edge, statements)})
		if err != nil {
			panic(err)
		}
		out.docs = append(out.docs, oracleDoc(d.edge, d.level, d.name, string(text)))
	}
	out.compile()
	out.join()
	return out.request
}

const properties = 1000 // cases of each

func TestProperty_a_deny_never_gives_more(t *testing.T) {
	for n := range uint64(properties) {
		p := newPuzzle(seed+1, n)
		if len(p.docs) == 0 {
			continue
		}
		before := p.request.Decide()
		target := int(n) % len(p.docs)
		i := -1
		r := p.change(func(edge string, statements []map[string]any) []map[string]any {
			if i++; i != target {
				return statements
			}
			denial := map[string]any{"Effect": "Deny", "Action": p.known.action, "Resource": "*"}
			if edge == "resource" || edge == "rcp" || edge == "endpoint" {
				denial["Principal"] = "*"
			}
			if n%2 == 0 {
				denial["Condition"] = gen{newRand(n)}.conditions()
			}
			return append(statements, denial)
		})
		if after := r.Decide(); rank(after) > rank(before) {
			t.Fatalf("case %d: %s became %s by a Deny\n%s", n, before, after, p)
		}
	}
}

func TestProperty_without_an_allow_there_is_never_more(t *testing.T) {
	for n := range uint64(properties) {
		p := newPuzzle(seed+2, n)
		before := p.request.Decide()
		gone := false
		r := p.change(func(_ string, statements []map[string]any) []map[string]any {
			return slices.DeleteFunc(statements, func(s map[string]any) bool {
				hit := !gone && s["Effect"] == "Allow" && (n%3 > 0 || s["Condition"] != nil)
				gone = gone || hit
				return hit
			})
		})
		if after := r.Decide(); rank(after) > rank(before) {
			t.Fatalf("case %d: %s became %s without an Allow\n%s", n, before, after, p)
		}
	}
}

func TestProperty_order_does_not_matter(t *testing.T) {
	for n := range uint64(properties) {
		p := newPuzzle(seed+3, n)
		before := p.request.Evaluate()
		slices.Reverse(p.docs)
		r := p.change(func(_ string, statements []map[string]any) []map[string]any {
			slices.Reverse(statements)
			return statements
		})
		after := r.Evaluate()
		if before.Result != after.Result || len(before.Denials) != len(after.Denials) || len(before.Allows) != len(after.Allows) || len(before.Missing) != len(after.Missing) {
			t.Fatalf("case %d: %s became %s\n%s", n, before, after, p)
		}
		if p.request.Subject.Policies().Hash() != r.Subject.Policies().Hash() {
			t.Fatalf("case %d: the hash depends on the order\n%s", n, p)
		}
	}
}

// A list is the union of its members: one statement for each says the same.
func TestProperty_lists_are_unions(t *testing.T) {
	for n := range uint64(properties) {
		p := newPuzzle(seed+4, n)
		// Each part of a statement that is not understood is a doubt of its own.
		if slices.ContainsFunc(p.docs, func(d oDoc) bool {
			return strings.Contains(d.text, "Mystery") || strings.Contains(d.text, "Perhaps") || strings.Contains(d.text, "NotPrincipal") || strings.Contains(d.text, "${")
		}) {
			continue
		}
		before := p.request.Decide()
		r := p.change(func(_ string, statements []map[string]any) []map[string]any {
			for _, element := range []string{"Action", "Resource"} {
				var out []map[string]any
				for _, s := range statements {
					list, ok := s[element].([]any)
					if !ok {
						out = append(out, s)
						continue
					}
					for _, x := range list {
						single := maps.Clone(s)
						single[element] = x
						out = append(out, single)
					}
				}
				statements = out
			}
			return statements
		})
		if after := r.Decide(); after != before {
			t.Fatalf("case %d: %s became %s\n%s", n, before, after, p)
		}
	}
}

// What a wildcard matches is what its expansions match together.
func TestProperty_wildcards(t *testing.T) {
	ask := func(resource, pattern string) iam.Result {
		own := iam.Compile(iam.Document{Edge: iam.Identity, Name: "p", Policy: parse(t, one(fmt.Sprintf(`{"Effect":"Allow","Action":"*","Resource":%q}`, pattern)))})
		r := request(dev, "x:Y", resource, own, nil)
		return r.Decide()
	}
	g := gen{newRand(seed)}
	letters := func(from string, n int) string {
		var b strings.Builder
		for range g.IntN(n) {
			b.WriteByte(from[g.IntN(len(from))])
		}
		return b.String()
	}
	const arn = "arn:aws:lambda:eu:111122223333:"
	for range properties {
		pattern, s := letters("ab*?:", 6), letters("ab:", 6)
		if s == "" {
			continue
		}
		got := ask(arn+s, arn+pattern)
		// A question mark is any of the characters that there are.
		union := func(head, tail string, expansions ...string) iam.Result {
			for _, x := range expansions {
				if ask(arn+s, arn+head+x+tail) == iam.Allow {
					return iam.Allow
				}
			}
			return iam.Deny
		}
		if head, tail, ok := strings.Cut(pattern, "?"); ok {
			if x := union(head, tail, "a", "b", ":"); x != got {
				t.Fatalf("%q on %q: %s, and expanded %s", pattern, s, got, x)
			}
		}
		// An asterisk is nothing, or one character and an asterisk.
		if head, tail, ok := strings.Cut(pattern, "*"); ok {
			if x := union(head, tail, "", "a*", "b*", ":*"); x != got {
				t.Fatalf("%q on %q: %s, and expanded %s", pattern, s, got, x)
			}
		}
	}
}

func TestGroups(t *testing.T) {
	admin := iam.Document{Policy: parse(t, one(everything)), Edge: iam.Identity, Name: "admin"}
	renamed := admin
	renamed.Name = "other"
	home := iam.Document{Policy: parse(t, one(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::home/${aws:PrincipalTag/team}"}`)), Edge: iam.Identity, Name: "home"}
	tagged := func(arn, team string) iam.Caller {
		return iam.Caller{ARN: arn, Tags: map[string]string{"team": team}}
	}
	role := "arn:aws:iam::111122223333:role/"
	subjects := []*iam.Subject{
		iam.NewSubject(iam.Caller{ARN: role + "a"}, iam.Compile(admin)),
		iam.NewSubject(iam.Caller{ARN: role + "b"}, iam.Compile(renamed)),
		iam.NewSubject(iam.Caller{ARN: "arn:aws:iam::444455556666:role/a"}, iam.Compile(admin)),
		iam.NewSubject(tagged(role+"c", "red"), iam.Compile(home)),
		iam.NewSubject(tagged(role+"d", "red"), iam.Compile(home)),
		iam.NewSubject(tagged(role+"e", "blue"), iam.Compile(home)),
		iam.NewSubject(iam.Caller{ARN: "arn:aws:iam::111122223333:user/a"}, iam.Compile(admin)),
	}
	objects := []*iam.Object{granted(t, layer, ownOrg, toAccount)}
	check := func(want string) {
		t.Helper()
		if got := fmt.Sprint(iam.GroupSubjects(subjects, objects)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	check("[[0 1] [2] [3 4] [5] [6]]")
	// A resource that names one of them sets it apart.
	objects = append(objects, granted(t, fn, ownOrg, `{"Effect":"Allow","Principal":{"AWS":"`+role+`b"},"Action":"lambda:*","Resource":"*"}`))
	check("[[0] [1] [2] [3 4] [5] [6]]")
	// So does a condition on a key that only the resource's policy asks for.
	objects = append(objects[:1], granted(t, fn, ownOrg, `{"Effect":"Allow","Principal":"*","Action":"lambda:*","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"*b"}}}`))
	check("[[0] [1] [2] [3] [4] [5] [6]]")
}

func TestGroupObjects(t *testing.T) {
	arn := "arn:aws:lambda:eu-west-1:111122223333:layer:"
	own := func(version, grant string) *iam.Object {
		return granted(t, arn+version, ownOrg, strings.Replace(grant, `"Resource":"*"`, `"Resource":"`+arn+version+`"`, 1))
	}
	objects := []*iam.Object{
		own("a:1", toOrg), own("a:2", toOrg), own("b:1", toOrg), own("a:3", toEveryone), own("a:4", toEveryone),
		granted(t, foreign, ownOrg, toOrg),
	}
	subject := func(resource string) *iam.Subject {
		return iam.NewSubject(iam.Caller{ARN: dev}, iam.Compile(iam.Document{Edge: iam.Identity, Name: "p", Policy: parse(t, one(`{"Effect":"Allow","Action":"*","Resource":"`+resource+`"}`))}))
	}
	for resource, want := range map[string]string{
		"*":                          "[[0 1 2] [3 4] [5]]",
		arn + "a:*":                  "[[0 1] [2] [3 4] [5]]",
		arn + "${aws:username}:1":    "[[0] [1] [2] [3 4] [5]]",
		"arn:aws:s3:::${aws:userid}": "[[0 1 2] [3 4] [5]]",
	} {
		if got := fmt.Sprint(iam.GroupObjects(objects, []*iam.Subject{subject(resource)})); got != want {
			t.Errorf("%s: got %s, want %s", resource, got, want)
		}
	}
}

// The members of a group get the same answers.
func TestGroups_hide_no_difference(t *testing.T) {
	for n := range uint64(60) {
		var subjects []*iam.Subject
		var objects []*iam.Object
		var requests []iam.Request
		for i := range uint64(12) {
			p := newPuzzle(seed+5, perSet*(n*12+i%4))
			if i >= 4 {
				q := newPuzzle(seed+6, n*12+i)
				p.request.Subject = iam.NewSubject(q.request.Subject.Caller, p.own)
			}
			subjects, objects, requests = append(subjects, p.request.Subject), append(objects, p.request.Object), append(requests, p.request)
		}
		for _, group := range iam.GroupSubjects(subjects, objects) {
			for _, member := range group[1:] {
				for _, r := range requests {
					a, b := r, r
					a.Keys, b.Keys, a.Endpoint, b.Endpoint = nil, nil, nil, nil
					a.Subject, b.Subject = subjects[group[0]], subjects[member]
					if x, y := a.Decide(), b.Decide(); x != y {
						t.Fatalf("case %d: %s and %s are one group and get %s and %s", n, a.Subject.ARN, b.Subject.ARN, x, y)
					}
				}
			}
		}
		for _, group := range iam.GroupObjects(objects, subjects) {
			for _, member := range group[1:] {
				for _, r := range requests {
					a, b := r, r
					a.Keys, b.Keys, a.Endpoint, b.Endpoint = nil, nil, nil, nil
					a.Object, b.Object = objects[group[0]], objects[member]
					if x, y := a.Decide(), b.Decide(); x != y {
						t.Fatalf("case %d: %s and %s are one group and get %s and %s", n, a.Object.ARN, b.Object.ARN, x, y)
					}
				}
			}
		}
	}
}
