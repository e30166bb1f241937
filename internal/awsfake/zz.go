package awsfake

var ec2 = service{"ec2", "ec2", "ec2.amazonaws.com", &restJSON}

func (f *Fake) vpcOf(subnets []string) string { return "vpc-" + digest([]byte(subnets[0])) }
func (f *Fake) revoked(g signature) bool      { return false }
