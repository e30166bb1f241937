package lamina

import (
	"fmt"
	"strings"
)

// An ARN is an Amazon Resource Name, split as
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html has it.
// Partition and Region are kept as written: partitions and regions not known
// today parse as well.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN splits s. Region and account may be empty.
func ParseARN(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fmt.Errorf("%q is not an ARN: want arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE", s)
	}
	return ARN{Partition: p[1], Service: p[2], Region: p[3], Account: p[4], Resource: p[5]}, nil
}

func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}
