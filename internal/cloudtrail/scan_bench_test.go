package cloudtrail

import (
	"strings"
	"testing"
)

func benchText() []byte {
	rec := `{"eventVersion":"1.08","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE1:session","arn":"arn:aws:sts::111122223333:assumed-role/deploy/session","accountId":"111122223333","accessKeyId":"ASIAEXAMPLEEXAMPLE12","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE1","arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333","userName":"deploy"},"webIdFederationData":{},"attributes":{"creationDate":"2023-07-10T11:42:15Z","mfaAuthenticated":"false"}}},"eventTime":"2023-07-10T11:50:15Z","eventSource":"ec2.amazonaws.com","eventName":"DescribeInstances","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.20","userAgent":"aws-sdk-go/1.44.157 (go1.19.3; linux; amd64)","requestParameters":{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]},"filterSet":{}},"responseElements":null,"requestID":"35e74cf4-740b-49c4-8b36-f231ee8cc310","eventID":"35e74cf4-740b-49c4-8b36-f231ee8cc311","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","clientProvidedHostHeader":"ec2.us-east-1.amazonaws.com"}}`
	return []byte(`{"Records":[` + strings.Repeat(rec+",", 3000) + rec + `]}`)
}

func BenchmarkIndexer(b *testing.B) {
	text := benchText()
	tape := make([]uint32, 1<<14)
	quotes, slashes := make([]uint64, len(text)/64+1), make([]uint64, len(text)/64+1)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var x indexer
		for i := 0; i < len(text); i += 1 << 14 {
			x.run(text, i, min(i+1<<14, len(text)), i, tape, quotes, slashes)
		}
	}
}
