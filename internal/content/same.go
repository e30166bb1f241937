package content

import (
	"fmt"
	"strconv"
	"strings"
)

// A spot is where a credential stands in the layers of a scan.
type spot struct {
	layer int
	file  *File
	index int // in File.Secrets
}

// mostPlaces is how many places of one credential are named.
const mostPlaces = 5

// Same says where else in the scan the credential stands that is number index in
// the file of a layer: "python/a.py line 3, other.zip!/.env line 1 and 4 more
// places", "" if nowhere, or if there are no fingerprints to tell it by.
func (s *Scan) Same(layer int, f *File, index int) string {
	h := f.Secrets[index]
	if h.Fingerprint == "" {
		return ""
	}
	var others []string
	all := s.placesOf(h.Fingerprint)
	for _, p := range all {
		if p.layer == layer && p.file == f && p.index == index {
			continue
		}
		if others = append(others, s.describe(p, layer)); len(others) == mostPlaces {
			break
		}
	}
	if more := len(all) - 1 - mostPlaces; more > 0 {
		return fmt.Sprintf("%s and %s", strings.Join(others, ", "), Count(more, "more place"))
	}
	return strings.Join(others, ", ")
}

// describe is a place as seen from a layer.
func (s *Scan) describe(p spot, from int) string {
	where := p.file.Path
	if p.layer != from {
		where = s.Layers[p.layer].Name + "!/" + where
	}
	if line := p.file.Secrets[p.index].Line; line > 0 {
		where += " line " + strconv.Itoa(line)
	}
	return where
}

// placesOf are all places of a credential, in the order of layers and files.
func (s *Scan) placesOf(fingerprint string) []spot {
	return s.places.of(func() map[string][]spot {
		places := map[string][]spot{}
		for i, l := range s.Layers {
			for _, f := range l.Files {
				for k, h := range f.Secrets {
					if h.Fingerprint != "" {
						places[h.Fingerprint] = append(places[h.Fingerprint], spot{i, f, k})
					}
				}
			}
		}
		return places
	})[fingerprint]
}
