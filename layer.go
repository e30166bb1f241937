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

func (l LayerARN) String() string { return l.ARN.String() }

// A LayerVersion is one version of a layer and who it is granted to.
type LayerVersion struct {
	ARN        string    `json:"arn"` // with the version
	Account    string    `json:"account"`
	Region     string    `json:"region"`
	Name       string    `json:"name"`
	Version    int       `json:"version"`
	Created    time.Time `json:"created"`
	CodeSHA256 string    `json:"code_sha256,omitempty"`
	CodeSize   int64     `json:"code_size,omitempty"`
	// Policy is the resource policy; nil when the layer version has none.
	// PolicyUnknown is why it could not be read, "" when it was.
	Policy        *LayerPolicy `json:"policy,omitempty"`
	PolicyUnknown string       `json:"policy_unknown,omitempty"`
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
}

// A Function is a Lambda function or one published version of it.
type Function struct {
	ARN     string   `json:"arn"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	Name    string   `json:"name"`
	Version string   `json:"version"` // "$LATEST" or a number
	Role    string   `json:"role"`
	Runtime string   `json:"runtime"`
	Layers  []string `json:"layers"` // layer version ARNs in order
}

// A Snapshot is what was read of an estate: the same estate gives the same
// bytes. Coverage says what could not be read.
type Snapshot struct {
	Version   int            `json:"version"`
	Taken     time.Time      `json:"taken"`
	OrgID     string         `json:"org_id,omitempty"`
	Accounts  []string       `json:"accounts"`
	Layers    []LayerVersion `json:"layers"`
	Functions []Function     `json:"functions"`
	Coverage  []Gap          `json:"coverage,omitempty"`
}

// A Gap is something the collector could not read.
type Gap struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Action  string `json:"action"` // the IAM action that was denied or failed
	Reason  string `json:"reason"`
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
