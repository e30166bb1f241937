package awsread

import "testing"

// A name of S3 that leads into a network of ours was made to.
func TestRefusePrivate(t *testing.T) {
	for address, ok := range map[string]bool{
		"52.218.0.1:443": true, "[2a05:d07a::1]:443": true,
		"127.0.0.1:443": false, "10.0.0.1:443": false, "169.254.169.254:443": false, "[::1]:443": false, "[::ffff:10.0.0.1]:443": false,
		"[fe80::1]:443": false, "[fd00::1]:443": false, "0.0.0.0:443": false, "224.0.0.1:443": false, "host:443": false, "": false,
	} {
		if err := refusePrivate("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}
