package tomlfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/tomlfile"
)

// A pet is what the tests read: every kind of value there is.
type pet struct {
	Name, Kind string
	Tags       []string
	Age        int64
	Tame       bool
	Born       time.Time
	Home       string
	Toys       []string
	Meals      map[string]int64
}

func read(data string) ([]pet, error) {
	t, err := tomlfile.Parse("pets.toml", []byte(data))
	if err != nil {
		return nil, err
	}
	var out []pet
	for _, e := range t.Tables("pet") {
		p := pet{
			Name: e.Text("name"), Kind: e.Word("kind", "cat", "dog"), Tags: e.Texts("tags"), Age: e.Int("age"),
			Tame: e.Bool("tame", true), Born: e.Date("born"),
		}
		if p.Name == "" {
			e.Fail("name", "give it one", "a pet has no name")
		}
		if h := e.Table("home"); h != nil {
			p.Home = h.Text("street")
			h.Done()
		}
		for _, toy := range e.Tables("toy") {
			p.Toys = append(p.Toys, toy.Text("what"))
			toy.Done()
		}
		if m := e.Table("meals"); m != nil {
			p.Meals = map[string]int64{}
			for _, k := range m.Keys() {
				p.Meals[k] = m.Int(k)
			}
			m.Done()
		}
		e.Done()
		out = append(out, p)
	}
	t.Done()
	return out, t.Err()
}

func TestParse(t *testing.T) {
	got, err := read(`# ours
[[pet]]
name = "Mog" # the eldest
tags = ["a", 'b']
age = 1_2
tame = false
born = 2014-02-03
home.street = "High"
meals = { noon = 1, night = 2 }
[[pet.toy]]
what = "ball"
[[pet.toy]]
what = "mouse"

[[pet]]
"name" = """
Rex"""
kind = "dog"
born = "2020-02-29"
[pet.home]
street = "Low"
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []pet{
		{
			Name: "Mog", Kind: "cat", Tags: []string{"a", "b"}, Age: 12, Born: time.Date(2014, 2, 3, 0, 0, 0, 0, time.UTC), Home: "High",
			Toys: []string{"ball", "mouse"}, Meals: map[string]int64{"noon": 1, "night": 2},
		},
		{Name: "Rex", Kind: "dog", Tame: true, Born: time.Date(2020, 2, 29, 0, 0, 0, 0, time.UTC), Home: "Low"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParse_errors(t *testing.T) {
	for name, tt := range map[string]struct{ in, want, hint string }{
		"syntax":        {"[[pet]]\nname = \n", "pets.toml:2:8: ", "such files are TOML"},
		"twice":         {"[[pet]]\nname = \"a\"\nname = \"b\"\n", "pets.toml:3:1: ", "such files are TOML"},
		"unknown_key":   {"[[pet]]\nname = \"a\"\ncolour = 1\n", `pets.toml:3:1: unknown key "colour"`, "known keys: name, kind"},
		"misspelt_key":  {"[[pet]]\nname = \"a\"\ntagz = [\"a\"]\n", `pets.toml:3:1: unknown key "tagz"`, "did you mean tags?"},
		"unknown_table": {"[[pte]]\n", `pets.toml:1:3: unknown key "pte"`, "did you mean pet?"},
		"inner":         {"[[pet]]\nname = \"a\"\nhome = { stret = \"x\" }\n", `unknown key "stret"`, "did you mean street?"},
		"type":          {"[[pet]]\nname = 7\n", "pets.toml:2:8: name: want a text in quotes, got a whole number", ""},
		"missing":       {"\n[[pet]]\nage = 1\n", "pets.toml:2:3: a pet has no name", "give it one"},
		"word":          {"[[pet]]\nname = \"a\"\nkind = \"dgo\"\n", `pets.toml:3:8: kind: unknown value "dgo"`, "did you mean dog?"},
		"date":          {"[[pet]]\nname = \"a\"\nborn = \"2021-02-29\"\n", `pets.toml:3:8: born: "2021-02-29" is no date`, "write YYYY-MM-DD"},
		"time":          {"[[pet]]\nname = \"a\"\nborn = 2021-02-03T04:05:06Z\n", "born: want a date, got a time", ""},
		"negative":      {"[[pet]]\nname = \"a\"\nage = -1\n", "pets.toml:3:7: age: -1 is no number from 0 on", ""},
		"big":           {"[[pet]]\nname = \"a\"\nage = 99999999999999999999\n", "pets.toml:3:7", ""},
		"empty_list":    {"[[pet]]\nname = \"a\"\ntags = []\n", "tags: the list is empty", "leave the key out"},
		"mixed_list":    {"[[pet]]\nname = \"a\"\ntags = [\"a\", 1]\n", "tags: want a list of texts, got a whole number in it", ""},
		"no_tables":     {"pet = [1]\n", "pet: want tables, got a whole number in it", "write [[pet]]"},
		"a_table":       {"[pet]\nname = \"a\"\n", "pet: want a list, got a table", ""},
		"too_big":       {"#" + strings.Repeat("x", tomlfile.MaxFile), "pets.toml: 1048577 bytes is more than", ""},
		"nested":        {"pet = " + strings.Repeat("[", 500_000), "pets.toml:", "such files are TOML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			e, ok := errors.AsType[*tomlfile.Error](err)
			if !ok || !strings.HasPrefix(e.Hint, tt.hint) {
				t.Errorf("hint %q, want %q", e.Hint, tt.hint)
			}
		})
	}
}

// All errors of a file are told at once, in its order, and not without end.
func TestErr_tells_all(t *testing.T) {
	_, err := read("[[pet]]\nx = 1\nname = 2\n[[pet]]\nname = \"a\"\ny = 3\n")
	want := "pets.toml:2:1: unknown key \"x\"\npets.toml:3:8: name: want a text in quotes, got a whole number\n" +
		"pets.toml:3:8: a pet has no name\npets.toml:6:1: unknown key \"y\""
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	_, err = read(strings.Repeat("[[pet]]\n", 1000))
	if n := strings.Count(err.Error(), "\n"); n != 19 {
		t.Errorf("%d line breaks", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("[[pet]]\nname = \"a\"\nhome.street = 'x'\n[[pet.toy]]\nwhat = \"\"\n")
	f.Add("a.b.c = [1, {x = 2}]\n[a.d]\n")
	f.Add("pet = [[[[")
	f.Fuzz(func(t *testing.T, data string) {
		_, err := read(data)
		var e *tomlfile.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%v is no *Error", err)
		}
	})
}

// What would take the decoder the square of its length is refused before it is
// asked, at its place; a long file of small tables is read.
func TestParse_bounds_the_keys(t *testing.T) {
	many := func(format string) string {
		var b strings.Builder
		for i := range 10_001 {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, tt := range []struct{ name, in, want string }{
		{"keys", many("k%d = 1\n"), "pets.toml:10001:1: more than 10000 keys"},
		{"headers", many("[k%d]\n"), "pets.toml:10001:2: more than 10000 keys"},
		{"inline", "a = { " + many("k%d = 1, ") + "z = 1 }", "pets.toml:1:"},
		{"dotted", many("a.k%d = 1\n"), "pets.toml:10000:3: more than 10000 keys"},
		{"in_one_element", "[[pet]]\n[pet.meals]\n" + many("k%d = 1\n"), "pets.toml:10001:1: more than 10000 keys"},
		{"arrays", many("[[k%d]]\n"), "pets.toml:10001:3: more than 10000 keys"},
		{"parts", "a = 1\n" + strings.Repeat("a.", 100) + "a = 1\n", "pets.toml:2:1: a key has more than 100 parts"},
		{"header_parts", "[" + strings.Repeat("a.", 100) + "a]\n", "pets.toml:1:2: a key has more than 100 parts"},
		{"cut", many("k%d = 1\n") + "[", "pets.toml:10001:1: more than 10000 keys"},
		{"tables", many("[[pet]]\nname = \"p%d\"\nkind = \"cat\"\n"), ""},
		{"nested_tables", many("[[pet]]\nname = \"p%d\"\n[[pet.toy]]\nwhat = \"x\"\n[[pet.toy]]\nwhat = \"y\"\n"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pets, err := read(tt.in)
			if tt.want == "" {
				if err != nil || len(pets) != 10_001 {
					t.Errorf("%d pets, %v", len(pets), err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %.200v, want %s", err, tt.want)
			}
		})
	}
}
