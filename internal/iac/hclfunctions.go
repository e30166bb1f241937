package iac

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// A functionTable is the functions of Terraform that are worked out here, by
// name: those that read nothing but their arguments, and file. A call of any
// other makes a value that is not known.
type functionTable = map[string]function.Function

var errTooMuch = errors.New("it makes more than lamina works out")

func newFunctions(r *reader, dir string) functionTable {
	t := functionTable{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "chomp": stdlib.ChompFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc,
		"flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc, "index": stdlib.IndexFunc, "jsondecode": stdlib.JSONDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"keys": stdlib.KeysFunc, "length": stdlib.LengthFunc, "lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc, "max": stdlib.MaxFunc, "merge": stdlib.MergeFunc,
		"min": stdlib.MinFunc, "range": stdlib.RangeFunc, "reverse": stdlib.ReverseListFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"tobool": stdlib.MakeToFunc(cty.Bool), "tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber": stdlib.MakeToFunc(cty.Number), "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)), "tostring": stdlib.MakeToFunc(cty.String),
		"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc, "trimsuffix": stdlib.TrimSuffixFunc,
		"upper": stdlib.UpperFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc, "try": tryfunc.TryFunc, "can": tryfunc.CanFunc,
		"format": bounded(stdlib.FormatFunc, formatted), "join": bounded(stdlib.JoinFunc, joined),
		"replace": bounded(stdlib.ReplaceFunc, replaced), "split": bounded(stdlib.SplitFunc, parted),
	}
	t["file"] = function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := path.Clean(args[0].AsString())
			if !strings.HasPrefix(name, dir+"/") {
				name = path.Join(dir, name)
			}
			if !fs.ValidPath(name) {
				return cty.DynamicVal, errors.New("the file is outside the folder that is scanned")
			}
			data, err := r.read(name)
			if err == nil && len(data) > maxText {
				err = errTooMuch
			}
			return cty.StringVal(string(data)), err
		},
	})
	return t
}

// bounded is f for arguments of which most says that they make no more than
// maxText bytes.
func bounded(f function.Function, most func([]cty.Value) int) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{Name: "args", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true},
		Type:     func(args []cty.Value) (cty.Type, error) { return f.ReturnTypeForValues(args) },
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, a := range args {
				if !a.IsWhollyKnown() {
					return f.Call(args)
				}
			}
			if most(args) > maxText {
				return cty.DynamicVal, errTooMuch
			}
			return f.Call(args)
		},
	})
}

// known is the text of the argument, "" when it is none.
func knownText(args []cty.Value, i int) string {
	if i >= len(args) || args[i].IsNull() || args[i].Type() != cty.String {
		return ""
	}
	return args[i].AsString()
}

func inputs(args []cty.Value) int {
	n := 0
	for _, a := range args {
		n += size(a, maxInput)
	}
	return n
}

func joined(args []cty.Value) int {
	n := inputs(args)
	return n + len(knownText(args, 0))*n/8
}

func replaced(args []cty.Value) int {
	s, old := knownText(args, 0), knownText(args, 1)
	if len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
		return len(s) + (len(s)+1)*len(knownText(args, 2))
	}
	return len(s) + (strings.Count(s, old)+1)*len(knownText(args, 2))
}

func parted(args []cty.Value) int {
	const most = 1000 // items of a list that loops may go over
	if sep := knownText(args, 0); sep == "" && len(knownText(args, 1)) > most || strings.Count(knownText(args, 1), sep) > most {
		return maxText + 1
	}
	return 0
}

// wide is a verb of format with a width or a precision of four digits.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}|%[^a-zA-Z%]*\*`)

func formatted(args []cty.Value) int {
	f := knownText(args, 0)
	if wide.MatchString(f) {
		return maxText + 1
	}
	return len(f) + strings.Count(f, "%")*(inputs(args)+1000)/max(1, len(args)-1)
}
