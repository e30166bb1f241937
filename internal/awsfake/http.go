package awsfake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers the Lambda REST API, and the content URLs that it hands out.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/snapshots/") && r.Method == http.MethodGet {
		f.content(w, r)
		return
	}
	f.handler.ServeHTTP(w, r)
}

// Client returns a client for the caller's SDK that never opens a socket, and
// the credentials to sign with.
func (f *Fake) Client(c Caller) (client *http.Client, accessKeyID, secretAccessKey string) {
	id, secret := f.Credentials(c)
	return &http.Client{Transport: transport{f}}, id, secret
}

type transport struct{ f *Fake }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	if r.Body == nil {
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	t.f.ServeHTTP(w, r)
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: r,
		ContentLength: int64(w.body.Len()), Body: io.NopCloser(&w.body),
	}, nil
}

type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// credential is the scope of a version 4 signature: key id, date, region, service.
var credential = regexp.MustCompile(`Credential=([A-Z0-9]+)/\d{8}/([a-z0-9-]+)/lambda/aws4_request`)

// maxBody is above the 50 MB that AWS takes as a zip, in base64.
const maxBody = 80 << 20

// routes are the paths of the API, as the SDK writes them.
func (f *Fake) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, status int, call func(s Session, r *http.Request, body []byte) (object, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s, err := f.session(r)
			var out object
			if err == nil {
				var body []byte
				if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err == nil {
					out, err = call(s, r, body)
				}
			}
			reply(w, status, out, err, f)
		})
	}
	const layers, functions = "/2018-10-31/layers", "/2015-03-31/functions"
	handle("GET "+layers, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		q := r.URL.Query()
		if q.Get("find") == "LayerVersion" {
			arn := q.Get("Arn")
			return s.getLayerVersion("GetLayerVersionByArn", arn, 0, object{{name: "Arn", value: arn}})
		}
		return s.listLayers(q.Get("Marker"), number(q.Get("MaxItems")))
	})
	handle("GET "+layers+"/{name}/versions", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.listLayerVersions(r.PathValue("name"), r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
	})
	handle("POST "+layers+"/{name}/versions", http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[PublishLayerVersionInput](body)
		in.LayerName = r.PathValue("name")
		if err != nil {
			return nil, err
		}
		return s.publish(in)
	})
	const version = layers + "/{name}/versions/{version}"
	handle("GET "+version, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		name, n := r.PathValue("name"), number(r.PathValue("version"))
		return s.getLayerVersion("GetLayerVersion", name, n, object{{name: "LayerName", value: name}, {name: "VersionNumber", value: n}})
	})
	handle("DELETE "+version, http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteLayerVersion(r.PathValue("name"), number(r.PathValue("version")))
	})
	handle("GET "+version+"/policy", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getPolicy(r.PathValue("name"), number(r.PathValue("version")))
	})
	handle("POST "+version+"/policy", http.StatusCreated, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[AddLayerVersionPermissionInput](body)
		if err != nil {
			return nil, err
		}
		in.LayerName, in.VersionNumber, in.RevisionID = r.PathValue("name"), number(r.PathValue("version")), r.URL.Query().Get("RevisionId")
		return s.addPermission(in)
	})
	handle("DELETE "+version+"/policy/{sid}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.RemoveLayerVersionPermission(r.PathValue("name"), number(r.PathValue("version")), r.PathValue("sid"), r.URL.Query().Get("RevisionId"))
	})
	for _, list := range []string{functions, functions + "/{$}"} {
		handle("GET "+list, http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
			return s.listFunctions(r.URL.Query().Get("Marker"), number(r.URL.Query().Get("MaxItems")))
		})
	}
	handle("POST "+functions, http.StatusCreated, func(s Session, _ *http.Request, body []byte) (object, error) {
		in, err := decode[CreateFunctionInput](body)
		if err != nil {
			return nil, err
		}
		return s.create(in)
	})
	handle("GET "+functions+"/{name}/configuration", http.StatusOK, func(s Session, r *http.Request, _ []byte) (object, error) {
		return s.getConfiguration(r.PathValue("name"))
	})
	handle("PUT "+functions+"/{name}/configuration", http.StatusOK, func(s Session, r *http.Request, body []byte) (object, error) {
		in, err := decode[UpdateFunctionConfigurationInput](body)
		if err != nil {
			return nil, err
		}
		in.FunctionName = r.PathValue("name")
		return s.update(in)
	})
	handle("DELETE "+functions+"/{name}", http.StatusNoContent, func(s Session, r *http.Request, _ []byte) (object, error) {
		return nil, s.DeleteFunction(r.PathValue("name"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		reply(w, 0, nil, &Error{Status: http.StatusNotImplemented, Code: "UnknownOperationException", Message: "awsfake does not answer " + r.Method + " " + r.URL.Path}, f)
	})
	return mux
}

// session finds out who calls from where, by the signature's scope.
func (f *Fake) session(r *http.Request) (Session, error) {
	m := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return Session{}, &Error{Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
	}
	f.mu.Lock()
	c, ok := f.keys[m[1]]
	f.mu.Unlock()
	if !ok {
		return Session{}, &Error{Status: http.StatusForbidden, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}
	}
	return f.As(c, m[2]), nil
}

func decode[T any](body []byte) (in T, err error) {
	if e := json.Unmarshal(body, &in); e != nil {
		return in, &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: "Could not parse request body into json: " + e.Error()}
	}
	return in, nil
}

// number reads a path or query number; what is none is 0, which no version is.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func reply(w http.ResponseWriter, status int, out object, err error, f *Fake) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Date", f.Now().Format(http.TimeFormat)) // SDKs correct their clock by it
	var body []byte
	if err != nil {
		e := &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: err.Error()}
		_ = errors.As(err, &e)
		h.Set("X-Amzn-Errortype", e.Code)
		status = e.Status
		body = object{{name: "Type", value: "User"}, {name: "Message", value: e.Message}}.append(nil, api)
	} else if status != http.StatusNoContent {
		body = out.append(nil, api)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have gone
}

// content serves a layer's zip for ten minutes, to anybody who has the URL
// (spec posture F23).
func (f *Fake) content(w http.ResponseWriter, r *http.Request) {
	refuse := func(why string) { http.Error(w, why, http.StatusForbidden) }
	arn, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(r.URL.Path, "/snapshots/"))
	if err != nil {
		refuse("AccessDenied")
		return
	}
	at, err := time.Parse("20060102T150405Z", r.URL.Query().Get("X-Amz-Date"))
	if now := f.Now(); err != nil || now.After(at.Add(contentLife)) {
		refuse("Request has expired")
		return
	}
	f.mu.Lock()
	v, _ := Session{f: f}.find(string(arn), 0)
	f.mu.Unlock()
	if v == nil {
		refuse("AccessDenied")
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(v.code)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(v.code) // the client may have gone
}
