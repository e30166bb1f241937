package cloudtrail

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/lamina-sec/lamina/ecs"
)

// realRecords are the records of the shared test data, compact as trails are;
// nil without it.
func realRecords(tb testing.TB) [][]byte {
	tb.Helper()
	root := os.Getenv("LAMINA_TESTDATA")
	if root == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(root, "cloudtrail", "*.ndjson"))
	if err != nil {
		tb.Fatal(err)
	}
	var out [][]byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var line struct{ Event json.RawMessage }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				tb.Fatal(err)
			}
			var c bytes.Buffer
			if err := json.Compact(&c, line.Event); err != nil {
				tb.Fatal(err)
			}
			out = append(out, c.Bytes())
		}
	}
	return out
}

// generatedRecords have the shape of real ones.
func generatedRecords(n int) [][]byte {
	var out [][]byte
	for i := range n {
		out = append(out, fmt.Appendf(nil, `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE%d:session","arn":"arn:aws:sts::111122223333:assumed-role/deploy/session-%d","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE%d","arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333","userName":"deploy"},"attributes":{"creationDate":"2024-05-01T10:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2024-05-01T10:%02d:%02dZ","eventSource":"lambda.amazonaws.com","eventName":"AddLayerVersionPermission20181031","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.%d","userAgent":"aws-cli/2.15.0 md/awscrt#0.19.19 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.6","requestParameters":{"layerName":"layer-%d","versionNumber":%d,"statementId":"share","principal":"*","action":"lambda:GetLayerVersion","organizationId":"o-exampleorgid"},"responseElements":{"statement":"{\"Sid\":\"share\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"lambda:GetLayerVersion\",\"Resource\":\"arn:aws:lambda:eu-west-1:111122223333:layer:layer-%d:1\"}","revisionId":"00000000-0000-4000-8000-%012d"},"requestID":"10000000-0000-4000-8000-%012d","eventID":"20000000-0000-4000-8000-%012d","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"lambda.eu-west-1.amazonaws.com"}}`,
			i, i, i, i, i/60%60, i%60, i%250, i, i, i, i, i, i))
	}
	return out
}

func benchRecords(b *testing.B) [][]byte {
	b.Helper()
	recs := realRecords(b)
	if recs == nil {
		recs = generatedRecords(1000)
	}
	n := 0
	for _, r := range recs {
		n += len(r)
	}
	b.SetBytes(int64(n))
	b.ReportAllocs()
	return recs
}

// BenchmarkReset is what every record of a trail costs the engine before any
// rule: the check of the whole record, provider and action.
func BenchmarkReset(b *testing.B) {
	recs := benchRecords(b)
	var e Event
	for b.Loop() {
		for _, r := range recs {
			if err := e.Reset(r); err != nil {
				b.Fatal(err)
			}
			if e.Provider() == "" && e.Action() == "" {
				b.Fatal("no provider and no action")
			}
		}
	}
}

// BenchmarkResetRecord is the same for a record that a Reader found.
func BenchmarkResetRecord(b *testing.B) {
	raws := benchRecords(b)
	recs := make([]Record, len(raws))
	for i, raw := range raws {
		var e Event
		if err := e.Reset(raw); err != nil {
			b.Fatal(err)
		}
		recs[i] = Record{Raw: raw, Top: e.top}
	}
	var e Event
	for b.Loop() {
		for i := range recs {
			e.ResetRecord(&recs[i])
			if e.Provider() == "" && e.Action() == "" {
				b.Fatal("no provider and no action")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(recs)), "ns/record")
}

// BenchmarkValues is what a record costs of which a rule reads the usual fields.
func BenchmarkValues(b *testing.B) {
	for _, set := range []struct {
		name   string
		fields []string
	}{
		{"outcome", []string{"event.outcome"}},
		{"identity", []string{
			"event.outcome", "aws.cloudtrail.user_identity.type", "aws.cloudtrail.user_identity.arn",
			"cloud.account.id", "user.name", "source.ip", "user_agent.original",
		}},
		{"request", []string{"aws.cloudtrail.request_parameters"}},
		{"entities", []string{"entity.target.id"}},
	} {
		b.Run(set.name, func(b *testing.B) {
			recs := benchRecords(b)
			var fields []*ecs.Field
			for _, f := range set.fields {
				fields = append(fields, ecs.Lookup(f))
			}
			var e Event
			for b.Loop() {
				for _, r := range recs {
					if err := e.Reset(r); err != nil {
						b.Fatal(err)
					}
					for _, f := range fields {
						e.Values(f)
					}
				}
			}
		})
	}
}

func BenchmarkDocument(b *testing.B) {
	recs := benchRecords(b)
	var e Event
	for b.Loop() {
		for _, r := range recs {
			if err := e.Reset(r); err != nil {
				b.Fatal(err)
			}
			e.Document()
		}
	}
}
