package awsfake

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// signingRoutes are the paths of code signing.
func signingRoutes(handle router) {
	const configs, of = "/2020-04-22/code-signing-configs", "/2020-06-30/functions/{name}/code-signing-config"
	for _, list := range []string{configs, configs + "/{$}"} {
		handle("POST "+list, http.StatusCreated, func(s Session, _ *http.Request, body []byte) (object, error) {
			in, err := decode[CodeSigningConfigInput](body)
			if err != nil {
				return nil, err
			}
			return s.createSigningConfig(in)
		})
		handle("GET "+list, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
			return s.listSigningConfigs(r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
		})
	}
	handle("GET "+configs+"/{arn}", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getSigningConfig(r.PathValue("arn"))
	})
	handle("PUT "+configs+"/{arn}", http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[CodeSigningConfigInput](body)
		if err != nil {
			return nil, err
		}
		return s.updateSigningConfig(r.PathValue("arn"), in)
	})
	handle("DELETE "+configs+"/{arn}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteCodeSigningConfig(r.PathValue("arn"))
	})
	handle("GET "+configs+"/{arn}/functions", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.listSignedFunctions(r.PathValue("arn"), r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
	})
	handle("GET "+of, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.functionSigning(r.PathValue("name"))
	})
	handle("PUT "+of, http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[struct{ CodeSigningConfigArn string }](body)
		if err != nil {
			return nil, err
		}
		return s.putFunctionSigning(r.PathValue("name"), in.CodeSigningConfigArn)
	})
	handle("DELETE "+of, http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteFunctionCodeSigningConfig(r.PathValue("name"))
	})
}

type signingConfig struct {
	arn, id, description, policy string
	profiles                     []string
	modified                     string
}

// CodeSigningConfigInput are the parameters of CreateCodeSigningConfig and
// UpdateCodeSigningConfig.
type CodeSigningConfigInput struct {
	Description       string
	AllowedPublishers struct{ SigningProfileVersionArns []string }
	// UntrustedArtifactOnDeployment is "Warn", which "" is too, or "Enforce".
	CodeSigningPolicies struct{ UntrustedArtifactOnDeployment string }
}

func (in CodeSigningConfigInput) params() object {
	o := object{}.optional("Description", in.Description)
	if p := in.AllowedPublishers.SigningProfileVersionArns; p != nil {
		o = append(o, member{name: "AllowedPublishers", value: object{{name: "SigningProfileVersionArns", value: p}}})
	}
	if p := in.CodeSigningPolicies.UntrustedArtifactOnDeployment; p != "" {
		o = append(o, member{name: "CodeSigningPolicies", value: object{{name: "UntrustedArtifactOnDeployment", value: p}}})
	}
	return o
}

func (c *signingConfig) describe() object {
	return object{
		{name: "CodeSigningConfigId", value: c.id},
		{name: "CodeSigningConfigArn", value: c.arn},
		{name: "Description", value: c.description},
		{name: "AllowedPublishers", value: object{{name: "SigningProfileVersionArns", value: c.profiles}}},
		{name: "CodeSigningPolicies", value: object{{name: "UntrustedArtifactOnDeployment", value: c.policy}}},
		{name: "LastModified", value: c.modified},
	}
}

func (c *signingConfig) set(in CodeSigningConfigInput, s Session) *Error {
	p := in.CodeSigningPolicies.UntrustedArtifactOnDeployment
	if p != "" && p != "Warn" && p != "Enforce" {
		return invalid("code signing policy %q is neither Warn nor Enforce", p)
	}
	if p != "" {
		c.policy = p
	}
	if a := in.AllowedPublishers.SigningProfileVersionArns; a != nil {
		c.profiles = a
	}
	if in.Description != "" {
		c.description = in.Description
	}
	c.modified = s.f.now.Format("2006-01-02T15:04:05.000000Z")
	return nil
}

// CreateCodeSigningConfig makes a configuration and returns its ARN.
func (s Session) CreateCodeSigningConfig(in CodeSigningConfigInput) (string, error) {
	out, err := s.createSigningConfig(in)
	if err != nil {
		return "", err
	}
	config, _ := out[0].value.(object) // it is the answer's only member
	return config.text("CodeSigningConfigArn"), nil
}

func (s Session) createSigningConfig(in CodeSigningConfigInput) (object, error) {
	return s.do("CreateCodeSigningConfig", "*", in.params(), func() (object, *Error) {
		if len(in.AllowedPublishers.SigningProfileVersionArns) == 0 {
			return nil, invalid("allowed publishers are missing")
		}
		id := "csc-0" + strings.ReplaceAll(s.f.uuid(), "-", "")[:16]
		c := &signingConfig{
			id: id, policy: "Warn",
			arn: fmt.Sprintf("arn:%s:lambda:%s:%s:code-signing-config:%s", s.partition(), s.region, s.caller.Account, id),
		}
		if err := c.set(in, s); err != nil {
			return nil, err
		}
		p := place{s.caller.Account, s.region}
		s.f.signing[p] = append(s.f.signing[p], c)
		return object{{name: "CodeSigningConfig", value: c.describe()}}, nil
	})
}

// signingConfig finds a configuration of the caller's; the lock must be held.
func (s Session) signingConfig(arn string) *signingConfig {
	for _, c := range s.f.signing[place{s.caller.Account, s.region}] {
		if c.arn == arn {
			return c
		}
	}
	return nil
}

func noSigningConfig(arn string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "CodeSigningConfigNotFoundException", Message: "The code signing configuration cannot be found: " + arn}
}

func (s Session) getSigningConfig(arn string) (object, error) {
	return s.do("GetCodeSigningConfig", arn, object{{name: "CodeSigningConfigArn", value: arn}}, func() (object, *Error) {
		c := s.signingConfig(arn)
		if c == nil {
			return nil, notFound("The code signing configuration cannot be found: %s", arn)
		}
		return object{{name: "CodeSigningConfig", value: c.describe()}}, nil
	})
}

// UpdateCodeSigningConfig changes what the input names.
func (s Session) UpdateCodeSigningConfig(arn string, in CodeSigningConfigInput) error {
	_, err := s.updateSigningConfig(arn, in)
	return err
}

func (s Session) updateSigningConfig(arn string, in CodeSigningConfigInput) (object, error) {
	params := append(object{{name: "CodeSigningConfigArn", value: arn}}, in.params()...)
	return s.do("UpdateCodeSigningConfig", arn, params, func() (object, *Error) {
		c := s.signingConfig(arn)
		if c == nil {
			return nil, notFound("The code signing configuration cannot be found: %s", arn)
		}
		if err := c.set(in, s); err != nil {
			return nil, err
		}
		return object{{name: "CodeSigningConfig", value: c.describe()}}, nil
	})
}

// DeleteCodeSigningConfig deletes a configuration that no function uses.
func (s Session) DeleteCodeSigningConfig(arn string) error {
	_, err := s.do("DeleteCodeSigningConfig", arn, object{{name: "CodeSigningConfigArn", value: arn}}, func() (object, *Error) {
		p := place{s.caller.Account, s.region}
		switch {
		case s.signingConfig(arn) == nil:
			return nil, notFound("The code signing configuration cannot be found: %s", arn)
		case len(s.signedFunctions(arn)) > 0:
			return nil, conflict("The code signing configuration %s is in use by a function.", arn)
		}
		s.f.signing[p] = slices.DeleteFunc(s.f.signing[p], func(c *signingConfig) bool { return c.arn == arn })
		return nil, nil
	})
	return err
}

func (s Session) listSigningConfigs(marker string, limit int) (object, error) {
	return s.do("ListCodeSigningConfigs", "*", listParams(marker, limit), func() (object, *Error) {
		return paged("CodeSigningConfigs", s.f.signing[place{s.caller.Account, s.region}], (*signingConfig).describe, marker, limit, pageMax)
	})
}

// signedFunctions are the ARNs of the functions with the configuration.
func (s Session) signedFunctions(arn string) []string {
	p := place{s.caller.Account, s.region}
	var arns []string
	for _, name := range s.f.funcNames[p] {
		if fn := s.f.functions[funcKey{p, name}]; fn.signing == arn {
			arns = append(arns, fn.arn)
		}
	}
	return arns
}

func (s Session) listSignedFunctions(arn, marker string, limit int) (object, error) {
	params := append(object{{name: "CodeSigningConfigArn", value: arn}}, listParams(marker, limit)...)
	return s.do("ListFunctionsByCodeSigningConfig", arn, params, func() (object, *Error) {
		if s.signingConfig(arn) == nil {
			return nil, notFound("The code signing configuration cannot be found: %s", arn)
		}
		all := s.signedFunctions(arn)
		start, end, next, ok := window(len(all), marker, limit, pageMax)
		if !ok {
			return nil, invalid("marker %q is not valid", marker)
		}
		return object{{name: "FunctionArns", value: append([]string{}, all[start:end]...)}}.optional("NextMarker", next), nil
	})
}

// PutFunctionCodeSigningConfig attaches a configuration to a function. What is
// deployed already is not looked at (spec posture F13).
func (s Session) PutFunctionCodeSigningConfig(nameOrARN, arn string) error {
	_, err := s.putFunctionSigning(nameOrARN, arn)
	return err
}

func (s Session) putFunctionSigning(nameOrARN, config string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}, {name: "CodeSigningConfigArn", value: config}}
	return s.do("PutFunctionCodeSigningConfig", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		switch {
		case fn == nil:
			return nil, noFunction(arn)
		case s.signingConfig(config) == nil:
			return nil, noSigningConfig(config)
		case fn.image != "":
			return nil, invalid("code signing is not for functions of the package type Image")
		}
		fn.signing = config
		return object{{name: "CodeSigningConfigArn", value: config}, {name: "FunctionName", value: fn.name}}, nil
	})
}

// functionSigning answers without a configuration when the function has none
// (derived).
func (s Session) functionSigning(nameOrARN string) (object, error) {
	params := object{{name: "FunctionName", value: nameOrARN}}
	return s.do("GetFunctionCodeSigningConfig", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		return object{}.optional("CodeSigningConfigArn", fn.signing).optional("FunctionName", fn.name), nil
	})
}

// DeleteFunctionCodeSigningConfig takes the configuration off a function.
func (s Session) DeleteFunctionCodeSigningConfig(nameOrARN string) error {
	params := object{{name: "FunctionName", value: nameOrARN}}
	_, err := s.do("DeleteFunctionCodeSigningConfig", s.functionResource(nameOrARN, ""), params, func() (object, *Error) {
		fn, arn := s.function(nameOrARN)
		if fn == nil {
			return nil, noFunction(arn)
		}
		fn.signing = ""
		return nil, nil
	})
	return err
}

// verified checks what is deployed to a function that has a configuration which
// enforces: each layer, and the code when it is new, must be signed by an allowed
// profile, and neither revoked nor expired (spec posture F13). A configuration
// that warns lets everything pass. The lock must be held.
func (s Session) verified(fn *function, b *build, code bool) *Error {
	c := s.signingConfig(fn.signing)
	if c == nil || c.policy != "Enforce" {
		return nil
	}
	type artifact struct {
		name string
		signature
	}
	var deployed []artifact
	if code {
		deployed = append(deployed, artifact{"function " + fn.name, b.signature})
	}
	for _, l := range b.layers {
		deployed = append(deployed, artifact{"layer " + l.arn, l.signature})
	}
	for _, g := range deployed {
		if g.profile == "" || !slices.Contains(c.profiles, g.profile) || s.f.revoked(g.signature) || !g.expires.IsZero() && s.f.now.After(g.expires) {
			return &Error{Status: http.StatusBadRequest, Code: "CodeVerificationFailedException", Message: "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for " + g.name + "."}
		}
	}
	return nil
}
