package eventpattern

import (
	"strings"
	"testing"

	"github.com/lamina-sec/lamina/internal/metricfilter"
)

const event = `{"source":"aws.lambda","detail-type":"AWS API Call via CloudTrail","account":"111122223333","resources":["a","b"],"detail":` +
	`{"eventSource":"lambda.amazonaws.com","eventName":"AddLayerVersionPermission20181031","readOnly":false,"sourceIPAddress":"203.0.113.7","size":50,"errorCode":null,` +
	`"requestParameters":{"layerName":"acme-auth"}}}`

// Each operator of AWS's page, and what is not there.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    metricfilter.Answer
	}{
		{`{}`, metricfilter.Yes},
		{`{"source":["aws.lambda"]}`, metricfilter.Yes},
		{`{"source":["aws.s3","aws.lambda"],"detail":{"eventName":[{"prefix":"AddLayerVersionPermission"}]}}`, metricfilter.Yes},
		{`{"source":["aws.lambda"],"detail":{"eventName":["AddLayerVersionPermission"]}}`, metricfilter.No},
		{`{"source":["AWS.lambda"]}`, metricfilter.No},
		{`{"detail":{"eventName":[{"suffix":"20181031"}]}}`, metricfilter.Yes},
		{`{"detail":{"eventName":[{"prefix":{"equals-ignore-case":"addlayer"}}]}}`, metricfilter.Yes},
		{`{"detail":{"eventName":[{"equals-ignore-case":"addlayerversionpermission20181031"}]}}`, metricfilter.Yes},
		{`{"detail":{"eventName":[{"wildcard":"*Layer*Permission*"}]}}`, metricfilter.Yes},
		{`{"detail":{"eventName":[{"wildcard":"*Layer*Permission"}]}}`, metricfilter.No},
		{`{"detail":{"eventName":[{"anything-but":["GetPolicy"]}]}}`, metricfilter.Yes},
		{`{"detail":{"eventName":[{"anything-but":{"prefix":"Add"}}]}}`, metricfilter.No},
		{`{"detail":{"eventName":[{"anything-but":{"wildcard":["Get*","List*"]}}]}}`, metricfilter.Yes},
		{`{"detail":{"nothing":[{"anything-but":"x"}]}}`, metricfilter.No},
		{`{"detail":{"errorCode":[{"exists":false}]}}`, metricfilter.No},
		{`{"detail":{"errorCode":[null]}}`, metricfilter.Yes},
		{`{"detail":{"errorMessage":[{"exists":false}]}}`, metricfilter.Yes},
		{`{"detail":{"a":{"b":[{"exists":false}]}}}`, metricfilter.Yes},
		{`{"detail":{"readOnly":[false]}}`, metricfilter.Yes},
		{`{"detail":{"readOnly":["false"]}}`, metricfilter.No},
		{`{"detail":{"size":[50.0]}}`, metricfilter.Yes},
		{`{"detail":{"size":[{"numeric":[">",10,"<=",50]}]}}`, metricfilter.Yes},
		{`{"detail":{"size":[{"numeric":["=",51]}]}}`, metricfilter.No},
		{`{"detail":{"sourceIPAddress":[{"cidr":"203.0.113.0/24"}]}}`, metricfilter.Yes},
		{`{"resources":["b"]}`, metricfilter.Yes},
		{`{"resources":["c"]}`, metricfilter.No},
		{`{"$or":[{"source":["x"]},{"account":["111122223333"]}]}`, metricfilter.Yes},
		{`{"$or":[{"source":["x"]},{"account":["x"]}]}`, metricfilter.No},
		{`{"detail":{"eventName":[{"newest":"x"}]}}`, metricfilter.Maybe},
		{`{"detail":{"eventName":[{"anything-but":{"newest":"x"}}]}}`, metricfilter.Maybe},
		{`{"source":["aws.s3"],"detail":{"eventName":[{"newest":"x"}]}}`, metricfilter.No},
		{`{"source":"aws.lambda"}`, metricfilter.Maybe},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		v, err := p.Match([]byte(event))
		if err != nil || v.Answer != c.want || (v.Answer == metricfilter.Maybe) != (v.Why != "") {
			t.Errorf("%s: got %v (%s), %v, want %v", c.pattern, v.Answer, v.Why, err, c.want)
		}
	}
}

func TestParse_errors(t *testing.T) {
	for _, text := range []string{``, `[]`, `{} {}`, `{"a"`, strings.Repeat(" ", 65<<10)} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%.20q: no error", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"$or":[{"a":[{"numeric":["<",1]}]}],"detail":{"b":[{"anything-but":{"wildcard":"*x*"}},null,{"cidr":"10.0.0.0/8"}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			return
		}
		first, err := p.Match([]byte(event))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // in any order of the fields
			if again, err := p.Match([]byte(event)); err != nil || again != first {
				t.Fatalf("%q: %v, then %v, %v", s, first, again, err)
			}
		}
	})
}
