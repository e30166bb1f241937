package awsread_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lamina-sec/lamina/internal/awsfake"
	"github.com/lamina-sec/lamina/internal/awsread"
)

const somewhere = "arn:aws:lambda:eu-west-1:111122223333:layer:x:1"

// saying is an AWS that says the zip is at a URL, and has it there.
type saying struct {
	location string
	status   int
	body     string
	asked    []string
}

func (s *saying) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if strings.HasPrefix(r.URL.Path, "/2018-10-31/layers") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"LayerVersionArn": somewhere, "CreatedDate": "2026-06-18T12:00:00.000+0000",
			"Content": map[string]any{"Location": s.location, "CodeSize": 3, "CodeSha256": "x"},
		})
		return w.Result(), nil
	}
	s.asked = append(s.asked, r.URL.String())
	w.Header().Set("Location", "https://other.s3.eu-west-1.amazonaws.com/x")
	w.Header().Set("Content-Length", strconv.Itoa(len(s.body)))
	w.WriteHeader(s.status)
	_, _ = w.WriteString(s.body)
	return w.Result(), nil
}

func fetch(t *testing.T, s *saying, region, endpoint string, size int64) (string, error) {
	t.Helper()
	c := awsread.New(awsread.Options{Region: region, AccessKeyID: "x", SecretAccessKey: "y", HTTP: &http.Client{Transport: s}, Endpoint: endpoint, Attempts: 1}).In(region)
	_, at, err := c.Locate(t.Context(), somewhere)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %s %+v %#v", at, at, at, at); strings.Contains(text, "://") {
		t.Errorf("a location prints as %s", text)
	}
	r, err := c.Fetch(t.Context(), somewhere, at, size)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), r.Close()
}

// A zip is fetched from a bucket of S3 in the region, over TLS, and from nowhere
// else: nothing else is even asked.
func TestFetch_hosts(t *testing.T) {
	for _, c := range []struct {
		region, endpoint, url string
		ok                    bool
	}{
		{"eu-west-1", "", "https://awslambda-eu-west-1-layers.s3.eu-west-1.amazonaws.com/snapshots/x?X-Amz-Signature=s", true},
		{"us-east-1", "", "https://prod-04-2014-layers.s3.us-east-1.amazonaws.com/snapshots/x", true},
		{"us-east-1", "", "https://prod-04-2014-layers.s3.amazonaws.com/snapshots/x", true},
		{"eu-west-1", "", "https://our.bucket.s3.eu-west-1.amazonaws.com:443/x", true},
		{"cn-north-1", "", "https://awslambda-cn-north-1-layers.s3.cn-north-1.amazonaws.com.cn/x", true},
		{"us-gov-west-1", "", "https://awslambda-us-gov-west-1-layers.s3.us-gov-west-1.amazonaws.com/x", true},
		{"eu-west-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566/snapshots/x", true},

		{"eu-west-1", "", "http://awslambda-eu-west-1-layers.s3.eu-west-1.amazonaws.com/x", false},
		{"eu-west-1", "", "https://awslambda-eu-west-1-layers.s3.eu-west-1.amazonaws.com:8443/x", false},
		{"eu-west-1", "", "https://user@awslambda-eu-west-1-layers.s3.eu-west-1.amazonaws.com/x", false},
		{"eu-west-1", "", "https://awslambda-us-east-1-layers.s3.us-east-1.amazonaws.com/x", false},
		{"eu-west-1", "", "https://s3.eu-west-1.amazonaws.com/bucket/x", false},
		{"eu-west-1", "", "https://x.s3.eu-west-1.amazonaws.com.example.com/x", false},
		{"eu-west-1", "", "https://x.s3.eu-west-1.amazonaws.com.cn/x", false},
		{"eu-west-1", "", "https://example.com/x.s3.eu-west-1.amazonaws.com/", false},
		{"eu-west-1", "", "https://169.254.169.254/latest/meta-data/", false},
		{"eu-west-1", "", "https://[::ffff:127.0.0.1]/x", false},
		{"eu-west-1", "", "file:///etc/passwd", false},
		{"eu-west-1", "", "://", false},
		{"eu-west-1", "", "", false},
		{"eu-west-1", "http://127.0.0.1:4566", "http://127.0.0.1:4567/snapshots/x", false},
		{"eu-west-1", "http://127.0.0.1:4566", "https://127.0.0.1:4566/snapshots/x", false},
	} {
		s := &saying{location: c.url, status: http.StatusOK, body: "zip"}
		got, err := fetch(t, s, c.region, c.endpoint, 3)
		switch {
		case c.ok && (err != nil || got != "zip"):
			t.Errorf("%s: %q, %v", c.url, got, err)
		case !c.ok && (err == nil || len(s.asked) > 0):
			t.Errorf("%s: asked %v, %v", c.url, s.asked, err)
		case err != nil && strings.Contains(err.Error(), "Signature"):
			t.Errorf("%s: the error holds the URL: %v", c.url, err)
		}
	}
}

// What S3 does not give out whole and at once is an error that does not hold the
// signed URL: a refusal, another place, another size, more than the limit.
func TestFetch_errors(t *testing.T) {
	const url = "https://awslambda-eu-west-1-layers.s3.eu-west-1.amazonaws.com/snapshots/x?X-Amz-Signature=s"
	for name, c := range map[string]struct {
		status int
		body   string
		size   int64
	}{
		"expired":   {http.StatusForbidden, "zip", 3},
		"elsewhere": {http.StatusTemporaryRedirect, "", 3},
		"longer":    {http.StatusOK, "zip!", 3},
		"empty":     {http.StatusOK, "zip", 0},
		"too large": {http.StatusOK, "zip", awsread.MaxZip + 1},
	} {
		s := &saying{location: url, status: c.status, body: c.body}
		_, err := fetch(t, s, "eu-west-1", "", c.size)
		if err == nil || strings.Contains(err.Error(), "Signature") || len(s.asked) > 1 {
			t.Errorf("%s: asked %v, %v", name, s.asked, err)
		}
	}
}

// Over a socket of its own the SDK's endpoint may give zips out, and a name that
// S3 could have is not followed to an address of this network.
func TestFetch_socket(t *testing.T) {
	f := awsfake.New(1, time.Date(2026, 6, 18, 12, 0, 0, 0, time.UTC))
	in := awsfake.PublishLayerVersionInput{LayerName: "x"}
	in.Content.ZipFile = []byte("zip")
	if _, err := f.As(reader, "eu-west-1").PublishLayerVersion(in); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(f)
	defer server.Close()
	id, secret := f.Credentials(reader)
	c := awsread.New(awsread.Options{Region: "eu-west-1", AccessKeyID: id, SecretAccessKey: secret, Endpoint: server.URL, Attempts: 1}).In("eu-west-1")
	v, at, err := c.Locate(t.Context(), somewhere)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Fetch(t.Context(), somewhere, at, v.CodeSize)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil || string(b) != "zip" || r.Close() != nil {
		t.Errorf("%q, %v", b, err)
	}
	if f.Downloads()[somewhere] != 1 {
		t.Errorf("downloads: %v", f.Downloads())
	}
}
