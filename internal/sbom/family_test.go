package sbom

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a text can mean is told from what cannot be told.
func TestCandidates(t *testing.T) {
	for text, want := range map[string][]string{
		"GNU Library or Lesser General Public License (LGPL)": {"LGPL-2.0-only … LGPL-3.0-or-later"},
		"LGPL with exceptions":                                {"LGPL-2.0-only … LGPL-3.0-or-later"},
		"BSD License; Apache-2.0":                             {"0BSD … BSD-4-Clause", "Apache-2.0"},
		"MIT License":                                         {"MIT"},
		"Public Domain; MIT":                                  nil,
		"see LICENSE":                                         nil,
		"":                                                    nil,
	} {
		var got []string
		for _, ids := range Candidates(text) {
			s := ids[0]
			if len(ids) > 1 {
				s += " … " + ids[len(ids)-1]
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

// A licence that stands in full in the metadata is known by its conditions, not by
// its heading; one with a condition more is not.
func TestTextOf(t *testing.T) {
	bsd := "Copyright (c) ACME. Redistribution and use in source and binary forms, with or without modification, are permitted provided that:\n" +
		"        |  Redistributions of source code must retain the above notice. Redistributions in binary form must reproduce it.\n"
	third := "The name of ACME may be used to endorse or promote products only with permission.\n"
	end := "THIS SOFTWARE IS PROVIDED BY ACME AND CONTRIBUTORS \"AS IS\".\n"
	for name, tt := range map[string]struct{ text, want string }{
		"two":        {bsd + end, "BSD-2-Clause"},
		"three":      {bsd + third + end, "BSD-3-Clause"},
		"cut short":  {bsd, ""},
		"more asked": {bsd + third + "No patent is granted.\n" + end, ""},
		"none":       {strings.Repeat("all rights reserved ", 30), ""},
	} {
		if got := textOf(tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
