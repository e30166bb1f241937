package checks

import (
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/posture"
)

// SdkOverride finds layers whose SDK or runtime client takes the place of AWS's.
var SdkOverride = posture.Check{
	ID:          "sdk-override",
	Ref:         "RUN-05",
	Title:       "layer brings the AWS SDK or the runtime's own client, which functions then use",
	Since:       "0.1",
	Severity:    lamina.Medium,
	Techniques:  []string{"T1574.007"},
	Citation:    "https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html",
	Needs:       posture.ListFunctions,
	Uses:        []string{"lambda:GetLayerVersion"},
	Lists:       posture.ListFunctions,
	Beside:      []posture.Data{posture.Contents},
	Analyzers:   overrideAnalyzers,
	Remediation: "leave the packages out and take AWS's updates, or build the layer from the published packages and sign it",
	NoFix:       "a published layer version cannot be changed",
	Run:         sdkOverride,
}

// overrideAnalyzers look at packages; that one looked says that packages were read.
var overrideAnalyzers = []string{"runtime-package"}

// An overridden package is one that the runtimes of a family bring, in the
// folder of layers that they search first.
var overridden = []struct {
	family, ecosystem, folder string
	names                     []string
	client                    string // what asks Lambda for events: it sees every one
}{
	{"python", "PyPI", "python/", []string{"boto3", "botocore", "s3transfer"}, "awslambdaric"},
	{"nodejs", "npm", "nodejs/", []string{"aws-sdk", "@aws-sdk/*", "@smithy/*"}, "aws-lambda-ric"},
	{"ruby", "RubyGems", "ruby/", []string{"aws-sdk-*", "aws-sigv4"}, "aws_lambda_ric"},
}

func sdkOverride(in posture.Input, found func(posture.Result)) {
	for _, arn := range loadedLayers(in) {
		if _, unknown, known := in.Inside(arn, overrideAnalyzers...); !known {
			found(unknown)
			continue
		}
		var evidence []string
		var users []lamina.Function
		client := false
		for _, o := range overridden {
			fs := slices.DeleteFunc(in.Estate.Users(arn), func(f lamina.Function) bool { return !strings.HasPrefix(f.Runtime, o.family) })
			if len(fs) == 0 {
				continue
			}
			before := len(evidence)
			for _, p := range in.Contents[arn].Packages {
				if p.Ecosystem != o.ecosystem || len(p.Files) == 0 || !strings.HasPrefix(p.Files[0], o.folder) {
					continue
				}
				if p.Name == o.client || slices.ContainsFunc(o.names, func(name string) bool { return matches(name, p.Name) }) {
					evidence = append(evidence, "package: "+p.PURL+" in "+p.Files[0])
					client = client || p.Name == o.client
				}
			}
			if len(evidence) > before {
				users = append(users, fs...)
			}
		}
		if len(evidence) == 0 {
			found(posture.Result{Outcome: lamina.Pass, Resource: arn, Detail: "it brings neither an SDK nor a runtime client that functions would use"})
			continue
		}
		r := byOwner(in, arn, lamina.Medium, lamina.Medium, lamina.High)
		what := "the AWS SDK"
		if client {
			r.Severity, what = lamina.High, "the runtime's client, which sees every event"
		}
		r.Detail = "in " + posture.Count(len(users), "function") + " it takes the place of " + what + "; " + r.Detail
		r.Evidence = append(evidence[:min(len(evidence), 5)], posture.Functions(users)...)
		found(r)
	}
}

// matches reports whether the name is the pattern, which may end in a star.
func matches(pattern, name string) bool {
	start, star := strings.CutSuffix(pattern, "*")
	return name == pattern || star && strings.HasPrefix(name, start)
}
