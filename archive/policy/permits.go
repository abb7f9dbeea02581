package policy

import (
	"slices"

	"dangan/archive"
)

// Permits reports whether some row lets a role do an action to anything at all:
// what an adapter may ask before it knows what is to be acted on.
func Permits(role archive.Role, act archive.Action) bool {
	return slices.ContainsFunc(Rows(), func(r Row) bool { return !r.Refused && r.concerns(role, act) })
}
