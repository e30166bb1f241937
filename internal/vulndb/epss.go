package vulndb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Limits of the two catalogues, several times what they have.
const (
	maxEPSS = 256 << 20 // bytes of CSV
	maxKEV  = 64 << 20
)

// EPSS are the predictions of https://www.first.org/epss/.
type EPSS struct {
	Name, Date string
	scores     map[string]float64
}

// ReadEPSS reads the CSV of scores, plain or compressed by gzip. name says in
// the database where they are from.
func ReadEPSS(name string, r io.Reader) (*EPSS, error) {
	br := bufio.NewReader(r)
	if m, _ := br.Peek(2); bytes.Equal(m, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		br = bufio.NewReader(z)
	}
	e := &EPSS{Name: name, scores: map[string]float64{}}
	limited := &io.LimitedReader{R: br, N: maxEPSS + 1}
	s := bufio.NewScanner(limited)
	header := false
	for line := 1; s.Scan(); line++ {
		t := strings.TrimSpace(s.Text())
		switch {
		case t == "":
		case strings.HasPrefix(t, "#"):
			for part := range strings.SplitSeq(t[1:], ",") {
				if d, ok := strings.CutPrefix(part, "score_date:"); ok && printable(d) && len(d) <= 40 {
					e.Date = d
				}
			}
		case !header:
			if header = strings.HasPrefix(t, "cve,epss"); !header {
				return nil, fmt.Errorf("%s:%d: want the header cve,epss,percentile", name, line)
			}
		default:
			id, rest, _ := strings.Cut(t, ",")
			score, _, _ := strings.Cut(rest, ",")
			p, err := strconv.ParseFloat(score, 64)
			if err != nil || !(p >= 0 && p <= 1) || !plainID(id) {
				return nil, fmt.Errorf("%s:%d: want a CVE id and a probability, got %q", name, line, clip(t, 60))
			}
			e.scores[id] = p
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if limited.N == 0 {
		return nil, fmt.Errorf("%s: more than %d MiB", name, maxEPSS>>20)
	}
	if !header {
		return nil, fmt.Errorf("%s: no scores", name)
	}
	return e, nil
}

// KEV is the catalogue of
// https://www.cisa.gov/known-exploited-vulnerabilities-catalog.
type KEV struct {
	Name, Date string
	ids        map[string]bool
}

// ReadKEV reads the catalogue in JSON.
func ReadKEV(name string, r io.Reader) (*KEV, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxKEV+1))
	if err == nil && len(data) > maxKEV {
		err = fmt.Errorf("more than %d MiB", maxKEV>>20)
	}
	var in struct {
		Released        string `json:"dateReleased"`
		Vulnerabilities []struct {
			ID string `json:"cveID"`
		} `json:"vulnerabilities"`
	}
	if err == nil {
		err = json.Unmarshal(data, &in)
	}
	if err == nil && in.Vulnerabilities == nil {
		err = errors.New("no list called vulnerabilities")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	k := &KEV{Name: name, ids: map[string]bool{}}
	if printable(in.Released) && len(in.Released) <= 40 {
		k.Date = in.Released
	}
	for i, v := range in.Vulnerabilities {
		if !plainID(v.ID) {
			return nil, fmt.Errorf("%s: vulnerabilities[%d]: %q is no CVE id", name, i, clip(v.ID, 40))
		}
		k.ids[v.ID] = true
	}
	return k, nil
}
