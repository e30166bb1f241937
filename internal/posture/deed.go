package posture

// A Deed is a call that would have made what was found: what CloudTrail would
// have recorded of it, as far as that is not the same for every call.
type Deed struct {
	// Account and Region are where it is recorded, API is its name without the
	// date of the API ("AddLayerVersionPermission").
	Account, Region, API string
	// Caller is the ARN of the user or role that makes it, "" for a role of the
	// account that nobody knows.
	Caller string
	// Request and Response are the parameters, by CloudTrail's names.
	Request, Response map[string]any
	// Of says what it is about, for people.
	Of string
}

// Alerting says which rules alert on calls.
type Alerting struct {
	// Rules returns for each deed, made alone, the names of the rules that alert on
	// it, sorted.
	Rules func(deeds []Deed) ([][]string, error)
	// Unrun counts the rules that cannot be run here: they may alert as well.
	Unrun int
}
