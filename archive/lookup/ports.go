package lookup

import (
	"context"

	"dangan/archive"
)

// Records reads what the marks point at.
type Records interface {
	Head(ctx context.Context, id string) (archive.Version[archive.Record], error)
}

// Marks finds records by person.
type Marks interface {
	Marked(ctx context.Context, kind, value string) ([]string, error)
}

// Door is the one way out (package evidence).
type Door interface {
	Pass(ctx context.Context, d archive.Disclosure) (archive.Decision, error)
}

// Signer signs receipts (archive.ReceiptKey).
type Signer interface {
	Sign(r archive.Receipt) (string, error)
}
