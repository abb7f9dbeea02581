package archive

import (
	"fmt"
	"strings"
)

// Problem is one fault in an input. Code is stable and documented; Field is a
// path into the input ("persons[1].id"); neither ever contains the value, so a
// Problem may be logged. At is the character of a text, counted from 1, where
// that helps.
type Problem struct {
	Code  string `json:"code"`
	Field string `json:"field"`
	At    int    `json:"at,omitempty"`
}

// Problems is every fault of an input, found before anything was stored.
// As an error it matches ErrInvalid.
type Problems []Problem

// Add notes one problem.
func (ps *Problems) Add(code, field string) {
	*ps = append(*ps, Problem{Code: code, Field: field})
}

// Err returns nil when there are no problems, and the list as an error otherwise.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Error lists codes and fields, never values.
func (ps Problems) Error() string {
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = p.Field + ": " + p.Code
	}
	return "invalid input: " + strings.Join(parts, "; ")
}

// Is makes errors.Is(problems, ErrInvalid) true.
func (ps Problems) Is(target error) bool { return target == ErrInvalid }

// In returns the problems with their fields moved below prefix.
func (ps Problems) In(prefix string) Problems {
	moved := make(Problems, len(ps))
	for i, p := range ps {
		moved[i] = Problem{Code: p.Code, Field: prefix + "." + p.Field, At: p.At}
	}
	return moved
}

func index(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
