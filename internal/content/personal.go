package content

import (
	"bytes"
	"hash/maphash"
	"path"
	"strings"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Personal counts what a data file says of people. Nothing of it is kept.
type Personal struct {
	// Emails are the different addresses, Domains the different domains of them.
	Emails  int `json:"emails,omitempty"`
	Domains int `json:"domains,omitempty"`
	// Phones are the different numbers in international form.
	Phones int `json:"phones,omitempty"`
	// IBANs are the different account numbers whose check digits are right
	// (ISO 13616).
	IBANs int `json:"ibans,omitempty"`
}

// Limits on what is counted.
const (
	maxPersonal = 4 << 20 // bytes of a file
	maxPeople   = 10_000  // of each kind
)

// dataFiles are the files that hold records; true for those in which numbers are
// looked for, too.
var dataFiles = map[string]bool{
	".csv": true, ".tsv": true, ".sql": true, ".dump": true, ".jsonl": true, ".ndjson": true, ".log": true, ".vcf": true, ".ldif": true,
	".json": false, ".xml": false, ".yaml": false, ".yml": false, ".txt": false, ".bak": false,
}

// personal counts the people in a data file; nil if there is nobody.
func personal(f *layerfs.File) *Personal {
	numbers, ok := dataFiles[strings.ToLower(path.Ext(f.Path))]
	if !ok || f.Data == nil {
		return nil
	}
	data := f.Data[:min(len(f.Data), maxPersonal)]
	var p Personal
	if bytes.IndexByte(data, '@') >= 0 {
		p.countEmails(data)
	}
	if numbers {
		p.countPhones(data)
		p.countIBANs(data)
	}
	if p == (Personal{}) {
		return nil
	}
	return &p
}

// seen is a set of texts that keeps none of them.
type seen struct {
	seed maphash.Seed
	set  map[uint64]struct{}
}

func newSeen() *seen { return &seen{maphash.MakeSeed(), map[uint64]struct{}{}} }

func (s *seen) add(text []byte) {
	if len(s.set) < maxPeople {
		s.set[maphash.Bytes(s.seed, bytes.ToLower(text))] = struct{}{}
	}
}

func (p *Personal) countEmails(data []byte) {
	people, domains := newSeen(), newSeen()
	for at := 0; len(people.set) < maxPeople; at++ {
		i := bytes.IndexByte(data[at:], '@')
		if i < 0 {
			break
		}
		at += i
		from := at
		for from > 0 && at-from < 64 && mailByte(data[from-1]) {
			from--
		}
		to, dot := at+1, false
		for to < len(data) && to-at < 254 && domainByte(data[to]) {
			dot = dot || data[to] == '.' && to > at+1
			to++
		}
		local, domain := data[from:at], bytes.TrimRight(data[at+1:to], ".-")
		if len(local) < 2 || !dot || !person(string(bytes.ToLower(local)), string(bytes.ToLower(domain))) {
			continue
		}
		people.add(data[from:to])
		domains.add(domain)
	}
	p.Emails, p.Domains = len(people.set), len(domains.set)
}

// person reports whether the address may be somebody's: not one that documents
// use, nor a machine's.
func person(local, domain string) bool {
	for _, reserved := range []string{"example.com", "example.org", "example.net", "noreply.github.com", "localhost"} {
		if domain == reserved || strings.HasSuffix(domain, "."+reserved) {
			return false
		}
	}
	top := domain[strings.LastIndexByte(domain, '.')+1:]
	switch top {
	case "example", "invalid", "test", "localhost", "local", "png", "jpg", "svg", "js", "json", "py", "ts":
		return false
	}
	if len(top) < 2 || top[0] >= '0' && top[0] <= '9' {
		return false
	}
	return !strings.Contains(local, "noreply") && !strings.Contains(local, "no-reply")
}

func mailByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-' || c == '+' || c == '%'
}

func domainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-'
}

// countPhones counts "+49 30 1234567": a plus that follows nothing of a number,
// and eight to fifteen digits (ITU-T E.164) with spaces and dashes among them.
func (p *Personal) countPhones(data []byte) {
	numbers := newSeen()
	for at := 0; ; at++ {
		i := bytes.IndexByte(data[at:], '+')
		if i < 0 {
			break
		}
		at += i
		if at > 0 && (mailByte(data[at-1]) || data[at-1] == ')' || data[at-1] == ':') || at+1 >= len(data) || data[at+1] < '1' || data[at+1] > '9' {
			continue
		}
		var digits []byte
		end := at + 1
		for ; end < len(data) && end-at < 24; end++ {
			switch c := data[end]; {
			case c >= '0' && c <= '9':
				digits = append(digits, c)
				continue
			case c == ' ' || c == '-' || c == '(' || c == ')':
				continue
			}
			break
		}
		if len(digits) >= 8 && len(digits) <= 15 && (end >= len(data) || !mailByte(data[end]) && data[end] != '/') {
			numbers.add(digits)
		}
	}
	p.Phones = len(numbers.set)
}

// countIBANs counts account numbers: two letters, two check digits, and eleven to
// thirty characters, of which 97 divides what it should.
func (p *Personal) countIBANs(data []byte) {
	accounts := newSeen()
	upper := func(c byte) bool { return c >= 'A' && c <= 'Z' }
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	for i := 0; i+15 <= len(data); i++ {
		if !upper(data[i]) || !upper(data[i+1]) || !digit(data[i+2]) || !digit(data[i+3]) || i > 0 && (upper(data[i-1]) || digit(data[i-1])) {
			continue
		}
		end := i
		for end < len(data) && end-i < 35 && (upper(data[end]) || digit(data[end])) {
			end++
		}
		if n := end - i; n >= 15 && n <= 34 && ibanSum(data[i:end]) == 1 {
			accounts.add(data[i:end])
		}
		i = end
	}
	p.IBANs = len(accounts.set)
}

// ibanSum is the number modulo 97, with the first four characters at the end and
// letters as two digits.
func ibanSum(iban []byte) int {
	sum := 0
	for i := range iban {
		c := iban[(i+4)%len(iban)]
		if c >= 'A' {
			sum = (sum*100 + int(c-'A') + 10) % 97
		} else {
			sum = (sum*10 + int(c-'0')) % 97
		}
	}
	return sum
}
