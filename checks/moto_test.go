package checks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/signer"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsread"
	"github.com/lamina-sec/lamina/internal/collect"
	"github.com/lamina-sec/lamina/internal/posture"
	"github.com/lamina-sec/lamina/internal/sample"
)

const (
	motoVersion = "5.2.1"
	motoAccount = "123456789012" // that of callers without a role
	motoOther   = "111122223333"
)

// TestMoto puts the collector and the checks before an AWS that others wrote:
// moto (https://github.com/getmoto/moto), over HTTP, through the SDK. Its golden
// is its own, because moto is not AWS: the first part lists where it differs in
// what Lamina reads, the second what the collector could not read, the third the
// findings. What it gets wrong must show as a gap or be known here, not as a pass.
func TestMoto(t *testing.T) {
	if os.Getenv("LAMINA_INTEGRATION") == "" {
		t.Skip("make test-integration runs it")
	}
	m := &motoEstate{t: t, endpoint: startMoto(t)}
	m.as(motoAccount)
	m.build()
	m.holes()
	got := &txtar.Archive{
		Comment: []byte("What moto " + motoVersion + " makes of TestMoto's estate. LAMINA_UPDATE=1 make test-integration writes it.\n"),
		Files:   []txtar.File{{Name: "holes", Data: []byte(m.table.String())}},
	}
	gaps, findings := m.collect()
	got.Files = append(got.Files, txtar.File{Name: "gaps", Data: []byte(gaps)}, txtar.File{Name: "findings", Data: []byte(findings)})
	for i := range got.Files {
		got.Files[i].Data = steady(got.Files[i].Data)
	}
	file := filepath.Join("testdata", "moto", motoVersion+".txtar")
	if os.Getenv("LAMINA_UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(txtar.Format(got))); d != "" {
		t.Errorf("%s differs; LAMINA_UPDATE=1 accepts (-want +got):\n%s", file, d)
	}
}

// steady replaces what is different in every run of moto.
func steady(text []byte) []byte {
	for _, r := range []struct{ pattern, with string }{
		{`\bo-[a-z0-9]{10}\b`, "o-exampleorgid"},
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "UUID"},
		{`\b20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]( [0-9][0-9]:[0-9][0-9] UTC)?`, "DATE"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAll(text, []byte(r.with))
	}
	return text
}

// startMoto starts moto's server on loopback and returns its address: with the
// moto of this machine's python, or one in a venv in .cache.
func startMoto(t *testing.T) string {
	t.Helper()
	python, err := motoPython(t)
	if err != nil {
		t.Skipf("moto %s: %v", motoVersion, err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), python, "-m", "moto.server", "-H", host, "-p", port) // ends with the test
	var out bytes.Buffer
	server.Stdout, server.Stderr = &out, &out
	if err := server.Start(); err != nil {
		t.Skipf("moto %s: %v", motoVersion, err)
	}
	ended := make(chan struct{})
	var why error
	go func() {
		defer close(ended)
		why = server.Wait()
	}()
	t.Cleanup(func() { <-ended }) // or it outlives the test
	for range 600 {
		r, err := http.Get("http://" + address + "/moto-api/")
		if err == nil {
			if err := r.Body.Close(); err != nil {
				t.Fatal(err)
			}
			return "http://" + address
		}
		select {
		case <-ended:
			t.Skipf("moto %s: the server ended: %v: %s", motoVersion, why, out.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatalf("moto does not answer: %s", out.String())
	return ""
}

// motoPython is a python that has moto.
func motoPython(t *testing.T) (string, error) {
	t.Helper()
	has := func(python string) bool {
		out, err := exec.CommandContext(t.Context(), python, "-c", "import importlib.metadata as m; print(m.version('moto')); import moto.server").Output()
		return err == nil && strings.TrimSpace(string(out)) == motoVersion
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", err
	}
	if has(python) {
		return python, nil
	}
	dir, err := filepath.Abs(filepath.Join("..", ".cache", "moto-"+motoVersion))
	if err != nil {
		return "", err
	}
	own := filepath.Join(dir, "bin", "python")
	if has(own) {
		return own, nil
	}
	for _, args := range [][]string{{python, "-m", "venv", dir}, {own, "-m", "pip", "install", "-q", "moto[server]==" + motoVersion}} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
		cancel()
		if err != nil {
			return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
		}
	}
	if !has(own) {
		return "", errors.New("it was installed, and is not there")
	}
	return own, nil
}

// A motoEstate is an estate in moto, and what was found out about moto.
type motoEstate struct {
	t        *testing.T
	endpoint string
	cfg      aws.Config
	lambda   *lambda.Client
	table    strings.Builder
}

// as makes the calls that follow those of an account.
func (m *motoEstate) as(account string) {
	m.t.Helper()
	m.cfg = aws.Config{
		Region: sample.Region, BaseEndpoint: &m.endpoint, Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
		RetryMaxAttempts: 1,
	}
	if account != motoAccount {
		out, err := sts.NewFromConfig(m.cfg).AssumeRole(m.t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::" + account + ":role/collect"), RoleSessionName: aws.String("test"),
		})
		m.check(err)
		m.cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	}
	m.lambda = lambda.NewFromConfig(m.cfg)
}

func (m *motoEstate) check(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *motoEstate) layer(account, name string, version int) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:layer:%s:%d", sample.Region, account, name, version)
}

func (m *motoEstate) publish(name string) {
	m.t.Helper()
	_, err := m.lambda.PublishLayerVersion(m.t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: emptyZip}, CompatibleRuntimes: []types.Runtime{types.RuntimePython312},
	})
	m.check(err)
}

// emptyZip is the end record of a zip without entries.
var emptyZip = append([]byte("PK\x05\x06"), make([]byte, 18)...)

func (m *motoEstate) share(in lambda.AddLayerVersionPermissionInput) error {
	in.Action = aws.String("lambda:GetLayerVersion")
	_, err := m.lambda.AddLayerVersionPermission(m.t.Context(), &in)
	return err
}

func (m *motoEstate) function(name string, in lambda.CreateFunctionInput) (*lambda.CreateFunctionOutput, error) {
	in.FunctionName, in.Runtime, in.Handler, in.Role = &name, types.RuntimePython312, aws.String("app.run"), aws.String("arn:aws:iam::"+motoAccount+":role/app")
	in.Code = &types.FunctionCode{ZipFile: emptyZip}
	return m.lambda.CreateFunction(m.t.Context(), &in)
}

// build makes a small estate: a layer shared with everyone, an organisation and
// an account; one that a function loads though it is deleted; functions, a role,
// a user, a trail and a topic.
func (m *motoEstate) build() {
	m.t.Helper()
	ctx := m.t.Context()
	org, err := organizations.NewFromConfig(m.cfg).CreateOrganization(ctx, &organizations.CreateOrganizationInput{FeatureSet: organizationtypes.OrganizationFeatureSetAll})
	m.check(err)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	people := iam.NewFromConfig(m.cfg)
	_, err = people.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: &trust})
	m.check(err)
	_, err = people.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("app"), PolicyName: aws.String("own"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:AddLayerVersionPermission","Resource":"*"}]}`),
	})
	m.check(err)
	_, err = people.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")})
	m.check(err)
	for range 4 {
		m.publish("utils")
	}
	version := func(n int64) lambda.AddLayerVersionPermissionInput {
		return lambda.AddLayerVersionPermissionInput{LayerName: aws.String("utils"), VersionNumber: &n, StatementId: aws.String("share"), Principal: aws.String("*")}
	}
	m.check(m.share(version(1)))
	in := version(2)
	in.OrganizationId = org.Organization.Id
	m.check(m.share(in))
	in = version(3)
	in.Principal = aws.String("444455556666")
	m.check(m.share(in))
	m.publish("old")
	_, err = m.function("api", lambda.CreateFunctionInput{Layers: []string{m.layer(motoAccount, "utils", 1)}, Publish: true})
	m.check(err)
	_, err = m.function("job", lambda.CreateFunctionInput{
		Layers: []string{m.layer(motoAccount, "old", 1)}, Environment: &types.Environment{Variables: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap", "TOKEN": "x"}},
	})
	m.check(err)
	_, err = m.lambda.DeleteLayerVersion(ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String("old"), VersionNumber: aws.Int64(1)})
	m.check(err)
	_, err = sns.NewFromConfig(m.cfg).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("alerts")})
	m.check(err)
	m.as(motoOther)
	m.publish("partner")
	n := int64(1)
	m.check(m.share(lambda.AddLayerVersionPermissionInput{LayerName: aws.String("partner"), VersionNumber: &n, StatementId: aws.String("all"), Principal: aws.String("*")}))
	m.publish("utils")
	m.as(motoAccount)
}

// row writes what AWS does in a case and what moto did.
func (m *motoEstate) row(what, amazon, moto string) {
	mark := "hole"
	if amazon == moto {
		mark, moto = "ok  ", ""
	} else {
		moto = "; moto: " + moto
	}
	fmt.Fprintf(&m.table, "%s  %s: %s%s\n", mark, what, amazon, moto)
}

// answer is the code of an error, or what there was without one.
func answer(err error, ok string) string {
	if err == nil {
		return ok
	}
	if api, found := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); found && api.ErrorCode() != "UnknownError" {
		return api.ErrorCode()
	}
	if r, found := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); found {
		return fmt.Sprintf("HTTP %d without an error code", r.HTTPStatusCode())
	}
	return "no answer that the SDK can read"
}

// holes asks moto what spec and AWS's documentation settle, and writes down where
// it answers otherwise.
func (m *motoEstate) holes() {
	m.t.Helper()
	ctx, own := m.t.Context(), m.lambda
	name, one, foreign := aws.String("utils"), aws.Int64(1), m.layer(motoOther, "partner", 1)

	got, err := own.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: name, VersionNumber: one})
	m.check(err)
	location, _, _ := strings.Cut(aws.ToString(got.Content.Location), "://")
	m.row("where the content is", "https", location)
	arn, err := own.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: aws.String(m.layer(motoAccount, "utils", 1))})
	m.row("GetLayerVersionByArn", "the version", answer(err, map[bool]string{true: "the version", false: "200 and nothing"}[arn != nil && aws.ToString(arn.LayerVersionArn) != ""]))
	_, err = own.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: aws.String(strings.TrimSuffix(foreign, ":1")), VersionNumber: one})
	m.row("another account's layer that is shared", "the version", answer(err, "the version"))
	_, err = own.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: aws.String(strings.TrimSuffix(m.layer(motoOther, "utils", 1), ":1")), VersionNumber: one})
	m.row("another account's layer that is not shared", "AccessDeniedException", answer(err, "the version"))
	_, err = own.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: aws.String(strings.TrimSuffix(foreign, ":1"))})
	m.row("versions of another account's layer", "AccessDeniedException", answer(err, "an empty list"))
	_, err = m.function("hole-foreign", lambda.CreateFunctionInput{Layers: []string{foreign}})
	m.row("attach another account's layer that is shared", "attached", answer(err, "attached"))
	made, err := m.function("hole-name", lambda.CreateFunctionInput{Layers: []string{m.layer(motoOther, "utils", 1)}})
	attached := "attached"
	if err == nil && len(made.Layers) > 0 && aws.ToString(made.Layers[0].Arn) != m.layer(motoOther, "utils", 1) {
		attached = "attached our own layer of that name"
	}
	m.row("attach another account's layer that is not shared", "AccessDeniedException", answer(err, attached))
	_, err = m.function("hole-six", lambda.CreateFunctionInput{Layers: slices.Repeat([]string{m.layer(motoAccount, "utils", 4)}, 6)})
	m.row("six layers, all the same", "InvalidParameterValueException", answer(err, "attached"))
	policy := func(n int64) string {
		out, err := own.GetLayerVersionPolicy(ctx, &lambda.GetLayerVersionPolicyInput{LayerName: name, VersionNumber: &n})
		return answer(err, aws.ToString(outPolicy(out)))
	}
	m.row("a grant to an account", "names its root", map[bool]string{true: "names its root", false: "names twelve digits"}[strings.Contains(policy(3), ":root")])
	m.row("a grant to an organisation", "has a Condition", map[bool]string{true: "has a Condition", false: "has no Condition"}[strings.Contains(policy(2), "Condition")])
	m.row("a version without a policy", "ResourceNotFoundException", policy(4))
	sid := lambda.AddLayerVersionPermissionInput{LayerName: name, VersionNumber: aws.Int64(4), StatementId: aws.String("twice"), Principal: aws.String(motoOther)}
	m.check(m.share(sid))
	m.row("a statement id that is taken", "ResourceConflictException", answer(m.share(sid), "added"))
	sid.StatementId, sid.RevisionId = aws.String("stale"), aws.String("stale")
	m.row("a grant with a stale revision id", "PreconditionFailedException", answer(m.share(sid), "added"))
	_, err = own.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{LayerName: name, VersionNumber: one, StatementId: aws.String("share"), RevisionId: aws.String("stale")})
	m.row("a removal with a stale revision id", "PreconditionFailedException", answer(err, "removed"))
	_, err = own.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{LayerName: name, VersionNumber: one, StatementId: aws.String("none")})
	m.row("a removal of no statement", "ResourceNotFoundException", answer(err, "removed"))
	versions, err := own.ListLayerVersions(ctx, &lambda.ListLayerVersionsInput{LayerName: name, MaxItems: aws.Int32(1)})
	m.check(err)
	m.row("ListLayerVersions with MaxItems 1", "1 in the page", fmt.Sprintf("%d in the page", len(versions.LayerVersions)))
	functions, err := own.ListFunctions(ctx, &lambda.ListFunctionsInput{MaxItems: aws.Int32(1)})
	m.check(err)
	m.row("ListFunctions with MaxItems 1", "1 in the page", map[bool]string{true: "1 in the page", false: "all in the page"}[len(functions.Functions) == 1])
	_, err = own.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("api"), RevisionId: aws.String("stale"), Timeout: aws.Int32(9)})
	m.row("a change of a function with a stale revision id", "PreconditionFailedException", answer(err, "changed"))
	api, err := own.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("api")})
	m.check(err)
	m.row("a function's revision id", "there", map[bool]string{true: "there", false: "not there"}[aws.ToString(api.RevisionId) != ""])
	job, err := own.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("job")})
	m.check(err)
	m.row("a function whose layer was deleted", "lists it", map[bool]string{true: "lists it", false: "does not list it"}[len(job.Layers) == 1])
	whole, err := own.ListFunctions(ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll})
	m.check(err)
	m.row("published versions with FunctionVersion ALL", "listed", map[bool]string{true: "listed", false: "not listed"}[slices.ContainsFunc(whole.Functions, func(f types.FunctionConfiguration) bool {
		return aws.ToString(f.FunctionName) == "api" && aws.ToString(f.Version) == "1"
	})])
	_, err = own.CreateCodeSigningConfig(ctx, &lambda.CreateCodeSigningConfigInput{AllowedPublishers: &types.AllowedPublishers{
		SigningProfileVersionArns: []string{"arn:aws:signer:" + sample.Region + ":" + motoAccount + ":/signing-profiles/ci/abcdefghij"},
	}})
	m.row("CreateCodeSigningConfig", "made", answer(err, "made"))
	_, err = own.ListFunctionUrlConfigs(ctx, &lambda.ListFunctionUrlConfigsInput{FunctionName: aws.String("api")})
	m.row("ListFunctionUrlConfigs", "an empty list", answer(err, "an empty list"))
	_, err = own.GetRuntimeManagementConfig(ctx, &lambda.GetRuntimeManagementConfigInput{FunctionName: aws.String("api")})
	m.row("GetRuntimeManagementConfig", "an answer", answer(err, "an answer"))
	_, err = own.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	m.row("GetAccountSettings", "an answer", answer(err, "an answer"))
	_, err = accessanalyzer.NewFromConfig(m.cfg).ListAnalyzers(ctx, &accessanalyzer.ListAnalyzersInput{})
	m.row("access-analyzer ListAnalyzers", "an empty list", answer(err, "an empty list"))
	_, err = signer.NewFromConfig(m.cfg).ListSigningProfiles(ctx, &signer.ListSigningProfilesInput{})
	m.row("signer ListSigningProfiles", "an empty list", answer(err, "an empty list"))
	_, err = cloudtrail.NewFromConfig(m.cfg).LookupEvents(ctx, &cloudtrail.LookupEventsInput{})
	m.row("cloudtrail LookupEvents", "the last events", answer(err, "an empty list"))
	for _, f := range []string{"hole-foreign", "hole-name", "hole-six"} {
		if _, err := own.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &f}); err != nil && answer(err, "") != "ResourceNotFoundException" {
			m.t.Fatal(err)
		}
	}
	for _, s := range []string{"twice", "stale", "twice"} {
		_, err := own.RemoveLayerVersionPermission(ctx, &lambda.RemoveLayerVersionPermissionInput{LayerName: name, VersionNumber: aws.Int64(4), StatementId: &s})
		if err != nil && answer(err, "") != "ResourceNotFoundException" {
			m.t.Fatal(err)
		}
	}
}

func outPolicy(out *lambda.GetLayerVersionPolicyOutput) *string {
	if out == nil {
		return nil
	}
	return out.Policy
}

// collect reads the estate with Lamina's own reader, as of a day that is after
// moto made it, and judges it.
func (m *motoEstate) collect() (gaps, findings string) {
	m.t.Helper()
	now := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	session := awsread.New(awsread.Options{
		Region: sample.Region, AccessKeyID: "AKID", SecretAccessKey: "SECRET", Endpoint: m.endpoint, Attempts: 1, Poll: time.Millisecond,
	})
	o := collect.Options{Now: now, Jobs: 1}
	var err error
	o.Organization, err = collect.Discover(m.t.Context(), motoAccount, session.In(sample.Region), now, true)
	m.check(err)
	o.Accounts = []collect.Account{{ID: motoAccount, Session: session, Regions: []string{sample.Region}, Home: sample.Region}}
	s, err := collect.Collect(m.t.Context(), o)
	m.check(err)
	var lines []string
	for _, target := range s.Targets {
		for _, g := range target.Gaps {
			lines = append(lines, fmt.Sprintf("%s %s: %s\n", g.Action, strings.Join(g.Resources, " "), first(g.Reason)))
		}
	}
	slices.Sort(lines)
	by := judged(m.t, s, posture.Input{})
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(by)) {
		b.WriteString("# " + id + "\n" + by[id])
	}
	return strings.Join(lines, ""), b.String()
}

// first is the first words of a reason: an emulator may put a whole page there.
func first(reason string) string {
	line, _, _ := strings.Cut(reason, "\n")
	return line[:min(len(line), 160)]
}

// What moto keeps of Security Hub and Inspector, which the test puts there itself,
// comes back through the SDK as findings.
func TestMoto_services(t *testing.T) {
	if os.Getenv("LAMINA_INTEGRATION") == "" {
		t.Skip("make test-integration runs it")
	}
	m := &motoEstate{t: t, endpoint: startMoto(t)}
	m.as(motoAccount)
	ctx, layer, function := t.Context(), m.layer(motoAccount, "utils", 1), "arn:aws:lambda:"+sample.Region+":"+motoAccount+":function:api"
	hub := securityhub.NewFromConfig(m.cfg)
	_, err := hub.EnableSecurityHub(ctx, &securityhub.EnableSecurityHubInput{})
	m.check(err)
	imported := func(id, kind, resource string) hubtypes.AwsSecurityFinding {
		at := aws.String("2026-06-18T12:00:00Z")
		return hubtypes.AwsSecurityFinding{
			Id: &id, AwsAccountId: aws.String(motoAccount), CreatedAt: at, UpdatedAt: at, FirstObservedAt: at, LastObservedAt: at, Title: aws.String("title of " + id), Description: aws.String("long"),
			GeneratorId: aws.String("test"), ProductArn: aws.String("arn:aws:securityhub:" + sample.Region + ":" + motoAccount + ":product/" + motoAccount + "/default"), SchemaVersion: aws.String("2018-10-08"),
			Types: []string{"Software and Configuration Checks"}, Severity: &hubtypes.Severity{Label: hubtypes.SeverityLabelHigh}, RecordState: hubtypes.RecordStateActive,
			Resources: []hubtypes.Resource{{Id: &resource, Type: &kind, Region: aws.String(sample.Region)}},
		}
	}
	batch, err := hub.BatchImportFindings(ctx, &securityhub.BatchImportFindingsInput{Findings: []hubtypes.AwsSecurityFinding{
		imported("of-a-layer", "AwsLambdaLayerVersion", layer), imported("of-a-function", "AwsLambdaFunction", function+":$LATEST"), imported("of-a-bucket", "AwsS3Bucket", "arn:aws:s3:::b"),
	}})
	if err != nil || aws.ToInt32(batch.SuccessCount) != 3 {
		t.Fatalf("%+v, %v", batch, err)
	}
	seed := `{"results":[[{"awsAccountId":"` + motoAccount + `","findingArn":"arn:aws:inspector2:` + sample.Region + `:` + motoAccount + `:finding/1","type":"PACKAGE_VULNERABILITY","severity":"HIGH","status":"ACTIVE","title":"CVE-2099-0001 - old","resources":[{"id":"` + function + `:$LATEST","type":"AWS_LAMBDA_FUNCTION"}]}]],"account_id":"` + motoAccount + `","region":"` + sample.Region + `"}`
	r, err := http.Post(m.endpoint+"/moto-api/static/inspector2/findings-results", "application/json", strings.NewReader(seed))
	m.check(err)
	m.check(r.Body.Close())
	c := awsread.New(awsread.Options{Region: sample.Region, AccessKeyID: "AKID", SecretAccessKey: "SECRET", Endpoint: m.endpoint, Attempts: 1}).In(sample.Region)
	var got []string
	say := func(fs []lamina.ServiceFinding, err error) {
		m.check(err)
		for _, x := range fs {
			got = append(got, strings.Join(append([]string{x.Service, x.Product, x.Severity, x.Title}, x.Resources...), " "))
		}
	}
	found, closed, err := c.HubFindings(ctx, motoAccount)
	say(found, err)
	say(c.InspectorFindings(ctx, motoAccount))
	want := []string{
		"securityhub " + motoAccount + "/default HIGH title of of-a-layer " + layer,
		"securityhub " + motoAccount + "/default HIGH title of of-a-function " + function,
		"securityhub " + motoAccount + "/default HIGH title of of-a-bucket", // moto looks at no filter of the kind: it names no resource of Lambda
		"inspector2  HIGH CVE-2099-0001 - old " + function,
	}
	if d := cmp.Diff(want, got); d != "" || closed != 0 {
		t.Errorf("%d closed (-want +got):\n%s", closed, d)
	}
}
