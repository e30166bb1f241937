package cli

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awswrite"
)

// A scoped statement is one for named resources, under a condition or none.
type scoped struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]any `json:",omitempty"`
}

// A scopedPolicy is a policy of such statements, in the order AWS writes its members.
type scopedPolicy struct {
	Version   string
	Statement []scoped
}

// streamCosts is what cannot be done without each action of the stream's policy.
var streamCosts = map[string]string{
	"s3:GetObject":                "log files cannot be read",
	"s3:ListBucket":               "log files are found by notifications only, and gaps in them stay unseen",
	"kms:Decrypt":                 "log files that are encrypted with the key cannot be read",
	"sqs:ReceiveMessage":          "new log files are not heard of",
	"sqs:DeleteMessage":           "log files that were read are announced again",
	"sqs:ChangeMessageVisibility": "a long log file may be read twice",
	"sqs:GetQueueAttributes":      "how far reading is behind is not known",
}

func newIAMPolicyStream(a *app) *cobra.Command {
	var bucket, prefix, queue, key string
	c := &cobra.Command{
		Use:   "stream --bucket NAME",
		Short: "print the policy of a role that reads CloudTrail from its bucket",
		Example: "  lamina iam policy stream --bucket acme-cloudtrail \\\n" +
			"    --queue arn:aws:sqs:eu-west-1:111122223333:lamina --key arn:aws:kms:eu-west-1:111122223333:key/KEY\n" +
			"  lamina iam policy stream --bucket acme-cloudtrail -f text   # what each action's absence costs",
		Long: "It reads what CloudTrail delivers to the bucket, hears of it from one queue, and decrypts\n" +
			"with one key, through S3 alone. It is apart from the collector's: nothing else of S3, KMS\n" +
			"or SQS is allowed.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			p, err := streamPolicy(bucket, prefix, queue, key)
			if err != nil {
				return err
			}
			return a.document([]string{"json", "text"}, func(format string, w io.Writer) error {
				if format == "text" {
					return a.writeCosts(w, p, streamCosts)
				}
				return writeJSON(w, p)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&bucket, "bucket", "", "the `NAME` of the trail's bucket; required")
	f.StringVar(&prefix, "prefix", "", "the `PREFIX` before AWSLogs/ in it")
	f.StringVar(&queue, "queue", "", "the `ARN` of the queue that hears of new files")
	f.StringVar(&key, "key", "", "the `ARN` of the key that the trail encrypts with")
	return c
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func streamPolicy(bucket, prefix, queue, key string) (scopedPolicy, error) {
	var none scopedPolicy
	if bucket == "" {
		return none, usagef("--bucket acme-cloudtrail", "--bucket is missing")
	}
	if !bucketName.MatchString(bucket) {
		return none, usagef("--bucket acme-cloudtrail", "--bucket %q is no name of a bucket", bucket)
	}
	if strings.ContainsAny(prefix, "*?$") {
		return none, usagef("a prefix is a beginning already", "--prefix %q has a wildcard", prefix)
	}
	partition := "aws"
	arns := map[string]lamina.ARN{}
	for _, x := range []struct{ flag, text, service string }{{"queue", queue, "sqs"}, {"key", key, "kms"}} {
		if x.text == "" {
			continue
		}
		arn, err := lamina.ParseARN(x.text)
		if err != nil || arn.Service != x.service || strings.ContainsAny(x.text, "*?") {
			return none, usagef("give the ARN of one "+x.flag, "--%s %q", x.flag, x.text)
		}
		arns[x.flag], partition = arn, arn.Partition
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	s3 := "arn:" + partition + ":s3:::" + bucket
	p := scopedPolicy{Version: "2012-10-17", Statement: []scoped{
		{Sid: "ReadLogs", Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: []string{s3 + "/" + prefix + "AWSLogs/*"}},
		{
			Sid: "ListLogs", Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: []string{s3},
			Condition: map[string]any{"StringLike": map[string]any{"s3:prefix": prefix + "AWSLogs/*"}},
		},
	}}
	if arn, ok := arns["key"]; ok {
		suffix := "amazonaws.com"
		if partition == "aws-cn" {
			suffix = "amazonaws.com.cn"
		}
		p.Statement = append(p.Statement, scoped{
			Sid: "DecryptLogs", Effect: "Allow", Action: []string{"kms:Decrypt"}, Resource: []string{key},
			Condition: map[string]any{"StringEquals": map[string]any{"kms:ViaService": "s3." + arn.Region + "." + suffix}},
		})
	}
	if queue != "" {
		p.Statement = append(p.Statement, scoped{
			Sid: "HearOfLogs", Effect: "Allow", Resource: []string{queue},
			Action: []string{"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
		})
	}
	return p, nil
}

// respondCosts is what cannot be done without each action of a response.
var respondCosts = map[string]string{
	"lambda:AddLayerVersionPermission":    "a removal cannot be undone, nor a grant narrowed",
	"lambda:GetLayerVersionPolicy":        "whether a change did what it should is not known, and nothing is changed",
	"lambda:RemoveLayerVersionPermission": "a grant of a layer cannot be removed",
}

func newIAMPolicyRespond(a *app) *cobra.Command {
	var accounts []string
	var partition string
	c := &cobra.Command{
		Use:   "respond --account ID",
		Short: "print the most that a role that carries plans out ever needs",
		Example: "  lamina iam policy respond --account 111122223333\n" +
			"  lamina iam policy respond --account 111122223333 -f text   # what each action's absence costs",
		Long: "The actions are those compiled into lamina as steps of a plan, and reading the policy\n" +
			"again. No role should have them standing: give them to one that is assumed for a plan,\n" +
			"for its accounts, and for a quarter of an hour.",
		Args: args(0, 0, ""),
		RunE: func(_ *cobra.Command, _ []string) error {
			p, err := respondPolicy(partition, accounts)
			if err != nil {
				return err
			}
			return a.document([]string{"json", "text"}, func(format string, w io.Writer) error {
				if format == "text" {
					return a.writeCosts(w, p, respondCosts)
				}
				return writeJSON(w, p)
			})
		},
	}
	c.Flags().StringArrayVar(&accounts, "account", nil, "change layers of the account `ID`; required; may be given several times")
	c.Flags().StringVar(&partition, "partition", "aws", "the `PARTITION` of the accounts: aws, aws-cn or aws-us-gov")
	return c
}

func respondPolicy(partition string, accounts []string) (scopedPolicy, error) {
	if len(accounts) == 0 {
		return scopedPolicy{}, usagef("name the accounts whose layers may be changed: --account 111122223333", "--account is missing")
	}
	if known := []string{"aws", "aws-cn", "aws-us-gov"}; !slices.Contains(known, partition) {
		return scopedPolicy{}, usagef("use one of: "+strings.Join(known, ", "), "there is no --partition %q", partition)
	}
	var layers []string
	for _, id := range accounts {
		if err := validAccount(id); err != nil {
			return scopedPolicy{}, usagef("twelve digits, as in 111122223333", "--account %q: %s", id, err)
		}
		layers = append(layers, lamina.ARN{Partition: partition, Service: "lambda", Region: "*", Account: id, Resource: "layer:*:*"}.String())
	}
	slices.Sort(layers)
	layers = slices.Compact(layers)
	return scopedPolicy{Version: "2012-10-17", Statement: []scoped{
		{Sid: "ReadGrants", Effect: "Allow", Action: []string{"lambda:GetLayerVersionPolicy"}, Resource: layers},
		{Sid: "ChangeGrants", Effect: "Allow", Action: slices.Clone(awswrite.Actions), Resource: layers},
	}}, nil
}

// writeCosts lists the actions of a policy with what their absence costs.
func (a *app) writeCosts(w io.Writer, p scopedPolicy, costs map[string]string) error {
	asked := map[string]bool{}
	for _, s := range p.Statement {
		for _, action := range s.Action {
			asked[action] = true
		}
	}
	var rows [][]string
	for _, action := range slices.Sorted(maps.Keys(asked)) {
		rows = append(rows, []string{action, costs[action]})
	}
	if err := a.columns(w, []string{"ACTION", "WITHOUT IT"}, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", count(len(rows), "action"))
	return err
}
