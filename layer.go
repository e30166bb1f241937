package lamina

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A LayerARN names a layer, or one version of it when Version is not 0. The
// legacy form arn:*:lambda:::awslayer:NAME has Legacy set and no account.
type LayerARN struct {
	ARN     ARN
	Name    string
	Version int
	Legacy  bool
}

// ParseLayerARN parses the forms Lambda accepts:
// arn:P:lambda:R:ACCT:layer:NAME, the same with :VERSION, and
// arn:P:lambda:::awslayer:NAME.
func ParseLayerARN(s string) (LayerARN, error) {
	a, err := ParseARN(s)
	if err != nil {
		return LayerARN{}, err
	}
	p := strings.Split(a.Resource, ":")
	l := LayerARN{ARN: a}
	switch {
	case a.Service == "lambda" && p[0] == "awslayer" && len(p) == 2 && p[1] != "":
		l.Name, l.Legacy = p[1], true
		return l, nil
	case a.Service == "lambda" && p[0] == "layer" && (len(p) == 2 || len(p) == 3) && p[1] != "" && a.Account != "":
		l.Name = p[1]
		if len(p) == 3 {
			n, err := strconv.Atoi(p[2])
			if err != nil || n <= 0 {
				return LayerARN{}, fmt.Errorf("%q: layer version %q is not a positive number", s, p[2])
			}
			l.Version = n
		}
		return l, nil
	}
	return LayerARN{}, fmt.Errorf("%q is not a layer ARN: want arn:PARTITION:lambda:REGION:ACCOUNT:layer:NAME[:VERSION]", s)
}

// Unversioned is the layer's ARN without the version.
func (l LayerARN) Unversioned() string {
	a := l.ARN
	if !l.Legacy {
		a.Resource = "layer:" + l.Name
	}
	return a.String()
}

// Versioned is the ARN of the layer's version.
func (l LayerARN) Versioned() string {
	return l.Unversioned() + ":" + strconv.Itoa(l.Version)
}

func (l LayerARN) String() string { return l.ARN.String() }

// A LayerVersion is one version of a layer and who it is granted to.
type LayerVersion struct {
	ARN         string    `json:"arn"` // with the version
	Account     string    `json:"account"`
	Region      string    `json:"region"`
	Name        string    `json:"name"`
	Version     int       `json:"version"`
	Description string    `json:"description,omitempty"`
	Created     time.Time `json:"created"`
	// CompatibleRuntimes, CompatibleArchitectures and LicenseInfo are what the
	// publisher said of it; empty when it said nothing.
	CompatibleRuntimes      []string `json:"compatible_runtimes,omitempty"`
	CompatibleArchitectures []string `json:"compatible_architectures,omitempty"`
	LicenseInfo             string   `json:"license_info,omitempty"`
	// CodeSHA256 is the digest of the zip in base64, as AWS states it.
	CodeSHA256               string `json:"code_sha256,omitempty"`
	CodeSize                 int64  `json:"code_size,omitempty"`
	SigningProfileVersionARN string `json:"signing_profile_version_arn,omitempty"`
	SigningJobARN            string `json:"signing_job_arn,omitempty"`
	// Reference is the object that holds the zip when Lambda keeps no copy of it
	// (S3ObjectStorageMode REFERENCE); nil when it does.
	Reference *S3Object `json:"reference,omitempty"`
	// Policy is the resource policy; nil when the layer version has none, and
	// when it could not be read, which the snapshot's coverage says. PolicyRead is
	// when it was read: it may be older than the snapshot.
	Policy     *LayerPolicy `json:"policy,omitempty"`
	PolicyRead time.Time    `json:"policy_read,omitzero"`
	// Origin is where infrastructure code declares it; nil for what was read of AWS.
	Origin *Origin `json:"origin,omitempty"`
}

// An S3Object is one version of an object.
type S3Object struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	VersionID string `json:"version_id,omitempty"`
}

// An Origin is a place in infrastructure code.
type Origin struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1
}

// A LayerPolicy is the grants of a layer version.
type LayerPolicy struct {
	RevisionID string  `json:"revision_id"`
	Grants     []Grant `json:"grants"`
}

// A Grant is one statement of a layer version's policy. AWS lets it hold one
// action (lambda:GetLayerVersion) and one of three principals
// (https://docs.aws.amazon.com/lambda/latest/api/API_AddLayerVersionPermission.html).
type Grant struct {
	StatementID string `json:"statement_id"`
	Action      string `json:"action"`
	// Principal is "*", an account id, or as written when it is neither.
	Principal string `json:"principal"`
	// OrganizationID limits "*" to one organisation.
	OrganizationID string `json:"organization_id,omitempty"`
	// Origin is where infrastructure code declares it; nil for what was read of AWS.
	Origin *Origin `json:"origin,omitempty"`
}

// A GrantScope says how far a grant of a layer version reaches, seen from the
// organisation that Lamina was told about (DESIGN §4).
type GrantScope string

// The scopes, from widest to narrowest and then the ones that say what is not known.
const (
	ScopePublic              GrantScope = "public"
	ScopeForeignOrganization GrantScope = "foreign_organization"
	ScopeUnknownAccount      GrantScope = "unknown_account"
	ScopeVendorAccount       GrantScope = "vendor_account"
	ScopeOwnOrganization     GrantScope = "own_organization"
	ScopeOrganizationAccount GrantScope = "organization_account"
	ScopeOwnAccount          GrantScope = "own_account"
	ScopeUndetermined        GrantScope = "undetermined"
	ScopeUnknownPrincipal    GrantScope = "unknown_principal"
)
