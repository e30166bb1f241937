package awsfake_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/guardduty"
	"github.com/aws/aws-sdk-go-v2/service/inspector2"
	inspectortypes "github.com/aws/aws-sdk-go-v2/service/inspector2/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/internal/awsfake"
)

// A member of a service is told of its own findings, an administrator of those of
// every account unless it asks for one; each region has its own.
func TestFindings(t *testing.T) {
	f := awsfake.New(1, start)
	s := watched()
	s.Accounts = []lamina.Account{{ID: owner, Delegated: []string{"inspector2.amazonaws.com"}}, {ID: partner}}
	for _, account := range []string{owner, partner} {
		for _, service := range []string{"inspector2", "guardduty", "securityhub"} {
			s.ServiceFindings = append(s.ServiceFindings, lamina.ServiceFinding{
				ID: "arn:aws:" + service + ":" + region + ":" + account + ":finding/" + account, Account: account, Region: region, Service: service, Severity: "HIGH", Type: "x", First: start, Last: start,
				Resources: []string{"arn:aws:lambda:" + region + ":" + account + ":function:f"},
			})
		}
	}
	s.Services = append(s.Services, lamina.ServiceStatus{Account: partner, Region: region, Feature: "securityhub"})
	f.Load(s)
	ctx, cfg := t.Context(), config(f, caller(owner), region)
	list := func(cfg aws.Config, criteria *inspectortypes.FilterCriteria) (accounts []string) {
		out, err := inspector2.NewFromConfig(cfg).ListFindings(ctx, &inspector2.ListFindingsInput{FilterCriteria: criteria})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range out.Findings {
			accounts = append(accounts, *x.AwsAccountId)
		}
		return accounts
	}
	if got := list(cfg, nil); !slices.Equal(got, []string{owner, partner}) {
		t.Errorf("an administrator is told of %v", got)
	}
	if got := list(cfg, &inspectortypes.FilterCriteria{AwsAccountId: []inspectortypes.StringFilter{{Comparison: "EQUALS", Value: aws.String(partner)}}}); !slices.Equal(got, []string{partner}) {
		t.Errorf("an administrator that asks for one account is told of %v", got)
	}
	if got := list(config(f, caller(partner), region), nil); !slices.Equal(got, []string{partner}) {
		t.Errorf("a member is told of %v", got)
	}
	if got := list(config(f, caller(owner), "us-east-1"), nil); got != nil {
		t.Errorf("elsewhere: %v", got)
	}

	duty := guardduty.NewFromConfig(cfg)
	detectors, err := duty.ListDetectors(ctx, &guardduty.ListDetectorsInput{})
	if err != nil {
		t.Fatal(err)
	}
	id := &detectors.DetectorIds[0]
	ids, err := duty.ListFindings(ctx, &guardduty.ListFindingsInput{DetectorId: id})
	if err != nil || !slices.Equal(ids.FindingIds, []string{owner}) {
		t.Fatalf("%+v, %v", ids, err)
	}
	found, err := duty.GetFindings(ctx, &guardduty.GetFindingsInput{DetectorId: id, FindingIds: append(ids.FindingIds, "gone")})
	if err != nil || len(found.Findings) != 1 || *found.Findings[0].Severity != 8 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := duty.GetFindings(ctx, &guardduty.GetFindingsInput{DetectorId: id, FindingIds: slices.Repeat([]string{"x"}, 51)}); code(err) != "BadRequestException" {
		t.Errorf("51 ids: %v", err)
	}
	if _, err := duty.ListFindings(ctx, &guardduty.ListFindingsInput{DetectorId: aws.String("none")}); code(err) != "BadRequestException" {
		t.Errorf("no detector: %v", err)
	}

	if out, err := securityhub.NewFromConfig(cfg).GetFindings(ctx, &securityhub.GetFindingsInput{}); err != nil || len(out.Findings) != 1 || !strings.HasSuffix(*out.Findings[0].Id, owner) {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := securityhub.NewFromConfig(config(f, caller(partner), region)).GetFindings(ctx, &securityhub.GetFindingsInput{}); code(err) != "InvalidAccessException" {
		t.Errorf("an account that has not subscribed: %v", err)
	}
	if _, err := configservice.NewFromConfig(cfg).SelectResourceConfig(ctx, &configservice.SelectResourceConfigInput{Expression: aws.String("SELECT *")}); code(err) != "InvalidExpressionException" {
		t.Errorf("another expression: %v", err)
	}
}
