package awsfake

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/csv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lamina-sec/lamina"
)

func (f *Fake) iamOperations() map[string]rpc {
	return map[string]rpc{
		"GetAccountAuthorizationDetails": {do: Session.authorizationDetails},
		"ListAccountAliases": {do: func(s Session, _ input) (object, *Error) {
			var names []string
			for _, a := range s.f.estate.Accounts {
				if a.ID == s.caller.Account && a.Name != "" {
					names = append(names, a.Name)
				}
			}
			return object{{name: "AccountAliases", value: names}, {name: "IsTruncated", value: false}}, nil
		}},
		"GenerateCredentialReport": {do: Session.generateReport},
		"GetCredentialReport":      {do: Session.credentialReport},
	}
}

// detail is one item of GetAccountAuthorizationDetails.
type detail struct {
	list string // the member it is in
	show func() object
}

// authorizationDetails pages through users, groups, roles and policies in this
// order; a page may hold some of each.
func (s Session) authorizationDetails(in input) (object, *Error) {
	var all []detail
	filter := in.list("Filter")
	add := func(kind, list string, show func() object) {
		if filter == nil || slices.Contains(filter, kind) {
			all = append(all, detail{list, show})
		}
	}
	e := &s.f.estate
	attached := map[string]bool{}
	for _, p := range e.Principals {
		if p.Account == s.caller.Account && p.Kind == "User" {
			add("User", "UserDetailList", func() object { return s.userDetail(p) })
		}
	}
	for _, g := range e.Groups {
		if g.Account == s.caller.Account {
			for _, arn := range g.Attached {
				attached[arn] = true
			}
			add("Group", "GroupDetailList", func() object {
				return identity("Group", g.ARN, g.Name, "", s.f.now).
					optional("GroupPolicyList", inlineList(g.Inline)).optional("AttachedManagedPolicies", attachedList(g.Attached))
			})
		}
	}
	for _, p := range e.Principals {
		if p.Account == s.caller.Account {
			for _, arn := range append(slices.Clone(p.Attached), p.Boundary) {
				attached[arn] = true
			}
			if p.Kind == "Role" {
				add("Role", "RoleDetailList", func() object { return s.roleDetail(p) })
			}
		}
	}
	for _, p := range e.ManagedPolicies {
		a, err := lamina.ParseARN(p.ARN)
		kind := "LocalManagedPolicy"
		if err == nil && a.Account == "aws" {
			kind = "AWSManagedPolicy"
		}
		if err == nil && (a.Account == s.caller.Account || kind == "AWSManagedPolicy" && attached[p.ARN]) {
			add(kind, "Policies", func() object { return s.policyDetail(p) })
		}
	}
	start, end, next, ok := window(len(all), in.text("Marker"), cmp.Or(in.number("MaxItems"), 100), 1000)
	if !ok {
		return nil, &Error{Status: http.StatusBadRequest, Code: "ValidationError", Message: "the marker is not valid"}
	}
	lists := map[string][]object{}
	for _, d := range all[start:end] {
		lists[d.list] = append(lists[d.list], d.show())
	}
	out := object{{name: "IsTruncated", value: next != ""}}.optional("Marker", next)
	for _, name := range []string{"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"} {
		out = append(out, member{name: name, value: append([]object{}, lists[name]...)})
	}
	return out, nil
}

const isoTime = "2006-01-02T15:04:05Z"

// identity are the members that users, groups and roles have in common.
func identity(kind, arn, name, id string, created time.Time) object {
	path := "/"
	if a, err := lamina.ParseARN(arn); err == nil {
		_, rest, _ := strings.Cut(a.Resource, "/")
		path = "/" + strings.TrimSuffix(rest, name)
	}
	return object{
		{name: kind + "Name", value: name},
		{name: kind + "Id", value: cmp.Or(id, uniqueID(kind, arn))},
		{name: "Arn", value: arn},
		{name: "Path", value: path},
		{name: "CreateDate", value: created.UTC().Format(isoTime)},
	}
}

// uniqueID is an id in IAM's form.
func uniqueID(kind, arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return map[string]string{"User": "AIDA", "Group": "AGPA", "Role": "AROA", "Policy": "ANPA"}[kind] + base32.StdEncoding.EncodeToString(sum[:])[:10] + "EXAMPLE"
}

func (s Session) userDetail(p lamina.Principal) object {
	var groups []string
	for _, arn := range p.Groups {
		groups = append(groups, arn[strings.LastIndexByte(arn, '/')+1:])
	}
	return identity("User", p.ARN, p.Name, p.ID, cmp.Or(p.Created, s.f.now)).optional("UserPolicyList", inlineList(p.Inline)).
		optional("GroupList", groups).optional("AttachedManagedPolicies", attachedList(p.Attached)).
		optional("PermissionsBoundary", boundary(p.Boundary)).optional("Tags", tagList(p.Tags))
}

func (s Session) roleDetail(p lamina.Principal) object {
	o := append(identity("Role", p.ARN, p.Name, p.ID, cmp.Or(p.Created, s.f.now)), member{name: "AssumeRolePolicyDocument", value: encoded(p.Trust)}).
		optional("RolePolicyList", inlineList(p.Inline)).optional("AttachedManagedPolicies", attachedList(p.Attached)).
		optional("PermissionsBoundary", boundary(p.Boundary)).optional("Tags", tagList(p.Tags))
	if !p.LastUsed.IsZero() {
		o = append(o, member{name: "RoleLastUsed", value: object{{name: "LastUsedDate", value: p.LastUsed.UTC().Format(isoTime)}}})
	}
	return o
}

func (s Session) policyDetail(p lamina.ManagedPolicy) object {
	return append(identity("Policy", p.ARN, p.Name, "", s.f.now), object{
		{name: "DefaultVersionId", value: "v1"},
		{name: "IsAttachable", value: true},
		{name: "PolicyVersionList", value: []object{{
			{name: "Document", value: encoded(p.Document)},
			{name: "VersionId", value: "v1"},
			{name: "IsDefaultVersion", value: true},
		}}},
	}...)
}

// encoded is a document as IAM returns it, percent-encoded (RFC 3986).
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func inlineList(policies []lamina.InlinePolicy) []object {
	var all []object
	for _, p := range policies {
		all = append(all, object{{name: "PolicyName", value: p.Name}, {name: "PolicyDocument", value: encoded(p.Document)}})
	}
	return all
}

func attachedList(arns []string) []object {
	var all []object
	for _, arn := range arns {
		all = append(all, object{{name: "PolicyName", value: arn[strings.LastIndexByte(arn, '/')+1:]}, {name: "PolicyArn", value: arn}})
	}
	return all
}

func boundary(arn string) object {
	if arn == "" {
		return nil
	}
	return object{{name: "PermissionsBoundaryType", value: "Policy"}, {name: "PermissionsBoundaryArn", value: arn}}
}

func tagList(tags map[string]string) []object {
	var all []object
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, object{{name: "Key", value: k}, {name: "Value", value: tags[k]}})
	}
	return all
}

// A report is the time of a credential report; it is being made until someone
// asks again.
type report struct {
	at   time.Time
	done bool
}

// reportLife is how long IAM gives the same report.
const reportLife = 4 * time.Hour

// generateReport starts a report; the next call finds it complete.
func (s Session) generateReport(input) (object, *Error) {
	r := s.f.reports[s.caller.Account]
	switch {
	case r == nil || s.f.now.Sub(r.at) >= reportLife:
		s.f.reports[s.caller.Account] = &report{at: s.f.now}
		return object{{name: "State", value: "STARTED"}, {name: "Description", value: "No report exists. Starting a new report generation task"}}, nil
	default:
		r.done = true
		return object{{name: "State", value: "COMPLETE"}}, nil
	}
}

func (s Session) credentialReport(input) (object, *Error) {
	r := s.f.reports[s.caller.Account]
	switch {
	case r == nil:
		return nil, &Error{Status: http.StatusGone, Code: "ReportNotPresent", Message: "No report is present. Generate one."}
	case s.f.now.Sub(r.at) >= reportLife:
		return nil, &Error{Status: http.StatusGone, Code: "ReportExpired", Message: "The report is older than four hours. Generate one."}
	case !r.done:
		r.done = true
		return nil, &Error{Status: http.StatusNotFound, Code: "ReportInProgress", Message: "The report is being made."}
	}
	return object{
		{name: "Content", value: base64.StdEncoding.EncodeToString(s.report())},
		{name: "ReportFormat", value: "text/csv"},
		{name: "GeneratedTime", value: r.at.Format(isoTime)},
	}, nil
}

// reportColumns are those of a credential report (IAM user guide, "Get
// credential reports").
var reportColumns = []string{
	"user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
	"access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
	"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
}

// report is the CSV: the root user without keys and with MFA, then the users.
func (s Session) report() []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	row := func(cells map[string]string) {
		line := make([]string, len(reportColumns))
		for i, c := range reportColumns {
			line[i] = cmp.Or(cells[c], "N/A")
		}
		_ = w.Write(line) // a buffer takes everything
	}
	_ = w.Write(reportColumns)
	cells := func(user, arn string, created time.Time, c lamina.Credentials) map[string]string {
		m := map[string]string{
			"user": user, "arn": arn, "user_creation_time": created.UTC().Format(time.RFC3339),
			"password_enabled": strconv.FormatBool(c.Password), "mfa_active": strconv.FormatBool(c.MFA),
			"access_key_1_active": "false", "access_key_2_active": "false", "cert_1_active": "false", "cert_2_active": "false",
		}
		for i, rotated := range c.AccessKeys[:min(2, len(c.AccessKeys))] {
			m["access_key_"+strconv.Itoa(i+1)+"_active"] = "true"
			m["access_key_"+strconv.Itoa(i+1)+"_last_rotated"] = rotated.UTC().Format(time.RFC3339)
		}
		return m
	}
	root := cells("<root_account>", "arn:"+s.partition()+":iam::"+s.caller.Account+":root", s.f.now, lamina.Credentials{MFA: true})
	root["password_enabled"] = "not_supported"
	row(root)
	for _, p := range s.f.estate.Principals {
		if p.Account == s.caller.Account && p.Kind == "User" {
			var c lamina.Credentials
			if p.Credentials != nil {
				c = *p.Credentials
			}
			row(cells(p.Name, p.ARN, cmp.Or(p.Created, s.f.now), c))
		}
	}
	w.Flush()
	return b.Bytes()
}
