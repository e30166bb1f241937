package content

import "strings"

// A Duty is what a licence asks of who passes the code on.
type Duty string

// The duties. None is not known to ask more than to name the authors.
const (
	NoDuty Duty = ""
	// Source asks to give the source of the whole to whoever gets it.
	Source Duty = "source"
	// Network asks so even of those who only offer a service with it.
	Network Duty = "network"
	// Limited is a licence that restricts what it may be used for.
	Limited Duty = "limited"
)

// duties are of families of SPDX identifiers, the longest prefix counts
// (https://spdx.org/licenses/).
var duties = []struct {
	prefix string
	duty   Duty
}{
	{"AGPL-", Network},
	{"SSPL-", Network},
	{"OSL-", Network},
	{"RPL-", Network},
	{"EUPL-", Network},
	{"CPAL-", Network},
	{"GPL-", Source},
	{"Sleepycat", Source},
	{"QPL-", Source},
	{"CECILL-2", Source},
	{"BUSL-", Limited},
	{"Elastic-", Limited},
	{"PolyForm-", Limited},
	{"CC-BY-NC", Limited},
	{"Parity-", Network},
	{"Commons-Clause", Limited},
}

// harmless are exceptions to the GPL that let others link without its duties.
var harmless = []string{"Classpath-exception", "GCC-exception", "LLVM-exception", "Bootloader-exception", "Font-exception", "Autoconf-exception", "Bison-exception", "OpenJDK-assembly-exception", "Universal-FOSS-exception", "u-boot-exception"}

// DutyOf is the least that an SPDX licence expression asks, and the identifier that
// asks it: of alternatives the mildest can be chosen, of what is joined the
// strictest counts (https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/).
func DutyOf(expression string) (Duty, string) {
	p := &licenses{words: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression))}
	return p.any(0)
}

var strictness = map[Duty]int{Source: 1, Limited: 2, Network: 3}

type licenses struct {
	words []string
	at    int
}

func (p *licenses) next(word string) bool {
	if p.at < len(p.words) && strings.EqualFold(p.words[p.at], word) {
		p.at++
		return true
	}
	return false
}

func (p *licenses) any(depth int) (Duty, string) {
	duty, id := p.all(depth)
	for p.next("OR") {
		if d, x := p.all(depth); strictness[d] < strictness[duty] {
			duty, id = d, x
		}
	}
	return duty, id
}

func (p *licenses) all(depth int) (Duty, string) {
	duty, id := p.one(depth)
	for p.next("AND") {
		if d, x := p.one(depth); strictness[d] > strictness[duty] {
			duty, id = d, x
		}
	}
	return duty, id
}

func (p *licenses) one(depth int) (Duty, string) {
	if p.next("(") && depth < 20 {
		duty, id := p.any(depth + 1)
		p.next(")")
		return duty, id
	}
	if p.at >= len(p.words) {
		return NoDuty, ""
	}
	id := p.words[p.at]
	p.at++
	duty := NoDuty
	for _, d := range duties {
		if len(id) >= len(d.prefix) && strings.EqualFold(id[:len(d.prefix)], d.prefix) {
			duty = d.duty
		}
	}
	if p.next("WITH") && p.at < len(p.words) {
		for _, name := range harmless {
			if strings.HasPrefix(p.words[p.at], name) {
				duty = NoDuty
			}
		}
		id += " WITH " + p.words[p.at]
		p.at++
	}
	return duty, id
}
