package collect

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
)

// only reads the layers and functions that were asked for: the versions of the
// layers with their policies and the functions that load them, and the functions
// with the layers they load. Of a version that was asked for, the others of its
// layer are listed and no more.
func (d *reader) only(ctx context.Context) {
	d.begin("lambda:ListLayers", "lambda:ListLayerVersions", "lambda:GetLayerVersion", "lambda:GetLayerVersionPolicy")
	var layers []lamina.LayerARN
	for _, arn := range d.run.Only {
		if l, err := lamina.ParseLayerARN(arn); err == nil && (l.ARN.Region == d.region || l.Legacy) {
			layers = append(layers, l)
		}
	}
	d.using(ctx, layers)
	done := map[string]bool{}
	read := func(arn string) {
		if !done[arn] && ctx.Err() == nil {
			done[arn] = true
			d.version(ctx, arn)
		}
	}
	for _, l := range layers {
		if l.Version > 0 {
			read(l.String())
		}
		if l.ARN.Account != d.account { // the versions of others cannot be listed
			continue
		}
		vs, err := d.versions(ctx, l.Unversioned())
		d.note("lambda:ListLayerVersions", l.Name, err)
		for _, v := range vs {
			if l.Version == 0 {
				read(v.ARN)
			} else if !done[v.ARN] { // whether there is a newer one
				done[v.ARN] = true
				d.part.Layers = append(d.part.Layers, v)
			}
		}
	}
	for _, f := range d.part.Functions {
		if d.wanted(f) {
			for _, arn := range f.Layers {
				read(arn)
			}
		}
	}
	d.signing(ctx)
	d.buckets(ctx)
}

// version reads a layer version: whole where it is this account's, and as it may
// be read from here where it is another's that is not read itself. One that was
// deleted is no gap: functions load it on.
func (d *reader) version(ctx context.Context, arn string) {
	l, err := lamina.ParseLayerARN(arn)
	switch {
	case err != nil:
	case l.ARN.Account == d.account:
		v, at, err := d.client.Locate(ctx, arn)
		if e, ok := errors.AsType[*awsread.Error](err); ok && e.Gone {
			return
		}
		if d.note("lambda:GetLayerVersion", arn, err) {
			d.zip(ctx, v, at)
		} else {
			v = lamina.LayerVersion{ARN: arn, Account: l.ARN.Account, Region: l.ARN.Region, Name: l.Name, Version: l.Version}
		}
		d.policy(ctx, &v)
		d.part.Layers = append(d.part.Layers, v)
	case !d.run.reads(l.ARN.Account):
		d.describe(ctx, arn)
	}
}

// using reads the functions that were asked for, and those that load the layers.
func (d *reader) using(ctx context.Context, layers []lamina.LayerARN) {
	fs, err := d.list(ctx)
	if d.note("lambda:ListFunctions", "", err) {
		d.beginFunctions()
	}
	keep := map[string]bool{} // whole functions
	for _, f := range fs {
		if d.wanted(f) || slices.ContainsFunc(layers, func(l lamina.LayerARN) bool { return loads(f, l) }) {
			keep[whole(f)] = true
		}
	}
	loading := loaders(fs)
	for _, f := range fs {
		if !keep[whole(f)] || ctx.Err() != nil {
			continue
		}
		if f.Version == "$LATEST" {
			d.details(ctx, &f, loading[f.ARN])
		}
		d.part.Functions = append(d.part.Functions, f)
	}
	d.code(ctx, d.part.Functions)
}

// wanted reports whether the function, or one it is a version of, was asked for.
func (d *reader) wanted(f lamina.Function) bool {
	return slices.Contains(d.run.Only, f.ARN) || slices.Contains(d.run.Only, whole(f))
}

// whole is the ARN of the function that f is a version of.
func whole(f lamina.Function) string { return strings.TrimSuffix(f.ARN, ":"+f.Version) }

// loads reports whether the function loads the layer, or a version of it.
func loads(f lamina.Function, l lamina.LayerARN) bool {
	return slices.ContainsFunc(f.Layers, func(arn string) bool {
		return arn == l.String() || l.Version == 0 && !l.Legacy && strings.HasPrefix(arn, l.Unversioned()+":")
	})
}
