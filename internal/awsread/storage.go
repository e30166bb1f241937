package awsread

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/signer"

	"github.com/lamina-sec/lamina"
)

// SigningProfiles returns the region's profiles of AWS Signer for Lambda, those
// that were cancelled or revoked among them.
func (c *Client) SigningProfiles(ctx context.Context, accountID string) ([]lamina.SigningProfile, error) {
	var all []lamina.SigningProfile
	for out, err := range pages(ctx, signer.NewListSigningProfilesPaginator(c.signer, &signer.ListSigningProfilesInput{IncludeCanceled: true})) {
		if err != nil {
			return all, fail("signer:ListSigningProfiles", "*", err)
		}
		for _, s := range out.Profiles {
			all = append(all, lamina.SigningProfile{
				VersionARN: aws.ToString(s.ProfileVersionArn), Name: aws.ToString(s.ProfileName), Account: accountID, Region: c.Region, Status: string(s.Status),
			})
		}
	}
	return all, nil
}

// BucketPolicy returns the bucket's policy, "" when it has none.
func (c *Client) BucketPolicy(ctx context.Context, bucket string) (string, error) {
	out, err := c.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &bucket})
	switch {
	case code(err) == "NoSuchBucketPolicy":
		return "", nil
	case err != nil:
		return "", fail("s3:GetBucketPolicy", bucket, err)
	}
	return aws.ToString(out.Policy), nil
}

// PublicAccessBlocked reports whether all four settings of the bucket's public
// access block are on. The account may have a block of its own, which is not read.
func (c *Client) PublicAccessBlocked(ctx context.Context, bucket string) (bool, error) {
	out, err := c.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &bucket})
	switch {
	case code(err) == "NoSuchPublicAccessBlockConfiguration":
		return false, nil
	case err != nil:
		return false, fail("s3:GetBucketPublicAccessBlock", bucket, err)
	}
	b := out.PublicAccessBlockConfiguration
	return b != nil && aws.ToBool(b.BlockPublicAcls) && aws.ToBool(b.IgnorePublicAcls) && aws.ToBool(b.BlockPublicPolicy) && aws.ToBool(b.RestrictPublicBuckets), nil
}

// BucketVersioning returns "Enabled", "Suspended", or "" when the bucket was
// never versioned.
func (c *Client) BucketVersioning(ctx context.Context, bucket string) (string, error) {
	out, err := c.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &bucket})
	if err != nil {
		return "", fail("s3:GetBucketVersioning", bucket, err)
	}
	return string(out.Status), nil
}

// OwnsBucket reports whether the bucket is the account's own: of others AWS says no
// more than that access is denied.
func (c *Client) OwnsBucket(ctx context.Context, bucket string) (bool, error) {
	for out, err := range pages(ctx, s3.NewListBucketsPaginator(c.s3, &s3.ListBucketsInput{Prefix: &bucket})) {
		if err != nil {
			return false, fail("s3:ListAllMyBuckets", bucket, err)
		}
		if slices.ContainsFunc(out.Buckets, func(b types.Bucket) bool { return aws.ToString(b.Name) == bucket }) {
			return true, nil
		}
	}
	return false, nil
}

// ObjectLocked reports whether objects of the bucket can be locked against being
// changed and deleted.
func (c *Client) ObjectLocked(ctx context.Context, bucket string) (bool, error) {
	out, err := c.s3.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &bucket})
	switch {
	case code(err) == "ObjectLockConfigurationNotFoundError":
		return false, nil
	case err != nil:
		return false, fail("s3:GetBucketObjectLockConfiguration", bucket, err)
	}
	return out.ObjectLockConfiguration != nil && out.ObjectLockConfiguration.ObjectLockEnabled == types.ObjectLockEnabledEnabled, nil
}
