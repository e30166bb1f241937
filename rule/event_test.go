package rule

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lamina-sec/lamina/ecs"
)

// doc is an event made of ECS names: the tests here are about rules, not about
// how CloudTrail is mapped.
type doc map[string][]string

func (d doc) Values(f *ecs.Field) []string {
	if f.Type == ecs.ConstantKeyword {
		return []string{f.Const}
	}
	return d[f.Name]
}

func (d doc) Exists(f *ecs.Field) bool {
	if len(d.Values(f)) > 0 {
		return true
	}
	for name := range d {
		if strings.HasPrefix(name, f.Name+".") {
			return true
		}
	}
	return false
}

func (d doc) Raw() []byte { return nil }

// docOf reads an object whose keys are ECS names and whose values are a text or
// a list of texts.
func docOf(raw []byte) (doc, error) {
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	d := doc{}
	for k, v := range m {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				d[k] = append(d[k], fmt.Sprint(x))
			}
		case float64:
			d[k] = []string{strconv.FormatFloat(v, 'g', -1, 64)}
		default:
			d[k] = []string{fmt.Sprint(v)}
		}
	}
	return d, nil
}

// fromCase makes the event of a case whose record is an object of ECS names;
// option "account" and the number of earlier records become fields of it.
func fromCase(c Case) (ecs.Event, error) {
	d, err := docOf(c.Record)
	if err != nil {
		return nil, err
	}
	if len(c.Before) > 0 {
		d["lamina.layers.previous_known"] = []string{"true"}
	}
	if o := c.Options["org-id"]; slices.Contains(o, "o-example") {
		d["lamina.grant.scope"] = []string{"own_organization"}
	}
	return d, nil
}
