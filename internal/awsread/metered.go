package awsread

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxAnswers is how many bytes one account may answer in one region: several times
// what the lists of a hundred thousand function versions are.
const maxAnswers = 512 << 20

// A tooMuchError is a list that does not end, or that nobody could use.
type tooMuchError struct{ limit int64 }

func (e *tooMuchError) Error() string {
	return fmt.Sprintf("the answers are larger than %d MiB: not read to the end", e.limit>>20)
}

// RetryableError keeps the SDK from asking again.
func (*tooMuchError) RetryableError() bool { return false }

// metered bounds what all answers to a client have together, so that pages without
// an end do not fill the memory.
type metered struct {
	next  aws.HTTPClient
	limit int64
	read  *atomic.Int64
}

func (m metered) Do(r *http.Request) (*http.Response, error) {
	if m.read.Load() > m.limit {
		return nil, &tooMuchError{m.limit}
	}
	out, err := m.next.Do(r)
	if out != nil && out.Body != nil {
		out.Body = &meteredBody{ReadCloser: out.Body, meter: m}
	}
	return out, err
}

type meteredBody struct {
	io.ReadCloser
	meter metered
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.meter.read.Add(int64(n)) > b.meter.limit {
		return n, &tooMuchError{b.meter.limit}
	}
	return n, err
}
