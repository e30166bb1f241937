package secret_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lamina-sec/lamina/internal/secret"
)

// key is put together here so that no scanner of this repository finds it.
const key = "AKIA" + "Z2Y3X4W5V6U7T2S3"

func TestScan(t *testing.T) {
	hit := func(line int) secret.Hit {
		return secret.Hit{Kind: "aws-access-key-id", Line: line, Redacted: "AKIA••••••••••••T2S3"}
	}
	tests := map[string]struct {
		data string
		want []secret.Hit
	}{
		"start":             {key + "\n", []secret.Hit{hit(1)}},
		"end":               {"x = " + key, []secret.Hit{hit(1)}},
		"third_line":        {"\n\nkey='" + key + "'", []secret.Hit{hit(3)}},
		"twice":             {key + "\n" + key, []secret.Hit{hit(1), hit(2)}},
		"in_a_longer_word":  {"X" + key + " " + key + "A", nil},
		"in_base64":         {"abc/" + key + "==", nil},
		"documented":        {"AKIAIOSFODNN7EXAMPLE", nil},
		"temporary":         {"ASIA" + key[4:], []secret.Hit{{Kind: "aws-access-key-id", Line: 1, Redacted: "ASIA••••••••••••T2S3"}}},
		"not_an_access_key": {"AROA" + key[4:], nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := secret.Scan([]byte(tt.data))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if strings.Contains(fmt.Sprintf("%+v %#v", got, got), key[4:16]) {
				t.Error("the value shows")
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("a\n" + key + "\n" + key))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, h := range secret.Scan(data) {
			if h.Line < 1 || h.Line > 1+strings.Count(string(data), "\n") {
				t.Errorf("line %d", h.Line)
			}
		}
	})
}
