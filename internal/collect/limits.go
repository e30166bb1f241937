package collect

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
)

// Limits hold calls back, each account, region and service on its own.
type Limits struct {
	mu      sync.Mutex
	lambda  rate.Limit
	buckets map[[3]string]*rate.Limiter
}

// DefaultRate is how many calls of Lambda a second are made in one account and
// region: a third of what AWS allows to all callers together
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const DefaultRate = 5

// otherRate is for every other service, unless Lambda is asked faster.
const otherRate = 10

// NewLimits makes limits of so many calls of Lambda a second.
func NewLimits(perSecond float64) *Limits {
	return &Limits{lambda: rate.Limit(perSecond), buckets: map[[3]string]*rate.Limiter{}}
}

// Wait returns when the call may be made. It has the form of awsread.Options.Wait.
func (l *Limits) Wait(ctx context.Context, account, region, service string) error {
	key := [3]string{account, region, service}
	l.mu.Lock()
	b, ok := l.buckets[key]
	if !ok {
		r := l.lambda
		if service != "lambda" {
			r = max(r, otherRate)
		}
		b = rate.NewLimiter(r, 1)
		l.buckets[key] = b
	}
	l.mu.Unlock()
	return b.Wait(ctx)
}
