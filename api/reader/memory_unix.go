//go:build unix

package reader

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// withMemory gives WebAssembly memory that grows where it lies. A slice of Go
// would be copied at each growth, and its former self lie about for a while:
// a document could take more than twice the memory that it may.
func withMemory(ctx context.Context) context.Context {
	return experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, most uint64) experimental.LinearMemory {
		reserved, err := unix.Mmap(-1, 0, int(most), unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return &memory{}
		}
		return &memory{reserved}
	}))
}

// memory is a range of addresses that is given pages from its beginning.
type memory struct{ reserved []byte }

// Reallocate returns nil when there is no more, which the engine survives.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.reserved)) || unix.Mprotect(m.reserved[:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
		return nil
	}
	return m.reserved[:size]
}

func (m *memory) Free() {
	if m.reserved != nil {
		_ = unix.Munmap(m.reserved) // it was mapped here, so it can be unmapped
		m.reserved = nil
	}
}
