package awsfake

import (
	"bytes"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// appendXML appends the members as elements. Items of lists have the element
// name item.
func (o object) appendXML(b []byte, item string) []byte {
	for _, m := range o {
		if m.trail {
			continue
		}
		b = appendElement(b, m.name, m.value, item)
	}
	return b
}

func appendElement(b []byte, name string, value any, item string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	switch v := value.(type) {
	case string:
		b = appendText(b, v)
	case int:
		b = strconv.AppendInt(b, int64(v), 10)
	case int64:
		b = strconv.AppendInt(b, v, 10)
	case float64:
		b = strconv.AppendFloat(b, v, 'f', -1, 64)
	case bool:
		b = strconv.AppendBool(b, v)
	case object:
		b = v.appendXML(b, item)
	case []object:
		for _, o := range v {
			b = appendElement(b, item, o, item)
		}
	case []string:
		for _, s := range v {
			b = appendElement(b, item, s, item)
		}
	case dict:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = appendElement(b, "entry", object{{name: "key", value: k}, {name: "value", value: v[k]}}, item)
		}
	}
	return append(append(append(b, '<', '/'), name...), '>')
}

func appendText(b []byte, s string) []byte {
	var escaped bytes.Buffer
	_ = xml.EscapeText(&escaped, []byte(s)) // a buffer takes everything
	return append(b, escaped.Bytes()...)
}

// requestID is in every answer; nobody compares it.
const requestID = "00000000-0000-4000-8000-000000000000"

// writeQuery answers in AWS query.
func writeQuery(to answerTo, err *Error, out object) {
	if err != nil {
		o := object{
			{name: "Error", value: object{{name: "Type", value: "Sender"}, {name: "Code", value: err.Code}, {name: "Message", value: err.Message}}},
			{name: "RequestId", value: requestID},
		}
		to.send("text/xml", err.Status, appendElement(nil, "ErrorResponse", o, "member"))
		return
	}
	to.send("text/xml", http.StatusOK, appendElement(nil, to.operation+"Response", object{
		{name: to.operation + "Result", value: out},
		{name: "ResponseMetadata", value: object{{name: "RequestId", value: requestID}}},
	}, "member"))
}

// writeEC2 answers in EC2 query.
func writeEC2(to answerTo, err *Error, out object) {
	if err != nil {
		o := object{
			{name: "Errors", value: object{{name: "Error", value: object{{name: "Code", value: err.Code}, {name: "Message", value: err.Message}}}}},
			{name: "RequestID", value: requestID},
		}
		to.send("text/xml", err.Status, appendElement(nil, "Response", o, "item"))
		return
	}
	to.send("text/xml", http.StatusOK, appendElement(nil, to.operation+"Response", append(object{{name: "requestId", value: requestID}}, out...), "item"))
}

// writeS3 answers in S3's XML: the answer's only member is the root, or the
// body when it is a string.
func writeS3(to answerTo, err *Error, out object) {
	switch {
	case err != nil:
		o := object{{name: "Code", value: err.Code}, {name: "Message", value: err.Message}, {name: "RequestId", value: requestID}}
		to.send("application/xml", err.Status, appendElement(nil, "Error", o, "member"))
	case len(out) == 0:
		to.send("application/xml", http.StatusOK, nil)
	default:
		if s, ok := out[0].value.(string); ok {
			to.send("application/json", http.StatusOK, []byte(s))
			return
		}
		to.send("application/xml", http.StatusOK, out.appendXML(nil, "member"))
	}
}

// writeJSON answers in AWS JSON 1.1.
func writeJSON(to answerTo, err *Error, out object) {
	const contentType = "application/x-amz-json-1.1"
	if err != nil {
		o := object{{name: "__type", value: err.Code}, {name: "message", value: err.Message}, {name: "Message", value: err.Message}}
		to.send(contentType, err.Status, o.append(nil, api))
		return
	}
	to.send(contentType, http.StatusOK, out.append(nil, api))
}
