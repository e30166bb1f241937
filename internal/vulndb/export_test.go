package vulndb

// CompareVersions orders two versions as a range of the type does; an error says
// that one of them is none.
func CompareVersions(ecosystem, rangeType, a, b string) (int, error) {
	o := orderOf(ecosystem, rangeType)
	v, err := o.parse(a)
	if err != nil {
		return 0, err
	}
	w, err := o.parse(b)
	if err != nil {
		return 0, err
	}
	return v.compare(w), nil
}

// The scores of vectors, for tests against published ones.
var (
	CVSS2 = cvss2
	CVSS3 = cvss3
)

// PEP440 reports whether s is a version of Python packages.
func PEP440(s string) bool { return pep440(s) }

// Reseal makes the checksums of a changed database right again, so that tests
// reach what is behind them.
func Reseal(data []byte) { format.Reseal(data) }
