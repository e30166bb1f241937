package cli

// nearest is the name among names that typed was probably meant to be, or "":
// at most a third of its characters differ. The first of equals wins.
func nearest(typed string, names []string) string {
	best, found := len(typed)/3+1, ""
	for _, n := range names {
		if n == typed {
			continue
		}
		if d := distance(typed, n, best); d < best {
			best, found = d, n
		}
	}
	if found == "" && len(typed) >= 3 {
		// A name cut short ("detec", "conf") is further away than it feels.
		for _, n := range names {
			if len(n) > len(typed) && n[:len(typed)] == typed {
				return n
			}
		}
	}
	return found
}

// distance is the number of insertions, deletions, substitutions and swaps of
// neighbours between a and b (optimal string alignment), or limit if that is
// reached. Long names are not compared: nobody mistypes them as a whole.
func distance(a, b string, limit int) int {
	if len(a) > 256 || len(b) > 256 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, prev := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return min(prev[len(b)], limit)
}
