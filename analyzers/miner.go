package analyzers

import (
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// Miner finds: file holds the words of a miner.
var Miner = content.Analyzer{
	ID:          "miner",
	Title:       "file holds the words of a miner",
	Since:       "0.2",
	Severity:    lamina.High,
	Techniques:  []string{"T1496.001"},
	Citation:    "https://attack.mitre.org/techniques/T1496/001/",
	Remediation: "stop using the version, look at what its functions cost, and find out who published it",
	NoFix:       "a published layer version cannot be changed",
	Files:       true,
	Run:         miner,
}

func miner(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		pool, tool := slices.Contains(f.Marks, content.Stratum), slices.Contains(f.Marks, content.Miner)
		if !pool && !tool || content.Test(f.Path) {
			continue
		}
		r := content.Result{
			Outcome: lamina.Fail, File: f.Path, Severity: lamina.Low,
			Detail: "it names a mining algorithm or tool", Evidence: []string{"file sha256: " + f.SHA256.String()},
		}
		switch {
		case pool && tool:
			r.Severity, r.Detail = lamina.Critical, "it names a mining pool's protocol and a mining algorithm or tool"
		case pool:
			r.Severity, r.Detail = lamina.High, "it names the protocol of mining pools"
		}
		found(r)
	}
	return nil
}
