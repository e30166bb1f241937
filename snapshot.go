package lamina

import "time"

// A Snapshot is what was read of an estate: the same estate gives the same
// bytes. Targets says what was read and what could not be: a slice that is
// empty says nothing by itself.
type Snapshot struct {
	Version int       `json:"version"`
	Taken   time.Time `json:"taken"`
	// OrgID is the organisation's id; "" when it is not known, or there is none.
	OrgID string `json:"org_id,omitempty"`
	// Only are the ARNs of the layers, layer versions and functions that were asked for,
	// sorted; none means all there is. Of the rest nothing is said.
	Only []string `json:"only,omitempty"`
	// Accounts are the accounts known to be ours, whether or not they were read.
	Accounts []Account `json:"accounts"`
	// Targets are the accounts and regions that were asked.
	Targets []Target `json:"targets"`

	Layers             []LayerVersion      `json:"layers"`
	Functions          []Function          `json:"functions"`
	CodeSigningConfigs []CodeSigningConfig `json:"code_signing_configs,omitempty"`
	SigningProfiles    []SigningProfile    `json:"signing_profiles,omitempty"`
	CodeStorage        []CodeStorage       `json:"code_storage,omitempty"`
	Principals         []Principal         `json:"principals,omitempty"`
	Groups             []Group             `json:"groups,omitempty"`
	ManagedPolicies    []ManagedPolicy     `json:"managed_policies,omitempty"`
	// OrganizationalUnits have the root among them.
	OrganizationalUnits  []OrganizationalUnit `json:"organizational_units,omitempty"`
	OrganizationPolicies []OrganizationPolicy `json:"organization_policies,omitempty"`
	Trails               []Trail              `json:"trails,omitempty"`
	MetricFilters        []MetricFilter       `json:"metric_filters,omitempty"`
	Alarms               []Alarm              `json:"alarms,omitempty"`
	Topics               []Topic              `json:"topics,omitempty"`
	EventRules           []EventRule          `json:"event_rules,omitempty"`
	Analyzers            []AccessAnalyzer     `json:"analyzers,omitempty"`
	AccessFindings       []AccessFinding      `json:"access_findings,omitempty"`
	Services             []ServiceStatus      `json:"services,omitempty"`
	Unscanned            []Unscanned          `json:"unscanned,omitempty"`
	ServiceFindings      []ServiceFinding     `json:"service_findings,omitempty"`
	FindingCounts        []FindingCount       `json:"finding_counts,omitempty"`
	ConfigRecords        []ConfigRecord       `json:"config_records,omitempty"`
	Buckets              []Bucket             `json:"buckets,omitempty"`
	Subnets              []Subnet             `json:"subnets,omitempty"`
	SecurityGroups       []SecurityGroup      `json:"security_groups,omitempty"`
	VPCEndpoints         []VPCEndpoint        `json:"vpc_endpoints,omitempty"`
	DNSFirewalls         []DNSFirewall        `json:"dns_firewalls,omitempty"`
}

// A Target is one region of one account and what was read there. Services
// without regions (IAM, AWS Organizations) have the Region "".
type Target struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Taken   time.Time `json:"taken,omitzero"`
	// Read are the IAM actions that answered everything that was asked, sorted;
	// "content" is fetching zips.
	Read []string `json:"read,omitempty"`
	Gaps []Gap    `json:"gaps,omitempty"`
}

// A Gap is something that a target did not answer.
type Gap struct {
	// Action is the IAM action that was refused or failed, "content" when a zip could
	// not be fetched.
	Action string `json:"action"`
	// Resources are what it was asked of, sorted; none means all of the target.
	Resources []string `json:"resources,omitempty"`
	// Denied says that AWS refused the call for want of a permission; otherwise
	// it failed.
	Denied bool   `json:"denied,omitempty"`
	Reason string `json:"reason"`
}

// An Account is an AWS account of the organisation.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Status is AWS's word ("ACTIVE", "SUSPENDED", "PENDING_CLOSURE"), "" when not known.
	Status string `json:"status,omitempty"`
	// ParentID is the organisational unit or root it is in, "" when not known.
	ParentID string `json:"parent_id,omitempty"`
	// Management says that it is the organisation's management account, to which
	// service control policies do not apply.
	Management bool `json:"management,omitempty"`
	// Delegated are the services whose administrator it is ("inspector2.amazonaws.com"),
	// sorted.
	Delegated []string          `json:"delegated,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
}

// An OrganizationalUnit is a unit or the root of an organisation.
type OrganizationalUnit struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	ParentID string `json:"parent_id,omitempty"` // "" of the root
}

// An OrganizationPolicy is a policy of AWS Organizations and where it is attached.
type OrganizationPolicy struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Type is AWS's word: "SERVICE_CONTROL_POLICY" or "RESOURCE_CONTROL_POLICY".
	Type     string `json:"type"`
	Document string `json:"document"`
	// Targets are ids of roots, units and accounts, sorted.
	Targets []string `json:"targets,omitempty"`
}

// A Function is a Lambda function or one published version of it.
type Function struct {
	// ARN is that of the function when Version is "$LATEST", else that of the version.
	ARN         string   `json:"arn"`
	Account     string   `json:"account"`
	Region      string   `json:"region"`
	Name        string   `json:"name"`
	Version     string   `json:"version"` // "$LATEST" or a number
	Role        string   `json:"role"`
	Runtime     string   `json:"runtime,omitempty"`
	Handler     string   `json:"handler,omitempty"`
	PackageType string   `json:"package_type,omitempty"` // "Image" functions have no layers
	Layers      []string `json:"layers,omitempty"`       // layer version ARNs in order
	// LayerParameters are the SSM parameters that further layers are taken from when
	// the function is deployed: only infrastructure code says so.
	LayerParameters []LayerParameter `json:"layer_parameters,omitempty"`
	// Architectures are "x86_64" or "arm64".
	Architectures []string  `json:"architectures,omitempty"`
	CodeSHA256    string    `json:"code_sha256,omitempty"`
	CodeSize      int64     `json:"code_size,omitempty"`
	ConfigSHA256  string    `json:"config_sha256,omitempty"`
	LastModified  time.Time `json:"last_modified,omitzero"`
	RevisionID    string    `json:"revision_id,omitempty"`
	KMSKeyARN     string    `json:"kms_key_arn,omitempty"`
	// Environment holds the names of all variables. The values are "" but for those
	// that make a runtime load code (exec wrapper, preload, search paths), which are
	// kept without the secrets in them.
	Environment map[string]string `json:"environment,omitempty"`
	// EnvironmentError is AWS's error code when it could not decrypt the variables.
	EnvironmentError string   `json:"environment_error,omitempty"`
	SnapStart        string   `json:"snap_start,omitempty"` // AWS's ApplyOn
	Subnets          []string `json:"subnets,omitempty"`
	SecurityGroups   []string `json:"security_groups,omitempty"`
	// MasterARN is set on replicas made by Lambda@Edge.
	MasterARN string `json:"master_arn,omitempty"`

	// The rest belongs to the function as a whole, is set on $LATEST, and was read
	// at DetailsRead.

	DetailsRead time.Time `json:"details_read,omitzero"`

	CodeSigningConfigARN string `json:"code_signing_config_arn,omitempty"`
	// Policies of versions that load layers are among them, and of aliases where a
	// version of the function loads one or the alias points to $LATEST.
	Policies []FunctionPolicy `json:"policies,omitempty"`
	Aliases  []Alias          `json:"aliases,omitempty"`
	URLs     []FunctionURL    `json:"urls,omitempty"`
	// Provisioned are the versions and aliases that are kept initialised; read where a
	// version of the function loads a layer.
	Provisioned  []Provisioned        `json:"provisioned,omitempty"`
	EventSources []EventSourceMapping `json:"event_sources,omitempty"`
	Tags         map[string]string    `json:"tags,omitempty"`
	Origin       *Origin              `json:"origin,omitempty"`
}

// A FunctionPolicy is a resource policy of a function, or of one of its
// versions or aliases.
type FunctionPolicy struct {
	Qualifier  string `json:"qualifier,omitempty"`
	RevisionID string `json:"revision_id,omitempty"`
	Document   string `json:"document"`
}

// An Alias names a version, and sometimes a second one with a weight.
type Alias struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Weights are the shares of other versions, by version.
	Weights map[string]float64 `json:"weights,omitempty"`
}

// A FunctionURL is an HTTP endpoint of a function.
type FunctionURL struct {
	Qualifier string `json:"qualifier,omitempty"`
	AuthType  string `json:"auth_type"` // "NONE" or "AWS_IAM"
}

// A Provisioned is how many instances of a version or alias are kept initialised.
type Provisioned struct {
	Qualifier string `json:"qualifier"`
	Instances int    `json:"instances"`
}

// An EventSourceMapping feeds a function.
type EventSourceMapping struct {
	UUID      string `json:"uuid"`
	Qualifier string `json:"qualifier,omitempty"`
	SourceARN string `json:"source_arn,omitempty"`
	State     string `json:"state,omitempty"`
}

// A CodeSigningConfig says whose signatures functions accept.
type CodeSigningConfig struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	Region  string `json:"region"`
	// UntrustedArtifact is "Warn" or "Enforce".
	UntrustedArtifact string `json:"untrusted_artifact"`
	// AllowedPublishers are signing profile version ARNs.
	AllowedPublishers []string `json:"allowed_publishers,omitempty"`
}

// A CodeStorage is how much code Lambda keeps for an account in a region, of
// functions and layers together, and how much it may be, in bytes.
type CodeStorage struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Used    int64  `json:"used"`
	Limit   int64  `json:"limit"`
}

// A SigningProfile is a version of a profile of AWS Signer.
type SigningProfile struct {
	VersionARN string `json:"version_arn"`
	Name       string `json:"name"`
	Account    string `json:"account"`
	Region     string `json:"region"`
	Status     string `json:"status"` // "Active", "Canceled", "Revoked"
}

// A Principal is an IAM role or user and the policies it has of its own.
type Principal struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	// Kind is "Role" or "User".
	Kind    string            `json:"kind"`
	Name    string            `json:"name"`
	ID      string            `json:"id,omitempty"` // AROA… or AIDA…
	Path    string            `json:"path,omitempty"`
	Created time.Time         `json:"created,omitzero"`
	Tags    map[string]string `json:"tags,omitempty"`
	// Inline are the policies written into it, Attached ARNs of managed ones.
	Inline   []InlinePolicy `json:"inline,omitempty"`
	Attached []string       `json:"attached,omitempty"`
	Groups   []string       `json:"groups,omitempty"` // ARNs
	// Boundary is the ARN of the permissions boundary.
	Boundary string `json:"boundary,omitempty"`
	// Trust is a role's trust policy.
	Trust    string    `json:"trust,omitempty"`
	LastUsed time.Time `json:"last_used,omitzero"`
	// MFA, Password and AccessKeys are a user's, from the credential report; nil
	// when that was not read.
	Credentials *Credentials `json:"credentials,omitempty"`
}

// Credentials are how a user can sign in.
type Credentials struct {
	MFA      bool `json:"mfa"`
	Password bool `json:"password"`
	// AccessKeys are when each active access key was last rotated.
	AccessKeys []time.Time `json:"access_keys,omitempty"`
}

// An InlinePolicy is a policy that belongs to one principal or group.
type InlinePolicy struct {
	Name     string `json:"name"`
	Document string `json:"document"`
}

// A Group is an IAM group.
type Group struct {
	ARN      string         `json:"arn"`
	Account  string         `json:"account"`
	Name     string         `json:"name"`
	Inline   []InlinePolicy `json:"inline,omitempty"`
	Attached []string       `json:"attached,omitempty"`
}

// A ManagedPolicy is the default version of a managed policy.
type ManagedPolicy struct {
	ARN      string `json:"arn"`
	Name     string `json:"name"`
	Document string `json:"document"`
}

// A Trail is a trail of AWS CloudTrail as seen from its home region.
type Trail struct {
	ARN            string   `json:"arn"`
	Account        string   `json:"account"`
	Name           string   `json:"name"`
	HomeRegion     string   `json:"home_region"`
	MultiRegion    bool     `json:"multi_region"`
	Organization   bool     `json:"organization"`
	Logging        bool     `json:"logging"`
	LogValidation  bool     `json:"log_validation"`
	Bucket         string   `json:"bucket"`
	LogGroupARN    string   `json:"log_group_arn,omitempty"`
	KMSKeyID       string   `json:"kms_key_id,omitempty"`
	Management     string   `json:"management,omitempty"`      // ReadWriteType of basic selectors: "All", "ReadOnly", "WriteOnly"; "" when none logs management events
	ExcludedEvents []string `json:"excluded_events,omitempty"` // ExcludeManagementEventSources
	// Advanced are the advanced event selectors, in place of the basic ones.
	Advanced []EventSelector `json:"advanced,omitempty"`
}

// An EventSelector is an advanced event selector of a trail.
type EventSelector struct {
	Name   string          `json:"name,omitempty"`
	Fields []FieldSelector `json:"fields"`
}

// A FieldSelector is one condition of an advanced event selector; the operators
// are CloudTrail's.
type FieldSelector struct {
	Field         string   `json:"field"`
	Equals        []string `json:"equals,omitempty"`
	NotEquals     []string `json:"not_equals,omitempty"`
	StartsWith    []string `json:"starts_with,omitempty"`
	NotStartsWith []string `json:"not_starts_with,omitempty"`
	EndsWith      []string `json:"ends_with,omitempty"`
	NotEndsWith   []string `json:"not_ends_with,omitempty"`
}

// A MetricFilter turns log events of CloudWatch Logs into a metric.
type MetricFilter struct {
	Account   string `json:"account"`
	Region    string `json:"region"`
	LogGroup  string `json:"log_group"`
	Name      string `json:"name"`
	Pattern   string `json:"pattern"`
	Namespace string `json:"namespace"`
	Metric    string `json:"metric"`
}

// An Alarm is a metric alarm of CloudWatch.
type Alarm struct {
	ARN            string   `json:"arn"`
	Account        string   `json:"account"`
	Region         string   `json:"region"`
	Name           string   `json:"name"`
	Namespace      string   `json:"namespace"`
	Metric         string   `json:"metric"`
	ActionsEnabled bool     `json:"actions_enabled"`
	Actions        []string `json:"actions,omitempty"`
	Comparison     string   `json:"comparison"`
	Threshold      float64  `json:"threshold"`
}

// A Topic is an SNS topic and how many endpoints listen to it. The endpoints
// themselves are personal data and not kept.
type Topic struct {
	ARN string `json:"arn"`
	// Confirmed and Pending count subscriptions by protocol.
	Confirmed map[string]int `json:"confirmed,omitempty"`
	Pending   map[string]int `json:"pending,omitempty"`
}

// An EventRule is a rule of EventBridge.
type EventRule struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Bus     string `json:"bus"`
	State   string `json:"state"`
	Pattern string `json:"pattern,omitempty"`
	// Targets are ARNs.
	Targets []string `json:"targets,omitempty"`
}

// An AccessAnalyzer is an analyzer of IAM Access Analyzer.
type AccessAnalyzer struct {
	ARN     string `json:"arn"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Type    string `json:"type"` // "ACCOUNT", "ORGANIZATION", …_UNUSED_ACCESS, …_INTERNAL_ACCESS
	Status  string `json:"status"`
}

// An AccessFinding is a finding of IAM Access Analyzer: that others may read a
// layer version, or that nobody uses a role or a user's credentials.
type AccessFinding struct {
	ID string `json:"id"`
	// Kind is AWS's word for one about what is not used ("UnusedIAMRole",
	// "UnusedIAMUserAccessKey", "UnusedIAMUserPassword", "UnusedPermission"), "" for
	// external access.
	Kind     string `json:"kind,omitempty"`
	Analyzer string `json:"analyzer"`
	Resource string `json:"resource"`
	Status   string `json:"status"` // "ACTIVE", "ARCHIVED", "RESOLVED"
	Public   bool   `json:"public"`
	// Principals are who it says has access.
	Principals []string  `json:"principals,omitempty"`
	Updated    time.Time `json:"updated,omitzero"`
	// Unused are the actions that an "UnusedPermission" says its role does not use,
	// and services of which it uses none ("s3:*"), sorted; UnusedMore counts those
	// that are left out.
	Unused     []string `json:"unused,omitempty"`
	UnusedMore int      `json:"unused_more,omitempty"`
}

// A ServiceStatus says whether a service watches Lambda in a target.
type ServiceStatus struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	// Feature is "inspector2:LAMBDA", "inspector2:LAMBDA_CODE",
	// "guardduty:LAMBDA_NETWORK_LOGS", "securityhub" or, for the record that AWS
	// Config keeps of functions, "config:AWS::Lambda::Function".
	Feature string `json:"feature"`
	Enabled bool   `json:"enabled"`
}

// An Unscanned is a function that Amazon Inspector leaves out where it is on.
type Unscanned struct {
	Function string `json:"function"` // ARN
	// Reason is AWS's word: "EXCLUDED_BY_TAG", "SCAN_ELIGIBILITY_EXPIRED", …
	Reason string `json:"reason"`
}

// A ServiceFinding is what a security service of AWS says of functions or layer
// versions, as long as it stands. Its description is not kept, and what is long is
// cut.
type ServiceFinding struct {
	// ID is the ARN of the finding, or what else the service calls it.
	ID      string `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
	// Service is who was asked: "inspector2", "guardduty" or "securityhub".
	Service string `json:"service"`
	// Product is whose finding it is, of those of Security Hub ("aws/securityhub").
	Product string `json:"product,omitempty"`
	// Type is the service's word for what it is ("PACKAGE_VULNERABILITY").
	Type string `json:"type,omitempty"`
	// Severity is AWS's word: "CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL",
	// "UNTRIAGED".
	Severity string `json:"severity"`
	Title    string `json:"title,omitempty"`
	// Resources are ARNs of functions, of versions of functions and of layer versions,
	// sorted. That of a function stands for its $LATEST as well.
	Resources []string `json:"resources"`
	// Vulnerabilities are ids ("CVE-…"), sorted.
	Vulnerabilities []string `json:"vulnerabilities,omitempty"`
	// EPSS is the probability that the vulnerability is exploited within 30 days, 0
	// when the service does not say.
	EPSS float64 `json:"epss,omitempty"`
	// Exploit says that an exploit is known to be available.
	Exploit  bool             `json:"exploit,omitempty"`
	Packages []ServicePackage `json:"packages,omitempty"`
	First    time.Time        `json:"first,omitzero"` // seen
	Last     time.Time        `json:"last,omitzero"`
}

// A ServicePackage is a package, or a file of code, that a finding of a service is
// about.
type ServicePackage struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	FixedIn string `json:"fixed_in,omitempty"`
	Path    string `json:"path,omitempty"`
	// Layer is the ARN of the layer version that it is in, "" for a function's own
	// package.
	Layer string `json:"layer,omitempty"`
}

// A FindingCount is how many findings about functions and layer versions a service
// listed in a target and what became of them: Listed is the sum of the others.
type FindingCount struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Service string `json:"service"` // as in ServiceFinding
	Listed  int    `json:"listed"`
	Kept    int    `json:"kept"`
	// Layerless are about functions that load no layer in any version.
	Layerless int `json:"layerless,omitempty"`
	// Copies are those of Security Hub that are another service's, which was read
	// itself, or that Lamina sent there.
	Copies int `json:"copies,omitempty"`
	// Closed are those of Security Hub that are resolved, suppressed or of a control
	// that passes.
	Closed int `json:"closed,omitempty"`
	// Unnamed name no function and no layer version.
	Unnamed int `json:"unnamed,omitempty"`
}

// A ConfigRecord is the newest record that AWS Config has of a function. Config
// cannot record layers: it has no type of resource for them.
type ConfigRecord struct {
	Function string    `json:"function"` // ARN
	Captured time.Time `json:"captured,omitzero"`
}

// A Bucket is an S3 bucket that holds layers or trails.
type Bucket struct {
	Name    string `json:"name"`
	Account string `json:"account,omitempty"`
	Policy  string `json:"policy,omitempty"`
	// Versioning is "Enabled", "Suspended" or "" for never enabled.
	Versioning string `json:"versioning,omitempty"`
	ObjectLock bool   `json:"object_lock,omitempty"`
	// PublicAccessBlocked says that all four settings of the public access block are on.
	PublicAccessBlocked bool `json:"public_access_blocked,omitempty"`
}

// A Subnet is a subnet that functions run in and where its routes lead.
type Subnet struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
	VPC     string `json:"vpc"`
	// Owner is the account that shares it, "" when that is Account.
	Owner string `json:"owner,omitempty"`
	// DefaultRoutes are the targets of routes to 0.0.0.0/0 and ::/0 ("igw-…",
	// "nat-…", "eigw-…", "tgw-…").
	DefaultRoutes []string `json:"default_routes,omitempty"`
}

// A SecurityGroup is a security group of functions and what it lets out.
type SecurityGroup struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
	VPC     string `json:"vpc"`
	// Egress are the destinations of its outbound rules: CIDR blocks, prefix list
	// ids and security group ids.
	Egress []string `json:"egress,omitempty"`
}

// A DNSFirewall is a rule group of Route 53 Resolver DNS Firewall as a VPC has
// it.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-overview.html
type DNSFirewall struct {
	ID      string `json:"id"` // of the association
	Account string `json:"account"`
	Region  string `json:"region"`
	VPC     string `json:"vpc"`
	Group   string `json:"group"`
	// Priority is its place among the VPC's: the lowest is asked first.
	Priority int `json:"priority"`
	// Rules are in the order in which they are asked: the first that fits decides.
	Rules []DNSRule `json:"rules,omitempty"`
}

// A DNSRule is a rule of DNS Firewall.
type DNSRule struct {
	// Action is AWS's word: "ALLOW", "BLOCK" or "ALERT".
	Action string `json:"action"`
	// Domains is the id of the list of domains that it is about, Every says that the
	// list holds all of them ("*").
	Domains string `json:"domains,omitempty"`
	Every   bool   `json:"every,omitempty"`
	// Protection is what it looks for in place of a list: "DNS_TUNNELING", "DGA",
	// "DICTIONARY_DGA".
	Protection string `json:"protection,omitempty"`
	// QueryType is the type of records that it is about, "" for all.
	QueryType string `json:"query_type,omitempty"`
}

// A LayerParameter is an SSM parameter that a layer's ARN is taken from.
type LayerParameter struct {
	ARN string `json:"arn"`
	// Version is the number of the parameter's version, "" for the newest there is.
	Version string `json:"version,omitempty"`
}

// A VPCEndpoint is an endpoint of a VPC and its policy.
type VPCEndpoint struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
	VPC     string `json:"vpc"`
	Service string `json:"service"`
	Policy  string `json:"policy,omitempty"`
}
