package sbom

import (
	"slices"
	"strings"
	"sync"
)

// families are texts that name a family of licences and not which of it: PyPI's
// classifiers of that kind (https://pypi.org/classifiers/), and what people write.
// They are in lower case without "the", "license", "version", commas and hyphens,
// and each stands for the SPDX identifiers that begin as it says.
var families = map[string][]string{
	"bsd": {"BSD-", "0BSD"}, "bsd like": {"BSD-", "0BSD"}, "bsd style": {"BSD-", "0BSD"},
	"gpl": {"GPL-"}, "gnu gpl": {"GPL-"}, "gnu general public": {"GPL-"}, "gnu general public (gpl)": {"GPL-"},
	"lgpl": {"LGPL-"}, "gnu lgpl": {"LGPL-"}, "lgpl with exceptions": {"LGPL-"}, "gnu lesser general public": {"LGPL-"},
	"gnu library or lesser general public (lgpl)": {"LGPL-"},
	"agpl": {"AGPL-"}, "gnu affero general public": {"AGPL-"},
	"apache": {"Apache-"}, "mpl": {"MPL-"}, "mozilla public": {"MPL-"}, "epl": {"EPL-"}, "eclipse public": {"EPL-"},
	"academic free (afl)": {"AFL-"}, "artistic": {"Artistic-"}, "zope public": {"ZPL-"}, "zpl": {"ZPL-"},
	"cddl": {"CDDL-"}, "common development and distribution": {"CDDL-"}, "eupl": {"EUPL-"}, "sil open font": {"OFL-"}, "ofl": {"OFL-"},
	"open software 3.0 (osl 3.0)": {"OSL-3.0"}, "gnu free documentation (fdl)": {"GFDL-"}, "cecill": {"CECILL-"},
	"sspl": {"SSPL-"}, "server side public": {"SSPL-"}, "busl": {"BUSL-"}, "business source": {"BUSL-"},
}

// familyIDs are the SPDX identifiers of each family.
var familyIDs = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for name, prefixes := range families {
		seen := map[string]bool{}
		for _, id := range identifiers {
			if !seen[id] && slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(id, p) }) {
				seen[id] = true
				out[name] = append(out[name], id)
			}
		}
		slices.Sort(out[name])
	}
	return out
})

// Candidates are the licences that a Component's LicenseText can mean: for each of
// the licences it names ("BSD License; Apache-2.0"), the SPDX expressions one of
// which it is. Whether all of them apply or one may be chosen the text does not
// say. It is nil if any of it cannot be told.
func Candidates(text string) [][]string {
	var out [][]string
	for part := range strings.SplitSeq(text, ";") {
		part = strings.TrimSpace(part)
		if e := spdx(part); e != "" {
			out = append(out, []string{e})
			continue
		}
		ids := familyIDs()[plain(part)]
		if ids == nil {
			return nil
		}
		out = append(out, ids)
	}
	return out
}

// marks of the texts of licences, in lower case and with single spaces: all of has
// must be there and none of not.
var licenseTexts = []struct {
	id       string
	has, not []string
}{
	{"BSD-4-Clause", []string{"redistribution and use in source and binary forms", "all advertising materials mentioning", "neither the name"}, nil},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "may be used to endorse or promote products", "this software is provided"}, []string{"advertising materials", "nuclear", "patent"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "redistributions in binary form must reproduce", "this software is provided"}, []string{"endorse", "advertising materials", "patent", "official policies"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files", "the above copyright notice and this permission notice", "the software is provided \"as is\""}, []string{"advertising or otherwise", "endorse", "for good, not evil"}},
	{"ISC", []string{"permission to use, copy, modify, and", "distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice and this permission notice appear in all copies", "the software is provided \"as is\""}, []string{"endorse", "advertising"}},
	{"Apache-2.0", []string{"apache license version 2.0, january 2004", "terms and conditions for use, reproduction, and distribution", "grant of patent license"}, nil},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain", "anyone is free to copy, modify, publish, use"}, nil},
}

// maxLicense is how much of a licence in a package's metadata is read, in bytes.
const maxLicense = 16 << 10

// textOf is the SPDX identifier of a licence that is given in full, "" if it is
// none of the few that packages write into their metadata.
func textOf(s string) string {
	if len(s) < 200 {
		return ""
	}
	s = strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(s, "|", " "))), " ")
	for _, t := range licenseTexts {
		missing := func(mark string) bool { return !strings.Contains(s, mark) }
		if !slices.ContainsFunc(t.has, missing) && !slices.ContainsFunc(t.not, func(mark string) bool { return strings.Contains(s, mark) }) {
			return t.id
		}
	}
	return ""
}
