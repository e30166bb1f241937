package content

import "sync"

// A lazy value is made when it is first asked for. If making it panics, everyone who
// asks for it panics: who got nothing instead would take it for nothing found.
type lazy[T any] struct {
	once sync.Once
	get  func() T
}

func (l *lazy[T]) of(create func() T) T {
	l.once.Do(func() { l.get = sync.OnceValue(create) })
	return l.get()
}
