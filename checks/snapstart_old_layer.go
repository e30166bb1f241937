package checks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SnapstartOldLayer finds initialised versions that a change of layers does not reach.
var SnapstartOldLayer = posture.Check{
	ID:          "snapstart-old-layer",
	Ref:         "RUN-07",
	Title:       "published version keeps other layers initialised than the function has now",
	Since:       "0.1",
	Severity:    lamina.Info,
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html",
	Needs:       posture.ListFunctions,
	Uses:        []string{"lambda:ListAliases", "lambda:ListProvisionedConcurrencyConfigs"},
	Lists:       posture.ListFunctions,
	Remediation: "publish a version after a change of layers, and move the aliases to it",
	NoFix:       "the change belongs to whoever deploys the function",
	Run:         snapstartOldLayer,
}

func snapstartOldLayer(in posture.Input, found func(posture.Result)) {
	for _, f := range in.Estate.Snapshot.Functions {
		if f.Version == "$LATEST" {
			continue
		}
		now := posture.Whole(in.Estate, f)
		by, evidence := keptBy(f, now)
		if by == "" {
			missing, ok := in.Missing(f.Account, f.Region, now.ARN, "lambda:ListProvisionedConcurrencyConfigs", "lambda:ListAliases")
			if ok && now.ARN != f.ARN && !slices.Equal(f.Layers, now.Layers) {
				missing.Resource, missing.Detail = f.ARN, "whether it is kept initialised is not known"
				found(missing)
			}
			continue
		}
		if now.ARN == f.ARN {
			found(posture.Result{
				Outcome: lamina.Unknown, Resource: f.ARN, Detail: "which layers the function has now is not known",
				Reason: "the function itself was not read", Settle: "collect the account again",
			})
			continue
		}
		r := posture.Result{Outcome: lamina.Pass, Resource: f.ARN, Detail: by + " has the layers that the function has now"}
		if !slices.Equal(f.Layers, now.Layers) {
			r.Outcome, r.Detail = lamina.Fail, by+" has other layers: a change of the function does not reach it"
			for _, arn := range f.Layers {
				if !slices.Contains(now.Layers, arn) {
					r.Evidence = append(r.Evidence, "kept: "+arn)
				}
			}
			for _, arn := range now.Layers {
				if !slices.Contains(f.Layers, arn) {
					r.Evidence = append(r.Evidence, "now: "+arn)
				}
			}
			if len(r.Evidence) == 0 {
				r.Evidence = []string{"order: " + strings.Join(f.Layers, " ")}
			}
			for _, a := range now.Aliases {
				if a.Version == f.Version {
					r.Evidence = append(r.Evidence, "alias: "+a.Name)
				}
			}
			r.Evidence = append(r.Evidence, evidence...)
		}
		found(r)
	}
}

// keptBy says what keeps the version initialised, "" for nothing: a snapshot, or
// instances that are provisioned for it or for an alias that points to it.
func keptBy(f, now lamina.Function) (by string, evidence []string) {
	leads := estate.Qualifiers(now, f.Version)
	for _, p := range now.Provisioned {
		if slices.Contains(leads, p.Qualifier) {
			by, evidence = "what is kept initialised of it", append(evidence, "provisioned: "+strconv.Itoa(p.Instances)+" for "+p.Qualifier)
		}
	}
	if f.SnapStart == "PublishedVersions" {
		by = "its snapshot"
	}
	return by, evidence
}
