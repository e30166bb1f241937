package checks

import (
	"cmp"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerReferenceUnversioned finds layers whose bytes lie in a bucket that does not keep them.
var LayerReferenceUnversioned = posture.Check{
	ID:          "layer-reference-unversioned",
	Ref:         "INT-07",
	Title:       "layer version refers to an object that can vanish or change",
	Since:       "0.1",
	Severity:    lamina.High,
	Techniques:  []string{"T1485"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/configuration-self-managed-storage.html",
	Needs:       append(posture.ListLayers, "lambda:GetLayerVersion", "s3:GetBucketVersioning"),
	Lists:       posture.ListLayers,
	Remediation: "enable versioning on the bucket, and publish the layer from an object version",
	NoFix:       "changing a bucket that other things use is for its owner",
	Run:         layerReferenceUnversioned,
}

func layerReferenceUnversioned(in posture.Input, found func(posture.Result)) {
	for l := range in.Estate.OurLayers() {
		if missing, ok := in.Missing(l.Account, l.Region, l.ARN, "lambda:GetLayerVersion"); ok {
			missing.Detail = "whether Lambda keeps a copy of it is not known"
			found(missing)
			continue
		}
		if l.Reference == nil {
			found(posture.Result{Outcome: lamina.NotApplicable, Resource: l.ARN, Detail: "Lambda keeps a copy of it"})
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: l.ARN, Detail: "its bucket is versioned", Evidence: []string{"object: s3://" + l.Reference.Bucket + "/" + l.Reference.Key}}
		b, known := in.Estate.Bucket(l.Reference.Bucket)
		missing, gap := in.Missing(l.Account, l.Region, l.Reference.Bucket, "s3:GetBucketVersioning")
		switch {
		case l.Reference.VersionID == "":
			r.Outcome, r.Detail = lamina.Fail, "it refers to an object without naming the object's version"
		case gap || !known:
			missing.Outcome, missing.Resource, missing.Detail = lamina.Unknown, l.ARN, "whether its bucket is versioned is not known"
			if !gap {
				missing.Reason, missing.Settle = "the bucket was not read", "allow s3:GetBucketVersioning to the collector on "+l.Reference.Bucket
			}
			r = missing
		case b.Versioning != "Enabled":
			r.Outcome, r.Detail = lamina.Fail, "its bucket is not versioned: "+cmp.Or(b.Versioning, "never enabled")
		}
		found(r)
	}
}
