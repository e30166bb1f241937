package awsfake

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// endpointRoutes are the paths of what calls a function, of its tags and its
// concurrency, and of the account's settings.
func endpointRoutes(handle router) {
	const url, mappings = "/2021-10-31/functions/{name}/url", "/2015-03-31/event-source-mappings"
	handle("POST "+url, http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[FunctionURLInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName, in.Qualifier = r.PathValue("name"), r.URL.Query().Get("Qualifier")
		return s.createURL(in)
	})
	handle("GET "+url, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getURL(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
	handle("DELETE "+url, http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteFunctionURLConfig(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
	handle("GET "+url+"s", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.listURLs(r.PathValue("name"), r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
	})
	for _, list := range []string{mappings, mappings + "/{$}"} {
		handle("POST "+list, http.StatusAccepted, func(s Session, _ *http.Request, body []byte) (object, error) {
			in, err := decode[EventSourceMappingInput](body)
			if err != nil {
				return nil, err
			}
			return s.createMapping(in)
		})
		handle("GET "+list, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
			q := r.URL.Query()
			return s.listMappings(q.Get("FunctionName"), q.Get("EventSourceArn"), q.Get("Marker"), number(q.Get("MaxItems")))
		})
	}
	handle("GET /2017-03-31/tags/{arn}", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.listTags(r.PathValue("arn"))
	})
	for _, path := range []string{"/2016-08-19/account-settings", "/2016-08-19/account-settings/{$}"} {
		handle("GET "+path, http.StatusOK, func(s Session, _ *http.Request, _ []byte) (object, error) { return s.accountSettings() })
	}
	handle("PUT /2017-10-31/functions/{name}/concurrency", http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[struct{ ReservedConcurrentExecutions int }](body)
		if err != nil {
			return nil, err
		}
		return s.putConcurrency(r.PathValue("name"), in.ReservedConcurrentExecutions)
	})
	handle("GET /2019-09-30/functions/{name}/concurrency", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getConcurrency(r.PathValue("name"))
	})
	const provisioned = "/2019-09-30/functions/{name}/provisioned-concurrency"
	handle("PUT "+provisioned, http.StatusAccepted, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[struct{ ProvisionedConcurrentExecutions int }](body)
		if err != nil {
			return nil, err
		}
		return nil, s.PutProvisionedConcurrency(r.PathValue("name"), r.URL.Query().Get("Qualifier"), in.ProvisionedConcurrentExecutions)
	})
	handle("GET "+provisioned, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.listProvisioned(r.PathValue("name"), r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
	})
	handle("GET /2021-07-20/functions/{name}/runtime-management-config", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.runtimeManagement(r.PathValue("name"), r.URL.Query().Get("Qualifier"))
	})
}

type functionURL struct {
	url, auth, mode, arn, created string
	origins                       []string
}

// FunctionURLInput are the parameters of CreateFunctionUrlConfig that are kept.
type FunctionURLInput struct {
	FunctionName string `json:"-"`
	Qualifier    string `json:"-"` // an alias, or "" for $LATEST
	AuthType     string // "NONE" or "AWS_IAM"
	InvokeMode   string // "BUFFERED" when ""
	Cors         struct{ AllowOrigins []string }
}

// CreateFunctionURLConfig gives a function or an alias a URL and returns it.
func (s Session) CreateFunctionURLConfig(in FunctionURLInput) (string, error) {
	out, err := s.createURL(in)
	return out.text("FunctionUrl"), err
}

func (u *functionURL) describe() object {
	o := object{
		{name: "FunctionUrl", value: u.url},
		{name: "FunctionArn", value: u.arn},
		{name: "AuthType", value: u.auth},
		{name: "CreationTime", value: u.created},
		{name: "LastModifiedTime", value: u.created},
		{name: "InvokeMode", value: u.mode},
	}
	if u.origins != nil {
		o = append(o, member{name: "Cors", value: object{{name: "AllowOrigins", value: u.origins}}})
	}
	return o
}

func (s Session) createURL(in FunctionURLInput) (object, error) {
	params := object{{name: "FunctionName", value: in.FunctionName}}.optional("Qualifier", in.Qualifier).
		optional("AuthType", in.AuthType).optional("InvokeMode", in.InvokeMode)
	return s.do("CreateFunctionUrlConfig", s.functionResource(in.FunctionName, in.Qualifier), params, func() (object, *Error) {
		fn, b, _, arn := s.qualified(in.FunctionName, in.Qualifier)
		q := s.policyKey(in.FunctionName, in.Qualifier)
		switch {
		case b == nil:
			return nil, noFunction(arn)
		case in.AuthType != "NONE" && in.AuthType != "AWS_IAM":
			return nil, invalid("auth type %q is neither NONE nor AWS_IAM", in.AuthType)
		case q != "" && fn.alias(q) == nil:
			return nil, invalid("a version has no URL, only $LATEST and aliases do")
		case fn.urls[q] != nil:
			return nil, conflict("FunctionUrlConfig exists for this Lambda function")
		}
		u := &functionURL{arn: arn, auth: in.AuthType, mode: "BUFFERED", origins: in.Cors.AllowOrigins, created: s.f.now.Format("2006-01-02T15:04:05.000000Z")}
		if in.InvokeMode != "" {
			u.mode = in.InvokeMode
		}
		u.url = fmt.Sprintf("https://%s.lambda-url.%s.on.aws/", strings.ReplaceAll(s.f.uuid(), "-", ""), s.region)
		fn.urls[q] = u
		return u.describe(), nil
	})
}

func (s Session) getURL(nameOrARN, qualifier string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	return s.do("GetFunctionUrlConfig", s.functionResource(nameOrARN, qualifier), params, func() (object, *Error) {
		fn, _, _, arn := s.qualified(nameOrARN, qualifier)
		if fn == nil {
			return nil, noFunction(arn)
		}
		u := fn.urls[s.policyKey(nameOrARN, qualifier)]
		if u == nil {
			return nil, notFound("The resource you requested does not exist.")
		}
		return u.describe(), nil
	})
}

// DeleteFunctionURLConfig takes the URL away.
func (s Session) DeleteFunctionURLConfig(nameOrARN, qualifier string) error {
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	_, err := s.do("DeleteFunctionUrlConfig", s.functionResource(nameOrARN, qualifier), params, func() (object, *Error) {
		fn, _, _, arn := s.qualified(nameOrARN, qualifier)
		if fn == nil {
			return nil, noFunction(arn)
		}
		delete(fn.urls, s.policyKey(nameOrARN, qualifier))
		return nil, nil
	})
	return err
}

func (s Session) listURLs(nameOrARN, marker string, limit int) (object, error) {
	params := append(object{{name: "FunctionName", value: nameOrARN}}, listParams(marker, limit)...)
	return s.do("ListFunctionUrlConfigs", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		var all []object
		for _, q := range slices.Sorted(maps.Keys(fn.urls)) {
			all = append(all, fn.urls[q].describe())
		}
		return page("FunctionUrlConfigs", all, marker, limit)
	})
}

type mapping struct {
	uuid, arn, function, source, state string
	batch                              int
	modified                           int64 // Unix
}

// EventSourceMappingInput are the parameters of CreateEventSourceMapping that
// are kept.
type EventSourceMappingInput struct {
	FunctionName, EventSourceArn string
	BatchSize                    int
	Enabled                      *bool
}

// CreateEventSourceMapping lets a queue or stream call a function; it returns
// the mapping's UUID.
func (s Session) CreateEventSourceMapping(in EventSourceMappingInput) (string, error) {
	out, err := s.createMapping(in)
	return out.text("UUID"), err
}

func (s Session) createMapping(in EventSourceMappingInput) (object, error) {
	params := object{{name: "FunctionName", value: in.FunctionName}}.optional("EventSourceArn", in.EventSourceArn).optional("BatchSize", in.BatchSize)
	return s.do("CreateEventSourceMapping", "*", params, func() (object, *Error) {
		_, b, _, arn := s.qualified(in.FunctionName, "")
		switch {
		case b == nil:
			return nil, noFunction(arn)
		case in.EventSourceArn == "":
			return nil, invalid("the event source is missing")
		}
		m := &mapping{uuid: s.f.uuid(), function: arn, source: in.EventSourceArn, state: "Enabled", batch: in.BatchSize, modified: s.f.now.Unix()}
		m.arn = fmt.Sprintf("arn:%s:lambda:%s:%s:event-source-mapping:%s", s.partition(), s.region, s.caller.Account, m.uuid)
		if in.Enabled != nil && !*in.Enabled {
			m.state = "Disabled"
		}
		p := place{s.caller.Account, s.region}
		s.f.mappings[p] = append(s.f.mappings[p], m)
		return m.describe(), nil
	})
}

func (m *mapping) describe() object {
	return object{
		{name: "UUID", value: m.uuid},
		{name: "EventSourceMappingArn", value: m.arn},
		{name: "EventSourceArn", value: m.source},
		{name: "FunctionArn", value: m.function},
		{name: "State", value: m.state},
		{name: "StateTransitionReason", value: "USER_INITIATED"},
		{name: "LastModified", value: m.modified},
	}.optional("BatchSize", m.batch)
}

// mappingsMax is how many mappings AWS returns at most (API reference,
// ListEventSourceMappings).
const mappingsMax = 100

func (s Session) listMappings(function, source, marker string, limit int) (object, error) {
	params := append(object{}.optional("FunctionName", function).optional("EventSourceArn", source), listParams(marker, limit)...)
	return s.do("ListEventSourceMappings", "*", params, func() (object, *Error) {
		p := place{s.caller.Account, s.region}
		var all []*mapping
		for _, m := range s.f.mappings[p] {
			if (function == "" || m.function == s.functionResource(function, "")) && (source == "" || m.source == source) {
				all = append(all, m)
			}
		}
		return paged("EventSourceMappings", all, (*mapping).describe, marker, limit, mappingsMax)
	})
}

// listTags knows the tags of functions. Layers have none (spec posture F10).
func (s Session) listTags(arn string) (object, error) {
	return s.do("ListTags", arn, object{{name: "Resource", value: arn}}, func() (object, *Error) {
		if a, err := lamina.ParseARN(arn); err != nil || strings.HasPrefix(a.Resource, "layer:") {
			return nil, invalid("%q is not the ARN of something that has tags", arn)
		}
		tags := dict{}
		if fn, _ := s.function(arn); fn != nil {
			tags = fn.tags
		} else if s.signingConfig(arn) == nil {
			return nil, notFound("The resource you requested does not exist: %s", arn)
		}
		if tags == nil {
			tags = dict{}
		}
		return object{{name: "Tags", value: tags}}, nil
	})
}

// accountSettings has the default quotas (spec posture F1, F2).
func (s Session) accountSettings() (object, error) {
	return s.do("GetAccountSettings", "*", object{}, func() (object, *Error) {
		p := place{s.caller.Account, s.region}
		size, reserved := 0, 0
		for _, name := range s.f.funcNames[p] {
			fn := s.f.functions[funcKey{p, name}]
			size += len(fn.zip)
			for _, v := range fn.versions {
				size += len(v.zip)
			}
			if fn.reserved != nil {
				reserved += *fn.reserved
			}
		}
		for _, name := range s.f.names[p] {
			for _, v := range s.f.layers[layerKey{p, name}].versions {
				if !v.deleted && v.source == (objectKey{}) {
					size += len(v.code)
				}
			}
		}
		return object{
			{name: "AccountLimit", value: object{
				{name: "TotalCodeSize", value: int64(300 << 30)},
				{name: "CodeSizeUnzipped", value: 250 << 20},
				{name: "CodeSizeZipped", value: 50 << 20},
				{name: "ConcurrentExecutions", value: 1000},
				{name: "UnreservedConcurrentExecutions", value: 1000 - reserved},
			}},
			{name: "AccountUsage", value: object{{name: "TotalCodeSize", value: size}, {name: "FunctionCount", value: len(s.f.funcNames[p])}}},
		}, nil
	})
}

// PutFunctionConcurrency reserves concurrency; 0 stops a function.
func (s Session) PutFunctionConcurrency(nameOrARN string, reserved int) error {
	_, err := s.putConcurrency(nameOrARN, reserved)
	return err
}

func (s Session) putConcurrency(nameOrARN string, reserved int) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}, {name: "ReservedConcurrentExecutions", value: reserved}}
	return s.do("PutFunctionConcurrency", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		fn.reserved = &reserved
		return object{{name: "ReservedConcurrentExecutions", value: reserved}}, nil
	})
}

func (s Session) getConcurrency(nameOrARN string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}}
	return s.do("GetFunctionConcurrency", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		switch {
		case fn == nil:
			return nil, noFunction(arn)
		case fn.reserved == nil:
			return object{}, nil
		}
		return object{{name: "ReservedConcurrentExecutions", value: *fn.reserved}}, nil
	})
}

func (s Session) runtimeManagement(nameOrARN, qualifier string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}}.optional("Qualifier", qualifier)
	return s.do("GetRuntimeManagementConfig", s.functionResource(nameOrARN, qualifier), params, func() (object, *Error) {
		_, b, _, arn := s.qualified(nameOrARN, qualifier)
		if b == nil {
			return nil, noFunction(arn)
		}
		return object{{name: "UpdateRuntimeOn", value: "Auto"}, {name: "FunctionArn", value: arn}}, nil
	})
}

// PutProvisionedConcurrency keeps so many instances of a published version, or of
// an alias of one, initialised.
func (s Session) PutProvisionedConcurrency(nameOrARN, qualifier string, instances int) error {
	params := object{{name: "FunctionName", value: nameOrARN}, {name: "Qualifier", value: qualifier}, {name: "ProvisionedConcurrentExecutions", value: instances}}
	_, err := s.do("PutProvisionedConcurrencyConfig", s.functionResource(nameOrARN, qualifier), params, func() (object, *Error) {
		fn, b, version, arn := s.qualified(nameOrARN, qualifier)
		switch {
		case b == nil:
			return nil, noFunction(arn)
		case qualifier == "" || version == latest:
			return nil, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
		case instances < 1:
			return nil, invalid("%d instances are too few", instances)
		}
		if fn.provisioned == nil {
			fn.provisioned = map[string]int{}
		}
		fn.provisioned[qualifier] = instances
		return nil, nil
	})
	return err
}

func (s Session) listProvisioned(nameOrARN, marker string, limit int) (object, error) {
	params := append(object{{name: "FunctionName", value: nameOrARN}}, listParams(marker, limit)...)
	return s.do("ListProvisionedConcurrencyConfigs", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		var all []object
		for _, q := range slices.Sorted(maps.Keys(fn.provisioned)) {
			all = append(all, object{
				{name: "FunctionArn", value: fn.arn + ":" + q},
				{name: "RequestedProvisionedConcurrentExecutions", value: fn.provisioned[q]},
				{name: "Status", value: "READY"},
			})
		}
		return page("ProvisionedConcurrencyConfigs", all, marker, limit)
	})
}
