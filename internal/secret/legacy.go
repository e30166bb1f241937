package secret

import "sync"

var standard = sync.OnceValue(func() *Engine { return New(Options{}) })

// Scan is (*Engine).Scan of an engine without a key, of a file without a name.
func Scan(data []byte) []Hit { return standard().Scan(data, Hint{}) }
