package awsfake

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
)

// The part of CBOR (RFC 8949) that Smithy's RPC v2 uses.

// writeCBOR answers in Smithy's RPC v2 with CBOR. Errors have their code in a
// header too, for services that once spoke query.
func writeCBOR(to answerTo, err *Error, out object) {
	to.w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	if err != nil {
		to.w.Header().Set("X-Amzn-Query-Error", err.Code+";Sender")
		o := object{{name: "__type", value: err.Code}, {name: "message", value: err.Message}}
		to.send("application/cbor", err.Status, appendCBOR(nil, o))
		return
	}
	to.send("application/cbor", http.StatusOK, appendCBOR(nil, out))
}

// The major types.
const (
	cborUnsigned = 0
	cborNegative = 1
	cborBytes    = 2
	cborText     = 3
	cborArray    = 4
	cborMap      = 5
	cborTag      = 6
	cborSimple   = 7
)

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), n)
}

func appendCBOR(b []byte, value any) []byte {
	text := func(s string) { b = append(appendHead(b, cborText, uint64(len(s))), s...) }
	switch v := value.(type) {
	case string:
		text(v)
	case int:
		if v < 0 {
			return appendHead(b, cborNegative, uint64(-1-int64(v)))
		}
		return appendHead(b, cborUnsigned, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 0xfb), math.Float64bits(v))
	case bool:
		if v {
			return append(b, 0xf5)
		}
		return append(b, 0xf4)
	case object:
		b = appendHead(b, cborMap, uint64(len(v)))
		for _, m := range v {
			text(m.name)
			b = appendCBOR(b, m.value)
		}
	case []object:
		b = appendHead(b, cborArray, uint64(len(v)))
		for _, o := range v {
			b = appendCBOR(b, o)
		}
	case []string:
		b = appendHead(b, cborArray, uint64(len(v)))
		for _, s := range v {
			text(s)
		}
	default:
		return append(b, 0xf6)
	}
	return b
}

var errCBOR = errors.New("the request is not CBOR")

// readCBOR reads a map. Numbers become float64, as in JSON.
func readCBOR(body []byte) (input, error) {
	if len(body) == 0 {
		return input{}, nil
	}
	d := decoder{rest: body}
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok || len(d.rest) > 0 {
		return nil, fmt.Errorf("%w of one map", errCBOR)
	}
	return m, nil
}

type decoder struct{ rest []byte }

// depthMax bounds the nesting of requests.
const depthMax = 32

// head reads a type and its argument. open says that the length is not known.
func (d *decoder) head() (major byte, n uint64, open bool, err error) {
	if len(d.rest) == 0 {
		return 0, 0, false, errCBOR
	}
	major, info := d.rest[0]>>5, d.rest[0]&31
	d.rest = d.rest[1:]
	switch {
	case info < 24:
		return major, uint64(info), false, nil
	case info == 31:
		return major, 0, true, nil
	case info > 27 || len(d.rest) < 1<<(info-24):
		return 0, 0, false, errCBOR
	}
	size := 1 << (info - 24)
	for _, c := range d.rest[:size] {
		n = n<<8 | uint64(c)
	}
	d.rest = d.rest[size:]
	return major, n, false, nil
}

// end reports whether the break of an open value is next, and takes it.
func (d *decoder) end() bool {
	if len(d.rest) > 0 && d.rest[0] == 0xff {
		d.rest = d.rest[1:]
		return true
	}
	return false
}

func (d *decoder) value(depth int) (any, error) {
	if depth > depthMax {
		return nil, fmt.Errorf("%w: nested too deeply", errCBOR)
	}
	first := byte(0)
	if len(d.rest) > 0 {
		first = d.rest[0]
	}
	major, n, open, err := d.head()
	if err != nil {
		return nil, err
	}
	switch major {
	case cborUnsigned:
		return float64(n), nil
	case cborNegative:
		return -1 - float64(n), nil
	case cborBytes, cborText:
		if open || n > uint64(len(d.rest)) {
			return nil, errCBOR
		}
		s := string(d.rest[:n])
		d.rest = d.rest[n:]
		return s, nil
	case cborArray:
		items := []any{}
		for i := uint64(0); open && !d.end() || !open && i < n; i++ {
			item, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	case cborMap:
		m := map[string]any{}
		for i := uint64(0); open && !d.end() || !open && i < n; i++ {
			k, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			key, ok := k.(string)
			if !ok {
				return nil, errCBOR
			}
			if m[key], err = d.value(depth + 1); err != nil {
				return nil, err
			}
		}
		return m, nil
	case cborTag:
		return d.value(depth + 1)
	}
	switch first & 31 {
	case 20, 21:
		return first&31 == 21, nil
	case 26:
		return float64(math.Float32frombits(uint32(n & math.MaxUint32))), nil
	case 27:
		return math.Float64frombits(n), nil
	case 31:
		return nil, errCBOR // a break that ends nothing
	}
	return nil, nil
}
