package awsread

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// MaxZip is how large a zip may be that is fetched. AWS takes no layer that is
// larger, unpacked
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const MaxZip = 300 << 20

// locationLife is how long AWS gives a zip out at one Location.
const locationLife = 10 * time.Minute

// A Location is where AWS gives out a zip for ten minutes, to anybody who knows
// it. It is a secret, and prints as none.
type Location struct{ url string }

// String hides the location, also from %v.
func (Location) String() string { return "a presigned URL" }

// GoString hides the location from %#v.
func (l Location) GoString() string { return l.String() }

// Fetch gets the zip of the resource, a layer version or a function, which is
// size bytes long. The host must be S3's in the region; it must speak TLS, and is not
// followed elsewhere. Only when the session was made for another endpoint than
// AWS's may it be that one. Whether the bytes are the right ones is for the caller to
// find out, who closes the reader.
func (c *Client) Fetch(ctx context.Context, resource string, at Location, size int64) (io.ReadCloser, error) {
	failed := func(err error) error { return &Error{Action: Content, Resource: resource, Err: err} }
	switch {
	case at.url == "":
		return nil, failed(errors.New("AWS does not say where the zip is"))
	case size <= 0:
		return nil, failed(errors.New("AWS does not say how large the zip is"))
	case size > MaxZip:
		return nil, failed(fmt.Errorf("the zip has %d bytes, more than the limit of %d", size, MaxZip))
	}
	u, err := url.Parse(at.url)
	if err != nil {
		return nil, failed(errors.New("AWS's answer where the zip is cannot be read")) // the error holds the URL
	}
	if err := c.mayFetch(ctx, u); err != nil {
		return nil, failed(err)
	}
	ctx, cancel := context.WithTimeout(ctx, locationLife)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.url, nil)
	if err != nil {
		cancel()
		return nil, failed(errors.New("AWS's answer where the zip is cannot be read"))
	}
	r.Header.Set("Accept-Encoding", "identity")
	out, err := c.zips.Do(r)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL
	}
	switch {
	case err != nil:
		cancel()
		return nil, failed(err)
	case out.StatusCode != http.StatusOK:
		err = fmt.Errorf("%s answered %d %s", u.Hostname(), out.StatusCode, http.StatusText(out.StatusCode))
	case out.ContentLength >= 0 && out.ContentLength != size:
		err = fmt.Errorf("%s has %d bytes for a zip of %d", u.Hostname(), out.ContentLength, size)
	default:
		return fetched{out.Body, cancel}, nil
	}
	cancel()
	return nil, failed(errors.Join(err, out.Body.Close()))
}

// Content is the name, in a snapshot's coverage, of fetching zips, which needs no
// permission but that of asking where they are.
const Content = "content"

// fetched lets go of the request when the reader is closed.
type fetched struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (f fetched) Close() error {
	f.cancel()
	return f.ReadCloser.Close()
}

// mayFetch says why the URL is none that AWS gives zips out at.
func (c *Client) mayFetch(ctx context.Context, u *url.URL) error {
	if e, err := url.Parse(c.endpoint); err == nil && c.endpoint != "" && u.Scheme == e.Scheme && u.Host == e.Host {
		return nil
	}
	suffixes, err := c.s3Hosts(ctx)
	if err != nil {
		return err
	}
	switch host := strings.ToLower(u.Hostname()); {
	case u.Scheme != "https", u.User != nil, u.Port() != "" && u.Port() != "443":
		return errors.New("the zip is not given out over TLS as AWS does it")
	case !anySuffix(host, suffixes):
		return fmt.Errorf("the zip is at %s, which is no host of S3 in %s", host, c.Region)
	}
	return nil
}

func anySuffix(host string, suffixes []string) bool {
	for _, s := range suffixes {
		if bucket, ok := strings.CutSuffix(host, s); ok && bucket != "" {
			return true
		}
	}
	return false
}

// s3Hosts are the ends of the names of buckets in the region: what the SDK calls
// S3 by, and the same without the region, which the oldest buckets have.
func (c *Client) s3Hosts(ctx context.Context) ([]string, error) {
	e, err := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, s3.EndpointParameters{Region: aws.String(c.Region)})
	if err != nil {
		return nil, fmt.Errorf("the hosts of S3 in %s: %w", c.Region, err)
	}
	host := e.URI.Hostname()
	return []string{"." + host, "." + strings.Replace(host, "."+c.Region+".", ".", 1)}, nil
}

// zipClient makes the client that zips are fetched with: one that follows nobody
// elsewhere. given carries the requests instead of it when it is not nil.
func zipClient(given *http.Client, endpoint string) *http.Client {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // whose status is not 200
	}}
	if given != nil {
		client.Transport = given.Transport
		return client
	}
	plain := &net.Dialer{Timeout: 10 * time.Second}
	guarded := &net.Dialer{Timeout: 10 * time.Second, Control: refusePrivate}
	named := ""
	if u, err := url.Parse(endpoint); err == nil {
		named = u.Hostname()
	}
	client.Transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second, IdleConnTimeout: 30 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			// The address is another's when it is that of a proxy, which the user named.
			if host, _, err := net.SplitHostPort(addr); err == nil && host != named && strings.Contains(host, ".s3.") {
				return guarded.DialContext(ctx, network, addr)
			}
			return plain.DialContext(ctx, network, addr)
		},
	}
	return client
}

// refusePrivate refuses addresses that S3 cannot have: a name that leads there
// was made to.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
		return fmt.Errorf("%s is no public address", host)
	}
	return nil
}
