package cloudtrail

// ResetRecord makes e a record that a Reader found, without looking at it again.
//
// The Reader has checked the structure of all of it and the top-level members
// to the letter, and that is all that Provider, Action, ID, Time, Region and
// RecipientAccount read. Whoever goes on to fields calls Check first, so that a
// record with a fault inside is set aside before anything is evaluated; an
// Event that was not checked checks itself when a field is asked for, and has
// no values after a fault.
//
// Nine records in ten are of no interest to any rule by their provider and
// action alone; walking through their nested values would cost as much as
// finding them.
func (e *Event) ResetRecord(rec *Record) {
	e.begin(rec.Raw)
	e.top = rec.Top
	// The Reader does not say whether there are members without a Key; there
	// may be.
	e.top[KeyOther] = Span{0, 1}
	e.unchecked = true
}

// Check reports what is wrong with the inside of the record, as Reset would
// have: the error is a *SyntaxError with the offset in Raw. After an error the
// Event is without a record; what Provider, Action and the like returned before
// stays valid until the next Reset.
func (e *Event) Check() error {
	if e.unchecked {
		e.unchecked = false
		// Not by way of Reset: strings that were handed out stay.
		w := walker{buf: e.raw}
		if err := e.walk(&w); err != nil {
			e.fault = err
			e.forget()
		}
	}
	return e.fault
}
