package checks

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
)

// LayerNotAsReleased finds layers whose content is not what their publisher says
// it is.
var LayerNotAsReleased = posture.Check{
	ID:          "layer-not-as-released",
	Ref:         "TOX-06",
	Title:       "layer's content is not what its publisher released",
	Since:       "0.1",
	Severity:    lamina.Critical,
	Techniques:  []string{"T1195.002", "T1562.001"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/api/API_LayerVersionContentOutput.html",
	Needs:       slices.Concat(posture.ListLayers, []string{"lambda:GetLayerVersion"}),
	Uses:        posture.ListFunctions,
	Lists:       slices.Concat(posture.ListLayers, posture.ListFunctions),
	Beside:      []posture.Data{posture.Releases},
	Remediation: "keep its zip as evidence, move the functions to a version whose digest the publisher confirms, and ask the publisher",
	NoFix:       "which version is right is the publisher's to say",
	Run:         layerNotAsReleased,
}

func layerNotAsReleased(in posture.Input, found func(posture.Result)) {
	releases := in.Publishers.Releases()
	judge := func(arn string, users []lamina.Function, asker lamina.Function) {
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			return
		}
		if r, ok := released(in, l, releases, asker); ok {
			r.Evidence = append(r.Evidence, posture.Functions(users)...)
			found(r)
		}
	}
	for _, u := range in.ForeignUses() {
		judge(u.ARN, u.Functions, u.Functions[0])
	}
	for l := range in.Estate.OurLayers() {
		judge(l.ARN, in.Estate.Users(l.ARN), lamina.Function{Account: l.Account, Region: l.Region})
	}
}

// released holds a layer version, as read from a place, against the releases; ok
// is false when none of them is about a layer of its name.
func released(in posture.Input, l lamina.LayerARN, releases []publishers.Release, from lamina.Function) (r posture.Result, ok bool) {
	var same, named []publishers.Release // of the version; of layers of its name
	theirs := false                      // some are of the same account
	for _, x := range releases {
		if x.Layer.Name != l.Name {
			continue
		}
		named = append(named, x)
		theirs = theirs || x.Layer.ARN.Account == l.ARN.Account
		if x.Of(l) && x.Layer.Version == l.Version {
			same = append(same, x)
		}
	}
	if len(named) == 0 || !theirs && !in.Estate.Org.Ours(l.ARN.Account) {
		return r, false
	}
	r = posture.Result{Outcome: lamina.Unknown, Resource: l.Versioned()}
	if m, missing := in.Missing(from.Account, from.Region, r.Resource, "lambda:GetLayerVersion"); missing {
		m.Detail = "its digest is not known"
		return m, true
	}
	v, _ := in.Estate.Layer(r.Resource)
	sum, err := base64.StdEncoding.DecodeString(v.CodeSHA256)
	if err != nil || len(sum) == 0 {
		r.Detail, r.Reason, r.Settle = "its digest is not known", "it was not described", "allow lambda:GetLayerVersion to the collector"
		return r, true
	}
	digest := hex.EncodeToString(sum)
	among := named
	if theirs {
		among = same
	}
	if i := slices.IndexFunc(among, func(x publishers.Release) bool { return x.Digest == digest }); i >= 0 {
		r.Outcome, r.Detail = lamina.Pass, "its content is what the publisher released"
		if !theirs {
			r.Detail = "its content is that of " + among[i].Layer.Versioned()
		}
		r.Evidence = []string{"digest: sha256:" + digest, "source: " + among[i].Source}
		return r, true
	}
	r.Evidence = []string{"digest: sha256:" + digest}
	switch {
	case len(same) > 0:
		r.Outcome, r.Detail = lamina.Fail, "its content is not what the publisher released"
		for _, x := range same {
			r.Evidence = append(r.Evidence, fmt.Sprintf("released: sha256:%s (%s)", x.Digest, x.Source))
		}
	case theirs:
		r.Detail, r.Reason, r.Settle = "whether it is as released is not known", "the releases that are listed leave out this version", "list the digest that the publisher gives for it"
	default:
		r.Detail = "whether it is what " + named[0].Layer.ARN.Account + " released under its name is not known"
		r.Reason, r.Settle = "no release that is listed has its content", "list the release that it is a copy of, or give the layer a name of its own"
	}
	return r, true
}
