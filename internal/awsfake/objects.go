package awsfake

import "time"

type objectKey struct{ bucket, key string }

// An Object is what S3 holds for Lambda to take code from.
type Object struct {
	Data []byte
	// SigningProfileVersion and SigningJob are ARNs, set when AWS Signer wrote the
	// object; SignatureExpires is zero when the signature never does.
	SigningProfileVersion, SigningJob string
	SignatureExpires                  time.Time
}

// PutObject puts an object where PublishLayerVersion, CreateFunction and
// UpdateFunctionCode take it from.
func (f *Fake) PutObject(bucket, key string, o Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[objectKey{bucket, key}] = o
}

// A signature is who signed code.
type signature struct {
	profile, job string
	expires      time.Time
}

func (g signature) members() object {
	return object{}.optional("SigningProfileVersionArn", g.profile).optional("SigningJobArn", g.job)
}
