package sample

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

// Play makes an AWS that an estate is a snapshot of: what it has of Lambda is
// made by calls, the rest is loaded. Code is that of Estate, so that digests are
// the same; revision ids, UUIDs, the ids of code signing configurations and times
// are AWS's own. The calls are forgotten: what is counted and recorded begins with
// whoever looks at it.
func Play(seed uint64, s lamina.Snapshot) (*awsfake.Fake, error) {
	p := &player{
		fake: awsfake.New(seed, Taken), snapshot: s, exists: map[string]lamina.LayerVersion{}, last: map[string]int{},
		open: map[string]bool{}, configs: map[string]string{}, published: map[string][]lamina.Function{},
	}
	p.fake.Load(s)
	p.fake.Load(copies(s))
	for _, step := range []func() error{p.layers, p.signing, p.functions, p.close} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	p.fake.Forget()
	return p.fake, nil
}

// copies are the findings of Inspector that Security Hub repeats where the snapshot
// counts some.
func copies(s lamina.Snapshot) (more lamina.Snapshot) {
	for _, c := range s.FindingCounts {
		for i := range c.Copies {
			more.ServiceFindings = append(more.ServiceFindings, lamina.ServiceFinding{
				ID: fmt.Sprintf("copy/%d", i), Account: c.Account, Region: c.Region, Service: c.Service, Product: "aws/inspector", Severity: "LOW", First: Taken, Last: Taken,
				Resources: []string{"arn:aws:lambda:" + c.Region + ":" + c.Account + ":function:copied"},
			})
		}
	}
	return more
}

type player struct {
	fake     *awsfake.Fake
	snapshot lamina.Snapshot
	exists   map[string]lamina.LayerVersion // by ARN
	last     map[string]int                 // the newest version that anything names, by layer ARN
	open     map[string]bool                // layer versions granted to everybody for as long as functions are made
	configs  map[string]string              // the snapshot's ARN of a code signing configuration → AWS's
	// published are the versions of functions, by the function's ARN.
	published map[string][]lamina.Function
}

func (p *player) as(account, region string) awsfake.Session {
	return p.fake.As(awsfake.Caller{Account: account, Role: "deploy", Session: "ci", SourceIP: "192.0.2.20", UserAgent: "sample"}, region)
}

// layers publishes every version up to the last one that is named: numbers have
// no gaps when they are made.
func (p *player) layers() error {
	named := []string{}
	for _, v := range p.snapshot.Layers {
		p.exists[v.ARN] = v
		named = append(named, v.ARN)
	}
	for _, f := range p.snapshot.Functions {
		named = append(named, f.Layers...)
		for _, arn := range f.Layers {
			if l, err := lamina.ParseLayerARN(arn); err == nil && l.ARN.Account != f.Account {
				p.open[arn] = true
			}
		}
	}
	for _, arn := range named {
		l, err := lamina.ParseLayerARN(arn)
		if err != nil {
			return err
		}
		p.last[l.Unversioned()] = max(p.last[l.Unversioned()], l.Version)
	}
	for _, layer := range slices.Sorted(maps.Keys(p.last)) {
		for n := 1; n <= p.last[layer]; n++ {
			if err := p.publish(layer + ":" + strconv.Itoa(n)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) publish(arn string) error {
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return err
	}
	v := p.exists[arn]
	in := awsfake.PublishLayerVersionInput{
		LayerName: l.Name, Description: v.Description, LicenseInfo: v.LicenseInfo,
		CompatibleRuntimes: v.CompatibleRuntimes, CompatibleArchitectures: v.CompatibleArchitectures,
	}
	switch {
	case v.Reference != nil || v.SigningJobARN != "":
		in.Content.S3Bucket, in.Content.S3Key = "acme-builds", arn
		if v.Reference != nil {
			in.Content.S3Bucket, in.Content.S3Key, in.Content.S3ObjectVersion = v.Reference.Bucket, v.Reference.Key, v.Reference.VersionID
			in.Content.S3ObjectStorageMode = "REFERENCE"
		}
		p.fake.PutObject(in.Content.S3Bucket, in.Content.S3Key, awsfake.Object{
			Data: layerCode(arn), SigningProfileVersion: v.SigningProfileVersionARN, SigningJob: v.SigningJobARN,
		})
	default:
		in.Content.ZipFile = layerCode(arn)
	}
	s := p.as(l.ARN.Account, l.ARN.Region)
	if _, err := s.PublishLayerVersion(in); err != nil {
		return fmt.Errorf("%s: %w", arn, err)
	}
	if p.open[arn] {
		return p.grant(s, l, lamina.Grant{StatementID: "for-now", Action: "lambda:GetLayerVersion", Principal: "*"})
	}
	return nil
}

func (p *player) grant(s awsfake.Session, l lamina.LayerARN, g lamina.Grant) error {
	_, err := s.AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
		LayerName: l.Name, VersionNumber: l.Version, StatementID: g.StatementID, Action: g.Action, Principal: g.Principal, OrganizationID: g.OrganizationID,
	})
	return err
}

func (p *player) signing() error {
	for _, c := range p.snapshot.CodeSigningConfigs {
		var in awsfake.CodeSigningConfigInput
		in.AllowedPublishers.SigningProfileVersionArns = c.AllowedPublishers
		in.CodeSigningPolicies.UntrustedArtifactOnDeployment = c.UntrustedArtifact
		arn, err := p.as(c.Account, c.Region).CreateCodeSigningConfig(in)
		if err != nil {
			return fmt.Errorf("%s: %w", c.ARN, err)
		}
		p.configs[c.ARN] = arn
	}
	return nil
}

func (p *player) functions() error {
	for _, f := range p.snapshot.Functions {
		if f.Version != "$LATEST" {
			latest := f.ARN[:len(f.ARN)-len(f.Version)-1]
			p.published[latest] = append(p.published[latest], f)
		}
	}
	for _, f := range p.snapshot.Functions {
		if f.Version == "$LATEST" {
			if err := p.function(f); err != nil {
				return fmt.Errorf("%s: %w", f.ARN, err)
			}
		}
	}
	return nil
}

// function makes a function as its oldest version was, publishes one version
// after the other, and what belongs to it.
func (p *player) function(f lamina.Function) error {
	s := p.as(f.Account, f.Region)
	builds := p.published[f.ARN]
	slices.SortFunc(builds, func(a, b lamina.Function) int {
		return cmp.Or(cmp.Compare(len(a.Version), len(b.Version)), cmp.Compare(a.Version, b.Version))
	})
	builds = append(builds, f)
	in := awsfake.CreateFunctionInput{
		FunctionName: f.Name, Role: f.Role, Runtime: f.Runtime, Handler: f.Handler, Layers: builds[0].Layers, Architectures: f.Architectures,
		PackageType: f.PackageType, KMSKeyArn: f.KMSKeyARN, Tags: f.Tags, Environment: awsfake.Variables{Variables: f.Environment},
		VpcConfig: awsfake.VpcConfig{SubnetIDs: f.Subnets, SecurityGroupIDs: f.SecurityGroups},
		Code:      awsfake.Code{ZipFile: functionCode(f.ARN)},
	}
	if f.PackageType == "Image" {
		in.Code.ImageURI = f.Account + ".dkr.ecr." + f.Region + ".amazonaws.com/app:1"
	}
	if _, err := s.CreateFunction(in); err != nil {
		return err
	}
	for i, b := range builds {
		if i > 0 {
			change := awsfake.UpdateFunctionConfigurationInput{FunctionName: f.Name, Layers: b.Layers}
			if b.Layers == nil && f.PackageType != "Image" {
				change.Layers = []string{}
			}
			if _, err := s.UpdateFunctionConfiguration(change); err != nil {
				return err
			}
		}
		if i < len(builds)-1 {
			if n, err := s.PublishVersion(awsfake.PublishVersionInput{FunctionName: f.Name}); err != nil || n != b.Version {
				return errors.Join(err, fmt.Errorf("version %s was published as %q", b.Version, n))
			}
		}
	}
	return p.around(s, f)
}

// around makes what belongs to a function as a whole.
func (p *player) around(s awsfake.Session, f lamina.Function) error {
	for _, a := range f.Aliases {
		in := awsfake.AliasInput{FunctionName: f.Name, Name: a.Name, FunctionVersion: a.Version}
		if a.Weights != nil {
			in.RoutingConfig = &awsfake.RoutingConfig{AdditionalVersionWeights: a.Weights}
		}
		if _, err := s.CreateAlias(in); err != nil {
			return err
		}
	}
	qualified := func(qualifier string) string {
		if qualifier == "" {
			return f.ARN
		}
		return f.ARN + ":" + qualifier
	}
	for _, policy := range f.Policies {
		if _, err := s.PutResourcePolicy(qualified(policy.Qualifier), policy.Document, ""); err != nil {
			return err
		}
	}
	for _, x := range f.Provisioned {
		if err := s.PutProvisionedConcurrency(f.Name, x.Qualifier, x.Instances); err != nil {
			return err
		}
	}
	for _, u := range f.URLs {
		if _, err := s.CreateFunctionURLConfig(awsfake.FunctionURLInput{FunctionName: f.Name, Qualifier: u.Qualifier, AuthType: u.AuthType}); err != nil {
			return err
		}
	}
	for _, m := range f.EventSources {
		enabled := m.State == "Enabled"
		if _, err := s.CreateEventSourceMapping(awsfake.EventSourceMappingInput{FunctionName: qualified(m.Qualifier), EventSourceArn: m.SourceARN, Enabled: &enabled}); err != nil {
			return err
		}
	}
	if f.CodeSigningConfigARN != "" {
		return s.PutFunctionCodeSigningConfig(f.Name, p.configs[f.CodeSigningConfigARN])
	}
	return nil
}

// close takes back what was open for a while, deletes what does not exist, and
// grants what is granted.
func (p *player) close() error {
	ours := map[string]bool{}
	for _, a := range p.snapshot.Accounts {
		ours[a.ID] = true
	}
	for _, layer := range slices.Sorted(maps.Keys(p.last)) {
		for n := 1; n <= p.last[layer]; n++ {
			arn := layer + ":" + strconv.Itoa(n)
			l, err := lamina.ParseLayerARN(arn)
			if err != nil {
				return err
			}
			s := p.as(l.ARN.Account, l.ARN.Region)
			v, exists := p.exists[arn]
			if p.open[arn] && (ours[l.ARN.Account] || !exists) { // a publisher's stays open
				if err := s.RemoveLayerVersionPermission(l.Name, n, "for-now", ""); err != nil {
					return err
				}
			}
			if !exists && ours[l.ARN.Account] {
				if err := s.DeleteLayerVersion(l.Name, n); err != nil {
					return err
				}
			}
			if v.Policy != nil {
				for _, g := range v.Policy.Grants {
					if err := p.grant(s, l, g); err != nil {
						return fmt.Errorf("%s: %w", arn, err)
					}
				}
			}
		}
	}
	return nil
}
