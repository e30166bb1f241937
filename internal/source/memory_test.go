package source_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"github.com/lamina-sec/lamina/internal/source"
)

func TestMemory(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, "records"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	m := source.Memory("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/06/18/111122223333_CloudTrail_eu-west-1_20260618T1500Z_AbCdEfGhIjKlMnOp.json.gz", b.Bytes())
	if m.Size != int64(b.Len()) || m.Place.Account != "111122223333" || m.Place.Region != "eu-west-1" {
		t.Errorf("%+v", m)
	}
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil || string(data) != "records" {
		t.Errorf("%q, %v", data, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
