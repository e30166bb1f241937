package checks_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/cloudtrail"
	"github.com/lamina-sec/lamina/internal/estate"
	"github.com/lamina-sec/lamina/internal/exception"
	"github.com/lamina-sec/lamina/internal/history"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/publishers"
	"github.com/lamina-sec/lamina/internal/sample"
)

// Beside an estate may stand logs, of June 2026 unless they say the month, and the estate as it was:
//
//	log 01T00:00 444455556666 eu-west-1       a record of another service
//	call 18T13:02 AddLayerVersionPermission acme-auth:7 by=ci sid=pub principal=*
//	call 18T13:20 GetLayerVersion arn:… by=ci account=444455556666
//	call 18T13:30 UpdateFunctionConfiguration billing layers=acme-auth:7
//	call 18T13:40 GetLayerVersion arn:… by=ann refused=true
//	was function billing layers=acme-auth:6
//
// by= is a role, by=user/ann a user. And what only people know:
//
//	pipeline arn:aws:iam::*:role/deploy-*
//	release arn:aws:lambda:*:464622532012:layer:Datadog-Extension:80 sha=CODE-SHA256
//	alerts layer-shared AddLayerVersionPermission except=END-OF-A-CALLER
//	waiting 2                                 rules that cannot be run
var besides = []string{"log", "call", "was", "pipeline", "release", "alerts", "waiting"}

// beside is the Input without the estate itself.
func beside(t *testing.T, text string) posture.Input {
	t.Helper()
	in := posture.Input{Publishers: builtin(t)}
	var releases []publishers.Release
	var earlier []string
	logs := history.NewCollector()
	n := 0
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || !slices.Contains(besides, words[0]):
			continue
		case words[0] == "was":
			earlier = append(earlier, strings.Join(words[1:], " "))
			continue
		case words[0] == "release":
			_, v := pairs(words[2:])
			l, err := lamina.ParseLayerARN(words[1])
			sum, bad := base64.StdEncoding.DecodeString(v["sha"])
			if err := errors.Join(err, bad); err != nil {
				t.Fatal(err)
			}
			releases = append(releases, publishers.Release{Layer: l, Digest: hex.EncodeToString(sum), Source: "its page"})
			continue
		case words[0] == "alerts" || words[0] == "waiting":
			if in.Alerting == nil {
				in.Alerting = &posture.Alerting{Rules: func(deeds []posture.Deed) ([][]string, error) { return make([][]string, len(deeds)), nil }}
			}
			alerting(t, in.Alerting, words)
			continue
		case words[0] == "pipeline":
			in.Pipeline = func(arn string) bool { return exception.Glob(words[1], arn, false) }
			continue
		}
		n++
		ev := &cloudtrail.Event{}
		if err := ev.Reset(record(t, n, words)); err != nil {
			t.Fatal(err)
		}
		if err := logs.Observe(ev); err != nil {
			t.Fatal(err)
		}
	}
	if n > 0 {
		var err error
		if in.Log, err = history.Join(logs); err != nil {
			t.Fatal(err)
		}
	}
	if len(releases) > 0 {
		var err error
		if in.Publishers, err = publishers.New(publishers.List{Publishers: in.Publishers.All(), Releases: releases}); err != nil {
			t.Fatal(err)
		}
	}
	if len(earlier) > 0 {
		in.Earlier = estate.New(parseEstate(t, strings.Join(earlier, "\n")), nil)
	}
	return in
}

// alerting adds a rule that alerts on calls of one name, but for those of a caller,
// or rules that cannot be run.
func alerting(t *testing.T, a *posture.Alerting, words []string) {
	t.Helper()
	p, v := pairs(words[1:])
	if words[0] == "waiting" {
		n, err := strconv.Atoi(p[0])
		if err != nil {
			t.Fatal(err)
		}
		a.Unrun = n
		return
	}
	others := a.Rules
	a.Rules = func(deeds []posture.Deed) ([][]string, error) {
		out, err := others(deeds)
		for i, d := range deeds {
			if d.API == p[1] && (v["except"] == "" || !strings.HasSuffix(d.Caller, v["except"])) {
				out[i] = append(out[i], p[0])
			}
		}
		return out, err
	}
}

// builtin is the registry of publishers that comes with Lamina, read once.
func builtin(t *testing.T) *publishers.Registry {
	t.Helper()
	r, err := readBuiltin()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var readBuiltin = sync.OnceValues(publishers.Builtin)

// record is the CloudTrail record of a line.
func record(t *testing.T, n int, words []string) []byte {
	t.Helper()
	p, v := pairs(words[1:])
	account, region := or(v["account"], home), or(v["region"], homeRegion)
	at := p[0]
	if len(at) == len("01T00:00") {
		at = "06-" + at
	}
	r := map[string]any{
		"eventID": fmt.Sprintf("e%d", n), "eventTime": "2026-" + at + ":00Z", "awsRegion": region, "recipientAccountId": account,
		"eventSource": "sts.amazonaws.com", "eventName": "GetCallerIdentity",
	}
	if words[0] == "log" {
		r["recipientAccountId"], r["awsRegion"] = p[1], p[2]
		return marshal(t, r)
	}
	who := "arn:aws:sts::" + account + ":assumed-role/" + or(v["by"], "ci") + "/session"
	if user, ok := strings.CutPrefix(v["by"], "user/"); ok {
		who = "arn:aws:iam::" + account + ":user/" + user
	}
	r["userIdentity"] = map[string]any{"arn": who, "accountId": account}
	r["eventSource"], r["eventName"] = "lambda.amazonaws.com", p[1]+"20181031"
	params := map[string]any{}
	subject := ""
	if len(p) > 2 {
		subject = p[2]
	}
	switch p[1] {
	case "CreateFunction", "UpdateFunctionConfiguration":
		layers := []string{}
		for _, l := range list(v["layers"]) {
			layers = append(layers, layerOf(l, account, region))
		}
		params["functionName"], params["layers"] = subject, layers
	case "GetLayerVersionByArn":
		params["arn"] = layerOf(subject, account, region)
	case "ListLayers":
	case "PublishLayerVersion":
		l := layerOf(subject, account, region)
		params["layerName"], _, _ = strings.Cut(subject, ":")
		r["responseElements"] = map[string]any{"layerVersionArn": l}
	default:
		l, err := lamina.ParseLayerARN(layerOf(subject, account, region))
		if err != nil {
			t.Fatal(err)
		}
		params["layerName"], params["versionNumber"] = l.Unversioned(), strconv.Itoa(l.Version)
		params["statementId"], params["principal"] = v["sid"], v["principal"]
		if v["org"] != "" {
			params["organizationId"] = v["org"]
		}
	}
	r["requestParameters"] = params
	if v["refused"] == "true" {
		r["requestParameters"] = nil
		r["errorCode"] = "AccessDenied"
		r["errorMessage"] = "User: " + who + " is not authorized to perform: lambda:GetLayerVersion on resource: " + layerOf(or(v["layers"], subject), account, region) + " because no resource-based policy allows the lambda:GetLayerVersion action"
	}
	return marshal(t, r)
}

func marshal(t *testing.T, r map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func layerOf(name, account, region string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:lambda:" + region + ":" + account + ":layer:" + name
}

// logOf is the trail of the sample organisation.
func logOf(t *testing.T, org *sample.Org) *history.Log {
	t.Helper()
	c := history.NewCollector()
	ev := &cloudtrail.Event{}
	for _, e := range org.Events() {
		if err := errors.Join(ev.Reset(e.Raw), c.Observe(ev)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := history.Join(c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
