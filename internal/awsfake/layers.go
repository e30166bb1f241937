package awsfake

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

type layerKey struct {
	place
	name string
}

type layer struct {
	next     int
	versions []*layerVersion // deleted ones too, in order
}

type layerVersion struct {
	arn, layerARN string
	account       string
	version       int
	created       time.Time
	description   string
	code          []byte
	uncompressed  int64
	runtimes      []string
	architectures []string
	license       string
	signature     signature
	source        objectKey // of a version that references its object
	sourceVersion string
	policy        []statement
	revision      string
	deleted       bool
}

type statement struct{ sid, principal, org, text string }

// PublishLayerVersionInput are the parameters of PublishLayerVersion.
type PublishLayerVersionInput struct {
	LayerName, Description, LicenseInfo         string
	CompatibleRuntimes, CompatibleArchitectures []string
	Content                                     struct {
		ZipFile                          []byte
		S3Bucket, S3Key, S3ObjectVersion string
		S3ObjectStorageMode              string // "COPY" when ""
	}
	// Uncompressed is the size the zip unpacks to, for the trail; 0 takes the
	// zip's own size.
	Uncompressed int64 `json:"-"`
}

// word reports whether a name or id is of 1 to longest letters, digits, hyphens and
// underscores. A pattern that counts so far takes a millisecond of every start.
func word(s string, longest int) bool {
	return s != "" && len(s) <= longest && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// PublishLayerVersion publishes and returns the new version's ARN.
func (s Session) PublishLayerVersion(in PublishLayerVersionInput) (string, error) {
	out, err := s.publish(in)
	return out.text("LayerVersionArn"), err
}

func (s Session) publish(in PublishLayerVersionInput) (object, error) {
	name, params := in.LayerName, object{{name: "LayerName", value: in.LayerName}}
	params = params.optional("Description", in.Description)
	content := object{}.optional("S3Bucket", in.Content.S3Bucket).optional("S3Key", in.Content.S3Key).
		optional("S3ObjectVersion", in.Content.S3ObjectVersion).optional("S3ObjectStorageMode", in.Content.S3ObjectStorageMode)
	params = append(params, member{name: "Content", value: content}) // ZipFile is left out of the trail
	params = params.optional("CompatibleRuntimes", in.CompatibleRuntimes).
		optional("CompatibleArchitectures", in.CompatibleArchitectures).optional("LicenseInfo", in.LicenseInfo)
	resource := s.layerARN(name)
	return s.do("PublishLayerVersion", resource, params, func() (object, *Error) {
		switch {
		case !word(name, 140):
			return nil, invalid("layer name %q is not valid", name)
		case len(in.CompatibleRuntimes) > 15 || len(in.CompatibleArchitectures) > 2:
			return nil, invalid("too many compatible runtimes or architectures")
		case len(in.Content.ZipFile) == 0 && in.Content.S3Key == "":
			return nil, invalid("the content of the layer is missing")
		case in.Content.S3ObjectStorageMode == reference && in.Content.S3Key == "":
			return nil, invalid("only an object of S3 can be referenced")
		}
		k := layerKey{place{s.caller.Account, s.region}, name}
		l := s.f.layers[k]
		if l == nil {
			l = &layer{next: 1}
			s.f.layers[k] = l
			s.f.names[k.place] = append(s.f.names[k.place], name)
		}
		v := &layerVersion{
			arn: resource + ":" + strconv.Itoa(l.next), layerARN: resource, account: s.caller.Account, version: l.next,
			created: s.f.now, description: in.Description, code: in.Content.ZipFile, uncompressed: in.Uncompressed,
			runtimes: in.CompatibleRuntimes, architectures: in.CompatibleArchitectures, license: in.LicenseInfo,
		}
		if o, ok := s.f.objects[objectKey{in.Content.S3Bucket, in.Content.S3Key}]; ok {
			v.code, v.signature = o.Data, signature{o.SigningProfileVersion, o.SigningJob, o.SignatureExpires}
		}
		if in.Content.S3ObjectStorageMode == reference {
			v.source, v.sourceVersion = objectKey{in.Content.S3Bucket, in.Content.S3Key}, in.Content.S3ObjectVersion
		}
		if v.uncompressed == 0 {
			v.uncompressed = int64(len(v.code))
		}
		l.next++ // numbers are never used again
		l.versions = append(l.versions, v)
		return s.describe(v), nil
	})
}

func (s Session) layerARN(name string) string {
	return fmt.Sprintf("arn:%s:lambda:%s:%s:layer:%s", s.partition(), s.region, s.caller.Account, name)
}

// summary are the members that lists show of a version.
func (v *layerVersion) summary() object {
	o := object{
		{name: "LayerVersionArn", value: v.arn},
		{name: "Version", value: v.version},
		{name: "Description", value: v.description},
		{name: "CreatedDate", value: v.created.Format("2006-01-02T15:04:05.000+0000")},
	}
	return o.optional("CompatibleRuntimes", v.runtimes).optional("CompatibleArchitectures", v.architectures).optional("LicenseInfo", v.license)
}

// reference is the storage mode of a version whose zip stays in the customer's
// bucket (spec posture F18).
const reference = "REFERENCE"

// contentLife is how long a content URL is valid.
const contentLife = 10 * time.Minute

func (s Session) describe(v *layerVersion) object {
	content := append(object{
		{name: "Location", value: s.contentURL("layers", v.arn)},
		{name: "CodeSha256", value: digest(v.code)},
		{name: "CodeSize", value: len(v.code)},
	}, v.signature.members()...)
	if v.source != (objectKey{}) {
		content = append(content, member{name: "ResolvedS3Object", value: object{
			{name: "S3Bucket", value: v.source.bucket}, {name: "S3Key", value: v.source.key},
		}.optional("S3ObjectVersion", v.sourceVersion)})
	}
	return append(object{
		{name: "Content", value: content},
		{name: "LayerArn", value: v.layerARN},
	}, v.summary()...)
}

// layerResource is the ARN of what a name (or ARN) and number mean, and where
// that would be.
func (s Session) layerResource(nameOrARN string, version int) (layerKey, int, string) {
	k, arn := layerKey{place{s.caller.Account, s.region}, nameOrARN}, s.layerARN(nameOrARN)
	if l, err := lamina.ParseLayerARN(nameOrARN); err == nil && !l.Legacy {
		k, arn = layerKey{place{l.ARN.Account, l.ARN.Region}, l.Name}, l.Unversioned()
		version = cmp.Or(version, l.Version)
	}
	if version > 0 {
		arn += ":" + strconv.Itoa(version)
	}
	return k, version, arn
}

// find returns the version that a name (or ARN) and number mean for the caller,
// with its ARN. It is nil if there is none.
func (s Session) find(nameOrARN string, version int) (*layerVersion, string) {
	k, version, arn := s.layerResource(nameOrARN, version)
	if l := s.f.layers[k]; l != nil && version > 0 && version < l.next {
		if v := l.versions[version-1]; v.arn == arn { // numbers are never used again
			return v, arn
		}
	}
	return nil, arn
}

// readable says whether the caller may get the version: its owner, or whoever
// a statement of its policy covers.
func (s Session) readable(v *layerVersion) bool {
	if v.account == s.caller.Account {
		return true
	}
	return slices.ContainsFunc(v.policy, func(st statement) bool {
		switch {
		case st.principal == "*" && st.org == "":
			return true
		case st.principal == "*":
			return st.org == s.f.orgs[s.caller.Account]
		}
		return st.principal == s.caller.Account
	})
}

// visible is find for a caller who wants to get the version: a foreign one that
// is not granted, or does not exist, is denied alike.
func (s Session) visible(v *layerVersion, arn string) *Error {
	l, err := lamina.ParseLayerARN(arn)
	foreign := err == nil && l.ARN.Account != s.caller.Account
	switch {
	case foreign && (v == nil || v.deleted || !s.readable(v)):
		return s.denied("lambda:GetLayerVersion", arn, "resource")
	case v == nil || v.deleted:
		return notFound("The resource you requested does not exist: %s", arn)
	}
	return nil
}

// GetLayerVersion returns the JSON of the version.
func (s Session) GetLayerVersion(nameOrARN string, version int) ([]byte, error) {
	out, err := s.getLayerVersion("GetLayerVersion", nameOrARN, version, object{{name: "LayerName", value: nameOrARN}, {name: "VersionNumber", value: version}})
	return out.append(nil, api), err
}

func (s Session) getLayerVersion(op operation, nameOrARN string, version int, params object) (object, error) {
	_, _, arn := s.layerResource(nameOrARN, version)
	return s.do(op, arn, params, func() (object, *Error) {
		v, arn := s.find(nameOrARN, version)
		if err := s.visible(v, arn); err != nil {
			return nil, err
		}
		return s.describe(v), nil
	})
}

// own is find for calls that only the owner may make.
func (s Session) own(action, nameOrARN string, version int) (*layerVersion, *Error) {
	v, arn := s.find(nameOrARN, version)
	if l, err := lamina.ParseLayerARN(arn); err == nil && l.ARN.Account != s.caller.Account {
		return nil, s.denied("lambda:"+action, arn, "resource")
	}
	if v == nil || v.deleted {
		return nil, notFound("Layer version %s does not exist.", arn)
	}
	return v, nil
}

// GetLayerVersionPolicy returns the policy document and its revision id.
func (s Session) GetLayerVersionPolicy(nameOrARN string, version int) (policy, revision string, err error) {
	out, err := s.getPolicy(nameOrARN, version)
	return out.text("Policy"), out.text("RevisionId"), err
}

func (s Session) getPolicy(nameOrARN string, version int) (object, error) {
	_, _, arn := s.layerResource(nameOrARN, version)
	params := object{{name: "LayerName", value: nameOrARN}, {name: "VersionNumber", value: version}}
	return s.do("GetLayerVersionPolicy", arn, params, func() (object, *Error) {
		v, err := s.own("GetLayerVersionPolicy", nameOrARN, version)
		switch {
		case err != nil:
			return nil, err
		case len(v.policy) == 0:
			return nil, notFound("No policy is associated with the given resource.")
		}
		return object{{name: "Policy", value: document(v.policy)}, {name: "RevisionId", value: v.revision}}, nil
	})
}

// AddLayerVersionPermissionInput are the parameters of AddLayerVersionPermission.
type AddLayerVersionPermissionInput struct {
	LayerName         string `json:"-"`
	VersionNumber     int    `json:"-"`
	StatementID       string `json:"StatementId"`
	Action, Principal string
	OrganizationID    string `json:"OrganizationId"`
	RevisionID        string `json:"-"`
}

var (
	principal      = regexp.MustCompile(`^(\d{12}|\*|arn:aws[a-zA-Z-]*:iam::\d{12}:root)$`)
	organizationID = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
)

// policyMax is the size above which a policy is refused: that of function
// policies (derived, posture Q5).
const policyMax = 20480

// AddLayerVersionPermission returns the policy's new revision id.
func (s Session) AddLayerVersionPermission(in AddLayerVersionPermissionInput) (revision string, err error) {
	out, err := s.addPermission(in)
	return out.text("RevisionId"), err
}

func (s Session) addPermission(in AddLayerVersionPermissionInput) (object, error) {
	_, _, arn := s.layerResource(in.LayerName, in.VersionNumber)
	params := object{
		{name: "LayerName", value: in.LayerName},
		{name: "VersionNumber", value: in.VersionNumber},
		{name: "StatementId", value: in.StatementID},
		{name: "Action", value: in.Action},
		{name: "Principal", value: in.Principal},
	}.optional("OrganizationId", in.OrganizationID).optional("RevisionId", in.RevisionID)
	return s.do("AddLayerVersionPermission", arn, params, func() (object, *Error) {
		switch {
		case !word(in.StatementID, 100):
			return nil, invalid("statement id %q is not valid", in.StatementID)
		case in.Action != "lambda:GetLayerVersion":
			return nil, invalid("action %q is not lambda:GetLayerVersion", in.Action)
		case !principal.MatchString(in.Principal):
			return nil, invalid("principal %q is not *, an account id or an account's root", in.Principal)
		case in.OrganizationID != "" && (in.Principal != "*" || !organizationID.MatchString(in.OrganizationID)):
			return nil, invalid("organization id %q needs the form o-… and the principal *", in.OrganizationID)
		}
		v, err := s.own("AddLayerVersionPermission", in.LayerName, in.VersionNumber)
		switch {
		case err != nil:
			return nil, err
		case in.RevisionID != "" && in.RevisionID != v.revision:
			return nil, stale()
		case slices.ContainsFunc(v.policy, func(st statement) bool { return st.sid == in.StatementID }):
			return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", in.StatementID)
		}
		st := s.statement(in, v.arn)
		if len(document(v.policy))+len(st.text) > policyMax {
			return nil, &Error{Status: http.StatusBadRequest, Code: "PolicyLengthExceededException", Message: "The final policy size is bigger than the limit."}
		}
		v.policy = append(v.policy, st)
		v.revision = s.f.uuid()
		return object{{name: "Statement", value: st.text}, {name: "RevisionId", value: v.revision}}, nil
	})
}

// statement stores an account as its root ARN and an organisation as a
// condition, as AWS does (spec posture F6).
func (s Session) statement(in AddLayerVersionPermissionInput, arn string) statement {
	st := statement{sid: in.StatementID, principal: in.Principal, org: in.OrganizationID}
	o := object{{name: "Sid", value: in.StatementID}, {name: "Effect", value: "Allow"}}
	if in.Principal == "*" {
		o = append(o, member{name: "Principal", value: "*"})
	} else {
		if a, err := lamina.ParseARN(in.Principal); err == nil {
			st.principal = a.Account
		}
		o = append(o, member{name: "Principal", value: object{{name: "AWS", value: "arn:" + s.partition() + ":iam::" + st.principal + ":root"}}})
	}
	o = append(o, member{name: "Action", value: in.Action}, member{name: "Resource", value: arn})
	if in.OrganizationID != "" {
		o = append(o, member{name: "Condition", value: object{{name: "StringEquals", value: object{{name: "aws:PrincipalOrgID", value: in.OrganizationID}}}}})
	}
	st.text = string(o.append(nil, api))
	return st
}

// RemoveLayerVersionPermission removes a statement. revision may be "".
func (s Session) RemoveLayerVersionPermission(nameOrARN string, version int, sid, revision string) error {
	_, _, arn := s.layerResource(nameOrARN, version)
	params := object{
		{name: "LayerName", value: nameOrARN}, {name: "VersionNumber", value: version}, {name: "StatementId", value: sid},
	}.optional("RevisionId", revision)
	_, err := s.do("RemoveLayerVersionPermission", arn, params, func() (object, *Error) {
		v, err := s.own("RemoveLayerVersionPermission", nameOrARN, version)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(v.policy, func(st statement) bool { return st.sid == sid })
		switch {
		case i < 0:
			return nil, notFound("Statement %s is not found in resource policy.", sid)
		case revision != "" && revision != v.revision:
			return nil, stale()
		}
		v.policy = slices.Delete(slices.Clone(v.policy), i, i+1)
		v.revision = s.f.uuid()
		if len(v.policy) == 0 {
			v.revision = "" // there is no policy left to have one
		}
		return nil, nil
	})
	return err
}

// DeleteLayerVersion deletes a version. Functions that have it keep it; that it
// does not exist is no error.
func (s Session) DeleteLayerVersion(nameOrARN string, version int) error {
	_, _, arn := s.layerResource(nameOrARN, version)
	params := object{{name: "LayerName", value: nameOrARN}, {name: "VersionNumber", value: version}}
	_, err := s.do("DeleteLayerVersion", arn, params, func() (object, *Error) {
		v, err := s.own("DeleteLayerVersion", nameOrARN, version)
		if err != nil && err.Status == http.StatusForbidden {
			return nil, err
		}
		if v != nil {
			v.deleted = true
		}
		return nil, nil
	})
	return err
}

// listLayers lists the caller's own layers with their latest version.
func (s Session) listLayers(marker string, limit int) (object, error) {
	return s.do("ListLayers", "*", listParams(marker, limit), func() (object, *Error) {
		var all []object
		p := place{s.caller.Account, s.region}
		for _, name := range s.f.names[p] {
			var latest *layerVersion
			for _, v := range s.f.layers[layerKey{p, name}].versions {
				if !v.deleted {
					latest = v
				}
			}
			if latest != nil {
				all = append(all, object{
					{name: "LayerName", value: name},
					{name: "LayerArn", value: latest.layerARN},
					{name: "LatestMatchingVersion", value: latest.summary()},
				})
			}
		}
		return page("Layers", all, marker, limit)
	})
}

// listLayerVersions lists newest first and leaves deleted versions out.
func (s Session) listLayerVersions(nameOrARN, marker string, limit int) (object, error) {
	params := append(object{{name: "LayerName", value: nameOrARN}}, listParams(marker, limit)...)
	_, _, arn := s.layerResource(nameOrARN, 0)
	return s.do("ListLayerVersions", arn, params, func() (object, *Error) {
		k := layerKey{place{s.caller.Account, s.region}, nameOrARN}
		if l, err := lamina.ParseLayerARN(nameOrARN); err == nil {
			if l.ARN.Account != s.caller.Account { // it cannot be granted
				return nil, s.denied("lambda:ListLayerVersions", arn, "resource")
			}
			k = layerKey{place{l.ARN.Account, l.ARN.Region}, l.Name}
		}
		var all []object
		if l := s.f.layers[k]; l != nil {
			for _, v := range slices.Backward(l.versions) {
				if !v.deleted {
					all = append(all, v.summary())
				}
			}
		}
		return page("LayerVersions", all, marker, limit)
	})
}

func listParams(marker string, limit int) object {
	return object{}.optional("Marker", marker).optional("MaxItems", limit)
}

// pageMax is how many items AWS returns at most.
const pageMax = 50

func page(name string, all []object, marker string, limit int) (object, *Error) {
	return paged(name, all, func(o object) object { return o }, marker, limit, pageMax)
}

// paged is a page of at most most items; only those of the page are shown.
func paged[T any](name string, all []T, show func(T) object, marker string, limit, most int) (object, *Error) {
	start, end, next, ok := window(len(all), marker, limit, most)
	if !ok {
		return nil, invalid("marker %q is not valid", marker)
	}
	items := make([]object, 0, end-start)
	for _, item := range all[start:end] {
		items = append(items, show(item))
	}
	return object{{name: name, value: items}}.optional("NextMarker", next), nil
}

// window is the part of n items that a page shows. A marker is the number of the
// first item; ok is false when it is none.
func window(n int, marker string, limit, most int) (start, end int, next string, ok bool) {
	if marker != "" {
		m, err := strconv.Atoi(marker)
		if err != nil || m < 0 || m > n {
			return 0, 0, "", false
		}
		start = m
	}
	if limit <= 0 || limit > most {
		limit = most
	}
	if end = min(n, start+limit); end < n {
		next = strconv.Itoa(end)
	}
	return start, end, next, true
}

// text returns the member's string, "" if there is none.
func (o object) text(name string) string {
	for _, m := range o {
		if s, ok := m.value.(string); ok && m.name == name {
			return s
		}
	}
	return ""
}
