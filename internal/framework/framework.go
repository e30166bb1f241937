// Package framework says which controls of which framework a check of the
// catalogue bears on: ids only, as the frameworks print them.
//
// A control is named because a finding of the check is evidence about it, never
// because the check tests the whole of it: no framework has a control that is about
// layers. Texts of frameworks are not here, they belong to others; where to
// read them is. Start with Of.
package framework

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// A Framework is a set of controls that somebody publishes.
type Framework struct {
	// Name is what --framework takes.
	Name  string
	Title string
	// Source is where its controls are listed.
	Source string
}

// All lists the frameworks.
var All = []Framework{
	{"aws-fsbp", "AWS Foundational Security Best Practices v1.0.0", "https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html"},
	{"cis-aws", "CIS AWS Foundations Benchmark v3.0.0", "https://docs.aws.amazon.com/securityhub/latest/userguide/cis-aws-foundations-benchmark.html"},
	{"nist-800-53", "NIST SP 800-53 Revision 5", "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
	{"pci-dss", "PCI DSS v4.0.1", "https://www.pcisecuritystandards.org/document_library/"},
	{"soc2", "AICPA Trust Services Criteria 2017", "https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022"},
}

// A theme is controls that several checks share, by framework in the order of All.
type theme [5]string

// What checks are about. An empty string says that the framework has no control
// for it.
var (
	// sharing: information reaches somebody it is not meant for.
	sharing = theme{"", "1.20", "AC-3 AC-4 AC-21", "7.2.1", "CC6.1 CC6.7"}
	// privilege: somebody may do more than their work asks for.
	privilege = theme{"IAM.1 IAM.21", "1.16", "AC-2 AC-3 AC-5 AC-6", "7.2.1 7.2.2 7.2.5", "CC6.1 CC6.3"}
	// supply: code of others runs, and nobody answers for it.
	supply = theme{"", "", "SA-9 SR-3 SR-4 SR-6", "6.3.2 12.8.1", "CC9.2"}
	// outdated: components are old or given up.
	outdated = theme{"", "", "SA-22 SI-2 RA-5", "6.3.2 6.3.3", "CC7.1"}
	// integrity: code is not known to be what it was built as.
	integrity = theme{"", "", "CM-14 SI-7 SR-11", "6.5.1 11.5.2", "CC6.8 CC8.1"}
	// inventory: what is there is not what is known or used.
	inventory = theme{"", "", "CM-2 CM-8", "6.3.2 12.5.1", "CC6.1"}
	// change: something changed outside of what changes it.
	change = theme{"", "", "CM-3 CM-5 CM-6", "6.5.1", "CC8.1"}
	// code: code runs that nobody meant to run.
	code = theme{"", "", "CM-7 SI-3 SI-7", "5.2.1 6.2.4", "CC6.8"}
	// egress: data may leave.
	egress = theme{"", "", "AC-4 SC-7", "1.3.2 1.4.4", "CC6.6 CC6.7"}
	// public: anyone may call it.
	public = theme{"Lambda.1", "", "AC-3 AC-4 SC-7", "1.3.1 7.2.1", "CC6.1 CC6.6"}
	// logging: what happens is not recorded.
	logging = theme{"CloudTrail.1", "3.1", "AU-2 AU-3 AU-12", "10.2.1", "CC7.2"}
	// logs: the record may be changed.
	logs = theme{"CloudTrail.4", "3.2", "AU-9", "10.3.2 10.3.4", "CC7.2"}
	// watching: nobody would notice.
	watching = theme{"", "", "AU-6 CA-7 SI-4", "10.4.1 10.7.2", "CC7.2 CC7.3"}
	// scanning: vulnerabilities would not be found.
	scanning = theme{"Inspector.4", "", "RA-5 SI-2", "6.3.1 11.3.1", "CC7.1"}
	// vulnerable: one was found.
	vulnerable = theme{"", "", "RA-5 SI-2", "6.3.1 6.3.3", "CC7.1"}
	// secrets: a credential lies where it can be read.
	secrets = theme{"", "", "IA-5 SC-28", "8.3.2 8.6.2", "CC6.1"}
	// guard: a preventive rule is missing or broken.
	guard = theme{"", "", "AC-3 CM-5 CM-7", "7.2.1 7.2.5", "CC6.1 CC8.1"}
	// storage: an object may vanish, or be changed by others.
	storage = theme{"", "", "CP-9 SI-13 SC-28", "10.3.2", "A1.2 CC6.1"}
	// malware: code is known to be malicious.
	malware = theme{"", "", "SI-3 SI-4", "5.2.1 5.3.2", "CC6.8 CC7.2"}
	// analysis: nobody looks for access from outside.
	analysis = theme{"", "1.20", "AC-3 CA-7", "7.2.4", "CC6.1 CC7.2"}
	// threats: threat detection is off.
	threats = theme{"GuardDuty.6", "", "CA-7 SI-4", "11.5.1", "CC7.2"}
	// signin: people and keys are not strongly authenticated.
	signin = theme{"IAM.3 IAM.5", "1.10 1.14", "IA-2 IA-5", "8.3.9 8.4.2", "CC6.1"}
	// incident: what happened has to be known.
	incident = theme{"", "", "AU-6 IR-4", "10.4.1 12.10.5", "CC7.3 CC7.4"}
)

// themes are what each number of the catalogue is about.
var themes = map[string][]theme{
	"EXP-01": {sharing}, "EXP-02": {sharing}, "EXP-03": {sharing}, "EXP-04": {sharing}, "EXP-05": {sharing}, "EXP-06": {sharing}, "EXP-07": {sharing, inventory},
	"EXP-08": {privilege}, "EXP-09": {sharing}, "EXP-10": {watching}, "EXP-11": {analysis},
	"USE-01": {supply}, "USE-02": {supply}, "USE-03": {supply, outdated}, "USE-04": {outdated}, "USE-05": {inventory}, "USE-06": {supply, inventory}, "USE-07": {supply},
	"USE-08": {supply, change}, "USE-09": {inventory}, "USE-10": {inventory},
	"INT-01": {integrity}, "INT-02": {integrity}, "INT-03": {integrity}, "INT-04": {integrity}, "INT-05": {integrity, supply}, "INT-06": {privilege, integrity},
	"INT-07": {storage}, "INT-08": {storage, privilege}, "INT-09": {sharing}, "INT-10": {integrity},
	"PTH-01": {privilege}, "PTH-02": {privilege, change}, "PTH-03": {privilege}, "PTH-04": {privilege}, "PTH-05": {privilege}, "PTH-06": {supply, privilege},
	"PTH-07": {privilege, change}, "PTH-08": {privilege}, "PTH-09": {privilege, supply}, "PTH-10": {privilege, sharing}, "PTH-11": {signin}, "PTH-12": {privilege},
	"PTH-13": {privilege, storage}, "PTH-14": {privilege},
	"LIF-01": {inventory}, "LIF-02": {inventory}, "LIF-03": {outdated}, "LIF-04": {inventory}, "LIF-05": {change}, "LIF-06": {change}, "LIF-07": {code}, "LIF-08": {inventory},
	"LIF-09": {inventory}, "LIF-10": {inventory, watching}, "LIF-11": {inventory},
	"RUN-01": {code}, "RUN-02": {code}, "RUN-03": {code}, "RUN-04": {code}, "RUN-05": {code}, "RUN-06": {change}, "RUN-07": {change},
	"NET-01": {egress}, "NET-02": {egress}, "NET-03": {egress}, "NET-04": {public}, "NET-05": {egress},
	"GRD-01": {guard}, "GRD-02": {guard, supply}, "GRD-03": {guard, sharing}, "GRD-04": {guard, change}, "GRD-05": {guard, integrity}, "GRD-06": {guard}, "GRD-07": {guard, privilege},
	"GRD-08": {guard}, "GRD-09": {guard, egress},
	"VIS-01": {logging}, "VIS-02": {logging}, "VIS-03": {logs}, "VIS-04": {watching}, "VIS-05": {watching}, "VIS-06": {scanning}, "VIS-07": {analysis}, "VIS-08": {threats},
	"VIS-09": {watching}, "VIS-10": {watching},
	"WIN-01": {incident, sharing}, "WIN-02": {incident}, "WIN-03": {incident}, "WIN-04": {incident}, "WIN-05": {incident}, "WIN-06": {incident},
	"TOX-01": {secrets, sharing}, "TOX-02": {sharing}, "TOX-03": {vulnerable}, "TOX-04": {malware}, "TOX-05": {supply, privilege, egress}, "TOX-06": {integrity, supply},
	"TOX-07": {privilege}, "TOX-08": {secrets, privilege},
}

// Of returns the controls that the check with the catalogue number bears on, of
// the frameworks named, or of all for none, sorted.
func Of(ref string, names ...string) []lamina.Control {
	var out []lamina.Control
	for _, t := range themes[ref] {
		for i, ids := range t {
			if f := All[i].Name; len(names) == 0 || slices.Contains(names, f) {
				for id := range strings.FieldsSeq(ids) {
					out = append(out, lamina.Control{Framework: f, ID: id})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b lamina.Control) int {
		return cmp.Or(cmp.Compare(a.Framework, b.Framework), cmp.Compare(a.ID, b.ID))
	})
	return slices.Compact(out)
}
