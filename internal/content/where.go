package content

import (
	"net"
	"net/netip"
	"strings"

	"github.com/lamina-sec/lamina/internal/codeflow"
)

// Reach says how far a value goes that a sink names.
type Reach uint8

// The reaches of a host.
const (
	// Unnamed is a host that the code does not name.
	Unnamed Reach = iota
	// Local is the machine itself and the services on it: the runtime API, the
	// metadata services.
	Local
	// AWS is a host of AWS's own domains.
	AWS
	// Elsewhere is any other host.
	Elsewhere
)

// awsDomains are the domains that AWS serves its APIs from, in all partitions
// (https://docs.aws.amazon.com/general/latest/gr/rande.html).
var awsDomains = []string{"amazonaws.com", "amazonaws.com.cn", "api.aws", "aws.dev", "amazon.com", "amazonaws.eu", "api.amazonwebservices.eu"}

// ReachOf tells the reach of a host, a URL or host:port.
func ReachOf(host string) Reach {
	host = strings.ToLower(host)
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		host = host[:i]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	switch {
	case host == "":
		return Unnamed
	case host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "sandbox" || host == "sandbox.localdomain":
		return Local
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
			return Local
		}
		return Elsewhere
	}
	for _, d := range awsDomains {
		if host == d || strings.HasSuffix(host, "."+d) {
			return AWS
		}
	}
	return Elsewhere
}

// Leaves reports whether a sink of this kind carries what it is given out of the
// function.
func Leaves(sink string) bool {
	switch sink {
	case codeflow.CallHTTP, codeflow.CallSocket, codeflow.CallDNS, codeflow.CallMail, codeflow.CallAWS, codeflow.CallProcess:
		return true
	}
	return false
}

// Test reports whether a path is of the kind that only tests, documents and
// examples have: code there is not loaded by anything else.
func Test(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "test", "tests", "__tests__", "testing", "example", "examples", "docs", "benchmark", "benchmarks", "fixtures":
			return true
		}
	}
	return false
}
