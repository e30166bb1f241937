package secret

import (
	"bytes"
	"cmp"
	"slices"
)

// longEnough is from how many bytes on a text is taken for one that was cut, and
// tailReach how much of its end can be the beginning of a credential.
const (
	longEnough = 200
	tailReach  = 256
)

// Redact is the text with every credential in it replaced by its redacted form,
// so that names, versions and messages can be shown. It searches as Inspect does
// a file of settings, and also where nothing separates a value from the word
// before it. A text of 200 bytes and more may have been cut: what could be the
// beginning of a credential at its end goes, too. A text of which not all could
// be searched is replaced as a whole.
func (e *Engine) Redact(text string) string {
	if len(text) < minLiteral {
		return text
	}
	var room [256]byte // most texts are short and nothing is in them
	if n := copy(room[:], text); n == len(text) && e.nearAll.skip(room[:n], 0) == n {
		return text
	}
	if clean, changed := e.redact([]byte(text), len(text) >= longEnough); changed {
		return string(clean)
	}
	return text
}

// RedactData is Redact for the whole of a file, which is not cut.
func (e *Engine) RedactData(data []byte) []byte {
	clean, _ := e.redact(data, false)
	return clean
}

// redact returns data itself when nothing in it changes, which it never writes to.
func (e *Engine) redact(data []byte, cut bool) (clean []byte, changed bool) {
	if len(data) < minLiteral {
		return data, false
	}
	var anchors []anchor
	last := -1 // the last anchor of a format that values are known by
	size := int64(len(data))
	glued := e.newSearch(Hint{}, true, size)
	e.auto.scan(data, e.nearAll, func(id uint16, start int) {
		if int64(len(anchors)) <= flood(size) {
			anchors = append(anchors, anchor{id, start})
		}
		for _, u := range e.uses[id] {
			f := e.formats[u.format]
			if u.form != plain || f.named || f.generic {
				continue
			}
			last = max(last, start)
			if !glued.truncated && !glued.spent() {
				glued.plain(f, data[start:], int64(start), 0) // as if nothing were before it
			}
		}
	})
	switch {
	case len(anchors) == 0:
		return data, false
	case glued.truncated || glued.incomplete != "" || int64(len(anchors)) > flood(size):
		return []byte(withheld), true
	}
	fs := glued.found
	for _, bin := range []bool{false, true} {
		s := e.newSearch(Hint{Path: ".env"}, bin, size)
		for _, a := range anchors {
			if !bin || a.id < e.near.literals {
				s.anchor(data, 0, a)
			}
		}
		if s.truncated || s.incomplete != "" {
			return []byte(withheld), true
		}
		fs = append(fs, s.found...)
	}
	spans := make([]span, 0, len(fs)+1)
	for _, f := range fs {
		x := span{int(f.base), int(f.base) + f.length, redact(f.f, f.value)}
		if slices.Contains(f.evidence, inBase64) { // the whole of the wrapping
			for x.from > 0 && sextet[data[x.from-1]] < 64 {
				x.from--
			}
			for x.to < len(data) && (sextet[data[x.to]] < 64 || data[x.to] == '=') {
				x.to++
			}
			x.by = withheld
		}
		spans = append(spans, x)
	}
	within := func(x span) bool { return x.from <= last && last < x.to }
	if cut && last >= 0 && len(data)-last <= tailReach && !bytes.ContainsAny(data[last:], " \t\r\n") && !slices.ContainsFunc(spans, within) {
		spans = append(spans, span{last, len(data), withheld})
	}
	if len(spans) == 0 {
		return data, false
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	out := make([]byte, 0, len(data)+len(withheld))
	done := 0
	for _, x := range spans {
		switch {
		case x.from >= done:
			out = append(append(out, data[done:x.from]...), x.by...)
		case x.to > done:
			out = append(out, withheld...)
		}
		done = max(done, x.to)
	}
	return append(out, data[done:]...), true
}

// An anchor is where the literal id begins in a text.
type anchor struct {
	id    uint16
	start int
}

// withheld stands for a value of which nothing is shown.
const withheld = "••••"

// A span is a part of a text and what stands there instead.
type span struct {
	from, to int
	by       string
}
