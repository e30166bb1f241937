package checks

import (
	"fmt"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SecurityHubOff finds regions without Security Hub.
var SecurityHubOff = posture.Check{
	ID:          "securityhub-off",
	Ref:         "VIS-09",
	Title:       "findings about layers have no Security Hub to go to",
	Since:       "0.1",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources-awslambda.html",
	Needs:       []string{"securityhub:DescribeHub"},
	Uses:        append([]string{"lambda:ListLayers", "lambda:ListFunctions", "config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorderStatus", "config:SelectResourceConfig"}, posture.Delegated...),
	Lists:       []string{"lambda:ListLayers", "lambda:ListFunctions"},
	Remediation: "turn on Security Hub in the region, or send findings to another system",
	NoFix:       "the service costs money and belongs to the organisation's administrator",
	Run: func(in posture.Input, found func(posture.Result)) {
		recorded := map[string]string{}
		for _, s := range in.Estate.Snapshot.Services {
			if s.Feature == "config:AWS::Lambda::Function" {
				recorded[posture.Place{Account: s.Account, Region: s.Region}.Resource()] = map[bool]string{
					true: "AWS Config: records functions, and cannot record layers", false: "AWS Config: records no functions, and cannot record layers",
				}[s.Enabled]
			}
		}
		kept := recordsOf(in)
		in.Watched(func(r posture.Result) {
			if says := recorded[r.Resource]; says != "" && r.Outcome != lamina.Unknown {
				r.Evidence = append(r.Evidence, says)
			}
			if says := kept[r.Resource]; says != "" && r.Outcome != lamina.Unknown {
				r.Evidence = append(r.Evidence, says)
			}
			found(r)
		}, "securityhub", "securityhub:DescribeHub")
	},
}

// recordsOf is evidence, by place: of how many functions with layers AWS Config has a
// record.
func recordsOf(in posture.Input) map[string]string {
	has := map[string]lamina.ConfigRecord{}
	for _, r := range in.Estate.Snapshot.ConfigRecords {
		has[r.Function] = r
	}
	type tally struct {
		of, all int
		newest  time.Time
	}
	places := map[string]tally{}
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" || len(f.Layers) == 0 {
			continue
		}
		place := posture.Place{Account: f.Account, Region: f.Region}.Resource()
		t := places[place]
		t.all++
		if r, ok := has[f.ARN]; ok {
			t.of++
			if r.Captured.After(t.newest) {
				t.newest = r.Captured
			}
		}
		places[place] = t
	}
	out := map[string]string{}
	for place, t := range places {
		if t.of > 0 {
			out[place] = fmt.Sprintf("AWS Config: has a record of %d of %s with layers, the newest of %s", t.of, posture.Count(t.all, "function"), posture.Minute(t.newest))
		}
	}
	return out
}
