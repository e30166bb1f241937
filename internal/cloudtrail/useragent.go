package cloudtrail

import (
	"cmp"
	"strings"
	"sync"

	"github.com/ua-parser/uap-go/uaparser"
)

// userAgent is what Elasticsearch's user_agent processor makes of a header.
type userAgent struct {
	name, version         string
	device                string
	os, osVersion, osFull string
	system                bool // device and os are filled
}

// other is what the processor says of what it does not know.
const other = "Other"

// agentOf names the program of the record's user agent.
func (e *Event) agentOf() *userAgent { return e.agentWith(false) }

// systemOf also knows what the program runs on.
func (e *Event) systemOf() *userAgent { return e.agentWith(true) }

func (e *Event) agentWith(system bool) *userAgent {
	if e.agentGen != e.gen || system && !e.agent.system {
		e.agentGen, e.agent = e.gen, userAgent{}
		if ua := e.text(KeyUserAgent); ua != "" {
			e.agent = parseAgent(ua, system)
		}
		e.agent.system = e.agent.system || system
	}
	return &e.agent
}

// agentCache remembers parsed headers: an account has a few dozen, and parsing
// one runs hundreds of expressions. It is emptied when it is full, so a trail
// with made-up headers costs time and no memory.
type agentCache struct {
	mu sync.Mutex
	m  map[string]userAgent
}

const (
	maxAgents   = 1024
	maxAgentLen = 1024 // longer headers are parsed and not remembered
)

var agents = agentCache{m: map[string]userAgent{}}

// parseAgent parses a header; the result owns its strings. The system is known
// only if asked for.
func parseAgent(ua string, system bool) userAgent {
	agents.mu.Lock()
	a, ok := agents.m[ua]
	agents.mu.Unlock()
	if ok && (a.system || !system) {
		return a
	}
	ua = strings.Clone(ua)
	if a, ok = awsTool(ua); !ok || system {
		a = otherAgent(ua, system)
	}
	if len(ua) <= maxAgentLen {
		agents.mu.Lock()
		if len(agents.m) >= maxAgents {
			clear(agents.m)
		}
		agents.m[ua] = a
		agents.mu.Unlock()
	}
	return a
}

// awsTools are the programs whose headers begin with their name and version,
// spelled as ua-parser spells them.
var awsTools = []string{
	"aws-cli", "Boto3", "Boto", "aws-sdk-go", "aws-sdk-java", "aws-sdk-nodejs", "aws-sdk-ruby", "aws-sdk-ruby2", "aws-sdk-cpp",
}

// awsTool names AWS's own tools and services, which make most calls, without
// the table. A service ("ec2.amazonaws.com") is Other. A test holds it to what
// the table says.
func awsTool(ua string) (userAgent, bool) {
	s := strings.TrimPrefix(ua, "[")
	for _, tool := range awsTools {
		rest, ok := strings.CutPrefix(s, tool+"/")
		if !ok {
			continue
		}
		if version := versionOf(rest); version != "" {
			return userAgent{name: tool, version: version}, true
		}
	}
	if strings.HasSuffix(ua, ".amazonaws.com") && !strings.ContainsAny(ua, " /") || ua == "AWS Internal" {
		return userAgent{name: other}, true
	}
	return userAgent{}, false
}

// versionOf is the leading two or three numbers of a version, or "".
func versionOf(s string) string {
	end, parts := 0, 0
	for parts < 3 {
		n := end
		if parts > 0 {
			if n == len(s) || s[n] != '.' {
				break
			}
			n++
		}
		from := n
		for n < len(s) && s[n]-'0' <= 9 {
			n++
		}
		if n == from {
			break
		}
		end = n
		parts++
	}
	if parts < 2 {
		return ""
	}
	return s[:end]
}

// maxParsedAgent bounds what the expressions run over: their cost grows with
// the header, and CloudTrail cuts headers at 1 KB.
const maxParsedAgent = 8 << 10

// otherAgent asks ua-parser's table. What the program runs on takes more than
// half of the time, and rules ask for the name.
func otherAgent(ua string, system bool) userAgent {
	if len(ua) > maxParsedAgent {
		return userAgent{name: other, device: other, system: true}
	}
	t, lower := agentTables(), foldAgent(ua)
	u := firstMatch(t.agents, ua, lower, func(u *uaparser.UserAgent) bool { return u.Family != "" })
	a := userAgent{name: cmp.Or(u.Family, other), version: joinVersion(u.Major, u.Minor, u.Patch), system: system}
	if !system {
		return a
	}
	d := firstMatch(t.devices, ua, lower, func(d *uaparser.Device) bool { return d.Family != "" })
	a.device = cmp.Or(d.Family, other)
	o := firstMatch(t.systems, ua, lower, func(o *uaparser.Os) bool { return o.Family != "" })
	if o.Family != "" && o.Family != other {
		a.os, a.osVersion = o.Family, joinVersion(o.Major, o.Minor, o.Patch, o.PatchMinor)
		a.osFull = strings.TrimSpace(a.os + " " + a.osVersion)
	}
	return a
}

func joinVersion(parts ...string) string {
	var b strings.Builder
	for i, p := range parts {
		if p == "" {
			break
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}
