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
	for _, m := range marks {
		if !slices.Contains(found, m.mark) && bytes.Contains(data, []byte(m.word)) {
			found = append(found, m.mark)
		}
	}
	return found
}

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
