package exception

import "strings"

// maxStars is how many stars a pattern may have: the time a match takes grows
// with them.
const maxStars = 16

// Glob reports whether pattern matches the whole of s. A star stands for any
// characters; in a path it stops at a slash, and ** does not; "**/" matches no
// directory too. Nothing else is special. The time is bounded by
// len(pattern) × len(s).
func Glob(pattern, s string, path bool) bool {
	if !path {
		return plain(pattern, s)
	}
	// matches[i] says whether the pattern so far matches s[:i].
	matches := make([]bool, len(s)+1)
	matches[0] = true
	for pattern != "" {
		to := make([]bool, len(s)+1)
		switch {
		case strings.HasPrefix(pattern, "**/"):
			// Any number of whole directories: the rest starts where this did, or
			// after a slash.
			pattern = pattern[3:]
			reached := false
			for i := range to {
				reached = reached || matches[i]
				to[i] = matches[i] || reached && i > 0 && s[i-1] == '/'
			}
		case strings.HasPrefix(pattern, "*"):
			crosses := strings.HasPrefix(pattern, "**")
			pattern = strings.TrimLeft(pattern, "*")
			reached := false
			for i := range to {
				if i > 0 && s[i-1] == '/' && !crosses {
					reached = false
				}
				reached = reached || matches[i]
				to[i] = reached
			}
		default:
			for i := range len(s) {
				to[i+1] = matches[i] && s[i] == pattern[0]
			}
			pattern = pattern[1:]
		}
		matches = to
	}
	return matches[len(s)]
}

// plain is Glob for what is no path: there are many findings, and many patterns.
func plain(pattern, s string) bool {
	first, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, first)
	for ok {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		_, s, ok = strings.Cut(s, part)
		rest = after
	}
	return false
}

// anything reports whether the pattern matches all there is; "" does.
func anything(pattern string) bool { return strings.Trim(pattern, "*/") == "" }
