package holdings

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dangan/archive"
)

// Document is the newest version of a record as it is searched, with what has been
// read of its files; it reads none itself. While a file or scan is unread the error is
// archive.ErrEarly, and the document is good for a search meanwhile: the jobs of the
// record will bring the rest. A record that does not exist is archive.ErrNotFound.
func (h *Room) Document(ctx context.Context, id string) (archive.Document, error) {
	v, err := h.head(ctx, id)
	if err != nil {
		return archive.Document{}, fmt.Errorf("document: %w", err)
	}
	d, err := h.documentOf(ctx, v)
	if err != nil {
		err = fmt.Errorf("document: %w", err)
	}
	return d, err
}

func (h *Room) documentOf(ctx context.Context, v archive.Version[archive.Record]) (archive.Document, error) {
	said, unread, err := h.words(ctx, v.Value)
	if err != nil {
		return archive.Document{}, err
	}
	if unread || said.waits && h.c.Recognizer != nil {
		err = fmt.Errorf("a file is unread: %w", archive.ErrEarly)
	}
	return h.document(v, said), err
}

// index puts a version into the index, with what has been read by now.
func (h *Room) index(ctx context.Context, v archive.Version[archive.Record]) error {
	d, err := h.documentOf(ctx, v)
	if err == nil || errors.Is(err, archive.ErrEarly) {
		err = h.c.Index.Put(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("index record: %w", err)
	}
	return nil
}

// document is a version with the text of its files, without any id number.
func (h *Room) document(v archive.Version[archive.Record], said words) archive.Document {
	return archive.Document{
		Record:  v.Value.WithoutIDs(),
		Version: v.N,
		Text:    archive.WithoutIDs(strings.Join(said.text, "\n")),
		Machine: said.machine,
		Persons: h.tokens(v.Value),
	}
}
