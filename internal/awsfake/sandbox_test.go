package awsfake_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// A sandbox is an account in which what AWS's documentation leaves open is tried.
type sandbox struct {
	t       *testing.T
	own     aws.Config
	foreign *aws.Config // of another account; nil when there is none
	account string      // of foreign
	role    string      // that functions get
	name    string      // of everything that is made
	// pause waits until CloudTrail may know more; it reports false when it should.
	pause   func() bool
	lambda  *lambda.Client
	answers []answer
}

// An answer is what was seen.
type answer struct{ Question, Asks, Says string }

// What docs/aws-sandbox.md lists is settled in an account of the caller's choice,
// and only there: make test-aws. It makes a layer and a function, changes them,
// and deletes them again. The answers of awsfake, which nobody could verify, are
// printed beside AWS's.
func TestSandbox(t *testing.T) {
	account := os.Getenv("LAMINA_SANDBOX_ACCOUNT")
	if account == "" {
		t.Skip("make test-aws runs it in a sandbox account (docs/aws-sandbox.md)")
	}
	s := &sandbox{t: t, role: os.Getenv("LAMINA_SANDBOX_ROLE"), name: "lamina-test-aws-" + time.Now().UTC().Format("20060102150405")}
	cfg, err := awsconfig.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.own = cfg
	me, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(me.Account) != account {
		t.Fatalf("the credentials are of account %s, not of the sandbox %s: nothing was done", aws.ToString(me.Account), account)
	}
	if profile := os.Getenv("LAMINA_SANDBOX_FOREIGN_PROFILE"); profile != "" {
		foreign, err := awsconfig.LoadDefaultConfig(t.Context(), awsconfig.WithSharedConfigProfile(profile), awsconfig.WithRegion(cfg.Region))
		if err != nil {
			t.Fatal(err)
		}
		other, err := sts.NewFromConfig(foreign).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		s.foreign, s.account = &foreign, aws.ToString(other.Account)
	}
	end := time.Now().Add(25 * time.Minute)
	s.pause = func() bool {
		time.Sleep(30 * time.Second)
		return time.Now().Before(end)
	}
	s.ask()
	fake := onFake(t)
	for i, a := range s.answers {
		t.Logf("%s %s\n  AWS:     %s\n  awsfake: %s", a.Question, a.Asks, a.Says, fake[i].Says)
	}
	if file := os.Getenv("LAMINA_SANDBOX_ANSWERS"); file != "" {
		data, err := json.MarshalIndent(map[string]any{"asked": time.Now().UTC(), "region": cfg.Region, "answers": s.answers}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The questions are asked of awsfake too: this is what it assumes of AWS.
func TestSandbox_on_the_fake(t *testing.T) {
	want := []answer{
		{"Q1", "does the owner's trail hold another account's GetLayerVersion?", "no"},
		{"Q2", "what is the eventName of AddLayerVersionPermission?", "AddLayerVersionPermission20181031"},
		{"Q4", "a change of a list that holds a deleted version", "InvalidParameterValueException"},
		{"Q5", "how many bytes may a layer version's policy have?", "PolicyLengthExceededException at about 20400 bytes"},
		{"Q6", "does attaching a layer log a GetLayerVersion of its own?", "no"},
	}
	if d := cmp.Diff(want, onFake(t)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func onFake(t *testing.T) []answer {
	t.Helper()
	f := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
	caller := func(account string) awsfake.Caller {
		return awsfake.Caller{Account: account, Role: "sandbox", Session: "test", SourceIP: "192.0.2.1", UserAgent: "test"}
	}
	foreign := config(f, caller("444455556666"), "eu-west-1")
	left := 3
	s := &sandbox{
		t: t, own: config(f, caller("111122223333"), "eu-west-1"), foreign: &foreign, account: "444455556666",
		role: "arn:aws:iam::111122223333:role/r", name: "lamina-test-aws",
		pause: func() bool { f.Advance(15 * time.Minute); left--; return left > 0 },
	}
	s.ask()
	return s.answers
}

func (s *sandbox) say(question, asks, says string) {
	s.answers = append(s.answers, answer{question, asks, says})
}

// ask settles the questions one after the other, and leaves nothing behind.
func (s *sandbox) ask() {
	ctx := s.t.Context()
	s.lambda = lambda.NewFromConfig(s.own)
	names := []string{s.name + "-a", s.name + "-b"}
	one := aws.Int64(1)
	s.t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		_, _ = s.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &s.name})
		for _, name := range names {
			_, _ = s.lambda.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &name, VersionNumber: one})
		}
	})
	var layers []string
	for _, name := range names {
		out, err := s.lambda.PublishLayerVersion(ctx, &lambda.PublishLayerVersionInput{LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: emptyZip}})
		if err != nil {
			s.t.Fatal(err)
		}
		layers = append(layers, aws.ToString(out.LayerVersionArn))
	}
	grant := func(sid, to string) error {
		_, err := s.lambda.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{
			LayerName: &names[0], VersionNumber: one, StatementId: &sid, Principal: &to, Action: aws.String("lambda:GetLayerVersion"),
		})
		return err
	}

	fetched := "not asked: no second account (LAMINA_SANDBOX_FOREIGN_PROFILE)"
	if s.foreign != nil {
		if err := grant("foreign", s.account); err != nil {
			s.t.Fatal(err)
		}
		_, err := lambda.NewFromConfig(*s.foreign).GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &layers[0]})
		fetched = code(err)
	}
	_, err := s.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: &s.name, Role: &s.role, Runtime: types.RuntimePython312, Handler: aws.String("a.b"), Code: &types.FunctionCode{ZipFile: emptyZip}, Layers: layers,
	})
	if err != nil {
		s.t.Fatal(err)
	}

	// Q4: a list that still holds a version that was deleted.
	if _, err := s.lambda.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: &names[1], VersionNumber: one}); err != nil {
		s.t.Fatal(err)
	}
	var change error
	for range 60 { // while the function is being made, AWS refuses every change
		_, change = s.lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &s.name, Layers: []string{layers[1], layers[0]}})
		if code(change) != "ResourceConflictException" || !s.pause() {
			break
		}
	}
	kept := code(change)
	if kept == "" {
		kept = "it is changed"
	}

	// Q5: how long a policy may be.
	full, size := "no limit was met", 0
	for i := range 400 {
		if err := grant(fmt.Sprintf("%0100d", i), "111122223333"); err != nil {
			full = code(err)
			break
		}
	}
	if p, err := s.lambda.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: &names[0], VersionNumber: one}); err == nil {
		size = len(aws.ToString(p.Policy))
	}

	// The rest is in CloudTrail, some minutes later.
	seen := s.events(ctx, "AddLayerVersionPermission", "CreateFunction")
	shared := "not seen"
	for _, e := range seen {
		if strings.HasPrefix(e.name, "AddLayerVersionPermission") {
			shared = e.name
		}
	}
	if fetched == "" {
		fetched = "no"
		if slices.ContainsFunc(seen, func(e event) bool { return e.fetch() && e.account == s.account }) {
			fetched = "yes"
		}
	}
	attached := "no"
	if slices.ContainsFunc(seen, func(e event) bool { return e.fetch() && e.account != s.account }) {
		attached = "yes"
	}
	s.say("Q1", "does the owner's trail hold another account's GetLayerVersion?", fetched)
	s.say("Q2", "what is the eventName of AddLayerVersionPermission?", shared)
	s.say("Q4", "a change of a list that holds a deleted version", kept)
	s.say("Q5", "how many bytes may a layer version's policy have?", fmt.Sprintf("%s at about %d00 bytes", full, size/100))
	s.say("Q6", "does attaching a layer log a GetLayerVersion of its own?", attached)
}

// An event is what is looked at of a record of CloudTrail.
type event struct{ name, account string }

// fetch reports whether somebody asked where a layer's content is.
func (e event) fetch() bool {
	return strings.HasPrefix(e.name, "GetLayerVersion") && !strings.HasPrefix(e.name, "GetLayerVersionPolicy")
}

// events are the records of Lambda about what was made, when all that begin as
// wanted are there, or after the last pause.
func (s *sandbox) events(ctx context.Context, wanted ...string) []event {
	s.t.Helper()
	client := cloudtrail.NewFromConfig(s.own)
	for {
		var seen []event
		in := &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{
			AttributeKey: trailtypes.LookupAttributeKeyEventSource, AttributeValue: aws.String("lambda.amazonaws.com"),
		}}}
		for p := cloudtrail.NewLookupEventsPaginator(client, in); p.HasMorePages(); {
			out, err := p.NextPage(ctx)
			if err != nil {
				s.t.Fatal(err)
			}
			for _, e := range out.Events {
				text := aws.ToString(e.CloudTrailEvent)
				if !strings.Contains(text, s.name) {
					continue
				}
				var r struct {
					EventName    string
					UserIdentity struct{ AccountID string }
				}
				if err := json.Unmarshal([]byte(text), &r); err != nil {
					s.t.Fatal(err)
				}
				seen = append(seen, event{r.EventName, r.UserIdentity.AccountID})
			}
		}
		all := !slices.ContainsFunc(wanted, func(w string) bool {
			return !slices.ContainsFunc(seen, func(e event) bool { return strings.HasPrefix(e.name, w) })
		})
		if all || !s.pause() {
			return seen
		}
	}
}

// emptyZip is the end record of a zip without entries.
var emptyZip = append([]byte("PK\x05\x06"), make([]byte, 18)...)
