package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/posture"
)

// functions looks into the own packages of functions whose zip is kept, each
// together with the layers that the function loads, and adds what that shows to out.
// Functions that run the same in the same settings are judged once.
func (k look) functions(ctx context.Context, e *estate.Estate, out *inside) error {
	groups := map[string][]lamina.Function{}
	for _, f := range e.Snapshot.Functions {
		if f.CodeSHA256 != "" && f.PackageType != "Image" {
			key := strings.Join([]string{f.CodeSHA256, f.Runtime, f.Handler, fmt.Sprint(f.Architectures, f.Layers, f.Environment, f.EnvironmentError)}, " ")
			groups[key] = append(groups[key], f)
		}
	}
	out.code = map[string]posture.Content{}
	keys := slices.Sorted(maps.Keys(groups))
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	next := make(chan string)
	for range min(max(k.jobs, 1), len(keys)) {
		wg.Go(func() {
			for key := range next {
				code, layers, skipped, err := k.function(ctx, e, groups[key][0])
				mu.Lock()
				errs = append(errs, err)
				for _, f := range groups[key] {
					if code == nil {
						continue
					}
					out.code[f.ARN] = posture.Content{Findings: attributed(f, code, layers, out.contents)}
					for _, s := range skipped {
						s.File = f.ARN + strings.TrimPrefix(s.File, ownPackage)
						out.skipped[f.ARN] = append(out.skipped[f.ARN], s)
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, key := range keys {
		if ctx.Err() != nil {
			break
		}
		next <- key
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

// function judges a function's own package, and its layers as it loads them when
// all of their zips are kept. own is nil when the package is not kept.
func (k look) function(ctx context.Context, e *estate.Estate, f lamina.Function) (own, ofLayers []lamina.Finding, skipped []lamina.Skipped, err error) {
	code, err := k.open(ctx, ownPackage, f.CodeSHA256)
	if code == nil || err != nil {
		return nil, nil, nil, err
	}
	scan := &content.Scan{
		Function:   &content.Function{Code: code, Handler: f.Handler, Runtime: f.Runtime},
		Advisories: k.known.Advisories, VEX: k.known.VEX, Hashes: k.known.Hashes, Now: k.known.Now, Fingerprints: k.known.Fingerprints,
	}
	if len(f.Architectures) == 1 {
		scan.Function.Architecture = f.Architectures[0]
	}
	if f.EnvironmentError == "" {
		scan.Function.Env = map[string]string{} // that there are none is known
		maps.Copy(scan.Function.Env, f.Environment)
	}
	for _, arn := range f.Layers {
		v, _ := e.Layer(arn)
		var l *content.Layer
		if v.CodeSHA256 != "" {
			if l, err = k.open(ctx, arn, v.CodeSHA256); err != nil {
				return nil, nil, nil, err
			}
		}
		if l == nil { // what is in /opt is not known: only the package itself can be judged
			scan.Layers = nil
			break
		}
		scan.Layers = append(scan.Layers, l)
	}
	own = []lamina.Finding{}
	for _, found := range k.judge(scan) {
		if found.Resource == ownPackage {
			own = append(own, found)
		} else {
			ofLayers = append(ofLayers, found)
		}
	}
	return own, ofLayers, code.Skipped, nil
}

// ownPackage stands for the function in findings that are not a function's yet.
const ownPackage = "the function's own package"

// attributed are the findings as those of the function: all about its own package,
// and of those about its layers what is wrong or unknown and does not show in the
// layer alone.
func attributed(f lamina.Function, own, ofLayers []lamina.Finding, alone map[string]posture.Content) []lamina.Finding {
	type answer struct {
		id      string
		outcome lamina.Outcome
	}
	shown := map[answer]bool{}
	for _, arn := range f.Layers {
		for _, x := range alone[arn].Findings {
			shown[answer{x.ID, x.Outcome}] = true
		}
	}
	var out []lamina.Finding
	for _, x := range own {
		x.ID, x.Resource = lamina.ID("F", x.Check, f.ARN, x.ID), f.ARN
		out = append(out, x)
	}
	for _, x := range ofLayers {
		if x.Outcome != lamina.Fail && x.Outcome != lamina.Unknown || shown[answer{x.ID, x.Outcome}] {
			continue
		}
		layer := x.Resource
		x.ID, x.Resource = lamina.ID("F", x.Check, f.ARN, x.ID), f.ARN
		x.Detail = strings.TrimSuffix("of "+layer+", as the function loads it: "+x.Detail, ": ")
		out = append(out, x)
	}
	return out
}
