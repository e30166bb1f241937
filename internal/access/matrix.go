package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lamina-sec/lamina"
	"github.com/lamina-sec/lamina/iam"
)

// AnyStranger stands in a matrix for a layer of whatever account a caller likes.
const AnyStranger = "a layer of any other account"

// A Row says of functions that have the same answers who may attach what.
type Row struct {
	Account   string   `json:"account"`
	Region    string   `json:"region"`
	Functions []string `json:"functions"` // ARNs
	Cells     []Cell   `json:"cells"`
}

// A Cell says who may attach any of the layers: users and roles by their ARNs.
// Everybody else may not.
type Cell struct {
	Layers  []string `json:"layers"` // ARNs, or AnyStranger
	Yes     []string `json:"yes"`
	OnlyIf  []string `json:"only_if,omitempty"`
	Unknown []string `json:"unknown,omitempty"`
	// Conditions say what the answers of OnlyIf and Unknown hang on, by ARN.
	Conditions map[string]string `json:"conditions,omitempty"`
}

// Matrix says who may attach which layer to which of the functions that are
// asked for: of the layers asked for, the newest version of each of ours that the
// function's account owns or is granted, those of others that its functions
// load, and a stranger's. Functions and layers with the same answers are put
// together; rows are in order of account, region and first function.
func (a *Access) Matrix(function func(lamina.Function) bool, layer func(arn string) bool) []Row {
	a.Targets() // makes the finders
	var out []Row
	for _, account := range slices.Sorted(maps.Keys(a.finders)) {
		x := a.finders[account]
		classes := map[string][]lamina.Function{}
		for _, f := range a.estate.Snapshot.Functions {
			if f.Account == account && x.objects[f.ARN] != nil && function(f) {
				classes[x.class[f.ARN]] = append(classes[x.class[f.ARN]], f)
			}
		}
		same := map[string]*Row{}
		gets := map[string]Standing{}
		for _, class := range slices.Sorted(maps.Keys(classes)) {
			fs := classes[class]
			cells := x.cells(fs[0], slices.DeleteFunc(x.offered(fs[0].Region), func(arn string) bool { return !layer(arn) }), gets)
			parts := []string{fs[0].Region}
			for _, c := range cells {
				parts = append(parts, c.sign(), strings.Join(c.Layers, " "))
			}
			sign := strings.Join(parts, "\n")
			r := same[sign]
			if r == nil {
				r = &Row{Account: account, Region: fs[0].Region, Cells: cells}
				same[sign] = r
			}
			for _, f := range fs {
				r.Functions = append(r.Functions, f.ARN)
			}
		}
		var rows []Row
		for _, r := range same {
			slices.Sort(r.Functions)
			rows = append(rows, *r)
		}
		slices.SortFunc(rows, func(p, q Row) int {
			return cmp.Or(cmp.Compare(p.Region, q.Region), cmp.Compare(p.Functions[0], q.Functions[0]))
		})
		out = append(out, rows...)
	}
	return out
}

func (c Cell) sign() string {
	var b strings.Builder
	b.WriteString(strings.Join(c.Yes, " ") + "|" + strings.Join(c.OnlyIf, " ") + "|" + strings.Join(c.Unknown, " "))
	for _, arn := range slices.Sorted(maps.Keys(c.Conditions)) {
		b.WriteString("|" + arn + " " + c.Conditions[arn])
	}
	return b.String()
}

// offered are the layer versions that functions of the region might load.
func (x *finder) offered(region string) []string {
	newest := map[string]lamina.LayerARN{}
	take := func(arn string) {
		if l, err := lamina.ParseLayerARN(arn); err == nil && l.Version >= newest[l.Unversioned()].Version {
			newest[l.Unversioned()] = l
		}
	}
	for _, i := range x.own(region) {
		take(x.estate.Snapshot.Layers[i].ARN)
	}
	for _, l := range x.shared(region) {
		take(l.ARN)
	}
	for _, f := range x.estate.Snapshot.Functions {
		if f.Account != x.account || f.Region != region {
			continue
		}
		for _, arn := range f.Layers {
			if l, err := lamina.ParseLayerARN(arn); err == nil && l.ARN.Account != x.account {
				take(arn)
			}
		}
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(newest)) {
		out = append(out, newest[k].String())
	}
	return append(out, AnyStranger)
}

// cells asks every caller about every layer. gets remembers who may read layers of
// other accounts.
func (x *finder) cells(f lamina.Function, layers []string, gets map[string]Standing) []Cell {
	var out []Cell
	at := map[string]int{}
	for _, arn := range layers {
		cell := Cell{Layers: []string{arn}, Yes: []string{}}
		for _, c := range x.callers[x.account] {
			s := x.standing(c, f, arn, gets)
			switch s.Verdict {
			case Yes:
				cell.Yes = append(cell.Yes, c.Principal.ARN)
				continue
			case OnlyIf:
				cell.OnlyIf = append(cell.OnlyIf, c.Principal.ARN)
			case NotKnown:
				cell.Unknown = append(cell.Unknown, c.Principal.ARN)
			case No:
				continue
			}
			if cell.Conditions == nil {
				cell.Conditions = map[string]string{}
			}
			cell.Conditions[c.Principal.ARN] = s.Condition
		}
		if i, ok := at[cell.sign()]; ok {
			out[i].Layers = append(out[i].Layers, arn)
			continue
		}
		at[cell.sign()] = len(out)
		out = append(out, cell)
	}
	return out
}

// standing is whether the caller may attach the layer to the function, and what
// that hangs on.
func (x *finder) standing(c *Caller, f lamina.Function, arn string, gets map[string]Standing) Standing {
	if c.May[updateConfiguration] == None {
		return Standing{Verdict: No}
	}
	anybodys := arn == AnyStranger
	if anybodys {
		arn = instance("arn:*:lambda:*:*:layer:"+Canary+":1", partitionOf(f.ARN), f.Region, stranger)[0]
	}
	l, err := lamina.ParseLayerARN(arn)
	if err != nil {
		return Standing{Verdict: NotKnown, Condition: err.Error()}
	}
	q := &iam.Request{Subject: c.Subject, Action: updateConfiguration, Object: x.objects[f.ARN], Keys: direct(f.Region).Set("lambda:Layer", iam.Is(arn))}
	if q.Decide() == iam.Deny {
		return Standing{Verdict: No}
	}
	update := Standing{Verdict: Yes}
	update.add(q.Evaluate(), false, "")
	if l.ARN.Account == x.account {
		return update
	}
	key := c.Principal.ARN + " " + arn
	get, ok := gets[key]
	if !ok {
		get = Standing{Verdict: Yes}
		object := x.layer(l)
		if anybodys {
			object = x.object(arn, l.ARN.Account, iam.Is(strangerOrganization), x.granted)
		}
		get.add((&iam.Request{Subject: c.Subject, Action: "lambda:GetLayerVersion", Object: object, Keys: direct(f.Region)}).Evaluate(), false, "")
		if !anybodys && !x.estate.Org.Ours(l.ARN.Account) {
			get.lend()
		}
		gets[key] = get
	}
	both := Standing{Verdict: Verdicts[max(slices.Index(Verdicts, update.Verdict), slices.Index(Verdicts, get.Verdict))]}
	both.hang(update.Condition)
	both.hang(get.Condition)
	return both
}
