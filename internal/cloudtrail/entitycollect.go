package cloudtrail

import (
	"slices"
	"strings"
	"sync"
)

// A step of a path: a member name, or all elements of a list.
type step struct {
	name string
	list bool // go through the elements of the list here
	// whole says of a list that its strings are added in turn until one was
	// there already, which is what the script does with lists it adds at once.
	whole bool
	// anyType says that the value is printed whatever its type is.
	anyType bool
}

// A rulebook is services with its paths parsed.
type rulebook struct {
	related [][]step
	targets map[string][][]step
}

var rulebooks = sync.OnceValue(func() map[string]rulebook {
	m := map[string]rulebook{}
	for _, s := range services {
		b := rulebook{related: parsePaths(s.related), targets: map[string][][]step{}}
		for actions, paths := range s.targets {
			for a := range strings.FieldsSeq(actions) {
				b.targets[a] = parsePaths(paths)
			}
		}
		m[s.provider] = b
	}
	return m
})

func parsePaths(paths string) [][]step {
	var out [][]step
	for p := range strings.FieldsSeq(paths) {
		out = append(out, parsePath(p))
	}
	return out
}

// parsePath reads a path as services writes it: names separated by dots, "[]"
// after a name for the elements of a list, "!" at the end for a list added at
// once, "=" for a value of any type.
func parsePath(p string) []step {
	var out []step
	for part := range strings.SplitSeq(p, ".") {
		var s step
		part, s.anyType = strings.CutSuffix(part, "=")
		part, s.whole = strings.CutSuffix(part, "!")
		part, s.list = strings.CutSuffix(part, "[]")
		s.name = part
		out = append(out, s)
	}
	return out
}

// A collector gathers the entities of one record. The script it stands for is
// dynamically typed and fails where a value is not what it expects; then threw
// is set and nothing counts.
type collector struct {
	e     *Event
	n     *entities
	actor string
	threw bool
}

// collect runs the script up to the classification of targets.
func (c *collector) collect() {
	e := c.e
	c.actor = c.str(e.below(subUserARN))
	if c.actor == "" {
		c.actor = c.str(e.below(subUserBehalfUserID))
	}
	for _, s := range [...]sub{subUserAccessKeyID, subUserARN, subUserName, subIssuerARN, subIssuerUserName} {
		c.relate(c.str(e.below(s)))
	}
	if e.subText(subUserType) == "IdentityCenterUser" {
		c.relate(c.str(e.below(subUserBehalfStoreARN)))
	}
	c.follow(c.relate, 0, resourceARNs)
	provider, action := c.str(e.value(KeyEventSource)), c.str(e.value(KeyEventName))
	b := rulebooks()[provider]
	for _, p := range b.related {
		c.follow(c.relate, 0, p)
	}
	if provider == "ec2.amazonaws.com" {
		c.instances()
	}
	for _, p := range b.targets[action] {
		c.follow(c.aim, 0, p)
	}
	switch provider {
	case "lambda.amazonaws.com":
		// Lambda's names end in the date of the API.
		if strings.Contains(action, "AddPermission") {
			c.follow(c.aim, 0, functionName)
		} else if strings.Contains(action, "ListFunctions") {
			c.follow(c.aim, 0, accountPath)
		}
	case "ssm.amazonaws.com":
		if action == "SendCommand" {
			c.command()
		}
	case "sts.amazonaws.com":
		c.session(action)
	}
}

var (
	resourceARNs = parsePath("resources[].ARN")
	functionName = parsePath("requestParameters.functionName")
	accountPath  = parsePath(account)
)

// session finds the actor of a call of the security token service.
func (c *collector) session(action string) {
	switch action {
	case "AssumeRole":
		switch c.e.subText(subUserType) {
		case "AWSService":
			c.actor = c.str(c.e.below(subUserInvokedBy))
		case "AssumedRole":
			c.actor = c.str(c.e.below(subIssuerARN))
		default:
			c.actor = c.str(c.e.below(subUserARN))
		}
	case "GetCallerIdentity":
		c.actor = c.str(c.e.below(subUserARN))
	}
}

// command finds the instances that SendCommand is for: by id, by the values of
// its targets, or the account when the one value is "*".
func (c *collector) command() {
	e := c.e
	from := len(e.list)
	defer func() { e.list = e.list[:from] }() // it is scratch here
	if ids := e.find(KeyRequestParameters, "instanceIds"); ids != 0 {
		c.strings(ids)
	} else if targets := e.find(KeyRequestParameters, "targets"); targets != 0 {
		if e.nodes[targets].kind != nodeList {
			c.threw = true
			return
		}
		for t := range e.children(targets) {
			values := e.child(t, "values")
			if values == 0 {
				c.threw = true
				return
			}
			c.strings(values)
		}
	}
	ids := e.list[from:]
	if len(ids) == 1 && ids[0] == "*" {
		ids[0] = c.str(e.value(KeyRecipientAccountID))
	}
	for _, id := range ids {
		if !c.aim(id) {
			break
		}
	}
}

// strings lists the strings of a list node.
func (c *collector) strings(n int32) {
	e := c.e
	if e.nodes[n].kind != nodeList {
		c.threw = true
		return
	}
	for v := range e.children(n) {
		if e.nodes[v].kind != nodeText {
			c.threw = true
			return
		}
		e.list = append(e.list, e.nodes[v].text)
	}
}

// str is the text of a JSON string, "" for what is missing; any other type
// makes the script fail.
func (c *collector) str(v []byte) string {
	if len(v) == 0 {
		return ""
	}
	if v[0] == '"' {
		s, _ := c.e.scalar(v)
		return s
	}
	if c.e.present(v) {
		c.threw = true
	}
	return ""
}

// follow adds what a path leads to.
func (c *collector) follow(add func(string) bool, n int32, path []step) {
	e := c.e
	if c.threw {
		return
	}
	s := path[0]
	switch {
	case n != 0:
		n = e.child(n, s.name)
	case s.name == "sourceIdentity":
		// It is no member of records today, so it has no Key.
		if e.top[KeyOther].End > 0 {
			n = e.child(e.record(), s.name)
		}
	default:
		n = e.member(lookupKey([]byte(s.name), false))
	}
	if n == 0 {
		return
	}
	rest := path[1:]
	if !s.list {
		if len(rest) > 0 {
			c.follow(add, n, rest)
			return
		}
		c.value(add, n, s.anyType)
		return
	}
	if e.nodes[n].kind != nodeList {
		c.threw = true
		return
	}
	for child := range e.children(n) {
		switch {
		case len(rest) == 0:
			if !c.value(add, child, false) && s.whole {
				return
			}
		case e.nodes[child].kind != nodeObject:
			c.threw = true
		default:
			c.follow(add, child, rest)
		}
		if c.threw {
			return
		}
	}
}

// value adds a string node.
func (c *collector) value(add func(string) bool, n int32, anyType bool) bool {
	switch nd := &c.e.nodes[n]; {
	case nd.kind == nodeText || anyType && nd.kind != nodeObject && nd.kind != nodeList:
		return add(nd.text)
	default:
		c.threw = true
		return false
	}
}

// manyEntities is how many values are found by comparing each with each.
const manyEntities = 32

// relate and aim add a value to a set and report whether it was new.
func (c *collector) relate(v string) bool { return c.insert(&c.n.relatedSet, v, "r") }

func (c *collector) aim(v string) bool { return c.insert(&c.n.targetSet, v, "t") }

func (c *collector) insert(set *[]string, v, tag string) bool {
	if v == "" {
		return false
	}
	if len(*set) < manyEntities {
		if slices.Contains(*set, v) {
			return false
		}
		*set = append(*set, v)
		return true
	}
	// A long list is hostile or rare, so the map's keys may cost.
	if c.n.members == nil {
		c.n.members = map[string]struct{}{}
	}
	if len(*set) == manyEntities {
		for _, old := range *set {
			c.n.members[tag+old] = struct{}{}
		}
	}
	if _, ok := c.n.members[tag+v]; ok {
		return false
	}
	c.n.members[tag+v] = struct{}{}
	*set = append(*set, v)
	return true
}

// each calls visit with the objects in the list found below n by names; a
// missing list is empty.
func (c *collector) each(n int32, visit func(int32)) {
	e := c.e
	if n == 0 || c.threw {
		return
	}
	if e.nodes[n].kind != nodeList {
		c.threw = true
		return
	}
	for child := range e.children(n) {
		if e.nodes[child].kind != nodeObject {
			c.threw = true
			return
		}
		visit(child)
		if c.threw {
			return
		}
	}
}

// group relates members of an object in turn and stops at the first that is
// missing or was there already: the script adds them with a short-circuiting
// and.
func (c *collector) group(nodes ...int32) {
	for _, n := range nodes {
		if n == 0 || !c.value(c.relate, n, false) {
			return
		}
	}
}

// one relates a node if it is there.
func (c *collector) one(n int32) {
	if n != 0 {
		c.value(c.relate, n, false)
	}
}

// items is the member "items" below the given names.
func (c *collector) items(k Key, name string) int32 {
	return c.e.child(c.e.find(k, name), "items")
}

// instances relates what EC2 puts into nested lists.
func (c *collector) instances() {
	e := c.e
	c.each(c.items(KeyResponseElements, "securityGroupRuleSet"), func(i int32) {
		c.group(e.child(i, "groupId"), e.child(e.child(i, "referencedGroupInfo"), "groupId"), e.child(i, "securityGroupRuleId"))
	})
	for _, k := range [...]Key{KeyResponseElements, KeyRequestParameters} {
		c.each(c.items(k, "groupSet"), func(i int32) { c.one(e.child(i, "groupId")) })
	}
	c.each(c.items(KeyRequestParameters, "instancesSet"), func(i int32) { c.one(e.child(i, "instanceId")) })
	c.each(c.items(KeyResponseElements, "instancesSet"), func(i int32) {
		c.group(e.child(i, "subnetId"), e.child(i, "vpcId"), e.child(i, "instanceId"), e.child(i, "imageId"),
			e.child(e.child(i, "iamInstanceProfile"), "arn"))
		c.each(e.child(e.child(i, "networkInterfaceSet"), "items"), func(i int32) {
			c.group(e.child(i, "networkInterfaceId"), e.child(i, "vpcId"), e.child(i, "subnetId"))
			c.each(e.child(e.child(i, "groupSet"), "items"), func(i int32) { c.one(e.child(i, "groupId")) })
		})
	})
	c.each(c.items(KeyRequestParameters, "revokedSecurityGroupRuleSet"), func(i int32) {
		c.group(e.child(i, "securityGroupRuleId"), e.child(i, "groupId"))
	})
}
