package rule

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// AttackVersion is the release of MITRE ATT&CK that threats are checked
// against, AttackSource where its ids and names come from, and AttackCovers
// what the embedded list holds. © The MITRE Corporation, used under its terms
// (https://attack.mitre.org/resources/terms-of-use/).
const (
	AttackVersion = "18.1"
	AttackSource  = "enterprise-attack-18.1.json of https://github.com/mitre-attack/attack-stix-data"
	AttackCovers  = "every tactic, technique and sub-technique of Enterprise ATT&CK 18.1, revoked and deprecated ones included"
)

//go:embed attack.tsv
var attackTable string

// attackTactics are the tactics of Enterprise ATT&CK with their names. Version
// 19 split Defense Evasion into Stealth, which kept the id, and Defense
// Impairment: names of either version are right.
var attackTactics = []struct {
	id    string
	names []string
}{
	{"TA0043", []string{"Reconnaissance"}},
	{"TA0042", []string{"Resource Development"}},
	{"TA0001", []string{"Initial Access"}},
	{"TA0002", []string{"Execution"}},
	{"TA0003", []string{"Persistence"}},
	{"TA0004", []string{"Privilege Escalation"}},
	{"TA0005", []string{"Defense Evasion", "Stealth"}},
	{"TA0112", []string{"Defense Impairment"}},
	{"TA0006", []string{"Credential Access"}},
	{"TA0007", []string{"Discovery"}},
	{"TA0008", []string{"Lateral Movement"}},
	{"TA0009", []string{"Collection"}},
	{"TA0011", []string{"Command and Control"}},
	{"TA0010", []string{"Exfiltration"}},
	{"TA0040", []string{"Impact"}},
}

// An attackRow is a technique or sub-technique of the embedded list.
type attackRow struct {
	id, state, name string
	tactics         []string
}

var attackRows = sync.OnceValue(func() map[string]attackRow {
	rows := make(map[string]attackRow, 900)
	for line := range strings.Lines(attackTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 4 {
			rows[f[0]] = attackRow{id: f[0], state: f[1], name: f[3], tactics: strings.Split(f[2], ",")}
		}
	}
	return rows
})

// AttackName is the name of a tactic, technique or sub-technique in
// AttackVersion, "" if the embedded list does not have the id.
func AttackName(id string) string {
	for _, t := range attackTactics {
		if t.id == id {
			return t.names[0]
		}
	}
	return attackRows()[id].name
}

// threats checks the rule's threats against the embedded list. That an id is
// not in it is a warning (a later release may have it), that a known id has
// another name is an error.
func (l *linter) threats() {
	for _, t := range l.r.Threat {
		if t.Framework != "MITRE ATT&CK" {
			l.add(Problem{Pos: t.Tactic.IDPos, Level: Note, Code: "threat-unchecked", Msg: fmt.Sprintf("the threats of %q are kept, not checked", t.Framework)})
			continue
		}
		l.tactic(t.Tactic)
		for _, q := range t.Techniques {
			l.technique(q.ThreatRef, t.Tactic)
			for _, s := range q.Subtechniques {
				l.technique(s, t.Tactic)
				if !strings.HasPrefix(s.ID, q.ID+".") {
					l.add(Problem{Pos: s.IDPos, Level: Wrong, Code: "threat-parent", Msg: fmt.Sprintf("%s is not a sub-technique of %s", s.ID, q.ID)})
				}
			}
		}
	}
}

func (l *linter) tactic(ref ThreatRef) {
	for _, t := range attackTactics {
		if t.id != ref.ID {
			continue
		}
		if !slices.Contains(t.names, ref.Name) {
			l.add(Problem{
				Pos: ref.NamePos, Level: Wrong, Code: "threat-name",
				Msg:        fmt.Sprintf("tactic %s is %s, not %q", ref.ID, t.names[0], ref.Name),
				Correction: tomlBasic(t.names[0]),
			})
		}
		return
	}
	l.unlisted(ref, "tactic")
}

func (l *linter) technique(ref, tactic ThreatRef) {
	row, ok := attackRows()[ref.ID]
	if !ok {
		l.unlisted(ref, "technique")
		return
	}
	if ref.Name != row.name {
		l.add(Problem{
			Pos: ref.NamePos, Level: Wrong, Code: "threat-name",
			Msg:        fmt.Sprintf("technique %s is %s, not %q", ref.ID, row.name, ref.Name),
			Correction: tomlBasic(row.name),
		})
	}
	if row.state != "" {
		l.add(Problem{Pos: ref.IDPos, Level: Warn, Code: "threat-retired", Msg: fmt.Sprintf("technique %s is %s in ATT&CK %s", ref.ID, row.state, AttackVersion)})
	} else if !slices.Contains(row.tactics, tactic.ID) {
		l.add(Problem{
			Pos: ref.IDPos, Level: Warn, Code: "threat-tactic",
			Msg: fmt.Sprintf("ATT&CK %s lists technique %s under %s, not under %s", AttackVersion, ref.ID, strings.Join(row.tactics, ", "), tactic.ID),
		})
	}
}

func (l *linter) unlisted(ref ThreatRef, what string) {
	l.add(Problem{
		Pos: ref.IDPos, Level: Warn, Code: "threat-unlisted",
		Msg:  fmt.Sprintf("%s %q is not in the embedded list", what, ref.ID),
		Hint: "the list covers " + AttackCovers,
	})
}
