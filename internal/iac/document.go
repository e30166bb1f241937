package iac

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/lamina-sec/lamina"
)

// MaxDocument is the size in bytes above which a document is refused. AWS's own
// limit on a template is 1 MB
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html);
// what tools write for themselves, plans and manifests, is longer.
const MaxDocument = 16 << 20

// Limits of one document.
const (
	maxNodes = 1_000_000
	maxDepth = 200
)

var errLimit = errors.New("above a limit")

// readDocument reads YAML or JSON. An alias of YAML is the very value that its
// anchor names, not a copy of it, so that a bomb of aliases stays as small as its
// text. A tag of CloudFormation's short form is written out: !Ref x becomes
// {"Ref": x}.
func readDocument(file string, data []byte) (v value, err error) {
	if len(data) > MaxDocument {
		return value{}, fmt.Errorf("%s: %d bytes are %w of %d", file, len(data), errLimit, MaxDocument)
	}
	defer func() {
		// The YAML library answers some hostile documents with a panic.
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: not readable YAML: %v", file, p)
		}
	}()
	if b := bytes.TrimLeft(data, " \t\r\n"); len(b) > 0 && (b[0] == '{' || b[0] == '[') {
		v, err = readJSON(file, data)
	} else {
		v, err = readYAML(file, data)
	}
	if err != nil {
		return value{}, fmt.Errorf("%s: %w", file, err)
	}
	return v, nil
}

type jsonReader struct {
	d     *json.Decoder
	file  string
	data  []byte
	at    int // offset up to which lines were counted
	line  int
	nodes int
}

func readJSON(file string, data []byte) (value, error) {
	r := &jsonReader{d: json.NewDecoder(bytes.NewReader(data)), file: file, data: data, line: 1}
	r.d.UseNumber()
	v, err := r.value(0)
	if err != nil {
		return value{}, fmt.Errorf("line %d: %w", r.origin().Line, err)
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return value{}, fmt.Errorf("line %d: something follows the document", r.origin().Line)
	}
	return v, nil
}

// origin is where the token that was read last ends.
func (r *jsonReader) origin() lamina.Origin {
	to := min(int(r.d.InputOffset()), len(r.data))
	r.line += bytes.Count(r.data[r.at:to], []byte{'\n'})
	r.at = to
	return lamina.Origin{File: r.file, Line: r.line}
}

func (r *jsonReader) value(depth int) (value, error) {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return value{}, fmt.Errorf("%d values or %d levels are %w", maxNodes, maxDepth, errLimit)
	}
	token, err := r.d.Token()
	if err != nil {
		return value{}, err
	}
	v := value{at: r.origin()}
	switch t := token.(type) {
	case string:
		v.kind, v.text = text, t
	case json.Number:
		v.kind, v.text, v.bare = text, t.String(), true
	case bool:
		v.kind, v.text, v.bare = text, strconv.FormatBool(t), true
	case json.Delim:
		if t == '[' {
			v.kind = list
		} else {
			v.kind, v.fields = object, map[string]value{}
		}
		for r.d.More() {
			if err := r.member(&v, depth); err != nil {
				return value{}, err
			}
		}
		_, err = r.d.Token()
	}
	return v, err
}

// member reads the next member of a list or an object.
func (r *jsonReader) member(v *value, depth int) error {
	if v.kind == list {
		item, err := r.value(depth + 1)
		v.items = append(v.items, item)
		return err
	}
	token, err := r.d.Token()
	if err != nil {
		return err
	}
	name, ok := token.(string)
	if !ok {
		return fmt.Errorf("%v is no name", token)
	}
	at := r.origin()
	if _, there := v.fields[name]; there {
		return twice(name)
	}
	field, err := r.value(depth + 1)
	field.at = at // where its name is, which is what people look for
	v.fields[name] = field
	return err
}

// twice is the error for two members of one name: what the reader of a scan sees
// must be what is deployed.
func twice(name string) error {
	return fmt.Errorf("%s is there twice, and which of them counts depends on who reads it", strconv.Quote(name[:min(len(name), 100)]))
}

type yamlReader struct {
	file  string
	nodes int
	open  map[*yaml.Node]bool
	done  map[*yaml.Node]value
}

func readYAML(file string, data []byte) (value, error) {
	var root yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return value{}, errors.New("it is empty")
		}
		return value{}, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return value{}, errors.New("something follows the document")
	}
	r := &yamlReader{file: file, open: map[*yaml.Node]bool{}, done: map[*yaml.Node]value{}}
	return r.value(&root, 0)
}

func (r *yamlReader) value(n *yaml.Node, depth int) (value, error) {
	if r.nodes++; r.nodes > maxNodes || depth > maxDepth {
		return value{}, fmt.Errorf("line %d: %d values or %d levels are %w", n.Line, maxNodes, maxDepth, errLimit)
	}
	at := lamina.Origin{File: r.file, Line: n.Line}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return value{}, errors.New("it is empty")
		}
		return r.value(n.Content[0], depth+1)
	case yaml.AliasNode:
		if r.open[n.Alias] {
			return value{}, fmt.Errorf("line %d: the alias %s is in what it stands for", n.Line, n.Value)
		}
		if v, ok := r.done[n.Alias]; ok {
			v.at = at
			return v, nil
		}
		return r.value(n.Alias, depth+1)
	case yaml.ScalarNode, yaml.SequenceNode, yaml.MappingNode:
	}
	if n.Anchor != "" {
		r.open[n] = true
		defer delete(r.open, n)
	}
	v, err := r.plain(n, at, depth)
	if err != nil {
		return value{}, err
	}
	if name, ok := strings.CutPrefix(n.Tag, "!"); ok && !strings.HasPrefix(name, "!") && name != "" {
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		if name == "Fn::GetAtt" && v.kind == text {
			id, attribute, _ := strings.Cut(v.text, ".")
			v = value{kind: list, items: []value{textOf(id, at), textOf(attribute, at)}, at: at}
		}
		v = value{kind: object, fields: map[string]value{name: v}, at: at}
	}
	if n.Anchor != "" {
		r.done[n] = v
	}
	return v, nil
}

func (r *yamlReader) plain(n *yaml.Node, at lamina.Origin, depth int) (value, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return value{at: at}, nil
		}
		return textOf(n.Value, at), nil
	case yaml.SequenceNode:
		v := value{kind: list, at: at}
		for _, c := range n.Content {
			item, err := r.value(c, depth+1)
			if err != nil {
				return value{}, err
			}
			v.items = append(v.items, item)
		}
		return v, nil
	case yaml.MappingNode:
		v := value{kind: object, fields: map[string]value{}, at: at}
		own := map[string]bool{} // not merged ones, which may be written over
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, err := r.value(n.Content[i+1], depth+1)
			if err != nil {
				return value{}, err
			}
			if key.Tag == "!!merge" {
				for _, from := range field.each() {
					for name, f := range from.fields {
						if _, there := v.fields[name]; !there {
							v.fields[name] = f
						}
					}
				}
				continue
			}
			if own[key.Value] {
				return value{}, fmt.Errorf("line %d: %w", key.Line, twice(key.Value))
			}
			own[key.Value] = true
			field.at.Line = key.Line
			v.fields[key.Value] = field
		}
		return v, nil
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return value{}, fmt.Errorf("line %d: neither a text nor a list nor an object", n.Line)
}
