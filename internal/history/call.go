package history

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/ecs"
)

// A Call is one management event as it was logged, with the parts that say what
// it did to layers and functions. It is read from the raw record and not from
// the ECS document, because the document drops what matters here: an emptied
// list of layers is not there.
//
// Member names are matched exactly, and of a repeated member the last counts,
// as in the Java programs that read the same logs.
type Call struct {
	// ID is eventID, or a hash of the record where it has none.
	ID string
	// Provider is eventSource, Event eventName, API the operation: Event
	// without date and version.
	Provider, Event, API string
	// Region is awsRegion, Account recipientAccountId: whose trail it is in.
	Region, Account string
	// Time is eventTime, zero when the record has no valid one.
	Time time.Time
	// Failed says that the call was refused or went wrong.
	Failed bool

	caller        string // userIdentity.arn
	callerAccount string // userIdentity.accountId
	message       string // errorMessage
	request       object
	response      object
	// statement is the policy statement that AddLayerVersionPermission answers
	// with: a JSON object inside a string.
	statement object
	partition string
	// hidden says that requestParameters are null or absent.
	hidden bool
}

// APIName strips the API date, and the version of an operation, that Lambda
// appends to event names: AddLayerVersionPermission20181031,
// UpdateFunctionCode20150331v2 (detection.md 6.1; seen in real trails).
func APIName(event string) string {
	s := event
	if i := len(s) - 2; i > 0 && s[i] == 'v' && isDigit(s[i+1]) {
		s = s[:i]
	}
	if len(s) > 8 && strings.Trim(s[len(s)-8:], "0123456789") == "" && (s[len(s)-8:][:2] == "19" || s[len(s)-8:][:2] == "20") {
		return s[:len(s)-8]
	}
	return event
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// ReadCall reads a raw CloudTrail record, which must not change while the Call
// is in use. It returns false for bytes that are no JSON object.
func ReadCall(raw []byte) (*Call, bool) {
	raw = bytes.TrimSpace(raw)
	if !json.Valid(raw) || raw[0] != '{' {
		return nil, false
	}
	return readCall(raw), true
}

// CallOf reads the record of ev, of which it keeps a copy. An event that can
// tell that its record is valid is believed.
func CallOf(ev ecs.Event) (*Call, []byte, bool) {
	raw := bytes.Clone(ev.Raw())
	if c, ok := ev.(interface{ Check() error }); ok && c.Check() == nil && len(raw) > 0 && raw[0] == '{' {
		return readCall(raw), raw, true
	}
	call, ok := ReadCall(raw)
	return call, raw, ok
}

// readCall reads a record that is a valid JSON object.
func readCall(raw []byte) *Call {
	rec := readObject(raw)
	who := rec.object("userIdentity")
	c := &Call{
		ID:       rec.text("eventID"),
		Provider: rec.text("eventSource"),
		Event:    rec.text("eventName"),
		Region:   rec.text("awsRegion"),
		Account:  rec.text("recipientAccountId"),
		caller:   who.text("arn"),
		message:  rec.text("errorMessage"),
		request:  rec.object("requestParameters"),
		response: rec.object("responseElements"),
	}
	c.Failed = rec.text("errorCode") != "" || c.message != ""
	c.API = APIName(c.Event)
	c.hidden = c.request == nil
	c.callerAccount = who.text("accountId")
	if c.Account == "" {
		c.Account = c.callerAccount
	}
	if c.ID == "" {
		sum := sha256.Sum256(raw)
		c.ID = hex.EncodeToString(sum[:12])
	}
	if t, err := time.Parse(time.RFC3339Nano, rec.text("eventTime")); err == nil {
		c.Time = t.UTC()
	}
	if s := bytes.TrimSpace([]byte(c.response.text("statement"))); json.Valid(s) {
		c.statement = readObject(s)
	}
	c.partition = c.findPartition()
	return c
}

// Hidden says that the record has no request parameters, as those of denied
// calls have none.
func (c *Call) Hidden() bool { return c.hidden }

// Param is a scalar request parameter as text, or "". Several names are tried
// in order: how CloudTrail spells a member that begins with capitals is not
// documented.
func (c *Call) Param(names ...string) string { return c.request.text(names...) }

// HasParam says whether the request has the parameter, whatever its value.
func (c *Call) HasParam(name string) bool {
	_, ok := c.request.get(name)
	return ok
}

// ParamAt is a scalar below nested request parameters.
func (c *Call) ParamAt(path ...string) string {
	o := c.request
	for _, p := range path[:len(path)-1] {
		o = o.object(p)
	}
	return o.text(path[len(path)-1])
}

// ParamTexts are all texts anywhere below a request parameter, in the order of
// the record for lists and by key for objects, at most maxTexts.
func (c *Call) ParamTexts(path ...string) []string {
	o := c.request
	for _, p := range path[:len(path)-1] {
		o = o.object(p)
	}
	raw, _ := o.get(path[len(path)-1])
	return texts(raw, nil)
}

// Result is a scalar response element as text, or "".
func (c *Call) Result(names ...string) string { return c.response.text(names...) }

// Layer is the layer that a layer call names, with its version if it names one.
// A layer named by its name alone is in the account and region of the call.
func (c *Call) Layer() (lamina.LayerARN, bool) {
	version := c.request.text("versionNumber")
	name := c.request.text("layerName", "arn")
	if v := c.response.text("layerVersionArn"); v != "" {
		name = v
	} else if v := c.statement.text("Resource"); v != "" {
		name = v
	}
	if name == "" {
		return lamina.LayerARN{}, false
	}
	if !strings.HasPrefix(name, "arn:") {
		name = strings.Join([]string{"arn", c.partition, "lambda", c.Region, c.Account, "layer", name}, ":")
	}
	l, err := lamina.ParseLayerARN(name)
	if err != nil {
		return lamina.LayerARN{}, false
	}
	if l.Version == 0 && version != "" && !l.Legacy {
		if n, err := strconv.Atoi(version); err == nil && n > 0 {
			l.Version = n
			l.ARN.Resource += ":" + strconv.Itoa(n)
		}
	}
	return l, true
}

// partitions are the regions' beginnings of the partitions other than aws
// (aws-cdk region-info; the AWS General Reference).
var partitions = []struct{ region, partition string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"us-isof-", "aws-iso-f"},
	{"eu-isoe-", "aws-iso-e"},
	{"eusc-", "aws-eusc"},
}

// findPartition is the partition the call was made in: that of an ARN in the
// record, else that of its region, else aws.
func (c *Call) findPartition() string {
	for _, s := range []string{
		c.response.text("functionArn", "layerVersionArn"), c.statement.text("Resource"),
		c.request.text("layerName", "functionName", "eventSourceArn"), c.caller,
	} {
		if a, err := lamina.ParseARN(s); err == nil {
			return a.Partition
		}
	}
	for _, p := range partitions {
		if strings.HasPrefix(c.Region, p.region) {
			return p.partition
		}
	}
	return "aws"
}

// A FunctionName is the function a call names.
type FunctionName struct {
	// ARN is without version or alias, Qualifier is that version or alias.
	ARN, Name, Account, Qualifier string
}

// Function is the function a function call names. Lambda takes a name, the last
// part of an ARN with the account, or an ARN, each with a version or alias
// behind it (https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html,
// FunctionName); what it answers is believed first.
func (c *Call) Function() (FunctionName, bool) {
	f, ok := c.function(c.request.text("functionName"))
	if a, named := c.function(c.response.text("functionArn")); named && (!ok || f.Name == a.Name) {
		// The answer may name a version that the call made; only the request
		// says which one the call is about.
		a.Qualifier = f.Qualifier
		f, ok = a, true
	}
	if q := c.request.text("qualifier"); q != "" {
		f.Qualifier = q
	}
	return f, ok
}

// function resolves one of the forms of a function's name.
func (c *Call) function(s string) (FunctionName, bool) {
	if s == "" || len(s) > maxText {
		return FunctionName{}, false
	}
	arn := lamina.ARN{Partition: c.partition, Service: "lambda", Region: c.Region, Account: c.Account}
	rest := s
	if a, err := lamina.ParseARN(s); err == nil {
		if a.Service != "lambda" {
			return FunctionName{}, false
		}
		arn, rest = a, a.Resource
	} else if account, after, ok := strings.Cut(s, ":function:"); ok {
		arn.Account, rest = account, "function:"+after
	}
	rest = strings.TrimPrefix(rest, "function:")
	name, qualifier, _ := strings.Cut(rest, ":")
	if name == "" {
		return FunctionName{}, false
	}
	arn.Resource = "function:" + name
	return FunctionName{ARN: arn.String(), Name: name, Account: arn.Account, Qualifier: qualifier}, true
}

// RequestedLayers is the list of layers that the caller gave. named is false
// when the call leaves the layers alone; a call that empties the list has named
// true and no layers. The list replaces the old one as a whole
// (https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html).
func (c *Call) RequestedLayers() (layers []string, named bool) {
	raw, ok := c.request.get("layers")
	if !ok || isNull(raw) {
		return nil, false
	}
	return layerList(raw), true
}

// ResultingLayers is the list of layers that the answer says the function has.
// known is false when the answer is no configuration. The answer lists layers
// whenever the function has some, whether or not the call touched them.
func (c *Call) ResultingLayers() (layers []string, known bool) {
	if c.response.text("functionArn") == "" {
		return nil, false
	}
	raw, _ := c.response.get("layers")
	return layerList(raw), true
}

// Limits of one record: more than Lambda allows (5 layers, 140 characters of
// ARN), little enough that no record can fill the memory.
const (
	maxList  = 64
	maxText  = 2048
	maxTexts = 64
	maxNest  = 8
)

// layerList reads a list of ARNs, or of objects with an arn.
func layerList(raw []byte) []string {
	var out []string
	n := 0
	for it := range elements(raw) {
		if n++; n > maxList {
			break
		}
		var s string
		switch it[0] {
		case '"':
			s = unquote(it)
		case '{':
			s = readObject(it).text("arn")
		default:
			continue
		}
		if s != "" && len(s) <= maxText {
			out = append(out, s)
		}
	}
	return out
}

func isNull(raw []byte) bool { return bytes.Equal(raw, []byte("null")) }
