package cloudtrail

// ResetRecord makes e a record that a Reader found, without looking at it again:
// the Reader has checked the structure of all of it and the top-level members
// to the letter, which is all that Provider, Action, ID, Time and
// RecipientAccount read. Whoever goes on to other fields calls Check first.
//
// Nine records in ten are of no interest to any rule by their provider and
// action alone; walking through their nested values would cost as much as
// finding them.
func (e *Event) ResetRecord(rec *Record) {
	e.begin(rec.Raw)
	e.top = rec.Top
}

// Check reports what is wrong with the inside of the record, as Reset would
// have: the error is a *SyntaxError with the offset in Raw. Afterwards the Event
// is as it was, or, after an error, without a record.
func (e *Event) Check() error { return e.Reset(e.raw) }
