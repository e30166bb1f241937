package sbom

import (
	"strings"
)

// license makes an SPDX expression of a licence as packages write it, or returns
// what is written, shortened, if none can be made.
func license(written string) (expression, text string) {
	written = strings.TrimSpace(written)
	if written == "" || strings.EqualFold(written, "UNKNOWN") {
		return "", ""
	}
	if e := spdx(written); e != "" {
		return e, ""
	}
	if id := textOf(written); id != "" {
		return id, ""
	}
	line, _, _ := strings.Cut(written, "\n")
	return "", clip(strings.TrimSpace(line))
}

// pyLicense takes the licence from the first that says it exactly: the expression,
// the field, one classifier. Several classifiers do not say whether all of them
// apply or one is to be chosen.
func pyLicense(expression, written string, classifiers []string) (string, string) {
	heading, _, _ := strings.Cut(written, "\n")
	for _, s := range []string{expression, heading} {
		if e := spdx(s); e != "" {
			return e, ""
		}
	}
	if id := textOf(written); id != "" {
		return id, ""
	}
	var texts []string
	for _, c := range classifiers {
		if c == "License :: OSI Approved" {
			continue // a heading
		}
		name := c[strings.LastIndex(c, " :: ")+len(" :: "):]
		if e := troves[name]; e != "" {
			if len(classifiers) == 1 {
				return e, ""
			}
			name = e
		}
		texts = append(texts, name)
	}
	switch len(texts) {
	case 0:
		return license(written)
	case 1:
		if spdx(texts[0]) != "" {
			return spdx(texts[0]), ""
		}
	}
	return "", clip(strings.Join(texts, "; "))
}

// spdx reads a licence expression
// (https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/), with licences
// by their identifiers or by the other names in the tables below, and returns it as
// SPDX writes it; "" if it is none.
func spdx(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxText {
		return ""
	}
	if id := identifier(s); id != "" {
		return id
	}
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
	var b strings.Builder
	depth, operand := 0, true // whether a licence is expected next
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch upper := strings.ToUpper(word); {
		case word == "(" && operand:
			depth++
			b.WriteString("(")
			continue
		case word == ")" && !operand && depth > 0:
			depth--
			b.WriteString(")")
			continue
		case (upper == "AND" || upper == "OR") && !operand:
			b.WriteString(" " + upper + " ")
			operand = true
			continue
		case upper == "WITH" && !operand && i+1 < len(words) && strings.Trim(words[i+1], letters+"-.") == "":
			i++
			b.WriteString(" WITH " + words[i])
			continue
		}
		id := identifier(word)
		if !operand || id == "" {
			return ""
		}
		b.WriteString(id)
		operand = false
	}
	if operand || depth > 0 {
		return ""
	}
	return b.String()
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// identifier is the SPDX identifier of one licence, "" if it is not known here.
func identifier(s string) string {
	if ref, ok := strings.CutPrefix(s, "LicenseRef-"); ok && ref != "" && strings.Trim(ref, letters+"-.") == "" {
		return s
	}
	lower := strings.ToLower(s)
	if _, address, ok := strings.Cut(lower, "://"); ok {
		return addresses[strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(address, "www."), "/"), ".txt")]
	}
	if id := identifiers[lower]; id != "" {
		return id
	}
	if plain, ok := strings.CutSuffix(lower, "+"); ok && identifiers[plain] != "" {
		if gnu, ok := strings.CutSuffix(identifiers[plain], "-only"); ok {
			return gnu + "-or-later"
		}
		return identifiers[plain] + "+"
	}
	return aliases[plain(lower)]
}

// plain is the name of a licence without the words that differ from one writer to
// the next.
func plain(s string) string {
	s = strings.NewReplacer(",", " ", "the ", " ", "license", " ", "licence", " ", "version", " ", "-", " ").Replace(strings.ToLower(s))
	return strings.Join(strings.Fields(s), " ")
}

// identifiers are those of SPDX's list that packages of these ecosystems use
// (https://spdx.org/licenses/), by their lower-case form. The GNU licences without
// "-only" are old identifiers of the same.
var identifiers = func() map[string]string {
	m := map[string]string{}
	for id := range strings.FieldsSeq(`
		0BSD AFL-2.0 AFL-2.1 AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.0 Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-1.0-Perl Artistic-2.0
		BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-4-Clause BSL-1.0 BUSL-1.1
		CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-4.0 CC-BY-NC-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.1 CECILL-B CECILL-C CNRI-Python CPL-1.0 curl
		ECL-2.0 EFL-2.0 Elastic-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FTL GFDL-1.3-only GFDL-1.3-or-later
		GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG IPL-1.0 ISC JSON
		LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng libpng-2.0 LPL-1.02 MIT MIT-0 MIT-CMU MirOS
		MPL-1.0 MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL MS-RL MulanPSL-2.0 NAIST-2003 NCSA NTP ODbL-1.0 OFL-1.1 OLDAP-2.8 OpenSSL OSL-3.0
		PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 QPL-1.0 Ruby Sleepycat SSPL-1.0 TCL Unicode-3.0 Unicode-DFS-2016 Unlicense UPL-1.0
		Vim W3C W3C-20150513 WTFPL X11 Xnet Zend-2.0 Zlib ZPL-2.0 ZPL-2.1`) {
		m[strings.ToLower(id)] = id
		if old, ok := strings.CutSuffix(id, "-only"); ok {
			m[strings.ToLower(old)] = id
		}
	}
	return m
}()

// aliases are other names of licences that leave no doubt, in lower case without
// "the", "license", "version", commas and hyphens.
var aliases = map[string]string{
	"mit": "MIT", "expat": "MIT", "mit no attribution": "MIT-0", "isc": "ISC", "iscl": "ISC", "isc (iscl)": "ISC",
	"apache 2.0": "Apache-2.0", "apache 2": "Apache-2.0", "apache software 2.0": "Apache-2.0", "asl 2.0": "Apache-2.0", "al2": "Apache-2.0", "apache2": "Apache-2.0",
	"apache2.0": "Apache-2.0", "apache v2": "Apache-2.0", "apache v2.0": "Apache-2.0", "apache (2.0)": "Apache-2.0", "apachev2": "Apache-2.0",
	"bsd 2 clause": "BSD-2-Clause", "2 clause bsd": "BSD-2-Clause", "simplified bsd": "BSD-2-Clause", "freebsd": "BSD-2-Clause",
	"bsd 3 clause": "BSD-3-Clause", "3 clause bsd": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "modified bsd": "BSD-3-Clause", "bsd (3 clause)": "BSD-3-Clause", "revised bsd": "BSD-3-Clause",
	"mpl 2.0": "MPL-2.0", "mpl2": "MPL-2.0", "mozilla public 2.0": "MPL-2.0", "mozilla public 2.0 (mpl 2.0)": "MPL-2.0",
	"psf": "PSF-2.0", "psfl": "PSF-2.0", "psf 2.0": "PSF-2.0", "python software foundation": "PSF-2.0",
	"gplv2": "GPL-2.0-only", "gpl v2": "GPL-2.0-only", "gplv2+": "GPL-2.0-or-later", "gplv3": "GPL-3.0-only", "gpl v3": "GPL-3.0-only", "gplv3+": "GPL-3.0-or-later",
	"lgplv2": "LGPL-2.0-only", "lgplv2.1": "LGPL-2.1-only", "lgplv2.1+": "LGPL-2.1-or-later", "lgplv3": "LGPL-3.0-only", "lgplv3+": "LGPL-3.0-or-later", "agplv3": "AGPL-3.0-only", "agplv3+": "AGPL-3.0-or-later",
	"unlicense": "Unlicense", "unlicense (unlicense)": "Unlicense", "cc0": "CC0-1.0", "cc0 1.0": "CC0-1.0", "boost software 1.0": "BSL-1.0", "zlib/libpng": "Zlib",
	"eclipse public 2.0": "EPL-2.0", "eclipse public 1.0": "EPL-1.0", "hpnd": "HPND", "wtfpl": "WTFPL", "artistic 2.0": "Artistic-2.0",
}

// addresses are pages that hold one licence, as manifests of Java have them.
var addresses = map[string]string{
	"apache.org/licenses/license-2.0": "Apache-2.0", "apache.org/licenses/license-2.0.html": "Apache-2.0", "opensource.org/licenses/apache-2.0": "Apache-2.0",
	"opensource.org/licenses/mit": "MIT", "opensource.org/licenses/mit-license.php": "MIT", "opensource.org/licenses/bsd-3-clause": "BSD-3-Clause",
	"opensource.org/licenses/bsd-2-clause": "BSD-2-Clause", "eclipse.org/legal/epl-2.0": "EPL-2.0", "eclipse.org/legal/epl-v20.html": "EPL-2.0",
	"eclipse.org/legal/epl-v10.html": "EPL-1.0", "mozilla.org/mpl/2.0": "MPL-2.0", "mozilla.org/en-us/mpl/2.0": "MPL-2.0",
}

// troves are PyPI's licence classifiers that name one licence
// (https://pypi.org/classifiers/). "BSD License" and others that name a family are
// not here. "Apache Software License" is: of Apache's licences only version 2.0 is
// called so by packages.
var troves = map[string]string{
	"Apache Software License":                                         "Apache-2.0",
	"Boost Software License 1.0 (BSL-1.0)":                            "BSL-1.0",
	"Blue Oak Model License (BlueOak-1.0.0)":                          "BlueOak-1.0.0",
	"CC0 1.0 Universal (CC0 1.0) Public Domain Dedication":            "CC0-1.0",
	"CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
	"CeCILL-B Free Software License Agreement (CECILL-B)":             "CECILL-B",
	"CeCILL-C Free Software License Agreement (CECILL-C)":             "CECILL-C",
	"Common Development and Distribution License 1.0 (CDDL-1.0)":      "CDDL-1.0",
	"Eclipse Public License 1.0 (EPL-1.0)":                            "EPL-1.0",
	"Eclipse Public License 2.0 (EPL-2.0)":                            "EPL-2.0",
	"Educational Community License, Version 2.0 (ECL-2.0)":            "ECL-2.0",
	"European Union Public Licence 1.1 (EUPL 1.1)":                    "EUPL-1.1",
	"European Union Public Licence 1.2 (EUPL 1.2)":                    "EUPL-1.2",
	"GNU Affero General Public License v3":                            "AGPL-3.0-only",
	"GNU Affero General Public License v3 or later (AGPLv3+)":         "AGPL-3.0-or-later",
	"GNU General Public License v2 (GPLv2)":                           "GPL-2.0-only",
	"GNU General Public License v2 or later (GPLv2+)":                 "GPL-2.0-or-later",
	"GNU General Public License v3 (GPLv3)":                           "GPL-3.0-only",
	"GNU General Public License v3 or later (GPLv3+)":                 "GPL-3.0-or-later",
	"GNU Lesser General Public License v2 (LGPLv2)":                   "LGPL-2.0-only",
	"GNU Lesser General Public License v2 or later (LGPLv2+)":         "LGPL-2.0-or-later",
	"GNU Lesser General Public License v3 (LGPLv3)":                   "LGPL-3.0-only",
	"GNU Lesser General Public License v3 or later (LGPLv3+)":         "LGPL-3.0-or-later",
	"Historical Permission Notice and Disclaimer (HPND)":              "HPND",
	"ISC License (ISCL)":                                              "ISC",
	"MIT License":                                                     "MIT",
	"MIT No Attribution License (MIT-0)":                              "MIT-0",
	"Mozilla Public License 1.0 (MPL)":                                "MPL-1.0",
	"Mozilla Public License 1.1 (MPL 1.1)":                            "MPL-1.1",
	"Mozilla Public License 2.0 (MPL 2.0)":                            "MPL-2.0",
	"Mulan Permissive Software License v2 (MulanPSL-2.0)":             "MulanPSL-2.0",
	"PostgreSQL License":                                              "PostgreSQL",
	"Python Software Foundation License":                              "PSF-2.0",
	"SIL Open Font License 1.1 (OFL-1.1)":                             "OFL-1.1",
	"The Unlicense (Unlicense)":                                       "Unlicense",
	"Universal Permissive License (UPL)":                              "UPL-1.0",
	"University of Illinois/NCSA Open Source License":                 "NCSA",
	"Zero-Clause BSD (0BSD)":                                          "0BSD",
	"zlib/libpng License":                                             "Zlib",
}
