package sample

import (
	"fmt"

	"github.com/lamina-sec/lamina/internal/awsfake"
)

// story adds what happens, in the order of a reader.
func (s *script) story() {
	s.sharing()
	s.publicLayer()
	s.attachments()
	s.deletionsAndSources()
	s.controls()
}

// sharing is the grants that are as they should be, and two that are not.
func (s *script) sharing() {
	s.at(1, "09:10:00", "share-organisation", "a new version is shared with the organisation, as always", func() {
		s.publishOurs(terraform(Platform), "acme-base", 4)
		s.grant(terraform(Platform), "acme-base", 4, "organisation", "*", OrgID)
	})
	s.at(2, "10:00:00", "share-vendor", "a layer is shared with a listed vendor's account", func() {
		s.grant(developer(Platform), "acme-otel", 3, "datadog-support", Vendor, "")
	})
	s.at(3, "11:20:00", "share-account", "a layer is shared with another account of ours", func() {
		s.grant(deployer(Platform), "acme-cache", 1, "payments", Payments, "")
	})
	s.at(3, "11:21:00", "share-own-account", "a layer is shared with the account that owns it", func() {
		s.grant(deployer(Platform), "acme-cache", 1, "platform", Platform, "")
	})
	s.at(3, "16:45:00", "share-unknown-account", "a layer is shared with an account that nobody knows, and stays shared", func() {
		s.grant(developer(Data), "acme-reports", 1, "partner", Partner, "")
	})
	s.at(7, "13:31:40", "share-denied", "somebody tries to share a layer and may not", func() {
		s.fake.Deny(func(c awsfake.Call) bool { return c.Caller.User == legacy.User })
		_, err := s.as(legacy).AddLayerVersionPermission(awsfake.AddLayerVersionPermissionInput{
			LayerName: "payments-ledger", VersionNumber: 1, StatementID: "x", Action: "lambda:GetLayerVersion", Principal: "*",
		})
		s.fake.Deny(nil)
		if err == nil {
			panic("sample: the denied attempt was not denied")
		}
	})
}

// publicLayer is the incident: two hours and fourteen minutes.
func (s *script) publicLayer() {
	s.at(7, "12:58:04", "publish-leaky", "a version with a credential in it is published", func() {
		s.publishOurs(deployer(Platform), "acme-auth", 7)
	})
	s.at(7, "13:02:11", "share-public", "it is shared with everyone", func() {
		s.grant(deployer(Platform), "acme-auth", 7, "pub", "*", "")
	})
	s.at(7, "13:20:05", "fetch-own-organisation", "an account of ours fetches it", func() {
		_, err := s.as(deployer(Payments)).GetLayerVersion(s.version["acme-auth:7"], 7)
		must(err)
	})
	s.at(7, "13:44:30", "attach-leaky", "a function of ours loads it", func() {
		s.layers(deployer(Payments), s.pick(Payments, 3), s.version["acme-auth:7"])
	})
	s.at(7, "15:16:40", "unshare-public", "the grant is removed", func() {
		must(s.as(security).RemoveLayerVersionPermission("acme-auth", 7, "pub", ""))
	})
}

// pick returns the name of the account's n-th function.
func (s *script) pick(account string, n int) string {
	for _, f := range s.funcs {
		if f.account == account {
			if n == 0 {
				return f.name
			}
			n--
		}
	}
	panic("sample: account " + account + " has too few functions")
}

// layers gives a function a new list.
func (s *script) layers(c awsfake.Caller, name string, arns ...string) {
	_, err := s.as(c).UpdateFunctionConfiguration(awsfake.UpdateFunctionConfigurationInput{FunctionName: name, Layers: arns})
	must(err)
}

// attachments are changes of what functions load.
func (s *script) attachments() {
	foreign, watched, order, bumped := s.pick(Payments, 10), s.pick(Payments, 20), s.pick(Payments, 30), s.pick(Data, 5)
	s.at(4, "09:30:00", "attach-foreign", "a function loads a layer of an account that is in no list", func() {
		s.layers(developer(Payments), foreign, s.version["acme-http:5"], s.version["py-metrics"])
	})
	s.at(4, "13:00:00", "attach-vendor", "a function gets the vendor's extension", func() {
		s.layers(deployer(Payments), watched, s.version["acme-logging:4"], s.version["datadog"])
	})
	s.at(6, "02:14:09", "remove-vendor", "the vendor's extension is taken off again, at night", func() {
		s.layers(legacy, watched, s.version["acme-logging:4"])
	})
	s.at(5, "10:00:00", "attach-two", "a function gets two layers", func() {
		s.layers(terraform(Payments), order, s.version["acme-config:4"], s.version["acme-utils:4"])
	})
	s.at(5, "10:30:00", "reorder", "their order changes, and with it which file wins", func() {
		s.layers(developer(Payments), order, s.version["acme-utils:4"], s.version["acme-config:4"])
	})
	s.at(5, "11:00:00", "attach-old", "a function loads the base layer", func() {
		s.layers(terraform(Data), bumped, s.version["acme-base:3"])
	})
	s.at(5, "11:30:00", "change-version", "and then its next version", func() {
		s.layers(terraform(Data), bumped, s.version["acme-base:4"])
	})
}

// deletionsAndSources are functions that go, and where events come from.
func (s *script) deletionsAndSources() {
	for i := range 3 {
		name := s.pick(Data, 40+i)
		s.at(6, fmt.Sprintf("18:0%d:00", i), fmt.Sprintf("delete-function-%d", i+1), "a function is deleted", func() {
			must(s.as(developer(Data)).DeleteFunction(name))
		})
	}
	mapping := func(name, source, event, uuid string) {
		function := s.pick(Payments, 12)
		arn := "arn:aws:lambda:" + Region + ":" + Payments + ":function:" + function
		s.as(developer(Payments)).Note(awsfake.Note{
			Source: "lambda.amazonaws.com", Name: event,
			Parameters: name + `"functionName":"` + function + `","eventSourceArn":"` + source + `","enabled":true,"batchSize":10}`,
			Response:   `{"uUID":"` + uuid + `","functionArn":"` + arn + `","eventSourceArn":"` + source + `","state":"Creating","batchSize":10}`,
		})
	}
	const ours, theirs = "11111111-2222-4333-8444-555555555555", "22222222-3333-4444-8555-666666666666"
	s.at(2, "08:15:00", "source-own", "a function is fed from a queue of its account", func() {
		mapping(`{`, "arn:aws:sqs:"+Region+":"+Payments+":orders", "CreateEventSourceMapping20150331", ours)
	})
	s.at(6, "18:20:00", "source-foreign", "a function is fed from a queue of an account that nobody knows", func() {
		mapping(`{`, "arn:aws:sqs:"+Region+":"+Partner+":inbox", "CreateEventSourceMapping20150331", theirs)
	})
	s.at(6, "18:25:00", "source-repointed", "the first queue is pointed at another function", func() {
		function := s.pick(Payments, 14)
		arn := "arn:aws:lambda:" + Region + ":" + Payments + ":function:" + function
		s.as(developer(Payments)).Note(awsfake.Note{
			Source: "lambda.amazonaws.com", Name: "UpdateEventSourceMapping20150331",
			Parameters: `{"uUID":"` + ours + `","functionName":"` + function + `"}`,
			Response:   `{"uUID":"` + ours + `","functionArn":"` + arn + `","eventSourceArn":"arn:aws:sqs:` + Region + ":" + Payments + `:orders","state":"Updating","batchSize":10}`,
		})
	})
}

// controls are guardrails and signing that somebody takes away.
func (s *script) controls() {
	note := func(c awsfake.Caller, source, name, params, response string) func() {
		return func() {
			s.as(c).Note(awsfake.Note{Source: source, Name: name, Parameters: params, Response: response})
		}
	}
	guardrail := "arn:aws:bedrock:" + Region + ":" + Data + ":guardrail/abcdefghij12"
	policy := "arn:aws:bedrock:" + Region + ":" + Data + ":automated-reasoning-policy/abcdefghij34"
	s.at(8, "03:12:00", "guardrail-changed", "a guardrail is changed; how, the record does not say",
		note(developer(Data), "bedrock.amazonaws.com", "UpdateGuardrail",
			`{"guardrailIdentifier":"`+guardrail+`","name":"HIDDEN_DUE_TO_SECURITY_REASONS"}`,
			`{"guardrailId":"abcdefghij12","guardrailArn":"`+guardrail+`","version":"DRAFT","updatedAt":"2026-06-19T03:12:00.000Z"}`))
	s.at(8, "03:15:00", "guardrail-deleted", "then it is deleted",
		note(developer(Data), "bedrock.amazonaws.com", "DeleteGuardrail", `{"guardrailIdentifier":"`+guardrail+`"}`, ""))
	s.at(8, "03:16:00", "reasoning-deleted", "and so is an automated reasoning policy",
		note(developer(Data), "bedrock.amazonaws.com", "DeleteAutomatedReasoningPolicy", `{"policyArn":"`+policy+`"}`, ""))
	s.at(8, "09:00:00", "signing-removed", "a function no longer needs signed code",
		note(developer(Payments), "lambda.amazonaws.com", "DeleteFunctionCodeSigningConfig", `{"functionName":"`+s.pick(Payments, 3)+`"}`, ""))
}
