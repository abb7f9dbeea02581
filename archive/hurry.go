package archive

import "context"

type unhurried struct{}

// Unhurried marks work that nobody waits for, such as drawing pages before anybody
// asks for them: whoever does it for many lets everybody else go first, and begins
// when there has been nothing else to do for a while.
func Unhurried(ctx context.Context) context.Context {
	return context.WithValue(ctx, unhurried{}, true)
}

// IsUnhurried reports whether the work of ctx was so marked.
func IsUnhurried(ctx context.Context) bool { return ctx.Value(unhurried{}) != nil }
