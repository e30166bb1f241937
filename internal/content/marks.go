package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Mark is a word that few honest files hold.
type Mark string

// The marks.
const (
	// Stratum is the protocol of mining pools, Miner a mining algorithm or tool.
	Stratum Mark = "stratum"
	Miner   Mark = "miner"
	// RuntimeAPI is the variable, and RuntimePath the path, of the Lambda runtime
	// API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
	RuntimeAPI  Mark = "runtime-api"
	RuntimePath Mark = "runtime-path"
	// WriteMemory is the system call that writes into another process.
	WriteMemory Mark = "write-memory"
	// ReadsAll, Talks and RunsHidden are of the languages that are not followed
	// (Ruby, Java, .NET): it reads the environment as a whole or its credentials,
	// uses the network, runs what it decodes. Listens says that it is a server.
	ReadsAll   Mark = "reads-environment"
	Talks      Mark = "uses-network"
	RunsHidden Mark = "runs-decoded"
	Listens    Mark = "listens"
	// Suppression is a comment that asks a scanner to look away.
	Suppression Mark = "suppression"
)

var marks = []struct {
	word string
	mark Mark
}{
	{"stratum+tcp://", Stratum},
	{"stratum+ssl://", Stratum},
	{"stratum2+tcp://", Stratum},
	{"cryptonight", Miner},
	{"randomx", Miner},
	{"xmrig", Miner},
	{"donate-level", Miner},
	{"AWS_LAMBDA_RUNTIME_API", RuntimeAPI},
	{"2018-06-01/runtime/invocation", RuntimePath},
	{"process_vm_writev", WriteMemory},
}

// unfollowed are the words of languages of which no flow is followed; all of one
// of the lists must be there.
var unfollowed = map[Kind][]struct {
	mark  Mark
	words []string
}{
	Ruby: {
		{ReadsAll, []string{"ENV.to_h"}},
		{ReadsAll, []string{"ENV.to_a"}},
		{ReadsAll, []string{"ENV.each"}},
		{ReadsAll, []string{"ENV.map"}},
		{ReadsAll, []string{"ENV.inspect"}},
		{ReadsAll, []string{"ENV['AWS_SE"}},
		{ReadsAll, []string{`ENV["AWS_SE`}},
		{ReadsAll, []string{"ENV.fetch('AWS_SE"}},
		{ReadsAll, []string{`ENV.fetch("AWS_SE`}},
		{ReadsAll, []string{"/environ"}},
		{Talks, []string{"Net::HTTP"}},
		{Talks, []string{"URI.open"}},
		{Talks, []string{"TCPSocket"}},
		{Talks, []string{"UDPSocket"}},
		{Talks, []string{"Resolv"}},
		{Talks, []string{"Faraday"}},
		{Talks, []string{"curl "}},
		{RunsHidden, []string{"eval", "unpack1('m')"}},
		{RunsHidden, []string{"eval", `unpack1("m")`}},
		{RunsHidden, []string{"eval", "decode64"}},
		{RunsHidden, []string{"eval", "Zlib"}},
		{RunsHidden, []string{"eval", ".pack('H*')"}},
		{Listens, []string{"WEBrick"}},
		{Listens, []string{"TCPServer"}},
	},
	Class: {
		{ReadsAll, []string{"getenv", "()Ljava/util/Map;"}},
		{ReadsAll, []string{"getenv", "AWS_SE"}},
		{Talks, []string{"java/net/http/HttpClient"}},
		{Talks, []string{"java/net/HttpURLConnection"}},
		{Talks, []string{"openConnection"}},
		{Talks, []string{"java/net/Socket"}},
		{Talks, []string{"java/net/InetAddress"}},
		{Listens, []string{"com/sun/net/httpserver"}},
		{Listens, []string{"java/net/ServerSocket"}},
	},
	Foreign: {
		{ReadsAll, []string{"GetEnvironmentVariables"}},
		{Talks, []string{"HttpClient"}},
		{Talks, []string{"WebClient"}},
		{Talks, []string{"TcpClient"}},
		{Talks, []string{"WebRequest"}},
	},
}

// findUnfollowed appends the marks of such a language.
func findUnfollowed(found []Mark, kind Kind, data []byte) []Mark {
	for _, u := range unfollowed[kind] {
		if !slices.Contains(found, u.mark) && !slices.ContainsFunc(u.words, func(w string) bool { return !bytes.Contains(data, []byte(w)) }) {
			found = append(found, u.mark)
		}
	}
	return found
}

// suppressions are the words of such comments.
var suppressions = []string{"nosec", "nosemgrep", "gitleaks:allow", "trivy:ignore", "pragma: allowlist secret", "checkov:skip"}

// suppresses reports whether a file that is no installed package's has one of
// them. Packages have many, and they say nothing of who made the layer.
func suppresses(name string, data []byte) bool {
	if strings.Contains(name, "node_modules/") || strings.Contains(name, "site-packages/") || len(data) > window {
		return false
	}
	return slices.ContainsFunc(suppressions, func(word string) bool { return bytes.Contains(data, []byte(word)) })
}

// longestMark is how many bytes two windows must share.
const longestMark = 32

// findMarks appends the marks that stand in data to found.
func findMarks(found []Mark, data []byte) []Mark {
	// Pairs of bytes that stand in no head of a word are passed over in strides
	// (Wu and Manber's shift table).
	seen := 0 // words, a bit each
	for i := markHead - 1; i < len(data); {
		if skip := markShift[markPair(data[i-1], data[i])]; skip > 0 {
			i += int(skip)
			continue
		}
		for n, m := range marks {
			if bytes.HasPrefix(data[i-markHead+1:], []byte(m.word)) {
				seen |= 1 << n
			}
		}
		i++
	}
	for n, m := range marks {
		if seen&(1<<n) != 0 && !slices.Contains(found, m.mark) {
			found = append(found, m.mark)
		}
	}
	return found
}

// markHead is how many first bytes of a word the search looks for: the length of
// the shortest.
const markHead = len("xmrig")

// markPair is the place of two bytes in markShift. Several pairs share one, so that
// the table stays in the fastest cache.
func markPair(a, b byte) uint16 { return (uint16(a)<<4 ^ uint16(b)) & (1<<12 - 1) }

// markShift says how many bytes the end of a head lies at least behind a pair.
var markShift = func() (t [1 << 12]uint8) {
	for i := range t {
		t[i] = uint8(markHead - 1)
	}
	for _, m := range marks {
		for j := 1; j < markHead; j++ {
			skip := &t[markPair(m.word[j-1], m.word[j])]
			*skip = min(*skip, uint8(markHead-1-j))
		}
	}
	return t
}()

// window is how much of a large file is looked at at once.
const window = 1 << 20

// windows gives visit a large file in parts that overlap by keep bytes.
func windows(r io.ReaderAt, size int64, keep int, visit func(data []byte, offset int64)) error {
	buf := make([]byte, window)
	for off := int64(0); off < size; off += int64(len(buf) - keep) {
		n, err := r.ReadAt(buf, off)
		if n > 0 {
			visit(buf[:n], off)
		}
		switch {
		case errors.Is(err, io.EOF) || err == nil && off+int64(n) >= size:
			return nil
		case err != nil:
			return fmt.Errorf("read at %d: %w", off, err)
		}
	}
	return nil
}
