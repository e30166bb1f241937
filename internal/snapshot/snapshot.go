// Package snapshot is the portable file of what was read of an estate.
//
// A file is one header line and one Zstandard frame of JSON:
//
//	lamina-snapshot 1 SHA256 BYTES
//
// where SHA256 and BYTES are those of the JSON. Write makes the same bytes from
// the same estate whatever order it was read in; Read verifies all of it before
// it returns any of it. A file from elsewhere is hostile: it may not inflate
// beyond what its header says nor beyond MaxBytes, may hold no member this
// version does not know, and nothing may follow it. Files of the two versions
// before Version are read as well: what came later is then not in them, and their
// coverage says so. Any other version is an error.
package snapshot

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/lamina-sec/lamina"
)

// Version is the version that Write writes. It grows with every release whose
// files hold more: testdata keeps a file of each that Read must read.
const Version = 1

// reads is how many versions before its own a program reads.
const reads = 2

// supported says why a program of one version does not read a file of another.
func supported(file, program int) error {
	switch oldest := max(1, program-reads); {
	case file > program:
		return fmt.Errorf("version %d is of a later lamina: this one reads versions %d to %d", file, oldest, program)
	case file < oldest:
		return fmt.Errorf("version %d is too old: this program reads versions %d to %d; collect again, or write it anew with a lamina of between", file, oldest, program)
	}
	return nil
}

// MaxBytes is how many bytes of JSON a file may hold.
const MaxBytes = 1 << 30

// An object of JSON that says nothing has two bytes in the file and hundreds in
// memory, so that these are bounded, too: maxObjects is more than the objects of
// MaxBytes of what collect reads, maxValues more than all its values.
const (
	maxObjects = 5_000_000
	maxValues  = 50_000_000
)

// headerMax is more than any header of a version can need.
const headerMax = 256

// Canonical returns s sorted, with its version set: the form that Write writes.
// The slices of s are not changed; what their elements hold is shared.
func Canonical(s lamina.Snapshot) lamina.Snapshot {
	s.Version = Version
	s.Taken = s.Taken.UTC()
	s.Accounts = sorted(s.Accounts, func(a lamina.Account) string { return a.ID })
	s.Targets = sorted(s.Targets, func(t lamina.Target) string { return t.Account + " " + t.Region })
	for i, t := range s.Targets {
		t.Read = slices.Compact(slices.Sorted(slices.Values(t.Read)))
		t.Gaps = sorted(t.Gaps, func(g lamina.Gap) string {
			return strings.Join(append([]string{g.Action, g.Reason}, g.Resources...), " ")
		})
		s.Targets[i] = t
	}
	s.Layers = sorted(s.Layers, func(l lamina.LayerVersion) string { return l.ARN })
	s.Functions = sorted(s.Functions, func(f lamina.Function) string { return f.ARN + " " + f.Version })
	s.CodeSigningConfigs = sorted(s.CodeSigningConfigs, func(c lamina.CodeSigningConfig) string { return c.ARN })
	s.SigningProfiles = sorted(s.SigningProfiles, func(p lamina.SigningProfile) string { return p.VersionARN })
	s.CodeStorage = sorted(s.CodeStorage, func(c lamina.CodeStorage) string { return c.Account + " " + c.Region })
	s.Principals = sorted(s.Principals, func(p lamina.Principal) string { return p.ARN })
	s.Groups = sorted(s.Groups, func(g lamina.Group) string { return g.ARN })
	s.ManagedPolicies = sorted(s.ManagedPolicies, func(p lamina.ManagedPolicy) string { return p.ARN })
	s.OrganizationalUnits = sorted(s.OrganizationalUnits, func(u lamina.OrganizationalUnit) string { return u.ID })
	s.OrganizationPolicies = sorted(s.OrganizationPolicies, func(p lamina.OrganizationPolicy) string { return p.ID })
	s.Trails = sorted(s.Trails, func(t lamina.Trail) string { return t.ARN })
	s.MetricFilters = sorted(s.MetricFilters, func(f lamina.MetricFilter) string {
		return strings.Join([]string{f.Account, f.Region, f.LogGroup, f.Name}, " ")
	})
	s.Alarms = sorted(s.Alarms, func(a lamina.Alarm) string { return a.ARN })
	s.Topics = sorted(s.Topics, func(t lamina.Topic) string { return t.ARN })
	s.EventRules = sorted(s.EventRules, func(r lamina.EventRule) string { return r.ARN })
	s.Analyzers = sorted(s.Analyzers, func(a lamina.AccessAnalyzer) string { return a.ARN })
	s.AccessFindings = sorted(s.AccessFindings, func(f lamina.AccessFinding) string { return f.ID })
	s.Services = sorted(s.Services, func(v lamina.ServiceStatus) string { return v.Account + " " + v.Region + " " + v.Feature })
	s.Unscanned = sorted(s.Unscanned, func(u lamina.Unscanned) string { return u.Function })
	s.ServiceFindings = sorted(s.ServiceFindings, func(f lamina.ServiceFinding) string {
		return strings.Join([]string{f.Account, f.Region, f.Service, f.ID}, " ")
	})
	s.FindingCounts = sorted(s.FindingCounts, func(c lamina.FindingCount) string { return c.Account + " " + c.Region + " " + c.Service })
	s.ConfigRecords = sorted(s.ConfigRecords, func(r lamina.ConfigRecord) string { return r.Function })
	s.Buckets = sorted(s.Buckets, func(b lamina.Bucket) string { return b.Name })
	s.Subnets = sorted(s.Subnets, func(n lamina.Subnet) string { return n.ID })
	s.SecurityGroups = sorted(s.SecurityGroups, func(g lamina.SecurityGroup) string { return g.ID })
	s.DNSFirewalls = sorted(s.DNSFirewalls, func(w lamina.DNSFirewall) string { return w.ID })
	s.VPCEndpoints = sorted(s.VPCEndpoints, func(e lamina.VPCEndpoint) string { return e.ID })
	return s
}

// sorted returns a sorted copy of list, nil when it is empty.
func sorted[T any](list []T, key func(T) string) []T {
	if len(list) == 0 {
		return nil
	}
	return slices.SortedStableFunc(slices.Values(list), func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}

// Write writes s.
func Write(w io.Writer, s lamina.Snapshot) error {
	data, err := json.Marshal(Canonical(s))
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	// One goroutine and a fixed level: the bytes must not depend on the machine.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	sum := sha256.Sum256(data)
	file := enc.EncodeAll(data, fmt.Appendf(nil, "lamina-snapshot %d %x %d\n", Version, sum, len(data)))
	if _, err := w.Write(file); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

// bounded refuses JSON of more objects, or of more values that follow others, than
// these. What is no JSON is for the decoder.
func bounded(data []byte, maxObjects, maxValues int) error {
	objects, values := 0, 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; i < len(data) && data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{':
			objects++
		case ',':
			values++
		}
	}
	if objects > maxObjects || values > maxValues {
		return fmt.Errorf("%d objects and %d values: want at most %d and %d", objects, values, maxObjects, maxValues)
	}
	return nil
}

// ErrOther is a file that is no snapshot, ErrCut one that was not copied or written to
// its end, ErrDamaged one that is not as it was written.
var (
	ErrOther   = errors.New("it is no snapshot")
	ErrCut     = errors.New("the file is cut short")
	ErrDamaged = errors.New("the file was changed or damaged")
)

// Read reads and verifies a snapshot.
func Read(r io.Reader) (lamina.Snapshot, error) {
	s, err := read(r)
	if err != nil {
		return lamina.Snapshot{}, fmt.Errorf("read snapshot: %w", err)
	}
	return s, nil
}

func read(r io.Reader) (s lamina.Snapshot, err error) {
	br := bufio.NewReaderSize(r, headerMax)
	line, err := br.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return s, fmt.Errorf("%w, but an empty file", ErrOther)
	case !bytes.HasPrefix(line, []byte("lamina-snapshot ")):
		return s, ErrOther
	case errors.Is(err, io.EOF):
		return s, ErrCut
	case err != nil:
		return s, fmt.Errorf("%w: its header has no end", ErrDamaged)
	}
	var version int
	var digest string
	var size int64
	if n, _ := fmt.Sscanf(string(line), "lamina-snapshot %d %64s %d\n", &version, &digest, &size); n != 3 {
		return s, fmt.Errorf("header %q: want lamina-snapshot VERSION SHA256 BYTES", line)
	}
	if canonical := fmt.Sprintf("lamina-snapshot %d %s %d\n", version, digest, size); canonical != string(line) {
		return s, fmt.Errorf("header %q is not in canonical form", line)
	}
	if err := supported(version, Version); err != nil {
		return s, err
	}
	switch {
	case size < 2 || size > MaxBytes:
		return s, fmt.Errorf("%d bytes of JSON: want 2 to %d", size, MaxBytes)
	}
	dec, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return s, err
	}
	defer dec.Close()
	// Read grows with what arrives, not with what the header promises.
	var data bytes.Buffer
	n, err := io.Copy(&data, io.LimitReader(dec, size+1))
	switch {
	case n == size && err != nil:
		return s, fmt.Errorf("%w: bytes follow its end", ErrDamaged)
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && n < size:
		return s, fmt.Errorf("%w: it ends after %d of %d bytes of JSON", ErrCut, n, size)
	case err != nil:
		return s, err
	case n != size:
		return s, fmt.Errorf("header promises %d bytes of JSON, the file holds more", size)
	}
	if sum := sha256.Sum256(data.Bytes()); hex.EncodeToString(sum[:]) != digest {
		return s, fmt.Errorf("%w: its contents do not have the digest of the header", ErrDamaged)
	}
	if err := bounded(data.Bytes(), maxObjects, maxValues); err != nil {
		return s, err
	}
	d := json.NewDecoder(&data)
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return lamina.Snapshot{}, err
	}
	if s.Version != version {
		return lamina.Snapshot{}, fmt.Errorf("header says version %d, contents say %d", version, s.Version)
	}
	s.Version = Version
	return s, nil
}
