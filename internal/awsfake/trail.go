package awsfake

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Event is one CloudTrail record.
type Event struct {
	Time    time.Time
	Account string // recipientAccountId
	Region  string
	// Raw is the record as CloudTrail writes it.
	Raw []byte
}

// Trail returns the records written so far, in the order of the calls. They
// must not be changed.
func (f *Fake) Trail() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clip(f.trail)
}

// An operation is one API call by its Go name.
type operation string

// actions are the IAM actions of operations that have another name (Service
// Authorization Reference).
var actions = map[operation]string{
	"GetLayerVersionByArn":       "GetLayerVersion",
	"ListFindingsV2":             "ListFindings",
	"GetFindingV2":               "GetFinding",
	"GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
	"GetPublicAccessBlock":       "GetBucketPublicAccessBlock",
	"ListBuckets":                "ListAllMyBuckets",
}

// action is the IAM action.
func (o operation) action() string {
	if a := actions[o]; a != "" {
		return a
	}
	return string(o)
}

// eventNames are the names CloudTrail gives to calls of Lambda that are not the
// operation's own (dev guide, "Logging using CloudTrail"). The names of the
// reads, and of RemoveLayerVersionPermission, follow the family's pattern; no
// record of them was found (derived).
var eventNames = map[operation]string{
	"AddLayerVersionPermission":    "20181031",
	"DeleteLayerVersion":           "20181031",
	"GetLayerVersion":              "20181031",
	"GetLayerVersionByArn":         "20181031",
	"GetLayerVersionPolicy":        "20181031",
	"ListLayerVersions":            "20181031",
	"ListLayers":                   "20181031",
	"PublishLayerVersion":          "20181031",
	"RemoveLayerVersionPermission": "20181031",
	"AddPermission":                "20150331v2",
	"CreateAlias":                  "20150331",
	"CreateEventSourceMapping":     "20150331",
	"CreateFunction":               "20150331",
	"DeleteFunction":               "20150331",
	"GetAccountSettings":           "20160819",
	"GetAlias":                     "20150331",
	"GetFunction":                  "20150331v2",
	"GetFunctionConfiguration":     "20150331v2",
	"GetPolicy":                    "20150331v2",
	"ListAliases":                  "20150331",
	"ListEventSourceMappings":      "20150331",
	"ListFunctions":                "20150331",
	"ListTags":                     "20170331",
	"ListVersionsByFunction":       "20150331",
	"PublishVersion":               "20150331",
	"RemovePermission":             "20150331v2",
	"UpdateAlias":                  "20150331",
	"UpdateFunctionCode":           "20150331v2",
	"UpdateFunctionConfiguration":  "20150331v2",
}

func (o operation) readOnly() bool {
	for _, verb := range []string{"Get", "List", "Describe", "Lookup", "BatchGet", "AssumeRole"} {
		if strings.HasPrefix(string(o), verb) {
			return true
		}
	}
	return false
}

// record writes the record of a call. A denied call has no parameters; a call
// that only reads has no response elements.
func (s Session) record(svc *service, op operation, params, out object, err *Error) {
	n := note{Source: svc.source, Name: string(op), ReadOnly: op.readOnly(), params: params}
	if svc == &lambda {
		n.Name += eventNames[op]
	}
	if !n.ReadOnly || op == "AssumeRole" {
		n.response = out
	}
	if err != nil {
		n.ErrorCode, n.ErrorMessage, n.response = err.Code, err.Message, nil
		if err.Code == svc.speaks.denied {
			n.ErrorCode, n.params = "AccessDenied", nil
			if svc == &ec2 {
				n.ErrorCode = "Client." + err.Code
			}
		}
	}
	s.write(n)
}

type note struct {
	Source, Name            string
	ReadOnly                bool
	ErrorCode, ErrorMessage string
	params, response        object
	rawParams, rawResponse  string
}

// A Note is a call that is only recorded.
type Note struct {
	// Source is eventSource ("bedrock.amazonaws.com"), Name eventName.
	Source, Name string
	ReadOnly     bool
	// ErrorCode and ErrorMessage are set when the call failed.
	ErrorCode, ErrorMessage string
	// Parameters and Response are JSON objects, or "" for null.
	Parameters, Response string
}

// Note writes the record of a call that the fake does not carry out.
func (s Session) Note(n Note) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.write(note{
		Source: n.Source, Name: n.Name, ReadOnly: n.ReadOnly, ErrorCode: n.ErrorCode, ErrorMessage: n.ErrorMessage,
		rawParams: n.Parameters, rawResponse: n.Response,
	})
}

const timeFormat = "2006-01-02T15:04:05Z"

// write appends the record to the trail. The order of members is that of files
// that CloudTrail delivered; the lock must be held.
func (s Session) write(n note) {
	c := s.caller
	b := make([]byte, 0, 1536)
	str := func(name, value string) {
		b = append(append(append(b, ',', '"'), name...), '"', ':')
		b = appendString(b, value)
	}
	b = append(b, `{"eventVersion":"1.11","userIdentity":`...)
	id := s.f.idsOf(c)
	b = append(b, id.before...)
	if id.after != nil {
		// The session began with the hour, which is as good as any time before now.
		b = s.f.now.Truncate(time.Hour).AppendFormat(b, timeFormat)
		b = append(b, id.after...)
	}
	b = s.f.now.AppendFormat(append(b, `,"eventTime":"`...), timeFormat)
	b = append(b, '"')
	str("eventSource", n.Source)
	str("eventName", n.Name)
	str("awsRegion", s.region)
	if c.Service != "" {
		str("sourceIPAddress", c.Service)
		str("userAgent", c.Service)
	} else {
		str("sourceIPAddress", c.SourceIP)
		str("userAgent", c.UserAgent)
	}
	if n.ErrorCode != "" {
		str("errorCode", n.ErrorCode)
		str("errorMessage", n.ErrorMessage)
	}
	part := func(name string, o object, raw string) {
		b = append(append(append(b, ',', '"'), name...), '"', ':')
		switch {
		case raw != "":
			b = append(b, raw...)
		case o != nil:
			b = o.append(b, cloudTrail)
		default:
			b = append(b, "null"...)
		}
	}
	part("requestParameters", n.params, n.rawParams)
	part("responseElements", n.response, n.rawResponse)
	str("requestID", s.f.uuid())
	eventID := s.f.uuid()
	str("eventID", eventID)
	if n.ReadOnly {
		b = append(b, `,"readOnly":true`...)
	} else {
		b = append(b, `,"readOnly":false`...)
	}
	b = append(b, `,"eventType":"AwsApiCall","managementEvent":true`...)
	str("recipientAccountId", c.Account)
	b = append(b, `,"eventCategory":"Management"`...)
	if c.Service == "" {
		b = append(b, `,"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256"`...)
		str("clientProvidedHostHeader", n.Source[:len(n.Source)-len("amazonaws.com")]+s.region+"."+dnsSuffix(s.partition()))
		b = append(b, '}')
	}
	if c.Console {
		b = append(b, `,"sessionCredentialFromConsole":"true"`...)
	}
	b = append(b, '}')
	p := place{c.Account, s.region}
	s.f.lookup[p] = append(s.f.lookup[p], lookedEvent{len(s.f.trail), looked{
		id: eventID, name: n.Name, source: n.Source, user: cmp.Or(c.Session, c.User), key: id.accessKey, readOnly: strconv.FormatBool(n.ReadOnly),
	}})
	s.f.trail = append(s.f.trail, Event{Time: s.f.now, Account: c.Account, Region: s.region, Raw: b})
}

func dnsSuffix(partition string) string {
	if partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// created stands for the time at which a session was created.
const created = "SESSION-CREATED"

// identity is userIdentity; its names are CloudTrail's own.
func (s Session) identity(ids ids) object {
	c, p := s.caller, s.partition()
	o := object{{name: "type", value: c.kind()}}
	switch {
	case c.Role != "":
		o = append(o,
			member{name: "principalId", value: ids.principal + ":" + c.Session},
			member{name: "arn", value: c.arn(p)},
			member{name: "accountId", value: c.Account},
			member{name: "accessKeyId", value: ids.accessKey},
			member{name: "sessionContext", value: object{
				{name: "sessionIssuer", value: object{
					{name: "type", value: "Role"},
					{name: "principalId", value: ids.principal},
					{name: "arn", value: "arn:" + p + ":iam::" + c.Account + ":role/" + c.Role},
					{name: "accountId", value: c.Account},
					{name: "userName", value: c.Role},
				}},
				{name: "attributes", value: object{
					{name: "creationDate", value: created},
					{name: "mfaAuthenticated", value: map[bool]string{true: "true", false: "false"}[c.MFA]},
				}},
			}})
	case c.User != "":
		o = append(o,
			member{name: "principalId", value: ids.principal},
			member{name: "arn", value: c.arn(p)},
			member{name: "accountId", value: c.Account},
			member{name: "accessKeyId", value: ids.accessKey},
			member{name: "userName", value: c.User})
	case c.Service == "":
		o = append(o,
			member{name: "principalId", value: ids.principal},
			member{name: "arn", value: c.arn(p)},
			member{name: "accountId", value: c.Account},
			member{name: "accessKeyId", value: ids.accessKey})
	}
	if c.Service != "" {
		o = append(o, member{name: "invokedBy", value: c.Service})
	}
	return o
}
