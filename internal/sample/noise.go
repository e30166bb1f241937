package sample

import (
	"fmt"
	"math"
	"time"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// noiseEvents is how many records of everyday life surround the story.
const noiseEvents = 20_000

// noise adds everyday life: mostly reads by machines, more by day than by night,
// with configuration and code changes that touch no layers among them.
func (s *script) noise() {
	length := End.Sub(Start)
	for range noiseEvents {
		t := Start.Add(time.Duration(s.random.Int64N(int64(length)))).Truncate(time.Second)
		// Nights are quieter: of what falls into them, half moves to the day.
		if h := t.Hour(); (h < 6 || h > 20) && s.random.IntN(2) == 0 {
			t = t.Truncate(24 * time.Hour).Add(9*time.Hour + time.Duration(s.random.Int64N(int64(8*time.Hour)))).Truncate(time.Second)
		}
		s.steps = append(s.steps, step{at: t, do: s.everyday(s.random.IntN(1000))})
	}
}

// everyday returns one record; kind is one in a thousand.
func (s *script) everyday(kind int) func() {
	account := s.org.Accounts[s.random.IntN(len(s.org.Accounts))]
	f := s.funcs[s.random.IntN(len(s.funcs))]
	n := s.random.IntN(math.MaxInt32)
	switch {
	case kind < 12: // a change of configuration that names no layers
		return func() {
			// The function may have been deleted by then: the record says so.
			_, _ = s.as(terraform(f.account)).UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{
				FunctionName: f.name, Timeout: 5 + n%60, MemorySize: 128 << (n % 4),
			})
		}
	case kind < 30:
		return s.note(deployer(f.account), awsfake.Note{
			Source: "lambda.amazonaws.com", Name: "UpdateFunctionCode20150331v2",
			Parameters: fmt.Sprintf(`{"fullyQualifiedArn":{"arnPrefix":{"partition":"aws","region":%q,"account":%q},"relativeId":{"functionName":%q},"functionQualifier":{}},"functionName":%q,"s3Bucket":"acme-artifacts-%s","s3Key":"%s-%d.zip","publish":false,"dryRun":false}`,
				Region, f.account, f.name, f.name, f.account, f.name, n%1000),
			Response: fmt.Sprintf(`{"functionName":%q,"functionArn":"arn:aws:lambda:%s:%s:function:%s","runtime":"python3.12","version":"$LATEST","state":"Active","lastUpdateStatus":"InProgress","packageType":"Zip"}`,
				f.name, Region, f.account, f.name),
		})
	case kind < 34: // a layer is read by its owner
		l := shared[n%len(shared)]
		return func() { _, _ = s.as(deployer(Platform)).GetLayerVersion(l.name, l.versions) }
	case kind < 300:
		return s.note(awsfake.Caller{Account: account, Service: "lambda.amazonaws.com"}, awsfake.Note{
			Source: "sts.amazonaws.com", Name: "AssumeRole", ReadOnly: true,
			Parameters: fmt.Sprintf(`{"roleArn":"arn:aws:iam::%s:role/%s","roleSessionName":"awslambda_%d_%s"}`, account, services[n%len(services)], n%900+100, f.name),
			Response:   fmt.Sprintf(`{"credentials":{"accessKeyId":"ASIA%09dEXAMPLE","sessionToken":"HIDDEN_DUE_TO_SECURITY_REASONS","expiration":"Jun 30, 2026, 12:00:00 AM"}}`, n%1_000_000_000),
		})
	case kind < 560:
		role := services[n%len(services)]
		return s.note(awsfake.Caller{Account: account, Role: role, Session: f.name, Service: "lambda.amazonaws.com"}, awsfake.Note{
			Source: "kms.amazonaws.com", Name: "Decrypt", ReadOnly: true,
			Parameters: fmt.Sprintf(`{"encryptionContext":{"aws:lambda:FunctionArn":"arn:aws:lambda:%s:%s:function:%s"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`, Region, account, f.name),
		})
	case kind < 700:
		return s.note(awsfake.Caller{Account: account, Role: services[n%len(services)], Session: f.name, SourceIP: "10.0.3.17", UserAgent: "Boto3/1.34.60 md/Botocore#1.34.60"}, awsfake.Note{
			Source: "logs.amazonaws.com", Name: "CreateLogStream",
			Parameters: fmt.Sprintf(`{"logGroupName":"/aws/lambda/%s","logStreamName":"2026/06/%02d/[$LATEST]%08x"}`, f.name, 12+n%9, n),
		})
	}
	reads := []struct{ source, name, params string }{
		{"s3.amazonaws.com", "GetBucketAcl", fmt.Sprintf(`{"bucketName":"acme-artifacts-%s","Host":"acme-artifacts-%s.s3.%s.amazonaws.com","acl":""}`, account, account, Region)},
		{"ec2.amazonaws.com", "DescribeNetworkInterfaces", fmt.Sprintf(`{"networkInterfaceIdSet":{},"filterSet":{"items":[{"name":"group-id","valueSet":{"items":[{"value":"sg-%08x"}]}}]}}`, n)},
		{"iam.amazonaws.com", "GetRole", `{"roleName":"` + services[n%len(services)] + `"}`},
		{"lambda.amazonaws.com", "ListFunctions20150331", ""},
		{"lambda.amazonaws.com", "GetFunctionConfiguration20150331v2", `{"functionName":"` + f.name + `"}`},
		{"lambda.amazonaws.com", "GetFunction20150331v2", `{"functionName":"` + f.name + `"}`},
		{"ssm.amazonaws.com", "GetParameter", `{"name":"/acme/` + f.name + `/config","withDecryption":true}`},
		{"dynamodb.amazonaws.com", "DescribeTable", `{"tableName":"` + services[n%len(services)] + `"}`},
		{"monitoring.amazonaws.com", "DescribeAlarms", fmt.Sprintf(`{"alarmNamePrefix":"%s","maxRecords":%d}`, f.name, n%100)},
		{"sqs.amazonaws.com", "GetQueueAttributes", fmt.Sprintf(`{"queueUrl":"https://sqs.%s.amazonaws.com/%s/%s","attributeNames":["All"]}`, Region, account, services[n%len(services)])},
	}
	r := reads[n%len(reads)]
	note := awsfake.Note{Source: r.source, Name: r.name, ReadOnly: true, Parameters: r.params}
	if kind > 990 {
		note.ErrorCode, note.ErrorMessage = "AccessDenied", "User: arn:aws:iam::"+account+":user/auditor is not authorized to perform this action"
		note.Parameters = ""
	}
	caller := awsfake.Caller{Account: account, User: "auditor", SourceIP: "203.0.113.90", UserAgent: "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64"}
	if kind%3 == 0 {
		caller = terraform(account)
	}
	return s.note(caller, note)
}

func (s *script) note(c awsfake.Caller, n awsfake.Note) func() {
	return func() { s.as(c).Note(n) }
}
