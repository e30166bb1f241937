package awsfake

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/lamina-sec/lamina"
)

// bucketOperations are the reads of a bucket, by the name that is in the query.
var bucketOperations = map[string]string{
	"policy":            "GetBucketPolicy",
	"versioning":        "GetBucketVersioning",
	"object-lock":       "GetObjectLockConfiguration",
	"publicAccessBlock": "GetPublicAccessBlock",
}

// buckets is the handler of S3: what a bucket is set to, for its owner.
func (f *Fake) bucketHandler() http.Handler {
	operations := map[string]rpc{}
	for _, op := range bucketOperations {
		operations[op] = rpc{of: "Bucket", do: func(s Session, in input) (object, *Error) { return s.bucket(op, in.text("Bucket")) }}
	}
	operations["ListBuckets"] = rpc{do: func(s Session, in input) (object, *Error) {
		mine := only(s.f.estate.Buckets, func(b lamina.Bucket) bool {
			return cmp.Or(b.Account, s.caller.Account) == s.caller.Account && strings.HasPrefix(b.Name, in.text("prefix"))
		})
		var names object
		for _, b := range mine {
			names = append(names, member{name: "Bucket", value: object{{name: "Name", value: b.Name}}})
		}
		return object{{name: "ListAllMyBucketsResult", value: object{{name: "Buckets", value: names}}}}, nil
	}}
	return f.handler(&s3, operations, func(r *http.Request, _ input) string {
		for name, op := range bucketOperations {
			if r.URL.Query().Has(name) && r.Method == http.MethodGet {
				return op
			}
		}
		if r.Method == http.MethodGet && r.URL.Path == "/" && !strings.Contains(cmp.Or(r.Host, r.URL.Host), ".s3.") {
			return "ListBuckets"
		}
		return r.Method + " " + r.URL.Path
	}, func(r *http.Request, _ []byte) (input, error) {
		// The bucket is the first part of the host or, where the caller's endpoint
		// takes paths, of the path.
		host := cmp.Or(r.Host, r.URL.Host)
		bucket, _, ok := strings.Cut(host, ".s3.")
		if first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); !ok && first != "" {
			bucket = first
		} else if !ok {
			bucket, _, _ = strings.Cut(host, ".")
		}
		return input{"Bucket": bucket, "prefix": r.URL.Query().Get("prefix")}, nil
	})
}

func (s Session) bucket(op, name string) (object, *Error) {
	missing := func(code, message string) (object, *Error) {
		return nil, &Error{Status: http.StatusNotFound, Code: code, Message: message}
	}
	all := only(s.f.estate.Buckets, func(b lamina.Bucket) bool { return b.Name == name })
	if len(all) == 0 {
		return missing("NoSuchBucket", "The specified bucket does not exist")
	}
	b := all[0]
	if b.Account != "" && b.Account != s.caller.Account {
		return nil, &Error{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Access Denied"}
	}
	switch op {
	case "GetBucketPolicy":
		if b.Policy == "" {
			return missing("NoSuchBucketPolicy", "The bucket policy does not exist")
		}
		return object{{name: "Policy", value: b.Policy}}, nil
	case "GetBucketVersioning":
		return object{{name: "VersioningConfiguration", value: object{}.optional("Status", b.Versioning)}}, nil
	case "GetObjectLockConfiguration":
		if !b.ObjectLock {
			return missing("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
		}
		return object{{name: "ObjectLockConfiguration", value: object{{name: "ObjectLockEnabled", value: "Enabled"}}}}, nil
	}
	on := b.PublicAccessBlocked
	return object{{name: "PublicAccessBlockConfiguration", value: object{
		{name: "BlockPublicAcls", value: on},
		{name: "IgnorePublicAcls", value: on},
		{name: "BlockPublicPolicy", value: on},
		{name: "RestrictPublicBuckets", value: on},
	}}}, nil
}
