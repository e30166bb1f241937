package pysyntax_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/pysyntax"
)

func TestImports(t *testing.T) {
	tests := map[string]struct {
		src  string
		want []string
	}{
		"plain":        {"import os\n", []string{"os"}},
		"many":         {"import os, sys as s, a.b.c", []string{"a.b.c", "os", "sys"}},
		"from":         {"from boto3.session import (\n  Session,\n)\nimport json", []string{"boto3.session", "json"}},
		"relative":     {"from . import x\nfrom .y import z\nfrom ..w import v", nil},
		"joined":       {"import \\\n  os", []string{"os"}},
		"joined_crlf":  {"import \\\r\n  os\r\n", []string{"os"}},
		"semicolon":    {"x = 1; import os", []string{"os"}},
		"one_line_try": {"try: import ujson as json\nexcept ImportError: import json", []string{"json", "ujson"}},
		"in_function":  {"def f():\n    import secrets\n", []string{"secrets"}},
		"in_string":    {"s = 'x\\'; import os'\n'''\nimport sys\n'''", nil},
		"in_comment":   {"# import os\nx = 1  # import sys", nil},
		"in_brackets":  {"x = [\nimport_me,\n]\nimport os", []string{"os"}},
		"in_call":      {"f(\nimport os\n)\n", nil},
		"after_broken": {"s = 'open\nimport os\n", []string{"os"}},
		"not_a_module": {"importlib.import_module('x')", nil},
		"unicode":      {"import café", []string{"café"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, pysyntax.Imports([]byte(tt.src))); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzImports(f *testing.F) {
	f.Add([]byte("import a.b as c, d\nfrom x import (y)\n'''"))
	f.Add([]byte("from a.\\\nb import *;import c\\"))
	f.Fuzz(func(t *testing.T, src []byte) {
		names := pysyntax.Imports(src)
		if !slices.IsSorted(names) || slices.Contains(names, "") {
			t.Errorf("%q", names)
		}
	})
}
