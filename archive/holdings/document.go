package holdings

import (
	"context"
	"fmt"
	"strings"

	"dangan/archive"
)

// Document is the newest version of a record as it is searched, with what has been
// read of its files; it reads none itself. While a file is unread the error is
// archive.ErrEarly, and the document is good for a search meanwhile: the job of the
// record will bring the rest. A record that does not exist is archive.ErrNotFound.
func (h *Room) Document(ctx context.Context, id string) (archive.Document, error) {
	v, err := h.head(ctx, id)
	if err != nil {
		return archive.Document{}, fmt.Errorf("document: %w", err)
	}
	var text []string
	var early error
	for _, f := range v.Value.Files {
		state, found, err := h.state(ctx, v.Value.Ref(), f)
		switch {
		case err != nil:
			return archive.Document{}, fmt.Errorf("document: %w", err)
		case state.State == archive.Checking:
			early = fmt.Errorf("document: a file is unread: %w", archive.ErrEarly)
		case state.State == archive.Ready:
			text = append(text, found.Text...)
		}
	}
	return h.document(v, strings.Join(text, "\n")), early
}

// document is a version with the text of its files, without any id number.
func (h *Room) document(v archive.Version[archive.Record], text string) archive.Document {
	return archive.Document{
		Record:  v.Value.WithoutIDs(),
		Version: v.N,
		Text:    archive.WithoutIDs(text),
		Persons: h.tokens(v.Value),
	}
}
