//go:build !unix

package reader

import "context"

// withMemory leaves WebAssembly the memory of Go.
func withMemory(ctx context.Context) context.Context { return ctx }
