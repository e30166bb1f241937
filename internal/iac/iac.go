// Package iac reads infrastructure code into a snapshot of what it would make.
//
// It reads CloudFormation and SAM templates in JSON, and of them the resources
// AWS::Lambda::LayerVersion, AWS::Serverless::LayerVersion and
// AWS::Lambda::LayerVersionPermission. YAML and Terraform are refused by name.
// A template is code that has not run: a value made by an intrinsic function is
// not known here, and a layer with such a grant has a gap in the coverage, so that
// no check passes on it. Nothing is fetched, no parameter is guessed.
//
// Layers that are not there yet have no ARN: FILE#LogicalId stands for it.
package iac

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
)

// MaxTemplate is the size in bytes above which Parse refuses a template. AWS's
// own limit is 1 MB (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
const MaxTemplate = 4 << 20

// ErrUnsupported is in the error for a kind of file that is not read.
var ErrUnsupported = errors.New("not supported")

type resource struct {
	Type       string
	Properties json.RawMessage
}

type layerPermission struct {
	Action, LayerVersionArn, OrganizationID, Principal json.RawMessage
}

// Parse reads the template in data; name is the file's name as the user would
// type it. The snapshot has no time, accounts or regions.
func Parse(name string, data []byte) (lamina.Snapshot, error) {
	// What a template declares is all there is of it: one target without account.
	snap := lamina.Snapshot{Version: 1, Targets: []lamina.Target{{Read: []string{"lambda:ListLayers", "lambda:ListLayerVersions"}}}}
	switch ext := strings.ToLower(path.Ext(name)); {
	case ext == ".tf" || ext == ".yaml" || ext == ".yml":
		return snap, fmt.Errorf("%s: %s templates are %w: give the JSON form", name, ext, ErrUnsupported)
	case len(data) > MaxTemplate:
		return snap, fmt.Errorf("%s: %d bytes are above the limit of %d", name, len(data), MaxTemplate)
	}
	var template struct{ Resources map[string]resource }
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&template); err != nil {
		return snap, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return snap, fmt.Errorf("%s: something follows the template", name)
	}
	if template.Resources == nil {
		return snap, fmt.Errorf("%s: no Resources: not a CloudFormation template", name)
	}
	index := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		r := template.Resources[id]
		if r.Type != "AWS::Lambda::LayerVersion" && r.Type != "AWS::Serverless::LayerVersion" {
			continue
		}
		var p struct{ LayerName json.RawMessage }
		if len(r.Properties) > 0 {
			if err := json.Unmarshal(r.Properties, &p); err != nil {
				return snap, fmt.Errorf("%s: resource %s: %w", name, id, err)
			}
		}
		layer := lamina.LayerVersion{ARN: name + "#" + id, Name: id}
		if s, ok := literal(p.LayerName); ok && s != "" {
			layer.Name = s
		}
		index[id] = len(snap.Layers)
		snap.Layers = append(snap.Layers, layer)
	}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		r := template.Resources[id]
		if r.Type != "AWS::Lambda::LayerVersionPermission" {
			continue
		}
		if err := permission(&snap, index, name, id, r.Properties); err != nil {
			return snap, fmt.Errorf("%s: resource %s: %w", name, id, err)
		}
	}
	if t := &snap.Targets[0]; len(t.Gaps) == 0 {
		t.Read = append(t.Read, "lambda:GetLayerVersionPolicy")
	}
	return snap, nil
}

func permission(snap *lamina.Snapshot, index map[string]int, file, id string, properties json.RawMessage) error {
	var p layerPermission
	if err := json.Unmarshal(properties, &p); err != nil {
		return err
	}
	target, known := reference(p.LayerVersionArn)
	i, ok := index[target]
	if !ok { // a layer from elsewhere, by ARN or by something not known
		arn := target
		if !known {
			arn = file + "#" + id + ".LayerVersionArn"
		}
		i = slices.IndexFunc(snap.Layers, func(l lamina.LayerVersion) bool { return l.ARN == arn })
		if i < 0 {
			i = len(snap.Layers)
			snap.Layers = append(snap.Layers, lamina.LayerVersion{ARN: arn, Name: arn})
		}
	}
	layer := &snap.Layers[i]
	action, ok1 := literal(p.Action)
	principal, ok2 := literal(p.Principal)
	org, ok3 := literal(p.OrganizationID)
	if !ok1 || !ok2 || !ok3 {
		snap.Targets[0].Gaps = append(snap.Targets[0].Gaps, lamina.Gap{
			Action: "lambda:GetLayerVersionPolicy", Resources: []string{layer.ARN}, Reason: fmt.Sprintf("%s#%s: the grant is made by an intrinsic function", file, id),
		})
		return nil
	}
	if layer.Policy == nil {
		layer.Policy = &lamina.LayerPolicy{}
	}
	layer.Policy.Grants = append(layer.Policy.Grants, lamina.Grant{StatementID: id, Action: action, Principal: principal, OrganizationID: org})
	return nil
}

// literal returns the text of a JSON string or number; "" for an absent value.
func literal(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", true
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String(), true
	}
	return "", false
}

// reference returns the logical id of {"Ref": id}, or a literal ARN.
func reference(raw json.RawMessage) (string, bool) {
	if s, ok := literal(raw); ok {
		return s, s != ""
	}
	var ref struct{ Ref string }
	if json.Unmarshal(raw, &ref) == nil && ref.Ref != "" {
		return ref.Ref, true
	}
	return "", false
}
