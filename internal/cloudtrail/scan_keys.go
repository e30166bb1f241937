package cloudtrail

import "bytes"

// keyTable is a perfect hash of keyNames: keyHash of each name is a different
// slot. A test proves it.
var keyTable = func() (t [256]Key) {
	for k := KeyOther + 1; k < NumKeys; k++ {
		t[keyHash([]byte(keyNames[k]))] = k
	}
	return t
}()

// keyHash must be called with at least three bytes.
func keyHash(name []byte) uint8 {
	n := len(name)
	return name[n-1] + name[n-3] + name[0] + uint8(n)*21 //nolint:gosec // a hash may wrap
}

// lookupKey returns the Key of a member name as it is written between its
// quotes. escaped says that it has backslashes; when it is false and the name
// has some, they are seen as well, so callers need not look first.
func lookupKey(name []byte, escaped bool) Key {
	if escaped || len(name) > 5 && bytes.IndexByte(name, '\\') >= 0 {
		return lookupEscaped(name)
	}
	if len(name) < 6 {
		return KeyOther
	}
	if k := keyTable[keyHash(name)]; keyNames[k] == string(name) {
		return k
	}
	return KeyOther
}

func lookupEscaped(name []byte) Key {
	var buf [32]byte
	if len(name) > 6*len(buf) {
		return KeyOther
	}
	s, err := unquote(buf[:0], name)
	if err != nil || len(s) < 6 {
		return KeyOther
	}
	if k := keyTable[keyHash(s)]; keyNames[k] == string(s) {
		return k
	}
	return KeyOther
}
