package analyzers

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/codeflow"
	"github.com/lamina-sec/lamina/internal/content"
)

// CredentialTheft finds: code sends credentials out of the function.
var CredentialTheft = content.Analyzer{
	ID:          "credential-theft",
	Title:       "code sends credentials out of the function",
	Since:       "0.2",
	Severity:    lamina.Critical,
	Techniques:  []string{"T1552.005", "T1041"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
	Remediation: "stop using the version, rotate what the functions that loaded it could read, and find out who published it",
	NoFix:       "the credentials of every function that loaded it must be taken for known before anything is hidden",
	Files:       true,
	Run:         credentialTheft,
}

func credentialTheft(s *content.Scan, layer int, found func(content.Result)) error {
	l := s.Layers[layer]
	for _, f := range l.Files {
		if f.Shell != nil {
			for i, w := range f.Shell.Flows {
				if reach := content.ReachOf(w.Host); reach == content.Local || reach == content.AWS {
					continue
				}
				found(content.Result{
					Outcome: lamina.Fail, File: f.Path, Line: w.SinkLine, Key: "sh" + strconv.Itoa(i),
					Detail:   fmt.Sprintf("%s, read on line %d, reaches %s on line %d", w.Source, w.SourceLine, w.Sink, w.SinkLine),
					Evidence: []string{"source: " + w.Source, "sink: " + w.Sink, "to: " + w.Host, "file sha256: " + f.SHA256.String()},
				})
			}
		}
		if slices.Contains(f.Marks, content.ReadsAll) && slices.Contains(f.Marks, content.Talks) && !content.Test(f.Path) {
			found(s.Excuse(content.Result{
				Outcome: lamina.Fail, File: f.Path, Key: "marks", Severity: lamina.Medium,
				Detail:   "it reads the whole environment or its credentials, and it uses the network: what goes where is not followed in this language",
				Evidence: []string{"kind: " + string(f.Kind), "file sha256: " + f.SHA256.String()},
			}, f))
		}
		if f.Code == nil || content.Test(f.Path) {
			continue
		}
		for i, w := range f.Code.Flows {
			severity := theftSeverity(w)
			if severity == "" {
				continue
			}
			to := "a host that the code does not name"
			if w.Host != "" {
				to = w.Host
			}
			r := content.Result{
				Outcome: lamina.Fail, File: f.Path, Line: w.SinkLine, Key: strconv.Itoa(i), Severity: severity,
				Detail: fmt.Sprintf("%s, read on line %d, reaches %s on line %d", w.SourceName, w.SourceLine, w.SinkName, w.SinkLine),
				Evidence: []string{
					fmt.Sprintf("source: %s (%s), line %d", w.SourceName, w.Source, w.SourceLine),
					fmt.Sprintf("sink: %s (%s), line %d", w.SinkName, w.Sink, w.SinkLine),
					"to: " + to, "file sha256: " + f.SHA256.String(),
				},
			}
			// SDKs read credentials to use them. Malicious code is published, too, and
			// names where it sends what it takes.
			if content.ReachOf(w.Host) == content.Unnamed {
				r = s.Excuse(r, f)
			}
			found(r)
		}
	}
	return nil
}

// theftSeverity is how bad a flow is, "" if it is none of ours.
func theftSeverity(w codeflow.Flow) lamina.Severity {
	if !content.Leaves(w.Sink) {
		return ""
	}
	whole := w.Source == codeflow.SourceEnvAll || w.Source == codeflow.SourceProcEnviron
	if !whole && w.Source != codeflow.SourceEnvSecret && w.Source != codeflow.SourceCredentials && w.Source != codeflow.SourceMetadata {
		return ""
	}
	if w.Sink == codeflow.CallProcess && !fetches(w.Host) && !asks(w.Host) {
		return "" // a child process is given its environment
	}
	switch content.ReachOf(w.Host) {
	case content.Elsewhere:
		if w.Sink == codeflow.CallAWS {
			return lamina.High
		}
		return lamina.Critical
	case content.Unnamed:
		switch {
		case whole || w.Sink == codeflow.CallDNS:
			return lamina.High
		}
		return lamina.Low
	case content.AWS:
		if w.Sink == codeflow.CallAWS && whole {
			return lamina.High // whose queue it is, the host does not say
		}
	case content.Local:
	}
	return ""
}

// asks reports whether a command carries its argument out by looking it up or by
// mail.
func asks(command string) bool {
	tool, _, _ := strings.Cut(command, " ")
	switch path.Base(tool) {
	case "nslookup", "dig", "host", "drill", "ping", "mail", "sendmail", "telnet", "ncat", "netcat", "socat", "ssh", "scp":
		return true
	}
	return false
}
