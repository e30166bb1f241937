package checks

import (
	"fmt"
	"slices"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// LayerHidesCode finds layers that put their own file in the place of an earlier
// one's.
var LayerHidesCode = posture.Check{
	ID:          "layer-hides-code",
	Ref:         "LIF-07",
	Title:       "later layer hides a file of an earlier one that runs, or is loaded, by itself",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574.007"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html",
	Needs:       append(posture.ListFunctions, "lambda:GetLayerVersion"),
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   []string{"site-customize"},
	Remediation: "say which of the two files is meant, and attach one of the layers, or both in the order that keeps it",
	NoFix:       "which file is the right one is known to whoever deploys the function",
	Run:         layerHidesCode,
}

func layerHidesCode(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version != "$LATEST" || len(f.Layers) < 2 {
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: "no layer hides such a file of another"}
		hidden, open := hides(in, f.Layers)
		for _, h := range hidden {
			if h.file.Alone {
				r.Severity = lamina.High
			}
			r.Evidence = append(r.Evidence, "file: /opt/"+h.file.Path+" of "+h.of+" is hidden by "+h.by)
		}
		switch {
		case len(hidden) > 0:
			r.Outcome, r.Detail = lamina.Fail, fmt.Sprintf("%s hides %s of other layers", hidden[0].by, posture.Count(len(hidden), "file"))
			if was := reordered(in, f); was != "" {
				r.Detail += ", since the order of its layers changed"
				r.Evidence = append(r.Evidence, was)
			}
			r.Evidence = posture.Calls(r.Evidence)
		case open != nil:
			r = *open
			r.Resource = f.ARN
		}
		found(r)
	}
}

// A hiding is a file of a layer that another layer's file stands in the place of.
type hiding struct {
	file   posture.LoadedFile
	of, by string // layer versions
}

// hides returns the files that later layers of the list hide with other bytes,
// and an Unknown when one of the layers was not read whole.
func hides(in posture.Input, layers []string) (hidden []hiding, open *posture.Result) {
	type owner struct {
		file  posture.LoadedFile
		layer string
	}
	seen := map[string]owner{}
	for _, arn := range layers {
		if _, unknown, known := in.Inside(arn, "site-customize"); !known {
			unknown.Detail = "what is in " + arn + " is not known"
			open = &unknown
		}
		for _, file := range in.Contents[arn].Loaded {
			if before, is := seen[file.Path]; is && before.file.SHA256 != file.SHA256 {
				hidden = append(hidden, hiding{before.file, before.layer, arn})
			}
			seen[file.Path] = owner{file, arn}
		}
	}
	return hidden, open
}

// reordered is evidence that the function had the same layers in another order in
// the earlier snapshot, "" when it had not or there is none.
func reordered(in posture.Input, f lamina.Function) string {
	if in.Earlier == nil {
		return ""
	}
	was, known := in.Earlier.Function(f.ARN)
	if !known || slices.Equal(was.Layers, f.Layers) || !slices.Equal(slices.Sorted(slices.Values(was.Layers)), slices.Sorted(slices.Values(f.Layers))) {
		return ""
	}
	return fmt.Sprintf("was: %v", was.Layers)
}
