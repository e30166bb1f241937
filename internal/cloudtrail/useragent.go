package cloudtrail

import (
	"bytes"
	"strings"
	"sync"

	"github.com/ua-parser/uap-go/uaparser"
)

// userAgent is what Elasticsearch's user_agent processor makes of a header.
type userAgent struct {
	name, version, device string
	os, osVersion, osFull string
}

// other is what the processor says of what it does not know.
const other = "Other"

// agentOf parses the record's user agent.
func (e *Event) agentOf() *userAgent {
	if e.agentGen != e.gen {
		e.agentGen, e.agent = e.gen, userAgent{}
		if ua := e.text(KeyUserAgent); ua != "" {
			e.agent = parseAgent(ua)
		}
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

// agentParser is built when a rule first asks for user_agent.name: its table
// of expressions takes longer than a small trail. AWS's own tools are known
// without it.
var agentParser = sync.OnceValue(func() *uaparser.Parser {
	p, err := uaparser.New()
	if err != nil {
		// The table is part of the program and its own tests compile it.
		panic("cloudtrail: user agent table: " + err.Error())
	}
	return p
})

// parseAgent parses a header; the result owns its strings.
func parseAgent(ua string) userAgent {
	agents.mu.Lock()
	a, ok := agents.m[ua]
	agents.mu.Unlock()
	if ok {
		return a
	}
	ua = strings.Clone(ua)
	a, ok = awsTool(ua)
	if !ok {
		a = otherAgent(ua)
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
var awsTools = []string{"aws-cli", "Boto3", "Boto", "aws-sdk-go", "aws-sdk-java", "aws-sdk-nodejs", "aws-sdk-ruby2", "aws-sdk-ruby3", "aws-sdk-cpp"}

// awsTool recognises AWS's own tools and services, which call most, without
// the table of expressions. A service's name ("ec2.amazonaws.com") is Other.
func awsTool(ua string) (userAgent, bool) {
	s := strings.TrimPrefix(ua, "[")
	for _, tool := range awsTools {
		rest, ok := strings.CutPrefix(s, tool+"/")
		if !ok {
			continue
		}
		if i := strings.IndexAny(rest, " ]"); i >= 0 {
			rest = rest[:i]
		}
		version := versionOf(rest)
		if version == "" {
			return userAgent{}, false
		}
		a := userAgent{name: tool, version: version, device: other}
		a.setSystem(ua)
		return a, true
	}
	if strings.HasSuffix(ua, ".amazonaws.com") && !strings.ContainsAny(ua, " /") || ua == "AWS Internal" {
		return userAgent{name: other, device: other}, true
	}
	return userAgent{}, false
}

// versionOf is the leading one to three numbers of a version, as ua-parser
// joins them, or "".
func versionOf(s string) string {
	end, parts := 0, 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i]-'0' <= 9 {
			continue
		}
		if i == end && parts == 0 || i > 0 && s[i-1] == '.' {
			break
		}
		end = i
		if parts++; parts == 3 || i == len(s) || s[i] != '.' {
			break
		}
	}
	if parts < 2 {
		return ""
	}
	return s[:end]
}

// setSystem reads the operating system of an SDK header ("Linux/4.9.184-…",
// "Darwin/23.6.0"), where ua-parser knows it.
func (a *userAgent) setSystem(ua string) {
	_, rest, ok := strings.Cut(ua, " Linux/")
	if !ok {
		return
	}
	if v := versionOf(rest); v != "" {
		a.os, a.osVersion, a.osFull = "Linux", v, "Linux "+v
	}
}

// maxParsedAgent bounds what the expressions run over: their cost grows with
// the header, and CloudTrail cuts headers at 1 KB.
const maxParsedAgent = 8 << 10

// otherAgent asks ua-parser's table.
func otherAgent(ua string) userAgent {
	if len(ua) > maxParsedAgent {
		return userAgent{name: other, device: other}
	}
	p := agentParser()
	u := p.ParseUserAgent(ua)
	a := userAgent{
		name:    u.Family,
		version: joinVersion(u.Major, u.Minor, u.Patch),
		device:  p.ParseDevice(ua).Family,
	}
	if o := p.ParseOs(ua); o.Family != "" && o.Family != other {
		a.os, a.osVersion = o.Family, joinVersion(o.Major, o.Minor, o.Patch, o.PatchMinor)
		a.osFull = strings.TrimSpace(a.os + " " + a.osVersion)
	}
	return a
}

func joinVersion(parts ...string) string {
	var b bytes.Buffer
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
