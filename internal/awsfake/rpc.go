package awsfake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An input is what a call was given, by the API's names: what JSON or CBOR held,
// parameters of a path, or a form whose lists and structures are flattened
// ("Filter.1.Name").
type input map[string]any

func (in input) text(name string) string {
	switch v := in[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func (in input) number(name string) int { return number(in.text(name)) }

// flag is a boolean, or otherwise when the caller did not set it.
func (in input) flag(name string, otherwise bool) bool {
	switch in.text(name) {
	case "true":
		return true
	case "false":
		return false
	}
	return otherwise
}

// list is a list of strings.
func (in input) list(name string) []string {
	var all []string
	items, _ := in[name].([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	for i := 1; ; i++ {
		s := in.text(name + "." + strconv.Itoa(i))
		if s == "" {
			s = in.text(name + ".member." + strconv.Itoa(i))
		}
		if s == "" {
			return all
		}
		all = append(all, s)
	}
}

// object is a structure.
func (in input) object(name string) input {
	m, _ := in[name].(map[string]any)
	return m
}

// objects is a list of structures.
func (in input) objects(name string) []input {
	var all []input
	items, _ := in[name].([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// params is the input as the trail shows it, by name.
func (in input) params() object {
	o := object{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		switch v := in[name].(type) {
		case string, bool, float64:
			o = append(o, member{name: name, value: v})
		case []any:
			if all := in.list(name); all != nil {
				o = append(o, member{name: name, value: all})
			}
		case map[string]any:
			o = append(o, member{name: name, value: input(v).params()})
		}
	}
	return o
}

// An rpc is one operation of a service whose state is put in by Load. It runs
// under the lock.
type rpc struct {
	do func(s Session, in input) (object, *Error)
	// of names the parameter that holds the resource; "" is "*".
	of string
}

func (f *Fake) rpc(svc *service, s Session, op string, call rpc, in input) (object, *Error) {
	resource := "*"
	if r := in.text(call.of); call.of != "" && r != "" {
		resource = r
		if svc == &s3 {
			resource = "arn:" + s.partition() + ":s3:::" + r
		}
	}
	out, err := s.call(svc, operation(op), resource, in.params(), func() (object, *Error) { return call.do(s, in) })
	if e, ok := err.(*Error); ok { //nolint:errorlint // call returns nothing else
		return nil, e
	}
	return out, nil
}

// bodyMax is above every request that is not code.
const bodyMax = 1 << 20

// handler answers a service whose operations have names: name and read say where
// a request has the operation's name and its input.
func (f *Fake) handler(svc *service, operations map[string]rpc, name func(*http.Request, input) string, read func(*http.Request, []byte) (input, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := answerTo{w: w, status: http.StatusOK, now: f.Now()}
		s, e := f.session(r, svc)
		if e != nil {
			svc.speaks.write(to, e, nil)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
		var in input
		if err == nil {
			in, err = read(r, body)
		}
		if err != nil {
			svc.speaks.write(to, &Error{Status: http.StatusBadRequest, Code: svc.speaks.malformed, Message: err.Error()}, nil)
			return
		}
		to.operation = name(r, in)
		call, ok := operations[to.operation]
		if !ok {
			svc.speaks.write(to, unknown(svc, strconv.Quote(to.operation)), nil)
			return
		}
		out, e := f.rpc(svc, s, to.operation, call, in)
		svc.speaks.write(to, e, out)
	})
}

// targets is the handler of a service that speaks AWS JSON 1.1: the operation is
// in X-Amz-Target.
func (f *Fake) targets(svc *service, operations map[string]rpc) http.Handler {
	return f.handler(svc, operations, func(r *http.Request, _ input) string {
		target := r.Header.Get("X-Amz-Target")
		return target[strings.LastIndexByte(target, '.')+1:]
	}, func(_ *http.Request, body []byte) (input, error) { return readJSON(body) })
}

func readJSON(body []byte) (in input, err error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return input{}, nil
	}
	return in, json.Unmarshal(body, &in)
}

// forms is the handler of a service that speaks AWS query or EC2 query: the
// operation is the parameter Action of a form.
func (f *Fake) forms(svc *service, operations map[string]rpc) http.Handler {
	return f.handler(svc, operations, func(_ *http.Request, in input) string {
		op := in.text("Action")
		delete(in, "Action")
		delete(in, "Version")
		return op
	}, func(r *http.Request, body []byte) (input, error) {
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		in := input{}
		for _, from := range []url.Values{r.URL.Query(), values} {
			for name := range from {
				in[name] = from.Get(name)
			}
		}
		return in, nil
	})
}

// packed is the handler of a service that speaks Smithy's RPC v2 with CBOR: the
// operation is the last part of the path.
func (f *Fake) packed(svc *service, operations map[string]rpc) http.Handler {
	return f.handler(svc, operations, func(r *http.Request, _ input) string {
		return r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}, func(_ *http.Request, body []byte) (input, error) { return readCBOR(body) })
}

// A path is an operation of a REST API.
type path struct {
	pattern, operation string
	rpc
}

var wildcard = regexp.MustCompile(`\{(\w+)\}`)

// paths is the handler of a service with a REST API in JSON. The parameters of
// the path, the query and the body are one input.
func (f *Fake) paths(svc *service, all ...path) http.Handler {
	return f.routes(svc, func(handle router) {
		for _, p := range all {
			names := wildcard.FindAllStringSubmatch(p.pattern, -1)
			handle(p.pattern, http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
				in, err := readJSON(body)
				if err != nil {
					return nil, err
				}
				if in == nil {
					in = input{} // the body was null
				}
				for name := range r.URL.Query() {
					in[name] = r.URL.Query().Get(name)
				}
				for _, name := range names {
					in[name[1]] = r.PathValue(name[1])
				}
				out, e := f.rpc(svc, s, p.operation, p.rpc, in)
				if e != nil {
					return nil, e
				}
				return out, nil
			})
		}
	})
}

// paging says how an operation pages: the parameter with the size, the one with
// the token, the member with the next token, the usual and the largest page, and
// the code of a token that is none.
type paging struct {
	limit, token, next string
	usual, most        int
	bad                string
}

// listing is a page of the list.
func listing[T any](in input, p paging, name string, all []T, show func(T) object) (object, *Error) {
	start, end, next, ok := window(len(all), in.text(p.token), cmp.Or(in.number(p.limit), p.usual), p.most)
	if !ok {
		return nil, &Error{Status: http.StatusBadRequest, Code: p.bad, Message: "the token " + strconv.Quote(in.text(p.token)) + " is not valid"}
	}
	items := make([]object, 0, end-start)
	for _, item := range all[start:end] {
		items = append(items, show(item))
	}
	return object{{name: name, value: items}}.optional(p.next, next), nil
}

// only is the items for which keep returns true.
func only[T any](all []T, keep func(T) bool) []T {
	var kept []T
	for _, item := range all {
		if keep(item) {
			kept = append(kept, item)
		}
	}
	return kept
}
