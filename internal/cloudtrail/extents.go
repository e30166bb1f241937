package cloudtrail

import "bytes"

// A Kind says what a document is. Digests and insights are documents with a
// mapping of their own, so they are yielded and counted, never quarantined.
type Kind uint8

// The kinds of documents that CloudTrail writes.
const (
	// KindEvent is one API call, sign-in or service event.
	KindEvent Kind = iota
	// KindInsight is a record of an Insights event (it has insightDetails).
	KindInsight
	// KindDigest is a whole digest file (it has digestStartTime and logFiles).
	KindDigest
)

func (k Kind) String() string {
	switch k {
	case KindEvent:
		return "event"
	case KindInsight:
		return "insight"
	case KindDigest:
		return "digest"
	}
	return "invalid"
}

// A Key names a top-level member of a CloudTrail record, so that finding one
// is an array access. Names are compared as AWS writes them, exactly.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type Key uint8

// The members that a CloudTrail record can have. KeyOther is any other name.
const (
	KeyOther Key = iota
	KeyEventVersion
	KeyUserIdentity
	KeyEventTime
	KeyEventSource
	KeyEventName
	KeyAWSRegion
	KeySourceIPAddress
	KeyUserAgent
	KeyErrorCode
	KeyErrorMessage
	KeyRequestParameters
	KeyResponseElements
	KeyAdditionalEventData
	KeyRequestID
	KeyEventID
	KeyReadOnly
	KeyResources
	KeyEventType
	KeyAPIVersion
	KeyManagementEvent
	KeyRecipientAccountID
	KeyServiceEventDetails
	KeySharedEventID
	KeySharedEventIDLower // sharedEventId, as older pipelines look for it
	KeyVPCEndpointID
	KeyVPCEndpointAccountID
	KeyEventCategory
	KeyAddendum
	KeySessionCredentialFromConsole
	KeyEdgeDeviceDetails
	KeyTLSDetails
	KeyInsightDetails
	KeyEventContext
	KeyDigestStartTime
	KeyDigestEndTime
	KeyLogFiles
	KeyAWSAccountID
	NumKeys
)

// keyNames has the name of each Key.
var keyNames = [NumKeys]string{
	KeyEventVersion:                 "eventVersion",
	KeyUserIdentity:                 "userIdentity",
	KeyEventTime:                    "eventTime",
	KeyEventSource:                  "eventSource",
	KeyEventName:                    "eventName",
	KeyAWSRegion:                    "awsRegion",
	KeySourceIPAddress:              "sourceIPAddress",
	KeyUserAgent:                    "userAgent",
	KeyErrorCode:                    "errorCode",
	KeyErrorMessage:                 "errorMessage",
	KeyRequestParameters:            "requestParameters",
	KeyResponseElements:             "responseElements",
	KeyAdditionalEventData:          "additionalEventData",
	KeyRequestID:                    "requestID",
	KeyEventID:                      "eventID",
	KeyReadOnly:                     "readOnly",
	KeyResources:                    "resources",
	KeyEventType:                    "eventType",
	KeyAPIVersion:                   "apiVersion",
	KeyManagementEvent:              "managementEvent",
	KeyRecipientAccountID:           "recipientAccountId",
	KeyServiceEventDetails:          "serviceEventDetails",
	KeySharedEventID:                "sharedEventID",
	KeySharedEventIDLower:           "sharedEventId",
	KeyVPCEndpointID:                "vpcEndpointId",
	KeyVPCEndpointAccountID:         "vpcEndpointAccountId",
	KeyEventCategory:                "eventCategory",
	KeyAddendum:                     "addendum",
	KeySessionCredentialFromConsole: "sessionCredentialFromConsole",
	KeyEdgeDeviceDetails:            "edgeDeviceDetails",
	KeyTLSDetails:                   "tlsDetails",
	KeyInsightDetails:               "insightDetails",
	KeyEventContext:                 "eventContext",
	KeyDigestStartTime:              "digestStartTime",
	KeyDigestEndTime:                "digestEndTime",
	KeyLogFiles:                     "logFiles",
	KeyAWSAccountID:                 "awsAccountId",
}

func (k Key) String() string {
	if k < NumKeys {
		return keyNames[k]
	}
	return ""
}

// A Span is the bytes Raw[Start:End] of a record.
type Span struct{ Start, End uint32 }

// A Record is one document of the input.
//
// What is guaranteed of Raw: it is one JSON object; strings, braces and
// brackets are balanced over its whole depth (at most Limits.Depth); no string
// has a raw control character; and its top-level members are exactly JSON,
// scalars and escapes included. What is not looked at is the inside of nested
// values (their commas, numbers, escapes) and UTF-8: Event.Reset checks the
// rest, and replaces invalid UTF-8 and lone surrogates by U+FFFD. So a caller
// counts what Event.Reset refuses as quarantined as well.
//
// A Record is valid until the next call of Reader.Next.
type Record struct {
	// Raw is the record's JSON, from brace to brace. For a record that was
	// embedded as a string it is the unescaped text.
	Raw []byte
	// Offset is where the record starts in the (decompressed) stream: its
	// opening brace, or the opening quote of the string that holds it.
	Offset int64
	Kind   Kind
	// Envelope says what the record was wrapped in.
	Envelope Envelope
	// Top is where the value of the last top-level member of each Key is in
	// Raw; a Span of length 0 means that there is none. Top[KeyOther] is of no
	// use.
	Top [NumKeys]Span
}

// Value is the JSON value of the last top-level member named k, or nil when
// there is none.
func (r *Record) Value(k Key) []byte {
	v := r.Top[k]
	if v.End == 0 || k == KeyOther {
		return nil
	}
	return r.Raw[v.Start:v.End:v.End]
}

// Text is the text of the last top-level member named k when it is a string
// without escapes, which is what dispatch needs; ok is false otherwise.
func (r *Record) Text(k Key) (text []byte, ok bool) {
	v := r.Value(k)
	if len(v) < 2 || v[0] != '"' || bytes.IndexByte(v, '\\') >= 0 {
		return nil, false
	}
	return v[1 : len(v)-1 : len(v)-1], true
}
