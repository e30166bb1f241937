package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/content"
)

// A cleaner takes credentials out of strings that people chose for names,
// descriptions and statements. Results repeat their words, so it remembers.
type cleaner map[string]string

func (c cleaner) strings(list ...*string) {
	for _, s := range list {
		clean, ok := c[*s]
		if !ok {
			clean = content.Clean(*s)
			c[*s] = clean
		}
		*s = clean
	}
}

func (c cleaner) finding(f *lamina.Finding) {
	c.strings(&f.Resource, &f.Detail, &f.Reason, &f.Settle, &f.File)
	f.Members = slices.Clone(f.Members)
	for i := range f.Members {
		c.strings(&f.Members[i].Resource)
	}
	for _, list := range []*[]string{&f.Evidence, &f.Owners} {
		*list = slices.Clone(*list)
		for i := range *list {
			c.strings(&(*list)[i])
		}
	}
}

// json is data, which is valid JSON, with every string and name in it cleaned, those
// of JSON in a string among them; all else stays as it is.
func (c cleaner) json(data []byte) ([]byte, error) {
	var out bytes.Buffer
	for {
		start := bytes.IndexByte(data, '"')
		if start < 0 {
			out.Write(data)
			return out.Bytes(), nil
		}
		end := start + 1
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		var s string
		if end >= len(data) {
			return nil, errors.New("clean: a string has no end")
		}
		if err := json.Unmarshal(data[start:end+1], &s); err != nil {
			return nil, fmt.Errorf("clean: %w", err)
		}
		clean := s
		if strings.HasPrefix(s, "{") && json.Valid([]byte(s)) { // a policy, which has to stay one
			inner, err := c.json([]byte(s))
			if err != nil {
				return nil, err
			}
			clean = string(inner)
		} else {
			c.strings(&clean)
		}
		out.Write(data[:start])
		if clean == s {
			out.Write(data[start : end+1])
		} else {
			word, err := json.Marshal(clean)
			if err != nil {
				return nil, fmt.Errorf("clean: %w", err)
			}
			out.Write(word)
		}
		data = data[end+1:]
	}
}

// snapshot is s without credentials, to be shown and handed on. What is judged is
// the snapshot as it was read.
func (c cleaner) snapshot(s lamina.Snapshot) (out lamina.Snapshot, err error) {
	data, err := json.Marshal(s)
	if err != nil {
		return out, fmt.Errorf("clean: %w", err)
	}
	if data, err = c.json(data); err != nil {
		return out, err
	}
	err = json.Unmarshal(data, &out)
	return out, err
}
