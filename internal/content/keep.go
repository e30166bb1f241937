package content

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/lamina-sec/lamina/internal/layerfs"
)

// Clean is a string of a layer as it may be kept and shown: a name, a version, a
// message. What is a credential in it is replaced by its redacted form. All that
// Read keeps of a layer goes through it; who takes strings from a layer by other
// ways must call it.
func Clean(s string) string { return standard().Redact(s) }

// Limits on what is kept of all layers of a scan, so that memory does not grow with
// what layers say. Of real ones, those with the most keep 2.4 MB of facts and 0.3 MB
// of names.
const (
	maxFacts = 12 << 20 // bytes that facts take in memory, about
	maxNames = 12 << 20 // bytes of names of files
	maxLost  = 5_000    // parts that could not be read, by name
	maxOdd   = 10_000   // oddities
)

// A Budget is how much may still be kept of the layers of one scan. It may be used
// by one goroutine at a time.
type Budget struct{ facts, names, lost, odd int }

// NewBudget returns the budget of one scan.
func NewBudget() *Budget { return &Budget{maxFacts, maxNames, maxLost, maxOdd} }

// A keeper decides what is kept of one layer.
type keeper struct {
	*Budget
	// bare are files whose facts are not kept, unnamed those of which nothing is;
	// unsaid lost parts that are not named, and unlisted oddities.
	bare, unnamed, unsaid, unlisted int
	firstBare, firstUnnamed         string
}

// file cuts from the file, whose facts have the weight, what is too much: kept says
// that something is left, and whole that everything is.
func (k *keeper) file(f *File, weight int) (kept, whole bool) {
	if len(f.Path) > k.names {
		if k.unnamed++; k.unnamed == 1 {
			k.firstUnnamed = f.Path
		}
		return false, false
	}
	k.names -= len(f.Path)
	if weight > k.facts {
		if k.bare++; k.bare == 1 {
			k.firstBare = f.Path
		}
		f.Facts = Facts{Kind: f.Kind, Link: f.Link}
		return true, false
	}
	k.facts -= weight
	return true, true
}

// take reports whether one more may be kept of what left counts, and counts it in
// over if not.
func take(left, over *int) bool {
	if *left == 0 {
		*over++
		return false
	}
	*left--
	return true
}

// over says what is not kept, and why.
func (k *keeper) over() []error {
	var errs []error
	add := func(n int, format string, args ...any) {
		if n > 0 {
			errs = append(errs, fmt.Errorf(format+": %w", append(args, layerfs.ErrLimit)...))
		}
	}
	add(k.bare, "what is in %s was read and is not kept, from %s on: facts of more than %d MiB", Count(k.bare, "file"), k.firstBare, maxFacts>>20)
	add(k.unnamed, "%s not listed, from %s on: names of more than %d MiB", Count(k.unnamed, "file"), k.firstUnnamed, maxNames>>20)
	add(k.unsaid, "%s could not be read, beyond the %d that are named", Count(k.unsaid, "part"), maxLost)
	add(k.unlisted, "what is odd in %s is not listed, beyond %d oddities", Count(k.unlisted, "place"), maxOdd)
	return errs
}

// cleanAll cleans every string that p points to, however deep.
func cleanAll(p any) { clean(reflect.ValueOf(p).Elem()) }

func clean(v reflect.Value) {
	if plain(v.Type()) {
		return
	}
	switch v.Kind() { //nolint:exhaustive // the default is meant for all others
	case reflect.String:
		if s := Clean(v.String()); s != v.String() {
			v.SetString(s)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			clean(v.Elem())
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			clean(f)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if s := string(v.Bytes()); Clean(s) != s {
				v.SetBytes([]byte(Clean(s)))
			}
			return
		}
		for i := range v.Len() {
			clean(v.Index(i))
		}
	default:
		// A test sees to it that facts have nothing else.
		panic("content: cannot clean a " + v.Type().String())
	}
}

// weigh is about how many bytes what the pointer points to takes elsewhere.
func weigh(p any) int { return weight(reflect.ValueOf(p).Elem()) }

func weight(v reflect.Value) (n int) {
	switch v.Kind() { //nolint:exhaustive // others take nothing
	case reflect.String:
		return v.Len()
	case reflect.Pointer:
		if !v.IsNil() {
			n = int(v.Type().Elem().Size()) + weight(v.Elem())
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			n += weight(f)
		}
	case reflect.Map:
		n = 64 * v.Len()
	case reflect.Slice:
		n = v.Cap() * int(v.Type().Elem().Size())
		if holds(v.Type().Elem()) {
			for i := range v.Len() {
				n += weight(v.Index(i))
			}
		}
	}
	return n
}

// plain reports whether a value of the type holds no string of a layer: it has
// none, or its strings are words of ours.
var plain = perType(func(t reflect.Type) bool { return ours[t] || !holds(t) })

// ours are types of strings that only this program makes.
var ours = map[reflect.Type]bool{
	reflect.TypeFor[Kind](): true, reflect.TypeFor[Mark](): true, reflect.TypeFor[layerfs.OddityKind](): true,
	reflect.TypeFor[map[string]int](): true, // Suppressed: the keys are reasons
}

// holds reports whether a value of the type has anything outside of itself.
var holds = perType(outside)

// outside is holds without a memory.
func outside(t reflect.Type) bool {
	switch t.Kind() { //nolint:exhaustive // the default is meant for all others
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16,
		reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return false
	case reflect.Array:
		return outside(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if outside(f.Type) {
				return true
			}
		}
		return false
	}
	return true
}

// perType remembers the answers of a question about types.
func perType(ask func(reflect.Type) bool) func(reflect.Type) bool {
	var known sync.Map
	return func(t reflect.Type) bool {
		if a, ok := known.Load(t); ok {
			return a == true
		}
		a := ask(t)
		known.Store(t, a)
		return a
	}
}
