package awsfake

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

// ServeHTTP answers the APIs of AWS's services, told apart by the scope of the
// request's signature, and the content URLs that Lambda hands out.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/snapshots/") && r.URL.Query().Has("X-Amz-Date") && r.Method == http.MethodGet {
		f.content(w, r)
		return
	}
	scope := lambda.scope // whose protocol an unsigned request is refused in
	if m := credential.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		scope = m[3]
	}
	h := f.handlers[scope]
	if h == nil {
		writeRESTJSON(answerTo{w: w, now: f.Now()}, &Error{
			Status: http.StatusNotImplemented, Code: "UnknownOperationException", Message: "awsfake does not have the service " + scope,
		}, nil)
		return
	}
	h.ServeHTTP(w, r)
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
var credential = regexp.MustCompile(`Credential=([A-Z0-9]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request`)

// maxBody is above the 50 MB that AWS takes as a zip, in base64.
const maxBody = 80 << 20

// A routeFunc carries out one operation.
type routeFunc func(s Session, r *http.Request, body []byte) (object, error)

// A router takes the paths of a REST API, as the SDK writes them.
type router func(pattern string, status int, call routeFunc)

// routes is the handler of a service whose operations are paths.
func (f *Fake) routes(svc *service, add func(router)) http.Handler {
	mux := http.NewServeMux()
	add(func(pattern string, status int, call routeFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			out, err := f.serve(w, r, svc, call)
			svc.speaks.write(answerTo{w: w, status: status, now: f.Now()}, err, out)
		})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		svc.speaks.write(answerTo{w: w, now: f.Now()}, unknown(svc, r.Method+" "+r.URL.Path), nil)
	})
	return mux
}

// serve finds out who calls, reads the body and calls.
func (f *Fake) serve(w http.ResponseWriter, r *http.Request, svc *service, call routeFunc) (object, *Error) {
	s, e := f.session(r, svc)
	if e != nil {
		return nil, e
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, badRequest(err)
	}
	out, err := call(s, r, body)
	if err != nil {
		e := badRequest(err)
		_ = errors.As(err, &e)
		return nil, e
	}
	return out, nil
}

func badRequest(err error) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "InvalidRequestContentException", Message: err.Error()}
}

func unknown(svc *service, operation string) *Error {
	return &Error{Status: http.StatusNotImplemented, Code: "UnknownOperationException", Message: "awsfake does not answer " + operation + " of " + svc.prefix}
}

// lambdaRoutes are the paths of Lambda.
func (f *Fake) lambdaRoutes() http.Handler {
	return f.routes(&lambda, func(handle router) {
		layerRoutes(handle)
		functionRoutes(handle)
		versionRoutes(handle)
		permissionRoutes(handle)
		signingRoutes(handle)
		endpointRoutes(handle)
	})
}

// session finds out who calls from where, by the signature's scope.
func (f *Fake) session(r *http.Request, svc *service) (Session, *Error) {
	refuse := func(code, message string) (Session, *Error) {
		return Session{}, &Error{Status: http.StatusForbidden, Code: code, Message: message}
	}
	m := credential.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return refuse(svc.speaks.token, "Missing Authentication Token")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k, ok := f.keys[m[1]]
	switch {
	case !ok || !f.enabled(k.caller.Account, m[2]):
		return refuse(svc.speaks.key, "The security token included in the request is invalid.")
	case !k.until.IsZero() && f.now.After(k.until):
		return refuse(svc.speaks.expired, "The security token included in the request is expired")
	}
	out := f.as(k.caller, m[2])
	if r.URL.Host == "" { // it came through a socket
		out.served = "http://" + r.Host
	}
	return out, nil
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

// answerTo is where an answer goes.
type answerTo struct {
	w         http.ResponseWriter
	status    int // of an answer that is no error
	now       time.Time
	operation string // what query names its elements after
}

// A writer writes an answer, or the error when there is one.
type writer func(to answerTo, err *Error, out object)

// send writes the header and the body. SDKs correct their clock by the date.
func (to answerTo) send(contentType string, status int, body []byte) {
	h := to.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Date", to.now.Format(http.TimeFormat))
	to.w.WriteHeader(status)
	_, _ = to.w.Write(body) //nolint:gosec // no browser reads it; the client may have gone
}

func writeRESTJSON(to answerTo, err *Error, out object) {
	if err != nil {
		to.w.Header().Set("X-Amzn-Errortype", err.Code)
		// Lambda's errors have a Message, those of other services a message.
		o := object{{name: "Type", value: "User"}, {name: "Message", value: err.Message}, {name: "message", value: err.Message}}
		if err.Status == http.StatusTooManyRequests {
			to.w.Header().Set("Retry-After", "1")
		}
		to.send("application/json", err.Status, o.append(nil, api))
		return
	}
	var body []byte
	if to.status != http.StatusNoContent {
		body = out.append(nil, api)
	}
	to.send("application/json", to.status, body)
}

// contentURL is where the code with this ARN is to be had for ten minutes: at
// S3, or where whoever called through a socket reaches it. The lock must be held.
func (s Session) contentURL(kind, arn string) string {
	host := cmp.Or(s.served, fmt.Sprintf("https://awslambda-%s-%s.s3.%s.%s", s.region, kind, s.region, dnsSuffix(s.partition())))
	return fmt.Sprintf("%s/snapshots/%s?X-Amz-Date=%s&X-Amz-Expires=%d", host, base64.RawURLEncoding.EncodeToString([]byte(arn)),
		s.f.now.Format("20060102T150405Z"), int(contentLife.Seconds()))
}

// content serves a zip for ten minutes, to anybody who has the URL (spec
// posture F23).
func (f *Fake) content(w http.ResponseWriter, r *http.Request) {
	refuse := func(why string) { http.Error(w, why, http.StatusForbidden) }
	name, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(r.URL.Path, "/snapshots/"))
	if err != nil {
		refuse("AccessDenied")
		return
	}
	at, err := time.Parse("20060102T150405Z", r.URL.Query().Get("X-Amz-Date"))
	if now := f.Now(); err != nil || now.After(at.Add(contentLife)) {
		refuse("Request has expired")
		return
	}
	code := f.download(string(name))
	if code == nil {
		refuse("AccessDenied")
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(code)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(code) //nolint:gosec // no browser reads it; the client may have gone
}

// download is the code with this ARN, nil when there is none.
func (f *Fake) download(arn string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, err := lamina.ParseARN(arn)
	if err != nil {
		return nil
	}
	var code []byte
	if s := f.as(Caller{Account: a.Account}, a.Region); strings.HasPrefix(a.Resource, "function:") {
		if fn, b, _, _ := s.qualified(arn, ""); fn != nil && b != nil {
			code = b.zip
		}
	} else if v, _ := s.find(arn, 0); v != nil {
		code = v.code
	}
	if code != nil {
		f.downloads[arn]++
	}
	return code
}
