package collect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// findings reads what the services that are on say of functions and layers, and
// counts what became of each finding.
func (d *reader) findings(ctx context.Context) {
	on := map[string]bool{}
	for _, s := range d.part.Services {
		service, _, _ := strings.Cut(s.Feature, ":")
		on[service] = on[service] || s.Enabled
	}
	if d.answered("inspector2:BatchGetAccountStatus") {
		d.begin("inspector2:ListFindings")
	}
	if on["inspector2"] {
		fs, err := d.client.InspectorFindings(ctx, d.account)
		d.note("inspector2:ListFindings", "", err)
		d.keep(lamina.FindingCount{Service: "inspector2"}, fs)
	}
	d.dutyFindings(ctx)
	if d.answered("securityhub:DescribeHub") {
		d.begin("securityhub:GetFindings")
	}
	if on["securityhub"] {
		fs, closed, err := d.client.HubFindings(ctx, d.account)
		d.note("securityhub:GetFindings", "", err)
		d.keep(lamina.FindingCount{Service: "securityhub", Listed: closed, Closed: closed}, fs)
	}
}

func (d *reader) dutyFindings(ctx context.Context) {
	if d.detector == "" {
		if d.answered("guardduty:ListDetectors") { // there is none
			d.begin("guardduty:ListFindings", "guardduty:GetFindings")
		}
		return
	}
	ids, err := d.client.DutyFindingIDs(ctx, d.account, d.detector)
	if d.note("guardduty:ListFindings", "", err) {
		d.begin("guardduty:GetFindings")
	}
	if len(ids) > 0 {
		fs, err := d.client.DutyFindings(ctx, d.account, d.detector, ids)
		d.note("guardduty:GetFindings", "", err)
		d.keep(lamina.FindingCount{Service: "guardduty"}, fs)
	}
}

// copied are the products whose findings Security Hub repeats and that are read
// themselves, and the action that does.
var copied = map[string]string{
	"aws/inspector": "inspector2:ListFindings", "aws/guardduty": "guardduty:GetFindings", "aws/access-analyzer": "access-analyzer:ListFindings",
}

// keep keeps the findings of a service but for those of functions that load no
// layer, and of Security Hub those that are in another service's list, or were Lamina's
// own.
func (d *reader) keep(n lamina.FindingCount, fs []lamina.ServiceFinding) {
	loading := loaders(d.part.Functions)
	known := map[string]bool{}
	for _, f := range d.part.Functions {
		known[f.ARN] = true
	}
	// What is not known to load nothing is kept, functions that are not listed too.
	layerless := func(arn string) bool { return known[arn] && loading[unqualified(arn)] == nil }
	for _, f := range fs {
		action, twice := copied[f.Product]
		n.Listed++
		switch {
		case len(f.Resources) == 0:
			n.Unnamed++
		case twice && d.answered(action), f.Product == "lamina":
			n.Copies++
		case !slices.ContainsFunc(f.Resources, func(arn string) bool { return !layerless(arn) }):
			n.Layerless++
		default:
			n.Kept++
			d.part.ServiceFindings = append(d.part.ServiceFindings, f)
		}
	}
	if n.Listed > 0 {
		n.Account, n.Region = d.account, d.region
		d.part.FindingCounts = append(d.part.FindingCounts, n)
	}
}

// unqualified is the ARN of the function that the ARN, of it or of a version, names.
func unqualified(arn string) string {
	if p := strings.Split(arn, ":"); len(p) > 7 { // arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION
		return strings.Join(p[:7], ":")
	}
	return arn
}

// unusedPermissions reads which permissions the roles of functions with layers do
// not use, as the analyzers of unused access say. One may be about all accounts of
// the organisation, so that it is asked when all functions are known.
func (r *run) unusedPermissions(ctx context.Context) {
	roles := map[string]bool{}
	for _, p := range r.parts {
		for _, f := range p.Functions {
			if len(f.Layers) > 0 {
				roles[f.Role] = true
			}
		}
	}
	if len(roles) == 0 {
		return
	}
	for i, p := range r.parts {
		for _, a := range p.Analyzers {
			j := slices.IndexFunc(r.Accounts, func(x Account) bool { return x.ID == a.Account })
			if j < 0 || a.Status != "ACTIVE" || !strings.HasSuffix(a.Type, "_UNUSED_ACCESS") || ctx.Err() != nil {
				continue
			}
			d := r.reader(r.Accounts[j], a.Region)
			d.unused(ctx, a.ARN, roles)
			read, gaps := d.target()
			r.parts[i].AccessFindings = slices.Concat(r.parts[i].AccessFindings, d.part.AccessFindings)
			r.parts[i].Targets = amend(p.Targets, read, gaps)
			p = r.parts[i]
		}
	}
}

// unused reads which permissions the roles do not use, as the analyzer says.
func (d *reader) unused(ctx context.Context, analyzer string, roles map[string]bool) {
	fs, err := d.client.UnusedPermissions(ctx, analyzer)
	if d.note("access-analyzer:ListFindings", analyzer, err) {
		d.begin("access-analyzer:GetFinding")
	}
	fs = slices.DeleteFunc(fs, func(f lamina.AccessFinding) bool { return !roles[f.Resource] })
	d.run.expect(len(fs))
	for _, f := range fs {
		if ctx.Err() != nil {
			return
		}
		d.note("access-analyzer:GetFinding", f.Resource, d.client.UnusedBy(ctx, &f))
		d.part.AccessFindings = append(d.part.AccessFindings, f)
		d.run.did(1)
	}
}

// amend returns the targets, one of a region, with what else was read of it and what
// was not.
func amend(targets []lamina.Target, read []string, gaps []lamina.Gap) []lamina.Target {
	out := slices.Clone(targets)
	for i, t := range out {
		t.Gaps = slices.Clone(t.Gaps)
		gapped := func(action string) bool {
			return slices.ContainsFunc(t.Gaps, func(g lamina.Gap) bool { return g.Action == action })
		}
		for _, g := range gaps {
			same := slices.ContainsFunc(t.Gaps, func(o lamina.Gap) bool {
				return o.Action == g.Action && o.Reason == g.Reason && o.Denied == g.Denied && len(o.Resources) == 0
			})
			if !same {
				t.Gaps = append(t.Gaps, g)
			}
		}
		for _, action := range read {
			if !slices.Contains(t.Read, action) {
				t.Read = append(slices.Clip(t.Read), action)
			}
		}
		t.Read = slices.DeleteFunc(slices.Clone(t.Read), gapped)
		slices.Sort(t.Read)
		slices.SortFunc(t.Gaps, func(a, b lamina.Gap) int {
			return cmp.Or(strings.Compare(a.Action, b.Action), strings.Compare(a.Reason, b.Reason))
		})
		out[i] = t
	}
	return out
}
