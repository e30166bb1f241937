package checks

import (
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SigningProfileRevoked finds signatures that prove nothing any more.
var SigningProfileRevoked = posture.Check{
	ID:          "signing-profile-revoked",
	Ref:         "INT-04",
	Title:       "layer version was signed by a profile that is cancelled or revoked",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1553.002"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion", "signer:ListSigningProfiles"),
	Lists:       posture.ListLayers,
	Remediation: "sign the layer anew with an active profile",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         signingProfileRevoked,
}

func signingProfileRevoked(in posture.Input, found func(posture.Result)) {
	status := map[string]string{}
	for _, p := range in.Estate.Snapshot.SigningProfiles {
		status[p.VersionARN] = p.Status
	}
	for l := range in.Estate.OurLayers() {
		if missing, ok := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersion"); ok {
			found(missing)
			continue
		}
		s, known := status[l.SigningProfileVersionARN]
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "its signing profile is active", Evidence: []string{"signing profile: " + l.SigningProfileVersionARN}}
		switch {
		case l.SigningProfileVersionARN == "":
			r = posture.Result{Outcome: lamina.NotApplicable, Resource: l.ARN, Detail: "it is not signed"}
		case !known:
			r.Outcome, r.Detail = lamina.Unknown, "the status of its signing profile is not known"
			r.Reason, r.Settle = "the profile version is not listed in a collected account", "allow signer:ListSigningProfiles to the collector in the profile's account; a superseded version is not listed at all"
		case s != "Active":
			r.Outcome, r.Detail = lamina.Fail, "its signing profile is "+strings.ToLower(s)
		}
		found(r)
	}
}
