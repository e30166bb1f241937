package awsfake

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
)

// versionRoutes are the paths of published versions and of aliases.
func versionRoutes(handle router) {
	const versions = "/2015-03-31/functions/{name}/versions"
	handle("POST "+versions, http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[PublishVersionInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName = r.PathValue("name")
		return s.publishVersion(in)
	})
	handle("GET "+versions, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		q := r.URL.Query()
		return s.listVersions(r.PathValue("name"), q.Get("Marker"), number(q.Get("MaxItems")))
	})
	const aliases = "/2015-03-31/functions/{name}/aliases"
	handle("POST "+aliases, http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[AliasInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName = r.PathValue("name")
		return s.createAlias(in)
	})
	handle("GET "+aliases, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		q := r.URL.Query()
		return s.listAliases(r.PathValue("name"), q.Get("FunctionVersion"), q.Get("Marker"), number(q.Get("MaxItems")))
	})
	handle("GET "+aliases+"/{alias}", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getAlias(r.PathValue("name"), r.PathValue("alias"))
	})
	handle("PUT "+aliases+"/{alias}", http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[AliasInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName, in.Name = r.PathValue("name"), r.PathValue("alias")
		return s.updateAlias(in)
	})
	handle("DELETE "+aliases+"/{alias}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteAlias(r.PathValue("name"), r.PathValue("alias"))
	})
}

// PublishVersionInput are the parameters of PublishVersion.
type PublishVersionInput struct {
	FunctionName            string `json:"-"`
	Description, CodeSha256 string
	RevisionID              string `json:"RevisionId"`
}

// PublishVersion publishes $LATEST and returns the version's number: that of
// the last version when nothing has changed since (API reference, PublishVersion).
func (s Session) PublishVersion(in PublishVersionInput) (string, error) {
	out, err := s.publishVersion(in)
	return out.text("Version"), err
}

func (s Session) publishVersion(in PublishVersionInput) (object, error) {
	params := object{{name: "FunctionName", value: in.FunctionName}}.optional("Description", in.Description).
		optional("CodeSha256", in.CodeSha256).optional("RevisionId", in.RevisionID)
	return s.do("PublishVersion", s.functionResource(in.FunctionName, ""), params, func() (object, *Error) {
		fn, arn := s.function(in.FunctionName)
		switch {
		case fn == nil:
			return nil, noFunction(arn)
		case in.RevisionID != "" && in.RevisionID != fn.revision:
			return nil, stale()
		case in.CodeSha256 != "" && in.CodeSha256 != fn.code:
			return nil, invalid("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", in.CodeSha256, fn.code)
		}
		v := s.f.publish(fn, in.Description)
		return s.configuration(fn, &v.build, strconv.Itoa(v.number), active), nil
	})
}

// publish freezes $LATEST; the lock must be held.
func (f *Fake) publish(fn *function, description string) *publishedVersion {
	if n := len(fn.versions); n > 0 && fn.published == fn.revision {
		return &fn.versions[n-1]
	}
	v := publishedVersion{number: fn.next, build: fn.build}
	if description != "" {
		v.description = description
	}
	v.revision, fn.published = f.uuid(), fn.revision
	fn.next++ // numbers are never used again
	fn.versions = append(slices.Clip(fn.versions), v)
	return &fn.versions[len(fn.versions)-1]
}

func (s Session) listVersions(nameOrARN, marker string, limit int) (object, error) {
	params := append(object{{name: "FunctionName", value: nameOrARN}}, listParams(marker, limit)...)
	return s.do("ListVersionsByFunction", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		all := []listed{{fn, &fn.build, latest}}
		for i := range fn.versions {
			all = append(all, listed{fn, &fn.versions[i].build, strconv.Itoa(fn.versions[i].number)})
		}
		return s.pageOfBuilds("Versions", all, true, marker, limit)
	})
}

type alias struct {
	name, version, description, revision string
	weights                              map[string]float64 // by version
}

// AliasInput are the parameters of CreateAlias and UpdateAlias.
type AliasInput struct {
	FunctionName                       string `json:"-"`
	Name, FunctionVersion, Description string
	RoutingConfig                      *RoutingConfig
	RevisionID                         string `json:"RevisionId"`
}

// A RoutingConfig sends a share of an alias's calls to a second version.
type RoutingConfig struct{ AdditionalVersionWeights map[string]float64 }

func (in AliasInput) params() object {
	o := object{{name: "FunctionName", value: in.FunctionName}, {name: "Name", value: in.Name}}.
		optional("FunctionVersion", in.FunctionVersion).optional("Description", in.Description)
	if in.RoutingConfig != nil {
		o = append(o, routing(in.RoutingConfig.AdditionalVersionWeights))
	}
	return o.optional("RevisionId", in.RevisionID)
}

func routing(weights map[string]float64) member {
	var o object
	for _, v := range slices.Sorted(maps.Keys(weights)) {
		o = append(o, member{name: v, value: weights[v]})
	}
	return member{name: "RoutingConfig", value: object{{name: "AdditionalVersionWeights", value: o}}}
}

func (a *alias) describe(fn *function) object {
	o := object{
		{name: "AliasArn", value: fn.arn + ":" + a.name},
		{name: "Name", value: a.name},
		{name: "FunctionVersion", value: a.version},
		{name: "Description", value: a.description},
	}
	if len(a.weights) > 0 {
		o = append(o, routing(a.weights))
	}
	return append(o, member{name: "RevisionId", value: a.revision})
}

var allDigits = regexp.MustCompile(`^\d+$`)

// CreateAlias makes an alias and returns its ARN.
func (s Session) CreateAlias(in AliasInput) (string, error) {
	out, err := s.createAlias(in)
	return out.text("AliasArn"), err
}

func (s Session) createAlias(in AliasInput) (object, error) {
	return s.do("CreateAlias", s.functionResource(in.FunctionName, ""), in.params(), func() (object, *Error) {
		fn, arn := s.function(in.FunctionName)
		switch {
		case fn == nil:
			return nil, noFunction(arn)
		case !word(in.Name, 128) || allDigits.MatchString(in.Name):
			return nil, invalid("alias name %q is not valid", in.Name)
		case fn.alias(in.Name) != nil:
			return nil, conflict("Alias already exists: %s:%s", arn, in.Name)
		}
		a := &alias{name: in.Name}
		if err := s.setAlias(fn, a, in); err != nil {
			return nil, err
		}
		fn.aliases = append(fn.aliases, a)
		return a.describe(fn), nil
	})
}

// setAlias changes what the input names; the lock must be held.
func (s Session) setAlias(fn *function, a *alias, in AliasInput) *Error {
	versions := []string{}
	if in.FunctionVersion != "" || a.version == "" {
		versions = append(versions, in.FunctionVersion)
	}
	if in.RoutingConfig != nil {
		versions = append(versions, slices.Sorted(maps.Keys(in.RoutingConfig.AdditionalVersionWeights))...)
	}
	for _, v := range versions {
		if _, b, number, arn := s.qualified(fn.arn, v); b == nil || number != v {
			return noFunction(arn)
		}
	}
	if in.FunctionVersion != "" {
		a.version = in.FunctionVersion
	}
	if in.Description != "" {
		a.description = in.Description
	}
	if in.RoutingConfig != nil {
		a.weights = in.RoutingConfig.AdditionalVersionWeights
	}
	a.revision = s.f.uuid()
	return nil
}

func (fn *function) alias(name string) *alias {
	for _, a := range fn.aliases {
		if a.name == name {
			return a
		}
	}
	return nil
}

// UpdateAlias changes an alias and returns its new revision.
func (s Session) UpdateAlias(in AliasInput) (revision string, err error) {
	out, err := s.updateAlias(in)
	return out.text("RevisionId"), err
}

func (s Session) updateAlias(in AliasInput) (object, error) {
	return s.do("UpdateAlias", s.functionResource(in.FunctionName, in.Name), in.params(), func() (object, *Error) {
		fn, a, err := s.aliasOf(in.FunctionName, in.Name)
		switch {
		case err != nil:
			return nil, err
		case in.RevisionID != "" && in.RevisionID != a.revision:
			return nil, stale()
		}
		if err := s.setAlias(fn, a, in); err != nil {
			return nil, err
		}
		return a.describe(fn), nil
	})
}

func (s Session) aliasOf(nameOrARN, name string) (*function, *alias, *Error) {
	fn, arn := s.function(nameOrARN)
	if fn == nil {
		return nil, nil, noFunction(arn)
	}
	a := fn.alias(name)
	if a == nil {
		return nil, nil, notFound("Cannot find alias arn: %s:%s", arn, name)
	}
	return fn, a, nil
}

func (s Session) getAlias(nameOrARN, name string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}, {name: "Name", value: name}}
	return s.do("GetAlias", s.functionResource(nameOrARN, name), params, func() (object, *Error) {
		fn, a, err := s.aliasOf(nameOrARN, name)
		if err != nil {
			return nil, err
		}
		return a.describe(fn), nil
	})
}

// DeleteAlias deletes an alias. That it does not exist is no error.
func (s Session) DeleteAlias(nameOrARN, name string) error {
	params := object{{name: "FunctionName", value: nameOrARN}, {name: "Name", value: name}}
	_, err := s.do("DeleteAlias", s.functionResource(nameOrARN, name), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		fn.aliases = slices.DeleteFunc(slices.Clone(fn.aliases), func(a *alias) bool { return a.name == name })
		return nil, nil
	})
	return err
}

func (s Session) listAliases(nameOrARN, version, marker string, limit int) (object, error) {
	params := append(object{{name: "FunctionName", value: nameOrARN}}.optional("FunctionVersion", version), listParams(marker, limit)...)
	return s.do("ListAliases", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		var all []object
		for _, a := range fn.aliases {
			if version == "" || a.version == version {
				all = append(all, a.describe(fn))
			}
		}
		return page("Aliases", all, marker, limit)
	})
}
