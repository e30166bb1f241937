package cloudtrail

import "slices"

// A sub is a member below userIdentity or tlsDetails that the mapping reads.
// They are found in one walk of their parent, since a rule that asks for one
// asks for several; everything else nested is decoded whole (see tree).
type sub uint8

const (
	subUser sub = iota // userIdentity itself
	subUserType
	subUserPrincipalID
	subUserARN
	subUserAccountID
	subUserAccessKeyID
	subUserName
	subUserInvokedBy
	subUserCredentialID
	subUserIdentityProvider
	subUserDelegate
	subUserDelegateAccountID
	subUserBehalf
	subUserBehalfUserID
	subUserBehalfStoreARN
	subUserScope
	subUserScopeIssuerType
	subUserScopeIssuedTo
	subUserScopeSourceARN
	subUserScopeSourceAccount
	subSession
	subSessionEC2Delivery
	subSessionSourceIdentity
	subSessionAssumedRoot
	subSessionSignIn
	subSessionAttributes
	subSessionMFA
	subSessionCreated
	subSessionWebID
	subSessionWebIDProvider
	subSessionWebIDAttributes
	subIssuer
	subIssuerType
	subIssuerPrincipalID
	subIssuerARN
	subIssuerAccountID
	subIssuerUserName
	subTLS // tlsDetails itself
	subTLSVersion
	subTLSCipher
	subTLSHost
	subTLSKeyExchange
	numSubs
)

// subs has the name and the parent of each sub; a root is its own parent.
var subs = [numSubs]struct {
	name   string
	parent sub
}{
	subUser:                   {"userIdentity", subUser},
	subUserType:               {"type", subUser},
	subUserPrincipalID:        {"principalId", subUser},
	subUserARN:                {"arn", subUser},
	subUserAccountID:          {"accountId", subUser},
	subUserAccessKeyID:        {"accessKeyId", subUser},
	subUserName:               {"userName", subUser},
	subUserInvokedBy:          {"invokedBy", subUser},
	subUserCredentialID:       {"credentialId", subUser},
	subUserIdentityProvider:   {"identityProvider", subUser},
	subUserDelegate:           {"invokedByDelegate", subUser},
	subUserDelegateAccountID:  {"accountId", subUserDelegate},
	subUserBehalf:             {"onBehalfOf", subUser},
	subUserBehalfUserID:       {"userId", subUserBehalf},
	subUserBehalfStoreARN:     {"identityStoreArn", subUserBehalf},
	subUserScope:              {"inScopeOf", subUser},
	subUserScopeIssuerType:    {"issuerType", subUserScope},
	subUserScopeIssuedTo:      {"credentialsIssuedTo", subUserScope},
	subUserScopeSourceARN:     {"sourceArn", subUserScope},
	subUserScopeSourceAccount: {"sourceAccount", subUserScope},
	subSession:                {"sessionContext", subUser},
	subSessionEC2Delivery:     {"ec2RoleDelivery", subSession},
	subSessionSourceIdentity:  {"sourceIdentity", subSession},
	subSessionAssumedRoot:     {"assumedRoot", subSession},
	subSessionSignIn:          {"signInSessionArn", subSession},
	subSessionAttributes:      {"attributes", subSession},
	subSessionMFA:             {"mfaAuthenticated", subSessionAttributes},
	subSessionCreated:         {"creationDate", subSessionAttributes},
	subSessionWebID:           {"webIdFederationData", subSession},
	subSessionWebIDProvider:   {"federatedProvider", subSessionWebID},
	subSessionWebIDAttributes: {"attributes", subSessionWebID},
	subIssuer:                 {"sessionIssuer", subSession},
	subIssuerType:             {"type", subIssuer},
	subIssuerPrincipalID:      {"principalId", subIssuer},
	subIssuerARN:              {"arn", subIssuer},
	subIssuerAccountID:        {"accountId", subIssuer},
	subIssuerUserName:         {"userName", subIssuer},
	subTLS:                    {"tlsDetails", subTLS},
	subTLSVersion:             {"tlsVersion", subTLS},
	subTLSCipher:              {"cipherSuite", subTLS},
	subTLSHost:                {"clientProvidedHostHeader", subTLS},
	subTLSKeyExchange:         {"keyExchange", subTLS},
}

// below returns the JSON of a sub, or nil.
func (e *Event) below(s sub) []byte {
	if s == subUser {
		return e.value(KeyUserIdentity)
	}
	if s == subTLS {
		return e.value(KeyTLSDetails)
	}
	p := subs[s].parent
	if e.subGen[p] != e.gen {
		e.subGen[p] = e.gen
		e.index(p)
	}
	return e.sub[s]
}

// index finds the members of p.
func (e *Event) index(p sub) {
	from, to := p+1, p+1 // the children of p are among the subs after it
	for s := p + 1; s < numSubs; s++ {
		if subs[s].parent == p {
			e.sub[s] = nil
			to = s + 1
		}
	}
	b := e.below(p)
	if len(b) == 0 || b[0] != '{' {
		return
	}
	w := walker{buf: b}
	for i := blank(b, 1); b[i] != '}'; i = blank(b, i) {
		if b[i] == ',' {
			i = blank(b, i+1)
		}
		end := w.text(i + 1)
		name := b[i+1 : end-1]
		if slices.Contains(name, '\\') {
			name = appendUnescaped(nil, name)
		}
		i = blank(b, blank(b, end)+1)
		start := i
		i = w.value(i, 1)
		for s := from; s < to; s++ {
			if subs[s].parent == p && subs[s].name == string(name) {
				e.sub[s] = b[start:i]
				break
			}
		}
	}
}

// subText is the text of a sub when it is a scalar that null removal leaves,
// else "".
func (e *Event) subText(s sub) string {
	t, _ := e.scalar(e.below(s))
	return t
}
