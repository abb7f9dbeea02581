// Package match finds people in old records: it folds texts to one form, reads
// Chinese names aloud, tells what kind of thing somebody typed, and says how well
// a record fits a description, with reasons.
//
// It owns the tables for that (traditional characters, surname readings, weights).
// It must not know how anything is stored, indexed or searched: every function is
// pure, and equal input gives equal output for ever.
package match
