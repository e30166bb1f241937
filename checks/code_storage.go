package checks

import (
	"fmt"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// CodeStorage finds accounts whose code storage fills up.
var CodeStorage = posture.Check{
	ID:          "code-storage",
	Ref:         "LIF-09",
	Title:       "code storage of the account fills up",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1499"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html",
	Needs:       []string{"lambda:GetAccountSettings"},
	Uses:        append(posture.ListLayers, posture.ListFunctions...),
	Lists:       []string{"lambda:GetAccountSettings"},
	Remediation: "delete layer versions that no function loads, once their owners agree: a full storage stops every deployment",
	NoFix:       "deleting a version cannot be undone, and who uses a shared one outside the organisation is not observable",
	Run:         codeStorage,
}

// fullAt is the part of the quota, in percent, that leaves too little room.
const fullAt = 80

func codeStorage(in posture.Input, found func(posture.Result)) {
	type place struct{ account, region string }
	layers, dead := map[place]int64{}, map[place]int64{}
	for l := range in.Estate.OurLayers() {
		if l.Reference != nil {
			continue // Lambda keeps no copy
		}
		at := place{l.Account, l.Region}
		layers[at] += l.CodeSize
		if len(in.Estate.Users(l.ARN)) == 0 {
			dead[at] += l.CodeSize
		}
	}
	for _, s := range in.Estate.Snapshot.CodeStorage {
		if s.Limit <= 0 {
			continue
		}
		at := place{s.Account, s.Region}
		percent := float64(s.Used) / float64(s.Limit) * 100
		r := posture.Result{
			Outcome: lamina.Pass, Resource: "arn:*:lambda:" + s.Region + ":" + s.Account + ":*",
			Detail:   fmt.Sprintf("%.0f %% of the code storage are used", percent),
			Evidence: []string{"used: " + megabytes(s.Used), "quota: " + megabytes(s.Limit), "layers: " + megabytes(layers[at]), "of versions that no function of ours loads: " + megabytes(dead[at])},
		}
		if percent > fullAt {
			r.Outcome = lamina.Fail
		}
		found(r)
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
