package awsfake

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

type funcKey struct {
	place
	name string
}

// A function is what stays the same for all its versions, and $LATEST.
type function struct {
	arn, name string
	build
	versions    []publishedVersion // published, in order
	next        int                // the next version's number
	published   string             // the revision of $LATEST that was published last
	aliases     []*alias
	policies    map[string]*policy // by qualifier, "" for the function
	urls        map[string]*functionURL
	signing     string // the ARN of its code signing configuration
	tags        dict
	reserved    *int           // concurrency
	provisioned map[string]int // instances by qualifier
}

// A build is the configuration and code of $LATEST or of one version.
type build struct {
	role, runtime, handler, description string
	timeout, memory                     int
	layers                              []*layerVersion
	modified                            time.Time
	revision                            string
	code                                string // the digest the API shows
	zip                                 []byte
	signature                           signature
	environment                         dict
	image, key                          string
	architectures                       []string
	subnets, groups                     []string
}

// A publishedVersion is published and does not change any more.
type publishedVersion struct {
	number int
	build
}

// Code is where the code of a function comes from.
type Code struct {
	ZipFile                          []byte
	S3Bucket, S3Key, S3ObjectVersion string
	S3ObjectStorageMode              string
	ImageURI                         string `json:"ImageUri"`
}

// Variables are environment variables.
type Variables struct{ Variables map[string]string }

// VpcConfig is where a function's network interfaces are.
type VpcConfig struct {
	SubnetIDs        []string `json:"SubnetIds"`
	SecurityGroupIDs []string `json:"SecurityGroupIds"`
}

// CreateFunctionInput are the parameters of CreateFunction that are kept.
type CreateFunctionInput struct {
	FunctionName, Role, Runtime, Handler, Description string
	Timeout, MemorySize                               int
	Layers, Architectures                             []string
	Code                                              Code
	PackageType                                       string // "Zip" when ""
	KMSKeyArn                                         string
	CodeSigningConfigArn                              string
	Environment                                       Variables
	VpcConfig                                         VpcConfig
	Tags                                              map[string]string
	Publish                                           bool
}

// functionRoutes are the paths of functions.
func functionRoutes(handle router) {
	const functions = "/2015-03-31/functions"
	for _, list := range []string{functions, functions + "/{$}"} {
		handle("GET "+list, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
			q := r.URL.Query()
			return s.listFunctions(q.Get("FunctionVersion"), q.Get("Marker"), number(q.Get("MaxItems")))
		})
	}
	handle("POST "+functions, http.StatusCreated, func(s Session, _ *http.Request, body []byte) (object, error) {
		in, err := decode[CreateFunctionInput](body)
		if err != nil {
			return nil, err
		}
		return s.create(in)
	})
	handle("GET "+functions+"/{name}", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getFunction(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
	handle("GET "+functions+"/{name}/configuration", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getConfiguration(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
	handle("PUT "+functions+"/{name}/configuration", http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[UpdateFunctionConfigurationInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName = r.PathValue("name")
		return s.update(in)
	})
	handle("PUT "+functions+"/{name}/code", http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[UpdateFunctionCodeInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName = r.PathValue("name")
		return s.updateCode(in)
	})
	handle("DELETE "+functions+"/{name}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.deleteFunction(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
}

// CreateFunction makes a function and returns its ARN. Code that is given as an
// object of S3 is taken from there when PutObject made it; what is not there is
// not missed.
func (s Session) CreateFunction(in CreateFunctionInput) (string, error) {
	out, err := s.create(in)
	return out.text("FunctionArn"), err
}

func (c Code) params() object {
	return object{}.optional("S3Bucket", c.S3Bucket).optional("S3Key", c.S3Key).optional("ImageUri", c.ImageURI).optional("S3ObjectVersion", c.S3ObjectVersion)
}

func (v VpcConfig) params() object {
	if v.SubnetIDs == nil && v.SecurityGroupIDs == nil {
		return nil
	}
	return object{{name: "SubnetIds", value: v.SubnetIDs}, {name: "SecurityGroupIds", value: v.SecurityGroupIDs}}
}

func (s Session) create(in CreateFunctionInput) (object, error) {
	params := object{
		{name: "FunctionName", value: in.FunctionName},
		{name: "Runtime", value: in.Runtime},
		{name: "Role", value: in.Role},
		{name: "Handler", value: in.Handler},
		{name: "Code", value: in.Code.params()},
	}.optional("Description", in.Description).optional("Timeout", in.Timeout).optional("MemorySize", in.MemorySize)
	params = append(params, member{name: "Publish", value: in.Publish}, member{name: "Environment", value: object{}})
	params = params.optional("Layers", in.Layers).optional("PackageType", in.PackageType).optional("Architectures", in.Architectures).
		optional("CodeSigningConfigArn", in.CodeSigningConfigArn).optional("KMSKeyArn", in.KMSKeyArn).
		optional("VpcConfig", in.VpcConfig.params()).optional("Tags", dict(in.Tags))
	arn := s.functionARN(in.FunctionName)
	return s.do("CreateFunction", arn, params, func() (object, *Error) {
		k := funcKey{place{s.caller.Account, s.region}, in.FunctionName}
		image := in.PackageType == "Image"
		switch {
		case !word(in.FunctionName, 64):
			return nil, invalid("function name %q is not valid", in.FunctionName)
		case in.Role == "" || !image && (in.Runtime == "" || in.Handler == ""):
			return nil, invalid("role, runtime and handler are required")
		case image && (in.Code.ImageURI == "" || in.Layers != nil || in.Runtime != "" || in.Handler != ""):
			return nil, invalid("a function of the package type Image has an image, and no runtime, handler and layers")
		case s.f.functions[k] != nil:
			return nil, conflict("Function already exist: %s", in.FunctionName)
		}
		if in.CodeSigningConfigArn != "" && s.signingConfig(in.CodeSigningConfigArn) == nil {
			return nil, noSigningConfig(in.CodeSigningConfigArn)
		}
		layers, err := s.attachable(in.Layers)
		if err != nil {
			return nil, err
		}
		fn := &function{
			arn: arn, name: in.FunctionName, next: 1, signing: in.CodeSigningConfigArn, tags: in.Tags,
			policies: map[string]*policy{}, urls: map[string]*functionURL{},
			build: build{
				role: in.Role, runtime: in.Runtime, handler: in.Handler, description: in.Description,
				timeout: max(in.Timeout, 3), memory: max(in.MemorySize, 128), layers: layers, modified: s.f.now,
				environment: in.Environment.Variables, key: in.KMSKeyArn, architectures: in.Architectures,
				subnets: in.VpcConfig.SubnetIDs, groups: in.VpcConfig.SecurityGroupIDs,
			},
		}
		s.f.code(&fn.build, in.Code, arn)
		if err := s.verified(fn, &fn.build, true); err != nil {
			return nil, err
		}
		fn.revision = s.f.uuid()
		s.f.functions[k] = fn
		s.f.funcNames[k.place] = append(s.f.funcNames[k.place], fn.name)
		b, number := &fn.build, latest
		if in.Publish {
			v := s.f.publish(fn, in.Description)
			b, number = &v.build, strconv.Itoa(v.number)
		}
		return s.configuration(fn, b, number, state{"Pending", ""}), nil
	})
}

// code sets the build's code; the lock must be held.
func (f *Fake) code(b *build, c Code, arn string) {
	b.zip, b.image, b.signature = c.ZipFile, c.ImageURI, signature{}
	if o, ok := f.objects[objectKey{c.S3Bucket, c.S3Key}]; ok {
		b.zip, b.signature = o.Data, signature{o.SigningProfileVersion, o.SigningJob, o.SignatureExpires}
	}
	if b.code = digest(b.zip); b.zip == nil {
		b.code = digest([]byte(c.S3Bucket + "/" + c.S3Key + "/" + arn))
	}
}

func (s Session) functionARN(name string) string {
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", s.partition(), s.region, s.caller.Account, name)
}

// attachable resolves a list of layer versions that a function is to have. Every
// entry is authorised anew, also one the function already has (spec posture F7
// and H3; the texts of the errors are derived).
func (s Session) attachable(arns []string) ([]*layerVersion, *Error) {
	if len(arns) > 5 {
		return nil, invalid("a function can have at most 5 layers, got %d", len(arns))
	}
	var vs []*layerVersion
	for _, arn := range arns {
		l, err := lamina.ParseLayerARN(arn)
		if err != nil || l.Version == 0 {
			return nil, invalid("layer %q is not the ARN of a layer version", arn)
		}
		v, _ := s.find(arn, 0)
		switch e := s.visible(v, arn); {
		case e != nil && e.Status == http.StatusNotFound:
			return nil, invalid("Layer version %s does not exist.", arn)
		case e != nil:
			return nil, e
		case l.ARN.Region != s.region:
			return nil, invalid("Layers are not in the same region as the function. Layers are expected to be in region %s.", s.region)
		case slices.ContainsFunc(vs, func(o *layerVersion) bool { return o.layerARN == v.layerARN }):
			return nil, invalid("Two different versions of the same layer are not allowed to be referenced in the same function. %s", arn)
		}
		vs = append(vs, v)
	}
	return vs, nil
}

// latest is the version of a function that is not published.
const latest = "$LATEST"

// A state is what a function does with what was asked of it. Lists leave it out
// (API reference, ListFunctions).
type state struct{ state, update string }

var active = state{"Active", "Successful"}

// configuration is a FunctionConfiguration. Environment is left out of the
// trail's contents.
func (s Session) configuration(fn *function, b *build, version string, st state) object {
	arn := fn.arn
	if version != latest {
		arn += ":" + version
	}
	o := object{
		{name: "FunctionName", value: fn.name},
		{name: "FunctionArn", value: arn},
	}
	kind := "Zip"
	if b.image != "" {
		kind = "Image"
		o = append(o, member{name: "Role", value: b.role})
	} else {
		o = append(o,
			member{name: "Runtime", value: b.runtime},
			member{name: "Role", value: b.role},
			member{name: "Handler", value: b.handler})
	}
	size := len(b.zip)
	if b.zip == nil && b.image == "" {
		size = 4096
	}
	o = append(o, object{
		{name: "CodeSize", value: size},
		{name: "Description", value: b.description},
		{name: "Timeout", value: b.timeout},
		{name: "MemorySize", value: b.memory},
		{name: "LastModified", value: b.modified.Format("2006-01-02T15:04:05.000+0000")},
		{name: "CodeSha256", value: b.code},
		{name: "Version", value: version},
		{name: "Environment", value: object{}, trail: true},
	}...)
	if b.environment != nil {
		o = append(o, member{name: "Environment", value: object{{name: "Variables", value: b.environment}}, hidden: true})
	}
	o = append(o,
		member{name: "TracingConfig", value: object{{name: "Mode", value: "PassThrough"}}},
		member{name: "RevisionId", value: b.revision})
	o = o.optional("KMSKeyArn", b.key)
	if vpc := (VpcConfig{b.subnets, b.groups}).params(); vpc != nil {
		o = append(o, member{name: "VpcConfig", value: append(vpc, member{name: "VpcId", value: s.f.vpcOf(b.subnets)})})
	}
	if len(b.layers) > 0 {
		layers := make([]object, 0, len(b.layers))
		for _, l := range b.layers {
			layers = append(layers, append(object{
				{name: "Arn", value: l.arn},
				{name: "CodeSize", value: len(l.code)},
				{name: "UncompressedCodeSize", value: l.uncompressed, trail: true},
			}, l.signature.members()...))
		}
		o = append(o, member{name: "Layers", value: layers})
	}
	o = append(o, b.signature.members()...)
	if st != (state{}) {
		o = append(o, member{name: "State", value: st.state}).optional("LastUpdateStatus", st.update)
	}
	architectures := b.architectures
	if architectures == nil {
		architectures = []string{"x86_64"}
	}
	return append(o,
		member{name: "PackageType", value: kind},
		member{name: "Architectures", value: architectures},
		member{name: "EphemeralStorage", value: object{{name: "Size", value: 512}}},
		member{name: "SnapStart", value: object{{name: "ApplyOn", value: "None"}, {name: "OptimizationStatus", value: "Off"}}},
		member{name: "LoggingConfig", value: object{{name: "LogFormat", value: "Text"}, {name: "LogGroup", value: "/aws/lambda/" + fn.name}}})
}

// split takes a name, a partial or a full ARN of a function apart. own says
// that it is one of the caller's in this region; arn has no qualifier.
func (s Session) split(nameOrARN string) (name, qualifier, arn string, own bool) {
	rest := nameOrARN
	own = true
	if a, err := lamina.ParseARN(nameOrARN); err == nil {
		own = a.Account == s.caller.Account && a.Region == s.region && strings.HasPrefix(a.Resource, "function:")
		rest = strings.TrimPrefix(a.Resource, "function:")
		name, qualifier, _ = strings.Cut(rest, ":")
		a.Resource = "function:" + name
		return name, qualifier, a.String(), own
	}
	if account, after, ok := strings.Cut(rest, ":function:"); ok {
		own = account == s.caller.Account
		rest = after
	}
	name, qualifier, _ = strings.Cut(rest, ":")
	return name, qualifier, s.functionARN(name), own
}

// functionResource is the ARN of what a name and a qualifier mean.
func (s Session) functionResource(nameOrARN, qualifier string) string {
	_, q, arn, _ := s.split(nameOrARN)
	if q = cmp.Or(qualifier, q); q != "" {
		arn += ":" + q
	}
	return arn
}

func (s Session) function(nameOrARN string) (*function, string) {
	name, _, arn, own := s.split(nameOrARN)
	if !own {
		return nil, arn
	}
	return s.f.functions[funcKey{place{s.caller.Account, s.region}, name}], arn
}

// qualified finds the build that a function's name and a qualifier mean, and its
// version. arn is what was asked for.
func (s Session) qualified(nameOrARN, qualifier string) (fn *function, b *build, version, arn string) {
	fn, _ = s.function(nameOrARN)
	arn = s.functionResource(nameOrARN, qualifier)
	if fn == nil {
		return nil, nil, "", arn
	}
	_, q, _, _ := s.split(nameOrARN)
	qualifier = cmp.Or(qualifier, q)
	for _, a := range fn.aliases {
		if a.name == qualifier {
			qualifier = a.version
		}
	}
	if qualifier == "" || qualifier == latest {
		return fn, &fn.build, latest, arn
	}
	for i := range fn.versions {
		if strconv.Itoa(fn.versions[i].number) == qualifier {
			return fn, &fn.versions[i].build, qualifier, arn
		}
	}
	return fn, nil, "", arn
}

func noFunction(arn string) *Error { return notFound("Function not found: %s", arn) }

// UpdateFunctionConfigurationInput are the parameters of
// UpdateFunctionConfiguration that are kept. Layers nil leaves the list alone;
// an empty one empties it. Environment replaces the whole map.
type UpdateFunctionConfigurationInput struct {
	FunctionName                        string `json:"-"`
	Description, Handler, Role, Runtime string
	Timeout, MemorySize                 int
	Layers                              []string
	KMSKeyArn                           string
	Environment                         *Variables
	VpcConfig                           *VpcConfig
	RevisionID                          string `json:"RevisionId"`
}

// UpdateFunctionConfiguration changes a function and returns its new revision.
func (s Session) UpdateFunctionConfiguration(in UpdateFunctionConfigurationInput) (revision string, err error) {
	out, err := s.update(in)
	return out.text("RevisionId"), err
}

func (s Session) update(in UpdateFunctionConfigurationInput) (object, error) {
	params := object{{name: "FunctionName", value: in.FunctionName}}.
		optional("Description", in.Description).optional("Handler", in.Handler).
		optional("Timeout", in.Timeout).optional("MemorySize", in.MemorySize).
		optional("Role", in.Role).optional("Runtime", in.Runtime).optional("KMSKeyArn", in.KMSKeyArn)
	params = append(params, member{name: "Environment", value: object{}})
	params = params.optional("Layers", in.Layers).optional("RevisionId", in.RevisionID)
	if in.VpcConfig != nil {
		params = append(params, member{name: "VpcConfig", value: in.VpcConfig.params()})
	}
	arn := s.functionResource(in.FunctionName, "")
	return s.do("UpdateFunctionConfiguration", arn, params, func() (object, *Error) {
		fn, arn := s.function(in.FunctionName)
		switch {
		case fn == nil:
			return nil, noFunction(arn)
		case in.RevisionID != "" && in.RevisionID != fn.revision:
			return nil, stale()
		case fn.image != "" && len(in.Layers) > 0:
			return nil, invalid("a function of the package type Image has no layers")
		}
		b := fn.build
		if in.Layers != nil {
			layers, err := s.attachable(in.Layers)
			if err != nil {
				return nil, err
			}
			b.layers = layers
			if err := s.verified(fn, &b, false); err != nil {
				return nil, err
			}
		}
		for _, change := range []struct {
			to   *string
			with string
		}{{&b.description, in.Description}, {&b.handler, in.Handler}, {&b.role, in.Role}, {&b.runtime, in.Runtime}, {&b.key, in.KMSKeyArn}} {
			if change.with != "" {
				*change.to = change.with
			}
		}
		if in.Environment != nil {
			b.environment = in.Environment.Variables
		}
		if in.VpcConfig != nil {
			b.subnets, b.groups = in.VpcConfig.SubnetIDs, in.VpcConfig.SecurityGroupIDs
		}
		b.timeout, b.memory = cmp.Or(in.Timeout, b.timeout), cmp.Or(in.MemorySize, b.memory)
		b.modified, b.revision = s.f.now, s.f.uuid()
		fn.build = b
		return s.configuration(fn, &fn.build, latest, state{"Active", "InProgress"}), nil
	})
}

// UpdateFunctionCodeInput are the parameters of UpdateFunctionCode that are kept.
type UpdateFunctionCodeInput struct {
	FunctionName string `json:"-"`
	Code
	Architectures []string
	Publish       bool
	RevisionID    string `json:"RevisionId"`
}

// UpdateFunctionCode changes a function's code and returns its new revision.
func (s Session) UpdateFunctionCode(in UpdateFunctionCodeInput) (revision string, err error) {
	out, err := s.updateCode(in)
	return out.text("RevisionId"), err
}

func (s Session) updateCode(in UpdateFunctionCodeInput) (object, error) {
	params := append(object{{name: "FunctionName", value: in.FunctionName}}, in.params()...)
	params = append(params, member{name: "Publish", value: in.Publish}, member{name: "DryRun", value: false}).optional("RevisionId", in.RevisionID)
	arn := s.functionResource(in.FunctionName, "")
	return s.do("UpdateFunctionCode", arn, params, func() (object, *Error) {
		fn, arn := s.function(in.FunctionName)
		switch {
		case fn == nil:
			return nil, noFunction(arn)
		case in.RevisionID != "" && in.RevisionID != fn.revision:
			return nil, stale()
		}
		b := fn.build
		s.f.code(&b, in.Code, arn)
		if err := s.verified(fn, &b, true); err != nil {
			return nil, err
		}
		if in.Architectures != nil {
			b.architectures = in.Architectures
		}
		b.modified, b.revision = s.f.now, s.f.uuid()
		fn.build = b
		if in.Publish {
			v := s.f.publish(fn, "")
			return s.configuration(fn, &v.build, strconv.Itoa(v.number), state{"Active", "InProgress"}), nil
		}
		return s.configuration(fn, &fn.build, latest, state{"Active", "InProgress"}), nil
	})
}

func (s Session) getConfiguration(nameOrARN, qualifier string) (object, error) {
	arn := s.functionResource(nameOrARN, qualifier)
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	return s.do("GetFunctionConfiguration", arn, params, func() (object, *Error) {
		fn, b, version, arn := s.qualified(nameOrARN, qualifier)
		if b == nil {
			return nil, noFunction(arn)
		}
		return s.configuration(fn, b, version, active), nil
	})
}

func (s Session) getFunction(nameOrARN, qualifier string) (object, error) {
	arn := s.functionResource(nameOrARN, qualifier)
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	return s.do("GetFunction", arn, params, func() (object, *Error) {
		fn, b, version, arn := s.qualified(nameOrARN, qualifier)
		if b == nil {
			return nil, noFunction(arn)
		}
		code := object{{name: "RepositoryType", value: "S3"}, {name: "Location", value: s.contentURL("tasks", fn.arn+":"+version)}}
		if b.image != "" {
			code = object{{name: "RepositoryType", value: "ECR"}, {name: "ImageUri", value: b.image}, {name: "ResolvedImageUri", value: b.image}}
		}
		o := object{{name: "Configuration", value: s.configuration(fn, b, version, active)}, {name: "Code", value: code}}
		if len(fn.tags) > 0 {
			o = append(o, member{name: "Tags", value: fn.tags})
		}
		if fn.reserved != nil {
			o = append(o, member{name: "Concurrency", value: object{{name: "ReservedConcurrentExecutions", value: *fn.reserved}}})
		}
		return o, nil
	})
}

func (s Session) listFunctions(versions, marker string, limit int) (object, error) {
	params := object{}.optional("FunctionVersion", versions)
	return s.do("ListFunctions", "*", append(params, listParams(marker, limit)...), func() (object, *Error) {
		if versions != "" && versions != "ALL" {
			return nil, invalid("function version %q is not ALL", versions)
		}
		p := place{s.caller.Account, s.region}
		var all []listed
		for _, name := range s.f.funcNames[p] {
			fn := s.f.functions[funcKey{p, name}]
			all = append(all, listed{fn, &fn.build, latest})
			for i := range fn.versions {
				if versions == "ALL" {
					all = append(all, listed{fn, &fn.versions[i].build, strconv.Itoa(fn.versions[i].number)})
				}
			}
		}
		return s.pageOfBuilds("Functions", all, versions == "ALL", marker, limit)
	})
}

// listed is one item of a list of functions or versions.
type listed struct {
	fn      *function
	build   *build
	version string
}

// pageOfBuilds is a page of a list of functions. Where versions are listed too,
// the ARN of $LATEST ends in it, as AWS's example of ListVersionsByFunction has it.
func (s Session) pageOfBuilds(name string, all []listed, versions bool, marker string, limit int) (object, *Error) {
	return paged(name, all, func(l listed) object {
		o := s.configuration(l.fn, l.build, l.version, state{})
		if versions && l.version == latest {
			o[1].value = l.fn.arn + ":" + latest
		}
		return o
	}, marker, limit, pageMax)
}

// DeleteFunction deletes a function with all its versions and aliases.
func (s Session) DeleteFunction(nameOrARN string) error { return s.deleteFunction(nameOrARN, "") }

func (s Session) deleteFunction(nameOrARN, qualifier string) error {
	arn := s.functionResource(nameOrARN, qualifier)
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	_, err := s.do("DeleteFunction", arn, params, func() (object, *Error) {
		fn, b, version, arn := s.qualified(nameOrARN, qualifier)
		if b == nil {
			return nil, noFunction(arn)
		}
		if version != latest {
			if slices.ContainsFunc(fn.aliases, func(a *alias) bool { return a.version == version }) {
				return nil, conflict("Version %s is in use by an alias and cannot be deleted.", arn)
			}
			fn.versions = slices.DeleteFunc(slices.Clone(fn.versions), func(v publishedVersion) bool { return strconv.Itoa(v.number) == version })
			return nil, nil
		}
		k := funcKey{place{s.caller.Account, s.region}, fn.name}
		delete(s.f.functions, k)
		s.f.funcNames[k.place] = slices.DeleteFunc(s.f.funcNames[k.place], func(n string) bool { return n == fn.name })
		return nil, nil
	})
	return err
}
