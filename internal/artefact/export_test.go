package artefact

// Reseal makes the checksums of a changed index right again, so that tests reach
// what is behind them.
func Reseal(data []byte) { format.Reseal(data) }
