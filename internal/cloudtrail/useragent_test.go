package cloudtrail

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ua-parser/uap-go/uaparser"

	"github.com/lamina-sec/lamina/ecs"
)

// agentSamples are headers of the kinds that trails have.
var agentSamples = []string{
	"aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/macos#23.6.0 md/arch#x86_64 lang/python#3.12.6",
	"[aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0]",
	"[aws-cli/2.17.60]",
	"aws-cli/1.16.248 Python/3.4.7 Linux/4.9.184-0.1.amzn1.x86_64 botocore/1.12.239",
	"aws-cli/1.2",
	"Boto3/1.26.90 Python/3.9.16 Linux/5.10.0 Botocore/1.29.90",
	"Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1.0 md/arch#x86_64",
	"Boto/2.49.0 Python/2.7.5 Linux/3.10.0",
	"aws-sdk-go/1.44.261 (go1.19.8; linux; amd64)",
	"aws-sdk-go-v2/1.16.3 os/linux lang/go/1.18 md/GOOS/linux api/s3/1.26.9",
	"aws-sdk-java/1.12.100 Linux/4.14.0 OpenJDK_64-Bit_Server_VM/25.342 java/1.8.0_342",
	"aws-sdk-nodejs/2.1413.0 linux/v18.12.1 promise",
	"aws-sdk-cpp/1.9.100 Linux/5.4.0 x86_64",
	"aws-sdk-ruby2/2.11.0 ruby/2.5.0 x86_64-linux",
	"aws-sdk-ruby3/3.130.0 ruby/3.0.2 x86_64-linux",
	"ec2.amazonaws.com", "signin.amazonaws.com", "lambda.amazonaws.com", "AWS Internal",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:24.0) Gecko/20100101 Firefox/24.0",
	"APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) terraform-provider-aws/4.67.0 aws-sdk-go/1.44.261",
	"S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488", "console.amazonaws.com", "aws-cli/2", "Boto3/", "x",
}

func TestAgent_tools_are_named_as_the_table_names_them(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	samples := agentSamples
	for _, raw := range realRecords(t) {
		var r struct {
			UserAgent any `json:"userAgent"`
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		if ua, ok := r.UserAgent.(string); ok {
			samples = append(samples, ua)
		}
	}
	known := 0
	for _, ua := range samples {
		if seen[ua] || ua == "" {
			continue
		}
		seen[ua] = true
		got, ok := awsTool(ua)
		if !ok {
			continue
		}
		known++
		want := otherAgent(ua, false)
		if got.name != want.name || got.version != want.version {
			t.Errorf("%s: %s %s, the table says %s %s", ua, got.name, got.version, want.name, want.version)
		}
	}
	t.Logf("%d headers, %d known without the table", len(seen), known)
}

// oddAgents are headers of programs that are not AWS's.
var oddAgents = []string{
	"curl/8.5.0", "python-requests/2.31.0", "Go-http-client/1.1", "Wget/1.21", "okhttp/4.9.0", "PostmanRuntime/7.36.0",
	"Googlebot/2.1 (+http://www.google.com/bot.html)", "Dalvik/2.1.0 (Linux; U; Android 11; SM-G991B Build/RP1A.200720.012)",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.1 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/119.0.0.0 Safari/537.36 Edg/119.0.0.0",
	"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)",
	"Cyberduck/8.5.0 (Mac OS X/13.0) (x86_64)", "S3 Browser/10.9.9 (https://s3browser.com)", "rclone/v1.63.0", "\u017fafari/5 \u212aindle/3.0",
}

// The words only rule expressions out: what is found is what the table finds.
func TestAgent_words_change_nothing(t *testing.T) {
	t.Parallel()
	p, err := uaparser.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, ua := range slices.Concat(agentSamples, oddAgents) {
		got := otherAgent(ua, true)
		u, o, d := p.ParseUserAgent(ua), p.ParseOs(ua), p.ParseDevice(ua)
		want := userAgent{name: u.Family, version: joinVersion(u.Major, u.Minor, u.Patch), device: d.Family, system: true}
		if o.Family != other {
			want.os, want.osVersion = o.Family, joinVersion(o.Major, o.Minor, o.Patch, o.PatchMinor)
			want.osFull = strings.TrimSpace(want.os + " " + want.osVersion)
		}
		if got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", ua, got, want)
		}
	}
	table := agentTables()
	without := 0
	for _, x := range table.agents {
		if len(x.words) == 0 {
			without++
		}
	}
	t.Logf("%d of %d expressions have no words", without, len(table.agents))
}

func TestAgent_fields(t *testing.T) {
	t.Parallel()
	tests := []struct {
		ua   string
		want map[string]string
	}{
		{"[aws-cli/2.17.60 md/awscrt#0.21.2]", map[string]string{
			"user_agent.original": "[aws-cli/2.17.60 md/awscrt#0.21.2]", "user_agent.name": "aws-cli", "user_agent.version": "2.17.60",
			"user_agent.device.name": "Other",
		}},
		{"ec2.amazonaws.com", map[string]string{
			"user_agent.original": "ec2.amazonaws.com", "user_agent.name": "Other", "user_agent.device.name": "Other",
		}},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", map[string]string{
			"user_agent.original": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
			"user_agent.name":     "Chrome", "user_agent.version": "120.0.0", "user_agent.device.name": "Other",
			"user_agent.os.name": "Windows", "user_agent.os.version": "10", "user_agent.os.full": "Windows 10",
		}},
		{"-", map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.ua, func(t *testing.T) {
			t.Parallel()
			var e Event
			if err := e.Reset(fmt.Appendf(nil, `{"userAgent":%q}`, tt.ua)); err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for f := range ecs.All() {
				if v := e.Values(f); strings.HasPrefix(f.Name, "user_agent.") && f.Twin() == nil && v != nil {
					got[f.Name] = v[0]
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestAgent_cache_is_bounded(t *testing.T) {
	t.Parallel()
	for i := range 3 * maxAgents {
		parseAgent(fmt.Sprintf("aws-cli/2.0.%d", i), false)
	}
	agents.mu.Lock()
	defer agents.mu.Unlock()
	if len(agents.m) > maxAgents {
		t.Errorf("%d headers are remembered", len(agents.m))
	}
}

func BenchmarkAgent_unknown(b *testing.B) {
	for _, system := range []bool{false, true} {
		b.Run(fmt.Sprintf("system=%v", system), func(b *testing.B) {
			for i := 0; b.Loop(); i++ { // the table has a cache of its own
				otherAgent(fmt.Sprintf("stratus-red-team_%d-6bcc-408c-a49e-7dfd92c3ef20", i), system)
			}
		})
	}
}
