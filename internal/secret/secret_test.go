package secret_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/secret"
)

// Values are put together here so that no scanner of this repository finds them.
const (
	key    = "AKIA" + "Z2Y3X4W5V6U7T2S3"
	secKey = "p4Kd9vQz" + "R7mXw2Lb" + "Tf8JhN3c" + "Ys6GaE1u" + "Vo5CiH0x"
)

var engine = secret.New(secret.Options{Key: []byte("a key")})

func TestScan(t *testing.T) {
	hit := func(line int, offset int64) secret.Hit {
		return secret.Hit{
			Kind: "aws-access-key-id", Line: line, Offset: offset, Redacted: "AKIA••••••••••••T2S3",
			Severity: lamina.High, Confidence: secret.Likely,
		}
	}
	temporary := hit(1, 0)
	temporary.Redacted, temporary.Severity = "ASIA••••••••••••T2S3", lamina.Medium
	tests := map[string]struct {
		data string
		want []secret.Hit
	}{
		"start":               {key + "\n", []secret.Hit{hit(1, 0)}},
		"end":                 {"x = " + key, []secret.Hit{hit(1, 4)}},
		"third_line":          {"\n\nkey='" + key + "'", []secret.Hit{hit(3, 7)}},
		"twice":               {key + "\n" + key, []secret.Hit{hit(1, 0), hit(2, 21)}},
		"after_an_escape":     {`"a\n` + key + `\n"`, []secret.Hit{hit(1, 4)}},
		"after_a_percent":     {"k%3D" + key + "&", []secret.Hit{hit(1, 4)}},
		"in_a_longer_word":    {"X" + key + " " + key + "A", nil},
		"in_base64":           {"abc/" + key + "==", nil},
		"documented":          {"AKIAIOSFODNN7EXAMPLE", nil},
		"temporary":           {"ASIA" + key[4:], []secret.Hit{temporary}},
		"not_an_access_key":   {"AROA" + key[4:], nil},
		"an_impossible_digit": {"AKIA" + "1" + key[5:], nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := engine.Scan([]byte(tt.data), secret.Hint{})
			if d := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(secret.Hit{}, "Evidence", "Fingerprint")); d != "" {
				t.Error(d)
			}
		})
	}
}

// The account is in the id: 40 bits of its base32, without the first.
func TestScan_account_of_an_access_key_id(t *testing.T) {
	// The id is of AWS's example account, made here: no such key exists.
	id := "AKIA" + accountPart(111122223333) + "ABCDXYZ2"[:7]
	got := engine.Scan([]byte(id), secret.Hint{})
	if len(got) != 1 || len(got[0].Evidence) != 1 || got[0].Evidence[0] != "account: 111122223333, as the id says" {
		t.Errorf("%s: got %+v", id, got)
	}
}

// accountPart is the first nine characters after the prefix for an account.
func accountPart(account uint64) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	bits := uint64(1)<<47 | account<<7 // of 48, the first is set in newer ids
	var b strings.Builder
	for i := range 9 {
		b.WriteByte(alphabet[bits<<16>>(59-5*i)&31])
	}
	return b.String()
}

func TestScan_pair(t *testing.T) {
	tests := map[string]struct {
		data string
		want string
	}{
		"named":         {"[default]\naws_access_key_id = " + key + "\naws_secret_access_key = " + secKey + "\n", "aws-access-key-id critical\naws-secret-access-key critical"},
		"csv":           {"User,Key\n" + key + "," + secKey + "\n", "aws-access-key-id critical\naws-secret-access-key critical"},
		"before":        {secKey + "\n\n\n\n" + key, "aws-secret-access-key critical\naws-access-key-id critical"},
		"far":           {"aws_secret_access_key = " + secKey + strings.Repeat("\n", 7) + key, "aws-secret-access-key critical\naws-access-key-id high"},
		"far_unnamed":   {secKey + strings.Repeat("\n", 7) + key, "aws-access-key-id high"},
		"json":          {`{"AccessKeyId":"` + key + `","SecretAccessKey":"` + secKey + `"}`, "aws-access-key-id critical\naws-secret-access-key critical"},
		"secret_alone":  {`AWS_SECRET_ACCESS_KEY="` + secKey + `"`, "aws-secret-access-key critical"},
		"a_hex_digest":  {key + "\n" + strings.Repeat("0a1b2c3d4e", 4), "aws-access-key-id high"},
		"longer_base64": {key + "\n" + secKey + "=", "aws-access-key-id high"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, h := range engine.Scan([]byte(tt.data), secret.Hint{}) {
				got = append(got, h.Kind+" "+string(h.Severity))
			}
			if d := cmp.Diff(tt.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("a\n"+key+"\n"+key), ".env")
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		r := engine.Inspect(data, secret.Hint{Path: path})
		for i, h := range r.Hits {
			if h.Line < 0 || h.Line > 1+strings.Count(string(data), "\n") {
				t.Errorf("line %d", h.Line)
			}
			if h.Offset < 0 || h.Offset > int64(len(data)) || i > 0 && h.Offset < r.Hits[i-1].Offset {
				t.Errorf("offset %d", h.Offset)
			}
		}
	})
}
