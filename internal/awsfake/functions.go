package awsfake

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

type funcKey struct {
	place
	name string
}

type function struct {
	arn, name, role, runtime, handler, description string
	timeout, memory                                int
	layers                                         []*layerVersion
	modified                                       time.Time
	revision                                       string
	code                                           string // the digest the API shows
}

// CreateFunctionInput are the parameters of CreateFunction that are kept.
type CreateFunctionInput struct {
	FunctionName, Role, Runtime, Handler, Description string
	Timeout, MemorySize                               int
	Layers                                            []string
	Code                                              struct{ S3Bucket, S3Key string }
}

var functionName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)

// CreateFunction makes a function; its code is not kept. It returns the ARN.
func (s Session) CreateFunction(in CreateFunctionInput) (string, error) {
	out, err := s.create(in)
	return out.text("FunctionArn"), err
}

func (s Session) create(in CreateFunctionInput) (object, error) {
	params := object{
		{name: "FunctionName", value: in.FunctionName},
		{name: "Runtime", value: in.Runtime},
		{name: "Role", value: in.Role},
		{name: "Handler", value: in.Handler},
		{name: "Code", value: object{}.optional("S3Bucket", in.Code.S3Bucket).optional("S3Key", in.Code.S3Key)},
	}.optional("Description", in.Description).optional("Timeout", in.Timeout).optional("MemorySize", in.MemorySize)
	params = append(params, member{name: "Publish", value: false}, member{name: "Environment", value: object{}})
	params = params.optional("Layers", in.Layers)
	arn := s.functionARN(in.FunctionName)
	return s.do("CreateFunction", arn, params, func() (object, *Error) {
		k := funcKey{place{s.caller.Account, s.region}, in.FunctionName}
		switch {
		case !functionName.MatchString(in.FunctionName):
			return nil, invalid("function name %q is not valid", in.FunctionName)
		case in.Role == "" || in.Runtime == "" || in.Handler == "":
			return nil, invalid("role, runtime and handler are required")
		case s.f.functions[k] != nil:
			return nil, conflict("Function already exist: %s", in.FunctionName)
		}
		layers, err := s.attachable(in.Layers)
		if err != nil {
			return nil, err
		}
		fn := &function{
			arn: arn, name: in.FunctionName, role: in.Role, runtime: in.Runtime, handler: in.Handler, description: in.Description,
			timeout: max(in.Timeout, 3), memory: max(in.MemorySize, 128), layers: layers,
			modified: s.f.now, revision: s.f.uuid(), code: digest([]byte(in.Code.S3Bucket + "/" + in.Code.S3Key + "/" + arn)),
		}
		s.f.functions[k] = fn
		s.f.funcNames[k.place] = append(s.f.funcNames[k.place], fn.name)
		return s.configuration(fn, "Pending", ""), nil
	})
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

// configuration is a FunctionConfiguration. Environment is left out of the
// trail's contents.
func (s Session) configuration(fn *function, state, status string) object {
	o := object{
		{name: "FunctionName", value: fn.name},
		{name: "FunctionArn", value: fn.arn},
		{name: "Runtime", value: fn.runtime},
		{name: "Role", value: fn.role},
		{name: "Handler", value: fn.handler},
		{name: "CodeSize", value: 4096},
		{name: "Description", value: fn.description},
		{name: "Timeout", value: fn.timeout},
		{name: "MemorySize", value: fn.memory},
		{name: "LastModified", value: fn.modified.Format("2006-01-02T15:04:05.000+0000")},
		{name: "CodeSha256", value: fn.code},
		{name: "Version", value: "$LATEST"},
		{name: "Environment", value: object{}, trail: true},
		{name: "TracingConfig", value: object{{name: "Mode", value: "PassThrough"}}},
		{name: "RevisionId", value: fn.revision},
	}
	if len(fn.layers) > 0 {
		layers := make([]object, 0, len(fn.layers))
		for _, l := range fn.layers {
			layers = append(layers, object{
				{name: "Arn", value: l.arn},
				{name: "CodeSize", value: len(l.code)},
				{name: "UncompressedCodeSize", value: l.uncompressed, trail: true},
			})
		}
		o = append(o, member{name: "Layers", value: layers})
	}
	o = append(o, member{name: "State", value: state})
	if status != "" {
		o = append(o, member{name: "LastUpdateStatus", value: status})
	}
	return append(o,
		member{name: "PackageType", value: "Zip"},
		member{name: "Architectures", value: []string{"x86_64"}},
		member{name: "EphemeralStorage", value: object{{name: "Size", value: 512}}},
		member{name: "SnapStart", value: object{{name: "ApplyOn", value: "None"}, {name: "OptimizationStatus", value: "Off"}}},
		member{name: "LoggingConfig", value: object{{name: "LogFormat", value: "Text"}, {name: "LogGroup", value: "/aws/lambda/" + fn.name}}})
}

func (s Session) function(nameOrARN string) (*function, string) {
	name := nameOrARN
	if a, err := lamina.ParseARN(nameOrARN); err == nil {
		if a.Account != s.caller.Account || a.Region != s.region {
			return nil, nameOrARN
		}
		name = strings.TrimPrefix(a.Resource, "function:")
	}
	return s.f.functions[funcKey{place{s.caller.Account, s.region}, name}], s.functionARN(name)
}

// UpdateFunctionConfigurationInput are the parameters of
// UpdateFunctionConfiguration that are kept. Layers nil leaves the list alone;
// an empty one empties it.
type UpdateFunctionConfigurationInput struct {
	FunctionName         string `json:"-"`
	Description, Handler string
	Timeout, MemorySize  int
	Layers               []string
	RevisionID           string `json:"RevisionId"`
}

// UpdateFunctionConfiguration changes a function and returns its new revision.
func (s Session) UpdateFunctionConfiguration(in UpdateFunctionConfigurationInput) (revision string, err error) {
	out, err := s.update(in)
	return out.text("RevisionId"), err
}

func (s Session) update(in UpdateFunctionConfigurationInput) (object, error) {
	params := object{{name: "FunctionName", value: in.FunctionName}}.
		optional("Description", in.Description).optional("Handler", in.Handler).
		optional("Timeout", in.Timeout).optional("MemorySize", in.MemorySize)
	params = append(params, member{name: "Environment", value: object{}})
	params = params.optional("Layers", in.Layers).optional("RevisionId", in.RevisionID)
	_, arn := s.function(in.FunctionName)
	return s.do("UpdateFunctionConfiguration", arn, params, func() (object, *Error) {
		fn, arn := s.function(in.FunctionName)
		switch {
		case fn == nil:
			return nil, notFound("Function not found: %s", arn)
		case in.RevisionID != "" && in.RevisionID != fn.revision:
			return nil, stale()
		}
		if in.Layers != nil {
			layers, err := s.attachable(in.Layers)
			if err != nil {
				return nil, err
			}
			fn.layers = layers
		}
		if in.Description != "" {
			fn.description = in.Description
		}
		if in.Handler != "" {
			fn.handler = in.Handler
		}
		fn.timeout, fn.memory = max(in.Timeout, fn.timeout), max(in.MemorySize, fn.memory)
		fn.modified, fn.revision = s.f.now, s.f.uuid()
		return s.configuration(fn, "Active", "InProgress"), nil
	})
}

func (s Session) getConfiguration(nameOrARN string) (object, error) {
	_, arn := s.function(nameOrARN)
	return s.do("GetFunctionConfiguration", arn, object{{name: "FunctionName", value: nameOrARN}}, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, notFound("Function not found: %s", arn)
		}
		return s.configuration(fn, "Active", "Successful"), nil
	})
}

func (s Session) listFunctions(marker string, limit int) (object, error) {
	return s.do("ListFunctions", "*", listParams(marker, limit), func() (object, *Error) {
		p := place{s.caller.Account, s.region}
		var all []object
		for _, name := range s.f.funcNames[p] {
			all = append(all, s.configuration(s.f.functions[funcKey{p, name}], "Active", "Successful"))
		}
		return page("Functions", all, marker, limit)
	})
}

// DeleteFunction deletes a function.
func (s Session) DeleteFunction(nameOrARN string) error {
	_, arn := s.function(nameOrARN)
	_, err := s.do("DeleteFunction", arn, object{{name: "FunctionName", value: nameOrARN}}, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, notFound("Function not found: %s", arn)
		}
		k := funcKey{place{s.caller.Account, s.region}, fn.name}
		delete(s.f.functions, k)
		s.f.funcNames[k.place] = slices.DeleteFunc(s.f.funcNames[k.place], func(n string) bool { return n == fn.name })
		return nil, nil
	})
	return err
}
